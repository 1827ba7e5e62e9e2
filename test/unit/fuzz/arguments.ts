// Arguments that are right, for each kind of resource, as its constructor sends them: a kind of provider/index.ts that is not here
// does not compile, and a property that no sample has fails a test.

import fc from "fast-check";
import { idOf } from "../../../provider/contract";
import type * as provider from "../../../provider/index";
import { CERTIFICATE, PRIVATE_KEY } from "../certificate";
import { HOST_KEY, ROUTER } from "../check";
import type { Json } from "./hostile";

const of = <T extends Json>(...values: T[]): fc.Arbitrary<Json> => fc.constantFrom(...values);
const list = (item: fc.Arbitrary<Json>, minLength = 0): fc.Arbitrary<Json> =>
  fc.array(item, { minLength, maxLength: 3 });

/** An object with these fields; those whose names end in `?` are sometimes absent. */
function fields(model: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<Json> {
  const entries = Object.entries(model).map(([key, value]) => [key.replace("?", ""), value] as const);
  const requiredKeys = Object.keys(model).filter((key) => !key.endsWith("?"));
  return fc.record(Object.fromEntries(entries), { requiredKeys }) as fc.Arbitrary<Json>;
}

const name = fc.oneof(
  of("web1", "a", "DB-1", "x.y_z-0", "a".repeat(63), "web_", "9"),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/),
);
const port = fc.oneof(fc.integer({ min: 1, max: 65535 }), of(1, 22, 80, 443, 65535));
const device = of("web0", "pub0", "eth0.100", "br-lan", "a23456789012345", "mac-020000000101");
const mtu = fc.integer({ min: 1280, max: 9216 });
const mac = of("02:00:00:00:01:11", "02-00-00-00-01-AB", "0200.0000.01cd");
const domain = of(
  "shop.internal",
  "Example.NET",
  "a.b.c.d",
  "x",
  `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(50)}`,
  "example.org.",
);
const address = of("2001:67c:2834:1::10", "2001:67C:2834:1:0:0:0:1F", "2001:67c:2834:1::ffff");
const outside = of("2001:db8:7::/48", "2001:db8:8::25/128", "::/0", "2001:DB8::/32", "2001:db8:9::/64");
const asn = fc.oneof(of(64512, 65534, 4200000000, 4294967294), fc.integer({ min: 64512, max: 65534 }));
const publicNetwork = fields({
  cidr: of("2001:db8:ffff::/64", "2001:DB8:FFFF:0::/64"),
  "gateway?": of("2001:db8:ffff::1", "fe80::1", "2001:db8:fffe::1"),
  "range?": of("2001:db8:ffff::10-2001:db8:ffff::ff"),
});
const ipv4 = of("10.1.1.10", "10.1.1.254");
const seconds = fields({ "keepalive?": of(1, 10), "hold?": of(30, 65535), "connect?": of(1, 5) });
const bfd = fc.oneof(
  fc.boolean() as fc.Arbitrary<Json>,
  fields({ "interval?": of(50, 300, 60000), "multiplier?": of(2, 3, 255) }),
);
const password = of("correct-horse", `${"a".repeat(79)}%`, "._~+/=:@%^,-");
const zoneOfPeers = {
  "publicNetwork?": publicNetwork,
  "superCidr?": of("2001:67c:2834::/50"),
  "vpcPrefixLength?": of(60),
  "largest?": of(56, 60),
};
const ipv4Others = list(
  fields({ name: of('tier "db" of VPC "shop"', "tier lan"), cidr: of("10.9.9.0/24", "what?", "192.168.0.0/16") }),
);
const way = of(ROUTER, `${ROUTER} via ops@[2001:db8::9]:2222 ${HOST_KEY}`);
const granted = (value: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.oneof(
    { weight: 9, arbitrary: fields({ value }) },
    { weight: 1, arbitrary: fields({ refused: of("all 3 are in use"), "absent?": of(true) }) },
  );
const hop = {
  host: of("192.0.2.1", "vr1.example.net", "2001:db8::1"),
  "port?": port,
  "user?": of("root", "ops"),
  hostKey: of(HOST_KEY),
};
const claims = (kind: string, value: fc.Arbitrary<Json>) =>
  list(fields({ kind: of(kind), name, "was?": list(name), "value?": value, "reserved?": fc.boolean() }));
const party = fc.oneof(
  fields({
    kind: of("tier", "instance", "secondary address"),
    name,
    addresses: of("2001:67c:2834:5::/64", "2001:67c:2834:5::10", "2001:67c:2834:5::/64\n10.1.5.0/24\n"),
  }),
  fields({
    kind: of("network"),
    name: fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/),
    addresses: of("2001:db8:7::/48\n2001:db8:8::25/128\n", "", "::/0\n", "192.0.2.0/24\n::/0\n"),
  }),
);
const end = fc.oneof(
  party,
  fields({ kind: of("address"), name: of(""), addresses: of("2001:67c:2834:1::10", "2001:db8:3::/48", "::/0") }),
);
const rule = fc.oneof(
  fields({
    direction: of("ingress", "egress"),
    action: of("allow", "deny"),
    protocol: of("tcp", "udp", "sctp"),
    "ports?": fc.oneof(of("443", "8000-8999", "80,443", " 1 - 2 , 2-9"), port),
    "cidrs?": list(outside, 1),
    "sources?": list(party, 1),
    "log?": fc.boolean(),
    "description?": of("the shop", "über's {café} $HOME `x` #1", `# vpc6 ${idOf.router("vr1")}`, "{{tls.privateKey}}"),
  }),
  fields({
    direction: of("ingress", "egress"),
    action: of("allow", "deny"),
    protocol: of("icmpv6", "icmp"),
    icmpType: of(8, 13, 128, 144),
    "icmpCode?": of(0, 255),
  }),
  fields({
    direction: of("ingress", "egress"),
    action: of("allow", "deny"),
    protocol: of<Json>("all", "icmpv6", "icmp", "esp", "ah", "gre", 0, 6, 44, 47, 89, 255),
    "cidrs?": list(fc.oneof(outside, of("198.51.100.0/24", "0.0.0.0/0")), 1),
  }),
);

/** By the name under which provider/index.ts has it. */
export const valid: Record<keyof typeof provider, fc.Arbitrary<Json>> = {
  Zone: fields({
    name,
    "superCidr?": of("2001:67c:2834::/50", "2001:67C:2834::/48"),
    "asn?": asn,
    "asnRange?": of("64512-64520", "4200000000-4200000100"),
    "publicNetwork?": publicNetwork,
    "vpcPrefixLength?": fc.integer({ min: 50, max: 63 }),
    "isolatedCidr?": of("2001:db8:100::/56"),
    claims: claims("vpc", of("2001:67c:2834::/60")),
  }),
  Router: fields({
    claim: name,
    ...hop,
    "proxy?": fields(hop),
    publicInterface: of("pub0", "eth0.100", "ens3"),
    "publicVlan?": of(1, 7, 4094),
    "adopt?": fc.boolean(),
    "publicMtu?": mtu,
    "connections?": fc.integer({ min: 65_536, max: 16_777_216 }),
    "dnsServers?": list(of("9.9.9.9", "2620:fe::FE")),
    "publicServices?": list(of("tcp/9100", "udp/51820")),
    "publicNetwork?": publicNetwork,
    "zoneAsn?": asn,
    "zoneAsnRange?": of("64512-64520"),
    "address?": of("2001:db8:ffff::10"),
    "asn?": asn,
    "addressGrant?": granted(of("2001:db8:ffff::10")),
    "asnGrant?": granted(of("64512")),
  }),
  Vpc: fields({
    claim: name,
    "domain?": domain,
    "ntpServers?": list(address),
    ipv6: fc.boolean(),
    "cidr?": of("2001:67c:2834::/60"),
    "vpcPrefixLength?": of(60, 56),
    "grant?": granted(of("2001:67c:2834::/60", "2001:67c:2834::/56")),
    claims: claims("tier", of("2001:67c:2834:1::/64")),
    router: way,
  }),
  Tier: fields({
    claim: name,
    "interface?": of("web0", "eth0.100"),
    "mac?": mac,
    "mtu?": mtu,
    "vlan?": of(1, 101, 4094),
    "domain?": domain,
    "cidr?": of("2001:67c:2834:1::/64"),
    "gateway?": of("2001:67c:2834:1::1", "2001:67c:2834:1::ff"),
    "ipv4?": fields({ cidr: of("10.1.1.0/24", "192.168.7.0/29"), "gateway?": of("10.1.1.1"), "dhcp?": fc.boolean() }),
    "grant?": granted(of("2001:67c:2834:1::/64")),
    vpc: fields({ name, domain, ntpServers: list(address) }),
    "ipv4Others?": ipv4Others,
    claims: fc.oneof(claims("instance", address), claims("ipv4", ipv4)),
    router: way,
  }),
  IsolatedNetwork: fields({
    claim: name,
    "interface?": of("web0", "eth0.100"),
    "mac?": mac,
    "mtu?": mtu,
    "vlan?": of(1, 101, 4094),
    "domain?": domain,
    "cidr?": of("2001:db8:2800::/64"),
    "gateway?": of("2001:db8:2800::1"),
    "grant?": granted(of("2001:db8:2800::/64")),
    "ipv4?": fields({ cidr: of("10.1.2.0/24"), "gateway?": of("10.1.2.9"), "dhcp?": fc.boolean() }),
    vpc: fields({ name: name.map((it) => `isolated/${it}`), domain: of("internal"), ntpServers: list(address) }),
    "ipv4Others?": ipv4Others,
    claims: claims("instance", of("2001:db8:2800::10")),
    router: way,
  }),
  Instance: fields({
    claim: name,
    "mac?": mac,
    "duid?": of("00:03:00:01:02:00:00:00:01:11", `00${":ab".repeat(129)}`, "00:01:AB"),
    "hostname?": of("www", "Web-1", "a".repeat(63)),
    "ipv6?": fc.boolean(),
    "ipv4?": fc.boolean(),
    "address?": of("2001:67c:2834:1::10"),
    "ipv4Address?": ipv4,
    "password?": of("correct-horse", "a*b?[c]\\\"'`$(x)|;&#", "{{password:0000}}", "!".repeat(128)),
    "grant?": granted(of("2001:67c:2834:1::10")),
    "ipv4Grant?": granted(ipv4),
    tier: fields({
      interface: device,
      domain,
      "gateway?": of("2001:67c:2834:1::1"),
      "ipv4Gateway?": of("10.1.1.1"),
      "dhcp4?": fc.boolean(),
    }),
    router: way,
  }),
  SecondaryAddress: fields({
    claim: name,
    guests: list(fields({ name, mac }), 1),
    "hostname?": of("www", "Web-1", "a".repeat(63)),
    "ipv6?": fc.boolean(),
    "ipv4?": fc.boolean(),
    "address?": of("2001:67c:2834:1::10"),
    "ipv4Address?": ipv4,
    "grant?": granted(of("2001:67c:2834:1::10")),
    "ipv4Grant?": granted(ipv4),
    tier: fields({ interface: device, domain }),
    router: way,
  }),
  ExternalNetwork: fields({
    name,
    entries: list(fc.oneof(outside, of("2001:db8:8::25", "2001:DB8:8::26", "192.0.2.7", "198.51.100.0/24"))),
  }),
  NetworkAcl: fields({
    name,
    tiers: list(
      fields({
        name,
        interface: device,
        "cidr?": of("2001:67c:2834:1::/64", "2001:67c:2834:2::/64"),
        "ipv4?": of("10.1.1.0/24"),
        router: way,
      }),
      1,
    ),
    "rules?": list(rule),
    "preset?": of("denyAll", "allowAll", "egressOnly"),
    "tests?": list(
      fields({
        from: end,
        to: end,
        protocol: of<Json>("tcp", "udp", "icmpv6", "sctp", "gre", 89),
        "port?": port,
        "icmpType?": of(128),
        expect: of("allow", "deny"),
      }),
    ),
  }),
  LoadBalancer: fields({
    claim: name,
    port,
    mode: of("tcp", "http", "ssl-passthrough"),
    "algorithm?": of("roundrobin", "leastconn", "source"),
    "health?": fc.oneof(
      of("tcp"),
      fields({ "interval?": of(1, 3600) }),
      fields({
        http: of("/", "/healthz?a=b&c=%20"),
        "host?": of("www.example.net", "a_b:8080", "[2001:db8::1]:80", "192.0.2.1"),
        "method?": of("GET", "HEAD", "OPTIONS"),
        "status?": of<Json>(204, "200-299", "301, 200"),
        "interval?": of(1, 3600),
      }),
    ),
    "proxyProtocol?": fc.boolean(),
    "tls?": fields({ certificate: of(CERTIFICATE), privateKey: of(PRIVATE_KEY) }),
    members: list(
      fc.oneof(
        fields({
          instance: fields({
            name,
            address: of("2001:67c:2834:1::10", "2001:67c:2834:1::11", "10.1.1.10"),
            "ours?": of(true),
          }),
          port,
          "weight?": of(0, 1, 256),
        }),
        fields({ address: of("192.0.2.80", "2001:DB8::80"), port }),
      ),
    ),
    "sources?": list(outside, 1),
    "address?": of("2001:67c:2834::80"),
    "grant?": granted(of("2001:67c:2834::80")),
    "shared?": of("2001:67c:2834::81"),
    others: list(fields({ name, "port?": port })),
    vpc: fields({ "cidr?": of("2001:67c:2834::/60"), tiers: list(of("2001:67c:2834:1::/64"), 1) }),
    router: way,
  }),
  Nat64: fields({
    claim: name,
    "prefix?": of("64:ff9b::/96", "2001:67c:2834:0:64::/96"),
    "ipv4Pool?": of("192.168.255.0/24", "10.99.0.0/16"),
    "dns64?": fc.oneof(
      fc.boolean() as fc.Arbitrary<Json>,
      fields({
        "clients?": list(of("2001:67c:2834:1::/64", "2001:67c:2834:2::/64"), 1),
        "mapped?": list(of("!10.0.0.0/8", "0.0.0.0/0")),
        "exclude?": list(of("::ffff:0:0/96", "2001:DB8::/32")),
        "recursiveOnly?": fc.boolean(),
        "suffix?": of("::"),
      }),
    ),
    "grant?": granted(of("2001:67c:2834:0:64::/96")),
    vpc: fields({ "cidr?": of("2001:67c:2834::/60"), "superCidr?": of("2001:67c:2834::/50") }),
    "ipv4Others?": ipv4Others,
    router: way,
  }),
  BgpPeer: fields({
    name,
    remoteAsn: fc.oneof(asn, of(1, 4294967295)),
    "address?": of("2001:db8:ffff::1", "2001:DB8:ffff::2", "2001:db8:1::1"),
    "timers?": seconds,
    "bfd?": bfd,
    "password?": password,
    "multihop?": of(2, 255),
    "acceptDefault?": fc.boolean(),
    "import?": list(of("2001:67c:2834::/52", "2001:67c:2834:30::/60")),
    "export?": list(of("2001:67c:2834:20::/60", "2001:67c:2834:21::/64")),
    "cidr?": of("2001:67c:2834:20::/60"),
    "asn?": asn,
    zone: fields(zoneOfPeers),
    "routerAddress?": of("2001:db8:ffff::10"),
    router: way,
  }),
  Uplink: fields({
    name,
    ...hop,
    "proxy?": fields(hop),
    asn: of(65000, 64512, 4200000000),
    "address?": of("2001:db8:ffff::1", "2001:DB8:1::1"),
    "accept?": of("vpcs", "supernet"),
    "listen?": of("2001:db8:ffff::/64", "2001:db8:ffff::/80"),
    "neighbors?": list(
      fields({
        address: of("2001:db8:ffff::20", "2001:db8:ffff::21"),
        asn,
        prefixes: list(of("2001:67c:2834:30::/60")),
      }),
    ),
    "announceDefault?": fc.boolean(),
    "maximumPrefix?": of(1, 100, 4294967295),
    "timers?": seconds,
    "bfd?": bfd,
    "password?": password,
    "multihop?": of(2, 255),
    sessions: list(
      fields({
        peer: name,
        router: way,
        "address?": of("2001:db8:ffff::10", "2001:db8:ffff::11"),
        "asn?": asn,
        "neighbor?": of("2001:db8:ffff::1", "2001:db8:ffff::9"),
        prefixes: list(of("2001:67c:2834::/60", "2001:67c:2834:20::/60", "2001:67c:2834:20::/64")),
      }),
    ),
    "reserved?": fields({
      routers: list(fields({ name, "address?": of("2001:db8:ffff::12"), "asn?": of("64513") })),
      prefixes: list(of("2001:67c:2834:40::/60")),
    }),
    zone: fields({ ...zoneOfPeers, "asn?": asn }),
  }),
};
