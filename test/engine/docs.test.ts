// The blocks of the documentation that are not TypeScript (test/unit/docs.test.ts compiles those): commands run as they stand there, on
// README's own program with a router in this process; what Pulumi is said to print is what it prints; all else is in one list with the
// reason. A new block is in neither, and fails.

import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entriesOf } from "../../cli/claims";
import { mermaid } from "../../cli/mermaid";
import { readStack } from "../../cli/stack";
import { format } from "../../provider/addressing/ledger";
import { preview } from "../unit/report/previews";
import { type FakeRouter, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { Engine } from "./engine";
import { keeper } from "./keeper";

const root = path.join(import.meta.dirname, "../..");

/** Every block that is no TypeScript, by its page and its place among them there. */
const blocks = new Map<string, string>(
  ["README.md", "SECURITY.md", "CHANGELOG.md", ...globSync("docs/**/*.md", { cwd: root }).sort()].flatMap((file) => {
    const all = [...readFileSync(path.join(root, file), "utf8").matchAll(/^(`{3,})(\w*)\n([\s\S]*?)^\1$/gm)];
    const others = all.filter(([, , language]) => language !== "ts");
    return others.map(([, , , text = ""], index) => [`${file} ${index + 1}`, text] as const);
  }),
);
const block = (name: string): string => blocks.get(name) ?? expect.fail(`there is no block ${name}`);

/** What is run here one after another: the block, and how it ends. */
const COMMANDS: [name: string, code: number, says: RegExp][] = [
  ["README.md 4", 0, /\+ 6 created/],
  ["docs/fleet.md 1", 0, /6 unchanged/],
  ["docs/drift.md 2", 0, /6 unchanged/],
  ["README.md 5", 0, /\*\*Nothing changes\.\*\*/],
  ["docs/pictures.md 1", 0, /^flowchart LR$/m],
];
/** What has a test of its own below. */
const COMPARED = [
  "README.md 1",
  "README.md 2",
  "README.md 3",
  "docs/previews.md 1",
  "docs/previews.md 2",
  "docs/allocation.md 1",
  "docs/passwords.md 1",
  "docs/pictures.md 2",
  "docs/pull-requests.md 1",
  "docs/reliability.md 1",
  "docs/reliability.md 2",
  "docs/fleet.md 3",
];
/** What cannot be run or compared here, and why. */
const NOT_HERE: Record<string, string> = {
  "docs/acl.md 1": "cut short with an ellipsis; test/unit/kinds/network-acl.test.ts has the whole words",
  "docs/acl.md 2": "a scheme with ellipses, not a text of nft's",
  "docs/drift.md 1": "what a real router says: test/lab/drift.test.ts",
  "docs/reliability.md 3": "a virtual machine's: `make test-vm`",
  "docs/routers.md 1": "what a real router says: test/lab/router/heal.test.ts",
  "docs/routers.md 2": "Proxmox VE's own commands: there is none here",
  "docs/routers.md 3": "libvirt's: `virt-install --dry-run` took it, by hand",
  "docs/routers.md 4": "Incus's: there is none here",
  "docs/fleet.md 2": "an example of two routers that are away: test/engine/fleet.test.ts asks for this form",
  "docs/fleet.md 4": "an example with times: test/engine/scale-out.test.ts runs it and asks for this form",
  "docs/previews.md 3": "it asks routers: test/lab/handovers.test.ts runs both",
  "docs/pull-requests.md 2": "test/unit/report/report.test.ts compares it",
};

test("every block is run, compared, or in the list of those that are not", () => {
  const known = [...COMMANDS.map(([name]) => name), ...COMPARED, ...Object.keys(NOT_HERE)];
  expect(known.sort()).toEqual([...blocks.keys()].sort());
});

describe("README's program", () => {
  let engine: Engine;
  let server: FakeRouter;
  const router = keeper();
  const readme = readFileSync(path.join(root, "README.md"), "utf8");
  const [, program = ""] = /^```ts\n([\s\S]*?)^```$/m.exec(readme) ?? [];

  beforeAll(async () => {
    server = await fakeRouter(router.respond);
    engine = await Engine.start({ env: { VPC6_SSH_KEY: userKey.private } });
    // README's own project file, with which it has another name, and so a stack of its own.
    const [begin = ""] = block("README.md 2").split("\n");
    expect(await engine.shell(begin)).toMatchObject({ code: 0 });
    await engine.write("Pulumi.yaml", block("README.md 3"));
    expect(await engine.shell(NEW_STACK)).toMatchObject({ code: 0 });
    await mkdir(path.join(engine.folder, "node_modules/.bin"), { recursive: true });
    const { bin } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    await symlink(path.join("../vpc6", bin.vpc6), path.join(engine.folder, "node_modules/.bin/vpc6"));
    // All of it as it stands there but the router, which is here.
    const where = 'host: "vr1.example.net", hostKey: "SHA256:0Zs2…"';
    expect(program).toContain(where);
    const here = `host: "${server.address.host}", port: ${server.address.port}, hostKey: "${hostKeyPrint}"`;
    await engine.write("index.ts", program.replace(where, here));
  }, 60_000);
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  /** Lines as they are printed, without the indent of the whole and what is Pulumi's own (ids, the URN, the hooks). */
  const lines = (text: string) =>
    text
      .split("\n")
      .map((it) => it.trim().replace(/^([+~-]) {2,}/, "$1 "))
      .filter((it) => it !== "");
  const printed = async (block: string, ends: number, ...args: string[]) => {
    const { code, all } = await engine.preview({ diff: true, args: ["--show-full-output", ...args] });
    expect(code, all).toBe(ends);
    const whole = lines(all).join("\n");
    for (const line of lines(block)) expect(whole).toContain(line);
    return whole;
  };

  test("previews as README says", async () => {
    const whole = await printed(block("README.md 1"), 0);
    const said = lines(block("README.md 1")).join("\n");
    // Of one resource, and nothing of it left out but what every resource has.
    const from = whole.slice(whole.indexOf("fragments : {\ndhcp-hosts: "));
    expect(said.endsWith(from.slice(0, from.indexOf("}\n", from.indexOf("nftables")) + 1))).toBe(true);
  }, 60_000);

  test.each(COMMANDS)(
    "%s ends with %i",
    async (name, code, says) => {
      // A terminal would ask; and the stack is there for the tests above.
      const script = block(name)
        .replace(/^pulumi up\b.*$/m, "$& --yes")
        .replace(NEW_STACK, "");
      const ended = await engine.shell(script);
      expect(ended.code, ended.all).toBe(code);
      expect(ended.stdout.trim()).toMatch(says);
    },
    60_000,
  );

  test("one tier more previews as docs/previews.md says", async () => {
    await engine.write("index.ts", `${readFileSync(path.join(engine.folder, "index.ts"), "utf8")}\n${DB}`);
    const [, code] = /--expect-no-changes +# ends with (\d+) /.exec(block("docs/previews.md 2")) ?? [];
    await printed(block("docs/previews.md 1"), Number(code), "--expect-no-changes");
  }, 60_000);
});
const NEW_STACK = "pulumi stack init dev\n";
const DB = `const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });\n`;

test("the ledger in docs/allocation.md is written as ledgers are", () => {
  const text = block("docs/allocation.md 1").trimEnd();
  const entries = entriesOf(text);
  expect(entries).toHaveLength(5);
  expect(format(text.split("\n")[0] ?? "", entries)).toBe(text);
});

test("docs/pull-requests.md pipes as README does", () => {
  expect(block("docs/pull-requests.md 1")).toBe(block("README.md 5").replace("\n", " >report.md\n"));
});

test("the topology in docs/pictures.md is what vpc6 map says", () => {
  const topology = mermaid(readStack(preview("nothing")));
  const labels = block("docs/pictures.md 2").match(/".*?"/g) ?? [];
  expect(labels.length).toBeGreaterThan(4);
  for (const label of labels) expect(topology).toContain(label);
});

test("what guests ask in docs/passwords.md is what the lab's guests ask", () => {
  const asked = /wget.*DomU_Request: send_my_password/;
  expect(block("docs/passwords.md 1")).toMatch(asked);
  expect(readFileSync(path.join(root, "test/lab/password.test.ts"), "utf8")).toMatch(asked);
});

test("the commands of this repository are there", () => {
  const targets = readFileSync(path.join(root, "Makefile"), "utf8");
  for (const name of ["docs/reliability.md 1", "docs/reliability.md 2"]) {
    const [, target] = /^make (\S+)$/m.exec(block(name)) ?? [];
    expect(targets).toMatch(new RegExp(`^${target}:`, "m"));
  }
  expect(block("docs/fleet.md 3")).toContain("node run.mts up");
  expect(existsSync(path.join(root, "examples/fleet/run.mts"))).toBe(true);
});
