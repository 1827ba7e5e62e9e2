// Upgrades: the states that earlier versions of vpc6 wrote, under today's code. A folder of states/ is a version: its program, with every
// kind of resource there was, and the stack it made, its secrets under the passphrase "test". Today's preview of it is empty, or updates only
// what the folder's changes.txt names, and no prefix, address or AS number moves. `make fixture` writes the folder of the version in
// package.json; that of a released version stays as it is for ever.

import { execFileSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import * as kinds from "../../provider";
import type { Fragments } from "../../provider/kind";
import { decode, encode } from "../../provider/router/payload";
import {
  type Asked,
  answer,
  type FakeRouter,
  fakeRouter,
  hostKeyPrint,
  type Reply,
  userKey,
} from "../unit/router/server";
import { Engine, type State, type StateResource } from "./engine";
import { InProcess } from "./in-process";

const repository = path.join(import.meta.dirname, "../..");
const folder = path.join(import.meta.dirname, "states");
const example = path.join(folder, "example.ts");
const { version } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8"));

const versions = readdirSync(folder, { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [it.name] : []));

// The routers of a fixture are behind a bastion at this port, with this key; in a run both are the simulated router's. (A router's own
// port stands in its firewall: it is 22 for ever.)
const PORT = "22022";
const KEY = `SHA256:${"A".repeat(43)}`;
const still = (state: string, { address }: FakeRouter): string =>
  state.replaceAll(`127.0.0.1:${address.port}`, `127.0.0.1:${PORT}`).replaceAll(hostKeyPrint, KEY);
const moving = (state: string, { address }: FakeRouter): string =>
  state.replaceAll(`127.0.0.1:${PORT}`, `127.0.0.1:${address.port}`).replaceAll(KEY, hostKeyPrint);

/** What must never move. */
const HELD = ["cidr", "address", "asn", "gateway", "routerAddress", "ledger", "prefix", "ipv4", "ipv4Pool", "duid"];

const ours = ({ deployment }: State): StateResource[] =>
  (deployment.resources ?? []).filter(({ type }) => type.includes("vpc6:"));
const typeOf = ({ type }: StateResource): string => type.slice(type.indexOf("vpc6:") + 5);
const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

const writing = process.env.VPC6_FIXTURE === "write";

test.runIf(writing)(`the fixture of ${version}`, { timeout: 300_000 }, async () => {
  const released = execFileSync("git", ["tag", "--list", `v${version}`], { cwd: repository, encoding: "utf8" });
  expect(released, `v${version} is released: its fixture stays; first give package.json the next version`).toBe("");
  const target = path.join(folder, version);
  await mkdir(target, { recursive: true });
  const subject = "-subj /CN=www.example.net -addext subjectAltName=DNS:www.example.net -days 36500";
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out certificate.pem ${subject}`;
  if (!existsSync(path.join(target, "key.pem")))
    execFileSync("openssl", made.split(" "), { cwd: target, stdio: "ignore" });

  await using router = await behindItself(keeper().respond);
  const text = readFileSync(example, "utf8");
  await using engine = await begin(target, live(text, router));
  const up = await engine.up();
  expect(up.code, up.all).toBe(0);
  const again = await engine.preview({ args: ["--expect-no-changes"] });
  expect(again.code, again.all).toBe(0);
  const state: State = JSON.parse((await engine.run(["stack", "export"])).stdout);
  const there = new Set(ours(state).map(typeOf));
  expect(
    Object.keys(kinds).filter((kind) => !there.has(kind)),
    "kinds without an example in test/engine/states/example.ts",
  ).toEqual([]);
  await writeFile(
    path.join(target, "index.ts"),
    text.replace(/^(\/\/.*\n)+/, `// What vpc6 ${version} made state.json of (../states.test.ts).\n`),
  );
  // Where in which file of this machine a resource was made.
  for (const it of state.deployment.resources ?? []) {
    delete it.sourcePosition;
    delete it.stackTrace;
  }
  await writeFile(path.join(target, "state.json"), `${still(JSON.stringify(state, null, 1), router)}\n`);
});

describe.skipIf(writing)("upgrades", { timeout: 180_000 }, () => {
  test("every kind has its lines in the program of the next fixture", () => {
    const text = readFileSync(example, "utf8");
    const without = Object.keys(kinds).filter((kind) => !text.includes(`new vpc6.${kind}(`));
    expect(without, "write an example of it in test/engine/states/example.ts").toEqual([]);
  });

  test("there are fixtures", () => expect(versions).not.toEqual([]));

  describe.each(versions)("from %s", (from) => {
    const saved = path.join(folder, from);
    const program = readFileSync(path.join(saved, "index.ts"), "utf8");
    const json = readFileSync(path.join(saved, "state.json"), "utf8");
    const before = new Map(ours(JSON.parse(json)).map((it) => [it.urn, it]));
    const allowed = globSync("changes.txt", { cwd: saved }).flatMap((file) =>
      readFileSync(path.join(saved, file), "utf8")
        .split("\n")
        .flatMap((line) => (line && !line.startsWith("#") ? [line.split(":", 1)[0] ?? ""] : [])),
    );

    test("the state has every kind of its program, in clear text no secret", () => {
      for (const [, kind] of program.matchAll(/new vpc6\.(\w+)\(/g))
        expect([...before.values()].map(typeOf)).toContain(kind);
      expect(json).not.toContain("correct-horse-battery");
      expect(json).not.toMatch(/PRIVATE KEY/);
    });

    test("today's preview is empty, or shows what is documented; nothing anybody holds moves", async () => {
      await using engine = await begin(saved, program);
      await imports(engine, json);
      const { code, stdout, all } = await engine.preview({ json: true });
      expect(code, all).toBe(0);
      const { steps } = JSON.parse(stdout) as {
        steps: { op: string; urn: string; newState?: { inputs?: Record<string, unknown> } }[];
      };
      const changes = steps.filter(({ op, urn }) => op !== "same" && urn.includes("vpc6:"));
      const documented = changes.filter(({ op, urn }) => op === "update" && allowed.includes(nameOf(urn)));
      const others = changes.filter((it) => !documented.includes(it)).map(({ op, urn }) => `${op} ${nameOf(urn)}`);
      if (others.length > 0) expect(others, (await engine.preview({ diff: true })).all).toEqual([]);
      for (const { urn, newState } of steps) {
        const old = before.get(urn)?.inputs;
        for (const key of HELD)
          if (old && key in old) expect(newState?.inputs?.[key], `${urn} ${key}`).toEqual(old[key]);
      }
      const ofFragments = (inputs: Record<string, unknown> | undefined) => JSON.stringify(inputs?.fragments);
      const touched = documented.filter(
        ({ urn, newState }) => ofFragments(before.get(urn)?.inputs) !== ofFragments(newState?.inputs),
      );
      // Today's code writes it, and then it stays so. Where no text changes no connection is needed (nobody is at the routers' address).
      if (touched.length === 0) {
        await settles(engine, changes.length === 0 ? ["--expect-no-changes"] : []);
      } else {
        const { texts, respond } = keeper();
        await using router = await behindItself(respond);
        await using reached = await begin(saved, live(program, router));
        await imports(reached, moving(json, router));
        await settles(reached);
        for (const { urn, newState } of touched) {
          const { secrets, ...shown } = texts.get(before.get(urn)?.id ?? "") ?? {};
          expect(shown, urn).toEqual(newState?.inputs?.fragments);
        }
      }
    });

    test("today's refresh finds its routers as they were left, and today's destroy leaves nothing on them", async () => {
      const { texts, respond } = keeper();
      for (const { id = "", inputs } of before.values())
        if (inputs?.router && inputs.fragments) texts.set(id, inputs.fragments as Fragments);
      await using router = await behindItself(respond);
      await using engine = await begin(saved, program);
      await imports(engine, moving(json, router));
      const refresh = await engine.refresh({ args: ["--expect-no-changes"] });
      expect(refresh.code, refresh.all).toBe(0);
      await engine.run(["state", "unprotect", "--all", "--yes"]);
      const destroy = await engine.destroy();
      expect(destroy.code, destroy.all).toBe(0);
      expect([...texts.keys()]).toEqual([]);
    });

    test("a kind whose outputs have another shape than then has another schema number", async () => {
      await using router = await behindItself(keeper().respond);
      await using engine = await begin(saved, live(program, router), InProcess);
      const up = await engine.up();
      expect(up.code, up.all).toBe(0);
      for (const now of ours(await engine.export({ secrets: true }))) {
        const then = before.get(now.urn);
        expect(then, now.urn).toBeDefined();
        if (then?.outputs?.schema !== now.outputs?.schema) continue;
        const advice = `${nameOf(now.urn)}: provider/kinds/ must count ${typeOf(now)}'s schema up, and read ${then?.outputs?.schema}`;
        // The hooks' own, of every kind: an older state has none.
        const { made, ...outputs } = now.outputs ?? {};
        expect(shape(outputs), advice).toEqual(shape(then?.outputs));
        // An id is for ever: a router files the resource's fragments under it.
        expect(now.id, now.urn).toBe(then?.id);
      }
    });
  });
});

/** An update does what is to do, and leaves nothing. */
async function settles(engine: Engine, args: string[] = []): Promise<void> {
  const up = await engine.up({ args });
  expect(up.code, up.all).toBe(0);
  const again = await engine.preview({ args: ["--expect-no-changes"] });
  expect(again.code, again.all).toBe(0);
}

/** A project with the program and the files beside it. */
async function begin(from: string, program: string): Promise<Engine>;
async function begin(from: string, program: string, by: typeof InProcess): Promise<InProcess>;
async function begin(from: string, program: string, by: typeof Engine | typeof InProcess = Engine) {
  const engine = await by.start({ env: { VPC6_SSH_KEY: userKey.private, SSH_AUTH_SOCK: "" } });
  for (const file of ["certificate.pem", "key.pem"]) await cp(path.join(from, file), path.join(engine.folder, file));
  await engine.program(program);
  return engine;
}

/** A simulated router that is its own bastion. */
async function behindItself(respond: (asked: Asked) => Reply): Promise<FakeRouter> {
  let port = 0;
  const router = await fakeRouter(respond, { forwardTo: () => port });
  port = router.address.port;
  return router;
}

/** The program for a router of this run. */
const live = (program: string, { address }: FakeRouter): string =>
  program.replace(`port: ${PORT}`, `port: ${address.port}`).replace(/`SHA256:\$\{[^`]*`/, `"${hostKeyPrint}"`);

async function imports(engine: Engine, json: string): Promise<void> {
  const beside = await mkdtemp(path.join(tmpdir(), "vpc6-state-"));
  try {
    const file = path.join(beside, "state.json");
    await writeFile(file, json);
    const { code, all } = await engine.run(["stack", "import", "--file", file]);
    expect(code, all).toBe(0);
  } finally {
    await rm(beside, { recursive: true });
  }
}

/** A router that keeps what it is told, and says it when it is asked. */
function keeper() {
  const texts = new Map<string, Fragments>();
  const respond = ({ line, input }: Asked): Reply => {
    if (line.includes(" observe")) {
      const all = [...texts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, fragments]) => ({ id, label: id, fragments }));
      const listed = encode(all, "", "0")
        .replace(/^(holder|nonce) .*\n/gm, "")
        .replace(/end \d+\n$/, "");
      return { stdout: `${listed}end ${listed.split("\n").length - 1}\nvpc6-drift 1\nend vpc6-drift\n` };
    }
    if (line.includes(" converge ")) {
      for (const [, id] of input.matchAll(/^drop (\S+)$/gm)) texts.delete(id ?? "");
      const sets = input.split("\n").filter((it) => !/^(drop|holder|nonce|confirm|end) |^(fresh|repair)$/.test(it));
      const listed = sets.slice(0, -1);
      const whole = `${[...listed, `end ${listed.length}`].join("\n")}\nvpc6-drift 1\nend vpc6-drift\n`;
      for (const [id, fragments] of decode(whole).fragments) texts.set(id, fragments);
    }
    if (line.includes(" uninstall ")) for (const id of texts.keys()) if (line.includes(id)) texts.delete(id);
    return answer("ok 1 same");
  };
  return { texts, respond };
}

/** A value's keys and types without what stands in them; the keys of fragments are slots, which come and go with the arguments. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const secret = "4dabf18193072939515e22adb298388d" in value;
  if (secret) return "secret";
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, shape(it)]));
}
