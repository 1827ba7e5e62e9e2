// What somebody feels who puts guests on a real router: the first `up`, one more, `destroy`; against as many do-nothing resources.

import { Engine, type StateResource } from "../test/engine/engine.ts";
import { program } from "../test/lab/stack.ts";
import { deleteAll, disconnect } from "./hooks.ts";
import type { Live } from "./live.ts";
import { ratio, seconds, spread, type Target, table, text, verdict } from "./measure.ts";
import { doNothing, likewise, ours } from "./nothing.ts";

const LIMIT =
  "The engine has no more hooks under way than `--parallel` says, and one transaction costs a router with 1,000 guests 0.35 to 0.45 s of a processor however many of them it concerns: every fragment is linked into the new generation, all are assembled, and nft and dnsmasq judge the whole. With `--parallel 64` a thousand guests are 16 transactions at least (with 256, five). A do-nothing resource has no router, and no `delete` at all.";

const TIERS = ["web", "db", "cache"];

/** The zone, its router, a VPC, three tiers and `count` guests, as evenly among them as can be. */
const withGuests = (count: number): Promise<string> => {
  const lines = [`const shop = new vpc6.Vpc("shop", { zone, router: vr1 });`];
  for (const tier of TIERS)
    lines.push(`const ${tier} = new vpc6.Tier("${tier}", { vpc: shop, interface: "${tier}0" });`);
  for (let guest = 0; guest < count; guest++) {
    const tier = TIERS[guest % TIERS.length];
    const mac = `02:00:01:00:${[guest >> 8, guest & 255].map((it) => it.toString(16).padStart(2, "0")).join(":")}`;
    lines.push(`new vpc6.Instance("g${guest}", { tier: ${tier}, mac: "${mac}" });`);
  }
  return program(lines.join("\n"), { routers: { vr1: "adopt: true," } });
};

interface Took {
  up: number;
  destroy: number;
  more: number;
}

export async function guests(live: Live, counts: number[], repetitions: (count: number) => number) {
  disconnect();
  await deleteAll(await live.all());
  const rows: string[][] = [];
  const targets: Target[] = [];
  for (const checkpoints of [false, true]) {
    const env = checkpoints ? {} : { PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" };
    for (const count of counts) {
      console.log(`${count} guests, with${checkpoints ? "" : "out"} checkpoints`);
      const times = { vpc6: [] as Took[], nothing: [] as Took[] };
      await using vpc6 = await Engine.start({ env });
      await using stack = new AsyncDisposableStack();
      let nothing: Engine | undefined;
      for (let turn = 0; turn < repetitions(count); turn++) {
        let less: StateResource[] | undefined;
        let all: StateResource[] | undefined;
        times.vpc6.push(
          await round(
            vpc6,
            async (more) => {
              // What was there goes into the other's program.
              if (more) less = await resources(vpc6);
              await vpc6.program(await withGuests(more ? count + 1 : count));
            },
            async () => {
              all = await resources(vpc6);
            },
          ),
        );
        if (ours(less).length !== count + 6) throw new Error(`${ours(less).length} resources of ${count} guests`);
        nothing ??= stack.use(await doNothing(less, env));
        const other = nothing;
        times.nothing.push(await round(other, (more) => likewise(other, more ? all : less)));
        console.log(`  vpc6 ${said(times.vpc6)}\n  nothing ${said(times.nothing)}`);
      }
      const row = (what: string, which: keyof Took) => {
        const mine = spread(times.vpc6.map((it) => it[which]));
        const other = spread(times.nothing.map((it) => it[which]));
        const kept = checkpoints ? "with" : "without";
        rows.push([count.toLocaleString("en"), kept, what, text(mine), text(other), seconds(ratio(mine, other))]);
        targets.push(
          verdict(
            `${what}, ${count} guests, ${kept} checkpoints ÷ do-nothing resources`,
            ratio(mine, other),
            1.5,
            LIMIT,
          ),
        );
      };
      row("first `up`", "up");
      row("one more guest", "more");
      row("`destroy`", "destroy");
    }
  }
  return {
    page: table(["guests", "checkpoints", "what", "vpc6", "do-nothing", "ratio"], rows),
    targets,
  };
}

const said = (all: Took[]): string =>
  Object.entries(all.at(-1) ?? {})
    .map(([what, took]) => `${what} ${took.toFixed(2)} s`)
    .join(", ");

const resources = async (engine: Engine): Promise<StateResource[] | undefined> =>
  (await engine.export()).deployment.resources;

/** The first up, one more, and all away again. */
async function round(
  engine: Engine,
  prepare: (more: boolean) => Promise<void>,
  before: () => Promise<void> = async () => {},
): Promise<Took> {
  const timed = async (...args: string[]): Promise<number> => {
    const began = performance.now();
    const { code, all } = await engine.run([...args, "--yes", "--skip-preview", "--parallel", "64"]);
    if (code !== 0) throw new Error(all);
    return (performance.now() - began) / 1000;
  };
  await prepare(false);
  const up = await timed("up");
  await prepare(true);
  const more = await timed("up");
  await before();
  return { up, more, destroy: await timed("destroy") };
}
