// What is on a router by one stack's hand and in its state no more: after `pulumi state delete`, `retainOnDelete`, `deletedWith`. Pure.

import { stackOf } from "./made";
import type { Observation } from "./router";

/** Sorted ids. What is of no known stack is nobody's orphan. */
export const orphansOn = ({ made }: Observation, stack: string, inState: (id: string) => boolean): string[] =>
  [...made]
    .filter(([id, its]) => stackOf(its) === stack && !inState(id))
    .map(([id]) => id)
    .sort();

/** What a run says of them at its end. */
export function tellOrphans(router: string, ids: readonly string[], most = 10): string {
  const more = ids.length > most ? ` and ${ids.length - most} more` : "";
  return (
    `router ${router} has of this stack what is in no state: ${ids.slice(0, most).join(", ")}${more}. ` +
    "See them, and drop them: `pulumi stack export | npx vpc6 orphans` (docs/previews.md)"
  );
}
