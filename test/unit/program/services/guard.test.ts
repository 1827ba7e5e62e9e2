// guard: the table that drops what the filter has not seen; and what puts back what another hand takes away.

import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { copies, judges, Machine } from "../machine";

const real = judges.includes("nft");
const ROUTER = "router:vr1";
const THERE = "table inet vpc6 {\n}\ntable inet vpc6_guard {\n}\n";
let all: Resource[];
let machine: Machine;
const basics = async () => [await of("Router"), await of("Tier")];
beforeEach(async () => {
  all = await basics();
  machine = Machine.router("nftables guard");
  if (real) return;
  machine.answer("nft -t list chains inet", THERE);
});

const more = async () => [
  ...(await basics()),
  await of("Vpc"),
  await of("Instance"),
  await of("NetworkAcl"),
  await of("LoadBalancer"),
  await of("Nat64"),
  await of("BgpPeer", { bfd: true }),
];

describe("checking", () => {
  test("what kinds render passes, in a network of its own; a tier's by itself, too", async () => {
    const { code, why, asked } = await machine.assembled(await more(), 'guard_check "$FILES"');
    expect([code, why]).toEqual([0, ""]);
    expect(asked).toContain("unshare -n nft -c -f /etc/vpc6/generations/1/files/guard");
    const tier = await machine.assembled([all[1] as Resource], 'guard_check "$FILES"');
    expect([tier.code, tier.why]).toEqual([0, ""]);
  });

  test("what nft refuses is told in its words, with the line's fragment", async () => {
    const odd = { id: "odd@1", fragments: { guard: "add rule inet vpc6_guard guard_input nonsense\n" } };
    const { code, why, blame } = await machine.assembled([...all, odd], 'guard_check "$FILES"');
    if (!real) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toMatch(/^guard:\d+:\d+.* Error: /);
  });
});

describe("applying", () => {
  test("the filter first, then the process, and who puts back; once", async () => {
    const { answer, did } = await machine.converge(all);
    expect(answer).toMatchObject({ verdict: "unconfirmed", changed: ["nftables", "guard"] });
    const steps = did.filter((it) => /^nft -f|vpc6-(guard|watch)/.test(it));
    expect(steps).toEqual([
      "systemctl --no-block try-restart vpc6-watch",
      "nft -f /etc/vpc6/generations/1/files/nftables",
      "systemctl restart vpc6-guard",
      "systemctl start --no-block vpc6-watch",
    ]);
    const again = await machine.converge([await of("Vpc")]);
    expect(again.did.filter((it) => /vpc6-(guard|watch)/.test(it))).toEqual([]);
  });

  test("a process that does not start: its words, and all is as before", async () => {
    machine.write("units/vpc6-guard.broken", "");
    machine.answer("journalctl", "guard: no\n");
    if (!real) machine.answer("nft -t list chains inet", "");
    const { answer } = await machine.converge(all);
    expect(answer).toMatchObject({ verdict: "failed", service: "guard", touched: false, why: "guard: no" });
    expect(machine.has("run/vpc6/guard")).toBe(false);
  });

  test("without any fragment it goes, and before it who would put it back", async () => {
    await machine.converge(all);
    const { did } = await machine.converge(all.map(({ id }) => drop(id)));
    expect(did.filter((it) => /^systemctl stop --job-mode=ignore-dependencies vpc6-(watch|guard)$/.test(it))).toEqual([
      "systemctl stop --job-mode=ignore-dependencies vpc6-watch",
      "systemctl stop --job-mode=ignore-dependencies vpc6-guard",
    ]);
    if (real) expect((await machine.run("nft list ruleset")).stdout).toBe("");
  });

  test("at boot nothing is served without it", async () => {
    await machine.converge(all);
    machine.write("units/vpc6-guard.broken", "");
    if (real) machine.write("kernel.nft", "");
    else machine.answer("nft -t list chains inet", "");
    const { code, stderr } = await machine.run('BOOTING=yes; guard_apply "$ETC/live/files"');
    expect(code, stderr).toBe(1);
    const boot = await machine.run("SERVICES='nftables guard sysctl'; sysctl_apply() { echo served; }; boot");
    expect([boot.code, boot.stdout]).toEqual([1, ""]);
    expect(boot.stderr).toContain("nothing is forwarded or served without it");
    expect(machine.has("run/vpc6/closed")).toBe(true);
  });
});

test("when the host goes down, and only then, nothing is forwarded any more", async () => {
  await machine.converge(all);
  const forwarding = () => [
    machine.read("proc/sys/net/ipv6/conf/all/forwarding"),
    machine.read("proc/sys/net/ipv4/ip_forward"),
  ];
  machine.sysctl("net/ipv6/conf/all/forwarding", 1);
  machine.sysctl("net/ipv4/ip_forward", 1);
  const down = (state: string) => machine.run(`systemctl() { echo ${state}; }; down`);
  await down("running");
  expect(forwarding()).toEqual(["1\n", "1\n"]);
  await down("stopping");
  expect(forwarding()).toEqual(["0\n", "0\n"]);
});

// What is there is nft's word.
describe.runIf(real)("what is lost", () => {
  const kernel = (change: (text: string) => string) => machine.write("kernel.nft", change(machine.read("kernel.nft")));
  const heal = async () => {
    const { code, stderr } = await machine.run("heal rules");
    return { code, said: stderr.trim().split("\n").filter(Boolean) };
  };

  copies(
    "nftables guard",
    async (it) => it.converge(await more()),
    (it) => {
      machine = it;
    },
  );

  test("nothing, of whatever kinds render", async () => {
    expect(await heal()).toEqual({ code: 0, said: [] });
    expect(await machine.drift()).toEqual([]);
  });

  test("everything", async () => {
    kernel(() => "table inet operator {\n}\n");
    expect(await heal()).toEqual({
      code: 0,
      said: [
        "vpc6: put back, as it was gone: table inet vpc6, table inet vpc6_shares, table arp vpc6_shares",
        "vpc6: put back, as it was gone: table inet vpc6_guard",
      ],
    });
    expect(machine.read("kernel.nft")).toContain("table inet operator");
    expect(await machine.drift()).toEqual([]);
    expect(await heal()).toEqual({ code: 0, said: [] });
  });

  test("each table, and each chain that has any rule", async () => {
    const before = machine.read("kernel.nft");
    const chains = [...before.matchAll(/\tchain (\S+) \{\n([^}]*(?:\{[^}]*\}[^}]*)*)\t\}\n/g)];
    const filled = chains.filter(([, , rules = ""]) =>
      rules.split("\n").some((it) => it !== "" && !/^\t\ttype .* hook/.test(it)),
    );
    expect(filled.length).toBeGreaterThan(20);
    const ours = filled.filter(([, name = ""]) => !name.startsWith("guard_"));
    // One half of them, and then the other: each is missed, and none that is there.
    for (const half of [0, 1]) {
      const gone = ours.filter((_, at) => at % 2 === half);
      const without = gone.reduce((text, [whole, name, rules = ""]) => {
        const type = rules.split("\n").filter((it) => /^\t\ttype .* hook/.test(it));
        return text.replace(whole, `\tchain ${name} {\n${type.map((it) => `${it}\n`).join("")}\t}\n`);
      }, before);
      machine.write("kernel.nft", without);
      const { stdout } = await machine.run('nftables_lost "$ETC/live/files"');
      expect(stdout.split("\n").sort()).toEqual(["", ...gone.map(([, name]) => `chain ${name}`)].sort());
    }
  });

  test("while the filter did not load at boot, nobody tries", async () => {
    kernel(() => "");
    machine.write("run/vpc6/closed", "");
    expect(await heal()).toEqual({ code: 0, said: [] });
    expect(machine.read("kernel.nft")).toBe("");
  });

  test("what does not load is told, and tried again later", async () => {
    kernel(() => "");
    const { code, stderr } = await machine.run("nftables_apply() { refuse broken; }; heal rules");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /gone, and not to be put back: table inet vpc6, .*: broken\n.*put back, as it was gone: table inet vpc6_guard/s,
      ),
    ]);
  });
});

describe.runIf(real)("drift", () => {
  copies(
    "nftables guard",
    async (it) => it.converge(await basics()),
    (it) => {
      machine = it;
    },
  );

  test("a process that is stopped, and its table", async () => {
    machine.write("units/vpc6-guard", "inactive\n");
    machine.write("kernel.nft", `${machine.read("kernel.nft")}delete table inet vpc6_guard\n`);
    expect(await machine.drift()).toEqual([
      `${ROUTER} guard|vpc6-guard is stopped (inactive)`,
      `${ROUTER} guard|table inet vpc6_guard removed`,
    ]);
    await machine.converge([{ ...(all[0] as Resource), repair: true }]);
    expect(await machine.drift()).toEqual([]);
  });

  test("an element is its tier's", async () => {
    machine.write("kernel.nft", `${machine.read("kernel.nft")}delete element inet vpc6_guard guarded { "web0" }\n`);
    expect(await machine.drift()).toEqual([`${all[1]?.id} guard|element removed from set guarded, "web0"`]);
  });

  test("who puts back is stopped", async () => {
    machine.write("units/vpc6-watch", "inactive\n");
    expect(await machine.drift()).toEqual([`${ROUTER} guard|vpc6-watch is stopped (inactive)`]);
  });
});
