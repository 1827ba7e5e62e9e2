// TLS that ends on the router, and what becomes of its private key: on the router for root only, elsewhere nowhere.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, lab } from "./lab.ts";
import { membersStay, program, routeOnUplink, startInProcess } from "./stack.ts";

const VIP = "2001:67c:2834::80";
let engine: InProcess;
let member: Background;
const printed: string[] = [];

/** A certificate of its own authority for www.example.net, with the key. */
async function made(): Promise<{ certificate: string; key: string }> {
  const { stdout } = await lab.exec(
    "internet",
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=www.example.net -addext subjectAltName=DNS:www.example.net -keyout - 2>/dev/null",
  );
  const block = (what: string): string =>
    new RegExp(`-----BEGIN ${what}-----[\\s\\S]*-----END ${what}-----\n`).exec(stdout)?.[0] ?? "";
  return { certificate: block("CERTIFICATE"), key: block("PRIVATE KEY") };
}

const bodies = (key: string): string[] => key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));

async function configure({ certificate, key }: { certificate: string; key: string }): Promise<void> {
  await engine.config("test:key", key, { secret: true });
  await engine.config("test:certificate", certificate);
  await lab.exec("internet", "cat >/root/www.pem", { input: certificate });
}

const whole = (mode = "http") =>
  program(
    `
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config("test");
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.LoadBalancer("www", {
  vpc: shop, port: 443, mode: "${mode}", address: "${VIP}", members: [{ instance: web1, port: 8080 }],
  tls: { certificate: config.require("certificate"), privateKey: config.requireSecret("key") },
});`,
    { routers: { vr1: "" } },
  );

async function run(what: "up" | "preview" | "refresh", on: Engine | InProcess = engine): Promise<string> {
  const { code, all } = what === "preview" ? await on.preview({ diff: true }) : await on[what]();
  printed.push(all);
  expect(code, all).toBe(0);
  return all;
}

const fetched = async (...more: string[]) =>
  await lab.exec(
    "internet",
    [
      "curl",
      "-s",
      "-m",
      "5",
      "--cacert",
      "/root/www.pem",
      "--resolve",
      `www.example.net:443:[${VIP}]`,
      ...more,
      "https://www.example.net/",
    ],
    { check: false },
  );

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1");
  await routeOnUplink();
  engine = await startInProcess();
  await engine.program(await whole());
  await configure(await made());
  await run("up");
  await lab.ready("web1", "2001:67c:2834:1::10");
  member = lab.background(
    "web1",
    `python3 -c '
import http.server, os, socket, time
class Server(http.server.ThreadingHTTPServer):
  address_family = socket.AF_INET6
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    text = (str(self.headers.get("X-Forwarded-Proto")) + " " + str(self.headers.get("X-Forwarded-For")) + "\\n").encode()
    self.send_response(200)
    if self.path != "/long": self.send_header("Content-Length", str(len(text)))
    self.end_headers()
    while self.path == "/long" and not os.path.exists("/run/enough"): self.wfile.write(b"."); time.sleep(0.1)
    self.wfile.write(text)
  def log_message(self, *_): pass
Server(("::", 8080), Handler).serve_forever()'`,
  );
});

afterAll(async () => {
  await member?.stop();
  await engine?.[Symbol.asyncDispose]();
});

test("a client gets the certificate, HTTP/2 and its answer; the member is told who asked, and over what", async () => {
  await membersStay(async () => (await fetched()).stdout.startsWith("https"));
  const found = (await fetched("--http2", "-w", "%{http_version}")).stdout;
  expect(found).toBe("https 2001:db8:1::80\n2");
  // The client would; it is the router that says no.
  const old = await fetched("-S", "--ciphers", "DEFAULT@SECLEVEL=0", "--tlsv1.0", "--tls-max", "1.1");
  expect(old.stderr).toContain("alert protocol version");
});

test("the preview of a new certificate shows it and not its key; the switch drops no connection", async () => {
  await configure(await made());
  const shown = await run("preview");
  expect(shown).toMatch(/- +\{\{tls\.privateKey:[0-9a-f]{4}\}\}/);
  expect(shown).toMatch(/\+ +\{\{tls\.privateKey:[0-9a-f]{4}\}\}/);
  // Answers that begin before the switch and end when they are told to, after it.
  const long = ["--http1.1", "--http2"].map((version) =>
    lab.background("internet", [
      ...["curl", "-s", "-N", "-k", version, "--resolve", `www.example.net:443:[${VIP}]`],
      "https://www.example.net/long",
    ]),
  );
  const goesOn = async (answer: Background) => {
    const { length } = answer.stdout;
    await lab.until("more of an answer", 10_000, async () => answer.stdout.length > length);
  };
  await Promise.all(long.map(goesOn));
  await run("up");
  await Promise.all(long.map(goesOn));
  await lab.exec("web1", "touch /run/enough");
  for (const answer of long) {
    expect((await answer.ended).code).toBe(0);
    expect(answer.stdout).toMatch(/^\.+https 2001:db8:1::80\n$/);
  }
  expect((await fetched()).stdout).toBe("https 2001:db8:1::80\n");
  expect(await run("preview")).toMatch(/ 7 unchanged/);
});

test("the private key is in no output, no state, no journal, no process list; after a refresh neither", async () => {
  const all = await made();
  await configure(all);
  const state = await engine.underTheCli(async (cli) => {
    await run("preview", cli);
    await run("up", cli);
    await run("refresh", cli);
    // Edited by another hand: the refresh brings the fragments back from the router.
    await lab.exec("vr1", "sed -i 's/weight 1/weight 2/' /etc/vpc6/confirmed/fragments/haproxy/www@*");
    expect(await run("refresh", cli)).toMatch(/LoadBalancer www updated/);
    const edited = await cli.stateFile();
    await run("up", cli);
    return edited + (await cli.stateFile());
  });
  const journal = (await lab.exec("vr1", "journalctl --sync; journalctl -b --no-pager; ps -eo args; ls -l /etc/vpc6"))
    .stdout;
  for (const body of bodies(all.key)) {
    for (const text of [...printed, state, journal]) expect(text).not.toContain(body);
  }
  const { stdout: modes } = await lab.exec("vr1", "stat -c '%a %U' /etc/vpc6 /run/vpc6");
  expect(modes).toBe("700 root\n700 root\n");
  const { stdout: readers } = await lab.exec(
    "vr1",
    `grep -rlF '${bodies(all.key)[0]}' /etc /run /var /tmp 2>/dev/null`,
  );
  expect(
    readers
      .trim()
      .split("\n")
      .every((file) => file.startsWith("/etc/vpc6/generations/")),
    readers,
  ).toBe(true);
});

test("what a daemon says about a line with a secret does not show the secret", async () => {
  const { key } = await made();
  const hash = "{{password:abcd}}";
  const payload = [
    "vpc6-transaction 1",
    "set leaky@2001:db8::1",
    "slot haproxy",
    `|listen leaky`,
    `|\tbind [2001:67c:2834::99]:99 v6only transparent`,
    `|\tnonsense ${hash}`,
    "slot secrets",
    `|${hash} ${bodies(key)[0]}`,
  ];
  const { stdout: sum } = await lab.exec("vr1", "sed -n 's/^PROGRAM_HASH=//p' /usr/local/lib/vpc6/vpc6");
  const { stdout } = await lab.exec("vr1", ["/usr/local/lib/vpc6/vpc6", "converge", sum.trim(), ""], {
    input: `${[...payload, `end ${payload.length}`].join("\n")}\n`,
    check: false,
  });
  expect(stdout).toContain("refused");
  expect(stdout).toContain("nonsense");
  expect(stdout).not.toContain(bodies(key)[0]);
});

test("removed with its load balancer", async () => {
  await engine.program(await program("", { routers: { vr1: "" } }));
  await run("up");
  const { stdout } = await lab.exec(
    "vr1",
    "ls /etc/vpc6/live/files/certificates.d; cat /etc/vpc6/live/fragments/secrets/* 2>/dev/null || true",
  );
  expect(stdout).toBe("");
});
