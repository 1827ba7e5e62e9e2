// Load balancers on the wire: who answers, what members are told of the client, who gets in, and that nobody's connection is cut
// when a member comes or goes.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Guest, lab } from "./lab.ts";
import { connects, membersStay, program, reached, routeOnUplink, snapshot, startInProcess } from "./stack.ts";

const VIP = "2001:67c:2834::80";
const OUTSIDE = "2001:db8:1::80";

let engine: InProcess;
let before: Record<string, string>;
const servers: Background[] = [];

interface Change {
  www?: string;
  health?: string;
  only?: string;
  more?: string;
}

/** A member that serves by name: it answers its own `Host` over HTTP/1.1, to HEAD, with 204, and all else with 400. */
const byName = `new vpc6.LoadBalancer("named", { vpc: shop, address: www, port: 84, mode: "tcp",
  health: { http: "/up?a=b&c=%20", host: "www.example.net:8084", method: "HEAD", status: "200,204", interval: 1 },
  members: [{ instance: web1, port: 8084 }] });
new vpc6.LoadBalancer("nameless", { vpc: shop, address: www, port: 85, mode: "tcp",
  health: { http: "/up?a=b&c=%20", interval: 1 }, members: [{ instance: web1, port: 8084 }] });
new vpc6.LoadBalancer("strict", { vpc: shop, address: www, port: 86, mode: "tcp",
  health: { http: "/up?a=b&c=%20", host: "www.example.net:8084", method: "HEAD", status: "200-203", interval: 1 },
  members: [{ instance: web1, port: 8084 }] });
new vpc6.LoadBalancer("named-tls", { vpc: shop, address: www, port: 444, mode: "ssl-passthrough",
  health: { http: "/", host: "web2.example:8443", interval: 1 }, members: [{ instance: web2, port: 8444 }] });
new vpc6.LoadBalancer("other-tls", { vpc: shop, address: www, port: 445, mode: "ssl-passthrough",
  health: { http: "/", host: "web3.example:8443", interval: 1 }, members: [{ instance: web2, port: 8444 }] });`;

const one = "{ instance: web1, port: 8080 }";
const two = `${one}, { instance: web2, port: 8080 }`;
const whole = ({ www = two, only = "2001:db8:9::/48", more = "" }: Change = {}) =>
  program(
    `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });
const www = new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", address: "${VIP}", health: { http: "/up", interval: 1 }, members: [${www}] });
new vpc6.LoadBalancer("tls", { vpc: shop, address: www, port: 443, mode: "ssl-passthrough", members: [{ instance: web2, port: 8443 }] });
new vpc6.LoadBalancer("proxied", { vpc: shop, address: www, port: 81, mode: "tcp", proxyProtocol: true, members: [{ instance: web1, port: 8081 }] });
new vpc6.LoadBalancer("long", { vpc: shop, address: www, port: 82, mode: "tcp", algorithm: "leastconn", members: [${www.replaceAll("8080", "8082")}] });
new vpc6.LoadBalancer("legacy", { vpc: shop, address: www, port: 83, mode: "http", members: [{ address: "10.1.1.50", port: 8080 }] });
const some = new vpc6.LoadBalancer("some", { vpc: shop, port: 80, mode: "tcp", sources: ["${only}"], members: [${one}] });
export const addresses = [www.address, some.address];
${more}`,
    { routers: { vr1: "" } },
  );

// Answers every request with its own name and what it was told of the client; ill as long as /run/ill is there.
const web = (name: string, port: number) => `python3 -c '
import http.server, os, socket
class Server(http.server.ThreadingHTTPServer):
  address_family = socket.AF_INET6
  request_queue_size = 200
class Handler(http.server.BaseHTTPRequestHandler):
  protocol_version = "HTTP/1.1"
  def do_GET(self):
    text = ("${name} for " + str(self.headers.get("X-Forwarded-For")) + "\\n").encode()
    self.send_response(503 if self.path == "/up" and os.path.exists("/run/ill") else 200); self.send_header("Content-Length", str(len(text))); self.end_headers(); self.wfile.write(text)
  def log_message(self, *_): pass
Server(("::", ${port}), Handler).serve_forever()'`;

// A line every tenth of a second for a long time.
const slow = (port: number) =>
  `socat TCP6-LISTEN:${port},fork,reuseaddr SYSTEM:'seq 1 100000 | while read n; do echo $n; sleep 0.1; done'`;

// The PROXY protocol's header (signature, version and command, family, length, addresses), as it came, in hexadecimal.
const raw = (port: number) => `socat TCP6-LISTEN:${port},fork,reuseaddr SYSTEM:'head -c 52 | od -An -v -tx1'`;

const named = `python3 -c '
import http.server, socket
class Server(http.server.ThreadingHTTPServer): address_family = socket.AF_INET6
class Handler(http.server.BaseHTTPRequestHandler):
  protocol_version = "HTTP/1.1"
  def do_HEAD(self):
    right = self.request_version == "HTTP/1.1" and self.headers.get_all("Host") == ["www.example.net:8084"] and self.path == "/up?a=b&c=%20"
    self.send_response(204 if right else 400); self.end_headers()
  def do_GET(self): self.send_response(400); self.end_headers()
  def log_message(self, *_): pass
Server(("::", 8084), Handler).serve_forever()'`;

async function serve(guest: Guest): Promise<void> {
  const commands = [web(guest, 8080), slow(8082)];
  if (guest === "web1") commands.push(raw(8081), named);
  if (guest === "web2") {
    await lab.exec(
      guest,
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=web2.example -keyout /root/key.pem -out /root/cert.pem 2>/dev/null`,
    );
    commands.push("openssl s_server -6 -accept 8443 -cert /root/cert.pem -key /root/key.pem -www -quiet");
    // With another certificate for this name, and none without it.
    commands.push(
      "openssl s_server -6 -accept 8444 -cert /root/cert.pem -key /root/key.pem -cert2 /root/cert.pem -key2 /root/key.pem -servername web2.example -servername_fatal -www -quiet",
    );
  }
  for (const command of commands) servers.push(lab.background(guest, command));
}

const get = async (url: string, from: "internet" | Guest = "internet", ...more: string[]) =>
  (await lab.exec(from, ["curl", "-s", "-g", "-m", "3", ...more, url], { check: false })).stdout.trim();

const up = async (change: Change = {}) => {
  await engine.program(await whole(change));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
};

/** Who answered, one request after another. */
const answered = async (rounds: number) => {
  const names: string[] = [];
  for (let round = 0; round < rounds; round++) names.push((await get(`http://[${VIP}]/`)).split(" ")[0] ?? "");
  return names;
};

const counted = async (rounds: number) => {
  const answers: Record<string, number> = {};
  for (const name of await answered(rounds)) answers[name] = (answers[name] ?? 0) + 1;
  return answers;
};

beforeAll(async () => {
  lab.bare();
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2");
  await routeOnUplink();
  before = await snapshot("vr1");
  engine = await startInProcess();
  await up();
  // The IPv4-only member: the operator's own IPv4 on the segment of the tier.
  await lab.exec("vr1", "ip addr add 10.1.1.1/24 dev web0");
  await lab.exec("web1", "ip addr add 10.1.1.50/24 dev eth0");
  for (const [guest, address] of [
    ["web1", "2001:67c:2834:1::10"],
    ["web2", "2001:67c:2834:1::11"],
  ] as const) {
    await lab.ready(guest, address);
    await serve(guest);
  }
  await membersStay(both);
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("the address is the one that was asked for, the next one is the first free one", async () => {
  expect(await engine.output("addresses")).toEqual([VIP, "2001:67c:2834::81"]);
});

test("round robin: both members answer in turn", async () => {
  // As in balancing.test.ts: the turn of 16 requests for each member during which one came back is not an even one.
  await answered(2 * 16 * 2);
  const names = await answered(20);
  expect(new Set(names)).toEqual(new Set(["web1", "web2"]));
  expect(
    names.filter((name, at) => name === names[at - 1]),
    names.join(" "),
  ).toEqual([]);
});

test("X-Forwarded-For carries the client's IPv6 address; guests of the VPC get in too", async () => {
  expect(await get(`http://[${VIP}]/`)).toMatch(new RegExp(`^web[12] for ${OUTSIDE}$`));
  expect(await get(`http://[${VIP}]/`, "web2")).toMatch(/^web[12] for 2001:67c:2834:1::11$/);
});

test("the PROXY protocol carries the client's IPv6 address", async () => {
  const { stdout } = await lab.exec("internet", `nc -6 -n -w 3 ${VIP} 81 </dev/null`, { check: false });
  // Version 2, PROXY, TCP over IPv6, 36 octets, source and destination.
  const address = (text: string) =>
    text.split("::").map((part) =>
      part
        .split(":")
        .map((it) => it.padStart(4, "0"))
        .join(""),
    );
  const [head = "", tail = ""] = address(OUTSIDE);
  const source = head + tail.padStart(32 - head.length, "0");
  expect(stdout.replace(/\s/g, "")).toMatch(new RegExp(`^0d0a0d0a000d0a515549540a21210024${source}`));
});

test("TLS passes through: the client sees the member's own certificate, and nothing but TLS gets in", async () => {
  const own = (await lab.exec("web2", "openssl x509 -in /root/cert.pem -noout -fingerprint -sha256")).stdout;
  const { stdout } = await lab.exec(
    "internet",
    `openssl s_client -connect '[${VIP}]:443' </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256`,
  );
  expect(stdout).toBe(own);
  expect(await get(`http://[${VIP}]:443/`)).toBe("");
});

test("an IPv6 client and an IPv4-only member", async () => {
  expect(await get(`http://[${VIP}]:83/`)).toBe(`web1 for ${OUTSIDE}`);
});

test("sources: only they get in, and a change counts at once", async () => {
  expect(await reached(["internet", "2001:67c:2834::81", 80], ["web2", "2001:67c:2834::81", 80])).toEqual([]);
  await up({ only: "2001:db8:1::/64" });
  expect(await get("http://[2001:67c:2834::81]/")).toBe("web1 for None");
  // Nothing else of the router has been opened.
  expect(await connects("internet", VIP, 22)).toBe("open");
  const closed = [
    ["web2", "2001:67c:2834::81", 80],
    ["web2", VIP, 22],
    ["internet", VIP, 8404],
  ] as const;
  expect(await reached(...closed)).toEqual([]);
});

test("removing and adding a member under load: no failed request, no connection cut, a line each in the preview", async () => {
  await using long = lab.background("internet", `nc -6 -n ${VIP} 82`);
  await lab.until("the long connection", 10_000, async () => long.stdout.includes("3\n"));
  await using load = new AsyncDisposableStack();
  const clients = [1, 2, 3].map(() =>
    load.use(
      lab.background(
        "internet",
        // One process, a connection for each request; 000 is a request that failed. To start curl each time took a core for itself.
        `exec curl -s -m 5 --rate 30/s -H 'Connection: close' -o /dev/null -w '%{stderr}%{http_code}\\n' 'http://[${VIP}]/?[1-100000]'`,
      ),
    ),
  );
  // What a change does, many times.
  await lab.exec("vr1", "for n in $(seq 20); do systemctl reload vpc6-haproxy; sleep 0.4; done");
  for (const www of [one, two]) {
    await engine.program(await whole({ www, only: "2001:db8:1::/64" }));
    const { stdout } = await engine.preview({ diff: true });
    const changed = stdout.split("\n").filter((line) => /^\s+[+-] \S*\s*server /.test(line));
    expect(changed, stdout).toHaveLength(2); // one each of "www" and "long"
    expect((await engine.up()).code).toBe(0);
    await lab.until("the change to show", 10_000, async () => {
      const names = Object.keys(await counted(4))
        .sort()
        .join();
      return names === (www === one ? "web1" : "web1,web2");
    });
  }
  // Asked for before the clients are interrupted: a request cut off by us is no failure.
  const answered = () => clients.flatMap(({ stderr }) => stderr.trim().split("\n"));
  await lab.until("enough requests", 30_000, async () => answered().length > 200);
  const codes = answered();
  expect(codes.filter((code) => code !== "200")).toEqual([]);
  const lines = long.stdout.trim().split("\n").map(Number);
  const last = lines.length;
  expect(lines).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  await lab.until("the long connection to go on", 5_000, async () => long.stdout.trim().split("\n").length > last + 5);
});

const both = async () =>
  Object.keys(await counted(4))
    .sort()
    .join() === "web1,web2";
const only2 = async () => JSON.stringify(await counted(6)) === '{"web2":6}';

test("a member that its health check finds ill is out, though it answers, and back when it is well", async () => {
  await lab.exec("web1", "touch /run/ill");
  await lab.until("web1 to be out", 10_000, only2);
  await lab.exec("web1", "rm /run/ill");
  await lab.until("web1 to be back", 10_000, both);
});

test("health checks by name: Host, method and status as they were given, over TLS the name in its first words", async () => {
  await up({ more: byName });
  const down = async () => {
    const { stdout } = await lab.exec("vr1", "journalctl -u vpc6-haproxy -o cat");
    return [...stdout.matchAll(/^Server ([a-z-]+):\S+ is DOWN/gm)].map(([, name]) => name);
  };
  await lab.until("HAProxy to judge them", 20_000, async () => {
    const found = await down();
    return ["nameless", "strict", "other-tls"].every((it) => found.includes(it));
  });
  // Three checks of each.
  await lab.exec("vr1", "sleep 3");
  expect((await down()).filter((it) => it?.startsWith("named"))).toEqual([]);
  const status = ["-H", "Host: www.example.net:8084", "-I", "-o", "/dev/null", "-w", "%{http_code}"];
  expect(await get(`http://[${VIP}]:84/up?a=b&c=%20`, "internet", ...status)).toBe("204");
  expect(await get(`http://[${VIP}]:85/up?a=b&c=%20`, "internet", ...status)).toBe("000");
  await up();
});

test("a dead member is out, and back when it lives again", async () => {
  const server = servers[0];
  const found = () => lab.exec("vr1", "journalctl -u vpc6-haproxy -o cat | grep -c '^Server .*/web1 is DOWN' || true");
  const before = (await found()).stdout;
  await server?.stop();
  await lab.until("web1 to be out", 10_000, only2);
  // Until here its clients may only have been passed on, each after a refusal.
  await lab.until("HAProxy to find it dead", 10_000, async () => (await found()).stdout !== before);
  expect(await only2()).toBe(true);
  servers[0] = lab.background("web1", web("web1", 8080));
  await lab.until("web1 to be back", 10_000, both);
});

test("a port that another load balancer has at the address is refused at preview, by both names", async () => {
  for (const [more, reason] of [
    [
      `new vpc6.LoadBalancer("again", { vpc: shop, address: www, port: 443, mode: "tcp", members: [] });`,
      `port: 443 of ${VIP} is already "tls"'s; "again" needs another port or another address`,
    ],
    [
      `new vpc6.LoadBalancer("thief", { vpc: shop, address: "${VIP}", port: 9000, mode: "tcp", members: [] });`,
      `'thief' has a problem: address: ${VIP} is held by www`,
    ],
  ] as const) {
    await engine.program(await whole({ more, only: "2001:db8:1::/64" }));
    const { code, all } = await engine.preview();
    expect(code).not.toBe(0);
    expect(all).toContain(reason);
  }
});

test("after a reboot it comes back by itself, without a 503 in between", async () => {
  await up({ only: "2001:db8:1::/64" });
  await lab.reboot("vr1");
  await using load = lab.background(
    "internet",
    `while :; do curl -s -g -m 1 -o /dev/null -w '%{http_code}\\n' 'http://[${VIP}]/'; sleep 0.1; done`,
  );
  await lab.until("the first answers", 30_000, async () => load.stdout.includes("200\n200\n200\n200\n"));
  expect((await load.stop()).stdout).not.toContain("503");
  const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(code, all).toBe(0);
});

test("the last load balancer gone, nothing runs; destroy leaves the router as it was", async () => {
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  await lab.exec("vr1", "ip addr del 10.1.1.1/24 dev web0", { check: false });
  expect((await lab.exec("vr1", "pgrep haproxy || true")).stdout).toBe("");
  expect(await snapshot("vr1")).toEqual(before);
});
