// A router that was made by hand: what is equal is taken over without a word, what is not is an error, unless the program says adopt;
// and destroy gives everything back.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { told } from "./frr.ts";
import { lab } from "./lab.ts";
import { program, snapshot, startInProcess } from "./stack.ts";

let engine: InProcess;
let before: Record<string, string>;

const whole = (router = "") =>
  program(
    `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });`,
    { routers: { vr1: router }, zone: "asn: 4200000000" },
  );

beforeAll(async () => {
  lab.bare();
  await lab.down();
  await lab.up("uplink", "vr1");
  // By hand: FRR at work with a session of its own, the address that vpc6 would give, a default route over the public network.
  await lab.exec(
    "vr1",
    `apt-get -q update >/dev/null && apt-get -q -y install --no-install-recommends frr frr-pythontools nftables >/dev/null 2>&1 || exit 1
     sed -i 's/^bgpd=.*/bgpd=yes/' /etc/frr/daemons
     printf '%s\\n' 'router bgp 64999' ' bgp router-id 192.0.2.99' ' no bgp default ipv4-unicast' ' neighbor 2001:db8:ffff::1 remote-as 65000' exit '!' >/etc/frr/frr.conf
     systemctl restart frr
     ip addr add 2001:db8:ffff::10/64 dev pub0 nodad; ip link set pub0 up
     until ip -6 addr show dev pub0 scope link -tentative | grep -q fe80; do sleep 0.1; done
     ip -6 route add default via 2001:db8:ffff::99 dev pub0 metric 512`,
    { timeoutMs: 120_000 },
  );
  before = await snapshot("vr1");
  engine = await startInProcess();
});

/** What FRR runs with: asked so that the question is not on record in root's home, where vtysh of FRR 10 writes it. */
const running = () => told("vr1", "show running-config");

afterAll(async () => await engine?.[Symbol.asyncDispose]());

test("what is not equal is refused, by name, and nothing is changed", async () => {
  await engine.program(await whole());
  const { code, all } = await engine.up();
  expect(code).not.toBe(0);
  expect(all).toMatch(/another route to ::\/0 .*2001:db8:ffff::99/);
  expect(all).toContain('among the arguments of the Router: new vpc6.Router("vr1", { ..., adopt: true })');
  expect((await lab.exec("vr1", "ip -6 route show default")).stdout).toContain("2001:db8:ffff::99");
  expect(await running()).toContain("router bgp 64999");
  // Nor is anything of vpc6 left on a machine that was refused: no package, no program.
  expect(await snapshot("vr1")).toEqual(before);
});

test("adopt takes its place; the address that was there stays", async () => {
  await engine.program(await whole("adopt: true"));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  const { stdout: routes } = await lab.exec("vr1", "ip -6 route show default");
  expect(routes).toContain("via 2001:db8:ffff::1 ");
  expect(routes).not.toContain("2001:db8:ffff::99");
  expect(await running()).toContain("router bgp 4200000000");
  expect(await running()).not.toContain("64999");
  const again = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(again.code, again.all).toBe(0);
});

test("and destroy gives it back: FRR with its own session, the route, the address", async () => {
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  await lab.until("FRR to be itself again", 15_000, async () =>
    (await running().catch(() => "")).includes("router bgp 64999"),
  );
  const after = await snapshot("vr1");
  // FRR's own processes are new ones.
  for (const found of [before, after]) found.processes = "";
  expect(after).toEqual(before);
});
