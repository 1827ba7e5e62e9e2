// How children tell their parent what they want without the user listing it: a child's constructor claims by name, and
// the parent's `claims` input resolves when the program has nothing left to run. A failed program claims nothing, so
// that what it did not get to say is not taken for removed.

import * as pulumi from "@pulumi/pulumi";
import { isClaimName } from "../provider/addressing/ledger";
import { whenTheProgramIsDone } from "./program";
import { refusal } from "./refusal";
import { detached } from "./resource";

export interface Claim {
  kind: string;
  name: string;
  /** Names the resource had before (its `aliases`): the claim takes over what they hold. */
  was?: pulumi.Input<string[]>;
  /** An explicit value; plain, because an unknown one would make everybody's allocation unknown. */
  value?: string | undefined;
  /** Of a prefix, where it is not the parent's own. */
  length?: number | undefined;
  /** Claimed by `reserve`: no child is there to say that it was refused. */
  reserved?: boolean;
}

/** Names to keep room for. */
export const reserved = (kind: string, names: string[]): Claim[] =>
  names.map((name) => ({ kind, name, reserved: true }));

/** How the parent keeps room for it, if it can. */
function keptBy({ kind, name }: Claim): string {
  const own = `"${name}"`;
  // A router draws twice, under one name.
  const router = `{ kind: "router", name: ${own} }`;
  const isolated = `{ kind: "isolated", name: ${own} }`;
  const item = { vpc: own, tier: own, instance: own, ipv4: own, router, asn: router, isolated }[kind];
  return item === undefined ? "" : `, or keep room for its name with reserve: [${item}] on the parent`;
}

/** The claims on one parent. */
export class Claims {
  readonly closed: Promise<Claim[]>;
  private readonly parent: string;
  private readonly byKey = new Map<string, Claim>();
  private resolve: (claims: Claim[]) => void = () => {};
  private open = true;

  constructor(parent: string, reserved: Claim[] = []) {
    this.parent = parent;
    for (const claim of reserved) {
      checkName(claim);
      this.byKey.set(key(claim), claim);
    }
    this.reserved = new Set(this.byKey.keys());
    this.closed = new Promise((resolve) => {
      this.resolve = resolve;
    });
    whenTheProgramIsDone(this);
  }

  private readonly reserved: Set<string>;

  add(claim: Claim): void {
    checkName(claim);
    const id = key(claim);
    if (!this.open && !this.reserved.has(id)) {
      throw refusal(
        `${claim.kind} "${claim.name}" comes too late for ${this.parent}: its claims were closed when the program had nothing ` +
          "left to run. It is probably built from an output of another resource of this zone, or after an await in an " +
          `Automation API program. Build it earlier${keptBy(claim)}.`,
      );
    }
    if (this.byKey.has(id) && !this.reserved.has(id)) {
      throw twice(claim, this.parent);
    }
    this.byKey.set(id, claim);
    this.reserved.delete(id);
  }

  close(): void {
    this.open = false;
    this.resolve([...this.byKey.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1)));
  }
}

export const twice = ({ kind, name }: Claim, parent: string): pulumi.RunError =>
  refusal(`two resources claim ${kind} "${name}" of ${parent}: give one of them another name with \`claim: "…"\``);

export function checkName({ kind, name }: Claim): void {
  if (isClaimName(name)) return;
  throw refusal(
    `${kind} ${JSON.stringify(name)} cannot stand in a ledger under this name: 1 to 63 letters, digits, ".", "_" or "-", the ` +
      'first a letter or digit; give it another one there with `claim: "…"`',
  );
}

const key = (claim: Claim): string => `${claim.kind} ${claim.name}`;

/**
 * The names a resource had before: those of its own aliases, and those it inherits from a renamed parent whose name
 * its own begins with. Names only: a whole URN could hang on the parent's, which waits for these very claims.
 */
export function formerNames(name: string, opts: pulumi.CustomResourceOptions | undefined): pulumi.Input<string[]> {
  const aliases = opts?.aliases ?? [];
  // `__aliases` and `__name` are not in the SDK's typings; a parent without them passes nothing on.
  const parent = opts?.parent as { __aliases?: pulumi.Input<string>[]; __name?: string } | undefined;
  const parentAliases = parent?.__aliases ?? [];
  if (aliases.length === 0 && parentAliases.length === 0) return [];
  const own = aliases.map((alias) =>
    pulumi.output(alias).apply((it) => (typeof it === "string" ? lastWord(it) : nameOf(it, name))),
  );
  const parents = parentAliases.map((urn) => pulumi.output(urn).apply(lastWord));
  const names = pulumi.all([pulumi.all(own), pulumi.all(parents)]).apply(([ownNames, parentNames]) => {
    const parentName = parent?.__name ?? "";
    const inherited = [name, ...ownNames].flatMap((child) =>
      parentName !== "" && child.startsWith(parentName)
        ? parentNames.map((former) => former + child.slice(parentName.length))
        : [],
    );
    return [...new Set([...ownNames, ...inherited])].filter((former) => former !== name);
  });
  return detached(names);
}

const lastWord = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
const nameOf = (alias: unknown, otherwise: string): string =>
  (typeof alias === "object" && alias !== null && "name" in alias && typeof alias.name === "string" && alias.name) ||
  otherwise;
