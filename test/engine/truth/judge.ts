// One random edit through the engine: preview, `up`, one more preview. What preview said is what is in the state, what the edit did
// not name has not moved, and the second preview is empty. What became of the router, the caller looks at.

import { expect } from "vitest";
import type { Engine, State } from "../engine";
import type { InProcess } from "../in-process";
import type { Edit } from "./edits";

type Inputs = Record<string, unknown>;

export interface Step {
  op: string;
  urn: string;
  oldState?: { inputs?: Inputs };
  newState?: { inputs?: Inputs };
}

export interface Held {
  id: string;
  inputs: Inputs;
}

export interface Judged {
  /** What preview said of resources that do not stay the same. */
  changing: Step[];
  /** What `pulumi preview --json --show-sames` printed. */
  preview: string;
  /** By name, before and after. */
  before: Map<string, Held>;
  after: Map<string, Held>;
  /** The texts that the state says are on the router now, by id. */
  promised: Record<string, unknown>;
}

/** Counts of what was seen, by operation. */
export type Seen = Record<string, number>;

export async function judge(
  engine: Engine | InProcess,
  program: string,
  edit: Edit,
  seen: Seen,
  where: string,
): Promise<Judged> {
  const { what, touches, replace = [] } = edit;
  await engine.program(program);
  const state = await engine.export();
  const before = byName(state);
  const urns = (state.deployment.resources ?? []).map(({ urn }) => urn).filter((urn) => replace.includes(nameOf(urn)));
  const args = urns.flatMap((urn) => ["--replace", urn]);
  const { stdout, code, all } = await engine.preview({ json: true, args: ["--show-sames", ...args] });
  expect(code, `${where}\n${all}`).toBe(0);
  const steps = (JSON.parse(stdout) as { steps: Step[] }).steps.filter(({ urn }) => urn.includes("vpc6:"));
  const changing = steps.filter(({ op }) => op !== "same");
  for (const { op, urn } of changing) {
    seen[op] = (seen[op] ?? 0) + 1;
    expect(touches, `${where}\n${op} ${urn}`).toContain(nameOf(urn));
    expect(op, where).toMatch(
      replace.includes(nameOf(urn)) ? /^(replace|create-replacement|delete-replaced)$/ : /^(create|update|delete)$/,
    );
  }
  expect(what.startsWith("nothing") || changing.length > 0, where).toBe(true);

  const up = await engine.up({ args });
  expect(up.code, `${where}\n${up.all}`).toBe(0);
  const after = byName(await engine.export());
  // What was promised is what is there now.
  for (const { op, urn, newState } of steps) {
    const name = nameOf(urn);
    if (op === "delete-replaced") continue;
    if (op === "delete") expect(after.has(name), `${where}\n${name} is still there`).toBe(false);
    else expect(after.get(name)?.inputs, `${where}\n${name}`).toEqual(readable(newState?.inputs));
  }
  // What was not named did not move.
  for (const [name, { inputs }] of before) {
    if (!touches.includes(name)) expect(after.get(name)?.inputs, `${where}\n${name}`).toEqual(inputs);
  }
  const again = await engine.preview({ args: ["--expect-no-changes"] });
  expect(again.code, `${where}\n${again.all}`).toBe(0);
  const promised = Object.fromEntries(
    [...after.values()].flatMap(({ id, inputs }) =>
      inputs.fragments && inputs.router ? [[id, inputs.fragments]] : [],
    ),
  );
  return { changing, preview: stdout, before, after, promised };
}

export const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

export function byName(state: State): Map<string, Held> {
  const all = (state.deployment.resources ?? []).filter(({ type }) => type.includes("vpc6:"));
  return new Map(all.map(({ urn, id = "", inputs = {} }) => [nameOf(urn), { id, inputs: readable(inputs) }]));
}

/** Without a secret, which a preview masks and the state encrypts; its placeholder in the fragments stays. */
function readable(inputs: Inputs = {}): Inputs {
  const { password, ...rest } = inputs;
  return rest;
}
