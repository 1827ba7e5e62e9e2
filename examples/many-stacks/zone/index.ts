// The stack that owns the zone: the only one that writes its ledger. It keeps names for other stacks and lends them its router.

import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

const config = new pulumi.Config();

// Once guests live in it, give it `{ protect: true }` as its last argument, and nobody destroys it by mistake.
const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50",
  isolatedCidr: "2001:db8:2800::/56",
  asnRange: "4200000000-4200000999",
  publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
  // A line for each stack that wants something.
  reserve: ["shop", { name: "lab", vpcPrefixLength: 56 }, { kind: "isolated", name: "kiosks" }],
});

const router = new vpc6.Router("vr1", {
  zone,
  host: config.require("vr1Host"),
  hostKey: config.require("vr1HostKey"),
  publicInterface: "pub0",
});

export const plan = zone.ledger;

/** What other stacks read. */
export const ams1 = zone.shared;
export const vr1 = router.shared;
