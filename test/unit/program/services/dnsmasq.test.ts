// dnsmasq: what it serves, and a file for each guest.

import { chmodSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { copies, judges, Machine } from "../machine";

const web1 = "web1@2001:67c:2834:1::10";
let all: Resource[];
let machine: Machine;
const basics = async () => [await of("Router"), await of("Tier"), await of("Instance")];
beforeEach(async () => {
  all = await basics();
  machine = Machine.router("dnsmasq");
});

const check = (more: Resource[] = []) => machine.assembled([...all, ...more], 'dnsmasq_check "$FILES"');
const line = (slot: string, text: string): Resource => ({ id: "odd@1", fragments: { [slot]: text } });

describe("assembling", () => {
  test("a router without a tier has no dnsmasq: it would serve everybody", async () => {
    await machine.assembled(all.slice(0, 1));
    expect(machine.file("dnsmasq")).toBe("");
  });

  test("a tier's statements follow the router's", async () => {
    await machine.assembled(all);
    expect(machine.file("dnsmasq")).toMatch(
      /^# vpc6 router:vr1\nno-hosts\n[\s\S]*\n# vpc6 web@2001:67c:2834:1::\ninterface=web0\n/,
    );
  });
});

describe("checking", () => {
  test("what kinds render passes, and the daemon is asked for both of its files", async () => {
    const { code, why, asked } = await check();
    expect([code, why]).toEqual([0, ""]);
    expect(asked.filter((it) => it.startsWith("dnsmasq"))).toEqual([
      "dnsmasq --test -C /etc/vpc6/generations/1/files/dnsmasq",
      "dnsmasq --test -C /run/vpc6/dhcp-hosts",
    ]);
    expect(machine.read("run/vpc6/dhcp-hosts")).toMatch(/^# vpc6 web1@\S+\ndhcp-host=02:00:00:00:01:11,\S+,web1\n$/);
  });

  test("a host line that sets a tag is refused: dnsmasq dies of it at a SIGHUP", async () => {
    const { code, why, blame } = await check([line("dhcp-hosts", "set:red,02:00:00:00:00:01,[2001:db8::1]\n")]);
    expect([code, blame, why]).toEqual([1, "odd@1", "no set: in a host line: set:red,02:00:00:00:00:01,[2001:db8::1]"]);
  });

  test.each(["2001:db8::1", "web.example 2001:db8::1", "2001:db8::1 web;"])("%j is no line of names", async (text) => {
    const { code, why, blame } = await check([line("dns-hosts", `${text}\n`)]);
    expect([code, blame, why]).toEqual([1, "odd@1", `not a host line: ${text}`]);
  });

  test("what the daemon refuses is told in its words, with the fragment that the line is from", async () => {
    const { code, why, blame } = await check([line("dnsmasq", "ra-param=\nbogus-option=1\n")]);
    if (!judges.includes("dnsmasq")) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toMatch(/^\ndnsmasq: bad option at line 10 of dnsmasq$|^dnsmasq: .* at line \d+ of dnsmasq$/m);
  });

  test("a guest's line that the daemon refuses is told with the guest's fragment", async () => {
    const { code, why, blame } = await check([line("dhcp-hosts", "02:00:00:00:00:01,[2001:db8::zz],web9\n")]);
    if (!judges.includes("dnsmasq")) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toMatch(/at line 2 of dhcp-hosts$/);
  });

  test("without the program its package is named", async () => {
    machine.remove("bin/dnsmasq");
    const { code, why } = await check();
    expect([code, why]).toEqual([1, "dnsmasq is not installed (the Router's packages should name dnsmasq-base)"]);
  });
});

describe("applying", () => {
  test("starts the daemon; a guest that comes costs nothing, one that goes a SIGHUP, another tier a restart", async () => {
    expect((await machine.converge(all)).did).toContain("systemctl restart vpc6-dnsmasq");
    expect(machine.read(`var/lib/vpc6/dns-hosts/${web1}`)).toBe("2001:67c:2834:1::10 web1.web.shop.internal\n");

    const web2 = await of("Instance", {
      claim: "web2",
      mac: "02:00:00:00:01:12",
      grant: { value: "2001:67c:2834:1::11" },
    });
    expect((await machine.converge([web2])).did.filter((it) => it.includes("dnsmasq"))).toEqual([]);
    expect(machine.list("var/lib/vpc6/dhcp-hosts")).toEqual([web1, "web2@2001:67c:2834:1::11"]);

    const gone = await machine.converge([drop(web2.id)]);
    expect(gone.did.filter((it) => it.includes("dnsmasq"))).toEqual([
      "systemctl kill -s HUP --kill-whom=main vpc6-dnsmasq",
    ]);
    expect(machine.list("var/lib/vpc6/dhcp-hosts")).toEqual([web1]);

    const db = await of("Tier", { claim: "db", interface: "db0", grant: { value: "2001:67c:2834:2::/64" } });
    expect((await machine.converge([db])).did).toContain("systemctl restart vpc6-dnsmasq");
  });

  test("the file of a guest that goes is moved out: dnsmasq would try to read what is deleted, and log an error", async () => {
    await machine.converge(all);
    const { stdout } = await machine.run(
      `xargs() { echo "\${PWD##*/}: $*" >&3; command xargs "$@"; }
      mkdir "$ROOT/none"; for slot in dns-hosts dhcp-hosts; do true >"$ROOT/none/$slot"; done; dnsmasq_hosts "$ROOT/none" 3>&1`,
    );
    expect(stdout).toBe("dns-hosts: rm -f --\ndhcp-hosts: mv -f -t /var/lib/vpc6/dhcp-hosts.new --\n");
    expect(machine.list("var/lib/vpc6").filter((it) => it.includes("hosts"))).toEqual(["dhcp-hosts", "dns-hosts"]);
    expect(machine.list("var/lib/vpc6/dhcp-hosts")).toEqual([]);
  });

  test("one that does not stay up fails the change in its own words", async () => {
    machine.write("units/vpc6-dnsmasq.broken", "");
    machine.answer("journalctl", "dnsmasq: failed to create listening socket\n");
    const { answer } = await machine.converge(all);
    expect(answer).toMatchObject({ verdict: "failed", service: "dnsmasq", touched: false });
    expect(answer?.why).toBe("dnsmasq: failed to create listening socket");
  });

  test("one that dies of what it was given fails the change", async () => {
    await machine.converge(all);
    machine.write("units/vpc6-dnsmasq", "failed\n");
    machine.answer("journalctl", "dnsmasq: segmentation fault\n");
    const { code, why } = await machine.run('dnsmasq_health "$ETC/live/files"');
    expect([code, why]).toEqual([1, "vpc6-dnsmasq does not stay up: dnsmasq: segmentation fault"]);
  });
});

describe("drift", () => {
  const drift = () => machine.drift();

  copies(
    "dnsmasq",
    async (it) => {
      await it.converge(await basics());
      it.write("units/vpc6-leases", "active\n");
    },
    (it) => {
      machine = it;
    },
  );

  test("none", async () => {
    expect(await drift()).toEqual([]);
  });

  test("files of guests that are changed, gone and more", async () => {
    machine.append(`var/lib/vpc6/dns-hosts/${web1}`, "2001:db8::1 other\n");
    machine.remove(`var/lib/vpc6/dhcp-hosts/${web1}`);
    machine.write("var/lib/vpc6/dhcp-hosts/.hidden", "");
    expect((await drift()).sort()).toEqual([
      `router:vr1 dnsmasq|file /var/lib/vpc6/dhcp-hosts/.hidden added`,
      `${web1} dnsmasq|file /var/lib/vpc6/dhcp-hosts/${web1} removed`,
      `${web1} dnsmasq|file /var/lib/vpc6/dns-hosts/${web1} changed`,
    ]);
  });

  test("files that dnsmasq, which is not root, cannot read", async () => {
    chmodSync(machine.at(`var/lib/vpc6/dhcp-hosts/${web1}`), 0o600);
    chmodSync(machine.at("var/lib/vpc6/dns-hosts"), 0o700);
    expect(await drift()).toEqual([
      `router:vr1 dnsmasq|/var/lib/vpc6/dhcp-hosts/${web1} cannot be read by dnsmasq`,
      "router:vr1 dnsmasq|/var/lib/vpc6/dns-hosts cannot be read by dnsmasq",
    ]);
    await machine.converge([{ ...(all[0] as Resource), repair: true }]);
    expect(await drift()).toEqual([]);
  });

  test("a changed line is its fragment's, and what is repaired is restarted", async () => {
    const file = "etc/vpc6/live/files/dnsmasq";
    machine.write(file, machine.read(file).replace("ra-param=web0,30,1800", "ra-param=web0,30,1801"));
    expect(await drift()).toEqual([
      `web@2001:67c:2834:1:: dnsmasq|line removed from /${file}, ra-param=web0,30,1800`,
      `web@2001:67c:2834:1:: dnsmasq|line added to /${file}, ra-param=web0,30,1801`,
    ]);
    expect(machine.has("run/vpc6/dnsmasq.applied")).toBe(false);
    const [tier] = all.slice(1, 2);
    expect((await machine.converge([{ ...(tier as Resource), repair: true }])).did).toContain(
      "systemctl restart vpc6-dnsmasq",
    );
    expect(await drift()).toEqual([]);
  });

  test.each([
    ["inactive", "vpc6-dnsmasq is stopped (inactive)"],
    ["failed", "vpc6-dnsmasq is stopped (failed)"],
    ["activating", "vpc6-dnsmasq does not stay up"],
  ])("a unit that is %s", async (state, text) => {
    machine.write("units/vpc6-dnsmasq", `${state}\n`);
    expect(await drift()).toEqual([`router:vr1 dnsmasq|${text}`]);
  });

  test("a masked unit, and other arguments than the unit has", async () => {
    machine.write("units/vpc6-leases.masked", "");
    machine.write("units/vpc6-dnsmasq.pid", "77\n");
    machine.write("proc/77/cmdline", "/usr/sbin/dnsmasq\0-C\0/etc/other\0");
    expect(await drift()).toEqual([
      "router:vr1 dnsmasq|vpc6-leases is masked",
      "router:vr1 dnsmasq|vpc6-dnsmasq.service runs with other arguments than its unit says",
    ]);
  });

  test("the arguments that the unit has", async () => {
    machine.write("units/vpc6-dnsmasq.pid", "77\n");
    const words =
      "/usr/sbin/dnsmasq -C /etc/vpc6/live/files/dnsmasq -x /run/vpc6/dnsmasq.pid --dhcp-leasefile=/var/lib/vpc6/dnsmasq.leases --log-dhcp --enable-dbus";
    machine.write("proc/77/cmdline", `${words.replaceAll(" ", "\0")}\0`);
    expect(await drift()).toEqual([]);
  });

  test("one that runs though nothing asks for it", async () => {
    await machine.converge(all.slice(1).map(({ id }) => drop(id)));
    expect(machine.read("units/vpc6-dnsmasq")).toBe("inactive\n");
    machine.write("units/vpc6-dnsmasq", "active\n");
    expect(await drift()).toEqual(["router:vr1 dnsmasq|vpc6-dnsmasq runs, though nothing asks for it"]);
  });
});

test("a port that somebody else has: who it is stands in the error", async () => {
  machine.write("units/vpc6-dnsmasq.broken", "");
  machine.answer("journalctl", "failed to create listening socket for 2001:67c:2834:1::1: Address already in use\n");
  machine.answer("ss", 'udp UNCONN 0 0 [::]:53 [::]:* users:(("unbound",pid=7,fd=3))\n');
  const { answer } = await machine.converge(all);
  expect(answer).toMatchObject({ verdict: "failed", service: "dnsmasq" });
  expect(answer?.why).toMatch(/already in use\nthere listens: udp \[::\]:53 users:\(\("unbound",pid=7,fd=3\)\)$/);
});

test("removing stops it and leaves no file of a guest", async () => {
  await machine.converge(all);
  const { did } = await machine.run("dnsmasq_remove");
  expect(did).toEqual([
    "systemctl stop --job-mode=ignore-dependencies vpc6-dnsmasq",
    "systemctl reset-failed vpc6-dnsmasq",
  ]);
  expect(machine.list("var/lib/vpc6")).not.toContain("dhcp-hosts");
  expect(machine.list("var/lib/vpc6")).not.toContain("dns-hosts");
});

test("a tier that was no way out is one again: dnsmasq starts anew, as it would advertise too late", async () => {
  await machine.converge(all);
  await machine.run('dnsmasq_advertise_again "$ETC/live/files"');
  const { did } = await machine.run('dnsmasq_apply "$ETC/live/files"');
  expect(did).toContain("systemctl restart vpc6-dnsmasq");
  expect(machine.has("run/vpc6/dnsmasq.again")).toBe(false);
});
