// Nat64: where its prefix comes from, what it renders, and what it leaves as it was in a VPC without one.

import { expect, test } from "vitest";
import { UNKNOWN } from "../../../provider/unknown";
import { arguments_, check, planned, type Values } from "../check";

const nat64 = (change: Values = {}, old?: Values) => planned("Nat64", { ...arguments_.Nat64, ...change }, old);
const fragments = async (change: Values = {}) => (await nat64(change)).fragments as Record<string, string>;
const claim = (name: string, value?: string) => ({ kind: "nat64", name, ...(value && { value }) });
const vpc = (claims: object[], old?: Values) => planned("Vpc", { ...arguments_.Vpc, claims }, old);

test("a translator, its place in the firewall, and a dns64 statement", async () => {
  const { tayga = "", nftables = "", named, packages, sysctl } = await fragments();
  const [, device] = /^tun-device (nat64-[0-9a-f]{8})$/m.exec(tayga) ?? [];
  expect(tayga).toBe(`tun-device ${device}
ipv4-addr 192.168.255.1
prefix 2001:67c:2834:0:64::/96
dynamic-pool 192.168.255.0/24
data-dir /var/lib/vpc6-tayga/${device}
`);
  expect(device?.length).toBeLessThanOrEqual(15);
  expect(nftables).toContain(`add element inet vpc6 nat64_clients { "${device}" . 2001:67c:2834::/60 }`);
  expect(nftables).toContain("ip saddr 192.168.255.0/24 oifname @public masquerade");
  expect(named).toBe(`dns64 2001:67c:2834:0:64::/96 {
	clients { 2001:67c:2834::/60; };
	suffix ::;
	recursive-only yes;
};
`);
  expect([packages, sysctl]).toEqual(["tayga\nbind9\n", "net.ipv4.ip_forward = 1\n"]);
});

test("DNS64 as it is asked for, or not at all", async () => {
  const clients = ["2001:67c:2834:1::/64", "2001:67c:2834:1::10/128", "2001:67c:2834:2::/64"];
  const { named, nftables } = await fragments({
    dns64: {
      clients,
      mapped: ["!10.0.0.0/8", "0.0.0.0/0"],
      exclude: ["::ffff:0:0/96", "2001:DB8::/32"],
      recursiveOnly: false,
    },
  });
  expect(named).toBe(`dns64 2001:67c:2834:0:64::/96 {
	clients { 2001:67c:2834:1::/64; 2001:67c:2834:2::/64; };
	mapped { !10.0.0.0/8; 0.0.0.0/0; };
	exclude { ::ffff:0:0/96; 2001:db8::/32; };
	suffix ::;
	recursive-only no;
};
`);
  expect(nftables).toContain(
    "ip6 saddr { 2001:67c:2834:1::/64, 2001:67c:2834:2::/64 } meta l4proto { tcp, udp } th dport 53 redirect",
  );
  const without = await fragments({ dns64: false });
  expect(without.named).toBeUndefined();
  expect(without.packages).toBe("tayga\n");
  expect(without.nftables).not.toMatch(/redirect|5354/);
});

test("a prefix from elsewhere needs no ledger; the well-known one gives the translator an address of its own", async () => {
  const own = await nat64({ prefix: "2001:db8:64::/96", grant: { refused: "the ledger has no such claim" } });
  expect(own.prefix).toBe("2001:db8:64::/96");
  const { tayga } = await fragments({ prefix: "64:FF9B::/96", grant: { refused: "the ledger has no such claim" } });
  expect(tayga).toContain("prefix 64:ff9b::/96\n");
  expect(tayga).toContain("ipv6-addr 2001:67c:2834::64\n");
});

test("two of them have devices of their own", async () => {
  const devices = await Promise.all(["a", "b"].map(async (claim) => (await nat64({ claim })).device));
  expect(new Set(devices).size).toBe(2);
});

test("unknown arguments make unknown texts, not errors", async () => {
  const { inputs, reasons } = await check("Nat64", { ...arguments_.Nat64, grant: UNKNOWN, vpc: { cidr: UNKNOWN } });
  expect(reasons).toEqual([]);
  expect(inputs.prefix).toBe(UNKNOWN);
  expect(inputs.fragments).toMatchObject({ tayga: UNKNOWN, nftables: UNKNOWN, named: UNKNOWN });
  expect(await fragments({ dns64: UNKNOWN })).toMatchObject({ named: UNKNOWN, nftables: UNKNOWN });
});

test("the VPC's ledger: clear of the router's addresses and of virtual ones, explicit ones honoured or refused", async () => {
  const { ledger } = await vpc([
    claim("b"),
    claim("a"),
    claim("c", "2001:67c:2834:0:7:8000::/96"),
    claim("low", "2001:67c:2834::/96"),
    claim("tier", "2001:67c:2834:1:64::/96"),
    claim("wide", "2001:67c:2834:0:65::/80"),
    claim("elsewhere", "64:ff9b::/96"),
  ]);
  expect(ledger).toMatch(/^nat64 +2001:67c:2834:0:64::\/96 +a\nnat64 +2001:67c:2834:0:64:1::\/96 +b$/m);
  expect(ledger).toMatch(/refused +nat64 +low +2001:67c:2834::\/96 is reserved for the VPC's own router/);
  expect(ledger).toMatch(/refused +nat64 +c +2001:67c:2834:0:7:8000::\/96 is reserved for the VPC's own router/);
  expect(ledger).toMatch(/refused +nat64 +tier +2001:67c:2834:1:64::\/96 is not inside 2001:67c:2834::\/72/);
  expect(ledger).toMatch(/refused +nat64 +wide +2001:67c:2834:0:65::\/80 is a \/80/);
  expect(ledger).not.toContain("elsewhere");
});

test("a VPC without one does not speak of it; one that had one remembers it", async () => {
  expect((await vpc([{ kind: "tier", name: "web" }])).ledger).not.toContain("nat64");
  expect((await vpc([claim("x", "64:ff9b::/96")])).ledger).not.toContain("nat64");
  const before = await vpc([claim("a"), { kind: "vip", name: "www" }]);
  const after = await vpc([{ kind: "vip", name: "www" }], before);
  expect(after.ledger).toMatch(/^nat64 +2001:67c:2834:0:64::\/96 +a +free since 1$/m);
  expect((await vpc([claim("a")], after)).ledger).toMatch(/^nat64 +2001:67c:2834:0:64::\/96 +a$/m);
});

test("a VPC that moves takes it along", async () => {
  const before = await vpc([claim("a")]);
  const grant = { value: "2001:67c:2834:20::/60" };
  const { ledger } = await planned(
    "Vpc",
    { ...arguments_.Vpc, claims: [claim("a")], cidr: grant.value, grant },
    before,
  );
  expect(ledger).toMatch(/^nat64 +2001:67c:2834:20:64::\/96 +a$/m);
});
