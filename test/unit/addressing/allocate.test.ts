import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate } from "../../../provider/addressing/allocate";
import { checkSplit, type PoolSpec, type PrefixPool } from "../../../provider/addressing/allotment";
import { type Held, lookup, parse, type Refused } from "../../../provider/addressing/ledger";
import { formatPrefix, type Prefix, parsePrefix, parseRange, span, subnet } from "../../../provider/addressing/prefix";
import type { Claim } from "../../../provider/addressing/settle";

function prefix(text: string): Prefix {
  const read = parsePrefix(text);
  if (typeof read === "string") throw new Error(read);
  return read;
}
function range(text: string) {
  const read = parseRange(text);
  if (typeof read === "string") throw new Error(read);
  return read;
}

const vpcs = (cidr: string, more: Partial<PrefixPool> = {}): PrefixPool => ({
  kind: "vpc",
  what: "VPC prefix",
  plural: "VPC prefixes",
  format: "prefix",
  within: prefix(cidr),
  length: 60,
  container: "super CIDR",
  ...more,
});
const tiers = (cidr: string): PrefixPool => ({
  kind: "tier",
  what: "tier prefix",
  plural: "tier prefixes",
  format: "prefix",
  within: prefix(cidr),
  length: 64,
  container: "VPC",
  reserved: [{ ...span(subnet(prefix(cidr), 64, 0)), reason: "the VPC's own router" }],
});
const addresses: PoolSpec = {
  kind: "router",
  what: "router address",
  plural: "router addresses",
  format: "address",
  within: range("2001:db8:ffff::10-2001:db8:ffff::ff"),
};
const asns: PoolSpec = {
  kind: "asn",
  what: "ASN",
  plural: "ASNs",
  format: "number",
  first: 4200000000n,
  last: 4200000001n,
};

const vpc = (name: string, more: Partial<Claim> = {}): Claim => ({ kind: "vpc", name, was: [], ...more });
const many = (kind: string, count: number): Claim[] =>
  Array.from({ length: count }, (_, i) => ({ kind, name: `${kind}-${String(i).padStart(4, "0")}`, was: [] }));

/** One run after another on the same pools; the ledger after the last. */
function runs(pools: readonly PoolSpec[], ...claims: Claim[][]): string {
  return claims.reduce<string | undefined>((old, now) => {
    const { ledger, failures } = allocate(pools, old, now);
    expect(failures).toEqual([]);
    return ledger;
  }, undefined) as string;
}
const lines = (ledger: string): string[] =>
  ledger
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/ +/g, " "));
const zone = "2001:67c:2834::/50";

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
  test("wait for one another: a chain of moves is one run, a swap is refused", () => {
    const [first, second, third] = [0, 1, 2].map((index) => formatPrefix(subnet(prefix(zone), 60, index)));
    const start = [vpc("a"), vpc("b")];
    const chain = [vpc("a", { value: second ?? "" }), vpc("b", { value: third ?? "" })];
    expect(lines(runs([vpcs(zone)], start, chain))).toEqual([
      `vpc ${first} a free since 1`,
      `vpc ${second} a`,
      `vpc ${third} b`,
    ]);
    const swap = runs([vpcs(zone)], start, [vpc("a", { value: second ?? "" }), vpc("b", { value: first ?? "" })]);
    expect(lookup(swap, "vpc", "a")).toEqual({ value: first, refused: `${second} is held by b` });
    expect(lookup(swap, "vpc", "b")).toEqual({ value: second, refused: `${first} is held by a` });
  });
});

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
  test("grow in place where there is room, else elsewhere; shrink in place", () => {
    const start = [vpc("a"), vpc("b", { length: 56 })];
    expect(lines(runs([vpcs(zone)], start, [vpc("a", { length: 57 }), vpc("b", { length: 60 })]))).toEqual([
      "vpc 2001:67c:2834::/57 a",
      "vpc 2001:67c:2834:100::/60 b",
    ]);
    expect(lines(runs([vpcs(zone)], [vpc("a"), vpc("b")], [vpc("a", { length: 59 }), vpc("b")]))).toEqual([
      "vpc 2001:67c:2834::/60 a free since 1",
      "vpc 2001:67c:2834:10::/60 b",
      "vpc 2001:67c:2834:20::/59 a",
    ]);
  });
  test("grow downwards too: the block around what is held, not the lowest", () => {
    const before = [vpc("a", { value: "2001:67c:2834:30::/60" })];
    expect(lines(runs([vpcs(zone)], before, [vpc("a", { length: 59 })]))).toEqual(["vpc 2001:67c:2834:20::/59 a"]);
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
        "no /59 is left in 2001:db8::/58 (3 of 4 VPC prefixes (/60) are in use, 4 claimed); a super CIDR of /57 would hold 8",
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

// Ratios, not times: a machine may be slow, but ten times the claims may cost ten times as much and some more, not a hundred.
describe("a million claims", () => {
  const timed = (work: () => void): number => {
    const begin = performance.now();
    work();
    return performance.now() - begin;
  };
  const pools = [vpcs("2001:600::/24")];

  test("cost about ten times a hundred thousand", () => {
    const fresh = (count: number) => () => {
      const { ledger } = allocate(pools, undefined, many("vpc", count));
      expect(lookup(ledger, "vpc", "vpc-0000")).toEqual({ value: "2001:600::/60" });
      expect(ledger.startsWith(`${count} of 68719476736 `) || ledger.startsWith(`${count} of 2^36 `)).toBe(true);
    };
    expect(timed(fresh(1_000_000)) / timed(fresh(100_000))).toBeLessThan(40);
  }, 180_000);

  test.each([
    ["held", (all: Claim[]) => [all, all]],
    ["freed and returned", (all: Claim[]) => [all, [], all]],
    ["explicit", (all: Claim[]) => [explicit(all)]],
    [
      "refused one and all",
      (all: Claim[]) => [all, all.flatMap((c) => [c, { ...c, name: `x${c.name}` }]), explicit(all, 1)],
    ],
    ["explicit where others were", (all: Claim[]) => [all, [], explicit(all, 1)]],
    [
      "too large for what is freed",
      (all: Claim[]) => {
        // Every other slot, in the order in which they were served: by name.
        const half = all.toSorted((a, b) => (a.name < b.name ? -1 : 1)).filter((_, i) => i % 2 === 0);
        return [all, half, half.flatMap((c) => [c, { ...c, name: `x${c.name}`, length: 59 }])];
      },
    ],
    ["taken over", (all: Claim[]) => [all, [], all.map((c) => ({ ...c, name: `x${c.name}` }))]],
    ["renamed", (all: Claim[]) => [all, all.map((c) => ({ ...c, name: `x${c.name}`, was: [c.name] }))]],
    ["resized", (all: Claim[]) => [all, all.map((c) => ({ ...c, length: 61 }))]],
  ])(
    "%s cost no more each than a few do",
    (_, history) => {
      // A pool that just holds them all.
      const run = (bits: number) => () => {
        const pool = vpcs("2001:600::/24", { within: { ...prefix("2001:600::/24"), length: 60 - bits } });
        const ledger = runs([pool], ...history(many("vpc", 2 ** bits)));
        expect(heldIn(ledger)).toHaveLength(2 ** bits);
      };
      const few = Math.min(timed(run(11)), timed(run(11)), timed(run(11)));
      expect(timed(run(15)) / few).toBeLessThan(16 * 5);
    },
    180_000,
  );

  const explicit = (all: Claim[], shift = 0): Claim[] =>
    all.map((c, i) => ({ ...c, value: formatPrefix(subnet(prefix("2001:600::/24"), 60, (i + shift) % all.length)) }));
});

// The rules again, slowly and plainly, for slots of one size: numbers in a small range.
interface Model {
  held: Map<string, number>;
  freed: { name: string; slot: number; since: number }[];
}
interface ModelClaim {
  name: string;
  was: string[];
  value?: number;
}
function model(before: Model, size: number, kept: number[], claims: ModelClaim[]): Model & { refused: string[] } {
  const sorted = claims.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = new Set(sorted.map(({ name }) => name));
  const now = 1 + Math.max(0, ...before.freed.map(({ since }) => since));
  const old = new Map(before.held);
  const held = new Map<string, number>();
  let freed = [...before.freed];
  const refused: string[] = [];
  const isHeld = (slot: number) => [...held.values()].includes(slot);
  const give = (name: string, slot: number) => {
    held.set(name, slot);
    freed = freed.filter((one) => one.slot !== slot);
  };
  for (const [name, slot] of old) if (names.has(name)) held.set(name, slot);
  for (const { name, was } of sorted) {
    if (held.has(name)) continue;
    const former = was.find((one) => old.has(one) && !names.has(one) && !isHeld(old.get(one) ?? -1));
    if (former !== undefined) held.set(name, old.get(former) ?? -1);
  }
  for (const [name, slot] of old) if (!isHeld(slot)) freed.push({ name, slot, since: now });
  const explicit = sorted.filter(({ value }) => value !== undefined);
  for (let moved = true; moved; ) {
    moved = false;
    for (const { name, value = -1 } of explicit) {
      if (held.get(name) === value || value < 0 || value >= size || kept.includes(value) || isHeld(value)) continue;
      const own = held.get(name);
      give(name, value);
      if (own !== undefined) freed.push({ name, slot: own, since: now });
      moved = true;
    }
  }
  for (const { name, value } of explicit) if (held.get(name) !== value) refused.push(name);
  const waiting = sorted.filter(({ name, value }) => value === undefined && !held.has(name));
  for (const { name, was } of waiting) {
    for (const former of [name, ...was.filter((one) => !names.has(one))]) {
      const own = freed.filter((one) => one.name === former).sort((a, b) => b.since - a.since || a.slot - b.slot)[0];
      if (own !== undefined && !held.has(name)) give(name, own.slot);
    }
  }
  for (const { name } of waiting) {
    if (held.has(name)) continue;
    const all = Array.from({ length: size }, (_, slot) => slot).filter((slot) => !kept.includes(slot));
    const never = all.find((slot) => !isHeld(slot) && !freed.some((one) => one.slot === slot));
    const oldest = freed.toSorted(
      (a, b) => a.since - b.since || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.slot - b.slot),
    )[0];
    const slot = never ?? oldest?.slot;
    if (slot === undefined) refused.push(name);
    else give(name, slot);
  }
  return { held, freed, refused: refused.toSorted() };
}

const someName = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i", "j");
const someClaims = <T>(value: fc.Arbitrary<T>) =>
  fc.uniqueArray(
    fc.record({ name: someName, was: fc.array(someName, { maxLength: 2 }), value }, { requiredKeys: ["name", "was"] }),
    { selector: ({ name }) => name },
  );
/** Mostly without explicit values. */
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const defined = <T extends object>(claim: T): T =>
  Object.fromEntries(Object.entries(claim).filter(([, value]) => value !== undefined)) as T;

const heldIn = (ledger: string): Held[] => {
  const entries = parse(ledger);
  if (typeof entries === "string") throw new Error(entries);
  return entries.filter((entry): entry is Held => !("refused" in entry));
};
const refusedIn = (ledger: string): Refused[] => {
  const entries = parse(ledger);
  if (typeof entries === "string") throw new Error(entries);
  return entries.filter((entry): entry is Refused => "refused" in entry);
};

test("any sequence of runs comes to what the plain rules say", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.nat(7), { maxLength: 2 }),
      fc.array(someClaims(seldom(fc.nat(9))), { minLength: 1, maxLength: 8 }),
      (size, kept, history) => {
        const base = 100n;
        const pool: PoolSpec = {
          kind: "n",
          what: "number",
          plural: "numbers",
          format: "number",
          first: base,
          last: base + BigInt(size) - 1n,
          reserved: kept.map((slot) => ({ first: base + BigInt(slot), last: base + BigInt(slot), reason: "us" })),
        };
        let expected: ReturnType<typeof model> = { held: new Map(), freed: [], refused: [] };
        let ledger: string | undefined;
        for (const run of history) {
          const claims = run.map(defined) as ModelClaim[];
          expected = model(expected, size, kept, claims);
          const actual = allocate(
            [pool],
            ledger,
            claims.map(({ value, ...claim }) => ({
              ...claim,
              kind: "n",
              ...(value === undefined ? {} : { value: `${base + BigInt(value)}` }),
            })),
          );
          expect(actual.failures).toEqual([]);
          ledger = actual.ledger;
          const slots = heldIn(ledger).map(({ name, value, since }) => ({
            name,
            slot: Number(BigInt(value) - base),
            since,
          }));
          const bySlot = (a: { slot: number }, b: { slot: number }) => a.slot - b.slot;
          const plain = [...expected.held].map(([name, slot]) => ({
            name,
            slot,
            since: undefined as number | undefined,
          }));
          expect(slots).toEqual([...plain, ...expected.freed].sort(bySlot));
          expect(refusedIn(ledger).map(({ name }) => name)).toEqual(expected.refused);
        }
      },
    ),
    { numRuns: 2000 },
  );
}, 60_000);

// Mixed sizes, explicit values, and a pool that changes between runs: what must hold whatever happens.
const size = (prefix: Prefix) => span(prefix);
const overlap = (a: Prefix, b: Prefix) => size(a).first <= size(b).last && size(b).first <= size(a).last;
const somePrefix = fc
  .record({ length: fc.integer({ min: 56, max: 62 }), index: fc.nat(40) })
  .map(({ length, index }) => formatPrefix(subnet(prefix("2001:db8::/48"), length, index)));
const someRun = fc.record({
  claims: fc.uniqueArray(
    fc.record({
      name: someName,
      was: fc.array(someName, { maxLength: 2 }),
      value: seldom(somePrefix),
      length: seldom(fc.integer({ min: 57, max: 61 })),
    }),
    { selector: ({ name }) => name },
  ),
  pool: fc.constantFrom("2001:db8::/56", "2001:db8::/56", "2001:db8::/56", "2001:db8::/57", "2001:db8::/55"),
  kept: fc.boolean(),
});

test("whatever the sizes and however the pool changes, nobody is disturbed and nothing overlaps", () => {
  let refusals = 0;
  fc.assert(
    fc.property(fc.array(someRun, { minLength: 1, maxLength: 7 }), fc.nat(), (history, seed) => {
      let old: string | undefined;
      for (const run of history) {
        const claims = run.claims.map((claim) => ({ ...defined(claim), kind: "vpc" })) as Claim[];
        const reserved = run.kept ? [{ ...span(prefix("2001:db8:0:70::/61")), reason: "us" }] : [];
        const pool = vpcs(run.pool, { reserved });
        const { ledger, failures } = allocate([pool], old, claims);

        // The same, whoever came first; and nothing left to do.
        const turned = claims.map((_, i) => claims[(i + seed) % claims.length] as Claim).reverse();
        expect(allocate([pool], old, turned)).toEqual({ ledger, failures });
        expect(allocate([pool], ledger, claims)).toEqual({ ledger, failures });
        if (failures.length > 0) {
          // The parent is refused, so that the old ledger stays; but the new one has lost nothing either.
          for (const failure of failures)
            expect(lookup(ledger, "vpc", failure.split(" ")[0] ?? "")).toHaveProperty("value");
          continue;
        }

        const entries = heldIn(ledger);
        const blocks = entries.map(({ value }) => prefix(value));
        for (const [i, block] of blocks.entries()) {
          expect(size(block).first >= pool.within.base && size(block).last <= size(pool.within).last).toBe(true);
          for (const part of reserved)
            expect(size(block).first > part.last || size(block).last < part.first).toBe(true);
          const next = blocks[i + 1];
          if (next !== undefined) expect(overlap(block, next)).toBe(false);
        }

        const holds = (name: string) => entries.find((one) => one.name === name && one.since === undefined)?.value;
        const before = new Map(
          (old === undefined ? [] : heldIn(old))
            .filter(({ since }) => since === undefined)
            .map(({ name, value }) => [name, value]),
        );
        for (const { name, value, length } of claims) {
          const answer = lookup(ledger, "vpc", name);
          const refused = refusedIn(ledger).find((one) => one.name === name)?.refused;
          expect(answer).toBeDefined();
          // Sticky: for ever, unless the claim itself asks for something else; and then too if that is refused.
          const own = before.get(name);
          if (own !== undefined && value === undefined && length === undefined) expect(answer).toEqual({ value: own });
          if (own !== undefined && refused !== undefined) expect(holds(name)).toBe(own);
          if (value === undefined) {
            if (length !== undefined && refused === undefined) expect(prefix(holds(name) ?? "").length).toBe(length);
            if (refused === undefined) continue;
            // Refused only if no block of the size is without a holder.
            if (length !== undefined && length < pool.within.length) continue;
            const wanted = length ?? 60;
            const count = 1 << (wanted - pool.within.length);
            const others = entries
              .filter((one) => one.since === undefined && one.name !== name)
              .map((one) => prefix(one.value));
            for (let i = 0; i < count; i += 1) {
              const block = subnet(pool.within, wanted, i);
              const kept = reserved.some((part) => size(block).first <= part.last && part.first <= size(block).last);
              expect(kept || others.some((other) => overlap(block, other))).toBe(true);
            }
            continue;
          }
          // Honoured, or refused for a reason that is true.
          if (refused === undefined) {
            expect(holds(name)).toBe(value);
            continue;
          }
          refusals += 1;
          const wish = prefix(value);
          const [, by] = /held by (\S+)/.exec(refused) ?? [];
          if (by !== undefined) expect(by !== name && overlap(prefix(holds(by) ?? ""), wish)).toBe(true);
          else if (refused.includes("not inside"))
            expect(overlap(wish, pool.within) && wish.length >= pool.within.length).toBe(false);
          else if (refused.includes("reserved"))
            expect(run.kept && overlap(wish, prefix("2001:db8:0:70::/61"))).toBe(true);
          else if (refused.includes("is a /")) expect(wish.length).not.toBe(length ?? 60);
          else expect(refused).toBe(`a /${length} does not fit in ${run.pool}`);
        }
        // What was held or remembered is remembered, unless somebody has it now or the pool has not.
        const blocksOfOthers = entries.filter(({ since }) => since === undefined).map(({ value }) => prefix(value));
        for (const { value } of old === undefined ? [] : heldIn(old)) {
          const block = prefix(value);
          const out = size(block).last > size(pool.within).last;
          const kept = run.kept && overlap(block, prefix("2001:db8:0:70::/61"));
          const remembered = entries.some((one) => one.value === value);
          expect(out || kept || remembered || blocksOfOthers.some((other) => overlap(other, block))).toBe(true);
        }
        // Not a mapping, nor anything like one, to the engine's eye.
        const [header = ""] = ledger.split("\n");
        expect(header).not.toMatch(/:(\s|$)|^\s*[-{[?&*!|>%@"'#]/);
        for (const line of ledger.split("\n")) expect(line).not.toMatch(/^[^\s]+:\s/);
        old = ledger;
      }
    }),
    { numRuns: 2000 },
  );
  expect(refusals).toBeGreaterThan(500);
}, 60_000);
