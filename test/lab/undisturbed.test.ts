// Traffic that has nothing to do with a change does not notice it: long-lived connections and pings of 100 a second, while one
// update after the other edits access lists, load balancers, tiers and instances around them.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Host, lab } from "./lab.ts";
import { connects, lostSegments, membersStay, program, routeOnUplink, startInProcess } from "./stack.ts";

const WEB1 = "2001:67c:2834:1::10";
const DB1 = "2001:67c:2834:2::10";
const VIP = "2001:67c:2834::80";

/** So many updates; in twelve every combination of edits comes once. `make test-undisturbed` does 50. */
const RUNS = Number(process.env.VPC6_EDITS ?? 12);

let engine: InProcess;
const servers: Background[] = [];

/** Edit `n` changes an access list always, and by turns a load balancer's members, a tier and an instance too. */
function stack(n: number): Promise<string> {
  const rules = Array.from(
    { length: 1 + (n % 4) },
    (_, index) => `{ direction: "ingress", action: "allow", protocol: "tcp", ports: "${2000 + n + index}" },`,
  ).join(" ");
  // Also in the list that lets the flows through: their own rule stays.
  const between = n % 2 === 0 ? `{ direction: "ingress", action: "deny", protocol: "udp", ports: "${3000 + n}" },` : "";
  return program(
    `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", cidr: "2001:67c:2834:1::/64" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", cidr: "2001:67c:2834:2::/64" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
new vpc6.NetworkAcl("flows", { tiers: [web, db], rules: [
  ${between}
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "9100" },
  { direction: "egress", action: "allow", protocol: "tcp", ports: "9100" },
] });
const members = [{ instance: web1, port: 9100 }${n % 2 === 1 ? ', { address: "2001:67c:2834:2::10", port: 9300 }' : ""}];
new vpc6.LoadBalancer("front", { vpc: shop, mode: "tcp", port: 9100, address: "${VIP}", members: [{ instance: web1, port: 9100 }] });
new vpc6.LoadBalancer("edited", { vpc: shop, mode: "tcp", port: ${n % 4 < 2 ? 81 : 82}, members });
${
  n % 3 === 0
    ? ""
    : `const cache = new vpc6.Tier("cache", { vpc: shop, interface: "cache0"${n % 3 === 1 ? "" : ', domain: "c.example"'} });
new vpc6.NetworkAcl("edited", { tiers: [cache], rules: [${rules}] });`
}
${n % 2 === 1 ? `new vpc6.Instance("guest", { tier: web, mac: "02:00:00:00:01:12" });` : ""}`,
    { routers: { vr1: "" } },
  );
}

async function up(n: number): Promise<void> {
  await engine.program(await stack(n));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  expect(all, "an edit that changes nothing proves nothing").not.toMatch(/^ {4}\d+ unchanged\n\nDuration/m);
}

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "db1");
  await routeOnUplink();
  engine = await startInProcess();
  await up(0);
  await lab.waitForLease("web1", WEB1);
  await lab.waitForLease("db1", DB1);
  await lab.waitForGateway("web1");
  await lab.waitForGateway("db1");
  for (const host of ["web1", "db1"] as const) {
    servers.push(lab.background(host, "exec socat TCP6-LISTEN:9100,fork,reuseaddr EXEC:cat"));
    await lab.until(`${host} to listen`, 10_000, async () => (await connects(host, "::1", 9100)) === "open");
  }
  const echo = `(echo hello; sleep 0.3) | nc -6 -n -w 1 ${VIP} 9100`;
  await membersStay(async () => (await lab.exec("internet", echo, { check: false })).stdout === "hello\n");
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

/** A line every 20 ms to an echo server on one connection, and what comes back. */
const talk = (from: Host, to: string): Background =>
  lab.background(from, `n=0; while sleep 0.02; do n=$((n + 1)); echo $n; done | exec nc -6 -n -v ${to} 9100`);

const portOf = async (from: Host, to: string) =>
  (await lab.exec(from, `ss -Htn state established "dst [${to}] and dport = :9100"`)).stdout.trim().split(/\s+/)[2];

test("no connection is cut, no segment lost and no ping unanswered", { timeout: 1_800_000 }, async () => {
  const ways = [
    ["internet", WEB1],
    ["web1", DB1],
    ["internet", VIP],
  ] as const;
  await using stack = new AsyncDisposableStack();
  const flows = ways.map(([from, to]) => ({ from, to, talk: stack.use(talk(from, to)) }));
  const pings = [...ways.slice(0, 2), ["web1", "2001:db8:1::80"] as const].map(([from, to]) => ({
    from,
    to,
    ping: stack.use(lab.pinging(from, to, 0.01)),
  }));
  for (const { from, to, talk } of flows) {
    const began = lab.until(`the flow from ${from} to ${to}`, 10_000, async () => talk.stdout.includes("5\n"));
    await began.catch((error: Error) => Promise.reject(new Error(`${error.message}; it says: ${talk.stderr}`)));
  }
  const ports = await Promise.all(ways.map(([from, to]) => portOf(from, to)));
  const before = await Promise.all((["internet", "web1", "db1"] as const).map(lostSegments));

  const began = Date.now();
  for (let run = 1; run <= RUNS; run++) await up(run);
  const seconds = (Date.now() - began) / 1000;
  console.info(`${RUNS} updates in ${Math.round(seconds)} s`);

  expect(await Promise.all(ways.map(([from, to]) => portOf(from, to)))).toEqual(ports);
  expect(await Promise.all((["internet", "web1", "db1"] as const).map(lostSegments))).toEqual(before);
  for (const { from, to, talk } of flows) {
    const lines = talk.stdout.trim().split("\n").map(Number);
    expect(lines.length, `${from} to ${to}`).toBeGreaterThan(10 * seconds);
    expect(lines, `${from} to ${to}`).toEqual(lines.map((_, index) => index + 1));
  }
  for (const { from, to, ping } of pings) {
    const { sent, received: answered } = await lab.pinged(ping, 30 * seconds);
    console.info(`${from} to ${to}: ${answered} of ${sent} answered`);
    // The last one may be under way when ping is stopped.
    expect(answered, `${from} to ${to}`).toBeGreaterThanOrEqual(sent - 1);
  }
});
