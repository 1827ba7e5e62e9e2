// The four suites: `unit` (pure functions, no processes), `engine` (the real Pulumi CLI, no router), `pack` (what npm
// publishes) and `lab` (real routers on this machine, one test file at a time). `make test` runs them all.
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

/** What runs the package as users do, from dist/, builds it first. */
const built = "test/built.ts";

function suite(name: string, settings: object = {}): TestProjectConfiguration {
  return { test: { name, include: [`test/${name}/**/*.test.ts`], ...settings } };
}

export default defineConfig({
  test: {
    projects: [
      // No test is timed by this: on a busy machine a second may take ten.
      suite("unit", { setupFiles: "test/unit/seed.ts", testTimeout: 60_000, hookTimeout: 60_000 }),
      suite("engine", { globalSetup: built, testTimeout: 60_000, hookTimeout: 60_000 }),
      suite("pack", { globalSetup: built, testTimeout: 120_000, hookTimeout: 120_000 }),
      suite("lab", {
        globalSetup: [built, "test/lab/afterwards.ts"],
        testTimeout: 300_000,
        // The first one ever builds the lab's disks.
        hookTimeout: 900_000,
        fileParallelism: false,
      }),
    ],
  },
});
