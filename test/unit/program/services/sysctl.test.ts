// sysctl: keys get their value, and what was found comes back.

import { existsSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { Machine, namespaces } from "../machine";

const FORWARDING = "net/ipv6/conf/all/forwarding";
let vpc: Resource;
let machine: Machine;
beforeEach(async () => {
  vpc = await of("Vpc");
  machine = Machine.router("sysctl");
});
const value = (key: string) => machine.read(`proc/sys/${key}`).trim();
const odd = (text: string): Resource => ({ id: "odd@1", fragments: { sysctl: text } });
const check = (sets: Resource[]) => machine.assembled(sets, 'sysctl_check "$FILES"');

describe("checking", () => {
  test("what kinds render passes, also where two say the same", async () => {
    const nat64 = await of("Nat64");
    expect((await check([vpc, nat64, { id: "other@1", fragments: vpc.fragments }])).code).toBe(0);
  });

  test.each([
    "net.ipv6.conf.all.forwarding",
    "= 1",
    "net/../kernel/x = 1",
    "a b = 1",
    "a >= b",
    "a >= 0",
    "a >= memory",
    "a > 1",
    "a >= memory/0",
  ])("%j is no line", async (line) => {
    const { code, why, blame } = await check([vpc, odd(`${line}\n`)]);
    expect([code, blame, why]).toEqual([1, "odd@1", `not a \`key = value\` line: ${line}`]);
  });

  test("two values of one key", async () => {
    const { code, why, blame } = await check([vpc, odd("net.ipv6.conf.all.forwarding = 0\n")]);
    expect([code, why]).toEqual([
      1,
      `net.ipv6.conf.all.forwarding = ${blame === vpc.id ? "1, but odd@1 says 0" : `0, but ${vpc.id} says 1`}`,
    ]);
  });

  test("a key that this kernel does not have", async () => {
    const { code, why, blame } = await check([vpc, odd("# a comment\nnet.ipv4.nonsense = 1\n")]);
    expect([code, blame, why]).toEqual([1, "odd@1", "this kernel has no sysctl net/ipv4/nonsense"]);
  });
});

test("a key of connection tracking, of which the module is not loaded yet: it is, and then the key is looked for", async () => {
  machine.remove("proc/sys/net/netfilter");
  const { did, why } = await check([await of("Router")]);
  expect(did).toEqual(["modprobe -q nf_conntrack"]);
  expect(why).toBe("this kernel has no sysctl net/netfilter/nf_conntrack_tcp_timeout_established");
});

describe("applying", () => {
  test("sets it, and what was found comes back when nobody names it any more", async () => {
    machine.sysctl("net/ipv6/conf/web0/forwarding", 0);
    await machine.converge([vpc]);
    expect(value(FORWARDING)).toBe("1");
    // The kernel changes these along with it.
    machine.sysctl("net/ipv6/conf/web0/forwarding", 1);
    await machine.converge([drop(vpc.id)]);
    expect(value(FORWARDING)).toBe("0");
    expect(value("net/ipv6/conf/web0/forwarding")).toBe("0");
    expect(machine.list("var/lib/vpc6/sysctl")).toEqual([]);
  });

  test("forwarding of IPv4 is recorded with what the kernel changes along with it", async () => {
    const nat64 = await of("Nat64");
    await machine.converge([nat64]);
    expect(value("net/ipv4/ip_forward")).toBe("1");
    machine.sysctl("net/ipv4/conf/all/accept_redirects", 0);
    await machine.converge([drop(nat64.id)]);
    expect([value("net/ipv4/ip_forward"), value("net/ipv4/conf/all/accept_redirects")]).toEqual(["0", "1"]);
  });

  test("a host that begins to forward goes on learning on the operator's interfaces, and not on ours", async () => {
    const tier = await of("Tier");
    machine.sysctl("net/ipv6/conf/lo/accept_ra", 1);
    machine.sysctl("net/ipv6/conf/db0/accept_ra", 0);
    await machine.converge([vpc, tier]);
    const learning = ["pub0", "web0", "db0", "lo"].map((dev) => value(`net/ipv6/conf/${dev}/accept_ra`));
    expect(learning).toEqual(["2", "1", "0", "1"]);
    await machine.converge([drop(vpc.id), drop(tier.id)]);
    expect(value("net/ipv6/conf/pub0/accept_ra")).toBe("1");
  });

  test("what the kernel refuses fails the change and is put back", async () => {
    // A folder cannot be written, whoever asks.
    machine.write("proc/sys/net/odd/x", "");
    const { answer } = await machine.converge([vpc, odd("net.odd = 1\n")]);
    expect(answer).toMatchObject({ verdict: "failed", service: "sysctl", touched: false });
    expect(answer?.why).toBe("the kernel refuses net/odd = 1");
    expect(value(FORWARDING)).toBe("0");
  });

  test("at boot one that is refused does not hold up the others", async () => {
    machine.write("proc/sys/net/aaa/x", "");
    await machine.assembled([{ id: "a@1", fragments: { sysctl: "net.aaa = 1\n" } }, vpc]);
    const { code } = await machine.run('BOOTING=yes; sysctl_apply "$GENERATIONS/1/files"');
    expect([code, value(FORWARDING)]).toEqual([1, "1"]);
  });
});

describe("drift", () => {
  test("a value that another hand has set, and a key that is gone", async () => {
    await machine.converge([vpc, odd("net.ipv4.ip_forward =  1\n")]);
    expect(await machine.drift()).toEqual([]);
    machine.sysctl(FORWARDING, 0);
    machine.remove("proc/sys/net/ipv4/ip_forward");
    expect((await machine.drift()).sort()).toEqual([
      "odd@1 sysctl|net.ipv4.ip_forward = not there instead of 1",
      `${vpc.id} sysctl|net.ipv6.conf.all.forwarding = 0 instead of 1`,
    ]);
  });
});

describe("the table of connections", () => {
  const PLACES = "net/netfilter/nf_conntrack_max";
  const LISTS = "net/netfilter/nf_conntrack_buckets";
  const table = () => [value(PLACES), value(LISTS)];
  const has = (places: number) => {
    for (const key of [PLACES, LISTS]) machine.sysctl(key, places);
  };
  const memory = (kilobytes: number) => machine.write("proc/meminfo", `MemTotal:  ${kilobytes} kB\nMemFree: 1 kB\n`);
  let router: Resource;
  beforeEach(async () => {
    router = await of("Router");
  });
  const asking = (connections: number) => of("Router", { connections });

  test.each([
    ["128 MB", 118_000, "65536"],
    ["512 MB", 480_000, "114688"],
    ["1 GB", 986_152, "245760"],
    ["2 GB", 2_014_000, "499712"],
    ["4 GB", 4_020_000, "999424"],
    ["64 GB", 65_800_000, "1048576"],
    ["memory that is not known", 0, "65536"],
  ])("with %s it has its places and as many lists, and no drift", async (_what, kilobytes, places) => {
    memory(kilobytes);
    await machine.converge([router]);
    expect(table()).toEqual([places, places]);
    expect(await machine.drift()).toEqual([]);
  });

  test("what was asked for is what it has, and less when less is asked for", async () => {
    await machine.converge([await asking(400_000)]);
    expect(value(PLACES)).toBe("400000");
    await machine.converge([await asking(100_000)]);
    expect(value(PLACES)).toBe("100000");
    await machine.converge([drop(router.id)]);
    expect([...table(), machine.list("var/lib/vpc6/raised")]).toEqual(["7680", "7680", []]);
  });

  test("what is more than that stays as it is, before, after, and when it is all over", async () => {
    has(2_000_000);
    await machine.converge([router]);
    await machine.converge([await asking(400_000)]);
    expect(await machine.drift()).toEqual([]);
    await machine.converge([drop(router.id)]);
    expect(table()).toEqual(["2000000", "2000000"]);
  });

  test("less again than what was found is never asked for", async () => {
    has(300_000);
    await machine.converge([await asking(400_000)]);
    await machine.converge([await asking(100_000)]);
    expect(table()).toEqual(["300000", "300000"]);
    expect(machine.list("var/lib/vpc6/raised")).toEqual([]);
  });

  test("what an operator has set since stays, also when all is over", async () => {
    await machine.converge([router]);
    has(600_000);
    expect(await machine.drift()).toEqual([]);
    await machine.converge([{ ...router, repair: true }]);
    await machine.converge([drop(router.id)]);
    expect(table()).toEqual(["600000", "600000"]);
  });

  test("after a boot it is raised from what the kernel gave then, and that comes back", async () => {
    await machine.converge([router]);
    has(15_360);
    await machine.run('BOOTING=yes; generations; sysctl_apply "$CONFIRMED/files"');
    expect(table()).toEqual(["245760", "245760"]);
    await machine.run("sysctl_remove");
    expect(table()).toEqual(["15360", "15360"]);
  });

  test("a hand that makes it too small is drift, and is put right", async () => {
    await machine.converge([router]);
    has(7680);
    expect(await machine.drift()).toEqual([
      `${router.id} sysctl|net.netfilter.nf_conntrack_max = 7680, less than 245760`,
      `${router.id} sysctl|net.netfilter.nf_conntrack_buckets = 7680, less than 245760`,
    ]);
    await machine.converge([{ ...router, repair: true }]);
    expect(table()).toEqual(["245760", "245760"]);
  });

  test.each(["", "\n", "noise 245760", "{} ;;", "7680 2457"])(
    "a note that was damaged, %j: nothing is made less",
    async (text) => {
      await machine.converge([router]);
      machine.write(`var/lib/vpc6/raised/${PLACES.replaceAll("/", "~")}`, text);
      const { stderr, code } = await machine.run('generations; sysctl_apply "$CONFIRMED/files" && sysctl_remove');
      expect([code, stderr, value(PLACES)]).toEqual([0, "", "245760"]);
    },
  );

  test("a kernel that takes round numbers only, as it does of the lists", async () => {
    // As sysctl_put and the kernel together would.
    const rounding = `sysctl_put() { echo "put $1" >&2; echo $((($2 + 511) / 512 * 512)) >"$SYSCTL/$1"; }`;
    await machine.assembled([await asking(400_001)]);
    await machine.run(`${rounding}; sysctl_apply "$GENERATIONS/1/files"`);
    expect(value(LISTS)).toBe("400384");
    const again = await machine.run(`${rounding}; sysctl_apply "$GENERATIONS/1/files"`);
    expect(again.stderr).not.toContain("conntrack_buckets");
    await machine.run(`${rounding}; sysctl_remove`);
    expect(value(LISTS)).toBe("7680");
  });

  test("more than half of the memory is refused, with what can be had", async () => {
    const { code, why, blame } = await check([await asking(1_000_000)]);
    expect([code, blame]).toEqual([1, router.id]);
    expect(why).toBe(
      "1000000 connections can take 488 MB, and this host has 963 MB of memory: `connections` of the Router can be 986152 at most, half of it",
    );
    memory(1_100_000);
    expect((await check([await asking(1_000_000)])).code).toBe(0);
  });

  test("how full it is is told from four fifths on, and is no drift", async () => {
    await machine.converge([router]);
    const looking = async (count: number) => {
      machine.sysctl("net/netfilter/nf_conntrack_count", count);
      const { stdout, stderr } = await machine.run("observe");
      expect(stdout).toMatch(/^vpc6-drift 1\nend vpc6-drift$/m);
      return stderr;
    };
    expect(await looking(196_607)).toBe("");
    expect(await looking(196_608)).toMatch(
      /^vpc6: warning: the table of connections is 80 % full \(196608 of 245760\): .*`connections`\n$/,
    );
    machine.remove("proc/sys/net/netfilter/nf_conntrack_count");
    expect((await machine.run("observe")).stderr).toBe("");
  });

  // A container has its machine's table, and may not change it: a network namespace is what makes the difference.
  test.runIf(namespaces && existsSync(`/proc/sys/${PLACES}`))(
    "where it cannot be changed it is said, all else goes on, and nothing is drift",
    async () => {
      const before = [PLACES, LISTS].map((key) => readFileSync(`/proc/sys/${key}`, "utf8"));
      await machine.assembled([await asking(900_000), vpc]);
      const script = `printf '%s\\n' '# vpc6 ${router.id}' 'net.netfilter.nf_conntrack_max >= 9000000' '# vpc6 ${vpc.id}' 'net.ipv6.conf.all.forwarding = 1' >"$GENERATIONS/1/files/sysctl"
        sysctl_check "$GENERATIONS/1/files" && sysctl_apply "$GENERATIONS/1/files" && sysctl_drift "$GENERATIONS/1/files" && cat "$SYSCTL/${FORWARDING}"`;
      memory(66_000_000);
      const { code, stdout, stderr, why } = await machine.kernel(script);
      expect([code, why, stdout]).toEqual([0, "", "1\n"]);
      expect(stderr).toMatch(
        /^vpc6: net\/netfilter\/nf_conntrack_max stays \d+, though 9000000 is wanted: this host may not change it .*\n$/,
      );
      expect(machine.list("var/lib/vpc6/raised")).toEqual([]);
      expect([PLACES, LISTS].map((key) => readFileSync(`/proc/sys/${key}`, "utf8"))).toEqual(before);
    },
  );
});

test("removing puts everything back", async () => {
  await machine.converge([vpc]);
  await machine.run("sysctl_remove");
  expect([value(FORWARDING), machine.list("var/lib/vpc6/sysctl")]).toEqual(["0", []]);
});
