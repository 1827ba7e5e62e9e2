// Dual-stack tiers on the wire, with examples/dual-stack as it is: guests that lease IPv4 from three DHCP clients, an IPv4-only server
// behind an IPv6 address, lists that govern both families, a VPC without IPv6, and what must not pass over IPv4.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Tier } from "../../provider/index";
import { converge, disconnect } from "../../provider/router/index";
import type { InProcess } from "../engine/in-process.ts";
import { type Background, type Guest, type Host, lab } from "./lab.ts";
import { address } from "./router/vr1.ts";
import {
  capture,
  connects,
  each,
  membersStay,
  ownPackages,
  reached,
  routeOnUplink,
  sendProtocols,
  snapshot,
  startInProcess,
} from "./stack.ts";

const ADDRESS = { web1: "10.1.1.2", web2: "10.1.1.80", db1: "10.1.2.1", cache1: "10.9.0.2" } as const;
const GATEWAY = { web1: "10.1.1.1", web2: "10.1.1.1", db1: "10.1.2.254", cache1: "10.9.0.1" } as const;
const GUESTS = Object.keys(ADDRESS) as (keyof typeof ADDRESS)[];
const OUTSIDE = "2001:db8:1::80";

let engine: InProcess;
let example: string;
let before: Record<string, string>;
const running: Background[] = [];

const up = async (text: string) => {
  await engine.program(text);
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
};

/** The guest's own DHCPv4 client, beside the DHCPv6 client that it has already. */
async function askForIpv4(guest: keyof typeof ADDRESS): Promise<void> {
  // The lab has a guest without an IPv6 address start over again and again. Two never get one; the third is not to be told to
  // start over while it gets an IPv4 lease.
  if (guest !== "web1") await lab.exec(guest, "systemctl stop lease-watch");
  if (guest === "web1") {
    running.push(lab.background(guest, "exec dhclient -4 -d eth0"));
  } else if (guest === "db1") {
    await lab.exec(guest, "sed -i /ipv6only/d /etc/dhcpcd.conf && echo option routers >>/etc/dhcpcd.conf && renew");
  } else {
    const file = "/etc/systemd/network/10-eth0.network.d/ipv4.conf";
    await lab.exec(
      guest,
      // `reload` sets the interface up anew. Told to do so again while it gets its lease, networkd loses the address (1 time of 15).
      `mkdir -p "$(dirname ${file})" && printf '[Network]\\nDHCP=yes\\n' >${file} && networkctl reload`,
    );
  }
}

const ipv4Of = async (guest: Guest) =>
  /inet ([0-9.]+)\//.exec((await lab.exec(guest, "ip -4 addr show dev eth0 scope global")).stdout)?.[1];

const leased = (guest: keyof typeof ADDRESS) =>
  lab.until(`${guest} to lease ${ADDRESS[guest]}`, 60_000, async () => (await ipv4Of(guest)) === ADDRESS[guest]);

/** An open door: asked again, as two seconds may not be enough on a machine that does much else. */
const opens = (from: Host, to: string, port: number) =>
  lab.until(
    `${to} port ${port} to be open for ${from}`,
    10_000,
    async () => (await connects(from, to, port)) === "open",
  );

const pings = async (from: Host, to: string) => (await lab.ping(from, to, { count: 2 })).received;
const dig = async (from: Host, ...words: string[]) =>
  (await lab.exec(from, ["dig", "+short", "+time=3", "+tries=1", ...words], { check: false })).stdout.trim();
const get = async (url: string, from: Host = "internet") =>
  (await lab.exec(from, ["curl", "-s", "-g", "-m", "3", url], { check: false })).stdout.trim();

// Listens on IPv4 only, and says whom it was asked for.
const website = `exec python3 -c '
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    text = ("db1 for " + str(self.headers.get("X-Forwarded-For")) + "\\n").encode()
    self.send_response(200); self.send_header("Content-Length", str(len(text))); self.end_headers(); self.wfile.write(text)
  def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()'`;

async function serve(): Promise<void> {
  running.push(lab.background("db1", website));
  for (const guest of GUESTS) {
    running.push(lab.background(guest, "exec socat -u TCP4-LISTEN:9100,fork,reuseaddr OPEN:/dev/null"));
  }
}

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "internet", "vr1", "web1", "web2", "db1", "cache1");
  await routeOnUplink();
  await ownPackages("vr1");
  before = await snapshot("vr1");
  engine = await startInProcess();
  const env = await lab.env();
  await engine.config("vr1Host", env.VR1_HOST ?? "");
  await engine.config("vr1HostKey", env.VR1_HOST_KEY ?? "");
  example = await readFile(path.join(import.meta.dirname, "../../examples/dual-stack/index.ts"), "utf8");
  await up(example);
  await each(GUESTS, askForIpv4);
  for (const guest of GUESTS) await leased(guest);
  // An IPv4 lease says nothing of the other family's.
  await each(["web1", "web2"] as const, async (guest) => void (await lab.ready(guest)));
  await serve();
});

afterAll(async () => {
  disconnect();
  for (const it of running) await it.stop();
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("every guest has leased what the program was promised, with gateway, DNS and domain", async () => {
  expect(await engine.output("addresses")).toEqual(ADDRESS);
  for (const guest of GUESTS) {
    // A client may take a while from the address to the route.
    await lab.until(`${guest}'s default route`, 30_000, async () =>
      (await lab.exec(guest, "ip -4 route show default")).stdout.includes(`via ${GATEWAY[guest]}`),
    );
    expect(await pings(guest, GATEWAY[guest])).toBe(2);
  }
  expect((await lab.exec("web1", "cat /var/lib/dhcp/dhclient.leases")).stdout).toMatch(
    /option domain-name-servers 10\.1\.1\.1;(.|\n)*option domain-search "web\.shop\.internal\.?", "shop\.internal\.?"/,
  );
  expect((await engine.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
});

test("names: A and PTR over IPv4 and IPv6, and no AAAA for a server that knows IPv4 only", async () => {
  expect(await dig("web1", "A", "web2.web.shop.internal", "@10.1.1.1")).toBe(ADDRESS.web2);
  expect(await dig("web1", "AAAA", "web2.web.shop.internal", "@10.1.1.1")).toBe("2001:67c:2834:2::11");
  expect(await dig("web1", "A", "db1.db.shop.internal", "@2001:67c:2834:2::1")).toBe(ADDRESS.db1);
  expect(await dig("web1", "AAAA", "db1.db.shop.internal", "@10.1.1.1")).toBe("");
  expect(await dig("web1", "-x", ADDRESS.db1, "@10.1.1.1")).toBe("db1.db.shop.internal.");
  // Of the other tier's gateway nobody here may ask.
  expect(await dig("web1", "A", "web2.web.shop.internal", "@10.1.2.254")).not.toContain(ADDRESS.web2);
});

test("the IPv4-only server answers IPv6 clients, and reads who they are", async () => {
  const vip = await engine.output("website");
  await membersStay(async () => (await get(`http://[${vip}]/`)).startsWith("db1"));
  expect(await get(`http://[${vip}]/`)).toBe(`db1 for ${OUTSIDE}`);
});

test("one list governs both families: what it allows, in both directions, and nothing else", async () => {
  // The server is asked directly, by a guest of the other tier, over IPv4: who is not in the list's rule is nobody's client.
  expect(await get(`http://${ADDRESS.db1}:8080/`, "web1")).toBe("db1 for None");
  expect(await reached(["web1", ADDRESS.db1, 9100], ["db1", ADDRESS.web1, 9100])).toEqual([]);
  expect(await pings("web1", ADDRESS.db1)).toBe(2);
  const deny = `{ direction: "ingress", action: "deny", protocol: "tcp", cidrs: ["${ADDRESS.web1}/32"] },`;
  const changed = example
    .replace('rules: [{ direction: "ingress"', `rules: [${deny} { direction: "ingress"`)
    .replace(/ {4}\{ from: web1.*\n/, "");
  await engine.program(changed);
  const { all } = await engine.preview({ args: ["--diff"] });
  const lines = all.split("\n").filter((line) => /^\s*[+-] /.test(line) && !/pulumi|Stack/.test(line));
  expect(lines.map((line) => line.trim().replace(/\s+/g, " "))).toEqual([
    `+ meta l4proto tcp ip saddr ${ADDRESS.web1} drop`,
  ]);
  await up(changed);
  expect(await connects("web1", ADDRESS.db1, 8080)).toBe("filtered");
  await opens("web2", ADDRESS.db1, 8080);
  const silent = example.replace("rules: [\n", '$&    { direction: "egress", action: "deny", protocol: "icmp" },\n');
  await up(silent);
  expect(await pings("web1", ADDRESS.db1)).toBe(0);
  await opens("web1", ADDRESS.db1, 8080);
  await up(example.replace(/new vpc6\.NetworkAcl(.|\n)*?\n\}\);\n/g, ""));
  expect(await connects("web1", ADDRESS.db1, 8080)).toBe("filtered");
  expect(await pings("web1", ADDRESS.db1)).toBe(2);
  await up(example);
  await opens("web1", ADDRESS.db1, 8080);
});

test("protocols by number: of both families, and what is one in IPv4 only", async () => {
  const [allow, all] = ['action: "allow", protocol:', '{ direction: "egress", action: "allow", protocol: "all" },'];
  const more = `{ direction: "ingress", ${allow} "gre" }, { direction: "ingress", ${allow} 59 },`;
  await up(
    example
      .replace("rules: [\n", `$& ${more}\n`)
      .replace('rules: [{ direction: "ingress"', `rules: [${all} { direction: "ingress"`),
  );
  const arrive = async (from: Host, source: string, to: string) => {
    await using seen = await capture("web1", "eth0", `src ${source} and not icmp and not icmp6`);
    await sendProtocols(from, to, [50, 0], [59, 0], [47, 0]);
    await lab.until("GRE", 10_000, async () => seen.stdout.includes("GREv0"));
    return seen.stdout.match(/ESP|no next header|GREv0/g);
  };
  expect(await arrive("db1", ADDRESS.db1, ADDRESS.web1)).toEqual(["no next header", "GREv0"]);
  expect(await arrive("internet", OUTSIDE, "2001:67c:2834:2::10")).toEqual(["GREv0"]);
  await up(example);
});

test("a guest sends with its own IPv4 address only, to other tiers and to the router", async () => {
  await using seen = await capture("db1", "eth0", "icmp[icmptype] == icmp-echo");
  // The router's answers to the one, and its question who has the other, would come by here.
  const answers = `(udp src port 53 and dst host ${ADDRESS.web2}) or (arp and arp[24:4] == 0x0a010142)`;
  await using queries = await capture("web2", "eth0", answers);
  for (const source of ["10.1.1.66", ADDRESS.web2, "10.9.0.2"]) {
    await lab.exec("web1", `ip addr add ${source}/32 dev eth0`);
    await lab.exec("web1", ["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "-I", source, ADDRESS.db1], {
      check: false,
    });
    await lab.exec("web1", ["dig", "+time=1", "+tries=1", "-b", source, "A", "web1.web.shop.internal", "@10.1.1.1"], {
      check: false,
    });
    await lab.exec("web1", `ip addr del ${source}/32 dev eth0`);
  }
  await lab.ping("web1", ADDRESS.db1, { count: 1 });
  await lab.until("the honest ping", 5_000, async () => seen.stdout.includes(`${ADDRESS.web1} > ${ADDRESS.db1}`));
  expect(seen.stdout).not.toMatch(/10\.1\.1\.66 >|10\.1\.1\.80 >|10\.9\.0\.2 >/);
  expect(queries.stdout).toBe("");
});

test("a guest cannot take a neighbour's traffic by answering ARP in its place", async () => {
  await lab.exec("web1", `ip addr add ${ADDRESS.web2}/32 dev eth0`);
  try {
    // Gratuitous ARP, as loud as can be.
    const arp = `
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
me = bytes.fromhex("020000000111"); ip = socket.inet_aton("${ADDRESS.web2}")
for n in range(100):
  for op in (1, 2):
    s.send(b"\\xff" * 6 + me + b"\\x08\\x06\\x00\\x01\\x08\\x00\\x06\\x04" + bytes([0, op]) + me + ip + b"\\xff" * 6 + ip)
  time.sleep(0.01)`;
    await lab.exec("web1", ["python3", "-c", arp]);
    const { stdout } = await lab.exec("vr1", `ip neigh show ${ADDRESS.web2}`);
    expect(stdout).toContain("lladdr 02:00:00:00:01:12 PERMANENT");
  } finally {
    await lab.exec("web1", `ip addr del ${ADDRESS.web2}/32 dev eth0`);
  }
});

test("over IPv4 nothing passes between tiers and the management network, the public side, or another VPC", async () => {
  const env = await lab.env();
  const management = String(env.VR1_HOST);
  const uplink = management.replace(/\d+$/, "1");
  await lab.exec("vr1", "ip addr add 203.0.113.10/24 dev pub0");
  // Else the kernel would drop some of it in our place.
  const filters = ["all", "mgmt0", "pub0", "web0", "db0"].map((it) => `net.ipv4.conf.${it}.rp_filter`).join(" ");
  const found = (await lab.exec("vr1", `sysctl ${filters} | tr -d ' '`)).stdout.replaceAll("\n", " ");
  await lab.exec("vr1", `sysctl -q ${filters.replaceAll("filter", "filter=0")}`);
  try {
    await using guest = await capture(
      "web1",
      "eth0",
      `icmp and (src net ${uplink.replace(/1$/, "0")}/24 or src net 203.0.113.0/24)`,
    );
    await using outside = await capture("uplink", "any", "icmp and src net 10.0.0.0/8");
    for (const via of [management, "203.0.113.10"]) {
      await lab.exec("uplink", `ip route replace 10.1.1.0/24 via ${via}`);
      expect(await pings("uplink", ADDRESS.web1), via).toBe(0);
    }
    await each([uplink, "203.0.113.1", management, "203.0.113.10", GATEWAY.db1], async (to) => {
      expect(await pings("web1", to), to).toBe(0);
      expect(await connects("web1", to, 22), to).toBe("filtered");
    });
    expect(await connects("web1", GATEWAY.web1, 22)).toBe("filtered");
    const pairs = [
      ["cache1", "web1"],
      ["web1", "cache1"],
      ["db1", "cache1"],
    ] as const;
    await each(pairs, async ([from, to]) => {
      expect(await pings(from, ADDRESS[to]), `${from} to ${to}`).toBe(0);
    });
    expect(guest.stdout + outside.stdout).toBe("");
  } finally {
    await lab.exec("uplink", "ip route del 10.1.1.0/24", { check: false });
    await lab.exec("vr1", `ip addr del 203.0.113.10/24 dev pub0; sysctl -q ${found}`);
  }
});

test("fragmentation needed reaches the sender, whatever the lists say", async () => {
  await lab.exec("vr1", "ip link set db0 mtu 1400");
  try {
    await lab.exec("web1", ["ping", "-n", "-c", "2", "-W", "1", "-M", "do", "-s", "1440", ADDRESS.db1], {
      check: false,
    });
    expect((await lab.exec("web1", `ip route get ${ADDRESS.db1}`)).stdout).toContain("mtu 1400");
  } finally {
    await lab.exec("vr1", "ip link set db0 mtu 1500");
    await lab.exec("web1", "ip route flush cache");
  }
});

test("a VPC without IPv6: no advertisement, no DHCPv6, no IPv6 address on the router's interface but the kernel's own", async () => {
  await using wire = await capture("cache1", "eth0", "ip6 and ether src 02:00:00:00:03:01 and not icmp6[40] == 143");
  const { stdout } = await lab.exec("cache1", ["rdisc6", "-1", "-r", "2", "-w", "1000", "eth0"], { check: false });
  expect(stdout).not.toContain("Prefix");
  await lab.exec("cache1", "networkctl reconfigure eth0");
  await leased("cache1");
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(wire.stdout).not.toMatch(/router advertisement|dhcp6/i);
  expect(await lab.address("cache1")).toEqual([]);
  expect((await lab.exec("vr1", "ip -6 addr show dev cache0 scope global")).stdout).toBe("");
  // Nor does the router believe a guest that says it is one.
  expect((await lab.exec("vr1", "sysctl -n net.ipv6.conf.cache0.accept_ra")).stdout.trim()).toBe("0");
});

test("a guest with `ipv4: false`: no address over DHCPv4, no A record, and nothing passes of what it makes up", async () => {
  await up(
    example
      // One that goes at the same time: dnsmasq has nothing to complain of.
      .replace(/new vpc6\.Instance\("web3".*\n/, "")
      .replace('mac: "02:00:00:00:01:11"', "$&, ipv4: false")
      // It would be a test of what cannot be: the server knows IPv4 only.
      .replace(/ {4}\{ from: web1.*\n/, ""),
  );
  await running.shift()?.stop();
  await lab.exec("web1", "rm -f /var/lib/dhcp/dhclient.leases; ip -4 addr flush dev eth0");
  running.unshift(lab.background("web1", "exec dhclient -4 -d eth0"));
  await lab.until("the router to have nothing for it", 20_000, async () =>
    (await lab.exec("vr1", "journalctl -q -o cat -t dnsmasq-dhcp")).stdout.includes(
      "DHCPDISCOVER(web0) 02:00:00:00:01:11 no address available",
    ),
  );
  expect(await ipv4Of("web1")).toBeUndefined();
  expect(await dig("web1", "A", "web1.web.shop.internal", "@2001:67c:2834:2::1")).toBe("");
  expect(await dig("web1", "AAAA", "web1.web.shop.internal", "@2001:67c:2834:2::1")).toBe("2001:67c:2834:2::10");
  expect((await lab.exec("vr1", "journalctl --sync; journalctl -q -p err -t dnsmasq -t dnsmasq-dhcp")).stdout).toBe("");
  const { stdout: held } = await lab.exec("vr1", "nft list table inet vpc6; ip neigh show nud permanent");
  expect(held).not.toContain(ADDRESS.web1);
  // The address it had, set by hand.
  await lab.exec("web1", `ip addr add ${ADDRESS.web1}/24 dev eth0; ip route add default via ${GATEWAY.web1}`);
  expect(await connects("web1", ADDRESS.db1, 8080)).toBe("filtered");
  await lab.exec("web1", "ip -4 route flush dev eth0; ip -4 addr flush dev eth0");
  await up(example);
});

test("a guest that is set up anew, with another client id, has its address again at once", async () => {
  for (const id of ["1:02:00:00:00:01:11", "ff:00:00:00:01:00:04:aa:bb:cc:dd"]) {
    await running.shift()?.stop();
    await lab.exec("web1", "rm -f /var/lib/dhcp/dhclient.leases; ip -4 addr flush dev eth0");
    expect(await ipv4Of("web1")).toBeUndefined();
    await lab.exec("web1", `printf 'send dhcp-client-identifier ${id};\\n' >/root/dhclient.conf`);
    const begun = Date.now();
    running.unshift(lab.background("web1", "exec dhclient -4 -d -cf /root/dhclient.conf eth0"));
    await leased("web1");
    expect(Date.now() - begun).toBeLessThan(12_000);
  }
});

test("networks that overlap: refused at preview where the program shows it, else by the router", async () => {
  await engine.program(example.replace("10.9.0.0/16", "10.1.0.0/16"));
  const { code, all } = await engine.preview();
  expect(code).not.toBe(0);
  expect(all).toMatch(/ipv4\.cidr: "10\.1\.0\.0\/16" overlaps 10\.1\.1\.0\/24 of tier "web", on the same router/);
  // The router's own management network: only the router knows it.
  const network = String((await lab.env()).VR1_HOST).replace(/\d+$/, "0");
  await engine.program(example.replace("10.9.0.0/16", `${network}/25`));
  const failed = await engine.up();
  expect(failed.code).not.toBe(0);
  expect(failed.all).toContain(`overlaps a network that this host has on mgmt0, ${network}/24`);
  await up(example);
  // Another stack's tier, on another interface of the same router.
  const router = await address();
  const given = {
    claim: "other",
    interface: "pub0",
    claims: [],
    ipv4: { cidr: "10.1.2.128/25" },
    router: "vr1 root@192.0.2.1:22 x",
  };
  const { inputs } = await Tier.check(
    {} as never,
    { ...given, vpc: { name: "other", domain: "x", ntpServers: [] } } as never,
  );
  const fragments = { network: (inputs?.fragments?.network ?? "").replace("interface pub0 ipv4\n", "") };
  await expect(converge(router, { id: "other@10", label: 'Tier "other"', fragments })).rejects.toThrow(
    "10.1.2.129/25 on pub0 overlaps 10.1.2.254/24 on db0, of db@",
  );
});

test("after a reboot of the router all of it is back by itself", async () => {
  await lab.reboot("vr1");
  const vip = await engine.output("website");
  await lab.until("the website", 60_000, async () => (await get(`http://[${vip}]/`)) === `db1 for ${OUTSIDE}`);
  await opens("web1", ADDRESS.db1, 8080);
  expect(await connects("web1", ADDRESS.db1, 9100)).toBe("filtered");
  expect(await pings("cache1", ADDRESS.web1)).toBe(0);
  await lab.exec("cache1", "renew");
  await leased("cache1");
  expect((await lab.exec("vr1", `ip neigh show ${ADDRESS.web2}`)).stdout).toContain("PERMANENT");
  const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(code, all).toBe(0);
});

test("destroy leaves the router as it was", async () => {
  const { code, all } = await engine.destroy();
  expect(code, all).toBe(0);
  // What an installation of these packages leaves behind is looked at in load-balancer.test.ts.
  expect(await snapshot("vr1")).toEqual(before);
});
