import fc from "fast-check";
import { expect, test } from "vitest";
import { Pool } from "../../../provider/addressing/pool";
import { costs } from "../cost";
import { many } from "../seed";

// The same with a list of cells: slow and plain.
class Cells {
  readonly taken = new Set<number>();
  readonly first: number;
  readonly last: number;
  constructor(first: number, last: number) {
    this.first = first;
    this.last = last;
  }
  block(start: number, order: number): number[] {
    return Array.from({ length: 2 ** order }, (_, index) => start + index);
  }
  take(start: number, order: number): boolean {
    const block = this.block(start, order);
    const free =
      start % 2 ** order === 0 && block.every((n) => this.first <= n && n <= this.last && !this.taken.has(n));
    if (free) for (const n of block) this.taken.add(n);
    return free;
  }
  allocate(order: number): number | undefined {
    for (let start = 0; start <= this.last; start += 2 ** order) if (this.take(start, order)) return start;
    return undefined;
  }
  count(order: number): number {
    const other = new Cells(this.first, this.last);
    for (const n of this.taken) other.taken.add(n);
    let count = 0;
    while (other.allocate(order) !== undefined) count += 1;
    return count;
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("allocate" as const), order: fc.nat(4), at: fc.constant(0) }),
    fc.record({ do: fc.constant("take" as const), order: fc.nat(4), at: fc.nat(140) }),
    fc.record({ do: fc.constant("release" as const), order: fc.constant(0), at: fc.nat(30) }),
    fc.record({ do: fc.constant("fill" as const), order: fc.nat(5), at: fc.nat(140) }),
  ),
  { maxLength: 60 },
);

test("does what a list of cells does, wherever the interval begins and ends", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(80), steps, (first, size, todo) => {
      const pool = new Pool(BigInt(first), BigInt(first + size));
      const cells = new Cells(first, first + size);
      const blocks: [number, number][] = [];
      for (const step of todo) {
        if (step.do === "allocate") {
          const start = cells.allocate(step.order);
          expect(pool.allocate(step.order)).toBe(start === undefined ? undefined : BigInt(start));
          if (start !== undefined) blocks.push([start, step.order]);
        } else if (step.do === "take") {
          const taken = cells.take(step.at, step.order);
          expect(pool.take(BigInt(step.at), step.order)).toBe(taken);
          if (taken) blocks.push([step.at, step.order]);
        } else if (step.do === "release") {
          const [block] = blocks.splice(step.at % Math.max(1, blocks.length), 1);
          if (block === undefined) continue;
          pool.release(BigInt(block[0]), block[1]);
          for (const n of cells.block(...block)) cells.taken.delete(n);
        } else {
          // What is filled never comes back, so blocks in it are not released later.
          pool.fill(BigInt(step.at), BigInt(step.at + step.order));
          const filled = Array.from({ length: step.order + 1 }, (_, index) => step.at + index);
          for (const n of filled) cells.taken.add(n);
          const left = blocks.filter((block) => !cells.block(...block).some((n) => filled.includes(n)));
          blocks.splice(0, blocks.length, ...left);
        }
      }
      for (const order of [0, 1, 2, 3]) expect(pool.count(order)).toBe(BigInt(cells.count(order)));
    }),
    { numRuns: 500 },
  );
});

test("everything released is as good as new", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.array(fc.nat(4)), (size, orders) => {
      const pool = new Pool(7n, 7n + BigInt(size));
      const fresh = pool.count(0);
      const blocks = orders.flatMap((order) => ({ order, start: pool.allocate(order) }));
      for (const { start, order } of blocks) if (start !== undefined) pool.release(start, order);
      expect(pool.count(0)).toBe(fresh);
      expect(pool.count(3)).toBe(new Pool(7n, 7n + BigInt(size)).count(3));
    }),
  );
});

test("an interval as large as IPv6 itself", () => {
  const pool = new Pool(0n, (1n << 128n) - 1n);
  expect(pool.count(64)).toBe(1n << 64n);
  expect(pool.take((1n << 128n) - 1n, 0)).toBe(true);
  expect(pool.take(1n << 127n, 127)).toBe(false);
  expect(pool.allocate(127)).toBe(0n);
  expect(pool.allocate(127)).toBe(undefined);
  expect(pool.allocate(0)).toBe(1n << 127n);
});

test("the empty interval, and blocks that are none", () => {
  expect(() => new Pool(2n, 1n)).toThrow(RangeError);
  const pool = new Pool(16n, 16n);
  expect(pool.take(17n, 0)).toBe(false);
  expect(pool.take(15n, 0)).toBe(false);
  expect(pool.take(16n, 1)).toBe(false);
  expect(pool.allocate(-1)).toBe(undefined);
  expect(pool.allocate(0)).toBe(16n);
  expect(pool.allocate(0)).toBe(undefined);
  expect(() => pool.release(1n << 90n, 0)).toThrow(RangeError);
});

/** Of a test that hangs: its limits are ratios. */
const LONG = 600_000;
/** A million in the long form. */
const MOST = many(1_000_000, 5);

test.each([
  ["a range of 2^20", 5n, 5n + (1n << 20n)],
  ["a /64", 0n, (1n << 64n) - 1n],
  ["a /48", 0n, (1n << 80n) - 1n],
])(
  "many allocations in %s cost about ten times a tenth of them",
  async (_, first, last) => {
    const fill = (count: number) => () => {
      const pool = new Pool(first, last);
      let start: bigint | undefined;
      for (let index = 0; index < count; index += 1) start = pool.allocate(0);
      expect(start).toBe(first + BigInt(count) - 1n);
    };
    expect(await costs(fill(MOST), fill(MOST / 10), 40)).toBeLessThan(40);
  },
  LONG,
);

test(
  "blocks of two sizes scattered over a /64 cost the same each, however many there are",
  async () => {
    const scatter = (count: number) => () => {
      const pool = new Pool(0n, (1n << 64n) - 1n);
      // An odd multiplier visits every place once, in no order.
      const place = (index: number) => BigInt.asUintN(40, BigInt(index) * 0x9e3779b97fn) << 8n;
      let taken = 0;
      for (let index = 0; index < count; index += 1) if (pool.take(place(index), index % 2 === 0 ? 4 : 0)) taken += 1;
      for (let index = 0; index < count; index += 2) pool.release(place(index), 4);
      for (let index = 0; index < count; index += 2) if (pool.take(place(index), 8)) taken += 1;
      expect(taken).toBe(count * 1.5);
    };
    expect(await costs(scatter(MOST / 5), scatter(MOST / 50), 40)).toBeLessThan(40);
  },
  LONG,
);
