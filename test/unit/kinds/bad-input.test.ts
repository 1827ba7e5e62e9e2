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
  ["Instance", { address: "2001:67c:2834:1::99" }, 'address: "2001:67c:2834:1::99" comes too late'],
  ["Instance", { grant: { refused: "all 3 addresses are in use" } }, "claim: all 3 addresses are in use"],
  ["LoadBalancer", { port: 70000 }, "port: 70000 is not a port (1 to 65535)"],
  ["LoadBalancer", { mode: "udp" }, 'mode: "udp" is not one of "tcp", "http", "ssl-passthrough"'],
  ["LoadBalancer", { algorithm: "random" }, 'algorithm: "random" is not one of "roundrobin", "leastconn", "source"'],
  ["LoadBalancer", { health: "ping" }, 'health: "ping"; it must be an object with http, interval'],
  ["LoadBalancer", { health: { http: "/a b\n" } }, "health.http: "],
  ["LoadBalancer", { health: { http: "/", interval: 0 } }, "health.interval: 0 is not a number of seconds (1 to 3600)"],
  ["LoadBalancer", { certificate: "x" }, "certificate: there is no such property"],
  ["LoadBalancer", { sources: ["2001:db8::1/32"] }, "sources[0]: "],
  ["LoadBalancer", { sources: ["10.0.0.0/8"] }, 'sources[0]: "10.0.0.0/8" is IPv4'],
  ["LoadBalancer", { sources: [] }, "sources: [] would let nobody in"],
  ["LoadBalancer", { proxyProtocol: "v1" }, 'proxyProtocol: "v1" is not true or false'],
  ["LoadBalancer", { members: undefined }, "members: missing; it must be a list"],
  ["LoadBalancer", { members: [{ port: 80 }] }, "members[0]: name it by `instance` or by `address`"],
  ["LoadBalancer", { members: [{ address: "192.0.2.1", port: 70000 }] }, "members[0].port: 70000 is not a port"],
  ["LoadBalancer", { members: [{ address: "192.0.2.1", port: 1, weight: 257 }] }, "members[0].weight: 257 is not"],
  ["LoadBalancer", { members: [{ address: "web1", port: 80 }] }, "members[0].address: "],
  [
    "LoadBalancer",
    { members: [{ address: "127.0.0.1", port: 80 }] },
    'members[0].address: "127.0.0.1" is not the address',
  ],
  ["LoadBalancer", { members: [{ address: "fe80::1", port: 80 }] }, 'members[0].address: "fe80::1" is not the address'],
  [
    "LoadBalancer",
    { members: [{ address: "2001:67c:2834:7::1", port: 80 }] },
    `members[0].address: "2001:67c:2834:7::1" is inside the VPC's 2001:67c:2834::/60, but in none of its tiers (2001:67c:2834:1::/64)`,
  ],
  [
    "LoadBalancer",
    { members: [{ instance: { name: "app1", address: "2001:67c:2834:11::10" }, port: 80 }] },
    'members[0].instance: "app1" (2001:67c:2834:11::10) is not a guest of this VPC (2001:67c:2834::/60)',
  ],
  [
    "LoadBalancer",
    { members: ["2001:db8::1", "2001:DB8:0::1"].map((address) => ({ address, port: 80 })) },
    "members[1]: [2001:db8::1]:80 is already members[0]",
  ],
  ["LoadBalancer", { grant: { refused: "2001:67c:2834::80 is taken by a" } }, "claim: 2001:67c:2834::80 is taken by a"],
  [
    "LoadBalancer",
    { grant: undefined, shared: "2001:67c:2834::80", others: [{ name: "shop", port: 80 }] },
    `port: 80 of 2001:67c:2834::80 is already "shop"'s; "www" needs another port or another address`,
  ],
  ["LoadBalancer", { grant: undefined, vpc: { tiers: [] } }, "vpc: it has ipv6: false"],
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
