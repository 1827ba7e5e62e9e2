// When the program has nothing left to run: what waits for that is told then, unless the program failed. One for all copies
// of this package in a process, so that none is told anything that another was not.

import * as pulumi from "@pulumi/pulumi";

/** Under the Pulumi CLI; other hosts are the Automation API and mocks. */
export const underTheCli = /cmd[\\/]run[\\/]index\.js$/.test(require.main?.filename ?? "");

interface Waiting {
  close(): void;
}

interface Program {
  waiting: Set<Waiting>;
  drained: boolean;
  failed: boolean;
}

// The number is of what is kept under it.
const PROGRAM = Symbol.for("vpc6/program/1");
const program = begun();

function begun(): Program {
  const all = globalThis as { [PROGRAM]?: Program };
  all[PROGRAM] ??= begin();
  return all[PROGRAM];
}

function begin(): Program {
  const state: Program = { waiting: new Set(), drained: false, failed: false };
  if (!underTheCli) return state;
  for (const event of ["unhandledRejection", "uncaughtException"]) {
    process.on(event, () => {
      state.failed = true;
    });
  }
  // Under the Pulumi CLI `beforeExit` is an exact "nothing is left that could still claim" (the SDK registers its own handler
  // last, for libraries that create resources there). In every other host it never comes.
  process.on("beforeExit", () => {
    state.drained = true;
    if (!state.failed) for (const one of state.waiting) one.close();
    state.waiting.clear();
  });
  return state;
}

/** The name of this stack on routers; mocks may have no organization. */
export function stackName(): string {
  const stack = `${pulumi.getProject()}/${pulumi.getStack()}`;
  try {
    return `${pulumi.getOrganization()}/${stack}`;
  } catch {
    return `organization/${stack}`;
  }
}

export function whenTheProgramIsDone(one: Waiting): void {
  if (underTheCli && !program.drained) program.waiting.add(one);
  else setImmediate(() => one.close());
}
