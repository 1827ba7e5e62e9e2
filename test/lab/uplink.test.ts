// The cloud uplink router converged by vpc6, on a machine of its own: what it takes from VPC routers and what it does not, packets
// between VPCs that never touch it, neighbours that fall silent, and the machine as it was found when all is over.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { established, known, routed, routes, sessions, show, speaks, told } from "./frr.ts";
import { lab } from "./lab.ts";
import { ownPackages, program, snapshot, startInProcess } from "./stack.ts";

const LABS = "2001:67c:2834::/60";
const SHOP = "2001:67c:2834:10::/60";
const EDGE = "2001:db8:ffff::2";
const VR1 = "2001:db8:ffff::10";
const VR2 = "2001:db8:ffff::11";

const vpcs = `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const lab = new vpc6.Vpc("lab", { zone, router: vr2 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const app = new vpc6.Tier("app", { vpc: lab, interface: "app0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const app1 = new vpc6.Instance("app1", { tier: app, mac: "02:00:00:00:04:11" });
export const app1Address = app1.address;
`;
/** Whoever was refused is there again soon. When a silent neighbour is given up is as usual. */
const TIMERS = "timers: { connect: 1 }";
const more = `
const more = new vpc6.Vpc("more", { zone, router: vr2 });
new vpc6.BgpPeer("more", { vpc: more, remoteAsn: 65000, address: "${EDGE}", ${TIMERS} });
`;
const MORE = "2001:67c:2834:20::/60";
const FILTER = `ipv6 prefix-list vpc6-in-${VR2} seq 33 permit ${MORE}`;
const peers = (rest = "", asn = 65000, address = EDGE) =>
  ["shop", "lab"]
    .map(
      (vpc) =>
        `new vpc6.BgpPeer("${vpc}", { vpc: ${vpc}, remoteAsn: ${asn}, address: "${address}", ${TIMERS}, ${rest} });\n`,
    )
    .join("");
const EACH = { zone: `asnRange: "4200000000-4200000999",` };

let engine: InProcess;
let env: Record<string, string>;
/** All that the engine has printed. */
let said = "";
const hosts = ["edge", "vr1", "vr2"] as const;
let before: Record<(typeof hosts)[number], Record<string, string>>;

const uplink = (rest = "", asn = 65000, address = EDGE) =>
  `new vpc6.Uplink("uplink", { zone, host: "${env.EDGE_HOST}", hostKey: "${env.EDGE_HOST_KEY}", asn: ${asn}, address: "${address}", ${TIMERS}, ${rest} });\n`;

beforeAll(async () => {
  await lab.down();
  // The uplink router is as an operator hands it over. So is a VPC router with BGP in bgp.test.ts.
  lab.bare();
  await lab.up("edge");
  lab.equipped();
  lab.debian13();
  await lab.up("vr1", "vr2", "web1", "app1");
  await Promise.all([ownPackages("vr1"), ownPackages("vr2")]);
  const [edge, vr1, vr2] = await Promise.all([snapshot("edge"), snapshot("vr1"), snapshot("vr2")]);
  before = { edge, vr1, vr2 };
  env = await lab.env();
  engine = await startInProcess();
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

async function up(rest: string, options = EACH, on: Engine | InProcess = engine) {
  await on.program(await program(vpcs + rest, options));
  const { code, all } = await on.up();
  said += all;
  expect(code, all).toBe(0);
}

async function preview(rest: string, options = EACH, on: Engine | InProcess = engine): Promise<string> {
  await on.program(await program(vpcs + rest, options));
  const { code, stdout, all } = await on.preview({ diff: true });
  said += all;
  expect(code, all).toBe(0);
  return stdout;
}

/** Both VPC routers speak with the uplink. */
const both = () => Promise.all([established("edge", VR1), established("edge", VR2)]);

/** What frr-reload would still change: nothing, when FRR runs exactly what its file says. */
const drift = async (host: (typeof hosts)[number]) =>
  (await lab.exec(host, "cd /tmp && /usr/lib/frr/frr-reload.py --test /etc/frr/frr.conf")).stdout
    .split("\n")
    .filter((line) => /neighbor|prefix-list|bgp|bfd|profile|interval/.test(line));

/** Each VPC router goes to the other one by itself, and so do packets. */
async function direct() {
  const address = String(await engine.output("app1Address"));
  await Promise.all([
    known("vr1", LABS).then(() => routed("vr1", LABS, VR2)),
    known("vr2", SHOP).then(() => routed("vr2", SHOP, VR1)),
  ]);
  const { stdout } = await lab.exec("web1", ["traceroute", "-6", "-n", "-I", "-q", "2", "-w", "2", address]);
  const hops = [...stdout.matchAll(/^ *\d+ +([0-9a-f:*]+)/gm)].map(([, hop]) => hop ?? "");
  expect(hops).toEqual(["2001:67c:2834:11::1", VR2, address]);
}

const straight = async () => {
  await both();
  await direct();
};

/** FRR forgets what it was told by hand. */
const asWritten = (host: "vr1") => lab.exec(host, "systemctl reset-failed frr; systemctl restart frr");

describe("examples/bgp", () => {
  test("runs as it is, with one AS number for each router and with one for all; the preview shows each neighbour's filter", async () => {
    const text = readFileSync(new URL("../../examples/bgp/index.ts", import.meta.url), "utf8");
    await engine.config("test:bgpPassword", "an-example.1", { secret: true });
    await engine.config("test:uplinkAddress", EDGE);
    for (const [name, host] of [
      ["vr1", "VR1"],
      ["vr2", "VR2"],
      ["uplink", "EDGE"],
    ]) {
      await engine.config(`test:${name}Host`, env[`${host}_HOST`] ?? "");
      await engine.config(`test:${name}HostKey`, env[`${host}_HOST_KEY`] ?? "");
    }
    await engine.program(text);
    const { code, stdout: shown, all } = await engine.preview({ diff: true });
    expect(code, all).toBe(0);
    expect(shown).not.toContain("[unknown]");
    expect(shown).toContain(`! AS65000 at ${EDGE}: VPC routers by address, VPCs of 2001:67c:2834::/50`);
    for (const asn of [`asnRange: "4200000000-4200000999"`, "asn: 64600"]) {
      await engine.program(text.replace(/asnRange: ".*"/, asn));
      const { code, all } = await engine.up();
      expect(code, all).toBe(0);
      await both();
      expect(await engine.output("prefixes")).toEqual({ shop: SHOP, lab: LABS });
      await Promise.all([known("vr1", LABS), known("vr2", SHOP), known("vr1", "::/0")]);
    }
  });
});

describe("from each VPC router its own VPCs' prefixes", () => {
  test("up makes the sessions, and packets go straight", async () => {
    await up(peers() + uplink());
    await Promise.all([known("edge", SHOP), known("edge", LABS), lab.ready("web1"), lab.ready("app1")]);
    await straight();
    expect(await drift("edge")).toEqual([]);
    const again = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
    expect(again.code, again.all).toBe(0);
  });

  test("nothing but FRR has changed on the machine", async () => {
    const now = await snapshot("edge");
    for (const what of ["links", "addresses", "sysctl", "rules"]) expect(now[what], what).toBe(before.edge[what]);
  });

  test("a VPC router that announces another VPC's prefix, or a foreign one, is not heard", async () => {
    const list = `vpc6-out-${EDGE}`;
    const bgp = ["configure terminal", "router bgp 4200000000", "address-family ipv6 unicast"];
    await told("vr1", "configure terminal", `ipv6 prefix-list ${list} seq 4294967290 permit ::/0 le 128`);
    await told("vr1", ...bgp, `network ${LABS}`, "network 2001:db8:bad::/48", "network 2001:67c:2834:18::/64");
    await lab.until("all four to be announced", 10_000, async () => {
      const said = await told("vr1", `show bgp ipv6 unicast neighbors ${EDGE} advertised-routes`);
      return [SHOP, LABS, "2001:db8:bad::/48", "2001:67c:2834:18::/64"].every((it) => said.includes(it));
    });
    // What is announced last is taken: all before it has been judged.
    await up(
      peers() + uplink(`neighbors: [{ address: "${VR1}", asn: 4200000000, prefixes: ["2001:67c:2834:1f::/64"] }]`),
    );
    await told("vr1", ...bgp, "network 2001:67c:2834:1f::/64");
    await known("edge", "2001:67c:2834:1f::/64");
    await told("vr1", ...bgp, "no network 2001:67c:2834:1f::/64");
    await known("edge", "2001:67c:2834:1f::/64", false);
    expect(await routes("edge")).toEqual([LABS, SHOP].sort());
    const { paths } = await show<{ paths: { peer: { peerId: string } }[] }>("edge", `bgp ipv6 unicast ${LABS}`);
    expect(paths.map(({ peer }) => peer.peerId)).toEqual([VR2]);
  });

  test("a new VPC is one line, and withdrawn at once when it goes; no session notices", async () => {
    const found = await established("edge", VR1);
    await asWritten("vr1");
    await lab.until("another session", 30_000, async () => (await established("edge", VR1)) > found);
    await known("edge", SHOP);
    const since = await both();
    const shown = await preview(peers() + more + uplink());
    expect(
      shown.split("\n").filter((line) => /^ *\+.*vpc6-in-2001:db8:ffff::1/.test(line) && !/out/.test(line)),
    ).toEqual([expect.stringContaining(FILTER)]);
    await up(peers() + more + uplink());
    await known("edge", MORE);
    await known("vr1", MORE);
    await up(peers() + uplink());
    await lab.until("the withdrawal", 2_000, async () => !(await routes("edge")).includes(MORE));
    await known("vr1", MORE, false);
    expect(await both()).toEqual(since);
    expect((await told("edge", "show running-config")).includes(MORE)).toBe(false);
  });

  test("after a reboot the uplink comes back by itself", async () => {
    await lab.reboot("edge");
    await speaks("edge");
    await straight();
  });
});

describe("neighbours that fall silent", () => {
  const freeze = (what: "STOP" | "CONT") => lab.exec("edge", `pkill -${what} -x 'bgpd|bfdd' || true`);

  /** How long vr1 takes to notice, in ms, which it measures itself; undefined when it has not within the time (ms). */
  async function noticed(within: number): Promise<number | undefined> {
    await freeze("STOP");
    try {
      const since = "$((($(date +%s%N) - begin) / 1000000))";
      const { stdout } = await lab.exec(
        "vr1",
        `begin=$(date +%s%N)
         while [ ${since} -lt ${within} ]; do
           vtysh -d bgpd -c 'show bgp neighbors ${EDGE} json' | grep -q '"bgpState": *"Established"' || { echo ${since}; break; }
           sleep 0.05
         done`,
      );
      return stdout === "" ? undefined : Number(stdout);
    } finally {
      await freeze("CONT");
    }
  }

  test("without BFD only the hold timer tells", async () => {
    await established("vr1", EDGE);
    expect(await noticed(4_000)).toBeUndefined();
  });

  test("BFD on one end only ends no session", async () => {
    const since = await Promise.all([established("edge", VR1), established("vr1", EDGE)]);
    await up(peers("bfd: { interval: 200 }") + uplink());
    await lab.until("vr1's BFD to find nobody", 10_000, async () => {
      const found = await show<{ peer: string; status: string }[]>("vr1", "bfd peers", "bfdd");
      return found.some(({ peer, status }) => peer === EDGE && status === "down");
    });
    // Longer than it would wait for somebody who was there.
    await sleep(3_000);
    expect(await Promise.all([established("edge", VR1), established("vr1", EDGE)])).toEqual(since);
    await direct();
  });

  test("BFD is switched on without ending a session, and tells within two seconds", async () => {
    const since = await Promise.all([established("edge", VR1), established("vr1", EDGE)]);
    const switched = async (interval: number) => {
      const bfd = `bfd: { interval: ${interval} }`;
      await up(peers(bfd) + uplink(bfd));
      for (const [host, neighbor] of [
        ["edge", VR1],
        ["edge", VR2],
        ["vr1", EDGE],
        ["vr2", EDGE],
      ] as const) {
        // Another interval counts once both ends have told each other.
        await lab.until(`${host}'s BFD with ${neighbor}`, 20_000, async () => {
          type Peer = { peer: string; status: string; "receive-interval": number; "remote-transmit-interval": number };
          const found = (await show<Peer[]>(host, "bfd peers", "bfdd")).find(({ peer }) => peer === neighbor);
          const intervals = [found?.["receive-interval"], found?.["remote-transmit-interval"]];
          return found?.status === "up" && intervals.every((it) => it === interval);
        });
      }
    };
    // Three seconds until a neighbour is gone: all of them are on this machine, which may well stand still for one.
    await switched(1000);
    expect(await Promise.all([established("edge", VR1), established("vr1", EDGE)])).toEqual(since);
    expect(await drift("edge")).toEqual([]);
    expect(await drift("vr1")).toEqual([]);
    await direct();
    await switched(100);
    await established("vr1", EDGE);
    const took = await noticed(10_000);
    expect(took).toBeLessThan(2_000);
  });
});

describe("another address on the link, of the uplink and of a VPC router", () => {
  const OTHERS = [
    ["edge", "2001:db8:ffff::222/64"],
    ["vr2", "2001:db8:ffff::111/64"],
  ] as const;
  const all = (verb: "add" | "del") =>
    Promise.all(OTHERS.map(([host, address]) => lab.exec(host, `ip address ${verb} ${address} dev pub0 nodad`)));

  test("sessions and BFD are from the one that the neighbor knows, also when FRR starts", async () => {
    await all("add");
    try {
      await Promise.all([lab.exec("edge", "systemctl restart frr"), lab.exec("vr2", "systemctl restart frr")]);
      await Promise.all([established("edge", VR2), established("vr2", EDGE)]);
      for (const [host, own, neighbor] of [
        ["edge", EDGE, VR2],
        ["vr2", VR2, EDGE],
      ] as const) {
        await lab.until(`${host}'s BFD from ${own}`, 20_000, async () => {
          const found = await show<{ peer: string; local?: string; status: string }[]>(host, "bfd peers", "bfdd");
          return found.some((it) => it.peer === neighbor && it.local === own && it.status === "up");
        });
      }
    } finally {
      await all("del");
    }
  });
});

test("a public address that was gone for a moment is the next hop again, where the link has IPv4 too", async () => {
  const global = async () => {
    const path = `bgp ipv6 unicast ${LABS}`;
    type Route = { paths: { valid?: boolean; nexthops: { ip: string; scope: string }[] }[] };
    const { paths = [] } = await show<Partial<Route>>("edge", path);
    return paths.flatMap(({ valid, nexthops }) =>
      valid ? nexthops.filter(({ scope }) => scope === "global").map(({ ip }) => ip) : [],
    );
  };
  await lab.exec("vr2", "ip address add 192.0.2.10/24 dev pub0");
  try {
    await lab.until("the route", 20_000, async () => (await global())[0] === VR2);
    await lab.exec("vr2", `ip address del ${VR2}/64 dev pub0`);
    await lab.until("the address to be there again", 10_000, async () =>
      (await lab.exec("vr2", "ip address show dev pub0")).stdout.includes(`${VR2}/64`),
    );
    // FRR 10.3 tells another next hop within a second.
    await sleep(3_000);
    expect(await global()).toEqual([VR2]);
    await direct();
  } finally {
    await lab.exec("vr2", "ip address del 192.0.2.10/24 dev pub0");
  }
});

describe("whatever is in the super CIDR", () => {
  const open = () => uplink(`accept: "supernet", announceDefault: true`);

  test("takes the place of each neighbour's filter, and BFD goes; a new VPC needs no change at the uplink", async () => {
    await up(peers("acceptDefault: true") + open());
    await straight();
    expect((await lab.exec("vr1", "pgrep -x bfdd || true")).stdout).toBe("");
    await known("vr1", "::/0");
    const shown = await preview(peers("acceptDefault: true") + more + open());
    expect(shown).toContain("vpc6:Vpc::more");
    expect(shown).not.toContain("vpc6:Uplink::uplink");
    // By the VPC router: at the uplink a session that ends is forgotten with its neighbour.
    const since = await established("vr1", EDGE);
    await up(peers("acceptDefault: true") + more + open());
    await known("edge", MORE);
    expect(await established("vr1", EDGE)).toBe(since);
    expect(await drift("edge")).toEqual([]);
  });

  test("what is too large, too small or elsewhere is not taken", async () => {
    await told("vr1", "configure terminal", `ipv6 prefix-list vpc6-out-${EDGE} seq 4294967290 permit ::/0 le 128`);
    const wrong = ["2001:db8:bad::/48", "2001:67c:2834:40::/59", "2001:67c:2834:50::/65", "::/0"];
    const family = ["configure terminal", "router bgp 4200000000", "address-family ipv6 unicast"];
    await told("vr1", ...family, ...wrong.map((it) => `network ${it}`), "network 2001:67c:2834:60::/61");
    await known("edge", "2001:67c:2834:60::/61");
    expect((await routes("edge")).filter((it) => wrong.includes(it))).toEqual([]);
  });

  test("one that announces more than it may is cut off, and no other", async () => {
    const since = await established("vr2", EDGE);
    await up(peers() + uplink(`accept: "supernet", maximumPrefix: 3`));
    await told("vr1", "configure terminal", `ipv6 prefix-list vpc6-out-${EDGE} seq 4294967290 permit ::/0 le 128`);
    const family = ["configure terminal", "router bgp 4200000000", "address-family ipv6 unicast"];
    await told(
      "vr1",
      ...family,
      ...["70", "80", "90", "a0", "b0", "c0"].map((it) => `network 2001:67c:2834:${it}::/60`),
    );
    await lab.until("the session to be over", 10_000, async () => {
      return (await sessions("edge"))[VR1]?.bgpState !== "Established";
    });
    const why = /%MAXPFXEXCEED: .* received from 2001:db8:ffff::10\S* \d exceed, limit 3/;
    await lab.until("bgpd's reason to be in the journal", 10_000, async () =>
      why.test((await lab.exec("edge", "journalctl -b -o cat -u frr")).stdout),
    );
    await known("edge", SHOP, false);
    expect(await established("vr2", EDGE)).toBe(since);
    await asWritten("vr1");
    await told("edge", "clear bgp ipv6 *");
  });

  test("back to filters for each", async () => {
    await up(peers() + uplink());
    await known("vr1", "::/0", false);
    await straight();
    expect(await drift("edge")).toEqual([]);
  });
});

describe("a password", () => {
  const words = ["first-Word.1", "second+Word=2", "third/Word:3"];
  const secret = "password: word";
  /** The CLI's own file, with passwords in use. */
  let state = "";
  const word = `import * as pulumi from "@pulumi/pulumi";\nconst word = new pulumi.Config("test").requireSecret("word");\n`;
  const config = (text = "") => engine.config("test:word", text, { secret: true });
  const unsigned = async () =>
    Number(
      (
        await lab.exec(
          "edge",
          "awk '/^TcpExt:/ { if (!n) n = split($0, k); else for (i = 1; i <= n; i++) if (k[i] == \"TCPMD5NotFound\") print $i }' /proc/net/netstat",
        )
      ).stdout,
    );
  const never = async () => {
    // They try once a second.
    const end = Date.now() + 4_000;
    while (Date.now() < end) {
      const found = await sessions("edge");
      for (const neighbor of [VR1, VR2]) expect(found[neighbor]?.bgpState).not.toBe("Established");
      await sleep(250);
    }
  };

  test("the sessions are up with it on both ends; the preview shows a placeholder", async () => {
    await config(words[0]);
    const shown = await preview(word + peers(secret) + uplink(secret));
    expect(shown).toMatch(/\+ +neighbor vpc6-uplink password \{\{password:[0-9a-f]{4}\}\}/);
    await up(word + peers(secret) + uplink(secret));
    await straight();
    expect((await lab.exec("edge", "stat -c '%a %U' /etc/frr/frr.conf")).stdout.trim()).toBe("640 frr");
    expect((await lab.exec("edge", "cat /etc/frr/frr.conf")).stdout).toContain(
      ` neighbor vpc6-uplink password ${words[0]}\n`,
    );
    const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
    expect(code, all).toBe(0);
  });

  test("another VPC comes without a word about it, and no session ends", async () => {
    const since = await Promise.all([established("edge", VR1), established("edge", VR2)]);
    const withMore = more.replace("remoteAsn", `${secret}, remoteAsn`);
    await up(word + peers(secret) + withMore + uplink(secret));
    await known("edge", MORE);
    await up(word + peers(secret) + uplink(secret));
    await known("edge", MORE, false);
    expect(await both()).toEqual(since);
  });

  test("a VPC router without it, or with another, is refused", async () => {
    const before = await unsigned();
    await up(word + peers() + uplink(secret));
    await never();
    expect(await unsigned()).toBeGreaterThan(before);
    await up(word + peers(`password: "another-word"`) + uplink(secret));
    await never();
  });

  test("a changed one is a changed placeholder, and converges", async () => {
    await up(word + peers(secret) + uplink(secret));
    await straight();
    await config(words[1]);
    await engine.underTheCli(async (cli) => {
      const shown = await preview(word + peers(secret) + uplink(secret), EACH, cli);
      expect(shown).toMatch(/- +neighbor vpc6-uplink password \{\{password:[0-9a-f]{4}\}\}/);
      await up(word + peers(secret) + uplink(secret), EACH, cli);
      state = await cli.stateFile();
    });
    await straight();
  });

  test("for whoever connects from the public network too, changed and taken away", async () => {
    const open = (rest: string) => uplink(`accept: "supernet", ${rest}`);
    await up(word + peers(secret) + open(secret));
    await straight();
    await config(words[2]);
    await up(word + peers(secret) + open(secret));
    await straight();
    await up(word + peers() + open(""));
    await straight();
  });

  test("it is in no state, preview, log or argument list", async () => {
    expect(state).toContain("vpc6:Uplink::uplink");
    for (const text of words) {
      expect(said.includes(text)).toBe(false);
      expect(state.includes(text)).toBe(false);
    }
    for (const host of ["edge", "vr1"] as const) {
      const journal = await lab.journal(host);
      for (const text of words) expect(journal.includes(text)).toBe(false);
      const { stdout } = await lab.exec(
        host,
        `grep -rlF -e '${words.join("' -e '")}' /var/log /tmp /root /var/lib/vpc6 /etc/frr /etc/systemd || true`,
      );
      expect(stdout).toBe("");
    }
  });
});

describe("iBGP", () => {
  test("with the routers' own AS number the uplink reflects, and packets go straight", async () => {
    const zone = { zone: "asn: 64600," };
    await up(peers("", 64600) + uplink("", 64600), zone);
    await straight();
    await up(peers("", 64600) + uplink(`accept: "supernet"`, 64600), zone);
    await established("edge", VR1);
    await direct();
  });
});

describe("more than one hop away", () => {
  const there = (far: string) =>
    Promise.all([established("vr1", far), established("vr2", far), known("edge", SHOP), known("vr1", LABS)]);

  test("the session comes up where multihop is set", async () => {
    const far = "2001:db8:1::2";
    for (const host of ["vr1", "vr2"] as const) await lab.exec(host, `ip -6 route add ${far} via ${EDGE} dev pub0`);
    await up(peers("multihop: 2", 65000, far) + uplink("multihop: 2", 65000, far));
    await there(far);
    for (const host of ["vr1", "vr2"] as const) await lab.exec(host, `ip -6 route del ${far}`);
  });

  test("so is a gateway outside the public network, to which the routers have a way by themselves", async () => {
    const far = "2001:db8:fffe::1";
    await lab.exec("edge", `ip -6 addr add ${far}/128 dev pub0 nodad`);
    const publicNetwork = `{ cidr: "2001:db8:ffff::/64", gateway: "${far}", range: "2001:db8:ffff::10-2001:db8:ffff::ff" }`;
    const zone = { zone: `${EACH.zone} ...{ publicNetwork: ${publicNetwork} },` };
    await up(peers("multihop: 2", 65000, far) + uplink("multihop: 2", 65000, far), zone);
    await there(far);
    // With all that FRR has of vpc6, for its end.
    const all = `bfd: true, password: "the-last.1"`;
    await up(peers(all) + uplink(all));
    await both();
    await lab.exec("edge", `ip -6 addr del ${far}/128 dev pub0`);
  });
});

describe("destroy", () => {
  test("leaves all three machines as they were found", async () => {
    const { code, all } = await engine.destroy();
    expect(code, all).toBe(0);
    const [edge, vr1, vr2] = await Promise.all([snapshot("edge"), snapshot("vr1"), snapshot("vr2")]);
    expect({ edge, vr1, vr2 }).toEqual(before);
  });
});

describe("an FRR that was there before vpc6", () => {
  test("and that somebody has configured is refused, and stays as it is; one that nobody has is taken over, and given back", async () => {
    // A new disk has the packages. Without vpc6's list of them they are the operator's; one that vpc6 needs is not among them.
    await lab.reset("edge");
    const made = "rm -r /var/lib/vpc6; dpkg --purge --force-depends frr-pythontools; systemctl enable --now frr";
    await lab.exec("edge", made);
    const everything = "sha256sum /etc/frr/*; dpkg -l; systemctl list-unit-files; ls /usr/local/lib /etc /var/lib";
    const found = (await lab.exec("edge", everything)).stdout;
    await engine.program(await program(uplink(), { ...EACH, routers: {} }));
    await lab.exec("edge", "cp -p /etc/frr/frr.conf /root/ && echo '! mine' >>/etc/frr/frr.conf");
    const { code, all } = await engine.up();
    expect(code).not.toBe(0);
    expect(all).toContain("FRR is on this host already, configured by somebody");
    expect((await lab.exec("edge", "tail -n 1 /etc/frr/frr.conf")).stdout).toBe("! mine\n");
    await lab.exec("edge", "mv /root/frr.conf /etc/frr/frr.conf");
    const taken = await engine.up();
    expect(taken.code, taken.all).toBe(0);
    expect((await lab.exec("edge", "vtysh -c 'show running-config'")).stdout).toContain("router bgp 65000");
    expect((await lab.exec("edge", "dpkg -l frr-pythontools")).stdout).toContain("\nii ");
    expect((await engine.destroy()).code).toBe(0);
    expect((await lab.exec("edge", everything)).stdout).toBe(found);
    expect((await lab.exec("edge", "systemctl is-active frr")).stdout.trim()).toBe("active");
  });
});
