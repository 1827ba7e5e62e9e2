// What `make lint` runs: Biome (format, lint, import cycles), ESLint (forgotten promises, which folder imports which), knip (dead code), tsc, shellcheck. tools/test.mjs runs
// the steps as the suite `lint`, each counted as one test.
import { globSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** @returns {{ name: string, command: [string, ...string[]] }[]} */
export function lintSteps() {
  const bin = (/** @type {string} */ name) => path.resolve("node_modules/.bin", name);
  const colors = `--colors=${process.stdout.isTTY ? "force" : "off"}`;
  const { programs, fragments } = shellFiles();
  return [
    { name: "biome", command: [bin("biome"), "ci", "--error-on-warnings", colors, "."] },
    { name: "eslint", command: [bin("eslint"), "."] },
    { name: "knip: what nothing uses", command: [bin("knip"), "--no-progress"] },
    { name: "knip: what only tests use", command: [bin("knip"), "--no-progress", "--production"] },
    { name: "tsc: what is published", command: [bin("tsc"), "--noEmit"] },
    { name: "tsc: everything", command: [bin("tsc"), "--project", "tsconfig.check.json"] },
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
