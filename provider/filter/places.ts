// Sets of addresses as sorted, disjoint ranges: what a rule's other end may be. Pure; texts that were checked only.

import { type AddressRange, formatAddress, formatRange, type Prefix, span } from "../addressing/prefix";
import { prefixOf } from "../fields";

export type Places = readonly AddressRange[];

export const EVERYWHERE: Places = [{ family: 6, first: 0n, last: (1n << 128n) - 1n }];

/** Prefixes of any order and overlap, as ranges. */
export function placesOf(prefixes: readonly string[]): Places {
  const sorted = prefixes.map((it) => span(prefixOf(it))).sort((a, b) => (a.first < b.first ? -1 : 1));
  const merged: AddressRange[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before && range.first <= before.last + 1n) {
      merged[merged.length - 1] = { ...before, last: range.last > before.last ? range.last : before.last };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** What of `places` is inside `other`, and what is not. Both are sorted, so one walk does. */
export function split(places: Places, other: Places): { inside: AddressRange[]; outside: AddressRange[] } {
  const inside: AddressRange[] = [];
  const outside: AddressRange[] = [];
  let index = 0;
  for (const { family, first, last } of places) {
    let from = first;
    while (index > 0 && (other[index - 1]?.last ?? -1n) >= first) index--;
    for (; from <= last; index++) {
      const next = other[index];
      if (!next || next.first > last) break;
      if (next.last < from) continue;
      if (next.first > from) outside.push({ family, first: from, last: next.first - 1n });
      const start = next.first > from ? next.first : from;
      const end = next.last < last ? next.last : last;
      inside.push({ family, first: start, last: end });
      from = end + 1n;
      if (next.last >= last) break;
    }
    if (from <= last) outside.push({ family, first: from, last });
  }
  return { inside, outside };
}

export const within = (inner: Places, outer: Places): boolean => split(inner, outer).outside.length === 0;

/** The prefixes without those that lie inside another, in the order of their addresses: an nftables set refuses overlaps. */
export function outermost(prefixes: readonly string[]): string[] {
  const kept: { prefix: Prefix; text: string }[] = [];
  const sorted = prefixes.map((text) => ({ prefix: prefixOf(text), text }));
  sorted.sort((a, b) =>
    a.prefix.base === b.prefix.base ? a.prefix.length - b.prefix.length : a.prefix.base < b.prefix.base ? -1 : 1,
  );
  for (const it of sorted) {
    const last = kept.at(-1);
    if (!last || span(last.prefix).last < it.prefix.base) kept.push(it);
  }
  return kept.map(({ text }) => text);
}

/** For messages. */
export const formatPlace = (range: AddressRange): string =>
  range.first === range.last ? formatAddress({ family: range.family, value: range.first }) : formatRange(range);
