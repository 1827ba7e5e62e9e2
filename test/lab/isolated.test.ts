// An isolated network on a real router, with examples/isolated as it is: its guests lease, are filtered, and are there again after a
// reboot; and nothing is left when it goes.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, lab } from "./lab.ts";
import { connects, ownPackages, reached, snapshot, startInProcess } from "./stack.ts";

let engine: InProcess;
let before: Record<string, string>;
let addresses: string[];
const servers: Background[] = [];

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2");
  await ownPackages("vr1");
  before = await snapshot("vr1");
  engine = await startInProcess();
  const { VR1_HOST = "", VR1_HOST_KEY = "" } = await lab.env();
  await engine.config("vr1Host", VR1_HOST);
  await engine.config("vr1HostKey", VR1_HOST_KEY);
  await engine.program(await readFile(new URL("../../examples/isolated/index.ts", import.meta.url), "utf8"));
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("the preview knows its prefix and addresses; the guests lease them", async () => {
  const { code, all, stdout } = await engine.preview({ diff: true });
  expect(code, all).toBe(0);
  expect(stdout).toMatch(/cidr +: "2001:db8:2800::\/64"/);
  expect(stdout).not.toContain("[unknown]");
  const up = await engine.up();
  expect(up.code, up.all).toBe(0);
  addresses = (await engine.output("addresses")) as string[];
  expect(addresses).toEqual(["2001:db8:2800::10", "2001:db8:2800::11"]);
  await lab.waitForLease("web1", addresses[0]);
  await lab.waitForLease("web2", addresses[1]);
  for (const guest of ["web1", "web2"] as const) await lab.waitForGateway(guest);
  expect((await lab.exec("web2", "dig +short AAAA kiosk1.kiosks.example.net")).stdout.trim()).toBe(addresses[0]);
  expect((await engine.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
});

async function filtered(): Promise<void> {
  const [web1 = ""] = addresses;
  expect(await connects("internet", web1, 9100)).toBe("open");
  const closed = [
    ["internet", web1, 9200],
    ["web1", "2001:db8:1::80", 9100],
    ["web1", "2001:db8:2800::1", 22],
  ] as const;
  expect(await reached(...closed)).toEqual([]);
  expect((await lab.ping("internet", web1)).received).toBe(3);
  // Somebody who takes an address that nobody gave him is not heard.
  await lab.exec("web2", "ip -6 addr add 2001:db8:2800::99/64 dev eth0 nodad");
  const stolen = await lab.exec("web2", "ping -n -c 2 -W 1 -I 2001:db8:2800::99 2001:db8:1::80", { check: false });
  expect(stolen.stdout).toContain(" 0 received");
  await lab.exec("web2", "ip -6 addr del 2001:db8:2800::99/64 dev eth0");
  // Nor an inside address from outside.
  const fake = await lab.exec(
    "uplink",
    `ip -6 addr add 2001:db8:2800::55/128 dev lo nodad; ping -n -c 2 -W 1 -I 2001:db8:2800::55 ${web1}`,
    {
      check: false,
    },
  );
  expect(fake.stdout).toContain(" 0 received");
  await lab.exec("uplink", "ip -6 addr del 2001:db8:2800::55/128 dev lo");
}

test("it is filtered as a tier is, with a static route on the uplink", async () => {
  await lab.exec("uplink", `ip -6 route replace ${await engine.output("route")}`);
  for (const host of ["web1", "internet"] as const) {
    for (const port of [9100, 9200]) {
      servers.push(lab.background(host, `exec socat -u TCP6-LISTEN:${port},fork,reuseaddr OPEN:/dev/null`));
      await lab.until(`${host} to listen`, 10_000, async () => (await connects(host, "::1", port)) === "open");
    }
  }
  await filtered();
  // While its interface is down its packets end here, and do not go back to the uplink.
  await lab.exec("vr1", "ip link set web0 down");
  expect((await lab.exec("vr1", `ip -6 route get ${addresses[0]}`, { check: false })).stdout).not.toContain("pub0");
  await lab.exec("vr1", "ip link set web0 up");
});

test("after a reboot of the router it is as it was", async () => {
  await lab.reboot("vr1");
  await lab.until(
    "an answer from web1",
    40_000,
    async () => (await lab.ping("internet", addresses[0] ?? "", { count: 1 })).received === 1,
  );
  await lab.renew("web2");
  await lab.waitForLease("web2", addresses[1]);
  await filtered();
  const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(code, all).toBe(0);
});

test("destroy leaves the router as it was found", async () => {
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  expect(await snapshot("vr1")).toEqual(before);
});
