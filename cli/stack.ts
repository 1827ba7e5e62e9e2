// What Pulumi wrote down of a stack, as plain resources with what they were and what they will be: from `pulumi preview --json`
// or `pulumi stack export`. No secret gets past this file: what Pulumi marks as one, and what stands under a key that is named like
// one, is `[secret]` from here on, wherever else its text turns up.

import { createHash } from "node:crypto";
import { kinds } from "../provider/kinds";
import { printable } from "../provider/prose";
import { AS_APPLIED } from "../provider/state";
import { UNKNOWN } from "../provider/unknown";
import { routerOf } from "../provider/way";

export type Inputs = Readonly<Record<string, unknown>>;
export type Fragments = Readonly<Record<string, string>>;

export interface Resource {
  readonly urn: string;
  /** The last word of a type of ours (`Tier`); the whole type token of others. */
  readonly kind: string;
  readonly name: string;
  readonly ours: boolean;
  /** As Pulumi says it: `same`, `create`, `update`, `delete`, `replace`, … */
  readonly op: string;
  readonly before?: Inputs;
  readonly after?: Inputs;
  readonly protect: boolean;
  /** URNs; those of both sides. */
  readonly dependencies: readonly string[];
  /** What the last run left half done, or a refresh found changed by another hand; undefined: nothing. */
  readonly trouble?: string;
}

export interface Diagnostic {
  readonly severity: string;
  readonly message: string;
  readonly urn?: string;
}

export interface Stack {
  readonly from: "preview" | "export";
  readonly project?: string;
  readonly stack?: string;
  readonly resources: readonly Resource[];
  readonly diagnostics: readonly Diagnostic[];
  /** How many resources do not change and are not among `resources` (a preview without --show-sames). */
  readonly hidden: number;
}

/** A text that is neither of the two. */
export class Unreadable extends Error {}

type Json = Record<string, unknown>;

export function readStack(text: string): Stack {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Unreadable(
      `this is not JSON (${printable((error as Error).message)}): \`pulumi preview --json\` or \`pulumi stack export\` is`,
    );
  }
  const json = object(concealed(value));
  const deployment = object(json.deployment);
  if (Array.isArray(deployment.resources)) return ofExport(deployment.resources.map(object));
  const steps = json.steps ?? (json.diagnostics === undefined && json.changeSummary === undefined ? undefined : []);
  if (!Array.isArray(steps)) {
    throw new Unreadable(
      "this is JSON, but neither of `pulumi preview --json` (no `steps`) nor of `pulumi stack export` (no `deployment`)",
    );
  }
  return ofPreview(json, steps.map(object));
}

function ofExport(states: Json[]): Stack {
  // `delete`: made obsolete by a replacement that was not finished.
  const resources = states
    .filter((state) => state.delete !== true)
    .map((state) => resource("same", String(state.urn), state, state));
  return { from: "export", ...origin(resources), resources: sorted(resources), diagnostics: [], hidden: 0 };
}

function ofPreview(json: Json, steps: Json[]): Stack {
  const all = new Map<string, Resource>();
  for (const step of steps) {
    const { op, urn, oldState, newState } = step as {
      op?: unknown;
      urn?: unknown;
      oldState?: unknown;
      newState?: unknown;
    };
    const it = resource(String(op), String(urn), state(oldState), state(newState));
    const known = all.get(it.urn);
    // With --refresh a look at each resource comes first: what it saw is the old state of the step that follows.
    all.set(it.urn, known === undefined || known.op === "refresh" ? it : joined(known, it));
  }
  const diagnostics = (Array.isArray(json.diagnostics) ? json.diagnostics : []).map(object).map((it) => ({
    severity: String(it.severity ?? "info"),
    message: String(it.message ?? "").trim(),
    ...(typeof it.urn === "string" && { urn: it.urn }),
  }));
  const resources = [...all.values()];
  const shown = resources.filter(({ op }) => op === "same").length;
  const same = Number(object(json.changeSummary).same ?? shown);
  return {
    from: "preview",
    ...origin([
      ...resources,
      ...diagnostics.flatMap(({ urn }) => (urn ? [resource("same", urn, undefined, undefined)] : [])),
    ]),
    resources: sorted(resources),
    diagnostics,
    hidden: Math.max(0, same - shown),
  };
}

// A replacement may come as one step or as its parts (create-replacement, replace, delete-replaced).
function joined(one: Resource, other: Resource): Resource {
  const before = one.before ?? other.before;
  const after = one.after ?? other.after;
  return { ...one, ...other, op: "replace", ...(before && { before }), ...(after && { after }) };
}

function resource(op: string, urn: string, old: Json | undefined, fresh: Json | undefined): Resource {
  const [, type = "", name = ""] = /^urn:pulumi:.*?::.*?::(.*?)::(.*)$/s.exec(urn) ?? [];
  // A child of a component has its ancestors' types before its own.
  const own = type.split("$").at(-1) ?? "";
  const kind = /^pulumi-nodejs:dynamic\/vpc6:(\w+)$/.exec(own)?.[1];
  const before = old && object(old.inputs);
  const after = fresh && object(fresh.inputs);
  const dependencies = [old, fresh].flatMap((it) =>
    Array.isArray(it?.dependencies) ? it.dependencies.map(String) : [],
  );
  const trouble = kind === undefined ? undefined : troubleOf(old);
  return {
    urn,
    kind: kind ?? own,
    name,
    ours: kind !== undefined,
    op: replaces(op) ? "replace" : op,
    ...(before && { before }),
    ...(after && { after }),
    protect: [old, fresh].some((it) => it?.protect === true),
    dependencies: [...new Set(dependencies)],
    ...(trouble !== undefined && { trouble }),
  };
}

const replaces = (op: string): boolean => /^(create-replacement|delete-replaced|replace|discard-replaced)$/.test(op);

/** The stack itself and providers are nobody's resources. */
const isReal = ({ kind }: Resource): boolean => kind !== "pulumi:pulumi:Stack" && !kind.startsWith("pulumi:providers:");

/** What others are built on first; Pulumi tells them in the order in which they happened to arrive. */
const KINDS = Object.keys(kinds);

function sorted(resources: readonly Resource[]): Resource[] {
  const rank = ({ kind }: Resource) => (KINDS.includes(kind) ? KINDS.indexOf(kind) : KINDS.length);
  const byName = new Intl.Collator("en", { numeric: true }).compare;
  return resources
    .filter(isReal)
    .sort((a, b) => rank(a) - rank(b) || byName(a.kind, b.kind) || byName(a.name, b.name) || byName(a.urn, b.urn));
}

function troubleOf(old: Json | undefined): string | undefined {
  const live = object(old?.outputs).live;
  return typeof live === "string" && live !== AS_APPLIED ? live : undefined;
}

function origin(resources: readonly Resource[]): { stack?: string; project?: string } {
  const [, stack, project] = /^urn:pulumi:([^:]+)::([^:]+)::/.exec(resources[0]?.urn ?? "") ?? [];
  return { ...(stack !== undefined && { stack }), ...(project !== undefined && { project }) };
}

const state = (value: unknown): Json | undefined => (value === undefined || value === null ? undefined : object(value));
const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** What a resource puts on its router; empty where nothing is known of it yet. */
export function fragmentsOf(inputs: Inputs | undefined): Fragments {
  const { fragments } = inputs ?? {};
  if (fragments === UNKNOWN) return { "": UNKNOWN };
  return Object.fromEntries(Object.entries(object(fragments)).map(([slot, text]) => [slot, String(text)]));
}

/** The name of the router that a resource is on. A Router is on itself, whatever its claim is called. */
export function routerNameOf(inputs: Inputs | undefined): string | undefined {
  const { router } = inputs ?? {};
  if (typeof router !== "string" || router === "") return undefined;
  return router === UNKNOWN ? "(not known yet)" : routerOf(router);
}

export const textOf = (inputs: Inputs | undefined, key: string): string | undefined => {
  const value = inputs?.[key];
  return (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : undefined;
};

/** Pulumi's own marks of what is secret, in a state and between processes. */
const MARK = "4dabf18193072939515e22adb298388d";
const MARKED = "1b47061264138c4ac30d75fd1eb44270";
export const SECRET = "[secret]";
const SENSITIVE = /pass(word|phrase|wd)|secret|private.?key|token|credential/i;

/** A copy without secrets: neither where they stand, nor where the same text stands again. */
function concealed(value: unknown): unknown {
  const secrets = new Set<string>();
  collect(value, false, secrets);
  const known = [...secrets].sort((a, b) => b.length - a.length);
  return conceal(value, known);
}

// What is shorter would blacken texts that have nothing to do with it.
const SHORTEST = 4;

function collect(value: unknown, secret: boolean, secrets: Set<string>, slots = false): void {
  if (typeof value === "string") {
    if (!secret || value === SECRET) return;
    for (const text of [value, ...value.split("\n")]) if (text.trim().length >= SHORTEST) secrets.add(text.trim());
  } else if (typeof value === "object" && value !== null) {
    if (isMarked(value)) {
      // `--show-secrets` leaves the value there, as JSON in a text.
      const { plaintext, value: inner } = value as Json;
      collect(inner, true, secrets);
      if (typeof plaintext === "string") collect(parsed(plaintext), true, secrets);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      collect(
        item,
        secret || (!slots && !Array.isArray(value) && isSensitive(key, item)),
        secrets,
        key === "fragments",
      );
    }
  }
}

function conceal(value: unknown, secrets: readonly string[], inFragments = false): unknown {
  if (typeof value === "string") {
    let text = value.replace(/-----BEGIN ([A-Z0-9 ]*)-----[\s\S]*?(-----END \1-----|$)/g, ofPem);
    for (const secret of secrets) text = text.replaceAll(secret, SECRET);
    return text;
  }
  if (Array.isArray(value)) return value.map((item) => conceal(item, secrets));
  if (typeof value !== "object" || value === null) return value;
  if (isMarked(value)) return SECRET;
  const entries = Object.entries(value).filter(([key]) => key !== "__provider");
  return Object.fromEntries(
    entries.map(([key, item]) => {
      // What stands there are slots' names.
      if (!inFragments && isSensitive(key, item)) return [key, SECRET];
      return [key, conceal(item, secrets, key === "fragments")];
    }),
  );
}

/** A certificate is no secret, and yet nothing to read: that it is another one is. */
function ofPem(block: string, what: string): string {
  if (what !== "CERTIFICATE") return SECRET;
  return `(certificate ${createHash("sha256").update(block.replace(/\s/g, "")).digest("hex").slice(0, 12)})`;
}

const isMarked = (value: object): boolean => (value as Json)[MARK] === MARKED;
/** Texts alone: a map such as `secrets_providers` is looked into. */
const isSensitive = (key: string, item: unknown): boolean =>
  typeof item === "string" && item !== UNKNOWN && SENSITIVE.test(key);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
