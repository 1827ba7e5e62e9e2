// Access lists from their arguments to nftables' lines; their tests; and the evaluator against one that asks packet by packet.

import fc from "fast-check";
import { expect, test } from "vitest";
import { type Decision, decide } from "../../../provider/filter/evaluate";
import { placesOf, split } from "../../../provider/filter/places";
import { type Rule, type RuleArgs, ruleOf } from "../../../provider/filter/rule";
import { UNKNOWN } from "../../../provider/unknown";
import { arguments_, check, planned, ROUTER, type Values } from "../check";
import { costs } from "../cost";

const WEB = arguments_.NetworkAcl.tiers[0];
const DB = { name: "db", interface: "db0", cidr: "2001:67c:2834:2::/64", router: ROUTER };
const allow = { direction: "ingress", action: "allow", protocol: "tcp" };
const group = (name: string, addresses: string) => ({ kind: "network", name, addresses });

const given = (change: Values): Values => ({ ...arguments_.NetworkAcl, ...change });
const rendered = async (change: Values): Promise<string> =>
  ((await planned("NetworkAcl", given(change))).fragments as { nftables: string }).nftables;
const chain = (text: string, name: string): string[] => {
  const [, lines = ""] =
    new RegExp(`\\tchain web-acl/web0/${name} \\{\n([^}]*?)\t\\}`).exec(text.replace(/[{}](?!\n)/g, "|")) ?? [];
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
};

test("a list: the rules first, then its place on each tier", async () => {
  expect(await rendered({ tiers: [WEB, DB] })).toBe(`table inet vpc6 {
	chain web-acl/web0/ingress {
		tcp dport 443 return
		goto unmatched
	}
	chain web-acl/web0/egress {
		goto unmatched
	}
	chain to/web0 { goto web-acl/web0/ingress; }
	chain from/web0 { goto web-acl/web0/egress; }
	chain to/db0 { goto web-acl/web0/ingress; }
	chain from/db0 { goto web-acl/web0/egress; }
}
add element inet vpc6 ingress { "web0" : goto to/web0 }
add element inet vpc6 egress { "web0" : goto from/web0 }
add element inet vpc6 ingress { "db0" : goto to/db0 }
add element inet vpc6 egress { "db0" : goto from/db0 }
`);
});

test.each([
  [{ ports: "443,80, 8000-8999,8500-9000" }, "tcp dport | 80, 443, 8000-9000 | return"],
  [{ ports: 22, action: "deny" }, "tcp dport 22 drop"],
  [{}, "meta l4proto tcp return"],
  [{ protocol: "udp" }, "meta l4proto udp return"],
  [{ protocol: "all" }, "return"],
  [{ protocol: "sctp" }, "meta l4proto sctp return"],
  [{ protocol: "sctp", ports: "36412,2905" }, "sctp dport | 2905, 36412 | return"],
  [{ protocol: "esp" }, "meta l4proto esp return"],
  [{ protocol: "ah", action: "deny" }, "meta l4proto ah drop"],
  [{ protocol: "gre", cidrs: ["2001:db8::/32"] }, "meta l4proto 47 ip6 saddr 2001:db8::/32 return"],
  [{ protocol: 47 }, "meta l4proto 47 return"],
  [{ protocol: 6, ports: "443" }, "tcp dport 443 return"],
  [{ protocol: 58, icmpType: 128 }, "icmpv6 type 128 return"],
  [{ protocol: 89 }, "meta l4proto 89 return"],
  [{ protocol: 255 }, "meta l4proto 255 return"],
  [{ protocol: "icmpv6" }, "meta l4proto icmpv6 return"],
  [{ protocol: "icmpv6", icmpType: 128, icmpCode: 0, action: "deny" }, "icmpv6 type 128 icmpv6 code 0 drop"],
  [{ cidrs: ["2001:DB8::/32", "2001:db8:1::/48"] }, "meta l4proto tcp ip6 saddr 2001:db8::/32 return"],
  [{ cidrs: ["2001:db9::/32", "2001:db8::/32"] }, "meta l4proto tcp ip6 saddr | 2001:db8::/32, 2001:db9::/32 | return"],
  [
    { sources: [{ kind: "instance", name: "db1", addresses: "2001:67c:2834:2::10" }] },
    "meta l4proto tcp ip6 saddr 2001:67c:2834:2::10 return",
  ],
  [{ log: true, action: "deny" }, "meta l4proto tcp goto web-acl/web0/log-deny"],
  [{ description: "the shop" }, 'meta l4proto tcp return comment "the shop"'],
] as const)("a rule's line: %o", async (change, line) => {
  expect(chain(await rendered({ rules: [{ ...allow, ...change }] }), "ingress")).toEqual([line, "goto unmatched"]);
});

test("egress looks at the destination", async () => {
  const text = await rendered({ rules: [{ ...allow, direction: "egress", cidrs: ["2001:db8::/32"] }] });
  expect(chain(text, "egress")).toEqual(["meta l4proto tcp ip6 daddr 2001:db8::/32 return", "goto unmatched"]);
  expect(chain(text, "ingress")).toEqual(["goto unmatched"]);
});

test("address groups are sets, one for each name and content; beside other addresses a line of their own", async () => {
  const offices = group("offices", "2001:db8:7::/48\n2001:db8:8::25/128\n");
  const text = await rendered({
    rules: [
      { ...allow, ports: "22", sources: [offices], cidrs: ["2001:db8:9::/48"] },
      { ...allow, ports: "25", sources: [offices] },
      { ...allow, ports: "26", sources: [group("offices", "")] },
    ],
  });
  expect(chain(text, "ingress")).toEqual([
    "tcp dport 22 ip6 saddr @web-acl/web0/offices return",
    "tcp dport 22 ip6 saddr 2001:db8:9::/48 return",
    "tcp dport 25 ip6 saddr @web-acl/web0/offices return",
    "tcp dport 26 ip6 saddr @web-acl/web0/offices/2 return",
    "goto unmatched",
  ]);
  expect(text.match(/set web-acl\/web0\/offices \{/g)).toHaveLength(1);
  expect(text).toContain("elements = {\n\t\t\t2001:db8:7::/48,\n\t\t\t2001:db8:8::25/128,\n\t\t}");
});

test("no list, an empty one and denyAll are the same; presets", async () => {
  const empty = await rendered({ rules: [] });
  expect(await rendered({ rules: undefined })).toBe(empty);
  expect(await rendered({ rules: undefined, preset: "denyAll" })).toBe(empty);
  const open = await rendered({ rules: undefined, preset: "allowAll" });
  expect([chain(open, "ingress")[0], chain(open, "egress")[0]]).toEqual(["return", "return"]);
  const out = await rendered({ rules: undefined, preset: "egressOnly" });
  expect([chain(out, "ingress")[0], chain(out, "egress")[0]]).toEqual(["goto unmatched", "return"]);
});

// nft takes a name for a number where it begins with a digit (found by test/lab/fuzz.test.ts).
test("a list whose name begins with a digit", async () => {
  const text = await rendered({ name: "1st", rules: [{ ...allow, log: true, sources: [group("offices", "::/0\n")] }] });
  expect(text).toContain(
    "\tchain _1st/web0/ingress {\n\t\tmeta l4proto tcp ip6 saddr @_1st/web0/offices goto _1st/web0/log-allow",
  );
  expect(text).toContain("{ goto _1st/web0/ingress; }");
  expect(text).toContain('prefix "vpc6 1st allow: "');
});

test("a group's name is one for a set, also when the group is empty", async () => {
  const { reasons } = await check("NetworkAcl", given({ rules: [{ ...allow, sources: [group("of\nfices", "")] }] }));
  expect(reasons).toEqual([
    expect.stringMatching(/^rules\[0\]\.sources\[0\]\.name: "of.*fices" is not a name for an address group/),
  ]);
});

test("one rule more is one line more", async () => {
  const rules = Array.from({ length: 1000 }, (_, index) => ({ ...allow, ports: String(index + 1) }));
  const before = (await rendered({ rules })).split("\n");
  rules.splice(500, 0, { ...allow, ports: "5432" });
  const after = (await rendered({ rules })).split("\n");
  expect(after.filter((_, index) => index !== 502)).toEqual(before);
  expect(after[502]).toBe("\t\ttcp dport 5432 return");
});

test("a group of 4,000 entries is checked in ten times as long as one of 400, or little more", async () => {
  const check = (count: number) => async () => {
    const entries = Array.from({ length: count }, (_, index) => `2001:db8:${index.toString(16)}::/48`);
    const { entries: lines } = await planned("ExternalNetwork", { name: "big", entries });
    await rendered({ rules: [{ ...allow, sources: [group("big", String(lines))] }] });
    expect(String(lines).split("\n")).toHaveLength(count + 1);
  };
  expect(await costs(check(4000), check(400), 40)).toBeLessThan(40);
});

test("a group's entries are canonical, in order, without what another contains", async () => {
  const { entries } = await planned("ExternalNetwork", {
    name: "offices",
    entries: ["2001:db8:8::25", "2001:DB8:7:1::/64", "2001:db8:7::/48", "2001:db8:8::25/128"],
  });
  expect(entries).toBe("2001:db8:7::/48\n2001:db8:8::25/128\n");
});

const wrongRules: [Values, string][] = [
  [{ ports: "70000" }, 'rules[0].ports: "70000": 70000 is not a port (1 to 65535)'],
  [{ ports: "0" }, "rules[0].ports: "],
  [{ ports: "90-80" }, 'rules[0].ports: "90-80" is empty: 90 comes after 80'],
  [{ ports: "http" }, 'rules[0].ports: "http" is not a port (1 to 65535), a range or a list of them'],
  [{ ports: "" }, "rules[0].ports: "],
  [{ ports: "443 accept" }, "rules[0].ports: "],
  [{ protocol: "icmpv6", ports: "443" }, "with protocol icmpv6 matches no packet: only tcp, udp and sctp have ports"],
  [{ protocol: "all", ports: "443" }, "with protocol all matches no packet"],
  [
    { icmpType: 128 },
    'rules[0].icmpType: 128 with protocol tcp matches no packet; it needs protocol "icmpv6" or "icmp"',
  ],
  [{ protocol: "icmpv6", icmpCode: 1 }, "rules[0].icmpCode: 1 without icmpType"],
  [{ protocol: "icmpv6", icmpType: 256 }, "rules[0].icmpType: 256 is not an ICMP type (0 to 255)"],
  [
    { protocol: "icmpv6", icmpType: 2 },
    "rules[0].icmpType: no packet of type 2 gets to a rule: an error passes if it is about a connection that passed",
  ],
  [{ protocol: "icmpv6", icmpType: 135 }, "no packet of type 135 gets to a rule: it is for one link only"],
  [{ protocol: "icmpv6", icmpType: 129 }, "no packet of type 129 gets to a rule: an echo reply passes as the answer"],
  [
    { protocol: "ospf" },
    'rules[0].protocol: "ospf" is not one of "tcp", "udp", "sctp", "icmpv6", "icmp", "esp", "ah", "gre", "all" or a protocol\'s number (0 to 255)',
  ],
  [{ protocol: "47" }, "or a protocol's number (0 to 255); it is a text: write the number, without quotes"],
  [{ protocol: "ospf", ports: "443", icmpType: 8 }, 'rules[0].protocol: "ospf" is not one of'],
  [{ protocol: 256 }, "rules[0].protocol: 256 is not one of"],
  [{ protocol: 4.5 }, "rules[0].protocol: 4.5 is not one of"],
  [{ protocol: -1 }, "rules[0].protocol: -1 is not one of"],
  [
    { protocol: "gre", ports: "22" },
    'rules[0].ports: "22" with protocol gre matches no packet: only tcp, udp and sctp',
  ],
  [{ protocol: 89, icmpType: 8 }, "rules[0].icmpType: 8 with protocol 89 matches no packet"],
  [
    { protocol: 44 },
    "rules[0].protocol: 44 matches no packet: in IPv6 it is an extension header (RFC 8200 section 4), and no tier of this list has IPv4",
  ],
  [{ direction: "in" }, 'rules[0].direction: "in" is not one of "ingress", "egress"'],
  [{ action: "reject" }, 'rules[0].action: "reject" is not one of'],
  [{ cidrs: ["10.0.0.0/8"] }, '"10.0.0.0/8" matches no packet: it is IPv4, and no tier of this list has that'],
  [
    { protocol: "icmp" },
    'rules[0].protocol: "icmp" matches no packet: it is of IPv4, and no tier of this list has that',
  ],
  [{ sources: [{ kind: "tier", name: "plant", addresses: "10.9.0.0/16" }] }, 'tier "plant" has no IPv6 address'],
  [{ cidrs: ["2001:db8::1/32"] }, "rules[0].cidrs[0]: "],
  [{ cidrs: [] }, "rules[0].cidrs: an empty list matches no packet"],
  [{ sources: [] }, "rules[0].sources: an empty list matches no packet"],
  [{ cidrs: ["fe80::/10"] }, 'rules[0].cidrs[0]: "fe80::/10" is link-local (fe80::/10, RFC 4291 section 2.5.6)'],
  [{ cidrs: ["2001:67c:2834:1::/65"] }, "matches no packet: it is in the tier itself"],
  [{ sources: [{ kind: "tier", name: "bare" }] }, 'rules[0].sources[0]: tier "bare" has no IPv6 address'],
  [{ description: 'say "hi"' }, "rules[0].description: "],
  [{ description: "a\nb" }, "rules[0].description: "],
  [{ description: "see {{tls.privateKey:0000}}" }, "rules[0].description: "],
  [{ log: "yes" }, 'rules[0].log: "yes" is not true or false'],
  [{ prot: "tcp" }, "rules[0].prot: there is no such property"],
];

test.each(wrongRules)("a rule with %o", async (change, reason) => {
  const { reasons } = await check("NetworkAcl", given({ rules: [{ ...allow, ...change }] }));
  expect(reasons.join("\n")).toContain(reason);
  expect(reasons.join("\n")).not.toMatch(/undefined|\[object|vpc6 bug/);
});

test.each([
  [{ tiers: [] }, "tiers: an empty list"],
  [{ tiers: [{ ...WEB, cidr: undefined }] }, 'tiers[0]: tier "web" has neither IPv6 nor IPv4'],
  [
    { tiers: [WEB, { ...DB, router: ROUTER.replace("vr1", "vr2") }] },
    'tiers[1]: tier "db" is on router vr2, and tier "web" on vr1',
  ],
  [{ preset: "open" }, 'preset: "open" is not one of "denyAll", "allowAll", "egressOnly"'],
  // What every object has is no preset.
  [
    { rules: undefined, preset: "constructor" },
    'preset: "constructor" is not one of "denyAll", "allowAll", "egressOnly"',
  ],
  [{ preset: "allowAll" }, 'preset: "allowAll" and rules; leave one of them out'],
  [{ name: "a b" }, 'name: "a b" is not a name for an access list'],
  [{ rules: [allow, { ...allow, action: "deny" }] }, "rules[1]: no packet gets here: rules[0] matches the same ones"],
] as const)("a list with %o", async (change, reason) => {
  expect((await check("NetworkAcl", given(change))).reasons.join("\n")).toContain(reason);
});

const tier = (name: string, addresses: string) => ({ kind: "tier", name, addresses });
const address = (addresses: string) => ({ kind: "address", name: "", addresses });
const RULES = [
  { ...allow, action: "deny", cidrs: ["2001:db8:bad::/48"] },
  { ...allow, ports: "443" },
  { ...allow, direction: "egress", ports: "5432", sources: [tier("db", DB.cidr)] },
];
const toWeb = { to: tier("web", WEB?.cidr ?? ""), protocol: "tcp", port: 443, expect: "allow" };

test.each([
  [{ ...toWeb, from: address("2001:db8:1::/48") }, ""],
  [{ ...toWeb, from: address("2001:db8:bad::1"), expect: "deny" }, ""],
  [{ ...toWeb, from: address("::/0"), port: 80, expect: "deny" }, ""],
  [{ ...toWeb, from: address("2001:db8::1"), protocol: "icmpv6", port: undefined }, ""],
  [{ from: tier("web", WEB?.cidr ?? ""), to: tier("db", DB.cidr), protocol: "tcp", port: 5432, expect: "allow" }, ""],
  [
    { ...toWeb, from: address("::/0") },
    'tests[0].expect: "allow", but tcp 443 from ::/0 to tier "web" is denied by rules[0], deny tcp from 2001:db8:bad::/48 (for 2001:db8:bad::-2001:db8:bad:ffff:ffff:ffff:ffff:ffff)',
  ],
  [{ ...toWeb, from: address("2001:db8::1"), port: 80 }, "is denied as no rule allows it (for 2001:db8::1)"],
  [{ ...toWeb, from: address("::/0"), expect: "deny" }, "is allowed by rules[1], allow tcp 443 from everywhere"],
  [
    { ...toWeb, from: address("2001:db8::1"), to: address("2001:db8::2") },
    "tests[0].to: neither 2001:db8::1 nor 2001:db8::2 is in a tier of this list",
  ],
  [{ ...toWeb, from: address("2001:67c:2834:1::5") }, "nothing is filtered within a tier"],
  [
    { ...toWeb, from: address("10.0.0.1") },
    'tests[0].to: no tcp packet goes from 10.0.0.1 to tier "web": they have no addresses of one family',
  ],
  [{ ...toWeb, from: address("10.0.0.1/8") }, "tests[0].from: "],
  [{ ...toWeb, from: address("::/0"), port: undefined }, "tests[0].port: missing"],
  [{ ...toWeb, from: address("::/0"), port: 70000 }, "tests[0].port: 70000 is not a port"],
  [{ ...toWeb, from: address("::/0"), protocol: "icmpv6" }, "tests[0].port: 443 with protocol icmpv6"],
  [{ ...toWeb, from: address("::/0"), protocol: "esp" }, "tests[0].port: 443 with protocol esp, which has none"],
  [
    { ...toWeb, from: address("::/0"), protocol: 89, port: undefined, icmpType: 8 },
    "tests[0].icmpType: 8 with protocol 89, which has none",
  ],
  [
    { ...toWeb, from: address("2001:db8::1"), protocol: 89, port: undefined },
    'tests[0].expect: "allow", but protocol 89 from 2001:db8::1 to tier "web" is denied as no rule allows it',
  ],
  [
    { ...toWeb, from: address("2001:db8::1"), protocol: "sctp" },
    'but sctp 443 from 2001:db8::1 to tier "web" is denied as no rule allows it',
  ],
  [
    { ...toWeb, from: address("2001:db8::1"), protocol: 43, port: undefined },
    'tests[0].to: no protocol 43 packet goes from 2001:db8::1 to tier "web"',
  ],
])("a test: %o", async (change, reason) => {
  const { reasons } = await check("NetworkAcl", given({ rules: RULES, tests: [change] }));
  if (reason === "") expect(reasons).toEqual([]);
  else expect(reasons.join("\n")).toContain(reason);
});

test("tests leave no trace in the inputs: another one is no change", async () => {
  const tested = await planned("NetworkAcl", given({ tests: [{ ...toWeb, from: address("2001:db8::1") }] }));
  expect(tested).toEqual(await planned("NetworkAcl", arguments_.NetworkAcl));
});

test.each([
  { rules: [{ ...allow, ports: UNKNOWN }] },
  { rules: [{ ...allow, sources: [tier("db", UNKNOWN)] }] },
  { tiers: [{ ...WEB, cidr: UNKNOWN }] },
  { tiers: [{ ...WEB, interface: UNKNOWN }] },
  { tests: [{ ...toWeb, from: address(UNKNOWN), expect: "deny" }] },
])("unknown: %o", async (change) => {
  expect((await planned("NetworkAcl", given(change))).fragments).toEqual({ nftables: UNKNOWN });
});

const TUNNELS = [
  { ...allow, protocol: "gre", cidrs: ["2001:db8:1::/48"] },
  { ...allow, protocol: "sctp", ports: "36412" },
  { ...allow, action: "deny", protocol: 89 },
  { ...allow, protocol: "all", cidrs: ["2001:db8:2::/48"] },
];

test.each([
  [{ protocol: "gre", from: address("2001:db8:1::9") }, "allow"],
  [{ protocol: 47, from: address("2001:db8:1::9") }, "allow"],
  [{ protocol: "gre", from: address("2001:db8:3::9") }, "deny"],
  [{ protocol: "sctp", port: 36412, from: address("::/0") }, "allow"],
  [{ protocol: "sctp", port: 36413, from: address("2001:db8:1::9") }, "deny"],
  [{ protocol: 89, from: address("2001:db8:2::9") }, "deny"],
  [{ protocol: "esp", from: address("2001:db8:2::9") }, "allow"],
  [{ protocol: 253, from: address("2001:db8:2::9") }, "allow"],
])("a test of protocol %o: %s", async (packet, expect_) => {
  const to = tier("web", WEB?.cidr ?? "");
  const failing = async (expected: string) =>
    (await check("NetworkAcl", given({ rules: TUNNELS, tests: [{ ...packet, to, expect: expected }] }))).reasons.length;
  expect(await failing(expect_)).toBe(0);
  expect(await failing(expect_ === "allow" ? "deny" : "allow")).toBe(1);
});

test.each([
  [132, "sctp"],
  [47, "gre"],
  [58, "icmpv6"],
] as const)("protocol %i is %s: the same rule, seen twice it is refused", async (number, name) => {
  const rules = [{ ...allow, protocol: number }];
  expect(await planned("NetworkAcl", given({ rules }))).toEqual(
    await planned("NetworkAcl", given({ rules: [{ ...allow, protocol: name }] })),
  );
  const { reasons } = await check("NetworkAcl", given({ rules: [...rules, { ...allow, protocol: name }] }));
  expect(reasons).toEqual(["rules[1]: no packet gets here: rules[0] matches the same ones and comes first"]);
});

const BOTH = { ...WEB, ipv4: "10.1.1.0/24" };
const ONLY4 = { name: "plant", interface: "plant0", ipv4: "10.9.0.0/16", router: ROUTER };

test.each([
  [{}, ["meta l4proto tcp return"]],
  [{ protocol: "icmp" }, ["ip protocol icmp return"]],
  [{ protocol: "icmp", icmpType: 8, icmpCode: 0 }, ["icmp type 8 icmp code 0 return"]],
  [{ cidrs: ["10.0.0.0/8"] }, ["meta l4proto tcp ip saddr 10.0.0.0/8 return"]],
  [{ protocol: "esp" }, ["meta l4proto esp return"]],
  [
    { protocol: 4, cidrs: ["10.0.0.0/8", "2001:db8::/32"] },
    ["meta l4proto 4 ip6 saddr 2001:db8::/32 return", "meta l4proto 4 ip saddr 10.0.0.0/8 return"],
  ],
  [{ protocol: 59 }, ["ip protocol 59 return"]],
  [
    { ports: 443, cidrs: ["10.0.0.9/32", "2001:db8::/32", "10.2.0.0/16"] },
    ["tcp dport 443 ip6 saddr 2001:db8::/32 return", "tcp dport 443 ip saddr | 10.0.0.9, 10.2.0.0/16 | return"],
  ],
  [
    { sources: [{ kind: "tier", name: "db", addresses: `${DB.cidr}\n10.1.2.0/24` }] },
    ["meta l4proto tcp ip6 saddr 2001:67c:2834:2::/64 return", "meta l4proto tcp ip saddr 10.1.2.0/24 return"],
  ],
  [
    { protocol: "icmpv6", sources: [{ kind: "tier", name: "db", addresses: `${DB.cidr}\n10.1.2.0/24` }] },
    ["meta l4proto icmpv6 ip6 saddr 2001:67c:2834:2::/64 return"],
  ],
  [
    { sources: [{ kind: "instance", name: "db1", addresses: "2001:67c:2834:2::10\n10.1.2.9\n2001:67c:2834:2::20" }] },
    [
      "meta l4proto tcp ip6 saddr | 2001:67c:2834:2::10, 2001:67c:2834:2::20 | return",
      "meta l4proto tcp ip saddr 10.1.2.9 return",
    ],
  ],
  [
    { sources: [{ kind: "secondary address", name: "vip", addresses: "2001:67c:2834:2::20\n10.1.2.20" }] },
    ["meta l4proto tcp ip6 saddr 2001:67c:2834:2::20 return", "meta l4proto tcp ip saddr 10.1.2.20 return"],
  ],
  [
    { sources: [{ kind: "instance", name: "db1", addresses: "10.1.2.9" }] },
    ["meta l4proto tcp ip saddr 10.1.2.9 return"],
  ],
  [
    { sources: [group("mixed", "2001:db8:7::/48\n10.7.0.0/16\n")] },
    [
      "meta l4proto tcp ip6 saddr @web-acl/web0/mixed return",
      "meta l4proto tcp ip saddr @web-acl/web0/mixed/ipv4 return",
    ],
  ],
  [{ sources: [group("old", "10.7.0.0/16\n")] }, ["meta l4proto tcp ip saddr @web-acl/web0/old/ipv4 return"]],
  [{ sources: [group("none", "")] }, ["meta l4proto tcp ip6 saddr @web-acl/web0/none return"]],
] as const)("a rule on a dual-stack tier is a line for each family: %o", async (change, lines) => {
  const text = await rendered({ tiers: [BOTH], rules: [{ ...allow, ...change }] });
  expect(chain(text, "ingress")).toEqual([...lines, "goto unmatched"]);
});

test("a group's set for IPv4 is of IPv4; a list shows only what its own tiers can meet", async () => {
  const mixed = group("mixed", "2001:db8:7::/48\n10.7.0.0/16\n");
  const both = await rendered({ tiers: [BOTH], rules: [{ ...allow, sources: [mixed] }] });
  expect(both).toMatch(/set web-acl\/web0\/mixed\/ipv4 \{\n\t\ttype ipv4_addr; [^}]*10\.7\.0\.0\/16,\n\t\t\}/);
  const six = await rendered({ rules: [{ ...allow, sources: [mixed] }] });
  expect(six).not.toContain("10.7");
  const four = await rendered({ tiers: [ONLY4], rules: [{ ...allow, sources: [mixed], cidrs: ["10.8.0.0/16"] }] });
  expect(four).not.toContain("2001:db8");
  expect(four).toContain("tcp ip saddr @web-acl/plant0/mixed/ipv4 return\n");
});

test.each([
  [
    { protocol: "icmp", icmpType: 3 },
    "no packet of type 3 gets to a rule: an error passes if it is about a connection that passed, and not otherwise (path MTU discovery",
  ],
  [{ protocol: "icmp", icmpType: 0 }, "no packet of type 0 gets to a rule: an echo reply passes as the answer"],
  [{ protocol: "icmp", icmpType: 5 }, "no packet of type 5 gets to a rule: it is for one link only"],
  [{ protocol: "icmp", ports: "8" }, "with protocol icmp matches no packet: only tcp, udp and sctp have ports"],
  [
    { protocol: "icmp", cidrs: ["2001:db8::/32"] },
    '"2001:db8::/32" matches no packet: it is IPv6, and protocol icmp is not',
  ],
  [
    { protocol: "icmpv6", cidrs: ["10.0.0.0/8"] },
    '"10.0.0.0/8" matches no packet: it is IPv4, and protocol icmpv6 is not',
  ],
  [{ cidrs: ["127.0.0.0/8"] }, '"127.0.0.0/8" is loopback (127.0.0.0/8, RFC 1122 section 3.2.1.3)'],
  [{ cidrs: ["10.1.1.128/25"] }, '"10.1.1.128/25" matches no packet: it is in the tier itself'],
  [{ protocol: "icmp", sources: [{ kind: "tier", name: "db", addresses: DB.cidr }] }, 'tier "db" has no IPv4 address'],
  [{ sources: [{ kind: "tier", name: "bare" }] }, 'rules[0].sources[0]: tier "bare" has no address'],
])("a rule on a dual-stack tier with %o", async (change, reason) => {
  const { reasons } = await check("NetworkAcl", given({ tiers: [BOTH], rules: [{ ...allow, ...change }] }));
  expect(reasons.join("\n")).toContain(reason);
});

test("the same numbers in two families are not the same addresses", async () => {
  const rules = [["::/96"], ["0.0.0.0/0"]].map((cidrs) => ({ ...allow, cidrs }));
  expect((await check("NetworkAcl", given({ tiers: [BOTH], rules }))).reasons).toEqual([]);
});

test("a list's id and name on the router, where there is IPv4 only", async () => {
  const inputs = await planned("NetworkAcl", given({ tiers: [ONLY4] }));
  expect(inputs.at).toBe("10.9.0.0/16");
  expect((await planned("NetworkAcl", given({ tiers: [{ ...ONLY4, ipv4: "10.8.0.0/16" }] }), inputs)).at).toBe(
    inputs.at,
  );
});

const toBoth = { to: tier("web", `${WEB?.cidr}\n10.1.1.0/24`), protocol: "tcp", port: 443, expect: "allow" };
const RULES4 = [
  { ...allow, action: "deny", cidrs: ["10.66.0.0/16"] },
  { ...allow, ports: "443" },
  { ...allow, ports: "25", cidrs: ["2001:db8::/32"] },
];

test.each([
  [{ ...toBoth, from: address("10.0.0.1") }, ""],
  [{ ...toBoth, from: address("10.66.0.1"), expect: "deny" }, ""],
  [{ ...toBoth, from: address("10.0.0.1"), protocol: "icmp", port: undefined }, ""],
  [{ ...toBoth, from: address("2001:db8::1"), protocol: "icmpv6", port: undefined }, ""],
  [{ ...toBoth, from: tier("db", `${DB.cidr}\n10.1.2.0/24`) }, ""],
  [{ ...toBoth, from: address("2001:db8::1"), port: 25 }, ""],
  [
    { ...toBoth, from: tier("db", "2001:db8::/48\n10.1.2.0/24"), port: 25 },
    "is denied as no rule allows it (for 10.1.2.0-10.1.2.255)",
  ],
  [
    { ...toBoth, from: address("10.0.0.0/8") },
    "is denied by rules[0], deny tcp from 10.66.0.0/16 (for 10.66.0.0-10.66.255.255)",
  ],
  [{ ...toBoth, from: address("10.1.1.9") }, "nothing is filtered within a tier"],
  [
    { ...toBoth, from: address("2001:db8::1"), protocol: "icmp", port: undefined },
    "no icmp packet goes from 2001:db8::1",
  ],
])("a test with IPv4 ends: %o", async (change, reason) => {
  const { reasons } = await check("NetworkAcl", given({ tiers: [BOTH], rules: RULES4, tests: [change] }));
  if (reason === "") expect(reasons).toEqual([]);
  else expect(reasons.join("\n")).toContain(reason);
});

// The evaluator works with ranges; the oracle asks for one packet at a time, in a world of 256 addresses.
const BASE = 0x20010db8n << 96n;
const prefix = fc.tuple(fc.integer({ min: 120, max: 128 }), fc.integer({ min: 0, max: 255 })).map(([length, host]) => {
  const bits = 128 - length;
  return `2001:db8::${((host >> bits) << bits).toString(16)}/${length}`;
});
const eitherPrefix = fc.oneof(
  prefix,
  prefix.map((it) => {
    const [, host = "0", length] = /::([0-9a-f]+)\/(\d+)$/.exec(it) ?? [];
    return `32.1.13.${Number.parseInt(host, 16)}/${Number(length) - 96}`;
  }),
);
const rule = fc.record({
  direction: fc.constantFrom("ingress" as const, "egress" as const),
  action: fc.constantFrom("allow" as const, "deny" as const),
  protocol: fc.constantFrom("tcp" as const, "udp" as const, "icmpv6" as const, "gre" as const, 89, "all" as const),
  cidrs: fc.option(fc.array(prefix, { minLength: 1, maxLength: 4 }), { nil: undefined }),
});
const flow = fc.record({
  protocol: fc.constantFrom("tcp" as const, "udp" as const, "icmpv6" as const, "gre" as const, 89),
  number: fc.constantFrom(127, 128),
});

test("property: ranges are decided as each of their packets would be", () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 8 }),
      fc.array(prefix, { minLength: 1, maxLength: 3 }),
      flow,
      (args, ends, packet) => {
        const rules: Rule[] = args.map((it, index) =>
          ruleOf(
            { ...it, log: false, ...(it.protocol === "tcp" && index % 2 === 0 && { ports: "100-127" }) } as RuleArgs,
            index,
          ),
        );
        const others = placesOf(ends);
        const decisions = decide(rules, "ingress", packet, others);
        for (let host = 0n; host < 256n; host++) {
          const at = BASE + host;
          const inRange = (range: { first: bigint; last: bigint }) => range.first <= at && at <= range.last;
          const found: Decision[] = decisions.filter(({ range }) => inRange(range));
          expect(found.length).toBe(others.some(inRange) ? 1 : 0);
          if (found.length === 0) continue;
          const first = args.findIndex(({ direction, protocol, cidrs }, index) => {
            if (direction !== "ingress" || (protocol !== "all" && protocol !== packet.protocol)) return false;
            if (protocol === "tcp" && index % 2 === 0 && packet.number > 127) return false;
            return cidrs === undefined || cidrs.some((cidr) => placesOf([cidr]).some(inRange));
          });
          const echo = packet.protocol === "icmpv6" && packet.number === 128;
          expect(found[0]?.action).toBe(first < 0 ? (echo ? "allow" : "deny") : args[first]?.action);
          expect(found[0]?.rule?.index).toBe(first < 0 ? undefined : first);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("property: split loses and invents nothing", () => {
  const some = fc.array(eitherPrefix, { maxLength: 6 }).map(placesOf);
  const size = (places: readonly { first: bigint; last: bigint }[]) =>
    places.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
  fc.assert(
    fc.property(some, some, (one, other) => {
      const { inside, outside } = split(one, other);
      expect(size(inside) + size(outside)).toBe(size(one));
      expect(split(inside, other).outside).toEqual([]);
      expect(split(outside, other).inside).toEqual([]);
    }),
  );
});
