// `make bench`: measures vpc6 against what people would use instead, on this machine and in this run, and writes docs/performance.md.
//
//     node --import ./bench/resolve.mjs bench/run.ts [PART…]      parts: router engine ledger; default: all
//
// With parts the result is printed only. BENCH_REPETITIONS (5), BENCH_CHANGES (100), BENCH_RESOURCES (10,100,1000) and BENCH_CLAIMS make it shorter.

import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { lab } from "../test/lab/lab.ts";
import { engine, ledger } from "./engine.ts";
import { table } from "./measure.ts";
import { hasNat64, router } from "./router.ts";

const repetitions = Number(process.env.BENCH_REPETITIONS ?? 5);
const changes = Number(process.env.BENCH_CHANGES ?? 100);
const resources = (process.env.BENCH_RESOURCES ?? "10,100,1000").split(",").map(Number);
const claims = (process.env.BENCH_CLAIMS ?? "1000,10000,100000,1000000").split(",").map(Number);
const wanted = process.argv.slice(2);
const wants = (part: string) => wanted.length === 0 || wanted.includes(part);
const page = new URL("../docs/performance.md", import.meta.url);

const loads = [load()];
const targets: string[][] = [];
const sections: string[] = [];

if (wants("ledger")) {
  console.log("ledger");
  sections.push(
    `## The ledger\n\nHow many claims it settles in a second, all of them new, and when one comes to as many.\n\n${ledger(claims)}`,
  );
}
if (wants("engine")) {
  const made = await engine(resources, (count) => (count >= 1000 ? Math.min(3, repetitions) : repetitions));
  targets.push(...made.targets);
  sections.push(`## The engine: previews, unchanged updates, state

A zone, a router, VPCs of three tiers and their instances, against as many dynamic resources that do nothing and have the same inputs. Without
checkpoints (\`PULUMI_SKIP_CHECKPOINTS\`), file backend, and no type checking (\`typescript: false\`), for both.

${made.page}

## Refresh

One router, simulated by an SSH server that counts.

${made.refresh}`);
  loads.push(load());
}
if (wants("router")) {
  try {
    const made = await router(repetitions, changes);
    targets.unshift(...made.targets);
    sections.unshift(
      `## One rule on a live router

From the hook's call (or the command's start) to the confirmed change. The script does \`cat > new && nft -c -f new && mv && nft -f\`; the playbook has one
template task with \`validate\` and a handler, pipelining and ControlPersist, and no facts. Both write the whole rule set of the same router. vpc6 also
keeps the old configuration, takes a lock, compares, confirms, and would undo.

${made.rule}`,
      `## First converge of a full VPC

Three tiers, two access lists, four instances, two load balancers and a BGP session${hasNat64 ? " without NAT64" : ""}, on a router that has all packages
(python3, which Ansible needs, too). The two others get the files that vpc6 had made: thirteen with their units, checked by the daemons, then handlers or their
like. What vpc6's engine would add is in the row of \`pulumi up\` above.

${made.first}`,
      `## What traffic notices

Pings of 100 a second from outside to an instance, and one HTTP request after the other through a load balancer, while hooks change things beside them.

${made.losses}`,
    );
  } finally {
    if (!process.env.BENCH_KEEP_LAB) await lab.down();
  }
  loads.push(load());
}

const version = (program: string, ...args: string[]) => {
  try {
    return execFileSync(program, args, { encoding: "utf8", env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } })
      .trim()
      .split("\n")[0];
  } catch {
    return "unknown";
  }
};
const notes =
  (await readFile(page, "utf8").catch(() => "")).match(/\n(## What limits it\n[\s\S]*)$/)?.[1] ?? "## What limits it\n";
const whole = `# Performance

Written by \`make bench\`, which measures vpc6 and what people would use instead by turns, on one machine in one run. Times are medians with the least and the
most of ${repetitions} repetitions (three at least of the first converge, three at most of 1,000 resources); what counts is ratios, not times.

${table(
  ["", ""],
  [
    ["date", `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`],
    [
      "machine",
      `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
    ],
    ["load average over a minute (start, between, end)", loads.join(", ")],
    ["Node.js, Pulumi", `${process.version}, ${version("pulumi", "version")}`],
    ["command", `\`make bench\`, ${repetitions} repetitions, ${changes} changes of each kind`],
  ],
)}

## Targets

${table(["what", "target", "here", ""], targets)}

${sections.join("\n\n")}

## A fleet of 1,000 routers

Measured by its own test: [fleet](fleet.md).

${notes}`;
console.log(`\n${whole}`);
if (wanted.length === 0) await writeFile(page, whole);

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
