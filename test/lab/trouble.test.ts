// What a user reads when a router is not as it should be: one block that names the router and the remedy; and nothing is lost.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { lab } from "./lab.ts";
import { program, snapshot, startInProcess } from "./stack.ts";

let engine: InProcess;
let found: Record<string, string>;

beforeAll(async () => {
  lab.bare();
  await lab.down();
  await lab.up("vr1", "uplink");
  found = await snapshot("vr1");
  engine = await startInProcess();
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

async function refused(
  text: string,
  env: Record<string, string> = {},
  on: Engine | InProcess = engine,
): Promise<string> {
  await on.program(text);
  const { code, all } = await on.up({ env });
  expect(code, all).not.toBe(0);
  expect(all).not.toMatch(/^\s+at .*\.(ts|js)/m);
  expect(all).toContain("router vr1 (");
  return all;
}

const one = (extra = "", rest = "") => program(rest, { routers: { vr1: extra } });

test("a wrong host key", async () => {
  const text = (await one()).replace(/SHA256:[^"]*/, `SHA256:${"A".repeat(43)}`);
  const output = await refused(text);
  expect(output).toContain((await lab.env()).VR1_HOST_KEY);
  // What the in-process engine prints of a hook's error is what the Pulumi CLI does.
  const printed = await engine.underTheCli((cli) => refused(text, {}, cli));
  const block = (of: string) => /^ {4}error: .*(?:\n {4}.*)*/m.exec(of.replaceAll("error: update failed", ""))?.[0];
  expect(block(printed)).toContain("router vr1 (");
  expect(block(output)).toBe(block(printed));
});

test("a refused login, no key at all", async () => {
  expect(await refused(await one('user: "nobody"'))).toMatch(/does not let nobody log in[\s\S]*authorized_keys/);
  expect(await refused(await one(), { VPC6_SSH_KEY_FILE: "", HOME: "/nonexistent" })).toMatch(/VPC6_SSH_KEY_FILE/);
});

test("nobody there", async () => {
  const text = (await one()).replace(/host: "[^"]*"/, 'host: "127.0.0.1", port: 9');
  expect(await refused(text)).toMatch(/root@127\.0\.0\.1:9[\s\S]*refused/i);
});

test("a user without sudo", async () => {
  expect(await refused(await one('user: "nosudo"'))).toMatch(/sudo/);
});

test("a missing interface", async () => {
  const output = await refused((await one()).replace('"pub0"', '"wan0"'));
  expect(output).toMatch(/interface wan0 does not exist[\s\S]*pub0/);
});

/** While `work` is done the router finds this text in a file of its system. */
async function reading<T>(file: string, text: string, work: () => Promise<T>): Promise<T> {
  await lab.exec("vr1", `cat >/run/instead && mount --bind /run/instead ${file}`, { input: text });
  try {
    return await work();
  } finally {
    await lab.exec("vr1", `umount ${file}; rm /run/instead`);
  }
}
const RELEASE = "/usr/lib/os-release";
const COUNT = "/proc/sys/net/netfilter/nf_conntrack_count";

test("a system that is too old: nothing is installed", async () => {
  const old = 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nID=debian\nVERSION_ID="11"\n';
  const output = await reading(RELEASE, old, async () => refused(await one()));
  expect(output).toMatch(/it lacks what vpc6 needs\n.*too old: Debian GNU\/Linux 11[^\n]*\n.*Debian 12.*upgrade/);
  expect(await snapshot("vr1")).toEqual(found);
});

test("a full disk", async () => {
  // A small file system over the place where generations are kept.
  await lab.exec("vr1", "mkdir -p /etc/vpc6 && mount -t tmpfs -o size=4k,nr_inodes=8 none /etc/vpc6");
  try {
    expect(await refused(await one())).toMatch(/No space left|disk|full/i);
  } finally {
    await lab.exec("vr1", "umount /etc/vpc6; rmdir /etc/vpc6 2>/dev/null || true");
  }
});

test("after all that the machine is as it was, and a good program goes through; sudo works", async () => {
  await engine.program(await one('user: "ops"', `new vpc6.Vpc("shop", { zone, router: vr1 });`));
  // Two transactions at least, of which each warns.
  const { code, all } = await reading(RELEASE, 'PRETTY_NAME="Devuan 5"\nID=devuan\n', () => engine.up());
  expect(code, all).toBe(0);
  expect(all.match(/warning: router vr1: vpc6 was not tested on Devuan 5, only on /g), all).toHaveLength(1);
  expect((await lab.exec("vr1", "ip -6 route")).stdout).toContain("unreachable 2001:67c:2834::/60");
  const destroyed = await engine.destroy();
  expect(destroyed.code, destroyed.all).toBe(0);
  expect(await snapshot("vr1")).toEqual(found);
});

test("a key from the stack's config works, and is nowhere to be read", async () => {
  const key = await readFile((await lab.env()).VPC6_SSH_KEY_FILE ?? "", "utf8");
  const env = { VPC6_SSH_KEY_FILE: "", HOME: "/nonexistent" };
  await engine.config("vpc6:sshPrivateKey", key, { secret: true });
  await engine.program(await one("", `new vpc6.Vpc("shop", { zone, router: vr1 });`));
  const texts = await engine.underTheCli(async (cli) => {
    const up = await cli.up({ env });
    expect(up.code, up.all).toBe(0);
    // No difference of anybody's, and told all the same.
    const full = await reading(COUNT, "9999999\n", () => cli.refresh({ env, args: ["--expect-no-changes"] }));
    expect(full.code, full.all).toBe(0);
    expect(full.all).toMatch(
      /warning: router vr1: the table of connections is \d+ % full \(9999999 of \d+\): .*`connections`/,
    );
    const destroyed = await cli.destroy({ env });
    expect(destroyed.code, destroyed.all).toBe(0);
    return [up.all, destroyed.all, await cli.stateFile()];
  });
  texts.push((await lab.exec("vr1", "journalctl --sync; journalctl -b; ps -ef")).stdout);
  const secret = key.split("\n").slice(1, -2);
  expect(secret.length).toBeGreaterThan(3);
  for (const line of secret) for (const text of texts) expect(text.includes(line)).toBe(false);
});

test("another way to the same router is an update without a connection; a router that is gone can be dropped", async () => {
  await engine.program(await one('user: "ops"', `new vpc6.Vpc("shop", { zone, router: vr1 });`));
  expect((await engine.up()).code).toBe(0);
  await lab.exec("vr1", "systemctl stop ssh");
  await engine.program(await one('user: "root"', `new vpc6.Vpc("shop", { zone, router: vr1 });`));
  const moved = await engine.up();
  expect(moved.code, moved.all).toBe(0);
  const stuck = await engine.destroy();
  expect(stuck.code).not.toBe(0);
  expect(stuck.all).toContain("router vr1 (root@");
  const dropped = await engine.destroy({ env: { VPC6_ABANDON_ROUTERS: "vr1" } });
  expect(dropped.code, dropped.all).toBe(0);
  expect(dropped.all).toContain("what is on that machine stays there");
});
