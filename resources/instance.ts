import * as pulumi from "@pulumi/pulumi";
import { duidLinkLayer, formatMac, parseMac } from "../provider/addressing/mac";
import { formerNames } from "./claims";
import { given, inWords, isKind, object, registry } from "./copies";
import { grant } from "./grant";
import { distinct, plainName } from "./names";
import { refusal } from "./refusal";
import { Resource } from "./resource";
import type { Tier } from "./tier";

export interface InstanceArgs {
  tier: Tier;
  /**
   * The MAC address of the guest's interface in the tier. Its DHCP client is known by it, whatever DUID it sends; and nobody else in
   * the tier may use its address. A tier with IPv4 needs it.
   */
  mac?: pulumi.Input<string>;
  /**
   * The DUID of a guest, in hexadecimal with colons. One without a `mac` is known by it, to everybody who says it; of one with a `mac`
   * it is a note. Default: the DUID-LL made from `mac` (RFC 8415 §11.4).
   */
  duid?: pulumi.Input<string>;
  /**
   * Its address, if not the first free one of the tier from `::10` on (new ones are served in the order of their names, not of the program).
   * Who writes addresses down gives the tier its `cidr` too. A plain value.
   */
  address?: string;
  /** Its IPv4 address, if not the first free one (in the order of names), in a tier that has `ipv4`. A plain value. */
  ipv4Address?: string;
  /**
   * Whether it has IPv6: false for a guest that knows IPv4 only, in a tier that has `ipv4`. It then has no IPv6 address and no AAAA
   * record, and load balancers reach it over IPv4. A plain value. Default: true, where the VPC has IPv6.
   */
  ipv6?: boolean;
  /**
   * Whether it has IPv4: false for a guest that knows IPv6 only, in a tier that has `ipv4`. It then has no IPv4 address, no A record and no
   * lease by DHCPv4, and nothing that it sends over IPv4 passes. Not together with `ipv6: false`. A plain value. Default: true, where the
   * tier has `ipv4`.
   */
  ipv4?: boolean;
  /**
   * Its name in the tier's domain, one DNS label; not `data-server`, which is the gateway's (docs/passwords.md). No two guests have one name by
   * accident: where several servers are to share one, with all their addresses, write it on each of them. Default: the resource's name.
   */
  hostname?: pulumi.Input<string>;
  /**
   * The password it gets from its gateway, port 8080, by CloudStack's guest protocol: until it acknowledges that it has saved it, then
   * not again. Another one is offered anew. 8 to 128 printable ASCII characters without blanks, the first neither `-` nor `$`; `saved_password` and
   * `bad_request` are words of the protocol. A secret:
   * it is in the state encrypted, and on the router for root and its server only. It needs `mac`. Default: none.
   */
  password?: pulumi.Input<string>;
  /** The name in the tier's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

const OUTPUTS = ["address", "duid", "fqdn", "ipv4Address"];

/**
 * A guest of a tier: the address it leases by DHCPv6, its AAAA and PTR records; in a tier that has `ipv4` an IPv4 address too, by
 * DHCPv4 where the tier has that, unless it has `ipv4: false`. Adding or removing one restarts no daemon. Further addresses of it are a
 * SecondaryAddress each.
 *
 * ```ts
 * const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
 * export const address = web1.address;
 * ```
 *
 * A server that knows IPv4 only, in a dual-stack tier:
 *
 * ```ts
 * const old1 = new vpc6.Instance("old1", { tier: web, mac: "02:00:00:00:01:99", ipv6: false });
 * ```
 *
 * A guest that knows IPv6 only, beside it:
 *
 * ```ts
 * const new1 = new vpc6.Instance("new1", { tier: web, mac: "02:00:00:00:01:98", ipv4: false });
 * ```
 *
 * With a password that it asks its gateway for (docs/passwords.md):
 *
 * ```ts
 * new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12", password: config.requireSecret("web2") });
 * ```
 */
export class Instance extends Resource {
  /** Its IPv6 address; undefined where it has none. */
  declare readonly address: pulumi.Output<string>;
  /** Its IPv4 address; undefined where it has none. */
  declare readonly ipv4Address: pulumi.Output<string | undefined>;
  /** The full name, e.g. `web1.web.shop.internal`. */
  declare readonly fqdn: pulumi.Output<string>;
  /** The DUID the guest is expected to send; undefined where it has no IPv6. */
  declare readonly duid: pulumi.Output<string>;
  /** @internal What it is called in its tier's ledger, and as a member of a load balancer. */
  readonly ledgerName: string;
  /** @internal Undefined where it was not given. */
  declare readonly mac: pulumi.Output<string> | undefined;
  /** @internal */
  readonly tier: Tier;
  /** @internal Which addresses it has: outputs that may be absent are unknown at preview. */
  readonly has: { ipv6: boolean; ipv4: boolean };

  /** Whether it is an Instance, of this or another copy of the package. */
  static override isInstance(value: unknown): value is Instance {
    return isKind(value, "Instance");
  }

  constructor(name: string, args: InstanceArgs, opts?: pulumi.CustomResourceOptions) {
    const {
      tier,
      claim = name,
      address,
      ipv4Address,
      ipv6 = true,
      ipv4 = true,
      password,
      ...rest
    } = object(args, `Instance "${name}": its second argument`);
    given(tier, `Instance "${name}": tier`, "Tier");
    const { mac, duid } = alone(tier, claim, args);
    const has = { ipv6: tier.has.ipv6 && ipv6, ipv4: tier.has.ipv4 && ipv4 };
    const was = formerNames(name, opts);
    if (has.ipv6) tier.claims.add({ kind: "instance", name: claim, was, value: address });
    if (has.ipv4) tier.claims.add({ kind: "ipv4", name: claim, was, value: ipv4Address });
    named(tier, claim, args.hostname, "instance");
    const child = { type: "Instance", name, claim, opts };
    const props = {
      ...rest,
      mac,
      duid,
      claim,
      ipv6,
      ipv4,
      address,
      ipv4Address,
      password: password === undefined ? undefined : pulumi.secret(password),
      grant: has.ipv6 ? grant(tier, "instance", child) : undefined,
      ipv4Grant: has.ipv4 ? grant(tier, "ipv4", child) : undefined,
      tier: {
        interface: tier.interface,
        domain: tier.domain,
        gateway: password !== undefined && has.ipv6 ? tier.gateway : undefined,
        ipv4Gateway: password !== undefined && has.ipv4 ? tier.ipv4.apply((it) => it?.gateway) : undefined,
        // Under mocks no hook runs, and there is none.
        dhcp4: has.ipv4 ? tier.ipv4.apply((it) => it?.dhcp) : undefined,
      },
      router: tier.router,
    };
    super("Instance", name, OUTPUTS, props, opts);
    this.ledgerName = claim;
    this.tier = tier;
    this.has = has;
  }
}

/**
 * Two guests of one tier that are known by the same would take each other's lease. What is known while the program runs is refused at once;
 * an output, once it is known, by what is put in its place.
 */
function alone(
  tier: Tier,
  name: string,
  { mac, duid }: InstanceArgs,
): Record<"mac" | "duid", InstanceArgs["mac"] | undefined> {
  const known = registry(tier, "guests", () => new Map<string, string>());
  const clash = (what: string, mark: string): string | undefined => {
    const other = known.get(mark) ?? name;
    known.set(mark, other);
    return other === name
      ? undefined
      : `instance "${name}" and instance "${other}" of one tier have the same ${what}, ${mark}`;
  };
  const clashOfMac = (text: string): string | undefined => {
    const parsed = parseMac(text);
    if (typeof parsed === "string") return undefined;
    const reason = clash("MAC address", formatMac(parsed));
    return reason ?? (duid === undefined ? clash("DUID", duidLinkLayer(parsed)) : undefined);
  };
  const clashOfDuid = (text: string): string | undefined => clash("DUID", text.toLowerCase());
  return { mac: judged(mac, clashOfMac), duid: judged(duid, clashOfDuid) };
}

function judged(
  given: pulumi.Input<string> | undefined,
  clash: (text: string) => string | undefined,
): pulumi.Input<string> | undefined {
  if (given === undefined || given === null) return given;
  if (typeof given === "string") {
    const reason = clash(given);
    if (reason !== undefined) throw refusal(reason);
    return given;
  }
  return pulumi.output(given).apply((text) => {
    const refused = typeof text === "string" ? clash(text) : undefined;
    return refused === undefined ? text : ({ refused } as unknown as string);
  });
}

/** Its name in DNS is nobody else's on the router, where that is known while the program runs. */
export function named(tier: Tier, claim: string, hostname: pulumi.Input<string> | undefined, what: string): void {
  const label = plainName(hostname ?? claim);
  if (label === undefined) return;
  const one = { who: `${what} "${claim}" of ${inWords(tier)}`, written: hostname !== undefined };
  const { plainDomain, vpc } = tier;
  if (plainDomain === undefined) distinct(tier, "guests", label, "hostname", one);
  else distinct(vpc.carrier, "guests", `${label}.${plainDomain}`, "hostname", one);
}
