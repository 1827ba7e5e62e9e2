// The words of the ledger: why a claim is refused, with the value, the rule and the holder or the numbers, and how much is in use.
import {
  boundsOf,
  canGrow,
  endOf,
  orderOf,
  type PoolSpec,
  placeOf,
  type RealPool,
  readSlot,
  type Slot,
  writeSlot,
} from "./allotment";
import { Book, compare } from "./book";
import type { Claims } from "./claim";
import { bitsOf } from "./prefix";

/** `2 of 1024 VPC prefixes (/60) in 2001:67c:2834::/50` */
export function inUse(pool: RealPool, book: Book): string {
  const place = pool.format === "prefix" ? ` in ${placeOf(pool)}` : "";
  return `${usedOf(pool, book)} of ${round(capacityOf(pool))} ${pluralOf(pool)}${place}`;
}

export function wrongLength(pool: RealPool, slot: Slot, order: number): string {
  const [is, wanted] = [lengthOf(pool, slot.order), lengthOf(pool, order)];
  const option = pool.format === "prefix" && pool.lengths?.option;
  const rule =
    order === unitOf(pool)
      ? `the ${pool.plural} in ${placeOf(pool)} are ${wanted}${option ? `; with ${option} it can be had` : ""}`
      : `the claim is for a ${wanted}`;
  return `${writeSlot(pool, slot)} is a ${is}, but ${rule}`;
}

/** Who else holds what the explicit value of a name asks for, as things stand in the end. */
export function taken(pool: RealPool, book: Book): (name: string, wish: Slot) => string {
  let holders: { name: string; slot: Slot }[] | undefined;
  return (name, wish) => {
    holders ??= [...book.held]
      .map(([name, slot]) => ({ name, slot }))
      .sort((a, b) => compare(a.slot.start, b.slot.start));
    const value = writeSlot(pool, wish);
    const inTheWay: { name: string; slot: Slot }[] = [];
    for (let index = firstNotBefore(holders, wish); index < holders.length; index += 1) {
      const holder = holders[index];
      if (holder === undefined || holder.slot.start > endOf(wish)) break;
      if (holder.name !== name) inTheWay.push(holder);
    }
    const [first] = inTheWay;
    // Refused, and yet nobody is there: cannot be.
    if (first === undefined) throw new Error(`${value} was refused without a holder`);
    if (first.slot.start === wish.start && first.slot.order === wish.order) return `${value} is held by ${first.name}`;
    const more = inTheWay.length === 1 ? "" : ` (and ${inTheWay.length - 1} more)`;
    return `${value} overlaps ${writeSlot(pool, first.slot)}, held by ${first.name}${more}`;
  };
}

// The first holder whose slot ends at or after the start of the wish: slots do not overlap, so ends are sorted as starts are.
function firstNotBefore(holders: readonly { slot: Slot }[], wish: Slot): number {
  let [low, high] = [0, holders.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const holder = holders[middle];
    if (holder !== undefined && endOf(holder.slot) < wish.start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Why what a name holds does not become larger (or smaller) where it is, and what to do instead. */
export function cannotGrow(
  pool: RealPool,
  book: Book,
  holder: (name: string, wish: Slot) => string,
  name: string,
  order: number,
): string {
  const own = book.held.get(name);
  if (own === undefined) throw new Error(`${name} holds nothing that could grow`);
  const [is, wanted] = [lengthOf(pool, own.order), lengthOf(pool, order)];
  const what = `${writeSlot(pool, own)} does not become a ${wanted} where it is`;
  const back = `leave it a ${is}`;
  if (order < own.order)
    return `${what}: a prefix in use is never made smaller; ${back}, or take a new name with \`claim\``;
  const grown = { start: own.start, order };
  const outside = canGrow(own, order) ? readSlot(pool, writeSlot(pool, grown)) : `no ${wanted} begins there`;
  const why = typeof outside === "string" ? outside : holder(name, grown);
  return `${what}: ${why}; ${back}, or name a free ${wanted} by \`cidr\`, to which all in it then moves`;
}

/** Why no slot of an order is left, with the numbers: how many there are, how many are claimed, what would be needed. */
export function exhausted(pool: RealPool, book: Book, claims: Claims): (order: number) => string {
  const sums = once(() => {
    const wanted = [...claims.values()].map(({ name, length }) => {
      const order = orderOf(pool, length);
      return length === undefined || typeof order === "string" ? (book.held.get(name)?.order ?? unitOf(pool)) : order;
    });
    return { capacity: capacityOf(pool), used: usedOf(pool, book), claimed: blocks(pool, wanted) };
  });
  return (order) => {
    const { capacity, used, claimed } = sums();
    const hint = remedy(pool, capacity, claimed);
    if (capacity === 0n) return `${placeOf(pool)} has no room for ${pluralOf(pool)}: all of it is reserved; ${hint}`;
    if (order === unitOf(pool) && used >= capacity) {
      const all =
        capacity === 1n
          ? `the only ${pool.what} in ${placeOf(pool)} is`
          : `all ${capacity} ${pluralOf(pool)} in ${placeOf(pool)} are`;
      return `${all} in use (${claimed} claimed); ${hint}`;
    }
    const sum = `${used} of ${round(capacity)} ${pluralOf(pool)} are in use, ${claimed} claimed`;
    return `no ${lengthOf(pool, order) || pool.what} is left in ${placeOf(pool)} (${sum}); ${hint}`;
  };
}

function remedy(pool: RealPool, capacity: bigint, claimed: bigint): string {
  const { first, last } = boundsOf(pool);
  const kept = ((last - first + 1n) >> BigInt(unitOf(pool))) - capacity;
  if (pool.format !== "prefix") {
    return `a range of ${claimed + kept} would be needed${kept === 0n ? "" : ` (${kept} reserved)`}`;
  }
  let length = pool.within.length - 1;
  const holds = () => (1n << BigInt(pool.length - length)) - kept;
  while (holds() < claimed) length -= 1;
  if (length < 0) return `${claimed} would be needed`;
  return `a ${pool.container} of /${length} would hold ${holds()}`;
}

/** A value that is held and yet cannot be, because the pool is not what it was. */
export interface Stray {
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

/** What fails the parent: who would lose what. */
export function fallenOut({ what, plural, move }: PoolSpec, strays: readonly Stray[]): string[] {
  const failures = strays.slice(0, 8).map(({ name, why }) => `${name} would lose its ${what}: ${why}`);
  const more = strays.length - failures.length;
  if (more > 0) failures.push(`and ${more} more ${more === 1 ? what : plural} would be lost`);
  if (failures.length > 0 && move !== undefined)
    failures.push(`${move}, in the same run, moves it there with all in it`);
  return failures;
}

// Sums are in blocks of the pool's own size, so that a /56 counts as sixteen of the /60s it takes away.
const unitOf = (pool: RealPool): number => (pool.format === "prefix" ? bitsOf(pool.within.family) - pool.length : 0);

function blocks(pool: RealPool, orders: Iterable<number>): bigint {
  let size = 0n;
  for (const order of orders) size += 1n << BigInt(order);
  const unit = BigInt(unitOf(pool));
  return (size + (1n << unit) - 1n) >> unit;
}

const capacityOf = (pool: RealPool): bigint => new Book(pool).room(unitOf(pool));
const usedOf = (pool: RealPool, book: Book): bigint =>
  blocks(
    pool,
    Array.from(book.held.values(), ({ order }) => order),
  );

const lengthOf = (pool: RealPool, order: number): string =>
  pool.format === "prefix" ? `/${bitsOf(pool.within.family) - order}` : "";
const pluralOf = (pool: RealPool): string =>
  pool.format === "prefix" ? `${pool.plural} (/${pool.length})` : pool.plural;

// Nobody reads 18446744073709551616.
function round(n: bigint): string {
  if (n <= 1_000_000_000n) return `${n}`;
  const bits = n.toString(2).length - 1;
  return n === 1n << BigInt(bits) ? `2^${bits}` : `about 2^${n >> BigInt(bits - 1) === 3n ? bits + 1 : bits}`;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
