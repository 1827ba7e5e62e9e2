// Every kind in every variant that its arguments allow (the samples of the fuzz tests): what it renders is taken by the program, assembled,
// and comes back as it was; and the report on a pull request reads it.

import fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { report } from "../../../cli/report";
import { readStack } from "../../../cli/stack";
import type { Fragments } from "../../../provider/kind";
import type { Values } from "../check";
import { changeOf, fragmentsOf, STAGE } from "./agree";
import { Host } from "./host";
import { contractWith, type KindName, type Resource, type World, worldOf } from "./world";

vi.mock("node:crypto", async (original) => (await import("../slow-hash")).remembered(await original()));

/** Of one kind. */
const ENOUGH = 12;

let world: World;
const variants = new Map<KindName, Resource[]>();

beforeAll(async () => {
  world = await worldOf(contractWith([]));
  for (const kind of world.kinds) {
    const found: Resource[] = [];
    for (const given of fc.sample(world.samples[kind], { numRuns: 400, seed: 4 })) {
      const resource = await world.resource(kind, given as Values);
      if (resource) found.push(resource);
      if (found.length === ENOUGH) break;
    }
    variants.set(kind, found);
  }
});

test("there are some of every kind, with every slot that its template has", async () => {
  const { contract } = world;
  for (const [kind, found] of variants) expect(found.length, kind).toBe(ENOUGH);
  const all = [...variants.values()].flat();
  for (const { id } of all) expect(contract.isId(id), id).toBe(true);
  const rendered = new Set(all.flatMap((it) => Object.keys(fragmentsOf(it))));
  expect([...rendered].sort()).toEqual(contract.SLOTS.filter((it) => it !== "secrets" && it !== "made").sort());
});

/** Payloads of resources whose ids are all different. */
function layers(): Map<string, Resource>[] {
  const found: Map<string, Resource>[] = [];
  for (const resource of [...variants.values()].flat()) {
    if (Object.keys(fragmentsOf(resource)).length === 0) continue;
    const layer = found.find((it) => !it.has(resource.id)) ?? new Map<string, Resource>();
    if (layer.size === 0) found.push(layer);
    layer.set(resource.id, resource);
  }
  return found;
}

test("the program takes each, assembles it, and shows it as it was", { timeout: 120_000 }, async () => {
  const { contract, payload } = world;
  const all = layers();
  const macs = new Set(JSON.stringify([...variants.values()]).match(new RegExp(contract.MAC_TOKENS, "g")));
  const links = Array.from(macs, (token, at) => `${token.slice(-12).replace(/..(?!$)/g, "$&:")} link${at}`);
  using host = new Host(world.program.program().functions, links);
  all.forEach((layer, at) => {
    const changes = [...layer.values()].map((it) => changeOf(world, it));
    host.put(`payload.${at}`, payload.encode(changes, "somebody", "abc"));
  });
  const each = `for n in ${[...all.keys()].map((at) => at + 1).join(" ")}; do
    stage_it "$ROOT/payload.$((n - 1))" "$n"
    show_fragments "$GENERATIONS/$n/fragments" >"$ROOT/shown.$n"
  done`;
  const said = host.run(`${STAGE}\n${each}`);
  expect(said).toBe("payload well\nstrangers well\nstage well\nassemble well\n".repeat(all.length));
  const left = new RegExp(`(?<![\\w-])${contract.MAC_TOKENS}(?!\\w)`);
  all.forEach((layer, at) => {
    const shown = `${host.text(`shown.${at + 1}`)}${contract.DRIFT}\n${contract.DRIFT_END}\n`;
    const sent = [...layer].map(([id, it]): [string, Fragments] => [id, fragmentsOf(it)]);
    expect(payload.decode(shown).fragments).toEqual(new Map(sent));
    const tokens = [...layer.values()].flatMap((it) => (changeOf(world, it).fragments?.secrets ?? "").split("\n"));
    for (const slot of contract.SLOTS.filter((it) => it !== "secrets")) {
      const file = host.text(`${contract.ETC.slice(1)}/generations/${at + 1}/files/${slot}`);
      expect(file).not.toMatch(left);
      for (const line of tokens) if (line !== "") expect(file).not.toContain(line.slice(0, line.indexOf(" ")));
    }
  });
});

const type = "pulumi-nodejs:dynamic/vpc6:";
const step = (op: string, { kind, id }: Resource, old: Values | undefined, now: Values | undefined) => ({
  op,
  urn: `urn:pulumi:dev::test::${type}${kind}::${id}`,
  ...(old && { oldState: { type: type + kind, inputs: old, outputs: { live: "as applied" } } }),
  ...(now && { newState: { type: type + kind, inputs: now } }),
});

test("the report knows what each puts on a router, and what becomes of it", { timeout: 120_000 }, () => {
  for (const found of variants.values()) {
    const slots = new Set(found.flatMap((it) => Object.keys(fragmentsOf(it))));
    // A kind that is on no router shows its arguments.
    if (slots.size === 0) continue;
    const steps = found.flatMap((it, at) => {
      const before = { ...it, id: `${it.id}-${at}` };
      const after = found[(at + 1) % found.length] ?? it;
      return [
        step("update", before, it.inputs, after.inputs),
        step("create", { ...it, id: `new-${at}` }, undefined, it.inputs),
      ];
    });
    const { markdown } = report(readStack(JSON.stringify({ steps, changeSummary: {} })), Number.POSITIVE_INFINITY);
    expect(markdown).not.toMatch(/not known here|\(undefined\)|vpc6 bug/);
    const titles = [...markdown.matchAll(/^@@ (.*) @@$/gm)].map(([, title]) => title ?? "");
    for (const title of titles) expect(title).toMatch(/^.+ \([a-z-]+\)$/);
    expect(new Set(titles.map((it) => it.replace(/.*\(|\)$/g, "")))).toEqual(slots);
  }
});
