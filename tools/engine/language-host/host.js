#!/usr/bin/env node
// `pulumi-language-nodejs` for machines where Pulumi's own is not to be had: the gRPC LanguageRuntime service
// that the Pulumi engine starts to run a Node.js program. tools/setup installs it beside a CLI built from Go
// modules. It needs @pulumi/pulumi in the program's node_modules, whose protocol stubs it speaks with. It announces
// no plugins: packages with a provider binary of their own (pulumi.resource in package.json) need Pulumi's own host.

const { spawn } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");

/**
 * @typedef {import("@pulumi/pulumi/proto/language_pb").ProgramInfo} ProgramInfo
 * @typedef {import("@pulumi/pulumi/proto/language_pb").RunRequest} RunRequest
 * @typedef {import("@pulumi/pulumi/proto/language_pb").InstallDependenciesRequest} InstallRequest
 */

/** cmd/run exits with this code when it has told the user about the error itself. */
const ALREADY_SHOWN = 32;

const engineAddress = process.argv.slice(2).findLast((arg) => !arg.startsWith("-")) ?? "";
const fromProgram = createRequire(path.join(process.cwd(), "_"));
const sdk = requireOfSdk();
/** @type {typeof import("@grpc/grpc-js")} */
const grpc = sdk("@grpc/grpc-js");
/** @type {typeof import("@pulumi/pulumi/proto/language_pb")} */
const messages = sdk("./proto/language_pb");
/** @type {typeof import("@pulumi/pulumi/proto/language_grpc_pb")} */
const { LanguageRuntimeService } = sdk("./proto/language_grpc_pb");
/** @type {typeof import("@pulumi/pulumi/proto/plugin_pb")} */
const { PluginInfo } = sdk("./proto/plugin_pb");
/** @type {typeof import("google-protobuf/google/protobuf/empty_pb")} */
const { Empty } = sdk("google-protobuf/google/protobuf/empty_pb");

function requireOfSdk() {
  try {
    return createRequire(fromProgram.resolve("@pulumi/pulumi"));
  } catch {
    console.error(`${process.cwd()} has no @pulumi/pulumi in reach: run npm install`);
    return process.exit(1);
  }
}

/**
 * Words of a `nodeargs` option; quotes keep blanks together, as in a shell.
 * @param {string} text
 */
const words = (text) => (text.match(/(?:"[^"]*"|'[^']*'|\S)+/g) ?? []).map((word) => word.replace(/["']/g, ""));

/**
 * Starts the program under the SDK's own cmd/run; the arguments and the environment are those of Pulumi's host.
 * @param {RunRequest} request
 * @param {(error: string, bail: boolean) => void} done
 */
function run(request, done) {
  const info = request.getInfo() ?? new messages.ProgramInfo();
  /** @type {{ typescript?: boolean, nodeargs?: string, tsconfig?: string }} the options of Pulumi.yaml's `runtime` */
  const { typescript = true, nodeargs = "", tsconfig = "" } = info.getOptions()?.toJavaScript() ?? {};
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": info.getRootDirectory(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  const args = [
    ...words(nodeargs),
    sdk.resolve("./cmd/run"),
    ...Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    info.getEntryPoint(),
    ...request.getArgsList(),
  ];
  const env = {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    ...(typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
    ...(tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: tsconfig } : {}),
  };
  const program = spawn(process.execPath, args, { env, stdio: ["ignore", "inherit", "inherit"] });
  programs.add(program);
  program.on("error", (error) => done(`could not start Node.js: ${error.message}`, false));
  program.on("exit", (code, signal) => {
    programs.delete(program);
    if (code === 0) done("", false);
    else if (code === ALREADY_SHOWN) done("", true);
    else done(signal ? `program was ended by ${signal}` : `program exited with non-zero exit code: ${code}`, false);
  });
}

/** @type {Set<import("node:child_process").ChildProcess>} programs under way; they must not outlive this process */
const programs = new Set();
function leave() {
  for (const program of programs) program.kill("SIGKILL");
  process.exit(0);
}

/**
 * What the nearest package.json above the program asks for, with the versions that are installed.
 * @param {ProgramInfo | undefined} info
 */
function dependencies(info) {
  let folder = info?.getProgramDirectory() ?? process.cwd();
  while (!existsSync(path.join(folder, "package.json"))) {
    if (folder === path.dirname(folder)) return [];
    folder = path.dirname(folder);
  }
  const read = (/** @type {string[]} */ ...parts) =>
    JSON.parse(readFileSync(path.join(folder, ...parts, "package.json"), "utf8"));
  const { dependencies: wanted = {}, devDependencies: development = {} } = read();
  return Object.keys({ ...development, ...wanted })
    .sort()
    .filter((name) => existsSync(path.join(folder, "node_modules", name, "package.json")))
    .map((name) => new messages.DependencyInfo().setName(name).setVersion(read("node_modules", name).version));
}

/** @type {import("@grpc/grpc-js").UntypedServiceImplementation} */
const service = {
  handshake: answer(() => new messages.LanguageHandshakeResponse()),
  getPluginInfo: answer(() => new PluginInfo().setVersion(sdk("./package.json").version)),
  getRequiredPlugins: answer(() => new messages.GetRequiredPluginsResponse()),
  getRequiredPackages: answer(() => new messages.GetRequiredPackagesResponse()),
  runtimeOptionsPrompts: answer(() => new messages.RuntimeOptionsResponse()),
  about: answer(() => new messages.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
  getProgramDependencies: answer((request) =>
    new messages.GetProgramDependenciesResponse().setDependenciesList(dependencies(request.getInfo())),
  ),
  cancel: answer(() => {
    for (const program of programs) program.kill("SIGINT");
    return new Empty();
  }),
  /** @type {import("@grpc/grpc-js").handleUnaryCall<RunRequest, unknown>} */
  run: (call, reply) =>
    run(call.request, (error, bail) => reply(null, new messages.RunResponse().setError(error).setBail(bail))),
  /** @type {import("@grpc/grpc-js").handleServerStreamingCall<InstallRequest, unknown>} */
  installDependencies: (call) => {
    const cwd = call.request.getInfo()?.getProgramDirectory() || call.request.getDirectory();
    const npm = spawn("npm", ["install"], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    npm.stdout.on("data", (data) => call.write(new messages.InstallDependenciesResponse().setStdout(data)));
    npm.stderr.on("data", (data) => call.write(new messages.InstallDependenciesResponse().setStderr(data)));
    npm.on("error", (error) => call.destroy(error));
    npm.on("close", (code) => (code ? call.destroy(new Error(`npm install ended with ${code}`)) : call.end()));
  },
};

/**
 * A method with one answer that is there at once.
 * @param {(request: any) => unknown} make
 * @returns {import("@grpc/grpc-js").handleUnaryCall<unknown, unknown>}
 */
function answer(make) {
  return (call, reply) => reply(null, make(call.request));
}

const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
// Methods that are missing above, grpc-js answers with UNIMPLEMENTED, which the engine takes for "an older host".
server.addService(LanguageRuntimeService, service);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port); // the first line on stdout tells the engine where we listen
});

// The engine ends us with SIGINT; when it dies without, its end of our stdin closes.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, leave);
process.stdin.on("end", leave).on("error", leave).resume();
