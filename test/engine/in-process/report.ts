// What a run prints, in the words of the Pulumi CLI as far as tests ask for them: a line a step, the differences if asked for,
// what went wrong, and the sum.

import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import type { Job, Resource } from "./job.ts";
import { isSecret, type Properties, same, UNKNOWN } from "./values.ts";

const require = createRequire(import.meta.url);
const { differences } = require("../../../dist/cli/diff.js") as typeof import("../../../cli/diff.ts");

export type Operation = "create" | "update" | "replace" | "delete" | "same";

const SIGNS = { create: "+", update: "~", replace: "+-", delete: "-" } as const;
const ORDER = ["create", "update", "delete", "replace"] as const;

export class Report {
  readonly #job: Job;
  readonly #counts = new Map<string, number>();
  readonly #diagnostics = new Map<string, string[]>();
  /** `--json`: what `pulumi preview` prints in place of all else. */
  readonly #json: { op: string; urn: string; oldState?: object; newState?: object }[] | undefined;
  /** A look at the routers comes before the preview. */
  #looking: boolean;
  #errors = 0;
  /** `--expect-no-changes`: what a refresh changes counts as well. */
  #changed = false;

  constructor(job: Job) {
    this.#job = job;
    if (job.flags.includes("--json")) this.#json = [];
    this.#looking = job.flags.includes("--refresh");
    const verb = { preview: "Previewing update", up: "Updating", refresh: "Refreshing", destroy: "Destroying" }[
      job.what
    ];
    this.#print(`${verb} (${job.stack}):`);
  }

  get failed(): boolean {
    return this.#errors > 0;
  }

  /** 7: something has changed that should not have. */
  get code(): number {
    if (this.failed) return 1;
    return this.#changed && this.#job.flags.includes("--expect-no-changes") ? 7 : 0;
  }

  step(operation: Operation, now: Resource, old: Resource | undefined): void {
    this.#counts.set(operation, (this.#counts.get(operation) ?? 0) + 1);
    this.#note(operation, now, old);
    if (operation === "same") return;
    this.#changed = true;
    const preview = this.#job.what === "preview";
    const done = { create: "created", update: "updated", replace: "replaced", delete: "deleted" }[operation];
    const sign = SIGNS[operation].padEnd(2);
    const diff = this.#job.flags.includes("--diff");
    this.#print(
      diff
        ? `  ${sign}${now.type}: (${operation})\n      [urn=${now.urn}]`
        : ` ${sign} ${now.type} ${nameOf(now.urn)} ${preview ? operation : done}`,
    );
    if (diff && operation !== "delete") this.#show(operation === "create" ? {} : (old?.inputs ?? {}), now.inputs);
  }

  #note(operation: Operation, now: Resource, old: Resource | undefined): void {
    if (!this.#json) return;
    // The stack's own comes whatever it is.
    const hidden = now.type !== "pulumi:pulumi:Stack" && !this.#job.flags.includes("--show-sames");
    if (operation === "same" && hidden) return;
    if (operation === "replace") this.error(now.urn, "in-process engine: no --json of a replacement");
    const { outputs: _, ...next } = now;
    this.#json.push({
      op: this.#looking ? "refresh" : operation,
      urn: now.urn,
      ...(old && { oldState: shownState(old) }),
      ...(operation !== "delete" && { newState: shownState(this.#looking ? now : next) }),
    });
  }

  refreshed(old: Resource, found: Resource, changed: boolean): void {
    if (!changed) this.step("same", found, old);
    else this.step("update", { ...found, inputs: found.outputs }, { ...old, inputs: old.outputs });
  }

  /** The sum of a refresh that comes before something else is not the run's. */
  begin(): void {
    this.#counts.clear();
    this.#changed = false;
    this.#looking = false;
  }

  error(urn: string, text: string): void {
    this.#errors++;
    this.#diagnose(urn, `error: ${text}`);
  }

  warning(urn: string, text: string): void {
    this.#diagnose(urn, `warning: ${text}`);
  }

  /** What a hook or the program says on its way. */
  say(text: string): void {
    this.#print(`    ${text}`);
  }

  end(outputs: Properties): void {
    if (this.#json) {
      const diagnostics = [...this.#diagnostics].flatMap(([where, texts]) => texts.map((text) => `${where}: ${text}`));
      const changeSummary = Object.fromEntries(this.#counts);
      const said = diagnostics.map((message) => ({ severity: "error", message }));
      write(JSON.stringify({ steps: this.#json, diagnostics: said, changeSummary }));
      return;
    }
    for (const [index, [where, texts]] of [...this.#diagnostics].entries()) {
      if (index === 0) this.#print("Diagnostics:");
      this.#print(`  ${where}:\n${texts.map((text) => indent(text, 4)).join("\n")}\n`);
    }
    if (Object.keys(outputs).length > 0) {
      this.#print("Outputs:");
      for (const [key, value] of Object.entries(outputs)) this.#print(`    ${key}: ${shown(value)}`);
    }
    const preview = this.#job.what === "preview";
    const did = { create: "created", update: "updated", replace: "replaced", delete: "deleted" } as const;
    const counts = ORDER.flatMap((operation) => {
      const count = this.#counts.get(operation);
      return count
        ? [{ count, text: `    ${SIGNS[operation].padEnd(2)}${count} ${preview ? `to ${operation}` : did[operation]}` }]
        : [];
    });
    const unchanged = this.#counts.get("same") ?? 0;
    const changes = counts.length > 1 ? [`${counts.reduce((sum, { count }) => sum + count, 0)} changes`] : [];
    const last = [...changes, ...(unchanged > 0 ? [`${unchanged} unchanged`] : [])].join(". ");
    const errored = this.#errors > 0 ? [`    ${this.#errors} errored`] : [];
    this.#print(
      ["\nResources:", ...counts.map(({ text }) => text), ...(last ? [`    ${last}`] : []), ...errored].join("\n"),
    );
    if (!preview) this.#print("\nDuration: 1s\n");
    if (this.code === 7) writeSync(2, "error: no changes were expected for update but changes were proposed\n");
  }

  #diagnose(urn: string, text: string): void {
    const where =
      urn === "" ? `pulumi:pulumi:Stack (${this.#job.project}-${this.#job.stack})` : `${typeOf(urn)} (${nameOf(urn)})`;
    const texts = this.#diagnostics.get(where) ?? [];
    this.#diagnostics.set(where, [...texts, text]);
  }

  /** The difference of two sets of inputs, key by key; of texts, line by line with two lines around. */
  #show(old: Properties, now: Properties): void {
    const walk = (before: Properties, after: Properties, depth: number) => {
      const all = new Set([...Object.keys(before), ...Object.keys(after)]);
      all.delete("__provider");
      const keys = [...all].sort();
      const width = Math.max(...keys.map((key) => key.length));
      for (const key of keys) {
        if (same(before[key], after[key])) continue;
        const [was, is] = [before[key], after[key]];
        const sign = !(key in before) ? "+" : !(key in after) ? "-" : "~";
        const line = (text: string) => this.#print(indent(`${sign} ${key.padEnd(width)}: ${text}`, depth));
        if (isSecret(was) || isSecret(is)) line("[secret]");
        else if (isMap(was) && isMap(is)) {
          line("{");
          walk(was, is, depth + 4);
          this.#print(indent("  }", depth));
        } else if (
          Array.isArray(was) &&
          Array.isArray(is) &&
          was.length === is.length &&
          [...was, ...is].every(isMap)
        ) {
          line("[");
          for (const [index, one] of is.entries()) {
            if (same(was[index], one)) continue;
            this.#print(indent(`~ [${index}]: {`, depth + 4));
            walk(was[index], one, depth + 8);
            this.#print(indent("  }", depth + 4));
          }
          this.#print(indent("  ]", depth));
        } else if (isMap(is) && was === undefined) {
          line("{");
          walk({}, is, depth + 4);
          this.#print(indent("  }", depth));
        } else if (typeof was === "string" && typeof is === "string" && /\n/.test(was + is) && is !== UNKNOWN) {
          line("");
          for (const text of hunks(was, is)) this.#print(indent(text, depth + 4));
        } else
          line([...(was === undefined ? [] : [shown(was)]), ...(is === undefined ? [] : [shown(is)])].join(" => "));
      }
    };
    walk(old, now, 4);
  }

  #print(text: string): void {
    if (!this.#json) write(`${text}\n`);
  }
}

function hunks(was: string, is: string): string[] {
  const lines = differences(was.split("\n"), is.split("\n"));
  const near = (index: number) => lines.slice(Math.max(0, index - 2), index + 3).some(({ sign }) => sign !== " ");
  return lines.flatMap(({ sign, text }, index) => (near(index) ? [`${sign} ${text}`] : []));
}

const isMap = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isSecret(value);

function shown(value: unknown): string {
  if (value === UNKNOWN) return "[unknown]";
  if (isSecret(value)) return "[secret]";
  return JSON.stringify(value, (_key, one) => (one === UNKNOWN ? "[unknown]" : isSecret(one) ? "[secret]" : one)) ?? "";
}

/** The process is about to end: all of it, now. A pipe takes a part of a long text, and nothing while it is full. */
function write(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

/** Secrets are not told. */
const shownState = (state: object): object =>
  JSON.parse(JSON.stringify(state, (_key, value) => (isSecret(value) ? "[secret]" : value)));

const indent = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, " ".repeat(by));

const typeOf = (urn: string): string => (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");
