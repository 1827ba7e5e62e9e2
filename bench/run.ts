// `make bench`: measures vpc6 against what people would use instead, on this machine and in this run, and writes docs/performance.md.
//
//     BENCH=rule,engine make bench      some of it, printed only. Parts: rule up losses first guests ledger engine fleet
//
// BENCH_REPETITIONS (5), BENCH_CHANGES (100), BENCH_RESOURCES and BENCH_GUESTS (10,100,1000), BENCH_CLAIMS and BENCH_FLEET (1000) make it shorter.

import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { engine } from "./engine.ts";
import { first } from "./first.ts";
import { fleet } from "./fleet.ts";
import { guests } from "./guests.ts";
import { ledger } from "./ledger.ts";
import { type Live, live } from "./live.ts";
import { losses } from "./losses.ts";
import { type Target, table } from "./measure.ts";
import { rule, up } from "./rule.ts";

const numbers = (name: string, otherwise: string) => (process.env[name] ?? otherwise).split(",").map(Number);
const [repetitions = 5] = numbers("BENCH_REPETITIONS", "5");
const [changes = 100] = numbers("BENCH_CHANGES", "100");
const resources = numbers("BENCH_RESOURCES", "10,100,1000");

interface Part {
  page: string;
  targets?: Target[];
}

/** In the order of the page; those of `live` first, the last of them takes the VPC away. */
const onRouter: Record<string, (on: Live) => Promise<Part>> = {
  rule: async (on) => {
    const { page, targets } = await rule(on, repetitions);
    return {
      targets,
      page: `## One rule on a live router

From the hook's call (or the command's start) to the confirmed change. The script does \`cat > new && nft -c -f new && mv && nft -f\`; the playbook has one
template task with \`validate\` and a handler, pipelining and ControlPersist, and no facts. Both write the whole rule set of the same router. vpc6 also
keeps the old configuration, takes a lock, compares, confirms, and would undo.

${page}`,
    };
  },
  up: (on) => up(on, repetitions),
  losses: async (on) => {
    const { page, targets } = await losses(on, changes);
    return {
      targets,
      page: `## What traffic notices

Pings of 100 a second from outside to an instance, and one HTTP request after the other through a load balancer, while hooks change things beside them.

${page}`,
    };
  },
  first: async (on) => {
    const { page, targets } = await first(on, Math.min(3, repetitions));
    return {
      targets,
      page: `## First converge of a full VPC

Three tiers, two access lists, four instances, two load balancers, a BGP session and NAT64 with DNS64, on a router that has all packages (python3, which
Ansible needs, too). The two others get the files that vpc6 had made, with units, checked by the daemons, then handlers or their like. What vpc6's engine
would add is in the row of \`pulumi up\` above.

${page}`,
    };
  },
  guests: async (on) => {
    const { page, targets } = await guests(on, numbers("BENCH_GUESTS", "10,100,1000"), (count) =>
      count >= 1000 ? Math.min(2, repetitions) : Math.min(3, repetitions),
    );
    return {
      targets,
      page: `## Guests on a real router

The first \`pulumi up\` of a zone, its router (which has all packages), a VPC, three tiers and so many guests, and the \`destroy\` of all that, against as many
do-nothing resources with the same inputs; and one more guest when so many are there. With checkpoints, as Pulumi writes them into its state file after each
resource unless told otherwise, and without (\`PULUMI_SKIP_CHECKPOINTS\`). \`--parallel 64\`, file backend, no type checking, no preview, for both.

${page}`,
    };
  },
};

const alone: Record<string, () => Promise<Part>> = {
  ledger: async () => ({
    page: `## The ledger

How many claims it settles in a second, all of them new, and when one comes to as many.

${ledger(numbers("BENCH_CLAIMS", "1000,10000,100000,1000000"))}`,
  }),
  engine: async () => {
    const made = await engine(resources, (count) => (count >= 1000 ? Math.min(2, repetitions) : repetitions));
    return {
      targets: made.targets,
      page: `## The engine: previews, unchanged updates, state

A zone, a router, VPCs of three tiers and their instances, against as many dynamic resources that do nothing and have the same inputs. Without
checkpoints (\`PULUMI_SKIP_CHECKPOINTS\`), file backend, and no type checking (\`typescript: false\`), for both.

${made.page}

## Refresh

One router, simulated by an SSH server that counts; of two resources one is the zone, which asks nothing.

${made.refresh}`,
    };
  },
  fleet: async () => ({
    page: `## A fleet of routers

Simulated, in one stack, each with a Router and two VPCs, some of them dead, mute or strangers; \`pulumi up --parallel 64 --continue-on-error\`, without
checkpoints. Memory and files are the provider's. More in [fleet](fleet.md).

${await fleet(numbers("BENCH_FLEET", "1000"))}`,
  }),
};

const known = [...Object.keys(onRouter), ...Object.keys(alone)];
const wanted = (process.env.BENCH ?? "").split(/[\s,]+/).filter(Boolean);
for (const part of wanted)
  if (!known.includes(part)) throw new Error(`BENCH: no part "${part}"; there are ${known.join(" ")}`);
const wants = (part: string) => wanted.length === 0 || wanted.includes(part);
const page = new URL("../docs/performance.md", import.meta.url);

const began = performance.now();
const loads = [load()];
const busy = Number(loads[0]) > availableParallelism() / 2;
const warning = `the machine was busy with other work as the run began (load average ${loads[0]} on ${availableParallelism()} processors)`;
if (busy) console.warn(`warning: ${warning}: stop it, or trust ratios only`);

const parts: Part[] = [];
const measure = async (name: string, run: () => Promise<Part>) => {
  if (!wants(name)) return;
  console.log(name);
  const from = performance.now();
  parts.push(await run());
  loads.push(load());
  console.log(`  ${name} took ${((performance.now() - from) / 60_000).toFixed(1)} min; load average ${loads.at(-1)}`);
};
if (Object.keys(onRouter).some(wants)) {
  await using on = await live();
  for (const [name, run] of Object.entries(onRouter)) await measure(name, () => run(on));
}
for (const [name, run] of Object.entries(alone)) await measure(name, run);

const targets = parts.flatMap(({ targets = [] }) => targets);
const limits = new Map<string, string[]>();
for (const { met, limit, row } of targets) if (!met) limits.set(limit, [...(limits.get(limit) ?? []), row[0] ?? ""]);

const version = (program: string, ...args: string[]) => {
  try {
    return execFileSync(program, args, { encoding: "utf8", env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } })
      .trim()
      .split("\n")[0];
  } catch {
    return "unknown";
  }
};
const whole = `# Performance

Written by \`make bench\`, which measures vpc6 and what people would use instead by turns, on one machine in one run. Times are medians with the least and the
most of ${repetitions} repetitions (three at most of the first converge, and of guests, two at most of 1,000 of anything); what counts is ratios, not times.

${table(
  ["", ""],
  [
    ["date", `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`],
    [
      "machine",
      `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
    ],
    ["load average over a minute (start, after each part)", loads.join(", ")],
    ["Node.js, Pulumi", `${process.version}, ${version("pulumi", "version")}`],
    [
      "command",
      `\`make bench\`, ${repetitions} repetitions, ${changes} changes of each kind, ${((performance.now() - began) / 60_000).toFixed(0)} minutes`,
    ],
  ],
)}
${busy ? `\nBeware: ${warning}.\n` : ""}
## Targets

${table(
  ["what", "target", "here", ""],
  targets.map(({ row }) => row),
)}

${parts.map(({ page }) => page).join("\n\n")}

## What limits it

${[...limits].map(([limit, which]) => `- ${which.join("; ")}: ${limit}`).join("\n") || "No target was missed."}
`;
console.log(`\n${whole}`);
if (wanted.length === 0) await writeFile(page, whole);

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
