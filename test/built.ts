// Vitest's global setup of the suites that run the compiled package: brings dist/ up to date, once.
import { execFileSync } from "node:child_process";
import path from "node:path";

export default function build(): void {
  execFileSync(process.execPath, [path.join(import.meta.dirname, "../tools/build.mjs")], { stdio: "inherit" });
}
