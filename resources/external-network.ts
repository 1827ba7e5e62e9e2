import type * as pulumi from "@pulumi/pulumi";
import { isKind, object } from "./copies";
import { Resource } from "./resource";

export interface ExternalNetworkArgs {
  /** Prefixes and addresses, IPv6 and IPv4, e.g. `["2001:db8:7::/48", "2001:db8:8::25", "10.7.0.0/16"]`; thousands are no burden. Their order does not count. */
  entries: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * A named group of addresses outside, for the rules of any number of access lists: offices, partners, a monitoring service.
 * One more entry is one more line in the preview of each list that names it.
 *
 * ```ts
 * const offices = new vpc6.ExternalNetwork("offices", { entries: ["2001:db8:7::/48", "2001:db8:8::25"] });
 * ```
 */
export class ExternalNetwork extends Resource {
  /** The entries as prefixes in order, one on each line; without those that lie inside another. */
  declare readonly entries: pulumi.Output<string>;
  /** @internal */
  readonly group: string;

  /** Whether it is an ExternalNetwork, of this or another copy of the package. */
  static override isInstance(value: unknown): value is ExternalNetwork {
    return isKind(value, "ExternalNetwork");
  }

  constructor(name: string, args: ExternalNetworkArgs, opts?: pulumi.CustomResourceOptions) {
    const given = object(args, `ExternalNetwork "${name}": its second argument`);
    super("ExternalNetwork", name, ["entries"], { ...given, name }, opts);
    this.group = name;
  }
}
