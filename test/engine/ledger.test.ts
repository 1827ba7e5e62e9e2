// The ledger through an engine: known at preview, the same at up, nothing to do afterwards, and sticky for ever. By the Pulumi CLI
// where it is about what the CLI prints, or about when a program's claims are complete.

import { expect, test } from "vitest";
import { Engine } from "./engine";
import { InProcess } from "./in-process";
import { program, SUPER, zoneOnly } from "./programs";

const reserving = (...names: string[]) => zoneOnly(`${SUPER}, reserve: ${JSON.stringify(names)}`);

async function ledgerAfter(engine: Engine | InProcess, text: string): Promise<Record<string, string>> {
  await engine.program(text);
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  const lines = String(await engine.output("ledger"))
    .split("\n")
    .slice(1);
  return Object.fromEntries(lines.map((line) => line.split(/\s+/)).map(([, value, name]) => [name, value]));
}

test("a name keeps its prefix through adding, removing, coming back, and renaming the zone", async () => {
  await using engine = await InProcess.start();
  const first = await ledgerAfter(engine, reserving("b", "d"));
  expect(first).toEqual({ b: "2001:67c:2834::/60", d: "2001:67c:2834:10::/60" });
  const more = await ledgerAfter(engine, reserving("a", "b", "c", "d"));
  expect(more).toEqual({ ...first, a: "2001:67c:2834:20::/60", c: "2001:67c:2834:30::/60" });
  const less = await ledgerAfter(engine, reserving("c", "d", "e"));
  expect(less).toMatchObject({ c: more.c, d: more.d, e: "2001:67c:2834:40::/60" });
  expect(await ledgerAfter(engine, reserving("b", "c", "d", "e"))).toMatchObject({ b: first.b });
  const renamed = reserving("b", "c", "d", "e")
    .replace('Zone("ams1"', 'Zone("ams2"')
    .replace(" });", " }, { aliases: [{ name: 'ams1' }] });");
  expect(await ledgerAfter(engine, renamed)).toMatchObject({ b: first.b, c: more.c, d: first.d });
  const { code, all } = await engine.preview({ args: ["--expect-no-changes"] });
  expect(code, all).toBe(0);
});

test("a super CIDR grows in place, and does not shrink below what is held", async () => {
  await using engine = await InProcess.start();
  const held = await ledgerAfter(engine, reserving("a", "b", "c"));
  expect(await ledgerAfter(engine, reserving("a", "b", "c").replace("/50", "/48"))).toEqual(held);
  expect(await ledgerAfter(engine, reserving("a", "b", "c").replace("/50", "/58"))).toEqual(held);
  await engine.program(reserving("a", "b", "c").replace("/50", "/59"));
  const { code, all } = await engine.preview();
  expect(code).not.toBe(0);
  expect(all).toMatch(/has a problem: .*2001:67c:2834:20::\/60.*c/);
});

test("a program that fails leaves the ledger as it was", async () => {
  await using engine = await InProcess.start();
  const held = await ledgerAfter(engine, reserving("a", "b"));
  await engine.program(zoneOnly(`${SUPER}, reserve: ["a"]`, `throw new Error("no such luck");`));
  const { code, all } = await engine.up();
  expect(code).not.toBe(0);
  expect(all).toContain("no such luck");
  expect(await ledgerAfter(engine, reserving("a", "b"))).toEqual(held);
});

test.each([
  [
    "synchronous, a child of its zone that was renamed, and in a component that was renamed",
    'new vpc6.Vpc("shop", { zone, router });' +
      'new vpc6.Vpc("child", { zone, router }, { parent: zone, aliases: [{ name: "store" }] });' +
      'const parent = new pulumi.ComponentResource("test:Net", "net", {}, { aliases: [{ name: "mesh" }] });' +
      'const vpc = new vpc6.Vpc("net-v", { zone, router }, { parent });' +
      'const tier = new vpc6.Tier("net-t", { vpc, interface: "web0" }, { parent });' +
      'new vpc6.Instance("net-i", { tier, mac: "02:00:00:00:00:01" }, { parent });',
    ["shop", "child", "net-v"],
  ],
  [
    "in an apply of something known",
    'pulumi.output(1).apply(() => { new vpc6.Vpc("shop", { zone, router }); });',
    ["shop"],
  ],
  [
    "after a timer, and after reading a file",
    'await new Promise((done) => setTimeout(done, 50)); new vpc6.Vpc("shop", { zone, router });' +
      'await (await import("node:fs/promises")).readFile("Pulumi.yaml"); new vpc6.Vpc("late", { zone, router });',
    ["shop", "late"],
  ],
])("claims of a program that is %s", async (_name, body, names) => {
  await using engine = await Engine.start();
  const main = `export = async () => { ${body} };`;
  await engine.program(
    program(SUPER, main.replace("export =", "module.exports =")).replaceAll(
      /^import \* as (\w+) from "(.*)";/gm,
      'const $1 = require("$2");',
    ),
  );
  const { code, stdout, all } = await engine.preview({ diff: true });
  expect(code, all).toBe(0);
  const known = [...stdout.matchAll(/cidr +: "(2001:67c:2834:[\w:]*\/60)"/g)].map(([, cidr]) => cidr);
  expect(new Set(known)).toEqual(new Set(names.map((_, at) => `2001:67c:2834:${at > 0 ? `${at}0:` : ""}:/60`)));
});

test("an unknown super CIDR gives unknown results, not an error; and the engine is told where a resource was made", async () => {
  await using engine = await Engine.start();
  await engine.program(`
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";
const box = new (class extends pulumi.dynamic.Resource {
  declare readonly cidr: pulumi.Output<string>;
  constructor() {
    super({ async create() { return { id: "1", outs: { cidr: "2001:67c:2834::/50" } }; } }, "box", { cidr: undefined });
  }
})();
const zone = new vpc6.Zone("ams1", { superCidr: box.cidr, reserve: ["a"] });
export const ledger = zone.ledger;
`);
  const { code, stdout, all } = await engine.up({ args: ["--skip-preview=false", "--diff"] });
  expect(code, all).toBe(0);
  expect(stdout).toMatch(/ledger +: \[unknown\]/);
  expect(await engine.output("ledger")).toMatch(/2001:67c:2834::\/60 +a$/);
  // Though the SDK takes no other traces.
  const { resources = [] } = (await engine.export()).deployment;
  const zone = resources.find(({ type }) => type.endsWith("vpc6:Zone"));
  expect(zone?.sourcePosition).toMatch(/\/resources\/zone\.js#\d+,\d+$/);
});
