import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Entry, format, isClaimName, lookup, parse } from "../../../provider/addressing/ledger";

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const kind = fc.constantFrom("vpc", "router", "asn", "isolated");
const value = fc.constantFrom("2001:67c:2834::/60", "2001:db8:ffff::10", "4200000000", "2001:db8:ffff:1:2:3:4:5/128");
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind, name, value }),
  fc.record({ kind, name, value, since: fc.nat() }),
  fc.record({ kind, name, refused: fc.constantFrom("is held by lab", "free since 1", '"x y" is no prefix: write') }),
);

test("what is written reads as the same entries", () => {
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      expect(parse(format("3 of 1024 in use", entries))).toEqual(entries);
    }),
  );
});

test("a line depends on its own entry only", () => {
  fc.assert(
    fc.property(fc.array(entry), fc.array(entry), entry, (before, after, one) => {
      const line = format("", [one]).slice(1);
      expect(line).not.toContain("\n");
      expect(format("", [...before, one, ...after]).split("\n")[before.length + 1]).toBe(line);
    }),
  );
});

test("a reason of many lines is written on one", () => {
  expect(format("0 in use", [{ kind: "vpc", name: "a", refused: "one\ntwo\r\n three" }])).toBe(
    "0 in use\nrefused   vpc  a  one two three",
  );
});

test("names stand in one column", () => {
  const ledger = format("2 of 1024 in use", [
    { kind: "vpc", name: "shop", value: "2001:67c:2834::/60" },
    { kind: "vpc", name: "old", value: "2001:67c:2834:3ff0::/60", since: 7 },
    { kind: "isolated", name: "lab", value: "ffff:ffff:ffff:ffff::/64" },
  ]);
  expect(ledger).toBe(`2 of 1024 in use
vpc       2001:67c:2834::/60        shop
vpc       2001:67c:2834:3ff0::/60   old  free since 7
isolated  ffff:ffff:ffff:ffff::/64  lab`);
});

test.each([
  "vpc 2001:db8::/60",
  "",
  "shop",
  "vpc  2001:db8::/60  shop  free",
  "vpc  2001:db8::/60  shop  free since x",
])("%j is no line of a ledger, and is not passed over", (line) => {
  const text = `1 in use\nvpc  2001:db8::/60  shop\n${line}`;
  expect(parse(text)).toBe(`line 3 of the ledger cannot be read: ${JSON.stringify(line)}`);
  expect(lookup(text, "vpc", "shop")).toEqual({ refused: parse(text) });
});

test.each([
  ["a", true],
  ["0.a_b-C", true],
  ["a".repeat(63), true],
  ["a".repeat(64), false],
  ["", false],
  [".a", false],
  ["-a", false],
  ["a b", false],
  ["a\n", false],
  ["a/b", false],
  ["ä", false],
])("%j as a name: %s", (text, good) => {
  expect(isClaimName(text)).toBe(good);
});

describe("looking up", () => {
  const ledger = format("2 of 4 in use; 2 refused", [
    { kind: "vpc", name: "shop", value: "2001:db8::/60" },
    { kind: "vpc", name: "gone", value: "2001:db8:0:10::/60", since: 1 },
    { kind: "vpc", name: "lab", value: "2001:db8:0:20::/60" },
    { kind: "asn", name: "shop", value: "4200000000" },
    { kind: "vpc", name: "lab", refused: "2001:db8::/60 is held by shop" },
    { kind: "vpc", name: "big", refused: "a /40 does not fit in 2001:db8::/58" },
  ]);
  test.each([
    ["vpc", "shop", { value: "2001:db8::/60" }],
    ["asn", "shop", { value: "4200000000" }],
    ["vpc", "lab", { value: "2001:db8:0:20::/60", refused: "2001:db8::/60 is held by shop" }],
    ["vpc", "big", { refused: "a /40 does not fit in 2001:db8::/58" }],
    ["vpc", "gone", undefined],
    ["asn", "lab", undefined],
  ])("%s %s", (kind, name, answer) => {
    expect(lookup(ledger, kind, name)).toEqual(answer);
  });
  test("without a ledger", () => {
    expect(lookup(undefined, "vpc", "shop")).toBe(undefined);
    expect(lookup("0 of 4 in use", "vpc", "shop")).toBe(undefined);
  });
  test("many children of a few parents: a text is read once, not once a child", () => {
    const texts = [1, 2, 3].map((zone) =>
      format(
        `zone ${zone}`,
        Array.from({ length: 4096 }, (_, i) => ({ kind: "vpc", name: `v${i}`, value: `${i}` })),
      ),
    );
    const begin = performance.now();
    for (const text of texts) parse(text);
    const reading = (performance.now() - begin) / 3;
    let looking = 0;
    for (let i = 0; i < 1024; i += 1) {
      // Every child gets a string of its own from the engine.
      const text = Buffer.from(texts[i % 3] ?? "").toString();
      const begin = performance.now();
      const answer = lookup(text, "vpc", `v${i}`);
      looking += performance.now() - begin;
      expect(answer).toEqual({ value: `${i}` });
    }
    expect(looking / reading).toBeLessThan(300);
  });
});
