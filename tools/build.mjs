// Compiles resources/, provider/ and cli/ to dist/, makes JavaScript of the templates, and copies the shell fragments beside them.
// Does nothing when no source has changed since; dist/ is exchanged as a whole and only when all went well.
// Types are not checked here (`make lint` does), so that a build takes a second and half-done work can be tried.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

process.chdir(path.dirname(import.meta.dirname));

const assets = globSync("provider/**/*.{awk,hbs,pl,sh}");
const sources = [
  ...globSync("{resources,provider,cli}/**/*.ts"),
  ...assets,
  "tsconfig.dist.json",
  "package.json",
].sort();
const stamp = [...sources, "tools/build.mjs"].map((file) => `${file} ${statSync(file).mtimeMs}`).join("\n");

const stampFile = "dist/.built";
if (readOr(stampFile, "") !== stamp) build();

function build() {
  const fresh = `dist.${process.pid}`;
  const tsc = ["node_modules/typescript-7/bin/tsc", "--project", "tsconfig.dist.json", "--noCheck", "--outDir", fresh];
  const compiled = spawnSync(process.execPath, tsc, { stdio: "inherit" });
  if (compiled.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    process.exit(1);
  }
  const { precompile } = createRequire(import.meta.url)(path.resolve(fresh, "provider/templates/compile.js"));
  for (const file of assets) {
    if (file.endsWith(".hbs")) writeFileSync(path.join(fresh, `${file}.js`), precompile(readFileSync(file, "utf8")));
    else cpSync(file, path.join(fresh, file));
  }
  chmodSync(path.join(fresh, "cli/main.js"), 0o755);
  writeFileSync(path.join(fresh, ".built"), stamp);
  const old = `${fresh}.old`;
  try {
    renameSync("dist", old);
  } catch {} // the first build
  renameSync(fresh, "dist");
  rmSync(old, { recursive: true, force: true });
}

/** @param {string} file @param {string} otherwise */
function readOr(file, otherwise) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}
