// How fast the ledger settles claims, in this process and without the engine.

import { createRequire } from "node:module";
import { seconds, table } from "./measure.ts";

const { allocate } = createRequire(import.meta.url)("../dist/provider/addressing/allocate.js") as {
  allocate(pools: object[], old: string | undefined, claims: object[]): { ledger?: string; text?: string };
};
const { parsePrefix } = createRequire(import.meta.url)("../dist/provider/addressing/prefix.js") as {
  parsePrefix(text: string): unknown;
};

/** A ledger with `count` lines: all of them new, and one more. */
export function ledger(counts: number[]): string {
  const within = parsePrefix("2001:db8::/32");
  const pools = [
    {
      kind: "vpc",
      what: "prefix",
      plural: "prefixes",
      format: "prefix",
      within,
      length: 60,
      container: "zone",
      reserved: [],
    },
  ];
  const rows = counts.map((count) => {
    const claims = Array.from({ length: count }, (_, index) => ({ kind: "vpc", name: `v${index}`, was: [] }));
    const time = (old: string | undefined, all: object[]) => {
      const began = performance.now();
      const made = allocate(pools, old, all);
      return { took: (performance.now() - began) / 1000, made };
    };
    const fresh = time(undefined, claims);
    const old = Object.values(fresh.made).find((it): it is string => typeof it === "string");
    const more = time(old, [...claims, { kind: "vpc", name: "one-more", was: [] }]);
    const rate = (took: number) => Math.round(count / took).toLocaleString("en");
    return [
      count.toLocaleString("en"),
      `${seconds(fresh.took)} s`,
      rate(fresh.took),
      `${seconds(more.took)} s`,
      rate(more.took),
    ];
  });
  return table(["claims", "all new", "claims a second", "one more", "claims a second"], rows);
}
