// What a change of an access list no longer lets in: worked out by ranges, and here held against packets one by one.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Comparison, lossOf } from "../../../provider/filter/compare";
import { decide, type Flow } from "../../../provider/filter/evaluate";
import { type Places, placesOf } from "../../../provider/filter/places";
import { type RuleArgs, ruleOf, ruleShape } from "../../../provider/filter/rule";
import { costs } from "../cost";
import { many } from "../seed";

const shaped = (rules: object[]) =>
  rules.map((rule, index) => {
    const args = ruleShape({ direction: "ingress", action: "allow", protocol: "tcp", ...rule }, "", (reason) => {
      throw new Error(reason);
    });
    return ruleOf(args as RuleArgs, index);
  });
const loss = (before: object[], after: object[]): Comparison => lossOf(shaped(before), shaped(after), [6, 4]);

const ENDS = ["2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:1::/64", "10.0.0.0/8", "10.1.0.0/16"];
const ADDRESSES = [
  "2001:db9::1",
  "2001:db8:2::1",
  "2001:db8:1:2::1",
  "2001:db8:1:1::1",
  "11.0.0.1",
  "10.2.0.1",
  "10.1.0.1",
];
/** Each by itself: they do not touch. */
function addresses(family: 6 | 4): Places {
  return placesOf(
    ADDRESSES.filter((it) => it.includes(":") === (family === 6)).map((it) => `${it}/${family === 6 ? 128 : 32}`),
  );
}

const PLACES: Record<string, Places> = { icmpv6: addresses(6), icmp: addresses(4), 43: addresses(4) };
const EVERY = [...addresses(6), ...addresses(4)];
const FLOWS: Flow[] = [
  ...[1, 21, 22, 23, 79, 80, 81, 65535].flatMap((number): Flow[] => [
    { protocol: "tcp", number },
    { protocol: "udp", number },
    { protocol: "sctp", number },
  ]),
  ...[8, 13, 99, 128, 200].flatMap((number): Flow[] => [
    { protocol: "icmpv6", number },
    { protocol: "icmp", number },
  ]),
  { protocol: "gre" },
  { protocol: 43 },
  // What only rules for all protocols match.
  { protocol: 254 },
];

const rule = fc
  .record({
    direction: fc.constantFrom("ingress", "egress"),
    action: fc.constantFrom("allow", "deny"),
    protocol: fc.constantFrom("tcp", "udp", "sctp", "icmpv6", "icmp", "gre", 43, "all"),
    ports: fc.option(fc.constantFrom("22", "80", "22,80", "22-80", "1-65535"), { nil: undefined }),
    icmpType: fc.option(fc.constantFrom(128, 8, 200, 13), { nil: undefined }),
    cidrs: fc.option(fc.uniqueArray(fc.constantFrom(...ENDS), { minLength: 1, maxLength: 3 }), { nil: undefined }),
  })
  .map(({ ports, icmpType, ...it }) => ({
    ...it,
    ...(/^(tcp|udp|sctp)$/.test(String(it.protocol)) && ports && { ports }),
    ...(/^icmp/.test(String(it.protocol)) && icmpType !== undefined && { icmpType }),
  }));
const list = fc.array(rule, { maxLength: 5 });
/** A list, and the same with a rule more, less, elsewhere or otherwise. */
const edited = fc.tuple(list, list, fc.nat(), fc.nat(), fc.nat(2)).map(([before, others, from, count, keep]) => {
  const at = from % (before.length + 1);
  return [before, before.toSpliced(at, count % 3, ...others.slice(0, keep))];
});

test("is a packet that passed and does not any more, if there is one", () => {
  let [lost, kept] = [0, 0];
  fc.assert(
    fc.property(fc.oneof(edited, fc.tuple(list, list)), ([before = [], after = []]) => {
      const [old, now] = [shaped(before), shaped(after)];
      const passing = (rules: typeof old, direction: "ingress" | "egress", flow: Flow) =>
        decide(rules, direction, flow, PLACES[flow.protocol] ?? EVERY)
          .filter(({ action }) => action === "allow")
          .map(({ range }) => `${range.family} ${range.first}`);
      const any = (["ingress", "egress"] as const).some((direction) =>
        FLOWS.some((flow) => {
          const still = new Set(passing(now, direction, flow));
          return passing(old, direction, flow).some((it) => !still.has(it));
        }),
      );
      const found = lossOf(old, now, [6, 4]);
      if (any) lost++;
      else kept++;
      expect(found === "none", JSON.stringify([before, after])).toBe(!any);
    }),
    { numRuns: many(1_000, 2.5) },
  );
  expect(Math.min(lost, kept)).toBeGreaterThan(many(200, 2.5));
});

describe("is none where", () => {
  const bad = { action: "deny", protocol: "all", cidrs: ["2001:db8:bad::/48"] };
  test.each([
    ["nothing changes", [{ ports: "443" }], [{ ports: "443" }]],
    ["a port is added", [{ ports: "443" }], [{ ports: "80,443" }]],
    ["two rules become one", [{ ports: "80" }, { ports: "81" }], [{ ports: "80-81" }]],
    ["a wider rule stands behind a denial", [bad, { ports: "443" }], [{ ports: "80,443" }, bad]],
    ["what is denied was never allowed", [{ ports: "443" }], [{ action: "deny", ports: "22" }, { ports: "443" }]],
    ["an unreachable rule goes", [bad, { ports: "443", cidrs: ["2001:db8:bad:1::/64"] }], [bad]],
    ["a description changes", [{ ports: "443", description: "a" }], [{ ports: "443", description: "b", log: true }]],
    ["a number becomes the name", [{ protocol: 132, ports: "80" }], [{ protocol: "sctp", ports: "80" }]],
    ["another protocol is denied", [{ protocol: "gre" }], [{ action: "deny", protocol: 89 }, { protocol: "gre" }]],
    ["pings pass without a rule too", [{ protocol: "icmpv6", icmpType: 128 }], []],
  ])("%s", (_name, before, after) => {
    expect(loss(before, after)).toBe("none");
  });
});

test("names the rules that allowed and that deny", () => {
  expect(loss([{ ports: "443" }], [])).toMatchObject({ allowedBy: { ports: "443" } });
  expect(loss([], [{ action: "deny", protocol: "icmpv6" }])).toMatchObject({ deniedBy: { protocol: "icmpv6" } });
  expect(loss([{}], [{ action: "deny", ports: "22" }, {}])).toMatchObject({
    allowedBy: { action: "allow" },
    deniedBy: { ports: "22" },
  });
  expect(
    loss([{ protocol: "icmpv6", icmpType: 138, icmpCode: 3 }], [{ protocol: "icmpv6", icmpType: 138, icmpCode: 4 }]),
  ).toMatchObject({
    allowedBy: { icmpCode: 3 },
  });
  expect(
    loss(
      [{ protocol: "all" }],
      [{ protocol: "tcp" }, { protocol: "udp" }, { protocol: "icmpv6" }, { protocol: "icmp" }],
    ),
  ).toMatchObject({
    allowedBy: { protocol: "all" },
  });
  expect(loss([{ protocol: "all" }], [{ action: "deny", protocol: 47 }, { protocol: "all" }])).toMatchObject({
    deniedBy: { protocol: "gre" },
  });
});

describe("of long lists", () => {
  const hex = (it: number) => it.toString(16);
  const ports = (count: number) => Array.from({ length: count }, (_, it) => ({ ports: `${it + 1}` }));
  const banned = (count: number) =>
    Array.from({ length: count }, (_, it) => ({
      action: "deny",
      protocol: "all",
      cidrs: [`2001:db8:${hex(it)}::/48`],
    }));

  test("one rule among ten times as many costs about ten times as much", async () => {
    const less = (all: object[]) => () => void loss([...all, {}], [...all.slice(0, 5), ...all.slice(6), {}]);
    expect(await costs(less(banned(2000)), less(banned(200)), 30)).toBeLessThan(30);
    expect(await costs(less(ports(2000)), less(ports(200)), 30)).toBeLessThan(30);
  });

  test("that have little in common the answer is that it takes too long", () => {
    const other = ports(10_000).map(({ ports }) => ({ ports: `${Number(ports) + 20_000}` }));
    expect(loss(ports(10_000), other)).toMatchObject({ allowedBy: { ports: "1" } });
    expect(loss(ports(10_000), [...ports(10_000)].reverse())).toBe("too long");
  });
});
