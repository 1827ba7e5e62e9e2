import type * as pulumi from "@pulumi/pulumi";
import { Claims, formerNames, reserved } from "./claims";
import { given, isKind, listed, object } from "./copies";
import { grant } from "./grant";
import { distinct, domainIn } from "./names";
import { Resource } from "./resource";
import type { Router } from "./router";
import type { SharedRouter, SharedZone } from "./shared";
import type { Zone } from "./zone";

export interface VpcArgs {
  zone: Zone | SharedZone;
  /** The router that carries this VPC; another one replaces the VPC and all in it. */
  router: Router | SharedRouter;
  /**
   * Its prefix, inside the zone's super CIDR, if not the first free one, e.g. `"2001:67c:2834:20::/60"`. New VPCs are served in the order of their
   * names, not of the program. A plain value.
   */
  cidr?: string;
  /**
   * The length of its prefix, 48 to 63: 56 makes room for 255 tiers. Default: the zone's. It can become shorter later where nobody
   * holds what lies behind, and never longer. A plain value.
   */
  vpcPrefixLength?: number;
  /** The DNS domain under which tiers and instances get their names. Default: `<name>.internal`. */
  domain?: pulumi.Input<string>;
  /**
   * IPv6 addresses of NTP servers that guests are told (RFC 5908), some 23 at most: unicast, and reached over the gateway. Default: none.
   */
  ntpServers?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Whether the VPC has IPv6 at all; without it no IPv6 command of any kind runs for it, and its tiers have what their `ipv4` says.
   * A plain value. Default: true.
   */
  ipv6?: boolean;
  /** Names of tiers that hold their place without a resource in this program (see Zone's `reserve`). Plain values. */
  reserve?: string[];
  /** The name in the zone's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

const OUTPUTS = ["cidr", "domain", "ledger", "ntpServers", "router", "routerAddress"];

/**
 * A VPC: a private network with a prefix of its own (a /60 by default) on one router. The first /64 is the router's own network
 * (its service address is the first address there), every further /64 can be a tier.
 *
 * ```ts
 * const shop = new vpc6.Vpc("shop", { zone, router });
 * ```
 *
 * With room for 255 tiers:
 *
 * ```ts
 * const shop = new vpc6.Vpc("shop", { zone, router, vpcPrefixLength: 56 });
 * ```
 *
 * With a prefix and a domain of your choice:
 *
 * ```ts
 * const shop = new vpc6.Vpc("shop", { zone, router, cidr: "2001:67c:2834:20::/60", domain: "shop.example.net" });
 * ```
 */
export class Vpc extends Resource {
  /** The VPC's prefix. */
  declare readonly cidr: pulumi.Output<string | undefined>;
  /** The router's service address, the first of the VPC's first /64. */
  declare readonly routerAddress: pulumi.Output<string | undefined>;
  declare readonly domain: pulumi.Output<string>;
  declare readonly ntpServers: pulumi.Output<string[]>;
  /** The table of the tiers' prefixes. */
  declare readonly ledger: pulumi.Output<string>;
  declare readonly router: Router["router"];
  /** @internal */
  readonly hasIpv6: boolean;
  /** @internal */
  readonly zone: Zone | SharedZone;
  /** @internal What it is called in the zone's ledger. */
  readonly ledgerName: string;
  /** @internal The router that carries it. */
  readonly carrier: Router | SharedRouter;
  /** @internal What tiers ask for. */
  readonly claims: Pick<Claims, "add" | "closed">;
  /** @internal Its domain, where that is known while the program runs. */
  readonly plainDomain: string | undefined;

  /** Whether it is a Vpc, of this or another copy of the package. */
  static override isInstance(value: unknown): value is Vpc {
    return isKind(value, "Vpc");
  }

  constructor(name: string, args: VpcArgs, opts?: pulumi.CustomResourceOptions) {
    const {
      zone,
      router,
      claim = name,
      cidr,
      vpcPrefixLength: length,
      ipv6 = true,
      reserve = [],
      ...rest
    } = object(args, `Vpc "${name}": its second argument`);
    given(zone, `Vpc "${name}": zone`, "Zone", "SharedZone");
    given(router, `Vpc "${name}": router`, "Router", "SharedRouter");
    const claims = new Claims(`VPC "${name}"`, reserved("tier", listed(reserve, `Vpc "${name}": reserve`)));
    const child = { type: "Vpc", name, claim, value: cidr, length, opts };
    if (ipv6) zone.claims.add({ kind: "vpc", name: claim, was: formerNames(name, opts), value: cidr, length });
    const plainDomain = domainIn(rest.domain, claim, "internal");
    const written = rest.domain !== undefined;
    if (plainDomain !== undefined) distinct(router, "VPCs", plainDomain, "domain", { who: `VPC "${name}"`, written });
    const props = {
      ...rest,
      claim,
      ipv6,
      claims: claims.closed,
      cidr,
      vpcPrefixLength: length,
      grant: ipv6 ? grant(zone, "vpc", child) : undefined,
      router: router.router,
    };
    super("Vpc", name, OUTPUTS, props, opts);
    this.claims = claims;
    this.hasIpv6 = ipv6;
    this.ledgerName = claim;
    this.zone = zone;
    this.carrier = router;
    this.plainDomain = plainDomain;
  }
}
