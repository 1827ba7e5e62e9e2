// Never open, whoever flushes: packets that must not pass are sent all the while another hand takes the packet filter away, in every way
// that Debian has, at work and at boot. None may get through, and what is allowed goes on within two seconds.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Host, lab } from "./lab.ts";
import { capture, connects, each, membersStay, program, routeOnUplink, startInProcess } from "./stack.ts";

const WEB = "2001:67c:2834:1::";
const DB = "2001:67c:2834:11::";
const ROUTER = "2001:db8:ffff::10";
const OUTSIDE = "2001:db8:1::80";
const VIP = "2001:67c:2834::80";
const RESTRICTED = "2001:67c:2834::81";

/** Reboots with Debian's own unit enabled, each a chance for it to come last. `make test-guard` does 100. */
const REBOOTS = Number(process.env.VPC6_REBOOTS ?? 2);

let engine: InProcess;
const servers: Background[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "db1");
  await routeOnUplink("2001:67c:2834::/59");
  engine = await startInProcess();
  await engine.program(
    await program(
      `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const blog = new vpc6.Vpc("blog", { zone, router: vr1, cidr: "2001:67c:2834:10::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
const db = new vpc6.Tier("db", { vpc: blog, interface: "db0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11", password: "correct-horse" });
new vpc6.NetworkAcl("web", { tiers: [web], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "9100" },
  { direction: "ingress", action: "allow", protocol: "icmp" },
] });
new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", address: "${VIP}", members: [{ instance: web1, port: 9100 }] });
new vpc6.LoadBalancer("inner", { vpc: shop, port: 80, mode: "http", address: "${RESTRICTED}", sources: ["2001:db8:77::/48"], members: [{ instance: web1, port: 9100 }] });`,
      { routers: { vr1: "" } },
    ),
  );
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  for (const [guest, address] of [
    ["web1", `${WEB}10`],
    ["db1", `${DB}10`],
  ] as const) {
    await lab.waitForLease(guest, address, 60_000);
    await lab.waitForGateway(guest);
  }
  for (const guest of ["web1", "db1"] as const) servers.push(lab.background(guest, `python3 -c '${SERVER}'`));
  await each(["web1", "db1"] as const, async (guest) => {
    await lab.until(`${guest} to listen`, 10_000, async () => (await connects(guest, "::1", 9100)) === "open");
  });
  await membersStay(async () => (await connects("internet", VIP, 80)) === "open");
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.destroy();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

const SERVER = `
import http.server, socket
class Server(http.server.ThreadingHTTPServer): address_family = socket.AF_INET6
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
  def log_message(self, *_): pass
Server(("::", 9100), Handler).serve_forever()`;

/** Sends to each `PROTOCOL ADDRESS PORT`, a hundred times a second: a SYN, or a question for a name. */
const SENDER = `
import socket, sys, time
question = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x03db1\\x02db\\x04blog\\x08internal\\x00\\x00\\x1c\\x00\\x01"
udp = {f: socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET6, socket.AF_INET)}
for it in udp.values(): it.setblocking(False)
to = [it.split() for it in sys.argv[1:]]
print("sending", flush=True)
while True:
    for protocol, address, port in to:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            if protocol == "udp": udp[family].sendto(question, (address, int(port)))
            else:
                s = socket.socket(family, socket.SOCK_STREAM); s.setblocking(False)
                s.connect_ex((address, int(port))); s.close()
        except OSError: pass
    time.sleep(0.01)
`;

const FORBIDDEN: readonly (readonly [from: Host, to: string[]])[] = [
  [
    "internet",
    [
      `tcp ${DB}10 9100`,
      `udp ${DB}10 9100`,
      `udp ${WEB}10 9200`,
      `tcp ${DB}1 8080`,
      `tcp ${ROUTER} 8080`,
      `udp ${DB}1 53`,
      `tcp ${DB}1 53`,
      `udp ${ROUTER} 53`,
      `tcp ${RESTRICTED} 80`,
    ],
  ],
  ["web1", [`tcp ${DB}10 9100`, `udp ${DB}10 9100`, `tcp ${DB}1 8080`, `udp ${DB}1 53`, `tcp ${WEB}1 22`, "tcp 10.1.1.1 22"]],
  ["db1", [`tcp ${WEB}10 9200`, `udp ${WEB}10 9100`, `udp ${WEB}1 53`, `tcp ${ROUTER} 22`]],
];

/** What came through, or was answered: of each host that packet of the senders', as tcpdump writes it. */
async function through(): Promise<AsyncDisposable & { seen(): string[] }> {
  const stack = new AsyncDisposableStack();
  const seen: Background[] = [];
  for (const [host, device, filter] of [
    ["internet", "inet0", `(src net 2001:67c:2834::/59 or src host ${ROUTER}) and (tcp src port 8080 or src port 53 or (tcp src port 80 and src host ${RESTRICTED}) or src port 9200 or (src host ${DB}10) or (icmp6 and ip6[40] == 1))`],
    ["db1", "eth0", `(dst host ${DB}10 and (tcp or udp) and not src port 53 and not port 546) or (src net 2001:67c:2834::/60 and src port 53) or (src host ${ROUTER} and tcp)`],
    ["web1", "eth0", `(dst host ${WEB}10 and (udp or tcp dst port 9200) and not src port 53 and not port 546) or (src host ${DB}1) or (src host ${DB}10) or (tcp src port 22)`],
  ] as const) {
    seen.push(stack.use(await capture(host, device, filter)));
  }
  for (const [from, to] of FORBIDDEN) {
    const sender = stack.use(lab.background(from, ["python3", "-c", SENDER, ...to]));
    await lab.until(`${from} to send`, 10_000, async () => sender.stdout.includes("sending"));
  }
  return {
    seen: () => seen.flatMap((it) => it.stdout.split("\n").filter(Boolean)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What is allowed, tried without a break; how long (milliseconds) nothing of it was answered, at most. */
const ALLOWED = `
import os, socket, sys, time
start = time.time(); last = start; worst = 0; print("trying", flush=True)
while not os.path.exists("/run/enough"):
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM); s.settimeout(0.15)
    try:
        s.connect((sys.argv[1], int(sys.argv[2]))); now = time.time(); worst = max(worst, now - last); last = now
    except OSError: pass
    s.close(); time.sleep(0.02)
print(int(1000 * max(worst, time.time() - last)))
`;
async function allowed(): Promise<() => Promise<number[]>> {
  await lab.exec("internet", "rm -f /run/enough");
  const trying = [
    [`${WEB}10`, "9100"],
    [VIP, "80"],
    [ROUTER, "22"],
  ].map((to) => lab.background("internet", ["python3", "-c", ALLOWED, ...to]));
  await Promise.all(trying.map((it) => lab.until("the first answers", 10_000, async () => it.stdout.includes("trying"))));
  return async () => {
    await lab.exec("internet", "touch /run/enough");
    return (await Promise.all(trying.map((it) => it.ended))).map((it) => Number(it.stdout.split("\n")[1]));
  };
}

test("by hand", async () => {
  for (const command of ["nft flush ruleset", "nft delete table inet vpc6", "nft flush table inet vpc6"]) {
    await using packets = await through();
    const gaps = await allowed();
    await lab.exec("vr1", command);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    console.info(command, await gaps(), packets.seen().length);
    expect(packets.seen().slice(0, 5), command).toEqual([]);
  }
});

test("what is sent comes through where nobody defends", async () => {
  await using packets = await through();
  await lab.exec("vr1", "systemctl stop vpc6-watch vpc6-guard; nft flush ruleset; sleep 2; systemctl start vpc6-guard vpc6-watch");
  const seen = packets.seen().join("\n");
  for (const [from, to] of FORBIDDEN) {
    for (const it of to) {
      const [, address, port] = it.split(" ");
      expect.soft(seen, `${from}: ${it}`).toMatch(new RegExp(`(> )?${address}[.]${port}[: ]`));
    }
  }
});
