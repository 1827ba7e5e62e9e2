// The ledger's text: one header line, then a line per claim. A line depends on nothing but its own claim, so that in a diff
// one claim is one line; values are absolute, so that a grown pool rewrites none. Old texts of every release stay readable.
//
//   2 of 1024 VPC prefixes (/60) in 2001:67c:2834::/50, 1 of 240 router addresses in use; 1 refused
//   vpc       2001:67c:2834::/60        shop
//   vpc       2001:67c:2834:20::/60     old  free since 1
//   router    2001:db8:ffff::10         vr1
//   refused   vpc  big  2001:db8::/60 is not inside 2001:67c:2834::/50
//
// "free since 1": given back, in the first run that gave anything back, and kept for the name as long as there is room.
// A name may have both a line of its own and a refused one: what it holds, and what it asked for in vain.
import { NAME } from "../contract";
import { quote } from "./prefix";

export interface Held {
  readonly kind: string;
  readonly name: string;
  readonly value: string;
  /** Remembered, not held: the count of the run that freed it. */
  readonly since?: number;
}
export interface Refused {
  readonly kind: string;
  readonly name: string;
  readonly refused: string;
}
export type Entry = Held | Refused;

const claimName = new RegExp(`^${NAME}$`);
/** Whether a text can be the name of a claim: 1 to 63 letters, digits, `.`, `_`, `-`, the first a letter or digit. */
export const isClaimName = (text: string): boolean => claimName.test(text);

// Wide enough for every kind of ours and any /64; what is longer pushes its own line's name only.
const kindWidth = 8;
const valueWidth = 24;

export function format(header: string, entries: Iterable<Entry>): string {
  const lines = [header];
  for (const entry of entries) {
    const { kind, name } = entry;
    if ("refused" in entry) {
      lines.push(`${"refused".padEnd(kindWidth)}  ${kind}  ${name}  ${entry.refused.replace(/\s+/g, " ")}`);
    } else {
      const since = entry.since === undefined ? "" : `  free since ${entry.since}`;
      lines.push(`${kind.padEnd(kindWidth)}  ${entry.value.padEnd(valueWidth)}  ${name}${since}`);
    }
  }
  return lines.join("\n");
}

/** The entries in the order of their lines; a string tells which line is not the ledger's. */
export function parse(text: string): Entry[] | string {
  const entries: Entry[] = [];
  const [, ...lines] = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const entry = parseLine(line);
    if (entry === undefined) return `line ${index + 2} of the ledger cannot be read: ${quote(line)}`;
    entries.push(entry);
  }
  return entries;
}

function parseLine(line: string): Entry | undefined {
  const refusal = /^refused +(\S+) +(\S+) +(\S.*)$/.exec(line);
  if (refusal !== null) {
    const [, kind = "", name = "", refused = ""] = refusal;
    return { kind, name, refused };
  }
  const [, kind, value, name, since] = /^(\S+) +(\S+) +(\S+)(?: +free since (\d+))?$/.exec(line) ?? [];
  if (kind === undefined || value === undefined || name === undefined) return undefined;
  return since === undefined ? { kind, name, value } : { kind, name, value, since: Number(since) };
}

/** What a ledger says about one name: what it holds, or why not (and what it then still holds). */
export type Answer = { readonly value: string } | { readonly refused: string; readonly value?: string };

/** Undefined: the ledger knows no such claim, or there is no ledger. A text that is no ledger refuses everybody. */
export function lookup(ledger: string | undefined, kind: string, name: string): Answer | undefined {
  if (ledger === undefined) return undefined;
  const index = indexOf(ledger);
  return typeof index === "string" ? { refused: index } : index.get(`${kind} ${name}`);
}

// All children of a parent look into one text, each for itself: the last few texts stay indexed.
type Index = Map<string, Answer> | string;
const recent: { text: string; index: Index }[] = [];

function indexOf(text: string): Index {
  const known = recent.find((one) => one.text === text);
  if (known !== undefined) return known.index;
  const index = makeIndex(text);
  recent.unshift({ text, index });
  recent.length = Math.min(recent.length, 4);
  return index;
}

function makeIndex(text: string): Index {
  const entries = parse(text);
  if (typeof entries === "string") return entries;
  const index = new Map<string, Answer>();
  for (const entry of entries) {
    const key = `${entry.kind} ${entry.name}`;
    if ("refused" in entry) index.set(key, { ...index.get(key), refused: entry.refused });
    else if (entry.since === undefined) index.set(key, { ...index.get(key), value: entry.value });
  }
  return index;
}
