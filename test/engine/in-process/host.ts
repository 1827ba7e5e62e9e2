// The process of one run: loaded before the SDK's own program host (cmd/run), to which it is engine and resource monitor; so the
// program runs exactly as under the Pulumi CLI. A fresh process for each run, as a provider's is: nothing is kept but the state.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { text } from "node:stream/consumers";
import { clients, type Message } from "./clients.ts";
import { type Alias, Deployment, type Goal, REFERENCE, Stopped } from "./deployment.ts";
import { type Job, STATE } from "./job.ts";
import { provider } from "./provider.ts";
import { Report } from "./report.ts";
import type { Properties } from "./values.ts";

const require = createRequire(import.meta.url);
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");
const { LogSeverity } = require("@pulumi/pulumi/proto/engine_pb.js");
const messages = require("@pulumi/pulumi/proto/resource_pb.js");
require("@pulumi/pulumi");
const { getStore } = require("@pulumi/pulumi/runtime/state.js");

type Callback = (error: unknown, answer?: unknown) => void;
const method = (work: (request: Message) => unknown) => (request: Message, callback: Callback) => {
  Promise.resolve(request)
    .then(work)
    .then(
      (answer) => callback(null, answer ?? new Empty()),
      (error) => callback(asRpcError(error)),
    );
};

/** `UNAVAILABLE` tells the SDK that the engine has ended the run and said why. */
const asRpcError = (error: unknown): unknown =>
  error instanceof Stopped ? Object.assign(error, { code: 14, message: "Resource monitor is terminating" }) : error;

const job: Job = JSON.parse(await text(process.stdin));
Object.assign(process.env, job.env);
const report = new Report(job);
const state = path.resolve(STATE);
let deployment = new Deployment(job, existsSync(state) ? JSON.parse(readFileSync(state, "utf8")) : [], report);

process.on("exit", (code) => {
  if (code !== 0 && !report.failed) report.error("", `the program ended with ${code}`);
  const resources = deployment.resources(report);
  if (job.what !== "preview") writeFileSync(state, JSON.stringify(resources), { mode: 0o600 });
  report.end(resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {});
  process.exitCode = report.code;
});

await provider.configure(Object.fromEntries(Object.entries(job.config).map(([key, { value }]) => [key, value])));
if (job.what === "refresh" || job.flags.includes("--refresh")) await alone(() => deployment.refresh());
if (job.what === "destroy") await alone(() => deployment.destroy());
if (job.what === "refresh" || job.what === "destroy" || report.failed) process.exit();
if (job.flags.includes("--refresh")) {
  report.begin();
  deployment = new Deployment(job, deployment.resources(), report);
}

process.argv.splice(
  2,
  process.argv.length,
  "--monitor=in-process",
  "--engine=in-process",
  `--pwd=${process.cwd()}`,
  job.main,
);
const { settings, config } = getStore();
Object.assign(settings.options, {
  project: job.project,
  stack: job.stack,
  organization: "organization",
  rootDirectory: process.cwd(),
  dryRun: job.what === "preview",
  monitorAddr: "in-process",
  engineAddr: "in-process",
});
for (const key of Object.keys(config)) config[key] = job.env[key] ?? "";
clients.monitor = {
  supportsFeature: method((request) => {
    const known = ["secrets", "resourceReferences", "outputValues", "deletedWith", "aliasSpecs"].includes(
      request.getId(),
    );
    const answer = new messages.SupportsFeatureResponse();
    answer.setHassupport(known);
    return answer;
  }),
  registerResource: method(async (request) => {
    const made = await deployment.register(goal(request));
    const answer = new messages.RegisterResourceResponse();
    answer.setUrn(made.urn);
    answer.setId(made.id ?? "");
    answer.setObject(Struct.fromJavaScript(made.custom ? made.outputs : made.inputs));
    return answer;
  }),
  registerResourceOutputs: method((request) =>
    deployment.setOutputs(request.getUrn(), request.getOutputs()?.toJavaScript() ?? {}),
  ),
  signalAndWaitForShutdown: method(() => deployment.finish()),
  readResource: method(async (request) => {
    const [type, id] = [request.getType(), request.getId()];
    if (type !== REFERENCE) refuse(`resources that are only read, but for a StackReference (${request.getName()})`);
    const read = await deployment.read(goal(request), id);
    const answer = new messages.ReadResourceResponse();
    answer.setUrn(read.urn);
    answer.setProperties(Struct.fromJavaScript(read.outputs));
    return answer;
  }),
  invoke: method(() => refuse("functions of providers")),
  close: () => {},
};
clients.engine = {
  log: method((request) => {
    const [severity, urn, message] = [request.getSeverity(), request.getUrn(), request.getMessage()];
    if (severity === LogSeverity.ERROR) report.error(urn, message);
    else if (severity === LogSeverity.WARNING) report.warning(urn, message);
    else if (severity === LogSeverity.INFO) report.say(message);
  }),
  setRootResource: method(() => undefined),
  close: () => {},
};

/** What needs no program: no resource of it is registered, all are as the state has them. */
async function alone(work: () => Promise<void>): Promise<void> {
  await work().catch((error) => {
    if (!(error instanceof Stopped)) throw error;
  });
}

function refuse(what: string): never {
  throw new Error(`in-process engine: no ${what}: this test needs the Pulumi CLI`);
}

/** What is asked to be made, and what is asked to be read: that has fewer fields. */
function goal(request: Message): Goal {
  if (
    request.getImportid?.() ||
    request.getDeletebeforereplace?.() ||
    request.getRetainondelete?.() ||
    request.getDeletedwith?.()
  ) {
    refuse(`import, deleteBeforeReplace, retainOnDelete or deletedWith (${request.getName()})`);
  }
  const dependencies: Record<string, string[]> = {};
  for (const [key, urns] of request.getPropertydependenciesMap?.().entries() ?? []) {
    const list: string[] = urns.getUrnsList();
    // The engine keeps those without any as well, as null.
    if (list.length > 0) dependencies[key] = list;
  }
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom?.() ?? true,
    parent: request.getParent(),
    inputs: (request.getObject?.() ?? request.getProperties()).toJavaScript() as Properties,
    dependencies: request.getDependenciesList(),
    propertyDependencies: dependencies,
    aliases: [
      ...(request.getAliasurnsList?.() ?? []).map((urn: string) => ({ urn })),
      ...(request.getAliasesList?.() ?? []).map(aliasOf),
    ],
    protect: request.getProtect?.() ?? false,
    ignoreChanges: request.getIgnorechangesList?.() ?? [],
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
  };
}

function aliasOf(alias: Message): Alias {
  if (!alias.hasSpec()) return { urn: alias.getUrn() };
  const spec = alias.getSpec();
  if (spec.getStack() || spec.getProject()) refuse("aliases of another stack or project");
  const parent = spec.getNoparent() ? "" : spec.getParenturn() || undefined;
  return { name: spec.getName(), type: spec.getType(), parent };
}
