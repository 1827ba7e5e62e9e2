// One pool's book while the claims are settled: who holds which slot, which freed slots are remembered, what is free.
// Every change keeps three in step: a slot is held, remembered or free; so nothing is ever given out twice.
import { boundsOf, meet, type RealPool, type Slot } from "./allotment";
import { Pool } from "./pool";

/** A freed slot, remembered for the name that had it; `since` orders the runs that freed. */
export interface Freed extends Slot {
  readonly name: string;
  readonly since: number;
}

export class Book {
  readonly held = new Map<string, Slot>();
  readonly freed = new Set<Freed>();
  readonly #pool: Pool;
  // Keyed by text: V8 hashes only the lowest 64 bits of a bigint, which are zero in every prefix.
  readonly #freedAt = new Map<string, Freed>();
  // Oldest first; made when first needed. Entries that are no longer in `freed` are passed over.
  #queue: Freed[] | undefined;
  #head = 0;
  // No block of this order or larger is to be had, not even by forgetting everything freed.
  #hopeless = Number.POSITIVE_INFINITY;

  constructor(spec: RealPool) {
    const { first, last } = boundsOf(spec);
    this.#pool = new Pool(first, last);
    for (const part of spec.reserved ?? []) this.#pool.fill(part.first, part.last);
  }

  /** How many blocks of this order are free now. */
  room(order: number): bigint {
    return this.#pool.count(order);
  }

  /** Writes down what the old ledger says is held; false: it is not free, or not in the pool. */
  enter(name: string, slot: Slot): boolean {
    if (!this.#pool.take(slot.start, slot.order)) return false;
    this.held.set(name, slot);
    return true;
  }

  /** Remembers a freed slot, unless it is held by now or no longer in the pool. */
  remember(freed: Freed): void {
    if (!this.#pool.take(freed.start, freed.order)) return;
    this.freed.add(freed);
    this.#freedAt.set(freed.start.toString(36), freed);
    this.#queue = undefined;
    this.#hopeless = Number.POSITIVE_INFINITY;
  }

  /** Gives a remembered slot to a name. */
  restore(name: string, freed: Freed): void {
    this.#forget(freed);
    this.held.set(name, { start: freed.start, order: freed.order });
  }

  /** Gives a name this very slot, forgetting what is remembered there; false, and nothing has changed, if any of it is held. */
  move(name: string, slot: Slot, now: number): boolean {
    const own = this.#letGo(name);
    if (!this.#pool.take(slot.start, slot.order) && !this.#displace(slot)) {
      if (own !== undefined) this.#pool.take(own.start, own.order);
      return false;
    }
    this.#settle(name, slot, own, now);
    return true;
  }

  /** Gives each of some what the next of them has, and the last what the first had. */
  rotate(names: readonly string[]): void {
    const slots = names.map((name) => this.held.get(name));
    for (const [at, name] of names.entries()) {
      const slot = slots[(at + 1) % slots.length];
      if (slot !== undefined) this.held.set(name, slot);
    }
  }

  /** Gives a name a block of this order: the lowest never used, else of the longest freed. */
  serve(name: string, order: number, now: number): boolean {
    const own = this.#letGo(name);
    const start = this.#pool.allocate(order) ?? this.#reclaim(order);
    if (start === undefined) {
      if (own !== undefined) this.#pool.take(own.start, own.order);
      return false;
    }
    this.#settle(name, { start, order }, own, now);
    return true;
  }

  #letGo(name: string): Slot | undefined {
    const own = this.held.get(name);
    if (own === undefined) return undefined;
    this.#pool.release(own.start, own.order);
    this.#hopeless = Number.POSITIVE_INFINITY;
    return own;
  }

  #forget(freed: Freed): void {
    this.freed.delete(freed);
    this.#freedAt.delete(freed.start.toString(36));
  }

  #settle(name: string, slot: Slot, own: Slot | undefined, now: number): void {
    this.held.set(name, slot);
    if (own !== undefined) this.remember({ ...own, name, since: now });
  }

  // Takes a slot whose way only remembered ones bar.
  #displace(slot: Slot): boolean {
    const exact = this.#freedAt.get(slot.start.toString(36));
    const barring =
      exact !== undefined && exact.order >= slot.order ? [exact] : [...this.freed].filter((freed) => meet(freed, slot));
    if (barring.length === 0) return false;
    for (const freed of barring) this.#pool.release(freed.start, freed.order);
    const taken = this.#pool.take(slot.start, slot.order);
    for (const freed of barring) {
      if (taken) this.#forget(freed);
      else this.#pool.take(freed.start, freed.order);
    }
    return taken;
  }

  // Forgets freed slots, oldest first, until a block of this order is free; those that turn out not to be in it stay remembered.
  #reclaim(order: number): bigint | undefined {
    if (order >= this.#hopeless) return undefined;
    const opened: Freed[] = [];
    let start: bigint | undefined;
    for (const freed of this.#oldest()) {
      this.#pool.release(freed.start, freed.order);
      opened.push(freed);
      start = this.#pool.allocate(order);
      if (start !== undefined) break;
    }
    for (const freed of opened) {
      if (start !== undefined && meet(freed, { start, order })) this.#forget(freed);
      else this.#pool.take(freed.start, freed.order);
    }
    if (start === undefined) this.#hopeless = order;
    return start;
  }

  *#oldest(): Iterable<Freed> {
    if (this.#queue === undefined) {
      this.#queue = [...this.freed].sort(
        (a, b) => a.since - b.since || compare(a.name, b.name) || compare(a.start, b.start),
      );
      this.#head = 0;
    }
    const queue = this.#queue;
    for (let index = this.#head; index < queue.length; index += 1) {
      const freed = queue[index];
      if (freed !== undefined && this.freed.has(freed)) yield freed;
      else if (index === this.#head) this.#head += 1;
    }
  }
}

/** By code unit, not by locale: the same on every machine. */
export function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
