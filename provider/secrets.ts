// Secrets of resources: passwords and private keys. A fragment holds a placeholder, `{{password:9c1e}}`, in the place of one, so that
// preview and state show that it changed and never what it is; the router puts the text in when it makes its files.
//
// The four digits are a slow hash, salted by the project: one secret has one placeholder wherever it is used, and whoever reads all of
// them learns at most 16 bits of it. The property keeps the text in Pulumi's state, where it is encrypted: resources/ declares it `pulumi.secret`, and the engine keeps that by the property's name.

import { scryptSync } from "node:crypto";
import type { Type } from "./arguments";
import { DIGITS, PLACEHOLDERS, pathIn, placeholderOf } from "./contract";
import type { Fragments, Inputs } from "./kind";
import { UNKNOWN } from "./unknown";

const PLACEHOLDER = new RegExp(PLACEHOLDERS, "g");

/** A text of which no failure shows a letter. */
export function secret(what: string, pattern: RegExp): Type<string> {
  return (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN;
    if (typeof value === "string" && pattern.test(value)) return value;
    fail(
      `${path}: ${value === undefined || value === null ? "missing; it" : "a secret, so it is not shown; it"} must be ${what}`,
    );
    return "";
  };
}

/** Where secrets stand in the inputs of any kind. */
const PATHS = ["password", "tls.privateKey"] as const;
type Path = (typeof PATHS)[number];

/**
 * What stands in a fragment for the secret at `path` of the inputs; the same as before while the secret is. Of whom it is does not count:
 * further digits for one text would be further bits of it.
 */
export function placeholder(path: Path, text: string, old: Inputs | undefined): string {
  if (text === UNKNOWN) return UNKNOWN;
  if (old && at(old, path) === text) {
    const before = placeholders(old.fragments).find((it) => it.path === path);
    if (before) return before.token;
  }
  // What the engine gives every provider, at preview and in `up`: two projects' digits need two dictionaries.
  const salt = `vpc6 ${process.env.PULUMI_PROJECT ?? ""}`;
  const digits = scryptSync(text, salt, DIGITS / 2, { N: 4096, r: 8, p: 1 }).toString("hex");
  return placeholderOf(path, digits);
}

/**
 * What the router needs to fill the placeholders, as the slot `secrets`: a line `{{path:hash}} text` for each line of a secret. It is
 * made when the fragments are sent, is never an input or an output, and never comes back.
 */
export function revealed(inputs: Inputs, fragments: Fragments = inputs.fragments ?? {}): Fragments {
  const lines = new Set<string>();
  for (const { path, token } of placeholders(fragments)) {
    const text = at(inputs, path);
    // A look-alike in a text of the user's own.
    if (typeof text !== "string") continue;
    for (const line of text.replace(/\n+$/, "").split("\n")) lines.add(`${token} ${line}`);
  }
  return lines.size === 0 ? {} : { secrets: `${[...lines].join("\n")}\n` };
}

/**
 * A router's text without the secrets of these inputs, which the router has and may say: who writes one into a fragment there, or a
 * router that means harm. Only for texts that are not what was applied.
 */
export function concealed(inputs: object, text: string): string {
  const lines = PATHS.flatMap((path) => {
    const secret = at(inputs, path);
    return typeof secret === "string" ? secret.split("\n") : [];
  });
  return lines
    .filter((line) => line.length >= SHORTEST && !line.startsWith("-----"))
    .sort((a, b) => b.length - a.length)
    .reduce((rest, line) => rest.replaceAll(line, "[secret]"), text);
}

/** No password is shorter; the last line of a key may be, and tells nothing. */
const SHORTEST = 6;

/** Whether the secret at `path` of the inputs is another one, as far as placeholders tell it: what a preview shows of both is `[secret]`. */
export function isOther(path: string, before: Inputs, after: Inputs): boolean {
  const [old, now] = [before, after].map(
    ({ fragments }) => placeholders(fragments).find((it) => it.path === path)?.token,
  );
  return old !== now;
}

function placeholders(fragments: Fragments | undefined): { token: string; path: string }[] {
  if (typeof fragments !== "object" || fragments === null) return [];
  return Object.values(fragments).flatMap((text) =>
    [...text.matchAll(PLACEHOLDER)].map(([token]) => ({ token, path: pathIn(token) })),
  );
}

function at(inputs: object, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], inputs);
}
