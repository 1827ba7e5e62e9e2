import { describe, expect, test } from "vitest";
import type { Claim } from "../../../provider/addressing/allocate";
import { allocate } from "../../../provider/addressing/allocate";
import { lookup } from "../../../provider/addressing/ledger";
import { formatPrefix, subnet } from "../../../provider/addressing/prefix";
import { costs } from "../cost";
import { many as size } from "../seed";
import { heldIn, many, prefix, runs, vpcs } from "./pools";

/** A million in the long form. */
const MOST = size(1_000_000, 20);
/** Of a pool, in bits. */
const LARGE = Math.log2(size(2 ** 15, 4));

/** Of a test that hangs: its limits are ratios. */
const LONG = 600_000;

describe("fifty thousand claims and more", () => {
  const pools = [vpcs("2001:600::/24")];

  test(
    "cost about ten times a tenth of them",
    async () => {
      const fresh = (count: number) => () => {
        const { ledger } = allocate(pools, undefined, many("vpc", count));
        expect(lookup(ledger, "vpc", "vpc-0000")).toEqual({ value: "2001:600::/60" });
        expect(ledger.startsWith(`${count} of 68719476736 `) || ledger.startsWith(`${count} of 2^36 `)).toBe(true);
      };
      expect(await costs(fresh(MOST), fresh(MOST / 10), 40)).toBeLessThan(40);
    },
    LONG,
  );

  test.each([
    ["held", (all: Claim[]) => [all, all]],
    ["freed and returned", (all: Claim[]) => [all, [], all]],
    ["explicit", (all: Claim[]) => [explicit(all)]],
    [
      "refused one and all",
      (all: Claim[]) => [all, all.flatMap((c) => [c, { ...c, name: `x${c.name}` }]), explicit(all, 1)],
    ],
    ["explicit where others were", (all: Claim[]) => [all, [], explicit(all, 1)]],
    [
      "too large for what is freed",
      (all: Claim[]) => {
        // Every other slot, in the order in which they were served: by name.
        const half = all.toSorted((a, b) => (a.name < b.name ? -1 : 1)).filter((_, i) => i % 2 === 0);
        return [all, half, half.flatMap((c) => [c, { ...c, name: `x${c.name}`, length: 59 }])];
      },
    ],
    ["taken over", (all: Claim[]) => [all, [], all.map((c) => ({ ...c, name: `x${c.name}` }))]],
    ["renamed", (all: Claim[]) => [all, all.map((c) => ({ ...c, name: `x${c.name}`, was: [c.name] }))]],
    ["resized", (all: Claim[]) => [all, all.map((c) => ({ ...c, length: 61 }))]],
  ])(
    "%s cost no more each than a few do",
    async (_, history) => {
      // A pool that just holds them all.
      const run = (bits: number) => () => {
        const pool = vpcs("2001:600::/24", { within: { ...prefix("2001:600::/24"), length: 60 - bits } });
        const ledger = runs([pool], ...history(many("vpc", 2 ** bits)));
        expect(heldIn(ledger)).toHaveLength(2 ** bits);
      };
      expect(await costs(run(LARGE), run(LARGE - 4), 16 * 5)).toBeLessThan(16 * 5);
    },
    LONG,
  );

  const explicit = (all: Claim[], shift = 0): Claim[] =>
    all.map((c, i) => ({ ...c, value: formatPrefix(subnet(prefix("2001:600::/24"), 60, (i + shift) % all.length)) }));
});
