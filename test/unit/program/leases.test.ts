// Leases of guests that were set up anew: freed for the network card that is the instance's own, and not twice in a moment. Addresses that
// were declined: given again, and not more than once a second.

import { beforeEach, expect, test } from "vitest";
import { drop, of } from "./fragments";
import { Machine } from "./machine";

const ADDRESS = "2001:67c:2834:1::10";
const DUID = "00:03:00:01:02:00:00:00:01:11";
const MAC = "02:00:00:00:01:11";
let machine: Machine;
beforeEach(async () => {
  machine = Machine.router("network dnsmasq");
  await machine.converge([await of("Tier"), await of("Instance")]);
  machine.write("var/lib/vpc6/dnsmasq.leases", `1 1 ${ADDRESS} web1 00:01:ff\n`);
});
const FREED = `busctl --quiet call uk.org.thekelleys.dnsmasq /uk/org/thekelleys/dnsmasq uk.org.thekelleys.dnsmasq DeleteDhcpLease s ${ADDRESS}`;
const HANGUP = "systemctl kill -s HUP --kill-whom=main vpc6-dnsmasq";
const free = (script: string) => machine.run(script).then(({ did }) => did);

test("the guest with another DUID behind its own card", async () => {
  expect(await free(`leases_free ff:ff ${MAC}`)).toEqual([FREED]);
  expect(await free(`leases_free ${DUID} ${MAC}`)).toEqual([FREED]);
});

test("not for another card that says the guest's DUID, nor where there is no lease", async () => {
  expect(await free(`leases_free ${DUID} 02:00:00:00:00:99`)).toEqual([]);
  expect(await free(`leases_free ff:ff 02:00:00:00:00:99`)).toEqual([]);
  machine.write("var/lib/vpc6/dnsmasq.leases", `1 1 2001:db8::1 web1 00:01:ff\n`);
  expect(await free(`leases_free ${DUID} ${MAC}`)).toEqual([]);
});

test("two clients of one DUID do not take turns", async () => {
  const both = `leases_free ${DUID} ${MAC}; leases_free ${DUID} ${MAC}; sleep 1; sleep 1; sleep 1; leases_free ${DUID} ${MAC}`;
  expect(await free(both)).toEqual([FREED, FREED]);
});

test("what dnsmasq says in its log is enough", async () => {
  machine.answer(
    "journalctl",
    [
      `7001 client MAC address: ${MAC}`,
      `7001 DHCPREQUEST(web0) ff:ff no addresses available`,
      // Of another exchange the card is not known.
      `7002 DHCPREQUEST(web0) ff:ff no addresses available`,
      "",
    ].join("\n"),
  );
  expect(await free("leases")).toEqual([FREED]);
});

test("a declined address is given again", async () => {
  const declined = `disabling DHCP static address ${ADDRESS} for 10m\n`;
  machine.answer("journalctl", `7001 DHCPDECLINE(web0) ff:ff\n${declined}${declined}`);
  const { asked } = await machine.run("leases");
  expect(asked.filter((it) => /^(systemctl|sleep)/.test(it))).toEqual([HANGUP, "sleep 1", HANGUP, "sleep 1"]);
});

test("an address that is kept for nobody any more is not leased on", async () => {
  // Whose addresses stay where they are: dnsmasq goes on.
  machine = Machine.router("dnsmasq");
  await machine.converge([await of("Tier")]);
  const forgets = async (sets: Parameters<Machine["converge"]>[0]) =>
    (await machine.converge(sets)).did.filter((it) => /^busctl|HUP/.test(it));
  const both = await of("Instance", {
    ipv4Grant: { value: "10.1.1.2" },
    tier: { interface: "web0", domain: "web.shop.internal", dhcp4: true },
  });
  expect(await forgets([both])).toEqual([]);
  machine.write(
    "var/lib/vpc6/dnsmasq.leases",
    `1 ${MAC} 10.1.1.2 web1 *\nduid 00:01:02\n1 1 ${ADDRESS} web1 00:01:ff\n`,
  );
  // It has one family fewer: the other one's lease stays.
  expect(await forgets([await of("Instance")])).toEqual([HANGUP, FREED.replace(ADDRESS, "10.1.1.2")]);
  machine.write("var/lib/vpc6/dnsmasq.leases", `1 1 ${ADDRESS} web1 00:01:ff\n`);
  // No guest of this router came or went.
  expect(await forgets([await of("NetworkAcl")])).toEqual([]);
  expect(await forgets([drop(both.id)])).toEqual([HANGUP, FREED]);
});
