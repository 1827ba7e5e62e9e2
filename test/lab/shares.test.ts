// What one guest, or one stranger, can take of what all share on a router: its share, and nothing that the others or the operator
// feel. Every attack is first seen to work where the shares are taken away.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Host, lab } from "./lab.ts";
import {
  connects,
  counted,
  echoes,
  echoesUntilFull,
  fillingUp,
  PASS,
  program,
  routeOnUplink,
  startInProcess,
  tracked,
  unshared,
} from "./stack.ts";

// web1 attacks, web2 is its neighbor; db1 is in another VPC of the same router.
const WEB = "2001:67c:2834:1::";
const DB = "2001:67c:2834:11::";
const OUTSIDE = "2001:db8:1::80";
const VIP = "2001:67c:2834::80";

let engine: InProcess;
const servers: Background[] = [];

const rest = (more = "") => `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const blog = new vpc6.Vpc("blog", { zone, router: vr1, cidr: "2001:67c:2834:10::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
const db = new vpc6.Tier("db", { vpc: blog, interface: "db0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });
const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
new vpc6.NetworkAcl("out", { tiers: [web, db], preset: "egressOnly" });
new vpc6.LoadBalancer("raw", { vpc: shop, port: 81, mode: "tcp", address: "${VIP}", members: [{ instance: web2, port: 9100 }] });
${more}`;
const up = async (more?: string) => {
  await engine.program(await program(rest(more), { routers: { vr1: `dnsServers: ["${OUTSIDE}"]` } }));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
};

const python = async (host: Host, script: string, ...args: string[]) =>
  (await lab.exec(host, ["python3", "-", ...args], { input: script })).stdout.trim();

// Answers names below ok.example, and never any other.
const DNS = `
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 53))
while True:
    query, sender = s.recvfrom(2000)
    if b"\\x02ok\\x07example" not in query: continue
    end = 12
    while query[end]: end += query[end] + 1
    question = query[12:end + 5]
    s.sendto(query[:2] + bytes.fromhex("81800001000100000000") + question + bytes.fromhex("c00c001c00010000003c0010") + bytes(15) + b"\\1", sender)
`;

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2", "db1");
  await routeOnUplink("2001:67c:2834::/59", "2001:db8:ffff::10");
  engine = await startInProcess();
  await up();
  for (const [guest, address] of [
    ["web1", `${WEB}10`],
    ["web2", `${WEB}11`],
    ["db1", `${DB}10`],
  ] as const) {
    await lab.ready(guest, address);
  }
  servers.push(
    lab.background("web2", "exec socat TCP6-LISTEN:9100,fork,reuseaddr SYSTEM:'read line; echo web2'"),
    lab.background("internet", "exec socat -u TCP6-LISTEN:9100,fork,reuseaddr OPEN:/dev/null"),
    lab.background("internet", ["python3", "-c", DNS]),
  );
  for (const host of ["web2", "internet"] as const) {
    await lab.until("the listeners", 10_000, async () => (await connects(host, "::1", 9100)) === "open");
  }
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

// Opens connections to a host that answers each, by hand: SYN, then the ACK that fits the accomplice's answer.
const OPEN = `
import socket, struct, sys, time
to, count = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP); s.setsockopt(socket.IPPROTO_IPV6, 7, 16)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
at = int(sys.argv[3])
def segment(n, seq, ack, flags): return struct.pack("!HHIIBBHHH", 1024 + (at + n) % 60000, 20000 + (at + n) // 60000, seq, ack, 5 << 4, flags, 65535, 0, 0)
for start in range(0, count, 500):
    for n in range(start, start + 500): s.sendto(segment(n, 1, 0, 2), (to, 0))
    time.sleep(0.05)
    for n in range(start, start + 500): s.sendto(segment(n, 2, 1001, 16), (to, 0))
`;
const ACCOMPLICE = `
import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP); s.setsockopt(socket.IPPROTO_IPV6, 7, 16)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 25)
while True:
    data, sender = s.recvfrom(100)
    if data[13] != 2 or not 20000 <= struct.unpack("!H", data[2:4])[0] < 20100: continue
    sport, dport, seq = struct.unpack("!HHI", data[:8])
    s.sendto(struct.pack("!HHIIBBHHH", dport, sport, 1000, seq + 1, 5 << 4, 18, 65535, 0, 0), (sender[0], 0))
`;

test("connection tracking: a guest with an accomplice outside fills its share, over transactions too, and nobody else's", async () => {
  // No kernel has a word in it.
  const quiet = `nft 'table inet quiet { chain out { type filter hook output priority filter; tcp flags rst drop; }; }'`;
  for (const host of ["web1", "internet"] as const) await lab.exec(host, quiet);
  await using _accomplice = lab.background("internet", ["python3", "-c", ACCOMPLICE]);
  const before = await tracked();
  const others = async () => ({
    db1: await connects("db1", OUTSIDE, 9100),
    web2: await connects("web2", OUTSIDE, 9100),
    operator: await connects("uplink", "2001:db8:ffff::10", 22),
  });
  const served = { db1: "open", web2: "open", operator: "open" };
  await python("web1", OPEN, OUTSIDE, "12000", "0");
  expect(await tracked()).toBeLessThan(before + 8192 + 400);
  expect(await tracked()).toBeGreaterThan(before + 6000);
  {
    await using _full = await fillingUp("web1", OUTSIDE, 9100, 0);
    expect(await others()).toEqual(served);
  }
  // A transaction makes the filter's table anew.
  await up(`new vpc6.Instance("later", { tier: db, mac: "02:00:00:00:02:99" });`);
  await python("web1", OPEN, OUTSIDE, "6000", "12000");
  expect(await tracked()).toBeLessThan(before + 8192 + 400);
  expect(await others()).toEqual(served);
  await unshared(() => python("web1", OPEN, OUTSIDE, "6000", "20000"));
  expect(await tracked()).toBeGreaterThan(before + 8192 + 3000);
  for (const host of ["web1", "internet"] as const) await lab.exec(host, "nft delete table inet quiet");
});

test("connection tracking, from outside: a stranger fills the share of strangers, or of one guest, and nobody else's", async () => {
  const ROUTER = "2001:db8:ffff::10";
  const others = async () => ({
    "db1 from outside": (await lab.ping("internet", `${DB}10`, { count: 1 })).received,
    "the balancer from another network": await connects("uplink", VIP, 81),
    "db1 to outside": await connects("db1", OUTSIDE, 9100),
  });
  const served = { "db1 from outside": 1, "the balancer from another network": "open", "db1 to outside": "open" };
  // Not one is forgotten meanwhile.
  await lab.exec("vr1", "sysctl -qw net.netfilter.nf_conntrack_icmpv6_timeout=600");
  for (const [to, share] of [
    [ROUTER, 8_192],
    [`${WEB}10`, 32_768],
  ] as const) {
    const before = await tracked();
    const unused = await echoesUntilFull("internet", to);
    expect(await tracked(), to).toBeLessThan(before + share + 400);
    expect(await tracked(), to).toBeGreaterThan(before + share - 1_000);
    expect(await others()).toEqual(served);
    const full = await tracked();
    await unshared(() => echoes("internet", to, unused));
    expect(await tracked(), to).toBeGreaterThan(full + 500);
  }
  await lab.exec("vr1", "sysctl -qw net.netfilter.nf_conntrack_icmpv6_timeout=30");
});

test("the operator's SSH needs no place in the table of connections", async () => {
  // Of all that is tracked these alone: others are forgotten meanwhile.
  const opened = async () => {
    const HOLD = `import socket, time
held = [socket.create_connection(("2001:db8:ffff::10", 22)) for n in range(8)]
time.sleep(30)`;
    await using _held = lab.background("uplink", ["python3", "-c", HOLD]);
    await lab.until("eight connections", 5_000, async () => {
      const { stdout } = await lab.exec("vr1", "ss -Htn state established '( sport = :22 )' | wc -l");
      return Number(stdout) >= 8;
    });
    return Number((await lab.exec("vr1", "grep -c ' dport=22 ' /proc/net/nf_conntrack || true")).stdout);
  };
  expect(await opened()).toBe(0);
  expect(await unshared(opened)).toBe(8);
});

const ASK = `
import os, socket, sys, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("", 0)); sent = 0
while True:
    name = os.urandom(6).hex().encode()
    s.sendto(os.urandom(2) + bytes.fromhex("01000001000000000000") + bytes([12]) + name + b"\\4dead\\7example\\0" + bytes.fromhex("001c0001"), (sys.argv[1], 53))
    sent += 1; time.sleep(0.002)
    if sent % 100 == 0: print(sent, flush=True)
`;

/** How many of ten names that have an answer db1 is told, each a new one. */
const answered = async (how = "+notcp") => {
  const asks = Array.from({ length: 10 }, async () => {
    const name = `n${Math.random().toString(36).slice(2)}.ok.example`;
    const dig = ["dig", "+short", "+time=3", "+tries=1", how, "AAAA", name, `@${DB}1`];
    return (await lab.exec("db1", dig, { check: false })).stdout.trim() === "::1" ? 1 : 0;
  });
  return (await Promise.all(asks)).reduce<number>((sum, one) => sum + one, 0);
};

test("DNS: a guest that asks 500 times a second for what nobody answers takes no answer from another VPC", async () => {
  expect(await answered()).toBe(10);
  await using flood = lab.background("web1", ["python3", "-c", ASK, `${WEB}1`]);
  const { came } = await counted("iifname web0 udp dport 53", async () => {
    await lab.until("the flood", 20_000, async () => flood.stdout.split("\n").length > 15);
    expect(await answered()).toBe(10);
  });
  expect(came).toBeGreaterThan(1_000);
});

test("DNS over TCP: a guest that holds connections takes none from another VPC", async () => {
  const HOLD = `
import socket, sys, time
held = []
for n in range(60):
    s = socket.socket(socket.AF_INET6); s.settimeout(1); held.append(s)
    try: s.connect((sys.argv[1], 53))
    except OSError: pass
print(sum(1 for s in held if s.fileno() >= 0), flush=True); time.sleep(60)
`;
  const local = () =>
    lab.exec("db1", ["dig", "+short", "+tcp", "+time=3", "+tries=1", "AAAA", "db1.db.blog.internal", `@${DB}1`], {
      check: false,
    });
  await using held = lab.background("web1", ["python3", "-c", HOLD, `${WEB}1`]);
  await lab.until("the connections", 60_000, async () => held.stdout !== "");
  for (let n = 0; n < 8; n++) expect((await local()).stdout.trim()).toBe(`${DB}10`);
  const { stdout } = await lab.exec("vr1", "ss -Htn state established '( sport = :53 )' | wc -l");
  expect(Number(stdout)).toBeLessThanOrEqual(8);
});

const FRAGMENTS = `
import os, socket, struct, sys
src, dst = (socket.inet_pton(socket.AF_INET6, it) for it in sys.argv[1:3])
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
for n in range(6000):
    payload = bytes([17, 0, 0, 1]) + os.urandom(4) + bytes(1400)
    s.sendto(struct.pack("!IHBB", 6 << 28, len(payload), 44, 64) + src + dst + payload, (sys.argv[2], 0))
`;

test("fragments: a guest that sends beginnings without ends stops nobody's large packets", async () => {
  const large = async (from: Host) =>
    /(\d+) received/.exec(
      (await lab.exec(from, `ping -n -q -W 2 -c 3 -i 0.2 -s 3000 ${OUTSIDE}`, { check: false })).stdout,
    )?.[1];
  expect([await large("web2"), await large("db1")]).toEqual(["3", "3"]);
  await python("web1", FRAGMENTS, `${WEB}10`, OUTSIDE);
  expect([await large("web2"), await large("db1")]).toEqual(["3", "3"]);
  await unshared(async () => {
    await python("web1", FRAGMENTS, `${WEB}10`, OUTSIDE);
    expect(await large("db1")).not.toBe("3");
  });
});

test("neighbor tables: a guest that asks from ever new addresses, IPv6 and IPv4, makes the router note a few", async () => {
  const ASKS = `
import os, socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
mac = bytes.fromhex("020000000111")
gateway = socket.inet_pton(socket.AF_INET6, "${WEB}1"); solicited = bytes.fromhex("ff0200000000000000000001ff") + gateway[-3:]
def checksum(src, dst, payload):
    words = src + dst + struct.pack("!II", len(payload), 58) + payload; total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
for n in range(300):
    src = bytes.fromhex("fe80000000000000") + os.urandom(8)
    body = bytes([135, 0, 0, 0, 0, 0, 0, 0]) + gateway + bytes([1, 1]) + mac
    body = body[:2] + struct.pack("!H", checksum(src, solicited, body)) + body[4:]
    s.send(bytes.fromhex("3333ff") + gateway[-3:] + mac + b"\\x86\\xdd" + struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + src + solicited + body)
    s.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + bytes.fromhex("0001080006040001") + mac + bytes([10, 1, 1, 20 + n % 200]) + bytes(6) + bytes([10, 1, 1, 1]))
`;
  const known = async () => {
    const count = (family: string) => `ip -${family} neigh show dev web0 nud all | grep -vc PERMANENT || true`;
    const { stdout } = await lab.exec("vr1", `${count("6")}; ${count("4")}`);
    return stdout.trim().split("\n").map(Number) as [number, number];
  };
  const grows = async () => {
    await lab.exec("vr1", "ip neigh flush dev web0");
    const before = await known();
    await python("web1", ASKS);
    const after = await known();
    return [after[0] - before[0], after[1] - before[1]] as const;
  };
  const [six, four] = await grows();
  expect(six).toBeLessThan(100);
  expect(four).toBeLessThan(100);
  const flushed =
    "systemctl stop vpc6-watch; nft list table arp vpc6_shares >/run/arp; nft flush table arp vpc6_shares";
  await lab.exec("vr1", flushed);
  const [more6, more4] = await unshared(grows);
  await lab.exec("vr1", "(echo delete table arp vpc6_shares; cat /run/arp) | nft -f -");
  expect(more6).toBeGreaterThan(200);
  expect(more4).toBeGreaterThan(150);
});

test("a machine that was handed no address is served DHCP and neighbor discovery, and nothing else", async () => {
  const { stdout } = await lab.exec("vr1", "ip -6 -o addr show dev web0 scope link");
  const gateway = /fe80::[0-9a-f:]+/.exec(stdout)?.[0] ?? "";
  const source =
    /fe80::[0-9a-f:]+/.exec((await lab.exec("web1", "ip -6 -o addr show dev eth0 scope link")).stdout)?.[0] ?? "";
  const TRY = `
import socket, sys
index = socket.if_nametoindex("eth0")
for to, port in [("${WEB}1", 53), ("${VIP}", 81), (sys.argv[2], 53), ("${WEB}1", 8080)]:
    s = socket.socket(socket.AF_INET6); s.settimeout(1.5); s.bind((sys.argv[1], 0, 0, index))
    try: s.connect((to, port, 0, index if to.startswith("fe80") else 0)); print("open", to, port)
    except OSError: pass
`;
  expect(await python("web1", TRY, source, gateway)).toBe("");
  await lab.exec("vr1", `nft 'insert rule inet vpc6 input ${PASS} comment "undefended"'`);
  try {
    expect(await python("web1", TRY, source, gateway)).toContain(`open ${WEB}1 53`);
  } finally {
    await lab.exec(
      "vr1",
      `nft delete rule inet vpc6 input handle $(nft -a list chain inet vpc6 input | sed -n 's/.*undefended" # handle //p')`,
    );
  }
});

test("a tcp load balancer: a client network that holds all it gets leaves room for the others", async () => {
  const SLOW = `
import resource, socket, sys, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []; end = time.time() + 10
while len(held) < 9500 and time.time() < end:
    s = socket.socket(socket.AF_INET6); s.setblocking(False); s.connect_ex(("${VIP}", 81)); held.append(s)
    if len(held) % 100 == 0: time.sleep(0.01)
for s in held:
    try: s.send(b"x")
    except OSError: pass
print(len(held), flush=True); time.sleep(60)
`;
  const get = async () =>
    (await lab.exec("db1", `echo hello | timeout 3 nc -6 -n -w 3 ${VIP} 81`, { check: false })).stdout.trim();
  await lab.until("the load balancer", 40_000, async () => (await get()) === "web2");
  await using slow = lab.background("internet", ["python3", "-c", SLOW]);
  await lab.until("all connections", 40_000, async () => slow.stdout !== "");
  expect(Number(slow.stdout)).toBeGreaterThan(5_000);
  for (let n = 0; n < 5; n++) expect(await get()).toBe("web2");
  const { stdout } = await lab.exec("vr1", `ss -Htn state established '( sport = :81 )' | wc -l`);
  expect(Number(stdout)).toBeLessThan(1_200);
});
