// What every argument that takes an address or a prefix may be: of each class of address, whether it is refused, and by which RFC. An argument
// that is not in the table fails here: whoever adds one says what it is for.

import { describe, expect, test } from "vitest";
import { type Address, formatPrefix, networkOf, parseAddress } from "../../../provider/addressing/prefix";
import { arguments_, check } from "../check";
import { failuresOf, type Place, places } from "./places";

type Use =
  | "network"
  | "host"
  | "gateway"
  | "server"
  | "direct"
  | "translation"
  | "packets"
  | "any"
  | "private"
  | "zero";

const USES: Record<string, Use> = {
  "Zone.superCidr": "network",
  "Zone.isolatedCidr": "network",
  "Zone.publicNetwork.cidr": "network",
  "Zone.publicNetwork.gateway": "gateway",
  "Zone.publicNetwork.range": "host",
  "Router.host": "direct",
  "Router.proxy.host": "direct",
  "Router.address": "host",
  "Router.dnsServers[0]": "direct",
  "Vpc.cidr": "network",
  "Vpc.ntpServers[0]": "server",
  "Tier.cidr": "network",
  "Tier.gateway": "host",
  "Tier.ipv4.cidr": "network",
  "Tier.ipv4.gateway": "host",
  "IsolatedNetwork.cidr": "network",
  "IsolatedNetwork.gateway": "host",
  "IsolatedNetwork.ipv4.cidr": "network",
  "IsolatedNetwork.ipv4.gateway": "host",
  "IsolatedNetwork.ntpServers[0]": "server",
  "Instance.address": "host",
  "Instance.ipv4Address": "host",
  "SecondaryAddress.address": "host",
  "SecondaryAddress.ipv4Address": "host",
  "ExternalNetwork.entries[0]": "any",
  "NetworkAcl.rules[0].cidrs[0]": "packets",
  "LoadBalancer.members[0].address": "server",
  "LoadBalancer.sources[0]": "packets",
  "LoadBalancer.address": "host",
  "Nat64.prefix": "translation",
  "Nat64.ipv4Pool": "private",
  "Nat64.dns64.clients[0]": "packets",
  "Nat64.dns64.mapped[0]": "any",
  "Nat64.dns64.exclude[0]": "any",
  "Nat64.dns64.suffix": "zero",
  "BgpPeer.address": "host",
  "BgpPeer.import[0]": "network",
  "BgpPeer.export[0]": "network",
  "Uplink.host": "direct",
  "Uplink.proxy.host": "direct",
  "Uplink.address": "host",
  "Uplink.listen": "packets",
  "Uplink.neighbors[0].address": "host",
  "Uplink.neighbors[0].prefixes[0]": "network",
};

/** A member of each class of address, what refuses it, and what can do with it all the same. */
const CLASSES: [member: string, reason: string, fine: Use[]][] = [
  ["::", "unspecified (::/128, RFC 4291 section 2.5.2)", ["zero"]],
  ["::1", "loopback (::1/128, RFC 4291 section 2.5.3)", ["direct"]],
  ["fe80::1", "link-local (fe80::/10, RFC 4291 section 2.5.6)", ["gateway"]],
  ["febf:ffff::1", "link-local (fe80::/10, RFC 4291 section 2.5.6)", ["gateway"]],
  ["ff05::101", "multicast (ff00::/8, RFC 4291 section 2.7)", []],
  ["ff02::1:2", "multicast (ff00::/8, RFC 4291 section 2.7)", []],
  [
    "64:ff9b::808:808",
    "NAT64's well-known prefix (64:ff9b::/96, RFC 6052 section 2.1)",
    ["server", "direct", "translation", "packets"],
  ],
  ["64:ff9b:1::808:808", "for NAT64 (64:ff9b:1::/48, RFC 8215)", ["server", "direct", "translation", "packets"]],
  ["::102:304", "IPv4-compatible (::/96, RFC 4291 section 2.5.5.1)", ["packets"]],
  ["0.1.2.3", '"this network" (0.0.0.0/8, RFC 6890 section 2.2.2)', []],
  ["127.0.0.53", "loopback (127.0.0.0/8, RFC 1122 section 3.2.1.3)", ["direct"]],
  ["169.254.169.254", "link-local (169.254.0.0/16, RFC 3927 section 2.7)", ["direct"]],
  ["239.1.2.3", "multicast (224.0.0.0/4, RFC 5771)", []],
  ["255.255.255.255", "reserved (240.0.0.0/4, RFC 1112 section 4)", []],
];

/** Global, unique local, site-local, for documentation; private, shared, for documentation. */
const GOOD = ["2001:67c:2834:1::5", "fd00:1::5", "fec0::5", "2001:db8::5", "3fff::5", "64:ff9b:0:1::5"];
const GOOD4 = ["198.18.0.5", "10.1.1.5", "192.168.255.5", "100.64.0.5", "192.0.2.5", "198.51.100.5", "203.0.113.5"];
/** Larger than what it is part of. */
const EVERYTHING = [
  "::/0",
  "::/1",
  "8000::/1",
  "::/48",
  "64:ff9b::/48",
  "::/8",
  "f000::/4",
  "0.0.0.0/0",
  "128.0.0.0/1",
];

const bits = (address: string): number => (address.includes(":") ? 128 : 32);
const around = (address: string, length: number): string => {
  const { family, value } = parseAddress(address) as Address;
  return formatPrefix({ family, base: networkOf(value, family, length), length });
};

/** How an address is written where something else is due: alone, as a prefix, as a /96, a /24 or a range. */
const alone = (it: string): string => it;
const prefix = (it: string): string => around(it, bits(it));
const FORMS = {
  6: [alone, prefix, (it: string) => around(it, 96), (it: string) => `${it}-${it}`],
  4: [alone, prefix, (it: string) => around(it, 24)],
};
type Form = (address: string) => string;

const takes = (place: Place, family: 4 | 6, texts: string[]): Form[] => {
  const all: Form[] = FORMS[family].filter((form) => texts.some((it) => failuresOf(place, form(it)).length === 0));
  // Where there can be an address, or the prefix of one, more says nothing.
  const [first] = all;
  return first === alone || first === prefix ? all.filter((it) => it === alone || it === prefix) : all;
};

const typed = places.flatMap((place) => {
  const forms = { 6: takes(place, 6, [...GOOD, "::"]), 4: takes(place, 4, GOOD4) };
  // What takes any word, dots and digits as well, is a name.
  const judges = ["web1-of-mine", "239.1.2.3"].some((it) => failuresOf(place, it).length > 0);
  return forms[6].length + forms[4].length > 0 && judges && place.forms.some(({ is }) => is === "text")
    ? [{ place, forms, name: `${place.kind}.${place.at}` }]
    : [];
});

test("every argument that takes an address or a prefix has its use here", () => {
  expect(typed.map(({ name }) => name).sort()).toEqual(Object.keys(USES).sort());
});

const refused = (use: Use, fine: Use[]): boolean => use !== "any" && !fine.includes(use);

describe.each(typed)("$name", ({ place, forms, name }) => {
  const use = USES[name] as Use;
  const formsOf = (address: string): Form[] => forms[address.includes(":") ? 6 : 4];

  test.each(CLASSES)("%s, %s", (member, reason, fine) => {
    for (const form of formsOf(member)) {
      const reasons = failuresOf(place, form(member)).join("\n");
      if (!refused(use, fine)) expect(reasons, form(member)).toBe("");
      else if (use === "private" || use === "zero") expect(reasons, form(member)).toContain(" is not ");
      // The first /96 has more than one class.
      else if (form(member) === "::/96") expect(reasons).toContain(`has a part that is ${CLASSES[0]?.[1]}`);
      else expect(reasons, form(member)).toContain(` is ${reason}: `);
    }
  });

  test("what is good for it", () => {
    if (use === "zero" || use === "private") return;
    for (const address of [...GOOD, ...GOOD4]) {
      for (const form of formsOf(address)) expect(failuresOf(place, form(address)), form(address)).toEqual([]);
    }
  });

  test("what has a part that it cannot be", () => {
    for (const whole of EVERYTHING.filter((it) => formsOf(it).includes(prefix))) {
      const reasons = failuresOf(place, whole).join("\n");
      if (use === "network") expect(reasons, whole).toMatch(/ has a part that is .* \(.*, RFC \d+.*\): /);
      else expect(reasons, whole).toBe("");
    }
  });

  test("no IPv4-mapped one", () => {
    for (const it of ["::ffff:10.1.1.5", "::ffff:a01:105/128", "::ffff:a01:105-::ffff:a01:105"]) {
      expect(failuresOf(place, it)).not.toEqual([]);
    }
  });

  test("an address in a list of prefixes is the prefix that holds nothing else", () => {
    const lists: Use[] = ["packets", "any"];
    if (!lists.includes(use) || !place.at.endsWith("]")) return;
    for (const address of [GOOD[0], GOOD4[0]] as string[]) {
      if (formsOf(address).length > 0) expect(failuresOf(place, address)).toEqual([]);
    }
  });
});

test.each(CLASSES)("an end of a list's test: %s, %s", async (member, reason, fine) => {
  for (const end of ["from", "to"]) {
    const tier = { kind: "tier", name: "web", addresses: "2001:67c:2834:1::/64\n" };
    const rule = { from: tier, to: tier, protocol: "tcp", port: 443, expect: "allow" };
    const tests = [{ ...rule, [end]: { kind: "address", name: "x", addresses: member } }];
    const { reasons } = await check("NetworkAcl", { ...arguments_.NetworkAcl, tests });
    const said = reasons.filter((it) => it.startsWith(`tests[0].${end}: `)).join("\n");
    if (refused("packets", fine)) expect(said).toContain(`"${member}" is ${reason}`);
    else expect(said).toBe("");
  }
});

test.each([
  [
    "rules",
    { rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "443", cidrs: ["2001:DB8::1"] }] },
  ],
  [
    "rules",
    { rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "443", cidrs: ["2001:db8::1/128"] }] },
  ],
] as const)("the form in which a list has it is one: %s %o", async (_, change) => {
  const { inputs } = await check("NetworkAcl", { ...arguments_.NetworkAcl, ...change });
  expect(JSON.stringify(inputs.rules)).toContain('"cidrs":["2001:db8::1/128"]');
});

test("of sources, clients and entries too", async () => {
  const of = async (kind: "LoadBalancer" | "Nat64" | "ExternalNetwork", change: object) =>
    JSON.stringify((await check(kind, { ...arguments_[kind], ...change })).inputs);
  expect(await of("LoadBalancer", { sources: ["2001:db8::1"] })).toContain('"sources":["2001:db8::1/128"]');
  const dns64 = { clients: ["2001:67c:2834:1::5"], mapped: ["!10.0.0.1"], exclude: ["2001:db8::1"] };
  expect(await of("Nat64", { dns64 })).toContain('"clients":["2001:67c:2834:1::5/128"]');
  expect(await of("Nat64", { dns64 })).toContain("exclude { 2001:db8::1/128; };");
  expect(await of("Nat64", { dns64 })).toContain("mapped { !10.0.0.1/32; };");
  expect(await of("ExternalNetwork", { entries: ["192.0.2.1"] })).toContain("192.0.2.1/32");
});
