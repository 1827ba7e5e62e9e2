// A Vitest reporter for tools/test.mjs: writes to the file VPC6_RESULTS how many tests passed, failed and did not run, and
// how many seconds each file took: to load, its hooks and its tests.
import { writeFileSync } from "node:fs";
import path from "node:path";

export default class Results {
  /** @param {ReadonlyArray<import("vitest/node").TestModule>} modules */
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]).map((test) => test.result().state);
    const count = (/** @type {string} */ state) => tests.filter((it) => it === state).length;
    const [passed, failed] = [count("passed"), count("failed")];
    const files = modules.map((module) => {
      const { collectDuration, setupDuration, duration } = module.diagnostic();
      return {
        name: path.relative(process.cwd(), module.moduleId),
        seconds: (collectDuration + setupDuration + duration) / 1000,
      };
    });
    const results = { passed, failed, skipped: tests.length - passed - failed, files };
    if (process.env.VPC6_RESULTS) writeFileSync(process.env.VPC6_RESULTS, JSON.stringify(results));
  }
}
