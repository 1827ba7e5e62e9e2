// NetworkAcl: what may leave and enter some tiers of one router, as an ordered list. On the router a chain for each direction, to
// which the tiers' interfaces lead by a map: no packet walks another list's rules.

import type { Family } from "../addressing/prefix";
import { type Fail, list, oneOf, optional, record, withDefault } from "../arguments";
import { idOf } from "../contract";
import { device, filterName, label, prefix4, prefix6, way } from "../fields";
import { keyOf, lossOf } from "../filter/compare";
import {
  checkRule,
  linesOf,
  matchOf,
  type Own,
  ownOf,
  type Rule,
  type RuleArgs,
  ruleOf,
  ruleShape,
} from "../filter/rule";
import { checkTest, testShape } from "../filter/tests";
import type { Inputs, Kind } from "../kind";
import { render } from "../templates/render";
import { all, type Effect, listOf, says, words } from "../traffic";
import { derive, hasUnknown, UNKNOWN } from "../unknown";
import { routerOf } from "../way";

const everything = { protocol: "all", action: "allow", log: false } as RuleArgs;
const PRESETS = {
  denyAll: [],
  allowAll: [
    { ...everything, direction: "ingress" },
    { ...everything, direction: "egress" },
  ],
  egressOnly: [{ ...everything, direction: "egress" }],
} satisfies Record<string, RuleArgs[]>;

const own = {
  tiers: list(
    record({
      name: label,
      interface: device,
      cidr: optional(prefix6("network")),
      ipv4: optional(prefix4("network")),
      router: way,
    }),
  ),
  rules: optional(list(ruleShape)),
  preset: optional(oneOf(...(Object.keys(PRESETS) as (keyof typeof PRESETS)[]))),
  tests: withDefault(list(testShape), []),
};

const shape = record(own, {
  adds: { name: filterName("an access list") },
});
type Args = ReturnType<typeof shape>;

/** What stands in the state, as far as `traffic` needs it. */
export interface NetworkAclInputs extends Inputs {
  /** As they were given. */
  tiers?: Pick<Args["tiers"][number], "name" | "interface" | "cidr" | "ipv4">[];
  rules?: (Omit<RuleArgs, "log"> & { log?: boolean })[] | undefined;
  preset?: Args["preset"] | undefined;
}

export const networkAcl: Kind<Args, NetworkAclInputs> = {
  type: "NetworkAcl",
  // 1: without `tiers`, `rules` and `preset`.
  schema: 2,
  shape,
  unkept: ["tiers"],
  plan(args, old, fail) {
    const name = (old?.name as string | undefined) ?? args.name;
    if ((args.tiers as unknown) === UNKNOWN) {
      return { name, at: old?.at ?? UNKNOWN, router: UNKNOWN, fragments: UNKNOWN as never };
    }
    const [first] = args.tiers;
    if (!first) {
      fail("tiers: an empty list; name the tiers whose traffic this list governs");
      return {};
    }
    const { router } = first;
    const interfaces = args.tiers.map((tier) => tier.interface);
    // The ids of those that were made before stay what they are.
    const at = (old?.at as string | undefined) ?? first.cidr ?? first.ipv4;
    const given = {
      tiers: args.tiers.map(({ router, ...tier }) => tier),
      ...(args.rules && { rules: derive([args.rules] as const, withoutDefaults) }),
      ...(args.preset !== undefined && { preset: args.preset }),
    };
    const common = { name, at, router, ...given };
    checkTiers(args, fail);
    if (hasUnknown([args, router])) return { ...common, fragments: { nftables: UNKNOWN } };
    const own = ownOf(args.tiers.map(({ cidr, ipv4 }) => [cidr ?? [], ipv4 ?? []].flat()));
    if (own.families.length === 0) return common;
    if (args.preset !== undefined && args.rules !== undefined) {
      fail(`preset: "${args.preset}" and rules; leave one of them out`);
    }
    const all = rulesOf(args);
    for (const [index, rule] of all.entries()) checkRule(rule, `rules[${index}]`, own, fail);
    const rules = all.map(ruleOf);
    checkOrder(rules, fail);
    for (const [index, test] of args.tests.entries()) checkTest(test, `tests[${index}]`, rules, own, fail);
    return { ...common, fragments: render("network-acl", view(name, interfaces, rules, own)) };
  },
  identify: (inputs) => idOf.list(String(inputs.name), String(inputs.at)),
  describe: (inputs) => `"${inputs.name}"`,
  // Open connections are let through before any list is asked.
  traffic: {
    gone: says("closes", "is gone: its tiers refuse new connections both ways, as without any list; open ones go on"),
    disturbs(before, after) {
      if (!after?.tiers || hasUnknown([after.tiers, after.rules, after.preset])) return [];
      if (!before) return all(newlyGoverned(after.tiers, after));
      const { tiers } = before;
      if (!tiers) return [says("unknown", "was made by an earlier version, which did not keep its rules")];
      const here = (those: Tiers, it: Tiers[number]) => those.some((other) => other.interface === it.interface);
      const stay = after.tiers.filter((it) => here(tiers, it));
      const come = after.tiers.filter((it) => !here(tiers, it));
      const go = tiers.filter((it) => !here(after.tiers ?? [], it));
      return all(judgesOtherwise(stay, before, after), newlyGoverned(come, after), noLongerGoverned(go, before));
    },
  },
  shown: { claims: {} },
};

type Tiers = NonNullable<NetworkAclInputs["tiers"]>;

const withoutDefaults = (rules: RuleArgs[]) => rules.map(({ log, ...rule }) => ({ ...rule, ...(log && { log }) }));

const rulesOf = ({ preset, rules }: Pick<NetworkAclInputs, "preset" | "rules">): RuleArgs[] =>
  preset === undefined ? listOf(rules).map((rule) => ({ log: false, ...rule })) : PRESETS[preset];

const networksOf = (tiers: Tiers): Own => ownOf(tiers.map(({ cidr, ipv4 }) => [cidr ?? [], ipv4 ?? []].flat()));

const DIFFERENTLY = says("closes", "judges new connections differently; open ones go on");

function judgesOtherwise(tiers: Tiers, before: NetworkAclInputs, after: NetworkAclInputs): Effect | false {
  const [old, now] = [before, after].map((it) => rulesOf(it).map(ruleOf)) as [Rule[], Rule[]];
  const loss = lossOf(old, now, networksOf(tiers).families);
  if (loss === "none") return false;
  if (loss === "too long") return DIFFERENTLY;
  const { allowedBy, deniedBy } = loss;
  const among = (rules: Rule[], rule: Rule) => rules.some((it) => keyOf(it) === keyOf(rule));
  if (allowedBy && !among(now, allowedBy)) {
    const groups = JSON.stringify(allowedBy.groups.map(({ name }) => name));
    // The same but for what is in the groups that it names.
    const emptied =
      allowedBy.groups.length > 0 &&
      now.some(
        (it) =>
          JSON.stringify(it.groups.map(({ name }) => name)) === groups &&
          keyOf({ ...it, places: [] }) === keyOf({ ...allowedBy, places: [] }) &&
          JSON.stringify(it.prefixes) === JSON.stringify(allowedBy.prefixes),
      );
    return emptied
      ? says(
          "closes",
          "has a group of addresses with fewer entries: new connections may be judged differently; open ones go on",
        )
      : says("closes", "refuses new connections that only the removed lines let in; open ones go on");
  }
  if (deniedBy && !among(old, deniedBy))
    return says("closes", "refuses new connections that the added lines deny; open ones go on");
  return allowedBy && deniedBy
    ? says("closes", "judges new connections in another order; open ones go on")
    : DIFFERENTLY;
}

/** Without a list only pings pass. */
const newlyGoverned = (tiers: Tiers, after: NetworkAclInputs): Effect | false =>
  tiers.length > 0 &&
  lossOf([], rulesOf(after).map(ruleOf), networksOf(tiers).families) !== "none" &&
  says(
    "closes",
    "refuses what its `deny` rules match, pings included, that passed without a list; open connections go on",
  );

const noLongerGoverned = (tiers: Tiers, before: NetworkAclInputs): Effect | false =>
  tiers.length > 0 &&
  lossOf(rulesOf(before).map(ruleOf), [], networksOf(tiers).families) !== "none" &&
  says(
    "closes",
    words`no longer governs tier ${tiers.map(({ name }) => name).join(", ")}: new connections that only this list let in are refused there; open ones go on`,
  );

function checkTiers({ tiers }: Args, fail: Fail): void {
  const [first] = tiers;
  for (const [index, tier] of tiers.entries()) {
    const path = `tiers[${index}]`;
    if (tier.cidr === undefined && tier.ipv4 === undefined) {
      fail(`${path}: tier "${tier.name}" has neither IPv6 nor IPv4, so there is nothing to filter`);
    }
    if (hasUnknown([first?.router, tier.router])) continue;
    const [one, other] = [routerOf(first?.router ?? ""), routerOf(tier.router)];
    if (one !== other) {
      fail(
        `${path}: tier "${tier.name}" is on router ${other}, and tier "${first?.name}" on ${one}; write a list for each`,
      );
    }
  }
}

/** A rule that matches just what an earlier one does is never reached. */
function checkOrder(rules: Rule[], fail: Fail): void {
  const seen = new Map<string, number>();
  for (const rule of rules) {
    const match = matchOf(rule);
    const before = seen.get(match);
    if (before === undefined) seen.set(match, rule.index);
    else fail(`rules[${rule.index}]: no packet gets here: rules[${before}] matches the same ones and comes first`);
  }
}

function view(name: string, interfaces: string[], rules: Rule[], own: Own): object {
  // Neither an interface nor a list has a slash in its name, and an interface is in one tier only: no two lists share a chain.
  // nft takes no digit for the first character of a name, and no list's own name begins with `_`.
  const list = `${/^[0-9]/.test(name) ? "_" : ""}${name}/${interfaces[0]}`;
  const groups = new Map<string, { set: string; type: string; entries: string[] }>();
  const counts = new Map<string, number>();
  const sets = (group: string, family: Family, entries: string[]): string => {
    const name = `${list}/${group}${family === 4 ? "/ipv4" : ""}`;
    const same = `${name} ${entries.join()}`;
    const known = groups.get(same);
    if (known) return known.set;
    // Groups of two components may have one name.
    const number = (counts.get(name) ?? 0) + 1;
    counts.set(name, number);
    const set = number === 1 ? name : `${name}/${number}`;
    groups.set(same, { set, type: `ipv${family}_addr`, entries });
    return set;
  };
  const chain = (direction: Rule["direction"]): string[] =>
    rules.filter((rule) => rule.direction === direction).flatMap((rule) => linesOf(rule, list, own, sets));
  return {
    name,
    list,
    interfaces,
    ingress: chain("ingress"),
    egress: chain("egress"),
    logsAllowed: rules.some(({ log, action }) => log && action === "allow"),
    logsDenied: rules.some(({ log, action }) => log && action === "deny"),
    groups: [...groups.values()],
  };
}
