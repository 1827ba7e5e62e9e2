// Tier: a /64 of the VPC on one interface of its router, an IPv4 network beside it where it is dual-stack, and the ledger of its
// instances' addresses; on the router the gateway's addresses, a place in the firewall, router advertisements, DHCP and DNS.

import type { PoolSpec } from "../addressing/allotment";
import { firstHost, ipv4Pool, isHost, netmask, whyNoNetwork } from "../addressing/ipv4";
import { contains, formatAddress, nth, overlaps, parsePrefix } from "../addressing/prefix";
import { boolean, type Fail, list, matching, optional, record, withDefault } from "../arguments";
import { claims, ledgerOf, rebase, share } from "../claims";
import { idOf, macToken, NAME } from "../contract";
import {
  address4,
  address6,
  addressOf,
  bracketed,
  claim,
  dnsLabel,
  domain,
  grant,
  interfaceName,
  label,
  mac,
  mtu,
  NO_TOKEN,
  ntpServers,
  orderOfNames,
  parentDomain,
  prefix4,
  prefix6,
  prefixOf,
  way,
} from "../fields";
import { firstName, type Inputs, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import {
  all,
  changesMtu,
  type Effect,
  forwarding,
  restartsDnsmasq,
  runsDnsmasq,
  says,
  stopsForwarding,
  type Traffic,
  words,
} from "../traffic";
import { derive, hasUnknown, UNKNOWN } from "../unknown";
import { type Link, linkOf, vlanId } from "../vlan";

/** As it is in its ledger; an isolated network is none, and its name has a slash. */
const vpcName = matching("the name of a VPC", new RegExp(`^(?:isolated/)?${NO_TOKEN}${NAME}$`));

const own = {
  claim,
  interface: optional(interfaceName),
  mac: optional(mac),
  mtu: optional(mtu),
  vlan: optional(vlanId),
  domain: optional(domain),
  cidr: optional(prefix6("network")),
  gateway: optional(address6("host")),
  ipv4: optional(
    record({ cidr: prefix4("network"), gateway: optional(address4("host")), dhcp: withDefault(boolean, true) }),
  ),
};

const shapeOf = (...takes: string[]) =>
  record(own, {
    takes,
    adds: {
      grant: optional(grant),
      vpc: record({ name: vpcName, domain: parentDomain, ntpServers }),
      ipv4Others: withDefault(list(record({ name: label, cidr: label })), []),
      claims,
      router: way,
    },
  });
const shape = shapeOf("vpc", "reserve");
/** Of one that is in no VPC. */
export const isolatedShape = shapeOf("zone", "router", "ntpServers", "reserve");
type Args = ReturnType<typeof shape>;

interface Ipv4 {
  cidr: string;
  gateway: string;
  dhcp: boolean;
}

/** What stands in the state, as far as `traffic` needs it. */
export interface TierInputs extends Inputs {
  cidr?: string | undefined;
  gateway?: string | undefined;
  interface?: string | undefined;
  mtu?: number | undefined;
  /** The interface that carries its VLAN; `interface` is then the VLAN's own. */
  trunk?: string | undefined;
  vlan?: number | undefined;
  ipv4?: Ipv4 | undefined;
}

/** The first addresses of a tier are the router's: ::1 by default, and room for what may come. */
const FIRST_INSTANCE = 0x10n;

/** That of an isolated network too. */
export const traffic = {
  gone: says("ends", "is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network"),
  holds: (inputs) => [...(inputs.ipv4 ? [forwarding(4)] : []), ...runsDnsmasq(inputs)],
  disturbs: (before, after, others) =>
    all(
      ...(before && after ? [...gatewaysOf(before, after), changesMtu(before.mtu, after.mtu)] : []),
      stopsForwarding(4, before?.ipv4 !== undefined, after?.ipv4 !== undefined, others),
      restartsDnsmasq(before, after, others),
    ),
} satisfies Traffic<TierInputs>;

export const tier: Kind<Args, TierInputs> = {
  type: "Tier",
  // 1: without a fragment for the guard.
  schema: 2,
  shape,
  unkept: ["mac"],
  plan(args, old, fail) {
    const { claim, router, vpc, cidr: explicitCidr, gateway: explicitGateway } = args;
    const names = namesOf(claim, old);
    const domain = args.domain ?? derive([vpc.domain], (it) => `${dnsLabel(firstName(names))}.${it}`);
    const { device, ...tagged } = deviceOf(args, old, fail);
    const ipv4 = ipv4Of(args, fail);
    const mtu = args.mtu !== undefined && { mtu: args.mtu };
    const common = { ...names, domain, interface: device, ...tagged, ...mtu, router };
    if (args.grant === undefined && explicitCidr !== undefined) {
      fail(`cidr: "${explicitCidr}" in a VPC with ipv6: false; leave one of them out`);
    }
    if (args.grant === undefined && ipv4 === undefined) {
      return { ...common, ledger: "no addresses, as the VPC has no IPv6", fragments: {} };
    }
    // An isolated network's is in what the user wrote down himself.
    const ofVpc = hasUnknown(vpc.name) || !vpc.name.includes("/");
    const own = { claim, old, property: "cidr", explicit: explicitCidr, ...(ofVpc && { within: "Vpc" as const }) };
    const cidr = args.grant && share({ ...own, grant: args.grant }, fail);
    if ((args.grant && cidr === undefined) || device === undefined || ipv4 === "wrong") return common;
    const gateway = explicitGateway ?? (cidr && derive([cidr], (it) => formatAddress(nth(prefixOf(it), 1))));
    if (cidr && gateway && !hasUnknown([cidr, gateway]) && !contains(prefixOf(cidr), addressOf(gateway))) {
      fail(`gateway: "${gateway}" is not inside the tier's ${cidr}${orderOfNames("Tier")}`);
      return common;
    }
    const ledger = derive([cidr, gateway, ipv4, args.claims] as const, (...it) =>
      ledgerOf(pools(it[0], it[1], it[2]), ledgerBefore(old, it[0], it[2]), it[3], fail),
    );
    const fragments = render("tier", {
      cidr,
      gateway,
      interface: device,
      mtu: args.mtu === undefined ? undefined : derive([args.mtu], String),
      trunk: tagged.trunk,
      vlan: tagged.vlan && derive([tagged.vlan], String),
      network: cidr && derive([cidr], (it) => it.split("/")[0] ?? ""),
      length: cidr && derive([cidr], (it) => it.split("/")[1] ?? ""),
      domain,
      search: domain === vpc.domain ? domain : `${domain},${vpc.domain}`,
      ntpServers: derive([vpc.ntpServers] as const, bracketed),
      ipv4: ipv4 && { ...viewOf(ipv4), vpc: vpc.name },
    });
    return { ...common, cidr, gateway, ...(ipv4 && { ipv4 }), ledger, fragments };
  },
  identify: (inputs) => idOf.placed(firstName(inputs), String(inputs.cidr ?? inputs.interface)),
  describe: (inputs) => `"${firstName(inputs)}"`,
  traffic,
  shown: {
    claims: { tier: { word: "tier", told: "space" } },
    noun: "tier",
    node: { where: "vpc", look: "tier", title: "tier", lines: tierLines },
  },
};

function tierLines({ cidr, ipv4, vlan }: TierInputs): (string | undefined)[] {
  return [cidr, ipv4?.cidr, vlan === undefined ? undefined : `VLAN ${vlan}`];
}

/** What its guests lose by its new networks or interface; of a tier that is renumbered as a whole only that is told. */
function gatewaysOf(before: TierInputs, after: TierInputs): (Effect | false)[] {
  const [old, now] = [before.cidr, after.cidr];
  if (old !== undefined && now !== undefined && old !== now) {
    return [
      says(
        "ends",
        words`is renumbered from ${old} to ${now}: connections of its guests end, and they have no network until they renew their lease (half an hour, or at once by hand)`,
      ),
    ];
  }
  const device = before.interface !== undefined && before.interface !== after.interface ? before.interface : undefined;
  if (device !== undefined)
    return [says("ends", words`no longer uses the interface ${device}: who is on it loses the network`)];
  const [gateway, gateway4] = [before.gateway, before.ipv4?.gateway];
  return [
    old !== undefined && now === undefined && says("ends", words`has no IPv6 any more: ${old} goes from its guests`),
    now !== undefined &&
      gateway !== undefined &&
      gateway !== after.gateway &&
      says(
        "ends",
        words`has another gateway than ${gateway}: guests' connections stall until they have learned it from an advertisement`,
      ),
    gateway4 !== undefined &&
      after.ipv4 === undefined &&
      says("ends", words`has no IPv4 any more: the gateway ${gateway4} goes, and all IPv4 of its guests with it`),
    gateway4 !== undefined &&
      after.ipv4 !== undefined &&
      gateway4 !== after.ipv4.gateway &&
      says(
        "ends",
        words`has another IPv4 gateway than ${gateway4}: its guests' IPv4 stalls until they renew their lease (half an hour, or at once by hand)`,
      ),
  ];
}

/**
 * The interface's name, or where it was given by MAC a token that the router replaces by the name it finds. The token's 16
 * characters are more than any interface name can have. Of a VLAN the name of the link that the router makes, and on what.
 */
function deviceOf(args: Args, old: TierInputs | undefined, fail: Fail): Partial<Link> {
  if ((args.interface === undefined) === (args.mac === undefined)) {
    fail("interface: name the router's interface in this tier by `interface` or by `mac`, and by one of them only");
    return {};
  }
  const named = args.interface ?? (args.mac && derive([args.mac], macToken));
  if (named === undefined) return {};
  return linkOf(named, args.vlan, { device: old?.interface, trunk: old?.trunk, vlan: old?.vlan });
}

/** The IPv4 side with its defaults. A router has one IPv4 table: no two of its tiers, of whatever VPC, may overlap. */
function ipv4Of({ ipv4, ipv4Others }: Args, fail: Fail): Ipv4 | undefined | "wrong" {
  if (ipv4 === undefined) return undefined;
  const { cidr, dhcp } = ipv4;
  const gateway = ipv4.gateway ?? derive([cidr], (it) => firstHost(prefixOf(it)));
  if (hasUnknown(cidr)) return { cidr, gateway, dhcp };
  const reasons: string[] = [];
  const why = whyNoNetwork(prefixOf(cidr));
  if (why) reasons.push(`ipv4.cidr: ${why}`);
  else if (!hasUnknown(gateway) && !isHost(prefixOf(cidr), addressOf(gateway))) {
    reasons.push(`ipv4.gateway: "${gateway}" is not the address of a host in ${cidr}`);
  }
  for (const other of (ipv4Others as unknown) === UNKNOWN ? [] : ipv4Others) {
    if (hasUnknown(other)) continue;
    // As it was given there; what is wrong with it is that tier's own failure.
    const theirs = parsePrefix(other.cidr);
    if (typeof theirs !== "string" && overlaps(prefixOf(cidr), theirs)) {
      reasons.push(`ipv4.cidr: "${cidr}" overlaps ${other.cidr} of ${other.name}, on the same router`);
    }
  }
  for (const reason of reasons) fail(reason);
  return reasons.length === 0 ? { cidr, gateway, dhcp } : "wrong";
}

/** The ledger of the last run, moved along where the tier's networks have moved. */
function ledgerBefore(old: Parameters<Kind["plan"]>[1], cidr: string | undefined, ipv4: Ipv4 | undefined) {
  const before = old?.ledger as string | undefined;
  const moved = cidr === undefined ? before : rebase(before, old?.cidr, cidr);
  return ipv4 === undefined ? moved : rebase(moved, (old?.ipv4 as Ipv4 | undefined)?.cidr, ipv4.cidr);
}

function viewOf({ cidr, gateway, dhcp }: Ipv4): object {
  return {
    cidr,
    gateway,
    length: derive([cidr], (it) => it.split("/")[1] ?? ""),
    // Unknown where `dhcp` is: then the whole text is.
    dhcp: derive([cidr, dhcp] as const, (it, wanted) => wanted && it.split("/")[0]),
    netmask: derive([cidr, dhcp] as const, (it, _) => netmask(prefixOf(it))),
  };
}

function pools(cidr: string | undefined, gateway: string | undefined, ipv4: Ipv4 | undefined): PoolSpec[] {
  const list: PoolSpec[] = [];
  if (cidr !== undefined && gateway !== undefined) {
    const within = prefixOf(cidr);
    const own = addressOf(gateway).value;
    const reserved = [{ first: within.base, last: within.base + FIRST_INSTANCE - 1n, reason: "the router" }];
    if (own >= within.base + FIRST_INSTANCE) reserved.push({ first: own, last: own, reason: "the gateway" });
    list.push({ kind: "instance", what: "address", plural: "addresses", format: "address", within, reserved });
  }
  if (ipv4) list.push(ipv4Pool(prefixOf(ipv4.cidr), addressOf(ipv4.gateway).value));
  return list;
}
