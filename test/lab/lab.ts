// The lab of real Debian hosts, for tests and the demo: a thin layer over the script `lab` beside this file.
// A failed command is an error that says host, command and what it wrote, unless `check: false` asks for the code.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ROUTERS } from "./which.mts";

const script = fileURLToPath(new URL("lab", import.meta.url));

export type Router = "vr1" | "vr2";
export type Guest = "web1" | "web2" | "db1" | "cache1" | "app1" | "api1";
export type Host = Router | Guest | "uplink" | "edge" | "internet";

/** A shell command line, or a program with its arguments as they are. */
export type Command = string | string[];

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ExecOptions {
  /** Given on stdin. */
  input?: string | Uint8Array;
  /** Throw when the command fails. Default true. */
  check?: boolean;
  /** Kill the command, with an error, after so many milliseconds. Default 60,000. */
  timeoutMs?: number;
}

/** A command at work inside a host. `await using` stops it at the end of the block. */
export interface Background extends AsyncDisposable {
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when it ends, by itself or by `stop`. */
  readonly ended: Promise<Result>;
  /** Interrupts it and all it started, as Ctrl-C would, then kills what is left after two seconds. */
  stop(): Promise<Result>;
}

const argv = (command: Command) => (typeof command === "string" ? ["sh", "-c", command] : command);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const left = new Set<() => void>();
process.once("exit", () => {
  for (const kill of left) kill();
});

const read = (file: string) => {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
};

/** The pid, as the machine sees it, of the init of a host that runs: as in the script `state`. */
function init(host: Host): string | undefined {
  const [pid, born] = read(`/run/vpc6-lab${process.env.VPC6_LAB ?? ""}/hosts/${host}/nspawn`).split(" ");
  const [state, ...rest] = read(`/proc/${pid}/stat`).replace(/.*\) /s, "").split(" ");
  if (state === "Z" || rest[18] !== born) return undefined;
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ");
  return children.find((child) => /^NSpid:.*\s1$/m.test(read(`/proc/${child}/status`)));
}

/** What a command inside a host has of an environment. */
const env = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  USER: "root",
  LANG: "C.UTF-8",
  TERM: process.env.TERM ?? "dumb",
};

/** Brings a command into a host that runs, as `into` does in the script, whose own start costs more than most commands. */
function enter(host: Host, command: string[]) {
  const pid = init(host);
  if (pid === undefined) return undefined;
  const door = ["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--no-fork", "sh", "-c", '"$@"; exit $?', "sh"];
  return spawn("nsenter", ["-t", pid, ...door, "setpriv", "--pdeathsig", "KILL", ...command], { env });
}

/** Starts the script; with `host` it is to bring a command into that host: who is off, the script says. */
function launch(args: string[], host: Host | undefined, input: string | Uint8Array) {
  const child = (host && enter(host, args.slice(2))) ?? spawn(script, args);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  // A command that does not read its input is no failure.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const signal = (name: NodeJS.Signals) => {
    try {
      // The child has become the shell that waits for the command; the command leads a session of its own inside the host.
      const leader = host ? readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim() : "";
      process.kill(leader === "" ? Number(child.pid) : -Number(leader), name);
    } catch {
      // It has ended already.
    }
  };
  const kill = () => signal("SIGKILL");
  left.add(kill);
  const ended = new Promise<Result>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 255, ...output }));
  }).finally(() => left.delete(kill));
  return { output, ended, signal, kill };
}

async function run(args: string[], options: ExecOptions & { host?: Host } = {}): Promise<Result> {
  const { input = "", check = true, timeoutMs = 60_000, host } = options;
  const { ended, kill } = launch(args, host, input);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, timeoutMs);
  const result = await ended.finally(() => clearTimeout(timer));
  if (!late && (result.code === 0 || !check)) return result;
  const why = late ? `killed after ${timeoutMs} ms` : `exit code ${result.code}`;
  throw new Error(`lab ${args.join(" ")}: ${why}: ${result.stderr.trim() || result.stdout.trim() || "no output"}`);
}

const exec = (host: Host, command: Command, options?: ExecOptions) =>
  run(["exec", host, "setsid", ...argv(command)], { ...options, host });

function background(host: Host, command: Command): Background {
  const { output, ended, signal, kill } = launch(["exec", host, "setsid", ...argv(command)], host, "");
  const stop = async () => {
    signal("SIGINT");
    const timer = setTimeout(kill, 2_000);
    return ended.finally(() => clearTimeout(timer));
  };
  return {
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    ended,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Global IPv6 addresses of an interface that may be used: past duplicate detection and not deprecated. */
async function addresses(host: Host, device: string): Promise<string[]> {
  const { stdout } = await exec(host, ["ip", "-j", "-6", "addr", "show", "dev", device, "scope", "global"]);
  type Address = { local?: string; tentative?: boolean; dadfailed?: boolean; deprecated?: boolean };
  const links = JSON.parse(stdout || "[]") as { addr_info?: Address[] }[];
  return links
    .flatMap((link) => link.addr_info ?? [])
    .filter((address) => !address.tentative && !address.dadfailed && !address.deprecated)
    .flatMap((address) => address.local ?? []);
}

/** Asks again and again until the answer is not false, null or undefined; says what it was waiting for if it never is. */
async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T>,
): Promise<NonNullable<Exclude<T, false>>> {
  const begin = Date.now();
  const end = begin + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer as NonNullable<Exclude<T, false>>;
    const now = Date.now();
    if (now > end) throw new Error(`lab: waited ${timeoutMs} ms for ${what}`);
    // To ask is work: whoever has been waiting for long may hear it a little later.
    await sleep(Math.min(Math.max(100, (now - begin) / 8), 500, Math.max(1, end - now)));
  }
}

let known: Promise<Record<string, string>> | undefined;

/** Keys and addresses stay as they are, once a lab was set up. */
async function environment(): Promise<Record<string, string>> {
  const { stdout } = await run(["env"]);
  return Object.fromEntries(stdout.split("\n").flatMap((line) => (line ? [line.split(/=(.*)/s, 2)] : [])));
}

export const lab = {
  /**
   * From now on a router's new disk is Debian's minimum, as an operator would hand it to vpc6. Without this the tests' routers have the
   * packages already, as after an installation by vpc6.
   */
  bare: () => void delete process.env.VPC6_LAB_EQUIPPED,
  /** The other way, for what comes after that in a file. */
  equipped: () => {
    process.env.VPC6_LAB_EQUIPPED = "yes";
  },
  /** From now on a new disk of vr2 is Debian 13, unless whoever runs the test has said what routers are. */
  debian13: () => {
    process.env.VPC6_LAB_ROUTERS ??= ROUTERS;
  },
  /** Boots the hosts named, or all, and waits until they are there. The first time ever it builds their disks. */
  up: async (...hosts: Host[]) => void (await run(["up", ...hosts], { timeoutMs: 900_000 })),
  down: async () => void (await run(["down"])),
  reboot: async (host: Host) => void (await run(["reboot", host])),
  /** Cuts the power. */
  poweroff: async (host: Host) => void (await run(["poweroff", host])),
  start: async (host: Host) => void (await run(["start", host])),
  /** Cuts the power and boots from a new disk; a router keeps its host key. */
  reset: async (host: Host) => void (await run(["reset", host])),
  journal: async (host: Host, ...args: string[]) => (await run(["journal", host, ...args])).stdout,

  /** `VR1_HOST`, `VR1_HOST_KEY`, the same for `VR2` and `EDGE`, and `VPC6_SSH_KEY_FILE`. */
  env: () => (known ??= environment()),

  exec,
  background,
  until,

  /** Where this machine has the files of a host that runs, and the sockets among them. */
  root: (host: Host): string => {
    const pid = init(host);
    if (pid === undefined) throw new Error(`lab: ${host} is not running`);
    return `/proc/${pid}/root`;
  },

  address: (guest: Guest) => addresses(guest, "eth0"),
  addresses,

  /**
   * Waits until a guest has the address (any, if none is named), and returns it. One that was booted long before its router asks seldom by then
   * (RFC 8415 section 15: the pause doubles each time).
   */
  waitForLease: (guest: Guest, address?: string, timeoutMs = 60_000): Promise<string> =>
    until(`${guest} to lease ${address ?? "an address"}`, timeoutMs, async () =>
      (await addresses(guest, "eth0")).find((held) => address === undefined || held === address),
    ),

  /**
   * Waits until a guest knows its default gateway. Unasked, advertisements come every 5 to 20 s in the first minute: it solicits one,
   * as often as a kernel would that had just got its link (RFC 4861: every four seconds).
   */
  waitForGateway: async (guest: Guest, timeoutMs = 30_000) => {
    const knows = async () => (await exec(guest, ["ip", "-6", "route", "show", "default"])).stdout.includes("via");
    if (await knows()) return;
    await using _ = background(guest, "while :; do rdisc6 -1 -q -w 4000 eth0 >/dev/null 2>&1; sleep 4; done");
    await until(`${guest} to learn its gateway`, timeoutMs, knows);
  },

  /** Waits until a guest has the address (any, if none is named) and knows its way out; it may just have been booted. */
  ready: async (guest: Guest, address?: string) => {
    await lab.waitForLease(guest, address);
    await lab.waitForGateway(guest);
  },

  /** Makes a guest forget its lease and ask for one. */
  renew: async (guest: Guest) => void (await exec(guest, ["renew"])),

  /** Pings an address from a host: `interval` is in seconds, an answer may take one second. */
  ping: async (
    from: Host,
    to: string,
    { count = 3, interval = 0.2 } = {},
  ): Promise<{ sent: number; received: number }> => {
    const args = ["ping", "-n", "-q", "-W", "1", "-c", String(count), "-i", String(interval), to];
    const options = { check: false, timeoutMs: 60_000 + count * interval * 1_000 };
    const { stdout, stderr } = await exec(from, args, options);
    const numbers = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
    // No route at all: nothing could be sent.
    if (!numbers && /unreachable/i.test(stderr)) return { sent: count, received: 0 };
    if (!numbers) throw new Error(`lab: ping from ${from} to ${to}: ${stderr.trim() || stdout.trim()}`);
    return { sent: Number(numbers[1]), received: Number(numbers[2]) };
  },

  /** Pings until it is told to stop: see `pinged`. */
  pinging: (from: Host, to: string, interval: number): Background =>
    background(from, ["ping", "-n", "-W", "1", "-i", String(interval), to]),

  /** Ends such a ping once it has had as many answers as prove something, however fast what it was to disturb went by. */
  pinged: async (ping: Background, least: number): Promise<{ sent: number; received: number; sequence: number[] }> => {
    const sequence = () => [...ping.stdout.matchAll(/icmp_seq=(\d+) /g)].map(([, number]) => Number(number));
    await until(`${least} answers to a ping`, 60_000, async () => sequence().length >= least);
    const { stdout } = await ping.stop();
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
    return { sent: Number(sent), received: Number(received), sequence: sequence() };
  },
};
