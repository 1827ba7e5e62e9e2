// A kind of resource is a file of one name in each folder: this fails where one is missing, and where report or pictures do not know the
// kind. docs/pull-requests.md has the list of what a new kind needs.

import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { mermaid } from "../../../cli/mermaid";
import { readStack } from "../../../cli/stack";
import * as hooks from "../../../provider";
import type { Kind } from "../../../provider/kind";
import { kindOf, kinds } from "../../../provider/kinds";
import * as resources from "../../../resources";
import { Resource } from "../../../resources/resource";
import { pages } from "../../../tools/docs.mjs";
import { arguments_, planned } from "../check";

const root = path.join(import.meta.dirname, "../../..");
const names = Object.keys(kinds) as (keyof typeof kinds)[];
const kebab = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase();
const files = (pattern: string): string[] =>
  globSync(pattern, { cwd: root }).map((file) => path.basename(file).replace(/\.\w+$/, ""));
const text = (file: string): string => readFileSync(path.join(root, file), "utf8");

test("the classes of resources/, the hooks and the index of kinds are the same", () => {
  const classes = Object.entries(resources).flatMap(([name, it]) => (it.prototype instanceof Resource ? [name] : []));
  expect(classes.sort()).toEqual([...names].sort());
  expect(Object.keys(hooks).sort()).toEqual([...names].sort());
});

describe.each(names)("%s", (name) => {
  const file = kebab(name);
  const kind: Kind = kinds[name];

  test("has its file in each folder", async () => {
    expect(kind.type).toBe(name);
    const { fragments } = await planned(name, arguments_[name]);
    const wanted = [
      `resources/${file}.ts`,
      `provider/kinds/${file}.ts`,
      `docs/resources/${file}.md`,
      ...(fragments === undefined ? [] : [`provider/templates/${file}.hbs`]),
    ];
    expect(wanted.filter((it) => !existsSync(path.join(root, it)))).toEqual([]);
    expect(pages().has(`docs/resources/${file}.md`)).toBe(true);
    // What is on a router can be felt there.
    expect(kind.traffic !== undefined).toBe(fragments !== undefined);
  });

  test("has tests of what it renders, and a place in the next state that is kept", () => {
    const tests = globSync("test/unit/kinds/*.test.ts", { cwd: root }).filter(
      (it) => !/every-kind|long-lists/.test(it),
    );
    expect(tests.filter((it) => text(it).includes(`"${name}"`))).not.toEqual([]);
    expect(text("test/engine/states/example.ts")).toContain(`new vpc6.${name}(`);
  });

  test("is drawn as it says", async () => {
    const urn = (type: string, id: string) => `urn:pulumi:dev::test::pulumi-nodejs:dynamic/vpc6:${type}::${id}`;
    const vpc = { urn: urn("Vpc", "net"), inputs: await planned("Vpc", arguments_.Vpc) };
    const inputs = await planned(name, arguments_[name]);
    const own = { urn: urn(name, "own"), inputs, dependencies: [vpc.urn] };
    const picture = mermaid(readStack(JSON.stringify({ deployment: { resources: [vpc, own] } })));
    const { node } = kind.shown;
    if (node === undefined) {
      for (const line of picture.match(/^ {4}n\d+.*$/gm) ?? []) expect(line).toContain("no tier");
    } else {
      const [line = ""] = picture.match(new RegExp(`^ +n\\d+.*${node.title} ${inputs.claim}.*$`, "m")) ?? [];
      expect(line).toContain(`:::${node.look}`);
      expect(line.startsWith("    ")).toBe(node.where === "vpc");
      for (const it of node.lines(inputs)) expect(line).toContain(it ?? "");
    }
  });
});

test("there is no template, and no file of a kind, that is nobody's", () => {
  const own = names.map(kebab);
  expect(files("provider/templates/*.hbs").filter((it) => !own.includes(it))).toEqual([]);
  const shared = ["bgp", "certificate", "index"];
  expect(files("provider/kinds/*.ts").filter((it) => ![...own, ...shared].includes(it))).toEqual([]);
  expect(files("docs/resources/*.md").filter((it) => ![...own, "README"].includes(it))).toEqual([]);
});

test("all that ledgers hand out has words in a report", () => {
  const sources = globSync("provider/{kinds,addressing}/*.ts", { cwd: root }).map(text).join("\n");
  const pools = [...sources.matchAll(/\bkind: "(\w+)",\s+what:/g)].map(([, it = ""]) => it);
  expect(pools.length).toBeGreaterThan(6);
  const claimed = Object.values<Kind>(kinds).flatMap(({ shown }) => Object.keys(shown.claims));
  expect(claimed.sort()).toEqual(pools.sort());
});

test("a name that every object has is no kind", () => {
  for (const it of ["constructor", "toString", "Thing"]) expect(kindOf(it)).toBeUndefined();
});
