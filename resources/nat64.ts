import type * as pulumi from "@pulumi/pulumi";
import { DEFAULT_POOL } from "../provider/addressing/ipv4";
import { formerNames } from "./claims";
import { given, isKind, object, occupy } from "./copies";
import { grant } from "./grant";
import { refusal } from "./refusal";
import { Resource } from "./resource";
import type { Vpc } from "./vpc";

/** DNS64 (RFC 6147), in the terms of BIND's `dns64` statement. */
export interface Dns64Args {
  /** Whose queries are answered with synthesized addresses: IPv6 prefixes or addresses inside the VPC. Default: the whole VPC. */
  clients?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * IPv4 prefixes whose addresses are synthesized from, the first match deciding; `!` in front of one leaves it out,
   * e.g. `["!10.0.0.0/8", "0.0.0.0/0"]`. Default: all.
   */
  mapped?: pulumi.Input<pulumi.Input<string>[]>;
  /** AAAA records inside these IPv6 prefixes count as absent. Default: `["::ffff:0:0/96"]`, BIND's own. */
  exclude?: pulumi.Input<pulumi.Input<string>[]>;
  /** Only recursive queries get synthesized answers. Default: true. */
  recursiveOnly?: pulumi.Input<boolean>;
  /** The bits behind the IPv4 address; behind a /96 there is none, so this can only be `"::"`, its default. */
  suffix?: pulumi.Input<string>;
}

export interface Nat64Args {
  vpc: Vpc;
  /**
   * The /96 under which guests see the IPv4 internet: inside the VPC's own router network, from elsewhere (a block of yours that
   * is nobody's network), or the well-known `"64:ff9b::/96"`, which reaches no private IPv4 addresses (RFC 6052 §3.1). Bits 64 to
   * 71 must be zero (§2.2). Default: the first free one of the router network. A plain value.
   */
  prefix?: string;
  /**
   * Private IPv4 addresses (RFC 1918, 6598) by which the translator tells guests apart, a /8 to /29; as many guests can use
   * it in the same two hours. It must be nobody's network on the router, nor another Nat64's. Default: `"192.168.255.0/24"`.
   */
  ipv4Pool?: pulumi.Input<string>;
  /** Names that have no AAAA record get one under the prefix. `false`: none do. Default: true, for all names and the whole VPC. */
  dns64?: pulumi.Input<boolean | Dns64Args>;
  /** The name in the VPC's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

const OUTPUTS = ["device", "ipv4Pool", "prefix", "router"];

/**
 * IPv4 for the guests of a VPC that have IPv6 only: NAT64 (Tayga and masquerading) and DNS64 (BIND) on its router, one for
 * each VPC. The router needs an IPv4 address and a default route on its public interface, which are yours to give it.
 *
 * Guests reach what the egress list of their tier allows: an IPv4 destination is its address under the prefix, so a rule about
 * all of them has `cidrs: [nat64.prefix]`. Nobody else can use it, and it leads to nothing on the router or behind its other interfaces.
 *
 * ```ts
 * const nat64 = new vpc6.Nat64("nat64", { vpc: shop });
 * ```
 *
 * With the well-known prefix, synthesizing for one tier only, and not from private addresses:
 *
 * ```ts
 * new vpc6.Nat64("nat64", {
 *   vpc: shop, prefix: "64:ff9b::/96", dns64: { clients: ["2001:67c:2834:1::/64"], mapped: ["!10.0.0.0/8", "0.0.0.0/0"] },
 * });
 * ```
 */
export class Nat64 extends Resource {
  /** The /96: for rules of access lists, and to write an IPv4 address under it. */
  declare readonly prefix: pulumi.Output<string>;
  declare readonly ipv4Pool: pulumi.Output<string>;
  /** The translator's network device on the router. */
  declare readonly device: pulumi.Output<string>;
  declare readonly router: Vpc["router"];

  /** Whether it is a Nat64, of this or another copy of the package. */
  static override isInstance(value: unknown): value is Nat64 {
    return isKind(value, "Nat64");
  }

  constructor(name: string, args: Nat64Args, opts?: pulumi.CustomResourceOptions) {
    const { vpc, claim = name, prefix, ...rest } = object(args, `Nat64 "${name}": its second argument`);
    given(vpc, `Nat64 "${name}": vpc`, "Vpc");
    const other = occupy(vpc, "nat64", name);
    if (other !== undefined) throw refusal(`Nat64 "${name}" and Nat64 "${other}" are in one VPC: it has one at most`);
    const twin = typeof prefix === "string" ? occupy(vpc.carrier, `nat64 ${prefix}`, name) : undefined;
    if (twin !== undefined) {
      throw refusal(
        `Nat64 "${name}" and Nat64 "${twin}" are on one router and both have ${prefix}: each VPC needs a prefix of its own`,
      );
    }
    if (vpc.hasIpv6) vpc.claims.add({ kind: "nat64", name: claim, was: formerNames(name, opts), value: prefix });
    const props = {
      ...rest,
      claim,
      prefix,
      grant: vpc.hasIpv6 ? grant(vpc, "nat64", { type: "Nat64", name, claim, opts }) : undefined,
      vpc: { cidr: vpc.hasIpv6 ? vpc.cidr : undefined, superCidr: vpc.zone.given.superCidr },
      ipv4Others: [...vpc.carrier.ipv4Networks],
      router: vpc.router,
    };
    super("Nat64", name, OUTPUTS, props, opts);
    // Tiers that come later in the program see it there.
    vpc.carrier.ipv4Networks.push({ name: `Nat64 "${name}"`, cidr: rest.ipv4Pool ?? DEFAULT_POOL });
  }
}
