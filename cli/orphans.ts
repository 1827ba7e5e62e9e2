// `vpc6 orphans`: what routers have of a stack that its state has no more, and how it is dropped. The one command that logs in to routers.

import { stackOf, wordOf } from "../provider/made";
import { orphansOn } from "../provider/orphans";
import { printable } from "../provider/prose";
import { converge, disconnect, observe, type RouterAddress } from "../provider/router";
import { readWay } from "../provider/way";
import { Unreadable } from "./stack";

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});

interface State {
  stack: string;
  /** The ways to them. */
  routers: Set<string>;
  /** What it knows, on whichever router. */
  ids: Set<string>;
}

/** From what `pulumi stack export` wrote: whose it is, its routers, and what it knows there. */
export function stateIn(text: string): State {
  let json: Json;
  try {
    json = object(JSON.parse(text));
  } catch {
    json = {};
  }
  const { resources, pending_operations: pending } = object(json.deployment);
  if (!Array.isArray(resources)) throw new Unreadable("this is not what `pulumi stack export` writes");
  if (Array.isArray(pending) && pending.length > 0) {
    throw new Unreadable(
      "the state has operations that were interrupted, so what they made is not in it: run `pulumi refresh` first",
    );
  }
  const [routers, ids] = [new Set<string>(), new Set<string>()];
  const stacks = new Set<string>();
  for (const resource of resources.map(object)) {
    if (!String(resource.type).startsWith("pulumi-nodejs:dynamic/vpc6:")) continue;
    const { router, made } = object(resource.outputs);
    const stack = typeof made === "string" ? stackOf(made) : undefined;
    if (stack !== undefined) stacks.add(stack);
    // Moved here, or its stack renamed, and not updated since: on the router it is still the other's.
    const [, name = "", project = ""] = /^urn:pulumi:([^:]*)::([^:]*)::/.exec(String(resource.urn)) ?? [];
    if (stack !== undefined && !stack.endsWith(`/${project}/${name}`)) stacks.add(`${project}/${name}`);
    if (typeof router !== "string") continue;
    routers.add(router);
    ids.add(String(resource.id));
  }
  const [stack, ...more] = stacks;
  if (stack === undefined)
    throw new Unreadable("the state has nothing of vpc6 on any router: what is left there cannot be known from it");
  if (more.length > 0) {
    throw new Unreadable(
      `the state has resources of several stacks (${[...stacks].join(", ")}), as after \`pulumi state move\`: run \`pulumi up\` first`,
    );
  }
  return { stack, routers, ids };
}

/** Prints them, a line each; true: there are some, and they were not dropped. Throws RouterError. */
export async function orphans(text: string, drop: boolean): Promise<boolean> {
  const { stack, routers, ids } = stateIn(text);
  let left = 0;
  try {
    for (const way of routers) {
      const router = readWay(way);
      const seen = await observe(router);
      for (const id of orphansOn(seen, stack, (it) => ids.has(it))) {
        if (drop) await dropped(router, id, seen.made.get(id));
        else left++;
        process.stdout.write(`${printable(router.name)}: ${id}${drop ? ", dropped" : ""}\n`);
      }
    }
  } finally {
    disconnect();
  }
  return left > 0;
}

async function dropped(router: RouterAddress, id: string, its: string | undefined): Promise<void> {
  const made = wordOf(its);
  await converge(router, { id, label: id, fragments: null, ...(made !== undefined && { made }) });
}
