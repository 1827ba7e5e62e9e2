// Ledgers from run to run: freed slots, new names, new sizes, new pools.
import { describe, expect, test } from "vitest";
import { allocate } from "../../../provider/addressing/allocate";
import type { PoolSpec } from "../../../provider/addressing/allotment";
import { lookup } from "../../../provider/addressing/ledger";
import { span } from "../../../provider/addressing/prefix";
import { addresses, lines, many, prefix, runs, vpc, vpcs, zone } from "./pools";

describe("freed slots", () => {
  const four = vpcs("2001:db8::/58");
  test("are remembered for their names and returned", () => {
    const gone = runs([four], [vpc("a"), vpc("b")], [vpc("b"), vpc("c")]);
    expect(lines(gone)).toEqual([
      "vpc 2001:db8::/60 a free since 1",
      "vpc 2001:db8:0:10::/60 b",
      "vpc 2001:db8:0:20::/60 c",
    ]);
    expect(lines(runs([four], [vpc("a"), vpc("b")], [vpc("b"), vpc("c")], [vpc("b"), vpc("c"), vpc("a")]))).toEqual([
      "vpc 2001:db8::/60 a",
      "vpc 2001:db8:0:10::/60 b",
      "vpc 2001:db8:0:20::/60 c",
    ]);
  });
  test("go to other names when no never-used slot is left, the oldest first, and by name among equals", () => {
    const before = [[vpc("c"), vpc("d"), vpc("a"), vpc("b")], [vpc("c"), vpc("d"), vpc("a")], [vpc("c")]];
    expect(lines(runs([four], ...before, [vpc("c"), vpc("e")]))).toEqual([
      "vpc 2001:db8::/60 a free since 2",
      "vpc 2001:db8:0:10::/60 e",
      "vpc 2001:db8:0:20::/60 c",
      "vpc 2001:db8:0:30::/60 d free since 2",
    ]);
    expect(lines(runs([four], ...before, [vpc("c"), vpc("e"), vpc("f")]))[0]).toBe("vpc 2001:db8::/60 f");
  });
  test("that a name has no size for any more stay remembered", () => {
    const ledger = runs([four], [vpc("a")], [], [vpc("a", { length: 59 })]);
    expect(lines(ledger)).toEqual(["vpc 2001:db8::/60 a free since 1", "vpc 2001:db8:0:20::/59 a"]);
  });
  test("give way to an explicit value, all that are in its way or none", () => {
    const history = [[vpc("a"), vpc("b"), vpc("c"), vpc("d")], [vpc("d")]];
    const honoured = runs([four], ...history, [vpc("d"), vpc("x", { value: "2001:db8::/59", length: 59 })]);
    expect(lines(honoured)).toEqual([
      "vpc 2001:db8::/59 x",
      "vpc 2001:db8:0:20::/60 c free since 1",
      "vpc 2001:db8:0:30::/60 d",
    ]);
    const refused = runs([four], ...history, [vpc("d"), vpc("x", { value: "2001:db8:0:20::/59", length: 59 })]);
    expect(lines(refused)).toEqual([
      "vpc 2001:db8::/60 a free since 1",
      "vpc 2001:db8:0:10::/60 b free since 1",
      "vpc 2001:db8:0:20::/60 c free since 1",
      "vpc 2001:db8:0:30::/60 d",
      "refused vpc x 2001:db8:0:20::/59 overlaps 2001:db8:0:30::/60, held by d",
    ]);
  });
  test("are opened for a larger block, but only those that it takes are forgotten", () => {
    const all = [vpc("a"), vpc("b"), vpc("c"), vpc("d")];
    // Freed in the order d, a, b; a /59 fits as soon as b is open, where a and b were.
    const ledger = runs(
      [four],
      all,
      [vpc("a"), vpc("b"), vpc("c")],
      [vpc("b"), vpc("c")],
      [vpc("c")],
      [vpc("c"), vpc("big", { length: 59 })],
    );
    expect(lines(ledger)).toEqual([
      "vpc 2001:db8::/59 big",
      "vpc 2001:db8:0:20::/60 c",
      "vpc 2001:db8:0:30::/60 d free since 1",
    ]);
  });
});

describe("renaming", () => {
  const start = [vpc("a"), vpc("b"), vpc("c")];
  test("takes over what the first former name held that is not claimed itself", () => {
    expect(lines(runs([vpcs(zone)], start, [vpc("a"), vpc("z", { was: ["a", "nobody", "c", "b"] })]))).toEqual([
      "vpc 2001:67c:2834::/60 a",
      "vpc 2001:67c:2834:10::/60 b free since 1",
      "vpc 2001:67c:2834:20::/60 z",
    ]);
  });
  test("comes before what is remembered for the new name itself", () => {
    const ledger = runs([vpcs(zone)], start, [vpc("a"), vpc("b")], [vpc("b"), vpc("c", { was: ["a"] })]);
    expect(lookup(ledger, "vpc", "c")).toEqual({ value: "2001:67c:2834::/60" });
  });
  test("takes over what is remembered for a former name", () => {
    const ledger = runs([vpcs(zone)], start, [vpc("a"), vpc("b")], [vpc("a"), vpc("b"), vpc("z", { was: ["c"] })]);
    expect(lookup(ledger, "vpc", "z")).toEqual({ value: "2001:67c:2834:20::/60" });
  });
  test("is over when it has happened: the former name is free to be claimed again", () => {
    const ledger = runs(
      [vpcs(zone)],
      start,
      [vpc("z", { was: ["a"] }), vpc("b"), vpc("c")],
      [vpc("z", { was: ["a"] }), vpc("a"), vpc("b"), vpc("c")],
    );
    expect(lookup(ledger, "vpc", "z")).toEqual({ value: "2001:67c:2834::/60" });
    expect(lookup(ledger, "vpc", "a")).toEqual({ value: "2001:67c:2834:30::/60" });
  });
  test("of two heirs the first by name inherits", () => {
    const ledger = runs([vpcs(zone)], start, [vpc("y", { was: ["a"] }), vpc("x", { was: ["a"] })]);
    expect(lookup(ledger, "vpc", "x")).toEqual({ value: "2001:67c:2834::/60" });
    expect(lookup(ledger, "vpc", "y")).toEqual({ value: "2001:67c:2834:30::/60" });
  });
});

describe("changes of size", () => {
  test("a pool's new default length changes nothing that is held", () => {
    const before = runs([vpcs(zone)], [vpc("a")]);
    const { ledger } = allocate([vpcs(zone, { length: 56 })], before, [vpc("a"), vpc("b")]);
    expect(lines(ledger)).toEqual(["vpc 2001:67c:2834::/60 a", "vpc 2001:67c:2834:100::/56 b"]);
  });
  test("grow from where they begin, where nobody is; else nobody moves, and the refusal says why and what to do", () => {
    const start = [vpc("a"), vpc("b", { length: 56 })];
    expect(lines(runs([vpcs(zone)], start, [vpc("a", { length: 57 }), vpc("b", { length: 56 })]))).toEqual([
      "vpc 2001:67c:2834::/57 a",
      "vpc 2001:67c:2834:100::/56 b",
    ]);
    expect(lines(runs([vpcs(zone)], [vpc("a"), vpc("b")], [vpc("a", { length: 59 }), vpc("b")]))).toEqual([
      "vpc 2001:67c:2834::/60 a",
      "vpc 2001:67c:2834:10::/60 b",
      "refused vpc a 2001:67c:2834::/60 does not become a /59 where it is: 2001:67c:2834::/59 overlaps 2001:67c:2834:10::/60, " +
        "held by b; leave it a /60, or name a free /59 by `cidr`, to which all in it then moves",
    ]);
  });
  test("do not move the beginning, and never make smaller", () => {
    const refused = (value: string, held: number, length: number) => {
      const start = vpc("a", { value, length: held });
      const answer = lookup(runs([vpcs("2001:67c:2834::/58")], [start], [vpc("a", { length })]), "vpc", "a");
      expect(answer).toMatchObject({ value });
      return (answer as { refused: string }).refused;
    };
    expect(refused("2001:67c:2834:30::/60", 60, 59)).toContain(
      "does not become a /59 where it is: no /59 begins there;",
    );
    expect(refused("2001:67c:2834::/59", 59, 60)).toContain("a prefix in use is never made smaller; leave it a /59");
    expect(refused("2001:67c:2834::/59", 59, 57)).toBe("a /57 does not fit in 2001:67c:2834::/58");
  });
  test("do not grow over what is reserved", () => {
    const reserved = [
      { first: prefix("2001:db8:0:10::/60").base, last: prefix("2001:db8:0:10::/60").base, reason: "us" },
    ];
    const ledger = runs([vpcs("2001:db8::/58", { reserved })], [vpc("a")], [vpc("a", { length: 59 })]);
    expect(lookup(ledger, "vpc", "a")).toMatchObject({
      refused: expect.stringContaining("2001:db8::/59 overlaps what is reserved for us; leave it a /60"),
    });
  });
  test("are of lengths that the pool allows", () => {
    const pool = vpcs(zone, { lengths: { first: 48, last: 63, option: "vpcPrefixLength" } });
    expect(lookup(runs([pool], [vpc("a", { length: 64 })]), "vpc", "a")).toEqual({
      refused: "/64 is not the length of a VPC prefix: those are 48 to 63",
    });
    expect(lookup(runs([pool], [vpc("a", { value: "2001:67c:2834::/56" })]), "vpc", "a")).toEqual({
      refused:
        "2001:67c:2834::/56 is a /56, but the VPC prefixes in 2001:67c:2834::/50 are /60; with vpcPrefixLength it can be had",
    });
  });
  test("take what is remembered beside them when there is no other room, even after another could not grow", () => {
    const ledger = runs(
      [vpcs("2001:db8::/58")],
      [vpc("a"), vpc("b"), vpc("c"), vpc("d")],
      [vpc("a", { length: 59 }), vpc("b"), vpc("c", { length: 59 })],
    );
    expect(lookup(ledger, "vpc", "a")).toHaveProperty("refused");
    expect(lookup(ledger, "vpc", "c")).toEqual({ value: "2001:db8:0:20::/59" });
  });
  test("an explicit value that is held stays right when the default length changes", () => {
    const claims = [vpc("a", { value: "2001:67c:2834:30::/60" })];
    const { ledger } = allocate([vpcs(zone, { length: 56 })], runs([vpcs(zone)], claims), claims);
    expect(lookup(ledger, "vpc", "a")).toEqual({ value: "2001:67c:2834:30::/60" });
  });
  test("that cannot be had are refused with the numbers, and leave what is held", () => {
    const ledger = runs(
      [vpcs("2001:db8::/58")],
      [vpc("a"), vpc("b"), vpc("c")],
      [vpc("a", { length: 59 }), vpc("b", { length: 57 }), vpc("c")],
    );
    expect(lookup(ledger, "vpc", "a")).toEqual({
      value: "2001:db8::/60",
      refused:
        "2001:db8::/60 does not become a /59 where it is: 2001:db8::/59 overlaps 2001:db8:0:10::/60, held by b; " +
        "leave it a /60, or name a free /59 by `cidr`, to which all in it then moves",
    });
    const late = runs(
      [vpcs("2001:db8::/58")],
      [vpc("a"), vpc("b"), vpc("c")],
      [vpc("a"), vpc("b"), vpc("c"), vpc("d", { length: 59 })],
    );
    expect(lookup(late, "vpc", "d")).toEqual({
      refused:
        "no /59 is left in 2001:db8::/58 (3 of 4 VPC prefixes (/60) are in use, 5 claimed); a super CIDR of /57 would hold 8",
    });
    expect(lookup(ledger, "vpc", "b")).toEqual({
      value: "2001:db8:0:10::/60",
      refused: "a /57 does not fit in 2001:db8::/58",
    });
  });
});

describe("a pool that changes", () => {
  const start = runs([vpcs(zone)], [vpc("a"), vpc("b"), vpc("c")], [vpc("a"), vpc("c")]);
  test("grown: nothing moves, nothing but the header is another", () => {
    const { ledger, failures } = allocate([vpcs("2001:67c:2834::/48")], start, [vpc("a"), vpc("c")]);
    expect(failures).toEqual([]);
    expect(lines(ledger)).toEqual(lines(start));
    expect(ledger.split("\n")[0]).toBe("2 of 4096 VPC prefixes (/60) in 2001:67c:2834::/48 in use");
  });
  test("shrunk to what is held: what was only remembered is dropped", () => {
    const { ledger, failures } = allocate([vpcs("2001:67c:2834::/60")], start, [vpc("a")]);
    expect(failures).toEqual([]);
    expect(lines(ledger)).toEqual(["vpc 2001:67c:2834::/60 a"]);
  });
  test("shrunk below what is held: names who would fall out, and loses nothing", () => {
    const { ledger, failures } = allocate([vpcs("2001:67c:2834::/60")], start, [vpc("a"), vpc("c"), vpc("new")]);
    expect(failures).toEqual(["c would lose its VPC prefix: 2001:67c:2834:20::/60 is not inside 2001:67c:2834::/60"]);
    expect(lookup(ledger, "vpc", "c")).toEqual({ value: "2001:67c:2834:20::/60" });
  });
  test("many who would fall out are counted, not all named", () => {
    const full = runs([vpcs(zone)], many("vpc", 20));
    const { failures } = allocate([vpcs("2001:db8::/50")], full, many("vpc", 20));
    expect(failures).toHaveLength(9);
    expect(failures.at(-1)).toBe("and 12 more VPC prefixes would be lost");
  });
  test("moved elsewhere, with explicit values to go to", () => {
    const { ledger, failures } = allocate([vpcs("2001:db8::/50")], start, [
      vpc("a", { value: "2001:db8:0:20::/60" }),
      vpc("c", { value: "2001:db8::/60" }),
    ]);
    expect(failures).toEqual([]);
    expect(lines(ledger)).toEqual(["vpc 2001:db8::/60 c", "vpc 2001:db8:0:20::/60 a"]);
  });
  test("newly reserved, where somebody is", () => {
    const reserved = [{ ...span(prefix("2001:67c:2834::/60")), reason: "the zone's routers" }];
    expect(allocate([vpcs(zone, { reserved })], start, [vpc("a"), vpc("c")]).failures).toEqual([
      "a would lose its VPC prefix: 2001:67c:2834::/60 is reserved for the zone's routers",
    ]);
  });
  test("a ledger that says two hold one slot fails", () => {
    const broken = "2 in use\nvpc 2001:67c:2834::/60 a\nvpc 2001:67c:2834::/60 b";
    expect(allocate([vpcs(zone)], broken, [vpc("a"), vpc("b")]).failures).toEqual([
      "b would lose its VPC prefix: 2001:67c:2834::/60 is held twice",
    ]);
  });
});

test("what is no ledger fails the parent and is kept as it is", () => {
  expect(allocate([vpcs(zone)], "0 in use\nnonsense", [vpc("a")])).toEqual({
    ledger: "0 in use\nnonsense",
    failures: ['line 2 of the ledger cannot be read: "nonsense"'],
  });
});

test("claims that callers should have stopped", () => {
  expect(allocate([vpcs(zone)], undefined, [vpc("a b"), vpc("c")])).toEqual({
    ledger: "1 of 1024 VPC prefixes (/60) in 2001:67c:2834::/50 in use\nvpc       2001:67c:2834::/60        c",
    failures: ['"a b" cannot be the name of a claim'],
  });
  expect(() => allocate([vpcs(zone)], undefined, [{ kind: "tier", name: "a", was: [] }])).toThrow(
    'no pool of kind "tier"',
  );
  const twice = [vpc("a", { value: "2001:67c:2834:20::/60" }), vpc("a", { value: "2001:67c:2834:10::/60" }), vpc("b")];
  const { ledger } = allocate([vpcs(zone)], undefined, twice);
  expect(ledger.match(/ a$/gm)).toHaveLength(1);
  expect(allocate([vpcs(zone)], undefined, twice.toReversed()).ledger).toBe(ledger);
});

test("huge pools are counted in powers of two", () => {
  const links: PoolSpec = {
    ...addresses,
    kind: "vip",
    what: "virtual IP",
    plural: "virtual IPs",
    within: prefix("2001:db8::/64"),
  };
  const kept: PoolSpec = {
    ...links,
    kind: "kept",
    reserved: [{ ...span(prefix("2001:db8::/126")), reason: "routers" }],
  };
  expect(runs([links, kept], [])).toBe("0 of 2^64 virtual IPs, 0 of about 2^64 virtual IPs in use");
});
