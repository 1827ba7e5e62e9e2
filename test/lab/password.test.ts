// Passwords of guests on real routers: each guest gets its own, until it has acknowledged it, whatever the others do to take it from it;
// and it is nowhere else.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { type Guest, lab } from "./lab.ts";
import { connects, ownPackages, program, reached, routeOnUplink, snapshot, startInProcess, unhealed } from "./stack.ts";

const GATEWAY: Partial<Record<Guest, string>> = {
  web1: "2001:67c:2834:1::1",
  web2: "2001:67c:2834:1::1",
  db1: "2001:67c:2834:2::1",
  cache1: "2001:67c:2834:3::1",
};
const ADDRESS = { web1: "2001:67c:2834:1::10", web2: "2001:67c:2834:1::11", db1: "2001:67c:2834:2::10" };
const MAC = { web1: "02:00:00:00:01:11", web2: "02:00:00:00:01:12" };

let engine: InProcess;
let before: Record<string, string>;
const printed: string[] = [];
/** Every password there has been. */
const passwords = new Set<string>();

const guest = (name: "web1" | "web2" | "db1", { has = true, more = "" } = {}): string =>
  `new vpc6.Instance("${name}", { tier: ${name.slice(0, -1)}, mac: "02:00:00:00:0${name.startsWith("web") ? 1 : 2}:1${name.slice(-1)}",
    address: "${ADDRESS[name]}", ${has ? `password: config.requireSecret("${name}"),` : ""} ${more} });`;
const all = [guest("web1"), guest("web2"), guest("db1")].join("\n");

const whole = (guests = all, ipv4 = "") =>
  program(
    `
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config("test");
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60", domain: "shop.internal" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", cidr: "2001:67c:2834:1::/64", ${ipv4} });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0", cidr: "2001:67c:2834:2::/64" });
const cache = new vpc6.Tier("cache", { vpc: shop, interface: "cache0", cidr: "2001:67c:2834:3::/64" });
new vpc6.Instance("cache1", { tier: cache, mac: "02:00:00:00:03:11" });
${guests}`,
    { routers: { vr1: "" } },
  );

async function run(what: "up" | "preview" | "refresh", on: Engine | InProcess = engine): Promise<string> {
  const { code, all } = what === "preview" ? await on.preview({ diff: true }) : await on[what]();
  printed.push(all);
  expect(code, all).toBe(0);
  return all;
}

async function give(name: string, password: string): Promise<void> {
  passwords.add(password);
  await engine.config(`test:${name}`, password, { secret: true });
}

/** What a guest is told, by Debian's plain wget, as CloudStack's script calls it. */
async function ask(from: Guest, word = "send_my_password", server = `http://[${GATEWAY[from]}]`): Promise<string> {
  const header = word === "" ? [] : ["--header", `DomU_Request: ${word}`];
  const { stdout } = await lab.exec(from, [
    "wget",
    "-q",
    "-t",
    "3",
    "-T",
    "20",
    "-O",
    "-",
    ...header,
    `${server}:8080`,
  ]);
  return stdout;
}

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2", "db1", "cache1");
  await routeOnUplink();
  await ownPackages("vr1");
  before = await snapshot("vr1");
  engine = await startInProcess();
  await engine.program(await whole());
  await give("web1", "web1-first*!%");
  await give("web2", `web2"first'$(id)`);
  await give("db1", "db1-first:\\n#;&");
  await run("up");
  for (const [name, address] of Object.entries(ADDRESS)) await lab.waitForLease(name as Guest, address);
  await lab.waitForLease("cache1");
  for (const from of Object.keys(GATEWAY)) await lab.waitForGateway(from as Guest);
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
});

describe("the protocol", () => {
  test("each guest gets its own, again and again, until it has acknowledged it", async () => {
    expect(await ask("web1")).toBe("web1-first*!%");
    expect(await ask("web1")).toBe("web1-first*!%");
    expect(await ask("web2")).toBe(`web2"first'$(id)`);
    expect(await ask("db1")).toBe("db1-first:\\n#;&");
    expect(await ask("web1", "saved_password")).toBe("saved_password");
    expect(await ask("web1")).toBe("saved_password");
    expect(await ask("web2")).toBe(`web2"first'$(id)`);
    expect(await ask("web1", "")).toBe("bad_request");
    expect(await ask("web1", "save_password")).toBe("bad_request");
  });

  test("the gateway has the name that CloudStack's clients ask for", async () => {
    for (const from of ["web1", "db1"] as const) {
      const name = `data-server.${from.slice(0, -1)}.shop.internal`;
      expect((await lab.exec(from, `dig +short AAAA ${name}`)).stdout.trim()).toBe(GATEWAY[from]);
    }
    // By the search list.
    expect(await ask("db1", "send_my_password", "data-server")).toBe("db1-first:\\n#;&");
  });

  test("asked at its own gateway, from its own tier, and nowhere else", async () => {
    const elsewhere = [
      ["web1", GATEWAY.db1 ?? "", 8080],
      ["web1", "2001:67c:2834::1", 8080],
      ["internet", GATEWAY.web1 ?? "", 8080],
      ["uplink", GATEWAY.web1 ?? "", 8080],
    ] as const;
    expect(await reached(...elsewhere)).toEqual([]);
    // Where nobody has one, whoever asks hears so at once.
    expect(await connects("cache1", GATEWAY.cache1 ?? "", 8080)).toBe("refused");
    const { stdout } = await lab.exec("vr1", "ss -Hlnt 'sport = :8080' | awk '{ print $4 }' | sort");
    expect(stdout).toBe(`[${GATEWAY.web1}]:8080\n[${GATEWAY.db1}]:8080\n`);
  });

  test("a guest without a password, in a tier where others have one", async () => {
    await engine.program(await whole([guest("web1"), guest("web2", { has: false }), guest("db1")].join("\n")));
    await run("up");
    expect(await ask("web2")).toBe("");
    expect(await ask("web1")).toBe("saved_password");
    await engine.program(await whole());
    await run("up");
    expect(await ask("web2")).toBe(`web2"first'$(id)`);
  });
});

describe("a change", () => {
  test("of another guest, of the tier, and a reboot leave what was acknowledged so", async () => {
    await engine.program(
      await whole([guest("web1"), guest("web2"), guest("db1", { more: 'hostname: "dbx",' })].join("\n")),
    );
    await run("up");
    expect(await ask("web1")).toBe("saved_password");
    await lab.reboot("vr1");
    const told = await lab.until("an answer after the reboot", 30_000, async () => {
      const { stdout, code } = await lab.exec(
        "web1",
        [
          "wget",
          "-q",
          "-t",
          "1",
          "-T",
          "1",
          "-O",
          "-",
          "--header",
          "DomU_Request: send_my_password",
          `http://[${GATEWAY.web1}]:8080`,
        ],
        { check: false },
      );
      return code === 0 && stdout;
    });
    expect(told).toBe("saved_password");
    expect(await ask("web2")).toBe(`web2"first'$(id)`);
    expect(await run("preview")).toMatch(/ 11 unchanged/);
  });

  test("of the password shows that it changed, and is offered until acknowledged, over a router's reboot too", async () => {
    await give("web1", "web1-second");
    const shown = await run("preview");
    expect(shown).toMatch(/- .*\{\{password:[0-9a-f]{4}\}\}/);
    expect(shown).toMatch(/\+ .*\{\{password:[0-9a-f]{4}\}\}/);
    await run("up");
    expect(await ask("web1")).toBe("web1-second");
    await lab.reboot("vr1");
    await lab.until(
      "the gateway",
      30_000,
      async () => (await lab.ping("web1", GATEWAY.web1 ?? "", { count: 1 })).received === 1,
    );
    // It heard before the reboot, and says so after it.
    expect(await ask("web1", "saved_password")).toBe("saved_password");
    expect(await ask("web1")).toBe("saved_password");
  });

  test("of one tier drops nobody who is asking in another", async () => {
    const begin = await lab.exec(
      "vr1",
      "systemctl show -P ActiveEnterTimestampMonotonic 'vpc6-password@2001:67c:2834:1::1.socket'",
    );
    await using asking = lab.background(
      "web1",
      `while :; do wget -q -t 1 -T 2 -O /dev/null --header 'DomU_Request: send_my_password' 'http://[${GATEWAY.web1}]:8080' && echo ok || echo lost; sleep 1.2; done`,
    );
    await give("db1", "db1-second");
    await run("up");
    await engine.program(await whole([guest("web1"), guest("web2"), guest("db1", { has: false })].join("\n")));
    await run("up");
    expect(await connects("db1", GATEWAY.db1 ?? "", 8080)).toBe("refused");
    await engine.program(await whole());
    await run("up");
    await give("web2", "web2-second");
    await run("up");
    expect(await ask("db1")).toBe("db1-second");
    expect(await ask("web2")).toBe("web2-second");
    expect(asking.stdout).toMatch(/ok/);
    expect(asking.stdout).not.toMatch(/lost/);
    const end = await lab.exec(
      "vr1",
      "systemctl show -P ActiveEnterTimestampMonotonic 'vpc6-password@2001:67c:2834:1::1.socket'",
    );
    expect(end.stdout).toBe(begin.stdout);
  });
});

/** Takes the other's address, tells everybody that it lives here now, a thousand times a second, and asks for its password. */
const thief = (victim: string, gateway: string): string => `import socket, struct, subprocess, threading, time
victim, gateway = "${victim}", "${gateway}"
mac = bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", ""))
subprocess.run(["ip", "-6", "addr", "add", victim + "/128", "dev", "eth0", "nodad"], check=True)
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
raw.bind((victim, 0))
advertisement = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + socket.inet_pton(socket.AF_INET6, victim) + bytes([2, 1]) + mac
going = True
def flood():
    while going:
        for to in ("ff02::1", gateway):
            try: raw.sendto(advertisement, (to, 0))
            except OSError: pass
        time.sleep(0.001)
threading.Thread(target=flood).start()
time.sleep(1)
asking = []
for n in range(4):
    asking.append(subprocess.Popen(["wget", "-q", "-t", "1", "-T", "2", "-O", "-", "--bind-address=" + victim, "--header", "DomU_Request: send_my_password", "http://[" + gateway + "]:8080"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
    time.sleep(0.5)
got = sum(one.communicate()[0] != b"" for one in asking)
going = False
subprocess.run(["ip", "-6", "addr", "del", victim + "/128", "dev", "eth0"])
print(got)
`;

describe("a guest that wants another's password", () => {
  const steal = async () =>
    Number((await lab.exec("web2", ["python3", "-"], { input: thief(ADDRESS.web1, GATEWAY.web1 ?? "") })).stdout);

  beforeAll(async () => {
    await give("web1", "web1-third");
    await run("up");
  });

  test("gets nothing with the other's address, not even while it floods neighbour advertisements", async () => {
    expect(await steal()).toBe(0);
    expect(await ask("web1")).toBe("web1-third");
  });

  test("and would, were its address not held: the attack is one", async () => {
    await unhealed(async () => {
      await lab.exec("vr1", `ip -6 neigh del ${ADDRESS.web1} dev web0; nft insert rule inet vpc6 own_address return`);
      try {
        expect(await steal()).toBeGreaterThan(0);
        // The permanent entry alone is enough that no answer gets to it.
        await lab.exec("vr1", `ip -6 neigh replace ${ADDRESS.web1} lladdr ${MAC.web1} dev web0 nud permanent`);
        expect(await steal()).toBe(0);
      } finally {
        await lab.exec(
          "vr1",
          `ip -6 neigh replace ${ADDRESS.web1} lladdr ${MAC.web1} dev web0 nud permanent
        nft delete rule inet vpc6 own_address handle $(nft -a list chain inet vpc6 own_address | sed -n 's/^\\t*return # handle //p')`,
        );
      }
    });
    expect(await steal()).toBe(0);
  });

  test("gets nothing with a link-local address", async () => {
    const { stdout } = await lab.exec(
      "web2",
      `python3 -c '
import socket
for source in (None, "fe80::1:2:3"):
  s = socket.socket(socket.AF_INET6); s.settimeout(2)
  if source: s.setsockopt(41, 78, 1); s.bind((source, 0, 0, socket.if_nametoindex("eth0")))
  try: s.connect(("${GATEWAY.web1}", 8080)); print("open")
  except OSError as error: print("timed out" in str(error))
'`,
    );
    expect(stdout).toBe("open\nTrue\n");
  });
});

describe("a flood of one guest", () => {
  /** Asks once a second; how long the guest waited for the slowest answer, in seconds. */
  async function slowest(): Promise<number> {
    const url = `http://[${GATEWAY.web1}]:8080`;
    const curl = ["curl", "-s", "-g", "-H", "DomU_Request: send_my_password", "-w", " %{time_total}", url];
    let worst = 0;
    for (let n = 0; n < 5; n++) {
      const [password, seconds] = (await lab.exec("web1", curl)).stdout.split(" ");
      expect(password?.trim()).toBe("web1-third");
      worst = Math.max(worst, Number(seconds));
      await new Promise((resolve) => setTimeout(resolve, 800));
    }
    return worst;
  }

  /** Until it is told that it is enough, and there have been enough of them. */
  const flood = (each: string): string => `import os, resource, select, socket, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []; opened = 0
while not os.path.exists("/run/enough") or opened < 801:
    s = socket.socket(socket.AF_INET6); s.setblocking(False)
    s.connect_ex(("${GATEWAY.web2}", 8080)); opened += 1
    ${each}
    if len(held) > most - 100: held.pop(0).close()
print(opened)
`;

  test.each([
    ["of connections, closed at once", "select.select([], [s], [], 0.002); s.close()", ""],
    ["of connections that stay silent", "held.append(s); time.sleep(0.0005)", ""],
    [
      "of connections that speak slowly",
      "held.append(s); time.sleep(0.005)\n    for h in held[-200:]:\n        try: h.send(b'G')\n        except OSError: pass",
      "",
    ],
    [
      "of connections that are never completed",
      "held.append(s); time.sleep(0.0005)",
      "add table inet x; add chain inet x i { type filter hook input priority 0; }; add rule inet x i tcp sport 8080 drop",
    ],
  ])(
    "%s",
    async (_what, each, filter) => {
      await lab.exec("web2", "rm -f /run/enough");
      if (filter) await lab.exec("web2", ["nft", filter]);
      try {
        const flooding = lab.exec("web2", ["python3", "-"], { input: flood(each) });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        try {
          expect(await slowest()).toBeLessThan(2);
        } finally {
          await lab.exec("web2", "touch /run/enough");
        }
        expect(Number((await flooding).stdout)).toBeGreaterThan(800);
      } finally {
        if (filter) await lab.exec("web2", "nft delete table inet x");
      }
      const { stdout } = await lab.exec(
        "vr1",
        "systemctl is-active 'vpc6-password@2001:67c:2834:1::1.socket'; pgrep -cf '^/usr/bin/perl -x'",
      );
      expect(stdout).toMatch(/^active\n[12]\n$/);
      // It is heard again itself when it has calmed down.
      await lab.until(
        "web2 to be heard",
        60_000,
        async () => (await connects("web2", GATEWAY.web2 ?? "", 8080)) === "open",
      );
    },
    120_000,
  );
});

/** The same with ARP: every neighbour is told, a thousand times a second, that the address lives here. */
const thief4 = (victim: string, gateway: string): string =>
  thief(victim, gateway)
    .replaceAll('victim + "/128", "dev", "eth0", "nodad"', 'victim + "/32", "dev", "eth0"')
    .replaceAll('victim + "/128"', 'victim + "/32"')
    .replaceAll('"-6"', '"-4"')
    .replace(
      /raw = [\s\S]*?advertisement = .*\n/,
      `raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); raw.bind(("eth0", 0))
four = lambda it: socket.inet_pton(socket.AF_INET, it)
frames = [b"\\xff" * 6 + mac + bytes.fromhex("0806000108000604") + struct.pack("!H", kind) + mac + four(victim) + bytes(6) + four(to) for kind, to in ((1, victim), (2, victim), (2, gateway), (1, gateway))]
`,
    )
    .replace(/for to in .*\n.*\n.*\n/, "for frame in frames: raw.send(frame)\n")
    .replace('"http://[" + gateway + "]:8080"', '"http://" + gateway + ":8080"');

describe("in a tier that has IPv4", () => {
  const four = { web1: "10.1.1.11", web2: "10.1.1.12" };
  const dual = [
    guest("web1", { more: `ipv4Address: "${four.web1}"` }),
    guest("web2", { more: `ipv4Address: "${four.web2}"` }),
    guest("db1"),
  ].join("\n");
  const over4 = (from: "web1" | "web2", word = "send_my_password") => ask(from, word, "http://10.1.1.1");

  beforeAll(async () => {
    await give("web1", "web1-fourth");
    await engine.program(await whole(dual, `ipv4: { cidr: "10.1.1.0/24" }`));
    await run("up");
    for (const [name, address] of Object.entries(four))
      await lab.exec(name as Guest, `ip addr add ${address}/24 dev eth0`);
  });

  test("a guest gets its password over IPv4, and over IPv6; acknowledged over either", async () => {
    expect(await over4("web1")).toBe("web1-fourth");
    expect(await ask("web1")).toBe("web1-fourth");
    expect(await over4("web1", "saved_password")).toBe("saved_password");
    expect([await over4("web1"), await ask("web1")]).toEqual(["saved_password", "saved_password"]);
    await give("web1", "web1-fifth");
    await run("up");
    expect(await ask("web1")).toBe("web1-fifth");
    expect(await ask("web1", "saved_password")).toBe("saved_password");
    expect([await over4("web1"), await ask("web1")]).toEqual(["saved_password", "saved_password"]);
    expect(await over4("web2")).toBe("web2-second");
    const { stdout } = await lab.exec("vr1", "ss -Hlnt 'sport = :8080' | awk '{ print $4 }' | sort");
    expect(stdout).toBe(`10.1.1.1:8080\n[${GATEWAY.web1}]:8080\n[${GATEWAY.db1}]:8080\n`);
  });

  test("nobody gets it with the other's IPv4 address and a flood of ARP; without the hold on it the attack succeeds", async () => {
    await give("web1", "web1-sixth");
    await run("up");
    const steal = async () =>
      Number((await lab.exec("web2", ["python3", "-"], { input: thief4(four.web1, "10.1.1.1") })).stdout);
    expect(await steal()).toBe(0);
    await unhealed(async () => {
      await lab.exec("vr1", `ip neigh del ${four.web1} dev web0; nft insert rule inet vpc6 own_address return`);
      try {
        expect(await steal()).toBeGreaterThan(0);
        await lab.exec("vr1", `ip neigh replace ${four.web1} lladdr ${MAC.web1} dev web0 nud permanent`);
        expect(await steal()).toBe(0);
      } finally {
        await lab.exec(
          "vr1",
          `ip neigh replace ${four.web1} lladdr ${MAC.web1} dev web0 nud permanent
        nft delete rule inet vpc6 own_address handle $(nft -a list chain inet vpc6 own_address | sed -n 's/^\\t*return # handle //p')`,
        );
      }
    });
    expect(await steal()).toBe(0);
    expect(await over4("web1")).toBe("web1-sixth");
  });

  test("comes back by itself after a reboot", async () => {
    await lab.reboot("vr1");
    await lab.until(
      "the gateway",
      30_000,
      async () => (await lab.ping("web2", "10.1.1.1", { count: 1 })).received === 1,
    );
    await lab.until("an answer", 20_000, async () => (await connects("web2", "10.1.1.1", 8080)) === "open");
    expect(await over4("web2")).toBe("web2-second");
  });

  /** Real cloud-init, from Debian's package. Port 80 of the gateway is the guest's own: a router has no metadata. */
  test("cloud-init: its password client over IPv6; its data source sets the password once something has metadata", async () => {
    await lab.exec("web1", "mkdir -p /etc/cloud && touch /etc/cloud/cloud-init.disabled && dpkg -i /srv/debs/*.deb", {
      timeoutMs: 180_000,
    });
    await lab.exec("web1", ["tee", "/etc/cloud/cloud.cfg.d/99.cfg"], {
      input: `datasource_list: [CloudStack]
network: { config: disabled }
cloud_init_modules: []
cloud_config_modules: [set-passwords]
cloud_final_modules: []
`,
    });
    await give("web1", "web1-seventh");
    await run("up");
    const client = `python3 -c 'from cloudinit.sources.DataSourceCloudStack import CloudStackPasswordServerClient as C; print(C("http://[${GATEWAY.web1}]").get_password())'`;
    expect((await lab.exec("web1", client)).stdout).toBe("web1-seventh\n");
    expect((await lab.exec("web1", client)).stdout).toBe("None\n");
    await give("web1", "web1-eighth");
    await run("up");
    await using metadata = lab.background(
      "web1",
      `mkdir -p /srv/md/latest/meta-data && cd /srv/md && printf '%s\\n' instance-id availability-zone >latest/meta-data/index.html && echo i-1 >latest/meta-data/instance-id && echo z-1 >latest/meta-data/availability-zone && : >latest/user-data &&
      useradd -m debian; nft 'add table ip x; add chain ip x o { type nat hook output priority -100; }; add rule ip x o ip daddr 10.1.1.1 tcp dport 80 redirect to :80' &&
      echo 10.1.1.1 data-server >>/etc/hosts && exec python3 -m http.server 80 --bind 0.0.0.0`,
    );
    await lab.until(
      "metadata",
      20_000,
      async () =>
        (await lab.exec("web1", "curl -sf http://10.1.1.1/latest/meta-data/instance-id", { check: false })).code === 0,
    );
    await lab.exec("web1", "rm /etc/cloud/cloud-init.disabled; cloud-init init; cloud-init modules --mode=config", {
      timeoutMs: 120_000,
    });
    expect(metadata.stderr).toMatch(/GET \/latest\/user-data/);
    const { stdout } = await lab.exec(
      "web1",
      `python3 -W ignore -c 'import crypt; h = [l.split(":")[1] for l in open("/etc/shadow") if l.startswith("debian:")][0]; print(crypt.crypt("web1-eighth", h) == h)'`,
    );
    expect(stdout).toBe("True\n");
    expect(await ask("web1")).toBe("saved_password");
    await give("web1", "web1-third");
    await run("up");
  });

  afterAll(async () => {
    await engine.program(await whole());
    await run("up");
  });
});

test("no password is in any output, state, journal or list of processes; on the router root and the server alone can read it", async () => {
  await give("web1", "web1-last-one");
  const state = await engine.underTheCli(async (cli) => {
    await run("preview", cli);
    await run("up", cli);
    await ask("web1");
    await lab.exec("vr1", "sed -i 's/data-server/dota-server/' /etc/vpc6/confirmed/fragments/passwords/web1@*");
    expect(await run("refresh", cli)).toMatch(/Instance web1 updated/);
    const edited = await cli.stateFile();
    await run("up", cli);
    return edited + (await cli.stateFile());
  });
  // The server, which ends when nobody has asked for a while, is to be there.
  await ask("web1");
  const texts = [...printed, state];
  texts.push(
    (
      await lab.exec(
        "vr1",
        "journalctl --sync; journalctl -b --no-pager; journalctl --no-pager; ps -eo args; systemctl show 'vpc6*'; nft list ruleset; cat /var/lib/vpc6/*/* /var/lib/private/vpc6-password/*",
      )
    ).stdout,
  );
  for (const password of passwords) for (const text of texts) expect(text).not.toContain(password);
  const { stdout } = await lab.exec("vr1", "grep -rlF -e web1-last-one /etc /run /var /tmp 2>/dev/null; true");
  const places = stdout.trim().split("\n");
  expect(places.length).toBeGreaterThan(1);
  for (const place of places)
    expect(place).toMatch(
      /^(\/etc\/vpc6\/generations\/|\/run\/credentials\/vpc6-password@2001:67c:2834:1::1\.service\/passwords$)/,
    );
  const strangers = await lab.exec(
    "vr1",
    `setpriv --reuid nobody --regid nogroup --clear-groups grep -rlF -e web1-last-one /etc /run /var /tmp 2>/dev/null; true`,
  );
  expect(strangers.stdout).toBe("");
  await ask("web1");
  const { stdout: user } = await lab.exec(
    "vr1",
    "ps -o user:20= -p $(pgrep -d, -f '^/usr/bin/perl -x') | sort -u; stat -c '%a' /var/lib/private/vpc6-password /var/lib/private/vpc6-password/*  | sort -u",
  );
  // systemd's range for users that exist while a unit runs.
  expect(user).toMatch(/^6[1-5]\d{3}\n600\n700\n$/);
  expect(
    (await lab.exec("vr1", "systemd-analyze security 'vpc6-password@2001:67c:2834:1::1.service' | tail -n 1")).stdout,
  ).toMatch(/: 0\.\d /);
});

test("removed with the guest; the router is as it was found afterwards", async () => {
  expect((await lab.exec("vr1", "ls /var/lib/private/vpc6-password")).stdout).toContain("web1@");
  await engine.program(await whole(guest("db1")));
  await run("up");
  expect((await lab.exec("vr1", "ls /var/lib/private/vpc6-password")).stdout).toBe(`db1@${ADDRESS.db1}\n`);
  expect((await lab.exec("vr1", "cat /etc/vpc6/live/fragments/secrets/* | wc -l")).stdout.trim()).toBe("1");
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  expect(await snapshot("vr1")).toEqual(before);
});
