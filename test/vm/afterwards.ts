// One virtual machine for all files of the suite, booted by the first that wants it. After the last one, and however this process ends,
// nothing of it is left: `vm hold` takes it down when the pipe to here is closed.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { impossible } from "./vm.ts";

const script = fileURLToPath(new URL("vm", import.meta.url));

export function setup(): (() => void) | undefined {
  const why = impossible();
  if (why) {
    process.stderr.write(`skipped: ${why}`);
    return undefined;
  }
  // Booted by hand, to stay.
  if (spawnSync(script, ["status"], { encoding: "utf8" }).stdout.trim() === "up") return undefined;
  const holder = spawn(script, ["hold"], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  holder.unref();
  return () => {
    spawnSync(script, ["down"], { stdio: "inherit" });
    holder.stdin?.end();
  };
}
