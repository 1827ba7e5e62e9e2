// The applier of links, addresses, routes and neighbors: it changes what it must, quickly, and nothing of the operator's.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Change, converge, disconnect, type RouterAddress } from "../../../provider/router/index";
import { lab } from "../lab.ts";
import { base, freshRouter, on, tier, without } from "./vr1";

let router: RouterAddress;

beforeAll(async () => {
  router = await freshRouter();
  await converge(router, base);
});
afterAll(() => disconnect());

const say = (network: string): Change => ({ id: "x", label: 'Tier "x"', fragments: { network } });

it("puts 2,000 neighbors there in no more than ten times the time of one, changes one, and takes them away", async () => {
  const hex = (i: number) => i.toString(16).padStart(4, "0");
  const lines = (mac: string) =>
    Array.from(
      { length: 2_000 },
      (_, i) =>
        `neighbor web0 2001:67c:2834:1::${(i + 1).toString(16)} 02:00:00:${mac}:${hex(i).slice(0, 2)}:${hex(i).slice(2)}`,
    );
  await converge(router, tier("web", "web0", 1));
  const first = lines("00");
  const took = async (change: Change) => {
    const begun = performance.now();
    await converge(router, change);
    return performance.now() - begun;
  };
  const one = await took(say(first[0] ?? ""));
  const all = await took(say(first.join("\n")));
  // A process for each would take 25 times as long as the transaction.
  expect(all / one).toBeLessThan(10);
  expect(await on("ip neigh show nud permanent | wc -l")).toBe("2000");
  const second = [...first];
  second[7] = lines("01")[7] ?? "";
  await converge(router, say(second.join("\n")));
  expect(
    await on("ip neigh show nud permanent | grep -c 02:00:00:00; ip neigh show nud permanent | grep 02:00:00:01"),
  ).toBe("1999\n2001:67c:2834:1::8 dev web0 lladdr 02:00:00:01:00:07 PERMANENT");
  await converge(router, without(say("")));
  expect(await on("ip neigh show nud permanent | wc -l")).toBe("0");
});

it("leaves what the operator had, and what the operator adds", async () => {
  await on(
    "ip addr add 2001:67c:2834:1::5/64 dev web0 nodad; ip -6 route add 2001:db8:55::/48 via 2001:67c:2834:1::9 dev web0 metric 7",
  );
  const wanted =
    "address web0 2001:67c:2834:1::5/64 nodad\naddress web0 10.1.1.1/24\nroute web0 2001:db8:55::/48 via 2001:67c:2834:1::9 metric 7";
  await converge(router, say(wanted));
  expect(await on("ip -4 addr show dev web0; cat /run/vpc6/network")).toMatch(/10.1.1.1\/24/);
  expect(await on("cat /run/vpc6/network")).not.toContain("::5/64");
  await converge(router, without(say("")));
  expect(await on("ip addr show dev web0; ip -6 route show 2001:db8:55::/48")).toMatch(
    /2001:67c:2834:1::5\/64.*2001:db8:55::\/48 via/s,
  );
  expect(await on("ip -4 addr show dev web0")).toBe("");
  await on("ip addr del 2001:67c:2834:1::5/64 dev web0; ip -6 route del 2001:db8:55::/48");
});

it("changes a gateway and a prefix length in place", async () => {
  await converge(
    router,
    say("address web0 2001:67c:2834:1::6/128 nodad\nroute web0 2001:db8:66::/48 via 2001:67c:2834:1::9"),
  );
  await converge(
    router,
    say("address web0 2001:67c:2834:1::6/112 nodad\nroute web0 2001:db8:66::/48 via 2001:67c:2834:1::a"),
  );
  expect(await on("ip -6 addr show dev web0")).toMatch(/::6\/112/);
  expect(await on("ip -6 addr show dev web0")).not.toMatch(/::6\/128/);
  expect(await on("ip -6 route show 2001:db8:66::/48")).toMatch(/via 2001:67c:2834:1::a dev web0 proto 106/);
  await converge(router, without(say("")));
});

it("loses no packet in a change of something else", async () => {
  await lab.up("web1");
  // Its DHCPv6 client would take the address away.
  await lab.exec("web1", "systemctl stop lease-watch dhclient; ip addr add 2001:67c:2834:1::77/64 dev eth0 nodad");
  await using ping = lab.pinging("web1", "2001:67c:2834:1::1", 0.02);
  await lab.until("pings", 5_000, async () => ping.stdout.includes("icmp_seq=20"));
  for (const change of [
    tier("db", "db0", 2),
    tier("cache", "cache0", 3),
    without(tier("db", "db0", 2)),
    without(tier("cache", "cache0", 3)),
  ]) {
    await converge(router, change);
  }
  const { sent, sequence: back } = await lab.pinged(ping, 40);
  await lab.exec("web1", "ip addr del 2001:67c:2834:1::77/64 dev eth0; systemctl start dhclient lease-watch");
  // None is missing among those that came back; only the last one sent may be under way when ping is stopped.
  expect(back).toEqual(back.map((_, index) => index + 1));
  expect(back.length).toBeGreaterThanOrEqual(sent - 1);
});

it("takes an interface by its MAC address, in every slot, and finds it again after a reboot under another name", async () => {
  const db = tier("db", "mac-020000000201", 2);
  expect((await converge(router, db)).changed).toEqual(["nftables", "network", "dnsmasq"]);
  expect(await on("ip -6 addr show dev db0; nft list map inet vpc6 ingress; ss -Hlun")).toMatch(
    /2001:67c:2834:2::1.*"db0" : jump db-in.*2001:67c:2834:2::1\]:53/s,
  );
  expect(await on("find /etc/vpc6/live/files/ -type f -exec cat {} +")).not.toContain("mac-");
  await on(`printf '[Match]\\nMACAddress=02:00:00:00:02:01\\n[Link]\\nName=data7\\n' >/etc/systemd/network/00-data7.link
    printf '[Unit]\\nDefaultDependencies=no\\nBefore=network-pre.target\\nWants=network-pre.target\\n[Service]\\nType=oneshot\\nExecStart=ip link set db0 name data7\\n[Install]\\nWantedBy=sysinit.target\\n' >/etc/systemd/system/rename.service
    systemctl -q enable rename.service`);
  disconnect();
  await lab.reboot("vr1");
  await lab.until(
    "dnsmasq",
    15_000,
    async () => (await lab.exec("vr1", "systemctl is-active vpc6-dnsmasq", { check: false })).code === 0,
  );
  expect(
    await on("ip -6 addr show dev data7; nft list map inet vpc6 ingress; cat /etc/vpc6/live/files/dnsmasq"),
  ).toMatch(/2001:67c:2834:2::1.*"data7" : jump db-in.*interface=data7/s);
  await converge(router, without(db));
  await on(
    "systemctl -q disable rename.service; rm /etc/systemd/system/rename.service /etc/systemd/network/00-data7.link; ip link set data7 down; ip link set data7 name db0",
  );
});

it("keeps an operator's interface alive that lives by router advertisements", async () => {
  expect(
    await on("sysctl -n net.ipv6.conf.all.forwarding net.ipv6.conf.cache0.accept_ra net.ipv6.conf.web0.accept_ra"),
  ).toBe("1\n2\n0");
});
