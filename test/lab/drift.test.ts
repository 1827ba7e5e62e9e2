// Drift on a real router: what somebody changes by hand shows in a refresh, on the resource it concerns, and the next `up` repairs that
// and nothing else. What is not ours, and what comes and goes by itself, does not show.

import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from "vitest";
import { report } from "../../cli/report";
import { readStack } from "../../cli/stack";
import type { State } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, lab } from "./lab.ts";
import { capture, logins, program, startInProcess } from "./stack.ts";

const rest = `
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.NetworkAcl("front", { tiers: [web], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "8000-8100", sources: [db], log: true },
] });
new vpc6.NetworkAcl("back", { tiers: [db], preset: "egressOnly" });
new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", members: [{ instance: web1, port: 8080 }] });
new vpc6.LoadBalancer("some", { vpc: shop, port: 81, mode: "tcp", sources: ["2001:db8:1::/48"], members: [{ instance: web1, port: 8080 }] });
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });
export const addresses = { db1: db1.address, web1: web1.address };
`;
const DB1 = "2001:67c:2834:1::10";
const WEB1 = "2001:67c:2834:2::10";
const UPLINK = "2001:db8:ffff::1";

const FRR = `router bgp 65000
 bgp router-id 203.0.113.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor 2001:db8:ffff::10 remote-as external
 address-family ipv6 unicast
  neighbor 2001:db8:ffff::10 activate
  neighbor 2001:db8:ffff::10 default-originate
 exit-address-family
exit
`;

const vtysh = (...commands: string[]) => [
  "env",
  "VTYSH_HISTFILE=/tmp/vtysh",
  "vtysh",
  ...commands.flatMap((it) => ["-c", it]),
];
const handle = (chain: string, rule: string) =>
  `nft delete rule inet vpc6 ${chain} handle $(nft -a list chain inet vpc6 ${chain} | sed -n 's/.*${rule}.* # handle //p')`;

type Edit = [what: string, edit: string | string[], says: Record<string, string>, starts?: string[]];

/**
 * What a hand does, what the report says of which resources (all others: nothing), and which daemons the repair may start anew. Those of a
 * group are done at once, and each is told by what it is; who starts a daemon is alone in it.
 */
const edits: Edit[][] = [
  [
    [
      "a tier's sysctl",
      "sysctl -qw net.ipv6.conf.web0.forwarding=0",
      { "Tier web": "net.ipv6.conf.web0.forwarding = 0 instead of 1" },
      ["vpc6-dnsmasq"],
    ],
    [
      "a deleted rule",
      handle("input_public", '"DHCPv6 client"'),
      {
        "Router vr1":
          'rule removed from chain input_public, ip6 saddr fe80::/10 ip6 daddr fe80::/10 udp sport 547 udp dport 546 accept comment "DHCPv6 client"',
      },
    ],
    [
      "a changed file",
      "sed -i s/fastinter/slowinter/ /etc/vpc6/live/files/haproxy",
      { "LoadBalancer some": "line removed from /etc/vpc6/live/files/haproxy", "LoadBalancer www": "fastinter" },
    ],
    [
      "a guest's lines gone and changed",
      `rm /var/lib/vpc6/dhcp-hosts/web1*; echo "${DB1} evil" >>/var/lib/vpc6/dns-hosts/db1@${DB1}`,
      {
        "Instance web1": "file /var/lib/vpc6/dhcp-hosts/web1",
        "Instance db1": `file /var/lib/vpc6/dns-hosts/db1@${DB1} changed`,
      },
    ],
    [
      "an added BGP neighbour",
      vtysh("configure", "router bgp 4200000000", "neighbor 2001:db8:ffff::77 remote-as 65077"),
      { "Router vr1": "bgpd, line added, router bgp 4200000000 neighbor 2001:db8:ffff::77 remote-as 65077" },
    ],
    [
      "an extra address and route",
      "ip addr add 2001:db8:9::1/64 dev db0; ip route add 2001:db8:99::/48 via fe80::5 dev db0; ip route add 10.9.0.0/16 dev db0",
      { "Tier db": "address added, db0 2001:db8:9::1/64" },
    ],
  ],
  [
    [
      "wrong sysctls",
      "sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.web0.accept_ra=2",
      {
        "Vpc shop": "net.ipv6.conf.all.forwarding = 0 instead of 1",
        "Tier web": "net.ipv6.conf.web0.accept_ra = 2 instead of 0",
      },
      ["vpc6-dnsmasq"],
    ],
    [
      "a rule of another resource",
      handle("services", "2001:db8:1::"),
      { "LoadBalancer some": "rule removed from chain services, ip6 daddr" },
    ],
    [
      "a fragment changed in its place",
      `f=$(echo /etc/vpc6/confirmed/fragments/dns-hosts/web1*); sed 's/web1/evil/' $f >/tmp/f; cp --remove-destination /tmp/f $f`,
      { "Instance web1": "dns-hosts on router vr1 was changed by another hand" },
    ],
    [
      "a changed frr.conf",
      "echo '! mine' >>/etc/frr/frr.conf",
      { "Router vr1": "line added to /etc/frr/frr.conf, ! mine" },
    ],
    [
      "removed routes",
      "ip -6 route del default via 2001:db8:ffff::1; ip -6 route del unreachable 2001:67c:2834::/60",
      {
        "Router vr1": "route removed, pub0 ::/0 via 2001:db8:ffff::1 metric 512",
        "Vpc shop": "unreachable removed, 2001:67c:2834::/60",
      },
    ],
  ],
  [
    [
      "the guard is stopped, and who would start it at the next deleted rule",
      "systemctl stop vpc6-watch vpc6-guard",
      { "Router vr1": "guard on router vr1, vpc6-guard is stopped" },
    ],
    [
      "the end of a list",
      handle("front/web0/ingress", "goto unmatched"),
      { "NetworkAcl front": "rule removed from chain front/web0/ingress, goto unmatched" },
    ],
    [
      "a drop-in for dnsmasq's unit",
      `d=/run/systemd/system/vpc6-dnsmasq.service.d; mkdir -p $d; printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/dnsmasq -C /etc/vpc6/live/files/dnsmasq -x /run/vpc6/dnsmasq.pid --no-resolv\\n' >$d/x.conf; systemctl daemon-reload; systemctl restart vpc6-dnsmasq`,
      { "Router vr1": "vpc6-dnsmasq.service.d/x.conf added" },
      ["vpc6-dnsmasq"],
    ],
    ["a changed program", "echo >>/usr/local/lib/vpc6/vpc6", { "Router vr1": "/usr/local/lib/vpc6/vpc6 changed" }],
    [
      "an added rule",
      "nft insert rule inet vpc6 forward tcp dport 666 accept",
      { "Router vr1": "rule added to chain forward, tcp dport 666 accept" },
    ],
    [
      "a file beside the guests'",
      "echo '::9 evil' >/var/lib/vpc6/dns-hosts/mine",
      { "Router vr1": "file /var/lib/vpc6/dns-hosts/mine added" },
    ],
    [
      "a removed BGP neighbour",
      vtysh("configure", "router bgp 4200000000", `no neighbor ${UPLINK}`),
      { "BgpPeer uplink": `bgpd, line removed, router bgp 4200000000 neighbor ${UPLINK} remote-as 65000` },
    ],
    [
      "a removed and an extra permanent neighbour",
      `ip neigh del ${WEB1} dev web0; ip neigh add 2001:67c:2834:1::77 lladdr 02:00:00:00:00:77 dev db0 nud permanent`,
      {
        "Instance web1": `neighbor removed, web0 ${WEB1} 02:00:00:00:01:11`,
        "Tier db": "neighbor added, db0 2001:67c:2834:1::77 02:00:00:00:00:77",
      },
    ],
    ["a disabled unit", "systemctl disable vpc6", { "Router vr1": "vpc6.service is disabled" }],
  ],
  [
    [
      "a deleted set element",
      `nft delete element inet vpc6 guests '{ "web0" . 02:00:00:00:01:11 . ${WEB1} }'`,
      { "Instance web1": `element removed from set guests, "web0" . 02:00:00:00:01:11 . ${WEB1}` },
    ],
    [
      "a foreign option of dnsmasq",
      "echo dhcp-option=option6:23,[2001:db8::53] >>/etc/vpc6/live/files/dnsmasq; systemctl restart vpc6-dnsmasq",
      { "Tier web": "line added to /etc/vpc6/live/files/dnsmasq, dhcp-option=option6:23,[2001:db8::53]" },
      ["vpc6-dnsmasq"],
    ],
    [
      "a removed package",
      "dpkg --purge --force-depends frr-pythontools",
      { "BgpPeer uplink": "package frr-pythontools removed" },
    ],
    [
      "rules in another order",
      `${handle("own_address", "@guests return")}; nft insert rule inet vpc6 own_address position $(nft -a list chain inet vpc6 own_address | sed -n 's/.*drop # handle //p') iifname . ether saddr . ip6 saddr @guests return`,
      { "Router vr1": "chain own_address, iifname . ether saddr . ip6 saddr @guests return" },
    ],
    [
      "a changed unit",
      "echo '# mine' >>/etc/systemd/system/vpc6-haproxy.service",
      { "Router vr1": "line added to /etc/systemd/system/vpc6-haproxy.service, # mine" },
    ],
    [
      "an added line of a prefix list",
      vtysh("configure", `ipv6 prefix-list vpc6-in-${UPLINK} seq 99 permit any`),
      { "BgpPeer uplink": `bgpd, line added, ipv6 prefix-list vpc6-in-${UPLINK} seq 99 permit any` },
    ],
    [
      "a link that is down",
      "ip link set web0 down",
      { "Tier web": "interface web0 is down", "Instance web1": "neighbor removed" },
    ],
  ],
  [
    [
      "an added set element",
      `nft add element inet vpc6 networks '{ 2001:db8:77::/48 }'`,
      { "Router vr1": "element added to set networks, 2001:db8:77::/48" },
    ],
    [
      "a removed address",
      "ip addr del 2001:67c:2834:2::1/64 dev web0",
      { "Tier web": "address removed, web0 2001:67c:2834:2::1/64" },
      ["vpc6-dnsmasq"],
    ],
    ["a stopped and masked FRR", "systemctl stop frr; systemctl mask frr", { "Router vr1": "frr is masked" }, ["frr"]],
  ],
  [
    // What is lost as a whole is put back without anybody: see guard.test.ts.
    [
      "nobody who puts back, and the table gone",
      "systemctl stop vpc6-watch; nft delete table inet vpc6",
      { "Router vr1": "nftables on router vr1, table inet vpc6 removed" },
    ],
    [
      "stopped daemons",
      "systemctl stop vpc6-dnsmasq vpc6-haproxy",
      { "Router vr1": "vpc6-haproxy is stopped" },
      ["vpc6-dnsmasq", "vpc6-haproxy"],
    ],
  ],
];

/** One of each kind of resource, which do not get in each other's way. */
const SHOWN = [
  "an added rule",
  "the end of a list",
  "a fragment changed in its place",
  "a removed BGP neighbour",
  "a tier's sysctl",
];

let engine: InProcess;
let flow: Background[];

beforeAll(async () => {
  await lab.down();
  await lab.up("vr1", "uplink", "web1", "db1");
  await lab.exec(
    "uplink",
    "sed -i s/bgpd=no/bgpd=yes/ /etc/frr/daemons && cat >/etc/frr/frr.conf && chown frr:frr /etc/frr/frr.conf && systemctl start frr",
    { input: FRR },
  );
  engine = await startInProcess();
  await engine.program(await text());
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  await lab.waitForLease("web1", WEB1);
  await lab.waitForLease("db1", DB1);
  for (const guest of ["web1", "db1"] as const) await lab.waitForGateway(guest);
  // A connection through the router that is there all the time.
  flow = [lab.background("web1", "nc -6 -l -p 8000")];
  await lab.until("a listener", 5_000, async () => (await lab.exec("web1", "ss -6ltn")).stdout.includes(":8000"));
  flow.push(lab.background("db1", `while sleep 0.5; do date +%s; done | nc -6 ${WEB1} 8000`));
});

afterAll(async () => {
  for (const end of flow ?? []) await end.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

const text = () => program(rest, { routers: { vr1: "" }, zone: `asnRange: "4200000000-4200000999",` });

/** What the state says of each resource that is not as applied. */
async function reports(on: { export(): Promise<State> } = engine): Promise<Record<string, string>> {
  const { resources = [] } = (await on.export()).deployment;
  return Object.fromEntries(
    resources.flatMap(({ urn, outputs }) => {
      const { live } = (outputs ?? {}) as { live?: string };
      const [, type, name] = /vpc6:(\w+)::(.*)$/.exec(urn) ?? [];
      return live === undefined || live === "as applied" ? [] : [[`${type} ${name}`, live]];
    }),
  );
}

async function clean(): Promise<void> {
  const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes", "--diff"] });
  expect(code, all).toBe(0);
}

/** Whether whoever puts back what is lost (heal.test.ts) may: else there would be nothing to see. */
const watched = async (is: boolean) =>
  void (await lab.exec("vr1", `systemctl kill -s ${is ? "CONT" : "STOP"} vpc6-watch || true`));

/** How many seconds ago the last of the connection's lines arrived. */
async function age(): Promise<number> {
  const lines = flow[0]?.stdout.trim().split("\n") ?? [];
  return Math.round(Date.now() / 1000) - Number(lines.at(-1));
}

const starts = async () => {
  const { stdout } = await lab.exec("vr1", "systemctl show -p Id,InvocationID vpc6-dnsmasq vpc6-haproxy frr");
  const each = [...stdout.matchAll(/^Id=(.*)\.service\nInvocationID=(.*)$/gm)];
  expect(each).toHaveLength(3);
  return Object.fromEntries(each.map(([, unit = "", run = ""]) => [unit, run]));
};

describe("an untouched router shows nothing", () => {
  test("for one login, however many resources", async () => {
    const before = await logins("vr1");
    const { code, all } = await engine.refresh({ args: ["--expect-no-changes"] });
    expect(code, all).toBe(0);
    expect(await logins("vr1")).toBe(before + 1);
  });

  test("when a cable was pulled, the neighbour was away, guests asked again, and the operator did things of his own", async () => {
    const net = (...args: string[]) => execFileSync("ip", ["-n", `vpc6-lab${process.env.VPC6_LAB ?? ""}-net`, ...args]);
    for (const link of ["vr1-web0", "vr1-pub0"]) {
      net("link", "set", link, "down");
      await lab.until(
        "the carrier to go",
        5_000,
        async () => (await lab.exec("vr1", `cat /sys/class/net/${link.slice(4)}/carrier`)).stdout === "0\n",
      );
    }
    await clean();
    for (const link of ["vr1-web0", "vr1-pub0"]) net("link", "set", link, "up");
    await lab.exec("uplink", "systemctl stop frr");
    await lab.exec(
      "vr1",
      "nft add table inet mine; nft add chain inet mine c; ip addr add 198.51.100.9/32 dev mgmt0; ip addr add 2001:db8:a::1/64 dev pub0; ip addr add 2001:db8:b::1/128 dev lo",
    );
    for (let n = 0; n < 3; n++) for (const guest of ["web1", "db1"] as const) await lab.renew(guest);
    await clean();
    await lab.exec("uplink", "systemctl start frr");
    await lab.exec(
      "vr1",
      "nft delete table inet mine; ip addr del 198.51.100.9/32 dev mgmt0; ip addr del 2001:db8:a::1/64 dev pub0; ip addr del 2001:db8:b::1/128 dev lo",
    );
  });

  test("after a change and after its end", async () => {
    await engine.program((await text()).replace("8000-8100", "8000-8200"));
    expect((await engine.up()).code).toBe(0);
    await clean();
    await engine.program(await text());
    expect((await engine.up()).code).toBe(0);
  });
});

describe("what a hand changed shows, and up repairs it", () => {
  const groups = edits.map((group) => ({ group, name: group.map(([what]) => what).join("; ") }));
  test.each(groups)("$name", async ({ group }) => {
    // One that fails leaves nothing for the others.
    onTestFailed(async () => void (await engine.up({ args: ["--refresh"] })));
    onTestFinished(() => watched(true));
    const began = Date.now();
    await watched(false);
    for (const [, edit] of group) await lab.exec("vr1", edit);
    const found = await starts();
    const { code, all } = await engine.refresh();
    expect(code, all).toBe(0);
    const said = await reports();
    const resources = new Set(group.flatMap(([, , says]) => Object.keys(says)));
    expect(Object.keys(said).sort(), JSON.stringify(said)).toEqual([...resources].sort());
    for (const [resource, line] of group.flatMap(([, , says]) => Object.entries(says))) {
      expect(said[resource]).toContain(line);
      expect(said[resource]).toContain("on router vr1");
    }
    const repaired = await engine.up();
    expect(repaired.code, repaired.all).toBe(0);
    await watched(true);
    await clean();
    const now = await starts();
    expect(Object.keys(now).filter((unit) => now[unit] !== found[unit])).toEqual(
      group.flatMap(([, , , starts = []]) => starts),
    );
    // TCP waits twice as long with each segment it repeats: after an interruption, up to as long again as that was.
    await lab.until("the connection to go on", 20_000 + Date.now() - began, async () => (await age()) <= 2);
  });

  test("a tier whose address was away when an advertisement was due is advertised again", async () => {
    onTestFinished(() => watched(true));
    await watched(false);
    await lab.exec("vr1", "ip addr del 2001:67c:2834:2::1/64 dev web0");
    // One is due every 30 s.
    await sleep(31_000);
    const { stdout } = await engine.preview({ json: true, args: ["--refresh"] });
    const { markdown } = report(readStack(stdout));
    expect(markdown).toContain("**Tier `web` changed, on router `vr1`.**");
    expect(markdown).toContain("restarts dnsmasq");
    expect(markdown).toContain("Tier `web`: is not as it was applied, and is put right");
    const advertisements = await capture("web1", "eth0", "icmp6 and ip6[40] == 134");
    const repaired = await engine.up({ args: ["--refresh"] });
    expect(repaired.code, repaired.all).toBe(0);
    await lab.until("an advertisement", 35_000, async () => advertisements.stdout.includes("router advertisement"));
    await advertisements.stop();
  });

  test("a nightly job of the Pulumi CLI sees it by exit code 7; it shows it, up to the width of a line, and its up repairs it", async () => {
    onTestFailed(async () => void (await engine.up({ args: ["--refresh"] })));
    onTestFinished(() => watched(true));
    await watched(false);
    const many = edits.flat().filter(([what]) => SHOWN.includes(what));
    expect(many).toHaveLength(SHOWN.length);
    await lab.exec("vr1", "nft insert rule inet vpc6 own_address return");
    await engine.underTheCli(async (cli) => {
      const job = await cli.preview({ args: ["--refresh", "--expect-no-changes", "--diff"] });
      expect(job.code, job.all).toBe(7);
      expect(job.all).toContain("nftables on router vr1, rule added to chain own_address");
      const mended = await cli.up({ args: ["--refresh"] });
      expect(mended.code, mended.all).toBe(0);

      // That has started it anew.
      await watched(false);
      for (const [, edit] of many) await lab.exec("vr1", edit);
      const { code, all } = await cli.refresh({ args: ["--diff"] });
      expect(code, all).toBe(0);
      const said = await reports(cli);
      expect(Object.keys(said).sort()).toEqual(many.flatMap(([, , says]) => Object.keys(says)).sort());
      expect(JSON.stringify(said)).not.toContain("own_address");
      for (const [, , says] of many) {
        for (const [resource, line] of Object.entries(says)) {
          expect(said[resource]).toContain(line);
          expect(all).toContain(said[resource]?.split(/["\n]/)[0]?.slice(0, 60));
        }
      }
      const repaired = await cli.up();
      expect(repaired.code, repaired.all).toBe(0);
    });
    await clean();
  });
});

describe("a router that is not there", () => {
  test("that does not answer is an error, and nothing is forgotten", async () => {
    const before = (await engine.export()).deployment.resources?.map(({ urn }) => urn);
    await lab.exec("vr1", "systemctl stop ssh.socket 2>/dev/null; systemctl stop ssh");
    try {
      const { code, all } = await engine.refresh();
      expect(code).not.toBe(0);
      expect(all).toContain("router vr1 (");
    } finally {
      await lab.exec("vr1", "systemctl start ssh");
    }
    expect((await engine.export()).deployment.resources?.map(({ urn }) => urn)).toEqual(before);
    expect(await reports()).toEqual({});
  });

  test("that was rebooted shows nothing, from the first moment on", async () => {
    await lab.reboot("vr1");
    await clean();
  });
});

describe("a rebuilt router", () => {
  const files = async () =>
    (
      await lab.exec(
        "vr1",
        "cd /etc/vpc6/live/files && tail -n +1 $(find . -type f | sort); nft -n -s list table inet vpc6",
      )
    ).stdout;

  test("with its old host key is known by a refresh, and up makes it what it was", async () => {
    const before = [await engine.output("addresses"), await files()];
    // It lacks packages of the old one, and knows nothing of any.
    await lab.reset("vr1");
    await lab.exec("vr1", "rm -r /var/lib/vpc6; dpkg --purge --force-depends haproxy frr-pythontools");
    const { code, all } = await engine.refresh();
    expect(code, all).toBe(0);
    expect((await reports())["Tier web"]).toBe("missing on router vr1; the next update puts it there");
    const up = await engine.up();
    expect(up.code, up.all).toBe(0);
    expect(up.all).not.toMatch(/replaced|deleted/);
    expect([await engine.output("addresses"), await files()]).toEqual(before);
    await clean();
  });

  test("with a new one needs the new hostKey in the program and a plain up", async () => {
    const before = [await engine.output("addresses"), await files()];
    await lab.reset("vr1");
    const { stdout } = await lab.exec(
      "vr1",
      "cd /etc/ssh && rm ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl restart ssh && ssh-keygen -lf ssh_host_ed25519_key.pub | cut -d' ' -f2",
    );
    const refused = await engine.refresh();
    expect(refused.code).not.toBe(0);
    expect(refused.all).toContain(stdout.trim());
    await engine.program((await text()).replace(/hostKey: "[^"]*"/, `hostKey: "${stdout.trim()}"`));
    const up = await engine.up();
    expect(up.code, up.all).toBe(0);
    expect([await engine.output("addresses"), await files()]).toEqual(before);
    await lab.renew("web1");
    await lab.waitForLease("web1", WEB1, 30_000);
    await clean();
  });
});
