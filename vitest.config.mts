// The suites: `unit` (pure functions, no processes), `engine` (the real Pulumi CLI, no router), `pack` (what npm publishes), `lab` (real
// routers on this machine, three test files at a time, each in a lab of its own), then `lab-floods` (those that flood a router, each in the
// noise of the other). `make test` runs them all.
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { LongestFirst } from "./test/lab/order.mts";
import { WORKERS } from "./test/lab/which.mts";

/** What runs the package as users do, from dist/, builds it first. */
const built = "test/built.ts";

/** They flood a router. What they promise must hold while one core of two is busy: each keeps a core busy for the other. */
const floods = ["attacks", "shares"].map((name) => `test/lab/${name}.test.ts`);
/** Each event on each release with each manager of the links: in half an hour. Not in `make test`. */
const long = "test/lab/healing/healing.test.ts";
/** Vitest itself leaves a core idle, which of two is half; and some tests wait for what a router's silence, a limit or a start takes. */
const workers = { maxWorkers: availableParallelism() + 1 };

/**
 * Where tests make their folders: in memory, where there is enough of it and programs may lie there. The machines of the router's program
 * alone are some hundred thousand files made and removed, which cost a disk as much as all that is tested on them.
 */
function memory(): string {
  const place = "/dev/shm";
  try {
    const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
    const [, , type, options = ""] = mounts.findLast((it) => it.split(" ")[1] === place)?.split(" ") ?? [];
    const { bavail, bsize } = statfsSync(place);
    if (type === "tmpfs" && !/\b(ro|noexec)\b/.test(options) && bavail * bsize >= 2 ** 31) return place;
  } catch {
    // Not Linux, or there is none.
  }
  return tmpdir();
}
const env = { TMPDIR: process.env.TMPDIR ?? memory() };

const lab = {
  env,
  globalSetup: [built, "test/lab/afterwards.ts"],
  setupFiles: "test/lab/which.mts",
  testTimeout: 300_000,
  // in-process.test.ts applies everything twice in one.
  hookTimeout: 900_000,
};

function suite(name: string, settings: object = {}): TestProjectConfiguration {
  return { test: { name, include: [`test/${name}/**/*.test.ts`], ...settings } };
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      // No test is timed by these: on a busy machine a second may take ten.
      suite("unit", {
        ...workers,
        env,
        globalSetup: "test/unit/program/judged.ts",
        setupFiles: "test/unit/seed.ts",
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
      suite("engine", { ...workers, env, globalSetup: built, testTimeout: 180_000, hookTimeout: 180_000 }),
      suite("pack", { ...workers, env, globalSetup: built, testTimeout: 180_000, hookTimeout: 180_000 }),
      suite("lab", { ...lab, exclude: [...floods, long], maxWorkers: WORKERS, sequence: { groupOrder: 1 } }),
      // A real machine, emulated: of one file after the other, in minutes. Not in `make test`.
      suite("vm", {
        env,
        globalSetup: [built, "test/vm/afterwards.ts"],
        testTimeout: 900_000,
        hookTimeout: 1_200_000,
        maxWorkers: 1,
        sequence: { groupOrder: 3 },
      }),
      suite("healing", { ...lab, include: [long], maxWorkers: 1, sequence: { groupOrder: 4 } }),
      suite("lab-floods", { ...lab, include: floods, maxWorkers: Math.min(WORKERS, 2), sequence: { groupOrder: 2 } }),
    ],
  },
});
