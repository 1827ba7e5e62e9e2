// A Vitest reporter for tools/test.mjs: writes to the file VPC6_RESULTS how many tests passed, failed and did not run, what
// failed and why, and how many seconds each file took: to load, its hooks and its tests.
import { writeFileSync } from "node:fs";
import path from "node:path";

export default class Results {
  /** @param {ReadonlyArray<import("vitest/node").TestModule>} modules */
  onTestRunEnd(modules) {
    const all = modules.flatMap((module) => [...module.children.allTests()]);
    const tests = all.map((test) => test.result().state);
    const count = (/** @type {string} */ state) => tests.filter((it) => it === state).length;
    const [passed, failed] = [count("passed"), count("failed")];
    const files = modules.map((module) => {
      const { collectDuration, setupDuration, duration } = module.diagnostic();
      return {
        name: path.relative(process.cwd(), module.moduleId),
        seconds: (collectDuration + setupDuration + duration) / 1000,
      };
    });
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const failures = [
      ...suites.map((it) => ({ it, errors: it.errors() })),
      ...all.map((it) => ({ it, errors: it.result().errors ?? [] })),
    ]
      .filter(({ errors }) => errors.length > 0)
      .map(({ it, errors }) => {
        const file = path.relative(process.cwd(), it.type === "module" ? it.moduleId : it.module.moduleId);
        const name = it.type === "module" ? file : `${file} > ${it.fullName}`;
        return `${name}\n${errors.map(({ message, diff }) => [message, diff ?? ""].join("\n").trim()).join("\n")}`;
      });
    const results = { passed, failed, skipped: tests.length - passed - failed, files, failures };
    if (process.env.VPC6_RESULTS) writeFileSync(process.env.VPC6_RESULTS, JSON.stringify(results));
  }
}
