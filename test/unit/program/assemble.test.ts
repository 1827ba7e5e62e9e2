// From fragments to files: whose each line is, which interface has a MAC, and secrets in their places.

import { beforeEach, describe, expect, test } from "vitest";
import { of, type Resource } from "./fragments";
import { Machine } from "./machine";

let machine: Machine;
beforeEach(() => {
  machine = Machine.router("network");
});
const odd = (slot: string, text: string, id = "odd@1"): Resource => ({ id, fragments: { [slot]: text } });

test("a file for each slot, the Router's fragment first, the others by name, each under its id", async () => {
  const all = [await of("Tier"), await of("Instance"), await of("Vpc"), await of("Router")];
  expect((await machine.assembled(all)).code).toBe(0);
  const ids = [...machine.file("network").matchAll(/^# vpc6 (\S+)$/gm)].map(([, id]) => id);
  expect(ids).toEqual(["router:vr1", ...ids.slice(1).sort()]);
  expect(ids).toHaveLength(4);
  expect(machine.file("network")).toContain(
    "# vpc6 web@2001:67c:2834:1::\ninterface web0\naddress web0 2001:67c:2834:1::1/64 nodad\n",
  );
  // Nobody has anything in it.
  expect(machine.file("tayga")).toBe("");
});

test("a line of a file leads to the fragment", async () => {
  await machine.assembled([odd("network", "interface db0\n", "b@1"), odd("network", "interface web0\n", "c@1")]);
  const blamed = async (line: number) => (await machine.run(`blame "$GENERATIONS/1/files/network" ${line}`)).blame;
  expect([await blamed(1), await blamed(2), await blamed(3), await blamed(4)]).toEqual(["b@1", "b@1", "c@1", "c@1"]);
});

describe("a MAC in the place of a name", () => {
  const token = "mac-02000000aa01";

  test("is the interface that has it, and no part of another word", async () => {
    await machine.assembled([
      odd("network", `interface ${token}\naddress ${token} x${token} ${token}0 ${token}.5 (${token})\n`),
    ]);
    expect(machine.file("network")).toBe(
      `# vpc6 odd@1\ninterface web0\naddress web0 x${token} ${token}0 web0.5 (web0)\n`,
    );
    expect(machine.read("etc/vpc6/generations/1/macs")).toBe(`${token} web0\n`);
  });

  test("of none: the words name those that there are; at boot it is a name that nothing has", async () => {
    const missing = [odd("network", "interface mac-020000000099\n")];
    const { code, why, blame } = await machine.assembled(missing);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why.split("\n")).toEqual([
      "no interface of this host (or more than one) has the MAC address 02:00:00:00:00:99; it has:",
      "db0 (02:00:00:00:aa:02)",
      "lo (00:00:00:00:00:00)",
      "pub0 (02:00:00:00:aa:00)",
      "web0 (02:00:00:00:aa:01)",
    ]);
    const { code: boot } = await machine.run('assemble "$GENERATIONS/1" boot');
    expect([boot, machine.file("network")]).toEqual([0, "# vpc6 odd@1\ninterface no020000000099\n"]);
  });

  test("of two, neither a port of another, is none; of a bridge and its port the bridge; of a VLAN and its parent the parent", async () => {
    const found = async () =>
      (await machine.run("macs | sort")).stdout.split("\n").filter((it) => it.startsWith(token));
    machine.link("twin0", { mac: "02:00:00:00:aa:01" });
    expect(await found()).toEqual([]);
    machine.write("sys/class/net/twin0/master", "");
    expect(await found()).toEqual([`${token} web0`]);
    machine.write("sys/class/net/twin0/bridge/x", "");
    machine.remove("sys/class/net/twin0/master");
    machine.write("sys/class/net/web0/master", "");
    expect(await found()).toEqual([`${token} twin0`]);
    machine.remove("sys/class/net/web0/master");
    machine.remove("sys/class/net/twin0/bridge");
    machine.write("sys/class/net/twin0/lower_web0", "");
    expect(await found()).toEqual([`${token} web0`]);
  });

  test("that moved to another name is noticed", async () => {
    await machine.assembled([odd("network", `interface ${token}\n`)]);
    const moved = async () => (await machine.run('macs_moved "$GENERATIONS/1"')).code === 0;
    expect(await moved()).toBe(false);
    machine.link("new0", { mac: "02:00:00:00:aa:01" });
    machine.remove("sys/class/net/web0");
    expect(await moved()).toBe(true);
  });
});

describe("secrets", () => {
  const secret = (id: string, text: string, fragment = "x {{password:12ab}} y {{password:fffg}}\n"): Resource => ({
    id,
    fragments: { haproxy: fragment, ...(text !== "" && { secrets: text }) },
  });

  test("stand in their places, each resource's own; what is none stays", async () => {
    await machine.assembled([
      secret("a@1", "{{password:12ab}} geheim-a\n"),
      secret("b@1", "{{password:12ab}} geheim-b\n"),
      odd("haproxy", "{{password:12a}}\n", "c@1"),
    ]);
    const text = machine.read("etc/vpc6/generations/1/files/haproxy");
    expect(text).toBe(
      "# vpc6 a@1\nx geheim-a y {{password:fffg}}\n# vpc6 b@1\nx geheim-b y {{password:fffg}}\n# vpc6 c@1\n{{password:12a}}\n",
    );
  });

  test("of several lines are several lines", async () => {
    await machine.assembled([secret("a@1", "{{password:12ab}} one\n{{password:12ab}} two words\n")]);
    expect(machine.file("haproxy")).toBe("# vpc6 a@1\nx one\ntwo words y {{password:fffg}}\n");
  });

  test.each([
    ["is not there", ""],
    ["is another one", "{{password:0000}} geheim-b\n"],
    ["is another resource's", ""],
  ])("one that %s is refused: its placeholder is nobody's password", async (what, text) => {
    const other = what.includes("resource") ? [secret("a@1", "{{password:12ab}} geheim-a\n")] : [];
    const { code, why, blame } = await machine.assembled([...other, secret("b@1", text)]);
    expect([code, blame, why]).toEqual([
      1,
      "b@1",
      "the secret {{password:12ab}} of b@1 is not on this router: `pulumi up --refresh` sends it again, with `--target URN` that resource's alone",
    ]);
    // At boot nobody can be asked: the fragment is left out, and all else is there.
    const { code: boot } = await machine.run('assemble "$GENERATIONS/1" boot');
    expect([boot, machine.file("haproxy")]).toEqual([
      0,
      other.length === 0 ? "" : "# vpc6 a@1\nx geheim-a y {{password:fffg}}\n",
    ]);
  });

  test("are concealed wherever the program quotes", async () => {
    await machine.assembled([secret("a@1", "{{password:12ab}} geheim.*\\1\n{{tls:0001}} abc\n")]);
    const { stdout } = await machine.run("printf '%s\\n' 'say geheim.*\\1geheim.*\\1, abc' | conceal");
    // Of three letters or fewer nothing could be told from other text.
    expect(stdout).toBe("say {{password:12ab}}{{password:12ab}}, abc\n");
  });
});

test("which slots differ between two generations", async () => {
  await machine.assembled([odd("network", "interface db0\n"), odd("frr", "router bgp 1\n", "c@1")]);
  const different = async (change: string) => {
    const { stdout } = await machine.run(
      `rm -rf "$GENERATIONS/2"; cp -a "$GENERATIONS/1" "$GENERATIONS/2"; cd "$GENERATIONS/2/files"; ${change}
      differences "$GENERATIONS/1/files" "$GENERATIONS/2/files"; echo "$DIFFERENT"; SERVICES="dnsmasq haproxy network"; for s in $SERVICES; do ! differs $s || echo $s; done`,
    );
    return stdout
      .replaceAll(" \n", "\n")
      .split("\n")
      .filter((it) => it !== "");
  };
  expect(await different(":")).toEqual([]);
  expect(await different("echo >>network; echo >>dhcp-hosts")).toEqual(["dhcp-hosts network", "dnsmasq", "network"]);
  expect(await different("rm frr")).toEqual(["frr"]);
  expect(await different("echo >new; rm network; mkdir network")).toContain("network");
});

test("a disk that is full is guessed at", async () => {
  const { code, why } = await machine.assembled(
    [odd("network", "interface db0\n")],
    `awk() { case \${2-} in from=*) return 2 ;; *) command awk "$@" ;; esac; } && assemble "$GENERATIONS/1"`,
  );
  expect([code, why]).toEqual([1, "the files could not be assembled (is the disk full?)"]);
});
