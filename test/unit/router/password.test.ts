// The password server as it runs on a router, at a socket of this machine: guests are addresses of the loopback network. What systemd
// and the packet filter add (its sandbox, its sockets, who may come at all) is the lab's to show.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { program } from "../../../provider/router/program";

/** Makes the socket that systemd would, tells its port, and becomes the server. */
const LAUNCH = `use Socket;
$^F = 9;
socket(my $door, AF_INET, SOCK_STREAM, 0) or die $!;
bind($door, sockaddr_in(0, INADDR_ANY)) && listen($door, 1000) or die $!;
print((sockaddr_in(getsockname $door))[0], "\\n"); $| = 1; print "";
open(my $three, ">&=", 3) if fileno $door == 3;
exec "/usr/bin/perl", "-x", "-T", $ARGV[0];`;

let folder: string;
let server: ChildProcess;
let port = 0;
let said = "";

const table = (web1: string): Promise<void> =>
  writeFile(
    path.join(folder, "passwords"),
    `web1@a 127.0.0.2 ${web1}\nweb1@a 127.0.0.22 ${web1}\nweb2@b 127.0.0.3 other"'$(x)\n`,
  );

async function launch(): Promise<void> {
  const env = { STATE_DIRECTORY: path.join(folder, "state"), CREDENTIALS_DIRECTORY: folder };
  server = spawn("/usr/bin/perl", ["-e", LAUNCH, path.join(folder, "vpc6")], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  server.stderr?.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const [first] = (await once(server.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [Buffer];
  port = Number(first.toString());
}

async function end(): Promise<void> {
  const ended = once(server, "exit");
  server.kill();
  expect(await ended).toEqual([0, null]);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "vpc6-password-"));
  await writeFile(path.join(folder, "vpc6"), program().text);
  await mkdir(path.join(folder, "state"));
  await table("first-password");
  await launch();
});

afterAll(async () => {
  server.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** When it is closed, by an error or not. */
const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));

const open = (from: string): Socket => connect({ port, host: "127.0.0.1", localAddress: from });

/** Sends the bytes and returns all that comes back. */
async function exchange(from: string, bytes: string | Buffer): Promise<string> {
  const socket = open(from);
  let answer = "";
  socket.setEncoding("latin1").on("data", (text) => {
    answer += text;
  });
  const done = closed(socket);
  socket.write(bytes);
  await done;
  return answer;
}

const request = (word: string): string =>
  `GET / HTTP/1.1\r\nUser-Agent: Wget/1.21.3\r\nAccept: */*\r\nAccept-Encoding: identity\r\nHost: data-server:8080\r\nConnection: Keep-Alive\r\nDomU_Request: ${word}\r\n\r\n`;
const ask = async (from: string, word = "send_my_password"): Promise<string> => {
  const answer = await exchange(from, request(word));
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  return answer.split("\r\n\r\n")[1] ?? "";
};

test("given until acknowledged, to each its own, and at both of its addresses", async () => {
  expect(await ask("127.0.0.2")).toBe("first-password");
  expect(await ask("127.0.0.2")).toBe("first-password");
  expect(await ask("127.0.0.3")).toBe(`other"'$(x)`);
  expect(await ask("127.0.0.2", "saved_password")).toBe("saved_password");
  expect(await ask("127.0.0.2")).toBe("saved_password");
  expect(await ask("127.0.0.22")).toBe("saved_password");
  expect(await ask("127.0.0.2", "saved_password")).toBe("saved_password");
  expect(await ask("127.0.0.3")).toBe(`other"'$(x)`);
  expect(await ask("127.0.0.9")).toBe("");
  expect(await ask("127.0.0.9", "saved_password")).toBe("");
});

test("what was acknowledged survives a restart; another password is offered, and not acknowledged by who has the former", async () => {
  await end();
  await launch();
  expect(await ask("127.0.0.2")).toBe("saved_password");
  await end();
  await table("second-password");
  await launch();
  // It asked before the change, and says so after it.
  expect(await ask("127.0.0.2", "saved_password")).toBe("bad_request");
  expect(await ask("127.0.0.2")).toBe("second-password");
  await end();
  await launch();
  expect(await ask("127.0.0.2", "saved_password")).toBe("saved_password");
  expect(await ask("127.0.0.2")).toBe("saved_password");
  for (const file of await readdir(path.join(folder, "state"))) {
    expect(file).toMatch(/^web[12]@/);
    expect(await readFile(path.join(folder, "state", file), "utf8")).toMatch(/^(sent|saved) \$6\$rounds=1000\$\S+\n$/);
  }
  expect(said).not.toMatch(/first-password|second-password|other/);
  expect(said).toMatch(/^web1@a: password acknowledged$/m);
});

const head = "GET / HTTP/1.1\r\n";
const good = "DomU_Request: send_my_password\r\n";
test.each([
  ["no header", `${head}\r\n`, 200],
  ["another word", `${head}DomU_Request: send_all\r\n\r\n`, 200],
  ["an empty word", `${head}DomU_Request:\r\n\r\n`, 200],
  ["the word of CloudStack's own side", `${head}DomU_Request: save_password\r\n\r\n`, 200],
  ["two words", `${head}${good}DomU_Request: saved_password\r\n\r\n`, 200],
  ["another page", `GET /etc/passwd HTTP/1.1\r\n${good}\r\n`, 200],
  ["a proxy's form", `GET http://x/ HTTP/1.1\r\n${good}\r\n`, 200],
  ["POST", `POST / HTTP/1.1\r\n${good}\r\n`, 200],
  ["chunks", `${head}${good}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, 200],
  ["a body", `${head}${good}Content-Length: 5\r\n\r\nhello`, 200],
  ["somebody in between", `${head}${good}X-Forwarded-For: 2001:db8::1\r\n\r\n`, 200],
  ["a folded header", `${head}X: y\r\n DomU_Request: send_my_password\r\n\r\n`, 400],
  ["a blank before the colon", `${head}DomU_Request : send_my_password\r\n\r\n`, 400],
  ["a bare CR", `${head}X: a\rDomU_Request: send_my_password\r\n\r\n`, 400],
  ["HTTP/0.9", "GET /\r\n\r\n", 400],
  ["HTTP/2", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, 400],
  ["TLS", Buffer.from("16030100c8010000c40303\n\n", "latin1"), 400],
  ["bytes", Buffer.concat([Buffer.from(head), Buffer.from([0, 255, 128, 7]), Buffer.from("\r\n\r\n")]), 400],
  ["nothing but ends of lines", "\n\n\n\n", 400],
  ["a long line", `${head}X: ${"a".repeat(5000)}\r\n${good}\r\n`, 400],
  ["many lines", `${head}${"X: y\r\n".repeat(40)}${good}\r\n`, 400],
  ["no end", "a".repeat(100_000), 400],
  ["no end of lines", "\n".repeat(1) + "x".repeat(9000), 400],
])("refused: %s", async (_what, bytes, status) => {
  const answer = await exchange("127.0.0.3", bytes as string);
  // Who sends on and on may lose the answer; never is there another one.
  if (answer !== "" || bytes.length < 4096) {
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\r\n\r\nbad_request$`));
  }
  expect(await ask("127.0.0.3")).toBe(`other"'$(x)`);
});

test("header names in any case, ends of lines of either kind, in pieces, with garbage behind it", async () => {
  const text = `GET / HTTP/1.0\ndomu_request:\tsend_my_password \n\n`;
  expect(await exchange("127.0.0.3", text)).toMatch(/other"'\$\(x\)$/);
  const socket = open("127.0.0.3");
  let answer = "";
  socket.on("data", (bytes) => {
    answer += bytes;
  });
  const done = closed(socket);
  for (const byte of text) {
    socket.write(byte);
    await sleep(2);
  }
  await done;
  expect(answer).toMatch(/other"'\$\(x\)$/);
  const twice = await exchange(
    "127.0.0.3",
    request("send_my_password") + request("saved_password") + "\0".repeat(1000),
  );
  expect(twice.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(await ask("127.0.0.3")).toBe(`other"'$(x)`);
});

test("slow ones, silent ones and many of them: one address holds eight connections, for some seconds", async () => {
  const silent = Array.from({ length: 40 }, () => open("127.0.0.66"));
  const over = silent.map((socket) => closed(socket.resume()));
  silent[0]?.write("GET / HT");
  await Promise.all(over.slice(8));
  const begin = Date.now();
  expect(await ask("127.0.0.3")).toBe(`other"'$(x)`);
  expect(Date.now() - begin).toBeLessThan(500);
  const drip = setInterval(() => silent[0]?.write("x"), 200);
  await Promise.all(over);
  clearInterval(drip);
  expect(Date.now() - begin).toBeLessThan(8_000);
  // From many addresses: the oldest make room.
  const crowd = Array.from({ length: 300 }, (_, n) => open(`127.0.1.${n % 250}`).on("error", () => {}));
  await sleep(300);
  expect(await ask("127.0.0.3")).toBe(`other"'$(x)`);
  for (const socket of crowd) socket.destroy();
}, 20_000);

test("fourteen at once, of two guests, and what it notes is whole", async () => {
  const words = Array.from({ length: 14 }, (_, n) =>
    ask(n % 2 ? "127.0.0.3" : "127.0.0.2", n % 3 ? "send_my_password" : "saved_password"),
  );
  const answers = await Promise.all(words);
  expect(new Set(answers.filter((_, n) => n % 2 === 0))).toEqual(new Set(["saved_password"]));
  expect(answers.filter((_, n) => n % 2 === 1).every((it) => it === `other"'$(x)` || it === "saved_password")).toBe(
    true,
  );
  expect((await readdir(path.join(folder, "state"))).sort()).toEqual(["web1@a", "web2@b"]);
});
