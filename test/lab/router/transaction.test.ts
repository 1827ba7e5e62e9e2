// Transactions on a real router: what they do, what they refuse and whom they blame.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Change,
  converge,
  disconnect,
  observe,
  onProgress,
  type RouterAddress,
  RouterError,
} from "../../../provider/router/index";
import { encode, parseAnswer } from "../../../provider/router/payload";
import { lab } from "../lab.ts";
import { base, freshRouter, instance, logins, nothingLeft, on, raw, tier, without } from "./vr1";

let router: RouterAddress;
const web = tier("web", "web0", 1);

beforeAll(async () => {
  lab.bare();
  router = await freshRouter();
});
afterAll(() => disconnect());

/** What a change could have touched. The kernel ends its checks of duplicate addresses when it likes. */
const state = () => on("readlink /etc/vpc6/confirmed /etc/vpc6/live; nft list ruleset; ip addr | sed 's/ tentative//'");
const generations = () => on("ls /etc/vpc6/generations");

async function refusal(change: Change): Promise<RouterError> {
  const before = [await generations(), await state()];
  const error = await converge(router, change).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RouterError);
  expect((error as RouterError).touched).toBe(false);
  expect([await generations(), await state()]).toEqual(before);
  return error as RouterError;
}

describe("a first transaction", () => {
  it("installs the program and the packages, tells so, and applies everything over one connection", async () => {
    const heard: string[] = [];
    onProgress((_, text) => heard.push(text));
    const report = await converge(router, base).finally(() => onProgress(undefined));
    expect(report).toEqual({ generation: 1, changed: ["nftables", "sysctl", "network"], confirmed: "same connection" });
    expect(heard[0]).toBe("installing dnsmasq-base nftables");
    expect(await on("sysctl -n net.ipv6.conf.all.forwarding")).toBe("1");
    expect(await on("ip -6 addr show dev pub0 scope global")).toMatch(/2001:db8:ffff::10\/64 scope global\s/);
    expect(await on("ip -6 route show default")).toMatch(/^default via 2001:db8:ffff::1 dev pub0 proto 106/);
    expect(await on("ip -6 route show type unreachable")).toMatch(/^unreachable 2001:67c:2834::\/60 .*proto 106/);
    expect(await on("nft list chain inet vpc6 forward")).toContain("policy drop");
    // A dnsmasq without an interface would serve everybody.
    expect(await on("systemctl is-active vpc6-dnsmasq || true")).toBe("inactive");
    expect(await on("systemctl is-enabled vpc6-firewall vpc6 nftables || true")).toMatch(
      /^enabled\nenabled\ndisabled$/,
    );
    expect(await logins()).toBe(1);
  });

  it("is not done again", async () => {
    const before = await on("find /etc/vpc6 /var/lib/vpc6 ! -type d -printf '%p %T@ %i\\n' | sort");
    expect(await converge(router, base)).toEqual({ generation: 1, changed: [], confirmed: "nothing to do" });
    expect(await on("find /etc/vpc6 /var/lib/vpc6 ! -type d -printf '%p %T@ %i\\n' | sort")).toBe(before);
  });
});

describe("later transactions", () => {
  it("go together, apply only what changed, and restart a daemon at most once", async () => {
    const db = tier("db", "db0", 2);
    const reports = await Promise.all([web, db].map((change) => converge(router, change)));
    expect(reports[0]).toEqual({
      generation: 2,
      changed: ["nftables", "network", "dnsmasq"],
      confirmed: "same connection",
    });
    expect(reports[1]).toEqual(reports[0]);
    expect(await on("systemctl is-active vpc6-dnsmasq")).toBe("active");
    expect(await on("journalctl --sync; journalctl -b -o cat -t dnsmasq | grep -c '^started, version'")).toBe("1");
    expect(await on("ss -Hlun sport = :547 | wc -l")).not.toBe("0");
  });

  it("restart nothing for an instance, added, changed or removed", async () => {
    const pid = await on("systemctl show -P MainPID vpc6-dnsmasq");
    const web1 = instance("web1", "web0", "2001:67c:2834:1::11", "02:00:00:00:01:11");
    expect((await converge(router, web1)).changed).toEqual(["network", "dnsmasq"]);
    expect(await on("ip neigh show nud permanent")).toBe(
      "2001:67c:2834:1::11 dev web0 lladdr 02:00:00:00:01:11 PERMANENT",
    );
    expect(await on("cat /var/lib/vpc6/dhcp-hosts/*")).toBe(
      "id:00:03:00:01:02:00:00:00:01:11,[2001:67c:2834:1::11],web1,1h",
    );
    const moved = instance("web1", "web0", "2001:67c:2834:1::11", "02:00:00:00:01:99");
    await converge(router, moved);
    expect(await on("ip neigh show nud permanent")).toMatch(/lladdr 02:00:00:00:01:99/);
    await converge(router, without(moved));
    expect(await on("ip neigh show nud permanent; ls /var/lib/vpc6/dhcp-hosts /var/lib/vpc6/dns-hosts")).toBe(
      "/var/lib/vpc6/dhcp-hosts:\n\n/var/lib/vpc6/dns-hosts:",
    );
    expect(await on("systemctl show -P MainPID vpc6-dnsmasq")).toBe(pid);
  });

  it("are told as they are by `observe`", async () => {
    const { fragments: found, drift } = await observe(router);
    expect(drift).toEqual(new Map());
    expect([...found.keys()].sort()).toEqual(["db@2001:67c:2834:2::", base.id, web.id].sort());
    expect(found.get(web.id)).toEqual(web.fragments);
  });

  it("change the filter without a gap, and nothing else", async () => {
    const opened = tier("web", "web0", 1);
    if (opened.fragments) opened.fragments.nftables = opened.fragments.nftables?.replace("443", "80") ?? "";
    expect((await converge(router, opened)).changed).toEqual(["nftables"]);
    expect(await on("nft list chain inet vpc6 web-in")).toContain("tcp dport 80 accept");
    await converge(router, web);
  });

  it("leave other people's tables alone", async () => {
    await on("nft add table inet mine");
    await converge(router, tier("cache", "cache0", 3));
    expect(await on("nft list tables | sort")).toBe(
      "table arp vpc6_shares\ntable inet mine\ntable inet vpc6\ntable inet vpc6_shares",
    );
    await converge(router, without(tier("cache", "cache0", 3)));
    await on("nft delete table inet mine");
  });

  it("take away what a resource had, and put its link back to what it was", async () => {
    expect(await on("cat /sys/class/net/db0/operstate; sysctl -n net.ipv6.conf.db0.accept_ra")).toBe("up\n0");
    await converge(router, without(tier("db", "db0", 2)));
    expect(await on("ip -br addr show db0; sysctl -n net.ipv6.conf.db0.keep_addr_on_down")).toMatch(
      /^db0\S* +DOWN *\n0$/,
    );
    expect(await on("nft list ruleset")).not.toContain("db0");
    expect(await on("ss -Hlun sport = :547")).not.toContain("db0");
  });
});

describe("a refusal names the daemon, its words and the resource", () => {
  it("nftables", async () => {
    const error = await refusal(
      tier("db", "db0", 2, { nftables: "table inet vpc6 {\n  chain x { tcp dprot 80 accept; }\n}" }),
    );
    expect(error.message).toMatch(
      /^router vr1 \(root@[^)]+\): nftables of Tier "db" was refused; nothing was changed\n/,
    );
    expect(error.message).toMatch(/nftables:\d+:\d+-\d+: Error: syntax error, unexpected string/);
    expect(error.message).toContain("In the fragment of db@2001:67c:2834:2::.");
  });

  it("dnsmasq", async () => {
    const error = await refusal(tier("db", "db0", 2, { dnsmasq: "dhcp-rnage=x" }));
    expect(error.message).toMatch(/dnsmasq of Tier "db" was refused.*bad option at line \d+ of dnsmasq/s);
    expect(error.message).toContain("In the fragment of db@2001:67c:2834:2::.");
  });

  it("a line for a guest, which the daemon itself would only log", async () => {
    const bad = instance("bad", "web0", "2001:67c:2834:1::13", "02:00:00:00:01:13");
    const host = await refusal({ ...bad, fragments: { "dhcp-hosts": "id:00:03,[2001:67c::zz],bad" } });
    expect(host.message).toMatch(/dnsmasq of Instance "bad" was refused.*bad IPv6 address at line 2 of dhcp-hosts/s);
    const tag = await refusal({ ...bad, fragments: { "dhcp-hosts": "id:00:03:00:01:02:00:00:00:01:13,set:x,bad" } });
    expect(tag.message).toContain("no set: in a host line");
    const name = await refusal({ ...bad, fragments: { "dns-hosts": "2001:67c:2834:1::13 a`b" } });
    expect(name.message).toContain("not a host line");
  });

  it("network: an interface that is not there, with those that are", async () => {
    const error = await refusal(tier("x", "eth9", 9));
    expect(error.message).toContain(
      "interface eth9 does not exist on this host (it has: cache0, db0, mgmt0, pub0, web0)",
    );
    expect(error.message).toContain("In the fragment of x@2001:67c:2834:9::.");
  });

  it("network: a MAC address that is not there", async () => {
    const error = await refusal(tier("x", "mac-020000009999", 9));
    expect(error.message).toContain("has the MAC address 02:00:00:00:99:99; it has:");
    expect(error.message).toContain("db0 (02:00:00:00:02:01)");
  });

  it("network: a line that is none, a line said twice, another's route", async () => {
    const id = { id: "x", label: 'Tier "x"' };
    expect((await refusal({ ...id, fragments: { network: "adress web0 ::1/64" } })).message).toContain(
      "not understood: adress",
    );
    const twice = await refusal({ ...id, fragments: { network: "address web0 2001:67c:2834:1::1/64" } });
    expect(twice.message).toContain("already said by web@2001:67c:2834:1::");
    await on("ip -6 route add 2001:db8:77::/48 via 2001:db8:ffff::9 dev pub0");
    const route = await refusal({ ...id, fragments: { network: "route pub0 2001:db8:77::/48 via 2001:db8:ffff::1" } });
    expect(route.message).toMatch(/this host has another route to 2001:db8:77::\/48 \(.*via 2001:db8:ffff::9/);
    await on("ip -6 route del 2001:db8:77::/48");
  });

  it("sysctl, packages", async () => {
    const id = { id: "x", label: 'Router "x"' };
    expect((await refusal({ ...id, fragments: { sysctl: "net.ipv6.nothing = 1" } })).message).toContain(
      "no sysctl net/ipv6/nothing",
    );
    const clash = await refusal({ ...id, fragments: { sysctl: "net.ipv6.conf.all.forwarding = 0" } });
    expect(clash.message).toMatch(/net.ipv6.conf.all.forwarding = .*says/);
    const error = await refusal({ ...id, fragments: { packages: "no-such-package" } });
    expect(error.message).toMatch(/packages of Router "x".*E: Unable to locate package no-such-package/s);
    expect(await on("ls /usr/sbin/policy-rc.d /var/lib/vpc6/packages.before 2>&1 || true")).not.toMatch(/^\//m);
  });

  it("in a joint transaction: the others go through", async () => {
    const good = tier("db", "db0", 2);
    const bad = tier("cache", "cache0", 3, { nftables: "nonsense" });
    const [one, other] = await Promise.allSettled([good, bad].map((change) => converge(router, change)));
    expect(one?.status).toBe("fulfilled");
    expect(other?.status === "rejected" && (other.reason as Error).message).toMatch(
      /nftables of Tier "cache" was refused/,
    );
    expect(await on("nft list ruleset; ip addr")).toMatch(/db-in.*2001:67c:2834:2::1/s);
    await converge(router, without(good));
  });
});

describe("a failure while it is applied is undone", () => {
  it("a daemon that does not start", async () => {
    const before = await state();
    const pid = await on("systemctl show -P MainPID vpc6-dnsmasq");
    const change = tier("db", "db0", 2, { dnsmasq: "user=nobody-at-all" });
    // As on a busy host: the journal has its words when it is gone.
    await on(
      "systemctl kill -s STOP systemd-journald; (sleep 2; systemctl kill -s CONT systemd-journald) >/dev/null 2>&1 &",
    );
    const error = (await converge(router, change).catch((reason: unknown) => reason)) as RouterError;
    expect(error.message).toMatch(
      /dnsmasq of Tier "db" failed; everything was put back\n.*unknown user or group: nobody-at-all/s,
    );
    expect(error.touched).toBe(false);
    expect(await state()).toBe(before);
    expect(await on("systemctl is-active vpc6-dnsmasq")).toBe("active");
    expect(await on("systemctl show -P MainPID vpc6-dnsmasq")).not.toBe(pid);
    await nothingLeft();
  });

  it("an address that another host has", async () => {
    await lab.up("web1");
    // Its DHCPv6 client would take the address away.
    await lab.exec("web1", "systemctl stop lease-watch dhclient; ip addr add 2001:67c:2834:1::dad/64 dev eth0 nodad");
    const error = (await converge(router, {
      id: "x",
      label: 'Tier "x"',
      fragments: { network: "address web0 2001:67c:2834:1::dad/64" },
    }).catch((reason: unknown) => reason)) as RouterError;
    await lab.exec("web1", "ip addr del 2001:67c:2834:1::dad/64 dev eth0; systemctl start dhclient lease-watch");
    expect(error.message).toMatch(/another host on the link has the address 2001:67c:2834:1::dad\/64/);
    expect(await on("ip -6 addr show dev web0")).not.toContain("::dad");
  });
});

describe("a payload that is not whole changes nothing", () => {
  const whole = encode([tier("db", "db0", 2)], "test", "nonce");

  it.each([
    ["nothing", ""],
    ["the beginning", whole.slice(0, whole.length >> 1)],
    ["all but the last line", whole.replace(/end \d+\n$/, "")],
    ["a line too few", whole.replace("|interface db0\n", "")],
    ["another kind of text", "hello\n"],
    ["text after the end", `${whole}drop x\n`],
    ["an id that is a path", whole.replace("set db@2001:67c:2834:2::", "set ../../etc/passwd")],
    ["an id twice", encode([tier("db", "db0", 2)], "t", "n").replace(/^end.*/m, "drop db@2001:67c:2834:2::\nend 21")],
    ["a slot that is none", whole.replace("slot network", "slot netwrok")],
  ])("%s", async (_, payload) => {
    const before = await on("find /etc/vpc6 | sort; readlink /etc/vpc6/live");
    expect(parseAnswer(await raw(payload))).toMatchObject({ verdict: "incomplete", touched: false });
    expect(await on("find /etc/vpc6 | sort; readlink /etc/vpc6/live")).toBe(before);
  });

  it("a full disk", async () => {
    await on(
      "cp -a /etc/vpc6 /root/copy && mount -t tmpfs -o size=256k tmpfs /etc/vpc6 && cp -a /root/copy/. /etc/vpc6/",
    );
    await on("dd if=/dev/zero of=/etc/vpc6/fill bs=1k 2>/dev/null; true");
    const error = await refusal(tier("db", "db0", 2, { dnsmasq: `# ${"x".repeat(3000)}` }));
    expect(error.message).toMatch(/no room for the new configuration; nothing was changed.*No space left.*Make room/s);
    await on("umount /etc/vpc6 && rm -rf /root/copy");
  });

  it("a full /run", async () => {
    await on("mount -t tmpfs -o size=8k tmpfs /run/vpc6 && dd if=/dev/zero of=/run/vpc6/fill bs=1k 2>/dev/null; true");
    const error = await refusal(tier("db", "db0", 2));
    expect(error.message).toMatch(/nothing was changed/);
    await on("umount /run/vpc6");
  });
});

describe("who may log in", () => {
  it("a user with sudo", async () => {
    expect(await converge({ ...router, user: "ops" }, web)).toMatchObject({ confirmed: "nothing to do" });
    // What he sees is what root sees: sudo has an environment of its own.
    expect((await observe({ ...router, user: "ops" })).drift).toEqual((await observe(router)).drift);
  });

  it("not one without", async () => {
    const error = (await converge({ ...router, user: "nosudo" }, web).catch(
      (reason: unknown) => reason,
    )) as RouterError;
    expect(error.message).toMatch(/nosudo cannot become root with sudo -n\n.*sudo: a password is required.*sudoers.d/s);
    expect(error.touched).toBe(false);
  });
});
