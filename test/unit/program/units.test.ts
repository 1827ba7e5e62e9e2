// Units: written where they differ, and seen where another hand changed them.

import { beforeEach, describe, expect, test } from "vitest";
import { of, type Resource } from "./fragments";
import { Machine } from "./machine";

let machine: Machine;
let vpc: Resource;
beforeEach(async () => {
  machine = Machine.router("sysctl dnsmasq");
  vpc = await of("Vpc");
  await machine.converge([vpc]);
});
const UNITS = "etc/systemd/system";
const ours = () => machine.list(UNITS).filter((it) => it.startsWith("vpc6"));

test("all are there, those of the start enabled; written once, and read once", async () => {
  expect(ours()).toEqual([
    "vpc6-dnsmasq.service",
    "vpc6-firewall.service",
    "vpc6-leases.service",
    "vpc6-password-ipv4@.socket",
    "vpc6-password@.service",
    "vpc6-password@.socket",
    "vpc6-watch.service",
    "vpc6.service",
  ]);
  expect(machine.list(`${UNITS}/multi-user.target.wants`)).toEqual(["vpc6-firewall.service", "vpc6.service"]);
  const { did } = await machine.converge([{ id: "a@1", fragments: { adopt: "x\n" } }]);
  expect(did).toEqual([]);
});

test("a program of another version writes its own", async () => {
  machine.write(`${UNITS}/vpc6.service`, "# of before\n");
  machine.write("var/lib/vpc6/units", "0000\nvpc6.service\n");
  const { did } = await machine.run("units");
  expect(did).toContain("systemctl daemon-reload");
  expect(machine.read(`${UNITS}/vpc6.service`)).toContain("Description=vpc6: last confirmed configuration\n");
});

test("one that cannot be written refuses the change", async () => {
  machine.write("var/lib/vpc6/units", "0000\n");
  machine.remove(`${UNITS}/vpc6.service`);
  machine.write(`${UNITS}/.vpc6.vpc6/x`, "");
  machine.write(`${UNITS}/vpc6.service/x`, "");
  expect(await machine.run("mv() { return 1; }; units")).toMatchObject({
    code: 1,
    why: "/etc/systemd/system/vpc6.service cannot be written",
  });
});

test("systemd's refusal is told", async () => {
  machine.write("var/lib/vpc6/units", "0000\n");
  const { code, why } = await machine.run('systemctl() { echo "Access denied"; return 1; }; REPAIR=repair; units');
  expect([code, why]).toEqual([1, "Access denied"]);
});

describe("drift", () => {
  test("a changed text, a drop-in, one that is gone, a start that is disabled, another program", async () => {
    expect(await machine.drift()).toEqual([]);
    machine.append(`${UNITS}/vpc6.service`, "# mine\n");
    machine.remove(`${UNITS}/vpc6-leases.service`);
    machine.write(`${UNITS}/vpc6-dnsmasq.service.d/mine.conf`, "");
    machine.write("run/systemd/system/vpc6.service.d/mine.conf", "");
    machine.remove(`${UNITS}/multi-user.target.wants/vpc6.service`);
    machine.append("usr/local/lib/vpc6/vpc6", "# mine\n");
    expect((await machine.drift()).sort()).toEqual([
      "router program|/etc/systemd/system/vpc6-dnsmasq.service.d/mine.conf added",
      "router program|/etc/systemd/system/vpc6-leases.service removed",
      "router program|/run/systemd/system/vpc6.service.d/mine.conf added",
      "router program|/usr/local/lib/vpc6/vpc6 changed",
      "router program|line added to /etc/systemd/system/vpc6.service, # mine",
      "router program|vpc6.service is disabled",
    ]);
  });

  test("is repaired", async () => {
    machine.append(`${UNITS}/vpc6.service`, "# mine\n");
    machine.write(`${UNITS}/vpc6-dnsmasq.service.d/mine.conf`, "");
    machine.remove(`${UNITS}/multi-user.target.wants/vpc6.service`);
    await machine.converge([{ ...vpc, repair: true }]);
    expect(await machine.drift()).toEqual([]);
  });

  test("what was applied and never confirmed is said", async () => {
    await machine.run("point confirmed 0");
    expect(await machine.drift()).toContain("router program|generation 1 is applied and was never confirmed");
  });
});

test("a unit that does not start: its own words; at boot nobody waits", async () => {
  machine.write("units/odd.broken", "");
  machine.answer("journalctl", "odd: no\n");
  expect(await machine.run("unit_restart odd")).toMatchObject({ code: 1, why: "odd: no" });
  const { code, did } = await machine.run("BOOTING=yes; unit_restart other");
  expect([code, did]).toEqual([0, ["systemctl restart --no-block other"]]);
});

test.each(["active", "failed", "activating"])(
  "%s, one that is taken away is stopped, and not failed when something kills it",
  async (was) => {
    machine.write("units/odd", was);
    machine.write("units/odd.killed", "");
    expect(await machine.run("unit_stop other odd")).toMatchObject({
      code: 0,
      did: ["systemctl stop --job-mode=ignore-dependencies odd", "systemctl reset-failed odd"],
    });
    expect(machine.read("units/odd")).toBe("inactive\n");
  },
);

test("one that is queued for its start, as at boot, is taken out of the queue", async () => {
  machine.write("units/odd.job", "132\n");
  const { did } = await machine.run("unit_stop other odd");
  expect(did).toEqual(["systemctl stop --job-mode=ignore-dependencies odd", "systemctl reset-failed odd"]);
});

test("one that is up again and again, each time for a moment, does not stay up; one that was started again often, and stays, does", async () => {
  machine.write("units/odd", "active\n");
  machine.write("units/odd.restarts", "7\n");
  expect((await machine.run("drift_daemon odd active")).stdout).toBe("");
  machine.write("units/odd.falters", "");
  expect((await machine.run("drift_daemon odd active")).stdout).toBe("- odd does not stay up\n");
  // As of most units, systemd has not started it again: nobody waits.
  machine.write("units/odd.restarts", "0\n");
  expect((await machine.run("drift_daemon odd active")).stdout).toBe("");
});

test("removing takes all of them, and what hangs on them", async () => {
  machine.write(`${UNITS}/vpc6-dnsmasq.service.d/mine.conf`, "");
  machine.write(`${UNITS}/mine.service`, "");
  const { did } = await machine.run("units_remove");
  expect(machine.list(UNITS)).toEqual(["mine.service", "multi-user.target.wants"]);
  expect(did[0]).toBe("systemctl --quiet --no-reload disable vpc6-firewall.service vpc6.service");
});
