// A pool: the integers from `first` to `last`, given out in aligned blocks of 2^order of them, lowest free first.
// A binary tree in which every wholly free and every wholly used part is one shared leaf, so memory follows the number of
// gaps and every step costs the depth (at most 128), however large the interval; it need be neither aligned nor a power of two.

interface Tree {
  /** The order of the largest free block in here; -1: none. */
  room: number;
  low: Tree;
  high: Tree;
}

const used = leaf(-1);
const free: Tree[] = [];

export class Pool {
  readonly #base: bigint;
  readonly #order: number;
  #root: Tree;

  constructor(first: bigint, last: bigint) {
    if (first < 0n || last < first) throw new RangeError(`no pool can run from ${first} to ${last}`);
    // The smallest aligned block around the interval; what is outside the interval is used from the start.
    this.#order = (first ^ last).toString(2).length;
    this.#base = (first >> BigInt(this.#order)) << BigInt(this.#order);
    this.#root = freeTree(this.#order);
    this.fill(this.#base, first - 1n);
    this.fill(last + 1n, this.#base + (1n << BigInt(this.#order)) - 1n);
  }

  /** Takes the lowest free block; undefined when there is none. */
  allocate(order: number): bigint | undefined {
    if (order < 0 || this.#root.room < order) return undefined;
    let start = this.#base;
    const descend = (tree: Tree, at: number): Tree => {
      if (at === order) return used;
      const branch = open(tree, at);
      if (branch.low.room >= order) {
        branch.low = descend(branch.low, at - 1);
      } else {
        start += 1n << BigInt(at - 1);
        branch.high = descend(branch.high, at - 1);
      }
      return settle(branch, at);
    };
    this.#root = descend(this.#root, this.#order);
    return start;
  }

  /** Takes this very block; false, and nothing has changed, unless all of it was free. */
  take(start: bigint, order: number): boolean {
    const path = this.#path(start, order);
    if (path === undefined || !isFree(this.#root, this.#order, order, path)) return false;
    this.#root = put(this.#root, this.#order, order, path, used);
    return true;
  }

  /** Gives a block back that was taken. */
  release(start: bigint, order: number): void {
    const path = this.#path(start, order);
    if (path === undefined) throw new RangeError(`${start} is not the start of a block of order ${order} in this pool`);
    this.#root = put(this.#root, this.#order, order, path, freeTree(order));
  }

  /** Takes what is free from `first` to `last`, for ever: reserved places. */
  fill(first: bigint, last: bigint): void {
    this.#root = paint(this.#root, this.#order, this.#base, first, last);
  }

  /** How many blocks of this order could still be taken. */
  count(order: number): bigint {
    const walk = (tree: Tree, at: number): bigint => {
      if (tree.room < order) return 0n;
      return tree === free[at] ? 1n << BigInt(at - order) : walk(tree.low, at - 1) + walk(tree.high, at - 1);
    };
    return walk(this.#root, this.#order);
  }

  // The way from the root to a block: "1" for every turn to the high half. Undefined: no such block in here.
  #path(start: bigint, order: number): string | undefined {
    const offset = start - this.#base;
    if (offset < 0n || order < 0 || order > this.#order || offset >> BigInt(this.#order) !== 0n) return undefined;
    if (BigInt.asUintN(order, offset) !== 0n) return undefined;
    return offset.toString(2).padStart(this.#order, "0");
  }
}

function leaf(room: number): Tree {
  const tree = { room } as Tree;
  tree.low = tree.high = tree;
  return tree;
}

function freeTree(order: number): Tree {
  const tree = free[order] ?? leaf(order);
  free[order] = tree;
  return tree;
}

const isLeaf = (tree: Tree): boolean => tree.low === tree;

// A tree whose halves may be replaced: leaves are shared, so a leaf is copied first.
function open(tree: Tree, at: number): Tree {
  if (!isLeaf(tree)) return tree;
  const half = tree === used ? used : freeTree(at - 1);
  return { room: half.room, low: half, high: half };
}

// After a half changed: two equal leaves are one again.
function settle(branch: Tree, at: number): Tree {
  const { low, high } = branch;
  if (low === high && isLeaf(low)) return low === used ? used : freeTree(at);
  branch.room = Math.max(low.room, high.room);
  return branch;
}

function isFree(tree: Tree, at: number, order: number, path: string): boolean {
  const total = at;
  let [here, level] = [tree, at];
  while (level > order && !isLeaf(here)) {
    here = path[total - level] === "1" ? here.high : here.low;
    level -= 1;
  }
  return here === free[level];
}

function put(tree: Tree, at: number, order: number, path: string, value: Tree): Tree {
  if (at === order) return value;
  const branch = open(tree, at);
  if (path[path.length - at] === "1") branch.high = put(branch.high, at - 1, order, path, value);
  else branch.low = put(branch.low, at - 1, order, path, value);
  return settle(branch, at);
}

function paint(tree: Tree, at: number, start: bigint, first: bigint, last: bigint): Tree {
  const end = start + (1n << BigInt(at)) - 1n;
  if (tree === used || last < start || end < first) return tree;
  if (first <= start && end <= last) return used;
  const branch = open(tree, at);
  branch.low = paint(branch.low, at - 1, start, first, last);
  branch.high = paint(branch.high, at - 1, start + (1n << BigInt(at - 1)), first, last);
  return settle(branch, at);
}
