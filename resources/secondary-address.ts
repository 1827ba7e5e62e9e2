import type * as pulumi from "@pulumi/pulumi";
import { lookup } from "../provider/addressing/ledger";
import { formerNames } from "./claims";
import { given, isKind, listed, object, registry } from "./copies";
import { grant } from "./grant";
import { type Instance, named } from "./instance";
import { refusal } from "./refusal";
import { Resource } from "./resource";

export interface SecondaryAddressArgs {
  /**
   * The guests that may use it, of one tier, each with its `mac`. One guest alone has it for itself. Several share it: it is where one of
   * them says that it is (by a neighbor advertisement or ARP), and nobody else can say so.
   */
  instances: Instance[];
  /**
   * The address, if not the first free one of the tier: guests' own and these come from one ledger, new ones in the order of their names. Who
   * writes addresses down gives the tier its `cidr` too. A plain value.
   */
  address?: string;
  /** The IPv4 address, if not the first free one. A plain value. */
  ipv4Address?: string;
  /** Whether it has an IPv6 address. A plain value. Default: true, where all of `instances` have IPv6. */
  ipv6?: boolean;
  /** Whether it has an IPv4 address. A plain value. Default: true, where all of `instances` have IPv4. */
  ipv4?: boolean;
  /** Its name in the tier's domain, one DNS label, as an Instance's. Default: the resource's name. */
  hostname?: pulumi.Input<string>;
  /** The name in the tier's ledger, where no guest has the same. Default: the resource's name. A plain value. */
  claim?: string;
}

const OUTPUTS = ["address", "fqdn", "ipv4Address"];

/**
 * An address that guests have beside their own, and set up themselves: no DHCP leases it. Two guests share a virtual address that keepalived
 * moves between them, or the nodes of a cluster one that MetalLB announces from any of them (docs/secondary-addresses.md). In a tier that
 * has `ipv4` it has an IPv4 address too.
 *
 * ```ts
 * const site = new vpc6.SecondaryAddress("site", { instances: [web1, web2] });
 * export const address = site.address;
 * ```
 *
 * A second address of one guest:
 *
 * ```ts
 * new vpc6.SecondaryAddress("web1-admin", { instances: [web1] });
 * ```
 *
 * The addresses that a cluster gives to its services:
 *
 * ```ts
 * for (const service of ["ingress", "mail"]) new vpc6.SecondaryAddress(service, { instances: [web1, web2] });
 * ```
 */
export class SecondaryAddress extends Resource {
  /** The IPv6 address; undefined where it has none. */
  declare readonly address: pulumi.Output<string>;
  /** The IPv4 address; undefined where it has none. */
  declare readonly ipv4Address: pulumi.Output<string | undefined>;
  /** The full name, e.g. `site.web.shop.internal`. */
  declare readonly fqdn: pulumi.Output<string>;
  /** @internal Which addresses it has: outputs that may be absent are unknown at preview. */
  readonly has: { ipv6: boolean; ipv4: boolean };

  /** Whether it is a SecondaryAddress, of this or another copy of the package. */
  static override isInstance(value: unknown): value is SecondaryAddress {
    return isKind(value, "SecondaryAddress");
  }

  constructor(name: string, args: SecondaryAddressArgs, opts?: pulumi.CustomResourceOptions) {
    const who = `SecondaryAddress "${name}"`;
    const {
      instances,
      claim = name,
      address,
      ipv4Address,
      ipv6 = true,
      ipv4 = true,
      ...rest
    } = object(args, `${who}: its second argument`);
    const guests = guestsOf(instances, `${who}: instances`);
    const [{ tier }] = guests;
    const has = {
      ipv6: ipv6 && guests.every((it) => it.has.ipv6),
      ipv4: ipv4 && guests.every((it) => it.has.ipv4),
    };
    const was = formerNames(name, opts);
    const claims = [
      ...(has.ipv6 ? [{ kind: "instance", name: claim, was, value: address }] : []),
      ...(has.ipv4 ? [{ kind: "ipv4", name: claim, was, value: ipv4Address }] : []),
    ];
    for (const it of claims) tier.claims.add(it);
    for (const guest of guests) enter(guest, claims, who);
    named(tier, claim, rest.hostname, "secondary address");
    const child = { type: "SecondaryAddress", name, claim, opts };
    const props = {
      ...rest,
      claim,
      ipv6,
      ipv4,
      address,
      ipv4Address,
      grant: has.ipv6 ? grant(tier, "instance", child) : undefined,
      ipv4Grant: has.ipv4 ? grant(tier, "ipv4", child) : undefined,
      guests: guests.map(({ ledgerName, mac }) => ({ name: ledgerName, mac })),
      tier: { interface: tier.interface, domain: tier.domain },
      // The VPC's own output: by it the topology knows whose it is.
      router: tier.vpc.router,
    };
    super("SecondaryAddress", name, OUTPUTS, props, opts);
    this.has = has;
  }
}

function guestsOf(instances: Instance[], where: string): [Instance, ...Instance[]] {
  const guests = listed(instances, where).map((it, index) => given(it, `${where}[${index}]`, "Instance"));
  const [first, ...others] = guests;
  if (first === undefined) throw refusal(`${where} is an empty list; name the guests that may use the address`);
  for (const [index, { tier, ledgerName, mac }] of guests.entries()) {
    const at = `${where}[${index}]: instance "${ledgerName}"`;
    if (tier !== first.tier)
      throw refusal(`${at} is in another tier than "${first.ledgerName}"; an address is in one tier`);
    if (mac === undefined)
      throw refusal(`${at} has no \`mac\`; only by its MAC address is a guest known to have several addresses`);
    if (guests.findIndex((it) => it.ledgerName === ledgerName) < index) throw refusal(`${at} is in the list already`);
  }
  return [first, ...others];
}

interface Beside {
  claims: { kind: string; name: string }[];
  /** Somebody has asked for them: what comes later would not be among them. */
  read: boolean;
}
const beside = (guest: Instance): Beside => registry(guest, "secondary addresses", () => ({ claims: [], read: false }));

function enter(guest: Instance, claims: Beside["claims"], who: string): void {
  const known = beside(guest);
  if (known.read) {
    throw refusal(
      `${who} comes too late: an access list that names instance "${guest.ledgerName}" has been told its addresses; build it earlier`,
    );
  }
  known.claims.push(...claims.map(({ kind, name }) => ({ kind, name })));
}

/**
 * The addresses that a guest may use beside its own, one on each line; known when the tier's ledger is, by which time the program
 * has named them all.
 */
export const secondaryOf = (guest: Instance): pulumi.Output<string | undefined> =>
  guest.tier.ledger.apply((ledger) => {
    const known = beside(guest);
    // Under mocks there is none, at any time.
    if (ledger !== undefined) known.read = true;
    const answers = known.claims.map(({ kind, name }) => lookup(ledger, kind, name));
    return answers.flatMap((it) => (it && "value" in it ? it.value : [])).join("\n");
  });
