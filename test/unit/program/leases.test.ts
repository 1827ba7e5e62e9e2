// Leases of guests that were set up anew: freed for the network card that is the instance's own, and not twice in a moment.

import { beforeEach, expect, test } from "vitest";
import { of } from "./fragments";
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
