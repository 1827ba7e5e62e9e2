// Never open, whoever flushes: packets that must not pass are sent all the while another hand takes the packet filter away, in every way
// that Debian has, at work and at boot. None may get through, and what is allowed goes on within two seconds.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Host, lab } from "./lab.ts";
import { capture, connects, each, membersStay, program, routeOnUplink, startInProcess, webServer } from "./stack.ts";

const WEB = "2001:67c:2834:1::";
const DB = "2001:67c:2834:11::";
const ROUTER = "2001:db8:ffff::10";
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
    await lab.ready(guest, address);
  }
  for (const guest of ["web1", "db1"] as const) servers.push(webServer(guest, "ok"));
  await each(["web1", "db1"] as const, async (guest) => {
    await lab.until(`${guest} to listen`, 10_000, async () => (await connects(guest, "::1", 9100)) === "open");
  });
  await membersStay(async () => (await connects("internet", VIP, 80)) === "open");
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

/** Sends to each `PROTOCOL ADDRESS PORT`, fifty times a second: a SYN, or a question for a name. */
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
    time.sleep(0.02)
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
      `tcp ${RESTRICTED} 80`,
    ],
  ],
  ["web1", [`tcp ${DB}10 9100`, `udp ${DB}10 9100`, `tcp ${DB}1 8080`, `udp ${DB}1 53`, `tcp ${WEB}1 22`]],
  ["db1", [`tcp ${WEB}10 9200`, `udp ${WEB}10 9100`, `udp ${WEB}1 53`, `tcp ${ROUTER} 22`]],
];

/** An answer, or that nobody listens; that the router has no way to an address, as it starts or stops, is none. */
const answers = (host: string) => `(src host ${host} and (not icmp6 or (ip6[40] == 1 and ip6[41] == 4)))`;

/** What may come to a host, or be answered to it: what tells of a forbidden packet that got through. */
const WITNESSES: readonly (readonly [host: Host, device: string, filter: string])[] = [
  [
    "internet",
    "inet0",
    `(src net 2001:67c:2834::/59 or src host ${ROUTER}) and (src port 8080 or src port 53 or (src host ${RESTRICTED} and src port 80) or
      src host ${DB}10 or (icmp6 and ip6[40] == 1 and ip6[41] == 4))`,
  ],
  [
    "web1",
    "eth0",
    `src host ${DB}10 or ${answers(`${DB}1`)} or src port 22 or (dst host ${WEB}10 and (tcp dst port 9200 or (udp and dst portrange 9100-9200)))`,
  ],
  ["db1", "eth0", `${answers(`${WEB}1`)} or ${answers(ROUTER)} or (dst host ${DB}10 and dst port 9100)`],
];

interface Attack extends AsyncDisposable {
  /** The packets that got through so far, as tcpdump writes them. */
  through(): string[];
}

async function attack(): Promise<Attack> {
  const stack = new AsyncDisposableStack();
  const seen: Background[] = [];
  await each(WITNESSES, async (it) => void seen.push(stack.use(await capture(...it))));
  await each(FORBIDDEN, async ([from, to]) => {
    const sender = stack.use(lab.background(from, ["python3", "-c", SENDER, ...to]));
    await lab.until(`${from} to send`, 10_000, async () => sender.stdout.includes("sending"));
  });
  return {
    through: () => seen.flatMap((it) => it.stdout.split("\n").filter(Boolean)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Connects without a break; says when (milliseconds) it did. */
const CALLER = `
import socket, sys, time
while True:
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM); s.settimeout(0.1)
    try: s.connect((sys.argv[1], int(sys.argv[2]))); print(int(1000 * time.time()), flush=True)
    except OSError: pass
    s.close(); time.sleep(0.02)
`;

/** What is allowed: a guest's open port, a balancer; and the operator's way in. */
class Allowed implements AsyncDisposable {
  readonly #calls = [
    [`${WEB}10`, "9100"],
    [VIP, "80"],
    [ROUTER, "22"],
  ].map((to) => lab.background("internet", ["python3", "-c", CALLER, ...to]));

  /** When each was answered. */
  #answers = () => this.#calls.map((it) => it.stdout.split("\n").filter(Boolean).map(Number));

  /** Does something, and says for how long none of each was answered (milliseconds); waits until all of them, or SSH alone, are again. */
  async gaps(work: () => Promise<unknown>, ssh = false): Promise<number[]> {
    const flows = () => this.#answers().slice(ssh ? -1 : 0);
    const since = async (time: number, count: number) =>
      await lab.until("what is allowed to be answered", 30_000, async () =>
        flows().every((it) => it.filter((at) => at > time).length >= count),
      );
    await since(Date.now(), 1);
    const begun = Date.now();
    await work();
    await since(Date.now() + 300, 3);
    return flows().map((it) => {
      const of = it.filter((at) => at > begun - 1_000);
      return Math.max(...of.slice(1).map((at, index) => at - (of[index] ?? at)));
    });
  }

  async [Symbol.asyncDispose]() {
    for (const it of this.#calls) await it.stop();
  }
}

const vr1 = async (command: string) => (await lab.exec("vr1", command, { timeoutMs: 120_000 })).stdout.trim();

/** Packages of the operator's, whose daemons are not started by that. */
/** (On Debian 13 the bus reads what polkit may there before polkit's user is made: firewalld would wait for it in vain.) */
const install = (...packages: string[]) =>
  vr1(`printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install ${packages.join(" ")} >/dev/null 2>&1 &&
    rm /usr/sbin/policy-rc.d && systemctl reload dbus`);

// Docker's rules for an ordinary bridge network with a published port, as `iptables-save` gives them.
const DOCKER = `iptables-restore -n <<'END'
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp --dport 8081 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
:DOCKER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
END
ip6tables -P FORWARD ACCEPT`;

describe("at work", () => {
  let packets: Attack;
  let allowed: Allowed;
  beforeAll(async () => {
    await install("iptables-persistent");
    packets = await attack();
    allowed = new Allowed();
  });
  afterAll(async () => {
    await allowed?.[Symbol.asyncDispose]();
    await packets?.[Symbol.asyncDispose]();
  });

  test.each([
    "nft flush ruleset",
    "nft delete table inet vpc6",
    "nft flush table inet vpc6",
    "nft flush chain inet vpc6 forward",
    "nft flush chain inet vpc6 input",
    "systemctl start nftables",
    "systemctl restart nftables",
    "systemctl reload nftables",
    "systemctl stop nftables",
    DOCKER,
    "iptables -F; iptables -t nat -F; iptables -P FORWARD ACCEPT",
    "netfilter-persistent save; netfilter-persistent reload",
    "netfilter-persistent flush",
    "kill -9 $(systemctl show -P MainPID vpc6-guard)",
    "kill -9 $(systemctl show -P MainPID vpc6-watch); nft flush ruleset",
  ])("%s", async (command) => {
    const gaps = await allowed.gaps(() => vr1(command));
    console.info(`${command.slice(0, 60)}: nothing allowed passed for ${gaps.join(", ")} ms`);
    expect(packets.through().slice(0, 5)).toEqual([]);
    expect(Math.max(...gaps)).toBeLessThan(2_000);
    await lab.until("the guard", 2_000, async () => (await vr1("nft -t list chains inet")).includes("vpc6_guard"));
  });

  // Their own policy drops what is not said to them: SSH is. A firewalld that is stopped may leave its table, and so its policy, there.
  test.each([
    ["ufw", "ufw allow 22/tcp; ufw --force enable", "ufw reload", "ufw disable"],
    [
      "firewalld",
      "systemctl start firewalld",
      "systemctl restart firewalld",
      "systemctl disable --now firewalld; nft delete table inet firewalld; true",
    ],
  ])("%s", async (manager, ...commands) => {
    await install(manager);
    const off = commands.pop() ?? "";
    try {
      for (const command of commands) {
        const gaps = await allowed.gaps(() => vr1(command), true);
        console.info(`${command}: SSH was not answered for ${gaps.join(", ")} ms`);
        expect(packets.through().slice(0, 5), command).toEqual([]);
        expect(Math.max(...gaps), command).toBeLessThan(2_000);
      }
    } finally {
      await vr1(off);
    }
    const since = Date.now();
    await allowed.gaps(async () => {});
    console.info(`${off}: all that is allowed passes after ${Date.now() - since} ms`);
    expect(packets.through().slice(0, 5), off).toEqual([]);
  });

  test("every loss is told in one line, and what was put back is what was there", async () => {
    const told = await vr1("journalctl --sync; journalctl -o cat -t vpc6 -u vpc6-watch --no-pager");
    expect(told.split("\n").filter((it) => it.includes("put back, as it was gone"))[0]).toBe(
      "vpc6: put back, as it was gone: table inet vpc6, table inet vpc6_shares, table arp vpc6_shares",
    );
    const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
    expect(code, all).toBe(0);
  });
});

test(`${REBOOTS} reboots with Debian's nftables.service enabled`, { timeout: 60_000 + REBOOTS * 60_000 }, async () => {
  await vr1("systemctl -q enable nftables");
  await using packets = await attack();
  for (let n = 1; n <= REBOOTS; n++) {
    await lab.reboot("vr1");
    await lab.until("what is allowed", 20_000, async () => (await connects("internet", `${WEB}10`, 9100)) === "open");
    // That nobody listens any more says the kernel itself, at the very end, when nobody does.
    const open = packets.through().filter((it) => !/Flags \[R|unreachable port/.test(it));
    expect(open.slice(0, 5), `reboot ${n}`).toEqual([]);
    expect(await vr1("journalctl --sync; journalctl -b -o cat --no-pager | grep -i 'ordering cycle' || true")).toBe("");
    expect(await vr1("systemctl --failed --no-legend; nft -t list tables | sort")).toBe(
      [
        "table arp vpc6_shares",
        "table inet filter",
        "table inet vpc6",
        "table inet vpc6_guard",
        "table inet vpc6_shares",
      ].join("\n"),
    );
  }
  await vr1("systemctl -q disable --now nftables");
});

test("the same packets come through where nobody defends", async () => {
  await using packets = await attack();
  await vr1("systemctl stop vpc6-watch vpc6-guard; nft flush ruleset");
  const all = FORBIDDEN.flatMap(([from, to]) => to.map((it) => [from, ...it.split(" ")] as const));
  const missing = () => {
    const seen = packets.through().join("\n");
    return all.filter(
      ([, , address, port]) => !seen.includes(`${address}.${port} `) && !seen.includes(`${address}.${port}: `),
    );
  };
  await lab.until("each of them", 10_000, async () => missing().length === 0).catch(() => {});
  await vr1("systemctl start vpc6-guard vpc6-watch");
  expect(missing()).toEqual([]);
});

test("destroy takes guard and watch along, and leaves no ghosts on a router that has booted with them", async () => {
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  expect(
    await vr1(
      "systemctl list-units --all --no-legend 'vpc6*'; nft list tables; ls /etc/systemd/system | grep vpc6 || true",
    ),
  ).toBe("");
});
