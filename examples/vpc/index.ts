// Two VPCs on two routers: a shop with a web and a database tier, and a lab with one tier.
// The routers come from the stack's config; `make demo` runs this program as it is, on real Debian hosts.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

// Once guests live in it, give it `{ protect: true }` as its last argument, and nobody destroys it by mistake.
const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50",
  asnRange: "4200000000-4200000999",
  publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
});

const router = (name: string) =>
  new vpc6.Router(name, {
    zone,
    host: config.require(`${name}Host`),
    hostKey: config.require(`${name}HostKey`),
    publicInterface: "pub0",
  });

const [vr1, vr2] = [router("vr1"), router("vr2")];

const shop = new vpc6.Vpc("shop", { zone, router: vr1, domain: "shop.internal" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });

const lab = new vpc6.Vpc("lab", { zone, router: vr2 });
const app = new vpc6.Tier("app", { vpc: lab, interface: "app0" });

const guests = {
  web1: new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" }),
  web2: new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" }),
  db1: new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" }),
  app1: new vpc6.Instance("app1", { tier: app, mac: "02:00:00:00:04:11" }),
};

/** The address plan, and the address each guest is promised. */
export const plan = { zone: zone.ledger, shop: shop.ledger, lab: lab.ledger };
export const addresses = Object.fromEntries(Object.entries(guests).map(([name, { address }]) => [name, address]));

/** What the cloud uplink router has to route where. */
export const routes = [
  pulumi.interpolate`${shop.cidr} via ${vr1.address}`,
  pulumi.interpolate`${lab.cidr} via ${vr2.address}`,
];
