// Guests that have IPv6 only, and the IPv4 internet: NAT64 and DNS64 as one switch on a VPC, and an access list that says which
// part of the IPv4 internet is theirs. The router's IPv4 address and default route on its public interface are there already.
// The router comes from the stack's config: vr1Host, vr1HostKey.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50",
  publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
});

const vr1 = new vpc6.Router("vr1", {
  zone,
  host: config.require("vr1Host"),
  hostKey: config.require("vr1HostKey"),
  publicInterface: "pub0",
  dnsServers: ["2001:db8:1::80"],
});

const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });

const nat64 = new vpc6.Nat64("nat64", { vpc: shop });

// Web servers anywhere on the IPv4 internet but in one network, as an IPv4 prefix is written under a /96: 192.0.2.0/24 is
// …192.0.2.0/120.
const under = (network: string, length: number) =>
  nat64.prefix.apply((prefix) => `${prefix.replace("/96", "")}${network}/${96 + length}`);
new vpc6.NetworkAcl("web", {
  tiers: [web],
  rules: [
    { direction: "egress", action: "deny", protocol: "all", cidrs: [under("192.0.2.0", 24)] },
    { direction: "egress", action: "allow", protocol: "tcp", ports: "80,443", cidrs: [nat64.prefix] },
  ],
});

export const address = web1.address;
export const prefix = nat64.prefix;
export const ledger = shop.ledger;
