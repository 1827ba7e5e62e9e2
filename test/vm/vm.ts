// A real machine for tests: a thin layer over the script `vm` beside this file.
// A failed command is an error that says the command and what it wrote, unless `check: false` asks for the code.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("vm", import.meta.url));

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ExecOptions {
  /** Given on stdin. */
  input?: string;
  /** Throw when the command fails. Default true. */
  check?: boolean;
}

async function run(args: string[], { input = "", check = true }: ExecOptions = {}): Promise<Result> {
  const child = spawn(script, args);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  // A command that does not read its input is no failure.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (ended) => resolve(ended ?? 255));
  });
  if (code === 0 || !check) return { code, ...output };
  const said = output.stderr.trim() || output.stdout.trim() || "no output";
  throw new Error(`vm ${args.join(" ")}: exit code ${code}: ${said}`);
}

/** Why there can be no virtual machine here, in words; nothing where there can be one. */
export function impossible(): string {
  const { status, stderr, error } = spawnSync(script, ["possible"], { encoding: "utf8" });
  return status === 0 ? "" : stderr || String(error);
}

export const vm = {
  /** Boots it with a new disk and waits until it is there: minutes, where the processor is emulated. */
  up: async () => void (await run(["up"])),
  reboot: async () => void (await run(["reboot"])),
  /** Presses the power button and waits until it is off. */
  poweroff: async () => void (await run(["poweroff"])),
  start: async () => void (await run(["start"])),

  /** A shell command line on the router. */
  exec: async (command: string, options?: ExecOptions) => await run(["exec", command], options),
  /** The same in the namespace of a far end. */
  far: async (host: "uplink" | "web1" | "db1" | "trunk" | "trunk2", command: string, options?: ExecOptions) =>
    await run(["exec", "ip", "netns", "exec", host, "sh", "-c", command], options),

  /** `VM_HOST`, `VM_PORT`, `VM_HOST_KEY` and `VPC6_SSH_KEY_FILE`. */
  env: async (): Promise<Record<string, string>> => {
    const { stdout } = await run(["env"]);
    return Object.fromEntries(stdout.split("\n").flatMap((line) => (line ? [line.split(/=(.*)/s, 2)] : [])));
  },
};
