/** An SSH server in this process, in place of a router: it answers commands as the test says and counts what happens. */

import { createServer, type Server as TcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { fingerprint } from "../../../provider/router/hostkey";
import type { RouterAddress } from "../../../provider/router/index";

export const userKey = ssh2.utils.generateKeyPairSync("ed25519");
const hostKey = ssh2.utils.generateKeyPairSync("ed25519");

export interface Command {
  line: string;
  input: string;
  channel: ServerChannel;
  client: Connection;
}

export interface Reply {
  code?: number | null;
  stdout?: string;
  stderr?: string;
}

export interface FakeRouter {
  address: RouterAddress;
  /** Every command line, in order. */
  commands: string[];
  /** Every payload of `converge`, in order. */
  payloads: string[];
  connections: number;
  /** The connections that are open now. */
  open: Set<Connection>;
  close(): Promise<void>;
}

export type Answering = (command: Command) => Reply | undefined | Promise<Reply | undefined>;

/** `undefined` from `answering` means that the test deals with the channel itself. */
export async function fakeRouter(
  answering: Answering,
  options: { user?: string; login?: (context: AuthContext) => boolean; tcp?: (server: TcpServer) => void } = {},
): Promise<FakeRouter> {
  const fake: FakeRouter = { address: undefined as never, commands: [], payloads: [], connections: 0, open: new Set(), close };
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    fake.connections++;
    fake.open.add(client);
    client.on("error", () => {});
    client.on("close", () => fake.open.delete(client));
    client.on("authentication", (context) => {
      if (options.login && !options.login(context)) return context.reject(["publickey"]);
      if (context.method !== "publickey") return context.reject(["publickey"]);
      context.accept();
    });
    client.on("tcpip", (accept) => {
      const channel = accept();
      channel.on("error", () => {});
      forwarded(channel);
    });
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command: line }) => {
        const channel = acceptExec();
        channel.on("error", () => {});
        fake.commands.push(line);
        void respond(channel, line, client);
      });
    });
  });
  let forwarded = (_channel: ServerChannel): void => {};
  onForward = (handler) => {
    forwarded = handler;
  };

  async function respond(channel: ServerChannel, line: string, client: Connection) {
    const chunks: Buffer[] = [];
    for await (const chunk of channel) chunks.push(chunk as Buffer);
    const input = Buffer.concat(chunks).toString("utf8");
    if (/ converge /.test(line)) fake.payloads.push(input);
    const reply = await answering({ line, input, channel, client });
    if (!reply) return;
    if (reply.stdout) channel.write(reply.stdout);
    if (reply.stderr) channel.stderr.write(reply.stderr);
    if (reply.code === null) channel.exit("SIGKILL" as never);
    else channel.exit(reply.code ?? 0);
    channel.end();
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  fake.address = {
    name: "vr1",
    host: "127.0.0.1",
    port,
    user: options.user ?? "root",
    hostKey: hostFingerprint(),
  };
  async function close() {
    for (const client of fake.open) client.end();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  return fake;
}

let onForward: (handler: (channel: ServerChannel) => void) => void = () => {};

/** Makes the newest fake router a bastion: forwarded connections go to this port of this machine. */
export function bastionTo(connect: (channel: ServerChannel) => void): void {
  onForward(connect);
}

export function hostFingerprint(): string {
  return fingerprint(hostPublic());
}

/** `ssh-ed25519 AAAA…` */
export function hostPublicText(): string {
  return hostKey.public.split(" ").slice(0, 2).join(" ");
}

function hostPublic(): Buffer {
  return Buffer.from(hostKey.public.split(" ")[1] ?? "", "base64");
}

/** An answer of the router's program. */
export function answer(verdict: string, rest: Partial<Record<"touched" | "changed" | "service" | "id" | "why", string>> = {}): Reply {
  const lines = ["vpc6-answer 1", verdict, `touched ${rest.touched ?? "no"}`, `changed ${rest.changed ?? ""}`];
  if (rest.service) lines.push(`service ${rest.service}`);
  if (rest.id) lines.push(`id ${rest.id}`);
  if (rest.why) lines.push(...rest.why.split("\n").map((line) => `|${line}`));
  return { stdout: `${[...lines, "end"].join("\n")}\n`, code: /^(ok|unconfirmed)/.test(verdict) ? 0 : 1 };
}

/** A TCP server that is no SSH server. */
export async function tcpServer(onConnection: Parameters<typeof createServer>[1] & {}): Promise<{ port: number; close(): void }> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
