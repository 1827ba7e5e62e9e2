// What is lost of the network is put back: which things, when, and what is left alone. In a kernel's own network.

import { beforeEach, describe, expect, test } from "vitest";
import { of, type Resource } from "../fragments";
import { Machine, namespaces } from "../machine";

const GATEWAY = "2001:67c:2834:1::1";
const GUEST = "2001:67c:2834:1::10";
let all: Resource[];
let machine: Machine;
beforeEach(async () => {
  all = [await of("Router"), await of("Vpc"), await of("Tier"), await of("Instance")];
  machine = Machine.router("sysctl network");
});

const UP = '(converge "$PROGRAM_HASH" >/dev/null); (confirm 1 >/dev/null); network_seen "$ETC/live/files";';
const SEEN = `ip -o addr show scope global | awk '{ print $2, $4 }'; ip -6 route show proto 106 | sed 's/ error.*//'; ip neigh show nud permanent
  for of in pub0 web0; do echo $of $(($(cat "$LINKS/$of/flags") & 1)) $(cat "$SYSCTL/net/ipv6/conf/$of/accept_ra" "$SYSCTL/net/ipv6/conf/$of/keep_addr_on_down" "$SYSCTL/net/ipv6/conf/$of/forwarding"); done
  cat "$SYSCTL/net/ipv6/conf/all/forwarding"`;

/** What is there, after what a hand did and after it was healed; what that says, and what drifts then. */
async function healed(hand: string, resources = all, before = "") {
  const parts = `${UP} ${before} (${SEEN}) | sort; echo --; ${hand}; network_lost "$ETC/live/files"; echo --; (heal links) 2>&1; echo "code $?"; echo --; (${SEEN}) | sort; echo --; (observe | grep ^drift)`;
  const { stdout, stderr } = await machine.kernel(parts, machine.payload(resources));
  expect(stderr).toBe("");
  const [was, lost, said, is, drift] = stdout.split(/^--\n/m).map((it) => it.split("\n").filter(Boolean));
  return { was, lost, said, is, drift };
}

const bridge = "ip link del web0; ip link add web0 type bridge";

describe.runIf(namespaces)("what is lost", () => {
  test.each<[hand: string, lost: string[]]>([
    ["ip addr del 2001:db8:ffff::10/64 dev pub0", ["address pub0 2001:db8:ffff::10/64"]],
    ["ip addr flush dev web0", [`address web0 ${GATEWAY}/64 nodad`]],
    ["ip addr del 2001:67c:2834::1/128 dev lo", ["address lo 2001:67c:2834::1/128"]],
    ["ip -6 route del default", ["route pub0 ::/0 via 2001:db8:ffff::1 metric 512"]],
    ["ip -6 route del unreachable 2001:67c:2834::/60", ["unreachable 2001:67c:2834::/60"]],
    [`ip neigh del ${GUEST} dev web0`, [`neighbor web0 ${GUEST} 02:00:00:00:01:11`]],
    ["ip link set web0 down; ip link set web0 up", [`neighbor web0 ${GUEST} 02:00:00:00:01:11`]],
    ['echo 1 >"$SYSCTL/net/ipv6/conf/web0/accept_ra"', ["net.ipv6.conf.web0.accept_ra"]],
    ['echo 0 >"$SYSCTL/net/ipv6/conf/web0/keep_addr_on_down"', ["net.ipv6.conf.web0.keep_addr_on_down"]],
    ['echo 0 >"$SYSCTL/net/ipv6/conf/web0/forwarding"', ["net.ipv6.conf.web0.forwarding"]],
    [
      bridge,
      [
        "interface web0",
        "net.ipv6.conf.web0.keep_addr_on_down",
        "net.ipv6.conf.web0.router_solicitation_delay",
        `address web0 ${GATEWAY}/64 nodad`,
        `neighbor web0 ${GUEST} 02:00:00:00:01:11`,
      ],
    ],
  ])("%s", async (hand, lost) => {
    const seen = await healed(hand);
    // Whether a link that is new forwards, and listens, is the host's own setting.
    expect(seen.lost?.filter((it) => hand !== bridge || !/accept_ra|forwarding/.test(it))).toEqual(lost);
    expect(seen.said?.at(-1)).toBe("code 0");
    expect(seen.said?.slice(0, -1)).toEqual([`vpc6: put back, as it was gone: ${seen.lost?.join(", ")}`]);
    expect(seen.is).toEqual(seen.was);
    expect(seen.drift).toEqual([]);
  });

  test("that the host forwards", async () => {
    const seen = await healed('echo 0 >"$SYSCTL/net/ipv6/conf/all/forwarding"');
    expect(seen.said).toEqual(["vpc6: put back, as it was gone: net/ipv6/conf/all/forwarding 1", "code 0"]);
    expect(seen.is).toEqual(seen.was);
  });

  test("of many things the first eight are named", async () => {
    const lines = Array.from({ length: 300 }, (_, n) => `neighbor web0 2001:67c:2834:1::a:${n + 1} 02:00:00:00:09:09`);
    const many: Resource = { id: "many@1", fragments: { network: `${lines.join("\n")}\n` } };
    const { said } = await healed("ip link set web0 down; ip link set web0 up", [...all, many]);
    expect(said?.[0]).toMatch(/^vpc6: put back, as it was gone: (neighbor [^,]*, ){8}and 293 more$/);
  });

  test("an address whose link stays up is not asked for again; one whose link went down, or for how long is not known, is", async () => {
    const batch = 'grep -h "^addr" "$RUN/network.batch"';
    const after = async (hand: string) => {
      machine = Machine.router("sysctl network");
      const { stdout } = await machine.kernel(`${UP} ${hand}; ${batch}`, machine.payload(all));
      return stdout.trim();
    };
    const lose = "ip addr del 2001:db8:ffff::10/64 dev pub0";
    expect(await after(`${lose}; (heal links)`)).toBe("addr add 2001:db8:ffff::10/64 dev pub0 nodad");
    expect(await after(`ip link set pub0 down; ${lose}; (heal links); ip link set pub0 up; (heal links)`)).toBe(
      "addr add 2001:db8:ffff::10/64 dev pub0",
    );
    expect(
      await after(
        `${lose}; heal_needed() { ! has_any "$1" network || [ -n "$(network_lost "$ETC/live/files")" ]; }; nftables_lost() { :; }; guard_lost() { :; }; (heal)`,
      ),
    ).toBe("addr add 2001:db8:ffff::10/64 dev pub0");
  });
});

describe.runIf(namespaces)("an MTU", () => {
  const mtus = 'for of in pub0 web0; do cat "$LINKS/$of/mtu"; done';
  const sized = async () => [
    await of("Router", { publicMtu: 1400 }),
    all[1] as Resource,
    await of("Tier", { mtu: 9000 }),
    ...all.slice(3),
  ];

  test.each<[hand: string, lost: string[]]>([
    ["ip link set web0 mtu 1500", ["mtu web0 9000"]],
    ["ip link set pub0 mtu 1500", ["mtu pub0 1400"]],
    ['echo 1300 >"$SYSCTL/net/ipv6/conf/web0/mtu"', ["net.ipv6.conf.web0.mtu"]],
    // The kernel takes IPv6 off such a link, and all that it had.
    ["ip link set web0 mtu 1200", ["mtu web0 9000", `address web0 ${GATEWAY}/64 nodad`]],
  ])("%s", async (hand, lost) => {
    const seen = await healed(hand, await sized());
    for (const line of lost) expect(seen.lost).toContain(line);
    expect(seen.said?.at(-1)).toBe("code 0");
    expect(seen.is).toEqual(seen.was);
    expect(seen.drift).toEqual([]);
  });

  test("of a link that was made again is another one before ours", async () => {
    const { stdout } = await machine.kernel(
      `${UP} ${bridge}; ip link set web0 mtu 1450; (heal links) >/dev/null 2>&1; ${mtus}; network_remove; ${mtus}`,
      machine.payload(await sized()),
    );
    expect(stdout).toBe("1400\n9000\n1500\n1450\n");
  });

  test("that a VLAN's parent has no room for any more is the parent's; all else is healed", async () => {
    const seen = await healed(
      `ip link set web0 mtu 1500; network_mtu_fits() { [ "$1" != web0 ]; }; ip addr flush dev web0`,
      await sized(),
    );
    expect(seen.lost).toEqual([`address web0 ${GATEWAY}/64 nodad`]);
    expect(seen.said?.at(-1)).toBe("code 0");
  });
});

describe.runIf(namespaces)("what is left alone", () => {
  test.each<[what: string, hand: string, of: string[]]>([
    ["nothing is lost", ":", []],
    ["a link that is set down on purpose", "ip link set web0 down", ["web0 0"]],
    [
      "another's route in the place of ours",
      "ip -6 route replace default via 2001:db8:ffff::2 dev pub0 metric 512",
      [],
    ],
    [
      "another's MAC address for a guest",
      `ip neigh replace ${GUEST} dev web0 lladdr 02:00:00:00:09:09 nud permanent`,
      [],
    ],
    [
      "our address with another length",
      `ip addr del ${GATEWAY}/64 dev web0; ip addr add ${GATEWAY}/112 dev web0 nodad`,
      [],
    ],
    ["what was added", "ip addr add 2001:db8:9::1/64 dev web0; ip -6 route add 2001:db8:99::/48 dev web0", []],
    ["a link that udev has not done with", `: >"$UDEV/control"; ${bridge}`, ["web0 0"]],
  ])("%s", async (_what, hand, of) => {
    machine.write("run/udev/data/x", "");
    const { stdout } = await machine.kernel(
      `${UP} ${hand}; (${SEEN}) | sort; echo --; (heal links) 2>&1; (heal links) 2>&1; (${SEEN}) | sort`,
      machine.payload(all),
    );
    const [before, after] = stdout.split("--\n");
    expect(after).toBe(before);
    for (const line of of) expect(after).toContain(line);
  });

  test("a link that went: nothing is said; nor is it taken for one that was set down if it has its old number when it comes again", async () => {
    const index = 'index=$(cat "$LINKS/web0/ifindex")';
    const { stdout } = await machine.kernel(
      `${UP} ${index}; ip link del web0; (heal links) 2>&1; cat "$RUN/network.index" | cut -d' ' -f1; ip link add web0 index $index type bridge; (heal links) 2>&1; ip -o link show web0 up | grep -c web0`,
      machine.payload(all),
    );
    expect(stdout).toMatch(/^pub0\nvpc6: put back, as it was gone: interface web0, .*\n1\n$/);
  });

  test("what the operator put on a link that was made again is his, and what he had there before is not ours when it is put back", async () => {
    const { drift, said } = await healed(`${bridge}; ip addr add 2001:db8:5::5/64 dev web0`);
    expect(said?.at(-1)).toBe("code 0");
    expect(drift).toEqual([]);
    machine = Machine.router("sysctl network");
    const { stdout } = await machine.kernel(
      `ip link set web0 up; ip addr add ${GATEWAY}/64 dev web0 nodad; ${UP} ip addr flush dev web0; (heal links); ip -o -6 addr show dev web0 scope global | grep -c web0; grep -c "address web0 ${GATEWAY}/" "$RUN/network"`,
      machine.payload(all),
    );
    expect(stdout).toBe("1\n0\n");
  });

  test("with `adopt` ours takes the place again", async () => {
    const adopt: Resource = { id: "router:vr1", fragments: { ...all[0]?.fragments, adopt: "yes\n" } };
    const { is, was } = await healed("ip -6 route replace default via 2001:db8:ffff::2 dev pub0 metric 512", [
      adopt,
      ...all.slice(1),
    ]);
    expect(is).toEqual(was);
  });

  test("a router that has gone, and one whose packet filter did not load", async () => {
    const { stdout } = await machine.kernel(
      `${UP} ip -6 route del default; true >"$RUN/closed"; (heal links) 2>&1; ip -6 route show default; rm -r "$ETC"; (heal links) 2>&1; ip -6 route show default; echo $?`,
      machine.payload(all),
    );
    expect(stdout).toBe("0\n");
  });
});

test.runIf(namespaces)("an interface that is named by its MAC address is found under its new name", async () => {
  const mac = "02:00:00:00:00:77";
  const tier = await of("Tier", { interface: undefined, mac });
  const { stdout, stderr } = await machine.kernel(
    `ip link set db0 address ${mac}; ${UP} ip link set db0 down; ip link set db0 name data7; (heal links) 2>&1; (observe | grep ^drift); ip -o -6 addr show dev data7 scope global | awk '{ print $4 }'; grep ^interface "$ETC/live/files/network"`,
    machine.payload([...all.slice(0, 2), tier]),
  );
  expect(stderr).toBe("");
  expect(stdout).toBe(
    [
      "vpc6: an interface has another name: data7",
      `${GATEWAY}/64`,
      "interface pub0 keep-ra",
      "interface data7",
      "",
    ].join("\n"),
  );
});
