// What a disk, a restore or an editor does to vpc6's files on a router: the next `observe` says so by id or by name, and repairs put it
// right, the Router's first, as the engine does it. What was good stays at work meanwhile, and no placeholder is ever a password.

import { chmodSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FORMAT } from "../../../provider/contract";
import { CERTIFICATE, PRIVATE_KEY } from "../certificate";
import { of, type Resource } from "./fragments";
import { judges, Machine } from "./machine";

const GATEWAY = "2001:67c:2834:1::1";
const TABLE = `etc/vpc6/live/files/passwords.d/${GATEWAY}`;
const FRAGMENTS = "etc/vpc6/confirmed/fragments";
const FILES = "etc/vpc6/confirmed/files";
/** A run of bytes that no daemon takes. */
const GARBAGE = "\u0001\u0002{} ;;; %%\nno word of anything\u0007\n";

let machine: Machine;
let router: Resource;
let vpc: Resource;
let web: Resource;
let web1: Resource;
let db1: Resource;
let www: Resource;
let all: Resource[];
beforeEach(async () => {
  always = [];
  router = await of("Router");
  vpc = await of("Vpc");
  web = await of("Tier");
  const tier = { interface: "web0", domain: "web.shop.internal", gateway: GATEWAY };
  web1 = await of("Instance", { password: "geheim-1", tier });
  db1 = await of("Instance", {
    claim: "db1",
    mac: "02:00:00:00:01:12",
    grant: { value: "2001:67c:2834:1::11" },
    password: "geheim-2",
    tier,
  });
  www = await of("LoadBalancer", { claim: "www", port: 443, tls: { certificate: CERTIFICATE, privateKey: PRIVATE_KEY } });
  all = [router, vpc, web, web1, db1, www];
  machine = Machine.router("nftables sysctl network dnsmasq haproxy password");
  expect((await machine.converge(all)).answer).toMatchObject(sound);
  always = await told();
});

const repair = (...resources: Resource[]) => machine.converge(resources.map((it) => ({ ...it, repair: true })));
const sound = { verdict: expect.stringMatching(/^(ok|unconfirmed)$/) };
/** The recorders' kernel is not what it should be before anything is damaged. */
let always: string[] = [];
const told = async () => (await machine.drift()).filter((it) => !always.includes(it)).sort();

describe("secrets", () => {
  const half = (text: string) => text.slice(0, text.length / 2);
  test.each([
    ["empty", () => ""],
    ["half", half],
    ["of another one", (text: string) => text.replace("geheim-1", "geheim-9")],
    ["gone", undefined],
  ])("%s: observe names whose, the good table stays, and its own update sends it again", async (_what, change) => {
    const table = machine.read(TABLE);
    const file = `${FRAGMENTS}/secrets/${web1.id}`;
    if (change) machine.write(file, change(machine.read(file)));
    else machine.remove(file);
    const before = await told();
    expect(before.filter((it) => it.includes("secrets|"))).toEqual([`${web1.id} secrets|not as it was put there`]);
    expect((await repair(router)).answer).toMatchObject(sound);
    expect(machine.read(TABLE)).toBe(table);
    // Another one's change does not touch it either.
    const web2 = await of("Instance", {
      ...{ claim: "web2", mac: "02:00:00:00:01:13", grant: { value: "2001:67c:2834:1::12" }, password: "geheim-3" },
      tier: { interface: "web0", domain: "web.shop.internal", gateway: GATEWAY },
    });
    expect((await machine.converge([web2])).answer).toMatchObject(sound);
    expect(machine.read(TABLE)).toContain(" geheim-1\n");
    expect(machine.read(TABLE)).toContain(" geheim-3\n");
    expect((await repair(web1)).answer).toMatchObject(sound);
    expect(machine.read(file)).toBe(web1.fragments.secrets);
    expect((await told()).filter((it) => it.includes("secrets"))).toEqual([]);
  });
});

describe.runIf(judges.length > 0)("a fragment that a daemon refuses", () => {
  test.each([
    ["dnsmasq", () => web],
    ["nftables", () => web],
    ["network", () => web],
    ["passwords", () => db1],
    ["haproxy", () => www],
    ["certificates", () => www],
  ])("%s: the Router's repair goes through, what works stays, and its own update puts it right", async (slot, whose) => {
    const { id } = whose();
    const file = `${FRAGMENTS}/${slot}/${id}`;
    const live = machine.read(`etc/vpc6/live/files/${slot}`);
    machine.write(file, GARBAGE);
    expect(await told()).toContain(`${id} ${slot}|not as it was put there`);
    expect((await repair(router)).answer).toMatchObject(sound);
    expect(machine.read(`etc/vpc6/live/files/${slot}`)).toBe(live);
    expect((await repair(whose())).answer).toMatchObject(sound);
    expect(machine.read(file)).toBe(whose().fragments[slot]);
    expect(await told()).toEqual([]);
  });
});
