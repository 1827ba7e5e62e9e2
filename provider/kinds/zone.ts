// Zone: the ledger of VPC prefixes, routers' public addresses, AS numbers and isolated networks. Allocating is all it does:
// nothing of it is on any router, so it cannot fail half way, and what it promised stays promised.

import { checkSplit, type PoolSpec } from "../addressing/allotment";
import { contains, formatAddress, formatRange, nth, overlaps, span } from "../addressing/prefix";
import { unfit } from "../addressing/use";
import { type Fail, integer, optional, record, type Type, text, withDefault } from "../arguments";
import { type Claim, claims, ledgerOf } from "../claims";
import {
  address6,
  addressOf,
  isPrivateAsn,
  lengthOf,
  PRIVATE_ASNS,
  prefix6,
  prefixOf,
  privateAsn,
  range6,
  rangeOf,
} from "../fields";
import type { Kind } from "../kind";
import { derive, hasUnknown, UNKNOWN } from "../unknown";

export const publicNetwork = record({
  cidr: prefix6("network"),
  gateway: optional(address6("gateway")),
  range: optional(range6("host")),
});

/** A VPC has its router's /64 and one more at least; more than 65,535 tiers no router would bear. */
const VPC_LENGTHS = { first: 48, last: 63 };
export const vpcPrefixLength = integer(VPC_LENGTHS.first, VPC_LENGTHS.last, "a prefix length");

const own = {
  superCidr: optional(prefix6("network")),
  asn: optional(privateAsn),
  asnRange: optional(asnRange()),
  publicNetwork: optional(publicNetwork),
  vpcPrefixLength: withDefault(vpcPrefixLength, 60),
  isolatedCidr: optional(prefix6("network")),
};

const shape = record(own, { takes: ["reserve"], adds: { name: text("a name", (value) => value), claims } });
type Args = ReturnType<typeof shape>;

interface PublicNetwork {
  cidr: string;
  gateway: string;
  range: string;
}

export const zone: Kind<Args> = {
  type: "Zone",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { name, claims, publicNetwork: given, ...rest } = args;
    const publicNetwork = given && derive([given], (it) => completed(it, fail));
    check(args, fail);
    const held = old?.ledger as string | undefined;
    const ledger = hasUnknown([args, publicNetwork])
      ? UNKNOWN
      : ledgerOf(pools(args, publicNetwork), held, wanted(args), fail);
    return { ...rest, name: (old?.name as string | undefined) ?? name, publicNetwork, ledger };
  },
  identify: (inputs) => String(inputs.name),
  describe: (inputs) => `"${inputs.name}"`,
  shown: { claims: {} },
};

function check({ superCidr, asn, asnRange, vpcPrefixLength, isolatedCidr, publicNetwork }: Args, fail: Fail): void {
  if (asn !== undefined && asnRange !== undefined) {
    fail("asnRange: there is `asn` too; give one AS number for all routers, or a range with one for each");
  }
  if (superCidr !== undefined && !hasUnknown([superCidr, vpcPrefixLength])) {
    const reason = checkSplit(prefixOf(superCidr), vpcPrefixLength);
    if (reason) fail(`superCidr: ${reason}`);
  }
  const spaces = Object.entries({ superCidr, isolatedCidr, "publicNetwork.cidr": publicNetwork?.cidr }).filter(
    (space): space is [string, string] => space[1] !== undefined && !hasUnknown(space[1]),
  );
  for (const [index, [path, cidr]] of spaces.entries()) {
    for (const [other, taken] of spaces.slice(0, index)) {
      if (overlaps(prefixOf(cidr), prefixOf(taken))) fail(`${path}: "${cidr}" overlaps ${other} ${taken}`);
    }
  }
  const gateway = publicNetwork?.gateway;
  for (const [path, cidr] of spaces) {
    if (path === "publicNetwork.cidr" || gateway === undefined || hasUnknown(gateway)) continue;
    if (contains(prefixOf(cidr), addressOf(gateway))) {
      fail(`publicNetwork.gateway: "${gateway}" is inside ${path} ${cidr}, where routers lead and no gateway is`);
    }
  }
  if (isolatedCidr !== undefined && !hasUnknown(isolatedCidr)) {
    const reason = checkSplit(prefixOf(isolatedCidr), 64);
    if (reason) fail(`isolatedCidr: ${reason}`);
  }
}

type Given = NonNullable<Args["publicNetwork"]>;

/** The cloud uplink router: the first address of the public network, if nothing else is said. */
export const gatewayOf = ({ cidr, gateway }: Given): string =>
  gateway ?? formatAddress(nth(prefixOf(cidr), lengthOf(cidr) === 128 ? 0 : 1));

/** The same where it is whom BGP is spoken with, as no other is named. */
export function gatewayForBgp(given: Given | undefined, fail: Fail): string | undefined {
  const gateway = given && derive([given], gatewayOf);
  if (gateway === undefined) {
    fail("address: missing, and the zone has no public network whose gateway could be meant");
    return undefined;
  }
  const why = hasUnknown(gateway) ? undefined : unfit(addressOf(gateway), "host");
  if (why === undefined) return gateway;
  fail(`address: missing, and the zone's gateway, "${gateway}", ${why}; BGP needs an address of the public network`);
  return undefined;
}

/** Whether the gateway is on the link though the public network does not say so. */
export const isOutside = (given: Given): boolean => {
  const gateway = addressOf(gatewayOf(given));
  return !contains(prefixOf(given.cidr), gateway) && unfit(gateway, "host") === undefined;
};

/** The public network with its defaults. */
function completed(given: Given, fail: Fail): PublicNetwork {
  const network = prefixOf(given.cidr);
  const gateway = gatewayOf(given);
  if (given.gateway === undefined && network.length === 128) {
    fail(`publicNetwork.gateway: missing; ${given.cidr} has one address, which is a router's`);
  }
  if (given.range !== undefined && !contains(network, rangeOf(given.range))) {
    fail(`publicNetwork.range: "${given.range}" is not inside ${given.cidr}`);
  }
  return { cidr: given.cidr, gateway, range: given.range ?? formatRange(span(network)) };
}

function pools(args: Args, publicNetwork: PublicNetwork | undefined): PoolSpec[] {
  const { superCidr, vpcPrefixLength, asnRange, isolatedCidr } = args;
  const list: PoolSpec[] = [];
  const prefixes = {
    kind: "vpc",
    what: "VPC prefix",
    plural: "VPC prefixes",
    move: "a new `cidr` on each Vpc (or its reservation)",
  };
  list.push(
    superCidr === undefined
      ? { ...prefixes, format: "none", why: `the zone has no super CIDR to take it from; set superCidr on the Zone` }
      : {
          ...prefixes,
          format: "prefix",
          within: prefixOf(superCidr),
          length: vpcPrefixLength,
          lengths: { ...VPC_LENGTHS, option: "vpcPrefixLength" },
          container: "super CIDR",
        },
  );
  const addresses = {
    kind: "router",
    what: "public address",
    plural: "public addresses",
    move: "a new `address` on each Router (or its reservation)",
  };
  if (publicNetwork) {
    const network = prefixOf(publicNetwork.cidr);
    const gateway = addressOf(publicNetwork.gateway);
    const one = (value: bigint, reason: string) => ({ first: value, last: value, reason });
    const reserved = contains(network, gateway) ? [one(gateway.value, "the gateway")] : [];
    // Both addresses of a /127 are routers' own (RFC 6164 section 6); a /128 has no other.
    if (network.length < 127) {
      reserved.unshift(one(network.base, "the subnet-router anycast address (RFC 4291 section 2.6.1)"));
    }
    list.push({ ...addresses, format: "address", within: rangeOf(publicNetwork.range), reserved });
  } else {
    list.push({ ...addresses, format: "none", why: "the zone has no public network; set publicNetwork on the Zone" });
  }
  if (asnRange !== undefined) {
    const [first = 0n, last = 0n] = asnRange.split("-").map(BigInt);
    list.push({ kind: "asn", what: "AS number", plural: "AS numbers", format: "number", first, last });
  }
  const networks = {
    kind: "isolated",
    what: "isolated network",
    plural: "isolated networks",
    move: "a new `cidr` on each IsolatedNetwork (or its reservation)",
  };
  list.push(
    isolatedCidr === undefined
      ? { ...networks, format: "none", why: "the zone has no isolatedCidr; set it on the Zone" }
      : { ...networks, format: "prefix", within: prefixOf(isolatedCidr), length: 64, container: "isolatedCidr" },
  );
  return list;
}

/** Routers claim an address and an AS number in any case; a zone that hands out none leaves them without. */
function wanted({ claims, publicNetwork, asnRange }: Args): Claim[] {
  return claims.filter(
    ({ kind, value }) =>
      (kind !== "asn" || asnRange !== undefined) &&
      (kind !== "router" || publicNetwork !== undefined || value !== undefined),
  );
}

function asnRange(): Type<string> {
  const what = `a range of private AS numbers, first-last, within ${PRIVATE_ASNS}`;
  return text(what, (value) => {
    const [, first, last] = /^\s*(\d{1,10})\s*-\s*(\d{1,10})\s*$/.exec(value) ?? [];
    const inside = (asn: string | undefined): boolean => asn !== undefined && isPrivateAsn(Number(asn));
    const oneBlock = String(first).length === String(last).length;
    return inside(first) && inside(last) && oneBlock && Number(first) <= Number(last)
      ? `${Number(first)}-${Number(last)}`
      : { not: `is not ${what}` };
  });
}
