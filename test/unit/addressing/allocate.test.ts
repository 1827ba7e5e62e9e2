import { describe, expect, test } from "vitest";
import type { Claim } from "../../../provider/addressing/allocate";
import { allocate } from "../../../provider/addressing/allocate";
import { checkSplit, type PoolSpec } from "../../../provider/addressing/allotment";
import { lookup } from "../../../provider/addressing/ledger";
import { formatPrefix, subnet } from "../../../provider/addressing/prefix";
import { addresses, asns, lines, many, prefix, range, runs, tiers, vpc, vpcs, zone } from "./pools";

describe("the seed's zone", () => {
  test("the first ledger, whose first three lines say what matters", () => {
    const claims: Claim[] = [
      vpc("shop"),
      vpc("lab"),
      { kind: "router", name: "vr1", was: [] },
      { kind: "asn", name: "vr1", was: [] },
      vpc("big", { value: "2001:db8::/60" }),
    ];
    expect(runs([vpcs(zone), addresses, asns], claims)).toBe(
      `2 of 1024 VPC prefixes (/60) in 2001:67c:2834::/50, 1 of 240 router addresses, 1 of 2 ASNs in use; 1 refused
vpc       2001:67c:2834::/60        lab
vpc       2001:67c:2834:10::/60     shop
router    2001:db8:ffff::10         vr1
asn       4200000000                vr1
refused   vpc  big  2001:db8::/60 is not inside 2001:67c:2834::/50`,
    );
  });

  test("1,024 VPCs, from 2001:67c:2834::/60 to 2001:67c:2834:3ff0::/60, and no more", () => {
    const ledger = runs([vpcs(zone)], many("vpc", 1025));
    expect(lookup(ledger, "vpc", "vpc-0000")).toEqual({ value: "2001:67c:2834::/60" });
    expect(lookup(ledger, "vpc", "vpc-1023")).toEqual({ value: "2001:67c:2834:3ff0::/60" });
    expect(lookup(ledger, "vpc", "vpc-1024")).toEqual({
      refused:
        "all 1024 VPC prefixes (/60) in 2001:67c:2834::/50 are in use (1025 claimed); a super CIDR of /49 would hold 2048",
    });
    expect(ledger.split("\n")[0]).toBe("1024 of 1024 VPC prefixes (/60) in 2001:67c:2834::/50 in use; 1 refused");
  });

  test("15 tiers after the router's /64, and no more", () => {
    const ledger = runs([tiers("2001:67c:2834:3ff0::/60")], many("tier", 17));
    expect(lookup(ledger, "tier", "tier-0000")).toEqual({ value: "2001:67c:2834:3ff1::/64" });
    expect(lookup(ledger, "tier", "tier-0014")).toEqual({ value: "2001:67c:2834:3fff::/64" });
    expect(lookup(ledger, "tier", "tier-0016")).toEqual({
      refused:
        "all 15 tier prefixes (/64) in 2001:67c:2834:3ff0::/60 are in use (17 claimed); a VPC of /59 would hold 31",
    });
  });

  test("what would be needed may be much more", () => {
    expect(lookup(runs([tiers("2001:db8::/60")], many("tier", 100)), "tier", "tier-0099")).toEqual({
      refused: "all 15 tier prefixes (/64) in 2001:db8::/60 are in use (100 claimed); a VPC of /57 would hold 127",
    });
  });
  test("addresses and numbers run out too", () => {
    const wide = {
      ...addresses,
      reserved: [{ ...range("2001:db8:ffff::10-2001:db8:ffff::11"), reason: "the uplinks" }],
    };
    expect(lookup(runs([wide], many("router", 239)), "router", "router-0238")).toEqual({
      refused:
        "all 238 router addresses in 2001:db8:ffff::10-2001:db8:ffff::ff are in use (239 claimed); a range of 241 would be needed (2 reserved)",
    });
    expect(lookup(runs([asns], many("asn", 3)), "asn", "asn-0002")).toEqual({
      refused: "all 2 ASNs in 4200000000-4200000001 are in use (3 claimed); a range of 3 would be needed",
    });
    expect(lookup(runs([{ ...asns, last: 4200000000n }], many("asn", 2)), "asn", "asn-0001")).toEqual({
      refused: "the only ASN in 4200000000 is in use (2 claimed); a range of 2 would be needed",
    });
    expect(lookup(runs([tiers("2001:db8::/64")], many("tier", 1)), "tier", "tier-0000")).toEqual({
      refused: "2001:db8::/64 has no room for tier prefixes (/64): all of it is reserved; a VPC of /63 would hold 1",
    });
  });

  test("a super CIDR too small to split", () => {
    expect(checkSplit(prefix("2001:67c:2834::/61"), 60)).toBe(
      "2001:67c:2834::/61 cannot be split into /60 prefixes: a /61 is smaller than one /60; it must be a /60 or larger",
    );
    expect(checkSplit(prefix("2001:67c:2834::/60"), 60)).toBe(undefined);
    expect(checkSplit(prefix("2001:67c:2834::/64"), 64, 1)).toBe(
      "2001:67c:2834::/64 cannot be split into /64 prefixes: it holds 1, of which 1 is kept; it must be a /63 or larger",
    );
    expect(checkSplit(prefix("2001:67c:2834::/63"), 64, 1)).toBe(undefined);
    expect(checkSplit(prefix("2001:67c:2834::/63"), 64, 2)).toContain("it must be a /62 or larger");
    expect(checkSplit(prefix(zone), 129)).toBe("/129 is not a prefix length: IPv6 lengths are 0 to 128");
    expect(checkSplit(prefix(zone), 60.5)).toContain("is not a prefix length");
  });

  test("a zone without super CIDR", () => {
    const none: PoolSpec = {
      kind: "vpc",
      what: "VPC prefix",
      plural: "VPC prefixes",
      format: "none",
      why: "ams1 has no superCidr",
    };
    const ledger = runs([none], [vpc("lab"), vpc("shop", { value: "2001:67c:2834::/60" })]);
    expect(ledger).toBe(`nothing in use; 2 refused
refused   vpc  lab  ams1 has no superCidr
refused   vpc  shop  2001:67c:2834::/60 was asked for, but ams1 has no superCidr`);
    const before = runs([vpcs(zone)], [vpc("lab"), vpc("old")]);
    expect(allocate([none], before, [vpc("lab")])).toEqual({
      ledger:
        "nothing in use; 1 refused\nvpc       2001:67c:2834::/60        lab\nrefused   vpc  lab  ams1 has no superCidr",
      failures: ["lab would lose its VPC prefix: 2001:67c:2834::/60 is held, but ams1 has no superCidr"],
    });
  });
});

describe("explicit values", () => {
  const before = runs([vpcs(zone)], [vpc("lab"), vpc("shop")]);
  const ask = (value: string, more: Partial<Claim> = {}) => {
    const { ledger } = allocate([vpcs(zone)], before, [vpc("lab"), vpc("shop"), vpc("x", { value, ...more })]);
    return lookup(ledger, "vpc", "x");
  };
  test.each([
    ["2001:67c:2834:10::/60", "2001:67c:2834:10::/60 is held by shop"],
    ["2001:67C:2834:0010::/60", "2001:67c:2834:10::/60 is held by shop"],
    ["2001:db8::/60", "2001:db8::/60 is not inside 2001:67c:2834::/50"],
    ["2001:67c:2834:4000::/60", "2001:67c:2834:4000::/60 is not inside 2001:67c:2834::/50"],
    ["2001:67c:2834::/49", "2001:67c:2834::/49 is not inside 2001:67c:2834::/50"],
    ["10.0.0.0/24", "10.0.0.0/24 is not inside 2001:67c:2834::/50"],
    ["2001:67c:2834:28::/60", '"2001:67c:2834:28::/60" has host bits set: the network is 2001:67c:2834:20::/60'],
    ["2001:67c:2834:20::/61", "2001:67c:2834:20::/61 is a /61, but the VPC prefixes in 2001:67c:2834::/50 are /60"],
    ["2001:67c:2834:20::", '"2001:67c:2834:20::" has no prefix length: write 2001:67c:2834:20::/64, for example'],
    ["shop", '"shop" is not an IPv6 or IPv4 address'],
  ])("%s is refused", (value, refused) => {
    expect(ask(value)).toEqual({ refused });
  });
  test("of another length, for a claim of that length", () => {
    expect(ask("2001:67c:2834:100::/56", { length: 56 })).toEqual({ value: "2001:67c:2834:100::/56" });
    expect(ask("2001:67c:2834:100::/60", { length: 56 })).toEqual({
      refused: "2001:67c:2834:100::/60 is a /60, but the claim is for a /56",
    });
    expect(ask("2001:67c:2834::/56", { length: 56 })).toEqual({
      refused: "2001:67c:2834::/56 overlaps 2001:67c:2834::/60, held by lab (and 1 more)",
    });
    expect(ask("2001:67c:2834:8::/61", { length: 61 })).toEqual({
      refused: "2001:67c:2834:8::/61 overlaps 2001:67c:2834::/60, held by lab",
    });
    expect(ask("2001:67c:2834:20::/60", { length: 200 })).toEqual({
      refused: "/200 is not a prefix length: IPv6 lengths are 0 to 128",
    });
  });
  test("of the other family, though its number is in the pool", () => {
    const four = vpcs("10.0.0.0/8", { length: 24 });
    expect(lookup(runs([four], [vpc("x", { value: "::a00:0/120" })]), "vpc", "x")).toEqual({
      refused: "::a00:0/120 is not inside 10.0.0.0/8",
    });
    expect(lookup(runs([four], [vpc("x", { value: "10.0.1.0/24" })]), "vpc", "x")).toEqual({ value: "10.0.1.0/24" });
  });
  test("what is reserved", () => {
    const tier = (value: string) =>
      lookup(runs([tiers("2001:db8::/60")], [{ kind: "tier", name: "web", was: [], value }]), "tier", "web");
    expect(tier("2001:db8::/64")).toEqual({ refused: "2001:db8::/64 is reserved for the VPC's own router" });
    expect(tier("2001:db8::/60")).toEqual({
      refused: "2001:db8::/60 overlaps what is reserved for the VPC's own router",
    });
    expect(tier("2001:db8:0:1::/64")).toEqual({ value: "2001:db8:0:1::/64" });
  });
  test("addresses and numbers", () => {
    const ask = (kind: string, value: string) =>
      lookup(runs([addresses, asns], [{ kind, name: "vr1", was: [], value }]), kind, "vr1");
    expect(ask("router", "2001:DB8:ffff::20")).toEqual({ value: "2001:db8:ffff::20" });
    expect(ask("router", "2001:db8:ffff::1")).toEqual({
      refused: "2001:db8:ffff::1 is not inside 2001:db8:ffff::10-2001:db8:ffff::ff",
    });
    expect(ask("router", "192.0.2.1")).toEqual({
      refused: "192.0.2.1 is not inside 2001:db8:ffff::10-2001:db8:ffff::ff",
    });
    expect(ask("asn", "4200000001")).toEqual({ value: "4200000001" });
    expect(ask("asn", "65000")).toEqual({ refused: "65000 is not inside 4200000000-4200000001" });
    expect(ask("asn", "AS1")).toEqual({ refused: '"AS1" is not a number' });
  });
  test("move their claim, and stay when they are no longer explicit", () => {
    const moved = [vpc("lab"), vpc("shop", { value: "2001:67c:2834:ff0::/60" })];
    const after = [
      "vpc 2001:67c:2834::/60 lab",
      "vpc 2001:67c:2834:10::/60 shop free since 1",
      "vpc 2001:67c:2834:ff0::/60 shop",
    ];
    const ledger = runs([vpcs(zone)], [vpc("lab"), vpc("shop")], moved);
    expect(lines(ledger)).toEqual(after);
    expect(allocate([vpcs(zone)], ledger, [vpc("lab"), vpc("shop")]).ledger).toBe(ledger);
  });
  test("refused leave their claim with what it holds", () => {
    const ledger = runs(
      [vpcs(zone)],
      [vpc("lab"), vpc("shop")],
      [vpc("lab"), vpc("shop", { value: "2001:67c:2834::/60" })],
    );
    expect(lookup(ledger, "vpc", "shop")).toEqual({
      value: "2001:67c:2834:10::/60",
      refused: "2001:67c:2834::/60 is held by lab",
    });
  });
  test("that would grow what is held name the neighbour in the way, not the claim itself", () => {
    const grown = [vpc("lab", { value: "2001:67c:2834::/59", length: 59 }), vpc("shop")];
    expect(lookup(runs([vpcs(zone)], [vpc("lab"), vpc("shop")], grown), "vpc", "lab")).toEqual({
      value: "2001:67c:2834::/60",
      refused: "2001:67c:2834::/59 overlaps 2001:67c:2834:10::/60, held by shop",
    });
  });
  test("come before new automatic claims, and never before held ones", () => {
    expect(lines(runs([vpcs(zone)], [vpc("a"), vpc("z", { value: "2001:67c:2834::/60" })]))).toEqual([
      "vpc 2001:67c:2834::/60 z",
      "vpc 2001:67c:2834:10::/60 a",
    ]);
  });
  test("wait for one another: a chain of moves is one run, and so are swaps and rounds", () => {
    const [first, second, third] = [0, 1, 2].map((index) => formatPrefix(subnet(prefix(zone), 60, index)));
    const start = [vpc("a"), vpc("b")];
    const chain = [vpc("a", { value: second ?? "" }), vpc("b", { value: third ?? "" })];
    expect(lines(runs([vpcs(zone)], start, chain))).toEqual([
      `vpc ${first} a free since 1`,
      `vpc ${second} a`,
      `vpc ${third} b`,
    ]);
    const swap = runs([vpcs(zone)], start, [vpc("a", { value: second ?? "" }), vpc("b", { value: first ?? "" })]);
    expect(lines(swap)).toEqual([`vpc ${first} b`, `vpc ${second} a`]);
    const all = ["a", "b", "c"];
    const round = [second, third, first].map((value, index) => vpc(all[index] ?? "", { value: value ?? "" }));
    expect(
      lines(
        runs(
          [vpcs(zone)],
          all.map((name) => vpc(name)),
          round,
        ),
      ),
    ).toEqual([`vpc ${first} c`, `vpc ${second} a`, `vpc ${third} b`]);
    // Whoever stays where he is, or wants what another gets, is in the way of the round.
    const held = runs(
      [vpcs(zone)],
      all.map((name) => vpc(name)),
      [...round.slice(0, 2), vpc("c")],
    );
    expect(lookup(held, "vpc", "a")).toEqual({ value: first, refused: `${second} is held by b` });
    expect(lookup(held, "vpc", "b")).toEqual({ value: second, refused: `${third} is held by c` });
  });
});
