// The workflow of examples/gitops as a text: who gets which right and which secret, and that nothing is run that is not pinned. What its
// commands do is test/engine/gitops.test.ts.

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const text = readFileSync(
  path.join(import.meta.dirname, "../../examples/gitops/.github/workflows/network.yml"),
  "utf8",
).replace(/^ *#.*\n/gm, "");
const [head = "", all = ""] = text.split("\njobs:\n");
const jobs = Object.fromEntries(
  [...all.matchAll(/^ {2}(\w+):\n((?: {3,}.*\n|\n)*)/gm)].map(([, name = "", body = ""]) => [name, body]),
);
const steps = (job: string) => [...(jobs[job] ?? "").matchAll(/^ {6}- (?:name: )?(.*)$/gm)].map(([, it]) => it);
const scripts = [...all.matchAll(/^ {8}run: \|\n((?: {10}.*\n)+)/gm)].map(([, it = ""]) => it);
/** The lines `x: y` below `permissions:` of a job. */
const rights = (job: string) =>
  /^ {4}permissions:\n((?: {6}.*\n)+)/m
    .exec(jobs[job] ?? "")?.[1]
    ?.trim()
    .split(/\n */);

test("it is read as it was written", () => {
  expect(Object.keys(jobs)).toEqual(["preview", "comment", "up", "drift"]);
  expect(scripts).toHaveLength(10);
  expect(head).toContain("\npermissions: {}\n");
});

test("each job has what it needs and no more: the one that runs a branch's code may not write", () => {
  expect(Object.fromEntries(Object.keys(jobs).map((job) => [job, rights(job)]))).toEqual({
    preview: ["contents: read"],
    comment: ["pull-requests: write"],
    up: ["contents: read"],
    drift: ["contents: read"],
  });
});

test("the job that may write a comment runs nothing of the branch, and has no secret of it", () => {
  expect(steps("comment")).toEqual([expect.stringMatching(/^uses: actions\/download-artifact@/), "Comment"]);
  expect(jobs.comment).not.toMatch(/checkout|npm|npx|node|secrets\.|environment:/);
  expect(jobs.comment).toContain("GH_TOKEN: ");
  for (const job of ["preview", "up", "drift"])
    expect(jobs[job], job).not.toMatch(/GH_TOKEN|github\.token|GITHUB_TOKEN/);
});

test("the key that logs in to routers is not there for pull requests", () => {
  for (const job of ["preview", "comment"]) expect(jobs[job], job).not.toContain("VPC6_SSH_KEY");
  for (const job of ["up", "drift"]) expect(jobs[job], job).toContain("\n    environment: production\n");
});

test("what is run is pinned: actions by their commit, packages by the lock file without their scripts, the CLI by its sum", () => {
  const used = [...all.matchAll(/uses: .*/g)].map(([line]) => line);
  expect(used).toHaveLength(8);
  for (const line of used) expect(line).toMatch(/^uses: actions\/[a-z-]+@[0-9a-f]{40} # v\d/);
  expect(head).toMatch(/^ {2}CLI_SHA256: [0-9a-f]{64}$/m);
  for (const job of ["preview", "up", "drift"]) {
    expect(jobs[job]?.match(/npm .*/g), job).toEqual(["npm ci --ignore-scripts"]);
    expect(jobs[job]?.match(/curl .*|\| sha256sum .*|tar .*/g), job).toEqual([
      expect.stringMatching(/^curl -fsSLo "\$RUNNER_TEMP\/cli.tar.gz" "https:\/\/get\.pulumi\.com\/\S+"$/),
      "| sha256sum --check --strict",
      expect.stringMatching(/^tar -xzf "\$RUNNER_TEMP\/cli\.tar\.gz" /),
    ]);
  }
  expect(all).not.toMatch(/\| *(sudo )?(ba|da)?sh\b/);
});

test("the CLI is the one that this package is tested with", () => {
  const { devDependencies } = JSON.parse(readFileSync(path.join(import.meta.dirname, "../../package.json"), "utf8"));
  expect(head).toContain(`\n  CLI_VERSION: ${devDependencies["@pulumi/pulumi"]}\n`);
});

test("no text of a stranger's becomes code", () => {
  expect(text).not.toMatch(/pull_request_target|secrets: inherit|set -x/);
  // Expressions in a script would be code that a title or a branch's name may hold.
  for (const script of scripts) expect(script).not.toContain("${{");
});
