// Every kind of resource with most of what can be said of it. `make fixture` runs it and keeps the program and its state in the folder
// of the version in package.json: what the versions after it must still read. A new kind gets its lines here.

import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const hostKey = `SHA256:${"A".repeat(43)}`;
const hop = { host: "192.0.2.1", hostKey, proxy: { host: "127.0.0.1", port: 22022, hostKey } };
const machine = { ...hop, publicInterface: "pub0" };
const password = pulumi.secret("correct-horse-battery");

const zone = new vpc6.Zone(
  "ams1",
  {
    superCidr: "2001:67c:2834::/50",
    asnRange: "4200000000-4200000999",
    isolatedCidr: "2001:db8:2800::/56",
    publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
    reserve: ["later", { kind: "router", name: "vr9" }],
  },
  { protect: true },
);
const vr1 = new vpc6.Router("vr1", { zone, ...machine, dnsServers: ["2001:db8:ffff::53"], publicServices: ["tcp/22"] });
const vr2 = new vpc6.Router("vr2", { zone, ...machine, asn: 4200000500 });

const shop = new vpc6.Vpc("shop", {
  zone,
  router: vr1,
  domain: "shop.example.net",
  ntpServers: ["2001:db8:ffff::123"],
  reserve: ["later"],
});
const small = new vpc6.Vpc("small", { zone, router: vr2, vpcPrefixLength: 62, cidr: "2001:67c:2834:100::/62" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
const db = new vpc6.Tier("db", { vpc: shop, mac: "02:00:00:00:00:03", reserve: ["later"] });
const app = new vpc6.Tier("app", { vpc: small, interface: "app0", claim: "application" });
const kiosks = new vpc6.IsolatedNetwork("kiosks", { zone, router: vr2, interface: "kiosk0" });

const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12", hostname: "two", password });
const db1 = new vpc6.Instance("db1", { tier: db, duid: "00:03:00:01:02:00:00:00:02:11" });
new vpc6.SecondaryAddress("web-vip", { instances: [web1, web2] });
new vpc6.Instance("app1", { tier: app, mac: "02:00:00:00:04:11" });
new vpc6.Instance("kiosk1", { tier: kiosks, mac: "02:00:00:00:05:11" });

const offices = new vpc6.ExternalNetwork("offices", { entries: ["2001:db8:7::/48", "2001:db8:8::25"] });
new vpc6.NetworkAcl("web-acl", {
  tiers: [web],
  rules: [
    { direction: "ingress", action: "allow", protocol: "tcp", ports: "443", cidrs: ["::/0"], description: "the shop" },
    { direction: "ingress", action: "allow", protocol: "tcp", ports: "22", sources: [offices] },
    { direction: "egress", action: "allow", protocol: "all" },
  ],
  tests: [{ from: "2001:db8:1::1", to: web1, protocol: "tcp", port: 443, expect: "allow" }],
});
new vpc6.NetworkAcl("db-acl", { tiers: [db], preset: "egressOnly" });

const www = new vpc6.LoadBalancer("www", {
  vpc: shop,
  port: 443,
  mode: "http",
  tls: { certificate: readFileSync("certificate.pem", "utf8"), privateKey: readFileSync("key.pem", "utf8") },
  health: { http: "/health", interval: 5 },
  members: [
    { instance: web1, port: 80, weight: 2 },
    { instance: web2, port: 80 },
  ],
});
new vpc6.LoadBalancer("sql", {
  vpc: shop,
  port: 5432,
  mode: "tcp",
  address: www,
  algorithm: "leastconn",
  members: [{ instance: db1, port: 5432 }],
});

new vpc6.Nat64("nat64", { vpc: shop, ipv4Pool: "10.64.0.0/16", dns64: { mapped: ["!10.0.0.0/8", "0.0.0.0/0"] } });

new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000, acceptDefault: true, bfd: true, password });
new vpc6.BgpPeer("small", { vpc: small, remoteAsn: 65000, acceptDefault: true, bfd: true, password });
new vpc6.Uplink("core", { zone, ...hop, asn: 65000, announceDefault: true, bfd: true, password });
