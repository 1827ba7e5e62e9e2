// The stack that owns the zone: a reservation for each VPC of fleet.json, and the routers. It is the first to run.

import { readFileSync } from "node:fs";
import * as vpc6 from "vpc6";

interface Fleet {
  zone: vpc6.ZoneArgs;
  routers: Record<string, Omit<vpc6.RouterArgs, "zone">>;
  vpcs: Record<string, object>;
}
const fleet = JSON.parse(readFileSync("../fleet.json", "utf8")) as Fleet;

const zone = new vpc6.Zone("ams1", { ...fleet.zone, reserve: Object.keys(fleet.vpcs) });
const routers = Object.entries(fleet.routers).map(([name, args]) => new vpc6.Router(name, { zone, ...args }));

/** What the VPCs' stacks read: `ams1`, and each router under its own name. */
export default () => ({
  ams1: zone.shared,
  ...Object.fromEntries(Object.keys(fleet.routers).map((name, i) => [name, routers[i]?.shared])),
});
