// The pools and claims of the allocation tests, and what their ledgers say.
import { expect } from "vitest";
import type { Claim } from "../../../provider/addressing/allocate";
import { allocate } from "../../../provider/addressing/allocate";
import type { AddressPool, NumberPool, PoolSpec, PrefixPool } from "../../../provider/addressing/allotment";
import { type Held, parse, type Refused } from "../../../provider/addressing/ledger";
import { type Prefix, parsePrefix, parseRange, span, subnet } from "../../../provider/addressing/prefix";

export function prefix(text: string): Prefix {
  const read = parsePrefix(text);
  if (typeof read === "string") throw new Error(read);
  return read;
}
export function range(text: string) {
  const read = parseRange(text);
  if (typeof read === "string") throw new Error(read);
  return read;
}

export const vpcs = (cidr: string, more: Partial<PrefixPool> = {}): PrefixPool => ({
  kind: "vpc",
  what: "VPC prefix",
  plural: "VPC prefixes",
  format: "prefix",
  within: prefix(cidr),
  length: 60,
  container: "super CIDR",
  ...more,
});
export const tiers = (cidr: string): PrefixPool => ({
  kind: "tier",
  what: "tier prefix",
  plural: "tier prefixes",
  format: "prefix",
  within: prefix(cidr),
  length: 64,
  container: "VPC",
  reserved: [{ ...span(subnet(prefix(cidr), 64, 0)), reason: "the VPC's own router" }],
});
export const addresses: AddressPool = {
  kind: "router",
  what: "router address",
  plural: "router addresses",
  format: "address",
  within: range("2001:db8:ffff::10-2001:db8:ffff::ff"),
};
export const asns: NumberPool = {
  kind: "asn",
  what: "ASN",
  plural: "ASNs",
  format: "number",
  first: 4200000000n,
  last: 4200000001n,
};

export const vpc = (name: string, more: Partial<Claim> = {}): Claim => ({ kind: "vpc", name, was: [], ...more });
export const many = (kind: string, count: number): Claim[] =>
  Array.from({ length: count }, (_, i) => ({ kind, name: `${kind}-${String(i).padStart(4, "0")}`, was: [] }));

/** One run after another on the same pools; the ledger after the last. */
export function runs(pools: readonly PoolSpec[], ...claims: Claim[][]): string {
  return claims.reduce<string | undefined>((old, now) => {
    const { ledger, failures } = allocate(pools, old, now);
    expect(failures).toEqual([]);
    return ledger;
  }, undefined) as string;
}
export const lines = (ledger: string): string[] =>
  ledger
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/ +/g, " "));
export const zone = "2001:67c:2834::/50";

export const heldIn = (ledger: string): Held[] => {
  const entries = parse(ledger);
  if (typeof entries === "string") throw new Error(entries);
  return entries.filter((entry): entry is Held => !("refused" in entry));
};
export const refusedIn = (ledger: string): Refused[] => {
  const entries = parse(ledger);
  if (typeof entries === "string") throw new Error(entries);
  return entries.filter((entry): entry is Refused => "refused" in entry);
};
