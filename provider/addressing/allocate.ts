// From the old ledger and the claims of now to the new ledger: a pure function, the same whatever the order of the claims,
// and with nothing left to do when it is asked again. The rules (`settle` applies them, pool by pool):
//   what a name holds it keeps; a renamed claim takes over what its old name held; explicit values are honoured or refused;
//   new names are served in sorted order, lowest free first; a refusal disturbs nobody;
//   a freed slot is remembered for its name, and goes to another, oldest first, only when no never-used one is left.
import type { PoolSpec } from "./allotment";
import { compare } from "./book";
import type { Claim } from "./claim";
import { format, type Held, isClaimName, parse } from "./ledger";
import { quote } from "./prefix";
import { decline, settle } from "./settle";

export type { Claim };

export interface Allocation {
  readonly ledger: string;
  /** What is wrong with the parent itself: who would lose what, now that its pools have changed. */
  readonly failures: string[];
}

export function allocate(pools: readonly PoolSpec[], old: string | undefined, claims: readonly Claim[]): Allocation {
  const entries = old === undefined ? [] : parse(old);
  if (typeof entries === "string") return { ledger: old ?? "", failures: [entries] };
  const kinds = pools.map((pool) => ({ pool, held: [] as Held[], claims: new Map<string, Claim>() }));
  const byKind = new Map(kinds.map((kind) => [kind.pool.kind, kind]));
  for (const entry of entries) if (!("refused" in entry)) byKind.get(entry.kind)?.held.push(entry);

  const failures: string[] = [];
  for (const claim of [...claims].sort(bySortedName)) {
    const kind = byKind.get(claim.kind);
    if (kind === undefined) throw new Error(`there is no pool of kind ${quote(claim.kind)} to claim from`);
    if (!isClaimName(claim.name)) failures.push(`${quote(claim.name)} cannot be the name of a claim`);
    else kind.claims.set(claim.name, claim);
  }

  const outcomes = kinds.map(({ pool, held, claims }) =>
    pool.format === "none" ? decline(pool, held, claims) : settle(pool, held, claims),
  );
  const refused = outcomes.flatMap((outcome) => outcome.refused);
  const inUse = outcomes.flatMap(({ summary }) => summary ?? []).join(", ") || "nothing";
  const header = refused.length === 0 ? `${inUse} in use` : `${inUse} in use; ${refused.length} refused`;
  return {
    ledger: format(header, outcomes.flatMap(({ lines }) => lines).concat(refused)),
    failures: failures.concat(outcomes.flatMap((outcome) => outcome.failures)),
  };
}

// Two claims of one name are the caller's mistake; which of them counts must still not depend on who came first.
function bySortedName(a: Claim, b: Claim): number {
  return compare(a.name, b.name) || compare(content(a), content(b));
}
const content = ({ kind, was, value, length }: Claim): string => JSON.stringify([kind, was, value, length]);
