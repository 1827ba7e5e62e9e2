// Every property of every resource: what is not right is refused with its path, the value and what would be right.

import { expect, test } from "vitest";
import { arguments_, check } from "../check";

type Kind = keyof typeof arguments_;

const wrong: [Kind, Record<string, unknown>, string][] = [
  ["Zone", { superCidr: 7 }, "superCidr: 7 is not an IPv6 prefix"],
  ["Zone", { superCidr: "10.0.0.0/8" }, 'superCidr: "10.0.0.0/8" is IPv4; IPv6 is expected here'],
  ["Zone", { superCidr: "2001:67c:2834::1/50" }, "has host bits set"],
  ["Zone", { superCidr: "2001:67c:2834::%eth0/50" }, "superCidr: "],
  ["Zone", { superCidr: "::ffff:10.0.0.0/104" }, "superCidr: "],
  ["Zone", { superCidr: "2001:67c:2834::" }, "superCidr: "],
  ["Zone", { superCidr: "2001:67c:2834::/60; reboot" }, "superCidr: "],
  [
    "Zone",
    { asn: 70000 },
    "asn: 70000 is not a private AS number: 64512 to 65534 or 4200000000 to 4294967294 (RFC 6996)",
  ],
  ["Zone", { asn: 4294967295 }, "asn: 4294967295 is not a private AS number"],
  ["Zone", { asn: 64512.5 }, "asn: 64512.5 is not an AS number"],
  ["Zone", { asn: 64512, asnRange: "64512-64520" }, "asnRange: there is `asn` too"],
  ["Zone", { asnRange: "1-2" }, 'asnRange: "1-2" is not a range of private AS numbers'],
  ["Zone", { asnRange: "64520-64512" }, "asnRange: "],
  ["Zone", { asnRange: "64512-4200000000" }, "asnRange: "],
  ["Zone", { vpcPrefixLength: 64 }, "vpcPrefixLength: 64 is not a prefix length (48 to 63)"],
  ["Zone", { vpcPrefixLength: 49 }, "superCidr: 2001:67c:2834::/50 cannot be split into /49"],
  ["Zone", { isolatedCidr: "2001:67c:2834:8::/61" }, 'isolatedCidr: "2001:67c:2834:8::/61" overlaps superCidr'],
  ["Zone", { isolatedCidr: "2001:db8::/65" }, "isolatedCidr: 2001:db8::/65 cannot be split into /64"],
  ["Zone", { publicNetwork: { cidr: "2001:67c:2834::/64" } }, "publicNetwork.cidr: "],
  ["Zone", { publicNetwork: { cidr: "2001:db8::/64", gateway: "2001:db8:1::1" } }, "publicNetwork.gateway: "],
  ["Zone", { publicNetwork: { cidr: "2001:db8::/64", range: "2001:db8::9-2001:db8::1" } }, "publicNetwork.range: "],
  ["Zone", { publicNetwork: { cidr: "2001:db8::/64", range: "2001:db9::1-2001:db9::9" } }, "publicNetwork.range: "],
  ["Zone", { publicNetwork: "2001:db8::/64" }, "publicNetwork: "],
  ["BgpPeer", { remoteAsn: 0 }, "remoteAsn: 0 is not an AS number (1 to 4294967295)"],
  ["BgpPeer", { remoteAsn: 4294967296 }, "remoteAsn: 4294967296 is not an AS number"],
  ["BgpPeer", { remoteAsn: undefined }, "remoteAsn: missing; it must be an AS number"],
  ["BgpPeer", { address: "2001:db8:ffff::10" }, 'address: "2001:db8:ffff::10" is the router\'s own'],
  ["BgpPeer", { address: "2001:67c:2834:20::7" }, 'address: "2001:67c:2834:20::7" is inside the VPC\'s own'],
  ["BgpPeer", { address: "2001:db8:1::1" }, "is not in the public network 2001:db8:ffff::/64; set multihop"],
  ["BgpPeer", { address: "fe80::1" }, 'address: "fe80::1" is not a global unicast address'],
  ["BgpPeer", { address: "203.0.113.1" }, 'address: "203.0.113.1" is IPv4'],
  ["BgpPeer", { zone: {} }, "address: missing, and the zone has no public network"],
  ["BgpPeer", { asn: undefined }, "vpc: its router has no AS number to speak BGP with; set asn"],
  ["BgpPeer", { cidr: undefined }, "vpc: it has no IPv6 prefix to announce"],
  ["BgpPeer", { multihop: 1 }, "multihop: 1 is not a number of hops (2 to 255)"],
  ["BgpPeer", { multihop: 2, remoteAsn: 4200000000 }, "multihop: 2 with the router's own AS number"],
  ["BgpPeer", { timers: { hold: 2 } }, "timers.hold: 2 is not a number of seconds (3 to 65535)"],
  ["BgpPeer", { timers: { keepalive: 30 } }, "timers.hold: 30 is not more than keepalive, 30"],
  ["BgpPeer", { timers: { retry: 3 } }, "timers.retry: there is no such property"],
  ["BgpPeer", { import: ["all"] }, 'import[0]: "all" '],
  ["BgpPeer", { import: ["2001:db8::/60"] }, 'import[0]: "2001:db8::/60" is not inside the zone\'s super CIDR'],
  ["BgpPeer", { export: ["2001:67c:2834::/60"] }, 'export[0]: "2001:67c:2834::/60" is not inside the VPC\'s'],
  ["BgpPeer", { export: ["2001:67c:2834:20::/65"] }, "is longer than /64"],
  ["BgpPeer", { name: "a b" }, 'name: "a b" is not a name'],
  ["Zone", { superCIDR: "2001:67c:2834::/50" }, "superCIDR: there is no such property; there are "],
  ["Router", { host: "" }, 'host: "" is not a host name or address'],
  ["Router", { host: "-oProxyCommand=reboot" }, "host: "],
  ["Router", { host: "a\nb" }, "host: "],
  ["Router", { port: 0 }, "port: 0 is not a port (1 to 65535)"],
  ["Router", { port: 70000 }, "port: 70000 is not a port (1 to 65535)"],
  ["Router", { user: "root; reboot" }, "user: "],
  ["Router", { hostKey: "MD5:aa:bb" }, "hostKey: "],
  ["Router", { hostKey: undefined }, "hostKey: missing; it must be a host key"],
  ["Router", { publicInterface: "a name too long" }, "publicInterface: "],
  ["Router", { publicInterface: "pub0\nreboot" }, "publicInterface: "],
  ["Router", { publicInterface: "lo" }, "publicInterface: "],
  ["Router", { dnsServers: ["9.9.9.9", "dns.example"] }, "dnsServers[1]: "],
  ["Router", { publicServices: ["tcp/70000"] }, 'publicServices[0]: "tcp/70000" is not a service'],
  ["Router", { proxy: { host: "b" } }, "proxy.hostKey: missing"],
  ["Router", { address: "2001:db8:ffff::x" }, "address: "],
  ["Router", { asn: 3320 }, "asn: 3320 is not a private AS number"],
  ["Router", { claim: "a b" }, 'claim: "a b" is not a name for the ledger'],
  ["Vpc", { domain: "shop internal" }, 'domain: "shop internal" is not a DNS domain'],
  ["Vpc", { domain: "a,b" }, "domain: "],
  ["Vpc", { domain: `${"a".repeat(64)}.internal` }, "domain: "],
  ["Vpc", { ntpServers: ["pool.ntp.org"] }, "ntpServers[0]: "],
  ["Vpc", { cidr: "2001:67c:2834::1/60" }, "cidr: "],
  ["Vpc", { ipv6: "yes" }, 'ipv6: "yes" is not true or false'],
  ["Vpc", { ipv6: false, cidr: "2001:67c:2834::/60" }, "cidr: "],
  ["Tier", { interface: undefined }, "interface: name the router's interface"],
  ["Tier", { mac: "02:00:00:00:01:01" }, "interface: name the router's interface"],
  ["Tier", { interface: undefined, mac: "01:00:00:00:01:01" }, "mac: "],
  ["Tier", { interface: "web0,eth1" }, "interface: "],
  [
    "Tier",
    { gateway: "2001:67c:2834:2::1" },
    `gateway: "2001:67c:2834:2::1" is not inside the tier's 2001:67c:2834:1::/64`,
  ],
  ["Tier", { domain: "-x" }, "domain: "],
  ["Instance", { mac: undefined }, "mac: missing; a guest is known by its `mac` or its `duid`"],
  ["Instance", { mac: "ff:ff:ff:ff:ff:ff" }, "mac: "],
  ["Instance", { mac: "02:00:00:00:01" }, "mac: "],
  ["Instance", { duid: "00:03" }, "duid: "],
  ["Instance", { duid: "00:03:00:01:02:00:00:00:01:11,reboot" }, "duid: "],
  ["Instance", { hostname: "web_1" }, 'hostname: "web_1" is not a host name'],
  ["Instance", { hostname: "a".repeat(64) }, "hostname: "],
  ["Instance", { address: "10.0.0.1" }, 'address: "10.0.0.1" is IPv4; IPv6 is expected here'],
  ["Instance", { grant: { refused: "all 3 addresses are in use" } }, "claim: all 3 addresses are in use"],
];

test.each(wrong)("%s %o", async (kind, change, reason) => {
  const { reasons } = await check(kind, { ...arguments_[kind], ...change });
  expect(reasons.join("\n")).toContain(reason);
  expect(reasons.join("\n")).not.toMatch(/undefined|\[object|vpc6 bug/);
});

test("all at once", async () => {
  const { reasons } = await check("Zone", { ...arguments_.Zone, superCidr: "x", asn: 1, vpcPrefixLength: 1 });
  expect(reasons.map((reason) => reason.split(":")[0])).toEqual(["superCidr", "asn", "vpcPrefixLength"]);
});

test.each(Object.keys(arguments_) as Kind[])("what is right is accepted: %s", async (kind) => {
  expect((await check(kind, arguments_[kind])).reasons).toEqual([]);
});
