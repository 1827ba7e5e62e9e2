import type * as pulumi from "@pulumi/pulumi";
import { formatMac, parseMac } from "../provider/addressing/mac";
import { dnsLabel } from "../provider/fields";
import { vlanDevice } from "../provider/vlan";
import { Claims, formerNames, reserved } from "./claims";
import { given, isKind, listed, object, occupy } from "./copies";
import { grant, type Parent } from "./grant";
import { distinct, domainIn } from "./names";
import { refusal } from "./refusal";
import { Resource } from "./resource";
import type { Router } from "./router";
import type { Vpc } from "./vpc";

/** The IPv4 side of a dual-stack tier. */
export interface TierIpv4Args {
  /**
   * Its network, /8 to /30, e.g. `"10.1.1.0/24"`. It must not overlap that of another tier on the same router, whatever VPC that is of,
   * nor a network the router has otherwise: a router has one IPv4 table. Another one moves the guests along, each at its place.
   */
  cidr: pulumi.Input<string>;
  /** The router's address in it. Default: the first host address. */
  gateway?: pulumi.Input<string>;
  /** Whether guests get their address, gateway, DNS and domain by DHCPv4, known by their MAC address. Default: true. */
  dhcp?: pulumi.Input<boolean>;
}

export interface TierArgs {
  vpc: Vpc;
  /** The router's network interface on this tier's segment, by name. This or `mac`. */
  interface?: pulumi.Input<string>;
  /** The MAC address of the router's network interface on this tier's segment. This or `interface`. */
  mac?: pulumi.Input<string>;
  /**
   * The MTU of that interface, 1280 to 9216, which guests are told by router advertisements and by DHCPv4. What carries the segment (the
   * network card, a VLAN's parent, a bridge's ports, the switches) must have room for it. Default: the interface's own, untouched; when
   * `mtu` goes, that comes back. See [routers](../routers.md#mtu).
   */
  mtu?: pulumi.Input<number>;
  /**
   * Its VLAN (IEEE 802.1Q) on that interface: 1 to 4094. The router makes the link, `trunk0.101`, has it again whenever it goes, and takes it away with
   * the tier; the interface itself, a card, a bond or a bridge, has to be there. What comes in there without a tag is dropped, unless it is for an address that
   * the interface has, or for a tier without `vlan` ([VLANs](../routers.md#vlans)). Another one is an update in place. Default: none, the
   * interface is the tier's as it is.
   */
  vlan?: pulumi.Input<number>;
  /**
   * Its /64, inside the VPC's prefix, if not the first free one. New tiers are served in the order of their names, not of the program:
   * where addresses in a tier are written down (`address`, `gateway`, rules), give each tier its `cidr`. A plain value.
   */
  cidr?: string;
  /** The router's address in the tier. Default: the first of the /64. A plain value. */
  gateway?: string;
  /**
   * An IPv4 network beside the /64, or alone in a VPC with `ipv6: false`. IPv4 goes from tier to tier of the VPC, as access lists allow, and
   * nowhere else: neither to the public side nor to the router's other interfaces. Default: no IPv4.
   */
  ipv4?: TierIpv4Args;
  /**
   * The DNS domain of the guests' names. Default: `<claim>.<domain of the VPC>`, in lower case and with hyphens for all but letters and digits;
   * that no two tiers of a VPC have the same. Written down it can be several tiers'.
   */
  domain?: pulumi.Input<string>;
  /** Names of instances that hold their place without a resource in this program (see Zone's `reserve`). Plain values. */
  reserve?: string[];
  /** The name in the VPC's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

/** @internal What a tier needs of what it is in: a VPC, or for an isolated network the zone itself. */
export type Home = Parent & {
  readonly hasIpv6: boolean;
  /** Tiers with one name here reach each other over IPv4. */
  readonly ledgerName: string;
  /** The router that carries it. */
  readonly carrier: Pick<Router, "ipv4Networks">;
  /** Its domain, where that is known while the program runs. */
  readonly plainDomain: string | undefined;
  readonly claims: Pick<Claims, "add">;
  readonly domain: pulumi.Input<string>;
  readonly ntpServers: pulumi.Input<pulumi.Input<string>[]>;
  readonly router: pulumi.Input<string>;
};

/** An interface, or a VLAN on one, is one tier's; one that is known late is refused by the router. */
function alone(
  carrier: Home["carrier"],
  who: string,
  { interface: device, mac, vlan }: Pick<TierArgs, "interface" | "mac" | "vlan">,
): void {
  if (vlan !== undefined && typeof vlan !== "number") return;
  const parsed = typeof mac === "string" ? parseMac(mac) : "";
  const all = [
    ...(typeof device === "string" ? [device] : []),
    ...(typeof parsed === "string" ? [] : [formatMac(parsed)]),
  ];
  for (const one of all) {
    // As the link is called: it may be said by its own name, too.
    const other = occupy(carrier, `interface ${vlan === undefined ? one : vlanDevice(one, vlan)}`, who);
    if (other === undefined) continue;
    const [what, own] = vlan === undefined ? ["", "an interface"] : [`VLAN ${vlan} on `, "a VLAN"];
    throw refusal(
      `${who} and ${other} both have ${what}the interface ${one} of one router: each needs ${own} of its own`,
    );
  }
}

/** The resource's type, by what it claims. */
const TYPES = { tier: "Tier", isolated: "IsolatedNetwork" };

const OUTPUTS = ["cidr", "domain", "gateway", "interface", "ipv4", "ledger", "router", "vlan"];

/**
 * A tier: one /64 of a VPC on one interface of its router. Guests learn the default gateway from router advertisements (M and O set,
 * A clear: no SLAAC, RFC 4861 §4.2) and their address, domain, DNS and NTP servers by stateful DHCPv6 (RFC 8415).
 *
 * Without access lists nothing passes into or out of a tier but ICMPv6 (what RFC 4890 lets pass; over IPv4 echo and errors) and answers;
 * the router itself answers DNS and DHCP there. Only addresses that were handed out may send.
 *
 * ```ts
 * const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
 * ```
 *
 * On a VLAN, which the router makes:
 *
 * ```ts
 * const db = new vpc6.Tier("db", { vpc: shop, interface: "trunk0", vlan: 101 });
 * ```
 *
 * With IPv4 beside it, for servers that know nothing else:
 *
 * ```ts
 * const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
 * ```
 */
export class Tier extends Resource {
  declare readonly cidr: pulumi.Output<string | undefined>;
  declare readonly gateway: pulumi.Output<string | undefined>;
  declare readonly domain: pulumi.Output<string>;
  /** The interface's name, or a token for it where it was given by MAC; of a VLAN the name of its link, `trunk0.101`. */
  declare readonly interface: pulumi.Output<string>;
  declare readonly vlan: pulumi.Output<number | undefined>;
  /** The IPv4 side with its defaults. */
  declare readonly ipv4: pulumi.Output<{ cidr: string; gateway: string; dhcp: boolean } | undefined>;
  /** The table of the instances' addresses. */
  declare readonly ledger: pulumi.Output<string>;
  declare readonly router: Vpc["router"];
  /** @internal What instances ask for. */
  readonly claims: Pick<Claims, "add" | "closed">;
  /** @internal Whose tier it is. */
  readonly vpc: Home;
  /** @internal Which families it has: outputs that may be absent are unknown at preview. */
  readonly has: { ipv6: boolean; ipv4: boolean };
  /** @internal Its domain, where that is known while the program runs. */
  readonly plainDomain: string | undefined;

  /** Whether it is a Tier, of this or another copy of the package. */
  static override isInstance(value: unknown): value is Tier {
    return isKind(value, "Tier");
  }

  constructor(name: string, args: TierArgs, opts?: pulumi.CustomResourceOptions);
  /** @internal */
  constructor(
    name: string,
    args: Omit<TierArgs, "vpc"> & { vpc: Home; kind: keyof typeof TYPES },
    opts?: pulumi.CustomResourceOptions,
  );
  constructor(
    name: string,
    args: Omit<TierArgs, "vpc"> & { vpc: Home; kind?: keyof typeof TYPES },
    opts?: pulumi.CustomResourceOptions,
  ) {
    const {
      vpc,
      kind = "tier",
      claim = name,
      cidr,
      gateway,
      reserve = [],
      ...rest
    } = object(args, `Tier "${name}": its second argument`);
    // An isolated network has looked at its own.
    if (kind === "tier") given(vpc, `Tier "${name}": vpc`, "Vpc");
    const type = TYPES[kind];
    const has = { ipv6: vpc.hasIpv6, ipv4: rest.ipv4 !== undefined };
    const what = `${kind === "tier" ? "tier" : "isolated network"} "${name}"`;
    listed(reserve, `${type} "${name}": reserve`);
    alone(vpc.carrier, `${type} "${name}"`, rest);
    const claims = new Claims(what, [
      ...(has.ipv6 ? reserved("instance", reserve) : []),
      ...(has.ipv4 ? reserved("ipv4", reserve) : []),
    ]);
    if (vpc.hasIpv6) vpc.claims.add({ kind, name: claim, was: formerNames(name, opts), value: cidr });
    const plainDomain = domainIn(rest.domain, claim, vpc.plainDomain);
    // What is written down is one domain on purpose: then it is the guests' names that have to differ.
    if (rest.domain === undefined && typeof claim === "string") {
      const home = kind === "tier" ? vpc : vpc.carrier;
      distinct(home, kind, plainDomain ?? dnsLabel(claim), "domain", { who: what, written: false });
    }
    const props = {
      ...rest,
      claim,
      claims: claims.closed,
      cidr,
      gateway,
      grant: vpc.hasIpv6 ? grant(vpc, kind, { type, name, claim, value: cidr, opts }) : undefined,
      vpc: { name: vpc.ledgerName, domain: vpc.domain, ntpServers: vpc.ntpServers },
      ipv4Others: [...vpc.carrier.ipv4Networks],
      router: vpc.router,
    };
    super(type, name, OUTPUTS, props, opts, kind === "tier" ? [] : ["Tier"]);
    this.claims = claims;
    this.vpc = vpc;
    this.has = has;
    this.plainDomain = plainDomain;
    if (rest.ipv4) vpc.carrier.ipv4Networks.push({ name: what, cidr: rest.ipv4.cidr });
  }
}
