// A folder in place of a router, and the program's own functions on it, in dash. Daemons are only there: what they judge is not asked here.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const shell = ["/usr/bin/dash", "/bin/dash"].find((it) => existsSync(it)) ?? "/bin/sh";

const SYSTEMCTL = `case "$*" in
*"-P Job"* | *"-P MainPID"*) echo 0 ;;
*LoadState*) printf 'LoadState=loaded\\nActiveState=active\\nJob=0\\n' ;;
*ActiveState*) echo active ;;
esac`;
const IP = `case "$*" in *"route show default dev"*) echo "default via 192.0.2.1" ;; esac`;
const TOOLS: Record<string, string> = { systemctl: SYSTEMCTL, ip: IP };
const DAEMONS = "nft dnsmasq haproxy vtysh named-checkconf tayga modprobe journalctl dpkg-query unshare sync";

export class Host {
  readonly root = mkdtempSync(path.join(tmpdir(), "vpc6-contract-"));
  readonly #program: string;

  /** `links`: the interfaces that it has, `address name` each. */
  constructor(functions: string, links: readonly string[] = []) {
    for (const folder of [
      "bin",
      "sys/class/net/lo",
      "proc/sys/net/ipv6/conf/all",
      "proc/sys/net/netfilter",
      "proc/sys/net/ipv4",
      "dev/net",
      "run",
    ])
      mkdirSync(path.join(this.root, folder), { recursive: true });
    mkdirSync(path.join(this.root, "usr/bin"), { recursive: true });
    for (const name of ["self", "uptime", "meminfo"]) symlinkSync(`/proc/${name}`, path.join(this.root, "proc", name));
    symlinkSync("/dev/null", path.join(this.root, "dev/net/tun"));
    symlinkSync("/bin/true", path.join(this.root, "usr/bin/perl"));
    for (const [file, value] of Object.entries({
      "ipv6/conf/all/forwarding": "0",
      "ipv4/ip_forward": "1",
      "netfilter/nf_conntrack_tcp_timeout_established": "432000",
      "netfilter/nf_conntrack_max": "7680",
      "netfilter/nf_conntrack_buckets": "7680",
    }))
      writeFileSync(path.join(this.root, "proc/sys/net", file), `${value}\n`);
    for (const name of [...DAEMONS.split(" "), ...Object.keys(TOOLS)]) {
      writeFileSync(path.join(this.root, "bin", name), `#!/bin/sh\n${TOOLS[name] ?? "exit 0"}\n`);
      chmodSync(path.join(this.root, "bin", name), 0o755);
    }
    for (const link of links) {
      const [address, name = ""] = link.split(" ");
      mkdirSync(path.join(this.root, "sys/class/net", name), { recursive: true });
      writeFileSync(path.join(this.root, "sys/class/net", name, "address"), `${address}\n`);
      writeFileSync(path.join(this.root, "sys/class/net", name, "flags"), "0x1003\n");
    }
    const own = functions.replace(/^ROOT=$/m, `ROOT=${this.root}`);
    this.#program = `${own}\nPATH=${this.root}/bin:$PATH\n`;
  }

  /** What a script says that may call the program's functions. */
  run(script: string): string {
    const file = path.join(this.root, "run.sh");
    writeFileSync(file, `${this.#program}\n${script}\n`);
    const { stdout, stderr, status, error } = spawnSync(shell, [file], { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0)
      throw new Error(`the script ended with ${status}: ${stderr.slice(0, 2_000)}${stdout.slice(-2_000)}`);
    return stdout;
  }

  put(name: string, text: string): string {
    writeFileSync(path.join(this.root, name), text);
    return path.join(this.root, name);
  }

  text(name: string): string {
    return readFileSync(path.join(this.root, name), "utf8");
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
