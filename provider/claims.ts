// Both ends of a claim: the parent's ledger, made in its `check` from the old one and the claims of now, and the child's
// share of it. What is refused is the child's failure and disturbs nobody else.

import { allocate } from "./addressing/allocate";
import type { PoolSpec } from "./addressing/allotment";
import { format, lookup, parse } from "./addressing/ledger";
import { bitsOf, formatAddress, formatPrefix, type Prefix, parseAddress, parsePrefix } from "./addressing/prefix";
import { boolean, type Fail, integer, list, matching, optional, printable, record, type Type, text } from "./arguments";
import { address4, address6, asnText, claim, type Grant, orderOfNames, prefix6, prefixOf } from "./fields";
import type { Inputs } from "./kind";
import { UNKNOWN } from "./unknown";

export interface Claim {
  kind: string;
  name: string;
  was?: string[];
  value?: string;
  length?: number;
  /** Claimed by `reserve`: no child is there to say that it was refused. */
  reserved?: boolean;
}

/** What resources/claims.ts collects; the parent's `check` hands back the ledger in their place. */
export const claims: Type<Claim[]> = (value, path, fail) =>
  value === UNKNOWN ? (UNKNOWN as unknown as Claim[]) : (list(one)(value ?? [], path, fail) as Claim[]);

const one = record({
  kind: matching("a kind of claim", /^[a-z][a-z0-9]{0,19}$/),
  name: claim,
  was: optional(list(text("a name", (it) => it))),
  // As the child gave it: what is wrong with it is the child's failure.
  value: optional(text("a value", (it) => printable(it.slice(0, 200)))),
  length: optional(integer(0, 128)),
  reserved: optional(boolean),
});

/** The new ledger, or the old one and the failures of the parent (who would fall out of a smaller pool). */
export function ledgerOf(pools: PoolSpec[], old: string | undefined, all: Claim[], fail: Fail): string {
  const wanted = all.map(({ kind, name, was = [], value, length }) => ({
    kind,
    name,
    was,
    ...(value !== undefined && { value }),
    ...(length !== undefined && { length }),
  }));
  const strangers = wanted.filter((it) => !pools.some(({ kind }) => kind === it.kind));
  for (const { kind, name } of strangers) fail(`claims: nothing of kind "${kind}" is handed out here, to "${name}"`);
  if (strangers.length > 0) return old ?? "";
  const result = allocate(pools, old, wanted);
  for (const failure of result.failures) fail(failure);
  for (const { kind, name } of all.filter((it) => it.reserved)) {
    const answer = lookup(result.ledger, kind, name);
    if (answer && "refused" in answer) fail(`reserve: ${kind} "${name}": ${answer.refused}`);
  }
  return result.ledger;
}

export interface Share {
  grant: Grant;
  /** The property that would give it explicitly: `cidr`, `address`. */
  property: string;
  explicit: unknown;
  /** The property that is to blame for a refusal, where it is neither that nor the name. */
  path?: string | undefined;
  /** Whose prefix an explicit value must be in, where a ledger gave that out. */
  within?: "Tier" | "Vpc";
  claim: string;
  old: Inputs | undefined;
}

/** What a ledger hands out, by the property. */
const VALUES: Record<string, Type<string | undefined>> = {
  cidr: valid(prefix6("network")),
  prefix: valid(prefix6("translation")),
  address: valid(address6("host")),
  ipv4Address: valid(address4("host")),
  asn: asnText,
};

function valid(type: Type<string>): Type<string | undefined> {
  return (value, path, fail) => {
    let right = true;
    const read = type(value, path, (reason) => {
      right = false;
      fail(reason);
    });
    return right ? read : undefined;
  };
}

/**
 * A child's share of its parent's ledger; absent (with a failure) when it got none. A share that would change only because the
 * child is called otherwise is a failure too: nobody is renumbered by a rename.
 */
export function share(
  { grant, property, explicit, path = "claim", within, claim, old }: Share,
  fail: Fail,
): string | undefined {
  if ((grant as unknown) === UNKNOWN) return UNKNOWN;
  if (!("value" in grant) || grant.refused !== undefined) {
    const { refused = "" } = grant;
    const blamed = explicit === undefined ? path : property;
    const outside = within !== undefined && explicit !== undefined && refused.includes(" is not inside ");
    fail(`${"absent" in grant ? "zone" : blamed}: ${refused}${outside ? orderOfNames(within) : ""}`);
    return undefined;
  }
  const value = VALUES[property]?.(grant.value, "grant", fail);
  if (value === undefined || (value as unknown) === UNKNOWN) return value;
  if (explicit !== undefined && String(explicit) !== value) {
    // The claim was closed before the value was known to it.
    fail(
      `${property}: "${explicit}" comes too late: the ledger has ${value} for "${claim}"; build the resource earlier`,
    );
  }
  const held = old?.[property];
  if (explicit === undefined && held !== undefined && String(held) !== value && old?.claim !== claim) {
    fail(
      `claim: "${claim}" was "${old?.claim}" and would move from ${held} to ${value}; add \`aliases\` with the old name, ` +
        `or \`claim: "${old?.claim}"\`, to keep it, or \`${property}\` to move it. Where another resource is "${old?.claim}" now, that one needs a \`claim\` of its own too`,
    );
  }
  return value;
}

/** The ledger of a parent whose own prefix was moved: everyone of its family keeps his place within it. */
export function rebase(ledger: string | undefined, from: unknown, to: string): string | undefined {
  if (ledger === undefined || typeof from !== "string" || from === to) return ledger;
  const [source, target] = [prefixOf(from), prefixOf(to)];
  const entries = parse(ledger);
  // Grown or shrunk around what it had: nobody moves.
  if (
    typeof entries === "string" ||
    source.base >> hostBits(source, target) === target.base >> hostBits(source, target)
  ) {
    return ledger;
  }
  const shift = (value: string): string => {
    const prefix = parsePrefix(value);
    if (typeof prefix !== "string") {
      if (prefix.family !== source.family) return value;
      return formatPrefix({ ...prefix, base: prefix.base - source.base + target.base });
    }
    const address = parseAddress(value);
    if (typeof address === "string" || address.family !== source.family) return value;
    return formatAddress({ ...address, value: address.value - source.base + target.base });
  };
  const header = ledger.split("\n")[0] ?? "";
  return format(
    header,
    entries.map((entry) => ("value" in entry ? { ...entry, value: shift(entry.value) } : entry)),
  );
}

const hostBits = (a: Prefix, b: Prefix): bigint => BigInt(bitsOf(a.family) - Math.min(a.length, b.length));
