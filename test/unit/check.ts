// What the engine does with a resource before anything is touched: its hooks' `check`, called as the SDK calls it.

import * as all from "../../provider/index";

const provider = { ...all };
export type Kind = keyof typeof provider;
export type Values = Record<string, unknown>;

export async function check(
  kind: Kind,
  news: Values,
  olds: Values = {},
): Promise<{ inputs: Values; reasons: string[] }> {
  const result = await provider[kind].check(olds as never, { ...news } as never);
  const failures = result.failures ?? [];
  for (const { property } of failures) if (property !== "") throw new Error(`a failure names the property ${property}`);
  return { inputs: result.inputs as Values, reasons: failures.map(({ reason }) => reason) };
}

export async function planned(kind: Kind, news: Values, olds: Values = {}): Promise<Values> {
  const { inputs, reasons } = await check(kind, news, olds);
  if (reasons.length > 0) throw new Error(reasons.join("\n"));
  return inputs;
}

export const HOST_KEY = `SHA256:${"A".repeat(43)}`;
export const ROUTER = `vr1 root@192.0.2.1:22 ${HOST_KEY}`;
export const ROUTER_2 = `vr2 root@192.0.2.2:22 ${HOST_KEY}`;

export const arguments_ = {
  Zone: { name: "ams1", superCidr: "2001:67c:2834::/50", claims: [] },
  Router: {
    claim: "vr1",
    host: "192.0.2.1",
    hostKey: HOST_KEY,
    publicInterface: "pub0",
    publicNetwork: { cidr: "2001:db8:ffff::/64" },
    addressGrant: { value: "2001:db8:ffff::10" },
  },
  Vpc: { claim: "shop", ipv6: true, claims: [], grant: { value: "2001:67c:2834::/60" }, router: ROUTER },
  Tier: {
    claim: "web",
    interface: "web0",
    claims: [],
    grant: { value: "2001:67c:2834:1::/64" },
    vpc: { name: "shop", domain: "shop.internal", ntpServers: [] },
    router: ROUTER,
  },
  IsolatedNetwork: {
    claim: "printers",
    interface: "db0",
    claims: [],
    grant: { value: "2001:db8:2800::/64" },
    vpc: { name: "isolated/printers", domain: "internal", ntpServers: [] },
    router: ROUTER,
  },
  Instance: {
    claim: "web1",
    mac: "02:00:00:00:01:11",
    grant: { value: "2001:67c:2834:1::10" },
    tier: { interface: "web0", domain: "web.shop.internal" },
    router: ROUTER,
  },
  SecondaryAddress: {
    claim: "vip",
    guests: [
      { name: "web1", mac: "02:00:00:00:01:11" },
      { name: "web2", mac: "02:00:00:00:01:12" },
    ],
    grant: { value: "2001:67c:2834:1::20" },
    tier: { interface: "web0", domain: "web.shop.internal" },
    router: ROUTER,
  },
  ExternalNetwork: { name: "offices", entries: ["2001:db8:7::/48", "2001:db8:8::25"] },
  NetworkAcl: {
    name: "web-acl",
    tiers: [{ name: "web", interface: "web0", cidr: "2001:67c:2834:1::/64", router: ROUTER }],
    rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "443" }],
  },
  Nat64: {
    claim: "nat64",
    grant: { value: "2001:67c:2834:0:64::/96" },
    vpc: { cidr: "2001:67c:2834::/60", superCidr: "2001:67c:2834::/50" },
    router: ROUTER,
  },
  LoadBalancer: {
    claim: "www",
    port: 80,
    mode: "http",
    members: [
      { instance: { name: "web1", address: "2001:67c:2834:1::10" }, port: 8080 },
      { instance: { name: "web2", address: "2001:67c:2834:1::11" }, port: 8080, weight: 5 },
    ],
    others: [],
    grant: { value: "2001:67c:2834::80" },
    vpc: { cidr: "2001:67c:2834::/60", tiers: ["2001:67c:2834:1::/64"] },
    router: ROUTER,
  },
  BgpPeer: {
    name: "uplink",
    remoteAsn: 65000,
    cidr: "2001:67c:2834:20::/60",
    asn: 4200000000,
    zone: { superCidr: "2001:67c:2834::/50", publicNetwork: { cidr: "2001:db8:ffff::/64" } },
    routerAddress: "2001:db8:ffff::10",
    router: ROUTER,
  },
  Uplink: {
    name: "uplink",
    host: "192.0.2.254",
    hostKey: HOST_KEY,
    asn: 65000,
    sessions: [
      {
        peer: "b",
        router: ROUTER_2,
        address: "2001:db8:ffff::11",
        asn: 4200000001,
        prefixes: ["2001:67c:2834:20::/60"],
      },
      { peer: "a", router: ROUTER, address: "2001:db8:ffff::10", asn: 4200000000, prefixes: ["2001:67c:2834::/60"] },
      {
        peer: "elsewhere",
        router: ROUTER,
        address: "2001:db8:ffff::10",
        asn: 4200000000,
        neighbor: "2001:db8:ffff::9",
        prefixes: ["2001:67c:2834:40::/60"],
      },
    ],
    zone: { superCidr: "2001:67c:2834::/50", publicNetwork: { cidr: "2001:db8:ffff::/64" } },
  },
} satisfies Record<Kind, Values>;
