// What the campaign changes: a network that always stays, and beside it things that come, change and go, as a Pulumi program and
// as the fragments its hooks would send.

import type { Kind } from "../../../provider/kind";
import { bgpPeer } from "../../../provider/kinds/bgp-peer";
import { instance } from "../../../provider/kinds/instance";
import { loadBalancer } from "../../../provider/kinds/load-balancer";
import { nat64 } from "../../../provider/kinds/nat64";
import { networkAcl } from "../../../provider/kinds/network-acl";
import { router } from "../../../provider/kinds/router";
import { tier } from "../../../provider/kinds/tier";
import { vpc } from "../../../provider/kinds/vpc";
import type { Change, Fragments, RouterAddress } from "../../../provider/router/types";
import { revealed } from "../../../provider/secrets";
import { writeWay } from "../../../provider/way";
import { planned, type Values } from "../../unit/check";
import { lab } from "../lab.ts";

/** `base` is what always stays; `more` and `other` are the base and more; `nothing` is before the first run. */
export type Scene = "nothing" | "base" | "more" | "other";

/** Where a campaign is, and what it changes there. */
export interface Ground {
  host: "vr1" | "edge";
  /** The resources of a scene as changes, by id. */
  changes(scene: Scene): Promise<Map<string, Change>>;
}

interface Wording {
  domain: string;
  ports: string;
  weight: number;
  keepalive: number;
  /** NAT64's DNS64: names with these addresses get no other. */
  exclude: string;
  password: string;
}

const wordings: Record<Exclude<Scene, "nothing" | "base">, Wording> = {
  more: {
    domain: "db.shop.internal",
    ports: "5432",
    weight: 1,
    keepalive: 10,
    exclude: "2001:db8:64::/48",
    password: "campaign-db1-first",
  },
  other: {
    domain: "data.shop.internal",
    ports: "5432,5433",
    weight: 7,
    keepalive: 9,
    exclude: "2001:db8:65::/48",
    password: "campaign-db1-other",
  },
};

/** The password of the guest that always stays: a process that serves an old one would be found out. */
export const passwordOf = (scene: Scene): string => (scene === "other" ? "campaign-web1-other" : "campaign-web1-first");

/** Where it asks for it. */
export const GATEWAY = "2001:67c:2834:1::1";

/** What it is told; nothing if nobody answers. */
export async function ask(): Promise<string> {
  const header = "DomU_Request: send_my_password";
  const asking = ["wget", "-q", "-t", "1", "-T", "2", "-O", "-", "--header", header, `http://[${GATEWAY}]:8080`];
  return (await lab.exec("web1", asking, { check: false })).stdout;
}

export const SUPER = "2001:67c:2834::/50";
export const PUBLIC = { cidr: "2001:db8:ffff::/64" };
const MACS: Record<string, string> = { web1: "02:00:00:00:01:11", db1: "02:00:00:00:02:11" };

/** Adds a resource, planned as its `check` hook would, and with its secrets. */
export const adding =
  (found: Map<string, Change>) =>
  async <A>(kind: Kind<A>, args: Values): Promise<void> => {
    const inputs = (await planned(kind.type as never, args)) as never;
    const id = kind.identify(inputs);
    const { fragments } = inputs as { fragments: Fragments };
    const all = { ...fragments, ...revealed(inputs, fragments) };
    found.set(id, { id, label: `${kind.type} ${kind.describe(inputs)}`, fragments: all });
  };

/** `managed`: the link of the login is vpc6's too, so that each change must be confirmed over a fresh connection. */
export const routerGround = (address: RouterAddress, { managed = false } = {}): Ground => ({
  host: "vr1",
  async changes(scene) {
    const found = await changesOf(scene, address);
    if (managed && scene !== "nothing")
      found.set("mgmt", { id: "mgmt", label: "mgmt", fragments: { network: "interface mgmt0\n" } });
    return found;
  },
});

async function changesOf(scene: Scene, address: RouterAddress): Promise<Map<string, Change>> {
  const way = writeWay(address);
  const { name: _, ...hop } = address;
  const cidr = "2001:67c:2834::/60";
  const dbCidr = "2001:67c:2834:2::/64";
  const found = new Map<string, Change>();
  if (scene === "nothing") return found;
  const add = adding(found);
  const tierOf = (claim: string, device: string, domain: string, value: string): Values => ({
    claim,
    interface: device,
    domain,
    claims: [],
    grant: { value },
    vpc: { name: "shop", domain: "shop.internal", ntpServers: [] },
    router: way,
  });
  const instanceOf = (claim: string, device: string, domain: string, value: string, password: string): Values => ({
    claim,
    mac: MACS[claim],
    password,
    grant: { value },
    tier: { interface: device, domain, gateway: value.replace(/::10$/, "::1") },
    router: way,
  });
  await add(router, {
    ...hop,
    claim: "vr1",
    publicInterface: "pub0",
    publicNetwork: PUBLIC,
    addressGrant: { value: "2001:db8:ffff::10" },
  });
  await add(vpc, { claim: "shop", ipv6: true, claims: [], grant: { value: cidr }, router: way });
  await add(tier, tierOf("web", "web0", "web.shop.internal", "2001:67c:2834:1::/64"));
  await add(instance, instanceOf("web1", "web0", "web.shop.internal", "2001:67c:2834:1::10", passwordOf(scene)));
  await add(networkAcl, {
    name: "web",
    tiers: [{ name: "web", interface: "web0", cidr: "2001:67c:2834:1::/64", router: way }],
    preset: "allowAll",
  });
  if (scene === "base") return found;
  const { domain, ports, weight, keepalive, exclude, password } = wordings[scene];
  await add(tier, tierOf("db", "db0", domain, dbCidr));
  await add(instance, instanceOf("db1", "db0", domain, "2001:67c:2834:2::10", password));
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
  await add(nat64, {
    claim: "nat64",
    grant: { value: "2001:67c:2834:0:64::/96" },
    vpc: { cidr, superCidr: SUPER },
    dns64: { exclude: [exclude] },
    router: way,
  });
  await add(bgpPeer, {
    name: "uplink",
    remoteAsn: 65000,
    cidr,
    asn: 4200000000,
    timers: { keepalive, hold: 30, connect: 5 },
    zone: { superCidr: SUPER, publicNetwork: PUBLIC },
    routerAddress: "2001:db8:ffff::10",
    router: way,
  });
  return found;
}

/** The same as a program; `program` in stack.ts brings zone and router. */
export function programOf(scene: Scene): string {
  if (scene === "nothing") return "";
  const base = `
import * as pulumi from "@pulumi/pulumi";
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
new vpc6.Instance("web1", { tier: web, mac: "${MACS.web1}", password: pulumi.secret("${passwordOf(scene)}") });
new vpc6.NetworkAcl("web", { tiers: [web], preset: "allowAll" });
`;
  if (scene === "base") return base;
  const { domain, ports, weight, keepalive, exclude, password } = wordings[scene];
  return `${base}
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", domain: "${domain}" });
const db1 = new vpc6.Instance("db1", { tier: db, mac: "${MACS.db1}", password: pulumi.secret("${password}") });
new vpc6.Nat64("nat64", { vpc: shop, dns64: { exclude: ["${exclude}"] } });
new vpc6.NetworkAcl("db", { tiers: [db], rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "${ports}" }] });
new vpc6.LoadBalancer("sql", { vpc: shop, port: 5432, mode: "tcp", members: [{ instance: db1, port: 5432, weight: ${weight} }] });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000, timers: { keepalive: ${keepalive}, hold: 30, connect: 5 } });
`;
}
