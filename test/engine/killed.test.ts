// A run that is killed leaves nothing running, and the next one carries on. The router is simulated: this is about processes.

import { readdirSync, readlinkSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { answer, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { Engine } from "./engine";

/** The processes whose folder is the project's: the engine's plugins. */
const left = (engine: Engine): string[] =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === engine.folder;
    } catch {
      return false; // gone meanwhile, or somebody else's
    }
  });

test("kill -9 of the engine in the middle of a create", async () => {
  await using router = await fakeRouter(async () => {
    await new Promise((done) => setTimeout(done, 500));
    return answer("ok 1 same", { changed: "network" });
  });
  await using engine = await Engine.start({ env: { VPC6_SSH_KEY: userKey.private } });
  const { host, port, user } = router.address;
  await engine.program(`
import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/50" });
const router = new vpc6.Router("vr1", {
  zone, host: "${host}", port: ${port}, user: "${user}", hostKey: "${hostKeyPrint}", publicInterface: "pub0",
});
export const cidr = new vpc6.Vpc("shop", { zone, router }).cidr;
`);
  const run = engine.spawn(["up", "--yes", "--skip-preview"]);
  await vi.waitFor(() => expect(router.commands.length).toBeGreaterThan(0), { timeout: 30_000, interval: 20 });
  run.child.kill("SIGKILL");
  expect((await run.ended).code).toBe(137);
  await vi.waitFor(() => expect(left(engine)).toEqual([]), { timeout: 10_000, interval: 200 });

  await engine.run(["cancel", "--yes"]);
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  expect(await engine.output("cidr")).toBe("2001:67c:2834::/60");
  expect((await engine.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
});
