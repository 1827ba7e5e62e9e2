// `vpc6 report` and `vpc6 map` as a user runs them: the real engine's preview, piped through the program that npm installs.
// With VPC6_KEEP_PREVIEWS=1 what the engine says is written to test/unit/report/previews, for the unit tests.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { answer, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";
import { previews } from "./changes";
import { Engine } from "./engine";

test("previews of the real engine", async () => {
  await using router = await fakeRouter(() => answer("ok 1 same", { changed: "network" }));
  await using engine = await Engine.start({ env: { VPC6_SSH_KEY: userKey.private } });
  const { port } = router.address;
  const texts = await previews(engine, { port, hostKey: hostKeyPrint });
  texts.export = JSON.stringify(await engine.export(), null, 4);
  if (process.env.VPC6_KEEP_PREVIEWS)
    keep(texts, (text) =>
      text
        .replaceAll(engine.folder, "/project")
        .replaceAll(`${port}`, "2222")
        .replaceAll(hostKeyPrint, `SHA256:${"A".repeat(43)}`)
        .replaceAll("127.0.0.1", "192.0.2.1"),
    );
  expect(1).toBe(1);
}, 300_000);

/** What tests look at, without the traces of the machine it was made on. */
function keep(texts: Record<string, string>, anonymous: (text: string) => string): void {
  const folder = path.join(import.meta.dirname, "../unit/report/previews");
  mkdirSync(folder, { recursive: true });
  const dropped = new Set([
    "sourcePosition",
    "stackTrace",
    "created",
    "modified",
    "propertyDependencies",
    "manifest",
    "duration",
  ]);
  for (const [name, text] of Object.entries(texts)) {
    const value = JSON.parse(anonymous(text), (key, it) => (dropped.has(key) ? undefined : it));
    writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(value, null, 1)}\n`);
  }
}
