// Every kind of resource under every operation of Pulumi's: afterwards the routers have what the state says, and the next preview says nothing; or
// it was refused in words before anything was touched. The routers are simulated; test/lab/forced.test.ts and handovers.test.ts have real ones, for
// what makes and deletes. The table is in docs/previews.md.

import { afterAll, beforeAll, expect, test } from "vitest";
import { kinds } from "../../provider/kinds";
import { typeToken } from "../../resources/resource";
import { fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { Engine } from "./engine";
import { keeper } from "./keeper";

let engine: Engine;
const stop = new AsyncDisposableStack();
const routers = { vr1: keeper(), edge: keeper() };
let machines: Record<keyof typeof routers, string>;

/** One of each kind. `opts`: of all; `last`: of those that nothing else needs; `version`: what it says of itself; `without`: what is left out. */
interface Program {
  opts?: string;
  last?: string;
  version?: number;
  without?: "leaves";
}
const program = ({ opts = "{}", last = opts, version = 1, without }: Program = {}): string => `
import * as vpc6 from "vpc6";
const [opts, last] = [${opts}, ${last}];
const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50", isolatedCidr: "2001:db8:2800::/56", asnRange: "4200000000-4200000999",
  publicNetwork: { cidr: "2001:db8:ffff::/64" },
}, opts);
const vr1 = new vpc6.Router("vr1", { zone, ${machines.vr1}, publicInterface: "pub0", publicServices: ["tcp/${9000 + version}"] }, opts);
const shop = new vpc6.Vpc("shop", { zone, router: vr1, ntpServers: ["2001:db8:7::${version}"] }, opts);
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" }, opts);
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11", hostname: "v${version}" }, opts);
const offices = new vpc6.ExternalNetwork("offices", { entries: ["2001:db8:7::/48", "2001:db8:8::${version}"] }, opts);
${
  without === "leaves"
    ? ""
    : `
new vpc6.SecondaryAddress("site", { instances: [web1], hostname: "site${version}" }, last);
new vpc6.IsolatedNetwork("kiosks", { zone, router: vr1, interface: "cache0", domain: "k${version}.example" }, last);
new vpc6.NetworkAcl("front", { tiers: [web], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "${440 + version}", sources: [offices] },
] }, last);
new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", members: [{ instance: web1, port: ${8080 + version} }] }, last);
new vpc6.Nat64("nat64", { vpc: shop, dns64: { recursiveOnly: ${version % 2 === 0} } }, last);
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000, timers: { keepalive: ${9 + version}, hold: 90 } }, last);
new vpc6.Uplink("cloud", { zone, ${machines.edge}, asn: 65000, timers: { keepalive: ${9 + version}, hold: 90 } }, last);`
}
`;

const ours = async () =>
  ((await engine.export()).deployment.resources ?? []).filter(({ type }) => type.startsWith(typeToken("")));
const kindOf = (type: string) => type.slice(typeToken("").length);
const urnsOf = async (...some: string[]) =>
  (await ours()).filter(({ type }) => some.includes(kindOf(type))).map(({ urn }) => urn);

/** By id, what routers have and what the state says that they have. */
async function both() {
  const there = Object.values(routers).flatMap(({ fragments }) => [...fragments.keys()]);
  const said = (await ours()).filter(({ inputs }) => Object.values(inputs?.fragments ?? {}).some((it) => it !== ""));
  return { there: there.sort(), said: said.map(({ id = "" }) => id).sort() };
}

/** The routers have what the state says, and a preview has nothing to say: not what is to be done, and not what differs. */
async function agrees(): Promise<void> {
  const { there, said } = await both();
  expect(there).toEqual(said);
  const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(code, all).toBe(0);
}

async function up(text: string, ...args: string[]): Promise<string> {
  await engine.program(text);
  const { code, all } = await engine.up({ args });
  expect(code, all).toBe(0);
  return all;
}

/** Neither on the routers nor in the state: what they agreed on, they agree on still. */
async function nothing(): Promise<() => Promise<void>> {
  const [before, state] = [looks(), await ours()];
  return async () => expect([looks(), await ours()]).toEqual([before, state]);
}

const looks = () => JSON.stringify(Object.values(routers).map(({ fragments }) => [...fragments].sort()));

beforeAll(async () => {
  const places = await Promise.all(Object.values(routers).map((router) => fakeRouter(router.respond)));
  for (const place of places) stop.use(place);
  const at = places.map(({ address: { host, port } }) => `host: "${host}", port: ${port}, hostKey: "${hostKeyPrint}"`);
  machines = { vr1: at[0] ?? "", edge: at[1] ?? "" };
  engine = stop.use(await Engine.start({ env: { VPC6_SSH_KEY: userKey.private } }));
  await up(program(), "--parallel", "64");
});

afterAll(() => stop.disposeAsync());

test("all kinds are here, made 64 at a time", async () => {
  expect(new Set((await ours()).map(({ type }) => kindOf(type)))).toEqual(new Set(Object.keys(kinds)));
  await agrees();
});

test("--target and --exclude: of what changes, those alone; the rest is in the next preview, and then there", async () => {
  await engine.program(program({ version: 2 }));
  const some = await urnsOf("Instance", "IsolatedNetwork", "Uplink");
  const target = await engine.up({ args: some.flatMap((urn) => ["--target", urn]) });
  expect(target.code, target.all).toBe(0);
  expect(target.all).toContain("~ 3 updated");
  const exclude = await engine.up({ args: (await urnsOf("NetworkAcl")).flatMap((urn) => ["--exclude", urn]) });
  expect(exclude.code, exclude.all).toBe(0);
  const rest = await up(program({ version: 2 }), "--parallel", "1", "--skip-preview=false");
  for (const said of ["~ 1 to update", "~ 1 updated"]) expect(rest).toContain(said);
  await agrees();
});

test("replaceOnChanges: what changes is updated in its place", async () => {
  const all = await up(program({ version: 3, opts: '{ replaceOnChanges: ["*"], protect: true }' }));
  expect(all).not.toContain("replaced");
  await agrees();
});

test("protect: a destroy is refused, and nothing was touched", async () => {
  const untouched = await nothing();
  expect((await engine.destroy()).code).not.toBe(0);
  await untouched();
});

test("retainOnDelete and `state delete`: what is in no state stays, and is taken over by who makes it again", async () => {
  await up(program({ version: 3, last: "{ retainOnDelete: true }" }));
  const before = await both();
  for (const urn of await urnsOf("IsolatedNetwork", "LoadBalancer"))
    expect((await engine.run(["state", "delete", urn, "--yes"])).code).toBe(0);
  await up(program({ version: 3, without: "leaves" }));
  expect((await both()).there).toEqual(before.there);
  const told = await engine.refresh();
  expect(told.all).toContain("has of this stack what is in no state: ");
  await up(program({ version: 3 }));
  expect(await both()).toEqual(before);
  await agrees();
});

test("import is refused, and nothing was touched: a prefix is given out, and not found", async () => {
  const untouched = await nothing();
  const { code } = await engine.run(["import", "--yes", "--generate-code=false", typeToken("Tier"), "db", "db@1"]);
  expect(code).not.toBe(0);
  await untouched();
});

test("state rename, and the new name in the program: refused with what to write, and that is what helps", async () => {
  const [urn = ""] = await urnsOf("Instance");
  expect((await engine.run(["state", "rename", urn, "front1", "--yes"])).code).toBe(0);
  const before = looks();
  const renamed = program({ version: 3 }).replace('"web1", {', '"front1", {');
  await engine.program(renamed);
  const { code, all } = await engine.up();
  expect([code !== 0, looks() === before]).toEqual([true, true]);
  expect(all).toMatch(/claim: "front1" was "web1" and would move .* or `claim: "web1"`, to keep it/);
  await up(renamed.replace('"front1", {', '"front1", { claim: "web1",'));
  await agrees();
});

test("destroy leaves nothing", async () => {
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  expect((await both()).said).toEqual([]);
});
