// What is left half done, which no real router does when it is asked to: the in-process engine keeps of it what the real one keeps,
// and the next run does with it the same. All else is compared on real routers, in test/lab/in-process.test.ts.

import { beforeAll, describe, expect, test } from "vitest";
import { answer, type FakeRouter, fakeRouter, hostKeyPrint, idsIn, userKey } from "../unit/router/server";
import { type Ended, ended, readOf, stateOf } from "./compared";
import { Engine } from "./engine";
import { InProcess } from "./in-process";
import { SUPER, zoneOnly } from "./programs";

const vpc = (rest = "") => `const shop = new vpc6.Vpc("shop", { zone, router, ${rest} });\n`;
const tier = `new vpc6.Tier("web", { vpc: shop, interface: "web0" });\n`;

/** What the router fails with, once it has touched something; the resource's first letters. */
const RUNS: { name: string; what?: "destroy"; text?: string; fails?: string; code: number }[] = [
  { name: "a router", text: "", code: 0 },
  { name: "half made", text: vpc(), fails: "shop", code: 1 },
  { name: "half made, and what needs it", text: vpc() + tier, fails: "shop", code: 1 },
  { name: "made at last", text: vpc() + tier, code: 0 },
  { name: "half changed", text: vpc(`vpcPrefixLength: 56`) + tier, fails: "shop", code: 1 },
  { name: "taken back", text: vpc() + tier, code: 0 },
  { name: "not removed", text: vpc(), fails: "web", code: 1 },
  { name: "removed", text: vpc(), code: 0 },
  { name: "not destroyed", what: "destroy", fails: "shop", code: 1 },
  { name: "destroyed", what: "destroy", code: 0 },
];

type Seen = Ended & { state: Record<string, unknown>; asked: string[] };
const env = { VPC6_SSH_KEY: userKey.private };
let real: Seen[];
let ours: Seen[];

/** The port is the same for both: it stands in the state. */
async function play(start: () => Promise<Engine | InProcess>, router: Failing): Promise<Seen[]> {
  const seen: Seen[] = [];
  await using engine = await start();
  for (const { what = "up", text, fails, code } of RUNS) {
    router.fails = fails;
    router.server.payloads.length = 0;
    if (text !== undefined) await engine.program(programAt(router, text));
    const result = await engine[what]();
    expect(result.code, result.all).toBe(code);
    seen.push({
      ...ended(result),
      state: await stateOf(engine),
      asked: router.server.payloads.map((it) => idsIn(it).join()),
    });
  }
  return seen;
}

function programAt({ server }: Failing, text: string): string {
  const { host, port, user } = server.address;
  return `import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", { ${SUPER}, publicNetwork: { cidr: "2001:db8:ffff::/64" } });
const router = new vpc6.Router("vr1", { zone, host: "${host}", port: ${port}, user: "${user}", hostKey: "${hostKeyPrint}", publicInterface: "pub0" });
${text}`;
}

interface Failing {
  /** The resource's first letters. */
  fails: string | undefined;
  server: FakeRouter;
}

async function fake(): Promise<Failing> {
  const router: Failing = {
    fails: undefined,
    server: await fakeRouter(({ line, input }) => {
      if (!line.includes(" converge ")) return answer("ok 1 same");
      const id = idsIn(input).find((one) => router.fails && one.startsWith(router.fails));
      if (id === undefined) return answer("ok 1 same", { changed: "network" });
      return answer("failed", { touched: "yes", service: "network", id, why: "it is half done" });
    }),
  };
  return router;
}

beforeAll(async () => {
  const router = await fake();
  await using _server = router.server;
  real = await play(() => Engine.start({ env }), router);
  ours = await play(() => InProcess.start({ env }), router);
}, 300_000);

describe.each(RUNS.map(({ name }, index) => ({ name, index })))("$name", ({ index }) => {
  test("ends as with the CLI, and asks the router for the same", () => {
    const { state: _, ...here } = ours[index] as Seen;
    const { state: __, ...there } = real[index] as Seen;
    expect(here).toEqual(there);
  });

  test("leaves the same state", () => {
    expect(ours[index]?.state).toEqual(real[index]?.state);
  });
});

test("something is left half done, and taken up again", () => {
  const shop = (index: number) => Object.entries(real[index]?.state ?? {}).find(([urn]) => urn.endsWith("::shop"))?.[1];
  expect(shop(1)).toMatchObject({ initErrors: [expect.stringContaining("it is half done")] });
  expect(shop(3)).not.toHaveProperty("initErrors");
  expect(shop(4)).toMatchObject({ initErrors: [expect.anything()] });
  expect(real[5]?.sum.join()).toContain("updated");
});

describe("another stack, by a StackReference", () => {
  const owner = (names: string) =>
    zoneOnly(`${SUPER}, reserve: [${names}]`, `export const word = new pulumi.Config("zones").requireSecret("word");`);
  const reader = (stack: string, rest = "") => `import * as pulumi from "@pulumi/pulumi";
const zones = new pulumi.StackReference("organization/${stack}/dev");
export const ledger = zones.requireOutput("ledger");
export const word = zones.requireOutput("word");
${rest}`;
  const READS: {
    name: string;
    owner?: string;
    reader?: string;
    what?: "preview" | "refresh" | "destroy";
    code?: number;
  }[] = [
    { name: "not there yet", reader: reader("zones"), code: 1 },
    { name: "read", owner: owner(`"a"`) },
    { name: "grown", owner: owner(`"a", "b"`) },
    { name: "grown again, and seen by a refresh", owner: owner(`"a", "b", "c"`), what: "refresh" },
    { name: "previewed", what: "preview" },
    { name: "another one, that is nowhere", reader: reader("nowhere"), code: 1 },
    { name: "no more", reader: "export const none = 1;" },
    { name: "again", reader: reader("zones") },
    { name: "destroyed", what: "destroy" },
  ];

  async function read<E extends Engine | InProcess>(start: (name: string, beside?: E) => Promise<E>) {
    await using zones = await start("zones");
    await using shop = await start("shop", zones);
    await zones.config("word", "a-word-of-ours", { secret: true });
    const seen: unknown[] = [];
    for (const { owner, reader, what = "up", code = 0 } of READS) {
      if (owner !== undefined) {
        await zones.program(owner);
        const result = await zones.up();
        expect(result.code, result.all).toBe(0);
      }
      if (reader !== undefined) await shop.program(reader);
      const result = await shop[what]();
      expect(result.code, result.all).toBe(code);
      seen.push({ ...ended(result), state: await stateOf(shop) });
    }
    return seen;
  }

  test("is read, kept, told and forgotten as with the CLI", async () => {
    const cli = await read<Engine>((name, beside) => Engine.start({ name, ...(beside && { beside }) }));
    const inProcess = await read<InProcess>((name, beside) => InProcess.start({ name, ...(beside && { beside }) }));
    for (const [index, { name }] of READS.entries()) expect(inProcess[index], name).toEqual(cli[index]);
    expect(JSON.stringify(cli[2])).toMatch(/2 of 1024 VPC prefixes.*a-word-of-ours/);
  });
});

test("a preview in JSON says the same to whoever reads it", async () => {
  const router = await fake();
  await using _server = router.server;
  const seen = [];
  for (const start of [() => Engine.start({ env }), () => InProcess.start({ env })]) {
    await using engine: Engine | InProcess = await start();
    await engine.program(programAt(router, `${vpc()}${tier}new vpc6.Vpc("old", { zone, router });`));
    const { code, all } = await engine.up();
    expect(code, all).toBe(0);
    await engine.program(
      programAt(router, `${vpc(`domain: "shop.example",`)}${tier}new vpc6.Vpc("new", { zone, router });`),
    );
    for (const args of [["--show-sames"], []]) {
      const { stdout } = await engine.preview({ json: true, args });
      const steps: { op: string; urn: string; newState?: { inputs?: unknown } }[] = JSON.parse(stdout).steps;
      const told = Object.fromEntries(steps.map(({ op, urn, newState }) => [`${op} ${urn}`, newState?.inputs ?? {}]));
      seen.push({ told, read: readOf(stdout) });
    }
  }
  expect(seen.slice(2)).toEqual(seen.slice(0, 2));
  expect(seen[0]?.read.resources.map(({ op, name }) => `${op} ${name}`)).toEqual(
    expect.arrayContaining(["update shop", "create new", "delete old", "same vr1"]),
  );
});
