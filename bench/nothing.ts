// What every provider is measured against: dynamic resources that do nothing, with the inputs that others have.

import { Engine, type StateResource } from "../test/engine/engine.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
const provider = {
  async check(_, news) { return { inputs: news }; },
  async diff(_, olds, news) { const { __provider: a, ...was } = olds; const { __provider: b, ...is } = news; return { changes: JSON.stringify(was) !== JSON.stringify(is) }; },
  async create(inputs) { return { id: "nothing", outs: inputs }; },
};
class Nothing extends pulumi.dynamic.Resource { constructor(name, props) { super(provider, name, props); } }
for (const { name, inputs } of JSON.parse(readFileSync("inputs.json", "utf8"))) new Nothing(name, inputs);
`;

/** The dynamic resources of a state: not the stack, not the provider. */
export const ours = (all: StateResource[] = []): StateResource[] => all.filter(({ type }) => type.includes("dynamic"));

/** A stack that has done nothing yet. */
export async function doNothing(state: StateResource[] | undefined, env: Record<string, string>): Promise<Engine> {
  const engine = await Engine.start({ env });
  await likewise(engine, state);
  await engine.program(PROGRAM);
  return engine;
}

/** What is in the program of such a stack from now on: a resource for each in `state`. */
export async function likewise(engine: Engine, state: StateResource[] | undefined): Promise<void> {
  const same = ours(state).map(({ urn, inputs = {} }) => {
    const { __provider, ...rest } = inputs;
    return { name: urn.slice(urn.lastIndexOf("::") + 2), inputs: rest };
  });
  await engine.write("inputs.json", JSON.stringify(same));
}
