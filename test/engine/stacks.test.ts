// A zone of another stack: two projects that see each other's stacks. Nobody answers at the routers' addresses: previews. By the Pulumi CLI
// where what is had is read in its preview; what is refused is said by the hooks, and how each engine passes it on is compared in in-process.test.ts.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine } from "./engine";
import { InProcess } from "./in-process";
import { HOST_KEY, SUPER } from "./programs";

let owner: InProcess;
let other: InProcess;

const zoneProgram = (reserve: string, rest = "") => `
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", { ${SUPER}, isolatedCidr: "2001:db8:2800::/56", asnRange: "4200000000-4200000009",
  publicNetwork: { cidr: "2001:db8:ffff::/64" }, reserve: [${reserve}] });
export const ams1 = zone.shared;
// As a Router's: a real one would have to be there.
export const vr1 = { vpc6: "router", router: "vr1 root@192.0.2.1:22 ${HOST_KEY}", address: "2001:db8:ffff::10", asn: 4200000000 };
${rest}
`;
const reader = (rest: string, stack = "organization/zones/dev") => `
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";
const owner = new pulumi.StackReference("${stack}");
const zone = vpc6.Zone.fromStack(owner, "ams1");
const router = vpc6.Router.fromStack(owner, "vr1");
${rest}
`;

async function preview(text: string) {
  await other.program(reader(text));
  return await other.preview();
}

async function refused(text: string): Promise<string> {
  const { code, all } = await preview(text);
  expect(code, all).not.toBe(0);
  expect(all).not.toMatch(/at Object\.|node:internal/);
  return all;
}

beforeAll(async () => {
  owner = await InProcess.start({ name: "zones" });
  other = await InProcess.start({ name: "shop", beside: owner });
  await owner.program(`import * as vpc6 from "vpc6"; export const nothing = "yet";`);
  expect((await owner.up()).code).toBe(0);
}, 60_000);

afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await owner?.[Symbol.asyncDispose]();
});

test("before the owner exports anything both failures name its stack and what to write", async () => {
  const vpc = await refused(`new vpc6.Vpc("shop", { zone, router });`);
  const router = await refused(
    `new vpc6.Router("vr2", { zone, host: "192.0.2.2", hostKey: "${HOST_KEY}", publicInterface: "pub0" });`,
  );
  const missing = (output: string, what: string) =>
    `${what}: stack organization/zones/dev has no output "${output}"; write \`export const ${output} = ${what}.shared;\` there and run \`pulumi up\` there`;
  expect(vpc).toContain(missing("vr1", "router"));
  expect(router).toContain(missing("ams1", "zone"));
});

test("what is reserved is had, known at preview; BGP and router take the rest from the zone", async () => {
  const own = `const own = new vpc6.Vpc("mine", { zone, router: vr9 });`;
  const vr9 = `const vr9 = new vpc6.Router("vr9", { zone, host: "192.0.2.9", hostKey: "${HOST_KEY}", publicInterface: "pub0" });`;
  const reserved = zoneProgram(
    `"shop", { name: "big", vpcPrefixLength: 56 }, { name: "at", cidr: "2001:67c:2834:200::/60" }, { kind: "isolated", name: "kiosks" },
      { kind: "router", name: "vr2", address: "2001:db8:ffff::77", asn: 4200000007 }, "mine"`,
    `const unused = ${JSON.stringify(vr9 + own)};`,
  );
  await using zones = await Engine.start({ name: "zones" });
  await using shops = await Engine.start({ name: "shop", beside: zones });
  for (const one of [owner, zones]) {
    await one.program(reserved);
    const { code, all } = await one.up();
    expect(code, all).toBe(0);
  }
  await shops.program(
    reader(`
const shop = new vpc6.Vpc("shop", { zone, router });
new vpc6.Vpc("big", { zone, router, vpcPrefixLength: 56 });
new vpc6.Vpc("at", { zone, router });
new vpc6.IsolatedNetwork("kiosks", { zone, router, interface: "kiosk0" });
const vr2 = new vpc6.Router("vr2", { zone, host: "192.0.2.2", hostKey: "${HOST_KEY}", publicInterface: "pub0" });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });
`),
  );
  const shown = await shops.preview({ diff: true, args: ["--show-full-output"] });
  expect(shown.code, shown.all).toBe(0);
  for (const value of [
    'cidr +: "2001:67c:2834:200::/60"',
    'cidr +: "2001:67c:2834::/56"',
    'cidr +: "2001:67c:2834:110::/60"',
    'cidr +: "2001:db8:2800::/64"',
    'address +: "2001:db8:ffff::77"',
    "asn +: 4200000007",
    // The zone's largest VPC is a /56.
    "permit 2001:67c:2834::/50 ge 56 le 64",
  ]) {
    expect(shown.stdout).toMatch(new RegExp(value.replaceAll("::", "::")));
  }
  expect(shown.stdout).not.toContain("[unknown]");
});

test.each([
  [
    `new vpc6.Vpc("more", { zone, router });`,
    `stack organization/zones/dev has reserved no vpc "more"; write \`reserve: ["more"]\` on Zone "ams1" there`,
  ],
  [
    `new vpc6.Vpc("more", { zone, router, vpcPrefixLength: 58 });`,
    `vpcPrefixLength: stack organization/zones/dev has reserved no vpc "more"; write \`reserve: [{ name: "more", vpcPrefixLength: 58 }]\``,
  ],
  [
    `new vpc6.Vpc("shop", { zone, router, cidr: "2001:67c:2834:300::/60" });`,
    `cidr: stack organization/zones/dev has reserved 2001:67c:2834:110::/60 for vpc "shop"; leave it out here, or write \`reserve: [{ name: "shop", cidr: "2001:67c:2834:300::/60" }]\``,
  ],
  [
    `new vpc6.IsolatedNetwork("labs", { zone, router, interface: "kiosk0" });`,
    `reserved no isolated "labs"; write \`reserve: [{ kind: "isolated", name: "labs" }]\``,
  ],
  [
    `new vpc6.Router("vr3", { zone, host: "192.0.2.3", hostKey: "${HOST_KEY}", publicInterface: "pub0", address: "2001:db8:ffff::78" });`,
    `address: stack organization/zones/dev has reserved no router "vr3"; write \`reserve: [{ kind: "router", name: "vr3", address: "2001:db8:ffff::78" }]\``,
  ],
  [
    `new vpc6.Vpc("shop", { zone, router: vpc6.Router.fromStack(owner, "ams1") });`,
    `router: output "ams1" of stack organization/zones/dev is no router; it must be \`export const ams1 = router.shared;\` there`,
  ],
])("refused: %s", async (text, reason) => {
  const all = await refused(text);
  expect(all).toContain(reason);
});

test("a name that the owner uses itself is refused, and so are two of one name", async () => {
  await owner.program(zoneProgram(`"shop"`, `(zone as any).claims.add({ kind: "vpc", name: "own" });`));
  const { code, all } = await owner.up();
  expect(code, all).toBe(0);
  expect(await refused(`new vpc6.Vpc("own", { zone, router });`)).toContain(
    `vpc "own" is stack organization/zones/dev's own`,
  );
  const twice = await preview(
    `new vpc6.Vpc("a", { zone, router, claim: "shop" }); new vpc6.Vpc("b", { zone, router, claim: "shop" });`,
  );
  expect(twice.all).toContain(`two resources claim vpc "shop" of the zone in output "ams1"`);
});
