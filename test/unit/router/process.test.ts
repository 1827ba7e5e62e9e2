// The end of the provider process, in a process of its own that carries the provider's name.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const source = pathToFileURL(join(__dirname, "../../../provider/router/process.ts")).href;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vpc6-"));
  mkdirSync(join(folder, "dynamic-provider"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a host whose work takes `work` ms, and `waits` for nothing else; resolves with its end. */
function host(name: string, work: number, then: (child: ReturnType<typeof spawn>) => void) {
  const file = join(folder, name);
  writeFileSync(
    file,
    `import { begin, installSignalHandling, stopping } from ${JSON.stringify(source)};
     installSignalHandling();
     installSignalHandling();
     setInterval(() => {}, 1000);
     if (${work} > 0) { const end = begin(); setTimeout(() => { console.log("worked", stopping()); end(); }, ${work}); }
     console.log("ready");`,
  );
  const child = spawn(process.execPath, ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  let since = 0;
  child.stdout?.on("data", (data: Buffer) => {
    if (!said.includes("ready") && `${said}${data}`.includes("ready")) {
      since = performance.now();
      then(child);
    }
    said += data;
  });
  return new Promise<{ code: number | null; signal: string | null; said: string; ms: number }>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, said, ms: performance.now() - since })),
  );
}

describe("the provider process", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("exits at once when idle: %s", async (signal) => {
    const end = await host("dynamic-provider/index.mjs", 0, (child) => child.kill(signal));
    expect(end).toMatchObject({ code: 0, signal: null });
    expect(end.ms).toBeLessThan(1_000);
  });

  it("finishes what it is at, starts nothing new, and exits", async () => {
    const end = await host("dynamic-provider/index.mjs", 700, (child) => child.kill("SIGINT"));
    expect(end).toMatchObject({ code: 0, said: "ready\nworked true\n" });
    expect(end.ms).toBeLessThan(2_000);
  });

  it("abandons what takes longer than 4 s", async () => {
    const end = await host("dynamic-provider/index.mjs", 60_000, (child) => child.kill("SIGINT"));
    expect(end).toMatchObject({ code: 0, said: "ready\n" });
    expect(end.ms).toBeGreaterThan(3_500);
    expect(end.ms).toBeLessThan(4_900);
  }, 10_000);

  it("leaves the signals of any other host alone", async () => {
    const end = await host("program.mjs", 0, (child) => child.kill("SIGINT"));
    expect(end).toMatchObject({ code: null, signal: "SIGINT" });
  });
});
