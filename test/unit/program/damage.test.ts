// What a disk, a restore or an editor does to vpc6's files on a router: the next `observe` says so by id or by name, and repairs put it
// right, the Router's first, as the engine does it. What was good stays at work meanwhile, and no placeholder is ever a password.
//
// All files of a kind are damaged at once, each in another way, and in the next round in the next way, until each was in all. Each test
// begins with a copy of the same machine.

import { chmodSync, lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { CERTIFICATE, PRIVATE_KEY } from "../certificate";
import { of, type Resource } from "./fragments";
import { judges, Machine } from "./machine";

const GATEWAY = "2001:67c:2834:1::1";
const TABLE = `etc/vpc6/live/files/passwords.d/${GATEWAY}`;
const FRAGMENTS = "etc/vpc6/confirmed/fragments";
const LIVE = "etc/vpc6/live/files";
/** Bytes that no daemon takes for anything. */
const GARBAGE = "\u0001\u0002{} ;;; %%\nno word of anything\u0007\n";

const ways = {
  empty: (file: string) => machine.write(file, ""),
  half: (file: string) => machine.write(file, machine.read(file).slice(0, machine.read(file).length / 2)),
  garbled: (file: string) => machine.write(file, GARBAGE),
  gone: (file: string) => machine.remove(file),
  "without a mode": (file: string) => chmodSync(machine.at(file), 0),
};
type Way = keyof typeof ways;
/** Whom no mode stops: what it does to files then has a test of its own. */
const root = process.getuid?.() === 0;
const WAYS = (Object.keys(ways) as Way[]).filter((way) => way !== "without a mode" || !root);

let machine: Machine;
let all: Record<"router" | "vpc" | "web" | "web1" | "db1" | "www", Resource>;
let always: string[];
let clean = () => {};
const sound = { verdict: expect.stringMatching(/^(ok|unconfirmed)$/) };

beforeAll(async () => {
  const tier = { interface: "web0", domain: "web.shop.internal", gateway: GATEWAY };
  all = {
    router: await of("Router"),
    vpc: await of("Vpc"),
    web: await of("Tier"),
    web1: await of("Instance", { password: "geheim-1", tier }),
    db1: await of("Instance", {
      ...{ claim: "db1", mac: "02:00:00:00:01:12", grant: { value: "2001:67c:2834:1::11" } },
      ...{ password: "geheim-2", tier },
    }),
    www: await of("LoadBalancer", { port: 443, tls: { certificate: CERTIFICATE, privateKey: PRIVATE_KEY } }),
  };
  machine = Machine.router("nftables guard sysctl network dnsmasq haproxy password", (it) => {
    clean = it;
  });
  machine.write("dpkg", machine.read("dpkg").replace("haproxy\n", ""));
  machine.write("repository/haproxy", "");
  // No process of haproxy is there to come.
  machine.append("functions", "haproxy_reload() { :; }\n");
  expect((await machine.converge(Object.values(all))).answer).toMatchObject(sound);
  // What an installation has left for the next transaction goes with it.
  expect((await repair(all.router)).answer).toMatchObject(sound);
  // The recorders' kernel is not what it should be before anything is damaged.
  always = await machine.drift();
  machine.keep();
});
beforeEach(() => machine.restore());
afterAll(() => clean());

const told = async () => (await machine.drift()).filter((it) => !always.includes(it)).sort();
const others = () => Object.values(all).slice(1);
const repair = (...resources: Resource[]) => machine.converge(resources.map((it) => ({ ...it, repair: true })));

/** Every file below `folder`, with its text. */
function texts(folder: string): Record<string, string> {
  const found = readdirSync(machine.at(`${folder}/.`), { recursive: true, encoding: "utf8" }).sort();
  const files = found.filter((it) => lstatSync(machine.at(path.join(folder, it))).isFile());
  return Object.fromEntries(files.map((it) => [it, machine.read(path.join(folder, it))]));
}

test.each([...WAYS.keys()])("every fragment and every secret, in each way: round %i", async (round) => {
  const { router } = all;
  const [fragments, live] = [texts(FRAGMENTS), texts(LIVE)];
  expect(Object.keys(fragments).length).toBeGreaterThan(20);
  const expected: string[] = [];
  for (const [index, file] of Object.keys(fragments).entries()) {
    const way = WAYS[(index + round) % WAYS.length] as Way;
    const [slot, id] = file.split("/") as [string, string];
    ways[way](`${FRAGMENTS}/${file}`);
    expected.push(`${id} ${slot}|not as it was put there`);
  }
  expect((await told()).filter((it) => it.endsWith("put there"))).toEqual(expected.sort());

  // The Router comes first and alone: what works of the others stays, to the letter.
  expect((await repair(router)).answer).toMatchObject(sound);
  expect(texts(LIVE)).toEqual(live);
  expect((await repair(...others())).answer).toMatchObject(sound);
  expect([texts(FRAGMENTS), texts(LIVE)]).toEqual([fragments, live]);
  expect(await told()).toEqual([]);
});

/** Of these it is said by name that they changed: */
const SAID: readonly RegExp[] = [
  /^live\/files\/(guard|nftables|sysctl|network|dnsmasq|dhcp-hosts|dns-hosts|haproxy|passwords|certificates)$/,
  /^live\/files\/(certificates|passwords)\.d\/.+$/,
  /^confirmed\/(macs|program|files\.sums)$/,
  /^(dhcp-hosts|dns-hosts)\/.+$/,
  /^vpc6.*\.(service|socket)$/,
];
/** Each is there twice, and has a test of its own below. */
const RECORDS = ["packages", "users", "groups", "kept/packages", "kept/users", "kept/groups", "kept/sums"];
/** Of these nothing is said, and why. */
const SILENT: readonly [RegExp, string][] = [
  [
    /^live\/files\/(packages|adopt|made|frr|named|tayga)$/,
    "nobody reads it, or (no session, no translator) it is empty as it is",
  ],
  [/^(units|packages\.seen)$/, "a note of what need not be looked at again; who does not find it looks"],
  [
    /^(sysctl|raised|links)\/.+$|^network\.found$/,
    "how the host was found: read by a destroy only, and known from nowhere else",
  ],
];

test.each([...WAYS.keys()])("every other file, in each way: round %i", async (round) => {
  const { router } = all;
  const live = texts(LIVE);
  const units = texts("etc/systemd/system");
  const folders = {
    "etc/vpc6": [
      ...Object.keys(live).map((it) => `live/files/${it}`),
      ...["macs", "program", "files.sums"].map((it) => `confirmed/${it}`),
    ],
    "var/lib/vpc6": Object.keys(texts("var/lib/vpc6")).filter((it) => !RECORDS.includes(it)),
    "etc/systemd/system": Object.keys(units).filter((it) => it.startsWith("vpc6")),
  };
  const expected: string[] = [];
  for (const [folder, files] of Object.entries(folders)) {
    for (const [index, file] of files.entries()) {
      const silent = SILENT.some(([pattern]) => pattern.test(file));
      expect([file, silent !== SAID.some((pattern) => pattern.test(file))]).toEqual([file, true]);
      if (silent) continue;
      const way = WAYS[(index + round) % WAYS.length] as Way;
      const before = machine.read(`${folder}/${file}`);
      ways[way](`${folder}/${file}`);
      if (["gone", "without a mode"].includes(way) || machine.read(`${folder}/${file}`) !== before) expected.push(file);
    }
  }
  const said = await told();
  for (const file of expected) expect([file, said.some((it) => it.includes(`/${file}`))]).toEqual([file, true]);
  expect((await repair(router)).answer).toMatchObject({ ...sound, why: "" });
  expect([texts(LIVE), texts("etc/systemd/system")]).toEqual([live, units]);
  expect(await told()).toEqual([]);
});

test.runIf(root)("all without a mode, which stops only dnsmasq: it is not root when it reads its guests", async () => {
  const { router } = all;
  const folders = [FRAGMENTS, LIVE, "var/lib/vpc6", "etc/systemd/system"];
  const before = folders.map(texts);
  for (const folder of folders)
    for (const file of Object.keys(texts(folder))) ways["without a mode"](`${folder}/${file}`);
  const guests = Object.keys(texts("var/lib/vpc6")).filter((it) => /^d(hcp|ns)-hosts\//.test(it));
  expect(guests.length).toBeGreaterThan(1);
  const said = await told();
  for (const file of guests) expect([file, said.some((it) => it.includes(`/${file}`))]).toEqual([file, true]);
  expect(said.filter((it) => !/\/d(hcp|ns)-hosts\//.test(it))).toEqual([]);
  expect((await repair(router)).answer).toMatchObject({ ...sound, why: "" });
  expect(folders.map(texts)).toEqual(before);
  expect(await told()).toEqual([]);
});

test("fragments and what was made of them, both at once", async () => {
  const { router, web1 } = all;
  const [fragments, live] = [texts(FRAGMENTS), texts(LIVE)];
  for (const way of ["garbled", "gone"] as const) {
    for (const file of Object.keys(fragments)) ways[way](`${FRAGMENTS}/${file}`);
    for (const file of Object.keys(live)) ways[way](`${LIVE}/${file}`);
    expect(await told()).toContain(`${web1.id} secrets|not as it was put there`);
    // Nothing is left of the others but themselves. The filter is the Router's: what is not there is not open.
    expect((await repair(router)).answer).toMatchObject({ ...sound, why: "" });
    expect(JSON.stringify(texts(LIVE))).not.toContain("{{");
    expect(machine.read("kernel.nft")).toContain("table inet vpc6 {");
    expect((await repair(...others())).answer).toMatchObject({ ...sound, why: "" });
    expect([texts(FRAGMENTS), texts(LIVE)]).toEqual([fragments, live]);
    expect(await told()).toEqual([]);
  }
});

test("the sums, with a garbled fragment and a lost secret: all that is here is not known, and is sent again", async () => {
  const { router, web, web1 } = all;
  const [fragments, live] = [texts(FRAGMENTS), texts(LIVE)];
  // (Which lists of sums are believed is asked of sums.awk itself.)
  for (const way of ["half", "gone"] as const) {
    ways[way]("etc/vpc6/confirmed/sums");
    ways.garbled(`${FRAGMENTS}/dnsmasq/${web.id}`);
    ways.gone(`${FRAGMENTS}/secrets/${web1.id}`);
    const unknown = (await told()).filter((it) => it.endsWith("|not known to be as it was put there"));
    expect(unknown).toHaveLength(Object.keys(fragments).length - 1);
    expect((await repair(router)).answer).toMatchObject({ ...sound, why: "" });
    expect(texts(LIVE)).toEqual(live);
    expect((await repair(...others())).answer).toMatchObject({ ...sound, why: "" });
    expect([texts(FRAGMENTS), texts(LIVE)]).toEqual([fragments, live]);
    expect(await told()).toEqual([]);
  }
});

test.runIf(judges.length > 0)(
  "sums and files, with a fragment that a daemon refuses: it alone is left out until it is sent again",
  async () => {
    const { router, web1 } = all;
    const [fragments, live] = [texts(FRAGMENTS), texts(LIVE)];
    ways.gone("etc/vpc6/confirmed/sums");
    ways.gone("etc/vpc6/confirmed/files.sums");
    ways.garbled(`${FRAGMENTS}/nftables/${web1.id}`);
    expect((await repair(router)).answer).toMatchObject({ ...sound, why: "" });
    expect(machine.read(`${LIVE}/nftables`)).not.toContain(web1.id);
    expect(machine.read(`${LIVE}/network`)).not.toContain(`# vpc6 ${web1.id}\n`);
    expect(texts(LIVE).haproxy).toBe(live.haproxy);
    expect((await repair(...others())).answer).toMatchObject({ ...sound, why: "" });
    expect([texts(FRAGMENTS), texts(LIVE)]).toEqual([fragments, live]);
    expect(await told()).toEqual([]);
  },
);

test("a fragment that nobody has put there is told to the Router, not used, and gone with its repair", async () => {
  const { router, web } = all;
  const live = texts(LIVE);
  machine.write(
    `${FRAGMENTS}/nftables/evil@1`,
    'add element inet vpc6 guests { "web0" . 02:00:00:00:99:99 . 2001:db8::1 }\n',
  );
  expect(await told()).toEqual([`${router.id} nftables|a fragment of evil@1 added`]);
  await machine.converge([{ ...web, fragments: { ...web.fragments, adopt: "another\n" } }]);
  expect({ ...texts(LIVE), adopt: "" }).toEqual({ ...live, adopt: "" });
  await repair(router);
  expect(machine.has(`${FRAGMENTS}/nftables/evil@1`)).toBe(false);
});

test("a change of another one goes through while a secret is lost, and takes nothing away", async () => {
  const { web1 } = all;
  const table = machine.read(TABLE);
  ways.empty(`${FRAGMENTS}/secrets/${web1.id}`);
  const web2 = await of("Instance", {
    ...{ claim: "web2", mac: "02:00:00:00:01:13", grant: { value: "2001:67c:2834:1::12" }, password: "geheim-3" },
    tier: { interface: "web0", domain: "web.shop.internal", gateway: GATEWAY },
  });
  const { answer, stderr } = await machine.converge([web2]);
  expect(answer).toMatchObject(sound);
  expect(stderr).toContain(`what is here of ${web1.id} may not be as it was put there: it stays as it works now`);
  const line = "web2@2001:67c:2834:1::12 2001:67c:2834:1::12 geheim-3\n";
  expect(machine.read(TABLE).split("\n").sort()).toEqual(`${table}${line}`.split("\n").sort());
});

test("a boot with files that are not as they were made makes them again first", async () => {
  const live = texts(LIVE);
  for (const way of ["empty", "garbled", "gone"] as const) {
    machine.remove("run/vpc6");
    machine.write("kernel.nft", "");
    for (const file of Object.keys(live)) ways[way](`${LIVE}/${file}`);
    expect((await machine.run("boot firewall")).stderr).toMatch(/the files of generation 2 are not as they were made/);
    expect(machine.read("kernel.nft")).toContain(judges.length > 0 ? "table inet vpc6 {" : "");
    await machine.run("boot");
    expect(texts(LIVE)).toEqual(live);
  }
});

test("a boot without the Router's filter, files and fragments lost, is closed", async () => {
  const { router } = all;
  machine.remove("run/vpc6");
  machine.write("kernel.nft", "");
  ways.empty(`${LIVE}/nftables`);
  ways.empty(`${FRAGMENTS}/nftables/${router.id}`);
  expect((await machine.run("boot firewall")).code).toBe(1);
  expect((await machine.run("boot")).stderr).toContain(
    "nothing is forwarded or served, as the packet filter does not load",
  );
});

test("what came with us: each of both records alone, in each way", async () => {
  const equipped = machine;
  machine = Machine.router("network");
  onTestFinished(() => {
    machine = equipped;
  });
  machine.write("dpkg", "base-files\n");
  machine.write("repository/frr", "user frr\ngroup frr\n");
  await machine.assembled([{ id: "a@1", fragments: { packages: "frr\n" } }]);
  await machine.run('packages_install "$GENERATIONS/1/files/packages"');
  const had = texts("var/lib/vpc6");
  expect(had.packages).toBe("frr\n");
  for (const file of RECORDS) {
    for (const way of WAYS) {
      ways[way](`var/lib/vpc6/${file}`);
      const { stdout } = await machine.run("packages_broken; packages_mend", "", "run_dir");
      expect([file, way, stdout.split("\n")]).toEqual([file, way, expect.arrayContaining([file])]);
      expect([file, way, texts("var/lib/vpc6")]).toEqual([file, way, had]);
    }
  }
  expect((await machine.run("packages_broken")).stdout).toBe("");
});
