// password: a socket for each gateway, a table for each, and the gateways' names in DNS.

import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { Machine } from "../machine";

const GATEWAY = "2001:67c:2834:1::1";
const SOCKET = `vpc6-password@${GATEWAY}.socket`;
let router: Resource;
let web1: Resource;
let machine: Machine;
beforeEach(async () => {
  router = await of("Router");
  web1 = await guest();
  machine = Machine.router("dnsmasq password");
});
const guest = (change: Record<string, unknown> = {}) =>
  of("Instance", {
    password: "geheim-1",
    tier: { interface: "web0", domain: "web.shop.internal", gateway: GATEWAY },
    ...change,
  });
const odd = (text: string): Resource => ({ id: "odd@1", fragments: { passwords: text } });
const check = (sets: Resource[]) => machine.assembled(sets, 'password_check "$FILES"');
const ours = ({ did }: { did: string[] }) => did.filter((it) => it.includes("vpc6-password"));

describe("assembling", () => {
  test("a table for each gateway with the passwords themselves, and the gateways' names as the router's own", async () => {
    const web2 = await guest({ claim: "web2", mac: "02:00:00:00:01:12", grant: { value: "2001:67c:2834:1::11" } });
    await machine.assembled([router, web1, web2]);
    expect(machine.file(`passwords.d/${GATEWAY}`)).toBe(
      "web1@2001:67c:2834:1::10 2001:67c:2834:1::10 geheim-1\nweb2@2001:67c:2834:1::11 2001:67c:2834:1::11 geheim-1\n",
    );
    expect(machine.file("dns-hosts")).toMatch(
      new RegExp(`\n# vpc6 router:vr1\n${GATEWAY} data-server.web.shop.internal\n$`),
    );
  });

  test("without passwords nothing is there", async () => {
    await machine.assembled([router, await of("Instance")]);
    expect(machine.list("etc/vpc6/generations/1/files/passwords.d")).toEqual([]);
    expect(machine.file("dns-hosts")).not.toContain("data-server");
  });
});

describe("checking", () => {
  test("what kinds render passes", async () => {
    expect((await check([router, web1])).code).toBe(0);
  });

  test.each(["a b c", "2001:db8::1 name 2001:db8::2", "2001:db8::1 name ../../etc/passwd secret"])(
    "%j",
    async (text) => {
      const { code, blame, why } = await check([router, odd(`${text}\n`)]);
      expect([code, blame, why]).toEqual([1, "odd@1", "not a line of a password"]);
    },
  );

  test("two passwords of one guest", async () => {
    const { code, why, blame } = await check([router, web1, { ...web1, id: "zzz@1" }]);
    expect([code, blame, why]).toEqual([1, "zzz@1", `2001:67c:2834:1::10 at ${GATEWAY} is already said by ${web1.id}`]);
  });

  test("no Perl", async () => {
    machine.remove("usr/bin/perl");
    expect((await check([router, web1])).why).toBe(
      "there is no /usr/bin/perl (Debian's perl-base, which is essential)",
    );
  });
});

describe("applying", () => {
  test("opens a socket; another password ends the process behind it, and the socket stays", async () => {
    expect(ours(await machine.converge([router, web1]))).toEqual([
      `systemctl reset-failed ${SOCKET}`,
      `systemctl start ${SOCKET}`,
    ]);
    expect(ours(await machine.run('password_apply "$ETC/live/files"'))).toEqual([]);
    const other = await guest({ password: "geheim-2" });
    machine.write(`units/vpc6-password@${GATEWAY}`, "active");
    const unit = `vpc6-password@${GATEWAY}.service`;
    expect(ours(await machine.converge([other]))).toEqual([
      `systemctl stop --job-mode=ignore-dependencies ${unit}`,
      `systemctl reset-failed ${unit}`,
    ]);
  });

  test("the socket of an IPv4 gateway is another unit: its address stands without brackets", async () => {
    await machine.assembled([odd("10.1.1.1 data-server.x 10.1.1.2 geheim\n")]);
    expect(ours(await machine.run('password_apply "$GENERATIONS/1/files"')).pop()).toBe(
      "systemctl start vpc6-password-ipv4@10.1.1.1.socket",
    );
    expect((await machine.run("password_sockets")).stdout).toBe("10.1.1.1\n");
  });

  test("the last guest of a gateway takes socket, process and what it acknowledged with it", async () => {
    machine.write(`var/lib/private/vpc6-password/${web1.id}`, "saved\n");
    machine.write("var/lib/private/vpc6-password/gone@1", "saved\n");
    await machine.converge([router, web1]);
    expect(machine.list("var/lib/private/vpc6-password")).toEqual([web1.id]);
    expect(ours(await machine.converge([drop(web1.id)]))).toEqual([
      `systemctl stop --job-mode=ignore-dependencies ${SOCKET}`,
      `systemctl reset-failed ${SOCKET}`,
    ]);
    expect(machine.list("var/lib/private/vpc6-password")).toEqual([]);
    expect(machine.list("run/vpc6/password.applied")).toEqual([]);
  });

  test("a socket that cannot be opened fails the change of the guest", async () => {
    machine.write(`units/${SOCKET}.broken`, "");
    machine.answer("journalctl", "Address already in use\n");
    const { answer } = await machine.converge([router, web1]);
    expect(answer).toMatchObject({ verdict: "failed", service: "password", id: web1.id, touched: false });
    expect(answer?.why).toBe(`nobody can listen at ${GATEWAY}, port 8080: Address already in use`);
  });

  test("a socket that is closed again is no health", async () => {
    await machine.converge([router, web1]);
    machine.write(`units/${SOCKET}`, "failed\n");
    machine.answer("journalctl", "gone\n");
    const { code, why, blame } = await machine.run('password_health "$ETC/live/files"');
    expect([code, blame, why]).toEqual([1, web1.id, `nobody listens at ${GATEWAY}, port 8080: gone`]);
  });
});

describe("drift", () => {
  beforeEach(async () => {
    machine = Machine.router("password");
    await machine.converge([router, web1]);
  });

  test("a table: that it was changed, and never what is in it", async () => {
    expect(await machine.drift()).toEqual([]);
    const table = `etc/vpc6/live/files/passwords.d/${GATEWAY}`;
    machine.append(table, "web9@1 2001:db8::9 geheim-9\n");
    expect(await machine.drift()).toEqual([`router:vr1 password|/${table} changed`]);
    expect(machine.list("run/vpc6/password.applied")).toEqual([]);
  });

  test("a socket that is closed, and one that nobody asked for", async () => {
    machine.write(`units/${SOCKET}`, "inactive\n");
    machine.write("units/vpc6-password@2001:db8::1.socket", "active\n");
    expect(await machine.drift()).toEqual([
      `router:vr1 password|${SOCKET} is stopped (inactive)`,
      "router:vr1 password|vpc6-password@2001:db8::1.socket runs, though nothing asks for it",
    ]);
  });
});

test("removing closes every socket and forgets what was acknowledged", async () => {
  await machine.converge([router, web1]);
  machine.write(`var/lib/private/vpc6-password/${web1.id}`, "saved\n");
  expect(ours(await machine.run("password_remove"))[0]).toBe(`systemctl stop --job-mode=ignore-dependencies ${SOCKET}`);
  expect(machine.list("var/lib/private")).toEqual([]);
});
