// The default filter on the wire, attacked as a guest or a stranger would: nothing between tiers and to the router but
// ICMPv6, no borrowed addresses, no way through the router for others.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Host, lab } from "./lab.ts";
import { capture, connects, counted, program, routeOnUplink, startInProcess } from "./stack.ts";

const WEB = "2001:67c:2834:2::";
const DB = "2001:67c:2834:1::";
const OUTSIDE = "2001:db8:1::80";

let engine: InProcess;
let servers: Background[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "vr2", "web1", "web2", "db1");
  await routeOnUplink();
  engine = await startInProcess();
  await engine.program(
    await program(
      `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });
for (const [name, tier, mac] of [["web1", web, "01:11"], ["web2", web, "01:12"], ["db1", db, "02:11"]] as const) {
  new vpc6.Instance(name, { tier, mac: "02:00:00:00:" + mac });
}`,
      { routers: { vr1: 'publicServices: ["tcp/9100"]' } },
    ),
  );
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  for (const [guest, address] of [
    ["web1", `${WEB}10`],
    ["web2", `${WEB}11`],
    ["db1", `${DB}10`],
  ] as const) {
    await lab.ready(guest, address);
  }
  // Somebody who would answer, everywhere: what is not open is filtered, not idle.
  for (const host of ["web2", "db1", "internet"] as const) {
    servers.push(lab.background(host, "exec socat -u TCP6-LISTEN:9100,fork,reuseaddr OPEN:/dev/null"));
    await lab.until(`${host} to listen`, 10_000, async () => (await connects(host, "::1", 9100)) === "open");
  }
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  servers = [];
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

// At the same time: each that is dropped takes two seconds.
test.concurrent.each([
  ["a neighbour in the same tier", "web1", `${WEB}11`, "open"],
  ["another tier", "web1", `${DB}10`, "filtered"],
  ["the world", "web1", OUTSIDE, "filtered"],
  ["a tier, from the world", "internet", `${WEB}11`, "filtered"],
  ["the router's gateway address, from its tier", "web1", `${WEB}1`, "filtered"],
  ["the router's gateway address of another tier", "web1", `${DB}1`, "filtered"],
  ["the router's service address", "web1", "2001:67c:2834::1", "filtered"],
  ["a published service of the router, from the world", "internet", "2001:db8:ffff::10", "refused"],
] as const)("TCP to %s", async (_what, from, address, answer) => {
  expect(await connects(from, address, 9100)).toBe(answer);
});

test("an unpublished service of the router is filtered from the world; SSH is open", async () => {
  expect(await connects("internet", "2001:db8:ffff::10", 9999)).toBe("filtered");
  expect(await connects("internet", "2001:db8:ffff::10", 22)).toBe("open");
  expect(await connects("web1", `${WEB}1`, 22)).toBe("filtered");
});

test("ICMPv6 echo passes between tiers, to and from the world; answers to TCP do once it is asked", async () => {
  for (const [from, to] of [
    ["web1", `${DB}10`],
    ["web1", OUTSIDE],
    ["internet", `${WEB}10`],
    ["web1", `${WEB}1`],
  ] as const) {
    expect(await lab.ping(from, to, { count: 2 }), `${from} to ${to}`).toEqual({ sent: 2, received: 2 });
  }
});

test("path MTU discovery works through the filter", async () => {
  await lab.exec("uplink", "ip link set inet0 mtu 1400");
  await lab.exec("internet", "ip link set inet0 mtu 1400");
  try {
    await lab.exec("web1", ["ping", "-n", "-c", "2", "-W", "1", "-M", "do", "-s", "1440", OUTSIDE], { check: false });
    const { stdout } = await lab.exec("web1", `ip -6 route get ${OUTSIDE}`);
    expect(stdout).toContain("mtu 1400");
  } finally {
    await lab.exec("uplink", "ip link set inet0 mtu 1500");
    await lab.exec("internet", "ip link set inet0 mtu 1500");
  }
});

test("DNS on the tier's own gateway only, and for nobody outside", async () => {
  const ask = async (from: Host, server: string) =>
    (
      await lab.exec(from, ["dig", "+short", "+time=3", "+tries=1", "AAAA", "db1.db.shop.internal", `@${server}`], {
        check: false,
      })
    ).stdout.trim();
  expect(await ask("web1", `${WEB}1`)).toBe(`${DB}10`);
  expect(await ask("web1", `${DB}1`)).not.toContain(`${DB}10`);
  expect(await ask("internet", "2001:db8:ffff::10")).not.toContain(`${DB}10`);
});

test("a guest cannot send with an address that is not its own, nor the world with one from inside", async () => {
  // From somebody else's prefix, from an address of the own prefix that was not handed out, and from a neighbour's.
  await using seen = await capture("internet", "inet0", "icmp6 and ip6[40] == 128");
  for (const [from, device, source, to] of [
    ["web1", "eth0", "2001:db8:bad::1", OUTSIDE],
    ["web1", "eth0", `${WEB}66`, OUTSIDE],
    ["web1", "eth0", `${WEB}11`, OUTSIDE],
    ["web1", "eth0", `${DB}10`, OUTSIDE],
  ] as const) {
    await lab.exec(from, `ip -6 addr add ${source}/128 dev ${device} nodad`);
    await lab.exec(from, ["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "-I", source, to], { check: false });
    await lab.exec(from, `ip -6 addr del ${source}/128 dev ${device}`);
  }
  await lab.ping("web1", OUTSIDE, { count: 1 });
  await lab.until("the honest ping", 5_000, async () => seen.stdout.includes(`${WEB}10 > ${OUTSIDE}`));
  expect(seen.stdout).not.toMatch(/bad::1 >|::66 >|::11 >/);
  expect(seen.stdout).not.toContain(`${DB}10 >`);

  await using inside = await capture("web1", "eth0", "icmp6 and ip6[40] == 128");
  await lab.exec("internet", `ip -6 addr add ${DB}10/128 dev inet0 nodad`);
  await lab.exec("internet", ["ping", "-n", "-c", "2", "-W", "1", "-I", `${DB}10`, `${WEB}10`], { check: false });
  await lab.exec("internet", `ip -6 addr del ${DB}10/128 dev inet0`);
  await lab.ping("internet", `${WEB}10`, { count: 1 });
  await lab.until("the honest ping", 5_000, async () => inside.stdout.includes(`${OUTSIDE} > ${WEB}10`));
  expect(inside.stdout).not.toContain(`${DB}10 > ${WEB}10`);
});

test("a guest cannot take a neighbour's traffic by advertising its address", async () => {
  await using attack = lab.background(
    "web1",
    `ip -6 addr add ${WEB}11/128 dev eth0 nodad; while :; do ndisc6 -1 -q -s ${WEB}11 ${WEB}1 eth0 >/dev/null 2>&1; arping -q -c1 ${WEB}1 2>/dev/null; echo again; sleep 0.05; done`,
  );
  try {
    const said = `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } iifname web0 ether saddr 02:00:00:00:01:11 ip6 saddr ${WEB}11`;
    const { came } = await counted(said, () =>
      lab.until("the attack to be repeated", 20_000, async () => attack.stdout.split("again").length > 2),
    );
    expect(came).toBeGreaterThan(0);
    expect((await lab.exec("vr1", `ip neigh show ${WEB}11`)).stdout).toContain("lladdr 02:00:00:00:01:12 PERMANENT");
  } finally {
    await attack.stop();
    await lab.exec("web1", `ip -6 addr del ${WEB}11/128 dev eth0`, { check: false });
  }
});

test("the router is no transit: nothing from the public side goes back out there, or to the management network", async () => {
  await using pub = await capture("uplink", "pub0", "icmp6 and ip6[40] == 128 and src host 2001:db8:1::80");
  // A packet for somewhere else, handed to the VPC router; and one for a prefix of another VPC.
  await lab.exec("uplink", "ip -6 route replace 2001:db8:2::/64 via 2001:db8:ffff::10");
  await lab.exec("internet", ["ping", "-n", "-c", "2", "-W", "1", "2001:db8:2::1"], { check: false });
  await lab.exec("uplink", "ip -6 route del 2001:db8:2::/64");
  // Each echo request passes the uplink once, on its way to the router; one that came back would be a second one.
  const requests = () => pub.stdout.match(/> 2001:db8:2::1: ICMP6, echo request/g) ?? [];
  await lab.until("tcpdump to say what it saw", 10_000, async () => requests().length >= 2);
  expect(requests()).toHaveLength(2);
});

test("unused prefixes of the VPC end at its router", async () => {
  const { stdout, stderr } = await lab.exec("internet", ["ping", "-n", "-c", "1", "-W", "1", "2001:67c:2834:f::1"], {
    check: false,
  });
  expect(stdout + stderr).toMatch(/unreachable|No route/i);
});
