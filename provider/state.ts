// What goes into Pulumi's state: outputs from inputs, and the comparison of both.
// Outputs hold the fragments' hashes only: the text stands in the inputs, and twice would double the state.

import { createHash } from "node:crypto";
import type { Fragments, Inputs } from "./kind";

// Texts of outputs hold no ": ", or the CLI takes them for YAML and shows a structure.

/** The output `live` while the router holds what was applied; `refresh` turns it into a report. */
export const AS_APPLIED = "as applied";

/** Its value after a change of which it is not known how far it got: the next update applies everything again. */
export const HALF_WAY = "not known, as the last change failed half way";

export interface Outputs extends Inputs {
  schema: number;
  live: string;
  /** When it was made, as a word that no other time has (contract.ts: `made`). Absent where it has nothing on a router. */
  made?: string;
}

export const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

export const hashes = (fragments: Fragments): Fragments =>
  Object.fromEntries(Object.entries(fragments).map(([slot, text]) => [slot, hash(text)]));

export function outputs(inputs: Inputs, schema: number, made?: string): Outputs {
  const { __provider, fragments, ...rest } = inputs;
  const kept = { ...(fragments && { fragments: hashes(fragments) }), ...(made !== undefined && { made }) };
  return plain({ ...rest, ...kept, live: AS_APPLIED, schema });
}

/**
 * A copy without `undefined`, which the engine can store. It fails on `undefined`, bigint and the like only *after*
 * create ran, and then forgets the resource; so anything else that JSON does not have is refused here.
 */
export function plain<T>(value: T, path = ""): T {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => plain(item === undefined ? null : item, `${path}[${index}]`)) as T;
  }
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, `${path}.${key}`)])) as T;
  }
  throw new Error(
    `vpc6 bug: a hook's result holds ${describe(value)} at ${path || "its top"}; the state cannot keep it`,
  );
}

const describe = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? (value.constructor?.name ?? "an object")
    : `${typeof value} ${String(value)}`;

/** Deep equality of what JSON can hold; order of keys does not count, absent and undefined are the same. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => same(left[key], right[key]));
}
