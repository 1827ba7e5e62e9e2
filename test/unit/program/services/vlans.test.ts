// VLANs that the network service makes. What is judged is text. What is made is seen in a kernel's own network, with a macvlan in the place of each
// VLAN: this machine's kernel may have no 8021q (test/vm has one).

import { beforeEach, describe, expect, test } from "vitest";
import { drop, of, type Resource } from "../fragments";
import { Machine, namespaces } from "../machine";

const GATEWAY = "2001:67c:2834:2::1";
let all: Resource[];
let machine: Machine;
beforeEach(async () => {
  const tagged = { claim: "db", interface: "db0", vlan: 101, grant: { value: "2001:67c:2834:2::/64" } };
  all = [await of("Router"), await of("Vpc"), await of("Tier", tagged)];
  machine = Machine.router("sysctl network");
  machine.write("proc/net/vlan/config", "");
});
const odd = (text: string, id = "odd@1"): Resource => ({ id, fragments: { network: `${text}\n` } });
const check = (sets: Resource[]) => machine.assembled(sets, 'network_check "$FILES"');
const listed = (...links: [name: string, trunk: string, id: number, protocol?: string][]) =>
  machine.answer(
    "ip -o -d link show type vlan",
    links
      .map(([name, trunk, id, protocol = "802.1Q"]) => {
        machine.link(name);
        return `9: ${name}@${trunk}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP \\    link/ether 02:00:00:00:aa:02 brd ff:ff:ff:ff:ff:ff promiscuity 0 \\    vlan protocol ${protocol} id ${id} <REORDER_HDR> addrgenmode eui64\n`;
      })
      .join(""),
  );

describe("checking", () => {
  test("one that a tier asks for passes, though its link is not there yet, and its guests come before it", async () => {
    const guest = odd("neighbor db0.101 2001:67c:2834:2::10 02:00:00:00:01:11", "a@1");
    const { code, why, asked } = await check([...all, guest]);
    expect([code, why]).toEqual([0, ""]);
    expect(asked).toContain("ip -o -d link show type vlan");
    expect(asked.join()).not.toContain("modprobe");
  });

  test("a router without any is asked nothing more than before", async () => {
    expect((await check(all.slice(0, 2))).asked.join()).not.toContain("vlan");
  });

  test.each([
    "vlan db0.7 db0",
    "vlan db0.7 db0 0",
    "vlan db0.7 db0 07",
    "vlan db0.7 db0 4095",
    "vlan db0.7 db0 7 8",
    "vlan db0/7 db0 7",
    "vlan sixteen-letters0 db0 7",
  ])("%j is not understood", async (line) => {
    expect(await check([...all, odd(line)])).toMatchObject({ code: 1, blame: "odd@1", why: `not understood: ${line}` });
  });

  test.each<[what: string, links: Parameters<typeof listed>, why: string]>([
    [
      "a link of its name that is no VLAN",
      [],
      "db0.101 is here already, and is no VLAN, not VLAN 101 on db0, and not by vpc6: give that link another name, or take it away",
    ],
    [
      "another id",
      [["db0.101", "db0", 102]],
      "db0.101 is here already, and is VLAN 102 on db0, not VLAN 101 on db0, and not by vpc6: give that link another name, or take it away",
    ],
    [
      "another trunk",
      [["db0.101", "web0", 101]],
      "db0.101 is here already, and is VLAN 101 on web0, not VLAN 101 on db0,",
    ],
    [
      "another protocol",
      [["db0.101", "db0", 101, "802.1ad"]],
      "db0.101 is here already, and is VLAN 101 on db0 (802.1ad), not VLAN 101 on db0,",
    ],
    [
      "the same under another name",
      [["vlan101", "db0", 101]],
      "VLAN 101 on db0 is here already, as vlan101, and not by vpc6: take that link away, or name it as `interface`, without `vlan`",
    ],
    [
      "a trunk that is a VLAN",
      [["db0", "web0", 5]],
      "db0 is a VLAN itself (VLAN 5 on web0): vpc6 makes no VLAN inside a VLAN (QinQ, IEEE 802.1ad). Name the interface that carries it, or make the inner one on the host and name it as `interface`, without `vlan`",
    ],
  ])("%s is refused", async (what, links, why) => {
    if (what.includes("no VLAN")) machine.link("db0.101");
    listed(...links);
    const run = await check(all);
    expect(run).toMatchObject({ code: 1, blame: "db@2001:67c:2834:2::" });
    expect(run.why).toContain(why);
  });

  test("the same that the operator has made is used; so is what we made, as we change it", async () => {
    listed(["db0.101", "db0", 101]);
    expect((await check(all)).why).toBe("");
    listed(["db0.101", "web0", 9], ["vlan101", "db0", 101]);
    machine.write("run/vpc6/vlans", "db0.101 9\nvlan101 101\n");
    expect((await check(all)).why).toBe("");
  });

  test("a VLAN inside one of ours, one of two tiers, and a trunk that is not there", async () => {
    expect((await check([...all, odd("vlan x db0.101 7\ninterface x")])).why).toMatch(
      /^db0\.101 is a VLAN itself: vpc6 /,
    );
    expect(await check([...all, odd("vlan other db0 101\ninterface other")])).toMatchObject({
      blame: "odd@1",
      why: "vlan other db0 101: already said by db@2001:67c:2834:2::",
    });
    machine.remove("sys/class/net/db0");
    expect(await check(all)).toMatchObject({
      blame: "db@2001:67c:2834:2::",
      why: "interface db0 does not exist on this host (it has: pub0, web0)",
    });
  });

  test("a kernel that makes none: its module is asked for, and then it is said what to do", async () => {
    machine.remove("proc/net/vlan");
    const { why, blame, asked } = await check(all);
    expect(asked).toContain("modprobe -q 8021q");
    expect(blame).toBe("db@2001:67c:2834:2::");
    expect(why).toMatch(
      /^the kernel of this host makes no VLANs, as its module 8021q is missing: install .*\n.*modprobe 8021q$/,
    );
    // One that is there needs none.
    listed(["db0.101", "db0", 101]);
    expect((await check(all)).why).toBe("");
  });
});

test("at boot the trunk is waited for, not the link on it", async () => {
  await machine.assembled(all);
  const waits = async () => (await machine.run("CONFIRMED=$GENERATIONS/1; boot_wait")).stderr;
  expect(await waits()).toBe("");
  machine.remove("sys/class/net/db0");
  expect(await waits()).toBe("vpc6: interface db0 is not there\n");
});

test("the operator's way in over a trunk is one that can be cut", async () => {
  await machine.assembled(all);
  const { code } = await machine.run('network_has db0 "$GENERATIONS/1/files/network"');
  expect(code).toBe(0);
});

/** `ip` with VLANs of its own: macvlans, and a list of them. */
const IP = `ip() {
  case "$*" in
    "link add link "*" type vlan id "*)
      command ip link add link "$4" name "$6" type macvlan && echo "$6 $4 \${10}" >>"$HOST/vlans" ;;
    "-o -d link show type vlan")
      awk '{ last[$1] = $0 } END { for (name in last) print last[name] }' "$HOST/vlans" | while read -r name trunk id; do
        [ ! -e "$LINKS/$name" ] || echo "9: $name@$trunk: <UP> \\\\    vlan protocol 802.1Q id $id <REORDER_HDR>"
      done ;;
    *) command ip "$@" ;;
  esac
}
: >>"$HOST/vlans"; made() { ip -o -d link show type vlan | sed 's/^9: //; s/@/ /; s/: .* id / /; s/ <.*//'; }
up() { ip -o link show up | sed 's/^[0-9]*: //; s/[@:].*//' | grep -v lo | sort | awk '{ all = all sep $0; sep = " " } END { print all }'; }
take() { (converge "$PROGRAM_HASH" >/dev/null) <"$HOST/$1"; (confirm $2 >/dev/null); network_seen "$ETC/live/files"; };
drift() { (observe | grep ^drift); :; }
`;

describe.runIf(namespaces)("in a kernel", () => {
  const db = "db@2001:67c:2834:2::";
  /** What `script` says, in parts. */
  async function seen(script: string): Promise<string[]> {
    machine.write("first", machine.payload(all));
    machine.write("without", machine.payload([drop(db)]));
    const { stdout, stderr } = await machine.kernel(`${IP} ${script}`);
    expect(stderr).toBe("");
    return stdout.split(/^--\n/m).map((it) => it.trim());
  }

  test("it is made, on a trunk that comes up, and goes with its tier; the trunk is what it was", async () => {
    expect(await seen("take first 1; made; up; drift; echo --; take without 2; made; up; drift")).toEqual([
      "db0.101 db0 101\ndb0 db0.101 pub0",
      "pub0",
    ]);
    expect(machine.list("var/lib/vpc6/trunks")).toEqual([]);
    expect(machine.read("run/vpc6/vlans")).toBe("");
  });

  test("one that was there stays", async () => {
    const before = "ip link add link db0 name db0.101 type vlan id 101;";
    expect(await seen(`${before} take first 1; echo --; take without 2; made`)).toEqual(["", "db0.101 db0 101"]);
  });

  test("another id, another name: the old one goes before the new one comes, which may be the same to the kernel", async () => {
    const other = async (change: object) =>
      machine.payload([
        await of("Tier", { claim: "db", interface: "db0", grant: { value: "2001:67c:2834:2::/64" }, ...change }),
      ]);
    machine.write("moved", await other({ vlan: 102 }));
    machine.write("renamed", await other({ interface: undefined, mac: "02:00:00:00:aa:02", vlan: 102 }));
    const [moved, renamed] = await seen(
      'ip link set db0 address 02:00:00:00:aa:02; take first 1; take moved 2; made; echo --; take renamed 3; made; drift; cat "$RUN/vlans"',
    );
    expect(moved).toBe("db0.102 db0 102");
    expect(renamed).toMatch(/^(vlan102-[0-9a-z]{6}) db0 102\n\1 102$/);
  });

  test("what a hand took or has put in its place is seen; an apply takes ours back", async () => {
    machine.write("repair", machine.payload([{ ...(all[2] as Resource), repair: true } as Resource]));
    const other = "ip link del db0.101; ip link add link web0 name db0.101 type vlan id 9";
    const [gone, down, wrong, after] = await seen(
      `take first 1; ip link del db0.101; drift; (heal links) 2>/dev/null; echo --; ip link set db0 down; drift | grep carries; ip link set db0 up; echo --
      ${other}; : >"$HOST/vlans"; echo "db0.101 web0 9" >"$HOST/vlans"; (heal links) 2>/dev/null; made; drift | grep VLAN; echo --; take repair 2; made; drift`,
    );
    expect(gone).toContain(`drift ${db} network|interface db0.101 is not there`);
    expect(down).toBe(`drift ${db} network|interface db0, which carries VLANs, is down`);
    expect(wrong).toBe(`db0.101 web0 9\ndrift ${db} network|interface db0.101 is not VLAN 101 on db0`);
    expect(after).toBe("db0.101 db0 101");
  });

  test.each<[what: string, hand: string, said: RegExp]>([
    ["it is deleted", "ip link del db0.101", /put back, as it was gone: vlan db0\.101 db0 101\n/],
    [
      "its trunk goes and comes again",
      "ip link del db0; (heal links) 2>&1; ip link add db0 type bridge",
      /put back, as it was gone: vlan db0\.101 db0 101\n/,
    ],
  ])("%s: all is there again", async (_what, hand, said) => {
    const state = "made; up; ip -o -6 addr show scope global | awk '{ print $2, $4 }'";
    const [before, healed, after, drifts] = await seen(
      `take first 1; ${state}; echo --; ${hand}; (heal links) 2>&1; echo code $?; echo --; ${state}; echo --; drift`,
    );
    expect(before).toContain(`db0.101 ${GATEWAY}/64`);
    expect(healed).toMatch(said);
    expect(healed).toMatch(/code 0$/);
    expect(after).toBe(before);
    expect(drifts).toBe("");
  });

  test("on a trunk that is set down on purpose nothing is made, and nothing is said", async () => {
    const [said, after] = await seen(
      "take first 1; ip link del db0.101; ip link set db0 down; (heal links) 2>&1; echo --; made; ip link set db0 up; (heal links) 2>/dev/null; made",
    );
    expect([said, after]).toEqual(["", "db0.101 db0 101"]);
  });

  test("a trunk on which nobody has an address learns none; one that is a tier too, or the operator's way in, is left to that", async () => {
    // 2, as this router forwards by then.
    const learns = 'cat "$SYSCTL/net/ipv6/conf/db0/accept_ra"';
    const set = 'echo 1 >"$SYSCTL/net/ipv6/conf/db0/accept_ra"';
    expect(await seen(`${set}; take first 1; ${learns}; echo --; take without 2; ${learns}`)).toEqual(["0", "2"]);
    machine = Machine.router("sysctl network");
    machine.write("proc/net/vlan/config", "");
    const own = "ip link set db0 up; ip addr add 2001:db8:5::5/64 dev db0 nodad";
    expect(await seen(`${set}; ${own}; take first 1; ${learns}`)).toEqual(["2"]);
    machine = Machine.router("sysctl network");
    machine.write("proc/net/vlan/config", "");
    const untagged = await of("Tier", { claim: "raw", interface: "db0", grant: { value: "2001:67c:2834:3::/64" } });
    machine.write("both", machine.payload([untagged]));
    machine.write("neither", machine.payload([drop("raw@2001:67c:2834:3::"), drop(db)]));
    expect(
      await seen(`${set}; take first 1; take both 2; made; up; drift; take neither 3; made; up; ${learns}`),
    ).toEqual(["db0.101 db0 101\ndb0 db0.101 pub0\npub0\n2"]);
  });
});
