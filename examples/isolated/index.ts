// An isolated network: one /64 on one interface of a router, in no VPC, with two guests and an access list. The router comes from
// the stack's config.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

const zone = new vpc6.Zone("ams1", {
  isolatedCidr: "2001:db8:2800::/56",
  publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
});

const router = new vpc6.Router("vr1", {
  zone,
  host: config.require("vr1Host"),
  hostKey: config.require("vr1HostKey"),
  publicInterface: "pub0",
});

const kiosks = new vpc6.IsolatedNetwork("kiosks", { zone, router, interface: "web0", domain: "kiosks.example.net" });
const kiosk1 = new vpc6.Instance("kiosk1", { tier: kiosks, mac: "02:00:00:00:01:11" });
const kiosk2 = new vpc6.Instance("kiosk2", { tier: kiosks, mac: "02:00:00:00:01:12" });

new vpc6.NetworkAcl("kiosks-acl", {
  tiers: [kiosks],
  rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "9100", description: "metrics" }],
  tests: [{ from: "::/0", to: kiosk1, protocol: "tcp", port: 22, expect: "deny" }],
});

export const plan = zone.ledger;
export const addresses = [kiosk1.address, kiosk2.address];

/** What the cloud uplink router has to route where: isolated networks are not announced by BGP. */
export const route = pulumi.interpolate`${kiosks.cidr} via ${router.address}`;
