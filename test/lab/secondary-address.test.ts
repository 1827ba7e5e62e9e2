// An address that two guests share, on the wire and in both families: it goes where one of them says that it is, whoever else says so; a
// third guest neither gets its traffic nor keeps it from the others. Of one guest alone nobody else can say anything.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Host, lab } from "./lab.ts";
import { capture, counted, program, startInProcess } from "./stack.ts";

const WEB = "2001:67c:2834:2::";
const DB1 = "2001:67c:2834:1::10";
const VIP = `${WEB}100`;
const VIP4 = "10.1.1.100";
const MAC = { web1: "02:00:00:00:01:11", web2: "02:00:00:00:01:12", third: "02:00:00:00:01:13" };
type Guest = keyof typeof MAC;
/** The third guest of the tier is a second card of web1's machine, in a network namespace of its own. */
const at = (guest: Guest): { host: Host; device: string; inside: string[] } =>
  guest === "third"
    ? { host: "web1", device: "third", inside: ["ip", "netns", "exec", "third"] }
    : { host: guest, device: "eth0", inside: [] };

let engine: InProcess;

const text = (addresses: string) =>
  program(
    `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", ipv4: { cidr: "10.1.2.0/24" } });
const [web1, web2, web3] = ["11", "12", "13"].map((it, index) => new vpc6.Instance("web" + (index + 1), { tier: web, mac: "02:00:00:00:01:" + it }));
new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
new vpc6.NetworkAcl("web", { tiers: [web], preset: "egressOnly" });
new vpc6.NetworkAcl("db", { tiers: [db], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "9100", sources: [web1] },
] });
${addresses}`,
    { routers: { vr1: "" } },
  );
const of = (...guests: string[]) =>
  `new vpc6.SecondaryAddress("vip", { instances: [${guests.join(", ")}], address: "${VIP}", ipv4Address: "${VIP4}" });`;

async function up(addresses: string): Promise<void> {
  await engine.program(await text(addresses));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  const again = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(again.code, again.all).toBe(0);
}

const on = (guest: Guest, ...command: string[]) => {
  const { host, inside } = at(guest);
  return lab.exec(host, [...inside, ...command]);
};

/** Takes the address up, or lets go of it, as keepalived does. */
async function hold(guest: Guest, verb: "add" | "del"): Promise<void> {
  const { device } = at(guest);
  await on(guest, "ip", "addr", verb, `${VIP}/128`, "dev", device, ...(verb === "add" ? ["nodad"] : []));
  await on(guest, "ip", "addr", verb, `${VIP4}/32`, "dev", device);
}

/** Says that the address is here, in both families: from the address itself as keepalived does, or from the link-local one as MetalLB. */
const ANNOUNCE = `
import socket, struct, sys, time
device, mac, target, target4, source, times = sys.argv[1:]
mac = bytes.fromhex(mac.replace(":", "")); six = lambda it: socket.inet_pton(socket.AF_INET6, it)
body = struct.pack("!I", 0x20000000) + six(target) + bytes([2, 1]) + mac
head = six(source) + six("ff02::1") + struct.pack("!II", 4 + len(body), 58)
total = sum(struct.unpack("!%dH" % ((len(head) + 4 + len(body)) // 2), head + bytes([136, 0, 0, 0]) + body))
while total >> 16: total = (total & 0xffff) + (total >> 16)
na = bytes([136, 0]) + struct.pack("!H", ~total & 0xffff) + body
na = bytes.fromhex("333300000001") + mac + b"\\x86\\xdd" + struct.pack("!IHBB", 0x60000000, len(na), 58, 255) + six(source) + six("ff02::1") + na
four = socket.inet_aton(target4)
arp = lambda op: b"\\xff" * 6 + mac + bytes.fromhex("0806000108000604") + struct.pack("!H", op) + mac + four + b"\\xff" * 6 + four
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); wire.bind((device, 0))
for n in range(int(times)):
    for frame in na, arp(1), arp(2): wire.send(frame)
    print("said", flush=True)
    if int(times) > 1: time.sleep(0.1)
`;

const linkLocal = (mac: string): string => `fe80::ff:fe00:${mac.slice(-5).replace(":", "").replace(/^0/, "")}`;
const announcing = (guest: Guest, source: string, times: number): string[] => {
  const { device, inside } = at(guest);
  return [...inside, "python3", "-c", ANNOUNCE, device, MAC[guest], VIP, VIP4, source, String(times)];
};
const announce = (guest: Guest, source = VIP) => lab.exec(at(guest).host, announcing(guest, source, 1));

/** Where the router sends what is for the address. */
const whereabouts = async () =>
  (await lab.exec("vr1", `ip -6 neigh show ${VIP} dev web0; ip -4 neigh show ${VIP4} dev web0`)).stdout;
const both = (mac: string, found: string): boolean => found.split(`lladdr ${mac} `).length === 3;
const answers = async () =>
  (await Promise.all([VIP, VIP4].map((it) => lab.ping("db1", it, { count: 1 })))).every(
    ({ received }) => received === 1,
  );
const isAt = async (guest: Guest) => both(MAC[guest], await whereabouts());

beforeAll(async () => {
  await lab.down();
  await lab.up("vr1", "web1", "web2", "db1");
  engine = await startInProcess();
  await up(of("web1", "web2"));
  await lab.ready("web1", `${WEB}10`);
  await lab.ready("web2", `${WEB}11`);
  await lab.ready("db1", DB1);
  await lab.exec(
    "web1",
    `ip link add link eth0 name third type macvlan mode bridge && ip link set third address ${MAC.third}
    ip netns add third && ip link set third netns third && ip -n third link set third up
    ip -n third addr add ${WEB}12/64 dev third nodad && ip -n third -6 route add default via ${WEB}1
    ip -n third addr add 10.1.1.4/24 dev third && ip -n third route add default via 10.1.1.1`,
  );
  await lab.exec("web1", "ip addr add 10.1.1.2/24 dev eth0 && ip route add default via 10.1.1.1");
  await lab.exec("web2", "ip addr add 10.1.1.3/24 dev eth0 && ip route add default via 10.1.1.1");
  await lab.exec("db1", "ip addr add 10.1.2.2/24 dev eth0 && ip route add default via 10.1.2.1");
  await lab.until(
    "the third guest's link",
    10_000,
    async () => !(await on("third", "ip", "addr")).stdout.includes("tentative"),
  );
  expect((await lab.exec("web1", `ip netns exec third ping -n -c 1 -W 2 ${DB1}`)).stdout).toContain("1 received");
  await hold("web1", "add");
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("it is where one of its guests has it, and goes to the other at its word", async () => {
  expect(await answers()).toBe(true);
  expect(await isAt("web1")).toBe(true);
  // Unsaid, the router finds out by itself, which may take it a minute.
  for (const [from, to, source] of [
    ["web1", "web2", VIP],
    ["web2", "web1", linkLocal(MAC.web1)],
  ] as const) {
    await hold(from, "del");
    await hold(to, "add");
    await announce(to, source);
    await lab.until(`traffic to follow to ${to}`, 2_000, answers);
    expect(await isAt(to)).toBe(true);
  }
});

/** A third guest has it too, answers for it and says so again and again, while `work` is done. */
async function claimed<T>(work: () => Promise<T>): Promise<T> {
  await hold("third", "add");
  await using one = lab.background("web1", announcing("third", VIP, 1_000));
  await using other = lab.background("web1", announcing("third", linkLocal(MAC.third), 1_000));
  try {
    await lab.until("the claims", 10_000, async () =>
      [one, other].every(({ stdout }) => stdout.split("said").length > 5),
    );
    return await work();
  } finally {
    await hold("third", "del");
  }
}

/** Without the rules that look who says where the address is, while `work` is done. */
async function undefended<T>(work: () => Promise<T>): Promise<T> {
  const places = {
    "inet vpc6 own_card": "icmpv6 type nd-neighbor-advert return",
    "arp vpc6_shares arp_input": "accept",
  };
  for (const [place, rule] of Object.entries(places))
    await lab.exec("vr1", `nft 'insert rule ${place} ${rule} comment "undefended"'`);
  try {
    return await work();
  } finally {
    for (const place of Object.keys(places)) {
      const handle = `$(nft -a list chain ${place} | sed -n 's/.*undefended" # handle //p')`;
      await lab.exec("vr1", `nft delete rule ${place} handle ${handle}`);
    }
  }
}

/** Nothing of what the third guest claims is heard, and no packet for those who have it is lost. */
async function holds(guest: Guest): Promise<void> {
  await claimed(async () => {
    const said = `iifname web0 ether saddr ${MAC.third} icmpv6 type nd-neighbor-advert @th,64,128 0x${"2001067c283400020000000000000100"}`;
    const { came, passed } = await counted(said, async () => {
      const pings = await Promise.all([VIP, VIP4].map((it) => lab.ping("db1", it, { count: 15, interval: 0.2 })));
      expect(pings).toEqual(pings.map(() => ({ sent: 15, received: 15 })));
    });
    expect(came).toBeGreaterThan(10);
    expect(passed).toBe(0);
    expect(await isAt(guest), await whereabouts()).toBe(true);
  });
}

test("a third guest's claims are not heard", async () => {
  // Where nobody defends, the traffic is the third guest's.
  await undefended(() => claimed(() => lab.until("the third guest to be believed", 10_000, () => isAt("third"))));
  await announce("web1");
  expect(await answers()).toBe(true);
  await holds("web1");
});

test("what a third guest sends with it goes nowhere; its own guests send with it", async () => {
  await using inside = await capture(
    "db1",
    "eth0",
    `(icmp6 and ip6[40] == 128 and src host ${VIP}) or (icmp[icmptype] == 8 and src host ${VIP4})`,
  );
  await hold("third", "add");
  for (const it of [
    [VIP, DB1],
    [VIP4, "10.1.2.2"],
  ] as const) {
    const ping = ([source, to]: readonly [string, string]) => [
      "ping",
      "-n",
      "-c",
      "2",
      "-i",
      "0.2",
      "-W",
      "1",
      "-I",
      source,
      to,
    ];
    await lab.exec("web1", ["ip", "netns", "exec", "third", ...ping(it)], { check: false });
    expect(inside.stdout).not.toContain(`${it[0]} >`);
    await lab.exec("web1", ping(it));
  }
  await hold("third", "del");
  await lab.until("the honest pings", 5_000, async () => [VIP, VIP4].every((it) => inside.stdout.includes(`${it} >`)));
});

test("lists that name a guest mean this address too; it has a name in DNS", async () => {
  await using _ = lab.background("db1", "exec socat -u TCP6-LISTEN:9100,fork,reuseaddr OPEN:/dev/null");
  const connect = async (host: Host, source: string) =>
    (await lab.exec(host, ["nc", "-n", "-z", "-w", "2", "-s", source, DB1, "9100"], { check: false })).code === 0;
  await lab.until("the listener", 10_000, () => connect("web1", `${WEB}10`));
  expect(await connect("web1", VIP)).toBe(true);
  expect(await connect("web2", `${WEB}11`)).toBe(false);
  const dig = (...words: string[]) => lab.exec("web2", ["dig", "+short", `@${WEB}1`, ...words]);
  expect((await dig("vip.web.shop.internal", "AAAA")).stdout.trim()).toBe(VIP);
  expect((await dig("vip.web.shop.internal", "A")).stdout.trim()).toBe(VIP4);
  expect((await dig("-x", VIP)).stdout.trim()).toBe("vip.web.shop.internal.");
});

test("what another hand takes from the hold shows, and is put back; after a reboot all is as it was", async () => {
  const element = `inet vpc6 shared_guests '{ "web0" . ${MAC.web2} . 0x2001067c283400020000000000000100 }'`;
  const element4 = `arp vpc6_shares arp_shared_guests '{ "web0" . ${MAC.web2} . ${MAC.web2} . ${VIP4} }'`;
  await lab.exec("vr1", `nft delete element ${element} && nft delete element ${element4}`);
  const seen = await engine.preview({ diff: true, args: ["--refresh", "--expect-no-changes"] });
  expect(seen.code, seen.all).toBe(7);
  const repaired = await engine.up({ args: ["--refresh"] });
  expect(repaired.code, repaired.all).toBe(0);
  await lab.exec("vr1", `nft get element ${element} && nft get element ${element4}`);
  await lab.reboot("vr1");
  await lab.until("the address to be found again", 30_000, answers);
  await holds("web1");
});

test("one guest has it alone, as a permanent neighbor; shared it is looked for; without the resource it is nobody's", async () => {
  await up(of("web1"));
  const alone = await whereabouts();
  expect(both(MAC.web1, alone) && alone.split("PERMANENT").length === 3, alone).toBe(true);
  expect(await answers()).toBe(true);
  // The other one no longer has a say, nor a use of it.
  await announce("web2");
  expect(await isAt("web1")).toBe(true);
  await up(of("web1", "web2"));
  expect(await answers()).toBe(true);
  expect(await whereabouts()).not.toContain("PERMANENT");
  await up("");
  expect(await answers()).toBe(false);
  const { stdout } = await lab.exec(
    "vr1",
    "nft list table inet vpc6; nft list table arp vpc6_shares; ip neigh show nud permanent; cat /var/lib/vpc6/dns-hosts/*",
  );
  expect(stdout).not.toMatch(new RegExp(`${VIP}|${VIP4}\\b|0x2001067c283400020000000000000100`));
});
