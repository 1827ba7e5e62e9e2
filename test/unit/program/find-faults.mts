// Puts each of the faults (or those whose tests or words have the argument in them) into the router's program, one at a time, and runs the
// tests that are to find it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { faults } from "./faults.ts";

const [, , wanted = ""] = process.argv;
const root = path.resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(path.join(tmpdir(), "vpc6-faults-"));
const results = path.join(folder, "results.json");
const files = (tests: string): string[] =>
  [`test/unit/program/${tests}.test.ts`, `test/unit/program/services/${tests}.test.ts`].filter((file) =>
    existsSync(path.join(root, file)),
  );

interface Results {
  testResults: { assertionResults: { status: string; fullName: string }[] }[];
}

let missed = 0;
for (const [index, { tests, what }] of faults.entries()) {
  if (!`${tests}: ${what}`.includes(wanted)) continue;
  rmSync(results, { force: true });
  const vitest = path.join(root, "node_modules/.bin/vitest");
  const args = ["run", "--project", "unit", "--bail=1", "--reporter=json", `--outputFile=${results}`, ...files(tests)];
  const { stderr } = spawnSync(vitest, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, VPC6_FAULT: String(index) },
  });
  if (!existsSync(results)) throw new Error(`vitest broke down: ${stderr}`);
  const { testResults } = JSON.parse(readFileSync(results, "utf8")) as Results;
  const found = testResults.flatMap((it) => it.assertionResults).find(({ status }) => status === "failed");
  if (!found) missed++;
  console.log(`${found ? "found " : "MISSED"} ${tests}: ${what}${found ? `\n         by "${found.fullName}"` : ""}`);
}
rmSync(folder, { recursive: true });
process.exitCode = missed === 0 ? 0 : 1;
