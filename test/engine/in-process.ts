// The same as engine.ts without the Pulumi CLI: a program runs under the SDK's own program host, its hooks are called by the SDK's
// own dynamic provider, and what the engine does between the two is done by in-process/. A run takes 0.3 s of a processor more than its hooks,
// the CLI's 1.5 s, nearly all of it its start. in-process.test.ts holds the two against each other. For tests whose subject is what is on a router;
// those about the CLI's own words, secrets on its way, signals and kills stay with the CLI.
//
//     await using engine = await InProcess.start();
//     await engine.program(`import * as vpc6 from "vpc6"; ...`);
//     expect((await engine.up()).code).toBe(0);
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Ended, Engine, LATE, type RunOptions, type State } from "./engine.ts";
import { type Job, type Resource, STATE } from "./in-process/job.ts";
import { exported, imported, revealed } from "./in-process/values.ts";

const repository = path.join(import.meta.dirname, "../..");
const HOST = path.join(import.meta.dirname, "in-process/host.ts");
const PROGRAM_HOST = path.join(repository, "node_modules/@pulumi/pulumi/cmd/run/index.js");
const KNOWN = /^--(refresh|diff|expect-no-changes|json|show-sames|parallel=\d+)$/;

export interface InProcessOptions {
  /** The project's name; default "test". */
  name?: string;
  /** Another project whose stack can be read by a StackReference, and which can read this one's. */
  beside?: InProcess;
  /** Environment of every run, on top of this process's own. */
  env?: Record<string, string>;
}

export class InProcess implements AsyncDisposable {
  /** The project folder. */
  readonly folder: string;
  readonly #name: string;
  readonly #env: Record<string, string>;
  readonly #config: Job["config"] = {};
  readonly #stacks: Job["stacks"];
  #program = "";
  readonly #running = new Set<ChildProcessWithoutNullStreams>();

  private constructor(folder: string, { name = "test", env = {}, beside }: InProcessOptions) {
    this.folder = folder;
    this.#name = name;
    this.#env = env;
    this.#stacks = beside ? beside.#stacks : {};
    this.#stacks[`organization/${name}/dev`] = path.join(folder, STATE);
  }

  /** A new project with an empty stack `dev`. */
  static async start(options: InProcessOptions = {}): Promise<InProcess> {
    const engine = new InProcess(await mkdtemp(path.join(tmpdir(), "vpc6-engine-")), options);
    await engine.write("package.json", JSON.stringify({ private: true }));
    await mkdir(path.join(engine.folder, "node_modules"));
    await symlink(repository, path.join(engine.folder, "node_modules/vpc6"));
    await symlink(path.join(repository, "node_modules/@pulumi"), path.join(engine.folder, "node_modules/@pulumi"));
    return engine;
  }

  /** Writes the program: TypeScript that Node.js can strip of its types. It is stripped here: what that needs takes long to load. */
  async program(text: string): Promise<void> {
    this.#program = text;
    await this.write("index.mjs", stripTypeScriptTypes(text));
  }

  /** Writes a file of the project. */
  async write(file: string, text: string): Promise<void> {
    const target = path.join(this.folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }

  /** Sets a value of the stack's configuration. */
  async config(key: string, value: string, { secret = false } = {}): Promise<void> {
    this.#config[key.includes(":") ? key : `${this.#name}:${key}`] = { value, secret };
  }

  preview({ diff = false, json = false, args = [], env }: RunOptions & { diff?: boolean; json?: boolean } = {}) {
    return this.#run("preview", [...(diff ? ["--diff"] : []), ...(json ? ["--json"] : []), ...args], env);
  }

  up({ args = [], env }: RunOptions = {}): Promise<Ended> {
    return this.#run("up", args, env);
  }

  refresh({ args = [], env }: RunOptions = {}): Promise<Ended> {
    return this.#run("refresh", args, env);
  }

  destroy({ args = [], env }: RunOptions = {}): Promise<Ended> {
    return this.#run("destroy", args, env);
  }

  /** The stack's state, secrets left out, or with `secrets` as text, as `pulumi stack export --show-secrets` has them. */
  async export({ secrets = false } = {}): Promise<State> {
    return { deployment: { resources: (await this.#resources()).map((one) => ({ ...exported(one, secrets) })) } };
  }

  /** An output of the stack; secrets are in the clear. */
  async output(name: string): Promise<unknown> {
    const stack = (await this.#resources()).find(({ type }) => type === "pulumi:pulumi:Stack");
    if (!stack || !(name in stack.outputs)) throw new Error(`the stack has no output ${name}`);
    return revealed(stack.outputs[name]);
  }

  /**
   * The same project and state under the Pulumi CLI, for what is about the CLI in a test that is not; what it leaves is the state
   * from then on. `beside`: the CLI's project that has the stack which this one refers to.
   */
  async underTheCli<T>(work: (cli: Engine) => Promise<T>, beside?: Engine): Promise<T> {
    await using cli = await Engine.start({ name: this.#name, env: this.#env, ...(beside && { beside }) });
    await cli.configs(this.#config);
    await cli.program(this.#program);
    // The stack's own way to encrypt stays.
    const empty = { version: 3, ...(await cli.export()) };
    const resources = (await this.#resources()).map((one) => exported(one, true));
    const file = path.join(cli.folder, "state.json");
    const state = { ...empty, deployment: { ...empty.deployment, resources } };
    await writeFile(file, JSON.stringify(state), { mode: 0o600 });
    await succeeds(cli, "stack", "import", "--file", file);
    await rm(file);
    const answer = await work(cli);
    // Only the CLI can read what it has encrypted.
    const secrets = (await cli.stateFile()).includes('"ciphertext"');
    const left: State = secrets
      ? JSON.parse(await succeeds(cli, "stack", "export", "--show-secrets"))
      : await cli.export();
    const taken = imported(left.deployment.resources ?? []).map((one) => ({ inputs: {}, outputs: {}, ...one }));
    await writeFile(path.join(this.folder, STATE), JSON.stringify(taken), { mode: 0o600 });
    return answer;
  }

  async #resources(): Promise<Resource[]> {
    const text = await readFile(path.join(this.folder, STATE), "utf8").catch(() => "[]");
    return JSON.parse(text);
  }

  async #run(what: Job["what"], flags: string[], env: Record<string, string> = {}): Promise<Ended> {
    for (const flag of flags) {
      if (!KNOWN.test(flag)) throw new Error(`in-process engine: no ${flag}: this test needs the Pulumi CLI`);
    }
    const config = Object.entries(this.#config);
    const job: Job = {
      what,
      flags,
      project: this.#name,
      stack: "dev",
      main: "index.mjs",
      config: this.#config,
      stacks: this.#stacks,
      env: {
        PULUMI_STACK: "dev",
        // As the engine gives it to providers.
        PULUMI_PROJECT: this.#name,
        PULUMI_NODEJS_TYPESCRIPT: "false",
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(config.map(([key, { value }]) => [key, value]))),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(config.flatMap(([key, { secret }]) => (secret ? [key] : []))),
        ...this.#env,
        ...env,
      },
    };
    const child = spawn(process.execPath, ["--require", LATE, "--import", HOST, PROGRAM_HOST, "--monitor=in-process"], {
      cwd: this.folder,
      env: process.env,
    });
    this.#running.add(child);
    const printed = { stdout: "", stderr: "", all: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        printed[stream] += text;
        printed.all += text;
      });
    }
    child.stdin.end(JSON.stringify(job));
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (ended, signal) => resolve(ended ?? 128 + (signal === "SIGKILL" ? 9 : 15)));
    });
    this.#running.delete(child);
    // The SDK's program host has codes of its own for errors it has printed.
    return { code: code === 0 || code === 7 || code > 128 ? code : 1, ...printed };
  }

  /** Removes the project; what its resources have made is not destroyed. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    delete this.#stacks[`organization/${this.#name}/dev`];
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function succeeds(cli: Engine, ...args: string[]): Promise<string> {
  const { code, stdout, all } = await cli.run(args);
  if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${all}`);
  return stdout;
}
