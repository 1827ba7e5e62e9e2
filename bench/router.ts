// One router: a changed rule, the first converge of a full VPC, and what traffic notices of changes.

import { createRequire } from "node:module";
import type { Engine } from "../test/engine/engine.ts";
import { lab } from "../test/lab/lab.ts";
import { program, start } from "../test/lab/stack.ts";
import { change, createAll, deleteAll, disconnect, type Item, items, useLabKey } from "./hooks.ts";
import { byTurns, ratio, seconds, table, text, verdict } from "./measure.ts";
import { byHand, others } from "./others.ts";

const { Nat64 } = createRequire(import.meta.url)("../dist/resources/index.js") as { Nat64?: unknown };

export const full = (port: number) =>
  program(
    `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", cidr: "2001:67c:2834:1::/64" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", cidr: "2001:67c:2834:2::/64" });
const cache = new vpc6.Tier("cache", { vpc: shop, interface: "cache0", cidr: "2001:67c:2834:3::/64" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });
const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
new vpc6.Instance("cache1", { tier: cache, mac: "02:00:00:00:03:11" });
new vpc6.NetworkAcl("web-acl", { tiers: [web], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "80,443,9100,9200" },
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "${port}" },
  { direction: "egress", action: "allow", protocol: "all" },
] });
new vpc6.NetworkAcl("db-acl", { tiers: [db, cache], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "5432", sources: [web] },
] });
new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", address: "2001:67c:2834::80",
  members: [{ instance: web1, port: 9200 }, { instance: web2, port: 9200 }] });
new vpc6.LoadBalancer("sql", { vpc: shop, port: 5432, mode: "tcp", members: [{ instance: db1, port: 5432 }] });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000, acceptDefault: true });
`,
    { routers: { vr1: "adopt: true," }, zone: "asn: 4200000000," },
  );

export interface Pages {
  rule: string;
  first: string;
  losses: string;
  targets: string[][];
}

const named = (all: Item[], name: string, kind?: string): Item => {
  const found = all.find((item) => item.name === name && (kind === undefined || item.kind === kind));
  if (!found) throw new Error(`no ${kind ?? "resource"} ${name}`);
  return found;
};

/** `repetitions` of each; `changes` of each kind while packets and requests are counted. */
export async function router(repetitions: number, changes: number): Promise<Pages> {
  console.log("the lab");
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2", "db1", "cache1");
  const packages = "nftables dnsmasq-base haproxy frr frr-pythontools python3";
  await lab.exec(
    "vr1",
    `apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install ${packages} && systemctl -q disable --now haproxy frr`,
    { timeoutMs: 300_000 },
  );
  await lab.exec("uplink", "ip -6 route replace 2001:67c:2834::/60 via 2001:db8:ffff::10");
  await useLabKey();
  await using engine = await start();
  await engine.program(await full(8001));
  await must(engine.up());
  const all = items(await engine.export());
  await using hand = await others();
  const files = await byHand();

  console.log("one rule");
  const acl = named(all, "web-acl");
  let port = 8001;
  const next = async () => change(acl, new RegExp(`\\b${port}\\b`, "g"), String(++port));
  const rules = (turn: number) => (files["/etc/bench/nftables"] ?? "").replace(/\b8001\b/, String(8101 + turn));
  await next();
  await hand.ansible(rules(99));
  const rule = await byTurns(repetitions, {
    open: next,
    connect: async () => {
      disconnect();
      await next();
    },
    ssh: (turn) => hand.ssh(rules(3 * turn)),
    master: (turn) => hand.sshOpen(rules(3 * turn + 1)),
    ansible: (turn) => hand.ansible(rules(3 * turn + 2)),
  });
  disconnect();

  console.log("a whole pulumi up of one rule");
  let fromEngine = 9000;
  const whole = async (...args: string[]) => {
    await engine.program(await full(++fromEngine));
    const began = performance.now();
    await must(engine.run(["up", "--yes", ...args]));
    return (performance.now() - began) / 1000;
  };
  await whole("--skip-preview");
  const ups = await byTurns(repetitions, {
    up: () => whole("--skip-preview"),
    both: () => whole(),
    ansible: (turn) => hand.ansible(rules(200 + turn)),
  });
  await lab.exec("vr1", "nft delete table inet bench; rm -f /etc/bench.nft*");

  console.log("losses");
  const losses = await count(items(await engine.export()), changes);

  console.log("first converge");
  disconnect();
  const first = items(await engine.export());
  await deleteAll(first);
  await lab.exec("vr1", "systemctl stop frr haproxy; true");
  const timed = async (run: () => Promise<void>) => {
    const began = performance.now();
    await run();
    return (performance.now() - began) / 1000;
  };
  const firsts = await byTurns(Math.max(3, Math.ceil(repetitions / 2)), {
    vpc6: async () => {
      const took = await timed(() => createAll(first));
      await deleteAll(first);
      disconnect();
      return took;
    },
    ssh: async () => {
      const took = await timed(() => hand.sshAll(files));
      await hand.clear();
      await lab.exec("vr1", "systemctl stop frr");
      return took;
    },
    ansible: async () => {
      const took = await timed(() => hand.ansibleAll(files));
      await hand.clear();
      await lab.exec("vr1", "systemctl stop frr");
      return took;
    },
  });

  const against = (base: { median: number }) => (it: { median: number }) => seconds(it.median / base.median);
  const toSsh = against(rule.ssh);
  return {
    rule: `${table(
      ["one rule changed", "median (least–most)", "÷ ssh"],
      [
        ["vpc6, connection open", text(rule.open), toSsh(rule.open)],
        ["vpc6, with connecting", text(rule.connect), toSsh(rule.connect)],
        ["`ssh router sh -s`", text(rule.ssh), toSsh(rule.ssh)],
        ["the same over an open connection (ControlMaster)", text(rule.master), toSsh(rule.master)],
        ["`ansible-playbook`", text(rule.ansible), toSsh(rule.ansible)],
      ],
    )}\n\n${table(
      ["one rule changed, the whole program", "median (least–most)", "÷ playbook"],
      [
        ["`pulumi up --yes --skip-preview`", text(ups.up), against(ups.ansible)(ups.up)],
        ["`pulumi up --yes` (preview and update)", text(ups.both), against(ups.ansible)(ups.both)],
        ["`ansible-playbook`", text(ups.ansible), "1.00"],
      ],
    )}`,
    first: table(
      ["first converge", "median (least–most)", "÷ playbook"],
      [
        ["vpc6 (hooks, as the engine calls them)", text(firsts.vpc6), against(firsts.ansible)(firsts.vpc6)],
        ["`ssh router sh -s`, one connection", text(firsts.ssh), against(firsts.ansible)(firsts.ssh)],
        ["`ansible-playbook`", text(firsts.ansible), "1.00"],
      ],
    ),
    losses: losses.page,
    targets: [
      verdict("one rule, vpc6 with connecting ÷ hand-written ssh", ratio(rule.connect, rule.ssh), 1),
      verdict("one rule, vpc6 on an open connection ÷ ssh on an open connection", ratio(rule.open, rule.master), 1),
      verdict("one rule, vpc6 with connecting ÷ Ansible", ratio(rule.connect, rule.ansible), 0.2),
      verdict("first converge, vpc6 ÷ Ansible", ratio(firsts.vpc6, firsts.ansible), 0.25),
      verdict("`pulumi up --skip-preview` of one rule ÷ the playbook", ratio(ups.up, ups.ansible), 1),
      verdict("packets and requests lost", losses.lost, 0),
    ],
  };
}

export const hasNat64 = Nat64 !== undefined;

async function must(running: ReturnType<Engine["up"]>): Promise<void> {
  const { code, all } = await running;
  if (code !== 0) throw new Error(all);
}

/** Pings of 100 a second and one HTTP request after the other through a load balancer, while the hooks change things around them. */
async function count(all: Item[], changes: number): Promise<{ page: string; lost: number }> {
  await using stack = new AsyncDisposableStack();
  for (const host of ["web1", "web2"] as const) {
    await lab.waitForLease(host, host === "web1" ? "2001:67c:2834:1::10" : undefined, 60_000);
    await lab.waitForGateway(host);
    stack.use(lab.background(host, "mkdir -p /tmp/www && cd /tmp/www && exec python3 -m http.server 9200 --bind ::"));
  }
  const get = "curl -s -o /dev/null -m 5 -w '%{http_code}\\n' 'http://[2001:67c:2834::80]/'";
  await lab.until(
    "the balancer",
    30_000,
    async () => (await lab.exec("internet", get, { check: false })).stdout === "200\n",
  );
  const flip = (name: string, from: RegExp, to: [string, string]) => {
    let turn = 0;
    return () => change(named(all, name), from, to[turn++ % 2] ?? "");
  };
  const kinds: Record<string, () => Promise<void>> = {
    "a rule of the access list": flip("web-acl", /\b(90\d\d|7001|7002)\b/g, ["7001", "7002"]),
    "the weight of a member": flip("www", /weight [123]/, ["weight 2", "weight 3"]),
    "the name of an instance": flip("cache1", /\b(cache1|other)\b/g, ["other", "cache1"]),
    "the timers of the peer": flip("uplink", /timers 1\d 30/, ["timers 11 30", "timers 12 30"]),
  };
  const rows: string[][] = [];
  let lost = 0;
  for (const [what, run] of Object.entries(kinds)) {
    const ping = lab.background("internet", ["ping", "-n", "-q", "-i", "0.01", "2001:67c:2834:1::10"]);
    const requests = lab.background("internet", `trap 'exit 0' INT; while :; do ${get}; done`);
    const began = performance.now();
    for (let n = 0; n < changes; n++) await run();
    const each = (performance.now() - began) / 1000 / changes;
    const pinged = await ping.stop();
    const asked = await requests.stop();
    const [, sent = 0, back = 0] = (/(\d+) packets transmitted, (\d+) received/.exec(pinged.stdout) ?? []).map(Number);
    const answers = asked.stdout.trim().split("\n");
    const bad = answers.filter((code) => code !== "200").length;
    // The last packet may be under way when ping is stopped.
    const missing = Math.max(0, sent - back - 1);
    lost += missing + bad;
    rows.push([what, String(changes), seconds(each), `${missing} of ${sent}`, `${bad} of ${answers.length}`]);
    console.log(`  ${rows.at(-1)?.join(", ")}`);
  }
  return { page: table(["changed", "times", "seconds each", "pings lost", "requests failed"], rows), lost };
}
