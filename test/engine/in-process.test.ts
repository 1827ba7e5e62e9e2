// What is left half done, which no real router does when it is asked to: the in-process engine keeps of it what the real one keeps,
// and the next run does with it the same. All else is compared on real routers, in test/lab/in-process.test.ts.

import { beforeAll, describe, expect, test } from "vitest";
import { answer, type FakeRouter, fakeRouter, hostKeyPrint, idsIn, userKey } from "../unit/router/server";
import { type Ended, ended, stateOf } from "./compared";
import { Engine } from "./engine";
import { InProcess } from "./in-process";
import { SUPER } from "./programs";

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
  const { host, port, user } = router.server.address;
  const seen: Seen[] = [];
  await using engine = await start();
  for (const { what = "up", text, fails, code } of RUNS) {
    router.fails = fails;
    router.server.payloads.length = 0;
    if (text !== undefined) {
      await engine.program(`import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", { ${SUPER}, publicNetwork: { cidr: "2001:db8:ffff::/64" } });
const router = new vpc6.Router("vr1", { zone, host: "${host}", port: ${port}, user: "${user}", hostKey: "${hostKeyPrint}", publicInterface: "pub0" });
${text}`);
    }
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
