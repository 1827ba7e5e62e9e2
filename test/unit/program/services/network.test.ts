// network: links, addresses, routes and neighbors. What is judged and planned is text; what is applied is seen in a kernel's own network.

import { spawnSync } from "node:child_process";
import { beforeEach, describe, expect, test } from "vitest";
import { of, type Resource } from "../fragments";
import { Machine, namespaces } from "../machine";

/** A link that is on another one: a macvlan has the rules of a VLAN, which fewer kernels have. */
const STACKED = "ip link add trunk0 type veth peer name other; ip link add link trunk0 name web0 type macvlan";
const stacks = spawnSync("unshare", ["-rn", "sh", "-c", STACKED.replace(";", " &&")]).status === 0;

const WEB = "web@2001:67c:2834:1::";
let all: Resource[];
let machine: Machine;
beforeEach(async () => {
  all = [await of("Router"), await of("Vpc"), await of("Tier"), await of("Instance")];
  machine = Machine.router("network");
});
const odd = (text: string, id = "odd@1"): Resource => ({ id, fragments: { network: `${text}\n` } });
const check = (sets: Resource[]) => machine.assembled(sets, 'network_check "$FILES"');

describe("checking", () => {
  test("what kinds render passes, IPv4 beside it too", async () => {
    const db = await of("Tier", { claim: "db", interface: "db0", grant: undefined, ipv4: { cidr: "10.1.2.0/24" } });
    const { code, why } = await check([...all, db]);
    expect([code, why]).toEqual([0, ""]);
  });

  test.each([
    "address web0 2001:db8::1",
    "address web0 2001:db8::1/129",
    "address web0 10.0.0.1/33",
    "address web0 2001:db8::1/64 dad",
    "interface db0 keep",
    "neighbor web0 2001:db8::1 02",
    "neighbor web0 2001:db8::1 02-00-00-00-00-01",
    "route web0 ::/0 dev web0",
    "route web0 ::/0 via fe80::1 metric x",
    "onlink web0 2001:db8::1",
    "onlink web0 2001:db8::1/128 metric 9",
    "unreachable 2001:db8::",
    "gateway web0",
    "mtu web0 x",
    "mtu web0",
  ])("%j is not understood", async (line) => {
    const { code, why, blame } = await check([...all, odd(line)]);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toBe(`not understood: ${line}`);
  });

  test.each([
    ["interface web0 ipv4", "interface web0: already said by odd@1", WEB],
    ["address web0 2001:67c:2834:1::1/64", `address web0 2001:67c:2834:1::1/64 nodad: already said by odd@1`, WEB],
    ["neighbor web0 2001:67c:2834:1::10 02:00:00:00:00:09", "already said by odd@1", "web1@2001:67c:2834:1::10"],
    ["unreachable 2001:67c:2834::/60", "already said by odd@1", "vpc"],
    ["route web0 ::/0 via fe80::1 metric 512", "already said by router:vr1", "odd@1"],
    ["onlink web0 2001:67c:2834::/60", "already said by odd@1", "vpc"],
    ["mtu web0 1400", "mtu web0 9000: already said by odd@1", WEB],
  ])("%j is said by another one", async (line, text, id) => {
    const tier = await of("Tier", { mtu: 9000 });
    const { code, why, blame } = await check([...all.slice(0, 2), tier, ...all.slice(3), odd(line)]);
    expect(code).toBe(1);
    expect(why).toContain(text);
    expect(blame).toContain(id === "vpc" ? "shop@" : id);
  });

  test("an interface that is not there: the words say which are", async () => {
    const { why, blame } = await check([...all, odd("interface eth9")]);
    expect([blame, why]).toEqual(["odd@1", "interface eth9 does not exist on this host (it has: db0, pub0, web0)"]);
  });

  test("IPv4 networks that overlap: of two resources, and of the host", async () => {
    const mine = odd("interface web0 ipv4\naddress web0 10.1.0.1/16");
    const theirs = odd("interface db0 ipv4\naddress db0 10.1.2.1/24", "other@1");
    expect(await check([mine, theirs])).toMatchObject({
      blame: "other@1",
      why: "10.1.2.1/24 on db0 overlaps 10.1.0.1/16 on web0, of odd@1",
    });
    machine.answer("ip -o -4 route show table main", "10.1.128.0/17 via 192.0.2.1 dev pub0 proto static \n");
    expect(await check([mine])).toMatchObject({
      blame: "odd@1",
      why: "10.1.0.1/16 overlaps a network that this host has on pub0, 10.1.128.0/17: a router has one IPv4 table; use another network, or take that one off the host",
    });
    // The network beside it, and its own.
    machine.answer(
      "ip -o -4 route show table main",
      "10.2.0.0/16 dev pub0 scope link\n10.1.0.0/16 dev web0 proto kernel scope link\n",
    );
    expect((await check([mine])).code).toBe(0);
  });

  test("another route to the same place: refused, or (adopt) taken note of", async () => {
    const route = "default via 2001:db8:ffff::2 dev pub0 proto static metric 512 pref medium";
    machine.answer("ip -o -6 route show table main", `${route}\n`);
    expect(await check(all)).toMatchObject({
      blame: "router:vr1",
      why: `this host has another route to ::/0 (${route}): remove it, or write \`adopt: true\` among the arguments of the Router: new vpc6.Router("vr1", { ..., adopt: true }): ours is used then, and this one comes back when ours goes`,
    });
    const adopt: Resource = { id: "router:vr1", fragments: { ...all[0]?.fragments, adopt: "yes\n" } };
    expect((await check([adopt, ...all.slice(1)])).code).toBe(0);
    expect(machine.read("run/vpc6/network.adopt")).toBe(`::/0 512\t${route}\n`);
  });

  test.each([
    ["of ours", "default via 2001:db8:ffff::9 dev pub0 proto 106 metric 512 pref medium"],
    ["the very same", "default via 2001:db8:ffff::1 dev pub0 proto static metric 512 pref medium"],
    ["of another metric", "default via 2001:db8:ffff::2 dev pub0 proto static metric 100 pref medium"],
    ["learned on an interface that becomes ours", "default via fe80::1 dev pub0 proto ra metric 512 pref medium"],
  ])("a route that is %s is no stranger", async (_what, route) => {
    machine.answer("ip -o -6 route show table main", `${route}\n`);
    expect((await check(all)).why).toBe("");
  });
});

describe("an MTU", () => {
  const device = (name: string, limits: string, more = "") =>
    `2: ${name}: <BROADCAST> mtu 1500 qdisc noop\\    link/ether 02:00:00:00:aa:01 promiscuity 0 ${limits} ${more}numtxqueues 1\n`;
  const devices = (...all: string[]) => machine.answer("ip -d -o link show", all.join(""));
  const judged = async (mtu: number | undefined, ...more: Resource[]) => {
    const { why, blame } = await check([...all.slice(0, 2), await of("Tier", { mtu }), ...more]);
    return [blame, why];
  };
  const lower = (upper: string, below: string, mtu: number) => {
    machine.link(below);
    machine.write(`sys/class/net/${below}/mtu`, `${mtu}\n`);
    machine.write(`sys/class/net/${upper}/lower_${below}/mtu`, `${mtu}\n`);
  };

  test("that the device takes, and that it does not", async () => {
    devices(device("web0", "minmtu 1300 maxmtu 9000"), device("pub0", "minmtu 68 maxmtu 1500"));
    expect(await judged(9000)).toEqual(["", ""]);
    expect(await judged(9001)).toEqual([
      WEB,
      "an MTU of 9001 is not possible on web0: its driver takes 9000 and less; give it one of that, or the machine another network card",
    ]);
    expect((await judged(1280))[1]).toBe("an MTU of 1280 is not possible on web0: its driver takes 1300 and more");
    // No most is said of a bridge of old.
    devices(device("web0@if7", "minmtu 68 maxmtu 0"));
    expect(await judged(9216)).toEqual(["", ""]);
  });

  test("of a VLAN, of its parent: what is there, what is said, and of a VLAN that is still to be made", async () => {
    lower("web0", "trunk0", 1500);
    const trunk = "an MTU of 9000 is not possible on web0: web0 is on trunk0, whose MTU is 1500";
    expect(await judged(9000)).toEqual([
      WEB,
      `${trunk}: give trunk0 one of 9000 in the host's own network configuration, or web0 a smaller one`,
    ]);
    expect(await judged(1500)).toEqual(["", ""]);
    expect(await judged(9000, odd("interface trunk0\nmtu trunk0 9000"))).toEqual(["", ""]);
    expect((await judged(9000, odd("interface trunk0\nmtu trunk0 8000")))[1]).toContain(
      "web0 is on trunk0, whose MTU is 8000, by odd@1: give that a larger one, or web0 a smaller one",
    );
    // What nobody says any more comes back.
    machine.write("var/lib/vpc6/links/trunk0", "up\nmtu 1450\n");
    expect((await judged(1500, odd("interface trunk0")))[1]).toContain("trunk0, whose MTU is 1450");
  });

  test("of VLANs that are still to be made on one trunk: each by itself, and without one the trunk's own", async () => {
    machine.write("proc/net/vlan/config", "");
    machine.link("trunk0");
    const tagged = async (vlan: number, mtu: number | undefined) =>
      await of("Tier", {
        ...{ claim: `on${vlan}`, interface: "trunk0", vlan, mtu },
        grant: { value: `2001:67c:2834:${vlan}::/64` },
      });
    const all = async (...mtus: (number | undefined)[]) => {
      const tiers = await Promise.all(mtus.map((mtu, index) => tagged(index + 1, mtu)));
      const { why, blame } = await check(tiers);
      return [blame.split("@")[0], why];
    };
    expect(await all(1500, 1400)).toEqual(["", ""]);
    expect(await all(1400, 1501)).toEqual([
      "on2",
      "an MTU of 1501 is not possible on trunk0.2: trunk0.2 is on trunk0, whose MTU is 1500: give trunk0 one of 1501 in the host's own network configuration, or trunk0.2 a smaller one",
    ]);
    machine.write("sys/class/net/trunk0/mtu", "9216\n");
    expect(await all(9216, 1280, undefined)).toEqual(["", ""]);
    machine.write("sys/class/net/trunk0/mtu", "1200\n");
    expect((await all(undefined))[1]).toContain("trunk0.1 has an MTU of 1200, and IPv6 needs 1280");
  });

  test("of a bridge, of its ports; a bond gives its own to what is below", async () => {
    lower("web0", "port0", 1500);
    expect((await judged(9000))[1]).toContain("web0 is on port0, whose MTU is 1500");
    machine.write("sys/class/net/web0/bonding/mode", "");
    expect(await judged(9000)).toEqual(["", ""]);
  });

  test("that is the link's own, and too small for IPv6", async () => {
    machine.write("sys/class/net/web0/mtu", "1279\n");
    expect(await judged(undefined)).toEqual([
      WEB,
      "web0 has an MTU of 1279, and IPv6 needs 1280 at least (RFC 8200 section 5): give it a larger one, in the host's own network configuration or by vpc6 (`mtu` of a tier, `publicMtu` of the Router)",
    ]);
    expect(await judged(1280)).toEqual(["", ""]);
    const ipv4 = await of("Tier", { grant: undefined, ipv4: { cidr: "10.1.2.0/24" } });
    expect((await check([...all.slice(0, 2), ipv4])).why).toBe("");
    machine.write("sys/class/net/web0/mtu", "1500\n");
    machine.write("var/lib/vpc6/links/web0", "up\nmtu 1000\n");
    expect((await judged(undefined))[1]).toContain("web0 has an MTU of 1000");
  });
});

describe("planning", () => {
  test("what is missing is added in order, and what was ours and is not wanted goes; what is not ours stays", async () => {
    const addresses = [
      "2: web0    inet6 2001:db8:1::1/64 scope global \\ valid_lft forever",
      "2: web0    inet6 2001:db8:2::1/64 scope global \\ valid_lft forever",
      "3: pub0    inet6 2001:db8:ffff::10/64 scope global \\ valid_lft forever",
    ];
    machine.answer("ip -o addr show", `${addresses.join("\n")}\n`);
    machine.answer(
      "ip -o -6 route show table main",
      "2001:db8:9::/64 via fe80::9 dev pub0 proto 106 metric 1024 pref medium\n",
    );
    await machine.assembled(all);
    machine.write("run/vpc6/network", "address web0 2001:db8:1::1/64\naddress web0 2001:db8:7::1/64\n");
    await machine.run('network_live && network_plan "$GENERATIONS/1/files"');
    expect(machine.read("run/vpc6/network.batch").split("\n")).toEqual([
      "addr add 2001:67c:2834::1/128 dev lo",
      "addr add 2001:67c:2834:1::1/64 dev web0 nodad",
      "route replace ::/0 via 2001:db8:ffff::1 dev pub0 metric 512 proto 106",
      "route replace unreachable 2001:67c:2834::/60 metric 1024 proto 106",
      "neigh replace 2001:67c:2834:1::10 dev web0 lladdr 02:00:00:00:01:11 nud permanent",
      "route del 2001:db8:9::/64 via fe80::9 dev pub0 metric 1024",
      "addr del 2001:db8:1::1/64 dev web0",
      "",
    ]);
    const after = machine.read("run/vpc6/network.after");
    expect(after).not.toContain("2001:db8:1::1/64");
    expect(after).not.toContain("pub0 2001:db8:ffff::10");
    expect(machine.read("run/vpc6/network.during")).toContain("address web0 2001:db8:1::1/64\n");
  });

  test("a gateway that is on the link though no address says so", async () => {
    const sets = [odd("interface pub0\nroute pub0 2001:db8:9::/64 via 2001:db8:8::1\nonlink pub0 2001:db8:8::1/128")];
    const there = (...lines: string[]) =>
      machine.answer("ip -o -6 route show table main", lines.map((it) => `${it} pref medium\n`).join(""));
    there("2001:db8:7::1 dev pub0 proto 106 metric 1024");
    await machine.assembled(sets);
    await machine.run('network_live && network_plan "$GENERATIONS/1/files"');
    expect(machine.read("run/vpc6/network.batch").split("\n")).toEqual([
      "route replace 2001:db8:8::1/128 dev pub0 metric 1024 proto 106",
      "route replace 2001:db8:9::/64 via 2001:db8:8::1 dev pub0 metric 1024 proto 106",
      "route del 2001:db8:7::1/128 dev pub0 metric 1024",
      "",
    ]);
    expect((await machine.run('network_differences "$GENERATIONS/1/files/network" drift')).stdout).toBe(
      [
        "odd@1 route removed, pub0 2001:db8:9::/64 via 2001:db8:8::1 metric 1024",
        "odd@1 route removed, pub0 2001:db8:8::1/128 metric 1024",
        "odd@1 route added, pub0 2001:db8:7::1/128 metric 1024\n",
      ].join("\n"),
    );
    there(
      "2001:db8:8::1 dev pub0 proto 106 metric 1024",
      "2001:db8:9::/64 via 2001:db8:8::1 dev pub0 proto 106 metric 1024",
    );
    await machine.run('network_live && network_plan "$GENERATIONS/1/files"');
    expect(machine.read("run/vpc6/network.batch")).toBe("");
    expect((await machine.run('network_differences "$GENERATIONS/1/files/network" drift')).stdout).toBe("");
    // The operator's own stays when ours would go; another way to there is not taken from him.
    there("2001:db8:8::1 dev pub0 proto static metric 1024");
    expect((await check(sets)).why).toBe("");
    there("2001:db8:8::1 via fe80::9 dev pub0 proto static metric 1024");
    expect((await check(sets)).why).toContain("this host has another route to 2001:db8:8::1/128");
  });

  test("an address whose length changes goes before it comes", async () => {
    machine.answer("ip -o addr show", "2: db0    inet6 2001:db8:1::1/64 scope global \\ valid_lft forever\n");
    await machine.assembled([odd("interface db0\naddress db0 2001:db8:1::1/60")]);
    machine.write("run/vpc6/network", "address db0 2001:db8:1::1/64\n");
    await machine.run('network_live && network_plan "$GENERATIONS/1/files"');
    expect(machine.read("run/vpc6/network.batch")).toBe(
      "addr del 2001:db8:1::1/64 dev db0\naddr add 2001:db8:1::1/60 dev db0\n",
    );
  });

  test("a command that ip refuses is told, with its fragment, and put back", async () => {
    machine.answer("ip -batch /run/vpc6/network.batch", "");
    machine.answer(
      `ip -batch ${machine.root}/run/vpc6/network.batch`,
      "RTNETLINK answers: Invalid argument\nCommand failed /run/vpc6/network.batch:3\n",
      1,
    );
    const { answer } = await machine.converge(all);
    expect(answer).toMatchObject({ service: "network", id: WEB });
    expect(answer?.why).toMatch(
      /^RTNETLINK answers: Invalid argument\nip addr add 2001:67c:2834:1::1\/64 dev web0 nodad/,
    );
  });
});

describe("health", () => {
  const tentative = (text: string) => machine.answer("ip -o -6 addr show tentative", text);
  const health = () => machine.run('network_health "$GENERATIONS/1/files"');
  beforeEach(async () => {
    await machine.assembled(all);
  });

  test("an address that another host has", async () => {
    tentative("2: pub0    inet6 2001:db8:ffff::10/64 scope global dadfailed tentative \\ valid_lft forever\n");
    expect(await health()).toMatchObject({
      code: 1,
      blame: "router:vr1",
      why: "another host on the link has the address 2001:db8:ffff::10/64 already (duplicate address detection)",
    });
  });

  test("one that is checked for ever, and one on a link without a carrier, for which nothing has begun", async () => {
    tentative("2: pub0    inet6 2001:db8:ffff::10/64 scope global tentative \\ valid_lft forever\n");
    expect((await health()).why).toBe(
      "the address 2001:db8:ffff::10/64 is still being checked for a duplicate after 5 seconds",
    );
    machine.write("sys/class/net/pub0/carrier", "0\n");
    expect((await health()).code).toBe(0);
  });

  test("those of others do not matter", async () => {
    tentative("2: pub0    inet6 2001:db8:ffff::99/64 scope global dadfailed tentative \\ valid_lft forever\n");
    expect((await health()).code).toBe(0);
  });
});

describe("links", () => {
  test("come up and stop listening, and are again what they were when nobody names them", async () => {
    const value = (key: string) => machine.read(`proc/sys/net/ipv6/conf/web0/${key}`).trim();
    machine.sysctl("net/ipv6/conf/web0/disable_ipv6", 1);
    await machine.assembled(all);
    const up = await machine.run('network_links_up "$GENERATIONS/1/files/network"');
    expect(up.did).toEqual(["ip link set dev web0 up"]);
    const settings = ["disable_ipv6", "accept_ra", "keep_addr_on_down", "router_solicitation_delay"];
    expect(settings.map(value)).toEqual(["0", "0", "1", "0"]);
    // Of the public one the operator's own address may live by advertisements.
    expect(machine.read("proc/sys/net/ipv6/conf/pub0/accept_ra")).toBe("2\n");
    machine.write("empty", "");
    const down = await machine.run('network_links_down "$ROOT/empty"');
    expect(down.did).toEqual(["ip link set dev web0 down"]);
    expect(settings.map(value)).toEqual(["1", "1", "0", "1"]);
    expect(machine.read("proc/sys/net/ipv6/conf/pub0/accept_ra")).toBe("1\n");
    expect(machine.list("var/lib/vpc6/links")).toEqual([]);
  });

  test("of a host that forwards a tier's link says so to its neighbors, and dnsmasq starts anew for it", async () => {
    machine.sysctl("net/ipv6/conf/all/forwarding", 1);
    await machine.assembled(all);
    await machine.run(
      'mkdir -p "$RUN"; cp "$GENERATIONS/1/files/dnsmasq" "$RUN/dnsmasq.applied"; network_links_up "$GENERATIONS/1/files/network"',
    );
    expect(machine.read("proc/sys/net/ipv6/conf/web0/forwarding")).toBe("1\n");
    expect(machine.read("proc/sys/net/ipv6/conf/pub0/forwarding")).toBe("0\n");
    expect(machine.has("run/vpc6/dnsmasq.again")).toBe(true);
  });

  test("one of IPv4 only gets no IPv6 switched on", async () => {
    machine.sysctl("net/ipv6/conf/db0/disable_ipv6", 1);
    await machine.assembled([odd("interface db0 ipv4\naddress db0 10.1.2.1/24")]);
    await machine.run('network_links_up "$GENERATIONS/1/files/network"');
    expect(machine.read("proc/sys/net/ipv6/conf/db0/disable_ipv6")).toBe("1\n");
    expect(machine.read("proc/sys/net/ipv6/conf/db0/accept_ra")).toBe("0\n");
  });

  test("one that does not come up, and one that is gone", async () => {
    await machine.assembled(all);
    machine.answer("ip link set dev web0 up", "", 2);
    expect(await machine.run('network_links_up "$GENERATIONS/1/files/network"')).toMatchObject({
      code: 1,
      blame: WEB,
      why: "web0 does not come up: ",
    });
    machine.remove("sys/class/net/web0");
    expect((await machine.run('network_links_up "$GENERATIONS/1/files/network"')).why).toBe(
      "interface web0 does not exist on this host",
    );
    const boot = await machine.run('BOOTING=yes; network_links_up "$GENERATIONS/1/files/network"');
    expect([boot.code, boot.stderr]).toEqual([0, "vpc6: interface web0 does not exist on this host\n"]);
    expect(machine.has("run/vpc6/unsettled")).toBe(true);
  });
});

test("which way the operator comes in is one link, source and gateway", async () => {
  machine.answer(
    "ip -o route get 2001:db8::5",
    "2001:db8::5 from :: via fe80::1 dev pub0 proto ra src 2001:db8:ffff::10 metric 100 pref medium\n",
  );
  expect((await machine.run('network_route_to 2001:db8::5; echo "$ROUTE"')).stdout).toBe(
    "via fe80::1 dev pub0 src 2001:db8:ffff::10 \n",
  );
});

describe.runIf(namespaces)("the MTU of links in a kernel", () => {
  const mtus = 'for of in pub0 web0; do echo $of $(cat "$LINKS/$of/mtu" "$SYSCTL/net/ipv6/conf/$of/mtu"); done;';
  const run = (number: number) =>
    `{ (converge "$PROGRAM_HASH" >>"$ROOT/said"); (confirm ${number} >/dev/null); } <"$ROOT/payload${number}";`;
  const sets = async (...steps: [tier: number | undefined, router: number | undefined][]) => {
    for (const [index, [mtu, publicMtu]] of steps.entries())
      machine.write(
        `payload${index + 1}`,
        machine.payload([await of("Router", { publicMtu }), all[1] as Resource, await of("Tier", { mtu })]),
      );
  };

  test("is set, seen when another hand changes it, repaired, and what it was when nobody says one", async () => {
    await sets([9000, 1400], [8000, undefined], [undefined, undefined]);
    const { stdout, stderr } = await machine.kernel(
      `ip link set web0 mtu 1450; ${run(1)} ${mtus} (observe | grep ^drift)
      ip link set web0 mtu 1500; echo 1300 >"$SYSCTL/net/ipv6/conf/pub0/mtu"; (observe | grep ^drift | sort)
      ip link set web0 mtu 9000; echo 1300 >"$SYSCTL/net/ipv6/conf/web0/mtu"; (observe | grep ^drift | sort)
      ${run(2)} ${mtus} ${run(3)} ${mtus} cat "$VAR/links/web0"`,
    );
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual([
      ...["pub0 1400 1400", "web0 9000 9000"],
      `drift ${WEB} network|MTU of web0 = 1500 instead of 9000`,
      `drift ${WEB} network|net.ipv6.conf.web0.mtu = 1300 instead of 9000`,
      ...["pub0 1500 1500", "web0 8000 8000"],
      ...["pub0 1500 1500", "web0 1450 1450"],
      ...[
        "down",
        "disable_ipv6 0",
        expect.stringMatching(/^accept_ra/),
        expect.stringMatching(/^keep_addr/),
        expect.stringMatching(/^router_sol/),
        "",
      ],
    ]);
  });

  test.runIf(stacks)(
    "on another link: what that has no room for is refused; both in one go, whichever comes first; healed too",
    async () => {
      const payload = async (name: number, mtu: number, trunk?: number) => {
        const below = trunk === undefined ? [] : [odd(`interface trunk0\nmtu trunk0 ${trunk}`, "zzz@1")];
        machine.write(`payload${name}`, machine.payload([...all.slice(0, 2), await of("Tier", { mtu }), ...below]));
      };
      await payload(0, 9000);
      await payload(1, 9000, 9100);
      await payload(2, 1300, 1400);
      const both = 'for of in trunk0 web0; do cat "$LINKS/$of/mtu"; done;';
      const healed = '(heal links) 2>&1 | grep " mtu ";';
      const { stdout, stderr } = await machine.kernel(
        `ip link del web0; ${STACKED}
      ${run(0)} grep possible "$ROOT/said"; ${run(1)} ${both}
      ip link set trunk0 mtu 2000; network_lost "$ETC/live/files"; ${healed} ${both}
      ip link set web0 mtu 1500; ${healed} ${both} ${run(2)} ${both} network_remove; ${both}`,
      );
      expect(stderr).toBe("");
      expect(stdout.split("\n")).toEqual([
        "|an MTU of 9000 is not possible on web0: web0 is on trunk0, whose MTU is 1500: give trunk0 one of 9000 in the host's own network configuration, or web0 a smaller one",
        ...["9100", "9000"],
        // The kernel has made what is on it less too.
        ...["mtu trunk0 9100", "vpc6: put back, as it was gone: mtu trunk0 9100", "9100", "9000"],
        ...["vpc6: put back, as it was gone: mtu web0 9000", "9100", "9000"],
        ...["1400", "1300"],
        ...["1500", "1500", ""],
      ]);
    },
  );

  test("all of it goes, and the link is what it was", async () => {
    await sets([9000, 1400]);
    const { stdout, stderr } = await machine.kernel(`${run(1)} network_remove; ${mtus} ls "$VAR/links"`);
    expect([stderr, stdout]).toEqual(["", "pub0 1500 1500\nweb0 1500 1500\n"]);
  });

  test("what the kernel refuses is told, with its fragment, and put back; one that is healed goes on without", async () => {
    await sets([9000, undefined]);
    const { stdout } = await machine.kernel(
      `real=$(command -v ip); ip() { case "$*" in "link set dev web0 mtu 9000") echo "RTNETLINK answers: Numerical result out of range" >&2; return 2 ;; *) "$real" "$@" ;; esac; }
      ${run(1)} ${mtus} cat "$ROOT/said"`,
    );
    expect(stdout).toMatch(/^pub0 1500 1500\nweb0 1500 1500\n/);
    expect(stdout).toContain("web0 does not take an MTU of 9000: RTNETLINK answers: Numerical result out of range");
    expect(stdout).toMatch(/^failed/m);
  });
});

describe.runIf(namespaces)("in a kernel", () => {
  const up = '(converge "$PROGRAM_HASH" >/dev/null); (confirm 1 >/dev/null);';
  const seen =
    "ip -o -6 addr show scope global | awk '{ print $2, $4 }'; ip -6 route show proto 106; ip neigh show nud permanent;";

  test("what is wanted is there, nothing drifts; and all of it goes", async () => {
    const { stdout, stderr, code } = await machine.kernel(
      `${up} ${seen} (observe | grep ^drift); echo --; network_remove; ${seen} echo $?`,
      machine.payload(all),
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").map((it) => it.trim().replace(/ (pref|dev lo proto) .*| error.*/, ""))).toEqual([
      "lo 2001:67c:2834::1/128",
      "pub0 2001:db8:ffff::10/64",
      "web0 2001:67c:2834:1::1/64",
      expect.stringMatching(/^unreachable 2001:67c:2834::\/60/),
      expect.stringMatching(/^default via 2001:db8:ffff::1 dev pub0 metric 512/),
      "2001:67c:2834:1::10 dev web0 lladdr 02:00:00:00:01:11 PERMANENT",
      "--",
      "0",
      "",
    ]);
  });

  test("what another hand took, added and set is seen, and repaired", async () => {
    const drifted = "observe | grep ^drift | sort;";
    const hand = [
      "ip addr del 2001:67c:2834:1::1/64 dev web0",
      "ip addr add 2001:db8:bad::1/64 dev web0",
      "ip route add 2001:db8:bad2::/64 dev web0",
      "ip route add unreachable 2001:db8:bad3::/64 proto 106",
      "ip link set db0 up",
      "ip link set web0 down",
      'echo 2 >"$SYSCTL/net/ipv6/conf/web0/accept_ra"',
    ].join("; ");
    machine.write("payload", machine.payload(all));
    machine.write("repair", machine.payload([{ ...(all[2] as Resource), repair: true }]));
    const { stdout } = await machine.kernel(
      `{ ${up} } <"$ROOT/payload"; ${hand}; (${drifted}); echo --; (converge "$PROGRAM_HASH" >/dev/null) <"$ROOT/repair"; (confirm 2 >/dev/null); (${drifted})`,
    );
    const [before, after] = stdout.split("--\n");
    expect(before?.split("\n")).toEqual(
      [
        "drift router:vr1 network|unreachable added, 2001:db8:bad3::/64",
        `drift ${WEB} network|address added, web0 2001:db8:bad::1/64`,
        `drift ${WEB} network|address removed, web0 2001:67c:2834:1::1/64`,
        `drift ${WEB} network|interface web0 is down`,
        `drift ${WEB} network|net.ipv6.conf.web0.accept_ra = 2 instead of 0`,
        "drift web1@2001:67c:2834:1::10 network|neighbor removed, web0 2001:67c:2834:1::10 02:00:00:00:01:11",
        "",
      ].sort((a, b) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1)),
    );
    expect(after).toBe("");
  });

  test("what was on a link before it was ours stays, and comes back where ours took its place", async () => {
    const adopt: Resource = { id: "router:vr1", fragments: { ...all[0]?.fragments, adopt: "yes\n" } };
    machine.write("payload", machine.payload([adopt, ...all.slice(1)]));
    const { stdout, stderr } = await machine.kernel(
      `ip link set web0 up; ip addr add 2001:db8:5::5/64 dev web0; ip addr add 2001:db8:ffff::99/64 dev pub0; ip route add default via 2001:db8:ffff::2 dev pub0 metric 512
      { ${up} } <"$ROOT/payload"; ip -6 route show default; (observe | grep ^drift); network_remove
      ip -6 route show default; ip -o -6 addr show dev web0 scope global | awk '{ print $4 }'`,
    );
    expect(stderr).toBe("");
    expect(stdout.split("\n").map((it) => it.replace(/ (metric|proto).*/, ""))).toEqual([
      "default via 2001:db8:ffff::1 dev pub0",
      "default via 2001:db8:ffff::2 dev pub0",
      "2001:db8:5::5/64",
      "",
    ]);
  });
});
