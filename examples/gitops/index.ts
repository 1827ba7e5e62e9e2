// A network that is changed by pull requests: .github/workflows/network.yml previews them, applies what is merged, and looks for drift
// at night. The router comes from the stack's config.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

// Protected: nobody deletes the ledger of who holds which prefix by taking out a line.
const zone = new vpc6.Zone(
  "ams1",
  {
    superCidr: "2001:67c:2834::/50",
    publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
  },
  { protect: true },
);

const router = new vpc6.Router("vr1", {
  zone,
  host: config.require("vr1Host"),
  port: config.getNumber("vr1Port") ?? 22,
  hostKey: config.require("vr1HostKey"),
  publicInterface: "pub0",
});

const shop = new vpc6.Vpc("shop", { zone, router });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });

new vpc6.NetworkAcl("web", {
  tiers: [web],
  rules: [
    { direction: "ingress", action: "allow", protocol: "tcp", ports: "443" },
    { direction: "egress", action: "allow", protocol: "all" },
  ],
  // What a pull request must not close.
  tests: [{ from: "2001:db8:7::/48", to: web, protocol: "tcp", port: 443, expect: "allow" }],
});

new vpc6.LoadBalancer("www", {
  vpc: shop,
  port: 443,
  mode: "ssl-passthrough",
  members: [
    { instance: web1, port: 443 },
    { instance: web2, port: 443 },
  ],
});
