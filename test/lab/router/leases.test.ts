// A guest that is set up anew gets its address again, though dnsmasq holds a lease of its former self.
import { afterAll, beforeAll, expect, it } from "vitest";
import { converge, disconnect, type RouterAddress } from "../../../provider/router/index";
import { lab } from "../lab.ts";
import { base, freshRouter, instance, on, tier, without } from "./vr1";

let router: RouterAddress;
const address = "2001:67c:2834:1::11";
const mac = "02:00:00:00:01:11";

beforeAll(async () => {
  router = await freshRouter();
  await lab.up("web1");
  // The lab's own help for clients that wait long would start one while the tests do.
  await lab.exec("web1", "systemctl stop lease-watch");
  await converge(router, base);
  await converge(router, tier("web", "web0", 1));
});
afterAll(async () => {
  await lab.exec("web1", "pkill -9 -x dhcpcd; rm -rf /var/lib/dhcpcd/*; renew; systemctl start lease-watch");
  disconnect();
});

const lease = () => on("grep -v ^duid /var/lib/vpc6/dnsmasq.leases || true");
const pid = () => on("systemctl show -P MainPID vpc6-dnsmasq");

/** The same machine after a new installation: another client, with these lines of configuration. */
async function reinstall(...lines: string[]): Promise<void> {
  await lab.exec(
    "web1",
    "pkill -9 -x dhclient; systemctl stop dhclient; pkill -9 -x dhcpcd; ip -6 addr flush dev eth0 scope global; true",
  );
  const input = `${[...lines.filter((line) => line.startsWith("duid")), "interface eth0", "ipv6only", "noipv6rs", ...lines.filter((line) => !line.startsWith("duid"))].join("\n")}\n`;
  await lab.exec(
    "web1",
    "rm -rf /var/lib/dhcpcd/*; cat >/root/dhcpcd.conf; setsid dhcpcd -q -b -f /root/dhcpcd.conf eth0 >/dev/null 2>&1",
    { input },
  );
}

it("the same DUID with another IAID, and no restart", async () => {
  await converge(router, instance("web1", "web0", address, mac));
  await lab.exec("web1", "pkill -9 -x dhcpcd; renew");
  await lab.waitForLease("web1", address, 30_000);
  // Its name is served both ways; the way to the server comes with the first advertisement.
  await lab.waitForGateway("web1");
  const dig = (question: string) => lab.exec("web1", `dig +short +time=2 @2001:67c:2834:1::1 ${question}`);
  expect((await dig("web1.shop.internal AAAA")).stdout.trim()).toBe(address);
  expect((await dig(`-x ${address}`)).stdout.trim()).toBe("web1.shop.internal.");
  const [before, daemon] = [await lease(), await pid()];
  await reinstall("duid ll", "ia_na 77");
  await lab.waitForLease("web1", address, 10_000);
  expect(await lease()).not.toBe(before);
  expect(await lease()).toContain(`77 ${address}`);
  expect(await pid()).toBe(daemon);
});

it("another DUID behind the same MAC address", async () => {
  const byMac = instance("web1", "web0", address, mac);
  await converge(router, {
    ...byMac,
    fragments: { ...byMac.fragments, "dhcp-hosts": `${mac},[${address}],web1,1h\n` },
  });
  // A DUID-LLT, with the time of its making in it.
  await reinstall("duid", "ia_na 77");
  await lab.waitForLease("web1", address, 10_000);
  expect(await lease()).toMatch(/ 00:01:00:01:\S+:02:00:00:00:01:11$/);
});

it("beside a prefix, which is asked for and not given", async () => {
  const tcpdump = ["tcpdump", "--immediate-mode", "-l", "-n", "-v", "-i", "eth0", "udp port 546"];
  await using seen = lab.background("web1", tcpdump);
  await lab.until("tcpdump to listen", 10_000, async () => seen.stderr.includes("listening on"));
  await reinstall("duid ll", "ia_na 77", "ia_pd 78/::/56");
  await lab.waitForLease("web1", address, 20_000);
  expect(await lease()).toContain(`77 ${address}`);
  const [asked, answers] = ["solicit|request", "advertise|reply"].map((it) =>
    seen.stdout.split("\n").filter((line) => new RegExp(`dhcp6 (${it})`).test(line)),
  );
  expect(asked?.filter((line) => !line.includes("(IA_PD"))).toEqual([]);
  expect(answers?.at(-1)).toContain(address);
  expect(answers?.filter((line) => line.includes("IA_PD"))).toEqual([]);
});

it("not for another machine that says it is this one", async () => {
  // Who asks has the DUID, but the instance's network card is another one.
  const other = instance("web1", "web0", address, "02:00:00:00:01:99");
  await converge(router, {
    ...other,
    fragments: { ...other.fragments, "dhcp-hosts": `id:00:03:00:01:${mac},[${address}],web1,1h\n` },
  });
  const before = await lease();
  await reinstall("duid ll", "ia_na 78");
  await lab.until("it to be refused", 10_000, async () =>
    (await on("journalctl -b -o cat -t dnsmasq-dhcp | tail -n 20")).includes("no addresses available"),
  );
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await lease()).toBe(before);
  await converge(router, without(other));
});
