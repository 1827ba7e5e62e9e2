// What each kind puts on its router, from its arguments.

import { expect, test } from "vitest";
import { UNKNOWN } from "../../../provider/unknown";
import { vlanDevice } from "../../../provider/vlan";
import { arguments_, check, planned, ROUTER, type Values } from "../check";
import { costs } from "../cost";

const fragments = async (kind: keyof typeof arguments_, change: Values = {}, olds: Values = {}) =>
  (await planned(kind, { ...arguments_[kind], ...change }, olds)).fragments as Record<string, string>;

test("a router's skeleton", async () => {
  const { network, nftables, dnsmasq } = await fragments("Router", {
    port: 2222,
    dnsServers: ["2001:db8::53", "9.9.9.9"],
    publicServices: ["udp/51820"],
  });
  expect(network).toContain("address pub0 2001:db8:ffff::10/64\nroute pub0 ::/0 via 2001:db8:ffff::1 metric 512\n");
  expect(nftables).toContain("tcp dport { 22, 2222 } accept");
  expect(nftables).toContain("udp dport 51820 accept");
  expect(dnsmasq).toContain("no-resolv\nserver=2001:db8::53\nserver=9.9.9.9\n");
});

test("a router's table of connections, by its memory or by its number", async () => {
  const lines = async (change: Values) => (await fragments("Router", change)).sysctl?.match(/^[^#].*(max|buckets).*/gm);
  const both = (size: string) => ["max", "buckets"].map((key) => `net.netfilter.nf_conntrack_${key} >= ${size}`);
  expect(await lines({})).toEqual(both("memory/4096"));
  expect(await lines({ connections: 300_000 })).toEqual(both("300000"));
  expect((await planned("Router", { ...arguments_.Router, connections: 300_000 })).connections).toBe(300_000);
  expect((await fragments("Router", { connections: UNKNOWN })).sysctl).toBe(UNKNOWN);
  const { reasons } = await check("Router", { ...arguments_.Router, connections: 65_535 });
  expect(reasons).toEqual(["connections: 65535 is not a whole number (65536 to 16777216)"]);
});

test("an MTU: the link's, in advertisements and in DHCPv4; without one nothing is said of it", async () => {
  const ipv4 = { cidr: "10.1.1.0/24" };
  const none = await fragments("Tier", { ipv4 });
  expect(Object.values(none).join("")).not.toContain("mtu");
  const said = await fragments("Tier", { ipv4, mtu: 9000 });
  expect(said.network).toBe(none.network?.replace("interface web0\n", "interface web0\nmtu web0 9000\n"));
  expect(said.dnsmasq?.replace("mtu:9000,", "").replace("dhcp-option=tag:web0,option:mtu,9000\n", "")).toBe(
    none.dnsmasq,
  );
  expect(said.dnsmasq).toContain("ra-param=web0,mtu:9000,30,1800\n");
  const { network } = await fragments("Tier", { grant: undefined, ipv4, mtu: 1400 });
  expect(network).toBe("interface web0 ipv4\nmtu web0 1400\naddress web0 10.1.1.1/24\n");
  const isolated = await fragments("IsolatedNetwork", { interface: undefined, mac: "02:00:00:00:00:11", mtu: 1400 });
  expect(isolated.network).toContain("interface mac-020000000011\nmtu mac-020000000011 1400\n");
  expect((await fragments("Router", { publicMtu: 1400 })).network).toMatch(/^interface pub0 keep-ra\nmtu pub0 1400\n/);
  expect((await fragments("Tier", { mtu: UNKNOWN })).network).toBe(UNKNOWN);
  expect(await planned("Tier", { ...arguments_.Tier, mtu: 9000 })).toMatchObject({ mtu: 9000 });
});

test("a tier on a VLAN: the link that carries it, its name, and what it is called everywhere else", async () => {
  const of = async (change: Values) => {
    const inputs = await planned("Tier", { ...arguments_.Tier, ...change });
    const lines = (inputs.fragments as Record<string, string>).network?.split("\n").slice(0, 2);
    return { interface: inputs.interface, trunk: inputs.trunk, vlan: inputs.vlan, lines };
  };
  expect(await of({ interface: "trunk0", vlan: 101 })).toMatchObject({
    interface: "trunk0.101",
    trunk: "trunk0",
    vlan: 101,
    lines: ["vlan trunk0.101 trunk0 101", "interface trunk0.101"],
  });
  // What it had before it was the router's to make is called the same.
  const { nftables, guard, dnsmasq } = await fragments("Tier", { interface: "trunk0", vlan: 101 });
  const plain = await fragments("Tier", { interface: "trunk0.101" });
  expect(dnsmasq).toBe(plain.dnsmasq);
  expect(nftables?.replace('add element inet vpc6 trunks { "trunk0" }\n', "")).toBe(plain.nftables);
  expect(guard).toBe(`${plain.guard}add element inet vpc6_guard trunks { "trunk0" }\n`);
  // Fifteen characters are what a name may have. A longer one is short, the same each time, and no other's.
  expect((await of({ interface: "enp129s0f0n", vlan: 101 })).interface).toBe("enp129s0f0n.101");
  const long = await of({ interface: "enp129s0f0np", vlan: 4094 });
  expect(long).toMatchObject({ interface: "vlan4094-3nn4yw", trunk: "enp129s0f0np" });
  const byMac = await of({ interface: undefined, mac: "02:00:00:00:aa:02", vlan: 101 });
  expect(byMac.interface).toMatch(/^vlan101-[0-9a-z]{6}$/);
  expect(byMac.lines?.[0]).toBe(`vlan ${byMac.interface} mac-02000000aa02 101`);
  const names = Array.from({ length: 2000 }, (_, index) => vlanDevice(`enp129s0f0np${index}`, 101));
  expect(new Set(names).size).toBe(2000);
  expect(names.every((it) => it.length <= 15)).toBe(true);
});

test("the public side on a VLAN, and an isolated network on one", async () => {
  const inputs = await planned("Router", { ...arguments_.Router, publicInterface: "trunk0", publicVlan: 7 });
  expect(inputs).toMatchObject({ publicInterface: "trunk0.7", publicTrunk: "trunk0", publicVlan: 7 });
  const { network, nftables, guard } = inputs.fragments as Record<string, string>;
  expect(network).toMatch(/^vlan trunk0\.7 trunk0 7\ninterface trunk0\.7 keep-ra\naddress trunk0\.7 /);
  for (const text of [nftables, guard]) {
    expect(text).toContain('set trunks { type ifname; elements = { "trunk0" }; }');
    expect(text).toContain('"trunk0.7"');
  }
  const isolated = await fragments("IsolatedNetwork", { interface: "trunk0", vlan: 101 });
  expect(isolated.network).toContain("vlan trunk0.101 trunk0 101\ninterface trunk0.101\n");
});

test("a VLAN's id, and what is not known yet", async () => {
  for (const [vlan, why] of [
    [0, "vlan: 0 is not a VLAN id (1 to 4094)"],
    [4095, "vlan: 4095 is not a VLAN id (1 to 4094)"],
    ["101", 'vlan: "101" is not a VLAN id (1 to 4094); it is a text: write the number, without quotes'],
  ] as const) {
    const { reasons } = await check("Tier", { ...arguments_.Tier, interface: "trunk0", vlan });
    expect(reasons[0]).toContain(why);
  }
  const late = await planned("Tier", { ...arguments_.Tier, interface: "trunk0", vlan: UNKNOWN });
  expect(late.interface).toBe(UNKNOWN);
  expect((late.fragments as Values).network).toBe(UNKNOWN);
});

test("a router that was renamed is told of by its first name", async () => {
  const old = await planned("Router", arguments_.Router);
  const renamed = await planned("Router", { ...arguments_.Router, claim: "edge" }, old);
  expect(renamed.router).toMatch(/^vr1 /);
});

test.each([
  ["2001:db8:ffff::/64", "fe80::1", "2001:db8:ffff::10/64", "route pub0 ::/0 via fe80::1"],
  [
    "2001:db8:ffff::/64",
    "2001:db8:1::1",
    "2001:db8:ffff::10/64",
    "onlink pub0 2001:db8:1::1/128\nroute pub0 ::/0 via 2001:db8:1::1",
  ],
  ["2001:db8:ffff::10/127", "2001:db8:ffff::11", "2001:db8:ffff::10/127", "route pub0 ::/0 via 2001:db8:ffff::11"],
  ["2001:db8:ffff::10/128", "fe80::1", "2001:db8:ffff::10/128", "route pub0 ::/0 via fe80::1"],
])("a router on %s, behind the gateway %s", async (cidr, gateway, address, route) => {
  const { network } = await fragments("Router", { publicNetwork: { cidr, gateway } });
  expect(network).toContain(`address pub0 ${address}\n${route} metric 512\n`);
});

test("a router without a public network keeps its own addresses", async () => {
  const { network } = await fragments("Router", { publicNetwork: undefined, addressGrant: undefined });
  expect(network).toBe("interface pub0 keep-ra\n");
});

test("a VPC", async () => {
  expect(await fragments("Vpc")).toEqual({
    sysctl: "net.ipv6.conf.all.forwarding = 1\n",
    network: "address lo 2001:67c:2834::1/128\nunreachable 2001:67c:2834::/60\n",
    nftables: "add element inet vpc6 networks { 2001:67c:2834::/60 }\n",
  });
});

test("a VPC without IPv6 runs no IPv6 command, and neither do its tiers", async () => {
  expect(await fragments("Vpc", { ipv6: false, grant: undefined })).toEqual({});
  expect(await fragments("Tier", { grant: undefined })).toEqual({});
});

const IPV4 = { cidr: "10.1.1.0/24" };
const instanceOf = (change: Values) =>
  fragments("Instance", {
    ipv4Grant: { value: "10.1.1.2" },
    ...change,
    tier: { ...arguments_.Instance.tier, dhcp4: true },
  });

test("a dual-stack tier: what it has without IPv4 and the IPv4 side", async () => {
  const six = await fragments("Tier");
  const { ipv4, fragments: both } = await planned("Tier", {
    ...arguments_.Tier,
    vpc: { ...arguments_.Tier.vpc, name: "shop" },
    ipv4: IPV4,
  });
  expect(ipv4).toEqual({ cidr: "10.1.1.0/24", gateway: "10.1.1.1", dhcp: true });
  const texts = both as Record<string, string>;
  for (const slot of ["network", "nftables", "dnsmasq"]) expect(texts[slot]?.startsWith(six[slot] ?? "?")).toBe(true);
  expect(texts.sysctl).toBe("net.ipv4.ip_forward = 1\n");
  expect(texts.network?.slice(six.network?.length)).toBe("address web0 10.1.1.1/24\n");
  expect(texts.nftables?.slice(six.nftables?.length)).toBe(`add element inet vpc6 ipv4_tiers { "web0" }
add rule inet vpc6 ipv4_inside ip saddr 10.1.1.0/24 drop
add element inet vpc6 ipv4_gateways { "web0" . 10.1.1.1 }
table inet vpc6 {
	# The tiers of one VPC, and the way from this one to none but them.
	set ipv4/shop { type ifname; elements = { "web0" }; }
	chain ipv4/web0 { oifname != @ipv4/shop drop; }
}
add element inet vpc6 ipv4_ways { "web0" : goto ipv4/web0 }
`);
  expect(texts.dnsmasq?.slice(six.dnsmasq?.length)).toBe(`domain=web.shop.internal,10.1.1.0/24,local
dhcp-range=set:web0,10.1.1.0,static,255.255.255.0,1h
dhcp-option=tag:web0,option:router,10.1.1.1
dhcp-option=tag:web0,option:dns-server,10.1.1.1
dhcp-option=tag:web0,option:domain-search,web.shop.internal,shop.internal
# To answer a guest by its address dnsmasq would put it into the ARP table, in place of the permanent entry.
dhcp-broadcast=tag:web0
`);
});

test("a tier without IPv4 says nothing of it: old state previews empty", async () => {
  const before = await planned("Tier", { ...arguments_.Tier, claims: [{ kind: "instance", name: "web1" }] });
  expect(JSON.stringify(before)).not.toMatch(/ipv4|IPv4/);
  const again = await planned(
    "Tier",
    {
      ...arguments_.Tier,
      claims: [{ kind: "instance", name: "web1" }],
      ipv4Others: [{ name: "x", cidr: "10.0.0.0/8" }],
    },
    before,
  );
  expect(again).toEqual(before);
  const one = await planned("Instance", arguments_.Instance);
  expect(JSON.stringify(one)).not.toMatch(/ipv4/i);
});

test("without DHCPv4, or without IPv6", async () => {
  const { dnsmasq } = await fragments("Tier", { ipv4: { ...IPV4, dhcp: false } });
  expect(dnsmasq).not.toMatch(/dhcp-range=.*10\.1\.1|dhcp-broadcast/);
  const four = await fragments("Tier", { grant: undefined, ipv4: { cidr: "10.0.0.0/8", gateway: "10.255.255.254" } });
  expect(four.network).toBe("interface web0 ipv4\naddress web0 10.255.255.254/8\n");
  expect(Object.values(four).join("")).not.toMatch(/ra-param|option6|::|hoplimit/);
  expect(four.dnsmasq).toContain("dhcp-range=set:web0,10.0.0.0,static,255.0.0.0,1h\n");
});

test("an instance of a dual-stack tier; one without IPv6; one in a tier without DHCPv4", async () => {
  const both = await instanceOf({});
  expect(both["dhcp-hosts"]).toBe("02:00:00:00:01:11,[2001:67c:2834:1::10],10.1.1.2,web1\n");
  expect(both["dns-hosts"]).toBe("2001:67c:2834:1::10 web1.web.shop.internal\n10.1.1.2 web1.web.shop.internal\n");
  expect(both.network).toBe(
    "neighbor web0 2001:67c:2834:1::10 02:00:00:00:01:11\nneighbor web0 10.1.1.2 02:00:00:00:01:11\n",
  );
  expect(both.nftables).toContain('\nadd element inet vpc6 ipv4_guests { "web0" . 02:00:00:00:01:11 . 10.1.1.2 }\n');
  const four = await instanceOf({ grant: undefined, ipv6: false });
  expect(four).toEqual({
    "dhcp-hosts": "02:00:00:00:01:11,10.1.1.2,web1\n",
    "dns-hosts": "10.1.1.2 web1.web.shop.internal\n",
    network: "neighbor web0 10.1.1.2 02:00:00:00:01:11\n",
    nftables:
      'add element inet vpc6 ipv4_guests { "web0" . 02:00:00:00:01:11 . 10.1.1.2 }\n' +
      'add element inet vpc6 ipv4_addresses { "web0" . 10.1.1.2 }\n',
  });
  // Without IPv4 it is what a guest of a tier without IPv4 is.
  expect(await fragments("Instance", { ipv4: false, tier: { ...arguments_.Instance.tier, dhcp4: true } })).toEqual(
    await fragments("Instance", {}),
  );
  const still = await fragments("Instance", { ipv4Grant: { value: "10.1.1.2" } });
  expect(still["dhcp-hosts"]).not.toContain("10.1.1.2");
  expect(still["dns-hosts"]).toContain("10.1.1.2");
});

test("an address that guests share has no permanent neighbor and is held by all of them; one guest's alone has one", async () => {
  const shared = await fragments("SecondaryAddress", { ipv4Grant: { value: "10.1.1.9" } });
  expect(shared).toEqual({
    "dns-hosts": "2001:67c:2834:1::20 vip.web.shop.internal\n10.1.1.9 vip.web.shop.internal\n",
    nftables: [
      'inet vpc6 addresses { "web0" . 2001:67c:2834:1::20 }',
      'inet vpc6 guests { "web0" . 02:00:00:00:01:11 . 2001:67c:2834:1::20 }',
      'inet vpc6 guests { "web0" . 02:00:00:00:01:12 . 2001:67c:2834:1::20 }',
      'inet vpc6 shared_addresses { "web0" . 0x2001067c283400010000000000000020 }',
      'inet vpc6 shared_guests { "web0" . 02:00:00:00:01:11 . 0x2001067c283400010000000000000020 }',
      'inet vpc6 shared_guests { "web0" . 02:00:00:00:01:12 . 0x2001067c283400010000000000000020 }',
      'inet vpc6 ipv4_addresses { "web0" . 10.1.1.9 }',
      'inet vpc6 ipv4_guests { "web0" . 02:00:00:00:01:11 . 10.1.1.9 }',
      'inet vpc6 ipv4_guests { "web0" . 02:00:00:00:01:12 . 10.1.1.9 }',
      'arp vpc6_shares arp_shared_addresses { "web0" . 10.1.1.9 }',
      'arp vpc6_shares arp_shared_guests { "web0" . 02:00:00:00:01:11 . 02:00:00:00:01:11 . 10.1.1.9 }',
      'arp vpc6_shares arp_shared_guests { "web0" . 02:00:00:00:01:12 . 02:00:00:00:01:12 . 10.1.1.9 }',
    ]
      .map((it) => `add element ${it}\n`)
      .join(""),
  });
  const [guest] = arguments_.SecondaryAddress.guests;
  const alone = await fragments("SecondaryAddress", { guests: [guest], ipv4Grant: { value: "10.1.1.9" } });
  expect(alone.network).toBe(
    "neighbor web0 2001:67c:2834:1::20 02:00:00:00:01:11\nneighbor web0 10.1.1.9 02:00:00:00:01:11\n",
  );
  expect(alone.nftables).not.toContain("shared_");
  const four = await fragments("SecondaryAddress", { grant: undefined, ipv4Grant: { value: "10.1.1.9" } });
  expect(Object.values(four).join("")).not.toContain("2001:");
});

test("who may use an address is one list: a guest more, or another MAC address, is an update in place", async () => {
  const before = await planned("SecondaryAddress", arguments_.SecondaryAddress);
  const guests = [{ name: "web3", mac: "02:00:00:00:01:13" }];
  const after = await planned("SecondaryAddress", { ...arguments_.SecondaryAddress, guests }, before);
  expect({ ...after, fragments: 0, guests: 0 }).toEqual({ ...before, fragments: 0, guests: 0 });
});

const claimsOf = (...names: string[]) => names.flatMap((name) => ["instance", "ipv4"].map((kind) => ({ kind, name })));

test("a tier's IPv4 ledger: sticky, without network, gateway and broadcast; explicit ones refused with the reason", async () => {
  const given = { ...arguments_.Tier, ipv4: { cidr: "10.1.1.0/29", gateway: "10.1.1.2" } };
  const before = await planned("Tier", { ...given, claims: claimsOf("b", "c") });
  expect(before.ledger).toMatch(/, 2 of 5 IPv4 addresses in use\n/);
  expect(before.ledger).toMatch(/^ipv4 +10\.1\.1\.1 +b\nipv4 +10\.1\.1\.3 +c$/m);
  const wishes = ["10.1.1.0", "10.1.1.2", "10.1.1.7", "10.1.1.3", "10.1.2.1"].map((value, index) => ({
    kind: "ipv4",
    name: `x${index}`,
    value,
  }));
  const { ledger } = await planned("Tier", { ...given, claims: [...claimsOf("a", "b", "c"), ...wishes] }, before);
  expect(ledger).toMatch(/^ipv4 +10\.1\.1\.1 +b\nipv4 +10\.1\.1\.3 +c\nipv4 +10\.1\.1\.4 +a$/m);
  for (const reason of [
    "x0  10.1.1.0 is reserved for the network itself",
    "x1  10.1.1.2 is reserved for the gateway",
    "x2  10.1.1.7 is reserved for broadcasts",
    "x3  10.1.1.3 is held by c",
    "x4  10.1.2.1 is not inside 10.1.1.0/29",
  ]) {
    expect(ledger).toContain(reason);
  }
  const { reasons } = await check(
    "Tier",
    { ...given, ipv4: { cidr: "10.1.1.0/30" }, claims: claimsOf("b", "c") },
    before,
  );
  expect(reasons.join("\n")).toContain("c would lose its IPv4 address");
});

test("a tier whose networks move takes its guests along in each family, and only in that", async () => {
  const claims = claimsOf("a", "b");
  const before = await planned("Tier", { ...arguments_.Tier, ipv4: IPV4, claims });
  const moved = { ...arguments_.Tier, ipv4: { cidr: "172.16.5.0/24" }, claims: claims.slice(2) };
  const after = await planned("Tier", moved, before);
  expect(after.ledger).toMatch(/^instance +2001:67c:2834:1::11 +b$/m);
  expect(after.ledger).toMatch(/^ipv4 +172\.16\.5\.3 +b$/m);
  const six = await planned(
    "Tier",
    { ...moved, grant: { value: "2001:67c:2834:7::/64" }, cidr: "2001:67c:2834:7::/64" },
    after,
  );
  expect(six.ledger).toMatch(/^instance +2001:67c:2834:7::11 +b$/m);
  expect(six.ledger).toMatch(/^ipv4 +172\.16\.5\.3 +b$/m);
  // IPv4 given up, and taken again later: a new start.
  const without = await planned("Tier", { ...arguments_.Tier, claims: [{ kind: "instance", name: "b" }] }, before);
  expect(without.ledger).not.toContain("ipv4");
});

test("a /8 is no burden", async () => {
  const claims = Array.from({ length: 2000 }, (_, index) => ({ kind: "ipv4", name: `n${index}` }));
  const within = (cidr: string, room: number) => async () => {
    const given = { ...arguments_.Tier, grant: undefined, ipv4: { cidr }, claims };
    const first = await planned("Tier", given);
    expect((await planned("Tier", given, first)).ledger).toBe(first.ledger);
    expect(first.ledger).toContain(`2000 of ${room} IPv4 addresses in use\n`);
  };
  // Of 8,192 times as many addresses as a /21 has.
  expect(await costs(within("10.0.0.0/8", 16777213), within("10.0.0.0/21", 2045), 10)).toBeLessThan(10);
});

test("a balancer's member that knows IPv4 only", async () => {
  const members = [{ instance: { name: "db1", address: "10.1.2.1", ours: true }, port: 8080 }];
  expect((await fragments("LoadBalancer", { members })).haproxy).toContain("\tserver db1 10.1.2.1:8080 weight 1\n");
});

test("a tier, with NTP servers, an own gateway, and an interface given by MAC", async () => {
  const { network, dnsmasq, nftables } = await fragments("Tier", {
    interface: undefined,
    mac: "02-00-00-00-00-AA",
    gateway: "2001:67c:2834:1::fe",
    vpc: { name: "shop", domain: "shop.internal", ntpServers: ["2001:db8::123", "2001:db8::124"] },
  });
  expect(network).toBe("interface mac-0200000000aa\naddress mac-0200000000aa 2001:67c:2834:1::fe/64 nodad\n");
  expect(nftables).toContain('add element inet vpc6 tiers { "mac-0200000000aa" }');
  expect(dnsmasq).toContain("dhcp-range=set:mac-0200000000aa,2001:67c:2834:1::,static,64,1h\n");
  expect(dnsmasq).toContain("option6:ntp-server,[2001:db8::123],[2001:db8::124]\n");
  expect(dnsmasq).toContain("option6:domain-search,web.shop.internal,shop.internal\n");
});

test("an instance by MAC, by DUID, by both", async () => {
  const byMac = await fragments("Instance");
  expect(byMac["dhcp-hosts"]).toBe("02:00:00:00:01:11,[2001:67c:2834:1::10],web1\n");
  expect(byMac["dns-hosts"]).toBe("2001:67c:2834:1::10 web1.web.shop.internal\n");
  const byDuid = await fragments("Instance", { mac: undefined, duid: "00:04:AA:BB:CC" });
  expect(byDuid["dhcp-hosts"]).toBe("id:00:04:aa:bb:cc,[2001:67c:2834:1::10],web1\n");
  expect(byDuid.network).toBeUndefined();
  expect(byDuid.nftables).toContain("guests_by_address");
  expect((await fragments("Instance", { duid: "00:04:aa:bb:cc" }))["dhcp-hosts"]).toBe(byMac["dhcp-hosts"]);
});

// What dnsmasq's option.c takes of a host line for something else than a name; and what is nearly that.
test.each(["ignore", "infinite", "10", "2h", "45m", "120", "1w", "0s", "7d"])(
  "an instance that is called %s has that name",
  async (word) => {
    for (const given of [{ claim: word }, { hostname: word.toUpperCase() }]) {
      const { "dhcp-hosts": lease, "dns-hosts": names } = await fragments("Instance", given);
      expect(lease).toMatch(new RegExp(`,\\[2001:67c:2834:1::10\\],${word}\\.web\\.shop\\.internal\\n$`));
      expect(names).toBe(`2001:67c:2834:1::10 ${word}.web.shop.internal\n`);
    }
  },
);

test.each(["ignored", "h", "2x", "10-1", "1h2", "infinite2"])("nothing is said of the domain of %s", async (name) => {
  const { "dhcp-hosts": lease } = await fragments("Instance", { hostname: name });
  expect(lease?.endsWith(`,${name}\n`)).toBe(true);
});

test("dnsmasq reads whole lines, however long the names, the identities and the lists", async () => {
  const label = (it: string) => it.repeat(63);
  const domain = [label("a"), label("b"), "c".repeat(52)].join(".");
  const server = (index: number) => `2001:1db8:1111:2222:3333:4444:5555:${index + 1000}`;
  const vpc = { name: "shop", domain, ntpServers: Array.from({ length: 23 }, (_, index) => server(index)) };
  const tier = await fragments("Tier", {
    vpc,
    claim: label("d"),
    interface: "i".repeat(15),
    ipv4: { cidr: "10.1.1.0/24" },
  });
  const instance = await fragments("Instance", {
    // A name in DNS is no longer than this.
    hostname: "12345678",
    duid: Array(130).fill("00").join(":"),
    grant: { value: "2001:db8:1111:2222:3333:4444:5555:1000" },
    ipv4Grant: { value: "198.198.198.198" },
    tier: { interface: "i".repeat(15), domain: `${label("d")}.${domain}`, dhcp4: true },
  });
  const lines = [tier.dnsmasq, instance["dhcp-hosts"], instance["dns-hosts"]].join("").split("\n");
  expect(lines.filter((it) => it.length > 1024)).toEqual([]);
  expect(Math.max(...lines.map((it) => it.length))).toBeGreaterThan(1000);
});

test("an instance with a password: who asks whom for it, and a placeholder", async () => {
  const change = {
    password: "correct-horse",
    tier: { ...arguments_.Instance.tier, gateway: "2001:67c:2834:1::1" },
  };
  const inputs = await planned("Instance", { ...arguments_.Instance, ...change });
  const { nftables, passwords } = inputs.fragments as Record<string, string>;
  expect(passwords).toMatch(
    /^2001:67c:2834:1::1 data-server\.web\.shop\.internal 2001:67c:2834:1::10 \{\{password:[0-9a-f]{4}\}\}\n$/,
  );
  expect(nftables).toContain('add element inet vpc6 password_gateways { "web0" . 2001:67c:2834:1::1 }\n');
  expect(inputs.password).toBe("correct-horse");
  expect(await planned("Instance", { ...arguments_.Instance, ...change }, inputs)).toEqual(inputs);
  const other = await planned("Instance", { ...arguments_.Instance, ...change, password: "battery-staple" }, inputs);
  expect(other.fragments).not.toEqual(inputs.fragments);
  const unknown = await fragments("Instance", { ...change, password: UNKNOWN });
  expect(unknown.passwords).toBe(UNKNOWN);
  expect(unknown.nftables).toBe(nftables);
});

test("a load balancer: its address, who may reach it, a line for each member", async () => {
  expect(await fragments("LoadBalancer")).toEqual({
    packages: "haproxy\n",
    network: "address lo 2001:67c:2834::80/128\n",
    nftables: "add element inet vpc6 services { 2001:67c:2834::80 . 80 }\n",
    haproxy: `listen www:2001:67c:2834::80
	bind [2001:67c:2834::80]:80 v6only transparent
	mode http
	balance roundrobin
	# A network of clients has at most an eighth of the connections (defaults, maxconn).
	stick-table type ipv6 size 100k expire 1h store conn_cur
	tcp-request connection track-sc0 src,ipmask(32,64)
	tcp-request connection reject if { sc0_conn_cur gt 1000 }
	option forwardfor
	option idle-close-on-response
	default-server check inter 2s fastinter 500ms downinter 1s rise 2 fall 3
	server web1 [2001:67c:2834:1::10]:8080 weight 1
	server web2 [2001:67c:2834:1::11]:8080 weight 5
`,
  });
});

test("a load balancer for TLS on another's address, with an IPv4 member, checks over HTTPS, for some only", async () => {
  const { network, nftables, haproxy } = await fragments("LoadBalancer", {
    port: 443,
    mode: "ssl-passthrough",
    algorithm: "source",
    health: { http: "/healthz", interval: 5 },
    proxyProtocol: true,
    sources: ["2001:db8::/32", "2001:DB8:1::/48", "2001:67c:2834::/48"],
    grant: undefined,
    shared: "2001:67c:2834::80",
    others: [{ name: "shop", port: 80 }],
    members: [
      { address: "192.0.2.80", port: 443 },
      { address: "192.0.2.80", port: 444 },
    ],
  });
  expect(network).toBeUndefined();
  expect(nftables).toBe(
    "add rule inet vpc6 services ip6 daddr 2001:67c:2834::80 tcp dport 443 ip6 saddr { 2001:db8::/32, 2001:67c:2834::/48 } accept\n",
  );
  expect(haproxy).toContain("mode tcp\n\tbalance source\n");
  expect(haproxy).toContain("\ttcp-request inspect-delay 5s\n");
  expect(haproxy).toContain("\toption httpchk GET /healthz\n");
  expect(haproxy).toContain(
    "check inter 5s fastinter 500ms downinter 1s rise 2 fall 3 check-ssl verify none send-proxy-v2\n",
  );
  expect(haproxy).toContain(
    "server 192.0.2.80 192.0.2.80:443 weight 1\n\tserver 192.0.2.80:444 192.0.2.80:444 weight 1\n",
  );
});

test.each([
  [{ http: "/up" }, ["option httpchk GET /up"]],
  [{ http: "/up", method: "HEAD" }, ["option httpchk HEAD /up"]],
  [{ http: "/up", status: 204 }, ["option httpchk GET /up", "http-check expect status 204"]],
  [{ http: "/up", status: "301-302, 200" }, ["option httpchk GET /up", "http-check expect status 200,301-302"]],
  [
    { http: "/up", host: "www.example.net:8080", method: "OPTIONS", status: "200-299" },
    [
      "option httpchk",
      "http-check send meth OPTIONS uri /up ver HTTP/1.1 hdr Host www.example.net:8080",
      "http-check expect status 200-299",
    ],
  ],
  [
    { http: "/up", host: "[2001:db8::1]" },
    ["option httpchk", "http-check send meth GET uri /up ver HTTP/1.1 hdr Host [2001:db8::1]"],
  ],
] as const)("a health check %o", async (health, lines) => {
  const { haproxy } = await fragments("LoadBalancer", { health });
  expect(haproxy?.match(/(?<=^\t)(?:option httpchk|http-check).*/gm)).toEqual(lines);
});

test.each([
  ["www.example.net:8443", " check-ssl verify none check-sni www.example.net\n"],
  ["192.0.2.1", " check-ssl verify none\n"],
  ["[2001:db8::a]:8443", " check-ssl verify none\n"],
])("over TLS a health check names whom it asks: %s", async (host, end) => {
  const { haproxy } = await fragments("LoadBalancer", { mode: "ssl-passthrough", health: { http: "/", host } });
  expect(haproxy).toContain(`rise 2 fall 3${end}`);
});

test("adding a member is one line, and without members there is still the address", async () => {
  const { members } = arguments_.LoadBalancer;
  const lines = (texts: Values) => Object.values(texts).flatMap((text) => String(text).trimEnd().split("\n"));
  const [one, two] = [
    await fragments("LoadBalancer", { members: members.slice(0, 1) }),
    await fragments("LoadBalancer"),
  ];
  expect(lines(two).filter((line) => !lines(one).includes(line))).toEqual([
    "\tserver web2 [2001:67c:2834:1::11]:8080 weight 5",
  ]);
  expect((await fragments("LoadBalancer", { members: [] })).haproxy).not.toContain("server web");
});

test("a VPC's virtual addresses: ::80 first, explicit ones up to ::ffff, and no word of them where there are none", async () => {
  const claims = [
    { kind: "tier", name: "web" },
    { kind: "vip", name: "b" },
    { kind: "vip", name: "a", value: "2001:67c:2834::80" },
    { kind: "vip", name: "low", value: "2001:67c:2834::7f" },
  ];
  const before = await planned("Vpc", { ...arguments_.Vpc, claims: claims.slice(0, 1) });
  expect(before.ledger).not.toContain("virtual");
  const { ledger } = await planned("Vpc", { ...arguments_.Vpc, claims }, before);
  expect(ledger).toMatch(/^vip +2001:67c:2834::80 +a\nvip +2001:67c:2834::81 +b$/m);
  expect(ledger).toMatch(/refused +vip +low +2001:67c:2834::7f is not inside/);
});

// RFC 6164 section 6: both addresses of a /127 are routers' own. A /126 has a subnet-router anycast address like any other.
test.each([
  ["2001:db8:ffff::/64", "2001:db8:ffff::1", ["2001:db8:ffff::2", "2001:db8:ffff::3", "2001:db8:ffff::4"]],
  ["2001:db8:ffff::/127", undefined, ["2001:db8:ffff::", "-", "-"]],
  ["2001:db8:ffff::/127", "2001:db8:ffff::1", ["2001:db8:ffff::", "-", "-"]],
  ["2001:db8:ffff::/127", "2001:db8:ffff::", ["2001:db8:ffff::1", "-", "-"]],
  ["2001:db8:ffff::2/127", "2001:db8:ffff::3", ["2001:db8:ffff::2", "-", "-"]],
  ["2001:db8:ffff::/127", "fe80::1", ["2001:db8:ffff::", "2001:db8:ffff::1", "-"]],
  ["2001:db8:ffff::/126", undefined, ["2001:db8:ffff::2", "2001:db8:ffff::3", "-"]],
  ["2001:db8:ffff::/126", "fe80::1", ["2001:db8:ffff::1", "2001:db8:ffff::2", "2001:db8:ffff::3"]],
  ["2001:db8:ffff::7/128", "fe80::1", ["2001:db8:ffff::7", "-", "-"]],
  ["2001:db8:ffff::/64", "2001:db8:fffe::2", ["2001:db8:ffff::1", "2001:db8:ffff::2", "2001:db8:ffff::3"]],
])("routers' addresses on %s behind %s", async (cidr, gateway, addresses) => {
  const claims = ["a", "b", "c"].map((name) => ({ kind: "router", name }));
  const publicNetwork = { cidr, ...(gateway && { gateway }) };
  const { ledger } = await planned("Zone", { ...arguments_.Zone, publicNetwork, claims });
  const of = ({ name }: { name: string }) =>
    new RegExp(`^router +(\\S+) +${name}$`, "m").exec(ledger as string)?.[1] ?? "-";
  expect(claims.map(of), ledger as string).toEqual(addresses);
});

test.each([
  ["/127", "2001:db8:ffff::", undefined, "2001:db8:ffff::"],
  ["/126", "2001:db8:ffff::", undefined, "reserved for the subnet-router anycast address (RFC 4291 section 2.6.1)"],
  ["/127", "2001:db8:ffff::1", undefined, "reserved for the gateway"],
  ["/127", "2001:db8:ffff::1", "fe80::1", "2001:db8:ffff::1"],
])("a router's address of its own on a %s: %s behind %s", async (length, value, gateway, says) => {
  const publicNetwork = { cidr: `2001:db8:ffff::${length}`, ...(gateway && { gateway }) };
  const claims = [{ kind: "router", name: "a", value }];
  const { ledger } = await planned("Zone", { ...arguments_.Zone, publicNetwork, claims });
  expect(ledger).toMatch(says === value ? new RegExp(`^router +${value} +a$`, "m") : says);
});

// 0 is no router id (RFC 6286 section 2.1), and a router on a /127 may have the address `::` of it.
test("a router id is never 0", async () => {
  const idOf = async (kind: "BgpPeer" | "Uplink", change: Values) =>
    / bgp router-id (\S+)$/m.exec((await fragments(kind, change)).frr ?? "")?.[1];
  expect(await idOf("BgpPeer", { routerAddress: "2001:db8:ffff::10" })).toBe("0.0.0.16");
  expect(await idOf("BgpPeer", { routerAddress: "2001:db8:ffff::" })).toMatch(/^(?!0\.0\.0\.0$)\d+(\.\d+){3}$/);
  expect(await idOf("Uplink", { address: "2001:db8:ffff::" })).toMatch(/^(?!0\.0\.0\.0$)\d+(\.\d+){3}$/);
});

test.each([
  ["LoadBalancer", "port"],
  ["LoadBalancer", "mode"],
  ["LoadBalancer", "health"],
  ["LoadBalancer", "algorithm"],
  ["LoadBalancer", "proxyProtocol"],
  ["LoadBalancer", "members"],
  ["LoadBalancer", "sources"],
  ["LoadBalancer", "grant"],
  ["Router", "publicInterface"],
  ["Router", "dnsServers"],
  ["Router", "publicNetwork"],
  ["Vpc", "grant"],
  ["Vpc", "claims"],
  ["Tier", "interface"],
  ["Tier", "grant"],
  ["Tier", "vpc"],
  ["Tier", "domain"],
  ["Tier", "ipv4"],
  ["Instance", "mac"],
  ["Instance", "grant"],
  ["Instance", "hostname"],
  ["Instance", "tier"],
  ["Instance", "ipv4Grant"],
  ["SecondaryAddress", "guests"],
  ["SecondaryAddress", "grant"],
  ["SecondaryAddress", "ipv4Grant"],
  ["SecondaryAddress", "hostname"],
  ["SecondaryAddress", "tier"],
  ["BgpPeer", "remoteAsn"],
  ["BgpPeer", "address"],
  ["BgpPeer", "timers"],
  ["BgpPeer", "import"],
  ["BgpPeer", "cidr"],
  ["BgpPeer", "asn"],
  ["BgpPeer", "zone"],
  ["BgpPeer", "routerAddress"],
  ["BgpPeer", "bfd"],
  ["Uplink", "asn"],
  ["Uplink", "address"],
  ["Uplink", "sessions"],
  ["Uplink", "neighbors"],
  ["Uplink", "zone"],
] as const)("%s with an unknown %s: no error, and no text that pretends to know", async (kind, property) => {
  const given: Values = arguments_[kind];
  const before = JSON.stringify(await planned(kind, given));
  const inputs = await planned(kind, { ...given, [property]: UNKNOWN });
  expect(JSON.stringify(inputs)).toContain(UNKNOWN);
  expect(JSON.stringify(inputs)).not.toBe(before);
  // An unknown text is the engine's mark and nothing else, or the CLI prints the mark.
  const texts = JSON.stringify(inputs).match(new RegExp(`"[^"]*${UNKNOWN}[^"]*"`, "g")) ?? [];
  expect(new Set(texts)).toEqual(new Set([`"${UNKNOWN}"`]));
});

test("a rename keeps default names and ids", async () => {
  const before = await planned("Tier", arguments_.Tier);
  const after = await planned("Tier", { ...arguments_.Tier, claim: "front" }, before);
  expect(after).toEqual({ ...before, claim: "front", firstName: "web" });
});

test("a rename that would renumber is refused", async () => {
  const before = await planned("Tier", arguments_.Tier);
  const moved = { ...arguments_.Tier, claim: "front", grant: { value: "2001:67c:2834:2::/64" } };
  await expect(planned("Tier", moved, before)).rejects.toThrow(
    /"front" was "web" and would move from .*1::\/64.* to .*2::\/64.* another resource is "web" now/,
  );
});

test("a VPC that moves takes its tiers along, a tier its instances", async () => {
  const claims = [{ kind: "tier", name: "web" }];
  const before = await planned("Vpc", { ...arguments_.Vpc, claims: [{ kind: "tier", name: "db" }, ...claims] });
  expect(before.ledger).toContain("2001:67c:2834:2::/64      web");
  const grant = { value: "2001:67c:2834:30::/60" };
  const after = await planned("Vpc", { ...arguments_.Vpc, claims, grant, cidr: grant.value }, before);
  expect(after.ledger).toContain("2001:67c:2834:32::/64     web");
});

test("an isolated network: what a tier has, and what a VPC would give it", async () => {
  expect(await fragments("IsolatedNetwork")).toEqual({
    sysctl: "net.ipv6.conf.all.forwarding = 1\n",
    network: "unreachable 2001:db8:2800::/64\ninterface db0\naddress db0 2001:db8:2800::1/64 nodad\n",
    nftables: `add element inet vpc6 networks { 2001:db8:2800::/64 }
add element inet vpc6 tiers { "db0" }
add element inet vpc6 gateways { "db0" . 2001:db8:2800::1 }
add element inet vpc6_shares share_tiers { "db0" }
add element arp vpc6_shares arp_tiers { "db0" }
`,
    guard: 'add element inet vpc6_guard guarded { "db0" }\n',
    dnsmasq: `interface=db0
ra-param=db0,30,1800
dhcp-range=set:db0,2001:db8:2800::,static,64,1h
domain=printers.internal,2001:db8:2800::/64,local
dhcp-option=tag:db0,option6:dns-server,[2001:db8:2800::1]
dhcp-option=tag:db0,option6:domain-search,printers.internal
`,
  });
});

test("a BGP session", async () => {
  expect(await fragments("BgpPeer")).toEqual({
    packages: "frr\nfrr-pythontools\n",
    nftables: "add element inet vpc6 bgp_neighbors { 2001:db8:ffff::1 }\n",
    frr: `! 2001:67c:2834:20::/60 to AS65000 at 2001:db8:ffff::1
ipv6 prefix-list vpc6-in-2001:db8:ffff::1 seq 33 deny 2001:67c:2834:20::/60 le 128
ipv6 prefix-list vpc6-in-2001:db8:ffff::1 seq 4294900000 permit 2001:67c:2834::/50 ge 60 le 64
ipv6 prefix-list vpc6-out-2001:db8:ffff::1 seq 33 permit 2001:67c:2834:20::/60
ipv6 prefix-list vpc6-out-2001:db8:ffff::1 seq 4294967295 deny ::/0 le 128
!
route-map vpc6-in permit 10
 set ipv6 next-hop prefer-global
exit
!
route-map vpc6-out-2001:db8:ffff::10 permit 10
 set ipv6 next-hop global 2001:db8:ffff::10
exit
!
router bgp 4200000000
 bgp router-id 0.0.0.16
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor 2001:db8:ffff::1 remote-as 65000
 neighbor 2001:db8:ffff::1 timers 10 30
 neighbor 2001:db8:ffff::1 timers connect 5
 neighbor 2001:db8:ffff::1 update-source 2001:db8:ffff::10
 !
 address-family ipv6 unicast
  network 2001:67c:2834:20::/60
  neighbor 2001:db8:ffff::1 activate
  neighbor 2001:db8:ffff::1 allowas-in 1
  neighbor 2001:db8:ffff::1 prefix-list vpc6-in-2001:db8:ffff::1 in
  neighbor 2001:db8:ffff::1 prefix-list vpc6-out-2001:db8:ffff::1 out
  neighbor 2001:db8:ffff::1 route-map vpc6-in in
  neighbor 2001:db8:ffff::1 route-map vpc6-out-2001:db8:ffff::10 out
 exit-address-family
exit
!
`,
  });
});

test("a BGP session with filters, a default route, timers, over several hops", async () => {
  const { frr = "" } = await fragments("BgpPeer", {
    address: "2001:DB8:1::9",
    multihop: 3,
    acceptDefault: true,
    timers: { hold: 9, keepalive: 3 },
    import: ["2001:67c:2834:100::/56", "2001:67c:2834:40::/60", "2001:67c:2834:55::/64"],
    export: ["2001:67c:2834:20::/61"],
  });
  const lists = frr.split("\n").filter((line) => line.startsWith("ipv6 prefix-list"));
  expect(lists.map((line) => line.replace(/^ipv6 prefix-list vpc6-(\w+)-2001:db8:1::9 seq /, "$1 "))).toEqual([
    "in 33 deny 2001:67c:2834:20::/60 le 128",
    "in 4294900000 permit 2001:67c:2834:100::/56 ge 60 le 64",
    "in 4294900001 permit 2001:67c:2834:40::/60 le 64",
    "in 4294900002 permit 2001:67c:2834:55::/64",
    "in 4294967295 permit ::/0",
    "out 33 permit 2001:67c:2834:20::/61",
    "out 4294967295 deny ::/0 le 128",
  ]);
  expect(frr).toContain(" neighbor 2001:db8:1::9 ebgp-multihop 3\n neighbor 2001:db8:1::9 timers 3 9\n");
  expect(frr).toContain("  network 2001:67c:2834:20::/61\n");
});

test.each([
  ["BgpPeer", {}],
  ["Uplink", {}],
  ["Uplink", { accept: "supernet" }],
] as const)("FRR has BFD before the address that it is sent from: %s %o", async (kind, change) => {
  const { frr = "" } = await fragments(kind, { ...change, bfd: true });
  const lines = frr.split("\n");
  const sources = lines.flatMap((line, index) => (line.includes(" update-source ") ? index : []));
  expect(sources.length).toBeGreaterThan(0);
  expect(Math.min(...sources)).toBeGreaterThan(lines.findLastIndex((line) => / bfd( |$)/.test(line)));
});

test("a neighbor that is not on the public network is spoken with from wherever the way to it begins", async () => {
  const { frr } = await fragments("BgpPeer", { address: "2001:DB8:1::9", multihop: 3 });
  expect(frr).not.toContain("update-source");
});

test.each(["BgpPeer", "Uplink"] as const)(
  "keepalives of a %s are said as FRR sends them: three in hold at least",
  async (kind) => {
    const said = async (timers: object) =>
      / timers (\d+ \d+)$/m.exec((await fragments(kind, { timers })).frr ?? "")?.[1];
    expect(await said({ keepalive: 12, hold: 30 })).toBe("10 30");
    expect(await said({ keepalive: 9, hold: 30 })).toBe("9 30");
    expect(await said({ keepalive: 2, hold: 5 })).toBe("1 5");
  },
);

test("BGP filters of a zone with VPCs of several sizes: from the largest; no two VPCs have one number", async () => {
  const zone = { ...arguments_.BgpPeer.zone, largest: 56 };
  const lists = async (cidr: string, more = {}) =>
    ((await fragments("BgpPeer", { zone, cidr, ...more })).frr ?? "")
      .split("\n")
      .filter((line) => line.startsWith("ipv6 prefix-l"));
  const numbers = async (cidr: string, more = {}) =>
    (await lists(cidr, more)).filter((line) => line.includes(" permit ")).map((line) => Number(line.split(" ")[4]));
  expect((await lists("2001:67c:2834:20::/60"))[1]).toContain(" permit 2001:67c:2834::/50 ge 56 le 64");
  expect((await lists("2001:67c:2834:20::/60", { import: ["2001:67c:2834:100::/57"] }))[1]).toContain(
    " permit 2001:67c:2834:100::/57 le 64",
  );
  // A smaller one does not narrow what the zone's own size lets in.
  expect((await lists("2001:67c:2834:20::/63", { zone: { ...zone, largest: 63 } }))[1]).toContain(" ge 60 le 64");
  // While it comes, some peers of the neighbour have been told and some have not: their lines have different numbers, and are no contradiction.
  const [told] = (await numbers("2001:67c:2834:20::/60")) as [number];
  const [untold] = (await numbers("2001:67c:2834:20::/60", { zone: { ...zone, largest: 60 } })) as [number];
  expect([untold, told]).toEqual([4294900000, 4294852000]);
  // The second /56 and the second /60; two /63s of one /60.
  expect((await numbers("2001:67c:2834:100::/56"))[1]).toBe(257);
  expect((await numbers("2001:67c:2834:10::/60"))[1]).toBe(17);
  const halves = ["2001:67c:2834:20::/64", "2001:67c:2834:21::/64"];
  expect((await numbers("2001:67c:2834:20::/63", { export: halves })).slice(1)).toEqual([33, 34]);
  expect((await numbers("2001:67c:2834:22::/63")).slice(1)).toEqual([35]);
});

test("iBGP needs no exception from the loop check; a router without a public address has a router id all the same", async () => {
  const { frr } = await fragments("BgpPeer", { remoteAsn: 4200000000, routerAddress: undefined });
  expect(frr).not.toContain("allowas-in");
  expect(frr).toMatch(/bgp router-id \d+\.\d+\.\d+\.\d+\n/);
});

test("an uplink: what each VPC router may announce, and what all are told", async () => {
  expect(await fragments("Uplink")).toEqual({
    packages: "frr\nfrr-pythontools\n",
    frr: `! AS65000 at 2001:db8:ffff::1: VPC routers by address, VPCs of 2001:67c:2834::/50
ipv6 prefix-list vpc6-in-2001:db8:ffff::10 seq 1 permit 2001:67c:2834::/60
ipv6 prefix-list vpc6-in-2001:db8:ffff::10 seq 4294967295 deny ::/0 le 128
ipv6 prefix-list vpc6-in-2001:db8:ffff::11 seq 33 permit 2001:67c:2834:20::/60
ipv6 prefix-list vpc6-in-2001:db8:ffff::11 seq 4294967295 deny ::/0 le 128
ipv6 prefix-list vpc6-out-uplink seq 1 permit 2001:67c:2834::/50 ge 60 le 64
!
router bgp 65000
 bgp router-id 0.0.0.1
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor vpc6-uplink peer-group
 neighbor vpc6-uplink timers 10 30
 neighbor vpc6-uplink timers connect 5
 neighbor 2001:db8:ffff::10 remote-as 4200000000
 neighbor 2001:db8:ffff::10 peer-group vpc6-uplink
 neighbor 2001:db8:ffff::10 update-source 2001:db8:ffff::1
 neighbor 2001:db8:ffff::10 description vr1
 neighbor 2001:db8:ffff::11 remote-as 4200000001
 neighbor 2001:db8:ffff::11 peer-group vpc6-uplink
 neighbor 2001:db8:ffff::11 update-source 2001:db8:ffff::1
 neighbor 2001:db8:ffff::11 description vr2
 !
 address-family ipv6 unicast
  neighbor vpc6-uplink activate
  neighbor vpc6-uplink prefix-list vpc6-out-uplink out
  neighbor vpc6-uplink maximum-prefix 100 restart 5
  neighbor 2001:db8:ffff::10 prefix-list vpc6-in-2001:db8:ffff::10 in
  neighbor 2001:db8:ffff::11 prefix-list vpc6-in-2001:db8:ffff::11 in
 exit-address-family
exit
!
`,
  });
});

test("one more VPC is one more line at the uplink; VPCs of other stacks are taken from other stacks' routers", async () => {
  const { frr: before = "" } = await fragments("Uplink");
  const session = { peer: "c", router: ROUTER, address: "2001:db8:ffff::10", asn: 4200000000 };
  const sessions = [...arguments_.Uplink.sessions, { ...session, prefixes: ["2001:67c:2834:10::/60"] }];
  const { frr: after = "" } = await fragments("Uplink", { sessions });
  const added = after.split("\n").filter((line) => !before.split("\n").includes(line));
  expect(added).toEqual(["ipv6 prefix-list vpc6-in-2001:db8:ffff::10 seq 17 permit 2001:67c:2834:10::/60"]);
  expect(after.split("\n")).toHaveLength(before.split("\n").length + 1);

  const routers = [
    { name: "vr1", address: "2001:db8:ffff::10", asn: "4200000000" },
    { name: "vr9", address: "2001:db8:ffff::19", asn: "4200000009" },
  ];
  const { frr = "" } = await fragments("Uplink", {
    reserved: { routers, prefixes: ["2001:67c:2834:30::/60", "2001:67c:2834::/60"] },
  });
  expect(frr).toContain(" neighbor 2001:db8:ffff::19 remote-as 4200000009\n");
  expect(frr.match(/permit 2001:67c:2834:30::\/60/g)).toHaveLength(1);
  expect(frr).toContain("prefix-list vpc6-in-2001:db8:ffff::19 seq 49 permit 2001:67c:2834:30::/60");
  // What this program's own routers announce is theirs alone.
  expect(frr.match(/permit 2001:67c:2834::\/60/g)).toHaveLength(1);
});

test("an uplink that takes the supernet knows no VPC, and listens", async () => {
  const all = { accept: "supernet", sessions: [], announceDefault: true, bfd: { interval: 100 } };
  const { frr = "" } = await fragments("Uplink", all);
  expect(frr).toContain("prefix-list vpc6-in-uplink seq 1 permit 2001:67c:2834::/50 ge 60 le 64\n");
  expect(frr).toContain(" neighbor vpc6-uplink remote-as external\n");
  expect(frr).toContain(" bgp listen range 2001:db8:ffff::/64 peer-group vpc6-uplink\n");
  expect(frr).toContain("  neighbor vpc6-uplink default-originate\n");
  expect(frr).toContain(`bfd
 profile vpc6-100ms-3
  transmit-interval 100
  receive-interval 100
 exit
`);
  const zone = { ...arguments_.Uplink.zone, asn: 65000 };
  const { frr: internal = "" } = await fragments("Uplink", { ...all, zone });
  expect(internal).toContain(" neighbor vpc6-uplink remote-as internal\n");
  expect(internal).toContain("  neighbor vpc6-uplink route-reflector-client\n");
});

test("BFD opens the firewall to the neighbour it is asked for, and no other", async () => {
  expect((await fragments("BgpPeer")).nftables).not.toContain("bfd");
  const { nftables, frr } = await fragments("BgpPeer", { bfd: true });
  expect(nftables).toContain("add element inet vpc6 bfd_neighbors { 2001:db8:ffff::1 }\n");
  expect(frr).toContain(" neighbor 2001:db8:ffff::1 bfd profile vpc6-300ms-3\n");
});

test.each(["cidr", "gateway", "dhcp"])(
  "a tier whose ipv4.%s is unknown: no error, and no text that pretends to know",
  async (property) => {
    const ipv4 = { ...IPV4, [property]: UNKNOWN };
    const inputs = await planned("Tier", { ...arguments_.Tier, ipv4, claims: claimsOf("a") });
    expect((inputs.fragments as Record<string, string>)[property === "dhcp" ? "dnsmasq" : "nftables"]).toBe(UNKNOWN);
    expect(inputs.ledger).toBe(UNKNOWN);
  },
);
