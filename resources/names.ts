// Names in DNS, as far as a program knows them while it runs: what comes out the same of two names is refused before anything is touched.
// What somebody wrote on both (`domain`, `hostname`) is one name on purpose.

import { dnsLabel } from "../provider/fields";
import { registry } from "./copies";
import { refusal } from "./refusal";

interface Named {
  /** `tier "web"`. */
  who: string;
  /** Somebody wrote it down; else it is made of the resource's name. */
  written: boolean;
}

/** Enters what a resource is called in DNS; `of` is where names have to differ, `argument` what it would be written in. */
export function distinct(owner: object, of: string, name: string, argument: string, one: Named): void {
  const known = registry(owner, `names of ${of}`, () => new Map<string, Named>());
  const other = known.get(name) ?? one;
  known.set(name, other.written ? one : other);
  if (other.who === one.who || (other.written && one.written)) return;
  throw refusal(
    `${one.who} and ${other.who} are both "${name}" in DNS: set \`${argument}\` on one of them to another; on both, if one name is wanted`,
  );
}

/** A name as DNS has it; undefined: not known while the program runs. */
export const plainName = (given: unknown): string | undefined =>
  typeof given === "string" ? given.toLowerCase().replace(/\.$/, "") : undefined;

/** The domain of what is called so, in that of its parent. */
export function domainIn(given: unknown, claim: unknown, parent: string | undefined): string | undefined {
  if (given !== undefined) return plainName(given);
  return parent !== undefined && typeof claim === "string" ? `${dnsLabel(claim)}.${parent}` : undefined;
}
