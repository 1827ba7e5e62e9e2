// BGP on real routers: sessions to FRR and to BIRD 2 as the uplink, what passes the filters and what does not, packets between VPCs
// that do not touch the uplink, and sessions that stay up while others change.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { established, known, routed, routes, sessions, show, speaks } from "./frr.ts";
import { lab, type Router } from "./lab.ts";
import { ownPackages, program, snapshot, startInProcess } from "./stack.ts";

const SHOP = "2001:67c:2834:10::/60";
const LABS = "2001:67c:2834::/60";
const vpcs = `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const labs = new vpc6.Vpc("labs", { zone, router: vr2 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const app = new vpc6.Tier("app", { vpc: labs, interface: "app0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const app1 = new vpc6.Instance("app1", { tier: app, mac: "02:00:00:00:04:11" });
export const app1Address = app1.address;
export const cidrs = [shop.cidr, labs.cidr];
`;
const onShop = (rest = "", name = "shop-uplink") =>
  `new vpc6.BgpPeer("${name}", { vpc: shop, remoteAsn: 65000, ${rest} });\n`;
const onLabs = `new vpc6.BgpPeer("labs-uplink", { vpc: labs, remoteAsn: 65000 });\n`;
const peers = onShop() + onLabs;
const EACH = { zone: `asnRange: "4200000000-4200000999",` };
const SHARED = { zone: "asn: 64600," };

/** What the operator of the uplink writes: any private neighbour on the link, and things it should not announce. */
const FRR = `hostname uplink
log syslog informational
ipv6 prefix-list TOVR seq 5 permit any
router bgp 65000
 bgp router-id 203.0.113.1
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor VR peer-group
 neighbor VR remote-as external
 bgp listen range 2001:db8:ffff::/120 peer-group VR
 address-family ipv6 unicast
  network 2001:db8:5::/48
  network 2001:67c:2834:1f::/64
  network 2001:67c:2834:80::/59
  network 2001:67c:2834:90::/60
  neighbor VR activate
  neighbor VR default-originate
  neighbor VR soft-reconfiguration inbound
  neighbor VR prefix-list TOVR in
  neighbor VR prefix-list TOVR out
 exit-address-family
exit
`;

const BIRD = `router id 203.0.113.1;
protocol device { }
protocol kernel { ipv6 { export all; }; }
protocol static { ipv6; route ::/0 unreachable; route 2001:db8:5::/48 unreachable; route 2001:67c:2834:90::/60 unreachable; }
template bgp vr {
  local 2001:db8:ffff::1 as 65000;
  ipv6 { import all; export all; };
}
protocol bgp vr1 from vr { neighbor 2001:db8:ffff::10 as 4200000000; }
protocol bgp vr2 from vr { neighbor 2001:db8:ffff::11 as 4200000001; }
`;

let engine: InProcess;
let before: Record<Router, Record<string, string>>;

beforeAll(async () => {
  await lab.down();
  lab.debian13();
  // Of the two routers, which are alike, one is as an operator hands it over.
  lab.bare();
  await lab.up("vr1");
  lab.equipped();
  await lab.up("uplink", "vr2", "web1", "app1");
  await ownPackages("vr2");
  const [vr1, vr2] = await Promise.all([snapshot("vr1"), snapshot("vr2")]);
  before = { vr1, vr2 };
  await lab.exec(
    "uplink",
    "sed -i s/bgpd=no/bgpd=yes/ /etc/frr/daemons && cat >/etc/frr/frr.conf && chown frr:frr /etc/frr/frr.conf && systemctl start frr",
    { input: FRR },
  );
  engine = await startInProcess();
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

async function up(rest: string, options = EACH) {
  await engine.program(await program(vpcs + rest, options));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
}

/** The addresses a packet passes on its way from web1 to app1. */
async function path(): Promise<string[]> {
  const address = String(await engine.output("app1Address"));
  const { stdout } = await lab.exec("web1", ["traceroute", "-6", "-n", "-I", "-q", "2", "-w", "2", address]);
  return [...stdout.matchAll(/^ *\d+ +([0-9a-f:*]+)/gm)].map(([, hop]) => hop ?? "");
}

async function direct() {
  await Promise.all([
    known("vr1", LABS).then(() => routed("vr1", LABS, "2001:db8:ffff::11")),
    known("vr2", SHOP).then(() => routed("vr2", SHOP, "2001:db8:ffff::10")),
  ]);
  expect(await path()).toEqual(["2001:67c:2834:11::1", "2001:db8:ffff::11", await engine.output("app1Address")]);
}

describe("FRR as the uplink, an AS number for each router", () => {
  test("the preview shows what FRR will be told, and up makes the sessions", async () => {
    await engine.program(await program(vpcs + peers, EACH));
    const { code, stdout, all } = await engine.preview({ diff: true });
    expect(code, all).toBe(0);
    expect(stdout).not.toContain("[unknown]");
    expect(stdout).toContain("! 2001:67c:2834:10::/60 to AS65000 at 2001:db8:ffff::1");
    await up(peers);
    expect(await engine.output("cidrs")).toEqual([SHOP, LABS]);
    await established("vr1");
    await established("vr2");
    await known("uplink", SHOP);
    await known("uplink", LABS);
  });

  test("packets between two VPCs go from router to router", async () => {
    const address = String(await engine.output("app1Address"));
    await Promise.all([lab.ready("web1"), lab.ready("app1", address)]);
    await direct();
    expect((await lab.exec("vr1", "cat /proc/sys/net/ipv4/ip_forward")).stdout.trim()).toBe("0");
  });

  test("foreign prefixes, the VPC's own, one too large, and a default that nobody asked for are not taken", async () => {
    // 2001:67c:2834:90::/60 is all that passes: FRR announces its networks and the default in one go.
    await known("vr1", "2001:67c:2834:90::/60");
    expect(await routes("vr1")).toEqual([LABS, SHOP, "2001:67c:2834:90::/60"].sort());
    expect((await lab.exec("vr1", "ip -6 route show default proto bgp")).stdout).toBe("");
  });

  // From here on each change takes the place of the one before it: what that one brought goes as the next one comes.
  test("a default that was asked for is, on the same session", async () => {
    const since = await established("vr1");
    await engine.program(await program(vpcs + onShop("acceptDefault: true") + onLabs, EACH));
    const { stdout } = await engine.preview({ diff: true });
    expect(stdout).toMatch(/\+ +ipv6 prefix-list vpc6-in-2001:db8:ffff::1 seq 4294967295 permit ::\/0/);
    await up(onShop("acceptDefault: true") + onLabs);
    await known("vr1", "::/0");
    expect(await established("vr1")).toBe(since);
  });

  test("filters of the user's own; the default is gone that is not asked for any more", async () => {
    const since = await established("vr1");
    await up(onShop(`import: ["2001:67c:2834::/60"], export: ["2001:67c:2834:18::/61"]`) + onLabs);
    await known("vr1", "2001:67c:2834:90::/60", false);
    await known("vr1", "::/0", false);
    await known("uplink", "2001:67c:2834:18::/61");
    await known("uplink", SHOP, false);
    expect(await routes("vr1")).toContain(LABS);
    expect(await established("vr1")).toBe(since);
  });

  test("without them all is as before; a second neighbour, the other router, comes and changes, and the first does not notice", async () => {
    const since = await established("vr1");
    const second = (rest = "") =>
      peers +
      `new vpc6.BgpPeer("to-labs", { vpc: shop, remoteAsn: 4200000001, address: "2001:db8:ffff::11", ${rest} });
new vpc6.BgpPeer("to-shop", { vpc: labs, remoteAsn: 4200000000, address: "2001:db8:ffff::10" });\n`;
    await up(second());
    await known("uplink", SHOP);
    await known("uplink", "2001:67c:2834:18::/61", false);
    await established("vr1", "2001:db8:ffff::11");
    await up(second("timers: { keepalive: 3, hold: 9 }"));
    await established("vr1", "2001:db8:ffff::11");
    expect(await routes("vr1")).toEqual([LABS, SHOP, "2001:67c:2834:90::/60"].sort());
    expect(await established("vr1")).toBe(since);
  });

  test("it goes, and a second VPC on a router shares the session of the first", async () => {
    const since = await established("vr1");
    const more = `const more = new vpc6.Vpc("more", { zone, router: vr1 });
new vpc6.BgpPeer("more-uplink", { vpc: more, remoteAsn: 65000 });\n`;
    await up(peers + more);
    expect(Object.keys(await sessions("vr1"))).toEqual(["2001:db8:ffff::1"]);
    await known("uplink", "2001:67c:2834:20::/60");
    expect(await established("vr1")).toBe(since);
  });

  test("deleted, its prefix is withdrawn at once; a larger VPC is announced and taken as it is, by sessions that stay; gone, none so large is taken", async () => {
    const since = await Promise.all([established("vr1"), established("vr2")]);
    const [wide, foreign] = ["2001:67c:2834:40::/58", "2001:67c:2834:80::/59"];
    await up(`${peers}const wide = new vpc6.Vpc("wide", { zone, router: vr1, vpcPrefixLength: 58 });
new vpc6.BgpPeer("wide-uplink", { vpc: wide, remoteAsn: 65000 });\n`);
    await lab.until("the withdrawal", 2_000, async () => !(await routes("uplink")).includes("2001:67c:2834:20::/60"));
    expect(await routes("uplink")).toContain(SHOP);
    await known("uplink", wide);
    await known("vr2", wide);
    // The uplink's own, too large before.
    await known("vr2", foreign);
    await routed("vr2", wide, "2001:db8:ffff::10");
    await up(peers);
    await known("vr2", wide, false);
    await known("vr2", foreign, false);
    expect(await Promise.all([established("vr1"), established("vr2")])).toEqual(since);
  });

  test("two that share a neighbour and disagree are refused, by name, and nothing changes", async () => {
    const since = await established("vr1");
    const other = `new vpc6.BgpPeer("other", { vpc: shop, remoteAsn: 65001 });\n`;
    await engine.program(await program(vpcs + peers + other, EACH));
    const { code, all } = await engine.up();
    expect(code).not.toBe(0);
    expect(all).toContain("remote-as");
    expect(all).toContain("they share the neighbour");
    expect(await established("vr1")).toBe(since);
    expect(Object.keys(await sessions("vr1"))).toEqual(["2001:db8:ffff::1"]);
  });

  test("refresh finds nothing to say; after a reboot the sessions come back by themselves", async () => {
    await lab.reboot("vr1");
    await speaks("vr1");
    await established("vr1");
    await known("uplink", SHOP);
    await direct();
    await engine.program(await program(vpcs + peers, EACH));
    const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
    expect(code, all).toBe(0);
  });
});

describe("one AS number for all routers", () => {
  test("changed on running routers, each takes the other's prefix, and packets go from router to router", async () => {
    await up(peers, SHARED);
    await established("vr1");
    await established("vr2");
    await direct();
    expect((await show<{ as: number }>("vr1", "bgp ipv6 unicast summary")).as).toBe(64600);
    await up(peers);
    await direct();
  });
});

describe("BIRD 2 as the uplink", () => {
  const bird = async (command: string) => (await lab.exec("uplink", ["birdc", ...command.split(" ")])).stdout;

  test("sessions, prefixes and filters are the same", async () => {
    await lab.exec("uplink", "systemctl stop frr && cat >/etc/bird/bird.conf && systemctl start bird", { input: BIRD });
    await established("vr1");
    await established("vr2");
    expect(await bird("show protocols vr1")).toMatch(/^vr1 .* Established/m);
    await direct();
    await known("vr1", "2001:67c:2834:90::/60");
    expect(await routes("vr1")).toEqual([LABS, SHOP, "2001:67c:2834:90::/60"].sort());
    expect(await bird("show route protocol vr1")).toContain(SHOP);
  });

  test("a deleted peer's prefix is withdrawn", async () => {
    await up(onShop());
    await lab.until("the withdrawal", 3_000, async () => !(await bird("show route protocol vr2")).includes(LABS));
    expect(await bird("show route")).not.toContain(LABS);
    expect(await bird("show route protocol vr1")).toContain(SHOP);
  });
});

describe("destroy", () => {
  test("leaves the routers as Router found them", async () => {
    const { code, all } = await engine.destroy();
    expect(code, all).toBe(0);
    const [vr1, vr2] = await Promise.all([snapshot("vr1"), snapshot("vr2")]);
    expect({ vr1, vr2 }).toEqual(before);
  });
});

describe("an FRR that was on a router before vpc6", () => {
  test("and that somebody has configured is refused, and stays as it is", async () => {
    await lab.exec("vr2", "systemctl enable --now frr");
    const found = (await lab.exec("vr2", "echo '! mine' >>/etc/frr/frr.conf; sha256sum /etc/frr/*")).stdout;
    await engine.program(
      await program(`const labs = new vpc6.Vpc("labs", { zone, router: vr2 });\n${onLabs}`, {
        ...EACH,
        routers: { vr2: "" },
      }),
    );
    const { code, all } = await engine.up();
    expect(code).not.toBe(0);
    expect(all).toContain("FRR is on this host already, configured by somebody");
    expect(all).toContain('among the arguments of the Router: new vpc6.Router("vr2", { ..., adopt: true })');
    expect((await engine.destroy()).code).toBe(0);
    expect((await lab.exec("vr2", "sha256sum /etc/frr/*")).stdout).toBe(found);
    expect((await lab.exec("vr2", "systemctl is-active frr")).stdout.trim()).toBe("active");
  });
});
