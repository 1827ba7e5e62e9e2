/**
 * One SSH connection to a router, by way of a bastion if there is one. The host keys must match; every step has a deadline;
 * an idle connection never keeps the process alive.
 */

import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { type Credential, credentials, NoCredential } from "./credentials";
import { RouterError, where } from "./error";
import { inTurn } from "./gate";
import { fingerprint, keyType, parseHostKey } from "./hostkey";
import type { Hop, RouterAddress } from "./types";

export const limits = {
  /** Until the TCP connection stands. */
  dial: 10_000,
  /** From there until the login is through. */
  handshake: 20_000,
  /**
   * Before each further dial of a server that closed the connection before the login (ms, and up to two fifths more): soon, as for sshd's
   * MaxStartups or a router that just comes up, and then so long that an sshd of OpenSSH 9.8 or later has forgotten four failed logins of
   * 5 s each (its PerSourcePenalties; the shortest that it shuts anybody out for is 15 s). In all as long as one dial may take.
   */
  waits: [200, 400, 800, 6_000, 14_000],
  /** Where somebody waits for the answer: the first of these only. */
  urgent: 3,
  /** Who was refused for good does not ask again for so long: at such an sshd a failed login costs 5 s, and these then never add up. */
  refused: 6_000,
};

/** The server is there, and does not let us in: it would say the same again, and may count how often. */
export class Refused extends RouterError {}

export interface Connection {
  client: Client;
  /** Why it does not work any more; undefined while it does. */
  broken: Error | undefined;
  /** Returns how to stop listening. */
  onBroken(listener: (why: Error) => void): () => void;
  /** While something is under way the connection keeps the process alive, otherwise not. */
  hold(): void;
  release(): void;
  close(): void;
}

/**
 * Opens a connection, or throws a RouterError that says why not and what to do. `urgent`: without waiting for the dials of other
 * routers, as when a router undoes a change that is not confirmed in time.
 */
export async function connect(
  router: RouterAddress,
  { urgent = false, say = (_: string) => {} } = {},
): Promise<Connection> {
  const first = router.proxy ?? router;
  const login = async (answered = () => {}) => {
    if (router.proxy) refusedToAnother(router, router.proxy);
    const one = await open(router, first, await dial(router, first)).catch((error) => {
      if (error instanceof Refused) refusals.set(nameOf(first), { error, at: performance.now() });
      throw error;
    });
    answered();
    return router.proxy ? await through(router, one) : one;
  };
  const waits = urgent ? limits.waits.slice(0, limits.urgent) : limits.waits;
  const began = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await (urgent ? login() : inTurn(`${first.host} ${first.port}`, login));
    } catch (error) {
      if (!(error instanceof Reset)) throw error;
      const wait = (waits[attempt] ?? 0) * (1 + 0.4 * Math.random());
      // What speaks something else than SSH does not learn it meanwhile.
      if (attempt >= waits.length || (error.isNoSsh && attempt >= limits.urgent)) {
        const seconds = Math.round((performance.now() - began) / 1000);
        throw new RouterError(router, {
          what: `${error.at} closed the connection ${attempt + 1} times before the login${seconds > 1 ? `, in ${seconds} s` : ""}`,
          why: error.message,
          remedy: error.isSsh ? RESET : `Is it an SSH server? ${RESET}`,
          touched: false,
        });
      }
      if (wait >= 2_000)
        say(`${error.at} closes connections before the login: trying again in ${Math.round(wait / 1000)} s`);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

const RESET = `Its sshd_config may let in only so many at once (MaxStartups) or, from OpenSSH 9.8 on,
nobody from an address whose logins have failed (PerSourcePenalties): wait for as long as it says there, ten minutes at most by
default. An address that many share, a bastion's for one, can be named in its PerSourcePenaltyExemptList.`;

/** Closed on us before the login was through: worth another try. */
class Reset extends Error {
  readonly at: string;
  /** It said something: what an SSH server says, or not. */
  readonly isSsh: boolean;
  readonly isNoSsh: boolean;
  constructor(hop: Hop, why: string, said = "") {
    super(said === "" || said.startsWith("SSH-") ? why : `${why}\nit said: ${said}`);
    this.at = `${hop.host} port ${hop.port}`;
    this.isSsh = /^(SSH-|Not allowed at this time|Exceeded MaxStartups)/.test(said);
    this.isNoSsh = said !== "" && !this.isSsh;
  }
}

/** By whom we were refused, at what. */
const refusals = new Map<string, { error: Refused; at: number }>();
const nameOf = ({ user, host, port, hostKey }: Hop): string => `${user}@${host} ${port} ${hostKey}`;

/** A bastion that has refused the way to one router refuses that to all others: none of them has to try. */
function refusedToAnother(router: RouterAddress, hop: Hop): void {
  const known = refusals.get(nameOf(hop));
  if (!known || performance.now() - known.at >= limits.refused) return;
  if (where(known.error.router) !== where(router)) throw new Refused(router, known.error.trouble);
}

function dial(router: RouterAddress, hop: Hop): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({
      host: hop.host,
      port: hop.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
    });
    const fail = (why: string, remedy: string) => {
      socket.destroy();
      reject(
        new RouterError(router, {
          what: `cannot connect to ${hop.host} port ${hop.port}`,
          why,
          remedy,
          touched: false,
        }),
      );
    };
    const deadline = setTimeout(
      () =>
        fail(`no answer within ${limits.dial / 1000} s`, "Is it up, is the address right, does a firewall drop it?"),
      limits.dial,
    );
    socket.once("connect", () => {
      clearTimeout(deadline);
      // Who listens for errors stays: one that comes before ssh2 listens would end the process.
      resolve(socket);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(deadline);
      if (error.code === "ECONNRESET") reject(new Reset(hop, error.message));
      else fail(error.message, dialRemedy(error.code));
    });
  });
}

function dialRemedy(code: string | undefined): string {
  if (code === "ECONNREFUSED") return "Nothing listens there: is sshd running, and on this port?";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "The name is not known here: check `host`, or use an address.";
  return "Is it up, and is there a route to it from this machine?";
}

/** The second hop: a channel of the bastion's connection in place of a socket. */
async function through(router: RouterAddress, bastion: Connection): Promise<Connection> {
  try {
    const channel = await new Promise<Duplex>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`no answer within ${limits.dial / 1000} s`)), limits.dial);
      bastion.client.forwardOut("127.0.0.1", 0, router.host, router.port, (error, stream) => {
        clearTimeout(deadline);
        if (error) reject(error);
        else resolve(stream);
      });
    }).catch((error: Error) => {
      throw new RouterError(router, {
        what: `the bastion ${router.proxy?.host} cannot connect to ${router.host} port ${router.port}`,
        why: error.message,
        remedy: "Is the router up, and does the bastion's sshd allow TCP forwarding (AllowTcpForwarding)?",
        touched: false,
      });
    });
    const inner = await open(router, router, channel);
    return {
      ...inner,
      get broken() {
        return inner.broken ?? bastion.broken;
      },
      hold: bastion.hold,
      release: bastion.release,
      close() {
        inner.close();
        bastion.close();
      },
    };
  } catch (error) {
    bastion.close();
    throw error;
  }
}

/** Handshake and login over `transport`. */
async function open(router: RouterAddress, hop: Hop, transport: Socket | Duplex): Promise<Connection> {
  const fail = (what: string, why: string | undefined, remedy: string, Kind = RouterError) => {
    transport.destroy();
    return new Kind(router, { what, why, remedy, touched: false });
  };
  const expected = parseHostKey(hop.hostKey);
  if ("not" in expected) {
    throw fail(
      `hostKey is neither SHA256:… nor a public key: ${hop.hostKey.slice(0, 80)}`,
      `it ${expected.not}`,
      "On the router: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    );
  }
  const { default: ssh2 } = await import("ssh2");
  let tried: Credential[];
  try {
    tried = credentials(ssh2.utils.parseKey);
  } catch (error) {
    if (error instanceof NoCredential) throw fail("no way to log in", error.message, "");
    throw error;
  }
  // While ssh2 was loaded; it would wait for a word from a socket that is gone.
  if (transport.destroyed) throw new Reset(hop, transport.errored?.message ?? "the connection was closed");
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    let offered: Buffer | undefined;
    let greeted = false;
    let ready = false;
    let broken: Error | undefined;
    const listeners = new Set<(why: Error) => void>();
    const said = firstLine(transport);
    const lost = (why: Error) => {
      if (!ready) return reject(refusal(why));
      if (broken) return;
      broken = why;
      for (const listener of [...listeners]) listener(why);
    };
    const refusal = (why: Error & { level?: string }): Error => {
      client.destroy();
      if (offered && !expected.matches(offered)) return wrongHostKey(hop, offered, fail);
      if (why.level === "client-authentication") {
        const keys = tried.map(({ from }) => from).join(", ");
        return fail(
          `${hop.host} does not let ${hop.user} log in`,
          `refused: ${keys}`,
          `Put the public key into ~${hop.user}/.ssh/authorized_keys there, or check \`user\`.`,
          Refused,
        );
      }
      if (why.level === "client-timeout" || why.message === "deadline") {
        return fail(
          `${hop.host} port ${hop.port} ${greeted ? "does not finish the SSH handshake" : "accepts connections but says nothing"}`,
          `no login within ${limits.handshake / 1000} s`,
          "Is it an SSH server, and is the host overloaded?",
        );
      }
      if (why.level === "handshake" && expected.algorithms && /host key/i.test(why.message)) {
        return fail(
          `${hop.host} has no host key of the type in hostKey (${expected.algorithms[0]})`,
          why.message,
          `See what it has: ssh-keyscan ${hop.port === 22 ? "" : `-p ${hop.port} `}${hop.host}`,
        );
      }
      if (/reset|closed|lost|hang up|ended|EPIPE/i.test(why.message)) return new Reset(hop, why.message, said());
      return fail(`the SSH handshake with ${hop.host} failed`, why.message, "");
    };
    const deadline = setTimeout(() => lost(new Error("deadline")), limits.handshake);
    client.on("handshake", () => {
      greeted = true;
    });
    client.on("ready", () => {
      clearTimeout(deadline);
      ready = true;
      const socket = "unref" in transport ? (transport as Socket) : undefined;
      let held = 0;
      socket?.unref();
      resolve({
        client,
        get broken() {
          return broken;
        },
        onBroken(listener) {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
        hold() {
          if (held++ === 0) socket?.ref();
        },
        release() {
          if (--held === 0) socket?.unref();
        },
        close() {
          broken ??= new Error("closed");
          client.end();
          const timer = setTimeout(() => client.destroy(), 1_000);
          timer.unref();
        },
      });
    });
    client.on("error", (error) => {
      clearTimeout(deadline);
      lost(error);
    });
    client.on("close", () => {
      clearTimeout(deadline);
      lost(new Error("the connection was closed"));
    });
    client.connect({
      sock: transport,
      username: hop.user,
      // Ours is the deadline; ssh2's covers the handshake only.
      readyTimeout: 0,
      hostVerifier: (key: Buffer) => {
        offered = key;
        return expected.matches(key);
      },
      ...(expected.algorithms && { algorithms: { serverHostKey: expected.algorithms as never } }),
      authHandler: attempts(tried, hop.user) as never,
    });
  });
}

/** One attempt for each credential, in their order. */
function attempts(tried: Credential[], username: string): object[] {
  return tried.map((one) =>
    "agent" in one ? { type: "agent", username, agent: one.agent } : { type: "publickey", username, key: one.key },
  );
}

function wrongHostKey(
  hop: Hop,
  offered: Buffer,
  fail: (what: string, why: string, remedy: string, kind: typeof Refused) => Error,
): Error {
  return fail(
    `the host key of ${hop.host} is not the one expected`,
    `it shows ${keyType(offered)} ${fingerprint(offered)}\nexpected ${hop.hostKey.trim().slice(0, 120)}`,
    "Somebody may be in between. If the host was set up anew, look at its console and correct `hostKey`:\n" +
      "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    Refused,
  );
}

/** What comes first, as far as it is one line: why an sshd closes the connection, for example. */
function firstLine(transport: Socket | Duplex): () => string {
  let text = "";
  const more = (data: Buffer) => {
    text += data.toString("latin1", 0, 200);
    if (text.includes("\n") || text.length >= 200) transport.off("data", more);
  };
  transport.on("data", more);
  return () => /^[ -~]*/.exec(text)?.[0] ?? "";
}
