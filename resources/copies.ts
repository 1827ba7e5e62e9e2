// Several copies of this package in one program (a component package may bring its own) work as one: what an object is, a mark on it
// says and not its class; what is known about it is kept on it and not in a module. What copies read of one another's objects, and
// what the hooks read of a resource, has a number: a copy with another number is refused in words, never misread.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { underTheCli } from "./program";
import { refusal } from "./refusal";

/** The package's version, for messages; package.json says the same. */
export const VERSION = "0.1.0";

/**
 * Counts up when a copy of before could not work with this one's resources: a member marked @internal, a registry, or what a
 * constructor sends to the hooks means something else. package.json says the same, for copies that only look there.
 */
export const PROTOCOL = 1;

// The same in every version: by it they know one another.
const MARK = Symbol.for("vpc6");

interface Mark {
  protocol: number;
  version: string;
  /** The class's name, and those of what it also is. */
  kinds: string[];
  name: string;
  registries: Map<string, unknown>;
}

/** Says what an object is, to every copy. */
export function mark(object: object, kinds: string[], name: string): void {
  const value: Mark = { protocol: PROTOCOL, version: VERSION, kinds, name, registries: new Map() };
  // Not enumerable: it is no part of what tests and programs print or compare.
  Object.defineProperty(object, MARK, { value });
}

function markOf(value: unknown): Mark | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as { [MARK]?: Mark })[MARK];
}

/** Whether any copy that speaks our protocol made it, as this kind. */
export function isKind(value: unknown, kind: string): boolean {
  const found = markOf(value);
  return found?.protocol === PROTOCOL && found.kinds.includes(kind);
}

/** Refuses what a copy made that speaks another protocol; `where` is the argument, for the message. */
export function refuseForeign(value: unknown, where: string): void {
  const found = markOf(value);
  if (found === undefined || found.protocol === PROTOCOL) return;
  throw refusal(
    `${where} is ${found.kinds[0]} "${found.name}" of vpc6 ${found.version}, another copy of the package that this one, ${VERSION}, ` +
      "cannot work with: let all packages of the program depend on one version of vpc6 (`npm ls vpc6` shows who brings which)",
  );
}

/** The argument itself, where it is of one of these kinds; else an error that says what it is and what would be right. */
export function given<T>(value: T, where: string, ...kinds: string[]): T {
  refuseForeign(value, where);
  if (kinds.some((kind) => isKind(value, kind))) return value;
  throw refusal(`${where} is ${inWords(value)}; it must be a ${kinds.join(" or ")}`);
}

/** What somebody gave in the place of a resource. Never its content, which may be a secret. */
export function inWords(value: unknown): string {
  const found = markOf(value);
  if (found) return `${found.kinds[0]} "${found.name}"`;
  if (value === null || value === undefined) return "missing";
  const { __pulumiOutput, __pulumiType } = value as { __pulumiOutput?: true; __pulumiType?: string };
  if (__pulumiOutput) return "an output";
  return __pulumiType === undefined ? `no resource of vpc6 (${typeof value})` : `a resource of type ${__pulumiType}`;
}

/** A list that a constructor walks through, so that it cannot be an output. */
export function listed<T>(value: T[] | undefined, where: string): T[] {
  if (Array.isArray(value)) return value;
  throw refusal(
    `${where} is ${otherwise(value)}; it must be a list${isOutput(value) ? ", known as the program runs" : ""}`,
  );
}

/** An object that a constructor takes apart. */
export function object<T extends object>(value: T, where: string): T {
  const plain = typeof value === "object" && value !== null && !Array.isArray(value);
  if (plain && !isOutput(value) && !pulumi.Resource.isInstance(value)) return value;
  throw refusal(`${where} is ${otherwise(value)}; it must be an object`);
}

const isOutput = (value: unknown): boolean =>
  pulumi.Output.isInstance(value) || typeof (value as { then?: unknown } | null | undefined)?.then === "function";

/** What somebody gave in the place of a list or an object. */
function otherwise(value: unknown): string {
  if (isOutput(value)) return "an output";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? inWords(value) : value === undefined ? "missing" : `a ${typeof value}`;
}

/** What all copies know about a resource beside what it says of itself; made when first asked for. */
export function registry<T>(owner: object, what: string, make: () => T): T {
  const registries = markOf(owner)?.registries;
  if (registries === undefined) throw new Error(`vpc6 bug: ${what} of something that is not marked`);
  if (!registries.has(what)) registries.set(what, make());
  return registries.get(what) as T;
}

/** Enters the only one of a sort that an owner can have; the answer is who was there before, who stays. */
export function occupy(owner: object, what: string, name: string): string | undefined {
  const place = registry<{ by?: string }>(owner, what, () => ({}));
  if (place.by !== undefined) return place.by;
  place.by = name;
  return undefined;
}

// The hooks of every copy's resources are those of the copy that the program's folder has: see `loader` in resource.ts.
const folder = process.cwd();
let hooks: { refused?: string } | undefined;

/** Refuses a resource whose hooks would be those of a copy that does not understand it, or nobody's. */
export function checkHooks(kind: string, name: string): void {
  // In any other host the current folder need not be the program's.
  if (!underTheCli) return;
  hooks ??= lookForHooks(folder);
  if (hooks.refused !== undefined) throw refusal(`${kind} "${name}" is of vpc6 ${VERSION}, ${hooks.refused}`);
}

function lookForHooks(from: string): { refused?: string } {
  let manifest: string;
  try {
    manifest = createRequire(path.join(from, "_")).resolve("vpc6/package.json");
  } catch {
    return {
      refused:
        "whose hooks run from the program's own vpc6, and none is found from the program's folder: " +
        `run \`npm install vpc6@${VERSION}\` there`,
    };
  }
  const { version, vpc6 } = JSON.parse(readFileSync(manifest, "utf8"));
  if (vpc6?.protocol === PROTOCOL) return {};
  return {
    refused:
      `but the program's own vpc6, whose hooks would run, is ${version}, and they cannot work together: let all packages of the ` +
      "program depend on one version of vpc6 (`npm ls vpc6` shows who brings which)",
  };
}
