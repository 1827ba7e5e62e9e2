// The main job on real routers: from a program through preview and `up` to guests that lease the promised addresses; and what must
// not happen on the way: connections nobody needs, restarts, renumbering, leftovers.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, late } from "../engine/engine.ts";
import { type Guest, lab } from "./lab.ts";
import { logins, program, snapshot, start, withoutPackages } from "./stack.ts";

const guests = `
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });
const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
const app1 = new vpc6.Instance("app1", { tier: app, mac: "02:00:00:00:04:11" });
export const addresses = { web1: web1.address, web2: web2.address, db1: db1.address, app1: app1.address };
`;
const tiers = {
  web: `const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });`,
  db: `const db = new vpc6.Tier("db", { vpc: shop, mac: "02:00:00:00:02:01" });`,
  app: `const app = new vpc6.Tier("app", { vpc: labs, interface: "app0" });`,
};
const vpcs = `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, domain: "shop.internal", ntpServers: ["2001:db8:1::123"] });
const labs = new vpc6.Vpc("labs", { zone, router: vr2 });
export const plan = [zone.ledger, shop.ledger, labs.ledger];
`;
const whole = vpcs + Object.values(tiers).join("\n") + guests;

let engine: Engine;
/** Half of a run is what the SDK loads for other programs. Tests that are about the result of several runs go without it. */
const quick = { env: late };

async function applied(): Promise<void> {
  const { code, all } = await engine.up(quick);
  expect(code, all).toBe(0);
}
let before: Record<"vr1" | "vr2", Record<string, string>>;

beforeAll(async () => {
  await lab.down();
  lab.debian13();
  // Of the two routers, which are alike, one is as an operator hands it over.
  lab.bare();
  await lab.up("vr1");
  lab.equipped();
  await lab.up("vr2", "uplink", "web1", "web2", "db1", "cache1", "app1");
  const { stdout } = await lab.exec("vr1", "cat /sys/class/net/db0/address");
  expect(stdout.trim(), "the program names the db interface by its MAC address").toBe("02:00:00:00:02:01");
  before = { vr1: await snapshot("vr1"), vr2: await snapshot("vr2") };
  engine = await start(true);
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

const promised = async () =>
  Object.entries((await engine.output("addresses")) as Record<Guest, string>) as [Guest, string][];
const dnsmasqStarts = async () =>
  Number(
    (
      await lab.exec(
        "vr1",
        "journalctl --sync; journalctl -b -o cat -u vpc6-dnsmasq | grep -c '^started, version' || true",
      )
    ).stdout,
  );

describe("the first up", () => {
  let preview = "";

  test("the preview knows every prefix and address, without a key, and touches nothing", async () => {
    await engine.program(await program(whole));
    const { code, stdout, all } = await engine.preview({ diff: true, env: { VPC6_SSH_KEY_FILE: "/nonexistent" } });
    expect(code, all).toBe(0);
    expect(stdout).not.toContain("[unknown]");
    preview = stdout;
    expect(await logins("vr1")).toBe(0);
  });

  test("takes one connection per router, and every guest leases what was promised", async () => {
    const { code, all } = await engine.up();
    expect(code, all).toBe(0);
    expect([await logins("vr1"), await logins("vr2")]).toEqual([1, 1]);
    for (const [guest, address] of await promised()) {
      expect(preview).toMatch(new RegExp(`address +: "${address}"`));
      await lab.waitForLease(guest, address);
    }
    // One reload per transaction at most: the tiers came in one or two, the instances cost none.
    expect(await dnsmasqStarts()).toBeLessThanOrEqual(2);
    for (const [guest] of await promised()) await lab.waitForGateway(guest);
  });

  test("guests reach each other by ICMPv6, by name, and across the routers", async () => {
    for (const route of ["2001:67c:2834:10::/60 via 2001:db8:ffff::10", "2001:67c:2834::/60 via 2001:db8:ffff::11"]) {
      await lab.exec("uplink", `ip -6 route replace ${route}`);
    }
    const all = await promised();
    for (const [from] of all) {
      for (const [to, address] of all.filter(([to]) => to !== from)) {
        expect(await lab.ping(from, address, { count: 2 }), `${from} to ${to}`).toEqual({ sent: 2, received: 2 });
      }
    }
    for (const [guest, address] of all.filter(([guest]) => guest !== "app1")) {
      const name = `${guest}.${guest.slice(0, -1)}.shop.internal`;
      expect((await lab.exec("web1", `dig +short AAAA ${name}`)).stdout.trim()).toBe(address);
      expect((await lab.exec("db1", `dig +short -x ${address}`)).stdout.trim()).toBe(`${name}.`);
    }
  });

  test("router advertisements: M and O set, A clear, the tier's prefix on-link", async () => {
    const { stdout } = await lab.exec("web1", "rdisc6 -1 eth0");
    expect(stdout).toMatch(/Stateful address conf\.\s*: *Yes/);
    expect(stdout).toMatch(/Stateful other conf\.\s*: *Yes/);
    expect(stdout).toMatch(/Prefix\s*: *2001:67c:2834:12::\/64/);
    expect(stdout).toMatch(/On-link\s*: *Yes/);
    expect(stdout).toMatch(/Autonomous address conf\.\s*: *No/);
  });

  test("guests are told domain, DNS and NTP servers", async () => {
    await using capture = lab.background("web2", "tcpdump --immediate-mode -l -n -vv -i eth0 udp port 546");
    await lab.until("tcpdump to listen", 10_000, async () => capture.stderr.includes("listening on"));
    await lab.renew("web2");
    const reply = await lab.until("a DHCPv6 reply", 30_000, async () => /dhcp6 reply.*/s.exec(capture.stdout)?.[0]);
    expect(reply).toContain("web.shop.internal");
    expect(reply).toContain("2001:67c:2834:12::1");
    expect(reply).toMatch(/opt_56|NTP-[Ss]erver/);
    await lab.waitForLease("web2");
  });
});

describe("afterwards", () => {
  test("a preview is empty, and needs neither a key nor a router that answers", async () => {
    const connections = await logins("vr1");
    await lab.exec("vr1", "systemctl stop ssh.socket ssh.service 2>/dev/null; systemctl stop ssh");
    try {
      const env = { VPC6_SSH_KEY_FILE: "/nonexistent" };
      const { code, all } = await engine.preview({ args: ["--expect-no-changes"], env });
      expect(code, all).toBe(0);
      const up = await engine.up({ env });
      expect(up.code, up.all).toBe(0);
      expect(up.stdout).toMatch(/unchanged/);
    } finally {
      await lab.exec("vr1", "systemctl start ssh");
    }
    expect(await logins("vr1")).toBe(connections);
  });

  test("refresh of untouched routers changes nothing, on one connection", async () => {
    const connections = await logins("vr1");
    const { code, all } = await engine.refresh({ args: ["--expect-no-changes"] });
    expect(code, all).toBe(0);
    expect(await logins("vr1")).toBe(connections + 1);
  });

  test("an added and a removed instance restart no daemon; a stock image is known by its MAC", async () => {
    const starts = await dnsmasqStarts();
    const cache = `const cache = new vpc6.Tier("cache", { vpc: shop, interface: "cache0" });`;
    await engine.program(await program(whole + cache));
    await applied();
    expect(await dnsmasqStarts()).toBe(starts + 1); // a new tier: one restart
    const guest = `export const cache1 = new vpc6.Instance("cache1", { tier: cache, mac: "02:00:00:00:03:11" }).address;`;
    await engine.program(await program(whole + cache + guest));
    await applied();
    // cache1 sends the DUID its distribution ships with, made from the machine id.
    await lab.waitForLease("cache1", String(await engine.output("cache1")));
    await engine.program(await program(whole + cache));
    await applied();
    expect(await dnsmasqStarts()).toBe(starts + 1);
    expect((await lab.exec("vr1", "cat /var/lib/vpc6/dhcp-hosts/* | grep -c cache1 || true")).stdout.trim()).toBe("0");
    await engine.program(await program(whole));
    await applied();
  });

  test("a third tier in front of the others changes nothing else; a removed tier finds its prefix again", async () => {
    const plan = (await engine.output("plan")) as string[];
    const cache = `const aaa = new vpc6.Tier("aaa", { vpc: shop, interface: "cache0", cidr: undefined });`;
    await engine.program(await program(vpcs + cache + Object.values(tiers).join("\n") + guests));
    const { stdout } = await engine.preview({ diff: true });
    expect(
      stdout
        .match(/^ +[+~-] pulumi-nodejs\S+:(\w+): \((\w+)/gm)
        ?.map((line) => line.trim().replace(/.*:(\w+: \(\w+)$/, "$1")),
    ).toEqual(["Vpc: (update", "Tier: (create"]);
    await applied();
    // Out with db, and back.
    const withoutDb = (vpcs + cache + tiers.web + tiers.app + guests)
      .replace(/const db1.*\n/, "")
      .replace("db1: db1.address, ", "");
    await engine.program(await program(withoutDb));
    await applied();
    await engine.program(await program(whole));
    await applied();
    const lines = (ledger: string | undefined) => ledger?.split("\n").filter((line) => /^\w+ +\S+ +\w+$/.test(line));
    expect(lines(((await engine.output("plan")) as string[])[1])).toEqual(lines(plan[1]));
    for (const [guest, address] of await promised()) await lab.waitForLease(guest, address);
  });

  test("renaming with an alias keeps everything, and opens no connection", async () => {
    const connections = await logins("vr1");
    const renamed = whole.replace(
      'Tier("web", { vpc: shop, interface: "web0" })',
      'Tier("front", { vpc: shop, interface: "web0" }, { aliases: [{ name: "web" }] })',
    );
    expect(renamed).not.toBe(whole);
    const addresses = await promised();
    await engine.program(await program(renamed));
    const { code, all } = await engine.up();
    expect(code, all).toBe(0);
    expect(all).not.toMatch(/created|deleted|replaced/);
    expect(await promised()).toEqual(addresses);
    expect(await logins("vr1")).toBe(connections);
  });

  test("after a reboot the router comes back by itself", async () => {
    await lab.reboot("vr1");
    const [, address = ""] = (await promised()).find(([guest]) => guest === "db1") ?? [];
    await lab.until(
      "pings from web1 to db1",
      30_000,
      async () => (await lab.ping("web1", address, { count: 1 })).received === 1,
    );
    await lab.renew("web1");
    await lab.waitForLease("web1", undefined, 30_000);
    const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
    expect(code, all).toBe(0);
  });

  test("destroy leaves the routers as Router found them", async () => {
    const { code, all } = await engine.destroy();
    expect(code, all).toBe(0);
    expect(await snapshot("vr1")).toEqual(before.vr1);
    expect(withoutPackages(await snapshot("vr2"))).toEqual(withoutPackages(before.vr2));
  });
});
