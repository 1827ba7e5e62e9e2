import * as pulumi from "@pulumi/pulumi";
import { ExternalNetwork } from "./external-network";
import { Instance } from "./instance";
import { Resource } from "./resource";
import { Tier } from "./tier";

export interface NetworkAclRuleArgs {
  /** Seen from the tier: `"ingress"` is what enters it, `"egress"` what leaves it. */
  direction: pulumi.Input<"ingress" | "egress">;
  action: pulumi.Input<"allow" | "deny">;
  /** `"all"` is every protocol, ICMPv6 echo included. */
  protocol: pulumi.Input<"tcp" | "udp" | "icmpv6" | "all">;
  /** The ICMPv6 type, e.g. 128 for echo requests. Errors (1 to 4) always pass and take no rule. Default: all. */
  icmpType?: pulumi.Input<number>;
  /** The code within `icmpType`. Default: all. */
  icmpCode?: pulumi.Input<number>;
  /** The destination's ports, for tcp and udp: `"443"`, `"8000-8999"`, `"80,443"`. Default: all. */
  ports?: pulumi.Input<string | number>;
  /** The other end, the source of ingress and the destination of egress, as IPv6 prefixes. Default, without `sources`: everywhere. */
  cidrs?: pulumi.Input<pulumi.Input<string>[]>;
  /** The other end by name; together with `cidrs`, any of them. */
  sources?: (Tier | Instance | ExternalNetwork)[];
  /** Whether a match is written to the router's kernel log, as `vpc6 <acl> deny: …`, at most 10 a second. Default: false. */
  log?: pulumi.Input<boolean>;
  /** A comment, shown with the rule in the preview and on the router. */
  description?: pulumi.Input<string>;
}

/** An address, a prefix, or who has it. */
export type NetworkAclEnd = pulumi.Input<string> | Tier | Instance | ExternalNetwork;

export interface NetworkAclTestArgs {
  from: NetworkAclEnd;
  to: NetworkAclEnd;
  protocol: pulumi.Input<"tcp" | "udp" | "icmpv6">;
  /** The destination's port, for tcp and udp. */
  port?: pulumi.Input<number>;
  /** For icmpv6. Default: 128, an echo request. */
  icmpType?: pulumi.Input<number>;
  /** Of a prefix: that all of it is allowed, that all of it is denied. */
  expect: pulumi.Input<"allow" | "deny">;
}

export interface NetworkAclArgs {
  /** The tiers it governs, all on one router. A tier has one list at most. */
  tiers: Tier[];
  /** In their order: the first that matches decides. What none matches is denied, ICMPv6 echo apart. This or `preset`. */
  rules?: NetworkAclRuleArgs[];
  /** `"denyAll"` (what a tier without a list has), `"allowAll"`, or `"egressOnly"`: all may leave, only answers enter. */
  preset?: pulumi.Input<"denyAll" | "allowAll" | "egressOnly">;
  /** What must be so whatever the rules: a change that breaks one fails at preview, with the rule that decides. */
  tests?: NetworkAclTestArgs[];
}

/**
 * An access list: what may enter and leave its tiers. Rules are stateful (answers pass by themselves) and exact in their order. Between
 * two tiers a packet must pass the egress list of the one and the ingress list of the other. Open connections survive a change.
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
  constructor(name: string, args: NetworkAclArgs, opts?: pulumi.CustomResourceOptions) {
    const { tiers, rules, preset, tests } = args;
    for (const tier of tiers) take(tier, name);
    const props = {
      name,
      // A tier has one list: who made which is how the router tells two programs' lists from one that takes another's place.
      stack: `${pulumi.getProject()}/${pulumi.getStack()}`,
      tiers: tiers.map((tier) => ({
        name: nameOf(tier),
        interface: tier.interface,
        cidr: tier.cidr,
        router: tier.router,
      })),
      rules: rules?.map(({ sources, ...rule }) => ({ ...rule, sources: sources?.map(party) })),
      preset,
      tests: tests?.map(({ from, to, ...test }) => ({ ...test, from: party(from), to: party(to) })),
    };
    super("NetworkAcl", name, [], props, opts);
  }
}

const lists = new WeakMap<Tier, string>();

function take(tier: Tier, list: string): void {
  const other = lists.get(tier);
  if (other !== undefined) {
    throw new Error(
      `NetworkAcl "${list}" and NetworkAcl "${other}" both name tier "${nameOf(tier)}": a tier has one list at most; join their rules`,
    );
  }
  lists.set(tier, list);
}

// Not in the SDK's typings; as in claims.ts.
const nameOf = (resource: pulumi.Resource): string => (resource as unknown as { __name?: string }).__name ?? "";

function party(end: NetworkAclEnd): object {
  if (end instanceof Tier) return { kind: "tier", name: nameOf(end), addresses: end.cidr };
  if (end instanceof Instance) return { kind: "instance", name: nameOf(end), addresses: end.address };
  if (end instanceof ExternalNetwork) return { kind: "network", name: end.group, addresses: end.entries };
  return { kind: "address", name: "", addresses: end };
}
