// What one run takes from one resource and gives to another: everything renamed without an alias, swaps and rounds. Pulumi makes and changes
// before it deletes, in an order of its own; whatever the order, afterwards the router has what the program says, and a refresh nothing to say.

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kinds } from "../../provider/kinds";
import { typeToken } from "../../resources/resource";
import type { Engine } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { lab } from "./lab.ts";
import { operatorsIpv4, ownPackages, program, startInProcess } from "./stack.ts";

let engine: InProcess;

/** Of each kind one, called so, with the same values whatever it is called. */
async function everything(mark: string): Promise<string> {
  const env = await lab.env();
  const named = (name: string) => JSON.stringify(mark + name);
  return await program(
    `
new vpc6.Uplink(${named("cloud")}, { zone, host: "${env.EDGE_HOST}", hostKey: "${env.EDGE_HOST_KEY}", asn: 65000, address: "2001:db8:ffff::2" });
const vr1 = new vpc6.Router(${named("vr1")}, {
  zone, host: "${env.VR1_HOST}", hostKey: "${env.VR1_HOST_KEY}", publicInterface: "pub0", address: "2001:db8:ffff::11", asn: 4200000007,
});
const shop = new vpc6.Vpc(${named("shop")}, { zone, router: vr1, cidr: "2001:67c:2834:40::/60" });
const web = new vpc6.Tier(${named("web")}, {
  vpc: shop, interface: "web0", cidr: "2001:67c:2834:41::/64", ipv4: { cidr: "10.1.1.0/24" },
});
const web1 = new vpc6.Instance(${named("web1")}, {
  tier: web, mac: "02:00:00:00:01:11", address: "2001:67c:2834:41::a1", ipv4Address: "10.1.1.11", password: "correct-horse-battery",
});
new vpc6.SecondaryAddress(${named("site")}, { instances: [web1], address: "2001:67c:2834:41::b1", ipv4Address: "10.1.1.12" });
new vpc6.IsolatedNetwork(${named("kiosks")}, { zone, router: vr1, interface: "cache0", cidr: "2001:db8:2800::/64" });
const offices = new vpc6.ExternalNetwork(${named("offices")}, { entries: ["2001:db8:7::/48"] });
new vpc6.NetworkAcl(${named("front")}, { tiers: [web], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "443", sources: [offices] },
] });
new vpc6.LoadBalancer(${named("www")}, {
  vpc: shop, address: "2001:67c:2834:40::99", port: 80, mode: "http", members: [{ instance: web1, port: 8080 }],
});
new vpc6.Nat64(${named("nat64")}, { vpc: shop, prefix: "2001:67c:2834:40:64::/96" });
new vpc6.BgpPeer(${named("uplink")}, { vpc: shop, remoteAsn: 65000, address: "2001:db8:ffff::2", timers: { keepalive: ${mark === "" ? 10 : 20}, hold: 60 } });
`,
    { routers: {}, zone: 'asnRange: "4200000000-4200000999", isolatedCidr: "2001:db8:2800::/56",' },
  );
}

/** Two tiers and two guests, as a round of values. */
const pairs = (interfaces: string[], addresses: string[], macs = ["02:00:00:00:01:11", "02:00:00:00:01:12"]) => `
const vr1 = new vpc6.Router("vr1", { ...machine });
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const web = new vpc6.Tier("web", { vpc: shop, cidr: "2001:67c:2834:1::/64", interface: "${interfaces[0]}" });
const db = new vpc6.Tier("db", { vpc: shop, cidr: "2001:67c:2834:2::/64", interface: "${interfaces[1]}" });
${macs.map((mac, at) => `new vpc6.Instance("g${at}", { tier: web, mac: "${mac}", address: "${addresses[at]}" });`).join("\n")}
`;

async function two(...values: Parameters<typeof pairs>): Promise<string> {
  const env = await lab.env();
  const machine = `const machine = { zone, host: "${env.VR1_HOST}", hostKey: "${env.VR1_HOST_KEY}", publicInterface: "pub0" };`;
  return await program(`${machine}\n${pairs(...values)}`, { routers: {} });
}

async function becomes(text: string, args: string[] = [], on: Engine | InProcess = engine): Promise<string> {
  await on.program(text);
  const { code, all } = await on.up({ args });
  expect(code, all).toBe(0);
  const seen = await on.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(seen.code, seen.all).toBe(0);
  return all;
}

const read = async (router: "vr1" | "edge", command: string) =>
  (await lab.exec(router, command)).stdout.trim().split(/ *\n/);
const ids = async (router: "vr1" | "edge") =>
  read(
    router,
    "find /etc/vpc6/confirmed/fragments -type f -printf '%f\\n' | sort -u; ls /etc/vpc6/confirmed | grep yields || true",
  );

beforeAll(async () => {
  await lab.down();
  lab.debian13();
  await lab.up("uplink", "vr1", "edge");
  await ownPackages("vr1");
  await operatorsIpv4();
  engine = await startInProcess();
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("everything renamed without an alias has what it had, the machine itself too; and once more, one after the other", async () => {
  await becomes(await everything(""));
  const resources = (await engine.export()).deployment.resources ?? [];
  const ours = resources.filter(({ type }) => type.startsWith(typeToken("")));
  expect(new Set(ours.map(({ type }) => type))).toEqual(new Set(Object.keys(kinds).map(typeToken)));
  const before = await ids("vr1");
  // Of the Router's things all stay where they are; the zone keeps its name.
  for (const [mark, ...args] of [["new-"], ["", "--parallel=1"]] as const) {
    const said = await becomes(await everything(mark), args);
    expect(said).toContain(`${ours.length - 1} created`);
    expect(said).toContain(`${ours.length - 1} deleted`);
    for (const router of ["vr1", "edge"] as const)
      for (const id of await ids(router)) expect(id.startsWith(mark) || id.includes(`:${mark}`), id).toBe(true);
  }
  expect(await ids("vr1")).toEqual(before);
});

test("interfaces, addresses and MACs go round, one after the other and all at once, whichever comes first", async () => {
  const at = (last: string) => `2001:67c:2834:1::${last}`;
  await becomes(await two(["web0", "db0"], [at("a1"), at("a2")]));
  const links = () => read("vr1", "ip -o -6 addr show scope global | awk '$4 ~ /2834:[12]:/ { print $2, $4 }' | sort");
  const neighbors = () =>
    read("vr1", "ip -6 neigh show nud permanent dev web0; ip -6 neigh show nud permanent dev db0");
  expect(await links()).toEqual(["db0 2001:67c:2834:2::1/64", "web0 2001:67c:2834:1::1/64"]);
  // Swaps of all three at once, and back.
  const [one = "", other = ""] = ["02:00:00:00:01:11", "02:00:00:00:01:12"];
  await becomes(await two(["db0", "web0"], [at("a2"), at("a1")], [other, one]), ["--parallel=1"]);
  expect(await links()).toEqual(["db0 2001:67c:2834:1::1/64", "web0 2001:67c:2834:2::1/64"]);
  await becomes(await two(["web0", "db0"], [at("a1"), at("a2")]));
  expect(await links()).toEqual(["db0 2001:67c:2834:2::1/64", "web0 2001:67c:2834:1::1/64"]);
  // Of addresses alone; then a chain, from either end: what one leaves another takes.
  await becomes(await two(["web0", "db0"], [at("a2"), at("a1")]), ["--parallel=1"]);
  expect((await neighbors()).sort()).toEqual([
    `${at("a1")} lladdr ${other} PERMANENT`,
    `${at("a2")} lladdr ${one} PERMANENT`,
  ]);
  await becomes(await two(["web0", "db0"], [at("a3"), at("a2")]), ["--parallel=1"]);
  await becomes(await two(["web0", "db0"], [at("a2"), at("a1")]), ["--parallel=1"]);
  expect((await neighbors()).sort()).toEqual([
    `${at("a1")} lladdr ${other} PERMANENT`,
    `${at("a2")} lladdr ${one} PERMANENT`,
  ]);
});

test("what two of one program want is refused with both names, also where it shows on the router only", async () => {
  const text = await two(["web0", "db0"], ["2001:67c:2834:1::a2", "2001:67c:2834:1::a1"]);
  const mac = (await read("vr1", "cat /sys/class/net/web0/address"))[0];
  await engine.program(`${text}new vpc6.Tier("twin", { vpc: shop, mac: "${mac}" });`);
  const { code, all } = await engine.up();
  expect(code).not.toBe(0);
  expect(all).toMatch(/interface web0: already said by (web|twin)@/);
  expect(all).toMatch(/web@\S+ is in the program too, and asks for the same as twin@\S+: only one of both can have it/);
  await becomes(text);
});

/** `pulumi stack export | npx vpc6 orphans`. */
async function orphans(cli: Engine, ...args: string[]): Promise<{ code: number; said: string }> {
  const { stdout } = await cli.run(["stack", "export"]);
  const { VPC6_SSH_KEY_FILE = "" } = await lab.env();
  const main = path.resolve("dist/cli/main.js");
  const running = promisify(execFile)(process.execPath, [main, "orphans", ...args], {
    env: { ...process.env, VPC6_SSH_KEY_FILE, SSH_AUTH_SOCK: "" },
  });
  running.child.stdin?.end(stdout);
  return await running.then(
    (ended) => ({ code: 0, said: ended.stdout }),
    (error) => ({ code: error.code, said: error.stdout + error.stderr }),
  );
}

async function forget(cli: Engine, name: string): Promise<void> {
  const urn = (await cli.export()).deployment.resources?.find((it) => it.urn.endsWith(`::${name}`))?.urn ?? "";
  expect((await cli.run(["state", "delete", urn, "--yes"])).code).toBe(0);
}

test("what is in no state any more goes over to who asks for it, is told by a refresh, and dropped by one command", async () => {
  await engine.underTheCli(async (cli) => {
    const text = await two(["web0", "db0"], ["2001:67c:2834:1::a2", "2001:67c:2834:1::a1"]);
    // Its id is of the address that it was made with, another one by now.
    await forget(cli, "g1");
    await cli.program(text);
    const { code, all } = await cli.up();
    expect(code, all).toBe(0);
    const seen = await cli.preview({ args: ["--refresh", "--expect-no-changes"] });
    const told = /router vr1 has of this stack what is in no state: g1@2001:67c:2834:1::a2\. See them, and drop them/;
    expect([seen.code, told.test(seen.all)], seen.all).toEqual([0, true]);
    // Of a part of the state nothing is said of the rest.
    const part = await cli.run(["refresh", "--yes", "--target", "urn:pulumi:dev::test::*::g0"]);
    expect([part.code, part.all.includes("in no state")], part.all).toEqual([0, false]);
    expect(await orphans(cli)).toEqual({ code: 5, said: "vr1: g1@2001:67c:2834:1::a2\n" });
    expect(await orphans(cli, "--drop")).toEqual({ code: 0, said: "vr1: g1@2001:67c:2834:1::a2, dropped\n" });
    expect(await orphans(cli)).toEqual({ code: 0, said: "" });
    expect((await ids("vr1")).filter((id) => id.startsWith("g1@"))).toEqual(["g1@2001:67c:2834:1::a1"]);
    await becomes(text, [], cli);
  });
});

test("deletedWith: a Router that takes the others along says what is left, and goes once that is dropped", async () => {
  await engine.underTheCli(async (cli) => {
    const text = await two(["web0", "db0"], ["2001:67c:2834:1::a2", "2001:67c:2834:1::a1"]);
    const along = `pulumi.runtime.registerStackTransformation(({ type, props, opts }) =>
  /:(Vpc|Tier|Instance)$/.test(type) ? { props, opts: { ...opts, deletedWith: vr1 } } : undefined);`;
    await becomes(
      `import * as pulumi from "@pulumi/pulumi";\n${text.replace("const shop =", `${along}\nconst shop =`)}`,
      [],
      cli,
    );
    const early = await cli.destroy();
    expect(early.code).not.toBe(0);
    expect(early.all).toMatch(/web@2001:67c:2834:\S+, of stack organization\/test\/dev/);
    expect(early.all).toContain("npx vpc6 orphans");
    expect((await orphans(cli, "--drop")).said.split("\n").length).toBe(6);
    expect((await cli.destroy()).code).toBe(0);
    expect((await lab.exec("vr1", "ls -d /etc/vpc6 /var/lib/vpc6", { check: false })).stdout).toBe("");
  });
});
