// `destroy` leaves a router as `Router` found it.
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  converge,
  disconnect,
  observe,
  type RouterAddress,
  RouterError,
  uninstall,
} from "../../../provider/router/index";
import { lab } from "../lab.ts";
import { base, freshRouter, instance, on, snapshot, tier, without } from "./vr1";

let router: RouterAddress;
/** Ubuntu has some of them itself. */
let operators: string;

/** Those of interest that are. */
const installed =
  'dpkg -l | awk \'$1 == "ii" && $2 ~ /^(iptables|libnftnl11|nftables|dnsmasq-base)(:|$)/ { sub(/:.*/, "", $2); print $2 }\'';

beforeAll(async () => {
  lab.bare();
  router = await freshRouter();
  operators = await on(installed);
});
afterAll(() => disconnect());

it("leaves nothing behind, and nothing out", async () => {
  // What an operator may have had there before, some of it what vpc6 wants too.
  await on(`ip link set pub0 up; ip addr add 2001:db8:ffff::10/64 dev pub0 nodad; ip addr add 203.0.113.10/24 dev pub0
    ip -6 route add ::/0 via 2001:db8:ffff::1 dev pub0; ip -6 route add 2001:db8:99::/48 via 2001:db8:ffff::9 dev pub0
    until ip -6 addr show dev pub0 scope link -tentative | grep -q fe80 && [ -z "$(ip -6 addr show tentative)" ]; do sleep 0.1; done
    ip neigh add 2001:db8:ffff::9 lladdr 02:00:00:00:99:99 dev pub0 nud permanent
    sysctl -q net.ipv6.conf.db0.accept_ra=0 net.ipv6.conf.web0.forwarding=1 net.ipv4.conf.all.accept_redirects=1
    printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d`);
  const before = await snapshot();

  await converge(router, {
    ...base,
    fragments: {
      ...base.fragments,
      sysctl: "net.ipv6.conf.all.forwarding = 1\nnet.ipv4.ip_forward = 1\nnet.ipv6.conf.all.accept_redirects = 0\n",
    },
  });
  await Promise.all([tier("web", "web0", 1), tier("db", "db0", 2)].map((change) => converge(router, change)));
  const web1 = instance("web1", "web0", "2001:67c:2834:1::11", "02:00:00:00:01:11");
  await converge(router, web1);
  expect(await on("systemctl is-active vpc6-dnsmasq; sysctl -n net.ipv6.conf.mgmt0.accept_ra")).toMatch(/^active\n/);
  expect(await snapshot()).not.toBe(before);

  const error = await uninstall(router, base.id).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RouterError);
  expect((error as RouterError).message).toMatch(
    /other resources still have configuration on it\n {2}db@2001:67c:2834:2::, of .+\n {2}web1@2001:67c:2834:1::11, of .+\n {2}web@2001:67c:2834:1::, of a stack that is not known\n/,
  );
  expect((error as RouterError).touched).toBe(false);

  await Promise.all(
    [tier("web", "web0", 1), tier("db", "db0", 2), web1].map((change) => converge(router, without(change))),
  );
  await uninstall(router, base.id);
  expect(await snapshot()).toBe(before);
  expect(await on("systemctl --failed --no-legend")).toBe("");
});

it("is nothing to do a second time, and the router can be had again", async () => {
  await uninstall(router, base.id);
  expect((await observe(router)).fragments.size).toBe(0);
  await converge(router, base);
  expect([...(await observe(router)).fragments.keys()]).toEqual([base.id]);
});

it("takes away what hangs and is killed, and what has crashed a moment ago", async () => {
  const web = tier("web", "web0", 1);
  const units = ["vpc6-dnsmasq", "vpc6-leases"];
  const states = () => on(`systemctl show -P ActiveState ${units.join(" ")} | grep .; systemctl --failed --no-legend`);
  await converge(router, web);
  await on("kill -KILL $(systemctl show -P MainPID vpc6-dnsmasq)");
  await converge(router, without(web));
  // A second, and it would have been started again.
  await on("sleep 1.5");
  expect(await states()).toBe("inactive\ninactive");

  await converge(router, web);
  for (const unit of units) {
    // Nobody minds this signal.
    await on(
      `mkdir /run/systemd/system/${unit}.service.d
       printf '[Service]\\nKillSignal=SIGURG\\n' >/run/systemd/system/${unit}.service.d/hangs.conf; systemctl daemon-reload
       (until systemctl show -P ActiveState ${unit} | grep -q ^deactivating; do sleep 0.02; done
        systemctl kill -s KILL ${unit}) >/dev/null 2>&1 &`,
    );
  }
  await converge(router, without(web));
  expect(await states()).toBe("inactive\ninactive");
});

it("carries on where it was cut short", async () => {
  await on("rm -rf /etc/vpc6");
  await uninstall(router, base.id);
  expect(
    await on(
      "ls -d /etc/vpc6 /run/vpc6 /var/lib/vpc6 /usr/local/lib/vpc6 /etc/systemd/system/vpc6* 2>/dev/null || true",
    ),
  ).toBe("");
  expect(await on(`${installed}; nft list tables 2>/dev/null || true`)).toBe(operators);
});

it("leaves a package that something of the operator's needs by now", async () => {
  await converge(router, base);
  await on("apt-get install -y iptables >/dev/null 2>&1");
  await uninstall(router, base.id);
  const left = await on(installed);
  expect(left).toBe("iptables\nlibnftnl11");
});
