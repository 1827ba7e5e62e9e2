import * as pulumi from "@pulumi/pulumi";
import { given, inWords, isKind, listed, object, occupy, refuseForeign } from "./copies";
import { ExternalNetwork } from "./external-network";
import { Instance } from "./instance";
import { refusal } from "./refusal";
import { Resource } from "./resource";
import { SecondaryAddress, secondaryOf } from "./secondary-address";
import { Tier } from "./tier";

export interface NetworkAclRuleArgs {
  /** Seen from the tier: `"ingress"` is what enters it, `"egress"` what leaves it. */
  direction: pulumi.Input<"ingress" | "egress">;
  action: pulumi.Input<"allow" | "deny">;
  /**
   * By name or by IANA's number (0 to 255): 89 is OSPF. `"icmpv6"` is of IPv6 and `"icmp"` of IPv4; the others are of both. `"all"` is every protocol, echo
   * included.
   */
  protocol: pulumi.Input<"tcp" | "udp" | "sctp" | "icmpv6" | "icmp" | "esp" | "ah" | "gre" | "all" | number>;
  /**
   * The type, e.g. 128 for echo requests of ICMPv6, 8 of ICMP. Errors (1 to 4; of ICMP 3, 11 and 12) about a connection that passed always pass and take no rule.
   * Default: all.
   */
  icmpType?: pulumi.Input<number>;
  /** The code within `icmpType`. Default: all. */
  icmpCode?: pulumi.Input<number>;
  /** The destination's ports, for tcp, udp and sctp: `"443"`, `"8000-8999"`, `"80,443"`. Default: all. */
  ports?: pulumi.Input<string | number>;
  /**
   * The other end, the source of ingress and the destination of egress, as prefixes or addresses. One of IPv4 makes it a rule for IPv4, one of
   * IPv6 one for IPv6, both one for both. Default, without `sources`: everywhere, in both families.
   */
  cidrs?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The other end by name, with what it has of IPv6 and IPv4, an instance with its secondary addresses too; together with `cidrs`, any of
   * them.
   */
  sources?: (Tier | Instance | SecondaryAddress | ExternalNetwork)[];
  /** Whether a match is written to the router's kernel log, as `vpc6 <acl> deny: …`, at most 10 a second. Default: false. */
  log?: pulumi.Input<boolean>;
  /** A comment, shown with the rule in the preview and on the router. */
  description?: pulumi.Input<string>;
}

/** An address, a prefix, or who has it. */
export type NetworkAclEnd = pulumi.Input<string> | Tier | Instance | SecondaryAddress | ExternalNetwork;

export interface NetworkAclTestArgs {
  from: NetworkAclEnd;
  to: NetworkAclEnd;
  /** As in a rule, but for `"all"`. */
  protocol: pulumi.Input<"tcp" | "udp" | "sctp" | "icmpv6" | "icmp" | "esp" | "ah" | "gre" | number>;
  /** The destination's port, for tcp, udp and sctp. */
  port?: pulumi.Input<number>;
  /** For icmpv6 and icmp. Default: an echo request, 128 or 8. */
  icmpType?: pulumi.Input<number>;
  /** Of a prefix: that all of it is allowed, that all of it is denied. */
  expect: pulumi.Input<"allow" | "deny">;
}

export interface NetworkAclArgs {
  /** The tiers it governs, all on one router. A tier has one list at most. */
  tiers: Tier[];
  /** In their order: the first that matches decides. What none matches is denied, echo apart. This or `preset`. */
  rules?: NetworkAclRuleArgs[];
  /** `"denyAll"` (what a tier without a list has), `"allowAll"`, or `"egressOnly"`: all may leave, only answers enter. */
  preset?: pulumi.Input<"denyAll" | "allowAll" | "egressOnly">;
  /** What must be so whatever the rules: a change that breaks one fails at preview, with the rule that decides. */
  tests?: NetworkAclTestArgs[];
}

/**
 * An access list: what may enter and leave its tiers. Rules are stateful (answers pass by themselves) and exact in their order. Between
 * two tiers a packet must pass the egress list of the one and the ingress list of the other. Open connections survive a change. One list is
 * for IPv6 and IPv4: where a rule names addresses, their families say which it is for.
 *
 * ```ts
 * new vpc6.NetworkAcl("web", { tiers: [web], preset: "egressOnly" });
 * ```
 *
 * With rules, and a test that keeps the door open:
 *
 * ```ts
 * new vpc6.NetworkAcl("web", {
 *   tiers: [web],
 *   rules: [
 *     { direction: "ingress", action: "deny", protocol: "all", sources: [banned], log: true },
 *     { direction: "ingress", action: "allow", protocol: "tcp", ports: "80,443", description: "the shop" },
 *     { direction: "egress", action: "allow", protocol: "tcp", ports: "5432", sources: [db] },
 *   ],
 *   tests: [{ from: "2001:db8:7::/48", to: web, protocol: "tcp", port: 443, expect: "allow" }],
 * });
 * ```
 */
export class NetworkAcl extends Resource {
  /** Whether it is a NetworkAcl, of this or another copy of the package. */
  static override isInstance(value: unknown): value is NetworkAcl {
    return isKind(value, "NetworkAcl");
  }

  constructor(name: string, args: NetworkAclArgs, opts?: pulumi.CustomResourceOptions) {
    const { tiers, rules, preset, tests } = object(args, `NetworkAcl "${name}": its second argument`);
    const at = (path: string) => `NetworkAcl "${name}": ${path}`;
    for (const [index, tier] of listed(tiers, at("tiers")).entries()) given(tier, at(`tiers[${index}]`), "Tier");
    const props = {
      name,
      tiers: tiers.map((tier) => ({
        name: nameOf(tier),
        interface: tier.interface,
        cidr: tier.has.ipv6 ? tier.cidr : undefined,
        ipv4: tier.has.ipv4 ? ipv4Of(tier) : undefined,
        router: tier.router,
      })),
      rules: each(rules, at("rules"), ({ sources, ...rule }, path) => ({
        ...rule,
        sources: ends(sources, `${path}.sources`),
      })),
      preset,
      tests: each(tests, at("tests"), ({ from, to, ...test }, path) => ({
        ...test,
        from: party(from, `${path}.from`),
        to: party(to, `${path}.to`),
      })),
    };
    // Last: a list that was refused keeps no tier from another.
    for (const tier of tiers) take(tier, name);
    super("NetworkAcl", name, [], props, opts);
  }
}

/** Of a list of objects, each with its place for messages; absent stays absent. */
const each = <T extends object, R>(all: T[] | undefined, where: string, make: (it: T, path: string) => R) =>
  all && listed(all, where).map((it, index) => make(object(it, `${where}[${index}]`), `${where}[${index}]`));

const ends = (all: NetworkAclEnd[] | undefined, where: string) =>
  all && listed(all, where).map((end, index) => party(end, `${where}[${index}]`));

function take(tier: Tier, list: string): void {
  const other = occupy(tier, "network-acl", list);
  if (other === undefined) return;
  throw refusal(
    `NetworkAcl "${list}" and NetworkAcl "${other}" both name tier "${nameOf(tier)}": a tier has one list at most; join their rules`,
  );
}

// Not in the SDK's typings; as in claims.ts.
const nameOf = (resource: pulumi.Resource): string => (resource as unknown as { __name?: string }).__name ?? "";

// Under mocks no hook runs, and there is none.
const ipv4Of = (tier: Tier): pulumi.Output<string | undefined> => tier.ipv4.apply((it) => it?.cidr);

/** A rule's or a test's other end; another resource must not pass for an address, which would be its id. */
function party(end: NetworkAclEnd, where: string): object {
  refuseForeign(end, where);
  if (Tier.isInstance(end)) {
    return { kind: "tier", name: nameOf(end), addresses: lines(end.has, end.cidr, ipv4Of(end)) };
  }
  if (Instance.isInstance(end)) {
    const addresses = lines(end.has, end.address, end.ipv4Address, secondaryOf(end));
    return { kind: "instance", name: nameOf(end), addresses };
  }
  if (SecondaryAddress.isInstance(end)) {
    return { kind: "secondary address", name: nameOf(end), addresses: lines(end.has, end.address, end.ipv4Address) };
  }
  if (ExternalNetwork.isInstance(end)) return { kind: "network", name: end.group, addresses: end.entries };
  if (typeof end === "object" && end !== null && !pulumi.Output.isInstance(end) && !("then" in end)) {
    throw refusal(
      `${where} is ${inWords(end)}; it must be an address, a Tier, an Instance, a SecondaryAddress or an ExternalNetwork`,
    );
  }
  return { kind: "address", name: "", addresses: end };
}

type Text = pulumi.Output<string | undefined>;

/** What it has, a line for each family, and more of either; an output that it has not would be unknown at preview. */
function lines(has: { ipv6: boolean; ipv4: boolean }, ipv6: Text, ipv4: Text, ...more: Text[]): Text | undefined {
  const all = [...(has.ipv6 ? [ipv6] : []), ...(has.ipv4 ? [ipv4] : []), ...more];
  return all.length < 2 ? all[0] : pulumi.all(all).apply((texts) => texts.filter((it) => it).join("\n"));
}
