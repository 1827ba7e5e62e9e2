// A thousand routers in one `pulumi up` (fleet.ts). `make test` takes a few of them, `make test-fleet` a thousand (VPC6_FLEET).

import { expect, test } from "vitest";
import { most } from "../../provider/router/gate";
import { fleet, PARALLEL } from "./fleet";

const COUNT = Number(process.env.VPC6_FLEET ?? 50);

test(`${COUNT} routers: those that can be reached are done, whatever the others do`, async () => {
  await using all = await fleet(COUNT);
  const { engine, routers, failed, up, took, seen } = all;
  console.log(
    `${COUNT} routers (${failed} unreachable), ${3 * COUNT} resources: ${took.toFixed(1)} s; provider ${seen.rss.toFixed(0)} MB, ` +
      `${seen.files} files, ${seen.open} connections and ${seen.dials} dials at a time at most`,
  );
  expect(up.code, up.all).not.toBe(0);
  expect(up.all).toContain(`${failed} of ${COUNT} routers failed:`);
  expect(up.all).toMatch(
    /vr5 \(root@127\.0\.0\.2:\d+\): cannot connect to .*: connect ECONNREFUSED.* \(Router "vr5"\)/,
  );
  expect(up.all).toMatch(/vr15 .*: 127\.0\.0\.2 port \d+ accepts connections but says nothing/);
  expect(up.all).toMatch(/vr25 .*: 127\.0\.0\.2 does not let root log in/);
  const { resources = [] } = (await engine.export()).deployment;
  expect(resources.filter(({ type }) => /:(Router|Vpc)$/.test(type))).toHaveLength(3 * (COUNT - failed));
  // Provider and engine hold no more than they need.
  expect(seen.dials).toBeLessThanOrEqual(most.dials);
  expect(seen.open).toBeLessThanOrEqual(PARALLEL + 2 * 64);
  expect(seen.rss).toBeLessThan(400);
  expect(seen.files).toBeLessThan(PARALLEL + 2 * 64 + 100);

  // A refresh asks all of them; of each that is gone the first resource says all, and the others where that stands.
  const gone = routers.filter(({ kind }) => kind === "well").slice(0, 3);
  for (const { open } of gone) for (const client of open) client.end();
  await Promise.all(gone.map((router) => router[Symbol.asyncDispose]()));
  const refresh = await engine.refresh({ args: ["--parallel", String(PARALLEL)] });
  expect(refresh.code).not.toBe(0);
  expect(refresh.all).toContain(`3 of ${COUNT - failed} routers failed:`);
  expect(refresh.all).toMatch(/vr0 .*: cannot connect to .*: connect ECONNREFUSED.* and 2 more\)/);
  expect(
    refresh.all.match(/cannot connect to 127\.0\.0\.2 port \d+ \(see (Router|Vpc) "\w+"\)/g)?.length,
  ).toBeGreaterThanOrEqual(6);
}, 900_000);
