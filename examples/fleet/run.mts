// Runs the fleet: the zone's stack, then a stack for each VPC of fleet.json, some at a time, and says at the end how each of them
// fared. One that fails stops no other but the zone's, which all depend on.
//
//     node run.mts up|preview|refresh|destroy [--parallel N] [--only NAME,…] [--take-locks]
//
// Killed at whatever point, the next run carries on: a lock whose process on this machine is dead is taken away. Another
// runner's is respected, and named in the report; `--take-locks` is for one that died on another machine.

import { readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ConcurrentUpdateError, LocalWorkspace, PulumiCommand, type Stack } from "@pulumi/pulumi/automation/index.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    parallel: { type: "string" },
    only: { type: "string" },
    "take-locks": { type: "boolean", default: false },
  },
});
const verb = positionals[0] as "up" | "preview" | "refresh" | "destroy";
if (!["up", "preview", "refresh", "destroy"].includes(verb)) {
  console.error("usage: node run.mts up|preview|refresh|destroy [--parallel N] [--only NAME,…] [--take-locks]");
  process.exit(2);
}
const parallel = Number(values.parallel ?? availableParallelism());
const fleet = JSON.parse(readFileSync(path.join(import.meta.dirname, "fleet.json"), "utf8")) as { vpcs: object };
const vpcs = values.only?.split(",") ?? Object.keys(fleet.vpcs);

interface Row {
  stack: string;
  outcome: "done" | "unchanged" | "failed" | "locked" | "not tried";
  seconds: number;
  /** What was done, or why not. */
  text: string;
}
const rows: Row[] = [];

/** The CLI, which is asked for its version once, and not for each stack. */
const pulumiCommand = await PulumiCommand.get();

async function run(stackName: string, workDir: string): Promise<Row> {
  const began = Date.now();
  const row = (outcome: Row["outcome"], text: string): Row => {
    const done = { stack: stackName, outcome, seconds: (Date.now() - began) / 1000, text };
    rows.push(done);
    console.log(`${outcome.padEnd(9)} ${stackName}`);
    return done;
  };
  try {
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName, workDir: path.join(import.meta.dirname, workDir) },
      { pulumiCommand },
    );
    const changes = await act(stack).catch(async (error: unknown) => {
      if (!(error instanceof ConcurrentUpdateError) || !(values["take-locks"] || abandoned(error))) throw error;
      await stack.cancel();
      return await act(stack);
    });
    const { same: _, ...changed } = changes;
    const text = Object.entries(changed).map(([operation, count]) => `${count} ${operation}`);
    return row(text.length > 0 ? "done" : "unchanged", text.join(", "));
  } catch (error) {
    if (error instanceof ConcurrentUpdateError)
      return row(
        "locked",
        holders(error)
          .map(({ text }) => text)
          .join("; "),
      );
    return row("failed", reason(error));
  }
}

/** The counts by operation. */
async function act(stack: Stack): Promise<Record<string, number>> {
  // A stack's own resources do not stop each other either. Nobody looks at the secrets of what was done: none is decrypted.
  const options = { color: "never" as const, continueOnError: true, suppressProgress: true, showSecrets: false };
  if (verb === "preview") return (await stack.preview({ color: "never" })).changeSummary as Record<string, number>;
  if (verb === "refresh")
    return (await stack.refresh({ color: "never", showSecrets: false })).summary.resourceChanges ?? {};
  return (await stack[verb](options)).summary.resourceChanges ?? {};
}

/** Who holds a stack, as the backend says: `created by root@build7 (pid 4711) at …`. */
function holders(error: Error): { text: string; host: string; pid: number }[] {
  return [...error.message.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user, host = "", pid, time]) => ({
      text: `${user}@${host} (process ${pid}) is at work on it since ${time}`,
      host,
      pid: Number(pid),
    }),
  );
}

/** Are all who hold it processes of this machine that are no more? */
function abandoned(error: Error): boolean {
  const all = holders(error);
  return all.length > 0 && all.every(({ host, pid }) => host === hostname() && !alive(pid));
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Of all that the CLI printed, what it calls an error. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const found = [...message.matchAll(/^ *error: (?!update failed|preview failed)(.+(?:\n {6,}\S.*)*)/gm)].map(
    ([, text = ""]) => text.replace(/\s*\n\s*/g, "; "),
  );
  return [...new Set(found)].slice(0, 3).join(" | ") || message.trim().split("\n").slice(-3).join(" ");
}

async function everyVpc(): Promise<void> {
  const waiting = [...vpcs];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next, "vpc");
  };
  await Promise.all(Array.from({ length: parallel }, work));
}

const began = Date.now();
const well = ({ outcome }: Row) => outcome === "done" || outcome === "unchanged";
if (verb === "destroy") {
  await everyVpc();
  if (rows.every(well) && !values.only) await run("main", "zone");
} else if (well(await run("main", "zone"))) {
  await everyVpc();
} else {
  for (const stack of vpcs) rows.push({ stack, outcome: "not tried", seconds: 0, text: "as main did not go through" });
}

const width = Math.max(5, ...rows.map(({ stack }) => stack.length));
console.log(`\n${"stack".padEnd(width)}  ${"outcome".padEnd(9)}  seconds`);
for (const { stack, outcome, seconds, text } of rows) {
  console.log(`${stack.padEnd(width)}  ${outcome.padEnd(9)}  ${seconds.toFixed(1).padStart(7)}  ${text}`.trimEnd());
}
const count = (it: Row["outcome"]) => rows.filter(({ outcome }) => outcome === it).length;
const sum = (["done", "unchanged", "failed", "locked", "not tried"] as const)
  .map((it) => `${count(it)} ${it}`)
  .join(", ");
console.log(`\n${rows.length} stacks in ${((Date.now() - began) / 1000).toFixed(0)} s: ${sum}`);
process.exitCode = rows.every(well) ? 0 : 1;
