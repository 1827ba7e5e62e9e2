// The main job on a real machine: a Debian 13 with a kernel of its own, AppArmor on, and systemd-networkd on every link, as a cloud image
// has it. Each test goes on from the one before it: to boot takes an emulated processor more than a minute.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InProcess } from "../engine/in-process.ts";
import { impossible, vm } from "./vm.ts";

const GATEWAY = "2001:67c:2834:2::1";
const WEB1 = "2001:67c:2834:2::10";
const DB1 = "2001:67c:2834:1::10";
const ASN = 4_200_000_000;
const TEAM1 = "2001:67c:2834:3::10";

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

/** VLANs that the operator has made. */
const vlans = `
const team = new vpc6.Tier("team", { vpc: shop, interface: "trunk0.101" });
new vpc6.Instance("team1", { tier: team, mac: "02:00:00:00:01:13" });
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

const lease = async (host: "web1" | "db1" | "trunk", device = "eth0") =>
  (await vm.exec(`guest ${host} ${device}`)).stdout.trim();

const pings = async (host: "web1" | "db1" | "trunk" | "uplink", to: string) =>
  (await vm.far(host, `ping -n -c 3 -W 5 ${to}`, { check: false })).stdout.includes(" 3 received");

const VLAN = (trunk: string) =>
  `ip link add link ${trunk} name ${trunk}.101 type vlan id 101; ip link set ${trunk}.101 up`;

/** What goes with the power: the services of guests and uplink, and the other end of the VLAN. */
async function farEnds(): Promise<void> {
  await vm.exec(
    "setsid ip netns exec web1 systemd-socket-activate -l 8000 -a --inetd /bin/echo hello >/dev/null 2>&1 </dev/null &",
  );
  await vm.exec(`uplink ${ASN}`);
  await vm.far("trunk", VLAN("eth0"));
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

  test("VLANs that the operator has made by hand are tiers", async () => {
    await vm.exec(VLAN("trunk0"));
    await up(services + vlans);
    expect(await lease("trunk", "eth0.101")).toBe(TEAM1);
    expect(await pings("trunk", "2001:67c:2834:3::1")).toBe(true);
    expect(await pings("trunk", WEB1)).toBe(true);
  });

  const untouched = async () => {
    expect(await drift()).toEqual([]);
    for (const what of ["preview", "refresh"] as const) {
      const { code, all } = await engine[what]({ args: ["--expect-no-changes"] });
      expect(code, all).toBe(0);
    }
  };

  test("nothing drifts, and a second preview is empty", untouched);

  test.each<{ name: string; command: string; takes?: RegExp }>([
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
      name: "VLANs that are networkd's from now on",
      command: `cd /etc/systemd/network
        printf "[NetDev]\\nName=trunk0.101\\nKind=vlan\\n[VLAN]\\nId=101\\n" >30-vlan.netdev
        printf "[Match]\\nName=trunk0.101\\n[Link]\\nRequiredForOnline=no\\n[Network]\\nDHCP=yes\\n" >30-vlan.network
        printf "[Match]\\nName=trunk0\\n[Link]\\nRequiredForOnline=no\\n[Network]\\nVLAN=trunk0.101\\n" >15-trunk0.network
        networkctl reload`,
    },
  ])("$name: all is there again", async ({ name, command, takes }) => {
    const before = await state();
    const { after, healed } = await event(name, command);
    if (takes) expect(healed).toMatch(takes);
    await asBefore(before, 20_000);
    expect(await drift()).toEqual([]);
    await serves({ bgp: false });
    expect(after).toBeLessThan(HEALED);
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
    expect(await lease("trunk", "eth0.101")).toBe(TEAM1);
    await serves();
    expect(await pings("trunk", WEB1)).toBe(true);
    await untouched();
  });
});
