// Uplink: the cloud uplink router's own side of the VPC routers' BGP sessions. From each router it takes that router's VPCs' prefixes
// and nothing else (or, from a range of addresses, what is as large as a VPC inside the super CIDR), and gives it the others'.

import { contains, type Prefix } from "../addressing/prefix";
import { boolean, type Fail, integer, list, oneOf, optional, record, withDefault } from "../arguments";
import { idOf } from "../contract";
import { address6, addressOf, asnText, claim, hop, label, prefix6, prefixOf, proxy, way } from "../fields";
import type { Inputs, Kind } from "../kind";
import { isOther, placeholder } from "../secrets";
import { render } from "../templates/render";
import { all, type Effect, listOf, says, words } from "../traffic";
import { hasUnknown, UNKNOWN } from "../unknown";
import { routerOf, wayTo } from "../way";
import {
  asNumber,
  atLeast,
  bfd,
  bfdView,
  bgpPassword,
  checkInside,
  checkTimers,
  inForce,
  lowest,
  mayReopen,
  noLongerTaken,
  resourceName,
  type SessionInputs,
  sequence,
  sessionEnds,
  sessionReopens,
  speaksAsAnother,
  takesFewer,
  timers,
  USUAL,
} from "./bgp";
import { gatewayForBgp, gatewayOf, publicNetwork, vpcPrefixLength } from "./zone";

const own = {
  ...hop,
  proxy: optional(proxy),
  asn: asNumber,
  address: optional(address6("host")),
  accept: withDefault(oneOf("vpcs", "supernet"), "vpcs"),
  listen: optional(prefix6("packets")),
  neighbors: optional(list(record({ address: address6("host"), asn: asNumber, prefixes: list(prefix6("network")) }))),
  announceDefault: withDefault(boolean, false),
  maximumPrefix: withDefault(integer(1, 4294967295, "a number of prefixes"), 100),
  timers: optional(timers),
  bfd,
  password: optional(bgpPassword),
  multihop: optional(integer(2, 255, "a number of hops")),
};

const shape = record(own, {
  takes: ["zone"],
  adds: {
    name: resourceName,
    sessions: list(
      record({
        peer: label,
        router: way,
        address: optional(address6("host")),
        asn: optional(asNumber),
        neighbor: optional(address6("host")),
        prefixes: list(prefix6("network")),
      }),
    ),
    reserved: optional(
      record({
        routers: list(record({ name: claim, address: optional(address6("host")), asn: optional(asnText) })),
        prefixes: list(prefix6("network")),
      }),
    ),
    zone: record({
      publicNetwork: optional(publicNetwork),
      superCidr: optional(prefix6("network")),
      vpcPrefixLength: withDefault(vpcPrefixLength, 60),
      largest: optional(vpcPrefixLength),
      asn: optional(asNumber),
    }),
  },
});
type Args = ReturnType<typeof shape>;
type Known = Args & { address: string; superCidr: string };

/** A VPC router, and what it may announce. */
interface Neighbor {
  address: string;
  asn: number;
  router: string;
  prefixes: Iterable<string>;
}

/** What stands in the state, as far as `traffic` needs it. */
export interface UplinkInputs extends SessionInputs {
  superCidr?: string | undefined;
  address?: string | undefined;
  announceDefault?: boolean;
  /** Sessions are taken from whoever connects from here. */
  range?: string;
  neighbors?: { address: string; asn: number; prefixes: string[]; router?: string }[];
}

export const uplink: Kind<Args, UplinkInputs> = {
  type: "Uplink",
  // 1: without `superCidr`, `largest`, `range` and `neighbors`.
  schema: 2,
  shape,
  unkept: ["host", "port", "user", "hostKey", "proxy", "listen", "neighbors"],
  plan(args, old, fail) {
    const { zone, asn, accept, announceDefault, maximumPrefix, timers, multihop } = args;
    const name = (old?.name as string | undefined) ?? args.name;
    const address = args.address ?? gatewayForBgp(zone.publicNetwork, fail);
    const inputs = {
      name,
      asn,
      address,
      accept,
      announceDefault,
      maximumPrefix,
      ...(timers && { timers }),
      ...(args.bfd && { bfd: args.bfd }),
      ...(args.password !== undefined && { password: args.password }),
      ...(multihop !== undefined && { multihop }),
      router: wayTo(name, args),
    };
    if (zone.superCidr === undefined) fail("zone: it has no super CIDR, so there is nothing to take from VPC routers");
    if (zone.superCidr === undefined || address === undefined) return inputs;
    const known = { ...args, name, address, superCidr: zone.superCidr };
    // Where the machine is may be unknown (it is built by the same program): what it is told need not be.
    const { host, port, user, hostKey, proxy, ...told } = known;
    if (hasUnknown(told)) return { ...inputs, fragments: UNKNOWN as never };
    check(known, fail);
    const all = neighbors(known, fail);
    const range = rangeOf(known);
    return {
      ...inputs,
      superCidr: zone.superCidr,
      largest: largestOf(zone),
      ...(range === undefined
        ? { neighbors: all.map(({ router, ...it }) => ({ ...it, ...(router && { router }) })) }
        : { range }),
      fragments: render("uplink", view(known, all, range, old)),
    };
  },
  identify: ({ name }) => idOf.uplink(String(name)),
  describe: (inputs) => `"${inputs.name}"`,
  owns: "share",
  traffic: {
    gone: says(
      "ends",
      "is taken off: the BGP sessions that were its own end, and their prefixes are no longer reached through it",
    ),
    disturbs(before, after) {
      if (!before) return [];
      if (!after) return listOf(before.neighbors).map(({ address }) => sessionEnds(address));
      const group = `vpc6-${before.name}`;
      const { range } = before;
      const stays = range !== undefined && range === after.range;
      const otherPassword = isOther("password", before, after);
      return all(
        speaksAsAnother(before, after),
        before.address !== undefined &&
          before.address !== after.address &&
          says(
            "pauses",
            "speaks BGP from another address: all its sessions end, and come back where it is known by that",
          ),
        ...neighborsOf(before, after),
        range !== undefined &&
          !stays &&
          says("ends", words`takes no sessions from ${range} any more: those with neighbours there end`),
        // frr_keys_drop: the kernel would keep the old one until FRR ends.
        stays &&
          otherPassword &&
          says(
            "pauses",
            "starts FRR again, as the password of a range of neighbours changes: all its BGP sessions end and come back",
            "router",
          ),
        ...mayReopen(group, before, after, otherPassword && !stays),
        stays &&
          before.superCidr !== undefined &&
          before.superCidr !== after.superCidr &&
          noLongerTaken(before.superCidr),
        stays && takesFewer(before, after),
        before.announceDefault === true &&
          !after.announceDefault &&
          says("ends", "announces no default route any more: who went out by it no longer does"),
      );
    },
  },
  shown: { claims: {} },
};

/** The sessions and routes of those that are neighbours by their address. */
function neighborsOf(before: UplinkInputs, after: UplinkInputs): Effect[] {
  const now = new Map(listOf(after.neighbors).map((it) => [it.address, it]));
  return listOf(before.neighbors).flatMap(({ address, asn, prefixes }) => {
    const it = now.get(address);
    if (!it) return [sessionEnds(address)];
    if (it.asn !== asn) return [sessionReopens(address)];
    const taken = new Set(it.prefixes);
    return prefixes.filter((prefix) => !taken.has(prefix)).map(noLongerTaken);
  });
}

const largestOf = ({ vpcPrefixLength, largest }: Args["zone"]): number => Math.min(vpcPrefixLength, largest ?? 63);

/** Where the routers are that are neighbours without being named. */
const rangeOf = ({ accept, listen, zone }: Args): string | undefined =>
  accept === "supernet" ? (listen ?? zone.publicNetwork?.cidr) : undefined;

function check(args: Known, fail: Fail): void {
  const { accept, address, listen, zone, timers, superCidr, multihop } = args;
  if (contains(prefixOf(superCidr), addressOf(address))) {
    fail(`address: "${address}" is inside the zone's super CIDR ${superCidr}, which is the VPCs'`);
  }
  if (accept === "supernet") {
    if (args.neighbors) fail('neighbors: with accept: "supernet" whoever connects from `listen` is one; leave it out');
    if ((listen ?? zone.publicNetwork?.cidr) === undefined) {
      fail("listen: missing, and the zone has no public network from which VPC routers would connect");
    }
    if (multihop === undefined && listen !== undefined && zone.publicNetwork) {
      const within = prefixOf(zone.publicNetwork.cidr);
      if (!contains(within, prefixOf(listen))) {
        fail(
          `listen: "${listen}" is not inside the public network ${zone.publicNetwork.cidr}; set multihop to reach it`,
        );
      }
    }
  } else if (listen !== undefined) fail('listen: it goes with accept: "supernet" only');
  if (multihop !== undefined && zone.asn === args.asn) {
    fail(`multihop: ${multihop} with the routers' own AS number; iBGP takes any number of hops, leave it out`);
  }
  checkTimers(timers, fail);
  for (const [index, { prefixes }] of (args.neighbors ?? []).entries()) {
    checkInside(`neighbors[${index}].prefixes`, prefixes, superCidr, "the zone's super CIDR", fail);
  }
}

/** The VPC routers: those whose BgpPeers name this uplink, those reserved for other stacks, those the user names. */
function neighbors(args: Known, fail: Fail): (Neighbor & { prefixes: string[] })[] {
  if (args.accept === "supernet") return [];
  const { address: own, zone, sessions, reserved } = args;
  const found = new Map<string, Neighbor & { prefixes: Set<string> }>();
  const add = (path: string, { address, asn, router, prefixes }: Neighbor) => {
    const there = found.get(address);
    if (address === own) fail(`${path}: "${address}" is the uplink's own address; the VPC router's is expected`);
    else if (there && there.asn !== asn)
      fail(`${path}: ${address} has AS number ${asn} here and ${there.asn} elsewhere`);
    else if (there) for (const it of prefixes) there.prefixes.add(it);
    else found.set(address, { address, asn, router, prefixes: new Set(prefixes) });
  };
  const gateway = zone.publicNetwork && gatewayOf(zone.publicNetwork);
  for (const { peer, router: theWay, address, asn, neighbor, prefixes } of sessions) {
    const router = routerOf(theWay);
    if ((neighbor ?? gateway) !== own) continue;
    if (address === undefined) {
      fail(`zone: router "${router}" of BgpPeer "${peer}" has no public address by the zone; name it in \`neighbors\``);
    } else if (asn !== undefined) add("zone", { address, asn, router, prefixes });
  }
  const ours = new Set([...found.values()].flatMap(({ prefixes }) => [...prefixes]));
  const theirs = (reserved?.prefixes ?? []).filter((it) => !ours.has(it));
  for (const { name, address, asn = zone.asn } of reserved?.routers ?? []) {
    if (address === undefined || asn === undefined || found.has(address)) continue;
    add("zone", { address, asn: Number(asn), router: name, prefixes: theirs });
  }
  for (const [index, { address, asn, prefixes }] of (args.neighbors ?? []).entries()) {
    add(`neighbors[${index}].address`, { address, asn, router: "", prefixes });
  }
  // By address, in number: a router that comes moves no line of another.
  return [...found.values()]
    .sort((a, b) => (addressOf(a.address).value < addressOf(b.address).value ? -1 : 1))
    .map((it) => ({ ...it, prefixes: inOrder(it.prefixes).map(({ rule }) => rule) }));
}

function view(args: Known, neighbors: Neighbor[], range: string | undefined, old: Inputs | undefined): object {
  const { name, asn, superCidr, zone, address, announceDefault, maximumPrefix, multihop } = args;
  const { keepalive, hold, connect } = inForce(args.timers ?? USUAL);
  const internal = zone.asn === asn;
  return {
    what: `AS${asn} at ${address}: VPC routers ${range ? `from ${range}` : "by address"}, VPCs of ${superCidr}`,
    name,
    asn,
    address,
    routerId: lowest(address),
    range,
    inside: atLeast(superCidr, largestOf(zone)),
    kind: internal ? "internal" : "external",
    reflector: range !== undefined && internal,
    announceDefault,
    maximumPrefix,
    multihop,
    bfd: bfdView(args.bfd),
    password: args.password && placeholder("password", args.password, old),
    keepalive,
    hold,
    connect,
    neighbors: neighbors.map((it) => ({
      ...it,
      reflector: it.asn === asn,
      list: `vpc6-in-${it.address}`,
      accepted: numbered(it.prefixes, prefixOf(superCidr)),
    })),
  };
}

/** Each prefix with a number that no other VPC's coming or going changes: its place, or where two begin at one, the next free. */
function numbered(prefixes: Iterable<string>, zone: Prefix): { seq: number; rule: string }[] {
  const taken = new Set<number>();
  return inOrder(prefixes).map(({ rule, ...prefix }) => {
    let seq = sequence(zone, prefix);
    while (taken.has(seq)) seq++;
    taken.add(seq);
    return { seq, rule };
  });
}

function inOrder(prefixes: Iterable<string>): (Prefix & { rule: string })[] {
  const parsed = Array.from(prefixes, (rule) => ({ rule, ...prefixOf(rule) }));
  return parsed.sort((a, b) => (a.base === b.base ? a.length - b.length : a.base < b.base ? -1 : 1));
}
