// What others than a claim's own child read of a ledger: the prefixes of a VPC's tiers, the size of a zone's largest VPC.
import { type Held, parse } from "./ledger";
import { parsePrefix } from "./prefix";

export const tierPrefixes = (ledger: string): string[] => held(ledger, "tier").map(({ value }) => value);

/** The length of the largest VPC prefix that is held; undefined: there is none. */
export function largestVpc(ledger: string): number | undefined {
  const lengths = held(ledger, "vpc").flatMap(({ value }) => {
    const prefix = parsePrefix(value);
    return typeof prefix === "string" ? [] : prefix.length;
  });
  return lengths.length === 0 ? undefined : Math.min(...lengths);
}

function held(ledger: string, kind: string): Held[] {
  const entries = parse(ledger);
  if (typeof entries === "string") return [];
  return entries.filter((it): it is Held => "value" in it && it.kind === kind && it.since === undefined);
}
