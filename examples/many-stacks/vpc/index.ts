// A stack with one VPC, in a zone and on a router that another stack owns. As many of these as there are teams may run at a time.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

// e.g. organization/zone/prod
const owner = new pulumi.StackReference(config.require("zoneStack"));
const zone = vpc6.Zone.fromStack(owner, "ams1");
const router = vpc6.Router.fromStack(owner, "vr1");

const shop = new vpc6.Vpc("shop", { zone, router });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.NetworkAcl("web-acl", {
  tiers: [web],
  rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "9100" }],
});

export const address = web1.address;
export const route = pulumi.interpolate`${shop.cidr} via ${router.address}`;
