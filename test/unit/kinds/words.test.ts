// What a message about a wrong argument says: every form that the argument may have, no form that is refused next, and no argument that
// nobody can write. What arguments there are, and their forms, is read from the interfaces that a program sees.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { kinds } from "../../../provider/kinds";
import { arguments_, check, type Kind } from "../check";

const folder = path.join(import.meta.dirname, "../../../resources");
const names = Object.keys(arguments_) as Kind[];

const interfaces = new Map<string, ts.InterfaceDeclaration>();
for (const file of readdirSync(folder)) {
  const text = readFileSync(path.join(folder, file), "utf8");
  for (const node of ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements) {
    if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, node);
  }
}

/** What an argument may be. What only a resource can be is its constructor's to judge (test/unit/refusals.test.ts). */
type Form =
  | { is: "text" | "number" | "boolean" | "resource" }
  | { is: "word"; word: string }
  | { is: "list"; of: Form[] }
  | { is: "object"; members: Map<string, Member> };
type Member = { forms: Form[]; required: boolean };

function formsOf(type: ts.TypeNode): Form[] {
  if (ts.isParenthesizedTypeNode(type)) return formsOf(type.type);
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(formsOf);
  if (ts.isArrayTypeNode(type)) return [{ is: "list", of: formsOf(type.elementType) }];
  if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return [{ is: "word", word: type.literal.text }];
  if (type.kind === ts.SyntaxKind.StringKeyword) return [{ is: "text" }];
  if (type.kind === ts.SyntaxKind.NumberKeyword) return [{ is: "number" }];
  if (type.kind === ts.SyntaxKind.BooleanKeyword) return [{ is: "boolean" }];
  if (!ts.isTypeReferenceNode(type)) throw new Error(`a type that is not understood: ${type.getText()}`);
  const [of] = type.typeArguments ?? [];
  if (type.typeName.getText() === "pulumi.Input" && of) return formsOf(of);
  const declaration = interfaces.get(type.typeName.getText());
  return declaration ? [{ is: "object", members: membersOf(declaration) }] : [{ is: "resource" }];
}

function membersOf(declaration: ts.InterfaceDeclaration): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const parent of (declaration.heritageClauses ?? []).flatMap(({ types }) => types)) {
    // `Omit<TierArgs, "vpc">`
    const [of, without] = parent.typeArguments ?? [];
    const whole = interfaces.get((of ?? parent).getText());
    if (!whole || (of && parent.expression.getText() !== "Omit"))
      throw new Error(`not understood: ${parent.getText()}`);
    for (const [name, member] of membersOf(whole)) {
      if (!without?.getText().includes(`"${name}"`)) members.set(name, member);
    }
  }
  for (const member of declaration.members) {
    if (!ts.isPropertySignature(member) || !member.type) continue;
    members.set(member.name.getText(), { forms: formsOf(member.type), required: member.questionToken === undefined });
  }
  return members;
}

const argumentsOf = (kind: Kind): Map<string, Member> => {
  const declaration = interfaces.get(`${kind}Args`);
  if (!declaration) throw new Error(`there is no ${kind}Args`);
  return membersOf(declaration);
};

/** A place among the arguments of a kind; `put` makes arguments that are right but for it. */
interface Place {
  kind: Kind;
  /** As messages call it. */
  at: string;
  forms: Form[];
  required: boolean;
  put(value: unknown): Record<string, unknown>;
}

/** The constructor makes something else of these before the hooks see them. */
const MADE_BY_THE_CONSTRUCTOR = ["reserve", "sources", "from", "to"];
/** Where the constructor sends what a user calls otherwise. */
const sent: Record<string, (value: unknown) => Record<string, unknown>> = {
  "IsolatedNetwork.ntpServers": (ntpServers) => ({ vpc: { ...arguments_.IsolatedNetwork.vpc, ntpServers } }),
};

const isResource = ({ is }: Form): boolean => is === "resource";

function placesIn(place: Place): Place[] {
  const forms = place.forms.filter((it) => !isResource(it));
  if (forms.length === 0) return [];
  return [
    { ...place, forms },
    ...forms.flatMap((form) => {
      if (form.is === "list") {
        const put = (value: unknown) => place.put([value]);
        return placesIn({ ...place, at: `${place.at}[0]`, forms: form.of, required: true, put });
      }
      if (form.is !== "object") return [];
      return [...form.members].flatMap(([name, member]) =>
        MADE_BY_THE_CONSTRUCTOR.includes(name)
          ? []
          : placesIn({ ...place, ...member, at: `${place.at}.${name}`, put: (value) => place.put({ [name]: value }) }),
      );
    }),
  ];
}

const places = names.flatMap((kind) =>
  [...argumentsOf(kind)].flatMap(([name, member]) => {
    if (MADE_BY_THE_CONSTRUCTOR.includes(name)) return [];
    const made = sent[`${kind}.${name}`] ?? ((value: unknown) => ({ [name]: value }));
    const put = (value: unknown) => ({ ...arguments_[kind], ...made(value) });
    // A list of resources only is the constructor's.
    const whole = member.forms.every((it) => it.is === "list" && it.of.every(isResource));
    return whole ? [] : placesIn({ kind, at: name, ...member, put });
  }),
);

/** Nothing in it is right anywhere, whatever is expected. */
const WRONG: unknown[] = [7.5, "§", true, { "§": 1 }, ["§"], "a word?"];

/** What refuses the value at this very place. */
function failuresOf({ kind, at, put }: Place, value: unknown): string[] {
  const reasons: string[] = [];
  kinds[kind].shape(put(value) as never, "", (reason) => reasons.push(reason));
  return reasons.filter((it) => it.startsWith(`${at}: `)).map((it) => it.slice(at.length + 2));
}

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

test.each(names)("%s: of what there is, a message names what a program can write", async (kind) => {
  const { reasons } = await check(kind, { ...arguments_[kind], "§": 1 });
  const [, told = ""] =
    reasons.map((it) => /: there is no such property; there are (.*)$/.exec(it) ?? []).find((it) => it.length) ?? [];
  expect(told.split(", ").sort()).toEqual([...argumentsOf(kind).keys()].sort());
});
