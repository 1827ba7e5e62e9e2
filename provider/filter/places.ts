// Sets of addresses as sorted, disjoint ranges, IPv6 before IPv4: what a rule's other end may be. Pure; texts that were checked only.

import {
  type AddressRange,
  bitsOf,
  type Family,
  formatAddress,
  formatRange,
  type Prefix,
  span,
} from "../addressing/prefix";
import { prefixOf } from "../fields";

export type Places = readonly AddressRange[];

/** In the order in which everything is sorted. */
export const FAMILIES: readonly Family[] = [6, 4];

export const EVERYWHERE: Places = FAMILIES.map((family) => ({
  family,
  first: 0n,
  last: (1n << BigInt(bitsOf(family))) - 1n,
}));

export const ofFamilies = (places: Places, families: readonly Family[]): Places =>
  places.filter(({ family }) => families.includes(family));

/** Which families there are. */
export const familiesOf = (places: Places): Family[] =>
  FAMILIES.filter((it) => places.some(({ family }) => family === it));

/** Prefixes of any order and overlap, as ranges. */
export function placesOf(prefixes: readonly string[]): Places {
  return joined(prefixes.map((it) => span(prefixOf(it))));
}

/** Ranges of any order and overlap. */
export const joined = (ranges: readonly AddressRange[]): Places =>
  FAMILIES.flatMap((family) => merge(ranges.filter((it) => it.family === family)));

function merge(ranges: AddressRange[]): AddressRange[] {
  const sorted = ranges.sort((a, b) => (a.first < b.first ? -1 : 1));
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

/** What of `places` is inside `other`, and what is not. */
export function split(places: Places, other: Places): { inside: AddressRange[]; outside: AddressRange[] } {
  const parts = FAMILIES.map((family) => splitOne(ofFamilies(places, [family]), ofFamilies(other, [family])));
  return { inside: parts.flatMap(({ inside }) => inside), outside: parts.flatMap(({ outside }) => outside) };
}

// Of one family, both are sorted, so one walk does.
function splitOne(places: Places, other: Places): { inside: AddressRange[]; outside: AddressRange[] } {
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

/** The prefixes without those that lie inside another, in the order of their addresses (IPv6 first): an nftables set refuses overlaps. */
export function outermost(prefixes: readonly string[]): string[] {
  const kept: { prefix: Prefix; text: string }[] = [];
  const sorted = prefixes.map((text) => ({ prefix: prefixOf(text), text }));
  sorted.sort(({ prefix: a }, { prefix: b }) => {
    if (a.family !== b.family) return b.family - a.family;
    return a.base === b.base ? a.length - b.length : a.base < b.base ? -1 : 1;
  });
  for (const it of sorted) {
    const last = kept.at(-1)?.prefix;
    if (!last || last.family !== it.prefix.family || span(last).last < it.prefix.base) kept.push(it);
  }
  return kept.map(({ text }) => text);
}

/** The same in the order in which they were given. */
export function withoutNested(prefixes: readonly string[]): string[] {
  const kept = new Set(outermost(prefixes));
  return [...new Set(prefixes)].filter((it) => kept.has(it));
}

/** For messages. */
export const formatPlace = (range: AddressRange): string =>
  range.first === range.last ? formatAddress({ family: range.family, value: range.first }) : formatRange(range);
