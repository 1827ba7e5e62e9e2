// What an access list does beside letting through: what it writes to the log, the errors it does not hold up, and that a tier has one.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, lab } from "./lab.ts";
import { capture, connects, PASS, program, routeOnUplink, startInProcess } from "./stack.ts";

const WEB1 = "2001:67c:2834:1::10";
const OUTSIDE = "2001:db8:1::80";

let engine: InProcess;
const servers: Background[] = [];

const stack = (lists: string): Promise<string> =>
  program(
    `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", cidr: "2001:67c:2834:1::/64" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", cidr: "2001:67c:2834:2::/64" });
new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
${lists}`,
    { routers: { vr1: "" } },
  );

async function up(lists: string): Promise<void> {
  await engine.program(await stack(lists));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
}

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1");
  await routeOnUplink();
  engine = await startInProcess();
  await up("");
  await lab.ready("web1", WEB1);
  servers.push(lab.background("web1", "exec socat -u TCP6-LISTEN:9100,fork,reuseaddr OPEN:/dev/null"));
  servers.push(
    lab.background("internet", "exec socat -u TCP6-LISTEN:9100,fork,reuseaddr OPEN:/root/sink,creat,append"),
  );
  for (const host of ["web1", "internet"] as const) {
    await lab.until(`${host} to listen`, 10_000, async () => (await connects(host, "::1", 9100)) === "open");
  }
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("`log: true` writes to the kernel log who was allowed and who denied, at most ten lines a second", async () => {
  // The log is the whole machine's: a name that nobody had before.
  const name = `gate${process.pid}.${Date.now()}`;
  await up(`new vpc6.NetworkAcl("${name}", { tiers: [web], rules: [
    { direction: "ingress", action: "allow", protocol: "tcp", ports: "9100", cidrs: ["2001:db8:1::/64"], log: true },
    { direction: "ingress", action: "deny", protocol: "tcp", ports: "9200", log: true },
    { direction: "ingress", action: "deny", protocol: "udp", ports: "9300", log: true },
    { direction: "ingress", action: "deny", protocol: "udp", ports: "9400" },
  ] });`);
  const logged = async () =>
    (await lab.exec("vr1", "dmesg -t")).stdout.split("\n").filter((line) => line.includes(name));
  expect(await connects("internet", WEB1, 9100)).toBe("open");
  expect(await connects("internet", WEB1, 9200)).toBe("filtered");
  await lab.exec("internet", `echo x | nc -6 -u -w 1 ${WEB1} 9400`);
  const lines = await logged();
  const packet = (port: number) =>
    `IN=pub0 OUT=web0 .*SRC=2001:0db8:.*:0080 DST=2001:067c:2834:0001:.*:0010 .*DPT=${port} `;
  expect(lines[0]).toMatch(new RegExp(`^vpc6 ${name} allow: ${packet(9100)}.*SYN`));
  expect(lines[1]).toMatch(new RegExp(`^vpc6 ${name} deny: ${packet(9200)}.*SYN`));
  expect(lines.filter((line) => !/DPT=9[12]00 /.test(line))).toEqual([]);
  // 1,000 datagrams in about five seconds: 20 lines at once and ten a second after them.
  const began = Date.now();
  const send = `import socket,time
s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM)
for n in range(1000): s.sendto(b"x",("${WEB1}",9300)); time.sleep(0.005)`;
  await lab.exec("internet", ["python3", "-c", send]);
  const seconds = (Date.now() - began) / 1000;
  const many = (await logged()).filter((line) => line.includes("DPT=9300 "));
  expect(many.length).toBeGreaterThanOrEqual(40);
  expect(many.length).toBeLessThanOrEqual(21 + 10 * seconds);
});

test("ICMPv6 errors pass a list that denies everything, ICMPv6 by name included: a large transfer finds its path", async () => {
  await up(`new vpc6.NetworkAcl("closed", { tiers: [web], rules: [
    { direction: "egress", action: "allow", protocol: "tcp", ports: "9100" },
    { direction: "ingress", action: "allow", protocol: "udp", ports: "9300" },
    { direction: "ingress", action: "deny", protocol: "icmpv6" },
    { direction: "egress", action: "deny", protocol: "icmpv6" },
    { direction: "ingress", action: "deny", protocol: "all" },
    { direction: "egress", action: "deny", protocol: "all" },
  ] });`);
  expect((await lab.ping("internet", WEB1, { count: 1 })).received).toBe(0);
  expect((await lab.ping("web1", OUTSIDE, { count: 1 })).received).toBe(0);
  await lab.exec("web1", "ip -6 route flush cache");
  // On the uplink only: the far end goes on believing in 1,500.
  await lab.exec("uplink", "ip link set inet0 mtu 1400");
  try {
    expect((await lab.exec("web1", `ip -6 route get ${OUTSIDE}`)).stdout).not.toContain("mtu 1400");
    await using seen = await capture("web1", "eth0", "icmp6 and ip6[40] == 2");
    await lab.exec("web1", `head -c 1000000 /dev/zero | timeout 20 nc -6 -n -N ${OUTSIDE} 9100`);
    await lab.until(
      "the transfer",
      10_000,
      async () => (await lab.exec("internet", "cat /root/sink | wc -c")).stdout.trim() === "1000000",
    );
    await lab.until("packet too big", 5_000, async () => seen.stdout.includes("packet too big, mtu 1400"));
    expect((await lab.exec("web1", `ip -6 route get ${OUTSIDE}`)).stdout).toContain("mtu 1400");
  } finally {
    await lab.exec("uplink", "ip link set inet0 mtu 1500");
  }
  // The other way: the tier's own errors. Nobody listens on this port.
  await using errors = await capture("internet", "inet0", "icmp6 and ip6[40] == 1");
  await lab.exec("internet", `echo x | nc -6 -n -u -w 1 ${WEB1} 9300`, { check: false });
  await lab.until("port unreachable", 5_000, async () => errors.stdout.includes("unreachable port"));
});

test("errors about something the router has never seen pass no list", async () => {
  // Of each type, with free text behind a made-up packet; the kernel sums up. At the end something that passes.
  const send = `import socket
inner=bytes.fromhex("6000000000083a3f")+socket.inet_pton(10,"${WEB1}")+socket.inet_pton(10,"2001:db8:1::81")+bytes.fromhex("1f901f9000080000")+b"secret"*100
s=socket.socket(socket.AF_INET6,socket.SOCK_RAW,socket.IPPROTO_ICMPV6)
for head in ("0100000000000000","0200000000000500","0300000000000000","0400000000000000","8100000000010001"): s.sendto(bytes.fromhex(head)+inner,("${WEB1}",0))
socket.socket(socket.AF_INET6,socket.SOCK_DGRAM).sendto(b"last",("${WEB1}",9300))`;
  const arrives = async () => {
    await using seen = await capture("web1", "eth0", `src ${OUTSIDE}`);
    await lab.exec("internet", ["python3", "-c", send]);
    await lab.until("what passes", 5_000, async () => seen.stdout.includes(".9300: UDP"));
    return ["unreachable", "too big", "time exceeded", "parameter problem", "echo reply"].filter((it) =>
      seen.stdout.includes(it),
    );
  };
  expect(await arrives()).toEqual([]);
  // Without the filter they would.
  await lab.exec("vr1", `nft 'insert rule inet vpc6 forward ${PASS} comment "open"'`);
  try {
    expect(await arrives()).toContain("time exceeded");
  } finally {
    await lab.exec(
      "vr1",
      `nft delete rule inet vpc6 forward handle $(nft -a list chain inet vpc6 forward | sed -n 's/.*"open" # handle //p')`,
    );
  }
});

test("another program cannot put a second list on a tier; the first goes on", async () => {
  await up(
    `new vpc6.NetworkAcl("mine", { tiers: [web], rules: [{ direction: "ingress", action: "allow", protocol: "tcp" }] });`,
  );
  expect(await connects("internet", WEB1, 9100)).toBe("open");
  await using other = await startInProcess("elsewhere");
  // The same network, written down once more, as two teams might; names on both sides of the first one's.
  for (const name of ["a-theirs", "theirs"]) {
    await other.program(await stack(`new vpc6.NetworkAcl("${name}", { tiers: [db, web], preset: "denyAll" });`));
    const { code, all } = await other.up();
    expect(code).not.toBe(0);
    // Its Router already is: another stack's things are reached by Router.fromStack, which leads to no tier.
    expect(all).toContain("router:vr1 is on this router already, put there by stack organization/test/dev");
    expect(await connects("internet", WEB1, 9100)).toBe("open");
  }
  expect((await lab.exec("vr1", "nft list table inet vpc6")).stdout).not.toContain("theirs");
});

test("within one program a list takes over from another in one `up`, either way", async () => {
  for (const name of ["a-mine", "z-mine"]) {
    await up(`new vpc6.NetworkAcl("${name}", { tiers: [web], preset: "denyAll" });`);
    expect(await connects("internet", WEB1, 9100)).toBe("filtered");
    await up(
      `new vpc6.NetworkAcl("mine", { tiers: [web], rules: [{ direction: "ingress", action: "allow", protocol: "tcp" }] });`,
    );
    expect(await connects("internet", WEB1, 9100)).toBe("open");
  }
});
