// A component package that brings its own copies of vpc6 and of Pulumi's SDK, through the real engine: what it builds and what the
// program builds work as if one copy had built all of it. A copy that cannot work with the other says so before anything is done.

import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answer, type FakeRouter, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { Engine } from "./engine";

const repository = path.join(import.meta.dirname, "../..");

let router: FakeRouter;
let engine: Engine;
/** The component package's own vpc6. */
let own: string;

beforeAll(async () => {
  router = await fakeRouter(() => answer("ok 1 same"));
  engine = await Engine.start({ env: { VPC6_SSH_KEY: userKey.private, SSH_AUTH_SOCK: "" } });
  const modules = path.join(engine.folder, "node_modules/shop-net/node_modules");
  await mkdir(path.join(modules, "@pulumi"), { recursive: true });
  for (const name of await readdir(path.join(repository, "node_modules"))) {
    if (!name.startsWith(".") && name !== "@pulumi") {
      await symlink(path.join(repository, "node_modules", name), path.join(modules, name));
    }
  }
  await cp(path.join(repository, "node_modules/@pulumi/pulumi"), path.join(modules, "@pulumi/pulumi"), {
    recursive: true,
  });
  own = path.join(modules, "vpc6");
  await cp(path.join(repository, "dist"), path.join(own, "dist"), { recursive: true });
  await cp(path.join(repository, "package.json"), path.join(own, "package.json"));
  await engine.write("node_modules/shop-net/package.json", JSON.stringify({ name: "shop-net", main: "index.js" }));
  await engine.write(
    "node_modules/shop-net/index.js",
    `exports.vpc6 = require("vpc6"); exports.sdk = require("@pulumi/pulumi");`,
  );
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await router?.[Symbol.asyncDispose]();
});

/** `a` is the program's own copy, `b` the component's; which of them builds what, the two names say. */
const program = (one: "a" | "b", two: "a" | "b") => `
import * as a from "vpc6";
import * as pulumi from "@pulumi/pulumi";
import net from "shop-net";
const b: typeof a = net.vpc6;
if (a.Zone === b.Zone || pulumi.Output === net.sdk.Output) throw new Error("there is one copy only");
const [one, two] = [${one}, ${two}];
const zone = new one.Zone("ams1", { superCidr: "2001:67c:2834::/50", asn: 65001, publicNetwork: { cidr: "2001:db8:ffff::/64" } });
const router = new two.Router("vr1", {
  zone, host: "127.0.0.1", port: ${router.address.port}, hostKey: "${hostKeyPrint}", publicInterface: "pub0",
});
const shop = new one.Vpc("shop", { zone, router });
const web = new two.Tier("web", { vpc: shop, interface: "web0" });
const db = new one.Tier("db", { vpc: shop, interface: "db0" });
const web1 = new one.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const offices = new two.ExternalNetwork("offices", { entries: ["2001:db8:7::/48"] });
const www = new two.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", members: [{ instance: web1, port: 8080 }] });
new one.LoadBalancer("www-tls", { vpc: shop, port: 443, mode: "ssl-passthrough", address: www, members: [] });
new one.NetworkAcl("db", {
  tiers: [db],
  rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "5432", sources: [web, web1, offices] }],
  tests: [{ from: web, to: db, protocol: "tcp", port: 5432, expect: "allow" }],
});
new two.Nat64("nat64", { vpc: shop });
new two.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });
export const ledgers = [zone.ledger, shop.ledger, web.ledger];
`;

test("what two copies build is what one would have built", { timeout: 120_000 }, async () => {
  await engine.program(program("a", "b"));
  const up = await engine.up({ args: ["--skip-preview=false", "--diff"] });
  expect(up.code, up.all).toBe(0);
  const ledgers = String(await engine.output("ledgers"));
  for (const line of [/vpc .*2001:67c:2834::\/60 +shop/, /tier .*web$/m, /instance .*2001:67c:2834:\d::10 +web1/]) {
    expect(ledgers).toMatch(line);
  }
  expect(ledgers.match(/^vip /gm)).toHaveLength(1);
  // Not a letter of any input or output is another if one copy builds all of it, or the other.
  for (const [one, two] of [
    ["a", "a"],
    ["b", "b"],
  ] as const) {
    await engine.program(program(one, two));
    const { code, all } = await engine.preview({ diff: true, args: ["--expect-no-changes"] });
    expect(code, all).toBe(0);
  }
});

test("a copy that the program's own cannot work with is refused before anything is previewed, in words", async () => {
  for (const [file, pattern, replacement] of [
    ["dist/resources/copies.js", /exports\.PROTOCOL = 1;/, "exports.PROTOCOL = 2;"],
    ["dist/resources/copies.js", /exports\.VERSION = "[^"]+";/, 'exports.VERSION = "9.8.7";'],
  ] as const) {
    const text = await readFile(path.join(own, file), "utf8");
    expect(text).toMatch(pattern);
    await writeFile(path.join(own, file), text.replace(pattern, replacement));
  }
  await engine.program(program("b", "a"));
  const { code, all } = await engine.preview();
  expect(code).not.toBe(0);
  expect(all).toMatch(/Zone "ams1" is of vpc6 9\.8\.7, but the program's own vpc6, whose hooks would run, is \d/);
  expect(all).toContain("npm ls vpc6");
  // A program that has no copy of its own has no hooks.
  await rm(path.join(engine.folder, "node_modules/vpc6"));
  await engine.program(`import net from "shop-net"; new net.vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/50" });`);
  const missing = await engine.preview();
  expect(missing.code).not.toBe(0);
  expect(missing.all).toContain("none is found from the program's folder: run `npm install vpc6@9.8.7` there");
});
