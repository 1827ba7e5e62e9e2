// What a parent has to give, and how one kind of it reads and writes: prefixes, addresses or numbers of one pool.
// Pure descriptions; `allocate` hands them out.
import {
  type AddressRange,
  bitsOf,
  formatAddress,
  formatPrefix,
  formatRange,
  type Prefix,
  parseAddress,
  parsePrefix,
  quote,
  sizeOf,
  span,
} from "./prefix";

interface Named {
  /** First word of its lines in the ledger, at most 8 letters: `vpc`. */
  readonly kind: string;
  /** As messages say it: `VPC prefix`, `VPC prefixes`. */
  readonly what: string;
  readonly plural: string;
  /** How who falls out of it is moved on: `a new \`cidr\` on each Vpc`. */
  readonly move?: string;
}
/** A part of the pool that is never given out, and for what it is kept: `the VPC's own router`. */
export interface Reserved {
  readonly first: bigint;
  readonly last: bigint;
  readonly reason: string;
}
export interface PrefixPool extends Named {
  readonly format: "prefix";
  readonly within: Prefix;
  /** The length of a claim that asks for no other. */
  readonly length: number;
  /** The lengths a claim may ask for, and the argument it does it by: `vpcPrefixLength`. Default: any that fits. */
  readonly lengths?: { readonly first: number; readonly last: number; readonly option: string };
  /** What `within` is to the user, for "a super CIDR of /49 would hold 2048". */
  readonly container: string;
  readonly reserved?: readonly Reserved[];
}
export interface AddressPool extends Named {
  readonly format: "address";
  readonly within: Prefix | AddressRange;
  readonly reserved?: readonly Reserved[];
}
export interface NumberPool extends Named {
  readonly format: "number";
  readonly first: bigint;
  readonly last: bigint;
  readonly reserved?: readonly Reserved[];
}
/** Nothing to give: every claim is refused with this reason, such as `the zone "ams1" has no superCidr`. */
export interface NoPool extends Named {
  readonly format: "none";
  readonly why: string;
}
export type RealPool = PrefixPool | AddressPool | NumberPool;
export type PoolSpec = RealPool | NoPool;

/** An aligned block of 2^order integers: a prefix, or (order 0) an address or a number. */
export interface Slot {
  readonly start: bigint;
  readonly order: number;
}
export const endOf = (slot: Slot): bigint => slot.start + (1n << BigInt(slot.order)) - 1n;
export const meet = (a: Slot, b: Slot): boolean => a.start <= endOf(b) && b.start <= endOf(a);

export function boundsOf(pool: RealPool): { first: bigint; last: bigint } {
  return pool.format === "number" ? pool : span(pool.within);
}

/** The pool as a message shows it. */
export function placeOf(pool: RealPool): string {
  if (pool.format === "number") return pool.first === pool.last ? `${pool.first}` : `${pool.first}-${pool.last}`;
  return "first" in pool.within ? formatRange(pool.within) : formatPrefix(pool.within);
}

/** The order of what a claim gets; a string: that length cannot be had here. */
export function orderOf(pool: RealPool, length?: number): number | string {
  if (pool.format !== "prefix") return 0;
  const { within } = pool;
  const wanted = length ?? pool.length;
  const bits = bitsOf(within.family);
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > bits) {
    return `/${wanted} is not a prefix length: IPv${within.family} lengths are 0 to ${bits}`;
  }
  const { first = 0, last = bits } = length === undefined ? {} : (pool.lengths ?? {});
  if (wanted < first || wanted > last)
    return `/${wanted} is not the length of a ${pool.what}: those are ${first} to ${last}`;
  if (wanted < within.length) return `a /${wanted} does not fit in ${formatPrefix(within)}`;
  return bits - wanted;
}

export function writeSlot(pool: RealPool, { start, order }: Slot): string {
  if (pool.format === "number") return `${start}`;
  const { family } = pool.within;
  if (pool.format === "address") return formatAddress({ family, value: start });
  return formatPrefix({ family, base: start, length: bitsOf(family) - order });
}

/** A value of this pool from its text, inside the pool and clear of what is reserved; else why not. */
export function readSlot(pool: RealPool, text: string): Slot | string {
  const read = readValue(pool, text);
  if (typeof read === "string") return read;
  const { slot, family } = read;
  const { first, last } = boundsOf(pool);
  const value = () => (family === familyOf(pool) ? writeSlot(pool, slot) : text);
  if (family !== familyOf(pool) || slot.start < first || endOf(slot) > last) {
    return `${value()} is not inside ${placeOf(pool)}`;
  }
  for (const { first, last, reason } of pool.reserved ?? []) {
    if (slot.start > last || endOf(slot) < first) continue;
    const whole = first <= slot.start && endOf(slot) <= last;
    return whole ? `${value()} is reserved for ${reason}` : `${value()} overlaps what is reserved for ${reason}`;
  }
  return slot;
}

const familyOf = (pool: RealPool) => (pool.format === "number" ? undefined : pool.within.family);

function readValue(pool: RealPool, text: string): { slot: Slot; family?: 4 | 6 } | string {
  if (pool.format === "number") {
    if (!/^\d{1,20}$/.test(text)) return `${quote(text)} is not a number`;
    return { slot: { start: BigInt(text), order: 0 } };
  }
  if (pool.format === "address") {
    const address = parseAddress(text);
    if (typeof address === "string") return address;
    return { slot: { start: address.value, order: 0 }, family: address.family };
  }
  const prefix = parsePrefix(text);
  if (typeof prefix === "string") return prefix;
  return { slot: { start: prefix.base, order: bitsOf(prefix.family) - prefix.length }, family: prefix.family };
}

/** Why a prefix cannot be split into prefixes of a length, `kept` of which are not for claims; undefined: it can. */
export function checkSplit(container: Prefix, length: number, kept = 0): string | undefined {
  const bits = bitsOf(container.family);
  const text = formatPrefix(container);
  if (!Number.isInteger(length) || length < 0 || length > bits) {
    return `/${length} is not a prefix length: IPv${container.family} lengths are 0 to ${bits}`;
  }
  if (length < container.length) {
    return `${text} cannot be split into /${length} prefixes: a /${container.length} is smaller than one /${length}; it must be a /${length} or larger`;
  }
  const count = sizeOf(container) >> BigInt(bits - length);
  if (count > BigInt(kept)) return undefined;
  const enough = length - BigInt(kept).toString(2).length;
  return `${text} cannot be split into /${length} prefixes: it holds ${count}, of which ${kept} ${kept === 1 ? "is" : "are"} kept; it must be a /${enough} or larger`;
}

/** Smaller it would lose networks of which nothing is known here; from another beginning its first network would be another. */
export const canGrow = (own: Slot, order: number): boolean =>
  order > own.order && BigInt.asUintN(order, own.start) === 0n;
