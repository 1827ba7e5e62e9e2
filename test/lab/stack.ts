// A Pulumi stack whose routers are the lab's, and what tests ask of it.

import { SEEN } from "../../provider/contract";
import { Engine } from "../engine/engine.ts";
import { InProcess } from "../engine/in-process.ts";
import { type Background, type Host, lab, type Router } from "./lab.ts";

export interface ProgramOptions {
  /** Arguments of the Router resources beside host and key, by name; only these routers are in the program. */
  routers?: Partial<Record<Router, string>>;
  /** Arguments of the Zone beside its address space and public network. */
  zone?: string;
}

/** The Pulumi CLI, with the lab's key in its environment; `plain`: as users have it (see ProjectOptions). */
export async function start(plain = false): Promise<Engine> {
  return Engine.start({ ...(plain && { plain }), env: await key() });
}

/** The same without the CLI, for tests that are about routers: a run takes a tenth of the time. */
export async function startInProcess(name?: string): Promise<InProcess> {
  return InProcess.start({ ...(name && { name }), env: await key() });
}

async function key(): Promise<Record<string, string>> {
  const { VPC6_SSH_KEY_FILE = "" } = await lab.env();
  return { VPC6_SSH_KEY_FILE, SSH_AUTH_SOCK: "" };
}

/** A program with the zone and the lab's routers, `vr1` and `vr2`; what the test adds comes behind. */
export async function program(
  rest: string,
  { routers = { vr1: "", vr2: "" }, zone = "" }: ProgramOptions = {},
): Promise<string> {
  const env = await lab.env();
  const declared = Object.entries(routers).map(
    ([name, extra]) => `const ${name} = new vpc6.Router("${name}", {
  zone, host: "${env[`${name.toUpperCase()}_HOST`]}", hostKey: "${env[`${name.toUpperCase()}_HOST_KEY`]}", publicInterface: "pub0", ${extra}
});`,
  );
  return `import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50",
  publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
  ${zone}
});
${declared.join("\n")}
${rest}
`;
}

/** How often somebody has logged in to a router since it was booted. */
export async function logins(router: Router): Promise<number> {
  const { stdout } = await lab.exec(
    router,
    "journalctl --sync; journalctl -b -t sshd -t sshd-session -o cat | grep -c '^Accepted publickey' || true",
  );
  return Number(stdout.trim());
}

/** All that a router could have left of vpc6, or lost because of it. */
export async function snapshot(router: Router | "edge"): Promise<Record<string, string>> {
  const commands: Record<string, string> = {
    packages: "dpkg -l",
    // A link that was up once keeps its queue.
    links: "ip -o link | sed -E 's/^[0-9]+: //; s/@if[0-9]+//; s/ qdisc [a-z]+//'",
    addresses: "ip -o addr | sed -E 's/^[0-9]+: //; s/ (valid|preferred)_lft.*//; s/ tentative//'",
    // In the order in which their links came up.
    routes: "{ ip -4 route show table all; ip -6 route show table all | sed -E 's/ expires [0-9]+sec//'; } | sort",
    permanent_neighbours: "ip neigh show nud permanent",
    sysctl:
      "sysctl -a 2>/dev/null | grep -E '^net\\.(ipv4|ipv6)\\.' | grep -vE 'stable_secret|nf_conntrack_count|route.flush|base_reachable|rt_cache|tcp_mem|udp_mem|temp_valid|\\.hop_limit|neigh\\.|tcp_fastopen_key|random'",
    rules: "nft list ruleset 2>/dev/null; ls /proc/net/ip6_tables_names 2>/dev/null || true",
    units:
      "systemctl list-unit-files --no-legend --no-pager | grep -v '[.]scope' | sort; systemctl list-units --failed --no-legend --no-pager",
    // Ubuntu notes at the first login that it has shown its legal notice.
    files:
      "find /etc /usr/local /opt /srv /var/lib /run/systemd /root -xdev ! -path '/run/systemd/*' ! -path '/var/lib/apt/*' ! -path '/var/lib/dpkg/*' ! -path '/var/lib/systemd/*' ! -path '/root/.cache' ! -name motd.legal-displayed -printf '%p %y %m %u %l\\n' | sort",
    etc: "find /etc -xdev -type f ! -name ld.so.cache ! -name resolv.conf ! -name '*-' -exec sha256sum {} + | sort -k2",
    processes: "ps -eo args= | grep -E 'vpc6|dnsmasq|frr|tayga|named' | grep -vE 'grep|ps -eo' || true",
  };
  await lab.until(`${router}'s addresses to be checked`, 10_000, async () => {
    return (await lab.exec(router, "ip -6 addr show tentative")).stdout === "";
  });
  const found: Record<string, string> = {};
  for (const [name, command] of Object.entries(commands)) found[name] = (await lab.exec(router, command)).stdout;
  return found;
}

/**
 * From now on the packages of an equipped router are the operator's: vpc6 has no list of them, and does not purge them all at its end, which
 * takes it half a minute. All else is then as it was found.
 */
export const ownPackages = (router: Router) => lab.exec(router, "rm -r /var/lib/vpc6");

/** What no package has a part in: a router that had them when vpc6 came loses those it was given for vpc6. */
export const withoutPackages = ({ packages, units, files, etc, ...rest }: Record<string, string>) => rest;

/**
 * Whether a TCP connection, IPv6 or IPv4, is answered (`refused`: a host is reached on which nobody listens) or dropped on its way:
 * two segments, a second apart, go without an answer.
 */
export async function connects(from: Host, address: string, port: number): Promise<"open" | "refused" | "filtered"> {
  const { code, stderr } = await lab.exec(from, ["nc", "-n", "-v", "-z", "-w", "2", address, String(port)], {
    check: false,
  });
  if (code === 0) return "open";
  if (/refused/.test(stderr)) return "refused";
  if (/timed out/.test(stderr)) return "filtered";
  throw new Error(`${from} to ${address}: ${stderr.trim()}`);
}

/** Which of these are reached, and how: asked all at once, as each that is dropped on its way takes two seconds. */
export async function reached(...asked: (readonly [from: Host, address: string, port: number])[]): Promise<string[]> {
  const answers = await Promise.all(asked.map(async (one) => [one.join(" "), await connects(...one)] as const));
  return answers.filter(([, answer]) => answer !== "filtered").map(([one, answer]) => `${one}: ${answer}`);
}

/** Whoever puts back what is lost (router/heal.test.ts) sleeps from now on, and not with the router's lock in his hand. */
export const SLEEP = "[ ! -e /run/vpc6/lock ] || flock /run/vpc6/lock systemctl kill -s STOP vpc6-watch || true";

/** While he sleeps: else nothing would be seen of what is lost. */
export async function unhealed<T>(work: () => Promise<T>): Promise<T> {
  await lab.exec("vr1", SLEEP);
  try {
    return await work();
  } finally {
    await lab.exec("vr1", "systemctl kill -s CONT vpc6-watch || true");
  }
}

/** Does something with each of them, at the same time, and is done when all are. */
export async function each<T>(of: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const done = await Promise.allSettled(of.map(work));
  for (const one of done) if (one.status === "rejected") throw one.reason;
}

/** A route of the cloud uplink router's, as its operator sets it when the link is there. */
export const routeOnUplink = (prefix = "2001:67c:2834::/60", via = "2001:db8:ffff::10") =>
  lab.exec(
    "uplink",
    `until ip -6 addr show dev pub0 | grep -q 2001:db8:ffff::1/64; do sleep 0.1; done; ip -6 route replace ${prefix} via ${via}`,
  );

/** The operator's own IPv4 on `vr1`, by which a NAT64 goes out. */
export async function operatorsIpv4(): Promise<void> {
  await lab.exec("vr1", ["sh", "-c", "cat >/etc/systemd/network/20-pub0.network && networkctl reload"], {
    input: "[Match]\nName=pub0\n\n[Network]\nAddress=203.0.113.10/24\nGateway=203.0.113.1\nIPv6AcceptRA=no\n",
  });
  await lab.until("vr1's IPv4 route", 10_000, async () =>
    (await lab.exec("vr1", "ip -4 route show default")).stdout.includes("203.0.113.1"),
  );
}

/**
 * Waits until a load balancer's members are alive to stay. The failed check at which HAProxy takes a member for dead (a new process
 * its first, any other the third) may have begun before the member was there, and ends within `timeout check`, two seconds, though
 * the member has been answering meanwhile. Members that answer for four seconds without a break are there.
 */
export async function membersStay(answer: () => Promise<boolean>): Promise<void> {
  let since = Date.now();
  await lab.until("the load balancer's members to stay", 40_000, async () => {
    if (!(await answer())) since = Date.now();
    return Date.now() - since > 4_000;
  });
}

/**
 * Segments of a host's that were lost on their way: those it sent again, but for what had arrived and was only answered late, as
 * the other end says then (D-SACK, RFC 2883).
 */
export async function lostSegments(host: Host): Promise<number> {
  const { stdout } = await lab.exec(host, "nstat -asz TcpRetransSegs TcpExtTCPDSACKRecv");
  const count = (name: string) => {
    const found = new RegExp(`^${name} +(\\d+) `, "m").exec(stdout);
    if (!found) throw new Error(`no ${name} of ${host} in: ${stdout}`);
    return Number(found[1]);
  };
  return count("TcpRetransSegs") - count("TcpExtTCPDSACKRecv");
}

/** What lets a packet pass that comes by this rule of the filter: the guard does not miss it. */
export const PASS = `meta mark set meta mark | ${SEEN} accept`;

/** How many packets of a kind come to `vr1` while `work` is done, and how many of them get past its filter. */
export async function counted(match: string, work: () => Promise<unknown>): Promise<{ came: number; passed: number }> {
  await lab.exec(
    "vr1",
    `nft 'table inet probe {
      chain before { type filter hook prerouting priority -450; ${match} counter; }
      chain after { type filter hook input priority 10; ${match} counter; }
    }'`,
  );
  try {
    await work();
    const { stdout } = await lab.exec("vr1", "nft list table inet probe");
    const [came, passed] = [...stdout.matchAll(/packets (\d+)/g)].map(([, packets]) => Number(packets));
    return { came: came ?? -1, passed: passed ?? -1 };
  } finally {
    await lab.exec("vr1", "nft delete table inet probe");
  }
}

/** What a device sees from now on, a line for each packet that `filter` (tcpdump's) lets through. */
export async function capture(host: Host, device: string, filter: string): Promise<Background> {
  const tcpdump = lab.background(host, ["tcpdump", "--immediate-mode", "-l", "-n", "-i", device, filter]);
  await lab.until("tcpdump to listen", 10_000, async () => tcpdump.stderr.includes("listening on"));
  return tcpdump;
}

/** How many connections `vr1` keeps track of. */
export const tracked = async () =>
  Number((await lab.exec("vr1", "cat /proc/sys/net/netfilter/nf_conntrack_count")).stdout);

/** Without the shares of `vr1`, as if there were none, while `work` is done. */
export async function unshared<T>(work: () => Promise<T>): Promise<T> {
  const flushed =
    "systemctl stop vpc6-watch; nft list table inet vpc6_shares >/run/shares; nft flush table inet vpc6_shares";
  await lab.exec("vr1", flushed);
  try {
    return await work();
  } finally {
    await lab.exec(
      "vr1",
      "(echo delete table inet vpc6_shares; cat /run/shares) | nft -f -; systemctl start vpc6-watch",
    );
  }
}

const ECHOES = `
import socket, struct, sys, time
to, count, at, lot = sys.argv[1], *map(int, sys.argv[2:])
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
for n in range(count):
    s.sendto(struct.pack("!BBHHH", 128, 0, 0, (at + n) % 65536, 1), (to, 0))
    if n % lot == lot - 1: time.sleep(0.01)
`;

/** So many echo requests at a time; a busy machine loses some of them. */
const LOT = 4_000;

/** Echo requests, each with an identifier of its own from `first` on (16 bits), which makes each a connection to the kernel. */
export const echoes = (host: Host, to: string, first: number) =>
  lab.exec(host, ["python3", "-", to, String(LOT), String(first), "200"], { input: ECHOES });

/**
 * Takes every place that becomes free, for half a minute: an older connection may be forgotten at any moment. Returns once the share is full, which is
 * when `host` cannot connect to port `port` of `to` any more.
 */
export async function fillingUp(host: Host, to: string, port: number, first: number): Promise<Background> {
  const filling = lab.background(host, ["python3", "-c", ECHOES, to, "12000", String(first), "4"]);
  await lab.until("a full share", 25_000, async () => (await connects(host, to, port)) === "filtered");
  return filling;
}

/** Sends echo requests until `vr1` keeps track of no more connections for them. Returns the first identifier that was not used. */
export async function echoesUntilFull(host: Host, to: string): Promise<number> {
  for (let first = 0; first + 2 * LOT < 65_536; first += LOT) {
    const before = await tracked();
    await echoes(host, to, first);
    if ((await tracked()) - before < 50) return first + LOT;
  }
  throw new Error(`connections from ${host} to ${to} have no end`);
}

const PACKETS = `
import json, socket, struct, sys
to, packets = sys.argv[1], json.loads(sys.argv[2])
family = socket.AF_INET6 if ":" in to else socket.AF_INET
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8): crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
def init(port):
    head, chunk = struct.pack("!HHI", 1111, port, 0), struct.pack("!BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 7)
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk
for protocol, port in packets:
    if protocol == 60:
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
        s.sendto(b"behind", (to, port))
        continue
    body = {47: b"\\0\\0\\x08\\0data", 50: struct.pack("!II", 7, 1) + bytes(32), 51: struct.pack("!BBHIII", 17, 2, 0, 7, 1, 0) + struct.pack("!HHHH", 5, port, 8, 0)}
    s = socket.socket(family, socket.SOCK_RAW, protocol)
    s.sendto(init(port) if protocol == 132 else body.get(protocol, b"data"), (to, 0))
`;

/**
 * Sends a packet of each protocol, by number: an INIT of SCTP (132) and a datagram in AH (51) to their port, and with 60 one of UDP behind
 * destination options.
 */
export const sendProtocols = (from: Host, to: string, ...packets: (readonly [protocol: number, port: number])[]) =>
  lab.exec(from, ["python3", "-", to, JSON.stringify(packets)], { input: PACKETS });

/** A web server on port 9100 of a host, which says the same to everybody, many at a time. */
export const webServer = (host: Host, says: string): Background =>
  lab.background(host, [
    "python3",
    "-c",
    `
import http.server, socket
class Server(http.server.ThreadingHTTPServer): address_family = socket.AF_INET6
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"${says}")
  def log_message(self, *_): pass
Server(("::", 9100), Handler).serve_forever()`,
  ]);
