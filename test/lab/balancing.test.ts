// Who is asked next: algorithms and weights of a load balancer, counted on the wire.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, lab } from "./lab.ts";
import { membersStay, program, routeOnUplink, startInProcess } from "./stack.ts";

const VIP = "2001:67c:2834::80";
/** As many clients as this one host can be. */
const CLIENTS = Array.from({ length: 40 }, (_, index) => `2001:db8:1::c:${(index + 1).toString(16)}`);

let engine: InProcess;
const servers: Background[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2");
  await routeOnUplink();
  engine = await startInProcess();
  await engine.program(
    await program(
      `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });
const members = (port, one = 1, two = 1) => [{ instance: web1, port, weight: one }, { instance: web2, port, weight: two }];
const mode = "tcp";
const first = new vpc6.LoadBalancer("weighted", { vpc: shop, port: 81, address: "${VIP}", mode, members: members(9001, 3, 1) });
const of = { vpc: shop, address: first, mode } as const;
new vpc6.LoadBalancer("drained", { ...of, port: 82, members: members(9001, 0, 1) });
new vpc6.LoadBalancer("least", { ...of, port: 83, algorithm: "leastconn", members: members(9000) });
new vpc6.LoadBalancer("heavy", { ...of, port: 84, algorithm: "leastconn", members: members(9000, 1, 3) });
new vpc6.LoadBalancer("sticky", { ...of, port: 85, algorithm: "source", members: members(9001) });`,
      { routers: { vr1: "" } },
    ),
  );
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  for (const [guest, address] of [
    ["web1", "2001:67c:2834:1::10"],
    ["web2", "2001:67c:2834:1::11"],
  ] as const) {
    await lab.ready(guest, address);
    // Both say their name; the one stays as long as the client does, the other ends.
    servers.push(
      lab.background(guest, `exec socat TCP6-LISTEN:9000,fork,reuseaddr,backlog=99 SYSTEM:'echo ${guest}; cat'`),
    );
    servers.push(
      lab.background(guest, `exec socat -U TCP6-LISTEN:9001,fork,reuseaddr,backlog=99 SYSTEM:'echo ${guest}'`),
    );
  }
  await lab.exec("internet", CLIENTS.map((it) => `ip -6 addr add ${it}/128 dev inet0 nodad`).join("; "));
  await membersStay(async () => Object.keys(await asked(81, 8)).join() === "web1,web2");
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

/** Who answered a connection that ends at once. */
const ask = async (port: number, from = "2001:db8:1::80") =>
  (await lab.exec("internet", `nc -6 -n -d -w 5 -s ${from} ${VIP} ${port}`, { check: false })).stdout.trim();

async function asked(port: number, times: number): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  for (let time = 0; time < times; time++) {
    const name = await ask(port);
    answers[name] = (answers[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(answers).sort());
}

/** A connection that stays. */
async function stay(port: number): Promise<Background & { member: string }> {
  const held = lab.background("internet", `sleep 600 | nc -6 -n ${VIP} ${port}`);
  await lab.until("an answer", 5_000, async () => held.stdout.trim() !== "");
  return Object.assign(held, { member: held.stdout.trim() });
}

const count = (held: { member: string }[]) =>
  ["web1", "web2"].map((name) => held.filter((it) => it.member === name).length);

test("roundrobin by weight: of 40 connections 30 to the member of weight 3 and 10 to that of weight 1", async () => {
  // HAProxy deals in turns of 16 connections for each unit of weight. A member that came back during one (as these did, since
  // nobody listened at first) leaves the next with a connection too many for the other: seen with HAProxy alone, once, among the
  // hundred connections after its return, and never after those.
  await asked(81, 2 * 16 * (3 + 1));
  expect(await asked(81, 40)).toEqual({ web1: 30, web2: 10 });
});

test("a member of weight 0 gets nothing", async () => {
  expect(await asked(82, 10)).toEqual({ web2: 10 });
});

test("leastconn: the next connection goes where the fewest are open, whoever's turn it would be", async () => {
  const held: (Background & { member: string })[] = [];
  try {
    for (let client = 0; client < 6; client++) held.push(await stay(83));
    expect(count(held)).toEqual([3, 3]);
    const leaving = held.filter(({ member }) => member === "web1");
    await Promise.all(leaving.map((it) => it.stop()));
    await lab.until("HAProxy to see them go", 5_000, async () => {
      const { stdout } = await lab.exec("web1", "ss -Htn state established sport = :9000");
      return stdout.trim() === "";
    });
    const next = [await stay(83), await stay(83), await stay(83)];
    held.push(...next);
    expect(next.map(({ member }) => member)).toEqual(["web1", "web1", "web1"]);
  } finally {
    await Promise.all(held.map((it) => it.stop()));
  }
});

test("leastconn by weight: open connections stand as 1 to 3", async () => {
  const held: (Background & { member: string })[] = [];
  try {
    for (let client = 0; client < 12; client++) held.push(await stay(84));
    expect(count(held)).toEqual([3, 9]);
  } finally {
    await Promise.all(held.map((it) => it.stop()));
  }
});

test("source: a client comes back to its member, and clients are spread over both", async () => {
  const homes: Record<string, string> = {};
  for (const client of CLIENTS) homes[client] = await ask(85, client);
  for (const client of CLIENTS) expect(await ask(85, client), client).toBe(homes[client]);
  const spread = Object.values(homes);
  for (const name of ["web1", "web2"]) {
    expect(spread.filter((it) => it === name).length, name).toBeGreaterThanOrEqual(CLIENTS.length / 5);
  }
});
