// What npm publishes, used as a stranger would: unpacked outside the repository beside the dependencies that
// package.json declares and no others.
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../engine/engine.ts";

const repository = path.join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);
const { bin, dependencies, peerDependencies } = require("../../package.json");
const execute = promisify(execFile);

let folder: string;
let files: string[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "vpc6-pack-"));
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [packed] = JSON.parse((await execute("npm", pack, { cwd: repository })).stdout);
  files = packed.files.map(({ path }: { path: string }) => path);
  const installed = path.join(folder, "node_modules/vpc6");
  await mkdir(installed, { recursive: true });
  await execute("tar", ["-xzf", path.join(folder, packed.filename), "-C", installed, "--strip-components=1"]);
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const link = path.join(folder, "node_modules", name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(repository, "node_modules", name), link);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a piece of JavaScript prints in a Node.js process of its own. */
async function printed(code: string, { cwd = folder, type = "commonjs" } = {}): Promise<string> {
  const { stdout } = await execute(process.execPath, [`--input-type=${type}`, "--eval", code], { cwd });
  return stdout.trim();
}

describe("the tarball", () => {
  test("has the compiled package, its declarations, README, LICENSE, what changed and what is safe", () => {
    for (const name of ["resources/index", "provider/index"]) {
      expect(files).toContain(`dist/${name}.js`);
      expect(files).toContain(`dist/${name}.d.ts`);
    }
    expect(files).toEqual(
      expect.arrayContaining(["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"]),
    );
  });

  test("has every template, as JavaScript, and every shell fragment", () => {
    const assets = globSync("provider/**/*.{awk,hbs,pl,sh}", { cwd: repository });
    const built = assets.map((file) => `dist/${file}${file.endsWith(".hbs") ? ".js" : ""}`);
    expect(files).toEqual(expect.arrayContaining(built));
  });

  test("has nothing else: no sources, no tests", () => {
    const expected =
      /^(dist\/(resources|provider|cli)\/.+\.(js|d\.ts|awk|pl|sh)|docs\/.+|LICENSE|(README|CHANGELOG|SECURITY)\.md|package\.json)$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
  });
});

test("package.json says what a registry shows", () => {
  const { description, license, keywords, engines, version } = require("../../package.json");
  expect(description.length).toBeGreaterThan(40);
  expect(readFileSync(path.join(repository, "LICENSE"), "utf8")).toContain("Apache License");
  expect(license).toBe("Apache-2.0");
  expect(keywords).toEqual(expect.arrayContaining(["pulumi", "ipv6", "vpc"]));
  expect(engines).toEqual({ node: ">=22" });
  expect(readFileSync(path.join(repository, "CHANGELOG.md"), "utf8")).toMatch(
    new RegExp(`^## ${version.replaceAll(".", "\\.")} `, "m"),
  );
});

describe("the installed package", () => {
  test("is found by require and by import, with the same names", async () => {
    const required = await printed(`console.log(Object.keys(require("vpc6")).sort().join())`);
    expect(required).not.toBe("");
    const imported = await printed(`import * as vpc6 from "vpc6"; console.log(Object.keys(vpc6).sort().join())`, {
      type: "module",
    });
    const addedByNode = ["default", "module.exports", "__esModule"];
    const names = imported.split(",").filter((name) => !addedByNode.includes(name));
    expect(names.join()).toBe(required);
  });

  test("has declarations that a strict program compiles against", async () => {
    await writeFile(
      path.join(folder, "program.ts"),
      `import * as vpc6 from "vpc6";\nexport const names = Object.keys(vpc6);\n`,
    );
    const tsc = require.resolve("typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022"];
    const compiled = execute(process.execPath, [tsc, ...options, "program.ts"], { cwd: folder });
    expect(await compiled.catch(({ stdout }: { stdout: string }) => ({ stdout }))).toMatchObject({ stdout: "" });
  });

  test.each(["index.ts", "deep/down/index.ts"])("gives its hooks to the real engine, with main: %s", async (main) => {
    await using engine = await Engine.start({ main, vpc6: path.join(folder, "node_modules/vpc6") });
    await engine.program(`
import * as vpc6 from "vpc6";
export const ledger = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/50", reserve: ["shop"] }).ledger;
`);
    const { code, all } = await engine.up();
    expect(code, all).toBe(0);
    expect(await engine.output("ledger")).toMatch(/2001:67c:2834::\/60 +shop$/);
    const { deployment } = await engine.export();
    const zone = deployment.resources?.find(({ type }) => type.endsWith("vpc6:Zone"));
    // Kept twice in the state of every resource.
    expect(String(zone?.inputs?.__provider).length).toBeLessThanOrEqual(200);
  });

  test("has the program vpc6, which says what it does", async () => {
    const { stdout } = await execute(path.join(folder, "node_modules/vpc6", bin.vpc6), ["--help"]);
    expect(stdout).toMatch(/^vpc6 report/);
  });

  test("its hooks are found from this repository, and from an example in it", async () => {
    for (const cwd of [repository, path.join(repository, "examples/vpc")]) {
      const kinds = `Object.keys(require("node:module").createRequire(process.cwd() + "/_")("vpc6/provider")).sort().join()`;
      expect(await printed(`console.log(${kinds})`, { cwd })).toBe(
        "BgpPeer,ExternalNetwork,Instance,IsolatedNetwork,LoadBalancer,Nat64,NetworkAcl,Router,SecondaryAddress,Tier,Uplink,Vpc,Zone",
      );
    }
  });
});
