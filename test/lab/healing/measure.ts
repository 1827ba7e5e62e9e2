// How the router heals itself, measured: what an event takes away, how long until all is there again, and how many pings a guest loses.

import { execFileSync } from "node:child_process";
import { lab } from "../lab.ts";
import { on } from "../router/vr1.ts";

/** What a guest pings meanwhile, through the router. */
export const INTERNET = "2001:db8:1::80";

/** What of a router's network vpc6 puts there, a line each. */
export const STATE = `cat >/run/state <<'END'
# One that is checked for a duplicate still cannot be used; another is the operator's.
ip -o addr show scope global -tentative | awk '$4 !~ /^2001:db8:5:/ { print $2, $4 }'
{ ip -6 route show proto 106; ip -4 route show proto 106; } | sed 's/ error .*//'
ip neigh show nud permanent
sysctl net.ipv6.conf.all.forwarding net.ipv4.ip_forward
cd /proc/sys/net/ipv6/conf; grep . pub0/accept_ra pub0/keep_addr_on_down [wd]*b0/accept_ra [wd]*b0/keep_addr_on_down [wd]*b0/forwarding [wd]*b0/disable_ipv6
for link in pub0 web0 db0; do echo $link $(($(cat /sys/class/net/$link/flags) & 1)); done
END
# event COMMAND QUIET: for how many milliseconds after its end something was gone, without a break, when that end was, and what it takes away.
# Over is it when for QUIET milliseconds nothing was gone.
cat >/run/event <<'END'
now() { date +%s%3N; }
sh /run/state 2>&1 | sort >/run/before
# Once more: somebody else may have taken away at the same moment what it was to take.
eval "$1" >/dev/null 2>&1 || eval "$1" >/dev/null 2>&1 || exit
ended=$(now) longest=0 seen=
: >/run/taken
since=$ended whole=
while :; do
  sh /run/state 2>&1 | sort >/run/after
  now=$(now)
  if cmp -s /run/before /run/after; then
    [ -n "$whole" ] || whole=$now
    [ -z "$seen" ] || [ $((now - whole)) -le $2 ] || break
  else
    comm -23 /run/before /run/after >>/run/taken
    [ -z "$whole" ] || since=$whole
    seen=1 whole=
    [ $((now - since)) -le $longest ] || longest=$((now - since))
  fi
  [ $((now - ended)) -lt $((1600 + 2 * $2)) ] || break
done
echo "$longest $ended"
sort -u /run/taken 2>/dev/null
END`;

export interface Seen {
  /** For how many milliseconds after the end of the command something was not there, without a break. */
  healed: number;
  /** When the command had ended: milliseconds since 1970. */
  ended: number;
  taken: string[];
}

/** Over is it when for `quiet` milliseconds nothing was gone; looked at is it for 1.6 s longer at the most. */
export async function measured(command: string, quiet = 400): Promise<Seen> {
  const [times = "", ...taken] = (await on(["sh", "/run/event", command, String(quiet)])).split("\n");
  const [healed = 0, ended = 0] = times.split(" ").map(Number);
  return { healed, ended, taken };
}

/** A guest that pings every ten milliseconds, until it is stopped. */
export function guestPings() {
  const ping = lab.background("web1", ["ping", "-D", "-n", "-W", "1", "-i", "0.01", INTERNET]);
  /** What was answered: when (milliseconds), and which. */
  const answers = () =>
    [...ping.stdout.matchAll(/^\[([\d.]+)\] \d+ bytes from .*icmp_seq=(\d+) /gm)].map(
      ([, time, number]) => [1000 * Number(time), Number(number)] as const,
    );
  return {
    stop: () => ping.stop(),
    /** Waits until one is answered that comes later than `time`; it is written when it is. */
    answeredAfter: (time: number, timeoutMs = 2_000) =>
      lab.until("the guest to get through", timeoutMs, async () => (answers().at(-1)?.[0] ?? 0) > time),
    /** How many should have been answered from `time` until the first one that was. */
    silence: (time: number): number => Math.round(((answers().find(([at]) => at > time)?.[0] ?? Infinity) - time) / 10),
    /** How many in a row were lost at the most since `time`. */
    lost: (time: number): number => {
      const numbers = answers().flatMap(([at, number]) => (at > time - 100 ? number : []));
      return Math.max(0, ...numbers.slice(1).map((it, index) => it - (numbers[index] ?? it) - 1));
    },
  };
}

/** Takes a link's wire out of the lab and puts a new one there, as for a card that is pulled, or a VLAN that is made again. */
export function wire(verb: "pull" | "plug"): void {
  const [net, host] = ["net", "vr1"].map((it) => `vpc6-lab${process.env.VPC6_LAB ?? ""}-${it}`);
  const ip = (...args: string[]) => execFileSync("ip", ["-n", net ?? "", "link", ...args]);
  if (verb === "pull") return void ip("del", "vr1-web0");
  const peer = ["peer", "name", "web0", "address", "02:00:00:00:01:01", "netns", host ?? ""];
  ip("add", "vr1-web0", "type", "veth", ...peer);
  execFileSync("ip", ["-n", host ?? "", "addr", "add", "2001:db8:5::5/64", "dev", "web0", "nodad"]);
  ip("set", "vr1-web0", "master", "web", "up");
}
