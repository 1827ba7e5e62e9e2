// A space in the order of its addresses, line by line. Lines on which nobody is are one strip.

import { formatAddress, formatPrefix, type Prefix, sizeOf } from "../../provider/addressing/prefix";
import { type Space, thousands } from "../plan";
import { drawBlock, radius } from "./block";
import type { Colors } from "./colors";
import { box, MARGIN, WIDTH, words, xml } from "./shapes";

const GUTTER = 164;
const GRID = WIDTH - 2 * MARGIN - GUTTER;

export interface Drawn {
  text: string;
  end: number;
}

/** How a space is cut into cells: their prefix length, how many stand on a line, and how high a line is. */
interface Cut {
  readonly length: number;
  readonly columns: number;
  readonly height: number;
}

/** A prefix of several lines is drawn as one: what matters here is how many others there are. */
function cutOf({ prefix, unit, blocks }: Space): Cut {
  const length = Math.max(prefix.length, unit);
  const count = blocks.reduce((sum, it) => sum + 2 ** Math.min(4, Math.max(0, length - it.prefix.length)), 0);
  const wanted = count <= 12 ? 4 : count <= 64 ? 8 : count <= 256 ? 16 : 32;
  const columns = Math.min(wanted, 2 ** Math.min(5, length - prefix.length));
  return { length, columns, height: { 8: 164, 16: 66, 32: 42 }[columns] ?? 190 };
}

export function drawGrid(space: Space, top: number, colors: Colors): Drawn {
  const { prefix, blocks } = space;
  const cut = cutOf(space);
  const { length, columns, height } = cut;
  const cellSize = sizeOf({ ...prefix, length });
  const line = cellSize * BigInt(columns);
  const lines = sizeOf(prefix) / line;
  const lineOf = (base: bigint) => (base - prefix.base) / line;
  const occupied = new Set<bigint>();
  /** The first of several lines that one prefix fills, and how many they are. */
  const bands = new Map<bigint, bigint>();
  for (const { prefix: it } of blocks) {
    const [from, size] = [lineOf(it.base), sizeOf(it) / line];
    occupied.add(from);
    if (size > 1n) bands.set(from, size);
  }
  // Few lines are all shown, free or not, and so is a single one between two others.
  const near = (at: bigint) => occupied.has(at - 1n) && occupied.has(at + 1n);
  if (lines <= 4n && bands.size === 0) for (let at = 0n; at < lines; at++) occupied.add(at);
  else for (const at of [...occupied]) if (!bands.has(at) && at + 2n < lines && near(at + 1n)) occupied.add(at + 1n);
  const shown = [...occupied].sort((a, b) => (a < b ? -1 : 1));

  const width = GRID / columns;
  const left = MARGIN + GUTTER;
  const parts: string[] = [];
  const place = new Map<bigint, number>();
  let y = top;
  if (columns > 1) {
    for (let column = 0; column < columns; column++) {
      if (width < 30 && column % 4 !== 0) continue;
      parts.push(
        words(
          left + column * width + 4,
          y,
          "axis mono",
          `+${offset(prefix, cellSize * BigInt(column))}`,
          width < 60 ? 9 : 11,
        ),
      );
    }
    y += 8;
  }
  const strip = (from: bigint, to: bigint) => {
    if (from >= to) return;
    const base = prefix.base + from * line;
    const count = (to - from) * BigInt(columns);
    const range = `${formatAddress({ family: prefix.family, value: base })} to ${formatAddress({ family: prefix.family, value: prefix.base + to * line - 1n })}`;
    parts.push(
      `<g><title>${xml(`free: ${range}`)}</title>${box("strip", left + 1, y + 3, GRID - 2, 22, 4)}${words(left + GRID / 2, y + 18, "axis mid", `free · ${thousands(count)} × /${length}`)}${words(MARGIN, y + 18, "axis mono", formatAddress({ family: prefix.family, value: base }))}</g>`,
    );
    y += 28;
  };
  let next = 0n;
  for (const at of shown) {
    strip(next, at);
    place.set(at, y);
    parts.push(
      words(
        MARGIN,
        y + Math.min(height / 2 + 4, 22),
        "axis mono",
        formatAddress({ family: prefix.family, value: prefix.base + at * line }),
      ),
    );
    const many = bands.get(at);
    if (many !== undefined) parts.push(words(MARGIN, y + 40, "axis", `${thousands(many)} lines`));
    y += height;
    next = at + (many ?? 1n);
  }
  strip(next, lines);

  const cell = (it: Prefix): { x: number; y: number; w: number; h: number } => {
    const at = it.base - prefix.base;
    const row = at / line;
    const x = Number((at % line) / cellSize);
    const from = place.get(row) ?? top;
    if (it.length > length) {
      // Smaller than a cell: its part of it, alternately beside and below one another.
      const depth = it.length - length;
      const across = 2 ** Math.ceil(depth / 2);
      const part = Number((at % cellSize) / sizeOf(it));
      const [w, h] = [width / across, height / 2 ** Math.floor(depth / 2)];
      return { x: left + x * width + (part % across) * w, y: from + Math.floor(part / across) * h, w, h };
    }
    return { x: left + x * width, y: from, w: Math.min(2 ** (length - it.length), columns) * width, h: height };
  };

  const taken = new Set<bigint>();
  const shared = new Set<bigint>();
  for (const { prefix: it } of blocks) {
    const first = (it.base - prefix.base) / cellSize;
    if (it.length > length) shared.add(first);
    const cells = it.length >= length ? 1 : Math.min(columns, 2 ** (length - it.length));
    for (let index = 0; index < cells; index++) taken.add(first + BigInt(index));
  }
  for (const at of shown) {
    for (let column = 0; column < columns; column++) {
      const index = at * BigInt(columns) + BigInt(column);
      if (taken.has(index) && !shared.has(index)) continue;
      const free: Prefix = { family: prefix.family, base: prefix.base + index * cellSize, length };
      const { x, y: from, w, h } = cell(free);
      const look = shared.has(index) ? "frame free" : "cell free";
      const title = `${formatPrefix(free)}: ${shared.has(index) ? "split" : "free"}`;
      parts.push(`<g><title>${xml(title)}</title>${box(look, x + 1, from + 1, w - 2, h - 2, radius(h))}</g>`);
    }
  }
  for (const block of blocks) parts.push(drawBlock(block, cell(block.prefix), colors));
  return { text: parts.join("\n"), end: y };
}

/** What is added to a line's first address, in the group that the cells differ in. */
function offset(prefix: Prefix, value: bigint): string {
  if (prefix.family === 4) return value.toString();
  const group = (value >> 64n) & 0xffffn;
  return value !== 0n && group === 0n ? `${(value >> 80n).toString(16)}:0` : group.toString(16);
}
