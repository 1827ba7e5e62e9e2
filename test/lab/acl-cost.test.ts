// What access lists cost a packet: that of its own tier's rules, and nothing of 14,000 rules of other tiers. A ratio within one
// run, of the processor's time: neither how fast this machine is counts, nor what else it does.

import { afterAll, beforeAll, expect, test } from "vitest";
import { NetworkAcl, Router, Tier } from "../../provider/index";
import { converge, disconnect, type RouterAddress } from "../../provider/router/index";
import { lab } from "./lab.ts";
import { address, freshRouter } from "./router/vr1.ts";

const OTHERS = 14;
const RULES = 1_000;
const GUEST = "2001:67c:2834:100::10";

let router: RouterAddress;
let way: string;

type Kind = { check(olds: never, news: never): Promise<unknown>; create(inputs: never): Promise<unknown> };

async function fragments(kind: Kind, given: object) {
  const { inputs, failures } = (await kind.check({} as never, given as never)) as {
    inputs: { fragments: Record<string, string> };
    failures: unknown[];
  };
  expect(failures).toEqual([]);
  return inputs.fragments;
}

const put = (id: string, text: Record<string, string> | null) => converge(router, { id, label: id, fragments: text });

/** The tier on interface `t<n>` of the router. */
const tier = (n: number) => ({
  name: `t${n}`,
  interface: `t${n}`,
  cidr: `2001:67c:2834:${(256 + n).toString(16)}::/64`,
  router: way,
});

/** A list of rules none of which any packet of ours matches, but which all have to be looked at. */
const list = (n: number, rules: number) =>
  fragments(NetworkAcl as never, {
    name: `list${n}`,
    tiers: [tier(n)],
    rules: Array.from({ length: rules }, (_, index) => ({
      direction: "ingress",
      action: "deny",
      protocol: "udp",
      ports: String(1 + index),
      cidrs: [`2001:db8:${index.toString(16)}::/48`],
    })),
  });

const others = Array.from({ length: OTHERS }, (_, index) => index + 1);
const setOthers = async (rules: number | undefined) => {
  const texts = await Promise.all(others.map((n) => (rules === undefined ? null : list(n, rules))));
  await Promise.all(others.map((n, index) => put(`list${n}@acl`, texts[index] ?? null)));
};
const setOwn = async (rules: number) => put("list0@acl", await list(0, rules));

beforeAll(async () => {
  await lab.down();
  router = await freshRouter();
  router = await address();
  way = `vr1 root@${router.host}:22 ${router.hostKey}`;
  // A stranger on the public side and fifteen tiers, all inside the router's own namespaces: nothing else is on the way.
  await lab.exec("vr1", "for n in $(seq 0 14); do ip link add t$n type veth peer name g$n; ip link set g$n up; done");
  await lab.exec(
    "vr1",
    `ip netns add stranger && ip link add pub1 type veth peer name eth0 netns stranger && ip link set pub1 up &&
     ip -n stranger link set eth0 up && ip -6 addr add 2001:db8:ffff:9::1/64 dev pub1 nodad &&
     ip -n stranger -6 addr add 2001:db8:ffff:9::99/64 dev eth0 nodad &&
     ip -n stranger -6 route add default via 2001:db8:ffff:9::1`,
  );
  const claims: unknown[] = [];
  await put(
    "router:vr1",
    await fragments(Router as never, {
      claim: "vr1",
      host: router.host,
      hostKey: router.hostKey,
      publicInterface: "pub1",
    }),
  );
  await put("shop@vpc", { sysctl: "net.ipv6.conf.all.forwarding = 1\n" });
  for (const n of [0, ...others]) {
    const { cidr, name } = tier(n);
    const vpc = { name: "shop", domain: "shop.internal", ntpServers: [] };
    const text = await fragments(Tier as never, {
      claim: name,
      interface: name,
      claims,
      grant: { value: cidr },
      vpc,
      router: way,
    });
    await put(`${name}@tier`, { network: text.network ?? "", nftables: text.nftables ?? "" });
  }
  await put("guest@instance", { nftables: `add element inet vpc6 addresses { "t0" . ${GUEST} }\n` });
  await lab.exec("vr1", "nft 'table inet probe { chain seen { type filter hook forward priority -300; counter; }; }'");
  await lab.exec("vr1", `ip -6 neigh replace ${GUEST} dev t0 lladdr 02:00:00:00:99:99 nud permanent`);
});

afterAll(async () => {
  disconnect();
  await lab.exec("vr1", "ip netns del stranger", { check: false });
  await lab.down();
});

/**
 * Packets a second of a processor through the forward chain, which the sender's own thread takes them through; it never waits. Each is the first of something new (it is denied
 * in the end, so that conntrack never knows it), and so asks all the rules that there are to be asked.
 */
async function rate(): Promise<number> {
  const send = `use Socket qw(:all);
socket(S, AF_INET6, SOCK_DGRAM, 0); connect(S, pack_sockaddr_in6(9999, inet_pton(AF_INET6, "${GUEST}"))) or die $!;
$SIG{ALRM} = sub { $over = 1 }; alarm 1; until ($over) { send(S, "x", 0) for 1 .. 50 } ($user, $system) = times; print $user + $system`;
  const before = await seen();
  const { stdout } = await lab.exec("vr1", ["ip", "netns", "exec", "stranger", "perl", "-e", send]);
  return ((await seen()) - before) / Number(stdout);
}

/** What came to the forward hook, counted before the filter. */
const seen = async () =>
  Number(/packets (\d+)/.exec((await lab.exec("vr1", "nft list chain inet probe seen")).stdout)?.[1]);

/**
 * How many times as long a packet takes with `more` as with `less`, measured in turn, so many times each in a round: the best of each, as
 * whatever else the machine does can only slow it. To see that nothing is slower takes more of them than to see that something is.
 */
async function ratio(
  rounds: number,
  times: number,
  less: () => Promise<unknown>,
  more: () => Promise<unknown>,
): Promise<number> {
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [side, arrange] of [less, more].entries()) {
      await arrange();
      const found = rates[side] ?? [];
      for (let time = 0; time < times; time++) found.push(await rate());
    }
  }
  const [fast, slow] = rates.map((found) => Math.max(...found)) as [number, number];
  console.info(`${Math.round(fast)} and ${Math.round(slow)} packets/s: ${(fast / slow).toFixed(2)}`);
  expect(slow).toBeGreaterThan(1_000);
  return fast / slow;
}

test("1,000 rules on each of 14 other tiers cost a packet nothing that could be measured", async () => {
  await setOwn(5);
  expect(
    await ratio(
      2,
      2,
      () => setOthers(0),
      () => setOthers(RULES),
    ),
  ).toBeLessThan(1.5);
  const { stdout } = await lab.exec("vr1", "nft list table inet vpc6 | grep -c 'udp dport .* drop'");
  expect(Number(stdout)).toBe(OTHERS * RULES + 5);
});

test("the same measurement sees 1,000 rules that are asked: those of the packet's own tier", async () => {
  await setOthers(undefined);
  expect(
    await ratio(
      1,
      2,
      () => setOwn(5),
      () => setOwn(RULES),
    ),
  ).toBeGreaterThan(1.5);
});
