// An SSH server in this process, in place of a router: it answers commands as the test says and counts what happens.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { fingerprint } from "../../../provider/router/hostkey";
import type { RouterAddress } from "../../../provider/router/index";
import { keyPair } from "./keys.ts";

export const userKey = keyPair();
const hostKey = keyPair();

/** The server's host key, as `ssh-ed25519 AAAA…` and as a fingerprint. */
export const hostKeyText = hostKey.public.split(" ").slice(0, 2).join(" ");
export const hostKeyPrint = fingerprint(Buffer.from(hostKey.public.split(" ")[1] ?? "", "base64"));

export interface Asked {
  line: string;
  input: string;
  channel: ServerChannel;
  client: Connection;
}

/** `code: null` is an end without an exit code. */
export interface Reply {
  code?: number | null;
  stdout?: string;
  stderr?: string;
}

export interface FakeRouter extends AsyncDisposable {
  address: RouterAddress;
  /** Every command line, in order. */
  commands: string[];
  /** Every payload of `converge`, in order. */
  payloads: string[];
  connections: number;
  /** TCP connections, with those that `accept` turned away. */
  dials: number;
  /** Connections that got as far as a login. */
  logins: number;
  /** The connections that are open now. */
  open: Set<Connection>;
}

interface Behavior {
  user?: string;
  login?: (context: AuthContext) => boolean;
  /** Called for each TCP connection, before a word is said; false: reset, as sshd does beyond MaxStartups, or a host that just comes up. */
  accept?: (socket: Socket) => boolean;
  /** Where it listens, 127.0.0.1 if nothing is said. */
  host?: string;
  /** As a bastion: every forwarded connection goes to this port of this machine. */
  forwardTo?: () => number;
}

/** When `respond` returns undefined the test deals with the channel itself. */
export async function fakeRouter(
  respond: (asked: Asked) => Reply | undefined | Promise<Reply | undefined>,
  behavior: Behavior = {},
): Promise<FakeRouter> {
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    fake.connections++;
    fake.open.add(client);
    client.on("error", () => {});
    client.on("ready", () => fake.logins++);
    client.on("close", () => fake.open.delete(client));
    client.on("authentication", (context) => {
      if (context.method !== "publickey" || behavior.login?.(context) === false) context.reject(["publickey"]);
      else context.accept();
    });
    client.on("tcpip", (accept) => {
      const channel = accept();
      const socket = connect(behavior.forwardTo?.() ?? 0, "127.0.0.1");
      channel.on("error", () => {});
      socket.on("error", () => channel.close());
      channel.pipe(socket).pipe(channel);
    });
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.on("error", () => {});
        fake.commands.push(command);
        void serve(channel, command, client);
      });
    });
  });

  async function serve(channel: ServerChannel, line: string, client: Connection) {
    const chunks: Buffer[] = [];
    for await (const chunk of channel) chunks.push(chunk as Buffer);
    const input = Buffer.concat(chunks).toString("utf8");
    if (line.includes(" converge ")) fake.payloads.push(input);
    const reply = await respond({ line, input, channel, client });
    if (!reply) return;
    if (reply.stdout) channel.write(reply.stdout);
    if (reply.stderr) channel.stderr.write(reply.stderr);
    if (reply.code !== null) channel.exit(reply.code ?? 0);
    channel.end();
  }

  // ssh2's own listener leaves Nagle's algorithm on, which costs 40 ms a turn.
  const listener = createServer({ noDelay: true }, (socket) => {
    fake.dials++;
    socket.on("error", () => {});
    if (behavior.accept?.(socket) === false) socket.resetAndDestroy();
    else server.injectSocket(socket);
  });
  const { host = "127.0.0.1" } = behavior;
  await new Promise<void>((resolve) => listener.listen(0, host, resolve));
  const fake: FakeRouter = {
    address: {
      name: "vr1",
      host,
      port: (listener.address() as AddressInfo).port,
      user: behavior.user ?? "root",
      hostKey: hostKeyPrint,
    },
    commands: [],
    payloads: [],
    connections: 0,
    dials: 0,
    logins: 0,
    open: new Set(),
    async [Symbol.asyncDispose]() {
      for (const client of fake.open) client.end();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
  return fake;
}

interface Particulars {
  touched?: "yes";
  changed?: string;
  service?: string;
  id?: string;
  why?: string;
}

/** An answer as the router's program prints it. */
export function answer(verdict: string, { touched, changed, service, id, why }: Particulars = {}): Reply {
  const lines = ["vpc6-answer 1", verdict, `touched ${touched ?? "no"}`, `changed ${changed ?? ""}`];
  if (service) lines.push(`service ${service}`);
  if (id) lines.push(`id ${id}`);
  if (why) lines.push(...why.split("\n").map((line) => `|${line}`));
  return { stdout: `${[...lines, "end"].join("\n")}\n`, code: /^(ok|unconfirmed)/.test(verdict) ? 0 : 1 };
}

/** The ids that a payload sets or drops. */
export function idsIn(payload: string | undefined): string[] {
  return [...(payload ?? "").matchAll(/^(?:set|drop) (\S+)$/gm)].map(([, id]) => id ?? "");
}

/** A TCP server that is no SSH server. */
export async function tcpServer(
  serve: (socket: Socket) => void,
  host = "127.0.0.1",
): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
