// Guests that get their password from their gateway, by CloudStack's guest protocol. The passwords are secrets of the stack:
//   pulumi config set --secret web1Password …
// In web1: wget -q -O - --header "DomU_Request: send_my_password" http://data-server:8080/

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
const shop = new vpc6.Vpc("shop", { zone, router, domain: "shop.internal" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });

const guest = (name: string, tier: vpc6.Tier, mac: string) =>
  new vpc6.Instance(name, { tier, mac, password: config.requireSecret(`${name}Password`) });

const guests = {
  web1: guest("web1", web, "02:00:00:00:01:11"),
  web2: guest("web2", web, "02:00:00:00:01:12"),
  db1: guest("db1", db, "02:00:00:00:02:11"),
};

/** Each guest's address, by which its gateway knows it. */
export const addresses = Object.fromEntries(Object.entries(guests).map(([name, { address }]) => [name, address]));
