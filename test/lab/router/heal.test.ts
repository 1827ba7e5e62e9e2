// The router heals itself: whatever takes addresses, routes, neighbors, links or forwarding away, all is there again within two seconds, and
// guests get through. What an operator does on purpose stays done.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InProcess } from "../../engine/in-process.ts";
import { byHand, byManager } from "../healing/events.ts";
import { guestPings, measured, STATE, wire } from "../healing/measure.ts";
import { lab } from "../lab.ts";
import { program, routeOnUplink, startInProcess } from "../stack.ts";
import { on, path } from "./vr1.ts";

const WEB = "2001:67c:2834:2::";

const drift = async () => (await on(`${path} observe`)).split("\n").filter((it) => it.startsWith("drift "));

let engine: InProcess;
let pings: ReturnType<typeof guestPings>;

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1");
  await routeOnUplink();
  await on(STATE);
  // Its operator manages both kinds of links.
  await on(`for link in pub0 web0; do
    printf "[Match]\\nName=$link\\n[Network]\\nIPv6AcceptRA=no\\nLinkLocalAddressing=ipv6\\n" >/etc/systemd/network/20-$link.network
  done; networkctl reload`);
  engine = await startInProcess();
  await engine.program(
    await program(
      `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
new vpc6.Tier("db", { vpc: shop, mac: "02:00:00:00:02:01" });
new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.NetworkAcl("web", { tiers: [web], rules: [{ direction: "ingress", action: "allow", protocol: "icmp" }] });`,
      { routers: { vr1: "" } },
    ),
  );
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  await lab.ready("web1", `${WEB}10`);
  pings = guestPings();
  await pings.answeredAfter(0, 10_000);
});

afterAll(async () => {
  await pings?.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

/** Everything must be there again, and a guest get through, within two seconds. */
describe("what takes away", () => {
  test.each([...byManager.networkd, ...byHand])("$command", async ({ command, takes }) => {
    const begun = Date.now();
    const { healed, taken } = await measured(command);
    await pings.answeredAfter(Date.now());
    console.info(
      `${command.slice(0, 70)}: ${taken.length} things gone, there again after ${healed} ms; ${pings.lost(begun)} pings of 10 ms lost`,
    );
    if (takes) expect(taken.join("\n")).toMatch(takes);
    expect(healed).toBeLessThan(2_000);
    expect(await drift()).toEqual([]);
  });
});

const said = async () => (await on("journalctl --sync; journalctl -o cat -u vpc6-watch --no-pager")).split("\n");
const keep = async () => {
  expect(await on("sh /run/state | sort | tee /run/want")).toContain("unreachable");
};
/** Waits for the state of `keep`; says how long (milliseconds). */
async function whole(): Promise<number> {
  const begun = Date.now();
  const differs = async () => await on("sh /run/state 2>&1 | sort | diff /run/want - || true");
  await lab.until("all to be there", 2_000, async () => (await differs()) === "");
  return Date.now() - begun;
}

test("twenty events in a second are few runs, each told in a line", async () => {
  const before = (await said()).length;
  await on(
    "i=0; while [ $i -lt 20 ]; do ip -6 route del unreachable 2001:67c:2834::/60 2>/dev/null; i=$((i + 1)); sleep 0.05; done",
  );
  await lab.until("it to be there", 2_000, async () => (await on("ip -6 route")).includes("unreachable"));
  const lines = (await said()).slice(before);
  expect(new Set(lines)).toEqual(new Set(["vpc6: put back, as it was gone: unreachable 2001:67c:2834::/60"]));
  expect(lines.length).toBeLessThanOrEqual(4);
});

test("a transaction that is at work is not disturbed", async () => {
  await keep();
  const during = await on(
    `flock /run/vpc6/lock sh -c 'ip -6 route del unreachable 2001:67c:2834::/60; sleep 1.2; ip -6 route'`,
  );
  expect(during).not.toContain("unreachable");
  await whole();
});

test("what another has put in the place of ours is his", async () => {
  await on(
    "ip -6 route replace default via 2001:db8:ffff::2 dev pub0 metric 512; ip -6 route del unreachable 2001:67c:2834::/60",
  );
  await lab.until("the other to be there", 2_000, async () => (await on("ip -6 route")).includes("unreachable"));
  expect(await on("ip -6 route show default")).toMatch(/^default via 2001:db8:ffff::2 dev pub0 metric 512/);
  expect(await drift()).toEqual([expect.stringContaining("route removed, pub0 ::/0 via 2001:db8:ffff::1")]);
  await on("ip -6 route del default; ip -6 route del unreachable 2001:67c:2834::/60");
  await whole();
});

test("a link that is set down on purpose stays down, whatever else is lost meanwhile, and comes back whole", async () => {
  await on(
    "ip link set web0 down; ip -6 route del unreachable 2001:67c:2834::/60; ip addr flush dev pub0 scope global",
  );
  await lab.until("the rest", 2_000, async () =>
    /unreachable(.|\n)*default/.test(await on("ip -6 route show proto 106")),
  );
  expect(await on("cat /sys/class/net/web0/flags")).toBe("0x1002");
  expect(await drift()).toContainEqual(expect.stringContaining("interface web0 is down"));
  await on("ip link set web0 up");
  await whole();
  expect(await drift()).toEqual([]);
});

test("a link that goes: nothing is said of it; it comes again, and a guest is served as before", async () => {
  const before = (await said()).length;
  wire("pull");
  await lab.until("it to be gone", 2_000, async () => (await on("ls /sys/class/net")).includes("web0") === false);
  await on("ip -6 route del unreachable 2001:67c:2834::/60");
  await lab.until("the rest to be healed", 2_000, async () => (await on("ip -6 route")).includes("unreachable"));
  expect((await said()).slice(before)).toEqual([expect.stringMatching(/put back, as it was gone: unreachable/)]);
  await lab.exec("web1", "ip -6 route flush proto ra");
  const begun = Date.now();
  wire("plug");
  const there = await whole();
  await pings.answeredAfter(begun, 8_000);
  console.info(`made again: all there after ${there} ms, advertised after ${Date.now() - begun} ms`);
  await lab.renew("web1");
  await lab.waitForLease("web1", `${WEB}10`, 10_000);
  // What its operator has put on the new one is his.
  expect(await on("ip -6 addr show dev web0")).toContain("2001:db8:5::5/64");
  expect(await drift()).toEqual([]);
  await on("ip addr del 2001:db8:5::5/64 dev web0");
});

test("a link that loses its name, and gets it back", async () => {
  const rename = (from: string, to: string) =>
    on(`ip link set ${from} down; ip link set ${from} name ${to}; ip link set ${to} up`);
  await rename("web0", "web9");
  await on("sleep 0.5");
  await rename("web9", "web0");
  await whole();
  // By its MAC address it is known under any.
  await rename("db0", "data7");
  await lab.until("data7 to be the tier's", 4_000, async () => {
    const seen = await on(
      "ip -6 addr show dev data7; nft list set inet vpc6 tiers; cat /etc/vpc6/live/files/dnsmasq || true",
    );
    return /2001:67c:2834:1::1.*"data7".*interface=data7/s.test(seen);
  });
  expect(await drift()).toEqual([]);
  await rename("data7", "db0");
  await lab.until("db0 to be the tier's", 4_000, async () =>
    (await on("cat /etc/vpc6/live/files/dnsmasq || true")).includes("interface=db0"),
  );
  await whole();
  expect(await drift()).toEqual([]);
});
