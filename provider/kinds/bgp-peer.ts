// BgpPeer: a BGP session of a VPC's router. It announces that VPC's prefix and nothing else, and takes what is as large as a VPC
// inside the super CIDR. VPCs on one router that name the same neighbour share the session: what they say adds up.

import { createHash } from "node:crypto";
import { contains } from "../addressing/prefix";
import { boolean, type Fail, integer, list, optional, record, withDefault } from "../arguments";
import { idOf } from "../contract";
import { address6, addressOf, prefix6, prefixOf, way } from "../fields";
import type { Inputs, Kind } from "../kind";
import { placeholder } from "../secrets";
import { render } from "../templates/render";
import { derive, hasUnknown, UNKNOWN } from "../unknown";
import { routerOf } from "../way";
import {
  asNumber,
  atLeast,
  bfd,
  bfdView,
  bgpPassword,
  checkInside,
  checkTimers,
  dotted,
  inForce,
  lowest,
  MOST_IMPORTED,
  notUnicast,
  places,
  resourceName,
  sequence,
  shared,
  timers,
  USUAL,
} from "./bgp";
import { gatewayOf, publicNetwork, vpcPrefixLength } from "./zone";

const shape = record({
  name: resourceName,
  remoteAsn: asNumber,
  address: optional(address6),
  timers: optional(timers),
  bfd,
  password: optional(bgpPassword),
  multihop: optional(integer(2, 255, "a number of hops")),
  acceptDefault: withDefault(boolean, false),
  import: optional(list(prefix6)),
  export: optional(list(prefix6)),
  cidr: optional(prefix6),
  asn: optional(asNumber),
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
    const { zone, cidr, asn, remoteAsn, timers, bfd, multihop, acceptDefault, router } = args;
    const name = (old?.name as string | undefined) ?? args.name;
    const address = args.address ?? (zone.publicNetwork && derive([zone.publicNetwork], gatewayOf));
    const inputs = {
      name,
      ...(timers && { timers }),
      ...(bfd && { bfd }),
      ...(args.password !== undefined && { password: args.password }),
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
    return { ...inputs, fragments: render("bgp-peer", view({ ...known, name }, old)) };
  },
  identify: ({ name, cidr, address }) => `${idOf.placed(String(name), String(cidr))}-${address}`,
  describe: (inputs) => `"${inputs.name}"`,
};

function check(args: Known, fail: Fail): void {
  const { cidr, asn, remoteAsn, address, superCidr, zone, routerAddress, timers, multihop } = args;
  const at = addressOf(address);
  if (address === routerAddress) fail(`address: "${address}" is the router's own; the neighbour's is expected`);
  else if (contains(prefixOf(cidr), at)) fail(`address: "${address}" is inside the VPC's own ${cidr}`);
  else if (notUnicast(address)) fail(`address: ${notUnicast(address)}`);
  else if (zone.publicNetwork && !contains(prefixOf(zone.publicNetwork.cidr), at) && multihop === undefined) {
    if (asn !== remoteAsn) {
      fail(`address: "${address}" is not in the public network ${zone.publicNetwork.cidr}; set multihop to reach it`);
    }
  }
  if (multihop !== undefined && asn === remoteAsn) {
    fail(`multihop: ${multihop} with the router's own AS number; iBGP takes any number of hops, leave it out`);
  }
  checkTimers(timers, fail);
  checkInside("import", args.import, superCidr, "the zone's super CIDR", fail);
  checkInside("export", args.export, cidr, "the VPC's", fail);
  if ((args.import?.length ?? 0) > MOST_IMPORTED) {
    fail(
      `import: ${args.import?.length} prefixes; at most ${MOST_IMPORTED} can be named, larger ones cover smaller ones`,
    );
  }
  const [most, count] = [Math.min(16, places(prefixOf(cidr))), args.export?.length ?? 0];
  if (count > most) fail(`export: ${count} prefixes; at most ${most} are possible for ${cidr}`);
}

function view(args: Known, old: Inputs | undefined): object {
  const { cidr, asn, remoteAsn, address, superCidr, zone, routerAddress, router, acceptDefault, multihop } = args;
  const { keepalive, hold, connect } = inForce(args.timers ?? USUAL);
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
    bfd: bfdView(args.bfd),
    password: args.password && placeholder("password", args.password, `${args.name}@${cidr}`, old),
    keepalive,
    hold,
    connect,
    external: asn !== remoteAsn,
    denied: [{ seq: first, rule: `${cidr} le 128` }],
    accepted: [
      ...imported.map((rule, index) => ({ seq: shared(zone.vpcPrefixLength, largest) + index, rule })),
      ...(acceptDefault ? [{ seq: 4294967295, rule: "::/0" }] : []),
    ],
    announced: exported.map((rule, index) => ({ seq: first + index, rule })),
  };
}

/** For a router without a public address. */
const hashed = (name: string): string =>
  dotted(BigInt(`0x${createHash("sha256").update(name).digest("hex").slice(0, 8)}`) | 1n);
