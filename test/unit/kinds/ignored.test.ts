// `ignoreChanges`: the engine puts old inputs in the place of what it names, before `check` sees it. For each kind and each of its
// arguments: either nothing changes by that while the program is the same, or `check` refuses it by name.

import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Kind } from "../../../provider/kind";
import { kinds } from "../../../provider/kinds";
import { same } from "../../../provider/state";
import { arguments_, check, type Values } from "../check";
import { valid } from "../fuzz/arguments";

/** As the engine does it: the old value, or nothing where there was none. */
function ignoring(news: Values, olds: Values, key: string): Values {
  const { [key]: _, ...rest } = news;
  return { ...rest, ...(Object.hasOwn(olds, key) && { [key]: olds[key] }), ignores: [key] };
}

test("docs/previews.md says which are refused", () => {
  const text = readFileSync(path.join(import.meta.dirname, "../../../docs/previews.md"), "utf8");
  const rows = [...text.matchAll(/^\| (\w+) \| ((?:`\w+`(?:, )?)+) \|$/gm)];
  const told = rows.map(([, kind, all = ""]) => [kind, [...all.matchAll(/\w+/g)].map(([it]) => it)]);
  const all: [string, Kind][] = Object.entries(kinds);
  const refused = all.flatMap(([kind, { unkept }]) => (unkept ? [[kind, [...unkept]]] : []));
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(refused));
});

test.each(Object.keys(kinds) as (keyof typeof kinds)[])("%s", async (name) => {
  const { shape, unkept = [] }: Kind = kinds[name];
  const own = shape.own ?? [];
  expect(unkept.filter((it) => !own.includes(it))).toEqual([]);
  const [wrong, lost] = [new Set<string>(), new Set<string>()];
  const tried = new Map(own.map((key) => [key, 0]));
  for (const args of fc.sample(valid[name], { numRuns: 120, seed: 1 }) as Values[]) {
    const wanted = own.filter((it) => args[it] !== undefined && (tried.get(it) ?? 0) < 8);
    if (wanted.length === 0) continue;
    const { inputs, reasons } = await check(name, args);
    if (reasons.length > 0) continue;
    for (const key of wanted) {
      tried.set(key, (tried.get(key) ?? 0) + 1);
      const { ignores, ...news } = ignoring(args, inputs, key);
      const again = await check(name, news, inputs);
      const right = again.reasons.length === 0 && same(again.inputs, inputs);
      if (!right) (unkept.includes(key) ? lost : wrong).add(key);
      const told = (await check(name, { ...news, ignores }, inputs)).reasons;
      const refused = told.some((it) => it.startsWith(`ignoreChanges: "${key}" cannot be ignored`));
      if (refused !== unkept.includes(key)) wrong.add(`${key}: ${told[0]}`);
    }
  }
  expect([...wrong]).toEqual([]);
  // Each was tried, and what is refused has to be.
  expect(own.filter((it) => tried.get(it) === 0)).toEqual([]);
  expect(unkept.filter((it) => !lost.has(it))).toEqual([]);
  // What no program writes, what is in an argument, all at once.
  const args = arguments_[name];
  for (const part of ["fragments", `${own[0]}[0]`, `${own[0]}.x`, "*"])
    expect((await check(name, { ...args, ignores: [part] })).reasons[0]).toContain(`"${part}" cannot be ignored`);
});

test("what a transformation has the engine ignore is missed: it was sent, and is not there", async () => {
  const { mac, ...rest } = { ...arguments_.Tier, interface: undefined, mac: "02:00:00:00:00:11" };
  const { reasons } = await check("Tier", { ...rest, sent: ["claim", "mac"] });
  expect(reasons[0]).toContain('ignoreChanges: "mac" cannot be ignored');
  expect((await check("Tier", { ...rest, mac, sent: ["claim", "mac"] })).reasons).toEqual([]);
  // What the state keeps is in its place; what was not sent is not missed.
  expect((await check("Tier", { ...arguments_.Tier, sent: ["ntpServers"] })).reasons).toEqual([]);
});
