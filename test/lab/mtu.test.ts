// Tiers of 9000, 1500 and 1400 bytes and a public side of 1400, NAT64 and a load balancer on one router: guests are told the truth, large
// packets find their size, and who never hears of one that is too big gets through all the same.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Guest, type Host, lab } from "./lab.ts";
import { each, operatorsIpv4, program, routeOnUplink, SLEEP, startInProcess } from "./stack.ts";

const OUTSIDE = "2001:db8:1::80";
const ADDRESS = { web1: "2001:67c:2834:1::10", db1: "2001:67c:2834:2::10", cache1: "2001:67c:2834:3::10" };
const SERVER = "198.51.100.80";
/** The same server, under the NAT64 prefix. */
const TRANSLATED = `2001:67c:2834:0:64::${SERVER}`;

let engine: InProcess;
const running: Background[] = [];

interface Mtus {
  web?: string;
  db?: string;
  cache?: string;
  pub?: string;
}
const SAID: Mtus = { web: "mtu: 9000", db: "mtu: 1500", cache: "mtu: 1400", pub: "publicMtu: 1400" };

const whole = ({ web = "", db = "", cache = "", pub = "" }: Mtus) =>
  program(
    `const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", cidr: "2001:67c:2834:1::/64", ipv4: { cidr: "10.1.1.0/24" }, ${web} });
const db = new vpc6.Tier("db", { vpc: shop, mac: "02:00:00:00:02:01", cidr: "2001:67c:2834:2::/64", ${db} });
const cache = new vpc6.Tier("cache", { vpc: shop, interface: "cache0", cidr: "2001:67c:2834:3::/64", ${cache} });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
new vpc6.Instance("cache1", { tier: cache, mac: "02:00:00:00:03:11" });
new vpc6.NetworkAcl("all", { tiers: [web, db, cache], preset: "allowAll" });
new vpc6.Nat64("nat64", { vpc: shop, dns64: false });
export const vip = new vpc6.LoadBalancer("echo", { vpc: shop, mode: "tcp", port: 7, members: [{ instance: web1, port: 7 }] }).address;`,
    { routers: { vr1: pub } },
  );

const up = async (mtus: Mtus) => {
  await engine.program(await whole(mtus));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
};

const mtuOf = async (device: string) => Number((await lab.exec("vr1", `cat /sys/class/net/${device}/mtu`)).stdout);
const advertised = async (guest: Guest) =>
  Number(/MTU +: +(\d+) bytes/.exec((await lab.exec(guest, "rdisc6 -1 -r 3 -w 1000 eth0")).stdout)?.[1]);

/** 1 MB there and back, by a server that says what it hears. */
const echoed = async (from: Host, to: string) => {
  const { stdout } = await lab.exec(
    from,
    `head -c 1M /dev/urandom >/tmp/sent; timeout 15 socat -t 15 - 'TCP6:[${to}]:7' </tmp/sent >/tmp/heard; cmp /tmp/sent /tmp/heard && echo the same`,
    { check: false },
  );
  return stdout.trim();
};

const PATHS = () =>
  [
    ["web1", ADDRESS.db1],
    ["web1", ADDRESS.cache1],
    ["db1", ADDRESS.cache1],
    ["cache1", ADDRESS.web1],
    ["web1", OUTSIDE],
    ["cache1", OUTSIDE],
    ["internet", ADDRESS.web1],
    ["web1", TRANSLATED],
    ["db1", TRANSLATED],
  ] as const;

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "db1", "cache1");
  await routeOnUplink();
  await operatorsIpv4();
  await lab.exec("uplink", "ip link set pub0 mtu 1400");
  // An advertisement makes a guest's MTU less than its card's, never more.
  await lab.exec("web1", "ip link set eth0 mtu 9000");
  engine = await startInProcess();
  await up(SAID);
  for (const host of ["web1", "db1", "cache1", "internet"] as const) {
    running.push(lab.background(host, "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat"));
    running.push(lab.background(host, "exec socat -b 65000 -T2 UDP6-LISTEN:7,fork,reuseaddr EXEC:cat"));
  }
  await each(["web1", "db1", "cache1"] as const, async (guest) => {
    await lab.waitForLease(guest, ADDRESS[guest]);
    await lab.waitForGateway(guest);
  });
});

afterAll(async () => {
  for (const one of running) await one.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("links have what is said, guests are told so by advertisements and DHCPv4, NAT64's device has room for the larger header", async () => {
  const links = await Promise.all(["web0", "db0", "cache0", "pub0"].map(mtuOf));
  expect(links).toEqual([9000, 1500, 1400, 1400]);
  expect(await advertised("web1")).toBe(9000);
  expect(await advertised("cache1")).toBe(1400);
  // networkd has it in its routes.
  await lab.until("cache1 to have heard", 10_000, async () =>
    (await lab.exec("cache1", `ip -6 route get ${OUTSIDE}`)).stdout.includes("mtu 1400"),
  );
  const lease = await lab.exec(
    "web1",
    "dhclient -4 -1 -sf /bin/true -lf /tmp/lease -pf /tmp/dhclient eth0 && kill $(cat /tmp/dhclient); cat /tmp/lease",
  );
  expect(lease.stdout).toContain("option interface-mtu 9000;");
  expect((await lab.exec("vr1", "cat /sys/class/net/nat64-*/mtu")).stdout.trim()).toBe("1420");
  const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(code, all).toBe(0);
});

test("path MTU discovery: who sends too much is told how much, between tiers and to outside, and goes on", async () => {
  for (const [from, to, mtu] of [
    ["web1", ADDRESS.db1, 1500],
    ["web1", ADDRESS.cache1, 1400],
    ["db1", ADDRESS.cache1, 1400],
    ["web1", OUTSIDE, 1400],
    ["web1", TRANSLATED, 1420],
  ] as const) {
    const told = await lab.exec(from, `ping -n -c 2 -i 0.2 -W 1 -M do -s ${from === "web1" ? 1455 : 1452} ${to} 2>&1`, {
      check: false,
    });
    const all = `${from} to ${to}: ${told.stdout}`;
    expect(told.stdout, all).toContain(`mtu=${mtu}`);
    expect((await lab.exec(from, `ip -6 route get ${to}`)).stdout, all).toContain(`mtu ${mtu}`);
  }
  // In fragments, each way. (Tayga translates no ICMP in fragments.)
  // The one who answers may have to be told first.
  for (const [from, to] of [
    ["web1", ADDRESS.cache1],
    ["cache1", ADDRESS.web1],
    ["web1", OUTSIDE],
  ] as const)
    await lab.exec(from, `ping -n -c 3 -i 0.3 -W 1 -s 8000 ${to}`);
});

test("1 MB each way, over all paths and through a load balancer; HAProxy's own connections go by the link's MTU", async () => {
  for (const [from, to] of PATHS()) expect(await echoed(from, to), `${from} to ${to}`).toBe("the same");
  const vip = String(await engine.output("vip"));
  for (const from of ["internet", "cache1", "web1"] as const)
    expect(await echoed(from, vip), `${from} to the load balancer`).toBe("the same");
  await using _slow = lab.background("internet", `(echo hello; sleep 20) | socat -t 20 - 'TCP6:[${vip}]:7'`);
  const sizes = async () => {
    const { stdout } = await lab.exec("vr1", "ss -Htnoi state established '( sport = :7 or dport = :7 )'");
    return [...stdout.matchAll(/ pmtu:(\d+)/g)].map(([, size]) => Number(size)).sort();
  };
  await lab.until("both sides", 5_000, async () => (await sizes()).length === 2);
  expect(await sizes()).toEqual([1400, 9000]);
});

test("UDP of 3,000 bytes, which is told its size once and goes in fragments then", async () => {
  const paths = [
    ["web1", ADDRESS.cache1],
    ["cache1", ADDRESS.web1],
    ["web1", OUTSIDE],
    ["internet", ADDRESS.web1],
    ["web1", TRANSLATED],
  ] as const;
  await each(paths, async ([from, to]) => {
    const { stdout } = await lab.exec(
      from,
      `for try in 1 2 3; do heard=$(head -c 3000 /dev/zero | socat -b 65000 -t 1 - 'UDP6:[${to}]:7' | wc -c); [ "$heard" != 3000 ] || break; done; echo $heard`,
    );
    expect(stdout.trim(), `${from} to ${to}`).toBe("3000");
  });
});

test("who hears of no packet that is too big: a SYN says already what fits", async () => {
  const blind = ["web1", "db1", "cache1", "internet"] as const;
  const deaf =
    "table inet deaf { chain input { type filter hook input priority 0; icmpv6 type packet-too-big counter drop; icmp code frag-needed icmp type destination-unreachable counter drop; }; }";
  for (const host of blind) await lab.exec(host, `nft '${deaf}'; ip -6 route flush cache; ip -4 route flush cache`);
  try {
    const told = await lab.exec("web1", `ping -n -c 2 -i 0.2 -W 1 -M do -s 1455 ${OUTSIDE} 2>&1`, { check: false });
    expect(told.stdout).not.toContain("mtu=");
    for (const [from, to] of PATHS()) expect(await echoed(from, to), `${from} to ${to}`).toBe("the same");
  } finally {
    for (const host of blind) await lab.exec(host, "nft delete table inet deaf");
  }
});

test("another hand's MTU is put back, its IPv6 with it; a refresh tells of what is not", async () => {
  await lab.exec("vr1", "ip link set pub0 mtu 1500; ip link set web0 mtu 1200");
  await lab.until("the MTUs", 10_000, async () => (await mtuOf("web0")) === 9000 && (await mtuOf("pub0")) === 1400);
  await lab.until(
    "the gateway",
    10_000,
    async () => (await lab.ping("web1", "2001:67c:2834:1::1", { count: 1 })).received === 1,
  );
  await lab.exec("vr1", `${SLEEP}; ip link set web0 mtu 1500`);
  const { all } = await engine.preview({ args: ["--refresh"], diff: true });
  await lab.exec("vr1", "systemctl kill -s CONT vpc6-watch");
  expect(all).toContain("MTU of web0 = 1500 instead of 9000");
});

test("when nobody says one any more links are what they were, and advertisements say what they have", async () => {
  await up({});
  const links = await Promise.all(["web0", "db0", "cache0", "pub0"].map(mtuOf));
  expect(links).toEqual([1500, 1500, 1500, 1500]);
  expect(await advertised("web1")).toBe(1500);
  expect((await lab.exec("vr1", "cat /sys/class/net/nat64-*/mtu")).stdout.trim()).toBe("1520");
  await lab.exec("vr1", "ip link set web0 mtu 1450");
  expect(await advertised("web1")).toBe(1450);
});
