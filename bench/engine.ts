// The engine's side: previews and unchanged updates against as many do-nothing dynamic resources with the same inputs, the size of the
// state, and what a refresh asks of a router. The router is an SSH server in this process: nothing here depends on daemons.

import { Engine, type StateResource } from "../test/engine/engine.ts";
import { answer, type FakeRouter, fakeRouter, hostKeyPrint, userKey } from "../test/unit/router/server.ts";
import { byTurns, ratio, type Spread, seconds, type Target, table, text, verdict } from "./measure.ts";
import { doNothing, ours } from "./nothing.ts";

const fast = { VPC6_SSH_KEY: userKey.private, PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" };

/** `count` resources: a zone, a router, VPCs of three tiers, and instances. */
const program = (count: number, { address }: FakeRouter): string => {
  const lines = [
    `import * as vpc6 from "vpc6";`,
    `const zone = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/49" });`,
    `const router = new vpc6.Router("vr1", { zone, host: "127.0.0.1", port: ${address.port}, hostKey: "${hostKeyPrint}", publicInterface: "pub0" });`,
  ];
  let left = count - 2;
  for (let vpc = 1; left > 0; vpc++) {
    left--;
    lines.push(`{ const vpc = new vpc6.Vpc("vpc${vpc}", { zone, router });`);
    for (let tier = 1; tier <= 3 && left > 0; tier++) {
      left--;
      const name = `t${vpc}x${tier}`;
      lines.push(`const ${name} = new vpc6.Tier("${name}", { vpc, interface: "e${vpc}x${tier}" });`);
      for (let guest = 1; guest <= 12 && left > 0; guest++, left--) {
        const mac = `02:00:00:${[vpc, tier, guest].map((it) => it.toString(16).padStart(2, "0")).join(":")}`;
        lines.push(`new vpc6.Instance("${name}g${guest}", { tier: ${name}, mac: "${mac}" });`);
      }
    }
    lines.push("}");
  }
  return lines.join("\n");
};

const ENGINE_LIMIT =
  "Both are the start of the CLI, the program and the provider; what is left is ours. In the program the SDK makes four promises of each property that can be read, given or not, and waits for outputs of parents where the do-nothing resource has plain values; in the provider the hooks check arguments, ledgers and texts.";

const bytes = (all: StateResource[] | undefined): number => {
  const resources = ours(all);
  return resources.reduce((sum, it) => sum + JSON.stringify(it).length, 0) / resources.length;
};

export async function engine(counts: number[], repetitions: (count: number) => number) {
  const rows: string[][] = [];
  const targets: Target[] = [];
  const refreshes: string[][] = [];
  const compare = async (count: number, vpc6: Engine, state: StateResource[] | undefined) => {
    await using nothing = await doNothing(state, fast);
    must(await nothing.run(["up", "--yes", "--skip-preview", "--parallel", "64"]));
    const theirs = (await nothing.export()).deployment.resources;
    if (ours(theirs).length !== count) throw new Error(`not ${count} resources`);

    const run =
      (it: Engine, ...args: string[]) =>
      async () =>
        must(await it.run([...args, "--expect-no-changes"]));
    const preview = await byTurns(repetitions(count), {
      vpc6: run(vpc6, "preview"),
      nothing: run(nothing, "preview"),
    });
    const up = await byTurns(repetitions(count), {
      vpc6: run(vpc6, "up", "--yes", "--skip-preview"),
      nothing: run(nothing, "up", "--yes", "--skip-preview"),
    });
    const cell = (what: string, of: { vpc6: Spread; nothing: Spread }) => {
      rows.push([String(count), what, text(of.vpc6), text(of.nothing), seconds(ratio(of.vpc6, of.nothing))]);
      targets.push(
        verdict(`${what} of ${count} resources ÷ do-nothing resources`, ratio(of.vpc6, of.nothing), 1.1, ENGINE_LIMIT),
      );
    };
    cell("preview", preview);
    cell("unchanged up", up);
    const [mine, other] = [bytes(state), bytes(theirs)];
    rows.push([String(count), "state, bytes a resource", mine.toFixed(0), other.toFixed(0), seconds(mine / other)]);
    targets.push(
      verdict(
        `state of ${count} resources ÷ do-nothing resources`,
        mine / other,
        1.1,
        "The inputs are what the preview shows, and outputs keep their hashes.",
      ),
    );
  };
  // Of two the refresh only: a zone and its router.
  for (const count of [2, ...counts]) {
    console.log(`${count} resources`);
    await using router = await fakeRouter(({ line }) =>
      line.includes(" observe") ? { stdout: observed(router.payloads) } : answer("ok 1 same"),
    );
    await using vpc6 = await Engine.start({ env: fast });
    await vpc6.program(program(count, router));
    must(await vpc6.run(["up", "--yes", "--skip-preview", "--parallel", "64"]));
    const state = (await vpc6.export()).deployment.resources;
    if (ours(state).length !== count) throw new Error(`not ${count} resources`);
    if (count > 2) await compare(count, vpc6, state);

    const before = { connections: router.connections, commands: router.commands.length };
    const began = performance.now();
    must(await vpc6.run(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]));
    const took = (performance.now() - began) / 1000;
    const connections = router.connections - before.connections;
    const trips = router.commands.length - before.commands;
    refreshes.push([String(count), String(connections), String(trips), `${seconds(took)} s`]);
    targets.push(
      verdict(
        `refresh of ${count} resources, round trips`,
        trips,
        1,
        "The engine reads a few resources at a time; one that comes more than two seconds after the others asks again.",
      ),
    );
  }
  return {
    page: table(["resources", "what", "vpc6", "do-nothing", "ratio"], rows),
    refresh: table(["resources", "connections", "round trips", "`pulumi refresh`, whole"], refreshes),
    targets,
  };
}

/** What the router was told, as it tells it. */
function observed(payloads: string[]): string {
  const lines = payloads
    .flatMap((payload) => payload.split("\n"))
    .filter((line) => line !== "" && !/^(vpc6-transaction|holder|nonce|confirm|end) |^(fresh|repair)$/.test(line));
  return `${["vpc6-transaction 1", ...lines, `end ${lines.length + 1}`].join("\n")}\nvpc6-drift 1\nend vpc6-drift\n`;
}

function must({ code, all }: { code: number; all: string }): void {
  if (code !== 0) throw new Error(all);
}
