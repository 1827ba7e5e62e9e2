// The SDK's own dynamic provider, called without a process and a socket between: it resolves `__provider`, configures the hooks,
// rounds values as protobuf does and packs what is left of a half-made resource, exactly as it does for the engine.

import { createRequire } from "node:module";
import "./clients.ts";
import type { Properties } from "./values.ts";

const require = createRequire(import.meta.url);
const { registered } = require("./grpc.cjs") as { registered: Record<string, Method>[] };
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js") as {
  Struct: { fromJavaScript(value: object): { toJavaScript(): Properties } };
};
const messages = require("@pulumi/pulumi/proto/provider_pb.js") as Record<string, new () => Message>;
const { Status } = require("@pulumi/pulumi/proto/status_pb.js") as { Status: Deserializer };
const { ErrorResourceInitFailed } = messages as unknown as { ErrorResourceInitFailed: Deserializer };

/** A protobuf message: `setOlds`, `getId` and so on. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK has no types for most of them
type Message = Record<string, (value?: any) => any>;
type Deserializer = { deserializeBinary(bytes: Uint8Array): Message };
type Method = (call: { request: Message }, callback: (error: unknown, answer: Message) => void) => Promise<void>;

/** A hook's error; where it left something behind, with what to keep of it. */
export class HookError extends Error {
  readonly left: { id: string; properties: Properties; reasons: string[] } | undefined;
  constructor(message: string, left: HookError["left"]) {
    super(message);
    this.left = left;
  }
}

const service = load();

/** What the SDK's provider process would register with gRPC, and none of what it does to a process of its own. */
function load(): Record<string, Method> {
  const events = ["uncaughtException", "unhandledRejection", "exit"] as const;
  const before = events.map((event) => process.listeners(event as never));
  require("@pulumi/pulumi/cmd/dynamic-provider/index.js");
  for (const [index, event] of events.entries()) {
    for (const listener of process.listeners(event as never)) {
      if (!before[index]?.includes(listener)) process.removeListener(event, listener);
    }
  }
  const [found] = registered;
  if (!found) throw new Error("in-process engine: the SDK's dynamic provider has registered no service");
  return found;
}

async function call(method: string, request: Message): Promise<Message> {
  return new Promise((resolve, reject) => {
    const done = (error: unknown, answer: Message) => (error ? reject(asHookError(error)) : resolve(answer));
    service[method]?.call(service, { request }, done).catch(reject);
  });
}

function asHookError(error: unknown): HookError {
  const { message, metadata } = error as { message: string; metadata?: import("@grpc/grpc-js").Metadata };
  const [packed] = metadata?.get("grpc-status-details-bin") ?? [];
  if (!packed) return new HookError(message, undefined);
  const [detail]: Message[] = Status.deserializeBinary(packed as Buffer).getDetailsList?.() ?? [];
  const left = ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8?.());
  return new HookError(message, {
    id: left.getId?.(),
    properties: left.getProperties?.().toJavaScript(),
    reasons: left.getReasonsList?.(),
  });
}

/** A request with its fields; maps become protobuf's. */
function request(name: string, fields: Record<string, unknown>): Message {
  const message = new (messages[name] as new () => Message)();
  for (const [field, value] of Object.entries(fields)) {
    message[`set${field}`]?.(typeof value === "object" && value !== null ? Struct.fromJavaScript(value) : value);
  }
  return message;
}

const properties = (answer: Message, of = "Properties"): Properties => answer[`get${of}`]?.()?.toJavaScript() ?? {};

export const provider = {
  configure: (config: Record<string, string>) => call("configure", request("ConfigureRequest", { Args: config })),

  async check(olds: Properties, news: Properties): Promise<{ inputs: Properties; failures: Failure[] }> {
    const answer = await call("check", request("CheckRequest", { Olds: olds, News: news }));
    const refused: Message[] = answer.getFailuresList?.() ?? [];
    const failures = refused.map((failure) => ({
      property: String(failure.getProperty?.()),
      reason: String(failure.getReason?.()),
    }));
    return { inputs: properties(answer, "Inputs"), failures };
  },

  async diff(id: string, olds: Properties, news: Properties) {
    const answer = await call("diff", request("DiffRequest", { Id: id, Olds: olds, News: news }));
    const { DIFF_NONE, DIFF_SOME } = (messages.DiffResponse as unknown as { DiffChanges: Record<string, number> })
      .DiffChanges;
    const changes = answer.getChanges?.();
    if (changes !== DIFF_NONE && changes !== DIFF_SOME) throw new Error("in-process engine: a diff that does not know");
    return {
      changes: changes === DIFF_SOME,
      replaces: answer.getReplacesList?.() as string[],
      deleteBeforeReplace: answer.getDeletebeforereplace?.() as boolean,
    };
  },

  async create(inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const answer = await call("create", request("CreateRequest", { Properties: inputs }));
    return { id: answer.getId?.(), outputs: properties(answer) };
  },

  async update(id: string, olds: Properties, news: Properties): Promise<Properties> {
    return properties(await call("update", request("UpdateRequest", { Id: id, Olds: olds, News: news })));
  },

  async delete(id: string, outputs: Properties): Promise<void> {
    await call("delete", request("DeleteRequest", { Id: id, Properties: outputs }));
  },

  /** Without an id where it is gone. */
  async read(id: string, outputs: Properties): Promise<{ id: string; outputs: Properties; inputs?: Properties }> {
    const answer = await call("read", request("ReadRequest", { Id: id, Properties: outputs }));
    const inputs = answer.getInputs?.()?.toJavaScript() as Properties | undefined;
    return { id: answer.getId?.(), outputs: properties(answer), ...(inputs && { inputs }) };
  },
};

export interface Failure {
  property: string;
  reason: string;
}
