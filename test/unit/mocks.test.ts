// Under Pulumi's mocks no hook runs: outputs are undefined, and nothing in resources/ may trip over that.

import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import * as vpc6 from "../../resources/index";

await pulumi.runtime.setMocks({
  newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
  call: () => ({}),
});

const settled = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

test("a whole program", async () => {
  const zone = new vpc6.Zone("ams1", {
    superCidr: "2001:67c:2834::/50",
    reserve: ["kept", { kind: "router", name: "vr9" }],
  });
  const router = new vpc6.Router("vr1", { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" });
  const vpc = new vpc6.Vpc("shop", { zone, router });
  const bare = new vpc6.Vpc("bare", { zone, router, ipv6: false });
  const web = new vpc6.Tier("web", { vpc, interface: "web0" }, { aliases: [{ name: "front" }], protect: true });
  const dual = new vpc6.Tier("dual", { vpc, interface: "d0", ipv4: { cidr: "10.1.1.0/24" }, reserve: ["kept"] });
  const old1 = new vpc6.Instance("old1", { tier: dual, mac: "02:00:00:00:01:99", ipv6: false });
  new vpc6.Instance("both1", { tier: dual, mac: "02:00:00:00:01:98", ipv4Address: "10.1.1.9" });
  const new1 = new vpc6.Instance("new1", { tier: dual, duid: "00:04:aa:bb", ipv4: false });
  const without = new vpc6.Tier("without", { vpc: bare, interface: "b0" });
  const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
  new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12", password: pulumi.secret("correct-horse") });
  const www = new vpc6.LoadBalancer("www", {
    vpc,
    port: 80,
    mode: "tcp",
    members: [web1, old1].map((instance) => ({ instance, port: 80 })),
  });
  const tls: vpc6.LoadBalancerArgs = { vpc, port: 443, mode: "ssl-passthrough", address: www, members: [] };
  const second = new vpc6.LoadBalancer("www-tls", tls);
  const nat64 = new vpc6.Nat64("nat64", { vpc });
  const printers = new vpc6.IsolatedNetwork("printers", { zone, router, interface: "p0" });
  const printer = new vpc6.Instance("printer1", { tier: printers, mac: "02:00:00:00:09:11" });
  new vpc6.NetworkAcl("printers-acl", {
    tiers: [printers],
    rules: [{ ...({ direction: "ingress", action: "allow", protocol: "tcp" } as const), sources: [web, printer] }],
  });
  expect(await settled(printers.urn)).toContain("vpc6:IsolatedNetwork::printers");
  expect(await settled(nat64.urn)).toContain("vpc6:Nat64::nat64");
  expect(() => new vpc6.Nat64("again", { vpc })).toThrow('Nat64 "again" and Nat64 "nat64" are in one VPC');
  const group = new vpc6.ExternalNetwork("offices", { entries: ["2001:db8:7::/48"] });
  const allow = { direction: "ingress", action: "allow", protocol: "tcp" } as const;
  const acl = new vpc6.NetworkAcl("web-acl", {
    tiers: [web],
    rules: [{ ...allow, ports: "443", sources: [group, web1, without, dual, old1, new1], cidrs: ["2001:db8:8::/48"] }],
    tests: [{ from: "::/0", to: web, protocol: "tcp", port: 443, expect: "deny" }],
  });
  expect(await settled(second.urn)).toContain("vpc6:LoadBalancer::www-tls");
  expect((await vpc.claims.closed).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "nat64 nat64",
    "tier dual",
    "tier web",
    "vip www",
  ]);
  expect((await dual.claims.closed).map(({ kind, name, value }) => `${kind} ${name} ${value}`)).toEqual([
    "instance both1 undefined",
    "instance kept undefined",
    "instance new1 undefined",
    "ipv4 both1 10.1.1.9",
    "ipv4 kept undefined",
    "ipv4 old1 undefined",
  ]);
  new vpc6.BgpPeer("peer", { vpc, remoteAsn: 65000 });
  const uplink = new vpc6.Uplink("uplink", { zone, host: "192.0.2.9", hostKey: "SHA256:x", asn: 65000 });
  expect(await settled(uplink.urn)).toContain("vpc6:Uplink::uplink");
  expect(() => new vpc6.BgpPeer("late", { vpc, remoteAsn: 65000 })).toThrow(
    'BgpPeer "late" comes too late for Uplink "uplink"',
  );
  expect(await settled(acl.urn)).toContain("vpc6:NetworkAcl::web-acl");
  expect(() => new vpc6.NetworkAcl("second", { tiers: [web], preset: "denyAll" })).toThrow(
    'NetworkAcl "second" and NetworkAcl "web-acl" both name tier "web"',
  );
  expect(await settled(web1.urn)).toContain("vpc6:Instance::web1");
  expect(await settled(web.cidr)).toBeUndefined();
  expect(await settled(without.urn)).toContain("vpc6:Tier::without");
  expect((await zone.claims.closed).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "asn vr1",
    "asn vr9",
    "isolated printers",
    "router vr1",
    "router vr9",
    "vpc kept",
    "vpc shop",
  ]);
  expect(() => new vpc6.Vpc("late", { zone, router })).toThrow('vpc "late" comes too late for zone "ams1"');
  new vpc6.Vpc("kept", { zone, router }); // its name was reserved: never too late
});

test("a claim carries the names it had before, inherited ones included", async () => {
  const zone = new vpc6.Zone("ams2", { superCidr: "2001:67c:2834::/50" });
  const parent = new pulumi.ComponentResource("test:Net", "shop", {}, { aliases: [{ name: "store" }] });
  const router = new vpc6.Router("vr2", { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" });
  new vpc6.Vpc("shop-v", { zone, router }, { parent, aliases: [{ name: "shop-old" }] });
  new vpc6.Vpc("u", { zone, router }, { aliases: ["urn:pulumi:dev::p::pulumi-nodejs:dynamic/vpc6:Vpc::urn-name"] });
  const claims = await zone.claims.closed;
  const was = (name: string) => settled(pulumi.output(claims.find((claim) => claim.name === name)?.was ?? []));
  expect(await was("shop-v")).toEqual(["shop-old", "store-v", "store-old"]);
  expect(await was("u")).toEqual(["urn-name"]);
});

test("reserved tiers and instances are claimed without a resource, and never too late", async () => {
  const zone = new vpc6.Zone("ams6", { superCidr: "2001:67c:2834::/50" });
  const router = new vpc6.Router("vr6", { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" });
  const vpc = new vpc6.Vpc("v6", { zone, router, reserve: ["later"] });
  const tier = new vpc6.Tier("t6", { vpc, interface: "web0", reserve: ["guest"] });
  expect((await vpc.claims.closed).map(({ name }) => name)).toEqual(["later", "t6"]);
  expect(await tier.claims.closed).toEqual([{ kind: "instance", name: "guest", reserved: true }]);
  new vpc6.Instance("guest", { tier, mac: "02:00:00:00:00:01" });
});

test("a name that cannot stand in a ledger is refused where the resource is made", () => {
  const zone = new vpc6.Zone("ams4", { superCidr: "2001:67c:2834::/50" });
  const args = { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" };
  expect(() => new vpc6.Router("my router", args)).toThrow(/router "my router" cannot stand in a ledger.*claim: "…"/s);
  expect(() => new vpc6.Zone("ams5", { reserve: ["a b"] })).toThrow('vpc "a b" cannot stand in a ledger');
  new vpc6.Router("my router", { ...args, claim: "my-router" });
});

test("two resources with one name are refused where the second is made", () => {
  const zone = new vpc6.Zone("ams3", { superCidr: "2001:67c:2834::/50" });
  const router = new vpc6.Router("vr3", { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" });
  new vpc6.Vpc("a", { zone, router, claim: "same" });
  expect(() => new vpc6.Vpc("b", { zone, router, claim: "same" })).toThrow(
    'two resources claim vpc "same" of zone "ams3"',
  );
});

test("an address that guests share: who can have one is said where it is made", async () => {
  const zone = new vpc6.Zone("ams7", { superCidr: "2001:67c:2834::/50" });
  const router = new vpc6.Router("vr7", { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" });
  const vpc = new vpc6.Vpc("v7", { zone, router });
  const tier = new vpc6.Tier("t7", { vpc, interface: "web0", ipv4: { cidr: "10.1.7.0/24" } });
  const other = new vpc6.Tier("other7", { vpc, interface: "web1" });
  const [a, b, six] = [{}, {}, { ipv4: false }].map(
    (it, index) => new vpc6.Instance(`guest7${index}`, { tier, mac: `02:00:00:00:07:0${index}`, ...it }),
  ) as [vpc6.Instance, vpc6.Instance, vpc6.Instance];
  const elsewhere = new vpc6.Instance("elsewhere7", { tier: other, mac: "02:00:00:00:07:09" });
  const unnamed = new vpc6.Instance("unnamed7", { tier, duid: "00:04:aa:07", ipv4: false });
  const make = (name: string, instances: vpc6.Instance[], more = {}) => {
    const made = new vpc6.SecondaryAddress(name, { instances, ...more });
    return made.has;
  };
  expect(() => make("none", [])).toThrow('SecondaryAddress "none": instances is an empty list');
  expect(() => make("far", [a, elsewhere])).toThrow(
    'instances[1]: instance "elsewhere7" is in another tier than "guest70"',
  );
  expect(() => make("anybody", [unnamed])).toThrow('instances[0]: instance "unnamed7" has no `mac`');
  expect(() => make("twice", [a, a])).toThrow('instances[1]: instance "guest70" is in the list already');
  expect(() => make("guest70", [a])).toThrow('two resources claim instance "guest70" of tier "t7"');
  expect(() => make("named", [a], { hostname: "guest71" })).toThrow(
    /^secondary address "named" of Tier "t7" and instance/,
  );
  // What all of its guests have, where nothing else is said.
  expect(make("both", [a, b])).toEqual({ ipv6: true, ipv4: true });
  expect(make("some", [a, six], { address: "2001:67c:2834:1::99" })).toEqual({ ipv6: true, ipv4: false });
  expect(make("four", [a, b], { ipv6: false })).toEqual({ ipv6: false, ipv4: true });
  expect((await tier.claims.closed).map(({ kind, name, value }) => `${kind} ${name} ${value}`)).toEqual(
    expect.arrayContaining([
      "instance both undefined",
      "instance some 2001:67c:2834:1::99",
      "ipv4 both undefined",
      "ipv4 four undefined",
    ]),
  );
});

test("two guests of one tier with the same MAC address or DUID are refused where the second is made", () => {
  const zone = new vpc6.Zone("ams7", { superCidr: "2001:67c:2834::/50" });
  const router = new vpc6.Router("vr7", { zone, host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" });
  const vpc = new vpc6.Vpc("v7", { zone, router });
  const [one, two] = [new vpc6.Tier("one", { vpc, interface: "a" }), new vpc6.Tier("two", { vpc, interface: "b" })];
  const mac = "02:00:00:00:00:aa";
  new vpc6.Instance("first", { tier: one, mac });
  new vpc6.Instance("elsewhere", { tier: two, mac });
  expect(() => new vpc6.Instance("again", { tier: one, mac: "02-00-00-00-00-AA" })).toThrow(
    'instance "again" and instance "first" of one tier have the same MAC address, 02:00:00:00:00:aa',
  );
  const duid = "00:03:00:01:02:00:00:00:00:AA";
  expect(() => new vpc6.Instance("other", { tier: one, duid })).toThrow('instance "other" and instance "first"');
  new vpc6.Instance("other", { tier: one, duid: "00:02:00:00:ab:11", mac: pulumi.output("02:00:00:00:00:ab") });
});

test("an error of the SDK's tells where the resource was made, and traces of others are what they were", () => {
  const limit = Error.stackTraceLimit;
  const wrong = (): unknown => new vpc6.ExternalNetwork("", { entries: [] });
  expect(wrong).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("name"),
      stack: expect.stringContaining("mocks.test.ts"),
    }),
  );
  new vpc6.ExternalNetwork("right", { entries: [] });
  expect(Error.stackTraceLimit).toBe(limit);
});
