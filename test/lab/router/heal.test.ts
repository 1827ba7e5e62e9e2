// The router heals itself: whatever takes addresses, routes, neighbors, links or forwarding away, all is there again within two seconds, and
// guests get through. What an operator does on purpose stays done.

import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InProcess } from "../../engine/in-process.ts";
import { type Background, lab } from "../lab.ts";
import { program, routeOnUplink, startInProcess } from "../stack.ts";
import { on, path } from "./vr1.ts";

const WEB = "2001:67c:2834:2::";
const INTERNET = "2001:db8:1::80";

/** What of a router's network vpc6 puts there, a line each. */
const STATE = `cat >/run/state <<'END'
# One that is checked for a duplicate still cannot be used; another is the operator's.
ip -o addr show scope global -tentative | awk '$4 !~ /^2001:db8:5:/ { print $2, $4 }'
{ ip -6 route show proto 106; ip -4 route show proto 106; } | sed 's/ error .*//'
ip neigh show nud permanent
sysctl net.ipv6.conf.all.forwarding net.ipv4.ip_forward
cd /proc/sys/net/ipv6/conf; grep . pub0/accept_ra pub0/keep_addr_on_down [wd]*b0/accept_ra [wd]*b0/keep_addr_on_down [wd]*b0/forwarding [wd]*b0/disable_ipv6
for link in pub0 web0 db0; do echo $link $(($(cat /sys/class/net/$link/flags) & 1)); done
END
# event COMMAND: what it takes away, for how many milliseconds after its end at the most, and how long it took itself.
cat >/run/event <<'END'
now() { date +%s%3N; }
sh /run/state 2>&1 | sort >/run/before
begun=$(now)
eval "$1" >/dev/null 2>&1 || exit
ended=$(now) last=0
while :; do
  sh /run/state 2>&1 | sort >/run/after
  cmp -s /run/before /run/after && [ $last != 0 ] && [ $(($(now) - last)) -gt 400 ] && break
  cmp -s /run/before /run/after || { last=$(now); comm -23 /run/before /run/after >>/run/taken; }
  [ $(($(now) - ended)) -lt 2000 ] || break
done
[ $last = 0 ] || last=$((last - ended))
echo "$last $((ended - begun))"
sort -u /run/taken 2>/dev/null
rm -f /run/taken
END`;

interface Event {
  /** Milliseconds after the end of the command. */
  healed: number;
  took: number;
  taken: string[];
}

async function event(command: string): Promise<Event> {
  const [times = "", ...taken] = (await on(["sh", "/run/event", command])).split("\n");
  const [healed = 0, took = 0] = times.split(" ").map(Number);
  return { healed, took, taken };
}

const drift = async () => (await on(`${path} observe`)).split("\n").filter((it) => it.startsWith("drift "));

let engine: InProcess;
let ping: Background;

/** Of a ping every ten milliseconds what was answered: when (milliseconds), and which. */
const answers = () =>
  [...ping.stdout.matchAll(/^\[([\d.]+)\] \d+ bytes from .*icmp_seq=(\d+) /gm)].map(
    ([, time, number]) => [1000 * Number(time), Number(number)] as const,
  );

/** Waits until one is answered that comes later than `time`; it is written when it is. */
const answeredAfter = (time: number, timeoutMs = 2_000) =>
  lab.until("the guest to get through", timeoutMs, async () => (answers().at(-1)?.[0] ?? 0) > time);

/** How many in a row were lost at the most since `time`. */
function lost(time: number): number {
  const numbers = answers().flatMap(([at, number]) => (at > time - 100 ? number : []));
  return Math.max(0, ...numbers.slice(1).map((it, index) => it - (numbers[index] ?? it) - 1));
}

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
  ping = lab.background("web1", ["ping", "-D", "-n", "-W", "1", "-i", "0.01", INTERNET]);
  await answeredAfter(0, 10_000);
});

afterAll(async () => {
  await ping?.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

/** Does it; everything must be there again, and a guest get through, within two seconds. */
async function heals(command: string, takes: RegExp | null): Promise<Event> {
  const begun = Date.now();
  const seen = await event(command);
  await answeredAfter(Date.now());
  console.info(
    `${command.slice(0, 70)}: ${seen.taken.length} things gone, there again after ${seen.healed} ms; ${lost(begun)} pings of 10 ms lost`,
  );
  if (takes) expect(seen.taken.join("\n")).toMatch(takes);
  expect(seen.healed).toBeLessThan(2_000);
  return seen;
}

describe("what takes away", () => {
  test.each([
    ["networkctl reconfigure pub0", /pub0 2001:db8:ffff::10/],
    ["networkctl reconfigure web0", /web0 2001:67c:2834:2::1/],
    ["echo >>/etc/systemd/network/20-web0.network; networkctl reload", null],
    ["systemctl restart systemd-networkd", null],
    ["ip addr flush dev pub0 scope global", /pub0 2001:db8:ffff::10/],
    ["ip addr flush dev web0", /web0 10.1.1.1.*web0 2001:67c:2834:2::1/s],
    ["ip -6 route del unreachable 2001:67c:2834::/60", /^unreachable/m],
    ["ip -6 route del default", /^default/m],
    ["ip neigh flush dev web0 nud permanent", /PERMANENT/],
    ["ip link set pub0 down; sleep 0.3; ip link set pub0 up", /^default/m],
    ["ip link set web0 down; sleep 0.3; ip link set web0 up", /PERMANENT/],
    ["sysctl -qw net.ipv6.conf.web0.keep_addr_on_down=0; ip link set web0 down; ip link set web0 up", /web0 2001/],
    ["sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv4.ip_forward=0", /all.forwarding/],
    ["ip addr del 2001:67c:2834::1/128 dev lo", /lo 2001/],
  ])("%s", async (command, takes) => {
    await heals(command, takes);
    expect(await drift()).toEqual([]);
  });
});

/** Takes a link's wire out of the lab and puts a new one there, as for a card that is pulled, or a VLAN that is made again. */
const wire = (verb: "pull" | "plug") => {
  const [net, host] = ["net", "vr1"].map((it) => `vpc6-lab${process.env.VPC6_LAB ?? ""}-${it}`);
  const ip = (...args: string[]) => execFileSync("ip", ["-n", net ?? "", "link", ...args]);
  if (verb === "pull") return void ip("del", "vr1-web0");
  const peer = ["peer", "name", "web0", "address", "02:00:00:00:01:01", "netns", host ?? ""];
  ip("add", "vr1-web0", "type", "veth", ...peer);
  execFileSync("ip", ["-n", host ?? "", "addr", "add", "2001:db8:5::5/64", "dev", "web0", "nodad"]);
  ip("set", "vr1-web0", "master", "web", "up");
};

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
  await answeredAfter(begun, 8_000);
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
