// Access lists on the wire: two VPCs of two tiers on two routers and a host behind the uplink, each asked whether it reaches each.

import { afterAll, beforeAll, expect, test } from "vitest";
import { NetworkAcl } from "../../provider/index";
import { converge, disconnect } from "../../provider/router/index";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Host, lab } from "./lab.ts";
import { address } from "./router/vr1.ts";
import { capture, connects, lostSegments, program, routeOnUplink, sendProtocols, startInProcess } from "./stack.ts";

const ADDRESS = {
  web1: "2001:67c:2834:2::10",
  db1: "2001:67c:2834:1::10",
  app1: "2001:67c:2834:12::10",
  api1: "2001:67c:2834:11::10",
  internet: "2001:db8:1::80",
} as const;
type Place = keyof typeof ADDRESS;
const PLACES = Object.keys(ADDRESS) as Place[];

/** So many changes of a list beside a flow: each length of it twice. `make test-undisturbed` does 50. */
const EDITS = Number(process.env.VPC6_EDITS ?? 14);

let engine: InProcess;
let servers: Background[] = [];

const stack = (lists: string): Promise<string> =>
  program(`
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const labs = new vpc6.Vpc("labs", { zone, router: vr2, cidr: "2001:67c:2834:10::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });
const app = new vpc6.Tier("app", { vpc: labs, interface: "app0" });
const api = new vpc6.Tier("api", { vpc: labs, interface: "api0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
const app1 = new vpc6.Instance("app1", { tier: app, mac: "02:00:00:00:04:11" });
const api1 = new vpc6.Instance("api1", { tier: api, mac: "02:00:00:00:05:11" });
const outside = new vpc6.ExternalNetwork("outside", { entries: ["2001:db8:1::/64", "2001:db8:7::/48"] });
${lists}`);

async function up(lists: string): Promise<void> {
  await engine.program(await stack(lists));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
}

/** All pairs between which a new TCP connection is answered, as `from > to`; all others are filtered. */
async function open(port = 9100): Promise<string[]> {
  const pairs = PLACES.flatMap((from) => PLACES.filter((to) => to !== from).map((to) => [from, to] as const));
  const answers = await Promise.all(
    pairs.map(async ([from, to]) => [`${from} > ${to}`, await connects(from, ADDRESS[to], port)] as const),
  );
  for (const [pair, answer] of answers) expect(answer, pair).not.toBe("refused");
  return answers.filter(([, answer]) => answer === "open").map(([pair]) => pair);
}

/** How many of two pings are answered. */
const pings = async (from: Host, to: Place): Promise<number> =>
  (await lab.ping(from, ADDRESS[to], { count: 2 })).received;

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "vr2", "web1", "db1", "app1", "api1");
  await routeOnUplink();
  await routeOnUplink("2001:67c:2834:10::/60", "2001:db8:ffff::11");
  engine = await startInProcess();
  await up("");
  await Promise.all((["web1", "db1", "app1", "api1"] as const).map((guest) => lab.ready(guest, ADDRESS[guest])));
  for (const host of PLACES) {
    servers.push(lab.background(host, "exec socat -u TCP6-LISTEN:9100,fork,reuseaddr OPEN:/dev/null"));
    servers.push(lab.background(host, "exec socat TCP6-LISTEN:9200,fork,reuseaddr EXEC:cat"));
    await lab.until(`${host} to listen`, 10_000, async () => (await connects(host, "::1", 9200)) === "open");
  }
});

afterAll(async () => {
  disconnect();
  for (const server of servers) await server.stop();
  servers = [];
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

const WEB = `new vpc6.NetworkAcl("web-acl", { tiers: [web], rules: [
  { direction: "ingress", action: "deny", protocol: "all", sources: [api1] },
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "9000-9199", sources: [outside, app, api] },
  { direction: "egress", action: "allow", protocol: "tcp", ports: "9100", sources: [db, api] },
  { direction: "egress", action: "deny", protocol: "icmpv6", icmpType: 128, sources: [db1] },
] });`;
const DB = `new vpc6.NetworkAcl("db-acl", { tiers: [db], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "9100,5432", sources: [web] },
] });`;
const LABS = `new vpc6.NetworkAcl("labs-acl", { tiers: [app, api], rules: [
  { direction: "egress", action: "allow", protocol: "all" },
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "9100", sources: [app, api] },
] });`;

test("without a list nothing but echo passes", async () => {
  expect(await open()).toEqual([]);
  expect(await pings("web1", "db1")).toBe(2);
  expect(await pings("internet", "app1")).toBe(2);
});

test("lists open what they say: the egress list of one tier and the ingress list of the other, in their order", async () => {
  await up(WEB + DB + LABS);
  // From api1 to web1 the first rule denies what the second would allow; web1 may leave for api1 but may not enter there.
  expect(await open()).toEqual([
    "web1 > db1",
    "app1 > web1",
    "app1 > api1",
    "app1 > internet",
    "api1 > app1",
    "api1 > internet",
    "internet > web1",
  ]);
  expect(await open(9200)).toEqual(["app1 > internet", "api1 > internet"]);
});

test("ICMPv6: a rule governs echo, all of a protocol includes it, errors pass whatever the rules", async () => {
  expect(await pings("web1", "db1")).toBe(0);
  expect(await pings("db1", "web1")).toBe(2);
  expect(await pings("api1", "web1")).toBe(0);
  expect(await pings("internet", "db1")).toBe(2);
  // Packet too big reaches web1, whose list allows no ICMPv6 by name, for a connection that it was asked for.
  await lab.exec("uplink", "ip link set inet0 mtu 1400");
  await lab.exec("internet", "ip link set inet0 mtu 1400");
  try {
    await lab.exec("web1", ["ping", "-n", "-c", "2", "-W", "1", "-M", "do", "-s", "1440", ADDRESS.internet], {
      check: false,
    });
    expect((await lab.exec("web1", `ip -6 route get ${ADDRESS.internet}`)).stdout).toContain("mtu 1400");
  } finally {
    await lab.exec("uplink", "ip link set inet0 mtu 1500");
    await lab.exec("internet", "ip link set inet0 mtu 1500");
  }
});

test("a preview shows the one line that changes, and it takes effect; the order counts", async () => {
  const more = '{ direction: "ingress", action: "deny", protocol: "tcp", ports: "9100", sources: [app1] },';
  const changed = WEB.replace("rules: [", `rules: [\n  ${more}`) + DB + LABS;
  await engine.program(await stack(changed));
  const { code, all } = await engine.preview({ args: ["--diff"] });
  expect(code, all).toBe(0);
  const lines = all.split("\n").filter((line) => /^\s*[+-] /.test(line) && !/pulumi|Stack/.test(line));
  expect(lines.map((line) => line.trim().replace(/\s+/g, " "))).toEqual([
    `+ tcp dport 9100 ip6 saddr ${ADDRESS.app1} drop`,
  ]);
  await up(changed);
  expect(await connects("app1", ADDRESS.web1, 9100)).toBe("filtered");
  // Behind the rule that allows it, it is of no effect.
  await up(WEB.replace("] });", `  ${more}\n] });`) + DB + LABS);
  expect(await connects("app1", ADDRESS.web1, 9100)).toBe("open");
});

test("an established flow and a ping of 100/s lose nothing while another list is changed again and again", async () => {
  const router = await address();
  await using ping = lab.pinging("internet", ADDRESS.web1, 0.01);
  await using flow = lab.background("internet", `while sleep 0.02; do echo x; done | nc -6 -n ${ADDRESS.web1} 9100`);
  const flows = async () => (await lab.exec("internet", "ss -Htn state established dport = :9100")).stdout.trim();
  await lab.until("the flow", 10_000, async () => (await flows()) !== "");
  const before = { lost: await lostSegments("internet"), flow: (await flows()).split(/\s+/)[2] };
  const bytes = async () =>
    Number(
      /bytes_acked:(\d+)/.exec((await lab.exec("internet", "ss -Htni state established dport = :9100")).stdout)?.[1],
    );
  const sent = await bytes();
  for (let edit = 0; edit < EDITS; edit++) {
    const given = {
      name: "edited",
      tiers: [{ name: "cache", interface: "cache0", cidr: "2001:67c:2834:3::/64", router: "vr1 root@192.0.2.1:22 x" }],
      rules: Array.from({ length: 1 + (edit % 7) }, (_, index) => ({
        direction: "ingress",
        action: "allow",
        protocol: "tcp",
        ports: String(1000 + edit + index),
      })),
    };
    const { inputs, failures } = await NetworkAcl.check({} as never, given as never);
    expect(failures).toEqual([]);
    const report = await converge(router, { id: "edited@acl", label: "edited", fragments: inputs?.fragments ?? null });
    expect(report.changed).toEqual(["nftables"]);
  }
  expect((await flows()).split(/\s+/)[2]).toBe(before.flow);
  expect(await bytes()).toBeGreaterThan(sent);
  expect(await lostSegments("internet")).toBe(before.lost);
  await converge(router, { id: "edited@acl", label: "edited", fragments: null });
  await flow.stop();
  const { sent: requests, received: answers } = await lab.pinged(ping, 300);
  // The last one may be under way when ping is stopped.
  expect(answers).toBeGreaterThanOrEqual(requests - 1);
});

test("a deleted list closes its tier; another in its place takes over at once; egressOnly lets out and not in", async () => {
  await up(`${LABS}new vpc6.NetworkAcl("out", { tiers: [web, db], preset: "egressOnly" });`);
  expect(await open()).toEqual([
    "web1 > internet",
    "db1 > internet",
    "app1 > api1",
    "app1 > internet",
    "api1 > app1",
    "api1 > internet",
  ]);
  expect((await lab.exec("vr1", "nft list table inet vpc6")).stdout).not.toMatch(/web-acl|db-acl/);
  await up(LABS);
  expect((await open()).filter((pair) => /^(web1|db1)/.test(pair))).toEqual([]);
});

test("a group of 2,000 networks, logging, comments and UDP", async () => {
  const group = `new vpc6.ExternalNetwork("many", { entries: ["2001:db8:1::80",
    ...Array.from({ length: 2000 }, (_, n) => "2001:db9:" + n.toString(16) + "::/48")] })`;
  const rules = `
    { direction: "ingress", action: "deny", protocol: "tcp", ports: "9200", sources: [many], log: true },
    { direction: "ingress", action: "allow", protocol: "tcp", sources: [many], log: true, description: "all but the echo" },
    { direction: "ingress", action: "allow", protocol: "udp", ports: "9300", sources: [many] },`;
  await up(`const many = ${group}; new vpc6.NetworkAcl("big", { tiers: [web], rules: [${rules}] });`);
  expect(await connects("internet", ADDRESS.web1, 9200)).toBe("filtered");
  expect(await connects("internet", ADDRESS.web1, 9100)).toBe("open");
  expect(await connects("app1", ADDRESS.web1, 9100)).toBe("filtered");
  await using receiver = lab.background("web1", "exec socat -u UDP6-RECV:9300 STDOUT");
  await using stranger = lab.background("web1", "exec socat -u UDP6-RECV:9301 STDOUT");
  await lab.until("UDP to arrive", 10_000, async () => {
    for (const port of [9301, 9300]) await lab.exec("internet", `echo hello | nc -6 -u -w 1 ${ADDRESS.web1} ${port}`);
    return receiver.stdout.includes("hello");
  });
  expect(stranger.stdout).toBe("");
  const rule = (await lab.exec("vr1", "nft list chain inet vpc6 big/web0/log-deny")).stdout;
  expect(rule).toContain('limit rate 10/second burst 20 packets log prefix "vpc6 big deny: "');
});

test("1,000 rules on each of 15 tiers load together, and a packet does not walk those of others", async () => {
  const router = await address();
  const lists = await Promise.all(Array.from({ length: 15 }, (_, n) => thousand(n)));
  const reports = await Promise.all(
    lists.map((fragments, n) => converge(router, { id: `many${n}@acl`, label: `many${n}`, fragments })),
  );
  expect(reports.map(({ changed }) => changed)).toContainEqual(["nftables"]);
  const { stdout } = await lab.exec("vr1", "nft list table inet vpc6");
  expect(stdout.match(/tcp dport \d+ ip6 saddr 2001:db8:[0-9a-f:/]+ drop/g)).toHaveLength(15_000);
  // All that is walked without a look-up: one rule to leave the chain for the interface's own.
  expect((await lab.exec("vr1", "nft list chain inet vpc6 to_tier")).stdout).toMatch(
    /to_tier \{\s+oifname vmap @ingress\s+goto unmatched\s+\}/,
  );
  expect(await connects("internet", ADDRESS.web1, 9100)).toBe("open");
  await Promise.all(lists.map((_, n) => converge(router, { id: `many${n}@acl`, label: `many${n}`, fragments: null })));
});

async function thousand(n: number) {
  const given = {
    name: `many${n}`,
    tiers: [{ name: `t${n}`, interface: `t${n}`, cidr: `2001:67c:2835:${n}::/64`, router: "vr1 root@192.0.2.1:22 x" }],
    rules: Array.from({ length: 1000 }, (_, index) => ({
      direction: "ingress",
      action: "deny",
      protocol: "tcp",
      ports: String(1 + index),
      cidrs: [`2001:db8:${index.toString(16)}::/48`],
    })),
  };
  const { inputs, failures } = await NetworkAcl.check({} as never, given as never);
  expect(failures).toEqual([]);
  return inputs?.fragments ?? null;
}

test("allowAll and denyAll", async () => {
  await up(
    `new vpc6.NetworkAcl("all", { tiers: [web], preset: "allowAll" });` +
      `new vpc6.NetworkAcl("none", { tiers: [db], preset: "denyAll" });`,
  );
  expect(await open()).toEqual(["web1 > internet", "internet > web1"]);
  expect(await pings("internet", "db1")).toBe(2);
});

test("other protocols, by name and by number, between two tiers", async () => {
  await up(`new vpc6.NetworkAcl("web-acl", { tiers: [web], rules: [
    { direction: "ingress", action: "allow", protocol: "gre", sources: [db1] },
    { direction: "ingress", action: "allow", protocol: "sctp", ports: "36412", sources: [db] },
    { direction: "ingress", action: "allow", protocol: "ah" },
    { direction: "ingress", action: "allow", protocol: "udp", ports: "9300" },
    { direction: "ingress", action: "allow", protocol: 253 },
  ] }); new vpc6.NetworkAcl("db-acl", { tiers: [db], rules: [
    { direction: "egress", action: "deny", protocol: 254 },
    { direction: "egress", action: "allow", protocol: "all" },
  ] });`);
  const seen = (text: string) => text.match(/GREv0|ESP|AH|\d+: (?:sctp|UDP)(?!, length 0)|ip-proto-\d+/g);
  const all = [
    ...([
      [47, 0],
      [50, 0],
      [51, 9301],
      [132, 36412],
      [132, 36413],
      [60, 9300],
      [60, 9301],
      [254, 0],
    ] as const),
    // The last one passes: those before it are through, or never will be.
    [253, 0],
  ] as const;
  await using arriving = await capture("web1", "eth0", `src ${ADDRESS.db1} and not icmp6`);
  await sendProtocols("db1", ADDRESS.web1, ...all);
  await lab.until("the last packet", 10_000, async () => arriving.stdout.includes("ip-proto-253"));
  expect(seen(arriving.stdout), arriving.stdout).toEqual(["GREv0", "AH", "36412: sctp", "9300: UDP", "ip-proto-253"]);
  // Of web1 nothing leaves but answers; an association that it begins is none.
  await using answers = await capture("db1", "eth0", `src ${ADDRESS.web1} and not icmp6`);
  await sendProtocols("web1", ADDRESS.db1, [47, 0], [50, 0], [89, 0], [132, 36412], [253, 0]);
  await lab.until("the last answer", 10_000, async () => answers.stdout.includes("ip-proto-253"));
  expect(seen(answers.stdout), answers.stdout).toEqual(["GREv0", "ip-proto-253"]);
});

test("a list whose test fails, and a second list on a tier, fail at preview", async () => {
  const closed = `new vpc6.NetworkAcl("web-acl", { tiers: [web], rules: [
    { direction: "ingress", action: "deny", protocol: "tcp", ports: "1-1024" },
    { direction: "ingress", action: "allow", protocol: "tcp" },
  ], tests: [{ from: outside, to: web1, protocol: "tcp", port: 443, expect: "allow" }] });`;
  await engine.program(await stack(closed));
  const failed = await engine.preview();
  expect(failed.code).not.toBe(0);
  expect(failed.all).toContain(
    'tests[0].expect: "allow", but tcp 443 from network "outside" to instance "web1" is denied',
  );
  expect(failed.all).toContain("by rules[0], deny tcp 1-1024 from everywhere");
  await engine.program(await stack(DB + DB.replace("db-acl", "db-too")));
  const twice = await engine.preview();
  expect(twice.code).not.toBe(0);
  expect(twice.all).toContain('NetworkAcl "db-too" and NetworkAcl "db-acl" both name tier "db"');
});
