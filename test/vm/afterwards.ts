// One virtual machine for the suite, booted by the first file that wants it. When this process ends, however it does, nothing of it is left:
// `vm hold` takes it down once the pipe to here is closed. One that was booted by hand stays.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { impossible } from "./vm.ts";

const script = fileURLToPath(new URL("vm", import.meta.url));

export function setup(): (() => Promise<void>) | undefined {
  const why = impossible();
  if (why) process.stderr.write(`skipped: ${why}`);
  if (why || spawnSync(script, ["status"], { encoding: "utf8" }).stdout.trim() === "up") return undefined;
  const holder = spawn(script, ["hold"], { stdio: ["pipe", "ignore", "inherit"], detached: true });
  return async () => {
    const ended = once(holder, "close");
    holder.stdin.end();
    await ended;
  };
}
