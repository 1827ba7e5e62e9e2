// A zone of 1,024 VPCs: what a reviewer sees of one more, and how often routers are asked. The router is simulated (an SSH
// server that says yes): this is about the engine, the ledger and the connection, not about daemons. `make test` makes some of the VPCs
// and reserves the prefixes of the others; `make test-fleet` makes them all.

import { expect, test } from "vitest";
import { answer, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { Engine } from "./engine";

const VPCS = process.env.VPC6_FLEET === undefined ? 128 : 1024;

test("one more VPC in a zone of 1,024 fits on a screen, and shows its prefix and its router's new lines", async () => {
  await using router = await fakeRouter(async () => {
    await new Promise((done) => setTimeout(done, 100)); // about what a real one takes
    return answer("ok 1 same", { changed: "network" });
  });
  await using engine = await Engine.start({
    // Without checkpoints, which make 1,000 resources on the file backend take minutes.
    env: { VPC6_SSH_KEY: userKey.private, PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" },
  });
  const { host, port, user } = router.address;
  const zone = (count: number) => `
import * as vpc6 from "vpc6";
const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => "v" + String(from + i + 1).padStart(4, "0"));
const zone = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/49", reserve: names(${VPCS}, 1024) });
const router = new vpc6.Router("vr1", {
  zone, host: "${host}", port: ${port}, user: "${user}", hostKey: "${hostKeyPrint}", publicInterface: "pub0",
});
for (const name of [...names(0, ${VPCS}), ...names(1024, ${count})]) new vpc6.Vpc(name, { zone, router });
`;
  await engine.program(zone(1024));
  const up = await engine.up({ args: ["--parallel", "64"] });
  expect(up.code, up.all).toBe(0);
  expect(router.connections).toBe(1);
  // Gathered: many VPCs in each transaction.
  expect(router.commands.length).toBeLessThan(VPCS / 4);

  await engine.program(zone(1025));
  const { code, stdout, all } = await engine.preview({ diff: true });
  expect(code, all).toBe(0);
  expect(stdout).toMatch(/\+ vpc +2001:67c:2834:4000::\/60 +v1025/);
  // Of the ledger its line, and two lines around what changes: its head, and its end.
  expect(stdout.match(/\bvpc +2001:\S+ +v\d+/g)?.length, stdout).toBeLessThan(8);
  expect(stdout).toContain("unreachable 2001:67c:2834:4000::/60");
  expect(stdout).toMatch(/cidr +: "2001:67c:2834:4000::\/60"/);
  expect(stdout.trim().split("\n").length, stdout).toBeLessThan(60);
  expect(router.connections).toBe(1);
}, 300_000);
