// nftables: one table of ours, whole or not at all.

import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { copies, judges, Machine } from "../machine";

const real = judges.includes("nft");
const ROUTER = "router:vr1";
let all: Resource[];
let machine: Machine;
const basics = async () => [await of("Router"), await of("Tier"), await of("Instance")];
beforeEach(async () => {
  all = await basics();
  machine = Machine.router("nftables");
});

const check = (more: Resource[] = []) => machine.assembled([...all, ...more], 'nftables_check "$FILES"');
const odd = (text: string): Resource => ({ id: "odd@1", fragments: { nftables: text } });

describe("assembling", () => {
  test("the table is made anew: the file begins with its end, where there is anything at all", async () => {
    await machine.assembled(all);
    expect(machine.file("nftables")).toMatch(
      /^table inet vpc6\ndelete table inet vpc6\n[^#]*\n# vpc6 router:vr1\ntable inet vpc6 \{\n/,
    );
    await machine.assembled([]);
    expect(machine.file("nftables")).toBe("");
  });
});

describe("checking", () => {
  test("what kinds render passes", async () => {
    const more = [await of("Vpc"), await of("NetworkAcl"), await of("LoadBalancer"), await of("Nat64")];
    const { code, why, asked } = await check(more);
    expect([code, why]).toEqual([0, ""]);
    expect(asked).toEqual(["nft -c -f /etc/vpc6/generations/1/files/nftables"]);
  });

  test("nothing is not looked at", async () => {
    expect((await machine.assembled([], 'nftables_check "$FILES"')).asked).toEqual([]);
  });

  test("what nft refuses is told in its words, with the line's fragment", async () => {
    const { code, why, blame } = await check([odd("add rule inet vpc6 forward tcp dport nonsense accept\n")]);
    if (!real) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toMatch(/^nftables:\d+:\d+-\d+: Error: Could not resolve service/);
  });

  test("two stacks' lists on one tier are refused: in nft the first alone would have a say", async () => {
    const list = await of("NetworkAcl");
    const chain = "table inet vpc6 {\n\tchain to/web0 {\n\t}\n}\n";
    const stack = (name: string): Resource => ({
      id: `${name}@acl`,
      fragments: { nftables: chain, made: `5f3a ${name}` },
    });
    const { code, why, blame } = await check([stack("one"), stack("two")]);
    expect([code, blame, why]).toEqual([
      1,
      "two@acl",
      "two access lists for interface web0: one@acl of stack one and two@acl of stack two",
    ]);
    // Of one program that is a passing state.
    expect((await check([list, { id: "web-acl2@acl", fragments: list.fragments }])).why).not.toContain(
      "two access lists",
    );
  });

  test("without nft its package is named", async () => {
    machine.remove("bin/nft");
    expect((await check()).why).toBe("nft is not installed (the Router's packages should name nftables)");
  });
});

describe("applying", () => {
  test("loads the file and finds its table; without any fragment the table goes, and nothing else", async () => {
    machine.write("kernel.nft", "table inet operator {\n\tchain own {\n\t}\n}\n");
    if (!real) machine.answer("nft -t list chains inet", "table inet vpc6 {\n}\n");
    const { answer, did } = await machine.converge(all);
    expect(answer).toMatchObject({ verdict: "unconfirmed", changed: ["nftables"] });
    expect(did).toContain("nft -f /etc/vpc6/generations/1/files/nftables");
    const gone = await machine.converge(all.map(({ id }) => drop(id)));
    expect(gone.did).toContain("nft -f -");
    if (real) expect(machine.read("kernel.nft")).toBe("table inet operator {\n\tchain own {\n\t}\n}\n");
  });

  test("a table that is not there afterwards is a failure", async () => {
    await machine.assembled(all);
    if (!real) {
      machine.answer("nft -t list chains inet", "table inet other {\n}\n");
      machine.answer("nft list tables inet", "table inet other\n");
    }
    const { code, why } = await machine.run('nftables_health "$GENERATIONS/1/files"');
    expect([code, why.trim()]).toEqual([1, `the table inet vpc6 is not there:${real ? "" : " table inet other"}`]);
  });

  test("at boot a filter that does not load closes the host", async () => {
    if (!real) return expect((await machine.run("nftables_closed")).did).toEqual(["nft -f -"]);
    await machine.run("nftables_closed");
    expect(machine.read("kernel.nft")).toMatch(/hook forward priority filter; policy drop;/);
  });
});

// Both sides of the comparison are nft's.
describe.runIf(real)("drift", () => {
  const edit = (from: RegExp | string, to: string) => {
    const before = machine.read("kernel.nft");
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    machine.write("kernel.nft", after);
  };

  copies(
    "nftables",
    async (it) => it.converge([...(await basics()), await of("NetworkAcl"), await of("Vpc")]),
    (it) => {
      machine = it;
    },
  );

  test("none, and none from what the kernel keeps in sets", async () => {
    edit(/(set password_clients \{\n\t\ttype ipv6_addr\n[^}]*timeout 1m\n)/, "$1\t\telements = { 2001:db8::1 }\n");
    expect(await machine.drift()).toEqual([]);
  });

  test("a rule of a guest's list, an element, a set and a chain: each is its fragment's", async () => {
    edit(/\n\t\ttcp dport 443 return/, "");
    edit(
      /elements = \{ "web0" \. 2001:67c:2834:1::10 \}/,
      'elements = { "web0" . 2001:67c:2834:1::10, "web0" . 2001:db8::66 }',
    );
    edit(/\tchain input \{\n/, "\tchain input {\n\t\ttcp dport 23 accept\n");
    edit(/\n\}/, "\n\tchain mine {\n\t}\n}");
    expect((await machine.drift()).sort()).toEqual(
      [
        `web-acl@acl:2001:67c:2834:1:: nftables|rule removed from chain web-acl/web0/ingress, tcp dport 443 return`,
        'router:vr1 nftables|element added to set addresses, "web0" . 2001:db8::66',
        `${ROUTER} nftables|rule added to chain input, tcp dport 23 accept`,
        `${ROUTER} nftables|chain mine added`,
      ].sort(),
    );
  });

  test("an element that is gone is its guest's", async () => {
    edit(/\n\t\telements = \{ "web0" \. 02:00:00:00:01:11 \. 2001:67c:2834:1::10 \}/, "");
    expect(await machine.drift()).toEqual([
      'web1@2001:67c:2834:1::10 nftables|element removed from set guests, "web0" . 02:00:00:00:01:11 . 2001:67c:2834:1::10',
    ]);
  });

  test("the table itself", async () => {
    machine.write("kernel.nft", "");
    expect(await machine.drift()).toEqual([`${ROUTER} nftables|table inet vpc6 removed`]);
    const again = await machine.converge([{ ...(all[0] as Resource), repair: true }]);
    expect(again.answer).toMatchObject({ changed: ["nftables"] });
    expect(await machine.drift()).toEqual([]);
  });

  test("one that nobody asked for", async () => {
    await machine.converge([...all, await of("NetworkAcl"), await of("Vpc")].map(({ id }) => drop(id)));
    machine.write("kernel.nft", "table inet vpc6 {\n}\n");
    expect(await machine.drift()).toEqual(["router nftables|table inet vpc6 added"]);
  });
});
