import { expect, test } from "vitest";
import { AS_APPLIED, hash, outputs, plain, same } from "../../provider/state";

test("undefined is left out; what the state cannot keep is refused by its path", () => {
  expect(plain({ a: 1, b: undefined, c: [{ d: undefined }], e: null })).toEqual({ a: 1, c: [{}], e: null });
  expect("b" in plain({ b: undefined })).toBe(false);
  expect(() => plain({ a: { b: 1n } })).toThrow("a bigint 1 at .a.b".replace("a bigint", "bigint"));
  expect(() => plain({ a: [new Date(0)] })).toThrow("Date at .a[0]");
  for (const value of [new Map(), new Set(), Number.NaN, () => 1, Symbol("x")])
    expect(() => plain({ value })).toThrow();
});

test("outputs keep hashes, not texts", () => {
  const kept = outputs({ claim: "a", fragments: { network: "interface web0\n" }, __provider: "x" }, 1);
  expect(kept).toEqual({ claim: "a", fragments: { network: hash("interface web0\n") }, live: AS_APPLIED, schema: 1 });
});

test("same: whatever the order of keys, and absent is undefined", () => {
  expect(same({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1, d: undefined })).toBe(true);
  for (const [a, b] of [
    [[1], { 0: 1 }],
    [{ a: 1 }, { a: 2 }],
    [
      [1, 2],
      [2, 1],
    ],
    [null, {}],
    ["1", 1],
  ]) {
    expect(same(a, b), JSON.stringify([a, b])).toBe(false);
  }
});
