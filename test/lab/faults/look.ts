// How a router is: kernel, daemons and files, without what changes by itself; and until when it is busy.

import { lab } from "../lab.ts";
import { path } from "../router/vr1";
import { CONFIRM } from "./drivers";
import { ask, type Ground } from "./scenes";

const commands = [
  // Who asked for a password a moment ago is counted for a while.
  "nft -s list table inet vpc6 | sed 's/^[ \\t]*//; s/, /\\n/g' | grep -vE '^(elements = \\{ )?[0-9a-f:.]+ limit rate' | sort",
  "ip -o addr | sed -E 's/^[0-9]+: //; s/ (valid|preferred)_lft.*//; s/ tentative//' | sort",
  "for proto in 106 107; do ip -6 route show proto $proto; ip -4 route show proto $proto; done",
  "ip neigh show nud permanent | sort",
  "ls /sys/class/net",
  "sysctl net.ipv6.conf.all.forwarding net.ipv4.ip_forward net.ipv6.conf.db0.accept_ra net.ipv6.conf.pub0.accept_ra",
  "systemctl show -p Id,ActiveState vpc6-dnsmasq vpc6-haproxy vpc6-named vpc6-leases frr",
  "systemctl list-units --all --plain --no-legend 'vpc6-tayga@*' 'vpc6-password*.socket' | awk '{ print $1, $3 }'",
  "cat /var/lib/vpc6/dhcp-hosts/* /var/lib/vpc6/dns-hosts/*",
  "cat /etc/vpc6/live/files/dnsmasq /etc/vpc6/live/files/haproxy /etc/bind/vpc6.conf /var/lib/vpc6/tayga/*.conf",
  // Passwords: the tables that their server reads, and who may.
  "(cd /etc/vpc6/live/files/passwords.d && sha256sum -- * && stat -c '%a %U %n' /etc/vpc6 . *)",
  "ps -C dnsmasq,named,tayga -o comm= | sort -u",
  // FRR lists prefix-lists in the order in which they came.
  "if systemctl --quiet is-active frr; then vtysh -d bgpd -c 'show running-config' | grep -vE '^(Building|Current|!|frr |hostname|log|service)' | awk '/^ip(v6)? prefix-list / { print | \"sort\"; next } { print }'; fi",
  "systemctl --failed --no-legend --plain | cut -d' ' -f1 | grep -v ^session-",
  "ls /usr/sbin/*.real /usr/bin/*.real",
  "ls /run/vpc6/pending",
];

/** With what the guest that always stays is told when it asks for its password. */
export async function look(host: Ground["host"]): Promise<string> {
  const [{ stdout }, told] = await Promise.all([
    lab.exec(host, `{ ${commands.join("; ")}; } 2>/dev/null; true`, { check: false }),
    ask(),
  ]);
  return `${stdout}web1 is told ${told === "" ? "nothing" : told}\n`;
}

/** What is confirmed, by resource: `slot|line` for each line of its fragments, secrets included. */
export async function confirmedTexts(host: Ground["host"]): Promise<Map<string, string> | undefined> {
  const all = "cd /etc/vpc6/confirmed/fragments && find . -mindepth 2 -type f | sort | xargs grep -HZ ''";
  const { code, stdout } = await lab.exec(host, all, { check: false });
  // 123: of an empty file grep finds nothing.
  if (code !== 0 && code !== 123) return undefined;
  const found = new Map<string, string>();
  // `./SLOT/ID`, NUL, the line.
  for (const [, slot, id = "", line] of stdout.matchAll(/^\.\/([^/]+)\/([^\0]+)\0(.*)$/gm)) {
    // When it was made is another word each time.
    found.set(id, `${found.get(id) ?? ""}${slot}|${slot === "made" ? "" : line}\n`);
  }
  return found;
}

/** What passes through on the way of a change, or of a look, and holds secrets: it goes with the next one, if whoever brought it is killed. */
export async function leftBehind(host: Ground["host"]): Promise<string> {
  return (
    await lab.exec(host, "ls -d /run/vpc6/payload.* /run/vpc6/drift 2>/dev/null", { check: false })
  ).stdout.trim();
}

export function difference(wanted: string, found: string): string {
  const [before, after] = [wanted.split("\n"), found.split("\n")];
  const lines = [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
  if (lines.length > 0) return lines.join("\n");
  // The same lines in another order, or more often.
  const from = before.findIndex((line, index) => line !== after[index]);
  return [
    ...before.slice(from, from + 8).map((line) => `- ${line}`),
    ...after.slice(from, from + 8).map((line) => `+ ${line}`),
  ].join("\n");
}

/** Until the router is up, nobody is at work there, and nothing waits for a confirmation; else why not. */
export async function quiet(host: Ground["host"]): Promise<string | undefined> {
  const busy = `ls /run/vpc6/pending; pgrep -f '^/bin/sh ${path} (converge|observe|confirm|rollback|boot)'; systemctl list-units --no-legend 'vpc6-rollback*'`;
  const wait = `systemctl is-system-running --wait >/dev/null; for i in $(seq 200); do found=$(${busy}); [ -n "$found" ] || exit 0; sleep 0.1; done; exit 1`;
  try {
    await lab.until("the router to be quiet", 60_000, async () => {
      const { code } = await lab.exec(host, `{ ${wait}; } 2>/dev/null`, { check: false, timeoutMs: 40_000 });
      return code === 0;
    });
    return undefined;
  } catch (error) {
    return `${(error as Error).message} (confirmations are waited for ${CONFIRM} s)`;
  }
}
