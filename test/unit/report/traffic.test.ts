// What a change of each kind of resource interrupts, as the report is told it: inputs and texts of both sides are those that the kinds
// themselves make of their arguments. A kind without a case here fails.

import { describe, expect, test } from "vitest";
import { readStack } from "../../../cli/stack";
import { effects } from "../../../cli/traffic";
import { kinds } from "../../../provider/kinds";
import { UNKNOWN } from "../../../provider/unknown";
import { CERTIFICATE, PRIVATE_KEY } from "../certificate";
import { arguments_, type Kind, planned, ROUTER, type Values } from "../check";
import { step, steps } from "./previews";

type Args = Values | "gone";
interface Case {
  what: string;
  /** What is different in the arguments of check.ts; "gone": it is not there. */
  before?: Args;
  after?: Args;
  /** Others on the router that stay as they are. */
  beside?: [Kind, Values][];
  /** Every effect that is told, as `level: whom: sentence`. */
  told: string[];
}

const inputs = async (kind: Kind, args: Args, old?: Values) =>
  args === "gone" ? undefined : await planned(kind, { ...arguments_[kind], ...args }, old);

async function told(kind: Kind, { before = {}, after = {}, beside = [] }: Case, op?: string): Promise<string[]> {
  const old = await inputs(kind, before);
  const now = await inputs(kind, after, old);
  const others = await Promise.all(
    beside.map(async ([other, args], index) => {
      const it = await inputs(other, args);
      return step("same", other, `other${index}`, it, it);
    }),
  );
  const usual = old === undefined ? "create" : now === undefined ? "delete" : "update";
  const all = effects(readStack(steps(step(op ?? usual, kind, "it", old, now), ...others)));
  return all.map(({ level, subject, sentence }) => `${level}: ${subject}: ${sentence}`);
}

const v4 = (cidr: string) => ({ ipv4: { cidr } });
const RESTART =
  "pauses: Router `vr1`: restarts dnsmasq: DHCP, DNS and advertisements of all its tiers pause for well under a second";
const takes = (mtu: string) =>
  `has the MTU ${mtu}: a virtual network card takes it in passing, some real ones start again for it, a second or two; connections go on`;
const RELOAD =
  "note: LoadBalancer `it`: is reloaded: a new HAProxy takes the listening sockets over, the old one ends with its last connection";
const [shop, blog] = ["2001:67c:2834::/60", "2001:67c:2834:10::/60"];
const large = { ...arguments_.BgpPeer.zone, largest: 56 };
const guest = { ...arguments_.Instance.tier, ipv4Gateway: "10.0.0.1", gateway: "2001:67c:2834:1::1" };
const two = { tier: guest, ipv4Grant: { value: "10.0.0.5" } };
const range = { accept: "supernet", sessions: [] };
const tls = { certificate: CERTIFICATE, privateKey: PRIVATE_KEY };

const duid = { mac: undefined, duid: "00:03:00:01:02:00:00:00:01:11" };
const other = { ...tls, certificate: `${CERTIFICATE}${CERTIFICATE}` };
const [a, b] = ["2001:db8:a::/48", "2001:db8:b::/48"];
const deny = (rule: Values) => ({ direction: "ingress", action: "deny", ...rule });
const both = [
  ...arguments_.NetworkAcl.tiers,
  { name: "db", interface: "db0", cidr: "2001:67c:2834:2::/64", router: ROUTER },
];
const sessionsWith = (change: Values) =>
  arguments_.Uplink.sessions.map((it) => (it.peer === "a" ? { ...it, ...change } : it));

const cases: Record<Kind, Case[]> = {
  Zone: [
    { what: "goes", after: "gone", told: [] },
    { what: "has another pool", after: { asnRange: "4200000000-4200000999" }, told: [] },
  ],
  ExternalNetwork: [{ what: "has fewer entries", after: { entries: ["2001:db8:7::/48"] }, told: [] }],
  Router: [
    {
      what: "goes",
      after: "gone",
      told: ["ends: Router `it`: vpc6 takes all its configuration off the machine: whatever goes through it ends"],
    },
    {
      what: "comes",
      before: "gone",
      told: ["note: `dnsmasq-base`, `iproute2`, `nftables`: installed where missing, before anything is switched"],
    },
    {
      what: "has another MTU",
      after: { publicMtu: 1400 },
      told: [`pauses: Router \`it\`: ${takes("`1400`")}`],
    },
    {
      what: "has another MTU, with NAT64 on it",
      after: { publicMtu: 1400 },
      beside: [["Nat64", {}]],
      told: [
        `pauses: Router \`it\`: ${takes("`1400`")}`,
        "pauses: Router `it`: NAT64 is started again, as its device has that MTU too: connections through it pause for a moment",
      ],
    },
    {
      what: "has another address",
      after: { addressGrant: { value: "2001:db8:ffff::11" } },
      told: ["ends: Router `it`: `2001:db8:ffff::10` is taken off the router: connections to it (SSH, BGP) end"],
    },
    {
      what: "has another gateway",
      after: { publicNetwork: { cidr: "2001:db8:ffff::/64", gateway: "2001:db8:ffff::2" } },
      told: ["ends: Router `it`: no longer sends what is for `::/0` to `2001:db8:ffff::1`"],
    },
    {
      what: "has another interface",
      after: { publicInterface: "pub1" },
      told: ["ends: Router `it`: no longer uses the interface `pub0`: who is on it loses the network"],
    },
    {
      what: "is on another public network",
      after: { publicNetwork: { cidr: "2001:db8:ffff::/56", gateway: "2001:db8:ffff::1" } },
      told: [
        "unknown: Router `it`: has other firewall rules for all its traffic: open connections go on, what new ones pass is in the lines themselves",
      ],
    },
    {
      what: "offers a service less",
      before: { publicServices: ["tcp/80", "udp/51820"] },
      after: { publicServices: ["tcp/80"] },
      told: ["closes: Router `it`: no longer offers the removed public services to new connections; open ones go on"],
    },
    { what: "offers a service more", after: { publicServices: ["tcp/80"] }, told: [] },
    { what: "has SSH at another port, beside 22", after: { port: 2222 }, told: [] },
    {
      what: "has SSH no longer where it was",
      before: { port: 2222 },
      after: { port: 2223 },
      told: ["closes: Router `it`: takes no new SSH connections at port `2222` any more; open ones go on"],
    },
    {
      what: "may adopt what it finds",
      after: { adopt: true },
      told: [
        "unknown: Router `it`: may put its own in the place of routes and of an FRR that it finds there (`adopt`): whatever these carry is concerned",
      ],
    },
    { what: "has other resolvers, without a tier", after: { dnsServers: ["2001:db8::53"] }, told: [] },
    {
      what: "has other resolvers, with a tier",
      after: { dnsServers: ["2001:db8::53"] },
      beside: [["Tier", {}]],
      told: [RESTART],
    },
  ],
  Vpc: [
    {
      what: "goes",
      after: "gone",
      told: [
        "ends: Vpc `it`: is no longer routed: whatever goes to or from its prefix ends",
        "ends: Router `vr1`: forwards no longer, as nothing on it asks for that",
      ],
    },
    {
      what: "goes, and another is left",
      after: "gone",
      beside: [["Vpc", { claim: "b", grant: { value: blog } }]],
      told: ["ends: Vpc `it`: is no longer routed: whatever goes to or from its prefix ends"],
    },
    {
      what: "goes, and an isolated network is left",
      after: "gone",
      beside: [["IsolatedNetwork", {}]],
      told: ["ends: Vpc `it`: is no longer routed: whatever goes to or from its prefix ends"],
    },
    { what: "comes", before: "gone", told: [] },
    {
      what: "is renumbered",
      after: { grant: { value: blog }, cidr: blog },
      told: [
        "ends: Vpc `it`: is renumbered from `2001:67c:2834::/60` to `2001:67c:2834:10::/60`, with all that is in it: connections to the old addresses end",
      ],
    },
    {
      what: "gives up IPv6",
      after: { ipv6: false, grant: undefined },
      told: [
        "ends: Vpc `it`: gives up its prefix `2001:67c:2834::/60`: connections with it end",
        "ends: Router `vr1`: forwards no longer, as nothing on it asks for that",
      ],
    },
    { what: "has another domain", after: { domain: "example.net" }, told: [] },
  ],
  Tier: [
    {
      what: "goes",
      after: "gone",
      told: [
        "ends: Tier `it`: is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network",
      ],
    },
    {
      what: "goes, and another is left",
      after: "gone",
      beside: [["Tier", { claim: "db", interface: "db0" }]],
      told: [
        "ends: Tier `it`: is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network",
        RESTART,
      ],
    },
    {
      what: "goes with the last IPv4",
      before: v4("10.0.0.0/24"),
      after: "gone",
      told: [
        "ends: Tier `it`: is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network",
        "ends: Router `vr1`: forwards IPv4 no longer, as nothing on it asks for that (if it did so before vpc6, it still does)",
      ],
    },
    { what: "is the first", before: "gone", told: [] },
    { what: "is one more", before: "gone", beside: [["Tier", { claim: "db", interface: "db0" }]], told: [RESTART] },
    {
      what: "is one more, beside an isolated network",
      before: "gone",
      beside: [["IsolatedNetwork", {}]],
      told: [RESTART],
    },
    {
      what: "is renumbered",
      after: { grant: { value: "2001:67c:2834:2::/64" }, cidr: "2001:67c:2834:2::/64" },
      told: [
        "ends: Tier `it`: is renumbered from `2001:67c:2834:1::/64` to `2001:67c:2834:2::/64`: connections of its guests end, and they have no network until they renew their lease (half an hour, or at once by hand)",
        RESTART,
      ],
    },
    {
      what: "has another gateway",
      after: { gateway: "2001:67c:2834:1::2" },
      told: [
        "ends: Tier `it`: has another gateway than `2001:67c:2834:1::1`: guests' connections stall until they have learned it from an advertisement",
        RESTART,
      ],
    },
    {
      what: "has another interface",
      after: { interface: "web1" },
      told: ["ends: Tier `it`: no longer uses the interface `web0`: who is on it loses the network", RESTART],
    },
    { what: "has another domain", after: { domain: "example.net" }, told: [RESTART] },
    {
      what: "has another MTU",
      before: { mtu: 1500 },
      after: { mtu: 9000 },
      told: [`pauses: Tier \`it\`: ${takes("`9000`")}`, RESTART],
    },
    {
      what: "has its link's own MTU again",
      before: { mtu: 9000 },
      told: [`pauses: Tier \`it\`: ${takes("again that its link had before vpc6")}`, RESTART],
    },
    {
      what: "loses its IPv4",
      before: v4("10.0.0.0/24"),
      told: [
        "ends: Tier `it`: has no IPv4 any more: the gateway `10.0.0.1` goes, and all IPv4 of its guests with it",
        "ends: Router `vr1`: forwards IPv4 no longer, as nothing on it asks for that (if it did so before vpc6, it still does)",
        RESTART,
      ],
    },
    {
      what: "loses its IPv4, where another tier and NAT64 have it",
      before: v4("10.0.0.0/24"),
      beside: [["Nat64", {}]],
      told: [
        "ends: Tier `it`: has no IPv4 any more: the gateway `10.0.0.1` goes, and all IPv4 of its guests with it",
        RESTART,
      ],
    },
    {
      what: "has another IPv4 network",
      before: v4("10.0.0.0/24"),
      after: v4("10.1.0.0/24"),
      told: [
        "ends: Tier `it`: has another IPv4 gateway than `10.0.0.1`: its guests' IPv4 stalls until they renew their lease (half an hour, or at once by hand)",
        RESTART,
      ],
    },
    { what: "has IPv4 too", after: v4("10.1.0.0/24"), told: [RESTART] },
    {
      what: "loses its IPv6",
      before: v4("10.0.0.0/24"),
      after: { ...v4("10.0.0.0/24"), grant: undefined },
      told: ["ends: Tier `it`: has no IPv6 any more: `2001:67c:2834:1::/64` goes from its guests", RESTART],
    },
  ],
  IsolatedNetwork: [
    {
      what: "goes",
      after: "gone",
      told: [
        "ends: IsolatedNetwork `it`: is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network",
        "ends: Router `vr1`: forwards no longer, as nothing on it asks for that",
      ],
    },
    {
      what: "goes, and a VPC is left",
      after: "gone",
      beside: [["Vpc", {}]],
      told: [
        "ends: IsolatedNetwork `it`: is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network",
      ],
    },
    {
      what: "is renumbered",
      after: { grant: { value: "2001:db8:2800:1::/64" }, cidr: "2001:db8:2800:1::/64" },
      told: [
        "ends: IsolatedNetwork `it`: is renumbered from `2001:db8:2800::/64` to `2001:db8:2800:1::/64`: connections of its guests end, and they have no network until they renew their lease (half an hour, or at once by hand)",
        RESTART,
      ],
    },
    { what: "comes", before: "gone", beside: [["Tier", {}]], told: [RESTART] },
  ],
  Instance: [
    {
      what: "goes",
      after: "gone",
      beside: [["Tier", {}]],
      told: [
        "ends: Instance `it`: is taken off the router: the guest loses its lease, its name and its hold on the address, and so the network",
      ],
    },
    { what: "comes", before: "gone", beside: [["Tier", {}]], told: [] },
    {
      what: "has another MAC address",
      after: { mac: "02:00:00:00:01:99" },
      told: [
        "ends: Instance `it`: is known by another MAC address from now on: the old one is cut off from `2001:67c:2834:1::10`",
      ],
    },
    {
      what: "has another address",
      after: { grant: { value: "2001:67c:2834:1::11" }, address: "2001:67c:2834:1::11" },
      told: ["ends: Instance `it`: gives up its address `2001:67c:2834:1::10`: connections with it end"],
    },
    {
      what: "is on another interface",
      after: { tier: { ...guest, interface: "web1" } },
      told: ["ends: Instance `it`: has another address or interface: connections with the old one end"],
    },
    {
      what: "loses its IPv4",
      before: two,
      after: { tier: guest },
      told: ["ends: Instance `it`: gives up its address `10.0.0.5`: connections with it end"],
    },
    { what: "has IPv4 too", before: { tier: guest }, after: two, told: [] },
    {
      what: "known by its DUID only, has another address",
      before: duid,
      after: { ...duid, grant: { value: "2001:67c:2834:1::11" }, address: "2001:67c:2834:1::11" },
      told: ["ends: Instance `it`: has another address or interface: connections with the old one end"],
    },
    {
      what: "known by its DUID only, has a MAC address",
      before: duid,
      after: { ...duid, mac: "02:00:00:00:01:11" },
      told: ["ends: Instance `it`: may send from its one MAC address only: from any other it is cut off"],
    },
    { what: "known by its MAC address, is known by its DUID only", before: { duid: duid.duid }, after: duid, told: [] },
    {
      what: "known by its MAC address, has another DUID",
      after: { duid: "00:01:02" },
      told: [],
    },
    {
      what: "known by its DUID only, has another DUID",
      before: duid,
      after: { ...duid, duid: "00:01:02" },
      told: [
        "ends: Instance `it`: leases to another DUID: who is known by the old one cannot renew, and is cut off within the hour",
      ],
    },
    {
      what: "has another name",
      after: { hostname: "www" },
      told: ["closes: `web1.web.shop.internal`: is no longer a name in DNS"],
    },
    {
      what: "gives its name to another",
      after: { hostname: "www" },
      beside: [
        [
          "Instance",
          { claim: "web2", hostname: "web1", grant: { value: "2001:67c:2834:1::12" }, mac: "02:00:00:00:01:12" },
        ],
      ],
      told: [],
    },
    {
      what: "has another password",
      before: { tier: guest, password: "correct-horse" },
      after: { tier: guest, password: "battery-staple" },
      told: ["note: Instance `it`: is told its password when it asks next, at its boot"],
    },
    {
      what: "has no password any more",
      before: { tier: guest, password: "correct-horse" },
      after: { tier: guest },
      told: ["note: Instance `it`: is told no password any more"],
    },
  ],
  SecondaryAddress: [
    {
      what: "goes",
      after: "gone",
      beside: [["Tier", {}]],
      told: [
        "ends: SecondaryAddress `it`: is taken off the router: none of its guests can use it any more, connections with it end",
      ],
    },
    { what: "comes", before: "gone", beside: [["Tier", {}]], told: [] },
    {
      what: "is another one",
      after: { grant: { value: "2001:67c:2834:1::21" }, address: "2001:67c:2834:1::21" },
      told: ["ends: SecondaryAddress `it`: gives up `2001:67c:2834:1::20`: connections with it end"],
    },
    {
      what: "loses its IPv4",
      before: { ipv4Grant: { value: "10.0.0.5" } },
      told: ["ends: SecondaryAddress `it`: gives up `10.0.0.5`: connections with it end"],
    },
    { what: "has IPv4 too", after: { ipv4Grant: { value: "10.0.0.5" } }, told: [] },
    {
      what: "is on another interface",
      after: { tier: { ...arguments_.SecondaryAddress.tier, interface: "web1" } },
      told: ["ends: SecondaryAddress `it`: is on another interface: connections with `2001:67c:2834:1::20` end"],
    },
    {
      what: "is taken from a guest",
      after: { guests: arguments_.SecondaryAddress.guests.slice(1) },
      told: [
        "ends: SecondaryAddress `it`: is taken from `web1 (02:00:00:00:01:11)`: who has it now loses its connections with it",
      ],
    },
    {
      what: "is shared with one guest more",
      before: { guests: arguments_.SecondaryAddress.guests.slice(1) },
      told: [],
    },
    {
      what: "is of guests that are not known yet",
      after: { guests: [{ name: "web1", mac: UNKNOWN }] },
      told: ["unknown: SecondaryAddress `it`: its `nftables`, `network` is not known before `pulumi up`"],
    },
    {
      what: "has another name",
      after: { hostname: "www" },
      told: ["closes: `vip.web.shop.internal`: is no longer a name in DNS"],
    },
  ],
  NetworkAcl: [
    {
      what: "goes",
      after: "gone",
      told: [
        "closes: NetworkAcl `it`: is gone: its tiers refuse new connections both ways, as without any list; open ones go on",
      ],
    },
    { what: "comes and allows", before: "gone", told: [] },
    {
      what: "comes and denies pings",
      before: "gone",
      after: { rules: [deny({ protocol: "icmpv6" })] },
      told: [
        "closes: NetworkAcl `it`: refuses what its `deny` rules match, pings included, that passed without a list; open connections go on",
      ],
    },
    {
      what: "comes and denies what did not pass anyway",
      before: "gone",
      after: { rules: [deny({ protocol: "tcp", ports: "22" })] },
      told: [],
    },
    { what: "governs one more tier", after: { tiers: both }, told: [] },
    {
      what: "governs one tier less",
      before: { tiers: both },
      told: [
        "closes: NetworkAcl `it`: no longer governs tier `db`: new connections that only this list let in are refused there; open ones go on",
      ],
    },
    { what: "made by an earlier version, has other rules", before: "gone", told: [] },
  ],
  LoadBalancer: [
    {
      what: "goes",
      after: "gone",
      told: [
        "ends: LoadBalancer `it`: no longer answers: new connections are refused, and open ones end with its address",
      ],
    },
    { what: "comes", before: "gone", told: ["note: `haproxy`: installed where missing, before anything is switched"] },
    {
      what: "ends TLS itself",
      after: { tls },
      told: [
        "closes: LoadBalancer `it`: ends TLS itself from now on: new connections that are not made for that fail; open ones go on",
        RELOAD,
      ],
    },
    {
      what: "no longer ends TLS",
      before: { tls },
      told: [
        "closes: LoadBalancer `it`: no longer ends TLS itself: new connections that are not made for that fail; open ones go on",
        RELOAD,
      ],
    },
    {
      what: "shows another certificate",
      before: { tls },
      after: { tls: other },
      told: ["note: LoadBalancer `it`: shows another certificate to new connections; open ones go on"],
    },
    {
      what: "has another mode",
      before: { mode: "tcp" },
      told: [
        "closes: LoadBalancer `it`: takes new connections as `http` instead of `tcp`: what is not that is refused",
        RELOAD,
      ],
    },
    {
      what: "expects TLS",
      before: { mode: "tcp" },
      after: { mode: "ssl-passthrough" },
      told: [
        "closes: LoadBalancer `it`: takes new connections as `ssl-passthrough` instead of `tcp`: what is not that is refused",
        RELOAD,
      ],
    },
    { what: "no longer expects TLS", before: { mode: "ssl-passthrough" }, after: { mode: "tcp" }, told: [RELOAD] },
    {
      what: "has another port",
      after: { port: 81 },
      told: [
        "closes: LoadBalancer `it`: is no longer offered where it was: new connections to the old address or port are refused",
        RELOAD,
      ],
    },
    {
      what: "has a member less",
      after: { members: arguments_.LoadBalancer.members.slice(1) },
      told: [
        "note: LoadBalancer `it`: gives `web1` no new connections; those it has go on until they end by themselves",
        RELOAD,
      ],
    },
    { what: "has another algorithm", after: { algorithm: "source" }, told: [RELOAD] },
    {
      what: "has another address",
      after: { grant: { value: "2001:67c:2834::81" }, address: "2001:67c:2834::81" },
      told: ["ends: LoadBalancer `it`: `2001:67c:2834::80` is taken off the router: connections to it end", RELOAD],
    },
    {
      what: "leaves an address that another has too",
      after: { grant: { value: "2001:67c:2834::81" }, address: "2001:67c:2834::81" },
      beside: [["LoadBalancer", { claim: "two", port: 81, shared: "2001:67c:2834::80", grant: undefined }]],
      told: [RELOAD],
    },
    {
      what: "has fewer sources",
      before: { sources: [a, b] },
      after: { sources: [a] },
      told: ["closes: LoadBalancer `it`: no longer takes new connections from where it did; open ones go on"],
    },
    {
      what: "has other sources",
      before: { sources: [a] },
      after: { sources: [b] },
      told: ["closes: LoadBalancer `it`: no longer takes new connections from where it did; open ones go on"],
    },
    {
      what: "has sources for the first time",
      after: { sources: [a] },
      told: ["closes: LoadBalancer `it`: no longer takes new connections from where it did; open ones go on"],
    },
    { what: "has more sources", before: { sources: [a] }, after: { sources: [b, a] }, told: [] },
    { what: "has a wider source", before: { sources: ["2001:db8:a:1::/64"] }, after: { sources: [a] }, told: [] },
    { what: "has no sources any more", before: { sources: [a] }, told: [] },
  ],
  Nat64: [
    {
      what: "goes",
      after: "gone",
      told: [
        "ends: Nat64 `it`: is gone: guests of its VPC reach no IPv4 address any more, and open connections through it end",
        "ends: Router `vr1`: forwards IPv4 no longer, as nothing on it asks for that (if it did so before vpc6, it still does)",
      ],
    },
    {
      what: "goes, and a tier has IPv4",
      after: "gone",
      beside: [["Tier", v4("10.0.0.0/24")]],
      told: [
        "ends: Nat64 `it`: is gone: guests of its VPC reach no IPv4 address any more, and open connections through it end",
      ],
    },
    {
      what: "comes",
      before: "gone",
      told: ["note: `tayga`, `bind9`: installed where missing, before anything is switched"],
    },
    {
      what: "has no DNS64 any more",
      after: { dns64: false },
      told: [
        "closes: Nat64 `it`: answers names that have IPv4 addresses only no longer (DNS64); open connections go on",
      ],
    },
    {
      what: "has DNS64 for fewer",
      after: { dns64: { clients: ["2001:67c:2834:1::/64"] } },
      told: [
        "closes: Nat64 `it`: answers `2001:67c:2834::/60` without DNS64: names that have IPv4 addresses only are not found from there",
      ],
    },
    { what: "has DNS64 for more", before: { dns64: { clients: ["2001:67c:2834:1::/64"] } }, told: [] },
    { what: "maps other addresses", after: { dns64: { mapped: ["!10.0.0.0/8", "0.0.0.0/0"] } }, told: [] },
    {
      what: "has another pool",
      after: { ipv4Pool: "10.64.0.0/16" },
      told: ["ends: Nat64 `it`: translates to another prefix or pool: connections through NAT64 end"],
    },
    {
      what: "is of a VPC that moves, and keeps its prefix",
      before: { prefix: "64:ff9b::/96", vpc: { cidr: shop } },
      after: { prefix: "64:ff9b::/96", vpc: { cidr: blog } },
      told: [
        "pauses: Nat64 `it`: the NAT64 translator is started again: connections through it pause for a moment",
        "closes: Nat64 `it`: answers `2001:67c:2834::/60` without DNS64: names that have IPv4 addresses only are not found from there",
      ],
    },
  ],
  BgpPeer: [
    {
      what: "goes",
      after: "gone",
      told: [
        "note: BgpPeer `it`: is taken off; what that means for sessions and prefixes is told beside",
        "ends: BgpPeer `it`: the BGP session with `2001:db8:ffff::1` ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it",
      ],
    },
    {
      what: "goes, and another VPC shares its session",
      after: "gone",
      beside: [["BgpPeer", { name: "b", cidr: blog }]],
      told: [
        "note: BgpPeer `it`: is taken off; what that means for sessions and prefixes is told beside",
        "ends: BgpPeer `it`: `2001:67c:2834:20::/60` is withdrawn from BGP: who came by that route no longer does",
      ],
    },
    {
      what: "comes",
      before: "gone",
      told: ["note: `frr`, `frr-pythontools`: installed where missing, before anything is switched"],
    },
    {
      what: "is of another neighbour",
      after: { address: "2001:db8:ffff::2" },
      told: [
        "ends: BgpPeer `it`: the BGP session with `2001:db8:ffff::1` ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it",
      ],
    },
    {
      what: "has a neighbour of another AS",
      after: { remoteAsn: 65001 },
      told: [
        "pauses: BgpPeer `it`: the BGP session with `2001:db8:ffff::1` ends and is opened again, with another AS number",
      ],
    },
    {
      what: "has another AS",
      after: { asn: 4200000009 },
      told: [
        "pauses: Router `vr1`: gets another AS number: all its BGP sessions end and come back, within a second or two",
      ],
    },
    {
      what: "has other timers",
      after: { timers: { keepalive: 3, hold: 9 } },
      told: [
        "unknown: BgpPeer `it`: the BGP session with `2001:db8:ffff::1` may end and be opened again, as its `timers` changes",
      ],
    },
    {
      what: "is fewer hops away",
      before: { multihop: 5 },
      after: { multihop: 4 },
      told: [
        "unknown: BgpPeer `it`: the BGP session with `2001:db8:ffff::1` may end and be opened again, as its `ebgp-multihop` changes",
      ],
    },
    {
      what: "has another password",
      before: { password: "correct-horse" },
      after: { password: "battery-staple" },
      told: [
        "unknown: BgpPeer `it`: the BGP session with `2001:db8:ffff::1` may end and be opened again, as its `password` changes",
      ],
    },
    { what: "has BFD", after: { bfd: true }, told: [] },
    {
      what: "announces less",
      before: { export: ["2001:67c:2834:21::/64", "2001:67c:2834:22::/64"] },
      after: { export: ["2001:67c:2834:21::/64"] },
      told: [
        "ends: BgpPeer `it`: `2001:67c:2834:22::/64` is withdrawn from BGP: who came by that route no longer does",
      ],
    },
    { what: "announces more", before: { export: [] }, told: [] },
    {
      what: "takes less",
      before: { import: ["2001:67c:2834::/52", "2001:67c:2834:1000::/52"] },
      after: { import: ["2001:67c:2834::/52"] },
      told: ["ends: BgpPeer `it`: routes of `2001:67c:2834:1000::/52` are no longer taken from the neighbour"],
    },
    {
      what: "takes no default route",
      before: { acceptDefault: true },
      told: ["ends: BgpPeer `it`: routes of `::/0` are no longer taken from the neighbour"],
    },
    {
      what: "is of a zone without large VPCs",
      before: { zone: large },
      told: ["ends: BgpPeer `it`: routes of prefixes larger than `/60` are no longer taken from the neighbour"],
    },
    { what: "is of a zone with a large VPC", after: { zone: large }, told: [] },
  ],
  Uplink: [
    {
      what: "goes",
      after: "gone",
      told: [
        "ends: Uplink `it`: is taken off: the BGP sessions that were its own end, and their prefixes are no longer reached through it",
        "ends: Uplink `it`: the BGP session with `2001:db8:ffff::10` ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it",
        "ends: Uplink `it`: the BGP session with `2001:db8:ffff::11` ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it",
      ],
    },
    {
      what: "comes",
      before: "gone",
      told: ["note: `frr`, `frr-pythontools`: installed where missing, before anything is switched"],
    },
    {
      what: "has a neighbour less",
      after: { sessions: arguments_.Uplink.sessions.slice(1) },
      told: [
        "ends: Uplink `it`: the BGP session with `2001:db8:ffff::11` ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it",
      ],
    },
    {
      what: "has a neighbour of another AS",
      after: { sessions: sessionsWith({ asn: 4200000009 }) },
      told: [
        "pauses: Uplink `it`: the BGP session with `2001:db8:ffff::10` ends and is opened again, with another AS number",
      ],
    },
    {
      what: "takes a prefix less",
      before: { sessions: sessionsWith({ prefixes: [shop, "2001:67c:2834:20::/60"] }) },
      told: ["ends: Uplink `it`: routes of `2001:67c:2834:20::/60` are no longer taken from the neighbour"],
    },
    {
      what: "takes a prefix more",
      after: { sessions: sessionsWith({ prefixes: [shop, "2001:67c:2834:20::/60"] }) },
      told: [],
    },
    {
      what: "has another AS",
      after: { asn: 65001 },
      told: [
        "pauses: Router `uplink`: gets another AS number: all its BGP sessions end and come back, within a second or two",
      ],
    },
    {
      what: "has another address",
      before: range,
      after: { ...range, address: "2001:db8:ffff::2" },
      told: [
        "pauses: Uplink `it`: speaks BGP from another address: all its sessions end, and come back where it is known by that",
      ],
    },
    {
      what: "has another range",
      before: { ...range, listen: "2001:db8:ffff::/65" },
      after: range,
      told: [
        "ends: Uplink `it`: takes no sessions from `2001:db8:ffff::/65` any more: those with neighbours there end",
      ],
    },
    {
      what: "has another password for its range",
      before: { ...range, password: "correct-horse" },
      after: { ...range, password: "battery-staple" },
      told: [
        "pauses: Router `uplink`: starts FRR again, as the password of a range of neighbours changes: all its BGP sessions end and come back",
      ],
    },
    {
      what: "has another password for its neighbours",
      before: { password: "correct-horse" },
      after: { password: "battery-staple" },
      told: [
        "unknown: Uplink `it`: the BGP session with `vpc6-uplink` may end and be opened again, as its `password` changes",
      ],
    },
    {
      what: "announces no default route",
      before: { announceDefault: true },
      told: ["ends: Uplink `it`: announces no default route any more: who went out by it no longer does"],
    },
    {
      what: "takes from its range what is of another zone",
      before: range,
      after: { ...range, zone: { ...arguments_.Uplink.zone, superCidr: "2001:67c:2800::/50" } },
      told: ["ends: Uplink `it`: routes of `2001:67c:2834::/50` are no longer taken from the neighbour"],
    },
    {
      what: "has other timers",
      after: { timers: { keepalive: 3, hold: 9 } },
      told: [
        "unknown: Uplink `it`: the BGP session with `vpc6-uplink` may end and be opened again, as its `timers` changes",
      ],
    },
    { what: "takes more prefixes at most", after: { maximumPrefix: 200 }, told: [] },
  ],
};

describe.each(Object.entries(cases) as [Kind, Case[]][])("%s", (kind, all) => {
  test.each(all)("that $what", async (it) => {
    expect(await told(kind, it)).toEqual(it.told);
  });
});

test("every kind has cases here", () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(kinds).sort());
  expect(Object.entries(cases).filter(([, all]) => all.length === 0)).toEqual([]);
});
