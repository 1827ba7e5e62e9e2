// What people, other programs and enemies write into arguments: texts that mean something to a shell, a daemon, a template, the
// assembly on the router or a terminal, and values of every other shape. And the way they get into arguments that were right.

import fc from "fast-check";
import { idOf, TRANSACTION } from "../../../provider/contract";
import { UNKNOWN } from "../../../provider/unknown";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Put somewhere into a text that is right, or in its place. */
export const PAYLOADS = [
  ..."\n|\r|\r\n|\t|\0|\v|\f|\x1b[2J|\x7f|\u0085|\u2028|\u2029|\u00a0|\ufeff|\u200b|\u202e|\u2066|\u0130|\u212a|é|文|🙂".split(
    "|",
  ),
  ...`"|'|\`|\\|;|#|!|{|}|[|]|(|)|<|>|&|*|?|~|=|,|:|/|%|@|$| `.split("|"),
  ..."$(reboot)|`reboot`|; reboot|&& reboot|{{x}}|{{{x}}}|{{#if x}}|{{tls.privateKey:0000}}|%n|%s|../..|--|-o".split(
    "|",
  ),
  ..."mac-020000000111|MAC-020000000111|%eth0|::ffff:10.0.0.1|/129|/0|.5|-1|1e3|0x10|007".split("|"),
  `\n# vpc6 ${idOf.router("vr1")}\n`,
  "\nend 3\n",
  `\n|set ${idOf.router("vr1")}\n`,
  `\n${TRANSACTION}\nset ${idOf.uplink("uplink")}\nend 2\n`,
  '" accept comment "',
  "\n\tserver evil 192.0.2.66:80",
  "\ndhcp-script=/bin/sh",
  " } }\nflush ruleset\n",
  "!\nrouter bgp 1\n",
  "<{%x%}>",
  "constructor",
  "__proto__",
  "|",
];

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...PAYLOADS) },
  {
    weight: 3,
    arbitrary: fc
      .array(fc.constantFrom(...PAYLOADS, "a", "web", "2001:db8::1"), { maxLength: 5 })
      .map((it) => it.join("")),
  },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", UNKNOWN, "a".repeat(64), "1:".repeat(200), "9".repeat(400), "é".repeat(5_000)),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "::ffff:192.0.2.1",
      "2001:DB8::1",
      "2001:db8::1/32",
      "2001:0db8:0:0::/64",
      "fe80::1%eth0",
      "::",
      "::1",
      "::/0",
      "ff02::1",
      "10.0.0.1",
      "10.0.0.0/8",
      "0.0.0.0",
      "01:00:5e:00:00:01",
      "lo",
      ".",
      "..",
      "-",
      "all",
      "true",
      "0",
      "-0",
      "NaN",
      "1-2-3",
    ),
  },
);

const json: fc.Arbitrary<Json> = fc.oneof(
  { weight: 8, arbitrary: text },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Json>(
      0,
      -1,
      0.5,
      1,
      22,
      65535,
      65536,
      2 ** 32,
      2 ** 53,
      1e308,
      -1e-300,
      null,
      true,
      false,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Json>(
      [],
      {},
      [[]],
      [null],
      { refused: "no\nway" },
      { value: "x" },
      { value: 7 },
      { length: 3 },
    ),
  },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(text, text, { maxKeys: 3 }) },
);

interface Mutation {
  at: number;
  where: number;
  how: "replace" | "infix" | "infix" | "remove" | "repeat" | "add";
  with: Json;
  payload: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  where: fc.nat(),
  how: fc.constantFrom("replace", "infix", "infix", "infix", "remove", "repeat", "add"),
  with: json,
  payload: text,
});

/** Arguments that are right, and what comes of them by up to three changes anywhere in them. */
export const mutated = (right: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc
    .tuple(
      right,
      fc.oneof(
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 5, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
      ),
    )
    .map(([value, mutations]) => mutations.reduce<Json>(mutate, structuredClone(value)));

type Node = { holder: Json[] | { [key: string]: Json }; key: string };

function nodes(value: Json): Node[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => [
    { holder: value, key },
    ...nodes((value as { [key: string]: Json })[key] ?? null),
  ]);
}

function mutate(value: Json, { at, where, how, with: other, payload }: Mutation): Json {
  const all = nodes(value);
  const texts = all.filter(({ holder, key }) => typeof (holder as Record<string, Json>)[key] === "string");
  const from = how === "infix" ? texts : all;
  const node = from[at % (from.length || 1)];
  if (!node) return value;
  const holder = node.holder as { [key: string]: Json };
  const old = holder[node.key] as Json;
  const set = (to: Json): void =>
    void Object.defineProperty(holder, node.key, { value: to, enumerable: true, writable: true, configurable: true });
  if (how === "replace") set(other);
  else if (how === "remove") delete holder[node.key];
  else if (how === "infix") {
    const place = where % (String(old).length + 1);
    set(String(old).slice(0, place) + payload + String(old).slice(place));
  } else if (how === "repeat" && Array.isArray(old)) set([...old, ...old]);
  else if (how === "add" && typeof old === "object" && old !== null && !Array.isArray(old)) old[payload] = other;
  // Holes are nothing that JSON has.
  return JSON.parse(JSON.stringify(value));
}
