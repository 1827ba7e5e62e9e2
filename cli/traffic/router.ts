// What the resources of one router share there, as their kinds say it.

import type { Inputs, Others } from "../../provider/kind";
import { kindOf } from "../../provider/kinds";
import { fragmentsOf, type Resource, routerNameOf, type Stack } from "../stack";

/** What a resource has on a router; undefined: nothing. */
export const inputsOf = (inputs: Resource["before"], router: string): Inputs | undefined =>
  inputs !== undefined && routerNameOf(inputs) === router ? { ...inputs, fragments: fragmentsOf(inputs) } : undefined;

/** For each resource what the others have. */
export function sharers({ resources, hidden }: Stack, router: string): (it: Resource) => Others {
  const ours = resources.filter((it) => it.ours);
  const fresh = ours.some((it) => it.kind === "Router" && it.op === "create" && routerNameOf(it.after) === router);
  const had = count(
    ours.map((it) => [it, it.before]),
    router,
  );
  const have = count(
    ours.map((it) => [it, it.after]),
    router,
  );
  return (it) => ({
    had: (what) => (had.get(what) ?? []).some((other) => other !== it),
    have: (what) => (have.get(what) ?? []).some((other) => other !== it),
    hidden: hidden > 0 && !fresh,
  });
}

function count(all: [Resource, Resource["before"]][], router: string): Map<string, Resource[]> {
  const holders = new Map<string, Resource[]>();
  for (const [it, inputs] of all) {
    const here = inputsOf(inputs, router);
    for (const what of (here && kindOf(it.kind)?.traffic?.holds?.(here)) ?? []) {
      const those = holders.get(what) ?? [];
      // Two are enough to know of each whether there is another.
      if (those.length < 2) holders.set(what, [...those, it]);
    }
  }
  return holders;
}
