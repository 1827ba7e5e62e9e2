// Vitest's global setup of the suites that run the compiled package: brings dist/ up to date, once; and a folder for the empty stacks that
// the Pulumi CLI makes (engine/engine.ts), gone at the end of the run.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export default function build(): () => void {
  execFileSync(process.execPath, [path.join(import.meta.dirname, "../tools/build.mjs")], { stdio: "inherit" });
  const stacks = mkdtempSync(path.join(tmpdir(), "vpc6-stacks-"));
  process.env.VPC6_EMPTY_STACKS = stacks;
  return () => rmSync(stacks, { recursive: true, force: true });
}
