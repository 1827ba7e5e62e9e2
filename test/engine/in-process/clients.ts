// The SDK reaches the engine and its resource monitor by gRPC clients. Here they are objects of this process: whoever imports this
// file does it before the SDK, which makes its clients from these constructors.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** A method takes a protobuf message and calls back; the SDK has no types for most of them. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Message = any;
type Method = (request: Message, callback: (error: unknown, answer?: unknown) => void) => void;
type Client = Record<string, Method> & { close: () => void };

/** What the SDK calls; to be filled before a program runs. */
export const clients: { engine: Client; monitor: Client } = {
  engine: { close: () => {} } as Client,
  monitor: { close: () => {} } as Client,
};

if (Object.keys(require.cache).some((file) => /@pulumi[\\/]pulumi[\\/]runtime[\\/]settings\.js$/.test(file))) {
  throw new Error("in-process engine: the SDK was there first");
}
// A constructor that answers an object makes that one.
Object.assign(require("@pulumi/pulumi/proto/engine_grpc_pb.js"), {
  EngineClient: function EngineClient() {
    return clients.engine;
  },
});
Object.assign(require("@pulumi/pulumi/proto/resource_grpc_pb.js"), {
  ResourceMonitorClient: function ResourceMonitorClient() {
    return clients.monitor;
  },
});
