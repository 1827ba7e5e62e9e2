import * as pulumi from "@pulumi/pulumi";
import { vlanDevice } from "../provider/vlan";
import { formerNames } from "./claims";
import { given, isKind, object, occupy } from "./copies";
import { grant } from "./grant";
import { refusal } from "./refusal";
import { Resource } from "./resource";
import { type Ipv4Network, type RouterShare, SharedRouter, type SharedZone } from "./shared";
import type { Zone } from "./zone";

/** An SSH server on the way to a router. */
export interface HopArgs {
  /** Name or address. */
  host: pulumi.Input<string>;
  /** TCP port. Default: 22. */
  port?: pulumi.Input<number>;
  /** Login name. Default: `"root"`. */
  user?: pulumi.Input<string>;
  /** The host key it must show: `"SHA256:…"` as `ssh-keygen -lf` prints it, or the key itself, `"ssh-ed25519 AAAA…"`. */
  hostKey: pulumi.Input<string>;
}

export interface RouterArgs extends HopArgs {
  zone: Zone | SharedZone;
  /** The router's network interface on the zone's public network, by name. */
  publicInterface: pulumi.Input<string>;
  /**
   * The MTU of that interface, 1280 to 9216, where the provider's network carries less, or more, than the machine believes. Default: the
   * interface's own, untouched; when `publicMtu` goes, that comes back. See [routers](../routers.md#mtu).
   */
  publicMtu?: pulumi.Input<number>;
  /**
   * The public network's VLAN (IEEE 802.1Q) on that interface: 1 to 4094. The router makes the link, `trunk0.7`, as it does for a tier's `vlan`
   * ([VLANs](../routers.md#vlans)). Default: none, the public network is on the interface as it is.
   */
  publicVlan?: pulumi.Input<number>;
  /** A bastion to go through (`ssh -J`). */
  proxy?: pulumi.Input<HopArgs>;
  /** Its public address, if not the first free one of the zone's range (in the order of names, not of the program). A plain value. */
  address?: string;
  /** Its private ASN (RFC 6996), if not the first free one of the zone's `asnRange`. A plain value. */
  asn?: number;
  /** Resolvers for what the VPCs' own DNS does not know, loopback addresses of the router among them. Default: those of its `/etc/resolv.conf`. */
  dnsServers?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Services of your own that stay reachable on the public interface, beside SSH: `"tcp/9100"`, `"udp/51820"`. All else that comes
   * in there unasked is dropped. Other interfaces that vpc6 does not manage are not filtered.
   */
  publicServices?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * How many connections the router can track at a time: 65,536 to 16,777,216. A connection takes some 450 bytes, and all of them may take half
   * of the memory at most. A router that can track more already keeps that number. Default: one for each 4 KB of memory, but 65,536 at least
   * and 1,048,576 at most; a full table then takes an eighth of the memory. A guest's share of them is a fixed number (SECURITY.md).
   */
  connections?: pulumi.Input<number>;
  /**
   * Take the place of what is there already and not ours: an FRR that somebody has configured (one as its package brought it needs no word),
   * a route to where ours goes. It is kept aside and comes back when ours is deleted. Default: false, such things are an error that names them.
   */
  adopt?: pulumi.Input<boolean>;
  /** The name in the zone's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

const OUTPUTS = ["address", "asn", "router"];

/**
 * A router VM, reached over SSH: a Debian or Ubuntu (README: [Limits](../../README.md#limits)) on which vpc6 installs the packages
 * it needs, its convergence program, the public address from the zone's range, and a firewall table of its own (`inet vpc6`).
 *
 * Credentials are never arguments: they come from `VPC6_SSH_KEY`, `VPC6_SSH_KEY_FILE`, the SSH agent, the usual files in `~/.ssh`,
 * or the stack's config `vpc6:sshPrivateKey`, in that order. A user other than root needs `sudo` without a password.
 *
 * Another `host`, `port`, `user`, `hostKey` or `proxy` is a new way to the same machine: an update that touches nothing there.
 * Deleting it leaves the machine as it was found; `VPC6_ABANDON_ROUTERS=name pulumi destroy` drops one that is gone for good.
 *
 * ```ts
 * const router = new vpc6.Router("vr1", {
 *   zone, host: "vr1.example.net", hostKey: "SHA256:…", publicInterface: "pub0",
 * });
 * ```
 */
export class Router extends Resource {
  /** The public address; absent without a public network. */
  declare readonly address: pulumi.Output<string | undefined>;
  declare readonly asn: pulumi.Output<number | undefined>;
  /** The way to it, without secrets: what every resource on this router keeps, so that it can be deleted without the program. */
  declare readonly router: pulumi.Output<string>;
  /** What other stacks need: `export const vr1 = router.shared` (see `fromStack`). */
  readonly shared: pulumi.Output<RouterShare>;
  /** @internal */
  readonly zone: Zone | SharedZone;
  /** @internal Whether it has an address and an AS number: outputs that may be absent are unknown at preview. */
  readonly has: { address: boolean; asn: boolean };
  /** @internal The IPv4 networks on it, in the order of the program: a router has one IPv4 table. */
  readonly ipv4Networks: Ipv4Network[] = [];

  /**
   * A router that another stack declares and exports: `export const vr1 = router.shared`. Two stacks may work on it at the same time.
   *
   * ```ts
   * const router = vpc6.Router.fromStack(new pulumi.StackReference("organization/zones/prod"), "vr1");
   * ```
   */
  static fromStack(stack: pulumi.StackReference, output: string): SharedRouter {
    return new SharedRouter(stack, output);
  }

  /** Whether it is a Router, of this or another copy of the package. */
  static override isInstance(value: unknown): value is Router {
    return isKind(value, "Router");
  }

  constructor(name: string, args: RouterArgs, opts?: pulumi.CustomResourceOptions) {
    const { zone, claim = name, address, asn, ...rest } = object(args, `Router "${name}": its second argument`);
    given(zone, `Router "${name}": zone`, "Zone", "SharedZone");
    const was = formerNames(name, opts);
    const asnText = asn === undefined ? undefined : String(asn);
    zone.claims.add({ kind: "router", name: claim, was, value: address });
    zone.claims.add({ kind: "asn", name: claim, was, value: asnText });
    alone(zone, name, rest);
    const child = { type: "Router", name, claim, opts };
    const props = {
      ...rest,
      claim,
      publicNetwork: zone.given.publicNetwork,
      zoneAsn: zone.given.asn,
      zoneAsnRange: zone.given.asnRange,
      address,
      asn,
      addressGrant: grant(zone, "router", { ...child, value: address }),
      asnGrant: grant(zone, "asn", { ...child, value: asnText }),
    };
    super("Router", name, OUTPUTS, props, opts);
    this.zone = zone;
    const { publicInterface, publicVlan } = rest;
    if (typeof publicInterface === "string" && (publicVlan === undefined || typeof publicVlan === "number")) {
      const device = publicVlan === undefined ? publicInterface : vlanDevice(publicInterface, publicVlan);
      occupy(this, `interface ${device}`, `Router "${name}" (its public side)`);
    }
    this.shared = pulumi.all([this.router, this.address, this.asn]).apply(
      ([router, address, asn]): RouterShare => ({
        vpc6: "router",
        router,
        ...(address !== undefined && { address }),
        ...(asn !== undefined && { asn }),
      }),
    );
    const { publicNetwork, asn: zoneAsn, asnRange } = zone.given;
    this.has = {
      address: publicNetwork !== undefined || address !== undefined,
      asn: zoneAsn !== undefined || asnRange !== undefined || asn !== undefined,
    };
  }
}

/** A machine is one Router's, as far as the program says where it is. */
function alone(
  zone: object,
  name: string,
  { host, port = 22, proxy }: Pick<RouterArgs, "host" | "port" | "proxy">,
): void {
  if (typeof host !== "string" || typeof port !== "number" || proxy !== undefined) return;
  const other = occupy(zone, `machine ${host} ${port}`, name);
  if (other !== undefined)
    throw refusal(`Router "${name}" and Router "${other}" are both the machine ${host}: it is one Router`);
}
