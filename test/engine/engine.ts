// A Pulumi project of its own in a temporary folder, for tests with the real engine: file backend, stack `dev`, `vpc6`
// and `@pulumi/pulumi` as this repository has them. Nothing of it, and no login, is left behind or taken from the user.
//
//     await using engine = await Engine.start();
//     await engine.program(`import * as vpc6 from "vpc6"; ...`);
//     expect((await engine.up()).code).toBe(0);
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const repository = path.join(import.meta.dirname, "../..");

/** Has the SDK load what hardly any run needs when it is needed: half of a run's work. */
export const LATE = path.join(import.meta.dirname, "late.cjs");
/** The same for whatever Node.js a process starts. */
export const late = { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --require=${LATE}` };

/** A stack's settings, beside the program, and its state, in the backend. */
const SETTINGS = "Pulumi.dev.yaml";
const stackFile = (project: string) => `.pulumi/stacks/${project}/dev.json`;
/** The files of an empty stack, and those that were made: for the whole run of the tests they are in a folder (../built.ts), by name. */
type Files = (readonly [file: string, text: string])[];
const kept = process.env.VPC6_EMPTY_STACKS;
const stacks = new Map<string, Files>();

/** How a command ended: its exit code (128 + n if a signal ended it) and what it printed. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  /** stdout and stderr in the order in which they came. */
  all: string;
}

export interface ProjectOptions {
  /** Pulumi.yaml's `main`, the file that holds the program; default "index.ts". */
  main?: string;
  /** Options of the Node.js runtime besides `typescript: false`, such as `nodeargs`. */
  runtimeOptions?: Record<string, unknown>;
  /** Where `node_modules/vpc6` leads; default: this repository. */
  vpc6?: string;
  /** The project's name; default "test". */
  name?: string;
  /** Another project whose backend to use: its stacks can be read by a StackReference. */
  beside?: Engine;
  /** Whether the SDK loads all at once, as it does for users; default: in tests it does not. */
  plain?: boolean;
  /** Environment of every command, on top of this process's own. */
  env?: Record<string, string>;
}

export interface RunOptions {
  /** Further arguments, such as `["--target", urn]`. */
  args?: string[];
  /** Environment of this command only. */
  env?: Record<string, string>;
}

export class Engine implements AsyncDisposable {
  /** The project folder; `Pulumi.yaml` is in it. */
  readonly folder: string;
  readonly #main: string;
  readonly #name: string;
  readonly #backend: string;
  readonly #env: Record<string, string>;
  readonly #running = new Set<ChildProcess>();

  private constructor(folder: string, options: ProjectOptions) {
    this.folder = folder;
    this.#main = options.main ?? "index.ts";
    this.#name = options.name ?? "test";
    this.#backend = options.beside?.folder ?? folder;
    this.#env = {
      PULUMI_HOME: path.join(folder, ".pulumi-home"),
      PULUMI_BACKEND_URL: `file://${this.#backend}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_STACK: "dev",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ...((options.plain ?? !process.env.VITEST) ? {} : late),
      ...options.env,
    };
  }

  /** A new project with an empty stack `dev`. */
  static async start(options: ProjectOptions = {}): Promise<Engine> {
    const engine = new Engine(await mkdtemp(path.join(tmpdir(), "vpc6-engine-")), options);
    const runtime = { name: "nodejs", options: { typescript: false, ...options.runtimeOptions } };
    await engine.write("Pulumi.yaml", JSON.stringify({ name: engine.#name, runtime, main: engine.#main }));
    await engine.write("package.json", JSON.stringify({ private: true }));
    await mkdir(path.join(engine.folder, "node_modules"));
    await symlink(options.vpc6 ?? repository, path.join(engine.folder, "node_modules/vpc6"));
    await symlink(path.join(repository, "node_modules/@pulumi"), path.join(engine.folder, "node_modules/@pulumi"));
    await engine.#begin();
    return engine;
  }

  /** An empty stack. It is the same for all of one name: the CLI makes the first, of which the others are copies. */
  async #begin(): Promise<void> {
    const key = [this.#name, this.#env.PULUMI_CONFIG_PASSPHRASE].join(" ");
    const shared = kept && path.join(kept, encodeURIComponent(key));
    const of = (file: string) => path.join(file === SETTINGS ? this.folder : this.#backend, file);
    const ready =
      stacks.get(key) ?? (shared && existsSync(shared) ? JSON.parse(await readFile(shared, "utf8")) : undefined);
    if (ready) {
      for (const [file, text] of ready as Files) {
        await mkdir(path.dirname(of(file)), { recursive: true });
        await writeFile(of(file), text);
      }
      return;
    }
    await this.#must("stack", "init", "dev");
    const files = [SETTINGS, ".pulumi/meta.yaml", stackFile(this.#name)];
    const made: Files = await Promise.all(files.map(async (file) => [file, await readFile(of(file), "utf8")] as const));
    stacks.set(key, made);
    if (!shared) return;
    // Others read it when it is whole.
    await writeFile(`${shared}.${process.pid}`, JSON.stringify(made));
    await rename(`${shared}.${process.pid}`, shared);
  }

  /** Writes the program: TypeScript that Node.js can strip of its types, or JavaScript. */
  async program(text: string): Promise<void> {
    await this.write(this.#main, text);
  }

  /** Writes a file of the project. */
  async write(file: string, text: string): Promise<void> {
    const target = path.join(this.folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }

  /** Sets the values of a stack that has none yet: the CLI is only asked to encrypt. */
  async configs(values: Record<string, { value: string; secret: boolean }>): Promise<void> {
    const plain = Object.entries(values).filter(([, { secret }]) => !secret);
    const lines = plain.map(([key, { value }]) => `  ${key}: ${JSON.stringify(value)}\n`);
    const file = path.join(this.folder, SETTINGS);
    if (lines.length > 0) await writeFile(file, `${await readFile(file, "utf8")}config:\n${lines.join("")}`);
    for (const [key, { value, secret }] of Object.entries(values))
      if (secret) await this.config(key, value, { secret });
  }

  /** Sets a value of the stack's configuration. */
  async config(key: string, value: string, { secret = false } = {}): Promise<void> {
    // On stdin: an argument could be read as a flag, and by everybody on this machine.
    const { child, ended } = this.spawn(["config", "set", key, secret ? "--secret" : "--plaintext"]);
    child.stdin?.end(value);
    const { code, all } = await ended;
    if (code !== 0) throw new Error(`pulumi config set ${key} ended with ${code}:\n${all}`);
  }

  preview({ diff = false, json = false, args = [], env }: RunOptions & { diff?: boolean; json?: boolean } = {}) {
    return this.run(["preview", ...(diff ? ["--diff"] : []), ...(json ? ["--json"] : []), ...args], env);
  }

  /** `pulumi up` without its preview; say `args: ["--skip-preview=false"]` for both. */
  up({ args = [], env }: RunOptions = {}): Promise<Ended> {
    return this.run(["up", "--yes", "--skip-preview", ...args], env);
  }

  refresh({ args = [], env }: RunOptions = {}): Promise<Ended> {
    return this.run(["refresh", "--yes", "--skip-preview", ...args], env);
  }

  destroy({ args = [], env }: RunOptions = {}): Promise<Ended> {
    return this.run(["destroy", "--yes", "--skip-preview", ...args], env);
  }

  /** The stack's state, secrets still encrypted: what `pulumi stack export` prints, read where it stands. */
  async export(): Promise<State> {
    const { checkpoint } = JSON.parse(await this.stateFile());
    return { deployment: checkpoint.latest ?? {} };
  }

  /** An output of the stack; secrets are decrypted. */
  async output(name: string): Promise<unknown> {
    const { resources = [] } = (await this.export()).deployment;
    const value = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs?.[name];
    if (value !== undefined && !JSON.stringify(value).includes('"ciphertext"')) return value;
    return JSON.parse(await this.#must("stack", "output", name, "--json", "--show-secrets"));
  }

  /** The state file as it is on disk, to look for what must not be in it. */
  stateFile(): Promise<string> {
    return readFile(path.join(this.#backend, stackFile(this.#name)), "utf8");
  }

  /** Any pulumi command. */
  run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
    return this.spawn(args, env).ended;
  }

  /** Starts a command for a test that does something to it while it runs (signals, output as it comes). */
  spawn(args: string[], env: Record<string, string> = {}): { child: ChildProcess; ended: Promise<Ended> } {
    return this.#start(["pulumi", ...args, "--non-interactive", "--color", "never"], env, args[0] === "config");
  }

  /** A shell script in the project folder, with `pulumi` and the project's own programs at hand, as CI runs it: -e and pipefail. */
  shell(script: string, env: Record<string, string> = {}): Promise<Ended> {
    const PATH = `${path.join(this.folder, "bin")}:$PATH`;
    return this.#start(["bash", "-c", `PATH=${PATH}; set -eo pipefail\n${script}`], env, false).ended;
  }

  #start(
    command: string[],
    env: Record<string, string>,
    input: boolean,
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(path.join(repository, "tools/env"), command, {
      cwd: this.folder,
      env: { ...process.env, ...this.#env, ...env },
      stdio: "pipe",
    });
    if (!input) child.stdin.end();
    this.#running.add(child);
    const printed = { stdout: "", stderr: "", all: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        printed[stream] += text;
        printed.all += text;
      });
    }
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        this.#running.delete(child);
        resolve({ code: code ?? 128 + (signal === "SIGKILL" ? 9 : 15), ...printed });
      });
    });
    return { child, ended };
  }

  /** Removes the project; what its resources have made is not destroyed. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #must(...args: string[]): Promise<string> {
    const { code, stdout, all } = await this.run(args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${all}`);
    return stdout;
  }
}

/** What `pulumi stack export` prints, as far as tests look at it. */
export interface State {
  deployment: { resources?: StateResource[]; pending_operations?: unknown[] };
}

export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  initErrors?: string[];
  [key: string]: unknown;
}
