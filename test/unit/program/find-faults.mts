// Puts each of the faults (or those whose tests or words match the argument) into the router's program and runs the tests that are to find it.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { faults } from "./faults.ts";

const [, , wanted = ""] = process.argv;
const root = path.resolve(import.meta.dirname, "../../..");
const files = (tests: string): string[] =>
  [`test/unit/program/${tests}.test.ts`, `test/unit/program/services/${tests}.test.ts`].filter((file) =>
    existsSync(path.join(root, file)),
  );
let missed = 0;
for (const [index, { tests, what }] of faults.entries()) {
  if (!`${tests}: ${what}`.includes(wanted)) continue;
  const { stdout } = spawnSync(
    path.join(root, "node_modules/.bin/vitest"),
    ["run", "--project", "unit", "--reporter=json", "--bail=1", ...files(tests)],
    { cwd: root, encoding: "utf8", env: { ...process.env, VPC6_FAULT: String(index) } },
  );
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    testResults: { assertionResults: { status: string; fullName: string }[] }[];
  };
  const found = testResults.flatMap((it) => it.assertionResults).find(({ status }) => status === "failed");
  if (!found) missed++;
  console.log(`${found ? "found " : "MISSED"} ${tests}: ${what}${found ? `\n         by "${found.fullName}"` : ""}`);
}
process.exitCode = missed === 0 ? 0 : 1;
