// The arguments of resources, checked all at once: every failure has its path, the offending value and what would be
// right. A type takes what the engine sent and returns the canonical value; unknown values pass through untouched.

import { UNKNOWN } from "./unknown";

export type Fail = (reason: string) => void;
export type Type<T> = (value: unknown, path: string, fail: Fail) => T;
type Value<X> = X extends Type<infer T> ? T : never;

/** The offending value as the user wrote it, short enough for one line. */
export function quote(value: unknown): string {
  const text = printable(JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** On one line, and nothing that a terminal obeys or hides, nor a color of Pulumi's CLI: `<{%x%}>`, at which it panics (router/error.ts). */
export const printable = (text: string): string =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}]|(?<=<)\{(?=%)/gu, (it) => `\\u${it.codePointAt(0)?.toString(16).padStart(4, "0")}`);

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** A type from a function that returns the canonical value, or throws the words for "what would be right". */
export function type<T>(what: string, read: (value: unknown) => T | undefined): Type<T> {
  return (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN as T;
    if (isAbsent(value)) {
      fail(`${path}: missing; it must be ${what}`);
      return undefined as T;
    }
    const result = read(value);
    if (result === undefined) fail(`${path}: ${quote(value)} is not ${what}`);
    return result as T;
  };
}

/** A text that `read` makes canonical; `read` answers a string with the reason in `{ not }` when it is not right. */
export function text<T = string>(what: string, read: (value: string) => T | { not: string }): Type<T> {
  return (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN as T;
    if (isAbsent(value)) {
      fail(`${path}: missing; it must be ${what}`);
      return undefined as T;
    }
    const result = typeof value === "string" ? read(value) : { not: `is not ${what}` };
    if (typeof result === "object" && result !== null && "not" in result) {
      fail(`${path}: ${quote(value)} ${result.not}`);
      return undefined as T;
    }
    return result as T;
  };
}

export function matching(what: string, pattern: RegExp): Type<string> {
  return text(what, (value) => (pattern.test(value) ? value : { not: `is not ${what}` }));
}

/** One of these words. */
export function oneOf<T extends string>(...words: T[]): Type<T> {
  const what = `one of ${words.map((it) => `"${it}"`).join(", ")}`;
  return text(what, (value) => ((words as string[]).includes(value) ? (value as T) : { not: `is not ${what}` }));
}

export function integer(first: number, last: number, what = "a whole number"): Type<number> {
  return type(`${what} (${first} to ${last})`, (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= first && value <= last ? value : undefined,
  );
}

export const boolean: Type<boolean> = type("true or false", (value) =>
  typeof value === "boolean" ? value : undefined,
);

export function optional<T>(of: Type<T>): Type<T | undefined> {
  return (value, path, fail) => (isAbsent(value) ? undefined : of(value, path, fail));
}

export function withDefault<T>(of: Type<T>, fallback: T): Type<T> {
  return (value, path, fail) => (isAbsent(value) ? fallback : of(value, path, fail));
}

export function list<T>(of: Type<T>): Type<T[]> {
  return (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN as unknown as T[];
    if (!Array.isArray(value)) {
      fail(isAbsent(value) ? `${path}: missing; it must be a list` : `${path}: ${quote(value)} is not a list`);
      return [];
    }
    return value.map((item, index) => of(item, `${path}[${index}]`, fail));
  };
}

/** An object with exactly these fields: a field it does not know is a failure, so that a typing error is seen. */
export function record<F extends Record<string, Type<unknown>>>(fields: F): Type<{ [K in keyof F]: Value<F[K]> }> {
  return (value, path, fail) => {
    type Result = { [K in keyof F]: Value<F[K]> };
    // Each field is unknown, so that nothing finds an unknown object's fields absent.
    if (value === UNKNOWN) return Object.fromEntries(Object.keys(fields).map((key) => [key, UNKNOWN])) as Result;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      fail(`${path}: ${isAbsent(value) ? "missing" : quote(value)}; it must be an object with ${names(fields)}`);
      return {} as Result;
    }
    const at = (key: string): string => {
      const name = /^[A-Za-z_$][\w$]{0,60}$/.test(key) ? key : quote(key);
      return path === "" ? name : `${path}.${name}`;
    };
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) fail(`${at(key)}: there is no such property; there are ${names(fields)}`);
    }
    const given = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(fields).map(([key, of]) => [key, of(given[key], at(key), fail)]),
    ) as Result;
  };
}

const names = (fields: object): string => Object.keys(fields).join(", ");
