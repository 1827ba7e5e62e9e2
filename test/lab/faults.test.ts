// The fault campaign in its short form; `make test-faults` runs the long one and writes the table of docs/reliability.md.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import { Campaign, STEPS } from "./faults/campaign";
import { type Driver, hooksDriver, pulumiDriver } from "./faults/drivers";
import { anywhere, type Fault, faults } from "./faults/faults";
import { routerGround } from "./faults/scenes";
import { type Try, table, writeBetween } from "./faults/table";
import { talker } from "./faults/traffic";
import { uplinkGround } from "./faults/uplinks";
import { type Background, lab } from "./lab.ts";
import { address } from "./router/vr1";
import { operatorsIpv4, routeOnUplink, start } from "./stack.ts";

const seed = Number(process.env.VPC6_FAULTS_SEED ?? 1);
const long = process.env.VPC6_FAULTS !== undefined;
/** How many tries there are with the hooks, with the hooks and a confirmation each time, on an uplink router, and with Pulumi. */
const tries = (process.env.VPC6_FAULTS ?? "12,3,8,2").split(",").map(Number);
if (tries.length !== 4 || !tries.every(Number.isInteger))
  throw new Error("VPC6_FAULTS: four numbers, one of each driver");
const [hooks = 0, confirmed = 0, uplinks = 0, whole = 0] = tries;
/** What strikes Pulumi, and what strikes changes that wait for their confirmation, in the short form. */
const few = ["provider killed", "power cut", "haproxy refuses"];
const cutting = ["program on the router killed", "network cut for 6 s", "power cut"];
/** Each step is rehearsed: in the short form, where few tries follow, not all of them. */
const steps = (...ways: string[]) => STEPS.filter(({ from, to }) => long || ways.includes(`${from} → ${to}`));
const around = steps("base → more", "more → other", "other → base", "more → more");
const toAndFro = steps("base → more", "more → base");

/** To run some faults again: their names, or parts of them, with `|` between. */
const again = new RegExp(process.env.VPC6_FAULTS_ONLY ?? "");

const began = new Date();
let engine: Engine | undefined;
let talking: Background;
const all: Try[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "db1");
  await routeOnUplink();
  talking = talker();
});

afterAll(async () => {
  await talking?.stop();
  await engine?.[Symbol.asyncDispose]();
  if (all.length > 0) console.log(`seed ${seed}\n${table(all)}`);
  if (process.env.VPC6_FAULTS_DOC) writeBetween(process.env.VPC6_FAULTS_DOC, "faults", report());
});

function report(): string {
  const minutes = Math.round((Date.now() - began.getTime()) / 60_000);
  const command = `FAULTS=${process.env.VPC6_FAULTS} VPC6_FAULTS_SEED=${seed} make test-faults`;
  const lost = all.filter(({ trouble }) => trouble.length > 0).length;
  return `
\`${command}\`, ${began.toISOString().slice(0, 10)}, ${cpus().length} cores, ${minutes} minutes: ${all.length} tries, ${lost} lost.

${table(all)}
`;
}

/** The guest whose traffic must go on. */
async function ready(): Promise<void> {
  await lab.ready("web1", "2001:67c:2834:1::10");
}

async function campaign(driver: Driver, tries: number, possible = faults, steps = STEPS): Promise<void> {
  const work = new Campaign(driver, seed, steps);
  await work.rehearse(ready);
  console.log(work.lengths());
  for (let done = 0; done < tries; done++) {
    const one = await work.attempt(possible.filter(({ name }) => again.test(name)));
    all.push(one);
    if (process.env.VPC6_FAULTS_REPORT) writeFileSync(process.env.VPC6_FAULTS_REPORT, JSON.stringify(all));
    const { fault, step, stage, run, left, took, trouble } = one;
    const times = Object.entries(took).map(([what, ms]) => `${what} ${ms}`);
    console.log(`${done + 1}: ${fault}, ${step}, ${stage}: ${run}, ${left} (${times.join(", ")})`);
    if (trouble.length > 0) console.log(`LOST: ${fault}, ${driver.name}, ${step}, ${stage}\n${trouble.join("\n")}`);
  }
  await work.leave();
  const mine = all.filter((it) => it.driver === driver.name);
  const lost = mine.filter(({ trouble }) => trouble.length > 0);
  expect(lost.map(({ fault, driver, step, trouble }) => ({ fault, driver, step, trouble }))).toEqual([]);
  // The worst moments were among them.
  const struck = mine.filter(
    ({ step, stage }) => step !== "refresh" && (stage === "switch" || stage === "confirmation"),
  );
  expect(struck.length).toBeGreaterThanOrEqual(Math.floor(tries / 8));
}

const only = (names: string[]): Fault[] => faults.filter(({ name }) => long || names.includes(name));

const TIME = 4 * 3_600_000;

test.skipIf(confirmed === 0)(
  "whatever happens in the middle of a change that waits for its confirmation: old or new, whole, and the next run carries on",
  async () => {
    await operatorsIpv4();
    const router = await address();
    const driver = hooksDriver("hooks, confirmed", router, routerGround(router, { managed: true }));
    await campaign(driver, confirmed, only(cutting), around);
  },
  TIME,
);

test.skipIf(uplinks === 0)(
  "the same on a cloud uplink router",
  async () => {
    await lab.up("edge");
    const router = await address("root", "edge");
    await campaign(hooksDriver("hooks, uplink", router, uplinkGround(router)), uplinks, anywhere, around);
  },
  TIME,
);

test.skipIf(whole === 0)(
  "the same with a whole Pulumi run",
  async () => {
    await lab.reset("vr1");
    await operatorsIpv4();
    engine = await start();
    await campaign(pulumiDriver(engine), whole, only(few), toAndFro);
  },
  TIME,
);

test.skipIf(hooks === 0)(
  "the same in the middle of any change or look",
  async () => {
    await lab.reset("vr1");
    await operatorsIpv4();
    const router = await address();
    await campaign(hooksDriver("hooks", router, routerGround(router)), hooks);
  },
  TIME,
);

test.runIf(!long && again.source === "(?:)")("each fault has struck", () => {
  expect(new Set(all.map(({ fault }) => fault))).toEqual(new Set(faults.map(({ name }) => name)));
});
