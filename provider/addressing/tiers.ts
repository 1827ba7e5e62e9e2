// The prefixes that a VPC's tiers hold, from its ledger.
import { parse } from "./ledger";

export function tierPrefixes(ledger: string): string[] {
  const entries = parse(ledger);
  if (typeof entries === "string") return [];
  return entries.flatMap((it) => ("value" in it && it.kind === "tier" && it.since === undefined ? [it.value] : []));
}
