// In which order vitest begins the files: the long ones first, so that no worker is left with one of them at the end. Vitest itself
// would go by how long each took the last time, and in a fresh clone by how large it is; here the longest are not the largest.

import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By suite, the longest first; which of two comes before the other matters little, that none of them comes last matters. */
const LONG: Record<string, string[]> = {
  lab: "uplink faults drift password survival nat64 main-job in-process handovers dual-stack stacks bgp load-balancer guard acl gateway moving forced filter".split(
    " ",
  ),
  engine: "in-process operations scale-out fleet host docs states gitops report ledger".split(" "),
  unit: "damage hostile refusals scale guard frr long-lists dnsmasq transaction pool contract fuzz".split(" "),
};

/** What is not named has a place behind those that are. */
function place({ moduleId }: TestSpecification): number {
  const [, suite = "", name = ""] = /\/test\/(\w+)\/(?:.*\/)?([^/]+)\.test\.ts$/.exec(moduleId) ?? [];
  const found = LONG[suite]?.indexOf(name) ?? -1;
  return found === -1 ? 99 : found;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
