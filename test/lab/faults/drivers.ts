// Who changes the router: the provider's own hooks in a process by themselves, which takes a second a try, and a whole Pulumi run.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Change, Fragments, RouterAddress } from "../../../provider/router/types";
import type { Engine } from "../../engine/engine.ts";
import { program } from "../stack.ts";
import { type Ground, programOf, type Scene } from "./scenes";

export interface Run {
  /** Kills the provider, as the kernel would. */
  kill: () => void;
  /** Whether all went through, and what was said. */
  ended: Promise<{ ok: boolean; said: string }>;
}

export interface Driver {
  name: string;
  host: Ground["host"];
  start(from: Scene, to: Scene): Promise<Run>;
  /** Looks at the router and changes nothing; it does not go through when it tells anything but what is there. */
  refresh(scene: Scene): Promise<Run>;
  /**
   * The next run, and one more, which must find nothing to do; what is wrong with either. `repair`: as `pulumi up --refresh` does,
   * whatever somebody did by hand is put right too.
   */
  carryOn(from: Scene, to: Scene, repair: boolean): Promise<string[]>;
}

/** How long a router waits for a confirmation here, in seconds. */
export const CONFIRM = 4;

export function hooksDriver(name: string, address: RouterAddress, ground: Ground): Driver {
  const known = new Map<Scene, Map<string, Change>>();
  const changes = async (scene: Scene): Promise<Map<string, Change>> => {
    const found = known.get(scene) ?? (await ground.changes(scene));
    known.set(scene, found);
    return found;
  };
  /** What differs between two scenes; of one and the same, everything. */
  const between = async (from: Scene, to: Scene, repair = false): Promise<Change[]> => {
    const [old, next] = [await changes(from), await changes(to)];
    const same = (id: string): boolean => from !== to && isDeepStrictEqual(old.get(id), next.get(id));
    const some = [...next.values()].filter(({ id }) => !same(id));
    for (const change of old.values()) if (!next.has(change.id)) some.push({ ...change, fragments: null });
    return some.map((it) => ({ ...it, repair }));
  };
  const work = (task: { changes: Change[]; again?: Change[]; refresh?: true }) => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, "worker.cjs")], { stdio: "pipe" });
    child.stdin.end(JSON.stringify({ router: address, confirm: CONFIRM, ...task }));
    return { kill: () => void child.kill("SIGKILL"), said: output(child) };
  };
  return {
    name,
    host: ground.host,
    async start(from, to) {
      const { kill, said } = work({ changes: await between(from, to) });
      return { kill, ended: said.then((said) => ({ ok: said.startsWith('{"ok":true'), said })) };
    },
    async refresh(scene) {
      const wanted = [...(await changes(scene)).values()];
      const { kill, said } = work({ changes: wanted, refresh: true });
      return { kill, ended: said.then((said) => judge(said, wanted)) };
    },
    async carryOn(from, to, repair) {
      const said = await work({ changes: await between(from, to, repair), again: await between(to, to) }).said;
      if (!said.startsWith('{"ok":true')) return [`the next run fails: ${said}`];
      const { again } = JSON.parse(said) as { again: { ok: boolean; said: string[] } };
      const settled = again.ok && again.said.every((it) => it === "nothing to do");
      return settled ? [] : [`one more run finds something to do: ${JSON.stringify(again)}`];
    },
  };
}

/** What a refresh tells is what is there, or an error. */
function judge(said: string, wanted: Change[]): { ok: boolean; said: string } {
  if (!said.startsWith('{"ok":true')) return { ok: false, said };
  const seen = (JSON.parse(said) as { said: (Fragments | null)[] }).said;
  // Secrets never come back.
  const told = (fragments: Fragments | null) =>
    Object.fromEntries(Object.entries(fragments ?? {}).filter(([slot, text]) => slot !== "secrets" && text !== ""));
  const wrong = wanted.filter(({ fragments }, index) => !isDeepStrictEqual(told(seen[index] ?? null), told(fragments)));
  return wrong.length === 0
    ? { ok: true, said: "" }
    : { ok: false, said: `${LIE}${wrong.map(({ id }) => id).join(", ")}` };
}

/** How the report of a refresh begins that told what is not so. */
export const LIE = "a refresh tells something else than what is there of ";

export function pulumiDriver(engine: Engine): Driver {
  const spawned = (args: string[]): Run => {
    const { child, ended } = engine.spawn(args);
    return {
      kill: () => {
        for (const pid of providersOf(child)) {
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // It has ended already.
          }
        }
      },
      ended: ended.then(({ code, all }) => ({ ok: code === 0, said: all })),
    };
  };
  // What a killed run leaves behind: a lock.
  const cancel = async () => {
    const left = await readdir(path.join(engine.folder, ".pulumi/locks"), { recursive: true }).catch(() => []);
    if (left.some((name) => name.endsWith(".json"))) await engine.run(["cancel", "--yes"]);
  };
  const up = async (to: Scene, repair = false): Promise<Run> => {
    await engine.program(await program(programOf(to), { routers: { vr1: "" }, zone: "asn: 4200000000" }));
    await cancel();
    return spawned(["up", "--yes", "--skip-preview", ...(repair ? ["--refresh"] : [])]);
  };
  return {
    name: "pulumi",
    host: "vr1",
    start: (_, to) => up(to),
    async refresh() {
      await cancel();
      return spawned(["refresh", "--yes", "--skip-preview"]);
    },
    async carryOn(_, to, repair) {
      const { ok, said } = await (await up(to, repair)).ended;
      if (!ok) return [`the next run fails: ${said}`];
      const { code, all } = await engine.preview({ diff: true, args: ["--expect-no-changes"] });
      return code === 0 ? [] : [`one more run finds something to do: ${all}`];
    },
  };
}

/** The dynamic provider of this run of Pulumi: below it in the tree of processes. */
function providersOf(child: ChildProcess): number[] {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const all = rows.map((row) => /^ *(\d+) +(\d+) (.*)$/.exec(row)).filter((row) => row !== null);
  const below = new Set([child.pid]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [, pid, parent] of all) {
      if (!below.has(Number(parent)) || below.has(Number(pid))) continue;
      below.add(Number(pid));
      grown = true;
    }
  }
  return all
    .filter(([, pid, , args]) => below.has(Number(pid)) && args?.includes("dynamic-provider"))
    .map((row) => Number(row[1]));
}

function output(child: ChildProcess): Promise<string> {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (part: string) => (text += part));
  return new Promise((resolve) => child.once("close", () => resolve(text)));
}
