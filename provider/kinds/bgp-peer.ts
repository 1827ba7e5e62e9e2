// BgpPeer: a BGP session of a VPC's router. It announces that VPC's prefix and nothing else, and takes what is as large as a VPC
// inside the super CIDR. VPCs on one router that name the same neighbour share the session: what they say adds up.

import { contains } from "../addressing/prefix";
import { boolean, type Fail, integer, list, optional, record, withDefault } from "../arguments";
import { idOf } from "../contract";
import { address6, addressOf, prefix6, prefixOf, way } from "../fields";
import type { Inputs, Kind } from "../kind";
import { isOther, placeholder } from "../secrets";
import { render } from "../templates/render";
import { all, type Effect, listOf, type Others, says, words } from "../traffic";
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
  hashed,
  inForce,
  lowest,
  MOST_IMPORTED,
  mayReopen,
  noLongerTaken,
  places,
  resourceName,
  type SessionInputs,
  sequence,
  sessionEnds,
  sessionReopens,
  shared,
  speaksAsAnother,
  takesFewer,
  timers,
  USUAL,
} from "./bgp";
import { gatewayForBgp, publicNetwork, vpcPrefixLength } from "./zone";

const own = {
  remoteAsn: asNumber,
  address: optional(address6("host")),
  timers: optional(timers),
  bfd,
  password: optional(bgpPassword),
  multihop: optional(integer(2, 255, "a number of hops")),
  acceptDefault: withDefault(boolean, false),
  import: optional(list(prefix6("network"))),
  export: optional(list(prefix6("network"))),
};

const shape = record(own, {
  takes: ["vpc"],
  adds: {
    name: resourceName,
    cidr: optional(prefix6("network")),
    asn: optional(asNumber),
    zone: record({
      publicNetwork: optional(publicNetwork),
      superCidr: optional(prefix6("network")),
      vpcPrefixLength: withDefault(vpcPrefixLength, 60),
      largest: optional(vpcPrefixLength),
    }),
    routerAddress: optional(address6("host")),
    router: way,
  },
});
type Args = ReturnType<typeof shape>;
type Known = Args & { cidr: string; asn: number; address: string; superCidr: string };

/** What stands in the state, as far as `traffic` needs it. */
export interface BgpPeerInputs extends SessionInputs {
  /** The VPC's prefix; `export` in its place, `import` in that of the super CIDR. */
  cidr?: string | undefined;
  superCidr?: string | undefined;
  export?: string[];
  import?: string[];
  acceptDefault?: boolean;
  address?: string | undefined;
  remoteAsn?: number;
}

export const bgpPeer: Kind<Args, BgpPeerInputs> = {
  type: "BgpPeer",
  // 1: without `superCidr` and `largest`.
  schema: 2,
  shape,
  plan(args, old, fail) {
    const { zone, cidr, asn, remoteAsn, timers, bfd, multihop, acceptDefault, router } = args;
    const name = (old?.name as string | undefined) ?? args.name;
    const address = args.address ?? gatewayForBgp(zone.publicNetwork, fail);
    const superCidr = zone.superCidr ?? cidr;
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
      superCidr,
      largest: derive([zone.vpcPrefixLength, zone.largest] as const, largestOf),
      asn,
      remoteAsn,
      address,
      router,
    };
    if (cidr === undefined) fail("vpc: it has no IPv6 prefix to announce (ipv6: false)");
    if (asn === undefined) {
      fail("vpc: its router has no AS number to speak BGP with; set asn (one for all routers) or asnRange on the Zone");
    }
    if (cidr === undefined || asn === undefined || address === undefined || superCidr === undefined) return inputs;
    const known = { ...args, cidr, asn, address, superCidr };
    if (hasUnknown(known)) return { ...inputs, fragments: UNKNOWN as never };
    check(known, fail);
    return { ...inputs, fragments: render("bgp-peer", view({ ...known, name }, old)) };
  },
  identify: ({ name, cidr, address }) => `${idOf.placed(String(name), String(cidr))}-${address}`,
  describe: (inputs) => `"${inputs.name}"`,
  traffic: {
    gone: says("note", "is taken off; what that means for sessions and prefixes is told beside"),
    holds: (inputs) => (inputs.address === undefined ? [] : [session(inputs.address), ...linesOf(inputs).keys()]),
    disturbs(before, after, others) {
      if (before?.address === undefined) return [];
      return all(
        after && speaksAsAnother(before, after),
        ...sessionOf({ ...before, address: before.address }, after, others),
      );
    },
  },
  shown: { claims: {} },
};

const largestOf = (usual: number, largest: number | undefined): number => Math.min(usual, largest ?? 63);

/** VPCs of one router that name the same neighbour share the session. */
const session = (address: string): string => `BGP session with ${address}`;

/** What it announces to its neighbour and takes from it, and what it means when one of these goes. */
function linesOf(inputs: BgpPeerInputs): Map<string, Effect> {
  const { address, cidr, superCidr, acceptDefault } = inputs;
  const announced = inputs.export ?? (cidr === undefined ? [] : [cidr]);
  const taken = inputs.import ?? (superCidr === undefined ? [] : [superCidr]);
  return new Map([
    ...listOf(announced).map((it): [string, Effect] => [
      `${it} to ${address}`,
      says("ends", words`${it} is withdrawn from BGP: who came by that route no longer does`),
    ]),
    ...[...listOf(taken), ...(acceptDefault ? ["::/0"] : [])].map((it): [string, Effect] => [
      `${it} from ${address}`,
      noLongerTaken(it),
    ]),
  ]);
}

function sessionOf(
  before: BgpPeerInputs & { address: string },
  after: BgpPeerInputs | undefined,
  others: Others,
): (Effect | false)[] {
  const { address } = before;
  const stays = after?.address === address;
  if (!stays && !others.have(session(address))) return [sessionEnds(address)];
  const gone = [...linesOf(before)].filter(([line]) => !(stays && linesOf(after).has(line)) && !others.have(line));
  const lost = gone.map(([, effect]) => effect);
  if (!stays) return lost;
  return before.remoteAsn === after.remoteAsn
    ? [...mayReopen(address, before, after, isOther("password", before, after)), takesFewer(before, after), ...lost]
    : [sessionReopens(address)];
}

function check(args: Known, fail: Fail): void {
  const { cidr, asn, remoteAsn, address, superCidr, zone, routerAddress, timers, multihop } = args;
  const at = addressOf(address);
  if (address === routerAddress) fail(`address: "${address}" is the router's own; the neighbour's is expected`);
  else if (contains(prefixOf(cidr), at)) fail(`address: "${address}" is inside the VPC's own ${cidr}`);
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

/**
 * From where the session is opened, and BFD sent, and the next hop of what is announced. Without, the kernel takes any address of the link, and the
 * neighbor knows the router by one; and FRR 10.3 announces the link's IPv4 address as next hop once the IPv6 address was gone for a moment.
 * With a neighbor that is not on the public network it is the kernel's to find out. (FRR takes it for BFD where `bfd` was said before: the order
 * of the template.)
 */
const sourceOf = ({ routerAddress, address, zone: { publicNetwork } }: Known): string | undefined =>
  publicNetwork && contains(prefixOf(publicNetwork.cidr), addressOf(address)) ? routerAddress : undefined;

function view(args: Known, old: Inputs | undefined): object {
  const { cidr, asn, remoteAsn, address, superCidr, zone, routerAddress, router, acceptDefault, multihop } = args;
  const { keepalive, hold, connect } = inForce(args.timers ?? USUAL);
  const first = sequence(prefixOf(superCidr), prefixOf(cidr));
  const exported = args.export ?? [cidr];
  const largest = largestOf(zone.vpcPrefixLength, zone.largest);
  const imported = (args.import ?? [superCidr]).map((it) => atLeast(it, largest));
  return {
    what: `${exported.join(", ") || "nothing"} to AS${remoteAsn} at ${address}`,
    address,
    asn,
    remoteAsn,
    routerId: routerAddress === undefined ? hashed(routerOf(router)) : lowest(routerAddress),
    multihop,
    source: sourceOf(args),
    bfd: bfdView(args.bfd),
    password: args.password && placeholder("password", args.password, old),
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
