// A machine for the router's program that is a folder: the program's own functions in dash, below a root of their own, with mawk and the
// daemons' real judgement where this machine has them. What would touch the machine is asked of recorders (host/).

import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  accessSync,
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, inject, onTestFinished } from "vitest";
import { decode, encode, parseAnswer } from "../../../provider/router/payload";
import { program } from "../../../provider/router/program";
import type { Change, Difference } from "../../../provider/router/types";
import { faults } from "./faults";

const host = path.join(import.meta.dirname, "host");

/** What the program uses of the machine itself. */
const tools =
  "basename cat chmod cmp comm cp cut date diff find grep head ln ls md5sum mkdir mv rm sed sha256sum sort tail touch tr uniq xargs";
const recorded =
  "apt-get busctl chown dpkg dpkg-query getent groupdel ip journalctl modprobe ss sync systemctl systemd-run useradd userdel";
const daemons = ["nft", "dnsmasq", "haproxy", "vtysh", "named-checkconf"] as const;
export type Daemon = (typeof daemons)[number];

const places = new Map<string, string | undefined>();
function which(name: string): string | undefined {
  if (!places.has(name))
    places.set(
      name,
      ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map((folder) => path.join(folder, name)).find(existsSync),
    );
  return places.get(name);
}
const unpacked = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "vpc6/daemons-12");
const shell = which("dash") ?? "/bin/sh";

/** Namespaces of one's own: root has them, and others where the kernel lets them. */
export const namespaces = spawnSync("unshare", ["-rmn", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
/** Whose judgement is real here: each daemon's, or (no Debian, no namespaces) nobody's. `make setup` fetches them. */
export const judges: readonly Daemon[] = namespaces && existsSync(unpacked) ? daemons : [];

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
  /** WHY and BLAME, as the functions left them. */
  why: string;
  blame: string;
  /** What recorders and judges were asked, in order. */
  asked: string[];
  /** Of it what changes something. */
  did: string[];
}

/** Only asks, or only passes time. */
const question =
  /^(systemctl (--quiet )?(is-active|show|list-units)|ip (-o|neigh show|-4 route show|-6 route show)|dpkg-query|sleep|flock|sync|unshare|nft -[st]|getent|ss|journalctl|haproxy -c|dnsmasq --test|vtysh (-C|-d bgpd -c show|-c show)|named-checkconf)/;

export class Machine {
  readonly root = mkdtempSync(path.join(tmpdir(), "vpc6-machine-"));
  readonly services: string | undefined;
  readonly #kept = `${this.root}.kept`;
  #seen = 0;
  #sent = 0;

  /** `services`: those that the program has here, in its order; without, all. `over`: when it is not needed any more. */
  constructor(services?: string, over: (clean: () => void) => void = onTestFinished) {
    this.services = services;
    over(() => {
      for (const folder of [this.root, this.#kept]) rmSync(folder, { recursive: true, force: true });
    });
    for (const folder of [
      "bin recorders answers units proc/sys sys/class/net etc/systemd/system run/systemd/system etc/frr etc/bind root",
      "usr/sbin usr/bin usr/lib/frr dev/net var/lib/dpkg var/lib/apt/lists repository usr/local/lib/vpc6",
    ]
      .join(" ")
      .split(" "))
      mkdirSync(path.join(this.root, folder), { recursive: true });
    for (const name of tools.split(" ")) this.#tool(name, which(name));
    this.#tool("awk", which("mawk") ?? which("awk"));
    this.#tool("sh", shell);
    for (const name of recorded.split(" "))
      this.#tool(name, path.join(host, existsSync(path.join(host, name)) ? name : "recorder"));
    for (const name of ["flock", "sleep", "unshare"]) this.#tool(name, path.join(host, name));
    this.#tool("tayga", path.join(host, "recorder"));
    for (const name of daemons) {
      this.#tool(name, path.join(host, "judge"));
      symlinkSync(path.join(host, "recorder"), path.join(this.root, "recorders", name));
    }
    symlinkSync(path.join(host, "recorder"), path.join(this.root, "recorders/ip"));
    symlinkSync(path.join(host, "recorder"), path.join(this.root, "usr/lib/frr/frr-reload.py"));
    symlinkSync("/dev/null", path.join(this.root, "dev/net/tun"));
    symlinkSync("/bin/true", path.join(this.root, "usr/bin/perl"));
    this.write("asked", "");
    this.write("dpkg", "base-files\n");
    this.write("kernel.nft", "");
    this.write("var/lib/apt/lists/deb_InRelease", "");
    this.write("var/lib/dpkg/status", "");
    for (const file of ["passwd", "group"])
      this.write(`etc/${file}`, ["root:x:0:0::/:/bin/sh", "haproxy:x:901:901::/:/bin/false", ""].join("\n"));
    this.write("etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n');
    this.write("proc/uptime", "1000.00 1.00\n");
    this.write("usr/local/lib/vpc6/vpc6", program().text);
    this.write("functions", below(this.root));
  }

  /** With an operator's public interface and two links to be. */
  static router(services?: string, over?: (clean: () => void) => void): Machine {
    const machine = new Machine(services, over);
    machine.link("lo", { mac: "00:00:00:00:00:00", settings: { accept_ra: 1 } });
    machine.link("pub0", { mac: "02:00:00:00:aa:00" });
    machine.link("web0", { mac: "02:00:00:00:aa:01", up: false });
    machine.link("db0", { mac: "02:00:00:00:aa:02", up: false });
    for (const name of ["all", "default"]) {
      for (const key of ["accept_ra", "forwarding"]) machine.sysctl(`net/ipv6/conf/${name}/${key}`, 0);
      for (const key of ["accept_redirects", "forwarding"]) machine.sysctl(`net/ipv4/conf/${name}/${key}`, 1);
    }
    machine.sysctl("net/ipv4/ip_forward", 0);
    machine.sysctl("net/netfilter/nf_conntrack_tcp_timeout_established", 432_000);
    // As a fresh Debian with 1 GB has it.
    for (const key of ["max", "buckets"]) machine.sysctl(`net/netfilter/nf_conntrack_${key}`, 7680);
    machine.sysctl("net/netfilter/nf_conntrack_count", 100);
    machine.write("proc/meminfo", "MemTotal:         986152 kB\nMemFree:          520000 kB\n");
    machine.answer("ip -4 route show default dev pub0", "default via 203.0.113.1 \n");
    machine.write(
      "dpkg",
      "base-files bind9 dnsmasq-base frr frr-pythontools haproxy iproute2 nftables tayga ".replaceAll(" ", "\n"),
    );
    return machine;
  }

  #tool(name: string, at: string | undefined): void {
    if (!at) throw new Error(`this machine has no ${name}`);
    symlinkSync(at, path.join(this.root, "bin", name));
  }

  at(file: string): string {
    return path.join(this.root, file);
  }
  write(file: string, text: string): void {
    mkdirSync(path.dirname(this.at(file)), { recursive: true });
    writeFileSync(this.at(file), text);
  }
  append(file: string, text: string): void {
    appendFileSync(this.at(file), text);
  }
  read(file: string): string {
    return readFileSync(this.at(file), "utf8");
  }
  has(file: string): boolean {
    return existsSync(this.at(file));
  }
  list(folder: string): string[] {
    return this.has(folder) ? readdirSync(this.at(folder)).sort() : [];
  }
  remove(file: string): void {
    accessSync(this.at(file));
    rmSync(this.at(file), { recursive: true });
  }

  /** As it is now, for `restore`. */
  keep(): void {
    execFileSync("cp", ["-a", this.root, this.#kept]);
  }
  restore(): void {
    rmSync(this.root, { recursive: true });
    execFileSync("cp", ["-a", this.#kept, this.root]);
    this.#seen = this.read("asked").split("\n").length - 1;
  }

  /** What a recorder says to this command line, or (its name only) to all that nothing else is said to. */
  answer(command: string, text: string, code = 0): void {
    const file = `answers/${command.replaceAll("/", "%")}`;
    this.write(file, text);
    if (code === 0) rmSync(this.at(`${file}.code`), { force: true });
    else this.write(`${file}.code`, String(code));
  }

  /** A link with that name. */
  link(name: string, { mac = "02:00:00:00:aa:01", up = true, settings = {} as Record<string, number> } = {}): void {
    this.write(`sys/class/net/${name}/address`, `${mac}\n`);
    this.write(`sys/class/net/${name}/flags`, up ? "0x1003\n" : "0x1002\n");
    this.write(`sys/class/net/${name}/carrier`, "1\n");
    this.write(`sys/class/net/${name}/mtu`, "1500\n");
    const all = {
      disable_ipv6: 0,
      accept_ra: 1,
      keep_addr_on_down: 0,
      router_solicitation_delay: 1,
      forwarding: 0,
      mtu: 1500,
      ...settings,
    };
    for (const [key, value] of Object.entries(all)) this.sysctl(`net/ipv6/conf/${name}/${key}`, value);
  }
  sysctl(key: string, value: number): void {
    this.write(`proc/sys/${key}`, `${value}\n`);
  }

  /** The same in a network of the kernel's own, with links lo, pub0 (up), web0 and db0: what is done there is done, and gone at the end. */
  kernel(script: string, stdin = ""): Promise<Run> {
    const network = `mount -t sysfs none "$HOST/sys" && mount --rbind /proc/sys "$HOST/proc/sys" || exit 99
      # Nobody waits for duplicate address detection.
      for name in all default; do echo 0 >/proc/sys/net/ipv6/conf/$name/accept_dad; done
      for name in pub0 web0 db0; do "$IP" link add "$name" type bridge || exit 99; done
      "$IP" link set lo up; "$IP" link set pub0 up`;
    return this.run(script, stdin, `PATH=/usr/sbin:/usr/bin:/sbin:/bin; ${network}; PATH=$HOST/bin`, "-rmn");
  }

  /** How many processes `script` takes, those of the recorders among them: a namespace of its own counts them. */
  async processes(script: string, stdin = ""): Promise<number> {
    const count = "sh -c 'echo $$'";
    const { stdout } = await this.run(`${count}; ${script} >"$HOST/said"; wait; ${count}`, stdin, "JUDGED=", "-rpf");
    const [before = 0, after = 0] = stdout.split("\n").map(Number);
    return after - before - 1;
  }

  /** Runs `script` behind the program's functions, in new namespaces if any are named (as unshare(1) does). */
  async run(script: string, stdin = "", prelude = "", namespaces = ""): Promise<Run> {
    const only =
      this.services && `SERVICES='${this.services}' BACKWARDS='${this.services.split(" ").reverse().join(" ")}'`;
    const text = `. "$HOST/functions"
PATH=$HOST/bin
mkdir "$PROC/$$"
${only ?? ""}
${prelude}
${script}
code=$?
# The stop of a timer is nobody's to wait for, but a test that asks what was done.
wait
printf '%s' "$WHY" >"$HOST/why"
printf '%s' "$BLAME" >"$HOST/blame"
exit $code`;
    for (const file of ["why", "blame"]) rmSync(this.at(file), { force: true });
    const { code, stdout, stderr } = await this.#spawn(
      namespaces === "" ? [shell] : ["unshare", namespaces, shell],
      text,
      stdin,
    );
    const all = this.read("asked").split("\n").slice(0, -1);
    const asked = all.slice(this.#seen).map((line) => line.replaceAll(this.root, ""));
    this.#seen = all.length;
    const said = (file: string): string => (this.has(file) ? this.read(file).replaceAll(this.root, "") : "");
    return {
      code,
      stdout: stdout.replaceAll(this.root, ""),
      stderr: stderr.replaceAll(this.root, ""),
      why: said("why"),
      blame: said("blame"),
      asked,
      did: asked.filter((line) => !question.test(line)),
    };
  }

  #spawn(command: string[], text: string, stdin: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const [file = shell, ...words] = command;
    const env = {
      HOST: this.root,
      FLOCK: which("flock"),
      UNSHARE: which("unshare"),
      DAEMONS: judges.length > 0 ? unpacked : "",
      JUDGED: inject("judged"),
      TRIPLET: process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu",
      IP: which("ip"),
      PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
      ...(words[0]?.includes("n") && { NAMESPACE: "yes" }),
    };
    return new Promise((resolve, reject) => {
      const child = execFile(
        file,
        [...words, "-c", text],
        { cwd: this.root, env, maxBuffer: 1 << 26 },
        (error, stdout, stderr) => {
          if (error && typeof error.code !== "number") reject(error);
          else resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
        },
      );
      // A program that breaks off does not read to the end.
      child.stdin?.on("error", () => {});
      child.stdin?.end(stdin);
    });
  }

  payload(changes: readonly Omit<Change, "label">[], yields: string[] = []): string {
    const labeled = changes.map((it) => ({ label: it.id, ...it }));
    return encode(labeled, "vpc6 of a test", `nonce${++this.#sent}`, { yields });
  }

  /** Generation `1`, staged and assembled from nothing; `script` sees its files as $FILES. */
  assembled(changes: readonly Omit<Change, "label">[], script = ":"): Promise<Run> {
    return this.run(
      `FILES=$GENERATIONS/1/files; rm -rf "$GENERATIONS/1"
      read_payload "$RUN/payload" && stage_payload "$RUN/payload" "$GENERATIONS/1/fragments" && assemble "$GENERATIONS/1" && ${script}`,
      this.payload(changes),
      "run_dir && generations",
    );
  }
  file(slot: string): string {
    return this.read(`etc/vpc6/generations/1/files/${slot}`).replaceAll(this.root, "");
  }

  /** A verb of the program, whose answer is read as the provider reads it. */
  async verb(command: string, stdin = ""): Promise<Run & { answer: ReturnType<typeof parseAnswer> }> {
    const run = await this.run(command, stdin);
    return { ...run, answer: parseAnswer(run.stdout) };
  }
  /** A whole transaction; what waits for a confirmation gets it. */
  async converge(
    changes: readonly Omit<Change, "label">[],
    yields: string[] = [],
  ): Promise<Run & { answer: ReturnType<typeof parseAnswer> }> {
    const run = await this.verb('converge "$PROGRAM_HASH"', this.payload(changes, yields));
    if (run.answer?.verdict !== "unconfirmed") return run;
    const confirmed = await this.verb(`confirm ${run.answer.words[0]}`);
    if (confirmed.answer?.verdict !== "ok") throw new Error(confirmed.stdout);
    return run;
  }
  /** Whose difference, `service|text`. */
  async drift(): Promise<string[]> {
    const { stdout, stderr } = await this.run("observe");
    if (/^(?!vpc6: waiting for )./m.test(stderr)) throw new Error(stderr);
    const all: [string, Difference[]][] = [...decode(stdout).drift];
    return all.flatMap(([id, found]) => found.map(({ service, text }) => `${id} ${service}|${text}`));
  }
}

/** One machine for all tests of a block, prepared once: each test begins with a copy of it, which `use` gets. */
export function copies(
  services: string,
  prepare: (machine: Machine) => Promise<unknown>,
  use: (machine: Machine) => void,
): void {
  let machine: Machine;
  let clean = () => {};
  beforeAll(async () => {
    machine = Machine.router(services, (it) => {
      clean = it;
    });
    await prepare(machine);
    machine.keep();
  });
  beforeEach(() => {
    machine.restore();
    use(machine);
  });
  afterAll(() => clean());
}

function below(root: string): string {
  const parts = withFault(program().functions).split("\nROOT=\n");
  if (parts.length !== 2) throw new Error("the program does not say once where its root is");
  return parts.join(`\nROOT='${root}'\n`);
}

/** One of faults.ts, where faults.mts asks for it: tests must find it. */
function withFault(text: string): string {
  const fault = faults[Number(process.env.VPC6_FAULT ?? -1)];
  if (!fault) return text;
  const parts = text.split(fault.from);
  if (parts.length !== 2) throw new Error(`the program says ${parts.length - 1} times: ${fault.from}`);
  return parts.join(fault.to);
}
