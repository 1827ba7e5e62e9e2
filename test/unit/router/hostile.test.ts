// A router, or whoever is in its place, that means no good: whatever it says or leaves unsaid, and wherever it stops, the end is one
// bounded, printable error in bounded time and memory, and nothing half said is believed.
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bounds } from "../../../provider/router/command";
import { limits } from "../../../provider/router/connection";
import {
  converge,
  disconnect,
  observe,
  onProgress,
  type RouterAddress,
  RouterError,
} from "../../../provider/router/index";
import { decode } from "../../../provider/router/payload";
import { answer, fakeRouter, hostKeyPrint, tcpServer, userKey } from "./server";

const change = { id: "web@2001:db8::", label: 'Tier "web"', fragments: { network: "interface web0\n" } };
const ok = () => answer("ok 1 same", { changed: "network" });
const saved = { limits: { ...limits }, bounds: { ...bounds } };

beforeEach(() => {
  vi.stubEnv("VPC6_SSH_KEY", userKey.private);
  vi.stubEnv("SSH_AUTH_SOCK", "");
  Object.assign(limits, { handshake: 1_500, waits: [], refused: 1_000 } satisfies Partial<typeof limits>);
  bounds.silence = 1_500;
});
afterEach(() => {
  disconnect();
  vi.unstubAllEnvs();
  Object.assign(limits, saved.limits);
  Object.assign(bounds, saved.bounds);
});

const at = (port: number): RouterAddress => ({
  ...{ name: "vr1", host: "127.0.0.1", port, user: "root", hostKey: hostKeyPrint },
});

/** Each attempt is one of its own: nothing is remembered of a router that was found unreachable. `again`: by the connection that there is. */
async function failure(
  router: RouterAddress,
  ask: (router: RouterAddress) => Promise<unknown> = (it) => converge(it, change),
  { again = false } = {},
) {
  if (!again) disconnect();
  const error = await ask(router).then(
    (report) => report,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RouterError);
  const { message, touched } = error as RouterError;
  expect(message).toMatch(/^router vr1 \(\S+\): [^\n]+(\n|$)/);
  expect(message.split("\n").length).toBeLessThan(20);
  expect(Math.max(...message.split("\n").map((line) => line.length))).toBeLessThan(400);
  expect(message.replace(/[\n\t]/g, "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  return { message, touched };
}

/** Memory that is there at the end of it more than at the beginning, in MiB. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  await work();
  return (process.memoryUsage.rss() - before) / 2 ** 20;
}

/** Writes as fast as the other end takes it. */
function flood(socket: Socket, chunk: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", more);
  more();
}

describe("before the login", () => {
  it.each([
    ["lines without end", "this is no SSH server, but it likes to talk\r\n".repeat(1_000)],
    ["one line without end", "x".repeat(65_536)],
    ["a version, and then zeros", `SSH-2.0-x\r\n${"\0".repeat(65_536)}`],
    ["a version, and then a packet of 4 GB", `SSH-2.0-x\r\n${"\u007f".repeat(65_536)}`],
    ["a web server", "HTTP/1.1 400 Bad Request\r\n\r\n".repeat(1_000)],
    ["an old protocol", "SSH-1.5-x\r\n".repeat(1_000)],
  ])("%s", async (_, chunk) => {
    await using server = await tcpServer((socket) => flood(socket, chunk));
    const started = performance.now();
    const grown = await growth(async () => {
      expect((await failure(at(server.port))).touched).toBe(false);
    });
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(grown).toBeLessThan(128);
  });

  it("a version and nothing more", async () => {
    await using server = await tcpServer((socket) => void socket.write("SSH-2.0-x\r\n"));
    expect((await failure(at(server.port))).message).toMatch(/says nothing|does not finish/);
  });
});

/** Between us and a router: `change` does something with what comes from it. */
const between = (port: () => number, pass: (data: Buffer, from: number, to: Socket) => void) =>
  tcpServer((socket) => {
    const router = connect({ port: port(), host: "127.0.0.1", noDelay: true });
    let sent = 0;
    router.on("error", () => {});
    socket.on("error", () => {});
    socket.on("data", (data) => void router.write(data));
    socket.on("close", () => router.destroy());
    router.on("data", (data: Buffer) => {
      pass(data, sent, socket);
      sent += data.length;
    });
    router.on("close", () => socket.destroy());
  });

describe("a line that is cut", () => {
  it("at every step, from the first byte to the last: never a success that nobody said", {
    timeout: 120_000,
  }, async () => {
    await using fake = await fakeRouter(ok);
    let cut = Number.POSITIVE_INFINITY;
    let whole = 0;
    await using middle = await between(
      () => fake.address.port,
      (data, from, to) => {
        whole = Math.max(whole, from + data.length);
        if (from + data.length < cut) to.write(data);
        else to.end(data.subarray(0, Math.max(0, cut - from)));
      },
    );
    await converge(at(middle.port), change);
    expect(whole).toBeGreaterThan(1_000);
    const said = new Set<string>();
    for (cut = 0; cut < whole; cut += cut > whole - 400 ? 13 : 61) {
      disconnect();
      const result = await converge(at(middle.port), change).catch((reason: unknown) => reason);
      if (result instanceof RouterError) said.add(result.message.split("\n")[0]?.replace(/.*?\): /, "") ?? "");
      // The answer itself had come: what was cut off is the end of the connection.
      else expect([result, cut > whole - 400]).toEqual([expect.objectContaining({ generation: 1 }), true]);
    }
    for (const what of said) expect(what).toMatch(/closed the connection|broke each time|the SSH handshake .* failed/);
    expect([...said].join()).toMatch(/closed the connection.*broke each time/);
  });

  it("or changed on the way: never a success", { timeout: 60_000 }, async () => {
    await using fake = await fakeRouter(ok);
    let wrong = Number.POSITIVE_INFINITY;
    let whole = 0;
    await using middle = await between(
      () => fake.address.port,
      (data, from, to) => {
        whole = Math.max(whole, from + data.length);
        const copy = Buffer.from(data);
        if (wrong >= from && wrong < from + copy.length) copy[wrong - from] = (copy[wrong - from] ?? 0) ^ 0x41;
        to.write(copy);
      },
    );
    await converge(at(middle.port), change);
    const end = whole;
    // Beyond the key exchange everything is authenticated; before it, the host key signs it.
    for (wrong = 8; wrong < end - 200; wrong += 97) await failure(at(middle.port));
  });
});

describe("a program that", () => {
  it.each(["stdout", "stderr"] as const)("prints without end on %s", async (stream) => {
    bounds.output = 1 << 20;
    await using fake = await fakeRouter(({ channel }) => {
      const to = stream === "stdout" ? channel : channel.stderr;
      const more = () => {
        while (!channel.destroyed && to.write("vpc6: x\n".repeat(4_000)));
      };
      to.on("drain", more);
      more();
      return undefined;
    });
    const heard: string[] = [];
    onProgress((_, text) => heard.push(text));
    const grown = await growth(async () => {
      expect((await failure(fake.address)).message).toMatch(
        /did not come to an end\n {2}it printed more than 1048576 bytes/,
      );
    }).finally(() => onProgress(undefined));
    expect(fake.commands).toHaveLength(1);
    expect(heard.length).toBe(stream === "stderr" ? bounds.lines : 0);
    expect(grown).toBeLessThan(128);
  });

  it("gives signs of life and never ends", async () => {
    bounds.total = 600;
    await using fake = await fakeRouter(({ channel }) => {
      const life = setInterval(() => void channel.stderr.write("vpc6: still at it\n"), 50);
      channel.on("close", () => clearInterval(life));
      return undefined;
    });
    const { message, touched } = await failure(fake.address);
    expect(message).toMatch(/did not come to an end\n {2}not done after/);
    expect(touched).toBe(true);
    expect(fake.commands).toHaveLength(1);
  });

  it("stops anywhere in its answer", async () => {
    const { stdout = "" } = answer("ok 7 same", { changed: "network nftables" });
    let length = 0;
    await using fake = await fakeRouter(() => ({ stdout: stdout.slice(0, length), code: 0 }));
    for (length = 0; length < stdout.length - 1; length++) {
      const { message, touched } = await failure(fake.address, undefined, { again: true });
      expect(message).toContain("ended without an answer");
      expect(touched).toBe(true);
    }
    length = stdout.length;
    await converge(fake.address, change);
  });

  it.each([
    ["ok", /an answer that is not understood: ok/],
    ["ok many same", /an answer that is not understood: ok many same/],
    ["ok -1 same", /an answer that is not understood: ok -1 same/],
    ["ok 1e9 same", /an answer that is not understood: ok 1e9 same/],
    [`ok ${"9".repeat(60)} same`, /an answer that is not understood: ok 9+ same/],
    ["unconfirmed", /an answer that is not understood: unconfirmed/],
    ["constructor", /an answer that is not understood: constructor/],
    [`x${"y".repeat(5_000)}`, /ended without an answer/],
    ["\u001b[2J\u001b[1;1H$(reboot)", /ended without an answer/],
    ["refused\u202e", /ended without an answer/],
  ])("answers %j", async (verdict, message) => {
    await using fake = await fakeRouter(() => answer(verdict, { why: "\u009b31m\u2028because\u202e" }));
    const found = await failure(fake.address);
    expect(found.message).toMatch(message);
  });

  it("names what is not there", async () => {
    await using fake = await fakeRouter(() =>
      answer("refused", {
        service: `x\u001b[31m${"y".repeat(3_000)}`,
        id: `../../etc\u0007 ${"z".repeat(3_000)}`,
        why: "no",
      }),
    );
    expect((await failure(fake.address)).message).toMatch(/: Tier "web" was refused; nothing was changed\n {2}no$/);
  });

  it("speaks at random", { timeout: 60_000 }, async () => {
    let said = "";
    await using fake = await fakeRouter(() => ({ stdout: said, stderr: said, code: 0 }));
    const line = fc.constantFrom(
      "vpc6-answer 1",
      "ok 1 same",
      "end",
      "touched no",
      "|x",
      "\0",
      "vpc6-answer 1\nok x\nend",
    );
    const words = fc.oneof(line, fc.string({ unit: "binary", maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 6 }), async (lines) => {
        said = `${lines.filter((it) => !/^ok \d/.test(it)).join("\n")}\n`;
        await failure(fake.address, undefined, { again: true });
      }),
      { numRuns: 100 },
    );
  });
});

describe("a change that may have cut us off", () => {
  it("is not confirmed by an answer for another one", async () => {
    let undone = false;
    await using fake = await fakeRouter(({ line }) => {
      if (!line.includes(" confirm ")) return answer("unconfirmed 8 1", { touched: "yes", changed: "nftables" });
      if (undone) return answer("refused", { why: "generation 8 was put back" });
      undone = true;
      return answer("ok 9 same");
    });
    expect((await failure(fake.address)).message).toContain('Tier "web" would cut off SSH');
  }, 15_000);

  it("is not waited for longer than was asked", async () => {
    const { confirmation } = await import("../../../provider/router/session");
    const { seconds } = confirmation;
    confirmation.seconds = 1;
    try {
      let first = true;
      await using fake = await fakeRouter(() => answer("unconfirmed 8 999999999", { touched: "yes" }), {
        login: () => first || fake.connections < 2,
      });
      first = false;
      const started = performance.now();
      await failure(fake.address);
      expect(performance.now() - started).toBeLessThan(12_000);
    } finally {
      confirmation.seconds = seconds;
    }
  }, 20_000);
});

describe("what is said to be on it", () => {
  const whole =
    "vpc6-transaction 1\nset a\nslot network\n|x\nend 4\nvpc6-drift 1\ndrift a network|address removed\nend vpc6-drift\n";

  it("is believed whole or not at all", async () => {
    decode(whole);
    for (let length = 0; length < whole.length; length++)
      expect(() => decode(whole.slice(0, length))).toThrow(/not whole/);
    let length = 0;
    await using fake = await fakeRouter(() => ({ stdout: whole.slice(0, length), code: 0 }));
    for (length = 0; length < whole.length; length += 17) {
      expect((await failure(fake.address, observe)).message).toContain("did not tell what is on it");
    }
  });

  it.each(["__proto__ x", "a b", "../x", "\u001b[2J", "x".repeat(5_000)])("with the name %j", async (name) => {
    const lines = ["vpc6-transaction 1", "set a", `slot ${name}`, "|x"];
    const stdout = `${lines.join("\n")}\nend 4\nvpc6-drift 1\nend vpc6-drift\n`;
    await using fake = await fakeRouter(() => ({ stdout, code: 0 }));
    expect((await failure(fake.address, observe)).message).toContain("did not tell what is on it");
  });

  it("has nothing of the language's own in it", () => {
    const text = "vpc6-transaction 1\nset constructor\nslot constructor\n|x\nend 4\nvpc6-drift 1\nend vpc6-drift\n";
    expect(decode(text).fragments.get("constructor")?.constructor).toBe("x\n");
  });
});
