// Two who change the router: the provider's own hooks in a process by themselves, which takes a second a try, and a whole `pulumi up`.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import path from "node:path";
import type { RouterAddress } from "../../../provider/router/index";
import type { Engine } from "../../engine/engine.ts";
import { program } from "../stack.ts";
import { changesOf, programOf, type Scene } from "./scenes";

export interface Run {
  /** Kills the provider, as the kernel would. */
  kill: () => void;
  /** Whether all went through, and what was said. */
  ended: Promise<{ ok: boolean; said: string }>;
}

export interface Driver {
  name: string;
  /** `refresh`: as `pulumi up --refresh` does, whatever somebody did by hand is put right too. */
  start(from: Scene, to: Scene, refresh?: boolean): Promise<Run>;
  /** Whether one more run of the same finds nothing to do. */
  settled(scene: Scene): Promise<string | undefined>;
}

/** How long a router waits for a confirmation here, in seconds. */
export const CONFIRM = 4;

export function hooksDriver(address: RouterAddress): Driver {
  const start = async (from: Scene, to: Scene, all: boolean, repair = false): Promise<Run> => {
    const [old, next] = [await changesOf(from, address), await changesOf(to, address)];
    const same = (id: string): boolean => JSON.stringify(old.get(id)) === JSON.stringify(next.get(id));
    const changes = [...next.values()].filter(({ id }) => all || !same(id)).map((it) => ({ ...it, repair }));
    for (const change of old.values()) if (!next.has(change.id)) changes.push({ ...change, fragments: null, repair });
    const child = spawn(process.execPath, [path.join(import.meta.dirname, "worker.cjs")], { stdio: "pipe" });
    child.stdin.end(JSON.stringify({ router: address, changes, confirm: CONFIRM }));
    return {
      kill: () => void child.kill("SIGKILL"),
      ended: output(child).then((said) => ({ ok: said.startsWith('{"ok":true'), said })),
    };
  };
  return {
    name: "hooks",
    start: (from, to, refresh) => start(from, to, false, refresh),
    async settled(scene) {
      const { ok, said } = await (await start(scene, scene, true)).ended;
      return ok && !/same connection|fresh connection/.test(said) ? undefined : said;
    },
  };
}

export function pulumiDriver(engine: Engine): Driver {
  return {
    name: "pulumi up",
    async start(_, to, refresh = false) {
      await engine.program(await program(programOf(to), { routers: { vr1: "" }, zone: "asn: 4200000000" }));
      // What a killed run leaves behind: a lock.
      await engine.run(["cancel", "--yes"]);
      const { child, ended } = engine.spawn(["up", "--yes", "--skip-preview", ...(refresh ? ["--refresh"] : [])]);
      return {
        kill: () => {
          for (const pid of providersOf(child)) process.kill(pid, "SIGKILL");
        },
        ended: ended.then(({ code, all }) => ({ ok: code === 0, said: all })),
      };
    },
    async settled() {
      const { code, all } = await engine.preview({ diff: true, args: ["--expect-no-changes"] });
      return code === 0 ? undefined : all;
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
