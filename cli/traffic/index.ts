// What traffic a change interrupts: each kind says it of its resources, router by router (provider/kinds, `traffic`). Here stands what is
// alike for all kinds: what moves or is made anew, what is not known, what is installed, and what a kind does not explain.

import type { Inputs, Others } from "../../provider/kind";
import { kindOf } from "../../provider/kinds";
import { hasUnknown, UNKNOWN } from "../../provider/unknown";
import { linesIn } from "../diff";
import { code, joined, type Markdown, md } from "../markdown";
import { fragmentsOf, type Resource, routerNameOf, SECRET, type Stack } from "../stack";
import { type Effect, label, type Tell } from "./effect";
import { ofRepair } from "./repair";
import { inputsOf, sharers } from "./router";

export { type Effect, kindWord, type Level, label } from "./effect";

export const interrupts = ({ level }: Effect): boolean => level !== "note";

export function effects(stack: Stack): Effect[] {
  const found: Effect[] = [];
  for (const router of routersIn(stack)) {
    const tell: Tell = (level, subject, sentence) => found.push({ level, router, subject, sentence });
    const othersOf = sharers(stack, router);
    for (const it of stack.resources) {
      if (!it.ours || ["same", "read", "refresh"].includes(it.op)) continue;
      const here: Side = [inputsOf(it.before, router), inputsOf(it.after, router)];
      if (here[0] === undefined && here[1] === undefined) continue;
      ofResource(it, here, othersOf(it), router, tell);
      if (here[0] !== undefined) ofRepair(it, router, tell);
    }
    packages(stack, router, tell);
  }
  for (const it of stack.resources) {
    if (it.ours || !["update", "delete", "replace"].includes(it.op)) continue;
    found.push({ level: "unknown", subject: label(it), sentence: md`is no resource of vpc6's, and not judged here` });
  }
  return distinct(found);
}

/** What a resource has on a router before and after; undefined: nothing. */
type Side = readonly [before: Inputs | undefined, after: Inputs | undefined];

function ofResource(it: Resource, [before, after]: Side, others: Others, router: string, tell: Tell): void {
  const subject = label(it);
  const traffic = kindOf(it.kind)?.traffic;
  if (!traffic) {
    const what = after === undefined ? md`is taken off the router` : md`is of a kind that this report does not know`;
    tell("unknown", subject, md`${what}; what that does to traffic is not known here`);
    return;
  }
  const { gone, disturbs } = traffic;
  const ask = (old: Inputs | undefined, now: Inputs | undefined): number => {
    let all: ReturnType<typeof disturbs>;
    try {
      all = disturbs(old, now, others);
    } catch {
      // Inputs that are not what `plan` returns: a report that says so is better than none.
      tell("unknown", subject, md`cannot be judged: its arguments are not what this version of vpc6 makes of them`);
      return 1;
    }
    for (const { level, sentence, whom } of all)
      tell(
        level,
        whom === undefined ? subject : whom === "router" ? md`Router ${code(router)}` : code(whom.name),
        sentence,
      );
    return all.length;
  };
  if (it.op === "replace" && before !== undefined) {
    const to = routerNameOf(it.after);
    tell(
      "ends",
      subject,
      after === undefined
        ? md`moves to router ${code(to ?? "?")}: it is taken off this one first, and is nowhere meanwhile`
        : md`is taken away and made anew: it is gone meanwhile`,
    );
    ask(before, undefined);
    if (after !== undefined) ask(undefined, after);
    return;
  }
  if (it.op === "delete") tell(gone.level, subject, gone.sentence);
  if (before === undefined || after === undefined) {
    ask(before, after);
    return;
  }
  const [old, now] = [fragmentsOf(it.before), fragmentsOf(it.after)];
  const changed = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((slot) => old[slot] !== now[slot]);
  const unknown = changed.filter((slot) => now[slot]?.includes(UNKNOWN));
  if (unknown.length > 0) {
    const slots = joined(
      unknown.map((slot) => code(slot || "configuration")),
      ", ",
    );
    tell("unknown", subject, md`its ${slots} is not known before \`pulumi up\``);
    return;
  }
  const secret = changed.length === 0 ? [] : secrets(before, after);
  if (secret.length > 0) {
    tell(
      "unknown",
      subject,
      md`its ${joined(secret.map(code), ", ")} is secret, so what changes of it is not known here`,
    );
  } else if (changed.length > 0 && ask(before, after) === 0 && it.trouble === undefined) {
    unexplained(it, changed, subject, tell);
  }
}

/** What a kind judges by and Pulumi shows of neither side. A password is judged by what stands for it in the texts. */
const secrets = (...sides: readonly Inputs[]): string[] => {
  const hidden = sides.flatMap((it) => Object.entries(it).flatMap(([key, value]) => (value === SECRET ? [key] : [])));
  return [...new Set(hidden)].filter((key) => key !== "password");
};

/** Texts whose change nobody feels, or is told by their equality alone. */
const QUIET = ["packages", "adopt", "dnsmasq", "dhcp-hosts", "dns-hosts", "passwords", "certificates"];

/** Other lines on the router from the same inputs: they come from another version of vpc6, or from what is not in the inputs. */
function unexplained(it: Resource, changed: readonly string[], subject: Markdown, tell: Tell): void {
  const rest = (inputs: Resource["before"]) => {
    const { fragments, ledger, __provider, ...others } = inputs ?? {};
    return JSON.stringify(Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const slots = changed.filter((slot) => !QUIET.includes(slot)).map((slot) => code(slot));
  if (slots.length === 0 || rest(it.before) !== rest(it.after)) return;
  tell(
    "unknown",
    subject,
    md`its ${joined(slots, ", ")} changes, and nothing else of it says why; what that does to traffic is not known here`,
  );
}

function packages({ resources }: Stack, router: string, tell: Tell): void {
  const named = (inputs: Resource["before"]) => linesIn(inputsOf(inputs, router)?.fragments?.packages);
  const had = new Set(resources.flatMap(({ before }) => named(before)));
  const come = new Set(resources.flatMap(({ after }) => named(after)).filter((it) => !had.has(it) && !hasUnknown(it)));
  if (come.size > 0)
    tell("note", joined([...come].map(code), ", "), md`installed where missing, before anything is switched`);
}

/** A Router names itself by its own `router`, which is a way that begins with its name, as everybody's on it. */
export function routersIn({ resources }: Stack): string[] {
  const names = resources.flatMap(({ before, after }) => [routerNameOf(before), routerNameOf(after)]);
  return [...new Set(names.filter((it) => it !== undefined))].sort();
}

function distinct(all: Effect[]): Effect[] {
  const seen = new Map(all.map((it) => [JSON.stringify([it.level, it.router, it.subject, it.sentence]), it]));
  return [...seen.values()];
}
