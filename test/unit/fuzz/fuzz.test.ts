// Whatever comes in, `check` does not throw: it fails with reasons, or every rendered line is one that the arguments can mean.
// `VPC6_FUZZ=100000 make test-fuzz` is the long form; `VPC6_FUZZ_SEED` repeats a run whose seed a failure printed.

import fc from "fast-check";
import { expect, test, vi } from "vitest";
import * as provider from "../../../provider/index";
import { kinds as all } from "../../../provider/kinds";
import { UNKNOWN } from "../../../provider/unknown";
import { check, type Values } from "../check";
import { seed } from "../seed";
import { valid } from "./arguments";
import { grammarOf } from "./grammar";
import { type Json, mutated } from "./hostile";

vi.mock("node:crypto", async (original) => (await import("../slow-hash")).remembered(await original()));

type Kind = keyof typeof provider;
const kinds = Object.keys(provider) as Kind[];
const numRuns = Math.ceil(Number(process.env.VPC6_FUZZ ?? 2_000) / kinds.length);
if (process.env.VPC6_FUZZ) process.stderr.write(`fuzz: ${numRuns} inputs for each kind, VPC6_FUZZ_SEED=${seed}\n`);
const timeout = 30_000 + numRuns * 30;

/** Beside its own template, a kind's fragments may hold lines of these. */
const TEMPLATES: Partial<Record<Kind, string[]>> = {
  Zone: [],
  ExternalNetwork: [],
  IsolatedNetwork: ["isolated-network", "tier"],
};
const kebab = (kind: string) => kind.replace(/(?<=.)[A-Z]/g, "-$&").toLowerCase();
const grammars = (kind: Kind) => (TEMPLATES[kind] ?? [kebab(kind)]).map(grammarOf);

/** The first letters of a private key's text: no reason may quote them. */
const SECRET = /PRIVATE KEY-----\n?\S/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

function judgeReasons(reasons: string[]): void {
  for (const reason of reasons) {
    expect(reason, "begins with a path").toMatch(/^(?:[A-Za-z_$][\w$]*|"(?:[^"\\]|\\.)*")(?:[.[][^\n]*?)?: /);
    expect(reason, "is one printable line").not.toMatch(UNPRINTABLE);
    expect(reason, "has no markup of Pulumi's CLI").not.toContain("<{%");
    expect(reason.length, "is bounded").toBeLessThan(3_000);
    expect(reason, "is a user's business").not.toMatch(/vpc6 bug|\[object|undefined/);
    expect(reason, "holds no secret").not.toMatch(SECRET);
  }
}

function judgeFragments(kind: Kind, given: Values, fragments: unknown): void {
  if (fragments === undefined || fragments === UNKNOWN) return;
  const [first, ...more] = grammars(kind);
  for (const [slot, text] of Object.entries(fragments as Record<string, string>)) {
    if (text === UNKNOWN) continue;
    expect(text.endsWith("\n")).toBe(true);
    expect(text, "has no markup of Pulumi's CLI").not.toContain("<{%");
    for (const line of text.slice(0, -1).split("\n")) {
      const means = [first, ...more].some((grammar) => grammar?.get(slot)?.test(line));
      if (!means)
        throw new Error(`${kind}, ${slot}: a line that nothing in its template can mean: ${JSON.stringify(line)}`);
    }
    // The assembly puts an interface's name in the place of such a word: nothing but an interface may be one.
    for (const [token] of text
      .replace(/"[^"\n]*"/g, (it) => (it.length === 18 ? it : ""))
      .matchAll(/(?<![\w-])mac-[0-9a-f]{12}(?!\w)/g)) {
      const devices = [
        given.interface,
        given.mac,
        (given.tier as Values)?.interface,
        ...((given.tiers as Values[]) ?? []).map((it) => it.interface),
      ];
      const own = devices.some(
        (it) => typeof it === "string" && it.toLowerCase().replace(/[:.-]|mac-/g, "") === token.slice(4),
      );
      expect(own, `${slot}: ${token} is no interface of the arguments`).toBe(true);
    }
  }
}

test.each(kinds)("%s: every property is in some sample", (kind) => {
  const { fields = [] } = all[kind].shape;
  expect(fields.length).toBeGreaterThan(1);
  const seen = new Set(fc.sample(valid[kind], { numRuns: 300, seed: 1 }).flatMap((it) => Object.keys(it as object)));
  expect(fields.filter((it) => !seen.has(it))).toEqual([]);
});

test.each(kinds)("%s: what is right is often accepted", async (kind) => {
  let accepted = 0;
  for (const given of fc.sample(valid[kind], { numRuns: 100, seed: 2 })) {
    if ((await check(kind, given as Values)).reasons.length === 0) accepted++;
  }
  expect(accepted).toBeGreaterThan(5);
});

test.each(kinds)("%s: fails with reasons, or means what it renders", { timeout }, async (kind) => {
  await fc.assert(
    fc.asyncProperty(mutated(valid[kind]), async (given: Json) => {
      const { inputs, reasons } = await check(kind, given as Values);
      judgeReasons(reasons);
      if (reasons.length > 0) return;
      judgeFragments(kind, given as Values, inputs.fragments);
      // The second preview is empty.
      const again = await check(kind, given as Values, inputs);
      expect(again.reasons).toEqual([]);
      expect(again.inputs).toEqual(inputs);
    }),
    { numRuns },
  );
});
