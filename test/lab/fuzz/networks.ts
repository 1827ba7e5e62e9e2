// Whole networks at random: a router and all that may be on it, each resource with arguments that are right or mutated ones (unit/fuzz),
// and given a place of its own, as its parents would: prefixes, addresses, interfaces. What `check` refuses is left out.

import fc from "fast-check";
import type * as provider from "../../../provider/index";
import type { Fragments, Inputs } from "../../../provider/kind";
import { bgpPeer } from "../../../provider/kinds/bgp-peer";
import { instance } from "../../../provider/kinds/instance";
import { isolatedNetwork } from "../../../provider/kinds/isolated-network";
import { loadBalancer } from "../../../provider/kinds/load-balancer";
import { nat64 } from "../../../provider/kinds/nat64";
import { networkAcl } from "../../../provider/kinds/network-acl";
import { router } from "../../../provider/kinds/router";
import { secondaryAddress } from "../../../provider/kinds/secondary-address";
import { tier } from "../../../provider/kinds/tier";
import { uplink } from "../../../provider/kinds/uplink";
import { vpc } from "../../../provider/kinds/vpc";
import type { Change } from "../../../provider/router/index";
import { revealed } from "../../../provider/secrets";
import { hasUnknown } from "../../../provider/unknown";
import { arguments_, check, ROUTER, type Values } from "../../unit/check";
import { valid } from "../../unit/fuzz/arguments";
import { type Json, mutated } from "../../unit/fuzz/hostile";

type Kind = Exclude<keyof typeof provider, "Zone" | "ExternalNetwork">;
const kinds = {
  Router: router,
  Vpc: vpc,
  Tier: tier,
  IsolatedNetwork: isolatedNetwork,
  Instance: instance,
  SecondaryAddress: secondaryAddress,
  NetworkAcl: networkAcl,
  LoadBalancer: loadBalancer,
  Nat64: nat64,
  BgpPeer: bgpPeer,
  Uplink: uplink,
};

/** One in three is attacked. */
const some = (kind: Kind): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 2, arbitrary: valid[kind] }, { weight: 1, arbitrary: mutated(valid[kind]) });
const upTo = (maxLength: number, kind: Kind) => fc.array(some(kind), { maxLength });

const tierModel = fc.record({
  tier: some("Tier"),
  instances: upTo(3, "Instance"),
  addresses: upTo(2, "SecondaryAddress"),
  acl: fc.option(some("NetworkAcl")),
});
const isolatedModel = fc.record({
  tier: some("IsolatedNetwork"),
  instances: upTo(2, "Instance"),
  addresses: upTo(1, "SecondaryAddress"),
  acl: fc.option(some("NetworkAcl")),
});
const model = fc.record({
  router: some("Router"),
  asn: fc.constantFrom(64512, 4200000000, 4294967294),
  vpcs: fc.array(
    fc.record({
      vpc: some("Vpc"),
      tiers: fc.array(tierModel, { maxLength: 3 }),
      balancers: upTo(3, "LoadBalancer"),
      nat64: fc.option(some("Nat64")),
      peers: upTo(2, "BgpPeer"),
    }),
    { maxLength: 3 },
  ),
  isolated: fc.array(isolatedModel, { maxLength: 2 }),
});
type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

export const networks: fc.Arbitrary<{ network: Model } | { uplink: Json }> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ network: model }) },
  { weight: 1, arbitrary: fc.record({ uplink: some("Uplink") }) },
);

/** What a router is to be told, and by whose arguments; how many resources `check` accepted and refused. */
export interface Told {
  changes: Change[];
  given: Map<string, { kind: Kind; given: Values }>;
  refused: number;
}

const hex = (number: number): string => number.toString(16);

export async function tell(one: { network: Model } | { uplink: Json }): Promise<Told> {
  const told: Told = { changes: [], given: new Map(), refused: 0 };
  if ("uplink" in one) await add(told, "Uplink", one.uplink, { zone: zoned(one.uplink) });
  else await tellNetwork(told, one.network);
  return told;
}

/** Without these a zone is not one for BGP. */
const zoned = (sample: Json): Values => {
  const zone = (sample as { zone?: Json } | null)?.zone;
  const { zone: usual } = arguments_.Uplink;
  return { ...usual, ...(typeof zone === "object" && !Array.isArray(zone) ? zone : {}) };
};

async function add(told: Told, kind: Kind, sample: Json, placed: Values): Promise<Inputs | undefined> {
  const given: Values = { ...(typeof sample === "object" ? (sample as Values) : {}), ...placed };
  for (const key of Object.keys(given)) if (given[key] === undefined) delete given[key];
  const { inputs, reasons } = await check(kind, given);
  // The engine asks again when it knows.
  if (reasons.length > 0 || hasUnknown(inputs)) {
    told.refused++;
    return undefined;
  }
  const known = inputs as Inputs;
  const id = kinds[kind].identify(known);
  if (told.given.has(id)) return undefined;
  const fragments = (known.fragments ?? {}) as Fragments;
  told.given.set(id, { kind, given });
  told.changes.push({
    id,
    label: `${kind} ${kinds[kind].describe(known)}`,
    fragments: { ...fragments, ...revealed(known, fragments) },
  });
  return known;
}

async function tellNetwork(told: Told, { router, asn, vpcs, isolated }: Model): Promise<void> {
  // The operator's IPv4 route, the way out of NAT64, is on the interface itself.
  const untagged = vpcs.some((it) => it.nat64 !== null) && { publicVlan: undefined };
  const place = { claim: "vr1", publicInterface: "pub0", ...untagged };
  const there = (await add(told, "Router", router, place)) ?? (await add(told, "Router", arguments_.Router, {}));
  const devices = new Set(["pub0"]);
  const attached: Attached = { told, devices, tiers: 0 };
  for (const [number, { vpc, tiers, balancers, nat64, peers }] of vpcs.entries()) {
    const net = (subnet: number) => `2001:67c:2834:${hex(number * 16 + subnet)}:`;
    const moved = (sample: Json): Json => moveTo(number, sample);
    const cidr = `${net(0)}:/60`;
    const own = await add(told, "Vpc", moved(vpc), {
      grant: { value: cidr },
      cidr: undefined,
      vpcPrefixLength: undefined,
      claims: [],
      router: ROUTER,
    });
    if (!own) continue;
    const six = own.cidr !== undefined;
    const prefixes: string[] = [];
    for (const [index, it] of tiers.entries()) {
      const prefix = `${net(index + 1)}:/64`;
      prefixes.push(prefix);
      const place = {
        vpc: { name: `vpc${number}`, domain: own.domain, ntpServers: own.ntpServers },
        grant: six ? { value: prefix } : undefined,
      };
      await attach(attached, "Tier", moved(it.tier), place, it, prefix, moved);
    }
    if (!six) continue;
    for (const [index, balancer] of balancers.entries()) {
      await add(told, "LoadBalancer", moved(balancer), {
        grant: { value: `${net(0)}:${hex(0x80 + index)}` },
        address: undefined,
        shared: undefined,
        others: [],
        vpc: { cidr, tiers: prefixes.length > 0 ? prefixes : [`${net(1)}:/64`] },
        router: ROUTER,
      });
    }
    if (nat64 !== null) {
      const wellKnown = number === 0 && (nat64 as Values | null)?.prefix === "64:ff9b::/96";
      await add(told, "Nat64", moved(nat64), {
        prefix: wellKnown ? "64:ff9b::/96" : undefined,
        grant: { value: `${net(0)}64::/96` },
        ipv4Pool: number === 0 ? "192.168.255.0/24" : `10.${100 + number}.0.0/16`,
        vpc: { cidr, superCidr: "2001:67c:2834::/50" },
        router: ROUTER,
      });
    }
    for (const [index, peer] of peers.entries()) {
      await add(told, "BgpPeer", moved(peer), {
        address: `2001:db8:ffff::${hex(0x100 + number * 16 + index)}`,
        cidr,
        asn,
        routerAddress: there?.address,
        router: ROUTER,
        zone: zoned(peer),
      });
    }
  }
  for (const [index, it] of isolated.entries()) {
    const prefix = `2001:db8:${hex(0x2800 + index)}::/64`;
    const place = { grant: { value: prefix }, vpc: { name: `isolated/n${index}`, domain: "internal", ntpServers: [] } };
    await attach(attached, "IsolatedNetwork", it.tier, place, it, prefix, (sample) => sample);
  }
}

/** The samples are of one VPC with one tier: another one's have its prefixes. */
function moveTo(number: number, sample: Json): Json {
  const at = (subnet: number) => `2001:67c:2834:${hex(number * 16 + subnet)}`;
  const text = JSON.stringify(sample)
    .replace(/2001:67c:2834:20::/g, `${at(0)}::`)
    .replace(/2001:67c:2834:21::/g, `${at(1)}::`);
  if (number === 0) return JSON.parse(text.replaceAll("2001:67c:2834:0::", "2001:67c:2834::")) as Json;
  return JSON.parse(text.replace(/2001:67c:2834:([12]):/g, (_, subnet: string) => `${at(Number(subnet))}:`)) as Json;
}

interface Attached {
  told: Told;
  devices: Set<string>;
  tiers: number;
}

/** A tier on an interface of its own, its guests and its list. */
async function attach(
  attached: Attached,
  kind: "Tier" | "IsolatedNetwork",
  sample: Json,
  place: Values,
  { instances, addresses, acl }: { instances: Json[]; addresses: Json[]; acl: Json },
  prefix: string,
  moved: (sample: Json) => Json,
): Promise<void> {
  const { told, devices } = attached;
  const number = ++attached.tiers;
  const given = (typeof sample === "object" && sample !== null ? sample : {}) as Values;
  const wanted = String(given.mac ?? given.interface).toLowerCase();
  const taken = devices.has(wanted) || (given.mac === undefined && given.interface === undefined);
  devices.add(wanted);
  const own = await add(told, kind, sample, {
    ...place,
    ...(taken && { interface: `t${number}`, mac: undefined }),
    ...(!taken && given.mac !== undefined && { interface: undefined }),
    cidr: undefined,
    gateway: undefined,
    ipv4: given.ipv4 && { cidr: `10.${number}.1.0/24`, dhcp: (given.ipv4 as Values).dhcp },
    ipv4Others: undefined,
    claims: [],
    router: ROUTER,
  });
  const ipv4 = own?.ipv4 as { gateway: string; dhcp: boolean; cidr: string } | undefined;
  if (!own || (own.cidr === undefined && !ipv4)) return;
  for (const [index, instance] of instances.entries()) {
    await add(told, "Instance", moved(instance), {
      grant: own.cidr === undefined ? undefined : { value: prefix.replace("/64", hex(0x10 + index)) },
      ipv4Grant: ipv4 && { value: `10.${number}.1.${10 + index}` },
      address: undefined,
      ipv4Address: undefined,
      tier: {
        interface: own.interface,
        domain: own.domain,
        gateway: own.gateway,
        ipv4Gateway: ipv4?.gateway,
        dhcp4: ipv4?.dhcp,
      },
      router: ROUTER,
    });
  }
  for (const [index, address] of addresses.entries()) {
    await add(told, "SecondaryAddress", moved(address), {
      grant: own.cidr === undefined ? undefined : { value: prefix.replace("/64", hex(0x20 + index)) },
      ipv4Grant: ipv4 && { value: `10.${number}.1.${20 + index}` },
      address: undefined,
      ipv4Address: undefined,
      tier: { interface: own.interface, domain: own.domain },
      router: ROUTER,
    });
  }
  const tiers = [{ name: own.claim, interface: own.interface, cidr: own.cidr, ipv4: ipv4?.cidr, router: ROUTER }];
  if (acl !== null) await add(told, "NetworkAcl", moved(acl), { tiers, tests: undefined });
}
