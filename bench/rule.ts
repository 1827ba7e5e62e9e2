// One changed rule: the hook against a script and a playbook, and the whole `pulumi up` of it against the playbook.

import { Engine } from "../test/engine/engine.ts";
import { change, disconnect } from "./hooks.ts";
import { full, type Live, must, named } from "./live.ts";
import { byTurns, ratio, seconds, type Target, table, text, verdict } from "./measure.ts";

const against = (base: { median: number }) => (it: { median: number }) => seconds(it.median / base.median);

/** The rule set of the full VPC with another port in it. */
const rulesOf =
  ({ files }: Live) =>
  (turn: number) =>
    (files["/etc/bench/nftables"] ?? "").replace(/\b8001\b/, String(8101 + turn));

export async function rule(live: Live, repetitions: number): Promise<{ page: string; targets: Target[] }> {
  const { hand } = live;
  const rules = rulesOf(live);
  const acl = named(await live.all(), "web-acl");
  let port = /\b(8\d\d\d|90\d\d)\b/.exec(JSON.stringify(acl.inputs.fragments))?.[0] ?? "";
  const next = async () => {
    const old = port;
    port = String(Number(port) + 1);
    await change(acl, new RegExp(`\\b${old}\\b`, "g"), port);
  };
  await next();
  await hand.ansible(rules(99));
  const took = await byTurns(repetitions, {
    open: next,
    connect: async () => {
      disconnect();
      await next();
    },
    ssh: (turn) => hand.ssh(rules(3 * turn)),
    master: (turn) => hand.sshOpen(rules(3 * turn + 1)),
    ansible: (turn) => hand.ansible(rules(3 * turn + 2)),
  });
  disconnect();
  const toSsh = against(took.ssh);
  return {
    page: table(
      ["one rule changed", "median (least–most)", "÷ ssh"],
      [
        ["vpc6, connection open", text(took.open), toSsh(took.open)],
        ["vpc6, with connecting", text(took.connect), toSsh(took.connect)],
        ["`ssh router sh -s`", text(took.ssh), toSsh(took.ssh)],
        ["the same over an open connection (ControlMaster)", text(took.master), toSsh(took.master)],
        ["`ansible-playbook`", text(took.ansible), toSsh(took.ansible)],
      ],
    ),
    targets: [
      verdict(
        "one rule, vpc6 with connecting ÷ hand-written ssh",
        ratio(took.connect, took.ssh),
        1,
        "The router's program does more than the script: it takes a lock, keeps the old configuration, stages and compares the new one, arms its own undoing, confirms and syncs to disk. That is some 45 short processes on the router where the script has four.",
      ),
      verdict(
        "one rule, vpc6 on an open connection ÷ ssh on an open connection",
        ratio(took.open, took.master),
        1,
        "Without logins on either side the whole difference is that work, and the 25 ms for which the first change waits for others that could join it.",
      ),
      verdict("one rule, vpc6 with connecting ÷ Ansible", ratio(took.connect, took.ansible), 0.2, "The same."),
    ],
  };
}

/** What no provider in Node.js gets below: one dynamic resource, whose hooks do nothing. */
const nothing = (x: number) => `import * as pulumi from "@pulumi/pulumi";
const provider = {
  async check(_, news) { return { inputs: news }; },
  async diff(_, olds, news) { return { changes: olds.x !== news.x }; },
  async create(inputs) { return { id: "nothing", outs: inputs }; },
  async update(_, olds, news) { return { outs: news }; },
};
class Nothing extends pulumi.dynamic.Resource { constructor(name, props) { super(provider, name, props); } }
new Nothing("nothing", { x: ${x} });
`;

export async function up(live: Live, repetitions: number): Promise<{ page: string; targets: Target[] }> {
  const { engine, hand } = live;
  const rules = rulesOf(live);
  let port = 9000;
  const whole = async (...args: string[]) => {
    await engine.program(await full(++port));
    const began = performance.now();
    await must(engine.run(["up", "--yes", ...args]));
    return (performance.now() - began) / 1000;
  };
  await using idle = await Engine.start();
  const floor = async () => {
    await idle.program(nothing(++port));
    const began = performance.now();
    await must(idle.run(["up", "--yes", "--skip-preview"]));
    return (performance.now() - began) / 1000;
  };
  await whole("--skip-preview");
  await floor();
  const took = await byTurns(repetitions, {
    up: () => whole("--skip-preview"),
    both: () => whole(),
    floor,
    ansible: (turn) => hand.ansible(rules(200 + turn)),
  });
  const toPlaybook = against(took.ansible);
  return {
    page: table(
      ["one rule changed, the whole program", "median (least–most)", "÷ playbook"],
      [
        ["`pulumi up --yes --skip-preview`", text(took.up), toPlaybook(took.up)],
        ["`pulumi up --yes` (preview and update)", text(took.both), toPlaybook(took.both)],
        ["`pulumi up --yes --skip-preview` of one do-nothing resource", text(took.floor), toPlaybook(took.floor)],
        ["`ansible-playbook`", text(took.ansible), "1.00"],
      ],
    ),
    targets: [
      verdict(
        "`pulumi up --skip-preview` of one rule ÷ the playbook",
        ratio(took.up, took.ansible),
        1,
        "Most of it is start: the CLI, the language host, the program and the provider. Three of these are Node.js, and `@pulumi/pulumi` alone, which loads the TypeScript compiler and npm's own arborist, is most of what program and provider do; the row of the do-nothing resource says what is left for any provider to win. The change itself is what the first table says.",
      ),
    ],
  };
}
