// ExternalNetwork: a named group of addresses for access lists. Nothing of it is on any router: each list that names it holds
// its entries in a set of its own, so that no router refers to what another stack could take away.

import { list, record } from "../arguments";
import { idOf } from "../contract";
import { filterName, place } from "../fields";
import { outermost } from "../filter/places";
import type { Kind } from "../kind";
import { derive } from "../unknown";

const shape = record({ entries: list(place("any")) }, { adds: { name: filterName("an address group") } });
type Args = ReturnType<typeof shape>;

export const externalNetwork: Kind<Args> = {
  type: "ExternalNetwork",
  schema: 1,
  shape,
  unkept: ["entries"],
  plan({ name, entries }, old) {
    // A line for each: a changed text is shown as a diff, a changed list whole.
    const lines = derive([entries] as const, (all) =>
      outermost(all)
        .map((entry) => `${entry}\n`)
        .join(""),
    );
    return { name: (old?.name as string | undefined) ?? name, entries: lines };
  },
  identify: (inputs) => idOf.network(String(inputs.name)),
  describe: (inputs) => `"${inputs.name}"`,
  shown: { claims: {} },
};
