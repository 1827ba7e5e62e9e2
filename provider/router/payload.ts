/**
 * The texts that go to and come from the router's program: payloads (what should be there) and answers (what was done).
 * Pure. The program checks a payload to its last line; an answer that stops half-way is no answer.
 */

import { printable as escaped } from "../arguments";
import { ANSWER, DRIFT, DRIFT_END, ID, isId, isSlot, SLOT, type Slot, TRANSACTION, type Verdict } from "../contract";
import { printable } from "./error";
import type { Change, Fragments, Observation } from "./types";

const SECRETS: Slot = "secrets";
const MADE: Slot = "made";
const finding = new RegExp(`^drift (${ID}) (${SLOT})\\|(.*)$`);

/**
 * A payload for `converge`. `holder` is who others are told to wait for, `nonce` how the program knows a transaction again
 * that is sent twice, `confirm` how many seconds a change that may cut us off waits for its confirmation (default 30), `yields` who may
 * stand back for those that want what he has.
 */
export function encode(
  changes: readonly Change[],
  holder: string,
  nonce: string,
  { confirm, yields = [] }: { confirm?: number; yields?: readonly string[] } = {},
): string {
  const lines = [TRANSACTION, `holder ${printable(holder).slice(0, 100)}`, `nonce ${nonce}`];
  if (confirm !== undefined) lines.push(`confirm ${confirm}`);
  if (changes.some(({ repair }) => repair)) lines.push("repair");
  lines.push(...yields.map((id) => `yields ${id}`));
  for (const { id, fragments, fresh, made } of changes) {
    checkId(id);
    if (fragments === null) {
      lines.push(`drop ${id}`, ...(made === undefined ? [] : [`made ${made}`]));
      continue;
    }
    lines.push(`set ${id}`, ...(fresh ? ["fresh"] : []));
    // What has nothing on the router leaves no trace there.
    const nothing = Object.values(fragments).every((text) => text.trimEnd() === "");
    const texts: Fragments = made === undefined || nothing ? fragments : { ...fragments, [MADE]: made };
    for (const slot of Object.keys(texts).sort()) {
      if (!isSlot(slot)) throw new Error(`not a slot: ${JSON.stringify(slot)}`);
      const text = (texts[slot] ?? "").replace(/\n+$/, "");
      if (text === "") continue;
      const all = text.split("\n");
      if (all.some((line) => visible(line) !== line))
        throw new Error(`a character in the ${slot} fragment of ${id} that is no text`);
      lines.push(`slot ${slot}`, ...all.map((line) => `|${line}`));
    }
  }
  lines.push(`end ${lines.length}`);
  return `${lines.join("\n")}\n`;
}

export function checkId(id: string): void {
  if (!isId(id)) throw new Error(`not an id a router takes: ${JSON.stringify(id)}`);
}

/**
 * A line of a fragment, with its tabs. What a terminal obeys or an eye does not see stands as `\u001b`: nothing that we sent has any,
 * so such a line is another hand's, and goes from here to the state, to previews and to comments.
 */
const visible = (line: string): string => line.split("\t").map(escaped).join("\t");

/** What `observe` prints: fragments, then `drift ID SERVICE|TEXT` for each difference. Throws when it is not whole. */
export function decode(text: string): Observation {
  const [fragments = "", findings, ...more] = text.split(new RegExp(`^${DRIFT}\n`, "m"));
  if (findings === undefined || more.length > 0 || !`\n${findings}`.endsWith(`\n${DRIFT_END}\n`)) {
    throw new Error("the list of differences is not whole");
  }
  const drift: Observation["drift"] = new Map();
  for (const line of findings.split("\n")) {
    const [, id, service, text] = finding.exec(line) ?? [];
    if (!id || !service || text === undefined) continue;
    drift.set(id, [...(drift.get(id) ?? []), { service, text: printable(text.slice(0, 500)) }]);
  }
  return { ...decodeFragments(fragments), drift };
}

function decodeFragments(text: string): Omit<Observation, "drift"> {
  const all = text.split("\n");
  const from = all.indexOf(TRANSACTION);
  const to = all.lastIndexOf(`end ${all.length - from - 2}`);
  if (from < 0 || to < 0 || to !== all.length - 2) throw new Error("the list of fragments is not whole");
  const found = new Map<string, Fragments>();
  const made: Observation["made"] = new Map();
  let id = "";
  let fragments: Fragments = {};
  let slot = "";
  const named = (name: string, isOne: (name: string) => boolean): string => {
    if (isOne(name)) return name;
    throw new Error(`a name in the list of fragments is none: ${JSON.stringify(name.slice(0, 60))}`);
  };
  for (const line of all.slice(from + 1, to)) {
    if (line.startsWith("|")) {
      // The program shows no secrets; what says that it does would stand in the state for everybody.
      if (slot === SECRETS) continue;
      if (slot === MADE) made.set(id, visible(line.slice(1)));
      else fragments[slot] = `${Object.hasOwn(fragments, slot) ? fragments[slot] : ""}${visible(line.slice(1))}\n`;
    } else if (line.startsWith("slot ")) slot = named(line.slice(5), isSlot);
    else if (line.startsWith("set ")) {
      fragments = {};
      id = named(line.slice(4), isId);
      found.set(id, fragments);
    }
  }
  return { fragments: found, made };
}

/** What the program says at the end. */
export interface Answer {
  /** A Verdict or, from a session that could not confirm, `cut off`; another word is from something that is not the program. */
  verdict: Verdict | "cut off" | (string & {});
  words: string[];
  touched: boolean;
  changed: string[];
  service?: string;
  id?: string;
  /** Who would stand back, and for whom. */
  yields: { id: string; to: string }[];
  why: string;
}

const isWord = (text: string | undefined): boolean => text !== undefined && /^[A-Za-z0-9-]{1,64}$/.test(text);

export function parseAnswer(output: string): Answer | undefined {
  const lines = output.split("\n");
  const from = lines.lastIndexOf(ANSWER);
  const to = lines.indexOf("end", from);
  const [verdict, ...words] = lines[from + 1]?.split(" ") ?? [];
  // What is no word of the program's is not from the program.
  if (from < 0 || to < 0 || ![verdict, ...words].every(isWord) || !verdict) return undefined;
  const answer: Answer = { verdict, words, touched: true, changed: [], yields: [], why: "" };
  const why: string[] = [];
  for (const line of lines.slice(from + 2, to)) {
    const space = line.indexOf(" ");
    const [key, value] = space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
    if (line.startsWith("|")) why.push(line.slice(1));
    else if (key === "touched") answer.touched = value !== "no";
    else if (key === "changed") answer.changed = value.split(" ").filter(isWord);
    else if (key === "service" && isWord(value)) answer.service = value;
    else if (key === "id" && isId(value)) answer.id = value;
    else if (key === "yields") {
      const [id = "", to = ""] = value.split(" ");
      if (isId(id) && isId(to)) answer.yields.push({ id, to });
    }
  }
  answer.why = why.join("\n");
  return answer;
}
