// One VPC of fleet.json, the one that this stack is named after. What is the same for all of them (domain, monitoring) is in
// fleet.json as well: a change of it reaches every stack at its next run.

import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";

interface Fleet {
  domain: string;
  monitoring: string;
  vpcs: Record<string, { router: string; tiers: Record<string, string> }>;
}
const fleet = JSON.parse(readFileSync("../fleet.json", "utf8")) as Fleet;

const name = pulumi.getStack();
const wanted = fleet.vpcs[name];
if (!wanted) throw new Error(`fleet.json has no VPC "${name}"`);

const owner = new pulumi.StackReference("organization/zone/main");
const zone = vpc6.Zone.fromStack(owner, "ams1");
const router = vpc6.Router.fromStack(owner, wanted.router);

const vpc = new vpc6.Vpc(name, { zone, router, domain: `${name}.${fleet.domain}` });
const tiers = Object.entries(wanted.tiers).map(([tier, link]) => new vpc6.Tier(tier, { vpc, interface: link }));
if (tiers.length > 0) {
  new vpc6.NetworkAcl("monitoring", {
    tiers,
    rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: fleet.monitoring }],
  });
}

export const cidr = vpc.cidr;
