// The router of the lab that rule.ts, first.ts and losses.ts measure on: booted, with all packages, and converged to a full VPC.

import type { Engine } from "../test/engine/engine.ts";
import { lab } from "../test/lab/lab.ts";
import { program, start } from "../test/lab/stack.ts";
import { type Item, items, useLabKey } from "./hooks.ts";
import { byHand, type Files, type Others, others } from "./others.ts";

/** The program; `port` is in a rule of its access list. */
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
new vpc6.Nat64("nat64", { vpc: shop });
`,
    { routers: { vr1: "adopt: true," }, zone: "asn: 4200000000," },
  );

export interface Live extends AsyncDisposable {
  engine: Engine;
  hand: Others;
  /** What vpc6 had made of the full VPC, as somebody would have written it. */
  files: Files;
  /** The resources as the engine has them now. */
  all(): Promise<Item[]>;
}

export async function live(): Promise<Live> {
  console.log("the lab");
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2", "db1", "cache1");
  const packages = "nftables dnsmasq-base haproxy frr frr-pythontools tayga bind9 python3";
  await lab.exec(
    "vr1",
    `apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install ${packages} && systemctl -q disable --now haproxy frr tayga named`,
    { timeoutMs: 300_000 },
  );
  await lab.exec("uplink", "ip -6 route replace 2001:67c:2834::/60 via 2001:db8:ffff::10");
  // NAT64 leaves by the operator's own IPv4.
  await lab.exec("vr1", ["sh", "-c", "cat >/etc/systemd/network/20-pub0.network && networkctl reload"], {
    input: "[Match]\nName=pub0\n\n[Network]\nAddress=203.0.113.10/24\nGateway=203.0.113.1\nIPv6AcceptRA=no\n",
  });
  await lab.until("vr1's IPv4 route", 10_000, async () =>
    (await lab.exec("vr1", "ip -4 route show default")).stdout.includes("203.0.113.1"),
  );
  await useLabKey();
  const engine = await start();
  await engine.program(await full(8001));
  await must(engine.up());
  const hand = await others();
  return {
    engine,
    hand,
    files: await byHand(),
    all: async () => items(await engine.export()),
    async [Symbol.asyncDispose]() {
      await hand[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      if (!process.env.BENCH_KEEP_LAB) await lab.down();
    },
  };
}

export const named = (all: Item[], name: string, kind?: string): Item => {
  const found = all.find((item) => item.name === name && (kind === undefined || item.kind === kind));
  if (!found) throw new Error(`no ${kind ?? "resource"} ${name}`);
  return found;
};

export async function must(running: ReturnType<Engine["up"]>): Promise<void> {
  const { code, all } = await running;
  if (code !== 0) throw new Error(all);
}
