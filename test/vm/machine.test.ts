// The main job on a real machine: a Debian 13 with a kernel of its own, AppArmor on, and systemd-networkd on every link, as a cloud image
// has it. Each test goes on from the one before it: to boot takes an emulated processor more than a minute.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InProcess } from "../engine/in-process.ts";
import { impossible, vm } from "./vm.ts";

const GATEWAY = "2001:67c:2834:2::1";
const WEB1 = "2001:67c:2834:2::10";
const DB1 = "2001:67c:2834:1::10";
const TEAM1 = "2001:67c:2834:3::10";

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
export const asn = router.asn;
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

/**
 * On the machine: `state` prints what vpc6 has in the kernel, and which daemons run, a line each; `event COMMAND` what a command takes of
 * the network, and for how long (milliseconds): from the first loss to the last thing back, and how much of that after the command's end.
 */
const SCRIPTS = `
cat >/run/network <<'END'
ip -o addr show scope global -tentative | awk '$2 != "mgmt0" { print "address", $2, $4 }'
{ ip -6 route show proto 106; ip -4 route show proto 106; ip -6 route show proto bgp; } | sed 's/ error .*//; s/ pref .*//; s/ nhid [0-9]*//; s/^/route /'
ip neigh show nud permanent
sysctl net.ipv6.conf.all.forwarding net.ipv4.ip_forward
END
cat >/run/state <<'END'
sh /run/network
nft -s list table inet vpc6 | sed 's/ expires [0-9a-z]*//' | sha256sum
systemctl list-units --plain --no-legend --state=active 'vpc6*' frr.service | awk '{ print $1, $4 }'
END
cat >/run/event <<'END'
now() { read -r up _ </proc/uptime; echo $((\${up%.*}\${up#*.} * 10)); }
sh /run/network 2>&1 | sort >/run/before
: >/run/taken
rm -f /run/ended
{ sh -c "$1" >/run/event.log 2>&1; echo $? >/run/code; now >/run/ended.new; mv /run/ended.new /run/ended; } &
first=0 last=0
while :; do
  at=$(now)
  sh /run/network 2>&1 | sort >/run/after
  if cmp -s /run/before /run/after; then
    [ ! -e /run/ended ] || [ $(($(now) - $(cat /run/ended))) -lt 3000 ] || break
  else
    [ $first != 0 ] || first=$at
    last=$(now)
    comm -23 /run/before /run/after >>/run/taken
    [ ! -e /run/ended ] || [ $(($(now) - $(cat /run/ended))) -lt 30000 ] || break
  fi
done
ended=$(cat /run/ended)
echo $((last - first)) $((last > ended ? last - ended : 0)) $(cat /run/code)
sort -u /run/taken
END
`;

const state = async (): Promise<string[]> => (await vm.exec("sh /run/state")).stdout.trim().split("\n").toSorted();

interface Event {
  /** Milliseconds for which something was missing, and those of them after the command's end. */
  missing: number;
  after: number;
  taken: string[];
}

async function event(command: string): Promise<Event> {
  const { stdout } = await vm.exec(`sh /run/event '${command}'`);
  const [times = "", ...taken] = stdout.trim().split("\n");
  const [missing = 0, after = 0, code] = times.split(" ").map(Number);
  console.info(`${command}: ${taken.length} things gone, for ${missing} ms, ${after} ms of them after its end`);
  if (code !== 0) throw new Error(`${command}: ${(await vm.exec("cat /run/event.log")).stdout}`);
  return { missing, after, taken };
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

/** The whole way of each service, as its users see it. */
async function serves(): Promise<void> {
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
    const { stdout } = await vm.exec("uname -r; modprobe 8021q && echo vlans; cat /sys/module/apparmor/parameters/enabled; networkctl --no-legend");
    expect(stdout).toMatch(/deb13-cloud-amd64\nvlans\nY\n/);
    for (const link of ["mgmt0", "pub0", "web0", "trunk0"]) expect(stdout).toMatch(new RegExp(`${link} +ether +\\S+ +config`));
  });

  test("a router, a VPC, two tiers: guests have their leases and reach each other's gateways", async () => {
    await up("");
    expect(await lease("web1")).toBe(WEB1);
    expect(await pings("web1", GATEWAY)).toBe(true);
    expect(await lease("db1")).toBe(DB1);
  });

  test("FRR, HAProxy, BIND and Tayga start and serve, under AppArmor", async () => {
    await vm.exec("setsid ip netns exec web1 systemd-socket-activate -l 8000 -a --inetd /bin/echo hello >/run/web1.log 2>&1 </dev/null &");
    await up(services);
    await vm.exec(`uplink ${await engine.output("asn")}`);
    await serves();
    const { stdout } = await vm.exec("aa-status");
    for (const daemon of ["named", "haproxy"]) expect(stdout).toContain(daemon);
    expect((await vm.exec("journalctl -b -k -o cat -g 'apparmor=.DENIED.' || true")).stdout).not.toMatch(/named|haproxy|frr|tayga|dnsmasq/);
  });

  test("VLANs that the operator has made are tiers", async () => {
    const made = (trunk: string) => `ip link add link ${trunk} name ${trunk}.101 type vlan id 101; ip link set ${trunk}.101 up`;
    await vm.exec(made("trunk0"));
    await vm.far("trunk", made("eth0"));
    await up(services + vlans);
    expect(await lease("trunk", "eth0.101")).toBe(TEAM1);
    expect(await pings("trunk", "2001:67c:2834:3::1")).toBe(true);
    expect(await pings("trunk", GATEWAY)).toBe(true);
  });

  test("nothing drifts, and a second preview is empty", async () => {
    expect(await drift()).toEqual([]);
    for (const what of ["preview", "refresh"] as const) {
      const { code, all } = await engine[what]({ args: ["--expect-no-changes"] });
      expect(code, all).toBe(0);
    }
  });

  describe("what takes addresses and routes away", () => {
    beforeAll(async () => void (await vm.exec(SCRIPTS)));

    test.each([
      ["systemctl restart systemd-networkd"],
      ["networkctl reconfigure pub0"],
      ["networkctl reconfigure web0"],
      ["echo >>/etc/systemd/network/20-tiers.network; networkctl reload"],
      // Its postinst restarts networkd, as at every upgrade.
      ["apt-get -y install --reinstall systemd"],
    ])("%s: all is there again", async (command) => {
      const before = await state();
      const { after } = await event(command);
      await asBefore(before, 20_000);
      expect(await drift()).toEqual([]);
      await serves();
      expect(after).toBeLessThan(10_000);
    });
  });
});
