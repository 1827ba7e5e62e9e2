// named: DNS64 between guests and dnsmasq.

import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { judges, Machine } from "../machine";

const real = judges.includes("named-checkconf");
const LISTENS = "UNCONN 0 0 [2001:67c:2834:1::1]:5354 [::]:*\n";
let all: Resource[];
let machine: Machine;
beforeEach(async () => {
  all = [await of("Router"), await of("Tier"), await of("Nat64")];
  machine = Machine.router("named");
  machine.answer("ss", LISTENS);
});
const check = (sets: Resource[]) => machine.assembled(sets, 'named_check "$FILES"');
const ours = ({ did }: { did: string[] }) => did.filter((it) => it.includes("vpc6-named"));

describe("assembling", () => {
  test("the gateways are where guests ask and where dnsmasq answers", async () => {
    await machine.assembled(all);
    const text = machine.file("named");
    expect(text).toMatch(/^options \{\n/);
    expect(text).toContain("\tlisten-on-v6 port 5354 { 2001:67c:2834:1::1; };\n");
    expect(text).toContain("\tforwarders { 2001:67c:2834:1::1; };\n");
    expect(text).toMatch(/\ndns64 2001:67c:2834:0:64::\/96 \{\n[\s\S]*\n\};\n\};\ncontrols \{ \};\n$/);
  });

  test("without a gateway, or without DNS64, there is none", async () => {
    await machine.assembled(all.filter(({ id }) => !id.startsWith("web")));
    expect(machine.file("named")).toBe("");
    await machine.assembled([all[0] as Resource, all[1] as Resource, await of("Nat64", { dns64: false })]);
    expect(machine.file("named")).toBe("");
  });
});

describe("checking", () => {
  test("what kinds render passes", async () => {
    const { code, why, asked } = await check(all);
    expect([code, why]).toEqual([0, ""]);
    expect(asked).toEqual(["named-checkconf /etc/vpc6/generations/1/files/named"]);
  });

  test("what the daemon refuses is told with its fragment", async () => {
    const { code, why, blame } = await check([...all, { id: "odd@1", fragments: { named: "nonsense yes;\n" } }]);
    if (!real) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toMatch(/^named:\d+: unknown option 'nonsense'/);
  });

  test("without named its package is named", async () => {
    machine.remove("bin/named-checkconf");
    expect((await check(all)).why).toBe("named is not installed (the Nat64's packages should name bind9)");
  });
});

describe("applying", () => {
  test("starts it with a file that its AppArmor profile lets it read; a change is a SIGHUP", async () => {
    expect(ours(await machine.converge(all))).toEqual(["systemctl restart vpc6-named"]);
    expect(machine.read("etc/bind/vpc6.conf")).toBe(machine.read("etc/vpc6/live/files/named"));
    const db = await of("Tier", { claim: "db", interface: "db0", grant: { value: "2001:67c:2834:2::/64" } });
    machine.answer("ss", `${LISTENS}UNCONN 0 0 [2001:67c:2834:2::1]:5354 [::]:*\n`);
    expect(ours(await machine.converge([db]))).toEqual(["systemctl kill -s HUP --kill-whom=main vpc6-named"]);
  });

  test("one that does not listen at a gateway fails the change, and is put back", async () => {
    machine.answer("ss", "");
    machine.answer("journalctl", "named: could not listen\n");
    const { answer } = await machine.converge(all);
    expect(answer).toMatchObject({ verdict: "failed", service: "named", touched: false });
    expect(answer?.why).toBe("vpc6-named does not listen on 2001:67c:2834:1::1: named: could not listen");
    expect(machine.has("etc/bind/vpc6.conf")).toBe(false);
    expect(machine.read("units/vpc6-named")).toBe("inactive\n");
  });

  test("a file that cannot be written", async () => {
    machine.remove("etc/bind");
    const { answer } = await machine.converge(all);
    expect(answer?.why).toBe("/etc/bind/vpc6.conf cannot be written");
  });
});

describe("drift", () => {
  test("a changed file, another process, and a stop", async () => {
    await machine.converge(all);
    expect(await machine.drift()).toEqual([]);
    machine.append("etc/bind/vpc6.conf", "# more\n");
    machine.write("units/vpc6-named", "inactive\n");
    machine.write("units/vpc6-named.pid", "60\n");
    machine.write("proc/60/cmdline", "/usr/sbin/named\0-f\0");
    expect(await machine.drift()).toEqual([
      `${all[2]?.id} named|line added to /etc/bind/vpc6.conf, # more`,
      "router:vr1 named|vpc6-named is stopped (inactive)",
      "router:vr1 named|vpc6-named.service runs with other arguments than its unit says",
    ]);
    expect(ours(await machine.converge([{ ...(all[2] as Resource), repair: true }]))).toContain(
      "systemctl restart vpc6-named",
    );
  });

  test("a file that nobody asked for", async () => {
    await machine.converge(all);
    await machine.converge(all.slice(1).map(({ id }) => drop(id)));
    machine.write("etc/bind/vpc6.conf", "");
    expect(await machine.drift()).toEqual(["router:vr1 named|/etc/bind/vpc6.conf added"]);
  });
});

test("removing stops it and takes its file", async () => {
  await machine.converge(all);
  expect(ours(await machine.run("named_remove"))).toEqual([
    "systemctl stop --job-mode=ignore-dependencies vpc6-named",
    "systemctl reset-failed vpc6-named",
  ]);
  expect(machine.has("etc/bind/vpc6.conf")).toBe(false);
});
