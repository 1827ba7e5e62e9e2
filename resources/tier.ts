import type * as pulumi from "@pulumi/pulumi";
import { Claims, formerNames, reserved } from "./claims";
import { grant, type Parent } from "./grant";
import { Resource } from "./resource";
import type { Vpc } from "./vpc";

export interface TierArgs {
  vpc: Vpc;
  /** The router's network interface on this tier's segment, by name. This or `mac`. */
  interface?: pulumi.Input<string>;
  /** The MAC address of the router's network interface on this tier's segment. This or `interface`. */
  mac?: pulumi.Input<string>;
  /** Its /64, inside the VPC's prefix, if not the first free one. A plain value. */
  cidr?: string;
  /** The router's address in the tier. Default: the first of the /64. A plain value. */
  gateway?: string;
  /** The DNS domain of the guests' names. Default: `<claim>.<domain of the VPC>`. */
  domain?: pulumi.Input<string>;
  /** Names of instances that hold their place without a resource in this program (see Zone's `reserve`). Plain values. */
  reserve?: string[];
  /** The name in the VPC's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

/** @internal What a tier needs of what it is in: a VPC, or for an isolated network the zone itself. */
export type Home = Parent & {
  readonly hasIpv6: boolean;
  readonly claims: Pick<Claims, "add">;
  readonly domain: pulumi.Input<string>;
  readonly ntpServers: pulumi.Input<pulumi.Input<string>[]>;
  readonly router: pulumi.Input<string>;
};

/** The resource's type, by what it claims. */
const TYPES = { tier: "Tier", isolated: "IsolatedNetwork" };

const OUTPUTS = ["cidr", "domain", "gateway", "interface", "ledger", "router"];

/**
 * A tier: one /64 of a VPC on one interface of its router. Guests learn the default gateway from router advertisements (M and O set,
 * A clear: no SLAAC, RFC 4861 §4.2) and their address, domain, DNS and NTP servers by stateful DHCPv6 (RFC 8415).
 *
 * Without access lists nothing passes into or out of a tier but ICMPv6 (what RFC 4890 lets pass) and answers; the router
 * itself answers DNS and DHCPv6 there. Only addresses that were handed out may send.
 *
 * ```ts
 * const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
 * ```
 */
export class Tier extends Resource {
  declare readonly cidr: pulumi.Output<string | undefined>;
  declare readonly gateway: pulumi.Output<string | undefined>;
  declare readonly domain: pulumi.Output<string>;
  /** The interface's name, or a token for it where it was given by MAC. */
  declare readonly interface: pulumi.Output<string>;
  /** The table of the instances' addresses. */
  declare readonly ledger: pulumi.Output<string>;
  declare readonly router: Vpc["router"];
  /** @internal What instances ask for. */
  readonly claims: Claims;

  constructor(name: string, args: TierArgs, opts?: pulumi.CustomResourceOptions);
  /** @internal */
  constructor(
    name: string,
    args: Omit<TierArgs, "vpc"> & { vpc: Home; kind: keyof typeof TYPES; owner: string | undefined },
    opts?: pulumi.CustomResourceOptions,
  );
  constructor(
    name: string,
    args: Omit<TierArgs, "vpc"> & { vpc: Home; kind?: keyof typeof TYPES; owner?: string | undefined },
    opts?: pulumi.CustomResourceOptions,
  ) {
    const { vpc, owner, kind = "tier", claim = name, cidr, gateway, reserve = [], ...rest } = args;
    const type = TYPES[kind];
    const claims = new Claims(
      `${kind === "tier" ? "tier" : "isolated network"} "${name}"`,
      reserved("instance", reserve),
    );
    if (vpc.hasIpv6) vpc.claims.add({ kind, name: claim, was: formerNames(name, opts), value: cidr });
    const props = {
      ...rest,
      claim,
      claims: claims.closed,
      cidr,
      gateway,
      grant: vpc.hasIpv6 ? grant(vpc, kind, { type, name, claim, value: cidr, opts }) : undefined,
      owner,
      vpc: { domain: vpc.domain, ntpServers: vpc.ntpServers },
      router: vpc.router,
    };
    super(type, name, OUTPUTS, props, opts);
    this.claims = claims;
  }
}
