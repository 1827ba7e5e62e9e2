import * as pulumi from "@pulumi/pulumi";
import { type Claim, Claims } from "./claims";
import { isKind, listed, object } from "./copies";
import { refusal } from "./refusal";
import { Resource } from "./resource";
import { SharedZone, type ZoneShare } from "./shared";

/** The network on which a zone's routers have their public addresses (CloudStack: createVlanIpRange). */
export interface PublicNetworkArgs {
  /**
   * Its prefix, IPv6, e.g. `"2001:db8:ffff::/64"`. Of a /127, a link of two (RFC 6164), the router has the address that the gateway has not.
   */
  cidr: pulumi.Input<string>;
  /**
   * The routers' default gateway, the cloud uplink router: an address of `cidr`, a link-local one, e.g. `"fe80::1"`, or another one that answers on
   * that link though it is outside. BGP is spoken with a link-local one under another address, `address` of a BgpPeer. Default: the first address of
   * `cidr`.
   */
  gateway?: pulumi.Input<string>;
  /** First and last address that may be handed to routers, `"first-last"`. Default: all of `cidr` but the gateway and, up to a /126, `::` (RFC 4291). */
  range?: pulumi.Input<string>;
}

/** A name to keep room for, and what it is to get. */
export interface ReservationArgs {
  /** What to keep: a VPC prefix (the default), a router's public address and ASN, or an isolated network's prefix. */
  kind?: "vpc" | "router" | "isolated";
  name: string;
  /** Of a VPC or an isolated network: its prefix, if not the first free one. */
  cidr?: string;
  /** Of a VPC: the length of its prefix, 48 to 63. Default: the zone's. */
  vpcPrefixLength?: number;
  /** Of a router: its public address, if not the first free one. */
  address?: string;
  /** Of a router: its AS number, if not the first free one of `asnRange`. */
  asn?: number;
}

export interface ZoneArgs {
  /**
   * The IPv6 address space of all VPCs, e.g. `"2001:67c:2834::/50"`: global or unique local. It can grow, or shrink while all that is
   * held still fits; with another one, a new `cidr` on each Vpc moves all that is in it in the same run. Without it only VPCs with `ipv6: false` are possible.
   */
  superCidr?: pulumi.Input<string>;
  /** One private ASN (RFC 6996) shared by all VPC routers. Not together with `asnRange`. */
  asn?: pulumi.Input<number>;
  /** Private ASNs (RFC 6996), `"first-last"`, one for each VPC router, e.g. `"4200000000-4200000999"`. */
  asnRange?: pulumi.Input<string>;
  /** Where the routers meet the cloud uplink. Without it routers keep the public addresses they have. */
  publicNetwork?: pulumi.Input<PublicNetworkArgs>;
  /** The length of the prefix of a VPC that asks for no other, in bits, 48 to 63. Default: 60, which gives it 15 tiers. */
  vpcPrefixLength?: pulumi.Input<number>;
  /** The address space of isolated networks, a /64 for each; outside `superCidr`. */
  isolatedCidr?: pulumi.Input<string>;
  /**
   * Names that hold their place without a resource in this program: for other stacks, for programs of the Automation API that
   * build resources after an `await`, or to keep room. A plain name is a VPC's. Plain values, not outputs.
   */
  reserve?: (string | ReservationArgs)[];
}

const OUTPUTS = ["asn", "asnRange", "ledger", "publicNetwork", "superCidr"];

/**
 * A zone: the address space, the AS numbers and the public network that VPCs and routers draw from. It lives in Pulumi's state
 * only: nothing is on any router.
 *
 * Who holds what stands in `ledger`, a table with a line for each claim. A name keeps what it holds, whatever is added, removed
 * or moved around it; what a removed resource held is remembered, and given to another one only when nothing else is left.
 *
 * ```ts
 * const zone = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/50" });
 * ```
 *
 * With a public network for the routers and an AS number for each:
 *
 * ```ts
 * const zone = new vpc6.Zone("ams1", {
 *   superCidr: "2001:67c:2834::/50",
 *   asnRange: "4200000000-4200000999",
 *   publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
 * });
 * ```
 *
 * Behind a hoster's router that is known by its link-local address:
 *
 * ```ts
 * const zone = new vpc6.Zone("hosted", {
 *   superCidr: "2001:67c:2834::/50",
 *   publicNetwork: { cidr: "2001:db8:ffff::/64", gateway: "fe80::1" },
 * });
 * ```
 */
export class Zone extends Resource {
  /** The table of all that is handed out. */
  declare readonly ledger: pulumi.Output<string>;
  declare readonly superCidr: pulumi.Output<string | undefined>;
  declare readonly asn: pulumi.Output<number | undefined>;
  declare readonly asnRange: pulumi.Output<string | undefined>;
  declare readonly publicNetwork: pulumi.Output<{ cidr: string; gateway: string; range: string } | undefined>;
  /** What other stacks need: `export const ams1 = zone.shared` (see `fromStack`). */
  readonly shared: pulumi.Output<ZoneShare>;
  /** @internal What routers and VPCs ask for. */
  readonly claims: Pick<Claims, "add" | "closed">;
  /** @internal As given: an output that may be absent is unknown at preview, and would make a router's address unknown. */
  readonly given: Pick<ZoneArgs, "asn" | "asnRange" | "publicNetwork" | "reserve" | "superCidr" | "vpcPrefixLength">;

  /**
   * A zone that another stack declares and exports: `export const ams1 = zone.shared`. VPCs, routers and isolated networks get what is
   * reserved for their names there (`reserve`); a name that is not is refused with the line to add.
   *
   * ```ts
   * const zone = vpc6.Zone.fromStack(new pulumi.StackReference("organization/zones/prod"), "ams1");
   * const shop = new vpc6.Vpc("shop", { zone, router });
   * ```
   */
  static fromStack(stack: pulumi.StackReference, output: string): SharedZone {
    return new SharedZone(stack, output);
  }

  /** Whether it is a Zone, of this or another copy of the package. */
  static override isInstance(value: unknown): value is Zone {
    return isKind(value, "Zone");
  }

  constructor(name: string, args: ZoneArgs, opts?: pulumi.CustomResourceOptions) {
    const { reserve = [], ...rest } = object(args, `Zone "${name}": its second argument`);
    const claims = new Claims(`zone "${name}"`, listed(reserve, `Zone "${name}": reserve`).flatMap(reservation));
    super("Zone", name, OUTPUTS, { ...rest, name, claims: claims.closed }, opts);
    this.claims = claims;
    this.given = args;
    const { superCidr, vpcPrefixLength, asn, asnRange, publicNetwork } = args;
    const given = pulumi.output({ superCidr, vpcPrefixLength, asn, asnRange, publicNetwork });
    this.shared = pulumi.all([this.ledger, given, claims.closed]).apply(([ledger, values, all]): ZoneShare => {
      const kept = all.filter((claim) => claim.reserved).map(({ kind, name }) => `${kind} ${name}`);
      const known = Object.entries(values).filter(([, value]) => value !== undefined);
      return { vpc6: "zone", name, ledger, reserved: kept, ...Object.fromEntries(known) };
    });
  }
}

function reservation(item: string | ReservationArgs): Claim[] {
  const given: ReservationArgs = typeof item === "string" ? { name: item } : object(item, "an item of reserve");
  const { kind = "vpc", name } = given;
  if (typeof name !== "string") throw refusal("an item of reserve has no name, or one that is no text");
  if (!["vpc", "router", "isolated"].includes(kind)) {
    throw refusal(`reserve: ${JSON.stringify(kind)} is not a kind of reservation: "vpc", "router" or "isolated"`);
  }
  const takes: Record<string, string[]> = {
    vpc: ["cidr", "vpcPrefixLength"],
    router: ["address", "asn"],
    isolated: ["cidr"],
  };
  for (const key of Object.keys(given)) {
    if (["kind", "name"].includes(key) || takes[kind]?.includes(key)) continue;
    throw refusal(
      `reserve: "${name}" has ${key}, which a ${kind} does not take; it takes ${takes[kind]?.join(" and ")}`,
    );
  }
  const { cidr, vpcPrefixLength, address, asn } = given;
  if (kind !== "router") return [{ kind, name, reserved: true, value: cidr, length: vpcPrefixLength }];
  // A router draws twice: a public address and an AS number.
  return [
    { kind, name, reserved: true, value: address },
    { kind: "asn", name, reserved: true, value: asn === undefined ? undefined : String(asn) },
  ];
}
