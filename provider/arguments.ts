// The arguments of resources, checked all at once: every failure has its path, the offending value and what would be
// right. A type takes what the engine sent and returns the canonical value; unknown values pass through untouched.

import { UNKNOWN } from "./unknown";

export type Fail = (reason: string) => void;
export interface Type<T> {
  (value: unknown, path: string, fail: Fail): T;
  /** Every form that is right, in words: `an IPv6 address`. */
  readonly what?: string;
  /** Of an object, the names of all that it may have; and of those that a program writes. */
  readonly fields?: readonly string[];
  readonly own?: readonly string[];
}
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

/** A type that tells what it takes. */
export const worded = <T>(what: string | undefined, read: (value: unknown, path: string, fail: Fail) => T): Type<T> =>
  what === undefined ? read : Object.assign(read, { what });

/** A type from a function that returns the canonical value, or nothing; `why` has more to say of a value that is not right. */
export function type<T>(
  what: string,
  read: (value: unknown) => T | undefined,
  why: (value: unknown) => string = () => "",
): Type<T> {
  return worded(what, (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN as T;
    if (isAbsent(value)) {
      fail(`${path}: missing; it must be ${what}`);
      return undefined as T;
    }
    const result = read(value);
    if (result === undefined) fail(`${path}: ${quote(value)} is not ${what}${why(value)}`);
    return result as T;
  });
}

/** A text that `read` makes canonical; `read` answers a string with the reason in `{ not }` when it is not right. */
export function text<T = string>(what: string, read: (value: string) => T | { not: string }): Type<T> {
  return worded(what, (value, path, fail) => {
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
  });
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
  return numeric(`${what} (${first} to ${last})`, (it) => Number.isInteger(it) && it >= first && it <= last);
}

/** A number that is right. Configuration comes as text, and types are not checked where a program runs. */
export const numeric = (what: string, right: (value: number) => boolean): Type<number> =>
  type(
    what,
    (value) => (typeof value === "number" && right(value) ? value : undefined),
    (value) =>
      typeof value === "string" && value.trim() !== "" && right(Number(value))
        ? "; it is a text: write the number, without quotes (of configuration: `config.requireNumber`)"
        : "",
  );

/** Numbers and ranges of them: `443`, `"8000-8999"`, `"443,80"` → sorted, as `80, 443, 8000-8999`. */
export const ranges =
  (what: string, least: number, most: number, examples: string): Type<string> =>
  (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN;
    const all: [number, number][] = [];
    for (const part of String(value).split(",")) {
      const [, first, last = first] = /^\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?$/.exec(part) ?? [];
      if (first === undefined || last === undefined) {
        fail(
          `${path}: ${quote(value)} is not ${what} (${least} to ${most}), a range or a list of them, e.g. ${examples}`,
        );
        return "";
      }
      for (const it of [Number(first), Number(last)]) {
        if (it < least || it > most) fail(`${path}: ${quote(value)}: ${it} is not ${what} (${least} to ${most})`);
      }
      if (Number(first) > Number(last)) fail(`${path}: ${quote(value)} is empty: ${first} comes after ${last}`);
      all.push([Number(first), Number(last)]);
    }
    all.sort((a, b) => a[0] - b[0]);
    const merged: [number, number][] = [];
    for (const range of all) {
      const before = merged.at(-1);
      if (before && range[0] <= before[1]) before[1] = Math.max(before[1], range[1]);
      else merged.push(range);
    }
    return merged.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(", ");
  };

export const boolean: Type<boolean> = type(
  "true or false",
  (value) => (typeof value === "boolean" ? value : undefined),
  (value) =>
    value === "true" || value === "false"
      ? "; it is a text: write it without quotes (of configuration: `config.requireBoolean`)"
      : "",
);

export function optional<T>(of: Type<T>): Type<T | undefined> {
  return worded(of.what, (value, path, fail) => (isAbsent(value) ? undefined : of(value, path, fail)));
}

export function withDefault<T>(of: Type<T>, fallback: T): Type<T> {
  return worded(of.what, (value, path, fail) => (isAbsent(value) ? fallback : of(value, path, fail)));
}

export function list<T>(of: Type<T>): Type<T[]> {
  const what = of.what === undefined ? "a list" : `a list, each item ${of.what}`;
  return worded(what, (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN as unknown as T[];
    if (!Array.isArray(value)) {
      fail(isAbsent(value) ? `${path}: missing; it must be ${what}` : `${path}: ${quote(value)} is not ${what}`);
      return [];
    }
    return value.map((item, index) => of(item, `${path}[${index}]`, fail));
  });
}

/** An object, or one of these plain values in its place, each short for an object, or for nothing. The first is what absence means. */
export function orPlain<T, V extends object | undefined>(
  of: Type<T>,
  ...plain: [string | boolean, V][]
): Type<undefined extends V ? T | undefined : T> {
  type Result = undefined extends V ? T | undefined : T;
  const words = plain.map(([it]) => quote(it)).join(", ");
  const what = `${words} or ${of.what}`;
  return worded(what, (value, path, fail) => {
    const given = isAbsent(value) ? plain[0] : plain.find(([it]) => it === value);
    if (given && given[1] === undefined) return undefined as Result;
    const long = given?.[1] ?? value;
    if (long === UNKNOWN || (typeof long === "object" && !Array.isArray(long))) return of(long, path, fail) as Result;
    fail(`${path}: ${quote(value)} is not ${what}`);
    return undefined as Result;
  });
}

type Fields = Record<string, Type<unknown>>;

/** What a constructor has to do with the arguments of a resource. */
interface Constructor<M extends Fields> {
  /** What it adds, and no program writes. */
  adds: M;
  /** What a program gives to it, and it keeps or makes something else of. */
  takes?: string[];
}

/**
 * An object with exactly these fields: a field it does not know is a failure, so that a typing error is seen. Messages name those that a
 * program can write.
 */
export function record<F extends Fields, M extends Fields = Record<never, never>>(
  own: F,
  { adds, takes = [] }: Constructor<M> = { adds: {} as M },
): Type<{ [K in keyof F]: Value<F[K]> } & { [K in keyof M]: Value<M[K]> }> {
  const fields = { ...own, ...adds };
  const names = [...takes, ...Object.keys(own)].join(", ");
  const what = `an object with ${names}`;
  const read = worded(what, (value, path, fail) => {
    type Result = { [K in keyof F]: Value<F[K]> } & { [K in keyof M]: Value<M[K]> };
    // Each field is unknown, so that nothing finds an unknown object's fields absent.
    if (value === UNKNOWN) return Object.fromEntries(Object.keys(fields).map((key) => [key, UNKNOWN])) as Result;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      fail(isAbsent(value) ? `${path}: missing; it must be ${what}` : `${path}: ${quote(value)} is not ${what}`);
      return {} as Result;
    }
    const at = (key: string): string => {
      const name = /^[A-Za-z_$][\w$]{0,60}$/.test(key) ? key : quote(key);
      return path === "" ? name : `${path}.${name}`;
    };
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) fail(`${at(key)}: there is no such property; there are ${names}`);
    }
    const given = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(fields).map(([key, of]) => [key, of(given[key], at(key), fail)]),
    ) as Result;
  });
  return Object.assign(read, { fields: Object.keys(fields), own: Object.keys(own) });
}
