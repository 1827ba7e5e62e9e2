// Of what the kernel tells of its network, only what may mean that something of ours is lost wakes anybody.

import { beforeEach, describe, expect, test } from "vitest";
import { Machine, namespaces } from "./machine";

let machine: Machine;
beforeEach(() => {
  machine = Machine.router("network");
  machine.write(
    "etc/vpc6/live/files/network",
    "interface web0\nneighbor web0 2001:db8:1::11 02:00:00:00:01:11\nneighbor web0 10.1.1.11 02:00:00:00:01:11\n",
  );
});

/** How often it has been told after each thing that hands do, as soon as it is, or after so many looks; `before` is not listened to. */
async function told(looks: number, before: string, ...hands: string[]): Promise<number[]> {
  const wait = `tries=0; until [ $(grep -c links told) -gt $((had)) ] || [ $tries = ${looks} ]; do tries=$((tries + 1)); /usr/bin/sleep 0.02; done; had=$(grep -c links told); echo $had`;
  const { stdout, stderr } = await machine.kernel(
    `perl() { exec /usr/bin/perl "$@"; }; ip link set web0 up; ip addr add 2001:db8:1::1/64 dev web0; ip addr add 10.1.1.1/24 dev web0; ${before}
    /usr/bin/sleep 0.1; watch_links >told & pid=$!
    until grep -q " 0 *$pid " /proc/net/netlink; do /usr/bin/sleep 0.02; done
    ${hands.map((hand) => `${hand}; ${wait}`).join("\n")}
    kill $pid; wait`,
  );
  expect(stderr).toBe("");
  return stdout.trim().split("\n").map(Number);
}

/** Looks of 20 ms and more: a busy machine may need some seconds for what comes; half a second is for what does not. */
const SOON = 250;
const NEVER = 25;

describe.runIf(namespaces)("told", () => {
  test.each([
    ["an address", "ip addr add 2001:db8:2::1/64 dev db0", "ip addr del 2001:db8:2::1/64 dev db0"],
    ["an IPv4 address", "", "ip addr del 10.1.1.1/24 dev web0"],
    ["a route of ours", "ip route add 2001:db8:5::/48 dev web0 proto 106", "ip -6 route del 2001:db8:5::/48"],
    ["an IPv4 route of ours", "ip route add 10.9.0.0/16 dev web0 proto 106", "ip route del 10.9.0.0/16"],
    [
      "a guest's neighbor",
      "ip neigh add 2001:db8:1::11 dev web0 lladdr 02:00:00:00:01:11 nud permanent",
      "ip neigh del 2001:db8:1::11 dev web0",
    ],
    [
      "a guest's IPv4 neighbor",
      "ip neigh add 10.1.1.11 dev web0 lladdr 02:00:00:00:01:11 nud permanent",
      "ip neigh del 10.1.1.11 dev web0",
    ],
    [
      "a guest's neighbor by another address",
      "",
      "ip neigh add 2001:db8:1::11 dev web0 lladdr 02:00:00:00:09:09 nud permanent",
    ],
    ["a link that comes", "", "ip link add late0 type bridge"],
    ["a link that goes", "", "ip link del db0"],
    ["a link that is set down", "", "ip link set web0 down"],
    ["a link that gets another name", "", "ip link set db0 name data7"],
    [
      "that the host forwards no more",
      "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
      "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding",
    ],
    ["the same for IPv4", "echo 1 >/proc/sys/net/ipv4/ip_forward", "echo 0 >/proc/sys/net/ipv4/ip_forward"],
  ])("%s", async (_what, before, hand) => {
    expect(await told(SOON, before, hand)).toEqual([1]);
  });

  test("once more a second later, and of many things that come one after the other twice a second", async () => {
    const many = `began=$(date +%s%N)
      i=0; while [ $i -lt 20 ]; do ip link set db0 up; ip link set db0 down; i=$((i + 1)); /usr/bin/sleep 0.04; done
      echo $((($(date +%s%N) - began) / 1000000))`;
    const [took = 0, , after = 0, later = 0] = await told(NEVER, "", many, "/usr/bin/sleep 2.5", "/usr/bin/sleep 1");
    // At once, when half a second is over, and a second after the last. How long all that takes a busy machine is measured.
    expect(after).toBeGreaterThanOrEqual(3);
    expect(after).toBeLessThanOrEqual(took / 500 + 3);
    expect(later).toBe(after);
  });
});

test.runIf(namespaces)("not told: whatever comes, other routes and neighbors that go", async () => {
  const counts = await told(
    NEVER,
    "",
    "ip addr add 2001:db8:2::1/64 dev web0",
    "ip -6 route add 2001:db8:5::/48 dev web0 proto 106",
    "ip -6 route add 2001:db8:6::/48 dev web0 proto bgp; ip -6 route del 2001:db8:6::/48",
    "ip neigh add 2001:db8:1::12 dev web0 lladdr 02:00:00:00:01:12; ip neigh del 2001:db8:1::12 dev web0",
    "ip neigh add 2001:db8:1::11 dev web0 lladdr 02:00:00:00:01:11 nud stale",
    // That it tells at all.
    "ip -6 route del 2001:db8:5::/48",
  );
  expect(counts).toEqual([0, 0, 0, 0, 0, 1]);
});
