// Two VPCs on one router: a large one, a /56 with a tier for each of twenty teams on VLANs of their own, which the router makes, and one of
// the usual size beside it. The router comes from the stack's config.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

// Once guests live in it, give it `{ protect: true }` as its last argument, and nobody destroys it by mistake.
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

// 255 tiers; a VPC that asks for no length is a /60 and has 15.
const office = new vpc6.Vpc("office", { zone, router, vpcPrefixLength: 56 });
const teams = Array.from({ length: 20 }, (_, index) => {
  const team = `team${String(index + 1).padStart(2, "0")}`;
  return new vpc6.Tier(team, { vpc: office, interface: "db0", vlan: 101 + index });
});

const shop = new vpc6.Vpc("shop", { zone, router });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });

export const plan = { zone: zone.ledger, office: office.ledger, shop: shop.ledger };
export const gateways = teams.map(({ gateway }) => gateway);
export const address = web1.address;

/** What the cloud uplink router has to route where. */
export const routes = [office, shop].map(({ cidr }) => pulumi.interpolate`${cidr} via ${router.address}`);
