// vpc6 without the engine: the hooks as the provider process runs them, called with what the engine keeps in its state.

import { createRequire } from "node:module";
import type { State } from "../test/engine/engine.ts";
import { lab } from "../test/lab/lab.ts";

const require = createRequire(import.meta.url);

export interface Inputs {
  fragments?: Record<string, string>;
  [key: string]: unknown;
}
interface Hooks {
  create(inputs: Inputs): Promise<{ id: string; outs: Inputs }>;
  update(id: string, olds: Inputs, news: Inputs): Promise<{ outs: Inputs }>;
  delete(id: string, outs: Inputs): Promise<void>;
}

export interface Item {
  name: string;
  kind: string;
  inputs: Inputs;
  needs: string[];
  urn: string;
  id: string;
  outs: Inputs;
}

const kinds = require("../dist/provider/index.js") as Record<string, Hooks>;
const routers = require("../dist/provider/router/index.js") as { disconnect(): void };

export const disconnect = (): void => routers.disconnect();

/** The key of the lab, where the hooks look for it. */
export async function useLabKey(): Promise<void> {
  const { VPC6_SSH_KEY_FILE = "" } = await lab.env();
  Object.assign(process.env, { VPC6_SSH_KEY_FILE, SSH_AUTH_SOCK: "" });
}

/** The resources of a state, in the order in which they depend on each other. */
export function items({ deployment }: State): Item[] {
  return (deployment.resources ?? [])
    .filter(({ type }) => type.includes("vpc6:"))
    .map(({ urn, type, id = "", inputs = {}, outputs = {}, dependencies = [] }) => ({
      urn,
      id,
      name: urn.slice(urn.lastIndexOf("::") + 2),
      kind: type.slice(type.indexOf("vpc6:") + 5),
      inputs: inputs as Inputs,
      outs: outputs as Inputs,
      needs: dependencies as string[],
    }));
}

const hooksOf = ({ kind }: Item): Hooks => {
  const found = kinds[kind];
  if (!found) throw new Error(`no hooks of ${kind}`);
  return found;
};

/** Creates all, each as soon as what it depends on is there, as the engine does. */
export async function createAll(all: Item[]): Promise<void> {
  const made = new Map<string, Promise<void>>();
  for (const item of all) {
    const needed = item.needs.flatMap((urn) => made.get(urn) ?? []);
    made.set(
      item.urn,
      Promise.all(needed).then(async () => {
        Object.assign(item, await hooksOf(item).create(item.inputs));
      }),
    );
  }
  await Promise.all(made.values());
}

export async function deleteAll(all: Item[]): Promise<void> {
  for (const item of all.toReversed()) await hooksOf(item).delete(item.id, item.outs);
}

export const add = async (item: Item): Promise<void> => {
  Object.assign(item, await hooksOf(item).create(item.inputs));
};

export const remove = (item: Item): Promise<void> => hooksOf(item).delete(item.id, item.outs);

/** Another text in a resource's fragments. */
export async function change(item: Item, from: RegExp, to: string): Promise<void> {
  const fragments = Object.fromEntries(
    Object.entries(item.inputs.fragments ?? {}).map(([slot, text]) => [slot, text.replace(from, to)]),
  );
  const news = { ...item.inputs, fragments };
  if (JSON.stringify(news) === JSON.stringify(item.inputs)) throw new Error(`${item.name} has nothing like ${from}`);
  const { outs } = await hooksOf(item).update(item.id, item.outs, news);
  item.inputs = news;
  item.outs = outs;
}
