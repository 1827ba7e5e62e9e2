// The main job on a real machine: a Debian 13 with a kernel of its own, AppArmor on, and systemd-networkd on every link, as a cloud image
// has it. Each test goes on from the one before it: to boot takes an emulated processor more than a minute.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InProcess } from "../engine/in-process.ts";
import { impossible, vm } from "./vm.ts";

const GATEWAY = "2001:67c:2834:2::1";
const WEB1 = "2001:67c:2834:2::10";
const DB1 = "2001:67c:2834:1::10";
const ASN = 4_200_000_000;
/** Far ends of two VLANs of one trunk. */
const TEAM1 = "2001:67c:2834:3::10";
const TEAM2 = "2001:67c:2834:4::10";

/**
 * After the command's end all is there again within so many milliseconds. Real processors take less than two seconds (docs/routers.md); an
 * emulated one is ten to twenty times as slow.
 */
const HEALED = 10_000;

let engine: InProcess;

/** What every router of the suite has; what a test adds comes behind. */
async function program(rest = ""): Promise<string> {
  const env = await vm.env();
  return `import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50", asnRange: "4200000000-4200000999",
  publicNetwork: { cidr: "2001:db8:ffff::/64", gateway: "2001:db8:ffff::1", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
});
const router = new vpc6.Router("vr1", {
  zone, host: "${env.VM_HOST}", port: ${env.VM_PORT}, hostKey: "${env.VM_HOST_KEY}", publicInterface: "pub0",
});
const shop = new vpc6.Vpc("shop", { zone, router, domain: "shop.internal" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });
new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:01:12" });
${rest}`;
}

const services = `
new vpc6.NetworkAcl("open", { tiers: [web, db], preset: "allowAll" });
new vpc6.Nat64("nat64", { vpc: shop });
const balancer = new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "tcp", members: [{ instance: web1, port: 8000 }] });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });
export const www = balancer.address;
`;

/** By the interface's name and by its MAC address. */
const vlans = `
const team1 = new vpc6.Tier("team1", { vpc: shop, interface: "trunk0", vlan: 101 });
new vpc6.Instance("team1", { tier: team1, mac: "02:00:00:00:01:13" });
const team2 = new vpc6.Tier("team2", { vpc: shop, mac: "02:00:00:00:00:05", vlan: 102 });
new vpc6.Instance("team2", { tier: team2, mac: "02:00:00:00:01:14" });
new vpc6.NetworkAcl("teams", { tiers: [team1, team2], preset: "allowAll" });
`;

async function up(text: string): Promise<void> {
  await engine.program(await program(text));
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
}

/** What vpc6 has there, a line each. */
const state = async (): Promise<string[]> => (await vm.exec("state")).stdout.trim().split("\n").toSorted();

/** What the router has put back, from the beginning. */
const putBack = async (): Promise<string[]> => {
  const { stdout } = await vm.exec("journalctl --sync; journalctl -b -u vpc6-watch -o cat -g 'put back' || true");
  return stdout.split("\n").filter((it) => it.includes("put back"));
};

interface Event {
  /** Milliseconds after the command's end for which something was missing. */
  after: number;
  /** What was put back, in the router's own words. */
  healed: string;
}

async function event(name: string, command: string): Promise<Event> {
  const before = await putBack();
  const { stdout } = await vm.exec(`event '${command}'`);
  const [times = "", ...taken] = stdout.trim().split("\n");
  const [missing, after = Number.NaN, code] = times.split(" ").map(Number);
  const healed = (await putBack()).slice(before.length).join("\n");
  console.info(
    `${name}: ${taken.length} things seen gone, for ${missing} ms, ${after} of them after its end\n${healed}`,
  );
  expect(code, (await vm.exec("cat /run/event.log")).stdout).toBe(0);
  return { after, healed };
}

const until = async <T>(what: string, timeoutMs: number, ask: () => Promise<T>, is: (answer: T) => boolean) => {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (is(answer)) return answer;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};

/** The state becomes what it was before; what is different is said if it does not. */
async function asBefore(before: string[], timeoutMs: number): Promise<void> {
  const same = (now: string[]) => now.join("\n") === before.join("\n");
  await until("all to be as before", timeoutMs, state, same).catch(() => {});
  expect(await state()).toEqual(before);
}

const drift = async () =>
  (await vm.exec("/usr/local/lib/vpc6/vpc6 observe")).stdout.split("\n").filter((it) => it.startsWith("drift "));

const lease = async (host: "web1" | "db1" | "trunk" | "trunk2", device = "eth0") =>
  (await vm.exec(`guest ${host} ${device}`)).stdout.trim();

const pings = async (host: "web1" | "db1" | "trunk" | "trunk2" | "uplink", to: string) =>
  (await vm.far(host, `ping -n -c 3 -W 5 ${to}`, { check: false })).stdout.includes(" 3 received");

/** The VLANs of this router: name, trunk, id. */
const tagged = async (): Promise<string[]> => {
  const { stdout } = await vm.exec("cat /proc/net/vlan/config 2>/dev/null || true");
  const all = stdout.split("\n").flatMap((it) => {
    const [name = "", id, trunk] = it.split("|").map((word) => word.trim());
    return id && /^\d+$/.test(id) ? [`${name.replace(/-.*/, "-…")} ${trunk} ${id}`] : [];
  });
  return all.toSorted();
};
const TAGGED = ["trunk0.101 trunk0 101", "vlan102-… trunk0 102"];

/** What the guests of the trunk have at its far end: the first VLAN beside what is untagged, the second in a namespace of its own. */
const FAR_TRUNK = `ip netns add trunk2; ip -n trunk2 link set lo up
  ip -n trunk link add link eth0 name eth0.101 type vlan id 101; ip -n trunk link set eth0.101 up
  ip -n trunk link add link eth0 name eth0.102 address 02:00:00:00:01:14 type vlan id 102
  ip -n trunk link set eth0.102 netns trunk2; ip -n trunk2 link set eth0.102 up`;

/** Both have their leases, and reach each other through the router. */
async function teams(): Promise<void> {
  expect(await lease("trunk", "eth0.101")).toBe(TEAM1);
  expect(await lease("trunk2", "eth0.102")).toBe(TEAM2);
  expect(await pings("trunk", TEAM2)).toBe(true);
  expect(await pings("trunk2", TEAM1)).toBe(true);
}

/** What goes with the power: the services of guests and uplink, and the other end of the VLAN. */
async function farEnds(): Promise<void> {
  await vm.exec(
    "setsid ip netns exec web1 systemd-socket-activate -l 8000 -a --inetd /bin/echo hello >/dev/null 2>&1 </dev/null &",
  );
  await vm.exec(`uplink ${ASN}`);
  await vm.exec(FAR_TRUNK);
}

/** The whole way of each service, as its users see it. */
async function serves({ bgp = true } = {}): Promise<void> {
  expect(await pings("web1", GATEWAY)).toBe(true);
  expect(await pings("web1", DB1)).toBe(true);
  const name = await vm.far("web1", `dig +short +time=5 @${GATEWAY} AAAA v4only.example`, { check: false });
  expect(name.stdout.trim()).toBe("2001:67c:2834:0:64:0:cb00:7101");
  expect(await pings("web1", "2001:67c:2834:0:64::cb00:7101"), "NAT64").toBe(true);
  const address = await engine.output("www");
  await until(
    "the load balancer",
    60_000,
    async () => (await vm.far("uplink", `nc -N -w 5 ${address} 80 </dev/null`, { check: false })).stdout,
    (answer) => answer === "hello\n",
  );
  if (!bgp) return;
  await until(
    "BGP",
    60_000,
    async () => (await vm.exec("birdc -s /run/uplink/bird.ctl show route", { check: false })).stdout,
    (routes) => routes.includes("2001:67c:2834::/60"),
  );
}

describe.skipIf(impossible())("a real machine", () => {
  beforeAll(async () => {
    await vm.up();
    const { VPC6_SSH_KEY_FILE = "" } = await vm.env();
    engine = await InProcess.start({ env: { VPC6_SSH_KEY_FILE, SSH_AUTH_SOCK: "" } });
  });
  afterAll(async () => engine?.[Symbol.asyncDispose]());

  test("is one: a kernel of its own with 8021q, AppArmor on, networkd on the links", async () => {
    const { stdout } = await vm.exec(
      "uname -r; modprobe 8021q && echo vlans; cat /sys/module/apparmor/parameters/enabled; networkctl --no-legend",
    );
    expect(stdout).toMatch(/deb13-cloud-amd64\nvlans\nY\n/);
    for (const link of ["mgmt0", "pub0", "web0", "trunk0"])
      expect(stdout).toMatch(new RegExp(`${link} +ether +\\S+ +config`));
  });

  test("a router, a VPC, two tiers: guests have their leases and reach each other's gateways", async () => {
    await up("");
    expect(await lease("web1")).toBe(WEB1);
    expect(await pings("web1", GATEWAY)).toBe(true);
    expect(await lease("db1")).toBe(DB1);
  });

  test("FRR, HAProxy, BIND and Tayga start and serve, BIND in its AppArmor profile", async () => {
    await up(services);
    await farEnds();
    await serves();
    // Of these daemons Debian has a profile for this one.
    expect((await vm.exec("aa-status")).stdout).toMatch(/processes are in enforce mode\.(.|\n)*\/usr\/sbin\/named /);
    const { stdout } = await vm.exec("journalctl -b -k -o cat -g 'apparmor=.DENIED.' || true");
    expect(stdout).not.toMatch(/named|haproxy|frr|tayga|dnsmasq/);
  });

  test("two VLANs of one trunk are made, and are tiers", async () => {
    expect(await tagged()).toEqual([]);
    await up(services + vlans);
    expect(await tagged()).toEqual(TAGGED);
    await teams();
  });

  test("what comes in untagged on the trunk is dropped, unless it is for an address that the operator gave it", async () => {
    const answers = async (to: string, port: number) =>
      (await vm.far("trunk", `nc -N -w 3 ${to} ${port} </dev/null`, { check: false })).stdout.trim();
    const { stdout } = await vm.exec("ip -o -6 addr show dev trunk0 scope link | awk '{ print $4 }'");
    const own = `${stdout.trim().replace(/\/.*/, "")}%eth0`;
    await vm.exec(
      "setsid systemd-socket-activate -l 7777 -a --inetd /bin/echo hello >/dev/null 2>&1 </dev/null & echo $! >/run/hello; sleep 1",
    );
    for (const port of [22, 7777]) expect(await answers(own, port), own).toBe("");
    expect(await pings("trunk", own)).toBe(false);
    // Nor what is for the router's other addresses, once there is a way to it.
    await vm.exec(
      "ip addr add 2001:db8:77::1/64 dev trunk0 nodad; ip addr add 192.0.2.1/24 dev trunk0; ip -n trunk addr add 2001:db8:77::2/64 dev eth0 nodad; ip -n trunk addr add 192.0.2.2/24 dev eth0; ip -n trunk route add 2001:67c:2834::1 via 2001:db8:77::1",
    );
    for (const address of ["2001:db8:77::1", "192.0.2.1"]) {
      expect(await answers(address, 22), address).toMatch(/^SSH-/);
      expect(await answers(address, 7777), address).toBe("hello");
    }
    for (const address of ["2001:67c:2834::1", own]) {
      for (const port of [22, 7777]) expect(await answers(address, port), address).toBe("");
    }
    // So it is the filter that drops.
    const last = "handle $(nft -a list chain inet vpc6 input_trunk | sed -n 's/^\\t*drop # handle //p')";
    await vm.exec(`nft replace rule inet vpc6 input_trunk ${last} accept`);
    expect(await answers("2001:67c:2834::1", 22)).toMatch(/^SSH-/);
    await vm.exec("nft -f /etc/vpc6/live/files/nftables; kill $(cat /run/hello)");
    await vm.exec("ip addr flush dev trunk0 scope global; ip -n trunk addr flush dev eth0 scope global");
  });

  const untouched = async () => {
    expect(await drift()).toEqual([]);
    for (const what of ["preview", "refresh"] as const) {
      const { code, all } = await engine[what]({ args: ["--expect-no-changes"] });
      expect(code, all).toBe(0);
    }
  };

  test("nothing drifts, and a second preview is empty", untouched);

  test.each<{ name: string; command: string; takes?: RegExp; slow?: boolean }>([
    { name: "a restart of networkd", command: "systemctl restart systemd-networkd", takes: /pub0 2001:db8:ffff::10/ },
    { name: "one link set up anew", command: "networkctl reconfigure pub0", takes: /pub0 2001:db8:ffff::10/ },
    { name: "a tier's link set up anew", command: "networkctl reconfigure web0", takes: /web0 2001:67c:2834:2::1/ },
    {
      name: "a change of what networkd does with tiers",
      command: "echo >>/etc/systemd/network/20-tiers.network; networkctl reload",
      takes: /web0 2001:67c:2834:2::1/,
    },
    {
      name: "systemd installed again, which restarts networkd as each upgrade does",
      command: "DEBIAN_FRONTEND=noninteractive apt-get -y install --reinstall systemd",
      takes: /pub0 2001:db8:ffff::10/,
    },
    {
      name: "a VLAN that is deleted",
      command: "ip link del trunk0.101",
      takes: /vlan trunk0\.101 trunk0 101/,
    },
    {
      name: "a trunk whose card is pulled out and put in again",
      command:
        "card=$(readlink -f /sys/class/net/trunk0/device/..); echo 1 >$card/remove; sleep 1; echo 1 >/sys/bus/pci/rescan; udevadm settle",
      takes: /vlan trunk0\.101 trunk0 101, vlan vlan102-/,
      slow: true,
    },
    {
      name: "VLANs that are networkd's from now on",
      command: `cd /etc/systemd/network
        printf "[NetDev]\\nName=trunk0.101\\nKind=vlan\\n[VLAN]\\nId=101\\n" >30-vlan.netdev
        printf "[Match]\\nName=trunk0.101\\n[Link]\\nRequiredForOnline=no\\n[Network]\\nDHCP=yes\\n" >30-vlan.network
        printf "[Match]\\nName=trunk0\\n[Link]\\nRequiredForOnline=no\\n[Network]\\nVLAN=trunk0.101\\n" >15-trunk0.network
        networkctl reload`,
    },
  ])("$name: all is there again", async ({ name, command, takes, slow }) => {
    const before = await state();
    const { after, healed } = await event(name, command);
    if (takes) expect(healed).toMatch(takes);
    await asBefore(before, 20_000);
    expect(await drift()).toEqual([]);
    await serves({ bgp: false });
    expect(await tagged()).toEqual(TAGGED);
    // Udev and networkd come before, with a card that is new to them.
    expect(after).toBeLessThan(slow ? 3 * HEALED : HEALED);
  });

  test.each([
    ["a reboot", vm.reboot],
    [
      "its power button, and the power again",
      async () => {
        await vm.poweroff();
        await vm.start();
      },
    ],
  ])("%s: it comes back by itself, as it was", async (_, work) => {
    const before = await state();
    await work();
    await asBefore(before, 120_000);
    expect((await vm.exec("systemctl --failed --plain --no-legend")).stdout).toBe("");
    await farEnds();
    expect(await lease("web1")).toBe(WEB1);
    expect(await lease("db1")).toBe(DB1);
    expect(await tagged()).toEqual(TAGGED);
    await teams();
    await serves();
    await untouched();
  });

  test("a VLAN goes with its tier", async () => {
    await up(services);
    // Of the other it depends who was there first at boot.
    expect((await tagged()).filter((it) => it !== TAGGED[0])).toEqual([]);
    expect((await vm.exec("ls /var/lib/vpc6/trunks; nft list set inet vpc6 trunks")).stdout).not.toContain("trunk0");
    expect(await drift()).toEqual([]);
  });
});
