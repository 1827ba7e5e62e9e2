// IPv4 beside IPv6: a VPC whose servers are known to the world by an IPv6 address though one of them speaks IPv4 only, and a VPC
// without any IPv6. The lab test dual-stack runs this program as it is, on real Debian hosts.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50",
  publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
});
const router = new vpc6.Router("vr1", {
  zone,
  host: config.require("vr1Host"),
  hostKey: config.require("vr1HostKey"),
  publicInterface: "pub0",
});

const shop = new vpc6.Vpc("shop", { zone, router });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", ipv4: { cidr: "10.1.2.0/24", gateway: "10.1.2.254" } });

const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12", ipv4Address: "10.1.1.80" });
// Knows IPv6 only: it takes no IPv4 address of the tier's, and its name has no A record.
new vpc6.Instance("web3", { tier: web, mac: "02:00:00:00:01:13", ipv4: false });
// Knows IPv4 only: no IPv6 address is kept for it, and its name has no AAAA record.
const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11", ipv6: false });

// IPv6 clients reach the IPv4-only server; it reads who they are in X-Forwarded-For.
const www = new vpc6.LoadBalancer("www", {
  vpc: shop,
  port: 80,
  mode: "http",
  members: [{ instance: db1, port: 8080 }],
});

// One list for both families: the tiers stand for both of their networks, an IPv4 prefix makes a rule for IPv4.
new vpc6.NetworkAcl("web", {
  tiers: [web],
  rules: [
    { direction: "egress", action: "allow", protocol: "tcp", ports: "8080", sources: [db] },
    { direction: "ingress", action: "allow", protocol: "tcp", ports: "22", cidrs: ["10.1.2.0/24", "2001:db8:1::/64"] },
  ],
});
new vpc6.NetworkAcl("db", {
  tiers: [db],
  rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "8080", sources: [web1, web2] }],
  tests: [
    { from: web1, to: db1, protocol: "tcp", port: 8080, expect: "allow" },
    { from: web, to: db, protocol: "tcp", port: 5432, expect: "deny" },
  ],
});

// A VPC without IPv6: no prefix, no advertisements, no DHCPv6. Its tier cannot reach the other VPC's.
const plant = new vpc6.Vpc("plant", { zone, router, ipv6: false });
const cache = new vpc6.Tier("cache", { vpc: plant, interface: "cache0", ipv4: { cidr: "10.9.0.0/16" } });
const cache1 = new vpc6.Instance("cache1", { tier: cache, mac: "02:00:00:00:03:11" });

/** What the guests are promised, and where the world finds the shop. */
export const addresses = {
  web1: web1.ipv4Address,
  web2: web2.ipv4Address,
  db1: db1.ipv4Address,
  cache1: cache1.ipv4Address,
};
export const website = www.address;
export const ledger = web.ledger;
