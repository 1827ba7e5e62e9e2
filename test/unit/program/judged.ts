// Vitest's global setup of the unit suite: a folder for what the daemons have judged good (host/judge), gone at the end of the run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    judged: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), "vpc6-judged-"));
  project.provide("judged", folder);
  return () => rmSync(folder, { recursive: true });
}
