// A Postgres of Debian's own, for tests of the shared state backend: in a temporary folder, on a socket in it, as a user who may do
// nothing else. Undefined where there is none to start.

import { execFile } from "node:child_process";
import { chownSync, globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Postgres extends AsyncDisposable {
  /** For PULUMI_BACKEND_URL. */
  url: string;
  /** The first column of what a query finds. */
  query(sql: string): Promise<string[]>;
}

export async function postgres(): Promise<Postgres | undefined> {
  const bin = globSync("/usr/lib/postgresql/*/bin").sort().at(-1);
  if (!bin) return undefined;
  const folder = await mkdtemp(path.join(tmpdir(), "vpc6-pg-"));
  // It refuses to run as root.
  const root = process.getuid?.() === 0;
  if (root) chownSync(folder, 65534, 65534);
  const as = (program: string, ...args: string[]) =>
    root
      ? run("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", path.join(bin, program), ...args], {
          cwd: "/",
        })
      : run(path.join(bin, program), args);
  const data = path.join(folder, "data");
  await as("initdb", "-D", data, "-U", "pulumi", "-A", "trust", "--no-sync");
  const options = `-c listen_addresses='' -k ${folder} -c fsync=off`;
  await as("pg_ctl", "-D", data, "-w", "-l", path.join(folder, "log"), "-o", options, "start");
  return {
    url: `postgres:///postgres?host=${folder}&user=pulumi&sslmode=disable`,
    async query(sql) {
      const { stdout } = await as("psql", "-h", folder, "-U", "pulumi", "-d", "postgres", "-At", "-c", sql);
      return stdout.split("\n").filter((line) => line !== "");
    },
    async [Symbol.asyncDispose]() {
      await as("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop").catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}
