// Lists as long as nobody writes them: `check` answers in a time that grows with their length and no faster, and what would be too much
// for a router is a failure that says so.

import { expect, test } from "vitest";
import { arguments_, check, ROUTER, type Values } from "../check";

const LONG = 10_000;
const many = <T>(make: (index: number) => T, length = LONG): T[] => Array.from({ length }, (_, index) => make(index));
const hex = (index: number): string => index.toString(16);
const name = (index: number): string => `${"n".repeat(55)}${String(index).padStart(8, "0")}`;
const group = (index: number) => ({ kind: "network", name: name(index), addresses: `2001:db8:${hex(index)}::/48\n` });

const LISTS: [string, keyof typeof arguments_, (length: number) => Values][] = [
  ["rules", "NetworkAcl", (length) => ({ rules: many((it) => rule({ ports: `${it + 1}` }), length) })],
  ["rules' groups", "NetworkAcl", (length) => ({ rules: many((it) => rule({ sources: [group(it)] }), length) })],
  [
    "rules' groups of one name",
    "NetworkAcl",
    (length) => ({ rules: many((it) => rule({ sources: [{ ...group(it), name: "offices" }] }), length) }),
  ],
  [
    "a rule's cidrs",
    "NetworkAcl",
    (length) => ({ rules: [rule({ cidrs: many((it) => `2001:db8:${hex(it)}::/48`, length) })] }),
  ],
  [
    "a rule's ports",
    "NetworkAcl",
    (length) => ({ rules: [rule({ ports: many((it) => 65535 - 2 * it, length).join() })] }),
  ],
  [
    "a list's tiers",
    "NetworkAcl",
    (length) => ({
      tiers: many(
        (it) => ({ name: name(it), interface: `t${it}`, cidr: `2001:db8:1:${hex(it)}::/64`, router: ROUTER }),
        length,
      ),
    }),
  ],
  ["entries", "ExternalNetwork", (length) => ({ entries: many((it) => `2001:db8:${hex(it)}::/48`, length) })],
  [
    "members",
    "LoadBalancer",
    (length) => ({
      members: many(
        (it) => ({ instance: { name: name(it), address: `2001:67c:2834:f::${hex(it + 16)}` }, port: 80 }),
        length,
      ),
      vpc: { cidr: "2001:67c:2834::/56", tiers: many((it) => `2001:67c:2834:${hex(it)}::/64`, 256) },
    }),
  ],
  [
    "members by address",
    "LoadBalancer",
    (length) => ({ members: many((it) => ({ address: `2001:db8::${hex(it)}`, port: 80 }), length) }),
  ],
  ["sources", "LoadBalancer", (length) => ({ sources: many((it) => `2001:db8:${hex(it)}::/48`, length) })],
  [
    "ports of one address",
    "LoadBalancer",
    (length) => ({ others: many((it) => ({ name: name(it), port: 20_000 + it }), length) }),
  ],
  [
    "clients",
    "Nat64",
    (length) => ({
      vpc: { cidr: "2001:67c::/44" },
      prefix: "64:ff9b::/96",
      dns64: { clients: many((it) => `2001:67c:0:${hex(it)}::/64`, length) },
    }),
  ],
  ["mapped", "Nat64", (length) => ({ dns64: { mapped: many((it) => `10.${it >> 8}.${it & 255}.0/24`, length) } })],
  ["import", "BgpPeer", (length) => ({ import: many((it) => `2001:67c:2834:${hex(it)}::/64`, length) })],
  [
    "neighbors",
    "Uplink",
    (length) => ({
      neighbors: many(
        (it) => ({ address: `2001:db8:ffff::1:${hex(it)}`, asn: 64512, prefixes: ["2001:67c:2834:30::/60"] }),
        length,
      ),
    }),
  ],
  [
    "a neighbor's prefixes",
    "Uplink",
    (length) => ({
      neighbors: [
        { address: "2001:db8:ffff::99", asn: 64512, prefixes: many((it) => `2001:67c:2834:${hex(it)}::/64`, length) },
      ],
    }),
  ],
  [
    "sessions of one router",
    "Uplink",
    (length) => ({
      sessions: many(
        (it) => ({
          peer: name(it),
          router: ROUTER,
          address: "2001:db8:ffff::10",
          asn: 64512,
          prefixes: [`2001:67c:2834:${hex(it)}::/64`],
        }),
        length,
      ),
    }),
  ],
  [
    "VPCs",
    "Zone",
    (length) => ({ superCidr: "2001:67c::/40", claims: many((it) => ({ kind: "vpc", name: name(it) }), length) }),
  ],
  ["instances", "Tier", (length) => ({ claims: many((it) => ({ kind: "instance", name: name(it) }), length) })],
  [
    "others' IPv4 networks",
    "Tier",
    (length) => ({
      ipv4: { cidr: "192.168.1.0/24" },
      ipv4Others: many((it) => ({ name: name(it), cidr: `10.${it >> 8}.${it & 255}.0/24` }), length),
    }),
  ],
  ["servers", "Router", (length) => ({ dnsServers: many((it) => `2001:db8::${hex(it)}`, length) })],
];

function rule(more: Values): Values {
  return { direction: "ingress", action: "allow", protocol: more.ports === undefined ? "all" : "tcp", ...more };
}

async function seconds(kind: keyof typeof arguments_, change: Values): Promise<number> {
  const began = process.cpuUsage();
  const { reasons } = await check(kind, { ...arguments_[kind], ...change });
  const { user, system } = process.cpuUsage(began);
  expect(reasons).toEqual([]);
  return (user + system) / 1e6;
}

test.each(LISTS)("%s of %s: ten thousand", { timeout: 60_000 }, async (_, kind, make) => {
  // Quadratic would be a hundred times as long as the thousand, and one of 4 µs a pair 200 s.
  const short = await seconds(kind, make(1_000));
  const long = await seconds(kind, make(LONG));
  expect(long).toBeLessThan(Math.max(3, 40 * short));
});

test("what is too much for a router is refused with its size", { timeout: 60_000 }, async () => {
  const rules = many(
    (it) =>
      rule({ ports: `${(it % 65_000) + 1}`, cidrs: [`2001:db8:${hex(it >> 15)}::/48`], description: "d".repeat(127) }),
    25_000,
  );
  const { reasons } = await check("NetworkAcl", { ...arguments_.NetworkAcl, rules });
  expect(reasons).toEqual([
    expect.stringMatching(
      /^fragments\.nftables: 2\d{4} lines, 4\.\d MB; a router takes at most 4 MB of one resource: shorten its lists$/,
    ),
  ]);
});
