import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differences, excerpt } from "../../../cli/diff";
import { costs } from "../cost";

const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 });
const side = (sign: string, all: { sign: string; text: string }[]) =>
  all.filter((it) => it.sign === " " || it.sign === sign).map(({ text }) => text);

/** The longest common subsequence, by the textbook. */
function common(a: string[], b: string[]): number {
  const row = new Array<number>(b.length + 1).fill(0);
  for (const one of a) {
    let corner = 0;
    for (const [index, other] of b.entries()) {
      const above = row[index + 1] ?? 0;
      row[index + 1] = one === other ? corner + 1 : Math.max(above, row[index] ?? 0);
      corner = above;
    }
  }
  return row[b.length] ?? 0;
}

describe("a difference", () => {
  test("holds both texts, and is the shortest there is", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const all = differences(before, after);
        expect(side("-", all)).toEqual(before);
        expect(side("+", all)).toEqual(after);
        expect(all.filter(({ sign }) => sign === " ").length).toBe(common(before, after));
      }),
      { numRuns: 500 },
    );
  });

  test("of texts that have nothing in common is all of both, and ten times the lines cost about ten times as much", async () => {
    const compare = (count: number) => () => {
      const texts = ["x", "y"].map((name) => Array.from({ length: count }, (_, index) => `${name}${index}`));
      expect(differences(texts[0] ?? [], texts[1] ?? []).length).toBe(2 * count);
    };
    expect(await costs(compare(20_000), compare(2_000), 40)).toBeLessThan(40);
  });

  test("is shown with two lines around it, and a mark where lines are left out between", () => {
    const before = Array.from({ length: 20 }, (_, index) => `${index}`);
    const after = before.with(3, "three").with(15, "fifteen");
    const shown = excerpt(differences(before, after)).map(({ sign, text }) => sign + text);
    expect(shown).toEqual([
      " 1",
      " 2",
      "-3",
      "+three",
      " 4",
      " 5",
      " …",
      " 13",
      " 14",
      "-15",
      "+fifteen",
      " 16",
      " 17",
    ]);
    expect(excerpt(differences(before, before))).toEqual([]);
  });
});
