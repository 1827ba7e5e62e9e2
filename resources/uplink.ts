import * as pulumi from "@pulumi/pulumi";
import { lookup } from "../provider/addressing/ledger";
import { largestVpc } from "../provider/addressing/reading";
import type { BfdArgs, BgpTimersArgs } from "./bgp-peer";
import { given, isKind, object } from "./copies";
import { Resource } from "./resource";
import type { HopArgs } from "./router";
import { sessionsOf } from "./sessions";
import type { Zone } from "./zone";

/** A VPC router that this program does not build. */
export interface UplinkNeighborArgs {
  /** Its public address. */
  address: pulumi.Input<string>;
  asn: pulumi.Input<number>;
  /** What it may announce, inside the zone's super CIDR; exactly these. */
  prefixes: pulumi.Input<pulumi.Input<string>[]>;
}

export interface UplinkArgs extends HopArgs {
  zone: Zone;
  /** A bastion to go through (`ssh -J`). */
  proxy?: pulumi.Input<HopArgs>;
  /** Its AS number, the `remoteAsn` of the BgpPeers. That of the VPC routers makes it their route reflector (iBGP). */
  asn: pulumi.Input<number>;
  /** Its address that BgpPeers name as their neighbour. Default: the gateway of the zone's public network. */
  address?: pulumi.Input<string>;
  /**
   * `"vpcs"`, the default: from each VPC router only what its BgpPeers announce. `"supernet"`: from whoever connects from `listen` all networks
   * from a VPC's length to /64 inside the zone's super CIDR, so that a new VPC needs no change here. A plain value.
   */
  accept?: "vpcs" | "supernet";
  /** With `accept: "supernet"`: from where VPC routers connect. Default: the zone's public network. */
  listen?: pulumi.Input<string>;
  /** VPC routers that this program does not build, such as those of another stack; with `accept: "vpcs"`. */
  neighbors?: pulumi.Input<pulumi.Input<UplinkNeighborArgs>[]>;
  /** Announce a default route to the VPC routers. Default: false. */
  announceDefault?: pulumi.Input<boolean>;
  /**
   * How many networks are taken from one VPC router; more end its session for five minutes (with `accept: "supernet"` until it connects
   * again). FRR counts with a delay, so that one too many may pass. Default: 100.
   */
  maximumPrefix?: pulumi.Input<number>;
  timers?: pulumi.Input<BgpTimersArgs>;
  /** Notice within about a second when a VPC router goes silent (RFC 5880); set it on the BgpPeers too. Default: false. */
  bfd?: pulumi.Input<boolean | BfdArgs>;
  /**
   * TCP-MD5 (RFC 2385): the password of all its sessions, the same on the BgpPeers; 6 to 80 letters, digits and any of `._~+/=:@%^,-`. A secret.
   */
  password?: pulumi.Input<string>;
  /** The most hops to a VPC router outside the public network, 2 to 255. Default: they are on the link. */
  multihop?: pulumi.Input<number>;
}

const OUTPUTS = ["address", "asn", "router"];

/**
 * The cloud uplink router's own side of the BGP sessions: FRR on the machine that the VPC routers' `BgpPeer`s speak with. It takes from each VPC
 * router only the prefixes of that router's VPCs, and gives them the others', so that packets between VPCs go straight.
 *
 * It is a machine over SSH as a `Router` is, with the same credentials. vpc6 touches nothing there but FRR: no address, no firewall, no
 * forwarding switch. An FRR that is there already must be as its package brought it. Deleting it leaves the machine as it was found.
 *
 * ```ts
 * new vpc6.Uplink("uplink", { zone, host: "uplink.example.net", hostKey: "SHA256:…", asn: 65000 });
 * ```
 *
 * Told once for all VPCs to come, with a default route and fast detection:
 *
 * ```ts
 * new vpc6.Uplink("uplink", {
 *   zone, host: "uplink.example.net", hostKey: "SHA256:…", asn: 65000, accept: "supernet", announceDefault: true, bfd: true,
 * });
 * ```
 */
export class Uplink extends Resource {
  /** Its address that the VPC routers speak with. */
  declare readonly address: pulumi.Output<string>;
  declare readonly asn: pulumi.Output<number>;
  /** The way to it, without secrets. */
  declare readonly router: pulumi.Output<string>;

  /** Whether it is an Uplink, of this or another copy of the package. */
  static override isInstance(value: unknown): value is Uplink {
    return isKind(value, "Uplink");
  }

  constructor(name: string, args: UplinkArgs, opts?: pulumi.CustomResourceOptions) {
    const { zone, ...rest } = object(args, `Uplink "${name}": its second argument`);
    given(zone, `Uplink "${name}": zone`, "Zone");
    const { publicNetwork, superCidr, vpcPrefixLength, asn } = zone.given;
    const sessions = sessionsOf(zone);
    // With "supernet" VPCs come and go without a change here: nothing of them is read.
    const all = args.accept === "supernet";
    if (!all) sessions.wanted ??= name;
    // Under mocks there is no ledger.
    const largest = pulumi.output(zone.ledger).apply((it) => (it === undefined ? undefined : largestVpc(it)));
    const props = {
      ...rest,
      password: args.password === undefined ? undefined : pulumi.secret(args.password),
      name,
      sessions: all ? [] : sessions.closed,
      reserved: all ? undefined : reserved(zone),
      zone: { publicNetwork, superCidr, vpcPrefixLength, largest, asn },
    };
    super("Uplink", name, OUTPUTS, props, opts);
  }
}

/** What the zone keeps for other stacks: their routers, and the prefixes of VPCs that may be on any of them. */
function reserved(zone: Zone): pulumi.Output<object | undefined> | undefined {
  const names = (kind: string) =>
    (zone.given.reserve ?? []).flatMap((it) => {
      const { kind: of = "vpc", name } = typeof it === "string" ? { name: it } : it;
      return of === kind ? [name] : [];
    });
  if (names("router").length === 0) return undefined;
  return zone.ledger.apply((ledger) => {
    const held = (kind: string, name: string) => {
      const answer = lookup(ledger, kind, name);
      return answer && "value" in answer ? answer.value : undefined;
    };
    return {
      routers: names("router").map((name) => ({ name, address: held("router", name), asn: held("asn", name) })),
      prefixes: names("vpc").flatMap((name) => held("vpc", name) ?? []),
    };
  });
}
