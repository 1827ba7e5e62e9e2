// sysctl: keys get their value, and what was found comes back.

import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { Machine } from "../machine";

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

  test.each(["net.ipv6.conf.all.forwarding", "= 1", "net/../kernel/x = 1", "a b = 1"])(
    "%j is no line",
    async (line) => {
      const { code, why, blame } = await check([vpc, odd(`${line}\n`)]);
      expect([code, blame, why]).toEqual([1, "odd@1", `not a \`key = value\` line: ${line}`]);
    },
  );

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

test("removing puts everything back", async () => {
  await machine.converge([vpc]);
  await machine.run("sysctl_remove");
  expect([value(FORWARDING), machine.list("var/lib/vpc6/sysctl")]).toEqual(["0", []]);
});
