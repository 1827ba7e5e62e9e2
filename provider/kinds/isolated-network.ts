// IsolatedNetwork: a tier that is in no VPC. Its /64 comes from the zone, and what a Vpc gives its tiers it brings itself: IPv6
// forwarding, a place among the inside networks, and an end for its packets while the interface is down.

import type { Type } from "../arguments";
import { dnsLabel } from "../fields";
import { type Fragments, firstName, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import { all, forwarding, stopsForwarding } from "../traffic";
import { isolatedShape, type TierInputs, tier, traffic } from "./tier";

type Args = ReturnType<typeof isolatedShape>;

const shape: Type<Args> = Object.assign<Type<Args>, Pick<typeof isolatedShape, "fields" | "own">>(
  (value, path, fail) => {
    // Here they are the user's own.
    const args = isolatedShape(value, path, (reason) => fail(reason.replace(/^vpc\.ntpServers/, "ntpServers")));
    if (args.grant === undefined) fail("grant: missing; it must be what the zone's ledger answers");
    return args;
  },
  { fields: isolatedShape.fields ?? [], own: isolatedShape.own ?? [] },
);

export const isolatedNetwork: Kind<Args, TierInputs> = {
  ...tier,
  type: "IsolatedNetwork",
  shape,
  plan(args, old, fail) {
    const domain = args.domain ?? `${dnsLabel(firstName(namesOf(args.claim, old)))}.internal`;
    const inputs = tier.plan({ ...args, domain, vpc: { ...args.vpc, domain } }, old, fail);
    if (inputs.fragments === undefined) return inputs;
    return {
      ...inputs,
      fragments: join(render("isolated-network", { cidr: inputs.cidr }), inputs.fragments),
    };
  },
  traffic: {
    ...traffic,
    holds: (inputs) => [forwarding(6), ...traffic.holds(inputs)],
    disturbs: (before, after, others) =>
      all(
        ...traffic.disturbs(before, after, others),
        stopsForwarding(6, before !== undefined, after !== undefined, others),
      ),
  },
  shown: {
    claims: { isolated: { word: "isolated network", told: "space" } },
    noun: "isolated network",
    node: {
      where: "router",
      look: "tier",
      title: "isolated network",
      lines: (inputs) => tier.shown.node?.lines(inputs) ?? [],
    },
  },
};

function join(first: Fragments, second: Fragments): Fragments {
  const slots = new Set([...Object.keys(first), ...Object.keys(second)]);
  return Object.fromEntries(Array.from(slots, (slot) => [slot, `${first[slot] ?? ""}${second[slot] ?? ""}`]));
}
