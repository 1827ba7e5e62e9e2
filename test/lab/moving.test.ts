// What moves: a way to a router (through a bastion, over the public interface that vpc6 itself filters), a VPC's prefix, and a VPC
// from one router to another.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { lab } from "./lab.ts";
import { logins, ownPackages, program, startInProcess } from "./stack.ts";

let engine: InProcess;

beforeAll(async () => {
  await lab.down();
  lab.debian13();
  await lab.up("uplink", "vr1", "vr2", "web1", "app1");
  await Promise.all([ownPackages("vr1"), ownPackages("vr2")]);
  engine = await startInProcess();
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

/** Guest web1 is on vr1's interface web0, app1 on vr2's app0. */
const shop = ({ router = "vr1", device = "web0", vpc = "", mac = "01:11", rest = "" } = {}) => `
const shop = new vpc6.Vpc("shop", { zone, router: ${router}, ${vpc} });
const web = new vpc6.Tier("web", { vpc: shop, interface: "${device}" });
export const address = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:${mac}" }).address;
new vpc6.Vpc("plain", { zone, router: vr1, ipv6: false });
${rest}`;

async function up(text: string): Promise<string> {
  await engine.program(text);
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  return all;
}

test("the start, with a VPC without IPv6, which leaves no trace", async () => {
  await up(await program(shop()));
  await lab.waitForLease("web1", String(await engine.output("address")));
  expect((await lab.exec("vr1", "grep -r plain /etc/vpc6/live/ || true")).stdout).toBe("");
});

test("through a bastion and over the public interface: the change is confirmed by a fresh connection", async () => {
  const { VR1_HOST = "", VR2_HOST, VR2_HOST_KEY } = await lab.env();
  const proxy = `proxy: { host: "${VR2_HOST}", hostKey: "${VR2_HOST_KEY}" },`;
  const over = async (rest: string) =>
    (await program(shop({ rest }), { routers: { vr1: proxy, vr2: "" } })).replace(
      `host: "${VR1_HOST}"`,
      'host: "2001:db8:ffff::10"',
    );
  const before = await logins("vr1");
  await up(await over(""));
  expect(await logins("vr1")).toBe(before); // only the way has changed
  await up(await over(`new vpc6.Tier("db", { vpc: shop, interface: "db0" });`));
  expect(await logins("vr1")).toBe(before + 2); // the work, and the proof that one can still get in
  expect((await lab.exec("vr1", "ip -6 addr show db0")).stdout).toContain("2001:67c:2834:2::1/64");
  expect((await lab.exec("vr1", "readlink /etc/vpc6/live /etc/vpc6/confirmed")).stdout.trim().split("\n")).toHaveLength(
    2,
  );
  await up(await program(shop()));
});

test("a tier on the very interface one logs in over: the router itself undoes it, and the error says so", async () => {
  const taken = `new vpc6.Tier("taken", { vpc: shop, interface: "mgmt0" });`;
  await engine.program(await program(shop({ rest: taken })));
  const { code, all } = await engine.up();
  expect(code).not.toBe(0);
  expect(all).toContain('Tier "taken" would cut off SSH');
  expect(all).toContain("so the router put everything back after 30 s");
  // Whoever logs in over a tier's address is let in as before, and nothing of the tier is left.
  expect((await lab.exec("vr1", "nft list set inet vpc6 tiers; ip -6 addr show mgmt0")).stdout).not.toMatch(
    /"mgmt0"|2001:67c:/,
  );
  await up(await program(shop()));
});

test("a VPC that is given another prefix moves in place, its guests keep their place in it", async () => {
  const before = String(await engine.output("address"));
  const all = await up(await program(shop({ vpc: 'cidr: "2001:67c:2834:100::/60"' })));
  expect(all).not.toMatch(/created|deleted|replaced/);
  const after = String(await engine.output("address"));
  expect(after).toBe(before.replace("2001:67c:2834:", "2001:67c:2834:10"));
  await lab.renew("web1");
  await lab.ready("web1", after);
  expect((await lab.ping("web1", "2001:67c:2834:100::1")).received).toBe(3);
  const left = await lab.exec(
    "vr1",
    "ip -6 addr; ip -6 route; nft list table inet vpc6; grep -rhv '^# vpc6' /etc/vpc6/live/files/",
  );
  expect(left.stdout).not.toContain(before);
});

test("a VPC that moves to another router keeps its prefix and leaves nothing on the old one", async () => {
  const address = String(await engine.output("address"));
  const moved = shop({ router: "vr2", device: "app0", mac: "04:11", vpc: 'cidr: "2001:67c:2834:100::/60"' });
  const all = await up(await program(moved));
  expect(all).toContain("replaced");
  expect(await engine.output("address")).toBe(address);
  await lab.waitForLease("app1", address);
  const left = await lab.exec(
    "vr1",
    "ip -6 addr; ip -6 route; nft list table inet vpc6; grep -rhv '^# vpc6' /etc/vpc6/live/files/",
  );
  expect(left.stdout).not.toContain("2001:67c:2834:100:");
  expect((await engine.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
  const { code, all: destroyed } = await engine.destroy();
  expect(code, destroyed).toBe(0);
});
