// The error cases of the specification. "Appropriate errors" have the numbers in them, name who holds what, and disturb nobody else.
// One of each form as a user of the Pulumi CLI reads it; how the two engines tell the same error is compared in in-process.test.ts.

import { expect, test } from "vitest";
import { Engine } from "./engine";
import { InProcess } from "./in-process";
import { program, SUPER, zoneOnly } from "./programs";

async function refused(text: string, by: typeof Engine | typeof InProcess = InProcess): Promise<string> {
  await using engine = await by.start();
  await engine.program(text);
  const { code, all } = await engine.preview();
  expect(code, all).not.toBe(0);
  expect(all).not.toMatch(/^\s+at /m); // a stack trace is for bugs
  return all;
}

const vpc = (args: string, name = "shop") => `const ${name} = new vpc6.Vpc("${name}", { zone, router, ${args} });`;

test("a super CIDR too small to split", async () => {
  const output = await refused(zoneOnly(`superCidr: "2001:67c:2834::/61"`));
  expect(output).toContain(
    "Zone resource 'ams1' has a problem: superCidr: 2001:67c:2834::/61 cannot be split into /60",
  );
  expect(output).toContain("it must be a /60 or larger");
});

test("the 1,025th VPC", async () => {
  const names = `reserve: Array.from({ length: 1024 }, (_, index) => "a" + index)`;
  const output = await refused(program(`${SUPER}, ${names}`, vpc("")));
  expect(output).toContain("Vpc resource 'shop' has a problem: claim: all 1024 VPC prefixes (/60)");
  expect(output).toContain("/49 would hold 2048");
});

test("the 16th tier", async () => {
  const tiers = `for (let i = 1; i <= 16; i++) new vpc6.Tier("t" + String(i).padStart(2, "0"), { vpc: shop, interface: "eth" + i });`;
  const output = await refused(program(SUPER, vpc("") + tiers));
  expect(output).toContain(
    "Tier resource 't16' has a problem: claim: all 15 tier prefixes (/64) in 2001:67c:2834::/60",
  );
  expect(output).not.toContain("'t15' has a problem");
});

test("more names in reserve than there are prefixes", async () => {
  const names = `reserve: Array.from({ length: 1025 }, (_, index) => "a" + index)`;
  const output = await refused(zoneOnly(`${SUPER}, ${names}`));
  expect(output).toContain(`Zone resource 'ams1' has a problem: reserve: vpc "a999": all 1024 VPC prefixes`);
});

test("a CIDR without a super CIDR of the zone", async () => {
  const output = await refused(program("", vpc(`cidr: "2001:67c:2834:10::/60"`)));
  expect(output).toMatch(/Vpc resource 'shop' has a problem: cidr: .*no super CIDR.*set superCidr on the Zone/);
});

test.each([
  ["foreign", "2001:db8::/60", "2001:db8::/60 is not inside 2001:67c:2834::/50"],
  ["misaligned", "2001:67c:2834:18::/60", 'cidr: "2001:67c:2834:18::/60" has host bits set'],
  [
    "wrongly sized",
    "2001:67c:2834::/56",
    "cidr: 2001:67c:2834::/56 is a /56, but the VPC prefixes in 2001:67c:2834::/50 are /60",
  ],
  ["taken", "2001:67c:2834:20::/60", "cidr: 2001:67c:2834:20::/60 is held by first"],
])("a %s VPC CIDR", async (_name, cidr, reason) => {
  const first = vpc(`cidr: "2001:67c:2834:20::/60"`, "first");
  const output = await refused(program(SUPER, `${first}${vpc(`cidr: "${cidr}"`, "second")}`));
  expect(output).toContain("Vpc resource 'second' has a problem: cidr: ");
  expect(output).toContain(reason);
  expect(output).not.toContain("'first' has a problem");
});

test.each([
  ["outside its VPC", "2001:67c:2834:11::/64", "2001:67c:2834:11::/64 is not inside 2001:67c:2834::/60"],
  ["on the router's own network", "2001:67c:2834::/64", "2001:67c:2834::/64 is reserved for the VPC's own router"],
  ["on another tier", "2001:67c:2834:3::/64", "2001:67c:2834:3::/64 is held by one"],
])("a tier %s", async (_name, cidr, reason) => {
  const tier = (name: string, prefix: string) =>
    `new vpc6.Tier("${name}", { vpc: shop, interface: "eth-${name}", cidr: "${prefix}" });`;
  const tiers = tier("one", "2001:67c:2834:3::/64") + tier("two", cidr);
  const output = await refused(program(SUPER, vpc(`cidr: "2001:67c:2834::/60"`) + tiers));
  expect(output).toContain(`Tier resource 'two' has a problem: cidr: ${reason}`);
  expect(output).not.toContain("'one' has a problem");
});

test("two resources with one name in the ledger, a claim that comes too late", async () => {
  const twice = await refusedProgram(`${vpc(`claim: "x"`, "one")}${vpc(`claim: "x"`, "two")}`);
  expect(twice).toContain('two resources claim vpc "x" of zone "ams1"');
  expect(twice).toContain("`claim:");
  const mac = `mac: "02:00:00:00:01:11"`;
  const guests = ["a", "b"].map((it) => `new vpc6.Instance("${it}", { tier: web, ${mac} });`).join("");
  const alike = await refusedProgram(
    `${vpc("")} const web = new vpc6.Tier("web", { vpc: shop, interface: "w0" }); ${guests}`,
    InProcess,
  );
  expect(alike).toContain('instance "b" and instance "a" of one tier have the same MAC address, 02:00:00:00:01:11');
  const late = await refusedProgram(`zone.ledger.apply(() => { ${vpc("")} });`);
  expect(late).toContain('vpc "shop" comes too late for zone "ams1"');
  expect(late).toContain('reserve: ["shop"]');
});

async function refusedProgram(rest: string, by: typeof Engine | typeof InProcess = Engine): Promise<string> {
  await using engine = await by.start();
  await engine.program(program(SUPER, rest));
  const { code, all } = await engine.preview();
  expect(code, all).not.toBe(0);
  expect(all).not.toMatch(/^\s+at |unhandled exception/m);
  return all;
}

test("with --target a child that its parent does not know yet names both", async () => {
  await using engine = await Engine.start();
  await engine.program(zoneOnly(SUPER));
  expect((await engine.up()).code).toBe(0);
  await engine.program(program(SUPER, vpc("")));
  const { code, all } = await engine.preview({
    args: ["--target", "urn:pulumi:dev::test::pulumi-nodejs:dynamic/vpc6:Vpc::shop", "--target-dependents"],
  });
  expect(code, all).not.toBe(0);
  expect(all).toMatch(/--target 'urn:[^']*Zone::ams1' --target 'urn:[^']*Vpc::shop'/);
});

test("all failures of a resource at once, each with its path, the value and what would be right", async () => {
  const output = await refused(
    zoneOnly(
      `superCidr: "2001:67c:2834::1/50", asn: 3320, vpcPrefixLength: 64, publicNetwork: { cidr: "2001:db8::/64", gateway: "fe80::1%eth0" } , asnrange: "1-2"` as string,
    ).replace("new vpc6.Zone", "new (vpc6.Zone as any)"),
    Engine,
  );
  for (const reason of [
    'superCidr: "2001:67c:2834::1/50" has host bits set: the network is 2001:67c:2834::/50',
    "asn: 3320 is not a private AS number: 64512 to 65534",
    "vpcPrefixLength: 64 is not a prefix length (48 to 63)",
    "publicNetwork.gateway: ",
    "asnrange: there is no such property",
  ]) {
    expect(output).toContain(`Zone resource 'ams1' has a problem: ${reason}`);
  }
});

test("two guests with one MAC address that other resources tell", async () => {
  const guest = (name: string) =>
    `new vpc6.Instance("${name}", { tier, mac: pulumi.output(Promise.resolve("02:00:00:00:01:11")) });\n`;
  const tier = `const tier = new vpc6.Tier("web", { vpc: shop, interface: "web0" });\n`;
  const text = program(SUPER, vpc("") + tier + guest("web1") + guest("web2"));
  const output = await refused(text);
  expect(output).toContain(
    `Instance resource 'web2' has a problem: mac: instance "web2" and instance "web1" of one tier have the same MAC address, 02:00:00:00:01:11`,
  );
});
