// Who gets, gives back or swaps what: the ledgers of Zones, Vpcs and Tiers before and after, read with the allocator's own parser.

import { type Entry, type Held, parse } from "../provider/addressing/ledger";
import type { ClaimWords, Kind } from "../provider/kind";
import { kinds } from "../provider/kinds";
import { UNKNOWN } from "../provider/unknown";
import { code, type Markdown, md } from "./markdown";
import { type Resource, type Stack, textOf } from "./stack";

export interface ClaimChange {
  readonly what: "claimed" | "freed" | "moved" | "renamed" | "refused";
  readonly kind: string;
  /** What it is called before the name of who has it. */
  readonly word: Markdown;
  readonly name: string;
  /** The prefix, address or number now; of what was freed, the one it was; of what was refused, the reason. */
  readonly value: string;
  /** Of `moved` the value before, of `renamed` the name before; of `claimed` whose it was last, if anybody's. */
  readonly was?: string;
  /** The parent that gives it: a Zone, Vpc or Tier. */
  readonly parent: Resource;
  /** Freed together with its parent: nobody remembers it for its name. */
  readonly forgotten?: boolean;
}

/** The lines of a ledger; none where there is none yet, or it is not known yet. */
export function entriesOf(ledger: string | undefined): Entry[] {
  if (ledger === undefined || ledger.includes(UNKNOWN)) return [];
  const entries = parse(ledger);
  return typeof entries === "string" ? [] : entries;
}

export const held = (entries: readonly Entry[]): Held[] =>
  entries.filter((it): it is Held => !("refused" in it) && it.since === undefined);
export const remembered = (entries: readonly Entry[]): Held[] =>
  entries.filter((it): it is Held => !("refused" in it) && it.since !== undefined);

export function claimChanges(stack: Stack): ClaimChange[] {
  const words = new Map(stack.resources.filter(({ kind }) => kind === "SecondaryAddress").flatMap(wordsOf));
  return stack.resources
    .filter(({ ours }) => ours)
    .flatMap(ofParent)
    .map((it) => ({ ...it, word: words.get(`${it.kind} ${it.name} ${it.value}`) ?? claimWord(it.kind) }));
}

/** In the ledger it has the kind of a guest's own address. */
const wordsOf = ({ before, after }: Resource): [string, Markdown][] =>
  [before, after].flatMap((it) => [
    [`instance ${it?.claim} ${it?.address}`, md`secondary address`],
    [`ipv4 ${it?.claim} ${it?.ipv4Address}`, md`secondary IPv4 address`],
  ]);

function ofParent(parent: Resource): Omit<ClaimChange, "word">[] {
  const [before, after] = [textOf(parent.before, "ledger"), textOf(parent.after, "ledger")];
  if (before === after || (after?.includes(UNKNOWN) ?? false)) return [];
  const [old, now] = [entriesOf(before), entriesOf(after)];
  const had = new Map(held(old).map((it) => [`${it.kind} ${it.name}`, it]));
  const has = new Map(held(now).map((it) => [`${it.kind} ${it.name}`, it]));
  const lost = new Map([...had].filter(([key]) => !has.has(key)).map(([, it]) => [`${it.kind} ${it.value}`, it]));
  const owners = new Map(remembered(old).map((it) => [`${it.kind} ${it.value}`, it.name]));
  const known = new Set(old.flatMap((it) => ("refused" in it ? [`${it.kind} ${it.name} ${it.refused}`] : [])));

  const changes: Omit<ClaimChange, "word">[] = [];
  for (const [key, { kind, name, value }] of has) {
    const mine = had.get(key);
    if (mine?.value === value) continue;
    const former = lost.get(`${kind} ${value}`);
    const owner = owners.get(`${kind} ${value}`);
    if (mine) changes.push({ what: "moved", kind, name, value, was: mine.value, parent });
    else if (former) changes.push({ what: "renamed", kind, name, value, was: former.name, parent });
    else changes.push({ what: "claimed", kind, name, value, ...(owner !== undefined && { was: owner }), parent });
    if (!mine && former) lost.delete(`${kind} ${value}`);
  }
  for (const { kind, name, value } of lost.values()) {
    changes.push({ what: "freed", kind, name, value, parent, ...(parent.op === "delete" && { forgotten: true }) });
  }
  for (const it of now) {
    if (!("refused" in it) || known.has(`${it.kind} ${it.name} ${it.refused}`)) continue;
    changes.push({ what: "refused", kind: it.kind, name: it.name, value: it.refused, parent });
  }
  return changes;
}

const WORDS = new Map(Object.values<Kind>(kinds).flatMap(({ shown }) => Object.entries(shown.claims)));

/** `VPC`, `tier`, …; a kind of claim that is not known here is called as the ledger calls it. */
export const claimWord = (kind: string): Markdown => {
  const known = WORDS.get(kind);
  return known === undefined ? code(kind) : (known.word as Markdown);
};

/** Where a claim of that kind is told beside the table of addresses; of one that is not known everywhere. */
export const toldOf = (kind: string): ClaimWords["told"] => WORDS.get(kind)?.told ?? "space";
