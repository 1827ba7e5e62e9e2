// frr: BGP. What resources say about one neighbour must agree; FRR is changed by differences.

import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { judges, Machine } from "../machine";

const real = judges.includes("vtysh");
const DAEMONS = "# a list\nbgpd=no\nospfd=no\nbfdd=no\n";
let router: Resource;
let peer: Resource;
let machine: Machine;
beforeEach(async () => {
  [router, peer] = [await of("Router"), await of("BgpPeer")];
  machine = Machine.router("frr");
  machine.write("var/lib/vpc6/packages", "frr\n");
  await machine.run("packages_keep");
  machine.write("etc/frr/daemons", DAEMONS);
  machine.write("etc/frr/frr.conf", "! the package's own\n");
});
const NEIGHBOR = "2001:db8:ffff::1";
/** How FRR is asked what it runs after it was told something. */
const TELL = "vtysh -c clear bgp ipv6 unicast * soft -c show running-config";
const odd = (text: string, id = "odd@1"): Resource => ({ id, fragments: { frr: text } });
const check = (sets: Resource[]) => machine.assembled(sets, 'frr_check "$FILES"');
/** bgpd runs with what it was given. */
const runs = () => {
  const text = machine.read("etc/frr/frr.conf");
  for (const command of ["vtysh -d bgpd -c show running-config", "vtysh -c show running-config"])
    machine.answer(command, `Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\n${text}end\n`);
};
/** The peer's text, of a neighbor at another address. */
const elsewhere = (address: string) => (peer.fragments.frr ?? "").replace(/2001:db8:ffff::1\b/g, address);
const block = (...lines: string[]) => `router bgp 4200000000\n${lines.map((it) => ` ${it}\n`).join("")}exit\n`;

describe("assembling", () => {
  test("without a session there is no FRR", async () => {
    await machine.assembled([router, odd("ipv6 prefix-list x seq 5 permit ::/0\n")]);
    expect(machine.file("frr")).toBe("");
  });
});

describe("checking", () => {
  test("what kinds render passes, twice on one neighbour too", async () => {
    const { code, why, asked } = await check([router, peer, { ...peer, id: "again@1" }]);
    expect([code, why]).toEqual([0, ""]);
    expect(asked).toEqual(["vtysh -C -f /etc/vpc6/generations/1/files/frr"]);
  });

  test("an Uplink passes, and not beside a Router", async () => {
    const uplink = await of("Uplink");
    expect((await check([uplink])).why).toBe("");
    expect(await check([router, uplink])).toMatchObject({
      code: 1,
      blame: "uplink:uplink",
      why: "this host is a Router; an Uplink is another machine, the one that VPC routers speak BGP with",
    });
  });

  describe("an FRR that was there before us", () => {
    const OWN = ["frr version 8.4.4", "frr defaults traditional", "hostname vr1", "log syslog informational"];
    const running = (...more: string[]) =>
      `Building configuration...\n\nCurrent configuration:\n!\n${[...OWN, "no ipv6 forwarding", ...more].join("\n")}\n!\nend\n`;
    beforeEach(() => {
      machine.write("var/lib/vpc6/packages", "nftables\n");
      const sum = (text: string) => createHash("md5").update(text).digest("hex");
      const files = { "frr.conf": "! the package's own\n", daemons: DAEMONS };
      const lines = Object.entries(files).map(([name, text]) => ` /etc/frr/${name} ${sum(text)}\n`);
      machine.write("conffiles", `${lines.join("")} /etc/logrotate.d/frr 0123\n /etc/frr/gone 0123 obsolete\n`);
      machine.answer("vtysh -c show running-config", running());
    });

    const touched: Record<string, () => void> = {
      "its configuration": () => machine.append("etc/frr/frr.conf", "router bgp 64999\n"),
      "its list of daemons": () => machine.write("etc/frr/daemons", DAEMONS.replace("ospfd=no", "ospfd=yes")),
      "a daemon's own file": () => machine.write("etc/frr/bgpd.conf", "router bgp 64999\n"),
      "what it runs": () => machine.answer("vtysh -c show running-config", running("router bgp 64999")),
      "what it runs, which cannot be asked": () => machine.answer("vtysh -c show running-config", "", 1),
      "a file of its own, away": () => machine.remove("etc/frr/daemons"),
      "all, as no package brought it": () => machine.write("conffiles", ""),
    };
    test.each(Object.keys(touched))(
      "is not overwritten where somebody changed %s, unless it is to be adopted",
      async (what) => {
        // It runs.
        await machine.run("systemctl start frr");
        touched[what]?.();
        expect((await check([router, peer])).why).toMatch(
          /^FRR is on this host already, configured by somebody: .*among the arguments of the Router: new vpc6\.Router\("vr1", \{ \.\.\., adopt: true \}\)/,
        );
        expect((await check([await of("Uplink")])).why).toMatch(
          /already, configured by somebody: (?!.*adopt).*apt-get purge frr/,
        );
        expect((await check([{ ...router, fragments: { ...router.fragments, adopt: "yes\n" } }, peer])).why).toBe("");
      },
    );

    test("is taken over where nobody touched it, and is ours until ours goes", async () => {
      expect((await check([router, peer])).why).toBe("");
      await machine.run("systemctl start frr");
      expect((await check([router, peer])).why).toBe("");
      machine.answer("vtysh -d bgpd -c show running-config", peer.fragments.frr ?? "");
      await machine.converge([router, peer]);
      expect(machine.read("etc/frr/frr.conf")).toMatch(/^! by vpc6/);
      // Also without an `adopt` that was there once.
      expect((await check([router, peer])).why).toBe("");
      await machine.converge([drop(peer.id)]);
      expect(machine.read("etc/frr/frr.conf")).toBe("! the package's own\n");
      expect(machine.read("etc/frr/daemons")).toBe(DAEMONS);
    });
  });

  test.each([
    [
      "remote-as",
      `neighbor ${NEIGHBOR} remote-as 65001`,
      `neighbor ${NEIGHBOR} remote-as 65001: but X says 65000 (they share the neighbour)`,
    ],
    [
      "timers",
      `neighbor ${NEIGHBOR} timers 3 9`,
      `neighbor ${NEIGHBOR} timers 3 9: but X says 10 30 (they share the neighbour)`,
    ],
    [
      "connect timer",
      `neighbor ${NEIGHBOR} timers connect 9`,
      `neighbor ${NEIGHBOR} timers connect 9: but X says 5 (they share the neighbour)`,
    ],
  ])("two say another %s of one neighbour", async (_what, line, text) => {
    const { code, why, blame } = await check([router, peer, odd(block(line), "zzz@1")]);
    expect([code, blame, why]).toEqual([1, "zzz@1", text.replace("X", peer.id)]);
  });

  test("two AS numbers of one router, two router ids, two texts at one place of a list", async () => {
    const text = (change: Resource) => check([router, peer, change]).then(({ why }) => why);
    expect(await text(odd("router bgp 64512\nexit\n", "zzz@1"))).toBe(
      `router bgp 64512: but ${peer.id} says 4200000000`,
    );
    expect(await text(odd(block("bgp router-id 10.0.0.9"), "zzz@1"))).toMatch(
      /^bgp router-id 10\.0\.0\.9: but \S+ says /,
    );
    const [, name, seq] = /prefix-list (\S+) seq (\d+) /.exec(peer.fragments.frr ?? "") ?? [];
    expect(await text(odd(`ipv6 prefix-list ${name} seq ${seq} deny any\n`, "zzz@1"))).toMatch(
      new RegExp(`^prefix-list ${name} seq ${seq} deny any: but ${peer.id} says `),
    );
  });

  test("two passwords of one neighbour: neither is said", async () => {
    const key = (word: string, id: string) => odd(block(`neighbor ${NEIGHBOR} password ${word}`), id);
    const { why, blame } = await check([router, peer, key("geheim-1", "y@1"), key("geheim-2", "z@1")]);
    expect([blame, why]).toEqual([
      "z@1",
      `neighbor ${NEIGHBOR} password: y@1 has another one (they share the neighbour)`,
    ]);
  });

  test("what vtysh refuses is told with its fragment", async () => {
    const { code, why, blame } = await check([router, peer, odd(block("neighbour 2001:db8::1"))]);
    if (!real) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toMatch(/^line \d+: % Unknown command\[\d+\]: +neighbour 2001:db8::1$/m);
    expect(why).not.toContain("vtysh.conf");
  });
});

describe("applying", () => {
  const apply = (sets: Resource[]) => machine.assembled(sets, 'frr_apply "$FILES"');

  test("keeps what the package brought, starts bgpd, and writes what FRR is to run", async () => {
    const { code, did } = await apply([router, peer]);
    expect([code, did]).toEqual([
      0,
      [
        "chown frr:frr /etc/frr/daemons.vpc6",
        "chown frr:frr /etc/frr/frr.conf.vpc6",
        "systemctl reset-failed frr",
        "systemctl restart frr",
      ],
    ]);
    expect(machine.read("etc/frr/daemons")).toBe(DAEMONS.replace("bgpd=no", "bgpd=yes"));
    expect(machine.read("etc/frr/frr.conf")).toMatch(/^! by vpc6\nlog syslog informational\n/);
    expect(machine.read("etc/frr/frr.conf")).not.toMatch(/^#/m);
    expect(machine.list("var/lib/vpc6/frr").sort()).toEqual(["daemons", "frr.conf", "state"]);
  });

  test("bfdd runs where somebody wants it", async () => {
    await apply([router, await of("BgpPeer", { bfd: true })]);
    expect(machine.read("etc/frr/daemons")).toContain("bgpd=yes\nospfd=no\nbfdd=yes\n");
  });

  test("a neighbour that goes is told so first; the same again is nothing", async () => {
    await apply([router, peer]);
    runs();
    expect((await apply([router, peer])).did).toEqual([]);
    const other = "2001:db8:ffff::7";
    const moved = {
      ...peer,
      fragments: { ...peer.fragments, frr: elsewhere(other) },
    };
    const { code, did } = await apply([router, moved]);
    expect(code).toBe(0);
    const at = (text: string) => did.findIndex((it) => it.includes(text));
    expect(did[at("shutdown")]).toBe(`vtysh |  neighbor ${NEIGHBOR} shutdown`);
    expect(at(`no neighbor ${NEIGHBOR}`)).toBeGreaterThan(at("shutdown"));
    // Here it says that it runs what it ran before.
    expect(at("frr-reload.py --reload /etc/frr/frr.conf")).toBeGreaterThan(at(TELL));
    expect(did.lastIndexOf(TELL)).toBeGreaterThan(at("frr-reload.py"));
    expect(at("restart frr")).toBe(-1);
    expect(machine.read("etc/frr/frr.conf")).toContain(`neighbor ${other} remote-as`);
  });

  test("BFD is taken away before a reload, of whoever stays without it: frr-reload.py takes no more than its profile", async () => {
    const frr = peer.fragments.frr ?? "";
    const line = ` neighbor ${NEIGHBOR} timers connect`;
    const bfd = ` neighbor ${NEIGHBOR} bfd\n neighbor ${NEIGHBOR} bfd profile p\n`;
    const profile = "bfd\n profile p\n exit\nexit\n";
    await apply([router, { ...peer, fragments: { ...peer.fragments, frr: profile + frr.replace(line, bfd + line) } }]);
    runs();
    const { code, did } = await apply([router, peer]);
    expect(code).toBe(0);
    const at = (text: string) => did.findIndex((it) => it.includes(text));
    expect(did[at("bfd")]).toBe(`vtysh |  no neighbor ${NEIGHBOR} bfd`);
    expect(did.filter((it) => it.includes("bfd"))).toHaveLength(1);
    expect(at("reload")).toBeGreaterThan(at("bfd"));
    expect(at("shutdown")).toBe(-1);
  });

  const NEIGHBORS = `BGP neighbor is ${NEIGHBOR}, remote AS 65000, local AS 4200000000, external link
  BGP state = Idle
  BFD: Type: single hop
    Status: Down, Last update: 0:00:00:12
BGP neighbor is 2001:db8:ffff::7, remote AS 65000, local AS 4200000000, external link
  BGP state = Idle
  BFD: Type: single hop
    Status: Up, Last update: 0:00:00:09
BGP neighbor is *2001:db8:ffff::8, remote AS 65000, local AS 4200000000, external link
  BGP state = Established, up for 00:00:11
  BFD: Type: single hop
    Status: Down, Last update: 0:00:00:12
`;

  test("who is not tried any more, as BFD was down, is tried again when BFD is taken away", async () => {
    machine.answer("vtysh -d bgpd -c show bgp neighbors", NEIGHBORS);
    machine.write("run/vpc6/frr.running", block(`neighbor ${NEIGHBOR} remote-as 65000`, `neighbor ${NEIGHBOR} bfd`));
    machine.write("wanted", block(`neighbor ${NEIGHBOR} remote-as 65000`));
    const { did } = await machine.run('frr_leave "$ROOT/wanted"');
    expect(did.filter((it) => it.includes("clear"))).toEqual([
      `vtysh -c clear bgp ipv6 unicast ${NEIGHBOR}`,
      "vtysh -c clear bgp ipv6 unicast 2001:db8:ffff::7",
    ]);
  });

  test("a look warns of a session that waits for BFD, and of no other", async () => {
    machine.answer("vtysh -d bgpd -c show bgp neighbors", NEIGHBORS);
    const waits = async (text: string) => {
      machine.write("frr", text);
      return (await machine.run('frr_waits "$ROOT/frr"')).stderr;
    };
    expect(await waits(block(`neighbor ${NEIGHBOR} bfd`))).toMatch(
      new RegExp(`^vpc6: warning: BGP with ${NEIGHBOR} waits for its BFD: .*\n$`),
    );
    expect(await waits(block(`neighbor ${NEIGHBOR} remote-as 65000`))).toBe("");
  });

  /** The same peer with another text in it; then FRR runs with that, if it takes it. */
  const changed = (from: string | RegExp, to: string, takes = true): Resource => {
    const frr = (peer.fragments.frr ?? "").replace(from, to);
    if (takes) machine.answer(TELL, `Current configuration:\n!\nhostname vr1\n${frr}end\n`);
    return { ...peer, fragments: { ...peer.fragments, frr } };
  };
  const reloads = (did: string[]) => did.filter((it) => it.includes("frr-reload.py")).length;

  test("what only comes, or takes the place of what is there, FRR is told, and asked whether it runs that", async () => {
    await apply([router, peer]);
    runs();
    const { did } = await machine.assembled(
      [router, changed("timers 10 30", "timers 5 15")],
      'frr_apply "$FILES" && frr_health "$FILES"',
    );
    expect(did.filter((it) => it.startsWith("vtysh"))).toEqual([
      "vtysh -f /run/vpc6/frr.changes",
      "vtysh | router bgp 4200000000",
      `vtysh |  neighbor ${NEIGHBOR} timers 5 15`,
      "vtysh | exit",
      TELL,
    ]);
    expect(reloads(did)).toBe(0);
    expect(machine.read("etc/frr/frr.conf")).toContain(`neighbor ${NEIGHBOR} timers 5 15`);
  });

  test("what goes is told too: what refers to something before that, and of a neighbour that goes no more than itself", async () => {
    const running = `ipv6 prefix-list l seq 1 permit ::/0
route-map m permit 10
 set ipv6 next-hop global 2001:db8::7
exit
router bgp 4200000000
 neighbor G peer-group
 neighbor G ebgp-multihop 3
 neighbor 2001:db8::8 remote-as 8
 neighbor 2001:db8::8 peer-group G
 neighbor 2001:db8::9 remote-as 9
 neighbor 2001:db8::9 description some words
 bgp listen range 2001:db8:9::/64 peer-group G
 !
 address-family ipv6 unicast
  network 2001:db8:8::/64
  neighbor G activate
  neighbor 2001:db8::9 activate
  neighbor 2001:db8::9 prefix-list l in
  neighbor 2001:db8::9 maximum-prefix 5 restart 5
 exit-address-family
exit
`;
    machine.write("wanted", `${block("neighbor 2001:db8::9 remote-as 9")}`);
    machine.write("running", running);
    const { code, stdout } = await machine.run('frr_changes "$ROOT/wanted" "$ROOT/running"');
    expect([code, stdout.split("\n")]).toEqual([
      0,
      [
        "router bgp 4200000000",
        " no bgp listen range 2001:db8:9::/64 peer-group G",
        " no neighbor 2001:db8::8",
        " no neighbor 2001:db8::9 description",
        " address-family ipv6 unicast",
        " no network 2001:db8:8::/64",
        " no neighbor 2001:db8::9 activate",
        " no neighbor 2001:db8::9 prefix-list l in",
        " no neighbor 2001:db8::9 maximum-prefix",
        " exit-address-family",
        " no neighbor G peer-group",
        "exit",
        " no ipv6 prefix-list l seq 1 permit ::/0",
        " no route-map m permit 10",
        "",
      ],
    ]);
  });

  test("each statement is told under its heading, a new neighbour's whole text in its order", async () => {
    await apply([router, peer]);
    runs();
    changed(/^/, "");
    const other = elsewhere("2001:db8:ffff::7");
    const both = `${peer.fragments.frr}${other}`;
    machine.answer(TELL, both);
    const { did } = await apply([router, peer, odd(other, "zzz@1")]);
    expect(reloads(did)).toBe(0);
    const told = did.filter((it) => it.startsWith("vtysh | ")).map((it) => it.slice(8));
    // All of it but what is there already: the map that all share, and the router's own lines.
    const there = new Set((peer.fragments.frr ?? "").split("\n").map((it) => it.trim()));
    const heads = /^(router|address-family|exit)/;
    const wanted = other.split("\n").map((it) => it.trim());
    expect(told.map((it) => it.trim()).filter((it) => !heads.test(it))).toEqual(
      wanted.filter((it) => it !== "" && !it.startsWith("!") && !heads.test(it) && !there.has(it)),
    );
    expect(told.filter((it) => heads.test(it.trim()))).toEqual([
      "router bgp 4200000000",
      " address-family ipv6 unicast",
      " exit-address-family",
      "exit",
    ]);
  });

  test.each([
    ["BgpPeer", { password: "swordfish" }],
    ["BgpPeer", { address: "2001:db8:1::9", multihop: 3, acceptDefault: true, export: [] }],
    ["Uplink", { announceDefault: true, password: "swordfish" }],
    ["Uplink", { announceDefault: true, multihop: 3, neighbors: [] }],
  ] as const)(
    "each statement of a session is known, by itself, as it comes and as it goes: %s %o",
    async (kind, change) => {
      const lines = ((await of(kind, change)).fragments.frr ?? "").split("\n");
      const statements = lines.filter((it) => /^ +(neighbor|network) /.test(it) && !/ (remote-as|peer-group)/.test(it));
      expect(statements.length).toBeGreaterThan(4);
      for (const statement of statements) {
        machine.write("all", lines.join("\n"));
        machine.write("without", lines.filter((it) => it !== statement).join("\n"));
        for (const way of ['"$ROOT/without" "$ROOT/all"', '"$ROOT/all" "$ROOT/without"']) {
          expect([statement, (await machine.run(`frr_changes ${way}`)).code]).toEqual([statement, 0]);
        }
      }
    },
  );

  test.each([
    ["what FRR runs then is not what it was told", () => changed("timers 10 30", "timers 5 15", false)],
    ["something goes that only it knows", () => changed(/ bgp router-id .*\n/, "")],
    ["what a route map says changes", () => changed(" set ipv6 next-hop prefer-global", " set local-preference 7")],
    ["a neighbour's AS changes", () => changed("remote-as 65000", "remote-as 65001")],
  ])("frr-reload.py has it when %s", async (_what, other) => {
    await apply([router, peer]);
    runs();
    const { code, did } = await apply([router, other()]);
    expect([code, reloads(did)]).toEqual([0, 1]);
  });

  test("frr-reload.py has it when FRR does not take it, and when what is there is to be repaired", async () => {
    await apply([router, peer]);
    runs();
    const tell = `vtysh -f ${machine.at("run/vpc6/frr.changes")}`;
    machine.answer(tell, "% Unknown command\n", 1);
    const { did } = await apply([router, changed("timers 10 30", "timers 5 15")]);
    expect([reloads(did), did.includes(TELL)]).toEqual([1, false]);
    machine.answer(tell, "");
    runs();
    const again = [router, changed("timers 10 30", "timers 6 18")];
    expect(reloads((await machine.assembled(again, 'REPAIR=repair; frr_apply "$FILES"')).did)).toBe(1);
  });

  test("frr-reload.py has it when profiles of BFD exchange what is in them", async () => {
    const profiles = (a: number, b: number) =>
      odd(`bfd\n profile a\n  detect-multiplier ${a}\n exit\n profile b\n  detect-multiplier ${b}\n exit\nexit\n`);
    await apply([router, await of("BgpPeer", { bfd: true }), profiles(4, 5)]);
    runs();
    machine.answer(TELL, machine.read("etc/frr/frr.conf"));
    expect(reloads((await apply([router, await of("BgpPeer", { bfd: true }), profiles(5, 4)])).did)).toBe(1);
  });

  test("another password of a listen range is a start: the kernel would keep the former one", async () => {
    const range = (word: string) =>
      odd(
        block(
          "neighbor VPCS peer-group",
          `neighbor VPCS password ${word}`,
          "bgp listen range 2001:db8:ffff::/64 peer-group VPCS",
        ),
      );
    await apply([router, peer, range("geheim-1")]);
    runs();
    machine.answer(TELL, `${peer.fragments.frr}${range("geheim-2").fragments.frr}`);
    const { did } = await apply([router, peer, range("geheim-2")]);
    expect([reloads(did), did.includes("systemctl restart frr"), did.includes(TELL)]).toEqual([0, true, false]);
  });

  test("passwords go in files that are read, never where frr-reload.py would print them", async () => {
    await apply([router, peer]);
    runs();
    const keyed = odd(block(`neighbor ${NEIGHBOR} password geheim-1`), "zzz@1");
    machine.answer(TELL, `${peer.fragments.frr}${keyed.fragments.frr}`);
    const { did } = await apply([router, peer, keyed]);
    expect(did.filter((it) => it.includes("geheim"))).toEqual([`vtysh |  neighbor ${NEIGHBOR} password geheim-1`]);
    expect(reloads(did)).toBe(0);
    // One that a reload goes with: it is told behind it.
    runs();
    const another = odd(block(`neighbor ${NEIGHBOR} password geheim-2`), "zzz@1");
    const { did: both } = await apply([router, changed("remote-as 65000", "remote-as 65001"), another]);
    expect(both.filter((it) => /geheim|frr-reload/.test(it))).toEqual([
      expect.stringContaining("frr-reload.py --reload"),
      `vtysh |  neighbor ${NEIGHBOR} password geheim-2`,
    ]);
    runs();
    const again = await apply([router, peer]);
    expect(again.did).toContain(`vtysh |  no neighbor ${NEIGHBOR} password`);
    expect(machine.read("etc/frr/frr.conf")).not.toContain("geheim");
  });

  test("a reload that fails says why, without what is no complaint", async () => {
    await apply([router, peer]);
    runs();
    machine.answer(
      `frr-reload.py --reload ${machine.root}/etc/frr/frr.conf`,
      "2026 INFO: Loading\n2026 ERROR: neighbor is bad\n",
      1,
    );
    const { code, why } = await apply([
      router,
      { ...peer, id: "again@1" },
      odd(block("neighbor 2001:db8::9 remote-as 5")),
    ]);
    expect([code, why]).toEqual([1, "2026 ERROR: neighbor is bad"]);
    expect(machine.has("run/vpc6/frr.applied")).toBe(false);
  });

  test("a neighbour that bgpd does not know is its resource's", async () => {
    machine.answer("journalctl", "bgpd: no memory\n");
    await apply([router, peer]);
    const { code, why, blame } = await machine.run('frr_health "$GENERATIONS/1/files"');
    expect([code, blame, why]).toEqual([
      1,
      peer.id,
      `bgpd does not have: neighbor ${NEIGHBOR} remote-as 65000\nbgpd: no memory`,
    ]);
    runs();
    expect((await machine.run('frr_health "$GENERATIONS/1/files"')).code).toBe(0);
  });
});

describe("drift", () => {
  beforeEach(async () => {
    machine.answer("vtysh -d bgpd -c show running-config", ` neighbor ${NEIGHBOR} remote-as 65000\n`);
    await machine.converge([router, peer]);
    runs();
  });

  test("none", async () => {
    expect(await machine.drift()).toEqual([]);
  });

  test("statements of bgpd that are gone and more, each under its heading", async () => {
    const text = machine.read("etc/frr/frr.conf");
    const neighbor = / neighbor \S+ remote-as \S+\n/;
    const changed = text.replace(neighbor, ` neighbor ${NEIGHBOR} shutdown\n neighbor 2001:db8::66 remote-as 1\n`);
    machine.answer("vtysh -c show running-config", changed);
    const found = await machine.drift();
    const heading = /^router bgp .*/m.exec(text)?.[0];
    expect(found).toContain(`${peer.id} frr|bgpd, line removed, ${heading} ${neighbor.exec(text)?.[0].trim()}`);
    expect(found).toContain(`${peer.id} frr|bgpd, line added, ${heading} neighbor ${NEIGHBOR} shutdown`);
    expect(found).toContain(`router:vr1 frr|bgpd, line added, ${heading} neighbor 2001:db8::66 remote-as 1`);
    expect(found).toHaveLength(3);
    expect(machine.read("run/vpc6/frr.applied")).toBe("");
  });

  test("its files: a password is not shown", async () => {
    machine.append("etc/frr/frr.conf", " neighbor 2001:db8::1 password geheim\n");
    machine.write("etc/frr/daemons", machine.read("etc/frr/daemons").replace("ospfd=no", "ospfd=yes"));
    const found = await machine.drift();
    expect(found).toContain("router:vr1 frr|line added to /etc/frr/daemons, ospfd=yes");
    expect(found.join("\n")).toContain("line added to /etc/frr/frr.conf,  neighbor 2001:db8::1 password (not shown)");
    expect(found.join("\n")).not.toContain("geheim");
  });

  test("one that was stopped", async () => {
    machine.write("units/frr", "inactive\n");
    expect(await machine.drift()).toEqual(["router:vr1 frr|frr is stopped (inactive)"]);
  });
});

describe("removing", () => {
  test("leaves FRR as its package did: its own files, and stopped", async () => {
    machine.answer("vtysh -d bgpd -c show running-config", ` neighbor ${NEIGHBOR} remote-as 65000\n`);
    await machine.converge([router, peer]);
    const { did } = await machine.converge([drop(peer.id)]);
    expect(did).toContain("systemctl stop --job-mode=ignore-dependencies frr");
    expect(did).not.toContain("systemctl start frr");
    expect([machine.read("etc/frr/daemons"), machine.read("etc/frr/frr.conf")]).toEqual([
      DAEMONS,
      "! the package's own\n",
    ]);
    expect(machine.has("var/lib/vpc6/frr")).toBe(false);
  });

  test("one that was adopted while it ran runs again, with what it had", async () => {
    machine.write("units/frr", "active\n");
    machine.write("root/.history_frr", "mine\n");
    await machine.assembled([router, peer], 'frr_apply "$FILES"');
    const { did } = await machine.run("frr_remove");
    expect(did.at(-1)).toBe("systemctl start frr");
    expect(machine.read("root/.history_frr")).toBe("mine\n");
  });
});
