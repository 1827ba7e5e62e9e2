// Two VPCs on two routers that find each other by BGP: the cloud uplink router takes each router's own prefixes and passes them on,
// and packets between the VPCs go straight. The machines come from the stack's config.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();
/** The two ends of every session know it; nobody else's packets are heard (TCP-MD5). */
const password = config.requireSecret("bgpPassword");

// Once guests live in it, give it `{ protect: true }` as its last argument, and nobody destroys it by mistake.
const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50",
  // An AS number for each router. With `asn: 64600` in its place all have one, and nothing else below changes: the routers take a
  // path with their own number in it once. With `asn: 65000`, the uplink's own, it is iBGP and the uplink reflects the routes.
  asnRange: "4200000000-4200000999",
  publicNetwork: {
    cidr: "2001:db8:ffff::/64",
    // The uplink's address; if nothing is said, the first of the network.
    gateway: config.get("uplinkAddress") ?? "2001:db8:ffff::1",
    range: "2001:db8:ffff::10-2001:db8:ffff::ff",
  },
});

const [vr1, vr2] = ["vr1", "vr2"].map(
  (name) =>
    new vpc6.Router(name, {
      zone,
      host: config.require(`${name}Host`),
      hostKey: config.require(`${name}HostKey`),
      publicInterface: "pub0",
    }),
) as [vpc6.Router, vpc6.Router];

const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const lab = new vpc6.Vpc("lab", { zone, router: vr2 });

// A session of each VPC's router with the uplink; BFD notices within a second when the other end falls silent.
for (const [name, vpc] of Object.entries({ shop, lab })) {
  new vpc6.BgpPeer(name, { vpc, remoteAsn: 65000, acceptDefault: true, bfd: true, password });
}

// The other end of them. It learns from the program which router announces what; `accept: "supernet"` would take anything of a VPC's size.
new vpc6.Uplink("uplink", {
  zone,
  host: config.require("uplinkHost"),
  hostKey: config.require("uplinkHostKey"),
  asn: 65000,
  announceDefault: true,
  bfd: true,
  password,
});

export const plan = zone.ledger;
export const prefixes = { shop: shop.cidr, lab: lab.cidr };
