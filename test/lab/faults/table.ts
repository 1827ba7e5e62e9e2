// What became of the tries, as the table of docs/reliability.md.

import { readFileSync, writeFileSync } from "node:fs";
import type { Stage } from "./watch";

export interface Try {
  fault: string;
  driver: string;
  step: string;
  /** In which stage of the change it struck. */
  stage: Stage;
  /** What the run under the fault came to. */
  run: "done" | "error";
  /** What was on the router afterwards, before the next run. */
  left: "old" | "new" | "both" | "away";
  /** Of the traffic beside the change. */
  lost: number;
  sent: number;
  /** How long each part of the try took, in milliseconds. */
  took: Record<string, number>;
  /** Why this try counts as lost. */
  trouble: string[];
}

const STEPS = ["create", "update", "delete", "refresh"];

/** fault × step: tries, where they struck, and what became of them. */
export function table(tries: Try[]): string {
  const rows = new Map<string, Try[]>();
  for (const it of tries) {
    const row = `${it.fault} | ${it.step}`;
    rows.set(row, [...(rows.get(row) ?? []), it]);
  }
  const faults = [...new Set(tries.map(({ fault }) => fault))].sort();
  const order = (row: string): number => {
    const [fault = "", step = ""] = row.split(" | ");
    return faults.indexOf(fault) * STEPS.length + STEPS.indexOf(step);
  };
  return [
    "| fault | at a | tries | in checks | in the switch | unconfirmed | in the look | ended well | then old | new | both | packets lost | lost |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ...[...rows].sort(([a], [b]) => order(a) - order(b)).map(([name, all]) => line(name, all)),
    line("**all** | ", tries),
  ].join("\n");
}

function line(name: string, all: Try[]): string {
  const count = (which: (it: Try) => boolean): number => all.filter(which).length;
  const stages = (["checks", "switch", "confirmation", "look"] as const).map((stage) =>
    count((it) => it.stage === stage),
  );
  const left = (["old", "new", "both"] as const).map((what) => count((it) => it.left === what));
  const [lost, sent] = [all.reduce((sum, it) => sum + it.lost, 0), all.reduce((sum, it) => sum + it.sent, 0)];
  const ended = count((it) => it.run === "done");
  return `| ${[name, all.length, ...stages, ended, ...left, `${lost} of ${sent}`, count((it) => it.trouble.length > 0)].join(" | ")} |`;
}

/** Where a document says `<!-- NAME -->`, up to `<!-- end of NAME -->`. */
export function writeBetween(file: string | URL, name: string, text: string): void {
  const before = readFileSync(file, "utf8");
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no "${begin}" with "${end}" behind it`);
  writeFileSync(file, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`);
}
