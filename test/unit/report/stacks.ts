// Stacks of any size for pictures and reports, as exports: what the kinds themselves make of their arguments, so that every ledger
// and every fragment in them is a real one.

import { allocate, type Claim } from "../../../provider/addressing/allocate";
import type { PoolSpec } from "../../../provider/addressing/allotment";
import { lookup } from "../../../provider/addressing/ledger";
import { type Prefix, parsePrefix } from "../../../provider/addressing/prefix";
import type { Inputs, Kind } from "../../../provider/kind";
import { instance } from "../../../provider/kinds/instance";
import { router } from "../../../provider/kinds/router";
import { tier } from "../../../provider/kinds/tier";
import { vpc } from "../../../provider/kinds/vpc";
import { zone } from "../../../provider/kinds/zone";

const HOST_KEY = `SHA256:${"A".repeat(43)}`;

export interface VpcWish {
  name: string;
  router?: string;
  /** Where it is not the zone's. */
  cidr?: string;
  tiers?: Record<string, number>;
}
export interface Wish {
  superCidr: string;
  vpcs: readonly VpcWish[];
  /** Names that had a prefix once. */
  gone?: readonly string[];
  reserved?: readonly string[];
}

export interface ExportedResource {
  urn: string;
  type: string;
  custom: true;
  id: string;
  inputs: Inputs;
  outputs: object;
  dependencies: string[];
  protect?: boolean;
}

const urn = (kind: string, name: string) => `urn:pulumi:dev::test::pulumi-nodejs:dynamic/vpc6:${kind}::${name}`;

/** What a kind's own plan gives, of a resource in a stack. */
export function planned<A>(
  kind: Kind<A>,
  name: string,
  args: object,
  old?: Inputs,
  dependencies: string[] = [],
): ExportedResource {
  const failures: string[] = [];
  const fail = (reason: string) => void failures.push(reason);
  const checked = kind.shape(JSON.parse(JSON.stringify(args)), "", fail);
  const inputs = failures.length === 0 ? kind.plan(checked, old, fail) : {};
  if (failures.length > 0) throw new Error(`${kind.type} ${name}: ${failures.join("; ")}`);
  const clean = JSON.parse(JSON.stringify(inputs)) as Inputs;
  return {
    urn: urn(kind.type, name),
    type: `pulumi-nodejs:dynamic/vpc6:${kind.type}`,
    custom: true,
    id: kind.identify(clean),
    inputs: clean,
    outputs: { live: "as applied" },
    dependencies,
  };
}

export function exported({ superCidr, vpcs, gone = [], reserved = [] }: Wish): ExportedResource[] {
  const routers = [...new Set(vpcs.map((it) => it.router ?? "vr1"))];
  const claim =
    (kind: string) =>
    (name: string): Claim => ({ kind, name, was: [] });
  const common = {
    name: "ams1",
    superCidr,
    asnRange: "4200000000-4200000999",
    publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::fff" },
  };
  const claims: Claim[] = [
    ...routers.flatMap((name) => [claim("router")(name), claim("asn")(name)]),
    ...vpcs.map(({ name, cidr }) => ({
      ...claim("vpc")(name),
      ...(cidr !== undefined && { value: cidr, length: Number(cidr.split("/")[1]) }),
    })),
    ...reserved.map(claim("vpc")),
  ];
  // The kind takes one length for all VPCs; the allocator takes any.
  const within = (text: string) => parsePrefix(text) as Prefix;
  const pools: PoolSpec[] = [
    {
      kind: "vpc",
      what: "VPC prefix",
      plural: "VPC prefixes",
      format: "prefix",
      within: within(superCidr),
      length: 60,
      container: "super CIDR",
    },
    {
      kind: "router",
      what: "public address",
      plural: "public addresses",
      format: "address",
      within: within("2001:db8:ffff::100/120"),
    },
    { kind: "asn", what: "AS number", plural: "AS numbers", format: "number", first: 4200000000n, last: 4200000999n },
  ];
  const before = allocate(pools, undefined, [...claims, ...gone.map(claim("vpc"))]);
  const { ledger, failures } = allocate(pools, before.ledger, claims);
  if (failures.length > 0 || /^refused/m.test(ledger)) throw new Error(`${failures.join("; ")}\n${ledger}`);
  const bare = planned(zone, "ams1", { ...common, claims: [] });
  const own = { ...bare, inputs: { ...bare.inputs, ledger } };
  const grant = (parent: ExportedResource, kind: string, name: string) =>
    lookup(String(parent.inputs.ledger), kind, name);
  const made = new Map(
    routers.map((name) => {
      const args = {
        claim: name,
        host: "192.0.2.1",
        hostKey: HOST_KEY,
        publicInterface: "pub0",
        publicNetwork: common.publicNetwork,
        zoneAsnRange: common.asnRange,
      };
      return [
        name,
        planned(
          router,
          name,
          { ...args, addressGrant: grant(own, "router", name), asnGrant: grant(own, "asn", name) },
          undefined,
          [own.urn],
        ),
      ];
    }),
  );
  const resources = [own, ...made.values()];
  let mac = 0;
  for (const { name, router: on = "vr1", tiers = {} } of vpcs) {
    const parent = made.get(on);
    const tierClaims = Object.keys(tiers).map(claim("tier"));
    const way = String(parent?.inputs.router);
    const net = planned(
      vpc,
      name,
      {
        claim: name,
        ipv6: true,
        router: way,
        grant: grant(own, "vpc", name),
        claims: tierClaims,
      },
      undefined,
      [own.urn, parent?.urn ?? ""],
    );
    resources.push(net);
    for (const [tierName, guests] of Object.entries(tiers)) {
      const names = Array.from({ length: guests }, (_, number) => `${name}-${tierName}${number + 1}`);
      const sub = planned(
        tier,
        `${name}-${tierName}`,
        {
          claim: tierName,
          interface: `if${resources.length}`.slice(0, 15),
          vpc: { name: "shop", domain: String(net.inputs.domain), ntpServers: [] },
          router: way,
          grant: grant(net, "tier", tierName),
          claims: names.map(claim("instance")),
        },
        undefined,
        [net.urn],
      );
      resources.push(sub);
      for (const guest of names) {
        const address = (mac++)
          .toString(16)
          .padStart(8, "0")
          .replace(/(..)(?=.)/g, "$1:");
        const args = {
          claim: guest,
          mac: `02:00:${address}`,
          tier: { interface: String(sub.inputs.interface), domain: String(sub.inputs.domain) },
          router: way,
        };
        resources.push(
          planned(instance, guest, { ...args, grant: grant(sub, "instance", guest) }, undefined, [sub.urn]),
        );
      }
    }
  }
  return resources;
}

export const exportOf = (wish: Wish): string =>
  JSON.stringify({ version: 3, deployment: { resources: exported(wish) } });

const NAMES = [
  "shop",
  "blog",
  "erp",
  "mail",
  "crm",
  "wiki",
  "git",
  "ci",
  "media",
  "auth",
  "search",
  "billing",
  "stats",
  "backup",
  "voip",
  "lab",
  "stage",
  "legacy",
  "partner",
  "dmz",
];

/** One VPC; twenty of many lengths; a full zone of 1,024. */
export const sizes = {
  one: { superCidr: "2001:67c:2834::/50", vpcs: [{ name: "shop", tiers: { web: 2, db: 1 } }] },
  twenty: {
    superCidr: "2001:67c:2834::/48",
    vpcs: NAMES.map((name, index) => ({
      name,
      router: `vr${1 + (index % 3)}`,
      tiers: Object.fromEntries(
        Array.from({ length: index === 13 || index === 14 ? 1 : 1 + (index % 5) }, (_, t) => [
          ["web", "app", "db", "cache", "mgmt"][t] ?? "",
          t + 1,
        ]),
      ),
      ...({
        7: { cidr: "2001:67c:2834:200::/56" },
        11: { cidr: "2001:67c:2834:300::/58" },
        13: { cidr: "2001:67c:2834:340::/62" },
        14: { cidr: "2001:67c:2834:344::/63" },
        15: { cidr: "2001:67c:2834:8000::/52" },
      }[index] ?? {}),
    })),
    gone: ["old-shop", "old-blog"],
    reserved: ["future"],
  },
  full: {
    superCidr: "2001:67c:2834::/50",
    vpcs: Array.from({ length: 1016 }, (_, index) => ({
      name: `${NAMES[index % 20]}${Math.floor(index / 20) || ""}`,
      router: `vr${1 + (index % 8)}`,
      tiers: Object.fromEntries(Array.from({ length: index % 4 }, (_, t) => [["web", "app", "db"][t] ?? "", 0])),
    })),
    gone: ["old1", "old2", "old3"],
    reserved: ["future", "later"],
  },
} satisfies Record<string, Wish>;
