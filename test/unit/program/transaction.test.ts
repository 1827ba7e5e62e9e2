// Transactions: whole or not at all, and put back by the router itself when nobody confirms.

import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { COMMON_SLOTS, FORMAT, SERVICES } from "../../../provider/contract";
import { program } from "../../../provider/router/program";
import { drop, of, type Resource } from "./fragments";
import { Machine } from "./machine";

const FORWARDING = "proc/sys/net/ipv6/conf/all/forwarding";
let machine: Machine;
let vpc: Resource;
let web: Resource;
beforeEach(async () => {
  machine = Machine.router("sysctl network dnsmasq");
  [vpc, web] = [await of("Vpc"), await of("Tier")];
});
const generations = () => machine.list("etc/vpc6/generations");
const pointed = async (name: string) => (await machine.run(`generation ${name}; echo $NUMBER`)).stdout.trim();
const sysctl = (text: string, id = "odd@1"): Resource => ({ id, fragments: { sysctl: text } });
const send = (changes: Parameters<Machine["payload"]>[0], client = "") =>
  machine.verb(`CLIENT=${client}; converge "$PROGRAM_HASH"`, machine.payload(changes));
/** A name that is no more than text: nothing is applied for it. */
const owned = (id = "a@1", stack = "one") => ({ id, fragments: { adopt: "x\n" }, made: `5f3a ${stack}` });
/** Something of a service that cannot cut anybody off. */
const dns = (n = 1): Resource => ({ id: "b@1", fragments: { "dns-hosts": `2001:db8::${n} b.example\n` } });

describe("converging", () => {
  test("what needs no confirmation is confirmed at once", async () => {
    const { answer, did } = await send([dns()]);
    expect(answer).toMatchObject({ verdict: "ok", words: ["1", "same"], touched: true, changed: ["dnsmasq"], why: "" });
    expect([await pointed("confirmed"), await pointed("live")]).toEqual(["1", "1"]);
    expect(machine.has("run/vpc6/pending")).toBe(false);
    expect(did.filter((it) => it.startsWith("systemd-run"))).toHaveLength(1);
  });

  test("the same again is nothing; what is only text is a generation, and nothing is applied", async () => {
    await send([dns()]);
    expect((await send([dns()])).answer).toMatchObject({ verdict: "ok", words: ["1", "nothing"] });
    const { answer, did } = await send([owned()]);
    expect(answer).toMatchObject({ words: ["2", "same"], changed: [], touched: false });
    expect(did).toEqual([]);
  });

  test("one that might cut the operator off waits for a fresh connection, and the router itself puts back", async () => {
    const { answer, did } = await send([vpc]);
    expect(answer).toMatchObject({ verdict: "unconfirmed", words: ["1", "30"], changed: ["sysctl", "network"] });
    expect([await pointed("confirmed"), await pointed("live")]).toEqual(["0", "1"]);
    expect(did.filter((it) => it.startsWith("systemd-run")).at(-1)).toMatch(
      /--unit=vpc6-rollback-1-waiting-\d+ --on-active=30 .* \/usr\/local\/lib\/vpc6\/vpc6 rollback 1$/,
    );
    expect((await machine.verb("confirm 1")).answer).toMatchObject({ verdict: "ok", words: ["1", "same"] });
    expect(await pointed("confirmed")).toBe("1");
    expect((await machine.verb("confirm 1")).answer?.verdict).toBe("ok");
  });

  test.each([
    ["by an interface that is not ours, and the way stays", "mgmt0", "ok"],
    ["by an interface of ours", "web0", "unconfirmed"],
  ])("a client who comes %s", async (_what, dev, verdict) => {
    machine.answer("ip -o route get 192.0.2.9", `192.0.2.9 dev ${dev} src 192.0.2.1 uid 0 \n`);
    expect((await send([vpc, web], "192.0.2.9")).answer?.verdict).toBe(verdict);
  });

  test("sent twice under one name it is not done twice", async () => {
    const payload = machine.payload([vpc]);
    await machine.verb('converge "$PROGRAM_HASH"', payload);
    const { answer, did } = await machine.verb('converge "$PROGRAM_HASH"', payload);
    expect([answer?.verdict, answer?.words[0], did]).toEqual(["unconfirmed", "1", []]);
  });

  test("another program, an unfinished payload, a host that lacks something", async () => {
    expect((await machine.verb("converge 0000", machine.payload([vpc]))).answer?.verdict).toBe("outdated");
    const half = machine.payload([vpc]).slice(0, -20);
    const { answer } = await machine.verb('converge "$PROGRAM_HASH"', half);
    expect(answer).toMatchObject({ verdict: "incomplete", touched: false });
    expect(answer?.why).toMatch(/^incomplete: it stops at line \d+$|^line \d+: /);
    machine.remove("bin/systemd-run");
    machine.remove("run/systemd");
    const { answer: lacking } = await send([vpc]);
    expect(lacking?.verdict).toBe("unusable");
    expect(lacking?.why).toBe(
      "not found on this host: systemd-run systemd(running)\nvpc6 needs Debian 12, Debian 13 or Ubuntu 24.04 with systemd; packages mawk, util-linux, iproute2, coreutils",
    );
    expect(machine.list("run/vpc6").filter((it) => it.startsWith("payload"))).toEqual([]);
  });

  test("what a judge refuses leaves no trace", async () => {
    await send([dns()]);
    const { answer, did } = await send([sysctl("nonsense\n")]);
    expect(answer).toMatchObject({ verdict: "refused", touched: false, service: "sysctl", id: "odd@1" });
    expect(did).toEqual([]);
    expect([generations(), await pointed("live")]).toEqual([["0", "1"], "1"]);
  });

  test("a judge that breaks off has not agreed", async () => {
    const broken = `sysctl_check() { wrong=$(awk 'BEGIN { print >"" }' 2>/dev/null); judged $? "$wrong"; }`;
    const { answer } = await machine.verb(
      `${broken}; converge "$PROGRAM_HASH"`,
      machine.payload([sysctl("net.odd = 1\n")]),
    );
    expect(answer).toMatchObject({ verdict: "refused", touched: false, service: "sysctl" });
    expect(answer?.why).toBe("a check broke off with 2: is a disk full?");
    // Every service says how its judge ended.
    const calls = program().text.match(/^ +judged .*/gm) ?? [];
    expect(calls.length).toBe(8);
    for (const call of calls) expect(call.trim()).toMatch(/^judged \$\? "\$wrong"/);
  });

  test("another stack's resource is refused with its words", async () => {
    await send([owned("a@1", "one")]);
    const taken = { ...owned("a@1", "two"), fresh: true };
    const { answer } = await machine.verb('converge "$PROGRAM_HASH"', machine.payload([taken]));
    expect(answer).toMatchObject({ verdict: "refused", id: "a@1", touched: false });
    expect(answer?.why).toBe("a@1 is on this router already, put there by stack one");
  });

  test("one that cannot be stored says so", async () => {
    const { answer } = await machine.verb(
      'cp() { echo "cp: No space left on device" >&2; return 1; }; converge "$PROGRAM_HASH"',
      machine.payload([vpc]),
    );
    expect(answer).toMatchObject({ verdict: "full", touched: false });
    expect(answer?.why).toBe(
      "the new configuration could not be stored below /etc/vpc6/generations (is the disk full?)\ncp: No space left on device",
    );
  });

  test("a program that breaks off says at least that", async () => {
    const { answer } = await machine.verb('stage() { exit 3; }; converge "$PROGRAM_HASH"', machine.payload([vpc]));
    expect(answer).toMatchObject({ verdict: "failed", why: "the program broke off: is a disk full?" });
    expect(machine.list("run/vpc6").filter((it) => it.startsWith("payload"))).toEqual([]);
  });
});

describe("failing", () => {
  test("half way, everything is as it was, and the number is not given again", async () => {
    await send([dns()]);
    machine.write("proc/sys/net/odd/x", "");
    const { answer } = await send([vpc, sysctl("net.odd = 1\n")]);
    expect(answer).toMatchObject({ verdict: "failed", touched: false, service: "sysctl" });
    expect(answer?.why).toBe("the kernel refuses net/odd = 1");
    expect([machine.read(FORWARDING), await pointed("live"), await pointed("confirmed")]).toEqual(["0\n", "1", "1"]);
    expect(machine.has("run/vpc6/pending")).toBe(false);
    await send([owned()]);
    expect(await pointed("confirmed")).toBe("3");
  });

  test("and what cannot be put back is said, remembered, and applied next time though nothing changed", async () => {
    await machine.converge([web]);
    machine.write("units/vpc6-dnsmasq.broken", "");
    machine.answer("journalctl", "no\n");
    const { answer } = await send([
      await of("Tier", { claim: "db", interface: "db0", grant: { value: "2001:67c:2834:2::/64" } }),
    ]);
    expect(answer).toMatchObject({ verdict: "failed", touched: true, service: "dnsmasq" });
    expect(answer?.why).toBe("no\nnot everything could be put back:\ndnsmasq: no");
    expect(machine.has("run/vpc6/unsettled")).toBe(true);
    machine.remove("units/vpc6-dnsmasq.broken");
    const settled = await machine.converge([web]);
    expect(settled.answer?.changed).toEqual(["sysctl", "network", "dnsmasq"]);
    expect(machine.has("run/vpc6/unsettled")).toBe(false);
  });

  test("without a timer nothing is begun", async () => {
    machine.answer("systemd-run", "", 1);
    const { answer } = await send([vpc]);
    expect(answer).toMatchObject({ verdict: "failed", touched: false });
    expect(answer?.why).toMatch(/^no rollback timer: /);
    expect(machine.read(FORWARDING)).toBe("0\n");
  });
});

describe("putting back", () => {
  test("the timer of what was not confirmed does it, and a late confirmation hears so", async () => {
    await send([vpc]);
    expect(machine.read(FORWARDING)).toBe("1\n");
    // Before its time, or for another one, it does nothing.
    await machine.run("rollback 1");
    await machine.run("rollback 7");
    expect(machine.read(FORWARDING)).toBe("1\n");
    machine.write("proc/uptime", "2000.00 1.00\n");
    const { stderr } = await machine.run("rollback 1");
    expect(stderr).toBe("vpc6: generation 1 was not confirmed: putting back 0\n");
    expect([machine.read(FORWARDING), await pointed("live")]).toEqual(["0\n", "0"]);
    const { answer } = await machine.verb("confirm 1");
    expect(answer).toMatchObject({
      verdict: "refused",
      why: "generation 1 was put back: its confirmation did not come in time",
    });
  });

  test("who finds a run that died puts it back first", async () => {
    await send([dns()]);
    await send([vpc]);
    machine.remove("run/vpc6/pending");
    const { answer, stderr } = await send([owned()]);
    expect(stderr).toBe("vpc6: putting back generation 1: an earlier run did not finish\n");
    expect(answer).toMatchObject({ verdict: "ok", touched: false });
    expect(machine.read(FORWARDING)).toBe("0\n");
  });

  test("one that died while it put back is done again, as what was live is not known any more", async () => {
    await machine.converge([dns()]);
    await machine.converge([vpc]);
    await machine.run(
      'cp -a "$GENERATIONS/2" "$GENERATIONS/3"; echo "net.ipv4.ip_forward = 1" >>"$GENERATIONS/3/files/sysctl"; echo "$GENERATIONS/3" >"$RUN/put-back"',
    );
    machine.write(FORWARDING, "0\n");
    await send([owned()]);
    expect(machine.read(FORWARDING)).toBe("1\n");
    expect(machine.has("run/vpc6/put-back")).toBe(false);
  });

  test("daemons first and the filter last", async () => {
    const { stdout } = await machine.run(
      `generations; differs() { true; }; again() { false; }; differences() { :; }
      for s in $SERVICES; do eval "\${s}_apply() { echo $s; }; \${s}_health() { :; }"; done; put_back`,
      "",
      "run_dir",
    );
    expect(stdout.trim().split("\n")).toEqual(["dnsmasq", "network", "sysctl"]);
  });
});

test("the generations in use are kept, and the one before; what a killed run left is not", async () => {
  for (const n of [1, 2, 3, 4]) await send([dns(n)]);
  expect(generations()).toEqual(["3", "4"]);
  machine.write("run/vpc6/payload.7", "secret");
  machine.write("run/vpc6/payload.7.err", "");
  machine.write("run/vpc6/payload.8", "another one's");
  machine.write("proc/8/x", "");
  machine.write("run/vpc6/drift/files/x", "secret");
  machine.write("etc/vpc6/generations/new/x", "");
  await send([dns(5)]);
  expect(machine.list("run/vpc6").filter((it) => /^(payload|drift$)/.test(it))).toEqual(["payload.8"]);
  expect(generations()).toEqual(["4", "5"]);
});

describe("repairing", () => {
  test("applies what drifted, and only that", async () => {
    machine = Machine.router("sysctl dnsmasq");
    await machine.converge([vpc, web]);
    machine.write("units/vpc6-dnsmasq", "failed\n");
    expect((await machine.converge([vpc])).answer).toMatchObject({ words: ["1", "nothing"] });
    const { answer } = await machine.converge([{ ...vpc, repair: true }]);
    expect(answer?.changed).toEqual(["dnsmasq"]);
    expect(machine.read("units/vpc6-dnsmasq")).toBe("active\n");
  });

  test("with a program that was changed by hand it asks for its own again", async () => {
    machine.append("usr/local/lib/vpc6/vpc6", "# mine\n");
    const { answer } = await machine.verb('converge "$PROGRAM_HASH"', machine.payload([{ ...vpc, repair: true }]));
    expect(answer).toMatchObject({ verdict: "outdated", words: ["changed"] });
  });
});

describe("made once more under the same id", () => {
  const gone = (made: string) => ({ ...drop("b@1"), made });

  test("the old one that goes afterwards takes nothing with it; the one that is there does", async () => {
    await send([{ ...dns(), fresh: true, made: "first" }]);
    await send([{ ...dns(), fresh: true, made: "second" }]);
    const { answer } = await send([gone("first"), owned()]);
    expect(answer).toMatchObject({ verdict: "ok", words: ["3", "same"], changed: [] });
    expect(machine.list("etc/vpc6/confirmed/fragments/dns-hosts")).toEqual(["b@1"]);
    expect((await send([gone("first")])).answer).toMatchObject({ words: ["3", "nothing"] });
    expect((await send([gone("second")])).answer).toMatchObject({ changed: ["dnsmasq"] });
    expect(machine.list("etc/vpc6/confirmed/fragments/dns-hosts")).toEqual([]);
    expect(machine.list("etc/vpc6/confirmed/fragments/made")).toEqual(["a@1"]);
  });

  test("one of which nobody knows when it was made goes, by whatever name; after another was made it stays", async () => {
    await send([dns()]);
    expect((await send([gone("first")])).answer).toMatchObject({ changed: ["dnsmasq"] });
    await send([dns()]);
    await send([{ ...dns(), fresh: true, made: "second" }]);
    expect((await send([gone("none")])).answer).toMatchObject({ words: ["4", "nothing"] });
  });

  test("what differs is put right, as for a repair", async () => {
    await machine.converge([vpc, web]);
    machine.write("units/vpc6-dnsmasq", "failed\n");
    const { answer } = await machine.converge([{ ...web, fresh: true, made: "second" }]);
    expect(answer?.changed).toContain("dnsmasq");
  });

  test("a Router stays, and vpc6 with it", async () => {
    const router = await of("Router");
    await machine.converge([{ ...router, fresh: true, made: "second" }]);
    expect((await machine.verb(`uninstall ${router.id} first`)).answer).toMatchObject({ words: ["1", "nothing"] });
    expect(machine.has("etc/vpc6/confirmed")).toBe(true);
    expect((await machine.verb(`uninstall ${router.id} second`)).answer?.verdict).toBe("ok");
    expect(machine.has("etc/vpc6")).toBe(false);
  });

  test("it is said of one that goes, by one word", async () => {
    const text = machine.payload([gone("first")]);
    for (const wrong of [
      text.replace("made first", "made"),
      text.replace("made first", "made ../x"),
      text.replace("drop b@1", "set b@1"),
    ])
      expect((await machine.verb('converge "$PROGRAM_HASH"', wrong)).answer?.verdict).toBe("incomplete");
  });
});

describe("one that has what is asked for", () => {
  const says = (id: string, lines: string, stack = "one") => ({
    id,
    fragments: { network: lines },
    made: `5f3a ${stack}`.trim(),
  });
  const address = (last: number) => `address lo 2001:db8::${last}/128\n`;
  const told = async () => (await machine.drift()).filter((it) => it.includes(" program|"));
  const network = () => machine.read("etc/vpc6/live/files/network").match(/^address .*/gm);

  test("is asked for first, and nothing is touched", async () => {
    await machine.converge([says("old@1", address(1))]);
    const { answer } = await machine.converge([says("new@1", address(1))]);
    expect(answer).toMatchObject({
      verdict: "rivals",
      yields: [{ id: "old@1", to: "new@1" }],
      touched: false,
      service: "network",
    });
    expect(answer?.why).toMatch(/^address lo 2001:db8::1\/128: already said by /);
    expect(network()).toEqual(["address lo 2001:db8::1/128"]);
  });

  test("stands back for the one who asks, whole, and that is said; it goes, and nothing changes", async () => {
    await machine.converge([says("old@1", address(1) + address(2))]);
    const { answer, stderr } = await machine.converge([says("new@1", address(2))], ["old@1"]);
    expect([answer?.changed, network()]).toEqual([["network"], ["address lo 2001:db8::2/128"]]);
    expect(stderr).toContain("vpc6: old@1 stands back for new@1, which asks for the same\n");
    expect(await told()).toEqual(["old@1 program|stands back for new@1"]);
    expect((await machine.converge([drop("old@1")])).answer?.changed).toEqual([]);
    expect([machine.has("etc/vpc6/confirmed/yields"), await told()]).toEqual([false, []]);
  });

  test("has it again when the other lets go", async () => {
    await machine.converge([says("old@1", address(1))]);
    for (const other of [drop("new@1"), says("new@1", address(3))]) {
      await machine.converge([says("new@1", address(1))], ["old@1"]);
      await machine.converge([other]);
      expect(network()).toContain("address lo 2001:db8::1/128");
      expect(await told()).toEqual([]);
    }
  });

  test("swaps and rotations, one transaction for each", async () => {
    await machine.converge([1, 2, 3].map((at) => says(`g${at}@1`, address(at))));
    for (const [at, next] of [
      [1, 2],
      [2, 3],
      [3, 1],
    ] as const)
      expect((await machine.converge([says(`g${at}@1`, address(next))], [`g${next}@1`])).answer?.changed).toEqual([
        "network",
      ]);
    expect(network()?.sort()).toEqual([1, 2, 3].map((at) => `address lo 2001:db8::${at}/128`));
    expect(machine.has("etc/vpc6/confirmed/yields")).toBe(false);
  });

  test("stays what it is through changes of others, a boot and a rollback", async () => {
    await machine.converge([says("old@1", address(1)), says("other@1", address(5))]);
    await machine.converge([says("new@1", address(1))], ["old@1"]);
    await machine.converge([says("other@1", address(6))]);
    expect(network()).toEqual([1, 6].map((at) => `address lo 2001:db8::${at}/128`));
    await machine.verb("boot");
    expect(network()).toEqual([1, 6].map((at) => `address lo 2001:db8::${at}/128`));
    expect(await told()).toEqual(["old@1 program|stands back for new@1"]);
  });

  test("stays, where it is another stack's, or nobody knows whose, or where both ask at once", async () => {
    await machine.converge([says("old@1", address(1))]);
    const refused = async (...asked: ReturnType<typeof says>[]) => {
      const { answer } = await machine.converge(asked, ["old@1", "a@1", "b@1"]);
      expect(answer).toMatchObject({ verdict: "refused", touched: false });
      return answer?.why;
    };
    const already = "address lo 2001:db8::1/128: already said by new@1";
    expect(await refused(says("new@1", address(1), "two"))).toBe(`${already}; old@1 is stack one's`);
    expect(await refused(says("new@1", address(1), ""))).toBe(`${already}; old@1 is stack one's`);
    expect(await refused(says("a@1", address(9)), says("b@1", address(9)))).toBe(
      "address lo 2001:db8::9/128: already said by a@1",
    );
    expect(network()).toEqual(["address lo 2001:db8::1/128"]);
  });

  test("a Router of one stack takes the place of another; the one that is deleted takes nothing with it", async () => {
    const router = { ...(await of("Router")), made: "5f3a one" };
    await machine.converge([{ ...router, fresh: true }]);
    await machine.converge([vpc]);
    const heir = { ...router, id: "router:edge1", fresh: true };
    const stranger = { ...heir, made: "5f3a two" };
    expect((await machine.converge([stranger])).answer?.why).toBe(
      `${router.id} is on this router already, put there by stack one`,
    );
    await machine.converge([heir], [router.id]);
    expect(await told()).toEqual([`${router.id} program|stands back for ${heir.id}`]);
    for (const gone of [router.id, heir.id])
      expect((await machine.verb(`uninstall ${gone} 5f3a`)).answer).toMatchObject({
        verdict: "ok",
        words: [expect.any(String), "former"],
      });
    expect((await machine.converge([drop(router.id)])).answer?.changed).toEqual([]);
    expect(await told()).toEqual([]);
    expect((await machine.verb(`uninstall ${heir.id} 5f3a`)).answer).toMatchObject({
      verdict: "occupied",
      why: `${vpc.id}, of a stack that is not known`,
    });
  });
});

describe("what a later vpc6 made", () => {
  const later = `${FORMAT + 1}`;
  test.each([
    ["converge", () => machine.verb('converge "$PROGRAM_HASH"', machine.payload([dns(2)]))],
    ["observe", () => machine.verb("observe")],
    ["uninstall", () => machine.verb("uninstall b@1")],
  ])("%s: is refused in words, and nothing is touched", async (_verb, ask) => {
    await send([dns()]);
    machine.write("etc/vpc6/generations/1/program", `0123456789abcdef ${later}\n`);
    const { answer, did } = await ask();
    expect(answer).toMatchObject({ verdict: "later", touched: false });
    expect(answer?.why).toBe(`what is on it has format ${later}, this vpc6 knows ${FORMAT}`);
    expect([did, generations()]).toEqual([[], ["0", "1"]]);
  });

  test.each(["", "nonsense\n", "0123 x\n", "\u0001 99999999999999999999\n"])(
    "a record that is %j refuses nobody",
    async (text) => {
      await send([dns()]);
      machine.write("etc/vpc6/generations/1/program", text);
      expect(await machine.drift()).toContain("router program|/etc/vpc6/confirmed/program changed");
      expect((await send([dns(2)])).answer?.verdict).toBe("ok");
      expect(machine.read("etc/vpc6/confirmed/program")).toMatch(new RegExp(`^[0-9a-f]{16} ${FORMAT}\n$`));
    },
  );

  test("an older program does not take its place", async () => {
    const { answer } = await machine.verb("converge 0000", machine.payload([dns()]));
    expect(answer).toMatchObject({
      verdict: "outdated",
      words: [expect.stringMatching(/^[0-9a-f]{16}$/), `${FORMAT}`],
    });
  });

  test("an id goes from every slot that there is", async () => {
    await send([dns()]);
    machine.write("etc/vpc6/generations/1/fragments/zeta/b@1", "of a later one\n");
    machine.write("etc/vpc6/generations/1/fragments/zeta/c@1", "of a later one\n");
    await send([{ id: "b@1", fragments: {} }]);
    expect(machine.list("etc/vpc6/confirmed/fragments/zeta")).toEqual(["c@1"]);
  });

  // A slot or a service that an older program does not know: whoever adds one raises the format, and says so here.
  test("the format is that of these slots", () => {
    const slots = createHash("sha256")
      .update(JSON.stringify([SERVICES, COMMON_SLOTS]))
      .digest("hex")
      .slice(0, 16);
    expect({ format: FORMAT, slots }).toEqual({ format: 6, slots: "3b6a79887c7ce04e" });
  });
});

describe("boot", () => {
  const boot = (how = "") => machine.run(`boot ${how}`);

  test("what is confirmed is applied, and not what was waiting", async () => {
    await machine.converge([vpc]);
    await send([sysctl("net.ipv4.ip_forward = 1\n")]);
    machine.write(FORWARDING, "0\n");
    machine.write("proc/sys/net/ipv4/ip_forward", "0\n");
    machine.remove("run/vpc6");
    expect((await boot()).code).toBe(0);
    expect([machine.read(FORWARDING), machine.read("proc/sys/net/ipv4/ip_forward")]).toEqual(["1\n", "0\n"]);
    expect(await pointed("live")).toBe("1");
  });

  test("one service that fails does not hold up the others, and is applied at the next change", async () => {
    await machine.converge([vpc, web]);
    machine.remove("run/vpc6");
    machine.write(FORWARDING, "0\n");
    const { code, stderr } = await machine.run("network_apply() { WHY='no link'; return 1; }; boot");
    expect([code, stderr]).toEqual([1, "vpc6: network: no link\n"]);
    expect(machine.read(FORWARDING)).toBe("1\n");
    expect(machine.has("run/vpc6/unsettled")).toBe(true);
  });

  test("links that come late are waited for, and one that does not come is said", async () => {
    await machine.converge([web]);
    machine.remove("sys/class/net/web0");
    machine.remove("run/vpc6");
    const { stderr } = await boot();
    expect(stderr).toContain("vpc6: interface web0 is not there\n");
  });

  test("a filter that does not load: the host is closed, and stays so", async () => {
    const whole = Machine.router("nftables");
    await whole.converge([await of("Router")]);
    whole.remove("run/vpc6");
    const { code, stderr } = await whole.run("nftables_apply() { WHY=bad; return 1; }; boot firewall");
    expect([code, stderr]).toEqual([1, "vpc6: the packet filter does not load: bad\n"]);
    expect((await whole.run("boot")).stderr).toBe(
      "vpc6: nothing is forwarded or served, as the packet filter does not load\n",
    );
  });

  test("an interface whose MAC moved to another name is another one", async () => {
    await machine.converge([await of("Tier", { interface: undefined, mac: "02:00:00:00:aa:02" })]);
    expect(machine.read("etc/vpc6/live/files/network")).toContain("interface db0\n");
    machine.remove("sys/class/net/db0");
    machine.link("eth9", { mac: "02:00:00:00:aa:02" });
    machine.remove("run/vpc6");
    await machine.run("nftables_apply() { :; }; boot");
    expect(machine.read("etc/vpc6/live/files/network")).toContain("interface eth9\n");
  });
});

describe("uninstalling", () => {
  const uninstall = (id: string) => machine.verb(`uninstall ${id}`);

  test("is refused while others are there, who are named", async () => {
    await machine.converge([vpc, web, await of("Router")]);
    const { answer } = await uninstall("router:vr1");
    expect(answer).toMatchObject({ verdict: "occupied", touched: false });
    expect(answer?.why.split("\n")).toEqual([vpc.id, web.id].sort().map((id) => `${id}, of a stack that is not known`));
    expect(machine.read(FORWARDING)).toBe("1\n");
  });

  test("leaves the host as it was found", async () => {
    await machine.converge([vpc, await of("Router")]);
    await machine.converge([drop(vpc.id)]);
    expect(machine.list("etc/systemd/system").filter((it) => it.startsWith("vpc6"))).not.toEqual([]);
    const { answer } = await uninstall("router:vr1");
    expect(answer).toMatchObject({ verdict: "ok" });
    for (const folder of ["etc/vpc6", "var/lib/vpc6", "run/vpc6", "usr/local/lib/vpc6"])
      expect([folder, machine.has(folder)]).toEqual([folder, false]);
    expect(machine.list("etc/systemd/system").filter((it) => it.startsWith("vpc6"))).toEqual([]);
    expect(machine.read(FORWARDING)).toBe("0\n");
  });

  test("stops every unit of ours that runs, a later vpc6's too", async () => {
    await machine.converge([await of("Router")]);
    for (const unit of ["vpc6", "vpc6-firewall", "vpc6-zeta", "vpc6-password@a.socket"])
      machine.write(`units/${unit}`, "active\n");
    machine.write("units/ssh", "active\n");
    await uninstall("router:vr1");
    const running = machine.list("units").filter((it) => machine.read(`units/${it}`) === "active\n");
    expect(running).toEqual(["ssh"]);
  });

  test("of a host that lacks something takes the program, if nothing has come of it", async () => {
    machine.remove("bin/systemd-run");
    expect((await uninstall("router:vr1")).answer?.verdict).toBe("unusable");
    expect(machine.has("usr/local/lib/vpc6")).toBe(false);
  });

  test("a service that cannot be removed is named", async () => {
    await machine.converge([vpc]);
    await machine.converge([drop(vpc.id)]);
    const { answer } = await machine.verb("dnsmasq_remove() { WHY=busy; return 1; }; uninstall router:vr1");
    expect(answer).toMatchObject({ verdict: "failed", service: "dnsmasq", why: "busy" });
  });
});
