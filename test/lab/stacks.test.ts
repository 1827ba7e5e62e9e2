// Two stacks on one router: a zone and VPC in one, a VPC and an isolated network in the other (examples/many-stacks, as they are, and
// then more). They run at the same time, again and again, and neither hurts the other; what both would have is refused.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import { InProcess } from "../engine/in-process.ts";
import { type Background, lab } from "./lab.ts";
import { connects, ownPackages, snapshot } from "./stack.ts";

/** So many times two runs at once; the last of them, of the Pulumi CLI. `make test-stacks` has twenty, all of them by the CLI. */
const BY_CLI = Number(process.env.VPC6_STACKS_BY_CLI ?? 2);
const ROUNDS = Math.max(8, BY_CLI);

let owner: InProcess;
let other: InProcess;
let before: Record<string, string>;
let ownerProgram: string;
let otherProgram: string;
const servers: Background[] = [];

const example = (name: string) =>
  readFile(new URL(`../../examples/many-stacks/${name}/index.ts`, import.meta.url), "utf8");

beforeAll(async () => {
  await lab.down();
  lab.debian13();
  await lab.up("uplink", "internet", "vr1", "web1", "web2", "db1", "cache1");
  await ownPackages("vr1");
  before = await snapshot("vr1");
  const { VR1_HOST = "", VR1_HOST_KEY = "", VPC6_SSH_KEY_FILE = "" } = await lab.env();
  const env = { VPC6_SSH_KEY_FILE, SSH_AUTH_SOCK: "" };
  owner = await InProcess.start({ name: "zones", env });
  other = await InProcess.start({ name: "shop", env, beside: owner });
  await owner.config("vr1Host", VR1_HOST);
  await owner.config("vr1HostKey", VR1_HOST_KEY);
  await other.config("zoneStack", "organization/zones/dev");
  ownerProgram = await example("zone");
  otherProgram = await example("vpc");
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await other?.[Symbol.asyncDispose]();
  await owner?.[Symbol.asyncDispose]();
  await lab.down();
});

async function up(engine: InProcess, text: string): Promise<string> {
  await engine.program(text);
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  return all;
}

test("the examples: a zone stack, and a VPC stack that reads it", async () => {
  await up(owner, ownerProgram);
  await up(other, otherProgram);
  const address = String(await other.output("address"));
  await lab.ready("web1", address);
  expect((await other.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
  expect((await owner.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
});

test("a name that both would have is refused, and what is there stays; so is the router of two stacks", async () => {
  await using third = await InProcess.start({ name: "third", env: { ...(await lab.env()) }, beside: owner });
  await third.config("zoneStack", "organization/zones/dev");
  await third.program(otherProgram.replaceAll("web0", "cache0").replace("01:11", "03:11"));
  const { code, all } = await third.up();
  expect(code).not.toBe(0);
  expect(all).toMatch(/shop@2001:67c:2834:\S+ is on this router already, put there by stack organization\/shop\/dev/);
  const [{ VR1_HOST, VR1_HOST_KEY }, zone] = [
    await lab.env(),
    `const zone = new vpc6.Zone("ams2", { superCidr: "2001:db8:a000::/50" });`,
  ];
  await third.program(`import * as vpc6 from "vpc6";
${zone}
new vpc6.Router("another", { zone, host: "${VR1_HOST}", hostKey: "${VR1_HOST_KEY}", publicInterface: "pub0" });`);
  const router = await third.up();
  expect(router.code).not.toBe(0);
  expect(router.all).toContain("router:vr1 is on this router already, put there by stack organization/zones/dev");
  expect((await third.destroy()).code).toBe(0);
  expect((await other.preview({ args: ["--refresh", "--expect-no-changes"] })).code).toBe(0);
  expect((await owner.preview({ args: ["--refresh", "--expect-no-changes"] })).code).toBe(0);
});

test("again and again both at once, with changes that alternate: both are right afterwards", async () => {
  const vpc = (even: boolean) => `
const lab = new vpc6.Vpc("own", { zone, router });
const db = new vpc6.Tier("db", { vpc: lab, interface: "db0" });
export const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" }).address;
${even ? `new vpc6.Instance("extra", { tier: db, mac: "02:00:00:00:02:99" });` : `new vpc6.NetworkAcl("db-acl", { tiers: [db], preset: "egressOnly" });`}`;
  const rest = (even: boolean) =>
    even
      ? `new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });`
      : `const kiosks = new vpc6.IsolatedNetwork("kiosks", { zone, router, interface: "cache0" });
new vpc6.Instance("kiosk1", { tier: kiosks, mac: "02:00:00:00:03:11" });`;
  await lab.exec("uplink", `ip -6 route replace ${await other.output("route")}`);
  const address = String(await other.output("address"));
  servers.push(lab.background("web1", "exec socat -u TCP6-LISTEN:9100,fork,reuseaddr OPEN:/dev/null"));
  await lab.until("web1 to listen", 10_000, async () => (await connects("web1", "::1", 9100)) === "open");
  const play = async (round: number, zones: Engine | InProcess, shop: Engine | InProcess) => {
    const even = round % 2 === 0;
    await zones.program(ownerProgram + vpc(even));
    await shop.program(otherProgram + rest(even));
    const both = await Promise.all([zones.up(), shop.up()]);
    for (const { code, all } of both) expect(code, `round ${round}\n${all}`).toBe(0);
    const { stdout } = await lab.exec("vr1", "nft list table inet vpc6; cat /var/lib/vpc6/dhcp-hosts/*");
    // Each has what its program of this round says, and none of what that of the last one said.
    expect(stdout.includes("db-acl/"), `round ${round}`).toBe(!even);
    expect(stdout.includes("02:00:00:00:02:99"), `round ${round}`).toBe(even);
    expect(stdout.includes("02:00:00:00:01:12"), `round ${round}`).toBe(even);
    expect(stdout.includes("2001:db8:2800::/64"), `round ${round}`).toBe(!even);
    expect(await connects("internet", address, 9100), `round ${round}`).toBe("open");
  };
  let round = 1;
  while (round <= ROUNDS - BY_CLI) await play(round++, owner, other);
  await owner.underTheCli((zones) =>
    other.underTheCli(async (shop) => {
      while (round <= ROUNDS) await play(round++, zones, shop);
      for (const engine of [zones, shop]) {
        const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
        expect(code, all).toBe(0);
      }
    }, zones),
  );
  await owner.program(ownerProgram + vpc(ROUNDS % 2 === 0));
  await up(other, otherProgram + rest(false));
  await lab.waitForLease("cache1", "2001:db8:2800::10");
  await lab.waitForLease("db1", String(await owner.output("db1")));
}, 900_000);

test("a stack whose state is lost is taken over by another one, by an explicit word, and by a refresh taken back", async () => {
  const env = await lab.env();
  await using heir = await InProcess.start({ name: "heir", env, beside: owner });
  await heir.config("zoneStack", "organization/zones/dev");
  await heir.program(otherProgram);
  const refused = await heir.up();
  expect(refused.code).not.toBe(0);
  expect(refused.all).toContain("put there by stack organization/shop/dev");
  const { code, all } = await heir.up({ env: { VPC6_TAKE_OVER_ROUTERS: "vr2 vr1" } });
  expect(code, all).toBe(0);
  const again = await heir.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(again.code, again.all).toBe(0);
  await lab.renew("web1");
  await lab.waitForLease("web1", String(await heir.output("address")));
  // The former one was not gone after all.
  const seen = await other.preview({ args: ["--refresh", "--expect-no-changes"], diff: true });
  expect(seen.code).not.toBe(0);
  expect(seen.all).toContain("stack on router vr1 was changed by another hand, it is organization/heir/dev now");
  const repaired = await other.up({ args: ["--refresh"] });
  expect(repaired.code, repaired.all).toBe(0);
});

test("after a reboot of the router both stacks' guests are there", async () => {
  await lab.reboot("vr1");
  const address = String(await other.output("address"));
  await lab.until(
    "an answer from web1",
    40_000,
    async () => (await lab.ping("internet", address, { count: 1 })).received === 1,
  );
  for (const [guest, held] of [
    ["cache1", "2001:db8:2800::10"],
    ["db1", String(await owner.output("db1"))],
  ] as const) {
    await lab.renew(guest);
    await lab.waitForLease(guest, held);
  }
  expect(await connects("internet", address, 9100)).toBe("open");
  for (const engine of [owner, other]) {
    const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
    expect(code, all).toBe(0);
  }
});

test("the router cannot go while another stack has something on it; in their order all is taken away", async () => {
  const early = await owner.destroy();
  expect(early.code).not.toBe(0);
  expect(early.all).toContain("other resources still have configuration on it");
  expect((await other.preview({ args: ["--refresh", "--expect-no-changes"] })).code).toBe(0);
  for (const engine of [other, owner]) {
    const { code, all } = await engine.destroy();
    expect(code, all).toBe(0);
  }
  expect(await snapshot("vr1")).toEqual(before);
});
