// What can go wrong on the way to a router, and that each thing is told apart.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FORMAT } from "../../../provider/contract";
import { bounds, run } from "../../../provider/router/command";
import { connect, limits } from "../../../provider/router/connection";
import {
  converge,
  disconnect,
  observe,
  onProgress,
  type RouterAddress,
  RouterError,
  uninstall,
} from "../../../provider/router/index";
import { gather } from "../../../provider/router/lane";
import { program } from "../../../provider/router/program";
import { answer, fakeRouter, hostKeyPrint, hostKeyText, tcpServer, userKey } from "./server";

const change = { id: "web@2001:db8::", label: 'Tier "web"', fragments: { network: "interface web0\n" } };
const ok = () => answer("ok 1 same", { changed: "network" });
const saved = { limits: { ...limits }, bounds: { ...bounds }, gather: { ...gather } };

beforeEach(() => {
  vi.stubEnv("VPC6_SSH_KEY", userKey.private);
  vi.stubEnv("SSH_AUTH_SOCK", "");
  vi.stubEnv("HOME", "/nonexistent");
});
afterEach(() => {
  disconnect();
  vi.unstubAllEnvs();
  Object.assign(limits, saved.limits);
  Object.assign(bounds, saved.bounds);
  Object.assign(gather, saved.gather);
});

async function failure(router: RouterAddress): Promise<RouterError> {
  const error = await converge(router, change).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RouterError);
  return error as RouterError;
}

describe("the way there", () => {
  it("works with a fingerprint, with the key itself, and with sudo", async () => {
    await using fake = await fakeRouter(ok, { user: "ops" });
    expect(await converge(fake.address, change)).toEqual({
      generation: 1,
      changed: ["network"],
      confirmed: "same connection",
    });
    expect(fake.commands).toEqual([
      `LC_ALL=C sudo -n /usr/local/lib/vpc6/vpc6 converge ${program().hash} "$SSH_CONNECTION"`,
    ]);
    await converge({ ...fake.address, hostKey: hostKeyText }, change);
    expect(fake.connections).toBe(2);
  });

  it("goes by a bastion, whose key is checked too", async () => {
    await using fake = await fakeRouter(ok);
    await using bastion = await fakeRouter(ok, { user: "jump", forwardTo: () => fake.address.port });
    const { name: _, ...proxy } = bastion.address;
    await converge({ ...fake.address, host: "192.0.2.11", proxy }, change);
    expect([bastion.commands.length, fake.commands.length]).toEqual([0, 1]);
    const wrong = { ...proxy, hostKey: hostKeyPrint.replace(/.$/, "x") };
    const error = await failure({ ...fake.address, host: "192.0.2.11", proxy: wrong });
    expect(error.message).toContain("router vr1 (root@192.0.2.11");
    expect(error.message).toContain("the host key of 127.0.0.1 is not the one expected");
  });

  it("ends at a wrong host key, and nothing is sent", async () => {
    await using fake = await fakeRouter(ok);
    const error = await failure({ ...fake.address, hostKey: `SHA256:${"A".repeat(43)}` });
    expect(error.message).toContain(`it shows ssh-ed25519 ${hostKeyPrint}`);
    expect(error.message).toContain(`expected SHA256:${"A".repeat(43)}`);
    expect(error.touched).toBe(false);
    expect(fake.commands).toEqual([]);
    expect(fake.connections).toBeLessThanOrEqual(1);
  });

  it("ends at a host that has no key of the type we know", async () => {
    await using fake = await fakeRouter(ok);
    const rsa = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from("ssh-rsa"), Buffer.alloc(20)]).toString("base64");
    expect((await failure({ ...fake.address, hostKey: `ssh-rsa ${rsa}` })).message).toMatch(
      /no host key of the type.*ssh-keyscan/s,
    );
  });

  it("ends at a host key that is none", async () => {
    await using fake = await fakeRouter(ok);
    expect((await failure({ ...fake.address, hostKey: "yes" })).message).toContain(
      "neither SHA256:… nor a public key: yes",
    );
  });

  it("ends at a refused login, which says who and with what", async () => {
    await using fake = await fakeRouter(ok, { login: () => false });
    const error = await failure(fake.address);
    expect(error.message).toContain("does not let root log in");
    expect(error.message).toContain("refused: VPC6_SSH_KEY");
    expect(error.touched).toBe(false);
    expect(fake.connections).toBe(1);
  });

  it("ends where there is no key", async () => {
    vi.stubEnv("VPC6_SSH_KEY", "");
    await using fake = await fakeRouter(ok);
    expect((await failure(fake.address)).message).toMatch(/no way to log in\n +no SSH key: set VPC6_SSH_KEY_FILE/);
  });

  it("ends where nothing listens", async () => {
    const free = await tcpServer(() => {});
    await free[Symbol.asyncDispose]();
    const error = await failure({
      name: "vr1",
      host: "127.0.0.1",
      port: free.port,
      user: "root",
      hostKey: hostKeyPrint,
    });
    expect(error.message).toMatch(/router vr1 \(root@127.0.0.1:\d+\): cannot connect.*ECONNREFUSED.*is sshd running/s);
    expect(error.touched).toBe(false);
  });

  it("ends at a host that accepts and says nothing", async () => {
    limits.handshake = 200;
    await using silent = await tcpServer(() => {});
    const error = await failure({
      name: "vr1",
      host: "127.0.0.1",
      port: silent.port,
      user: "root",
      hostKey: hostKeyPrint,
    });
    expect(error.message).toContain("accepts connections but says nothing");
  });

  it("ends at an unknown name", async () => {
    const error = await failure({ name: "vr1", host: "vr1.invalid", port: 22, user: "root", hostKey: hostKeyPrint });
    expect(error.message).toContain("cannot connect to vr1.invalid");
  });

  it("is one that was reset, also while ssh2 is still being loaded", async () => {
    vi.resetModules();
    vi.doMock("ssh2", async (load) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return await load();
    });
    const fresh = await import("../../../provider/router/connection");
    fresh.limits.waits = [];
    await using fake = await fakeRouter(ok);
    await using resetting = await tcpServer((socket) => void setTimeout(() => socket.resetAndDestroy(), 50));
    const began = Date.now();
    await expect(fresh.connect({ ...fake.address, port: resetting.port })).rejects.toThrow("before the login");
    expect(Date.now() - began).toBeLessThan(fresh.limits.handshake / 2);
    vi.doUnmock("ssh2");
    vi.resetModules();
  });

  it("has nobody listening for its end once a command has ended", async () => {
    await using fake = await fakeRouter(ok);
    const connection = await connect(fake.address);
    const { onBroken } = connection;
    const listening = new Set<object>();
    connection.onBroken = (listener) => {
      const stop = onBroken(listener);
      listening.add(listener);
      return () => {
        listening.delete(listener);
        stop();
      };
    };
    for (let time = 0; time < 3; time++) await run(connection, "vpc6 observe");
    expect(listening.size).toBe(0);
    connection.close();
    await expect(run(connection, "vpc6 observe")).rejects.toThrow("closed");
    expect(listening.size).toBe(0);
  });

  it("is tried again when it is reset, and not for ever", async () => {
    limits.waits = [10, 10];
    let dials = 0;
    await using resetting = await tcpServer((socket) => {
      dials++;
      socket.resetAndDestroy();
    });
    const error = await failure({
      name: "vr1",
      host: "127.0.0.1",
      port: resetting.port,
      user: "root",
      hostKey: hostKeyPrint,
    });
    expect(dials).toBe(3);
    expect(error.message).toMatch(
      /closed the connection 3 times.*MaxStartups.*PerSourcePenalties.*PerSourcePenaltyExemptList/s,
    );
  });

  // No OpenSSH of 9.8 or later is in Debian 12: a server that does as its manual says, twenty times as fast.
  const penalties = async (login: () => boolean) => {
    const [each, shortest] = [5_000 / 20, 15_000 / 20];
    const server = { shut: 0, until: 0, isActive: false };
    const fake = await fakeRouter(ok, {
      login: () => {
        if (login()) return true;
        server.until = Math.max(server.until, performance.now()) + each;
        server.isActive ||= server.until - performance.now() > shortest;
        return false;
      },
      accept: (socket) => {
        server.isActive &&= performance.now() < server.until;
        if (!server.isActive) return true;
        server.shut++;
        socket.write("Not allowed at this time\r\n");
        return false;
      },
    });
    return Object.assign(fake, { server });
  };

  it("is shut for a while after failed logins, and is asked again when that is over", async () => {
    limits.waits = limits.waits.map((wait) => wait / 20);
    gather.unreachable = 0;
    let right = false;
    await using fake = await penalties(() => right);
    for (let time = 0; time < 4; time++) {
      expect((await failure(fake.address)).message).toContain("does not let root log in");
      disconnect();
    }
    right = true;
    await converge(fake.address, change);
    expect(fake.server.shut).toBeGreaterThan(2);
  });

  it("is asked again for longer than an sshd's penalties last, and no longer than a dial may take", () => {
    const all = limits.waits.reduce((sum, wait) => sum + wait, 0);
    expect(all).toBeGreaterThan(20_000);
    expect(all * 1.4).toBeLessThanOrEqual(limits.dial + limits.handshake);
    // Who waits for the answer of an undoing router does not wait for that.
    expect(limits.waits.slice(0, limits.urgent).reduce((sum, wait) => sum + wait, 0)).toBeLessThan(2_000);
  });

  it("that says why it closes is quoted, and who waits for long is told so", async () => {
    limits.waits = [10, 2_000];
    await using shut = await tcpServer((socket) => void socket.end("Not allowed at this time\r\n"));
    const heard: string[] = [];
    onProgress((_, text, isWarning) => heard.push(`${isWarning} ${text}`));
    const { name, host, user, hostKey } = { name: "vr1", host: "127.0.0.1", user: "root", hostKey: hostKeyPrint };
    const error = await failure({ name, host, port: shut.port, user, hostKey }).finally(() => onProgress(undefined));
    expect(error.message).toMatch(
      /before the login, in [23] s\n.*\n {2}it said: Not allowed at this time\nIts sshd_config/,
    );
    expect(heard).toEqual([
      expect.stringMatching(/^false 127.0.0.1 port \d+ closes connections before the login: trying again in [23] s$/),
    ]);
  });

  it("that says what no SSH server says is not asked for long", async () => {
    limits.waits = [10, 10, 10, 60_000];
    let dials = 0;
    await using web = await tcpServer((socket) => {
      dials++;
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const { name, host, user, hostKey } = { name: "vr1", host: "127.0.0.1", user: "root", hostKey: hostKeyPrint };
    const error = await failure({ name, host, port: web.port, user, hostKey });
    expect(error.message).toContain("it said: HTTP/1.1 400 Bad Request\nIs it an SSH server?");
    expect(dials).toBe(4);
  });

  it.each([
    ["key", { login: () => false }, {}, "does not let jump log in"],
    ["host key", {}, { hostKey: `SHA256:${"A".repeat(43)}` }, "is not the one expected"],
  ])(
    "by a bastion, with a wrong %s: it is tried once, for all routers behind it",
    async (_what, behavior, wrong, says) => {
      await using bastion = await fakeRouter(ok, { user: "jump", ...behavior });
      const { name: _, ...proxy } = { ...bastion.address, ...wrong };
      const names = Array.from({ length: 20 }, (_, i) => `vr${i}`);
      const address = { port: 22, user: "root", hostKey: hostKeyPrint, proxy };
      const errors = await Promise.all(names.map((name) => failure({ ...address, name, host: `${name}.example.net` })));
      for (const [i, { message }] of errors.entries()) {
        expect(message).toContain(`router vr${i} (`);
        expect(message).toContain(says);
      }
      expect(bastion.dials).toBe(1);
    },
  );

  it("fails quickly for those who come after, until it is time to look again", async () => {
    await using fake = await fakeRouter(ok, { login: () => false });
    await failure(fake.address);
    await failure(fake.address);
    expect(fake.connections).toBe(1);
    gather.unreachable = 0;
    disconnect();
    await failure(fake.address);
    expect(fake.connections).toBe(2);
  });
});

describe("the program there", () => {
  it("is sent when it is missing, and the transaction repeated", async () => {
    let installed = "";
    await using fake = await fakeRouter(({ line, input }) => {
      if (line.startsWith("sh -c")) installed = input;
      else if (!installed) return { code: 127, stderr: "sh: 1: /usr/local/lib/vpc6/vpc6: not found\n" };
      else return ok();
      return { code: 0 };
    });
    await converge(fake.address, change);
    expect(installed).toBe(program().text);
    expect(fake.commands).toHaveLength(3);
    expect(fake.connections).toBe(1);
  });

  it("is sent when it is missing behind sudo, and when it is outdated", async () => {
    let sent = 0;
    await using fake = await fakeRouter(
      ({ line }) => {
        if (line.includes("sh -c")) return { code: sent++ };
        if (sent === 0) return { code: 1, stderr: "sudo: /usr/local/lib/vpc6/vpc6: command not found\n" };
        return sent === 1 ? answer("outdated 0123") : ok();
      },
      { user: "ops" },
    );
    const error = await failure(fake.address);
    // The second installation failed (exit code 1).
    expect(error.message).toContain("could not be installed below /usr/local/lib");
    expect(sent).toBe(2);
  });

  it("is not sent for ever", async () => {
    await using fake = await fakeRouter(({ line }) => (line.startsWith("sh -c") ? {} : answer("outdated 0123")));
    expect((await failure(fake.address)).message).toContain("something replaces it");
  });

  it("cannot be sent to a full disk", async () => {
    await using fake = await fakeRouter(({ line }) =>
      line.startsWith("sh -c") ? { code: 1, stderr: "cat: write error: No space left on device\n" } : { code: 127 },
    );
    const error = await failure(fake.address);
    expect(error.message).toMatch(/No space left on device\nMake room/);
    expect(error.touched).toBe(false);
  });

  it.each([
    "sudo: a password is required",
    "sudo: a terminal is required to read the password",
    "ops is not in the sudoers file.\nsudo: no",
  ])("cannot be started where sudo says: %s", async (stderr) => {
    await using fake = await fakeRouter(() => ({ code: 1, stderr: `${stderr}\n` }), { user: "ops" });
    const error = await failure(fake.address);
    expect(error.message).toContain("ops cannot become root with sudo -n");
    expect(error.message).toContain(stderr.split("\n")[0]);
    expect(error.message).toContain("NOPASSWD");
    expect(error.touched).toBe(false);
  });

  it("cannot be started where there is no sudo", async () => {
    await using fake = await fakeRouter(() => ({ code: 127, stderr: "bash: line 1: sudo: command not found\n" }), {
      user: "ops",
    });
    expect((await failure(fake.address)).message).toMatch(/cannot become root.*Install sudo/s);
    expect(fake.commands).toHaveLength(1);
  });

  it("has failed when it ends without an answer", async () => {
    await using fake = await fakeRouter(() => ({ code: 2, stderr: "vpc6: 1: syntax error\n" }));
    const error = await failure(fake.address);
    expect(error.message).toMatch(/ended without an answer\n +vpc6: 1: syntax error/);
    expect(error.touched).toBe(true);
  });

  it("has failed when it ends without an exit code", async () => {
    await using fake = await fakeRouter(() => ({ code: null }));
    expect((await failure(fake.address)).message).toContain("exit code none");
  });

  it("is nowhere: nothing is on the router, and there is nothing to remove", async () => {
    await using fake = await fakeRouter(({ line }) => ({ code: line.startsWith("sh -c '[ -e /etc/vpc6 ]") ? 1 : 127 }));
    expect((await observe(fake.address)).fragments.size).toBe(0);
    await uninstall(fake.address, "router:vr1");
    expect(fake.commands.map((line) => line.split(" ")[1])).toEqual(["observe", "uninstall", "-c"]);
  });

  /** A router on which there is `broken` in the place of the program, until it is installed. */
  const without = (
    broken: { code: number; stderr?: string; stdout?: string },
    then: Parameters<typeof fakeRouter>[0],
  ) => {
    let installed = false;
    return fakeRouter((asked) => {
      if (asked.input === program().text) installed = true;
      else if (asked.line.startsWith("sh -c '[")) return { code: 0 };
      else return installed ? then(asked) : broken;
      return { code: 0 };
    });
  };
  const seen = () => ({ stdout: "vpc6-transaction 1\nset router:vr1\nend 2\nvpc6-drift 1\nend vpc6-drift\n" });
  const noise = {
    code: 2,
    stderr: "\u0001\u0002: not found\n/usr/local/lib/vpc6/vpc6: 3: Syntax error: word unexpected\n",
  };
  const broken = [
    ["empty", { code: 0 }],
    ["half", { code: 2, stderr: "/usr/local/lib/vpc6/vpc6: 981: Syntax error: Unterminated quoted string\n" }],
    ["noise", noise],
  ] as const;

  it.each(broken)("is sent again when it is %s and says nothing, and the same is asked again", async (_what, how) => {
    await using fake = await without(how, ok);
    await converge(fake.address, change);
    expect(fake.payloads).toHaveLength(2);
    expect(new Set(fake.payloads).size).toBe(1);
  });

  it.each(broken)("that is %s is told of by who looks, in the name of the Router", async (_what, how) => {
    await using fake = await without(how, seen);
    const { drift } = await observe(fake.address);
    expect([...drift]).toEqual([["router:vr1", [{ service: "program", text: "/usr/local/lib/vpc6/vpc6 was broken" }]]]);
  });

  it.each([...broken, ["gone", { code: 127 }], ["not executable", { code: 126 }]] as const)(
    "that is %s is sent again to take away what it has made",
    async (_what, how) => {
      await using fake = await without(how, () => answer("ok 0 same"));
      await uninstall(fake.address, "router:vr1");
      expect(fake.commands.filter((line) => line.includes(" uninstall "))).toHaveLength(2);
    },
  );

  it("is not sent again when it has said anything: it was at work", async () => {
    await using fake = await fakeRouter(() => ({ code: 2, stderr: "vpc6: installing frr\n" }));
    expect((await failure(fake.address)).touched).toBe(true);
    expect(fake.commands).toHaveLength(1);
  });

  it("is sent again once only", async () => {
    await using fake = await fakeRouter(({ line }) => ({ code: line.startsWith("sh -c") ? 0 : 3 }));
    expect((await failure(fake.address)).message).toMatch(/ended without an answer\n +exit code 3/);
    expect(fake.payloads).toHaveLength(2);
  });

  it("of a later vpc6 is left alone, and that is said", async () => {
    await using fake = await fakeRouter(() => answer(`outdated 0123 ${FORMAT + 1}`));
    const { message, touched } = await failure(fake.address);
    expect(message).toMatch(
      /a later vpc6 has set it up; nothing was changed\n.*format \d+.*\n.*Update the package vpc6/,
    );
    expect(touched).toBe(false);
    expect(fake.commands).toHaveLength(1);
  });

  it("may not print without end", async () => {
    bounds.output = 100_000;
    await using fake = await fakeRouter(() => ({ stdout: "x".repeat(1_000_000) }));
    expect((await failure(fake.address)).message).toContain("printed more than 100000 bytes");
  });

  it("may not be silent for ever, nor the channel", async () => {
    bounds.silence = 50;
    await using fake = await fakeRouter(() => undefined);
    const error = await failure(fake.address);
    expect(error.message).toContain("no sign of life");
    expect(error.touched).toBe(true);
  });
});

describe("a connection that breaks", () => {
  it("after the payload was sent: the same transaction is sent again, with the same nonce", async () => {
    await using fake = await fakeRouter(({ client }) => {
      if (fake.payloads.length > 1) return ok();
      client.end();
      return undefined;
    });
    expect(await converge(fake.address, change)).toMatchObject({ confirmed: "same connection" });
    expect(fake.payloads).toHaveLength(2);
    expect(fake.payloads[0]).toBe(fake.payloads[1]);
    expect(fake.connections).toBe(2);
  });

  it("while idle: the next command opens a new one", async () => {
    await using fake = await fakeRouter(ok);
    await converge(fake.address, change);
    for (const client of fake.open) client.end();
    await vi.waitFor(() => expect(fake.open.size).toBe(0));
    await converge(fake.address, { ...change, id: "db" });
    expect([fake.connections, fake.payloads.length]).toEqual([2, 2]);
  });

  it("every time: it is said that nobody knows how far it got", async () => {
    await using fake = await fakeRouter(({ client }) => void client.end());
    const error = await failure(fake.address);
    expect(error.message).toMatch(/broke each time.*not known how far/s);
    expect(error.touched).toBe(true);
    expect(fake.payloads).toHaveLength(3);
  });
});

describe("a change that may have cut us off", () => {
  it("is confirmed over a fresh connection, which then stays the only one", async () => {
    await using fake = await fakeRouter(({ line }) =>
      line.includes(" confirm ")
        ? answer("ok 8 same")
        : answer("unconfirmed 8 30", { touched: "yes", changed: "nftables" }),
    );
    expect(await converge(fake.address, change)).toEqual({
      generation: 8,
      changed: ["nftables"],
      confirmed: "fresh connection",
    });
    expect(fake.commands[1]).toBe("/usr/local/lib/vpc6/vpc6 confirm 8");
    await vi.waitFor(() => expect(fake.open.size).toBe(1));
    await converge(fake.address, { ...change, id: "db" }).catch(() => {});
    expect(fake.connections).toBe(3);
  });

  it("is not asked for with a refused key again and again", async () => {
    limits.refused = 1_500;
    const refused: number[] = [];
    const isOver = () => performance.now() - (refused[0] ?? performance.now()) > 1_900;
    const login = () => {
      if (fake.logins === 0 || isOver()) return true;
      refused.push(performance.now());
      return false;
    };
    await using fake = await fakeRouter(
      ({ line }) =>
        line.includes(" confirm ")
          ? answer("refused", { why: "generation 8 was put back" })
          : answer("unconfirmed 8 2", { touched: "yes", changed: "nftables" }),
      { login },
    );
    await failure(fake.address);
    expect(refused).toHaveLength(2);
  }, 20_000);

  it("is reported as undone when no fresh connection gets in", async () => {
    let locked = true;
    await using fake = await fakeRouter(
      ({ line }) => {
        if (line.includes(" confirm ")) return answer("refused", { why: "generation 8 was put back" });
        setTimeout(() => (locked = false), 1_500);
        return answer("unconfirmed 8 1", { touched: "yes", changed: "nftables" });
      },
      { login: () => fake.connections < 2 || !locked },
    );
    const error = await failure(fake.address);
    expect(error.message).toMatch(/Tier "web" would cut off SSH.*the router put everything back after 1 s/s);
    expect(error.message).toContain("does not let root log in");
    expect(error.touched).toBe(false);
  }, 15_000);
});
