// What traffic notices of changes beside it.

import { lab } from "../test/lab/lab.ts";
import { add, change, remove } from "./hooks.ts";
import { type Live, named } from "./live.ts";
import { seconds, type Target, table, verdict } from "./measure.ts";

const PEER = "a BGP peer's timers";

/** Pings of 100 a second and one HTTP request after the other through a load balancer, while the hooks change things around them. */
export async function losses(live: Live, changes: number): Promise<{ page: string; targets: Target[] }> {
  const all = await live.all();
  await using stack = new AsyncDisposableStack();
  for (const host of ["web1", "web2"] as const) {
    await lab.waitForLease(host, host === "web1" ? "2001:67c:2834:1::10" : undefined, 60_000);
    await lab.waitForGateway(host);
    stack.use(lab.background(host, "mkdir -p /tmp/www && cd /tmp/www && exec python3 -m http.server 9200 --bind ::"));
  }
  const get = "curl -s -o /dev/null -m 5 -w '%{http_code}\\n' 'http://[2001:67c:2834::80]/'";
  await lab.until(
    "the balancer",
    30_000,
    async () => (await lab.exec("internet", get, { check: false })).stdout === "200\n",
  );
  const flip = (name: string, from: RegExp, to: [string, string]) => {
    let turn = 0;
    return () => change(named(all, name), from, to[turn++ % 2] ?? "");
  };
  let present = true;
  const kinds: Record<string, () => Promise<void>> = {
    "a rule of the access list": flip("web-acl", /\b(8\d\d\d|90\d\d|700[12])\b/g, ["7001", "7002"]),
    "an instance's name": flip("cache1", /\b(cache1|other)\b/g, ["other", "cache1"]),
    "an instance added, and removed": async () => {
      const spare = named(all, "db1");
      await (present ? remove(spare) : add(spare));
      present = !present;
    },
    "a tier's advertisements": flip("cache", /ra-param=cache0,30,1[78]00/, [
      "ra-param=cache0,30,1700",
      "ra-param=cache0,30,1800",
    ]),
    "the weight of a balancer's member": flip("www", /weight [123]/, ["weight 2", "weight 3"]),
    [PEER]: flip("uplink", /timers \d+ 30/, ["timers 8 30", "timers 9 30"]),
    "a NAT64's option (recursive-only)": flip("nat64", /recursive-only (yes|no)/, [
      "recursive-only no",
      "recursive-only yes",
    ]),
  };
  const rows: string[][] = [];
  let lost = 0;
  let peer = Number.NaN;
  for (const [what, run] of Object.entries(kinds)) {
    const ping = lab.background("internet", ["ping", "-n", "-q", "-i", "0.01", "2001:67c:2834:1::10"]);
    const requests = lab.background("internet", `trap 'exit 0' INT; while :; do ${get}; done`);
    const began = performance.now();
    for (let n = 0; n < changes; n++) await run();
    const each = (performance.now() - began) / 1000 / changes;
    const pinged = await ping.stop();
    const asked = await requests.stop();
    const [, sent = 0, back = 0] = (/(\d+) packets transmitted, (\d+) received/.exec(pinged.stdout) ?? []).map(Number);
    const answers = asked.stdout.trim().split("\n");
    const bad = answers.filter((code) => code !== "200").length;
    // The last packet may be under way when ping is stopped.
    const missing = Math.max(0, sent - back - 1);
    lost += missing + bad;
    if (what === PEER) peer = each;
    rows.push([what, String(changes), seconds(each), `${missing} of ${sent}`, `${bad} of ${answers.length}`]);
    console.log(`  ${rows.at(-1)?.join(", ")}`);
  }
  return {
    page: table(["changed", "times", "seconds each", "pings lost", "requests failed"], rows),
    targets: [
      verdict("packets and requests lost", lost, 0, "The table says which change costs what."),
      verdict(
        "a change of a BGP peer beside pings and requests, in seconds",
        peer,
        0.4,
        "FRR's vtysh is started four times, 30 ms of a processor each: to check the new text, to read what runs, to tell the difference, and to read again whether it runs.",
      ),
    ],
  };
}
