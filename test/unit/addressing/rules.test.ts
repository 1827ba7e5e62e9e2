import fc from "fast-check";
import { expect, test } from "vitest";
import type { Claim } from "../../../provider/addressing/allocate";
import { allocate } from "../../../provider/addressing/allocate";
import type { PoolSpec } from "../../../provider/addressing/allotment";
import { lookup } from "../../../provider/addressing/ledger";
import { formatPrefix, type Prefix, span, subnet } from "../../../provider/addressing/prefix";
import { many } from "../seed";
import { heldIn, prefix, refusedIn, vpcs } from "./pools";

// The rules again, slowly and plainly, for slots of one size: numbers in a small range.
interface Model {
  held: Map<string, number>;
  freed: { name: string; slot: number; since: number }[];
}
interface ModelClaim {
  name: string;
  was: string[];
  value?: number;
}
function model(before: Model, size: number, kept: number[], claims: ModelClaim[]): Model & { refused: string[] } {
  const sorted = claims.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = new Set(sorted.map(({ name }) => name));
  const now = 1 + Math.max(0, ...before.freed.map(({ since }) => since));
  const old = new Map(before.held);
  const held = new Map<string, number>();
  let freed = [...before.freed];
  const refused: string[] = [];
  const isHeld = (slot: number) => [...held.values()].includes(slot);
  const give = (name: string, slot: number) => {
    held.set(name, slot);
    freed = freed.filter((one) => one.slot !== slot);
  };
  for (const [name, slot] of old) if (names.has(name)) held.set(name, slot);
  for (const { name, was } of sorted) {
    if (held.has(name)) continue;
    const former = was.find((one) => old.has(one) && !names.has(one) && !isHeld(old.get(one) ?? -1));
    if (former !== undefined) held.set(name, old.get(former) ?? -1);
  }
  for (const [name, slot] of old) if (!isHeld(slot)) freed.push({ name, slot, since: now });
  const explicit = sorted.filter(({ value }) => value !== undefined);
  for (let moved = true; moved; ) {
    moved = false;
    for (const { name, value = -1 } of explicit) {
      if (held.get(name) === value || value < 0 || value >= size || kept.includes(value) || isHeld(value)) continue;
      const own = held.get(name);
      give(name, value);
      if (own !== undefined) freed.push({ name, slot: own, since: now });
      moved = true;
    }
    // Who wants what another has, who wants what a third has… and so on to the first.
    const wishes = new Map(explicit.map(({ name, value = -1 }) => [name, value]));
    const leads = (name: string) => [...held].find(([, slot]) => slot === wishes.get(name))?.[0];
    for (const { name } of explicit) {
      const round = [name];
      for (let next = leads(name); next !== undefined && !round.includes(next); next = leads(next)) round.push(next);
      if (moved || round.length < 2 || leads(round.at(-1) ?? "") !== name) continue;
      for (const one of round) held.set(one, wishes.get(one) ?? -1);
      moved = true;
    }
  }
  for (const { name, value } of explicit) if (held.get(name) !== value) refused.push(name);
  const waiting = sorted.filter(({ name, value }) => value === undefined && !held.has(name));
  for (const { name, was } of waiting) {
    for (const former of [name, ...was.filter((one) => !names.has(one))]) {
      const own = freed.filter((one) => one.name === former).sort((a, b) => b.since - a.since || a.slot - b.slot)[0];
      if (own !== undefined && !held.has(name)) give(name, own.slot);
    }
  }
  for (const { name } of waiting) {
    if (held.has(name)) continue;
    const all = Array.from({ length: size }, (_, slot) => slot).filter((slot) => !kept.includes(slot));
    const never = all.find((slot) => !isHeld(slot) && !freed.some((one) => one.slot === slot));
    const oldest = freed.toSorted(
      (a, b) => a.since - b.since || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.slot - b.slot),
    )[0];
    const slot = never ?? oldest?.slot;
    if (slot === undefined) refused.push(name);
    else give(name, slot);
  }
  return { held, freed, refused: refused.toSorted() };
}

const someName = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i", "j");
const someClaims = <T>(value: fc.Arbitrary<T>) =>
  fc.uniqueArray(
    fc.record({ name: someName, was: fc.array(someName, { maxLength: 2 }), value }, { requiredKeys: ["name", "was"] }),
    { selector: ({ name }) => name },
  );
/** Mostly without explicit values. */
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const defined = <T extends object>(claim: T): T =>
  Object.fromEntries(Object.entries(claim).filter(([, value]) => value !== undefined)) as T;

test("any sequence of runs comes to what the plain rules say", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.nat(7), { maxLength: 2 }),
      fc.array(someClaims(seldom(fc.nat(9))), { minLength: 1, maxLength: 8 }),
      (size, kept, history) => {
        const base = 100n;
        const pool: PoolSpec = {
          kind: "n",
          what: "number",
          plural: "numbers",
          format: "number",
          first: base,
          last: base + BigInt(size) - 1n,
          reserved: kept.map((slot) => ({ first: base + BigInt(slot), last: base + BigInt(slot), reason: "us" })),
        };
        let expected: ReturnType<typeof model> = { held: new Map(), freed: [], refused: [] };
        let ledger: string | undefined;
        for (const run of history) {
          const claims = run.map(defined) as ModelClaim[];
          expected = model(expected, size, kept, claims);
          const actual = allocate(
            [pool],
            ledger,
            claims.map(({ value, ...claim }) => ({
              ...claim,
              kind: "n",
              ...(value === undefined ? {} : { value: `${base + BigInt(value)}` }),
            })),
          );
          expect(actual.failures).toEqual([]);
          ledger = actual.ledger;
          const slots = heldIn(ledger).map(({ name, value, since }) => ({
            name,
            slot: Number(BigInt(value) - base),
            since,
          }));
          const bySlot = (a: { slot: number }, b: { slot: number }) => a.slot - b.slot;
          const plain = [...expected.held].map(([name, slot]) => ({
            name,
            slot,
            since: undefined as number | undefined,
          }));
          expect(slots).toEqual([...plain, ...expected.freed].sort(bySlot));
          expect(refusedIn(ledger).map(({ name }) => name)).toEqual(expected.refused);
        }
      },
    ),
    { numRuns: many(2_000, 2) },
  );
}, 60_000);

// Mixed sizes, explicit values, and a pool that changes between runs: what must hold whatever happens.
const size = (prefix: Prefix) => span(prefix);
const overlap = (a: Prefix, b: Prefix) => size(a).first <= size(b).last && size(b).first <= size(a).last;
const somePrefix = fc
  .record({ length: fc.integer({ min: 56, max: 62 }), index: fc.nat(40) })
  .map(({ length, index }) => formatPrefix(subnet(prefix("2001:db8::/48"), length, index)));
const someRun = fc.record({
  claims: fc.uniqueArray(
    fc.record({
      name: someName,
      was: fc.array(someName, { maxLength: 2 }),
      value: seldom(somePrefix),
      length: seldom(fc.integer({ min: 57, max: 61 })),
    }),
    { selector: ({ name }) => name },
  ),
  pool: fc.constantFrom("2001:db8::/56", "2001:db8::/56", "2001:db8::/56", "2001:db8::/57", "2001:db8::/55"),
  kept: fc.boolean(),
});

test("whatever the sizes and however the pool changes, nobody is disturbed and nothing overlaps", () => {
  let refusals = 0;
  fc.assert(
    fc.property(fc.array(someRun, { minLength: 1, maxLength: 7 }), fc.nat(), (history, seed) => {
      let old: string | undefined;
      for (const run of history) {
        const claims = run.claims.map((claim) => ({ ...defined(claim), kind: "vpc" })) as Claim[];
        const reserved = run.kept ? [{ ...span(prefix("2001:db8:0:70::/61")), reason: "us" }] : [];
        const pool = vpcs(run.pool, { reserved });
        const { ledger, failures } = allocate([pool], old, claims);

        // The same, whoever came first; and nothing left to do.
        const turned = claims.map((_, i) => claims[(i + seed) % claims.length] as Claim).reverse();
        expect(allocate([pool], old, turned)).toEqual({ ledger, failures });
        expect(allocate([pool], ledger, claims)).toEqual({ ledger, failures });
        if (failures.length > 0) {
          // The parent is refused, so that the old ledger stays; but the new one has lost nothing either.
          for (const [, name = ""] of failures.join("\n").matchAll(/^(\S+) would lose/gm)) {
            expect(lookup(ledger, "vpc", name)).toHaveProperty("value");
          }
          continue;
        }

        const entries = heldIn(ledger);
        const blocks = entries.map(({ value }) => prefix(value));
        for (const [i, block] of blocks.entries()) {
          expect(size(block).first >= pool.within.base && size(block).last <= size(pool.within).last).toBe(true);
          for (const part of reserved)
            expect(size(block).first > part.last || size(block).last < part.first).toBe(true);
          const next = blocks[i + 1];
          if (next !== undefined) expect(overlap(block, next)).toBe(false);
        }

        const holds = (name: string) => entries.find((one) => one.name === name && one.since === undefined)?.value;
        const before = new Map(
          (old === undefined ? [] : heldIn(old))
            .filter(({ since }) => since === undefined)
            .map(({ name, value }) => [name, value]),
        );
        for (const { name, value, length } of claims) {
          const answer = lookup(ledger, "vpc", name);
          const refused = refusedIn(ledger).find((one) => one.name === name)?.refused;
          expect(answer).toBeDefined();
          // Sticky: for ever, unless the claim itself asks for something else; and then too if that is refused.
          const own = before.get(name);
          if (own !== undefined && value === undefined && length === undefined) expect(answer).toEqual({ value: own });
          if (own !== undefined && refused !== undefined) expect(holds(name)).toBe(own);
          // Without an explicit value nobody ever moves: what grows begins where it began.
          if (own !== undefined && value === undefined) {
            expect(prefix(holds(name) ?? "").base).toBe(prefix(own).base);
            expect(prefix(holds(name) ?? "").length).toBeLessThanOrEqual(prefix(own).length);
          }
          if (value === undefined) {
            if (length !== undefined && refused === undefined) expect(prefix(holds(name) ?? "").length).toBe(length);
            if (refused === undefined) continue;
            // Refused only if no block of the size is without a holder.
            if (length !== undefined && length < pool.within.length) continue;
            const wanted = length ?? 60;
            const count = 1 << (wanted - pool.within.length);
            const now = holds(name);
            const place = now === undefined ? undefined : prefix(now);
            if (place && place.length < wanted) expect(refused).toContain("never made smaller");
            const others = entries
              .filter((one) => one.since === undefined && one.name !== name)
              .map((one) => prefix(one.value));
            for (let i = 0; i < count; i += 1) {
              const block = subnet(pool.within, wanted, i);
              // What is held may only grow, and only from its beginning.
              if (place && (place.length < wanted || place.base !== block.base)) continue;
              const kept = reserved.some((part) => size(block).first <= part.last && part.first <= size(block).last);
              expect(kept || others.some((other) => overlap(block, other))).toBe(true);
            }
            continue;
          }
          // Honoured, or refused for a reason that is true.
          if (refused === undefined) {
            expect(holds(name)).toBe(value);
            continue;
          }
          refusals += 1;
          const wish = prefix(value);
          const [, by] = /held by (\S+)/.exec(refused) ?? [];
          if (by !== undefined) expect(by !== name && overlap(prefix(holds(by) ?? ""), wish)).toBe(true);
          else if (refused.includes("not inside"))
            expect(overlap(wish, pool.within) && wish.length >= pool.within.length).toBe(false);
          else if (refused.includes("reserved"))
            expect(run.kept && overlap(wish, prefix("2001:db8:0:70::/61"))).toBe(true);
          else if (refused.includes("is a /")) expect(wish.length).not.toBe(length ?? 60);
          else expect(refused).toBe(`a /${length} does not fit in ${run.pool}`);
        }
        // What was held or remembered is remembered, unless somebody has it now or the pool has not.
        const blocksOfOthers = entries.filter(({ since }) => since === undefined).map(({ value }) => prefix(value));
        for (const { value } of old === undefined ? [] : heldIn(old)) {
          const block = prefix(value);
          const out = size(block).last > size(pool.within).last;
          const kept = run.kept && overlap(block, prefix("2001:db8:0:70::/61"));
          const remembered = entries.some((one) => one.value === value);
          expect(out || kept || remembered || blocksOfOthers.some((other) => overlap(other, block))).toBe(true);
        }
        // Not a mapping, nor anything like one, to the engine's eye.
        const [header = ""] = ledger.split("\n");
        expect(header).not.toMatch(/:(\s|$)|^\s*[-{[?&*!|>%@"'#]/);
        for (const line of ledger.split("\n")) expect(line).not.toMatch(/^[^\s]+:\s/);
        old = ledger;
      }
    }),
    { numRuns: many(2_000, 5) },
  );
  expect(refusals).toBeGreaterThan(many(500, 5));
}, 60_000);
