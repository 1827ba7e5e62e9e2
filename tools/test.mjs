// tools/env node tools/test.mjs [SUITE…]: runs suites one after another, all of them whatever fails, and adds them up.
// Suites: `lint` and the projects of vitest.config.mts; default: all. At the end stand the seconds of every test file,
// the slowest first, those of the suites, and once more what failed: a log may be cut in its middle. The last line is `N passed, N failed` (and `, N skipped`); the exit code
// is 0 only if nothing failed and every suite ran at least one test. A suite that breaks down counts as a failure.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runLint } from "./lint.mjs";

process.chdir(path.dirname(import.meta.dirname));
const inCi = !["", "0", "false"].includes(process.env.CI ?? "");
const say = (/** @type {string} */ text) => console.log(text);
const tally = (passed = 0, failed = 0, skipped = 0) => ({ passed, failed, skipped });
/** @typedef {ReturnType<typeof tally>} Tally */

/**
 * How long each test file, or step of lint, took.
 * @type {{ name: string, seconds: number }[]}
 */
const parts = [];

/**
 * What failed, and why.
 * @type {string[]}
 */
const failures = [];

/** @type {Record<string, () => Tally | Promise<Tally>>} */
const suites = {
  lint,
  unit: () => vitest("unit"),
  engine: () => vitest("engine"),
  pack: () => vitest("pack"),
  // The project `lab` and those whose names begin so.
  lab: () => (process.platform === "linux" && process.getuid?.() === 0 ? vitest("lab*") : noLab()),
};

await main(process.argv.slice(2));

/** @param {string[]} names */
async function main(names) {
  const unknown = names.find((name) => !(name in suites));
  if (unknown) {
    say(`no suite "${unknown}": there are ${Object.keys(suites).join(", ")}`);
    process.exit(2);
  }
  /** @type {(Tally & { name: string, seconds: number })[]} */
  const rows = [];
  for (const name of names.length > 0 ? names : Object.keys(suites)) {
    say(`\n==> ${name}`);
    const began = Date.now();
    rows.push({ name, ...(await (suites[name] ?? noLab)()), seconds: (Date.now() - began) / 1000 });
  }

  say("\n  seconds  file");
  parts.sort((one, other) => other.seconds - one.seconds);
  for (const { name, seconds } of parts) say(`${seconds.toFixed(1).padStart(9)}  ${name}`);

  const line = (/** @type {unknown[]} */ [name, ...cells]) =>
    say(String(name).padEnd(8) + cells.map((cell) => String(cell).padStart(9)).join(""));
  say("");
  line(["suite", "passed", "failed", "skipped", "seconds"]);
  for (const row of rows) line([row.name, row.passed, row.failed, row.skipped, row.seconds.toFixed(1)]);

  // As many lines of each as say what went wrong.
  for (const failure of failures) say(`\n✗ ${failure.trim().split("\n").slice(0, 20).join("\n    ")}`);

  const sum = (/** @type {keyof Tally} */ key) => rows.reduce((total, row) => total + row[key], 0);
  const skipped = sum("skipped");
  say(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped ? `, ${skipped} skipped` : ""}`);
  process.exitCode = sum("failed") === 0 ? 0 : 1;
}

async function lint() {
  const counted = tally();
  for await (const { name, ended, printed, seconds } of runLint()) {
    if (printed) say(printed.trimEnd());
    say(`${{ well: "✓", badly: "✗", missing: "-" }[ended]} ${name}`);
    parts.push({ name: `lint: ${name}`, seconds });
    if (ended === "well") counted.passed++;
    else if (ended === "badly" || inCi) {
      counted.failed++;
      failures.push(`lint: ${name}\n${printed}`);
    } else counted.skipped++;
  }
  return counted;
}

/** @param {string} project */
function vitest(project) {
  const folder = mkdtempSync(path.join(tmpdir(), "vpc6-test-"));
  const results = path.join(folder, "results.json");
  // The slow suites say each test as it ends.
  const reporters = [`--reporter=${project === "unit" ? "default" : "verbose"}`, "--reporter=./tools/results.mjs"];
  const vitest = path.resolve("node_modules/.bin/vitest");
  const { status } = spawnSync(vitest, ["run", "--project", project, ...reporters], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, VPC6_RESULTS: results },
  });
  try {
    const { files, failures: those, passed, failed, skipped } = JSON.parse(readFileSync(results, "utf8"));
    parts.push(...files);
    failures.push(...those);
    const counted = tally(passed, failed, skipped);
    if (status !== 0 && failed === 0) return brokenDown(counted, `${project} broke down outside its tests`);
    if (passed + failed === 0) return brokenDown(counted, `${project} ran no test`);
    return counted;
  } catch {
    return brokenDown(tally(), `${project} left no results`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function noLab() {
  say("- the lab boots its routers in containers: it needs Linux and root. Without: make lint test-unit test-engine");
  return inCi ? brokenDown(tally(), "CI runs every suite") : tally(0, 0, 1);
}

/** @param {Tally} counted @param {string} why */
function brokenDown(counted, why) {
  failures.push(why);
  return { ...counted, failed: counted.failed + 1 };
}
