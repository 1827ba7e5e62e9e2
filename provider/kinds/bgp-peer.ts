// BgpPeer: a BGP session of a VPC's router. It announces that VPC's prefix and nothing else, and takes what is as large as a VPC
// inside the super CIDR. VPCs on one router that name the same neighbour share the session: what they say adds up.

import { createHash } from "node:crypto";
import { contains, formatAddress, nth, type Prefix } from "../addressing/prefix";
import { boolean, type Fail, integer, list, matching, optional, quote, record, withDefault } from "../arguments";
import { address6, addressOf, prefix6, prefixOf, way } from "../fields";
import type { Kind } from "../kind";
import { render } from "../templates/render";
import { derive, hasUnknown, UNKNOWN } from "../unknown";
import { routerOf } from "../way";
import { gatewayOf, publicNetwork, vpcPrefixLength } from "./zone";

const asn = integer(1, 4294967295, "an AS number");
const seconds = (first: number): ReturnType<typeof integer> => integer(first, 65535, "a number of seconds");
const timers = record({
  keepalive: withDefault(seconds(1), 10),
  hold: withDefault(seconds(3), 30),
  connect: withDefault(seconds(1), 5),
});

const shape = record({
  name: matching(
    "a name that can stand in a router's files: a letter or digit, then up to 62 letters, digits, dots, hyphens or underscores",
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  ),
  remoteAsn: asn,
  address: optional(address6),
  timers: optional(timers),
  multihop: optional(integer(2, 255, "a number of hops")),
  acceptDefault: withDefault(boolean, false),
  import: optional(list(prefix6)),
  export: optional(list(prefix6)),
  cidr: optional(prefix6),
  asn: optional(asn),
  zone: record({
    publicNetwork: optional(publicNetwork),
    superCidr: optional(prefix6),
    vpcPrefixLength: withDefault(vpcPrefixLength, 60),
    largest: optional(vpcPrefixLength),
  }),
  routerAddress: optional(address6),
  router: way,
});
type Args = ReturnType<typeof shape>;
type Known = Args & { cidr: string; asn: number; address: string; superCidr: string };

export const bgpPeer: Kind<Args> = {
  type: "BgpPeer",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { zone, cidr, asn, remoteAsn, timers, multihop, acceptDefault, router } = args;
    const name = (old?.name as string | undefined) ?? args.name;
    const address = args.address ?? (zone.publicNetwork && derive([zone.publicNetwork], gatewayOf));
    const inputs = {
      name,
      ...(timers && { timers }),
      ...(multihop !== undefined && { multihop }),
      ...(args.import && { import: args.import }),
      ...(args.export && { export: args.export }),
      acceptDefault,
      cidr,
      asn,
      remoteAsn,
      address,
      router,
    };
    if (cidr === undefined) fail("vpc: it has no IPv6 prefix to announce (ipv6: false)");
    if (asn === undefined) {
      fail("vpc: its router has no AS number to speak BGP with; set asn (one for all routers) or asnRange on the Zone");
    }
    if (address === undefined)
      fail("address: missing, and the zone has no public network whose gateway could be meant");
    const superCidr = zone.superCidr ?? cidr;
    if (cidr === undefined || asn === undefined || address === undefined || superCidr === undefined) return inputs;
    const known = { ...args, cidr, asn, address, superCidr };
    if (hasUnknown(known)) return { ...inputs, fragments: UNKNOWN as never };
    check(known, fail);
    return { ...inputs, fragments: render("bgp-peer", view(known)) };
  },
  identify: ({ name, cidr, address }) => `${name}@${String(cidr).split("/")[0]}-${address}`,
  describe: (inputs) => `"${inputs.name}"`,
};

function check(args: Known, fail: Fail): void {
  const { cidr, asn, remoteAsn, address, superCidr, zone, routerAddress, timers, multihop } = args;
  const at = addressOf(address);
  if (address === routerAddress) fail(`address: "${address}" is the router's own; the neighbour's is expected`);
  else if (contains(prefixOf(cidr), at)) fail(`address: "${address}" is inside the VPC's own ${cidr}`);
  else if (["fe80::/10", "ff00::/8", "::/127"].some((it) => contains(prefixOf(it), at))) {
    fail(`address: "${address}" is not a global unicast address`);
  } else if (zone.publicNetwork && !contains(prefixOf(zone.publicNetwork.cidr), at) && multihop === undefined) {
    if (asn !== remoteAsn) {
      fail(`address: "${address}" is not in the public network ${zone.publicNetwork.cidr}; set multihop to reach it`);
    }
  }
  if (multihop !== undefined && asn === remoteAsn) {
    fail(`multihop: ${multihop} with the router's own AS number; iBGP takes any number of hops, leave it out`);
  }
  if (timers && timers.hold <= timers.keepalive) {
    fail(`timers.hold: ${timers.hold} is not more than keepalive, ${timers.keepalive}; three times as much is usual`);
  }
  inside("import", args.import, superCidr, "the zone's super CIDR", fail);
  inside("export", args.export, cidr, "the VPC's", fail);
  const [most, count] = [Math.min(16, places(prefixOf(cidr))), args.export?.length ?? 0];
  if (count > most) fail(`export: ${count} prefixes; at most ${most} are possible for ${cidr}`);
}

function inside(path: string, prefixes: string[] | undefined, whole: string, whose: string, fail: Fail): void {
  for (const [index, prefix] of (prefixes ?? []).entries()) {
    const at = `${path}[${index}]: ${quote(prefix)}`;
    if (!contains(prefixOf(whole), prefixOf(prefix))) fail(`${at} is not inside ${whose} ${whole}`);
    else if (prefixOf(prefix).length > 64) fail(`${at} is longer than /64, a tier`);
    else if (prefixes?.indexOf(prefix) !== index) fail(`${at} is there twice`);
  }
}

/** Sequence numbers from here on are the same for all VPCs that share a neighbour. */
const SHARED = 4294900000;

function view(args: Known): object {
  const { cidr, asn, remoteAsn, address, superCidr, zone, routerAddress, router, acceptDefault, multihop } = args;
  const { keepalive, hold, connect } = args.timers ?? { keepalive: 10, hold: 30, connect: 5 };
  const first = sequence(prefixOf(superCidr), prefixOf(cidr));
  const exported = args.export ?? [cidr];
  const largest = Math.min(zone.vpcPrefixLength, zone.largest ?? 63);
  const imported = (args.import ?? [superCidr]).map((it) => atLeast(it, largest));
  return {
    what: `${exported.join(", ") || "nothing"} to AS${remoteAsn} at ${address}`,
    address,
    asn,
    remoteAsn,
    routerId: routerAddress === undefined ? hashed(routerOf(router)) : lowest(routerAddress),
    multihop,
    keepalive,
    hold,
    connect,
    external: asn !== remoteAsn,
    denied: [{ seq: first, rule: `${cidr} le 128` }],
    accepted: [
      ...imported.map((rule, index) => ({ seq: SHARED + index, rule })),
      ...(acceptDefault ? [{ seq: 4294967295, rule: "::/0" }] : []),
    ],
    announced: exported.map((rule, index) => ({ seq: first + index, rule })),
  };
}

/** A place in the neighbour's lists that no other VPC of the zone has: a number for each /64, by its place in the super CIDR. */
function sequence(zone: Prefix, vpc: Prefix): number {
  const index = (vpc.base - zone.base) >> 64n;
  return Number(index % BigInt(SHARED - 32)) + 1;
}

/** How many numbers a VPC has. */
const places = (vpc: Prefix): number => 2 ** (64 - vpc.length);

/** Everything in a prefix that is not larger than the zone's largest VPC nor smaller than a tier. */
function atLeast(prefix: string, largest: number): string {
  const { length } = prefixOf(prefix);
  return [prefix, length < largest ? `ge ${largest}` : "", length < 64 ? "le 64" : ""]
    .filter((it) => it !== "")
    .join(" ");
}

/** The router id, unique in the AS (RFC 6286): the last 32 bits of the router's public address. */
const lowest = (address: string): string => dotted(addressOf(address).value & 0xffffffffn);
const hashed = (name: string): string =>
  dotted(BigInt(`0x${createHash("sha256").update(name).digest("hex").slice(0, 8)}`) | 1n);
const dotted = (bits: bigint): string => formatAddress(nth({ family: 4, base: 0n, length: 0 }, bits));
