// What a message about a wrong argument says: every form that the argument may have, no form that is refused next, and no argument that
// nobody can write. What arguments there are, and their forms, is read from the interfaces that a program sees (places.ts).

import { expect, test } from "vitest";
import { arguments_, check } from "../check";
import { argumentsOf, type Form, failuresOf, names, places } from "./places";

/** Nothing in it is right anywhere, whatever is expected. */
const WRONG: unknown[] = [7.5, "§", true, { "§": 1 }, ["§"], "a word?"];

function named(form: Form, reason: string): boolean {
  switch (form.is) {
    case "word":
      return reason.includes(`"${form.word}"`);
    case "boolean":
      return /\btrue\b/.test(reason) && /\bfalse\b/.test(reason);
    case "number":
      return /\d+ to \d+|a port/.test(reason);
    case "list":
      return /\ba list\b/.test(reason);
    case "object":
      return [...form.members.keys()].every((it) => new RegExp(`\\b${it}\\b`).test(reason));
    // In words, of which there are too many to know.
    case "text":
    case "resource":
      return true;
  }
}

const speaksOf = (form: Form, value: unknown): boolean =>
  form.is === "object"
    ? typeof value === "object" && !Array.isArray(value)
    : form.is === "list" && Array.isArray(value);

test("there are places, and each refuses something", () => {
  expect(places.length).toBeGreaterThan(80);
  // A mode is a word of three.
  const never = places.filter((place) => WRONG.every((value) => failuresOf(place, value).length === 0));
  expect(never.map(({ kind, at }) => `${kind}.${at}`)).toEqual([]);
});

const titled = places.map((place) => [`${place.kind}, ${place.at}`, place] as const);

test.each(titled)("%s: what is refused is told every form that is right", (_, place) => {
  const missing = place.required ? [undefined] : [];
  for (const value of [...WRONG, ...missing]) {
    // What is wrong inside a list or an object is told there.
    if (place.forms.some((form) => speaksOf(form, value))) continue;
    for (const reason of failuresOf(place, value)) {
      expect(
        place.forms.filter((form) => !named(form, reason)).map((it) => ("word" in it ? it.word : it.is)),
        reason,
      ).toEqual([]);
    }
  }
});

/** What a message offers: quoted words, what follows `write`, `such as` or `e.g.`, both ends of a range of numbers. */
function offersOf(reason: string, forms: Form[]): unknown[] {
  const told = withoutValue(reason);
  const numbers = forms.some(({ is }) => is === "number")
    ? [...told.matchAll(/(\d+) to (\d+)/g)].flatMap(([, first, last]) => [Number(first), Number(last)])
    : [];
  const texts = forms.some(({ is }) => is === "text" || is === "word")
    ? [
        // What has an ellipsis shows a shape.
        ...[...told.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word).filter((it) => !it.includes("…")),
        ...[...told.matchAll(/\b(?:write|such as|e\.g\.|or) ([0-9a-f:.]+[:.][0-9a-f:./-]*)/g)].map(
          ([, word = ""]) => word,
        ),
      ].map((it) => it.replace(/[,;.]$/, ""))
    : [];
  return [...numbers, ...texts];
}

/** The value itself, with which a reason begins, or the part of it that is wrong. */
const withoutValue = (reason: string): string => reason.replace(/^"[^"]*"/, "");

/** Wrong in ways that have a next step: the other family, host bits, no length, a prefix for an address. */
const STEPS = [
  "pool.ntp.org",
  "10.0.0.1",
  "10.0.0.0/8",
  "10.0.0.1/8",
  "2001:db8::1",
  "2001:db8::",
  "2001:db8::1/32",
  "2001:db8::/95",
  "10.0.0.1-10.0.0.9",
  "7.7.7.7/24",
];

test.each(titled)("%s: what a refusal offers is not refused", (_, place) => {
  for (const value of ["§", ...STEPS, 0, 7.5, 2 ** 33]) {
    for (const reason of failuresOf(place, value)) {
      for (const offer of offersOf(reason, place.forms)) {
        expect(failuresOf(place, offer), `offered by: ${reason}`).toEqual([]);
      }
      const single = place.forms.some(({ is }) => is === "text") && !place.forms.some(({ is }) => is === "list");
      if (single && /\b(?:an|or) IP(?:v4)? (?:address|prefix)\b/.test(withoutValue(reason))) {
        // Whoever is told that IPv4 is possible will write it.
        const four = ["10.1.1.1", "10.1.1.0/24"].map((it) => failuresOf(place, it));
        expect(Math.min(...four.map((it) => it.length)), `IPv4 is offered by: ${reason}`).toBe(0);
      }
    }
  }
});

/** What comes as a text of a configuration. */
const NUMBERS = [1, 2, 24, 56, 60, 100, 8080, 64512, 65000, 262144];

test.each(titled)("%s: a text where a number or a word of logic is due is told what to write", (_, place) => {
  if (place.forms.some(({ is }) => is === "text" || is === "word")) return;
  const sort = place.forms.map(({ is }) => is).find((it) => it === "number" || it === "boolean");
  const right = (sort === "number" ? NUMBERS : [true, false]).filter((it) => failuresOf(place, it).length === 0);
  if (sort === undefined || place.forms.length > 1) return;
  expect(right).not.toEqual([]);
  for (const it of right) {
    expect(failuresOf(place, String(it)).join("\n")).toContain(
      `: \`config.require${sort === "number" ? "Number" : "Boolean"}\``,
    );
  }
});

test.each(names)("%s: of what there is, a message names what a program can write", async (kind) => {
  const { reasons } = await check(kind, { ...arguments_[kind], "§": 1 });
  const [, told = ""] =
    reasons.map((it) => /: there is no such property; there are (.*)$/.exec(it) ?? []).find((it) => it.length) ?? [];
  expect(told.split(", ").sort()).toEqual([...argumentsOf(kind).keys()].sort());
});
