import * as pulumi from "@pulumi/pulumi";
import { largestVpc } from "../provider/addressing/reading";
import { Resource } from "./resource";
import type { Vpc } from "./vpc";

/** How fast a dead neighbour is noticed; seconds. */
export interface BgpTimersArgs {
  /** Between keepalives. Default: 10. */
  keepalive?: pulumi.Input<number>;
  /** Silence after which the session is over (RFC 4271 section 4.2), at least 3 and more than `keepalive`. Default: 30. */
  hold?: pulumi.Input<number>;
  /** Between attempts to connect. Default: 5. */
  connect?: pulumi.Input<number>;
}

export interface BgpPeerArgs {
  /** The VPC to announce; its router is one end of the session. */
  vpc: Vpc;
  /** The neighbour's AS number, 1 to 4294967295; the router's own makes the session iBGP. */
  remoteAsn: pulumi.Input<number>;
  /** The neighbour's address, IPv6. Default: the gateway of the zone's public network. */
  address?: pulumi.Input<string>;
  timers?: pulumi.Input<BgpTimersArgs>;
  /** The most hops to an eBGP neighbour outside the public network, 2 to 255. Default: it is on the link. */
  multihop?: pulumi.Input<number>;
  /** Take a default route from the neighbour. Default: false. */
  acceptDefault?: pulumi.Input<boolean>;
  /** Take only networks inside these prefixes, which are inside the zone's super CIDR. Default: all of the super CIDR. */
  import?: pulumi.Input<pulumi.Input<string>[]>;
  /** Announce these parts of the VPC's prefix, at most 16, instead of the whole; none: announce nothing. */
  export?: pulumi.Input<pulumi.Input<string>[]>;
}

const OUTPUTS = ["address", "asn", "remoteAsn", "router"];

/**
 * A BGP session of a VPC's router (FRR, installed with the first one). It announces the VPC's prefix and nothing else; it takes networks of
 * a VPC's size (from the zone's largest) inside the zone's super CIDR, never its own, and a default route only if asked. Packets to a neighbour VPC go
 * straight to that VPC's router, not over the uplink, when both are on one link.
 *
 * The router's AS number is the zone's: `asn`, one for all, or one of `asnRange`. Both designs are the same to write.
 *
 * ```ts
 * new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });
 * ```
 *
 * With another neighbour, from which the default route comes too, and faster timers:
 *
 * ```ts
 * new vpc6.BgpPeer("uplink2", {
 *   vpc: shop, remoteAsn: 65000, address: "2001:db8:ffff::2", acceptDefault: true, timers: { keepalive: 3, hold: 9 },
 * });
 * ```
 *
 * Several VPCs on one router may name the same neighbour: they share the session, and each adds its prefix to it.
 */
export class BgpPeer extends Resource {
  /** The neighbour's address. */
  declare readonly address: pulumi.Output<string>;
  /** The router's own AS number. */
  declare readonly asn: pulumi.Output<number>;
  declare readonly remoteAsn: pulumi.Output<number>;
  declare readonly router: Vpc["router"];

  constructor(name: string, args: BgpPeerArgs, opts?: pulumi.CustomResourceOptions) {
    const { vpc, ...rest } = args;
    const { publicNetwork, superCidr, vpcPrefixLength } = vpc.zone.given;
    // Under mocks there is no ledger.
    const largest = pulumi.output(vpc.zone.ledger).apply((it) => (it === undefined ? undefined : largestVpc(it)));
    const { has, address, asn } = vpc.carrier;
    const props = {
      ...rest,
      name,
      cidr: vpc.hasIpv6 ? vpc.cidr : undefined,
      asn: has.asn ? asn : undefined,
      zone: { publicNetwork, superCidr, vpcPrefixLength, largest },
      routerAddress: has.address ? address : undefined,
      router: vpc.router,
    };
    super("BgpPeer", name, OUTPUTS, props, opts);
  }
}
