// Public networks that are no ordinary /64: a gateway known by its link-local address, one outside the network, and links of two.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { lab } from "./lab.ts";
import { ownPackages, program, routeOnUplink, snapshot, startInProcess, unhealed } from "./stack.ts";

const WEB1 = "2001:67c:2834:1::10";
const OUTSIDE = "2001:db8:1::80";

let engine: InProcess;
let before: Record<string, string>;

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1");
  await routeOnUplink();
  await ownPackages("vr1");
  before = await snapshot("vr1");
  engine = await startInProcess();
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

async function up(publicNetwork: object): Promise<void> {
  const guests = `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });`;
  const zone = `...{ publicNetwork: ${JSON.stringify(publicNetwork)} },`;
  await engine.program(await program(guests, { routers: { vr1: "" }, zone }));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
}

const routes = async () => (await lab.exec("vr1", "ip -6 route show default proto 106")).stdout.trim();
const ours = async () => (await lab.exec("vr1", "ip -6 route show proto 106")).stdout.trim();
const reaches = () =>
  lab.until(
    "web1 to reach the internet",
    20_000,
    async () => (await lab.ping("web1", OUTSIDE, { count: 1 })).received === 1,
  );

/** Seen by a refresh, put back by the next `up`, and there again after a reboot. */
async function holds(route: string, line: string): Promise<void> {
  expect(await routes()).toBe(`default via ${route} pref medium`);
  await reaches();
  await unhealed(async () => {
    await lab.exec("vr1", "ip -6 route del default proto 106");
    expect((await lab.ping("web1", OUTSIDE, { count: 1 })).received).toBe(0);
    const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes", "--diff"] });
    expect(code).not.toBe(0);
    expect(all).toContain(`route removed, ${line}`);
    const mended = await engine.up({ args: ["--refresh"] });
    expect(mended.code, mended.all).toBe(0);
  });
  await reaches();
  await lab.reboot("vr1");
  await reaches();
  const again = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(again.code, again.all).toBe(0);
}

async function destroyed(): Promise<void> {
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  expect(await ours()).toBe("");
  expect(await snapshot("vr1")).toEqual(before);
}

const NETWORK = { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" };

test("a link-local gateway", async () => {
  await lab.exec("uplink", "ip addr add fe80::1/64 dev pub0 nodad");
  await up({ ...NETWORK, gateway: "fe80::1" });
  await lab.ready("web1", WEB1);
  await holds("fe80::1 dev pub0 metric 512", "pub0 ::/0 via fe80::1 metric 512");
});

test("another gateway in its place: one outside the network, which no address of the router says is on the link", async () => {
  await lab.exec("uplink", "ip addr add 2001:db8:fffe::1/128 dev pub0 nodad");
  await up({ ...NETWORK, gateway: "2001:db8:fffe::1" });
  await holds("2001:db8:fffe::1 dev pub0 metric 512", "pub0 ::/0 via 2001:db8:fffe::1 metric 512");
  // The way to it, which the default route stands on.
  await unhealed(async () => {
    await lab.exec("vr1", "ip -6 route del 2001:db8:fffe::1 proto 106");
    expect((await engine.preview({ args: ["--refresh", "--diff"] })).all).toContain(
      "route removed, pub0 2001:db8:fffe::1/128",
    );
    expect((await engine.up({ args: ["--refresh"] })).code).toBe(0);
  });
  expect((await engine.preview({ args: ["--refresh", "--expect-no-changes"] })).code).toBe(0);
  await destroyed();
});

test.each([
  ["first", "second", "2001:db8:fffd::", "2001:db8:fffd::1", {}],
  ["second", "first", "2001:db8:fffc::1", "2001:db8:fffc::", { gateway: "2001:db8:fffc::" }],
])(
  "a link of two: the router has the %s address of a /127, the gateway the %s",
  async (_, __, router, gateway, more) => {
    await lab.exec("uplink", `ip addr add ${gateway}/127 dev pub0 nodad`);
    await routeOnUplink("2001:67c:2834::/60", router);
    await up({ cidr: `${router.replace(/::1$/, "::")}/127`, ...more });
    expect((await lab.exec("vr1", "ip -o -6 addr show dev pub0 scope global")).stdout).toContain(` ${router}/127 `);
    expect((await lab.exec("vr1", "cat /proc/net/anycast6")).stdout).not.toContain("20010db8fff");
    await holds(`${gateway} dev pub0 metric 512`, `pub0 ::/0 via ${gateway.replace(/::$/, "::0")} metric 512`);
    await destroyed();
  },
);
