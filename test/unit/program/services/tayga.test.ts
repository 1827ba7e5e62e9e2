// tayga: a translator for each VPC that has NAT64. It has no dry run: all that is judged is judged here.

import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { Machine } from "../machine";

let all: Resource[];
let nat64: Resource;
let device: string;
let machine: Machine;
beforeEach(async () => {
  nat64 = await of("Nat64");
  device = /^tun-device (\S+)$/m.exec(nat64.fragments.tayga ?? "")?.[1] ?? "";
  all = [await of("Router"), await of("Tier"), nat64];
  machine = Machine.router("tayga");
});
const check = (sets: Resource[]) => machine.assembled(sets, 'tayga_check "$FILES"');
const translator = (id: string, change: Record<string, string> = {}): Resource => {
  const { pool = "100.64.0.0/24", prefix = "2001:db8:64::/96", name = "nat64-0001" } = change;
  return {
    id,
    fragments: { tayga: `tun-device ${name}\nipv4-addr 100.64.0.1\nprefix ${prefix}\ndynamic-pool ${pool}\n` },
  };
};
const pool = () => /^dynamic-pool (\S+)$/m.exec(nat64.fragments.tayga ?? "")?.[1] ?? "";
/** The device is up, as that of a translator at work. */
const carrier = (name = device) => machine.write(`sys/class/net/${name}/carrier`, "1\n");

describe("checking", () => {
  test("what kinds render passes", async () => {
    const { code, why } = await check(all);
    expect([code, why]).toEqual([0, ""]);
  });

  test("a pool beside that of another, or inside it", async () => {
    const { code, why, blame } = await check([
      ...all,
      translator("odd@1", { pool: "10.64.0.0/16" }),
      translator("odd@2", { pool: "10.64.7.0/24", prefix: "2001:db8:65::/96", name: "nat64-0002" }),
    ]);
    expect([code, blame, why]).toEqual([
      1,
      "odd@2",
      "ipv4Pool 10.64.7.0/24 overlaps 10.64.0.0/16 of odd@1: VPCs of one router need a pool each",
    ]);
  });

  test("a pool that overlaps what the host has, or will have", async () => {
    machine.answer(
      "ip -o -4 addr show",
      `2: mgmt0    inet ${pool().replace(/\.\d+\/\d+/, ".9/30")} scope global mgmt0\n`,
    );
    expect((await check(all)).why).toMatch(/^ipv4Pool \S+ overlaps \S+\.9\/30 on mgmt0$/);
    machine.answer("ip -o -4 addr show", "");
    machine.answer("ip -o -4 route show table main", `${pool()} via 10.0.0.1 dev mgmt0 proto static \n`);
    expect((await check(all)).why).toBe(`ipv4Pool ${pool()} overlaps ${pool()} on mgmt0`);
    machine.answer("ip -o -4 route show table main", "");
    const tier = {
      id: "tier@1",
      fragments: { network: `interface db0\naddress db0 ${pool().replace(/\/.*/, "")}/28\n` },
    };
    expect((await check([...all, tier])).why).toBe(
      `ipv4Pool ${pool()} overlaps ${pool().replace(/\/.*/, "")}/28 on db0`,
    );
  });

  test("its own device is no stranger", async () => {
    machine.answer("ip -o -4 route show table main", `${pool()} dev ${device} proto 107 scope link \n`);
    machine.answer(
      "ip -o -6 route show table main",
      `2001:67c:2834:0:64::/96 dev ${device} proto 107 metric 1024 pref medium\n`,
    );
    expect((await check(all)).why).toBe("");
  });

  test("a prefix that leads elsewhere already", async () => {
    machine.answer(
      "ip -o -6 route show table main",
      "2001:67c:2834:0:64::/96 via fe80::1 dev mgmt0 metric 1024 pref medium\n",
    );
    expect((await check(all)).why).toBe(
      "prefix 2001:67c:2834:0:64::/96: this host has a route to it already, on mgmt0",
    );
  });

  test("two of one prefix, and a device of another name", async () => {
    const same = translator("odd@1", { prefix: "2001:67c:2834:0:64::/96" });
    expect((await check([...all, same])).why).toMatch(
      /^prefix 2001:67c:2834:0:64::\/96: already said by nat64@\S+ \(VPCs of one router need a prefix each\)$/,
    );
    expect((await check([...all, translator("odd@1", { name: "eth7" })])).why).toBe(
      "not a device of ours: tun-device eth7",
    );
  });

  test("no way out to the IPv4 internet; who has one already is not disturbed by losing it", async () => {
    machine.answer("ip -4 route show default dev pub0", "");
    const { code, why, blame } = await check(all);
    expect([code, blame]).toEqual([1, nat64.id]);
    expect(why).toMatch(/^NAT64 has no way out: there is no IPv4 default route over the public interface pub0\. /);
    machine.answer("ip -4 route show default dev pub0", "default via 203.0.113.1 \n");
    carrier();
    await machine.converge(all);
    machine.answer("ip -4 route show default dev pub0", "");
    const changed = await machine.converge([
      { ...nat64, fragments: { ...nat64.fragments, tayga: `${nat64.fragments.tayga}# a comment\n` } },
    ]);
    expect(changed.answer?.why).toBe("");
  });

  test("no tun device", async () => {
    machine.remove("dev/net/tun");
    const { why, did } = await check(all);
    expect(did).toEqual(["modprobe -q tun"]);
    expect(why).toBe("this host has no /dev/net/tun: the kernel module tun is missing, or a container may not use it");
  });

  test("without tayga its package is named", async () => {
    machine.remove("bin/tayga");
    expect((await check(all)).why).toBe("tayga is not installed (the Nat64's packages should name it)");
  });
});

describe("applying", () => {
  test("a configuration and a unit for each device, and a user; another one does not touch it", async () => {
    carrier();
    machine.answer("getent passwd vpc6-tayga", "", 2);
    const { did, answer } = await machine.converge(all);
    expect(answer?.verdict).toBe("ok");
    expect(did).toContain(`systemctl restart vpc6-tayga@${device}`);
    expect(did.find((it) => it.startsWith("useradd"))).toMatch(/^useradd --system .* vpc6-tayga$/);
    expect(machine.read(`var/lib/vpc6/tayga/${device}.conf`)).toMatch(new RegExp(`^# by vpc6\ntun-device ${device}\n`));
    carrier("nat64-0001");
    expect((await machine.converge([translator("other@1")])).did.filter((it) => it.includes("vpc6-tayga@"))).toEqual([
      "systemctl restart vpc6-tayga@nat64-0001",
    ]);
    const gone = await machine.converge([drop("other@1")]);
    expect(gone.did.filter((it) => it.includes("nat64-"))).toEqual([
      "systemctl stop --job-mode=ignore-dependencies vpc6-tayga@nat64-0001",
      "systemctl reset-failed vpc6-tayga@nat64-0001",
      "ip link del dev nat64-0001",
    ]);
    expect(machine.list("var/lib/vpc6/tayga")).toEqual([`${device}.conf`]);
  });

  test("the device: up, without an address of its own, with the ways into it and none of before", async () => {
    await machine.assembled(all, 'tayga_apply "$FILES"');
    machine.answer(`ip -4 route show dev ${device} proto 107`, `${pool()} scope link \n10.9.0.0/24 scope link \n`);
    const { did } = await machine.run(`tayga_device ${device}`);
    expect(did).toEqual([
      `chown vpc6-tayga /var/lib/vpc6-tayga/${device}`,
      `ip tuntap add dev ${device} mode tun user root`,
      `ip link set dev ${device} addrgenmode none`,
      `ip link set dev ${device} mtu 1520 up`,
      ...[...(nat64.fragments.tayga ?? "").matchAll(/^(ipv6-addr|prefix|dynamic-pool) (\S+)$/gm)].map(
        ([, , to = ""]) => {
          const prefix = to.includes("/") ? to : `${to}/128`;
          return `ip ${to.includes(":") ? -6 : -4} route replace ${prefix} dev ${device} proto 107`;
        },
      ),
      `ip route del 10.9.0.0/24 dev ${device}`,
    ]);
  });

  test("the device has the public side's MTU and 20; with another one the translator is started again, and only then", async () => {
    carrier();
    machine.write(`sys/class/net/${device}/mtu`, "1520\n");
    await machine.converge(all);
    const restarts = async (publicMtu: number | undefined) => {
      const { did } = await machine.converge([await of("Router", { publicMtu })]);
      return did.filter((it) => it.includes("vpc6-tayga@"));
    };
    expect(await restarts(1500)).toEqual([]);
    machine.write("sys/class/net/pub0/mtu", "1400\n");
    expect(await restarts(1400)).toEqual([`systemctl restart vpc6-tayga@${device}`]);
    expect(machine.read("etc/vpc6/live/files/tayga")).toMatch(/^# beside an MTU of 1400 on pub0$/m);
    const { did } = await machine.run(`tayga_device ${device}`);
    expect(did).toContain(`ip link set dev ${device} mtu 1420 up`);
    machine.answer("ip", "there\n");
    expect(await machine.drift()).toEqual([`${nat64.id} tayga|MTU of ${device} = 1520 instead of 1420`]);
    machine.write("sys/class/net/pub0/mtu", "1000\n");
    expect((await machine.run(`tayga_device ${device}`)).did).toContain(`ip link set dev ${device} mtu 1280 up`);
  });

  test("a translator that does not hold its device fails the change of its resource", async () => {
    machine.write(`sys/class/net/${device}/carrier`, "0\n");
    machine.answer("journalctl", "tayga: bad prefix\n");
    const { answer } = await machine.converge(all);
    expect(answer).toMatchObject({ verdict: "failed", service: "tayga", id: nat64.id, touched: false });
    expect(answer?.why).toBe(`vpc6-tayga@${device} does not stay up: tayga: bad prefix`);
  });
});

describe("drift", () => {
  test("a changed file, a translator that was stopped, a way that is gone, and a file of another hand", async () => {
    carrier();
    await machine.converge(all);
    machine.answer("ip", "there\n");
    expect(await machine.drift()).toEqual([]);
    machine.append(`var/lib/vpc6/tayga/${device}.conf`, "# more\n");
    machine.write("var/lib/vpc6/tayga/mine.conf", "");
    machine.write(`units/vpc6-tayga@${device}`, "inactive\n");
    machine.answer(`ip -4 route show exact ${pool()} dev ${device}`, "");
    expect((await machine.drift()).sort()).toEqual([
      `${nat64.id} tayga|/var/lib/vpc6/tayga/${device}.conf changed`,
      `${nat64.id} tayga|route removed, ${pool()} dev ${device}`,
      `${nat64.id} tayga|vpc6-tayga@${device} is stopped (inactive)`,
      "router:vr1 tayga|/var/lib/vpc6/tayga/mine.conf added",
    ]);
  });
});

test("removing takes translators, data and user", async () => {
  carrier();
  await machine.converge(all);
  machine.answer("getent passwd vpc6-tayga", "vpc6-tayga:x:1::/:/bin/false\n");
  const { did } = await machine.run("tayga_remove");
  expect(did).toEqual([
    `systemctl stop --job-mode=ignore-dependencies vpc6-tayga@${device}`,
    `systemctl reset-failed vpc6-tayga@${device}`,
    `ip link del dev ${device}`,
    "userdel vpc6-tayga",
  ]);
  expect([machine.has("var/lib/vpc6/tayga"), machine.has("var/lib/vpc6-tayga")]).toEqual([false, false]);
});
