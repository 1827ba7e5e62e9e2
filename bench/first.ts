// The first converge of a full VPC, on a router that has the packages and nothing else. What was there before is taken away.

import { lab } from "../test/lab/lab.ts";
import { createAll, deleteAll, disconnect } from "./hooks.ts";
import type { Live } from "./live.ts";
import { byTurns, ratio, seconds, type Target, table, text, verdict } from "./measure.ts";

const LIMIT =
  "It is five transactions, as the engine calls hooks in the order of dependencies and an error must be its own resource's: the router; the VPC; tiers, BGP and NAT64; guests and lists; balancers. In the first the router waits until nobody else has its public address: a second, after a random delay of up to another (RFC 4862), a third of the whole. FRR's start is half a second of the third. The script waits for neither, and starts no undoing of its own.";

export async function first(live: Live, repetitions: number): Promise<{ page: string; targets: Target[] }> {
  const { hand, files } = live;
  disconnect();
  const all = await live.all();
  const bare = () => lab.exec("vr1", "systemctl stop frr haproxy; nft delete table inet bench 2>/dev/null; true");
  await deleteAll(all);
  await bare();
  const timed = async (run: () => Promise<void>) => {
    const began = performance.now();
    await run();
    return (performance.now() - began) / 1000;
  };
  const took = await byTurns(repetitions, {
    vpc6: async () => {
      const seconds = await timed(() => createAll(all));
      await deleteAll(all);
      disconnect();
      return seconds;
    },
    ssh: async () => {
      const seconds = await timed(() => hand.sshAll(files));
      await hand.clear();
      await bare();
      return seconds;
    },
    ansible: async () => {
      const seconds = await timed(() => hand.ansibleAll(files));
      await hand.clear();
      await bare();
      return seconds;
    },
  });
  const toPlaybook = (it: { median: number }) => seconds(it.median / took.ansible.median);
  return {
    page: table(
      ["first converge", "median (least–most)", "÷ playbook"],
      [
        ["vpc6 (hooks, as the engine calls them)", text(took.vpc6), toPlaybook(took.vpc6)],
        ["`ssh router sh -s`, one connection", text(took.ssh), toPlaybook(took.ssh)],
        ["`ansible-playbook`", text(took.ansible), "1.00"],
      ],
    ),
    targets: [
      verdict("first converge, vpc6 ÷ Ansible", ratio(took.vpc6, took.ansible), 0.25, LIMIT),
      verdict("first converge, vpc6 ÷ hand-written ssh", ratio(took.vpc6, took.ssh), 2, LIMIT),
    ],
  };
}
