// `vpc6 report` and `vpc6 map` as a user runs them: the real engine's preview, piped through the program that npm installs.
// With VPC6_KEEP_PREVIEWS=1 what the engine says is written to test/unit/report/previews, for the unit tests.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { mermaid } from "../../cli/mermaid";
import { readStack } from "../../cli/stack";
import { svg } from "../../cli/svg";
import { answer, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { changes, previews } from "./changes";
import { Engine } from "./engine";

const vpc6 = path.join(import.meta.dirname, "../../dist/cli/main.js");
const run = (args: string[], input: string) =>
  spawnSync(process.execPath, [vpc6, ...args], { input, encoding: "utf8" });

const READ = ["first", "nothing", "one-rule", "tier-deleted", "failed"];
const edits = (...names: string[]) => ({ edit: Object.assign({}, ...names.map((name) => changes[name]?.edit)) });
const TOGETHER: typeof changes = {
  "more, less, and what is not known yet": edits("one-more-vpc", "member-removed", "unknown"),
  "renumbered, on another router": {
    edit: {
      ...changes["another-router"]?.edit,
      shop: `const shop = new vpc6.Vpc("shop", { zone, router: vr2, cidr: "2001:67c:2834:100::/60" });`,
    },
  },
};

test("what the real engine says of changes, as reports and pictures", async () => {
  await using router = await fakeRouter(() => answer("ok 1 same", { changed: "network" }));
  await using engine = await Engine.start({ env: { VPC6_SSH_KEY: userKey.private } });
  const { port } = router.address;
  // What nothing more is asked about than that it can be read comes together, but where the unit tests want each.
  const names = process.env.VPC6_KEEP_PREVIEWS ? undefined : [...READ, ...Object.keys(TOGETHER)];
  if (names) Object.assign(changes, TOGETHER);
  const texts = await previews(engine, { port, hostKey: hostKeyPrint }, names);
  texts.export = (await engine.run(["stack", "export"])).stdout;
  if (process.env.VPC6_KEEP_PREVIEWS) {
    keep(texts, (text) =>
      text
        .replaceAll(engine.folder, "/project")
        .replaceAll(`${port}`, "2222")
        .replaceAll(hostKeyPrint, `SHA256:${"A".repeat(43)}`)
        .replaceAll("127.0.0.1", "192.0.2.1"),
    );
  }
  const said = (name: string, ...args: string[]) => run(["report", ...args], texts[name] ?? "");

  expect(said("first").stdout).toContain("11 resources created, on router `vr1`");
  expect(said("nothing").stdout).toContain("Nothing changes");
  expect(said("one-rule", "--check")).toMatchObject({ status: 0, stderr: "" });
  expect(said("tier-deleted", "--check")).toMatchObject({ status: 4, stderr: "" });
  expect(said("failed")).toMatchObject({ status: 3, stdout: expect.stringContaining("70000 is not a port") });
  expect(said("export").stdout).toContain("This stack has 1 Zone");
  for (const [name, text] of Object.entries(texts)) {
    expect(svg(readStack(text)), name).toMatch(/^<\?xml[\s\S]*<\/svg>\n$/);
    expect(mermaid(readStack(text)), name).toContain("flowchart LR");
  }
  const { first = "" } = texts;
  expect(run(["map"], first).stdout).toBe(svg(readStack(first)));
  expect(run(["map", "--format", "mermaid"], first).stdout).toBe(mermaid(readStack(first)));
}, 300_000);

test.each([
  [["report"], "", 3, /Pulumi printed no preview at all/, /^$/],
  [["report"], "error: no such stack", 1, /^$/, /^vpc6: this is not JSON/],
  [["report", "no-such-file.json"], "", 1, /^$/, /^vpc6: no-such-file.json cannot be read/],
  [["map", "--format", "png"], "{}", 2, /^$/, /there is no "png": svg or mermaid/],
  [["report", "--limit", "many"], "{}", 2, /^$/, /--limit: "many" is not a number/],
  [["draw"], "", 2, /^$/, /there is no command "draw"/],
  [[], "", 2, /^$/, /a command is missing/],
  [["--help"], "", 0, /Exit codes/, /^$/],
])("vpc6 %j of %j ends with %i", (args, input, code, stdout, stderr) => {
  const ended = run(args, input);
  expect(ended.status, ended.stderr).toBe(code);
  expect(ended.stdout).toMatch(stdout);
  expect(ended.stderr).toMatch(stderr);
});

/** What tests look at, without the traces of the machine it was made on. */
function keep(texts: Record<string, string>, anonymous: (text: string) => string): void {
  const folder = path.join(import.meta.dirname, "../unit/report/previews");
  mkdirSync(folder, { recursive: true });
  const dropped = new Set([
    "sourcePosition",
    "stackTrace",
    "created",
    "modified",
    "propertyDependencies",
    "manifest",
    "provider",
    "__provider",
    "secrets_providers",
    "duration",
  ]);
  for (const [name, text] of Object.entries(texts)) {
    const value = JSON.parse(anonymous(text), (key, it) => (dropped.has(key) ? undefined : it));
    writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(value, null, 1)}\n`);
  }
}
