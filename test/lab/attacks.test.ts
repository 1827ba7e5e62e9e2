// What guests and strangers try against the router itself, whatever service it has: odd packets, floods, false routers. Every attack
// is first seen to be one: it succeeds where nobody defends (a neighbour on the same wire, the filter opened), or it is seen to arrive.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { dhcp } from "./dhcp.ts";
import { type Background, type Host, lab } from "./lab.ts";
import {
  connects,
  counted,
  each,
  membersStay,
  PASS,
  program,
  routeOnUplink,
  SLEEP,
  startInProcess,
  unshared,
  webServer,
} from "./stack.ts";

// web1 attacks, web2 is its neighbour; db1 is in another VPC of the same router.
const WEB = "2001:67c:2834:1::";
const DB = "2001:67c:2834:11::";
const ROUTER = "2001:db8:ffff::10";
const OUTSIDE = "2001:db8:1::80";
const VIP = "2001:67c:2834::80";
const OTHER_VIP = "2001:67c:2834::81";

let engine: InProcess;
const servers: Background[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2", "db1");
  await routeOnUplink("2001:67c:2834::/59", "2001:db8:ffff::10");
  engine = await startInProcess();
  await engine.program(
    await program(
      `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const blog = new vpc6.Vpc("blog", { zone, router: vr1, cidr: "2001:67c:2834:10::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
const db = new vpc6.Tier("db", { vpc: blog, interface: "db0" });
new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });
new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
for (const port of [80, 81]) {
  new vpc6.LoadBalancer("www" + port, { vpc: shop, port, mode: "http", address: port === 80 ? "${VIP}" : "${OTHER_VIP}", members: [{ instance: web2, port: 9100 }] });
}`,
      { routers: { vr1: "" } },
    ),
  );
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  for (const [guest, address] of [
    ["web1", `${WEB}10`],
    ["web2", `${WEB}11`],
    ["db1", `${DB}10`],
  ] as const) {
    await lab.ready(guest, address);
  }
  servers.push(
    webServer("web2", "web2"),
    lab.background("internet", "socat TCP6-LISTEN:9100,fork,reuseaddr /dev/null"),
  );
  await lab.until("the listeners", 10_000, async () => (await connects("web2", "::1", 9100)) === "open");
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

const python = async (host: Host, script: string, ...args: string[]) =>
  (await lab.exec(host, ["python3", "-", ...args], { input: script })).stdout.trim();

/** Under which its guest has leased an address (RFC 8415 section 4.2). */
async function iaidOf(address: string): Promise<number> {
  const { stdout } = await lab.exec("vr1", "cat /var/lib/vpc6/dnsmasq.leases");
  const [, iaid] = new RegExp(`^\\d+ (\\d+) ${address} `, "m").exec(stdout) ?? [];
  if (iaid === undefined) throw new Error(`nobody has leased ${address}: ${stdout}`);
  return Number(iaid);
}

/** The filter out of the way, as if there were none, while `work` is done. */
async function undefended<T>(work: () => Promise<T>): Promise<T> {
  for (const chain of ["input", "forward"]) {
    await lab.exec("vr1", `nft 'insert rule inet vpc6 ${chain} ${PASS} comment "undefended"'`);
  }
  try {
    return await work();
  } finally {
    await lab.exec(
      "vr1",
      `for chain in input forward; do
        nft delete rule inet vpc6 $chain handle $(nft -a list chain inet vpc6 $chain | sed -n 's/.*undefended" # handle //p')
      done`,
    );
  }
}

describe("headers before TCP", () => {
  // Sends a SYN behind each chain of headers to an address and port, each from a port of its own, and prints which were answered.
  const SYN = `
import os, socket, struct, sys, time
source, to, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
src, dst = (socket.inet_pton(socket.AF_INET6, it) for it in (source, to))
HOP, TCP, ROUTING, FRAGMENT, OPTIONS = 0, 6, 43, 44, 60
pad = lambda: bytes([1, 4, 0, 0, 0, 0])
rest = {HOP: lambda: bytes([0]) + pad(), OPTIONS: lambda: bytes([0]) + pad(), "type 0": lambda: bytes([2, 0, 0, 0, 0, 0, 0]) + dst, "type 253": lambda: bytes([0, 253, 0, 0, 0, 0, 0])}
def syn(sport):
    head = struct.pack("!HHIIBBHHH", sport, port, 1, 0, 5 << 4, 2, 1024, 0, 0) + bytes(16)
    words = src + dst + struct.pack("!II", len(head), TCP) + head
    total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return head[:16] + struct.pack("!H", ~total & 0xffff) + head[18:]
number = lambda it: ROUTING if isinstance(it, str) else it
def chain(headers, upper, payload):
    for header in reversed(headers): payload = bytes([upper]) + rest[header]() + payload; upper = number(header)
    return upper, payload
def fragments(headers, sport, size):
    first, whole = chain(headers, TCP, syn(sport)); ident = os.urandom(4); at = 0
    while at < len(whole):
        part = whole[at:at + size]
        yield FRAGMENT, bytes([first, 0]) + struct.pack("!H", at | (at + size < len(whole))) + ident + part
        at += size
shapes = {
  "plain": lambda p: [chain([], TCP, syn(p))],
  "hop-by-hop and destination options": lambda p: [chain([HOP, OPTIONS], TCP, syn(p))],
  "a routing header of type 253": lambda p: [chain(["type 253"], TCP, syn(p))],
  "one fragment": lambda p: list(fragments([], p, 64)),
  "two fragments": lambda p: list(fragments([], p, 24)),
  "options in fragments": lambda p: list(fragments([OPTIONS], p, 32)),
  "a routing header of type 0": lambda p: [chain(["type 0"], TCP, syn(p))],
  "type 0 behind options": lambda p: [chain([HOP, OPTIONS, "type 0"], TCP, syn(p))],
  "type 0 in fragments": lambda p: list(fragments(["type 0"], p, 48)),
}
ears = socket.socket(socket.AF_INET6, socket.SOCK_RAW, TCP); ears.setblocking(False)
mouth = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
ports = {20000 + os.getpid() % 20000 + n: name for n, name in enumerate(shapes)}
for sport, name in ports.items():
    for upper, payload in shapes[name](sport):
        mouth.sendto(struct.pack("!IHBB", 6 << 28, len(payload), upper, 64) + src + dst + payload, (to, 0))
answered = set(); end = time.time() + 1
while time.time() < end:
    try: data, sender = ears.recvfrom(100)
    except BlockingIOError: time.sleep(0.01); continue
    answer = struct.unpack("!HH", data[:4])
    if sender[0] == to and answer[0] == port and data[13] == 0x12: answered.add(ports.get(answer[1]))
print("\\n".join(it for it in shapes if it in answered))
`;
  const syns = async (from: Host, source: string, to: string, port: number) =>
    (await python(from, SYN, source, to, String(port))).split("\n").filter(Boolean);
  const ALL = [
    "plain",
    "hop-by-hop and destination options",
    "a routing header of type 253",
    "one fragment",
    "two fragments",
    "options in fragments",
    "a routing header of type 0",
    "type 0 behind options",
    "type 0 in fragments",
  ];

  test("every one of them is a good SYN to a host without a filter", async () => {
    expect(await syns("web1", `${WEB}10`, `${WEB}11`, 9100)).toEqual(ALL);
  });

  test("none reaches a closed port of the router, from a tier or from outside", async () => {
    expect(await syns("web1", `${WEB}10`, `${WEB}1`, 22)).toEqual([]);
    expect(await syns("internet", OUTSIDE, `${WEB}1`, 9999)).toEqual([]);
    expect(await undefended(() => syns("web1", `${WEB}10`, `${WEB}1`, 22))).toEqual(ALL);
  });

  test("none reaches a tier that is closed, nor another VPC's", async () => {
    expect(await syns("internet", OUTSIDE, `${WEB}11`, 9100)).toEqual([]);
    expect(await syns("db1", `${DB}10`, `${WEB}11`, 9100)).toEqual([]);
    expect(await undefended(() => syns("db1", `${DB}10`, `${WEB}11`, 9100))).toEqual(ALL);
  });

  test("none with a routing header of type 0 reaches a port that is open", async () => {
    expect(await syns("internet", OUTSIDE, ROUTER, 22)).toEqual(ALL.filter((it) => !it.includes("type 0")));
  });
});

describe("false routers", () => {
  // To the router alone, so that no guest of the lab is led astray: a router advertisement with a prefix, and a redirect.
  const FALSE = `
import socket, struct, sys
router, device = sys.argv[1], sys.argv[2]
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
to = (router, 0, 0, socket.if_nametoindex(device))
four = lambda it: socket.inet_pton(socket.AF_INET6, it)
prefix = bytes([3, 4, 64, 0xC0]) + struct.pack("!III", 60, 60, 0) + four("2001:db8:bad::")
for _ in range(3):
    s.sendto(bytes([134, 0, 0, 0, 64, 0]) + struct.pack("!HII", 600, 0, 0) + prefix, to)
    s.sendto(bytes([137, 0, 0, 0, 0, 0, 0, 0]) + four("fe80::bad") + four("${OUTSIDE}"), to)
`;
  const linkLocal = async (device: string) =>
    /fe80::[0-9a-f:]+/.exec((await lab.exec("vr1", `ip -6 addr show dev ${device} scope link`)).stdout)?.[0] ?? "";
  const routing = async () =>
    (
      await lab.exec(
        "vr1",
        `ip -6 addr show dev web0 scope global; ip -6 route show dev web0; ip -6 route show default; ip -6 route get ${OUTSIDE}`,
      )
    ).stdout
      .replace(/ expires \d+sec/g, "")
      .replace(/(valid|preferred)_lft \S+/g, "");

  test("a guest's router advertisement and redirect change nothing on the router", async () => {
    const router = await linkLocal("web0");
    const before = await routing();
    // The router hears its own advertisements to all as well, as from web0.
    const lies = `icmpv6 type { nd-router-advert, nd-redirect } iifname web0 ip6 daddr ${router}`;
    const { came } = await counted(lies, () => python("web1", FALSE, router, "eth0"));
    expect(came).toBe(6);
    expect(await routing()).toBe(before);
    // Were the router to listen, it would have a second default route and an address by now.
    // (Nobody puts that right meanwhile.)
    await lab.exec("vr1", `${SLEEP}; sysctl -q net.ipv6.conf.web0.accept_ra=2`);
    try {
      await undefended(() => python("web1", FALSE, router, "eth0"));
      await lab.until("the false prefix", 5_000, async () => (await routing()).includes("2001:db8:bad::"));
    } finally {
      await lab.exec(
        "vr1",
        `sysctl -q net.ipv6.conf.web0.accept_ra=0; systemctl kill -s CONT vpc6-watch
        ip -6 route show dev web0 proto ra | sed 's/ expires.*//' | while read -r route; do ip -6 route del $route dev web0; done
        ip -6 addr show dev web0 dynamic | sed -n 's/.*inet6 \\([^ ]*\\).*/\\1/p' | while read -r address; do ip -6 addr del $address dev web0; done
        ip -6 route del 2001:db8:bad::/64 dev web0 2>/dev/null || true`,
      );
    }
    expect(await routing()).toBe(before);
  });
});

describe("networks that must not meet", () => {
  test("management and tiers, over IPv6, either way", async () => {
    const [management, own] = ["fd00:6::1", "fd00:6::11"];
    await lab.exec("vr1", `ip -6 addr add ${own}/64 dev mgmt0 nodad`);
    await lab.exec(
      "uplink",
      `ip -6 addr add ${management}/64 dev mgmt0 nodad; ip -6 route add ${WEB}11/128 via ${own}`,
    );
    try {
      const tries = async () => ({
        in: (await lab.ping("uplink", `${WEB}11`, { count: 2 })).received,
        out: (await lab.ping("web2", management, { count: 2 })).received,
      });
      expect(await tries()).toEqual({ in: 0, out: 0 });
      expect(await undefended(tries)).toEqual({ in: 2, out: 2 });
      expect(await connects("web1", own, 22)).toBe("filtered");
      expect(await undefended(() => connects("web1", own, 22))).toBe("open");
    } finally {
      await lab.exec("vr1", `ip -6 addr del ${own}/64 dev mgmt0`);
      await lab.exec("uplink", `ip -6 route del ${WEB}11/128; ip -6 addr del ${management}/64 dev mgmt0`);
    }
  });

  test("DNS: nobody outside has an answer, over IPv6 or IPv4, nor a guest of another VPC at this one's gateway", async () => {
    await lab.exec("vr1", "ip addr add 203.0.113.10/24 dev pub0");
    await lab.exec("uplink", "ip route add 10.1.1.0/24 via 203.0.113.10");
    try {
      const asks = async () => {
        const answers = [];
        for (const [from, server] of [
          ["web1", `${WEB}1`],
          ["web1", "2001:67c:2834::1"],
          ["db1", `${WEB}1`],
          ["internet", `${WEB}1`],
          ["internet", ROUTER],
          ["uplink", "203.0.113.10"],
          ["uplink", "10.1.1.1"],
        ] as const) {
          for (const how of ["+notcp", "+tcp"]) {
            const dig = ["dig", "+short", "+time=3", "+tries=1", how, "AAAA", "web2.web.shop.internal", `@${server}`];
            const asked = lab.exec(from, dig, { check: false });
            answers.push(asked.then(({ stdout }) => (stdout.includes(`${WEB}11`) ? [`${from} ${server} ${how}`] : [])));
          }
        }
        return (await Promise.all(answers)).flat();
      };
      expect(await asks()).toEqual([`web1 ${WEB}1 +notcp`, `web1 ${WEB}1 +tcp`]);
      // The daemon would answer some of them, were it not for the filter.
      expect((await undefended(asks)).length).toBeGreaterThan(2);
    } finally {
      await lab.exec("uplink", "ip route del 10.1.1.0/24");
      await lab.exec("vr1", "ip addr del 203.0.113.10/24 dev pub0");
    }
  });

  test("DHCPv6 for guests only: a stranger on the public network who says it is one hears nothing", async () => {
    const SOLICIT = `
import socket, struct, sys, time
device, to, iaid = sys.argv[1], sys.argv[2], int(sys.argv[3])
duid = bytes.fromhex("00030001020000000112")
message = bytes([1]) + b"abc" + struct.pack("!HH", 1, len(duid)) + duid + struct.pack("!HHIII", 3, 12, iaid, 0, 0) + struct.pack("!HHH", 8, 2, 0)
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 25, device.encode() + b"\\0")
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, 15, 1)
s.bind(("::", 546))
# The guest's own client may take the answer: it is seen on the wire.
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x86dd)); wire.bind((device, 0x86dd)); wire.settimeout(0.2)
s.sendto(message, (to, 547, 0, socket.if_nametoindex(device)))
end = time.time() + 1.5; heard = "nothing"
while time.time() < end:
    try: packet = wire.recv(1500)
    except OSError: continue
    if packet[40:44] == struct.pack("!HH", 547, 546) and packet[49:52] == b"abc": heard = packet[48]
print(heard)
`;
    const iaid = String(await iaidOf(`${WEB}11`));
    expect(await python("web2", SOLICIT, "eth0", "ff02::1:2", iaid)).toBe("2");
    for (const to of ["ff02::1:2", ROUTER]) {
      const { came } = await counted("udp dport 547 iifname pub0", async () =>
        expect(await python("uplink", SOLICIT, "pub0", to, iaid), to).toBe("nothing"),
      );
      expect(came, to).toBe(1);
    }
  });

  test("BGP and BFD: nobody who is no neighbour gets that far", async () => {
    const knocks = [
      ["internet", ROUTER],
      ["uplink", ROUTER],
      ["web1", `${WEB}1`],
      ["web1", ROUTER],
    ] as const;
    const knock = () =>
      each(knocks, async ([from, to]) => {
        await connects(from, to, 179);
        const send = 'socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x", (to, port))';
        await python(from, `import socket\nto = "${to}"\nfor port in (3784, 3785, 4784): ${send}`);
      });
    const match = "th dport { 179, 3784, 3785, 4784 }";
    const { came, passed } = await counted(match, knock);
    expect(came).toBeGreaterThanOrEqual(16);
    expect(passed).toBe(0);
    expect((await undefended(() => counted(match, knock))).passed).toBeGreaterThanOrEqual(16);
  });
});

describe("DHCP as somebody else", () => {
  const VICTIM = "02:00:00:00:01:12";
  const TYPES = {
    SOLICIT: 1,
    REQUEST: 3,
    CONFIRM: 4,
    RENEW: 5,
    REBIND: 6,
    RELEASE: 8,
    DECLINE: 9,
    "INFORMATION-REQUEST": 11,
  };
  const [own, his, own4, his4] = [`${WEB}10`, `${WEB}11`, "10.1.1.2", "10.1.1.3"];
  let server: string;
  const iaid: Record<string, number> = {};

  beforeAll(async () => {
    const [said = ""] = await dhcp("web2", { type: 11 });
    server = /from (\S+)/.exec(said)?.[1] ?? "";
    for (const address of [own, his]) iaid[address] = await iaidOf(address);
    // Addresses that the attacker may well have: the router finds their card by asking.
    await addresses("add");
    expect(await dhcp("web2", { type4: 3, asks: his4 })).toEqual([`5 ${his4}`]);
  });

  afterAll(() => addresses("del"));
  const addresses = async (what: "add" | "del") => {
    const each = Object.values(TYPES).map((type) => `ip -6 addr ${what} fe80::77:${type}/64 dev eth0 nodad`);
    await lab.exec("web1", each.join("; "));
  };

  const heard = (answers: string[]) => answers.map((it) => it.replace(/ from \S+/, ""));
  /** What the neighbour hears who renews his leases, and who would like to have them again. */
  const renewed = async () =>
    heard(
      await dhcp(
        "web2",
        { type: 5, iaid: iaid[his], address: his, server },
        { type: 1, iaid: iaid[his] },
        { type4: 3, has: his4 },
        { type4: 1 },
      ),
    );
  const WELL = [`7 ${his}`, `2 ${his}`, `5 ${his4}`, `2 ${his4}`];

  // All that can be said in his name, with his address or in his place, by message type.
  const attacks: Record<string, () => Parameters<typeof dhcp>[1][]> = {};
  for (const [name, type] of Object.entries(TYPES)) {
    attacks[name] = () => {
      const message = { type, iaid: iaid[his], address: his, wait: 0, ...([3, 5, 8, 9].includes(type) && { server }) };
      const more = { ...message, iaid: 9, duid: "00:04:bb", source: `fe80::77:${type}` };
      return [
        { solicits: `${WEB}1`, source: more.source, card: VICTIM },
        more,
        { ...message, card: VICTIM, place: "first" },
        { ...message, card: VICTIM, place: "second" },
        { ...message, card: VICTIM, place: "last" },
        { ...message, card: VICTIM, iaid: 9, place: "last" },
        { ...message, card: VICTIM, relayed: `${WEB}1` },
        { ...message, iaid: 9 },
        { ...message, iaid: 9, duid: "00:04:aa", source: "fe80::ff:fe00:112" },
      ];
    };
  }
  for (const [name, type4, says] of [
    ["DHCPDISCOVER", 1, { asks: his4 }],
    ["DHCPREQUEST", 3, { asks: his4 }],
    ["DHCPDECLINE", 4, { asks: his4, server: "10.1.1.1" }],
    ["DHCPRELEASE", 7, { has: his4, server: "10.1.1.1" }],
    ["DHCPINFORM", 8, { has: his4 }],
  ] as const) {
    attacks[name] = () => {
      const message = { type4, wait: 0, ...says };
      return [
        message,
        { ...message, card: VICTIM },
        { ...message, client: VICTIM },
        { ...message, card: VICTIM, relayed: "10.1.1.1" },
      ];
    };
  }

  test("who declines its own address has it again a moment later", async () => {
    const mine = { iaid: iaid[own], address: own, server };
    for (const [decline, ask, right] of [
      [{ type: 9, ...mine }, { type: 1, iaid: iaid[own] }, `2 ${own}`],
      [{ type4: 4, asks: own4, server: "10.1.1.1", wait: 0 }, { type4: 1 }, `2 ${own4}`],
    ] as const) {
      expect(heard(await dhcp("web1", decline))).toEqual(["type4" in decline ? "nothing" : "7"]);
      await lab.until(`${right} in spite of that`, 10_000, async () => heard(await dhcp("web1", ask))[0] === right);
    }
    expect(heard(await dhcp("web1", { type: 3, ...mine }))).toEqual([`7 ${own}`]);
  });

  /** Without filter and cure each of these takes something: a renewal, or the address itself. He then leases again. */
  async function taken(): Promise<void> {
    for (const [name, which] of [
      ["REBIND", 7],
      ["RELEASE", 2],
      ["DECLINE", 2],
      ["DHCPDECLINE", 1],
    ] as const) {
      await dhcp("web1", ...(attacks[name]?.().slice(which, which + 1) ?? []));
      expect(await renewed(), name).not.toEqual(WELL);
      const forget = `busctl call uk.org.thekelleys.dnsmasq /uk/org/thekelleys/dnsmasq uk.org.thekelleys.dnsmasq DeleteDhcpLease s ${his}`;
      await lab.exec("vr1", `${forget}; ${forget}; systemctl kill -s HUP --kill-whom=main vpc6-dnsmasq`);
      await dhcp("web2", { type: 3, iaid: iaid[his], address: his, server }, { type4: 3, asks: his4 });
      expect(await renewed(), name).toEqual(WELL);
    }
  }

  test("whatever a guest says, its neighbour renews at once, and would have his leases again", async () => {
    // Nobody's messages are too many.
    await unshared(async () => {
      for (const [name, messages] of Object.entries(attacks)) {
        await dhcp("web1", ...messages());
        expect(await renewed(), name).toEqual(WELL);
      }
      await lab.exec("vr1", "systemctl stop vpc6-leases");
      try {
        await undefended(taken);
      } finally {
        await lab.exec("vr1", "systemctl start vpc6-leases");
      }
    });
    // Its own lease went with the others' names: to dnsmasq it is a guest that is set up anew.
    await lab.until("the attacker's lease", 5_000, async () => {
      const [answer] = heard(await dhcp("web1", { type: 3, iaid: iaid[own], address: own, server }));
      return answer === `7 ${own}`;
    });
  });
});

describe("floods", () => {
  // One echo request to each of 120 addresses that nobody has: the router would look for each, and its table holds 1,024.
  const SCAN = `
import os, socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
for n in range(120):
    s.sendto(bytes([128, 0, 0, 0, 0, 1, 0, n]), (sys.argv[1] + "bad:" + os.urandom(2).hex() + ":" + format(n + 1, "x"), 0))
`;
  const sought = async (device: string) =>
    Number((await lab.exec("vr1", `ip -6 neigh show dev ${device} | grep -c ':bad:' || true`)).stdout);
  const scan = async (from: Host, prefix: string, device: string) => {
    await lab.exec("vr1", `ip -6 neigh flush dev ${device} nud failed`);
    await python(from, SCAN, prefix);
    return sought(device);
  };

  test("of addresses that nobody has: the router's neighbour table does not grow", async () => {
    expect(await scan("internet", WEB, "web0")).toBe(0);
    expect(await scan("db1", WEB, "web0")).toBe(0);
    expect(await undefended(() => scan("internet", WEB, "web0"))).toBeGreaterThan(100);
  });

  test("of addresses of the public network that nobody has: a guest makes the router look for a few", async () => {
    expect(await scan("web1", "2001:db8:ffff::", "pub0")).toBeLessThan(40);
    expect(await undefended(() => scan("web1", "2001:db8:ffff::", "pub0"))).toBeGreaterThan(100);
  });

  // A real one: the client is killed and forgets what it had.
  const setUpAnew = async (iaid: number) =>
    void (await lab.exec(
      "web2",
      `printf '[DHCPv6]\nIAID=${iaid}\n' >/etc/systemd/network/10-eth0.network.d/iaid.conf
      systemctl kill -s KILL systemd-networkd
      ip -6 addr flush dev eth0 scope global
      systemctl reset-failed systemd-networkd; systemctl restart systemd-networkd`,
    ));
  const leases = async () =>
    (
      await lab.exec(
        "vr1",
        "sed -n 's/^[0-9]* \\([0-9]*\\) \\(2001:67c:2834:[^ ]*\\) .*/\\2 \\1/p' /var/lib/vpc6/dnsmasq.leases",
      )
    ).stdout
      .trim()
      .split("\n")
      .sort();

  test("of DHCPv6 by one guest with ever new names: a neighbour leases meanwhile, and no lease was given away", async () => {
    const FLOOD = `
import os, socket, struct, time
# The guest's own client has the port; checksums are the kernel's to do.
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP); s.setsockopt(socket.IPPROTO_IPV6, 7, 6)
sent = 0
while True:
    duid = bytes.fromhex("00030001") + os.urandom(6)
    message = bytes([1]) + os.urandom(3) + struct.pack("!HH", 1, 10) + duid + struct.pack("!HHIII", 3, 12, 7, 0, 0) + struct.pack("!HHH", 8, 2, 0)
    datagram = struct.pack("!HHHH", 546, 547, 8 + len(message), 0) + message
    s.sendto(datagram, ("ff02::1:2", 0, 0, socket.if_nametoindex("eth0"))); sent += 1
    time.sleep(0.001)
    if sent % 1001 == 0: print(sent, flush=True)
`;
    const before = (await leases()).map((it) => it.split(" ")[0]);
    expect(before).toEqual([`${WEB}10`, `${WEB}11`, `${DB}10`].sort());
    await using flood = lab.background("web1", ["python3", "-c", FLOOD]);
    const { came } = await counted("iifname web0 udp dport 547", async () => {
      await setUpAnew(4711);
      await lab.waitForLease("web2", `${WEB}11`, 10_000);
      const { length } = flood.stdout;
      await lab.until("the flood to go on", 60_000, async () => flood.stdout.length > length);
    });
    await flood.stop();
    expect(came).toBeGreaterThan(100);
    await lab.until("the new lease on disk", 5_000, async () => (await leases()).includes(`${WEB}11 4711`));
    // At most the flooding guest has lost its own: to dnsmasq it is a guest that is set up anew, again and again.
    const others = (all: (string | undefined)[]) => all.filter((it) => it !== `${WEB}10`);
    expect(others((await leases()).map((it) => it.split(" ")[0]))).toEqual(others(before));
  });

  test("a guest set up anew, with the same DUID and another IAID, leases its address; without vpc6-leases it would not", async () => {
    await lab.exec("vr1", "systemctl stop vpc6-leases");
    try {
      await setUpAnew(4712);
      await expect(lab.waitForLease("web2", `${WEB}11`, 4_000)).rejects.toThrow("lease");
    } finally {
      await lab.exec("vr1", "systemctl start vpc6-leases");
    }
    await lab.waitForLease("web2", `${WEB}11`, 15_000);
    await lab.until("the new lease on disk", 5_000, async () => (await leases()).includes(`${WEB}11 4712`));
  });

  test("of a load balancer by clients of twelve networks that open connections and say nothing: the others are served", async () => {
    const SLOW = `
import resource, select, socket, sys, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []; end = time.time() + 8
while len(held) < 12000 and time.time() < end:
    s = socket.socket(socket.AF_INET6); s.bind(("2001:db8:1:%x::80" % (len(held) % 12), 0))
    s.setblocking(False); s.connect_ex((sys.argv[1], int(sys.argv[2]))); held.append(s)
    if len(held) % 100 == 0: time.sleep(0.01)
print(len(held), flush=True)
time.sleep(60)
`;
    const get = async (at: string) =>
      (
        await lab.exec(
          "web1",
          ["curl", "-s", "-g", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", `http://${at}/`],
          {
            check: false,
          },
        )
      ).stdout;
    const other = `[${OTHER_VIP}]:81`;
    // Its member has just been set up anew.
    await membersStay(async () => (await get(other)) === "200");
    // A network alone has a share (shares.test.ts).
    for (let network = 1; network < 12; network++) {
      const prefix = `2001:db8:1:${network.toString(16)}::`;
      await lab.exec("internet", `ip -6 addr add ${prefix}80/128 dev lo`);
      await lab.exec("uplink", `ip -6 route replace ${prefix}/64 via ${OUTSIDE}`);
    }
    await using slow = lab.background("internet", ["python3", "-c", SLOW, VIP, "80"]);
    await lab.until("all connections", 30_000, async () => slow.stdout !== "");
    expect(Number(slow.stdout)).toBeGreaterThan(9_000);
    const open = Number((await lab.exec("vr1", "grep -c . /proc/net/tcp6")).stdout);
    expect(open).toBeGreaterThan(8_000);
    expect(await get(other)).toBe("200");
    // The one that is attacked is back when the silent ones have been cut off, after ten seconds.
    await lab.until("the attacked one", 25_000, async () => (await get(`[${VIP}]:80`)) === "200");
  });
});
