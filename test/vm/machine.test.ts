// The main job on a real machine: a Debian 13 with a kernel of its own, AppArmor on, and systemd-networkd on every link, as a cloud image
// has it. Each test goes on from the one before it: to boot takes an emulated processor more than a minute.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InProcess } from "../engine/in-process.ts";
import { impossible, vm } from "./vm.ts";

const GATEWAY = "2001:67c:2834:1::1";
const WEB1 = "2001:67c:2834:1::10";

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
${rest}`;
}

const services = `
new vpc6.NetworkAcl("open", { tiers: [web], preset: "allowAll" });
new vpc6.Nat64("nat64", { vpc: shop });
new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "tcp", members: [{ instance: web1, port: 8000 }] });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });
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

/** What a router of vpc6 has in its kernel, and which daemons run: a line each. */
const STATE = `
ip -o addr show scope global -tentative | awk '$2 != "mgmt0" { print "address", $2, $4 }'
{ ip -6 route show proto 106; ip -4 route show proto 106; ip -6 route show proto bgp; } | sed 's/ error .*//; s/ pref .*//; s/^/route /'
ip neigh show nud permanent
sysctl net.ipv6.conf.all.forwarding net.ipv4.ip_forward
nft -s list table inet vpc6 | sed 's/ expires [0-9a-z]*//' | sha256sum
systemctl list-units --plain --no-legend --state=active 'vpc6*' | awk '{ print $1, $4 }'
`;

const state = async (): Promise<string[]> => (await vm.exec(STATE)).stdout.trim().split("\n").toSorted();

/** The state again and again until it is `before`; what is different when it does not become so. */
async function asBefore(before: string[], timeoutMs: number): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const now = await state();
    if (now.join("\n") === before.join("\n") || Date.now() > end) {
      expect(now).toEqual(before);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const drift = async () => {
  const { stdout } = await vm.exec("$(ls /usr/local/lib/vpc6/vpc6 /usr/lib/vpc6/vpc6 2>/dev/null | head -n 1) observe");
  return stdout.split("\n").filter((it) => it.startsWith("drift "));
};

const served = async () => {
  expect((await vm.far("web1", `ping -n -c 3 -W 5 ${GATEWAY}`)).stdout).toContain("3 received");
};

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

  test("a router, a VPC, a tier: a guest has its lease and reaches its gateway", async () => {
    await up("");
    expect((await vm.exec("guest web1 eth0")).stdout.trim()).toBe(WEB1);
    await served();
  });

  test("FRR, HAProxy, BIND and Tayga start and serve, under AppArmor", async () => {
    await vm.exec("uplink");
    await up(services);
    const { stdout } = await vm.exec("aa-status");
    for (const daemon of ["named", "haproxy"]) expect(stdout).toContain(daemon);
    expect((await vm.exec("journalctl -b -k -o cat -g 'apparmor=.DENIED.' || true")).stdout).toBe("");
    expect(await drift()).toEqual([]);
    expect((await engine.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
    expect((await engine.refresh({ args: ["--expect-no-changes"] })).code).toBe(0);
  });
});
