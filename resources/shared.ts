// What one stack leaves to others: a Zone's reserved names and a Router, as plain values in an output of the stack that declares
// them. Others read it through a StackReference and write nothing: the ledger has one writer.

import * as pulumi from "@pulumi/pulumi";
import { lookup } from "../provider/addressing/ledger";
import { type Claim, checkName, twice } from "./claims";
import { isKind, mark } from "./copies";
import type { Child, Grant } from "./grant";

/** What `zone.shared` exports. */
export interface ZoneShare {
  vpc6: "zone";
  name: string;
  ledger: string;
  /** What is kept for others: `vpc shop`. */
  reserved: string[];
  superCidr?: string;
  vpcPrefixLength?: number;
  asn?: number;
  asnRange?: string;
  publicNetwork?: { cidr: string; gateway?: string; range?: string };
}

/** What `router.shared` exports. */
export interface RouterShare {
  vpc6: "router";
  router: string;
  address?: string;
  asn?: number;
}

/** An IPv4 network on a router, and whose it is. */
export interface Ipv4Network {
  name: string;
  cidr: pulumi.Input<string>;
}

type Read<T> = { share: T; stack: string } | { refused: string; absent: true };

function read<T extends ZoneShare | RouterShare>(kind: T["vpc6"], from: pulumi.StackReference, output: string) {
  return pulumi.all([from.name, from.getOutput(output)]).apply(([stack, found]): Read<T> => {
    const what = `export const ${output} = ${kind}.shared`;
    if (found === undefined || found === null) {
      return {
        absent: true,
        refused: `stack ${stack} has no output "${output}"; write \`${what};\` there and run \`pulumi up\` there`,
      };
    }
    if (typeof found === "object" && (found as T).vpc6 === kind) return { share: found as T, stack };
    return {
      absent: true,
      refused: `output "${output}" of stack ${stack} is no ${kind}; it must be \`${what};\` there`,
    };
  });
}

/** A Zone of another stack: `Zone.fromStack`. */
export class SharedZone {
  /** The owner's table of all that is handed out. */
  readonly ledger: pulumi.Output<string | undefined>;
  /** @internal As a Zone has it. */
  readonly given: {
    superCidr: pulumi.Output<string | undefined>;
    vpcPrefixLength: pulumi.Output<number | undefined>;
    asn: pulumi.Output<number | undefined>;
    asnRange: pulumi.Output<string | undefined>;
    publicNetwork: pulumi.Output<ZoneShare["publicNetwork"]>;
  };
  /** @internal Nothing is claimed: what is reserved over there can be had. Only that two do not take one name is seen to. */
  readonly claims: { add(claim: Claim): void };
  /** @internal */
  readonly found: pulumi.Output<Read<ZoneShare>>;

  /** Whether it is a SharedZone, of this or another copy of the package. */
  static isInstance(value: unknown): value is SharedZone {
    return isKind(value, "SharedZone");
  }

  /** @internal */
  constructor(from: pulumi.StackReference, output: string) {
    const found = read<ZoneShare>("zone", from, output);
    const of = <T>(pick: (share: ZoneShare) => T) =>
      found.apply((it) => ("share" in it ? pick(it.share) : undefined)) as pulumi.Output<T | undefined>;
    mark(this, ["SharedZone"], output);
    this.found = found;
    this.ledger = of(({ ledger }) => ledger);
    this.given = {
      superCidr: of(({ superCidr }) => superCidr),
      vpcPrefixLength: of(({ vpcPrefixLength }) => vpcPrefixLength),
      asn: of(({ asn }) => asn),
      asnRange: of(({ asnRange }) => asnRange),
      publicNetwork: of(({ publicNetwork }) => publicNetwork),
    };
    const taken = new Set<string>();
    this.claims = {
      add(claim) {
        checkName(claim);
        const key = `${claim.kind} ${claim.name}`;
        if (taken.has(key)) throw twice(claim, `the zone in output "${output}"`);
        taken.add(key);
      },
    };
  }

  /** @internal What a name has been reserved; else what to write into the owner's program. */
  answer(kind: string, child: Child): pulumi.Output<Grant | undefined> {
    return this.found.apply((it) => ("refused" in it ? it : answer(it.share, it.stack, kind, child)));
  }
}

function answer({ name, ledger, reserved }: ZoneShare, stack: string, kind: string, child: Child): Grant {
  const { claim, value, length } = child;
  const found = lookup(ledger, kind, claim);
  const line = `\`reserve: [${reservation(kind, child)}]\` on Zone "${name}" there, and run \`pulumi up\` there`;
  if (found === undefined) return { refused: `stack ${stack} has reserved no ${kind} "${claim}"; write ${line}` };
  if (!reserved.includes(`${kind} ${claim}`)) {
    return {
      refused: `${kind} "${claim}" is stack ${stack}'s own; another one is to be had with ${line.replaceAll(`"${claim}"`, '"…"')}`,
    };
  }
  if ("refused" in found) return found;
  const other =
    (value !== undefined && value !== found.value) ||
    (length !== undefined && Number(found.value.split("/")[1]) !== length);
  if (other)
    return {
      refused: `stack ${stack} has reserved ${found.value} for ${kind} "${claim}"; leave it out here, or write ${line}`,
    };
  return found;
}

function reservation(kind: string, { claim, value, length }: Child): string {
  // A router draws twice, under one name.
  const shown = kind === "asn" ? "router" : kind;
  const property = kind === "router" ? "address" : kind === "asn" ? "asn" : "cidr";
  const fields = [
    ...(shown === "vpc" ? [] : [`kind: "${shown}"`]),
    `name: "${claim}"`,
    ...(value === undefined ? [] : [`${property}: ${kind === "asn" ? value : `"${value}"`}`]),
    ...(length === undefined ? [] : [`vpcPrefixLength: ${length}`]),
  ];
  return fields.length === 1 ? `"${claim}"` : `{ ${fields.join(", ")} }`;
}

/** A Router of another stack: `Router.fromStack`. */
export class SharedRouter {
  /** The way to it; what is no way says why not, and fails the resource that needs it. */
  readonly router: pulumi.Output<string>;
  readonly address: pulumi.Output<string | undefined>;
  readonly asn: pulumi.Output<number | undefined>;
  /** @internal As a Router has it: the values are known, absent ones too. */
  readonly has = { address: true, asn: true };
  /** @internal Those of this program; of the other stack's the router itself knows. */
  readonly ipv4Networks: Ipv4Network[] = [];

  /** Whether it is a SharedRouter, of this or another copy of the package. */
  static isInstance(value: unknown): value is SharedRouter {
    return isKind(value, "SharedRouter");
  }

  /** @internal */
  constructor(from: pulumi.StackReference, output: string) {
    const found = read<RouterShare>("router", from, output);
    mark(this, ["SharedRouter"], output);
    this.router = found.apply((it) => ("share" in it ? it.share.router : (it as unknown as string)));
    this.address = found.apply((it) => ("share" in it ? it.share.address : undefined));
    this.asn = found.apply((it) => ("share" in it ? it.share.asn : undefined));
  }
}
