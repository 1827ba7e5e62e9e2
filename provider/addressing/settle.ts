// The rules for one pool: from what was held and remembered and what is claimed now to who holds what. Its phases follow
// one another in `settle`; each serves names in sorted order, and asking again with the outcome changes nothing.
import { canGrow, type NoPool, orderOf, type RealPool, readSlot, type Slot, writeSlot } from "./allotment";
import { Book, compare, type Freed } from "./book";
import type { Claim, Claims } from "./claim";
import type { Entry, Held } from "./ledger";
import { cannotGrow, exhausted, fallenOut, inUse, type Stray, taken, wrongLength } from "./refusal";

/** What one pool comes to: its lines of the ledger, in order, and its words for the header. */
export interface Outcome {
  readonly lines: Entry[];
  readonly refused: Entry[];
  readonly failures: string[];
  readonly summary?: string;
}

export function settle(pool: RealPool, old: readonly Held[], claims: Claims): Outcome {
  const { kind } = pool;
  const now = 1 + old.reduce((latest, { since = 0 }) => Math.max(latest, since), 0);
  const book = new Book(pool);
  const refused = new Map<string, string>();

  // What was held stays held. What cannot be (the pool has changed) waits for an explicit value, or fails the parent.
  const { owned, orphaned } = inherit(old, claims);
  const strays = new Map<string, Stray>();
  for (const [name, { value }] of owned) {
    const slot = readSlot(pool, value);
    if (typeof slot === "string") strays.set(name, { name, value, why: slot });
    else if (!book.enter(name, slot)) strays.set(name, { name, value, why: `${value} is held twice` });
  }
  for (const { name, value, since = now } of old.filter((entry) => entry.since !== undefined).concat(orphaned)) {
    const slot = readSlot(pool, value);
    if (typeof slot !== "string") book.remember({ ...slot, name, since });
  }

  // Explicit values may free what another waits for: repeated until nothing moves any more.
  const wishes = readWishes(pool, book, claims, refused);
  const sizes = readSizes(pool, book, claims, refused);
  const waiting = [...claims.values()].filter(
    ({ name, value }) => value === undefined && !book.held.has(name) && !strays.has(name),
  );
  do {
    while (grant(book, wishes, now) || rotate(book, wishes));
    restore(pool, book, waiting, claims);
  } while (grow(book, sizes, now));

  const unserved = new Map<string, number>();
  for (const { name, length } of waiting) {
    if (book.held.has(name)) continue;
    const order = orderOf(pool, length);
    if (typeof order === "string") refused.set(name, order);
    else if (!book.serve(name, order, now)) unserved.set(name, order);
  }

  const holder = taken(pool, book);
  for (const [name, slot] of wishes) refused.set(name, holder(name, slot));
  for (const [name, order] of sizes) refused.set(name, cannotGrow(pool, book, holder, name, order));
  const shortage = exhausted(pool, book, claims);
  for (const [name, order] of unserved) refused.set(name, shortage(order));
  const fallen = [...strays.values()]
    .filter(({ name }) => !book.held.has(name))
    .sort((a, b) => compare(a.name, b.name));
  return {
    lines: linesOf(pool, book).concat(fallen.map(({ name, value }) => ({ kind, name, value }))),
    refused: [...refused].sort(([a], [b]) => compare(a, b)).map(([name, reason]) => ({ kind, name, refused: reason })),
    failures: fallenOut(pool, fallen),
    summary: inUse(pool, book),
  };
}

/** A pool that is not there: every claim is refused, and what is held all the same fails the parent. */
export function decline(pool: NoPool, old: readonly Held[], claims: Claims): Outcome {
  const { kind, why } = pool;
  const lines = [...inherit(old, claims).owned]
    .map(([name, { value }]) => ({ kind, name, value }))
    .sort((a, b) => compare(a.name, b.name));
  const strays = lines.map(({ name, value }) => ({ name, value, why: `${value} is held, but ${why}` }));
  const refused = [...claims.values()].map(({ name, value }) => {
    return { kind, name, refused: value === undefined ? why : `${value} was asked for, but ${why}` };
  });
  return { lines, refused, failures: fallenOut(pool, strays) };
}

// A claim has what its name held, else what the first of its former names held that nobody claims now.
function inherit(old: readonly Held[], claims: Claims): { owned: Map<string, Held>; orphaned: Held[] } {
  const before = new Map<string, Held>();
  for (const entry of old) if (entry.since === undefined) before.set(entry.name, entry);
  const owned = new Map<string, Held>();
  const pass = (from: string, to: string) => {
    const entry = before.get(from);
    if (entry === undefined) return;
    owned.set(to, entry);
    before.delete(from);
  };
  for (const name of claims.keys()) pass(name, name);
  for (const { name, was } of claims.values()) {
    const former = owned.has(name) ? undefined : was.find((one) => before.has(one));
    if (former !== undefined) pass(former, name);
  }
  return { owned, orphaned: [...before.values()] };
}

// Explicit values that can be had as far as the pool itself goes, and that their claims do not hold yet.
function readWishes(pool: RealPool, book: Book, claims: Claims, refused: Map<string, string>): Map<string, Slot> {
  const wishes = new Map<string, Slot>();
  for (const { name, value, length } of claims.values()) {
    if (value === undefined) continue;
    const slot = readSlot(pool, value);
    const own = book.held.get(name);
    const order = orderOf(pool, length);
    if (typeof slot === "string") refused.set(name, slot);
    else if (own !== undefined && own.start === slot.start && own.order === slot.order) continue;
    else if (typeof order === "string") refused.set(name, order);
    else if (slot.order !== order) refused.set(name, wrongLength(pool, slot, order));
    else wishes.set(name, slot);
  }
  return wishes;
}

// Claims that hold a block of another size than the one they now ask for.
function readSizes(pool: RealPool, book: Book, claims: Claims, refused: Map<string, string>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, value, length } of claims.values()) {
    const own = book.held.get(name);
    if (own === undefined || value !== undefined || length === undefined) continue;
    const order = orderOf(pool, length);
    if (typeof order === "string") refused.set(name, order);
    else if (order !== own.order) sizes.set(name, order);
  }
  return sizes;
}

// Each of these two says whether anything moved; what could not move may do so once another has.
function grant(book: Book, wishes: Map<string, Slot>, now: number): boolean {
  const before = wishes.size;
  for (const [name, slot] of wishes) if (book.move(name, slot, now)) wishes.delete(name);
  return wishes.size < before;
}

// Swaps, and longer rounds: each wants the very slot that the next one has. (Nobody's old slot is free then, so none is remembered.)
function rotate(book: Book, wishes: Map<string, Slot>): boolean {
  const at = ({ start, order }: Slot): string => `${start.toString(36)}/${order}`;
  const holders = new Map([...book.held].map(([name, slot]) => [at(slot), name]));
  const next = (name: string): string | undefined => {
    const slot = wishes.get(name);
    return slot === undefined ? undefined : holders.get(at(slot));
  };
  const walked = new Set<string>();
  const rounds: string[][] = [];
  for (const name of wishes.keys()) {
    const way: string[] = [];
    let one: string | undefined = name;
    for (; one !== undefined && !walked.has(one); one = next(one)) {
      walked.add(one);
      way.push(one);
    }
    if (one !== undefined && way.includes(one)) rounds.push(way.slice(way.indexOf(one)));
  }
  for (const round of rounds) {
    book.rotate(round);
    for (const name of round) wishes.delete(name);
  }
  return rounds.length > 0;
}

function grow(book: Book, sizes: Map<string, number>, now: number): boolean {
  const before = sizes.size;
  for (const [name, order] of sizes) {
    const own = book.held.get(name);
    // From where it begins, over what nobody holds: what is inside keeps its place, and the first network is the same.
    if (own !== undefined && canGrow(own, order) && book.move(name, { start: own.start, order }, now))
      sizes.delete(name);
  }
  return sizes.size < before;
}

// A name that comes back gets what is remembered for it, the latest of the right size; else what is for a former name.
function restore(pool: RealPool, book: Book, waiting: readonly Claim[], claims: Claims): void {
  const slots = new Map<string, Freed[]>();
  for (const freed of book.freed) {
    const known = slots.get(freed.name);
    if (known === undefined) slots.set(freed.name, [freed]);
    else known.push(freed);
  }
  if (slots.size === 0) return;
  for (const { name, was, length } of waiting) {
    if (book.held.has(name)) continue;
    const order = orderOf(pool, length);
    const names = [name, ...was.filter((former) => !claims.has(former))];
    const fitting = names.flatMap((one) => {
      const own = (slots.get(one) ?? []).filter((freed) => freed.order === order && book.freed.has(freed));
      return own.sort((a, b) => b.since - a.since || compare(a.start, b.start));
    });
    if (fitting[0] !== undefined) book.restore(name, fitting[0]);
  }
}

function linesOf(pool: RealPool, book: Book): Held[] {
  const lines: (Slot & { name: string; since?: number })[] = [...book.freed];
  for (const [name, { start, order }] of book.held) lines.push({ name, start, order });
  const { kind } = pool;
  return lines
    .sort((a, b) => compare(a.start, b.start))
    .map(({ name, since, ...slot }) => ({
      kind,
      name,
      value: writeSlot(pool, slot),
      ...(since === undefined ? {} : { since }),
    }));
}
