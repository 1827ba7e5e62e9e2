import type * as pulumi from "@pulumi/pulumi";
import { given, isKind, object } from "./copies";
import type { Router } from "./router";
import type { SharedRouter, SharedZone } from "./shared";
import { Tier, type TierArgs } from "./tier";
import type { Zone } from "./zone";

export interface IsolatedNetworkArgs extends Omit<TierArgs, "vpc"> {
  zone: Zone | SharedZone;
  /** The router that carries it; another one replaces the network and all in it. */
  router: Router | SharedRouter;
  /** Its /64, inside the zone's `isolatedCidr`, if not the first free one (in the order of names, not of the program). A plain value. */
  cidr?: string;
  /** The DNS domain of the guests' names. Default: `<claim>.internal`. */
  domain?: pulumi.Input<string>;
  /**
   * IPv6 addresses of NTP servers that guests are told (RFC 5908), some 23 at most: unicast, and reached over the gateway. Default: none.
   */
  ntpServers?: pulumi.Input<pulumi.Input<string>[]>;
  /** The name in the zone's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

/**
 * An isolated network: one /64 of the zone's `isolatedCidr` on one interface of a router, in no VPC. Otherwise it is a tier, and is
 * given wherever one is: to instances, to access lists and their rules.
 *
 * ```ts
 * const zone = new vpc6.Zone("ams1", { isolatedCidr: "2001:db8:2800::/56" });
 * const printers = new vpc6.IsolatedNetwork("printers", { zone, router, interface: "db0" });
 * const printer1 = new vpc6.Instance("printer1", { tier: printers, mac: "02:00:00:00:02:11" });
 * ```
 */
export class IsolatedNetwork extends Tier {
  /** Whether it is an IsolatedNetwork, of this or another copy of the package. */
  static override isInstance(value: unknown): value is IsolatedNetwork {
    return isKind(value, "IsolatedNetwork");
  }

  constructor(name: string, args: IsolatedNetworkArgs, opts?: pulumi.CustomResourceOptions) {
    const { zone, router, ntpServers = [], ...rest } = object(args, `IsolatedNetwork "${name}": its second argument`);
    given(zone, `IsolatedNetwork "${name}": zone`, "Zone", "SharedZone");
    given(router, `IsolatedNetwork "${name}": router`, "Router", "SharedRouter");
    const home = {
      hasIpv6: true,
      // No VPC's ledger has a name with a slash: over IPv4 it reaches nobody.
      ledgerName: `isolated/${rest.claim ?? name}`,
      carrier: router,
      claims: zone.claims,
      ...("answer" in zone
        ? { answer: (...asked: Parameters<SharedZone["answer"]>) => zone.answer(...asked) }
        : { ledger: zone.ledger, urn: zone.urn }),
      domain: "internal",
      plainDomain: "internal",
      ntpServers,
      router: router.router,
    };
    super(name, { ...rest, vpc: home, kind: "isolated" }, opts);
  }
}
