// examples/fleet as it is: a zone's stack and a stack for each VPC, many at a time, on one Postgres. The routers are simulated. `make
// test` takes two stacks, `make test-fleet` a hundred (VPC6_STACKS).

import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { answer, type FakeRouter, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { late } from "./engine";
import { type Postgres, postgres } from "./postgres";

const COUNT = Number(process.env.VPC6_STACKS ?? 2);
const ROUTERS = Math.max(2, Math.floor(COUNT / 2));
const repository = path.join(import.meta.dirname, "../..");
const names = Array.from({ length: COUNT }, (_, i) => `v${i}`);

let folder: string;
let database: Postgres | undefined;
const routers: FakeRouter[] = [];
/** Routers that reset every connection. */
const dead = new Set<number>();
/** What every transaction waits for. */
let held: Promise<unknown> = Promise.resolve();
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "vpc6-fleet-"));
  database = await postgres();
  await cp(path.join(repository, "examples/fleet"), folder, { recursive: true });
  const modules = path.join(folder, "node_modules");
  await cp(path.join(repository, "package.json"), path.join(modules, "vpc6/package.json"), { recursive: true });
  await symlink(path.join(repository, "dist"), path.join(modules, "vpc6/dist"));
  await symlink(path.join(repository, "node_modules"), path.join(modules, "vpc6/node_modules"));
  await symlink(path.join(repository, "node_modules/@pulumi"), path.join(modules, "@pulumi"));
  for (let i = 0; i < ROUTERS; i++) {
    const respond = async () => {
      await Promise.all([held, new Promise((pause) => setTimeout(pause, 50))]);
      return answer("ok 1 same", { changed: "network" });
    };
    routers.push(await fakeRouter(respond, { login: () => !dead.has(i) }));
  }
  await change((fleet) => {
    const { host, user } = { host: "127.0.0.1", user: "root" };
    fleet.zone = { superCidr: "2001:67c:2834::/49" };
    fleet.routers = Object.fromEntries(
      routers.map(({ address: { port } }, i) => [
        `r${i}`,
        { host, port, user, hostKey: hostKeyPrint, publicInterface: "pub0" },
      ]),
    );
    fleet.vpcs = Object.fromEntries(
      names.map((name, i) => [name, { router: `r${i % ROUTERS}`, tiers: { web: `web${Math.floor(i / ROUTERS)}` } }]),
    );
  });
}, 120_000);

afterAll(async () => {
  for (const child of running) kill(child);
  for (const router of routers) await router[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Edits fleet.json. */
async function change(edit: (fleet: Record<string, unknown>) => void): Promise<void> {
  const file = path.join(folder, "fleet.json");
  const fleet = JSON.parse(await readFile(file, "utf8"));
  edit(fleet);
  await writeFile(file, JSON.stringify(fleet));
}

/** A runner, and all that it starts, as one group of processes. */
function runner(...args: string[]): { child: ChildProcess; ended: Promise<{ code: number; all: string }> } {
  const child = spawn(path.join(repository, "tools/env"), ["node", "run.mts", ...args], {
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      ...late,
      PULUMI_HOME: path.join(folder, ".pulumi-home"),
      PULUMI_BACKEND_URL: database?.url ?? `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      VPC6_SSH_KEY: userKey.private,
      SSH_AUTH_SOCK: "",
    },
  });
  running.add(child);
  let all = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (all += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (all += text));
  const ended = new Promise<{ code: number; all: string }>((resolve) =>
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code: code ?? 137, all });
    }),
  );
  return { child, ended };
}

function kill(child: ChildProcess): void {
  try {
    process.kill(-Number(child.pid), "SIGKILL");
  } catch {
    // It has ended.
  }
}

async function up(...args: string[]) {
  const { code, all } = await runner("up", ...args).ended;
  return { code, all, sum: all.trim().split("\n").at(-1) ?? "" };
}

const locks = async () => (await database?.query("SELECT key FROM pulumi_state WHERE key LIKE '%/locks/%'")) ?? [];

test("the zone, then every VPC", async () => {
  if (!database)
    console.log("no Postgres on this machine (on Debian: apt-get install postgresql): the states are files");
  const first = await up();
  expect(first.code, first.all).toBe(0);
  console.log(`up of ${COUNT} stacks on ${ROUTERS} routers: ${first.sum}`);
  expect(first.sum).toContain(`${COUNT + 1} done, 0 unchanged, 0 failed`);
  // A few stacks are told so below, by the runs that have little to do: each of them is then among the unchanged.
  if (COUNT === 2) return;
  const again = await up();
  expect(again.sum, again.all).toContain(`0 done, ${COUNT + 1} unchanged, 0 failed`);
  console.log(`with nothing to do: ${again.sum}`);
}, 1_800_000);

test("a change of all stacks goes on where a router is dead, and the report says which and why", async () => {
  dead.add(0);
  const its = names.filter((_, i) => i % ROUTERS === 0);
  for (const client of routers[0]?.open ?? []) client.end();
  await change((fleet) => {
    fleet.domain = "example.org";
  });
  const { code, all, sum } = await up();
  expect(code).toBe(1);
  expect(sum, all).toContain(`${COUNT - its.length} done, 1 unchanged, ${its.length} failed`);
  for (const name of its) {
    expect(all).toMatch(new RegExp(`^${name} +failed .*router r0 .*does not let root log in`, "m"));
  }
  dead.clear();
  const again = await up();
  expect(again.code, again.all).toBe(0);
  expect(again.sum).toContain(`${its.length} done, ${COUNT + 1 - its.length} unchanged`);
  console.log(`a change of all stacks: ${sum}`);
}, 1_800_000);

/** Whoever asks router r0 from now on waits, until `release`; `reached`: until somebody does. */
function hold(): { release: () => void; reached: () => Promise<void> } {
  let release = () => {};
  held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = () => routers[0]?.payloads.length ?? 0;
  let before = asked();
  const reached = async () => {
    await vi.waitFor(() => expect(asked()).toBeGreaterThan(before), { timeout: 120_000, interval: 100 });
    before = asked();
  };
  return { release, reached };
}

test("a runner killed in the middle leaves locks behind; the next one carries on, and whoever comes meanwhile is told who has a stack", async () => {
  await change((fleet) => {
    fleet.domain = "example.net";
  });
  const { release, reached } = hold();
  const killed = runner("up", "--only", "v0");
  await reached();
  kill(killed.child);
  expect((await killed.ended).code).toBe(137);
  if (database) expect((await locks()).length).toBeGreaterThan(0);

  const first = runner("up", "--only", "v0");
  await reached();
  const second = await up("--only", "v0").finally(() => setTimeout(release, 100));
  expect(second.code).toBe(1);
  expect(second.all).toMatch(/^v0 +locked .*\S+@\S+ \(process \d+\) is at work on it since \d{4}-/m);
  expect(second.sum).toContain("0 done, 1 unchanged, 0 failed, 1 locked");

  const { code, all } = await first.ended;
  expect(code, all).toBe(0);
  expect(all).toMatch(/^v0 +done/m);
  expect(all.trim().split("\n").at(-1)).toContain("0 failed, 0 locked");
  expect(await locks()).toEqual([]);
}, 1_800_000);
