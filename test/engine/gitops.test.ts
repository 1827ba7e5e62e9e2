// examples/gitops as it is: its program, and the commands of its workflow one after another, with the real engine and a router in this
// process. Not run here: the steps that install (a registry is theirs), and GitHub itself, for which a `gh` stands that keeps comments.

import { appendFile, cp, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeRouter, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { Engine } from "./engine";
import { keeper } from "./keeper";

const repository = path.join(import.meta.dirname, "../..");
const example = path.join(repository, "examples/gitops");

/** The `run` of each step of each job, by their names. Written for this one file: two blanks a level, `run: |`. */
function scripts(workflow: string): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  let [job, step] = ["", ""];
  const lines = workflow.slice(workflow.indexOf("\njobs:\n")).split("\n");
  for (const [index, line] of lines.entries()) {
    job = /^ {2}(\w+):$/.exec(line)?.[1] ?? job;
    step = /^ {6}- name: (.*)$/.exec(line)?.[1] ?? step;
    if (!/^ +run:/.test(line)) continue;
    expect(line, "every script is a block").toBe("        run: |");
    const end = lines.findIndex((it, at) => at > index && !it.startsWith("          "));
    const block = lines.slice(index + 1, end === -1 ? undefined : end);
    found[job] = { ...found[job], [step]: block.map((it) => it.slice(10)).join("\n") };
  }
  return found;
}

const GH = `#!/bin/sh
# Keeps one comment in the folder: gh api [--paginate] PATH --jq … lists it, --method POST and PATCH write it.
echo "$*" >>gh.log
case "$*" in
  *"--method POST"*"body=@preview/report.md"*) [ ! -e comment ] && cp preview/report.md comment ;;
  *"--method PATCH repos/example/network/issues/comments/7 "*"body=@preview/report.md"*) [ -e comment ] && cp preview/report.md comment ;;
  *"--paginate repos/example/network/issues/12/comments --jq "*) [ ! -e comment ] || echo 7 ;;
  *) echo "gh: not expected: $*" >&2; exit 1 ;;
esac
`;

let engine: Engine;
let server: FakeRouter;
let steps: ReturnType<typeof scripts>;
const router = keeper();
const ssh = { VPC6_SSH_KEY: userKey.private };
// The workflow's own says where GitHub keeps things; the stack is the engine's.
const github = {
  GITHUB_REPOSITORY: "example/network",
  PULL_REQUEST: "12",
  GITHUB_OUTPUT: "output",
  GITHUB_STEP_SUMMARY: "summary",
};

beforeAll(async () => {
  steps = scripts(await readFile(path.join(example, ".github/workflows/network.yml"), "utf8"));
  server = await fakeRouter(router.respond);
  // As the example's own Pulumi.yaml names it.
  engine = await Engine.start({ name: "network" });
  for (const file of ["index.ts", "Pulumi.yaml"]) await cp(path.join(example, file), path.join(engine.folder, file));
  // As `pulumi config set` writes them.
  const { host, port } = server.address;
  const settings = Object.entries({ vr1Host: host, vr1Port: `"${port}"`, vr1HostKey: hostKeyPrint });
  const lines = settings.map(([key, value]) => `  network:${key}: ${value}\n`);
  await appendFile(path.join(engine.folder, "Pulumi.dev.yaml"), `config:\n${lines.join("")}`);
  await mkdir(path.join(engine.folder, "bin"));
  await writeFile(path.join(engine.folder, "bin/gh"), GH, { mode: 0o755 });
  // As npm installs the package's program.
  await mkdir(path.join(engine.folder, "node_modules/.bin"), { recursive: true });
  const { bin } = JSON.parse(await readFile(path.join(repository, "package.json"), "utf8"));
  await symlink(path.join("../vpc6", bin.vpc6), path.join(engine.folder, "node_modules/.bin/vpc6"));
}, 60_000);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const run = (job: string, step: string, env: Record<string, string> = {}) => {
  const script = steps[job]?.[step];
  if (script === undefined) throw new Error(`the workflow has no step ${step} in ${job}`);
  return engine.shell(script, { ...github, ...env });
};
const edit = async (from: string, to: string) => {
  const text = await readFile(path.join(engine.folder, "index.ts"), "utf8");
  expect(text).toContain(from);
  await engine.write("index.ts", text.replace(from, to));
};
const comment = () => readFile(path.join(engine.folder, "comment"), "utf8");

/** The jobs `preview` and `comment`, on through a preview that fails, as they are. */
async function pullRequest(): Promise<number> {
  await rm(path.join(engine.folder, "output"), { force: true });
  for (const step of ["Preview", "Report"]) {
    const { code, all } = await run("preview", step);
    expect(code, `${step}: ${all}`).toBe(0);
  }
  const output = await readFile(path.join(engine.folder, "output"), "utf8");
  expect(output).toMatch(/^reported=yes$/m);
  // What the artifact carries from job to job.
  await mkdir(path.join(engine.folder, "preview"), { recursive: true });
  await rename(path.join(engine.folder, "report.md"), path.join(engine.folder, "preview/report.md"));
  const { code, all } = await run("comment", "Comment");
  expect(code, all).toBe(0);
  const [, verdict = ""] = /^code=(\d+)$/m.exec(output) ?? [];
  return (await run("preview", "Verdict", { CODE: verdict })).code;
}

test("every step that runs something is run here, or installs", () => {
  expect(Object.fromEntries(Object.entries(steps).map(([job, all]) => [job, Object.keys(all)]))).toEqual({
    preview: ["Install", "Preview", "Report", "Verdict"],
    comment: ["Comment"],
    up: ["Install", "Up", "Map"],
    drift: ["Install", "Drift"],
  });
});

describe("a network by pull requests", () => {
  test("the first pull request gets its report", async () => {
    expect(await pullRequest()).toBe(0);
    const text = await comment();
    expect(text).toMatch(/^<!-- vpc6 report -->\n/);
    expect(text).toContain("8 resources created, on router `vr1`");
    expect(text).toContain("+		tcp dport 443 return");
    expect(await readFile(path.join(engine.folder, "summary"), "utf8")).toBe(text);
    expect(await readFile(path.join(engine.folder, "map.svg"), "utf8")).toContain("<title>shop ");
    expect(server.connections).toBe(0);
  });

  test("what is merged is applied", async () => {
    const { code, all } = await run("up", "Up", ssh);
    expect(code, all).toBe(0);
    expect(server.payloads.length).toBeGreaterThan(0);
    const drawn = await run("up", "Map");
    expect(drawn.code, drawn.all).toBe(0);
    expect(await readFile(path.join(engine.folder, "summary"), "utf8")).toContain("```mermaid\n%%{init");
  });

  test("the next pull request changes the same comment", async () => {
    await edit('ports: "443" }', 'ports: "80,443" }');
    expect(await pullRequest()).toBe(0);
    expect(await comment()).toContain("NetworkAcl `web` changed, on router `vr1`. Nothing is interrupted.");
    expect(await readFile(path.join(engine.folder, "gh.log"), "utf8")).toContain("--method PATCH");
  });

  test("one that closes a door somebody needs says so, and its job fails", async () => {
    await edit('ports: "80,443" }', 'ports: "80" }');
    expect(await pullRequest()).not.toBe(0);
    expect(await comment()).toMatch(/The preview failed[\s\S]*tests\[0\]\.expect: "allow", but tcp 443/);
    await edit('ports: "80" }', 'ports: "443" }');
  });

  test("at night: nothing, and then a rule that somebody deleted by hand", async () => {
    const quiet = await run("drift", "Drift", ssh);
    expect(quiet.code, quiet.all).toBe(0);
    router.drift = "drift web@acl:2001:67c:2834:1:: nftables|- tcp dport 443 return\n";
    const loud = await run("drift", "Drift", ssh);
    expect(loud.code, loud.all).toBe(7);
    expect(loud.all).toContain("tcp dport 443 return");
  });
});
