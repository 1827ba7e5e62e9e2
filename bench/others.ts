// What people would use instead on the same router for the same configuration: a hand-written shell script over ssh(1), and an Ansible
// playbook. Both get exactly the texts that vpc6 had put on the router, under names of their own (`inet bench`, /etc/bench).

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { lab } from "../test/lab/lab.ts";

const ANSIBLE = "ansible-core==2.19.*";

/** The files of the full configuration, by where they go on the router. */
export type Files = Record<string, string>;

const unit = (text: string): string => `# bench\n${text}\n[Install]\nWantedBy=multi-user.target\n`;

/** What vpc6 has applied, as somebody would have written it by hand. */
export async function byHand(): Promise<Files> {
  const read = async (file: string) => (await lab.exec("vr1", `cat ${file}`)).stdout;
  const live = (name: string) => read(`/etc/vpc6/live/files/${name}`);
  const renamed = (await live("nftables")).replaceAll("inet vpc6", "inet bench");
  const dnsmasq = (await live("dnsmasq")).replaceAll("/var/lib/vpc6/", "/etc/bench/");
  const network = (await live("network")).split("\n").flatMap((line) => {
    const [verb, ...rest] = line.split(" ");
    if (verb === "interface") return [`link set ${rest[0]} up`];
    // Without duplicate detection: the route behind it would not be taken yet.
    if (verb === "address") return [`addr replace ${rest[1]} dev ${rest[0]} nodad`];
    if (verb === "route") return [`route replace ${rest.slice(1).join(" ")} dev ${rest[0]}`];
    if (verb === "unreachable") return [`route replace unreachable ${rest[0]}`];
    if (verb === "neighbor") return [`neigh replace ${rest[1]} lladdr ${rest[2]} dev ${rest[0]} nud permanent`];
    return [];
  });
  const device = (await lab.exec("vr1", "cd /var/lib/vpc6/tayga && ls")).stdout.trim().replace(/\.conf$/, "");
  const tayga = (await read(`/var/lib/vpc6/tayga/${device}.conf`)).replaceAll(
    "/var/lib/vpc6-tayga/",
    "/etc/bench/tayga-",
  );
  const routes = [...tayga.matchAll(/^(?:prefix|dynamic-pool|ipv6-addr) (\S+)/gm)].map(
    ([, to = ""]) => `ip ${to.includes(":") ? "-6" : "-4"} route replace ${to} dev ${device}`,
  );
  const up = [`ip tuntap add dev ${device} mode tun`, `ip link set ${device} up`, ...routes].join(" && ");
  return {
    "/etc/sysctl.d/90-bench.conf": await live("sysctl"),
    "/etc/bench/network.batch": `${network.join("\n")}\n`,
    "/etc/bench/nftables": renamed,
    "/etc/bench/dnsmasq": dnsmasq,
    "/etc/bench/dhcp-hosts/all": await read("/var/lib/vpc6/dhcp-hosts/*"),
    "/etc/bench/dns-hosts/all": await read("/var/lib/vpc6/dns-hosts/*"),
    "/etc/bench/haproxy": await live("haproxy"),
    "/etc/bench/tayga": tayga,
    "/etc/bind/bench.conf": await read("/etc/bind/vpc6.conf"),
    "/etc/frr/daemons": await read("/etc/frr/daemons"),
    "/etc/frr/frr.conf": await read("/etc/frr/frr.conf"),
    "/etc/systemd/system/bench-network.service": unit(
      "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/sbin/ip -6 -force -batch /etc/bench/network.batch",
    ),
    "/etc/systemd/system/bench-firewall.service": unit(
      "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/sbin/nft -f /etc/bench/nftables\nExecReload=/usr/sbin/nft -f /etc/bench/nftables",
    ),
    "/etc/systemd/system/bench-dnsmasq.service": unit(
      "[Service]\nExecStart=/usr/sbin/dnsmasq -k -C /etc/bench/dnsmasq -x /run/bench-dnsmasq.pid --dhcp-leasefile=/run/bench.leases",
    ),
    "/etc/systemd/system/bench-tayga.service": unit(
      `[Service]\nType=exec\nExecStartPre=/bin/sh -c "mkdir -p /etc/bench/tayga-${device} && ${up}"\nExecStart=/usr/sbin/tayga --nodetach --config /etc/bench/tayga\nExecStopPost=/usr/sbin/ip link del ${device}`,
    ),
    "/etc/systemd/system/bench-named.service": unit(
      "[Service]\nType=exec\nUser=bind\nExecStart=/usr/sbin/named -f -c /etc/bind/bench.conf\nExecReload=/bin/kill -HUP $MAINPID",
    ),
    "/etc/systemd/system/bench-haproxy.service": unit(
      "[Service]\nType=notify\nExecStart=/usr/sbin/haproxy -Ws -f /etc/bench/haproxy\nExecReload=/bin/kill -USR2 $MAINPID",
    ),
  };
}

const UNITS = "bench-network bench-firewall bench-tayga bench-dnsmasq bench-named bench-haproxy";
const CHECKS: Record<string, string> = {
  "/etc/bench/nftables": "nft -c -f %s",
  "/etc/bench/dnsmasq": "dnsmasq --test -C %s",
  "/etc/bench/haproxy": "haproxy -c -q -f %s",
  "/etc/bind/bench.conf": "named-checkconf %s",
  "/etc/frr/frr.conf": "vtysh -C -f %s",
};

export interface Others extends AsyncDisposable {
  /** One changed rule: the whole rule set, checked, moved into place and loaded. */
  ssh(rules: string): Promise<void>;
  /** The same over a connection that is already open (ControlMaster). */
  sshOpen(rules: string): Promise<void>;
  ansible(rules: string): Promise<void>;
  /** Everything, on a router that has the packages and nothing else. */
  sshAll(files: Files): Promise<void>;
  ansibleAll(files: Files): Promise<void>;
  /** Takes all of it away again. */
  clear(): Promise<void>;
}

export async function others(): Promise<Others> {
  const { VR1_HOST: host = "", VPC6_SSH_KEY_FILE: key = "" } = await lab.env();
  const folder = await mkdtemp(path.join(tmpdir(), "vpc6-bench-"));
  const [kind, body] = (await readFile(path.join(path.dirname(key), "vr1.pub"), "utf8")).split(" ");
  await writeFile(path.join(folder, "known_hosts"), `${host} ${kind} ${body}\n`);
  const options = [
    ...["-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", `UserKnownHostsFile=${folder}/known_hosts`],
    ...["-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes"],
  ];
  const open = ["-o", `ControlPath=${folder}/master`];
  const target = `root@${host}`;
  await run("ssh", [...options, ...open, "-o", "ControlMaster=yes", "-o", "ControlPersist=600", "-fN", target]);

  const venv = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "vpc6/ansible");
  if (!existsSync(path.join(venv, "bin/ansible-playbook"))) {
    await run("python3", ["-m", "venv", venv]);
    await run(path.join(venv, "bin/pip"), ["-q", "install", ANSIBLE]);
  }
  await writeFile(
    path.join(folder, "inventory"),
    `vr1 ansible_host=${host} ansible_user=root ansible_python_interpreter=/usr/bin/python3\n`,
  );
  await writeFile(
    path.join(folder, "ansible.cfg"),
    `[defaults]\ninventory = inventory\ngathering = explicit\ninterpreter_python = /usr/bin/python3
[ssh_connection]\npipelining = True\nssh_args = -o ControlMaster=auto -o ControlPersist=600s -o ControlPath=${folder}/a-%C ${options.join(" ")}\n`,
  );
  await writeFile(
    path.join(folder, "rule.yml"),
    `- hosts: vr1
  gather_facts: false
  tasks:
    - ansible.builtin.template: { src: rules.j2, dest: /etc/bench.nft, validate: nft -c -f %s }
      notify: firewall
  handlers:
    - name: firewall
      ansible.builtin.command: nft -f /etc/bench.nft
`,
  );
  const play = (book: string) =>
    run(path.join(venv, "bin/ansible-playbook"), [book], {
      cwd: folder,
      env: { ANSIBLE_CONFIG: `${folder}/ansible.cfg` },
    });
  const script = (rules: string) =>
    `set -e\ncat >/etc/bench.nft.new <<'EOF'\n${rules}EOF\nnft -c -f /etc/bench.nft.new\nmv /etc/bench.nft.new /etc/bench.nft\nnft -f /etc/bench.nft\n`;

  return {
    ssh: (rules) => run("ssh", [...options, target, "sh -s"], { input: script(rules) }),
    sshOpen: (rules) => run("ssh", [...options, ...open, target, "sh -s"], { input: script(rules) }),
    async ansible(rules) {
      await writeFile(path.join(folder, "rules.j2"), rules);
      await play("rule.yml");
    },
    async sshAll(files) {
      const parts = Object.entries(files).map(
        ([file, text]) => `mkdir -p ${path.dirname(file)}\ncat >${file}.new <<'EOF'\n${text}EOF\n`,
      );
      const checks = Object.entries(CHECKS).map(([file, check]) => `${check.replace("%s", `${file}.new`)} >/dev/null`);
      const moves = Object.keys(files).map((file) => `mv ${file}.new ${file}`);
      const rest = [
        "sysctl -q -p /etc/sysctl.d/90-bench.conf",
        "systemctl daemon-reload",
        `systemctl -q enable --now ${UNITS}`,
        "chown frr:frr /etc/frr/frr.conf /etc/frr/daemons",
        "systemctl restart frr",
        `systemctl -q is-active frr ${UNITS}`,
      ];
      await run("ssh", [...options, target, "sh -s"], {
        input: ["set -e", ...parts, ...checks, ...moves, ...rest, ""].join("\n"),
      });
    },
    async ansibleAll(files) {
      await rm(path.join(folder, "templates"), { recursive: true, force: true });
      await mkdir(path.join(folder, "templates"));
      const items = [];
      for (const [file, text] of Object.entries(files)) {
        const name = file.replaceAll("/", "_");
        await writeFile(path.join(folder, "templates", `${name}.j2`), `{% raw %}\n${text}{% endraw %}\n`);
        const handler = /systemd/.test(file)
          ? "units"
          : /sysctl/.test(file)
            ? "sysctl"
            : /frr/.test(file)
              ? "frr"
              : /bind/.test(file)
                ? "named"
                : (/bench\/(network|nftables|tayga|dnsmasq|haproxy)/.exec(file)?.[1] ?? "dnsmasq");
        items.push(
          `    - ansible.builtin.template: { src: templates/${name}.j2, dest: ${file}${CHECKS[file] ? `, validate: "${CHECKS[file]}"` : ""}${handler === "frr" ? ", owner: frr, group: frr" : ""} }\n      notify: ${handler}`,
        );
      }
      const unitOf: Record<string, string> = {
        network: "network",
        nftables: "firewall",
        tayga: "tayga",
        dnsmasq: "dnsmasq",
        named: "named",
        haproxy: "haproxy",
      };
      const started = Object.entries(unitOf).map(
        ([name, it]) =>
          `    - name: ${name}\n      ansible.builtin.systemd_service: { name: bench-${it}, state: restarted, enabled: true }`,
      );
      await writeFile(
        path.join(folder, "all.yml"),
        `- hosts: vr1
  gather_facts: false
  tasks:
    - ansible.builtin.file: { path: "{{ item }}", state: directory }
      loop: [/etc/bench/dhcp-hosts, /etc/bench/dns-hosts]
${items.join("\n")}
  handlers:
    - name: sysctl
      ansible.builtin.command: sysctl -q -p /etc/sysctl.d/90-bench.conf
    - name: units
      ansible.builtin.systemd_service: { daemon_reload: true }
${started.join("\n")}
    - name: frr
      ansible.builtin.systemd_service: { name: frr, state: restarted }
`,
      );
      await play("all.yml");
    },
    clear: async () => {
      const batch =
        "sed -n 's/^addr replace/addr del/p; s/^route replace/route del/p; s/^neigh replace \\([^ ]*\\) .* dev \\([^ ]*\\) .*/neigh del \\1 dev \\2/p'";
      await lab.exec(
        "vr1",
        `systemctl -q disable --now ${UNITS} 2>/dev/null; nft delete table inet bench 2>/dev/null; [ ! -e /etc/bench/network.batch ] || ${batch} /etc/bench/network.batch | sed 's/ nodad//; s/ nud permanent//' | ip -6 -force -batch - 2>/dev/null; rm -rf /etc/bench /etc/bench.nft* /etc/bind/bench.conf /etc/systemd/system/bench-* /etc/sysctl.d/90-bench.conf; systemctl daemon-reload; sysctl -q net.ipv6.conf.all.forwarding=0 net.ipv4.ip_forward=0; true`,
      );
    },
    async [Symbol.asyncDispose]() {
      for (const socket of [["-O", "exit", ...open]])
        spawnSync("ssh", [...options, ...socket, target], { stdio: "ignore" });
      spawnSync(
        "sh",
        ["-c", `for it in ${folder}/a-*; do [ ! -S "$it" ] || ssh -o ControlPath="$it" -O exit x; done`],
        { stdio: "ignore" },
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function run(
  program: string,
  args: string[],
  { input = "", cwd, env }: { input?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<void> {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    // Not `close`: a master that stays behind keeps the streams open.
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.at(-1)} ended with ${code}: ${said}`);
}
