// Several VPCs on one router, of several sizes: traffic between them passes both access lists, and one that goes leaves the others as
// they are. examples/large-vpc runs here.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, lab } from "./lab.ts";
import { connects, ownPackages, program, startInProcess } from "./stack.ts";

const WEB1 = "2001:67c:2834:101::10";
const DB1 = "2001:67c:2834:11::10";
const CACHE1 = "2001:67c:2834:1::10";

let engine: InProcess;
let servers: Background[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "db1", "cache1");
  await ownPackages("vr1");
  engine = await startInProcess();
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  servers = [];
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

// Host names that dnsmasq would take for how long a lease is, or for a guest to be ignored.
const vpcs = `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, vpcPrefixLength: 56 });
const labs = new vpc6.Vpc("labs", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const db = new vpc6.Tier("db", { vpc: labs, interface: "db0" });
new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11", hostname: "2h" });
new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11", hostname: "infinite" });
`;
const gone = `
const gone = new vpc6.Vpc("gone", { zone, router: vr1 });
const cache = new vpc6.Tier("cache", { vpc: gone, interface: "cache0" });
new vpc6.Instance("cache1", { tier: cache, mac: "02:00:00:00:03:11", hostname: "ignore" });
new vpc6.NetworkAcl("gone-acl", { tiers: [cache], preset: "allowAll" });
`;
const list = (tier: string, direction: string) =>
  `new vpc6.NetworkAcl("${tier}-acl", { tiers: [${tier}], rules: [{ direction: "${direction}", action: "allow", protocol: "tcp", ports: "9100" }] });\n`;
const WEB_OUT = list("web", "egress");
const DB_IN = list("db", "ingress");

async function up(rest: string): Promise<string> {
  await engine.program(await program(rest, { routers: { vr1: "" } }));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  return all;
}

test("three VPCs of two sizes on one router; guests of each lease what was promised", async () => {
  await up(vpcs + gone);
  for (const [guest, address] of [
    ["web1", WEB1],
    ["db1", DB1],
    ["cache1", CACHE1],
  ] as const) {
    await lab.ready(guest, address);
  }
  expect((await lab.exec("vr1", "ip -6 route show type unreachable")).stdout).toContain("2001:67c:2834:100::/56");
});

test("names that are words of dnsmasq's are names: the lease is an hour's, and it is theirs", async () => {
  const { stdout } = await lab.exec("vr1", "date +%s; grep -v ^duid /var/lib/vpc6/dnsmasq.leases");
  const [now = 0, ...leases] = stdout.trim().split("\n");
  for (const [name, address] of [
    ["2h.web.shop.internal", WEB1],
    ["infinite.db.labs.internal", DB1],
    ["ignore.cache.gone.internal", CACHE1],
  ] as const) {
    const [until, , , leased] = leases.find((it) => it.includes(` ${address} `))?.split(" ") ?? [];
    expect(leased).toBe(name.split(".")[0]);
    expect(Number(until) - Number(now)).toBeGreaterThan(0);
    expect(Number(until) - Number(now)).toBeLessThanOrEqual(3600);
    const asked = await lab.exec("web1", `dig +short +time=2 @2001:67c:2834:101::1 ${name} AAAA`);
    expect(asked.stdout.trim()).toBe(address);
  }
});

test("a guest whose link-local address is not made of its MAC address (RFC 7217) is known by its card all the same", async () => {
  const [made, other] = ["fe80::ff:fe00:111/64", "fe80::5eed:7217:1:2/64"];
  const swap = (now: string, before: string) =>
    lab.exec("web1", `ip -6 addr add ${now} dev eth0 nodad; ip -6 addr del ${before} dev eth0`);
  await swap(other, made);
  await lab.exec("vr1", "ip -6 neigh flush dev web0");
  await lab.renew("web1");
  await lab.waitForLease("web1", WEB1, 10_000);
  // That is where it asked from.
  const { stdout } = await lab.exec("vr1", `ip -6 neigh show ${other.slice(0, -3)} dev web0`);
  expect(stdout).toContain("lladdr 02:00:00:00:01:11");
  await swap(made, other);
});

test("traffic from one VPC to another passes the egress list here and the ingress list there", async () => {
  servers = [lab.background("db1", "exec socat TCP6-LISTEN:9100,fork,reuseaddr EXEC:cat")];
  await lab.until("db1 to listen", 10_000, async () => (await connects("db1", "::1", 9100)) === "open");
  for (const [lists, answer] of [
    ["", "filtered"],
    [WEB_OUT, "filtered"],
    [DB_IN, "filtered"],
    [WEB_OUT + DB_IN, "open"],
  ] as const) {
    await up(vpcs + gone + lists);
    const [there, back] = await Promise.all([connects("web1", DB1, 9100), connects("db1", WEB1, 9100)]);
    expect(there, lists).toBe(answer);
    expect(back, "the other way").toBe("filtered");
  }
});

test("a VPC that is deleted leaves the others as they are: no packet is lost, no connection", async () => {
  const own = "ip -6 addr show web0; ip -6 addr show db0; sysctl net.ipv6.conf.all.forwarding";
  const before = (await lab.exec("vr1", own)).stdout;
  await using pings = lab.pinging("web1", DB1, 0.05);
  await using flow = lab.background("web1", `(while :; do date +%s%N; sleep 0.1; done) | socat - TCP6:[${DB1}]:9100`);
  await lab.until("the flow", 10_000, async () => flow.stdout.split("\n").length > 5);
  const all = await up(vpcs + WEB_OUT + DB_IN);
  expect(all).toMatch(/- 4 deleted/);
  const seen = flow.stdout.length;
  await lab.until("the flow to go on", 10_000, async () => flow.stdout.length > seen + 100);
  const { sent, received } = await lab.pinged(pings, 50);
  // The last may have been under way.
  expect(sent - received).toBeLessThanOrEqual(1);
  expect((await lab.exec("vr1", own)).stdout).toBe(before);
  const left = await lab.exec(
    "vr1",
    "ip -6 addr; ip -6 route; nft list table inet vpc6; find /etc/vpc6/live/files -type f -exec cat {} +",
  );
  expect(left.stdout).not.toMatch(/cache0 inet6 2001|2001:67c:2834:1::|gone-acl|2001:67c:2834::\/60/);
  expect(await connects("web1", DB1, 9100)).toBe("open");
  expect((await engine.preview({ args: ["--refresh", "--expect-no-changes"] })).code).toBe(0);
  const { code, all: destroyed } = await engine.destroy();
  expect(code, destroyed).toBe(0);
});

test("examples/large-vpc", async () => {
  const text = await readFile(new URL("../../examples/large-vpc/index.ts", import.meta.url), "utf8");
  const { VR1_HOST = "", VR1_HOST_KEY = "" } = await lab.env();
  await engine.config("vr1Host", VR1_HOST);
  await engine.config("vr1HostKey", VR1_HOST_KEY);
  const vlans = (
    await lab.exec("vr1", "ip link add link db0 name db0.4094 type vlan id 4094 && ip link del db0.4094", {
      check: false,
    })
  ).code;
  if (vlans !== 0) {
    // The router says so before it changes anything, and what to do.
    await engine.program(text);
    const refused = await engine.up();
    expect(refused.code).not.toBe(0);
    expect(refused.all).toMatch(
      /Tier "team\d\d" was refused(.|\n)*the kernel of this host makes no VLANs, as its module 8021q is missing: install/,
    );
    expect((await lab.exec("vr1", "ip -o link; cat /etc/vpc6/live/files/network")).stdout).not.toContain("db0.1");
  }
  // Then pairs of interfaces are as good, with the teams at the far ends.
  for (let vlan = 101; vlan <= 120; vlan++) {
    await lab.exec("vr1", `ip link add db0.${vlan} type veth peer name team${vlan} && ip link set team${vlan} up`);
  }
  await lab.exec("vr1", "ip netns add team && ip link set team120 netns team && ip -n team link set team120 up");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the program's own
  const named = text.replace('interface: "db0", vlan: 101 + index', "interface: `db0.${101 + index}`");
  expect(named).not.toBe(text);
  await engine.program(named);
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  // What it has from the tests before is the same address.
  await lab.renew("web1");
  await lab.waitForLease("web1", String(await engine.output("address")));
  const gateways = (await engine.output("gateways")) as string[];
  expect(new Set(gateways).size).toBe(20);
  // What a host of the last team learns from its router's advertisements.
  const prefix = String(gateways[19]).replace(/1$/, "/64");
  await lab.until("the last team to hear of its tier", 40_000, async () =>
    (await lab.exec("vr1", "ip -n team -6 route")).stdout.includes(`${prefix} dev team120`),
  );
  expect((await engine.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
  const { code: ended, all: destroyed } = await engine.destroy();
  expect(ended, destroyed).toBe(0);
});
