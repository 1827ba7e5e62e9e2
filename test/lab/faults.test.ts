// The fault campaign in its short form; `make test-faults` runs the long one and writes the table of docs/reliability.md.

import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import { Campaign, type Try, table } from "./faults/campaign";
import { hooksDriver, pulumiDriver } from "./faults/drivers";
import { faults } from "./faults/faults";
import { talker } from "./faults/traffic";
import { type Background, lab } from "./lab.ts";
import { address } from "./router/vr1";
import { start } from "./stack.ts";

const seed = Number(process.env.VPC6_FAULTS_SEED ?? 1);
/** How often each fault strikes the hooks, and a whole `pulumi up`. */
const [rounds, wholeRounds] = (process.env.VPC6_FAULTS ?? "2,0").split(",").map(Number) as [number, number];
/** How many of the faults strike `pulumi up` in the short form. */
const few =
  process.env.VPC6_FAULTS === undefined ? ["provider killed (kill -9)", "power cut", "haproxy refuses"] : undefined;

let engine: Engine | undefined;
let talking: Background;
const all: Try[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "db1");
  await lab.exec("uplink", "ip -6 route replace 2001:67c:2834::/60 via 2001:db8:ffff::10");
  talking = talker();
}, 900_000);

afterAll(async () => {
  await talking?.stop();
  await engine?.[Symbol.asyncDispose]();
  if (all.length > 0) console.log(`seed ${seed}\n${table(all)}`);
  if (process.env.VPC6_FAULTS_REPORT) writeFileSync(process.env.VPC6_FAULTS_REPORT, JSON.stringify(all));
});

const ready = async () => {
  await lab.waitForLease("web1", "2001:67c:2834:1::10", 60_000);
  await lab.waitForGateway("web1");
};

async function strike(campaign: Campaign, times: number, which: typeof faults): Promise<void> {
  for (let round = 0; round < times; round++) {
    for (const fault of which) {
      const one = await campaign.attempt(fault);
      all.push(one);
      if (one.trouble.length > 0) {
        console.log(
          `LOST: ${one.fault}, ${one.driver}, ${one.step}, at ${one.moment.toFixed(2)}\n${one.trouble.join("\n")}`,
        );
      }
    }
  }
}

const lost = () =>
  all
    .filter(({ trouble }) => trouble.length > 0)
    .map(({ fault, driver, step, trouble }) => ({ fault, driver, step, trouble }));

test(
  "whatever happens in the middle of a change: old or new, whole, and the next run carries on",
  async () => {
    const router = await address();
    const campaign = new Campaign(hooksDriver(router), seed);
    await campaign.rehearse();
    await ready();
    await strike(campaign, rounds, faults);
    expect(lost()).toEqual([]);
  },
  4 * 3_600_000,
);

test(
  "the same with a whole `pulumi up`",
  async () => {
    await lab.reset("vr1");
    engine = await start();
    const campaign = new Campaign(pulumiDriver(engine), seed + 1);
    await campaign.rehearse();
    await ready();
    await strike(campaign, few ? 1 : wholeRounds, few ? faults.filter(({ name }) => few.includes(name)) : faults);
    expect(lost()).toEqual([]);
  },
  4 * 3_600_000,
);
