// A thousand routers in one `pulumi up`: simulated (SSH servers in this process; the provider is a process of its own), some of them
// dead, mute, slow or short of places. For fleet.test.ts and for `make bench`.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { answer, type FakeRouter, fakeRouter, hostKeyPrint, tcpServer, userKey } from "../unit/router/server";
import { type Ended, Engine } from "./engine";

export const PARALLEL = 64;
const SLOW = 3_000;
/** Where they listen. The engine and its plugins do at 127.0.0.1, and would take the port of a router that is gone. */
const HOST = "127.0.0.2";

/** Every tenth router is one of these, in turn; all others are as they should be. */
const kinds = ["dead", "mute", "stranger", "resets", "slow"] as const;
const kindOf = (i: number) => (i % 10 === 5 ? (kinds[Math.floor(i / 10) % kinds.length] ?? "well") : "well");
export const reached = (kind: string) => ["well", "resets", "slow"].includes(kind);

/** The provider's resident memory in MB, and its open files. */
function provider(engine: Engine): { rss: number; files: number } | undefined {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`) !== engine.folder) continue;
      const [program = "", script = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (!/node$/.test(program) || !script.includes("dynamic-provider")) continue;
      const [, kb = "0"] = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      return { rss: Number(kb) / 1024, files: readdirSync(`/proc/${pid}/fd`).length };
    } catch {
      // Gone meanwhile, or somebody else's.
    }
  }
  return undefined;
}

/** What a router says that has all it was given. */
function observation(there: Map<string, string>): string {
  const lines = ["vpc6-transaction 1"];
  for (const [id, text] of there) lines.push(`set ${id}`, ...text.split("\n").filter((line) => line !== ""));
  return `${lines.join("\n")}\nend ${lines.length}\nvpc6-drift 1\nend vpc6-drift\n`;
}

/** What the up of a fleet came to: seconds, and what was in use at most. */
export interface Fleet extends AsyncDisposable {
  engine: Engine;
  routers: (FakeRouter & { kind: string })[];
  /** How many of them cannot be reached. */
  failed: number;
  up: Ended;
  took: number;
  /** Of the provider: resident MB, open files; connections and dials at a time. */
  seen: { rss: number; files: number; open: number; dials: number };
}

/** Each has a Router and two VPCs, and all are in one stack. */
export async function fleet(count: number): Promise<Fleet> {
  const stack = new AsyncDisposableStack();
  const routers: (FakeRouter & { kind: string })[] = [];
  for (let i = 0; i < count; i++) {
    const kind = kindOf(i);
    let dials = 0;
    const there = new Map<string, string>();
    const fake = await fakeRouter(
      async ({ line, input }) => {
        await new Promise((pause) => setTimeout(pause, kind === "slow" ? SLOW : 100));
        if (line.endsWith(" observe")) return { stdout: observation(there) };
        for (const [, id = "", text = ""] of input.matchAll(/^set (.*)\n(?:fresh\n)?((?:(?:slot |\|).*\n)*)/gm))
          there.set(id, text);
        return answer("ok 1 same", { changed: "network" });
      },
      { login: () => kind !== "stranger", accept: () => kind !== "resets" || ++dials > 2, host: HOST },
    );
    if (kind !== "dead") stack.use(fake);
    if (kind === "mute") fake.address.port = stack.use(await tcpServer(() => {}, HOST)).port;
    routers.push(Object.assign(fake, { kind }));
  }
  // Only now: else the next one would get the port.
  for (const router of routers) if (router.kind === "dead") await router[Symbol.asyncDispose]();
  const engine = stack.use(
    await Engine.start({
      // Its memory is measured.
      plain: true,
      env: {
        VPC6_SSH_KEY: userKey.private,
        SSH_AUTH_SOCK: "",
        PULUMI_SKIP_CHECKPOINTS: "true",
        PULUMI_EXPERIMENTAL: "true",
      },
    }),
  );
  const ports = JSON.stringify(routers.map(({ address }) => address.port));
  await engine.program(`
import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/48" });
for (const [i, port] of ${ports}.entries()) {
  const router = new vpc6.Router("vr" + i, {
    zone, host: "${HOST}", port, user: "root", hostKey: "${hostKeyPrint}", publicInterface: "pub0",
  });
  for (const letter of ["a", "b"]) new vpc6.Vpc(letter + i, { zone, router });
}
`);

  const seen = { rss: 0, files: 0, open: 0, dials: 0 };
  const watch = setInterval(() => {
    const now = provider(engine);
    seen.rss = Math.max(seen.rss, now?.rss ?? 0);
    seen.files = Math.max(seen.files, now?.files ?? 0);
  }, 500);
  const counting = setInterval(() => {
    const open = routers.flatMap(({ open }) => [...open]).length;
    seen.open = Math.max(seen.open, open);
    const well = routers.filter(({ kind }) => kind === "well");
    seen.dials = Math.max(
      seen.dials,
      well.reduce((sum, { connections, logins }) => sum + connections - logins, 0),
    );
  }, 20);
  const stop = () => [watch, counting].forEach(clearInterval);
  stack.defer(stop);

  const began = Date.now();
  // Else the engine itself starts nothing more after the first failure.
  const up = await engine.up({ args: ["--parallel", String(PARALLEL), "--continue-on-error"] });
  const took = (Date.now() - began) / 1000;
  stop();
  const failed = routers.filter(({ kind }) => !reached(kind)).length;
  return { engine, routers, failed, up, took, seen, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
