// ExternalNetwork: a named group of addresses for access lists. Nothing of it is on any router: each list that names it holds
// its entries in a set of its own, so that no router refers to what another stack could take away.

import { list, matching, record } from "../arguments";
import { outermost } from "../filter/places";
import { place } from "../filter/rule";
import type { Kind } from "../kind";
import { derive } from "../unknown";

/** Names that become part of nftables' own: its identifiers have the same characters. */
export const filterName = (what: string) =>
  matching(
    `a name for ${what}: a letter or digit, then up to 62 letters, digits, dots, hyphens or underscores`,
    /^(?!.*mac-[0-9a-f]{12})[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  );

const shape = record({ name: filterName("an address group"), entries: list(place) });
type Args = ReturnType<typeof shape>;

export const externalNetwork: Kind<Args> = {
  type: "ExternalNetwork",
  schema: 1,
  shape,
  plan({ name, entries }, old) {
    // A line for each: a changed text is shown as a diff, a changed list whole.
    const lines = derive([entries] as const, (all) =>
      outermost(all)
        .map((entry) => `${entry}\n`)
        .join(""),
    );
    return { name: (old?.name as string | undefined) ?? name, entries: lines };
  },
  identify: (inputs) => `network:${inputs.name}`,
  describe: (inputs) => `"${inputs.name}"`,
};
