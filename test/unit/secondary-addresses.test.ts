// Which addresses an access list is told of a guest: its own and its secondary ones, wherever the program declares these; or that one comes
// too late to be told.

import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import * as vpc6 from "../../resources";

const LEDGER = `5 in use
instance  2001:db8::10  web1
instance  2001:db8::20  site
instance  2001:db8::21  other
ipv4      10.1.1.2      web1
ipv4      10.1.1.20     site
ipv4      10.1.1.21     other`;
const OWN: Record<string, object> = { web1: { address: "2001:db8::10", ipv4Address: "10.1.1.2" } };
const lists = new Map<string, { rules: { sources: { name: string; addresses: string }[] }[] }>();

await pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs }) => {
    if (type.endsWith(":NetworkAcl")) lists.set(name, inputs);
    return { id: name, state: { ...inputs, ...OWN[name], ...(type.endsWith(":Tier") && { ledger: LEDGER }) } };
  },
  call: () => ({}),
});

const settled = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply(resolve));

test("those that are declared behind the list too, in both families; one that comes later than its tier's ledger is refused", async () => {
  const zone = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/50" });
  const router = new vpc6.Router("vr1", { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" });
  const vpc = new vpc6.Vpc("shop", { zone, router });
  const tier = new vpc6.Tier("web", {
    vpc,
    interface: "web0",
    ipv4: { cidr: "10.1.1.0/24" },
    reserve: ["late", "later"],
  });
  const web1 = new vpc6.Instance("web1", { tier, mac: "02:00:00:00:01:11" });
  const web2 = new vpc6.Instance("web2", { tier, mac: "02:00:00:00:01:12" });
  const rule = { direction: "ingress", action: "allow", protocol: "tcp" } as const;
  const acl = new vpc6.NetworkAcl("list", { tiers: [tier], rules: [{ ...rule, sources: [web1] }] });
  new vpc6.SecondaryAddress("site", { instances: [web1, web2] });
  // In a family that it does not have there may be another of its name.
  new vpc6.SecondaryAddress("other", { instances: [web1], ipv4: false });
  await settled(acl.urn);
  const [source] = lists.get("list")?.rules[0]?.sources ?? [];
  expect(source?.addresses.split("\n")).toEqual([
    "2001:db8::10",
    "10.1.1.2",
    "2001:db8::20",
    "10.1.1.20",
    "2001:db8::21",
  ]);
  expect(() => new vpc6.SecondaryAddress("late", { instances: [web2, web1] })).toThrow(
    'SecondaryAddress "late" comes too late: an access list that names instance "web1" has been told its addresses',
  );
  new vpc6.SecondaryAddress("later", { instances: [web2] });
});
