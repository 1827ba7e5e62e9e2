// What traffic a change interrupts, from the lines of configuration that go and come: what each service of a router does when its
// part changes (provider/router/program/services, docs/convergence.md). Where that is not known it says so; a line that another
// resource of the router says too stays there, and interrupts nothing.

import { routerNameOf, type Stack } from "../stack";
import { type Change, type Effect, type Level, label, slotsOf } from "./change";
import { ofRepair } from "./repair";
import { ofResource } from "./resource";
import { services } from "./services";

export { type Effect, type Level, label };

export const interrupts = ({ level }: Effect): boolean => level !== "note";

export function effects(stack: Stack): Effect[] {
  const found: Effect[] = [];
  for (const router of routersIn(stack)) {
    const tell = (level: Level, subject: string, sentence: string) => found.push({ level, router, subject, sentence });
    const change: Change = { router, slots: slotsOf(stack, router), tell };
    for (const [slot, lines] of change.slots) {
      if (lines.gone.length + lines.come.length === 0) continue;
      const service = services[slot];
      if (service) service(lines, change);
      else tell("unknown", `\`${slot || "not known yet"}\``, "what a change of this does to traffic is not known here");
    }
    for (const it of stack.resources) {
      if (!it.ours) continue;
      ofResource(it, change);
      if (routerNameOf(it.before) === router) ofRepair(it, change);
    }
  }
  for (const { ours, op, kind, name } of stack.resources) {
    if (ours || !["update", "delete", "replace"].includes(op)) continue;
    found.push({
      level: "unknown",
      subject: `${kind} \`${name}\``,
      sentence: "is no resource of vpc6's, and not judged here",
    });
  }
  return distinct(found);
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
