// What a disk, a restore or an editor does to vpc6's files on a router: the next `observe` says so by id or by name, and repairs put it
// right, the Router's first, as the engine does it. What was good stays at work meanwhile, and no placeholder is ever a password.
//
// All files of a kind are damaged at once, each in another way, and in the next round in the next way, until each was in all.

import { chmodSync, lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
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
const WAYS = Object.keys(ways) as Way[];
/** Whom a mode stops: root reads all. */
const seen = (way: Way) => way !== "without a mode" || process.getuid?.() !== 0;

let machine: Machine;
const sound = { verdict: expect.stringMatching(/^(ok|unconfirmed)$/) };

async function equipped() {
  const tier = { interface: "web0", domain: "web.shop.internal", gateway: GATEWAY };
  const all = {
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
  machine = Machine.router("nftables sysctl network dnsmasq haproxy password");
  machine.write("dpkg", machine.read("dpkg").replace("haproxy\n", ""));
  machine.write("repository/haproxy", "");
  // No process of haproxy is there to come.
  machine.append("functions", "haproxy_reload() { :; }\n");
  expect((await machine.converge(Object.values(all))).answer).toMatchObject(sound);
  // The recorders' kernel is not what it should be before anything is damaged.
  const always = await machine.drift();
  const told = async () => (await machine.drift()).filter((it) => !always.includes(it)).sort();
  return { ...all, others: Object.values(all).slice(1), told };
}
const repair = (...resources: Resource[]) => machine.converge(resources.map((it) => ({ ...it, repair: true })));

/** Every file below `folder`, with its text. */
function texts(folder: string): Record<string, string> {
  const found = readdirSync(machine.at(`${folder}/.`), { recursive: true, encoding: "utf8" }).sort();
  const files = found.filter((it) => lstatSync(machine.at(path.join(folder, it))).isFile());
  return Object.fromEntries(files.map((it) => [it, machine.read(path.join(folder, it))]));
}

test.each([0, 1, 2, 3, 4])("every fragment and every secret, each in its way: round %i", async (round) => {
  const { router, others, told } = await equipped();
  const [fragments, live] = [texts(FRAGMENTS), texts(LIVE)];
  const expected: string[] = [];
  for (const [index, file] of Object.keys(fragments).entries()) {
    const way = WAYS[(index + round) % WAYS.length] as Way;
    const [slot, id] = file.split("/") as [string, string];
    ways[way](`${FRAGMENTS}/${file}`);
    if (seen(way)) expected.push(`${id} ${slot}|not as it was put there`);
  }
  expect(Object.keys(fragments).length).toBeGreaterThan(20);
  expect((await told()).filter((it) => it.endsWith("put there"))).toEqual(expected.sort());

  // The Router comes first and alone: what works of the others stays, to the letter.
  expect((await repair(router)).answer).toMatchObject(sound);
  expect(texts(LIVE)).toEqual(live);
  expect((await repair(...others)).answer).toMatchObject(sound);
  expect([texts(FRAGMENTS), texts(LIVE)]).toEqual([fragments, live]);
  expect(await told()).toEqual([]);
});

/** What is said of each, or why nothing need be: lines of the table [file, what observe says, who is to be updated (the Router alone)]. */
const SAID: readonly [RegExp, string][] = [
  [/^live\/files\/(nftables|sysctl|network|dnsmasq|dhcp-hosts|dns-hosts|haproxy|passwords|certificates)$/, "$&"],
  [/^live\/files\/(certificates|passwords)\.d\/.+$/, "$&"],
  [/^confirmed\/(macs|program|files\.sums)$/, "$&"],
  [/^(dhcp-hosts|dns-hosts)\/.+$/, "$&"],
  [/^vpc6.*\.(service|socket)$/, "$&"],
];
/** Each is there twice, and has a test of its own below. */
const RECORDS = ["packages", "users", "groups", "kept/packages", "kept/users", "kept/groups", "kept/sums"];
/** Of these nothing is said: */
const SILENT: readonly [RegExp, string][] = [
  [/^live\/files\/(packages|owner|adopt|frr|named|tayga)$/, "nobody reads it, or (no session, no translator) it is empty as it is"],
  [/^(units|packages\.seen)$/, "a note of what need not be looked at again; who does not find it looks"],
  [/^(sysctl|links)\/.+$|^network\.found$/, "how the host was found: read by a destroy only, and known from nowhere else"],
];

test.each([0, 1, 2, 3, 4])("every other file, each in its way: round %i", async (round) => {
  const { router, told } = await equipped();
  await repair(router);
  const live = texts(LIVE);
  const units = texts("etc/systemd/system");
  const folders = {
    "etc/vpc6": [...Object.keys(live).map((it) => `live/files/${it}`), ...["macs", "program", "files.sums"].map((it) => `confirmed/${it}`)],
    "var/lib/vpc6": Object.keys(texts("var/lib/vpc6")).filter((it) => !RECORDS.includes(it)),
    "etc/systemd/system": Object.keys(units).filter((it) => it.startsWith("vpc6")),
  };
  const told1: string[] = [];
  const expected: string[] = [];
  for (const [folder, files] of Object.entries(folders)) {
    for (const [index, file] of files.entries()) {
      const silent = SILENT.some(([pattern]) => pattern.test(file));
      expect([file, silent || SAID.some(([pattern]) => pattern.test(file))]).toEqual([file, true]);
      // What destroy alone reads is not put back by an update.
      if (silent) continue;
      const way = WAYS[(index + round) % WAYS.length] as Way;
      const before = machine.read(`${folder}/${file}`);
      ways[way](`${folder}/${file}`);
      const changed = way === "gone" || (way === "without a mode" ? /^d(hcp|ns)-hosts\//.test(file) : machine.read(`${folder}/${file}`) !== before);
      if (changed && seen(/hosts\//.test(file) ? "gone" : way)) expected.push(file);
    }
  }
  told1.push(...(await told()));
  for (const file of expected) expect([file, told1.some((it) => it.includes(file.replace(/^live\/files\/(dhcp|dns)-hosts$/, "$1-hosts")))]).toEqual([file, true]);
  expect((await repair(router)).answer).toMatchObject({ ...sound, why: "" });
  expect(await told()).toEqual([]);
  expect([texts(LIVE), texts("etc/systemd/system")]).toEqual([live, units]);
});
