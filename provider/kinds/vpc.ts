// Vpc: a prefix from the zone, the ledger of its tiers and virtual addresses, and on the router the service address and IPv6 forwarding.
// With `ipv6: false` it has no prefix and nothing on the router.

import { checkSplit, type PoolSpec } from "../addressing/allotment";
import { contains, formatAddress, nth, parsePrefix, sizeOf, subnet } from "../addressing/prefix";
import { boolean, optional, record, withDefault } from "../arguments";
import { type Claim, claims, ledgerOf, rebase, share } from "../claims";
import { idOf } from "../contract";
import { claim, dnsLabel, domain, grant, lengthOf, ntpServers, prefix6, prefixOf, way } from "../fields";
import { firstName, type Inputs, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import { all, forwarding, says, stopsForwarding, words } from "../traffic";
import { derive, hasUnknown } from "../unknown";
import { routerOf } from "../way";
import { vpcPrefixLength } from "./zone";

const own = {
  claim,
  domain: optional(domain),
  ntpServers: withDefault(ntpServers, []),
  ipv6: boolean,
  cidr: optional(prefix6("network")),
  vpcPrefixLength: optional(vpcPrefixLength),
};

const shape = record(own, {
  takes: ["zone", "router", "reserve"],
  adds: { grant: optional(grant), claims, router: way },
});
type Args = ReturnType<typeof shape>;

/** What stands in the state, as far as `traffic` needs it. */
export interface VpcInputs extends Inputs {
  cidr?: string | undefined;
}

export const vpc: Kind<Args, VpcInputs> = {
  type: "Vpc",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { claim, ntpServers, ipv6, router, cidr: explicitCidr, vpcPrefixLength: length } = args;
    const names = namesOf(claim, old);
    const domain = args.domain ?? `${dnsLabel(firstName(names))}.internal`;
    const common = { ...names, domain, ntpServers, ipv6, router };
    if (!ipv6) {
      if (length !== undefined) fail(`vpcPrefixLength: ${length} on a VPC with ipv6: false; leave one of them out`);
      if (explicitCidr !== undefined) fail(`cidr: "${explicitCidr}" on a VPC with ipv6: false; leave one of them out`);
      return { ...common, ledger: "no prefixes, as ipv6 is false", fragments: {} };
    }
    const path = length === undefined ? undefined : "vpcPrefixLength";
    const own = { claim, old, property: "cidr", explicit: explicitCidr, path };
    const cidr = args.grant && share({ ...own, grant: args.grant }, fail);
    if (cidr === undefined) return common;
    if (length !== undefined && !hasUnknown(cidr) && lengthOf(cidr) !== length) {
      fail(
        `vpcPrefixLength: ${length} comes too late: the ledger has ${cidr} for "${claim}"; build the resource earlier`,
      );
    }
    const routerAddress = derive([cidr], (it) => formatAddress(nth(prefixOf(it), 1)));
    const ledger = derive([cidr, args.claims] as const, (it, all) => {
      const split = checkSplit(prefixOf(it), 64, 1);
      if (split) fail(`cidr: ${split}`);
      const before = rebase(old?.ledger as string | undefined, old?.cidr, it);
      // A NAT64 prefix from elsewhere is not the VPC's to give.
      const mine = all.filter(({ kind, value }) => kind !== "nat64" || value === undefined || isWithin(it, value));
      return split ? "" : ledgerOf(pools(it, kindsIn(before, mine)), before, mine, fail);
    });
    return {
      ...common,
      cidr,
      routerAddress,
      ledger,
      fragments: render("vpc", { cidr, routerAddress }),
    };
  },
  identify: (inputs) =>
    idOf.placed(firstName(inputs), inputs.cidr ? String(inputs.cidr) : routerOf(inputs.router ?? "")),
  describe: (inputs) => `"${firstName(inputs)}"`,
  traffic: {
    gone: says("ends", "is no longer routed: whatever goes to or from its prefix ends"),
    holds: ({ cidr }) => (cidr === undefined ? [] : [forwarding(6)]),
    disturbs(before, after, others) {
      const [old, now] = [before?.cidr, after?.cidr];
      return all(
        old !== undefined &&
          now !== undefined &&
          old !== now &&
          says(
            "ends",
            words`is renumbered from ${old} to ${now}, with all that is in it: connections to the old addresses end`,
          ),
        after !== undefined &&
          old !== undefined &&
          now === undefined &&
          says("ends", words`gives up its prefix ${old}: connections with it end`),
        stopsForwarding(6, old !== undefined, now !== undefined, others),
      );
    },
  },
  shown: { claims: { vpc: { word: "VPC", told: "space" } }, noun: "VPC" },
};

/** Beside tiers, a kind is in the ledger once there is, or was, one of it: a VPC without virtual addresses does not speak of them. */
const kindsIn = (ledger: string | undefined, all: Claim[]): Set<string> =>
  new Set(
    ["vip", "nat64"].filter(
      (it) => all.some(({ kind }) => kind === it) || new RegExp(`^${it} `, "m").test(ledger ?? ""),
    ),
  );

const isWithin = (cidr: string, value: string): boolean => {
  const prefix = parsePrefix(value);
  return typeof prefix !== "string" && contains(prefixOf(cidr), prefix);
};

/** Virtual addresses are ::80 to ::ffff of the router's own /64: below are the router's. */
const FIRST_VIP = 0x80n;
const LAST_VIP = 0xffffn;

/** NAT64 prefixes are 0:64::/96 to 0:ff:ffff::/96: above them bits 64 to 71 are not zero, as RFC 6052 §2.2 wants them. */
const FIRST_NAT64 = 0x64n << 48n;

function pools(cidr: string, kinds: Set<string>): PoolSpec[] {
  const within = prefixOf(cidr);
  const own = subnet(within, 64, 0);
  const reserved = [{ first: own.base, last: own.base + sizeOf(own) - 1n, reason: "the VPC's own router" }];
  const range = { family: own.family, first: own.base + FIRST_VIP, last: own.base + LAST_VIP };
  const nat64 = subnet(own, 72, 0);
  const below = { first: nat64.base, last: nat64.base + FIRST_NAT64 - 1n, reason: "the VPC's own router" };
  const all: PoolSpec[] = [
    {
      kind: "tier",
      what: "tier prefix",
      plural: "tier prefixes",
      format: "prefix",
      within,
      length: 64,
      container: "VPC prefix",
      reserved,
    },
    { kind: "vip", what: "virtual address", plural: "virtual addresses", format: "address", within: range },
    {
      kind: "nat64",
      what: "NAT64 prefix",
      plural: "NAT64 prefixes",
      format: "prefix",
      within: nat64,
      length: 96,
      container: "router network",
      reserved: [below],
    },
  ];
  return all.filter(({ kind }) => kind === "tier" || kinds.has(kind));
}
