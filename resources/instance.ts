import type * as pulumi from "@pulumi/pulumi";
import { duidLinkLayer, formatMac, parseMac } from "../provider/addressing/mac";
import { formerNames } from "./claims";
import { grant } from "./grant";
import { Resource } from "./resource";
import type { Tier } from "./tier";

export interface InstanceArgs {
  tier: Tier;
  /**
   * The MAC address of the guest's interface in the tier. Its DHCP client is known by the DUID-LL made from it (RFC 8415 §11.4), or
   * by the MAC itself where the client sends another DUID; and nobody else in the tier may use its address.
   */
  mac?: pulumi.Input<string>;
  /** The DUID of a guest that has another one, in hexadecimal with colons. This or `mac`, or both. */
  duid?: pulumi.Input<string>;
  /** Its address, if not the first free one of the tier from `::10` on. A plain value. */
  address?: string;
  /** Its name in the tier's domain, one DNS label. Default: the resource's name. */
  hostname?: pulumi.Input<string>;
  /** The name in the tier's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

const OUTPUTS = ["address", "duid", "fqdn"];

/**
 * A guest of a tier: the address it leases by DHCPv6, its AAAA and PTR records. Adding or removing one restarts no daemon.
 *
 * ```ts
 * const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
 * export const address = web1.address;
 * ```
 */
export class Instance extends Resource {
  declare readonly address: pulumi.Output<string>;
  /** The full name, e.g. `web1.web.shop.internal`. */
  declare readonly fqdn: pulumi.Output<string>;
  /** The DUID the guest is expected to send. */
  declare readonly duid: pulumi.Output<string>;
  /** @internal What it is called in its tier's ledger, and as a member of a load balancer. */
  readonly ledgerName: string;

  constructor(name: string, args: InstanceArgs, opts?: pulumi.CustomResourceOptions) {
    const { tier, claim = name, address, ...rest } = args;
    alone(tier, claim, args);
    tier.claims.add({ kind: "instance", name: claim, was: formerNames(name, opts), value: address });
    const props = {
      ...rest,
      claim,
      address,
      grant: grant(tier, "instance", { type: "Instance", name, claim, opts }),
      tier: { interface: tier.interface, domain: tier.domain },
      router: tier.router,
    };
    super("Instance", name, OUTPUTS, props, opts);
    this.ledgerName = claim;
  }
}

const guests = new WeakMap<Tier, Map<string, string>>();

/** Two guests of one tier that are known by the same would take each other's lease. What is no plain value is not known yet. */
function alone(tier: Tier, name: string, { mac, duid }: InstanceArgs): void {
  const known = guests.get(tier) ?? new Map<string, string>();
  guests.set(tier, known);
  const parsed = typeof mac === "string" ? parseMac(mac) : "";
  const linkLayer = typeof parsed === "string" ? undefined : duidLinkLayer(parsed);
  const marks = {
    "MAC address": typeof parsed === "string" ? undefined : formatMac(parsed),
    DUID: duid === undefined ? linkLayer : typeof duid === "string" ? duid.toLowerCase() : undefined,
  };
  for (const [what, mark] of Object.entries(marks)) {
    if (mark === undefined) continue;
    const other = known.get(mark);
    if (other !== undefined && other !== name) {
      throw new Error(`instance "${name}" and instance "${other}" of one tier have the same ${what}, ${mark}`);
    }
    known.set(mark, name);
  }
}
