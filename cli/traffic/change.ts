// What the parts of a router's configuration have in common here: lines that go and come, whose they are, and what is told of them.

import { linesIn } from "../diff";
import { code } from "../markdown";
import { type Fragments, fragmentsOf, type Resource, routerNameOf, type Stack, textOf } from "../stack";

/**
 * `ends`: traffic that flowed no longer does. `pauses`: for less than a second or two. `closes`: new connections are refused, those
 * that are open go on. `unknown`: may be any of these. `note`: worth knowing, and nothing is interrupted.
 */
export type Level = "ends" | "pauses" | "closes" | "unknown" | "note";

export interface Effect {
  readonly level: Level;
  readonly router?: string;
  /** Who is concerned; effects with one sentence are told together. */
  readonly subject: string;
  readonly sentence: string;
}

/** A line that goes or comes, and whose it is. */
export interface Moved {
  readonly line: string;
  readonly owner: Resource;
}
export interface Slot {
  readonly gone: Moved[];
  readonly come: Moved[];
  /** Whether others than the Router had lines there before, and will have: the service runs. Not known counts as yes. */
  readonly ran: boolean;
  readonly runs: boolean;
}
export interface Change {
  readonly router: string;
  readonly slots: Map<string, Slot>;
  readonly tell: (level: Level, subject: string, sentence: string) => void;
}

export const label = ({ kind, name }: Pick<Resource, "kind" | "name">): string => `${kind} ${code(name)}`;

export const side = (router: string, inputs: Resource["before"]): Fragments =>
  routerNameOf(inputs) === router ? fragmentsOf(inputs) : {};

/** A virtual address that moves. */
export const readdressed = ({ before, after }: Resource): boolean =>
  textOf(before, "address") !== textOf(after, "address");

export function slotsOf({ resources, hidden }: Stack, router: string): Map<string, Slot> {
  const fresh = resources.some((it) => it.kind === "Router" && it.op === "create" && routerNameOf(it.after) === router);
  const others = (lines: Map<string, Resource>) =>
    [...lines.values()].some(({ kind }) => kind !== "Router") || (hidden > 0 && !fresh);
  const slots = new Map<string, { before: Map<string, Resource>; after: Map<string, Resource> }>();
  for (const owner of resources.filter(({ ours }) => ours)) {
    const [before, after] = [side(router, owner.before), side(router, owner.after)];
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const slot = slots.get(name) ?? { before: new Map(), after: new Map() };
      slots.set(name, slot);
      // A list's rules are its own: the same words in another list are another rule.
      const key = (line: string) => (name === "nftables" && !line.startsWith("add ") ? `${owner.urn} ${line}` : line);
      for (const line of linesIn(before[name])) slot.before.set(key(line), owner);
      for (const line of linesIn(after[name])) slot.after.set(key(line), owner);
    }
  }
  const only = (one: Map<string, Resource>, other: Map<string, Resource>): Moved[] =>
    [...one]
      .filter(([key]) => !other.has(key))
      .map(([key, owner]) => ({ line: key.replace(`${owner.urn} `, "").trim(), owner }));
  return new Map(
    [...slots].map(([name, { before, after }]) => [
      name,
      { gone: only(before, after), come: only(after, before), ran: others(before), runs: others(after) },
    ]),
  );
}
