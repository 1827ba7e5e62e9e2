// What `make lint` runs: Biome (format, lint, import cycles), oxlint (forgotten promises, which folder imports which), knip (dead
// code), tsc, shellcheck. tools/test.mjs counts each step as one test. As many run at a time as there are cores.
//
// tsc is TypeScript 7 (package.json: typescript-7). The package `typescript` is 6, the last with the programming interface which
// Pulumi, tools/docs.mjs and some tests use.
import { spawn } from "node:child_process";
import { globSync, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

/** @typedef {{ name: string, command: [string, ...string[]] }} Step */
/** @typedef {{ name: string, ended: "well" | "badly" | "missing", printed: string, seconds: number }} Ended */

/** Runs all steps and gives each when it has ended. */
export async function* runLint() {
  const waiting = steps();
  /** @type {Map<string, Promise<Ended>>} */
  const running = new Map();
  for (;;) {
    for (const step of waiting.splice(0, availableParallelism() - running.size)) running.set(step.name, run(step));
    if (running.size === 0) return;
    const ended = await Promise.race(running.values());
    running.delete(ended.name);
    yield ended;
  }
}

/**
 * Runs a step and keeps what it prints.
 * @param {Step} step
 * @returns {Promise<Ended>}
 */
function run({ name, command: [program, ...args] }) {
  const began = Date.now();
  return new Promise((resolve, reject) => {
    let printed = "";
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const end = (/** @type {Ended["ended"]} */ ended) =>
      resolve({ name, ended, printed, seconds: (Date.now() - began) / 1000 });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        printed += text;
      });
    }
    child.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== "ENOENT") return reject(error);
      printed = `${program} is not installed (on Debian: apt-get install ${path.basename(program)})`;
      end("missing");
    });
    child.on("close", (status) => end(status === 0 ? "well" : "badly"));
  });
}

/**
 * The longest first.
 * @returns {Step[]}
 */
function steps() {
  const bin = (/** @type {string} */ name) => path.resolve("node_modules/.bin", name);
  const colors = `--colors=${process.stdout.isTTY ? "force" : "off"}`;
  const tsc = path.resolve("node_modules/typescript-7/bin/tsc");
  const { programs, fragments } = shellFiles();
  return [
    { name: "oxlint", command: [bin("oxlint")] },
    { name: "knip: what nothing uses", command: [bin("knip"), "--no-progress"] },
    { name: "knip: what only tests use", command: [bin("knip"), "--no-progress", "--production"] },
    { name: "tsc: everything", command: [tsc] },
    { name: "tsc: what is published", command: [tsc, "--project", "tsconfig.dist.json", "--noEmit"] },
    { name: "biome", command: [bin("biome"), "ci", "--error-on-warnings", colors, "."] },
    { name: "shellcheck", command: ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", ...programs] },
    // Parts of a program that is put together on its way to the router: what one sets another uses (SC2034, SC2154).
    { name: "shellcheck: fragments", command: ["shellcheck", "--shell=dash", "--exclude=SC2034,SC2154", ...fragments] },
  ];
}

/** The *.sh of provider/ and what is put behind them for a test, and everything else that begins like a shell program, whatever its name. */
function shellFiles() {
  const programs = globSync(["{tools,test,examples}/**/*", ".ci/*"]).filter((file) => {
    if (!["", ".sh", ".bash"].includes(path.extname(file)) || !statSync(file).isFile()) return false;
    return /^#!.*\b(ba|da)?sh\b/.test(readFileSync(file, "utf8").split("\n", 1)[0] ?? "");
  });
  return { programs, fragments: globSync(["provider/**/*.sh", "test/lab/fuzz/*.sh"]) };
}
