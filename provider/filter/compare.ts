// What a list of rules no longer lets in that it let in before: worked out for every protocol, every port and every address, so that a rule
// that is written otherwise and lets in the same, or more, is no loss. Pure.

import type { Family } from "../addressing/prefix";
import { type Decision, walk } from "./evaluate";
import { EVERYWHERE, joined, ofFamilies, type Places, split } from "./places";
import { ECHO_REQUEST, familiesOfProtocol, hasPorts, isIcmp, type Protocol } from "./protocol";
import { matchOf, neverAsked, type Rule } from "./rule";

/** A packet that passed and does not any more: who let it in, and who denies it. Absent: what no rule matches. */
export interface Loss {
  readonly allowedBy?: Rule;
  readonly deniedBy?: Rule;
}

/** Nothing is lost; or so many rules are others that it would take too long to say. */
export type Comparison = Loss | "none" | "too long";

/** `other`: what only rules for every protocol match. */
type Some = Protocol | "other";

/** Of what has ports these, of ICMP the type and the code as one number. */
type Numbers = readonly [first: number, last: number];
const ALL: Numbers = [0, 65535];

/** How many times a rule may be looked at: some seconds. */
const MOST = 20_000_000;

export const keyOf = (rule: Rule): string => `${rule.action} ${matchOf(rule)}`;

export function lossOf(before: readonly Rule[], after: readonly Rule[], families: readonly Family[]): Comparison {
  let looks = 0;
  for (const direction of ["ingress", "egress"] as const) {
    const parts = partsOf(before, after, direction);
    const changed = [...parts.old, ...parts.now];
    if (changed.length === 0) continue;
    for (const protocol of protocolsOf([...before, ...after])) {
      const asked = ofProtocol(protocol, families);
      if (asked.length === 0) continue;
      const about = (rules: readonly Rule[]) =>
        rules.flatMap((rule) => numbersOf(rule, protocol).map((numbers) => ({ rule, numbers })));
      const [same, old, now, rest] = [parts.same, parts.old, parts.now, parts.rest].map(about);
      const all = [...(same ?? []), ...(old ?? []), ...(now ?? []), ...(rest ?? [])];
      for (const numbers of segments(all, protocol)) {
        looks += all.length;
        if (looks > MOST) return "too long";
        const at = (rules: typeof same) =>
          (rules ?? []).filter((it) => it.numbers[0] <= numbers && numbers <= it.numbers[1]).map(({ rule }) => rule);
        const [first, here, there, last] = [at(same), at(old), at(now), at(rest)];
        // Elsewhere both lists decide alike.
        let open: Places = split(joined([...here, ...there].flatMap(({ places }) => places)), asked).inside;
        for (const rule of first) open = split(open, rule.places).outside;
        looks += open.length * (here.length + there.length + last.length);
        if (looks > MOST) return "too long";
        const otherwise = isEcho(protocol, numbers) ? "allow" : "deny";
        const loss = lost([...here, ...last], [...there, ...last], open, otherwise);
        if (loss) return loss;
      }
    }
  }
  return "none";
}

function lost(
  before: readonly Rule[],
  after: readonly Rule[],
  others: Places,
  otherwise: Decision["action"],
): Loss | undefined {
  for (const { range, action, rule: allowedBy } of walk(before, others, otherwise)) {
    if (action === "deny") continue;
    const denied = walk(after, [range], otherwise).find((it) => it.action === "deny");
    if (!denied) continue;
    return { ...(allowedBy && { allowedBy }), ...(denied.rule && { deniedBy: denied.rule }) };
  }
  return undefined;
}

/** The rules of a direction: those that both lists begin with, those in which they differ, and those that both end with. */
function partsOf(before: readonly Rule[], after: readonly Rule[], direction: Rule["direction"]) {
  const [old, now] = [before, after].map((rules) =>
    rules.filter((it) => it.direction === direction).map((rule) => ({ rule, key: keyOf(rule) })),
  ) as [Keyed[], Keyed[]];
  let from = 0;
  while (from < old.length && from < now.length && old[from]?.key === now[from]?.key) from++;
  let left = 0;
  const most = Math.min(old.length, now.length) - from;
  while (left < most && old.at(-1 - left)?.key === now.at(-1 - left)?.key) left++;
  const rules = (all: Keyed[], first: number, end: number) => all.slice(first, end).map(({ rule }) => rule);
  return {
    same: rules(old, 0, from),
    old: rules(old, from, old.length - left),
    now: rules(now, from, now.length - left),
    rest: rules(old, old.length - left, old.length),
  };
}
type Keyed = { rule: Rule; key: string };

/** Those that a rule names, those that pass without one, and all others. */
function protocolsOf(rules: readonly Rule[]): Iterable<Some> {
  const named = rules.flatMap(({ protocol }) => (protocol === "all" ? [] : [protocol]));
  return new Set<Some>([...named, "icmpv6", "icmp", "other"]);
}

/** Every address at the other end of such a packet. */
const ofProtocol = (protocol: Some, families: readonly Family[]): Places =>
  ofFamilies(
    EVERYWHERE,
    families.filter((it) => protocol === "other" || familiesOfProtocol(protocol).includes(it)),
  );

function numbersOf({ protocol, ports, icmpType, icmpCode }: Rule, of: Some): Numbers[] {
  if (protocol === "all") return [ALL];
  if (protocol !== of) return [];
  if (ports !== undefined) {
    return ports.split(", ").map((range): Numbers => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return [first, last];
    });
  }
  if (icmpType === undefined) return [ALL];
  return [[256 * icmpType + (icmpCode ?? 0), 256 * icmpType + (icmpCode ?? 255)]];
}

/** A number of each stretch that all rules treat alike, as far as a list is asked about it. */
function segments(all: readonly { numbers: Numbers }[], protocol: Some): number[] {
  if (protocol === "other" || !(hasPorts(protocol) || isIcmp(protocol))) return [0];
  const starts = new Set<number>();
  for (const { numbers } of all) for (const it of [numbers[0], numbers[1] + 1]) if (it <= ALL[1]) starts.add(it);
  // There is no port 0.
  if (!isIcmp(protocol)) return [...starts].map((it) => Math.max(it, 1));
  for (let type = 0; type < 256; type++) starts.add(256 * type);
  return [...starts].filter((it) => neverAsked(protocol, it >> 8) === undefined);
}

const isEcho = (protocol: Some, number: number): boolean =>
  protocol !== "other" && isIcmp(protocol) && number >> 8 === ECHO_REQUEST[protocol];
