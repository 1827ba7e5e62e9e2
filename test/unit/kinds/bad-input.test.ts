// Every property of every resource: what is not right is refused with its path, the value and what would be right.

import { expect, test } from "vitest";
import { arguments_, check } from "../check";

type Kind = keyof typeof arguments_;

const many = (count: number) =>
  Array.from({ length: count }, (_, it) => `2001:db8:1111:2222:3333:4444:5555:${it + 1000}`);

const LONG = [...Array(3).fill("d".repeat(60)), "e".repeat(60)].join(".");

type Wrong = [Kind, Record<string, unknown>, string];
const wrong: Wrong[] = [
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
  ["Zone", { asn: 64512.5 }, "asn: 64512.5 is not a private AS number"],
  ["Zone", { asn: 64512, asnRange: "64512-64520" }, "asnRange: there is `asn` too"],
  ["Zone", { asnRange: "1-2" }, 'asnRange: "1-2" is not a range of private AS numbers'],
  ["Zone", { asnRange: "64520-64512" }, "asnRange: "],
  ["Zone", { asnRange: "64512-4200000000" }, "asnRange: "],
  ["Zone", { vpcPrefixLength: 64 }, "vpcPrefixLength: 64 is not a prefix length (48 to 63)"],
  ["Zone", { vpcPrefixLength: 49 }, "superCidr: 2001:67c:2834::/50 cannot be split into /49"],
  ["Zone", { isolatedCidr: "2001:67c:2834:8::/61" }, 'isolatedCidr: "2001:67c:2834:8::/61" overlaps superCidr'],
  ["Zone", { isolatedCidr: "2001:db8::/65" }, "isolatedCidr: 2001:db8::/65 cannot be split into /64"],
  ["Zone", { publicNetwork: { cidr: "2001:67c:2834::/64" } }, "publicNetwork.cidr: "],
  [
    "Zone",
    { publicNetwork: { cidr: "2001:db8::/64", gateway: "2001:67c:2834:1::1" } },
    'publicNetwork.gateway: "2001:67c:2834:1::1" is inside superCidr 2001:67c:2834::/50',
  ],
  [
    "Zone",
    { isolatedCidr: "2001:db8:2800::/56", publicNetwork: { cidr: "2001:db8::/64", gateway: "2001:db8:2800::1" } },
    'publicNetwork.gateway: "2001:db8:2800::1" is inside isolatedCidr 2001:db8:2800::/56',
  ],
  [
    "Zone",
    { publicNetwork: { cidr: "2001:db8::/64", gateway: "ff02::2" } },
    'publicNetwork.gateway: "ff02::2" is multicast',
  ],
  [
    "Zone",
    { publicNetwork: { cidr: "2001:db8::7/128" } },
    "publicNetwork.gateway: missing; 2001:db8::7/128 has one address",
  ],
  ["Zone", { publicNetwork: { cidr: "2001:db8::/64", range: "2001:db8::9-2001:db8::1" } }, "publicNetwork.range: "],
  ["Zone", { publicNetwork: { cidr: "2001:db8::/64", range: "2001:db9::1-2001:db9::9" } }, "publicNetwork.range: "],
  ["Zone", { publicNetwork: "2001:db8::/64" }, "publicNetwork: "],
  // Configuration is text.
  ["Zone", { asn: "4200000000" }, "(RFC 6996); it is a text: write the number, without quotes"],
  ["BgpPeer", { remoteAsn: "65000" }, '"65000" is not an AS number (1 to 4294967295); it is a text: write the number'],
  ["LoadBalancer", { port: "22" }, 'port: "22" is not a port (1 to 65535); it is a text: write the number'],
  ["BgpPeer", { acceptDefault: "true" }, 'acceptDefault: "true" is not true or false; it is a text: write it without'],
  ["BgpPeer", { remoteAsn: 0 }, "remoteAsn: 0 is not an AS number (1 to 4294967295)"],
  ["BgpPeer", { remoteAsn: 4294967296 }, "remoteAsn: 4294967296 is not an AS number"],
  ["BgpPeer", { remoteAsn: undefined }, "remoteAsn: missing; it must be an AS number"],
  ["BgpPeer", { address: "2001:db8:ffff::10" }, 'address: "2001:db8:ffff::10" is the router\'s own'],
  ["BgpPeer", { address: "2001:67c:2834:20::7" }, 'address: "2001:67c:2834:20::7" is inside the VPC\'s own'],
  ["BgpPeer", { address: "2001:db8:1::1" }, "is not in the public network 2001:db8:ffff::/64; set multihop"],
  ["BgpPeer", { address: "fe80::1" }, 'address: "fe80::1" is link-local (fe80::/10, RFC 4291 section 2.5.6)'],
  [
    "BgpPeer",
    { zone: { superCidr: "2001:67c:2834::/50", publicNetwork: { cidr: "2001:db8:ffff::/64", gateway: "fe80::1" } } },
    'address: missing, and the zone\'s gateway, "fe80::1", is link-local (fe80::/10, RFC 4291 section 2.5.6): it means another host on each link, and no router forwards it; BGP needs an address of the public network',
  ],
  [
    "Uplink",
    { zone: { superCidr: "2001:67c:2834::/50", publicNetwork: { cidr: "2001:db8:ffff::/64", gateway: "fe80::1" } } },
    'address: missing, and the zone\'s gateway, "fe80::1", is link-local',
  ],
  [
    "BgpPeer",
    {
      zone: {
        superCidr: "2001:67c:2834::/50",
        publicNetwork: { cidr: "2001:db8:ffff::/64", gateway: "2001:db8:1::1" },
      },
    },
    'address: "2001:db8:1::1" is not in the public network 2001:db8:ffff::/64; set multihop to reach it',
  ],
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
  [
    "BgpPeer",
    {
      cidr: "2001:67c:2834:20::/63",
      export: ["2001:67c:2834:20::/63", "2001:67c:2834:20::/64", "2001:67c:2834:21::/64"],
    },
    "export: 3 prefixes; at most 2 are possible for 2001:67c:2834:20::/63",
  ],
  ["BgpPeer", { export: ["2001:67c:2834:20::/65"] }, "is longer than /64"],
  ["BgpPeer", { name: "a b" }, 'name: "a b" is not a name'],
  ["BgpPeer", { bfd: 300 }, "bfd: 300 is not false, true or an object with interval, multiplier"],
  ["BgpPeer", { bfd: { interval: 10 } }, "bfd.interval: 10 is not a number of milliseconds (50 to 60000)"],
  ["BgpPeer", { bfd: { multiplier: 1 } }, "bfd.multiplier: 1 is not a number of packets (2 to 255)"],
  ["Uplink", { asn: 0 }, "asn: 0 is not an AS number (1 to 4294967295)"],
  ["Uplink", { hostKey: undefined }, "hostKey: missing; it must be a host key"],
  ["Uplink", { address: "2001:67c:2834::1" }, "is inside the zone's super CIDR 2001:67c:2834::/50"],
  ["Uplink", { address: "fe80::1" }, 'address: "fe80::1" is link-local (fe80::/10, RFC 4291 section 2.5.6)'],
  ["Uplink", { zone: { superCidr: "2001:67c:2834::/50" } }, "address: missing, and the zone has no public network"],
  ["Uplink", { zone: { publicNetwork: { cidr: "2001:db8:ffff::/64" } } }, "zone: it has no super CIDR"],
  ["Uplink", { accept: "all" }, 'accept: "all" is not one of "vpcs", "supernet"'],
  ["Uplink", { listen: "2001:db8:ffff::/120" }, 'listen: it goes with accept: "supernet" only'],
  ["Uplink", { accept: "supernet", listen: "2001:db8::/64" }, "is not inside the public network"],
  ["Uplink", { accept: "supernet", neighbors: [] }, 'neighbors: with accept: "supernet" whoever connects'],
  ["Uplink", { maximumPrefix: 0 }, "maximumPrefix: 0 is not a number of prefixes"],
  ["Uplink", { timers: { keepalive: 30 } }, "timers.hold: 30 is not more than keepalive, 30"],
  [
    "Uplink",
    { neighbors: [{ address: "2001:db8:ffff::20", asn: 64600, prefixes: ["2001:db8::/60"] }] },
    `neighbors[0].prefixes[0]: "2001:db8::/60" is not inside the zone's super CIDR`,
  ],
  [
    "Uplink",
    { neighbors: [{ address: "2001:db8:ffff::10", asn: 64600, prefixes: [] }] },
    "neighbors[0].address: 2001:db8:ffff::10 has AS number 64600 here and 4200000000 elsewhere",
  ],
  [
    "Uplink",
    { neighbors: [{ address: "2001:db8:ffff::1", asn: 64600, prefixes: [] }] },
    'neighbors[0].address: "2001:db8:ffff::1" is the uplink\'s own address',
  ],
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
  // A name in these would be an IPv4 address to dnsmasq.
  ["Vpc", { domain: "2.3.4" }, 'domain: "2.3.4" is not a DNS domain'],
  ["Tier", { domain: "2.3.4." }, 'domain: "2.3.4." is not a DNS domain'],
  ["Vpc", { ntpServers: many(40) }, "ntpServers: 40 servers are more than dnsmasq reads in one line; 23 have room"],
  [
    "IsolatedNetwork",
    { vpc: { name: "isolated/a", domain: "internal", ntpServers: many(40) } },
    "ntpServers: 40 servers are more than dnsmasq reads in one line; 23 have room",
  ],
  ["Vpc", { domain: `${"a".repeat(64)}.internal` }, "domain: "],
  ["Vpc", { ntpServers: ["pool.ntp.org"] }, "ntpServers[0]: "],
  ["Vpc", { cidr: "2001:67c:2834::1/60" }, "cidr: "],
  ["Vpc", { vpcPrefixLength: 64 }, "vpcPrefixLength: 64 is not a prefix length (48 to 63)"],
  ["Vpc", { vpcPrefixLength: 56 }, "vpcPrefixLength: 56 comes too late: the ledger has 2001:67c:2834::/60"],
  ["Vpc", { vpcPrefixLength: 56, grant: { refused: "no /56 is left" } }, "vpcPrefixLength: no /56 is left"],
  ["Vpc", { ipv6: false, vpcPrefixLength: 56 }, "vpcPrefixLength: 56 on a VPC with ipv6: false"],
  ["Vpc", { ipv6: "yes" }, 'ipv6: "yes" is not true or false'],
  ["Vpc", { ipv6: false, cidr: "2001:67c:2834::/60" }, "cidr: "],
  ["Tier", { interface: undefined }, "interface: name the router's interface"],
  ["Tier", { mac: "02:00:00:00:01:01" }, "interface: name the router's interface"],
  ["Tier", { interface: undefined, mac: "01:00:00:00:01:01" }, "mac: "],
  ["Tier", { interface: "web0,eth1" }, "interface: "],
  // Tags that dnsmasq sets itself: their options would be told to the guests of all tiers.
  ["Tier", { interface: "known" }, 'interface: "known" is not the name of a network interface'],
  ["Tier", { interface: "dhcpv6" }, "interface: "],
  [
    "Tier",
    { mtu: 1279 },
    "mtu: 1279 is not a whole number, the MTU of a link (1280 to 9216; IPv6 asks 1280 of each, RFC 8200",
  ],
  ["Tier", { mtu: 9217 }, "mtu: 9217 is not a whole number, the MTU of a link"],
  ["Tier", { mtu: 1500.5 }, "mtu: 1500.5 is not a whole number"],
  ["Tier", { mtu: "1500" }, "it is a text: write the number, without quotes"],
  ["Router", { publicMtu: 1000 }, "publicMtu: 1000 is not a whole number, the MTU of a link"],
  [
    "Tier",
    { gateway: "2001:67c:2834:2::1" },
    `gateway: "2001:67c:2834:2::1" is not inside the tier's 2001:67c:2834:1::/64`,
  ],
  ["Tier", { domain: "-x" }, "domain: "],
  ["IsolatedNetwork", { interface: undefined }, "interface: name the router's interface"],
  [
    "IsolatedNetwork",
    { grant: { refused: "the zone has no isolatedCidr; set it on the Zone" } },
    "claim: the zone has no isolatedCidr",
  ],
  [
    "IsolatedNetwork",
    { vpc: { name: "isolated/a", domain: "internal", ntpServers: ["pool.ntp.org"] } },
    "ntpServers[0]: ",
  ],
  ["IsolatedNetwork", { domain: "-x" }, "domain: "],
  ["Tier", { ipv4: { cidr: "2001:db8::/64" } }, 'ipv4.cidr: "2001:db8::/64" is IPv6; IPv4 is expected here'],
  ["Tier", { ipv4: { cidr: "10.1.1.1/24" } }, "has host bits set"],
  ["Tier", { ipv4: {} }, "ipv4.cidr: missing; it must be an IPv4 prefix"],
  ["Tier", { ipv4: "10.1.1.0/24" }, 'ipv4: "10.1.1.0/24" is not an object with cidr, gateway, dhcp'],
  ["Tier", { ipv4: { cidr: "10.1.1.0/31" } }, 'ipv4.cidr: "10.1.1.0/31" has no room for a guest beside the gateway'],
  ["Tier", { ipv4: { cidr: "10.0.0.0/7" } }, 'ipv4.cidr: "10.0.0.0/7" is larger than a /8'],
  ["Tier", { ipv4: { cidr: "127.0.0.0/16" } }, 'ipv4.cidr: "127.0.0.0/16" is loopback (127.0.0.0/8, '],
  ["Tier", { ipv4: { cidr: "239.1.0.0/16" } }, 'ipv4.cidr: "239.1.0.0/16" is multicast'],
  [
    "Tier",
    { ipv4: { cidr: "10.1.1.0/24", gateway: "10.1.2.1" } },
    'ipv4.gateway: "10.1.2.1" is not the address of a host',
  ],
  ["Tier", { ipv4: { cidr: "10.1.1.0/24", gateway: "10.1.1.255" } }, "ipv4.gateway: "],
  ["Tier", { ipv4: { cidr: "10.1.1.0/24", dhcp: "no" } }, 'ipv4.dhcp: "no" is not true or false'],
  [
    "Tier",
    { ipv4: { cidr: "10.1.0.0/16" }, ipv4Others: [{ name: 'tier "db"', cidr: "10.1.2.0/24" }] },
    'ipv4.cidr: "10.1.0.0/16" overlaps 10.1.2.0/24 of tier "db", on the same router',
  ],
  ["Instance", { ipv4Address: "10.1.1.9" }, 'ipv4Address: "10.1.1.9" in a tier without IPv4; set `ipv4` on the Tier'],
  [
    "Instance",
    { mac: undefined, duid: "00:03:00:01:02", ipv4Grant: { value: "10.1.1.2" } },
    "mac: missing; in a tier with IPv4",
  ],
  [
    "Instance",
    { grant: undefined, ipv6: false },
    "tier: it has no address for this guest, as the guest has ipv6: false",
  ],
  ["Instance", { ipv4: false, ipv6: false, grant: undefined }, "ipv4: false and ipv6: false; a guest has one of them"],
  ["Instance", { ipv4: false, grant: undefined }, "ipv4: false, and its VPC has ipv6: false: there is no address"],
  [
    "Instance",
    { ipv4: false, ipv4Address: "10.1.1.9" },
    'ipv4Address: "10.1.1.9" for a guest with ipv4: false; leave one of them out',
  ],
  ["Instance", { claim: "web_1" }, "it is made of the resource's name: set `hostname` to another"],
  ["Instance", { grant: undefined }, "as its VPC has ipv6: false and the tier no `ipv4`"],
  [
    "Instance",
    { grant: undefined, ipv4Grant: { value: "10.1.1.2" }, address: "2001:db8::1" },
    "for a guest without IPv6",
  ],
  [
    "Instance",
    { ipv4Grant: { refused: "10.1.1.2 is held by a" }, ipv4Address: "10.1.1.2" },
    "ipv4Address: 10.1.1.2 is held by a",
  ],
  [
    "LoadBalancer",
    { members: [{ instance: { name: "c1", address: "10.9.0.2", ours: false }, port: 80 }] },
    "is not a guest of this VPC",
  ],
  ["Instance", { mac: undefined }, "mac: missing; a guest is known by its `mac` or its `duid`"],
  ["Instance", { mac: "ff:ff:ff:ff:ff:ff" }, "mac: "],
  ["Instance", { mac: "02:00:00:00:01" }, "mac: "],
  ["Instance", { duid: "00:03" }, "duid: "],
  ["Instance", { duid: "00:03:00:01:02:00:00:00:01:11,reboot" }, "duid: "],
  ["Instance", { password: "short" }, "password: a secret, so it is not shown; it must be 8 to 128 ASCII characters"],
  ["Instance", { password: "with a blank" }, "password: a secret, so it is not shown"],
  ["Instance", { password: "two\nlines.." }, "password: a secret, so it is not shown"],
  ["Instance", { password: "ünpronounceable" }, "password: a secret, so it is not shown"],
  ["Instance", { password: "-eeeeeee" }, "password: a secret, so it is not shown"],
  ["Instance", { password: "$6$salt$hash" }, "password: a secret, so it is not shown"],
  ["Instance", { password: "saved_password" }, "password: a secret, so it is not shown"],
  ["Instance", { password: "x".repeat(129) }, "password: a secret, so it is not shown"],
  ["Instance", { password: 12345678 }, "password: a secret, so it is not shown"],
  ["Instance", { password: "long-enough" }, "tier.gateway: missing"],
  ["Instance", { mac: undefined, duid: "00:04:aa:bb:cc", password: "long-enough" }, "password: needs `mac`"],
  ["Instance", { hostname: "web_1" }, 'hostname: "web_1" is not a host name'],
  ["Instance", { hostname: "a".repeat(64) }, "hostname: "],
  [
    "Instance",
    { hostname: "a".repeat(10), tier: { interface: "web0", domain: LONG } },
    "has 254 characters; a name in DNS",
  ],
  [
    "Instance",
    {
      hostname: "a",
      password: "correct-horse",
      tier: { interface: "web0", domain: LONG, gateway: "2001:67c:2834:1::1" },
    },
    'hostname: "data-server.',
  ],
  ["Instance", { hostname: "Data-Server" }, 'hostname: "Data-Server" is the name of the gateway, which guests ask for'],
  ["Instance", { claim: "data-server" }, "it is made of the resource's name: set `hostname` to another"],
  ["Instance", { claim: "web_1" }, "it is made of the resource's name: set `hostname` to another"],
  ["Instance", { mac: { refused: 'instance "a" and instance "b" have it' } }, 'mac: instance "a" and instance "b"'],
  ["Instance", { duid: { refused: 'instance "a" and instance "b" have it' } }, 'duid: instance "a" and instance "b"'],
  ["SecondaryAddress", { ipv4: false, ipv6: false, grant: undefined }, "ipv4: false and ipv6: false; an address is of"],
  ["SecondaryAddress", { grant: undefined }, "instances: no family that each of them has"],
  ["SecondaryAddress", { ipv4: false, grant: undefined }, "instances: ipv4: false, and no IPv6 that each of them has"],
  ["SecondaryAddress", { ipv6: false, grant: undefined }, "instances: ipv6: false, and no IPv4 that each of them has"],
  [
    "SecondaryAddress",
    { ipv4Address: "10.1.1.9" },
    'ipv4Address: "10.1.1.9" for guests of which not all have IPv4, or with ipv4: false; leave it out',
  ],
  [
    "SecondaryAddress",
    { grant: undefined, ipv4Grant: { value: "10.1.1.9" }, address: "2001:67c:2834:1::20" },
    'address: "2001:67c:2834:1::20" for guests of which not all have IPv6, or with ipv6: false; leave it out',
  ],
  ["SecondaryAddress", { claim: "my_vip" }, "it is made of the resource's name: set `hostname` to another"],
  ["SecondaryAddress", { claim: "data-server" }, "it is made of the resource's name: set `hostname` to another"],
  [
    "SecondaryAddress",
    { address: "2001:db8::1", grant: { refused: "2001:db8::1 is not inside 2001:67c:2834:1::/64" } },
    "a Tier gets its prefix in the order of names",
  ],
  [
    "SecondaryAddress",
    { guests: [{ name: "web1", mac: { refused: 'instance "a" and instance "b" have it' } }] },
    'guests[0].mac: instance "a" and instance "b"',
  ],
  ["Instance", { address: "10.0.0.1" }, 'address: "10.0.0.1" is IPv4; IPv6 is expected here'],
  ["Instance", { address: "2001:67c:2834:1::99" }, 'address: "2001:67c:2834:1::99" comes too late'],
  // It has one already, and keeps it; what it asks for is somebody else's.
  [
    "Instance",
    {
      address: "2001:67c:2834:1::11",
      grant: { value: "2001:67c:2834:1::10", refused: "2001:67c:2834:1::11 is held by web2" },
    },
    "address: 2001:67c:2834:1::11 is held by web2",
  ],
  [
    "Tier",
    { cidr: "2001:67c:2834:2::/64", grant: { value: "2001:67c:2834:1::/64", refused: "it is held by db" } },
    "cidr: it is held by db",
  ],
  ["Instance", { grant: { refused: "all 3 addresses are in use" } }, "claim: all 3 addresses are in use"],
  ["LoadBalancer", { port: 70000 }, "port: 70000 is not a port (1 to 65535)"],
  ["LoadBalancer", { mode: "udp" }, 'mode: "udp" is not one of "tcp", "http", "ssl-passthrough"'],
  ["LoadBalancer", { algorithm: "random" }, 'algorithm: "random" is not one of "roundrobin", "leastconn", "source"'],
  [
    "LoadBalancer",
    { health: "ping" },
    'health: "ping" is not "tcp" or an object with http, host, method, status, interval',
  ],
  ["LoadBalancer", { health: { http: "/a b\n" } }, "health.http: "],
  ...[
    'a"b',
    "a b",
    "a'b",
    "a\\b",
    "a#b",
    "a%[src]",
    "$HOST",
    "a\nb",
    "2001:db8::1",
    "a/b",
    "",
    "a:b",
    "mac-020000000101",
  ].map(
    (host): Wrong => [
      "LoadBalancer",
      { health: { http: "/", host } },
      " is not a host as in a URL, e.g. www.example.net",
    ],
  ),
  [
    "LoadBalancer",
    { health: { http: "/", method: "POST" } },
    'health.method: "POST" is not one of "GET", "HEAD", "OPTIONS"',
  ],
  [
    "LoadBalancer",
    { health: { http: "/", status: "2xx" } },
    'health.status: "2xx" is not an HTTP status (100 to 599), a range or',
  ],
  ["LoadBalancer", { health: { http: "/", status: 99 } }, "health.status: 99: 99 is not an HTTP status (100 to 599)"],
  [
    "LoadBalancer",
    { health: { http: "/", status: "299-200" } },
    'health.status: "299-200" is empty: 299 comes after 200',
  ],
  ["LoadBalancer", { health: { host: "a.b" } }, 'health.host: "a.b" without http, the path to ask for'],
  ["LoadBalancer", { health: { status: 200 } }, 'health.status: "200" without http, the path to ask for'],
  ["LoadBalancer", { health: { http: "/", interval: 0 } }, "health.interval: 0 is not a number of seconds (1 to 3600)"],
  ["LoadBalancer", { certificate: "x" }, "certificate: there is no such property"],
  ["LoadBalancer", { sources: ["2001:db8::1/32"] }, "sources[0]: "],
  ["LoadBalancer", { sources: ["10.0.0.0/8"] }, 'sources[0]: "10.0.0.0/8" is IPv4'],
  ["Zone", { superCidr: "2001:db8::1" }, "has no prefix length: write 2001:db8::/64, for example"],
  ["Vpc", { ntpServers: ["pool.ntp.org"] }, 'ntpServers[0]: "pool.ntp.org" is not an IPv6 address'],
  ["LoadBalancer", { sources: [] }, "sources: [] would let nobody in"],
  ["LoadBalancer", { proxyProtocol: "v1" }, 'proxyProtocol: "v1" is not true or false'],
  ["LoadBalancer", { members: undefined }, "members: missing; it must be a list"],
  ["LoadBalancer", { members: [{ port: 80 }] }, "members[0]: name it by `instance` or by `address`"],
  ["LoadBalancer", { members: [{ address: "192.0.2.1", port: 70000 }] }, "members[0].port: 70000 is not a port"],
  ["LoadBalancer", { members: [{ address: "192.0.2.1", port: 1, weight: 257 }] }, "members[0].weight: 257 is not"],
  ["LoadBalancer", { members: [{ address: "web1", port: 80 }] }, "members[0].address: "],
  ["LoadBalancer", { members: [{ address: "127.0.0.1", port: 80 }] }, 'members[0].address: "127.0.0.1" is loopback'],
  ["LoadBalancer", { members: [{ address: "fe80::1", port: 80 }] }, 'members[0].address: "fe80::1" is link-local'],
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
  ["Nat64", { prefix: "64:ff9b::/95" }, 'prefix: "64:ff9b::/95" is not an IPv6 /96'],
  ["Nat64", { prefix: "64:ff9b::" }, 'prefix: "64:ff9b::" is not an IPv6 /96'],
  ["Nat64", { prefix: "192.0.2.0/24" }, 'prefix: "192.0.2.0/24" is not an IPv6 /96'],
  ["Nat64", { prefix: "2001:db8:0:0:6400::/96" }, "has bits 64 to 71 set, which must be zero (RFC 6052 §2.2)"],
  [
    "Nat64",
    { prefix: "2001:67c:2834:10:64::/96" },
    `prefix: "2001:67c:2834:10:64::/96" is in the zone's 2001:67c:2834::/50, but not in this VPC's 2001:67c:2834::/60`,
  ],
  [
    "Nat64",
    { grant: { refused: "2001:67c:2834:0:64::/96 is held by a" } },
    "claim: 2001:67c:2834:0:64::/96 is held by a",
  ],
  ["Nat64", { ipv4Pool: "8.8.8.0/24" }, 'ipv4Pool: "8.8.8.0/24" is not a private IPv4 prefix'],
  ["Nat64", { ipv4Pool: "10.0.0.0/30" }, 'ipv4Pool: "10.0.0.0/30" is not a private IPv4 prefix, /8 to /29'],
  ["Nat64", { ipv4Pool: "10.0.0.1/24" }, "ipv4Pool: "],
  ["Nat64", { ipv4Pool: "2001:db8::/64" }, 'ipv4Pool: "2001:db8::/64" is not a private IPv4 prefix'],
  ["Nat64", { dns64: { clients: ["2001:db8::/64"] } }, `dns64.clients[0]: "2001:db8::/64" is not inside the VPC's`],
  ["Nat64", { dns64: { clients: [] } }, "dns64.clients: [] would be nobody"],
  ["Nat64", { dns64: { clients: ["any"] } }, "dns64.clients[0]: "],
  ["Nat64", { dns64: { mapped: ["10.0.0.0/8; }; include"] } }, "dns64.mapped[0]: "],
  ["Nat64", { dns64: { mapped: ["!2001:db8::/32"] } }, "is not an IPv4 prefix"],
  ["Nat64", { dns64: { exclude: ["10.0.0.0/8"] } }, 'dns64.exclude[0]: "10.0.0.0/8" is IPv4'],
  ["Nat64", { dns64: { suffix: "::1" } }, 'dns64.suffix: "::1" is not "::", as there is no room behind'],
  ["Nat64", { dns64: { recursiveOnly: "yes" } }, 'dns64.recursiveOnly: "yes" is not true or false'],
  ["Nat64", { dns64: "yes" }, 'dns64: "yes" is not true, false or an object'],
  [
    "Nat64",
    { ipv4Others: [{ name: 'tier "web"', cidr: "192.168.255.128/25" }] },
    'ipv4Pool: "192.168.255.0/24" overlaps 192.168.255.128/25 of tier "web", on the same router',
  ],
  ["Nat64", { grant: undefined, vpc: {} }, "vpc: it has ipv6: false"],
];

const outside: [Kind, Record<string, unknown>, "Tier" | "Vpc" | undefined][] = [
  [
    "Instance",
    { address: "2001:db8::1", grant: { refused: "2001:db8::1 is not inside 2001:67c:2834:2::/64" } },
    "Tier",
  ],
  ["Tier", { gateway: "2001:67c:2834:2::1" }, "Tier"],
  ["Tier", { cidr: "2001:db8::/64", grant: { refused: "2001:db8::/64 is not inside 2001:67c:2834::/60" } }, "Vpc"],
  [
    "LoadBalancer",
    { address: "2001:db8::1", grant: { refused: "2001:db8::1 is not inside 2001:67c:2834::80-2001:67c:2834::ffff" } },
    "Vpc",
  ],
  ["Nat64", { dns64: { clients: ["2001:db8::/64"] } }, "Vpc"],
  ["BgpPeer", { export: ["2001:67c:2834::/60"] }, "Vpc"],
  // These are in what the user wrote himself.
  ["BgpPeer", { import: ["2001:db8::/60"] }, undefined],
  [
    "IsolatedNetwork",
    { cidr: "2001:db8::/64", grant: { refused: "2001:db8::/64 is not inside 2001:db8:2800::/56" } },
    undefined,
  ],
  ["Vpc", { cidr: "2001:db8::/60", grant: { refused: "2001:db8::/60 is not inside 2001:67c:2834::/50" } }, undefined],
];

test.each(outside)("what is not inside is told how to know where that is: %s %o", async (kind, change, whose) => {
  const { reasons } = await check(kind, { ...arguments_[kind], ...change });
  expect(reasons.join("\n")).toContain("is not inside ");
  const [, told] = /give `cidr` to each (Tier|Vpc) where/.exec(reasons.join("\n")) ?? [];
  expect(told).toBe(whose);
});

test.each(wrong)("%s %o", async (kind, change, reason) => {
  const { reasons } = await check(kind, { ...arguments_[kind], ...change });
  expect(reasons.join("\n")).toContain(reason);
  expect(reasons.join("\n")).not.toMatch(/undefined|\[object|vpc6 bug/);
  if ("password" in change) expect(reasons.join("\n")).not.toContain(String(change.password));
});

// The provider's prefix is another one from some day on.
test.each([
  [
    "vpc",
    { superCidr: "2001:67c:2834::/50" },
    { superCidr: "2001:db8::/50" },
    "2001:db8:0:10::/60",
    "`cidr` on each Vpc",
  ],
  [
    "router",
    { publicNetwork: { cidr: "2001:db8:ffff::/64" } },
    { publicNetwork: { cidr: "2001:db8:eeee::/64" } },
    "2001:db8:eeee::10",
    "`address` on each Router",
  ],
  [
    "isolated",
    { isolatedCidr: "2001:db8:2800::/56" },
    { isolatedCidr: "2001:db8:2900::/56" },
    "2001:db8:2900:1::/64",
    "`cidr` on each IsolatedNetwork",
  ],
])("who falls out of a zone's space is told how to move, and can: %s", async (kind, before, after, value, words) => {
  const claims = [{ kind, name: "a" }];
  const { inputs } = await check("Zone", { name: "ams1", ...before, claims });
  const { reasons } = await check("Zone", { name: "ams1", ...after, claims }, inputs);
  expect(reasons).toEqual([
    expect.stringContaining("a would lose its "),
    expect.stringContaining(`a new ${words} (or its reservation), in the same run, moves it there with all in it`),
  ]);
  expect((await check("Zone", { name: "ams1", ...after, claims: [{ ...claims[0], value }] }, inputs)).reasons).toEqual(
    [],
  );
});

test("all at once", async () => {
  const { reasons } = await check("Zone", { ...arguments_.Zone, superCidr: "x", asn: 1, vpcPrefixLength: 1 });
  expect(reasons.map((reason) => reason.split(":")[0])).toEqual(["superCidr", "asn", "vpcPrefixLength"]);
});

test.each(Object.keys(arguments_) as Kind[])("what is right is accepted: %s", async (kind) => {
  expect((await check(kind, arguments_[kind])).reasons).toEqual([]);
});
