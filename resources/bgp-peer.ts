import * as pulumi from "@pulumi/pulumi";
import { largestVpc } from "../provider/addressing/reading";
import { given, isKind, object } from "./copies";
import { Resource } from "./resource";
import { sessionsOf } from "./sessions";
import type { Vpc } from "./vpc";

/** How fast a dead neighbour is noticed; seconds. */
export interface BgpTimersArgs {
  /** Between keepalives; at most a third of `hold`, as FRR has it. Default: 10. */
  keepalive?: pulumi.Input<number>;
  /** Silence after which the session is over (RFC 4271 section 4.2), at least 3 and more than `keepalive`. Default: 30. */
  hold?: pulumi.Input<number>;
  /** Between attempts to connect. Default: 5. */
  connect?: pulumi.Input<number>;
}

/** Bidirectional forwarding detection (RFC 5880): how fast a neighbour that went silent is noticed. */
export interface BfdArgs {
  /** Between packets, both ways, in milliseconds, 50 to 60000. Default: 300. */
  interval?: pulumi.Input<number>;
  /** So many packets missed and the neighbour is down, 2 to 255. Default: 3. */
  multiplier?: pulumi.Input<number>;
}

export interface BgpPeerArgs {
  /** The VPC to announce; its router is one end of the session. */
  vpc: Vpc;
  /** The neighbour's AS number, 1 to 4294967295; the router's own makes the session iBGP. */
  remoteAsn: pulumi.Input<number>;
  /** The neighbour's address, IPv6. Default: the gateway of the zone's public network. */
  address?: pulumi.Input<string>;
  timers?: pulumi.Input<BgpTimersArgs>;
  /** Notice within about a second when the neighbour goes silent (BFD, RFC 5880); it must do the same. Default: false. */
  bfd?: pulumi.Input<boolean | BfdArgs>;
  /** TCP-MD5 (RFC 2385), the same as the neighbour's: 6 to 80 letters, digits and any of `._~+/=:@%^,-`. A secret. Default: none. */
  password?: pulumi.Input<string>;
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
 * All of them must have the same settings of the session: timers, BFD, password, hops. Change these for all of them in one `up`. If Pulumi makes the
 * changes one after another (`--parallel 1`, or one peer depends on another), the router refuses the first one and names both peers.
 */
export class BgpPeer extends Resource {
  /** The neighbour's address. */
  declare readonly address: pulumi.Output<string>;
  /** The router's own AS number. */
  declare readonly asn: pulumi.Output<number>;
  declare readonly remoteAsn: pulumi.Output<number>;
  declare readonly router: Vpc["router"];

  /** Whether it is a BgpPeer, of this or another copy of the package. */
  static override isInstance(value: unknown): value is BgpPeer {
    return isKind(value, "BgpPeer");
  }

  constructor(name: string, args: BgpPeerArgs, opts?: pulumi.CustomResourceOptions) {
    const { vpc, ...rest } = object(args, `BgpPeer "${name}": its second argument`);
    given(vpc, `BgpPeer "${name}": vpc`, "Vpc");
    const { publicNetwork, superCidr, vpcPrefixLength } = vpc.zone.given;
    // Under mocks there is no ledger.
    const largest = pulumi.output(vpc.zone.ledger).apply((it) => (it === undefined ? undefined : largestVpc(it)));
    const { has, address, asn } = vpc.carrier;
    const props = {
      ...rest,
      password: args.password === undefined ? undefined : pulumi.secret(args.password),
      name,
      cidr: vpc.hasIpv6 ? vpc.cidr : undefined,
      asn: has.asn ? asn : undefined,
      zone: { publicNetwork, superCidr, vpcPrefixLength, largest },
      routerAddress: has.address ? address : undefined,
      router: vpc.router,
    };
    sessionsOf(vpc.zone).add({
      peer: name,
      router: vpc.router,
      address: props.routerAddress,
      asn: props.asn,
      neighbor: args.address,
      prefixes: args.export ?? (vpc.hasIpv6 ? [vpc.cidr] : []),
    });
    super("BgpPeer", name, OUTPUTS, props, opts);
  }
}
