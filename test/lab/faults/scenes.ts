// What the campaign changes: a network that always stays, and beside it things that come, change and go, as a Pulumi program and
// as the fragments its hooks would send.

import type { Kind } from "../../../provider/kind";
import { bgpPeer } from "../../../provider/kinds/bgp-peer";
import { instance } from "../../../provider/kinds/instance";
import { loadBalancer } from "../../../provider/kinds/load-balancer";
import { networkAcl } from "../../../provider/kinds/network-acl";
import { router } from "../../../provider/kinds/router";
import { tier } from "../../../provider/kinds/tier";
import { vpc } from "../../../provider/kinds/vpc";
import type { Change, RouterAddress } from "../../../provider/router/index";
import { writeWay } from "../../../provider/way";
import { planned, type Values } from "../../unit/check";

/** `base` is what always stays; `more` and `other` are the base and more; `nothing` is before the first run. */
export type Scene = "nothing" | "base" | "more" | "other";

interface Wording {
  domain: string;
  ports: string;
  weight: number;
  keepalive: number;
}

const wordings: Record<Exclude<Scene, "nothing" | "base">, Wording> = {
  more: { domain: "db.shop.internal", ports: "5432", weight: 1, keepalive: 10 },
  other: { domain: "data.shop.internal", ports: "5432,5433", weight: 7, keepalive: 9 },
};

/** The resources of a scene as changes, by id. */
export async function changesOf(scene: Scene, address: RouterAddress): Promise<Map<string, Change>> {
  const way = writeWay(address);
  const { name: _, ...hop } = address;
  const cidr = "2001:67c:2834::/60";
  const dbCidr = "2001:67c:2834:2::/64";
  const found = new Map<string, Change>();
  if (scene === "nothing") return found;
  const add = async <A>(kind: Kind<A>, args: Values): Promise<void> => {
    const inputs = (await planned(kind.type as never, args)) as never;
    const id = kind.identify(inputs);
    const { fragments } = inputs as { fragments: Change["fragments"] };
    found.set(id, { id, label: `${kind.type} ${kind.describe(inputs)}`, fragments });
  };
  const tierOf = (claim: string, device: string, domain: string, value: string): Values => ({
    claim,
    interface: device,
    domain,
    claims: [],
    grant: { value },
    vpc: { name: "shop", domain: "shop.internal", ntpServers: [] },
    router: way,
  });
  const instanceOf = (claim: string, device: string, domain: string, value: string, mac: string): Values => ({
    claim,
    mac,
    grant: { value },
    tier: { interface: device, domain },
    router: way,
  });
  const publicNetwork = { cidr: "2001:db8:ffff::/64" };
  await add(router, {
    ...hop,
    claim: "vr1",
    publicInterface: "pub0",
    publicNetwork,
    addressGrant: { value: "2001:db8:ffff::10" },
  });
  await add(vpc, { claim: "shop", ipv6: true, claims: [], grant: { value: cidr }, router: way });
  await add(tier, tierOf("web", "web0", "web.shop.internal", "2001:67c:2834:1::/64"));
  await add(instance, instanceOf("web1", "web0", "web.shop.internal", "2001:67c:2834:1::10", "02:00:00:00:01:11"));
  await add(networkAcl, {
    name: "web",
    tiers: [{ name: "web", interface: "web0", cidr: "2001:67c:2834:1::/64", router: way }],
    preset: "allowAll",
  });
  if (scene === "base") return found;
  const { domain, ports, weight, keepalive } = wordings[scene];
  await add(tier, tierOf("db", "db0", domain, dbCidr));
  await add(instance, instanceOf("db1", "db0", domain, "2001:67c:2834:2::10", "02:00:00:00:02:11"));
  await add(networkAcl, {
    name: "db",
    tiers: [{ name: "db", interface: "db0", cidr: dbCidr, router: way }],
    rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports }],
  });
  await add(loadBalancer, {
    claim: "sql",
    port: 5432,
    mode: "tcp",
    members: [{ instance: { name: "db1", address: "2001:67c:2834:2::10" }, port: 5432, weight }],
    others: [],
    grant: { value: "2001:67c:2834::80" },
    vpc: { cidr, tiers: [dbCidr] },
    router: way,
  });
  await add(bgpPeer, {
    name: "uplink",
    remoteAsn: 65000,
    cidr,
    asn: 4200000000,
    timers: { keepalive, hold: 30, connect: 5 },
    zone: { superCidr: "2001:67c:2834::/50", publicNetwork },
    routerAddress: "2001:db8:ffff::10",
    router: way,
  });
  return found;
}

/** The same as a program; `program` in stack.ts brings zone and router. */
export function programOf(scene: Scene): string {
  if (scene === "nothing") return "";
  const base = `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.NetworkAcl("web", { tiers: [web], preset: "allowAll" });
`;
  if (scene === "base") return base;
  const { domain, ports, weight, keepalive } = wordings[scene];
  return `${base}
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", domain: "${domain}" });
const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
new vpc6.NetworkAcl("db", { tiers: [db], rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "${ports}" }] });
new vpc6.LoadBalancer("sql", { vpc: shop, port: 5432, mode: "tcp", members: [{ instance: db1, port: 5432, weight: ${weight} }] });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000, timers: { keepalive: ${keepalive}, hold: 30, connect: 5 } });
`;
}
