// What the tests of this folder share: one real router, some resources to put on it, and a look at it.

import { expect } from "vitest";
import { setCredentials } from "../../../provider/router/index";
import { program } from "../../../provider/router/program";
import type { Change, Fragments, RouterAddress } from "../../../provider/router/types";
import { type Command, type ExecOptions, lab, type Router } from "../lab.ts";

export const path = "/usr/local/lib/vpc6/vpc6";

/** A fresh vr1; `user` is who logs in. */
export async function freshRouter(user = "root"): Promise<RouterAddress> {
  await lab.down();
  await lab.up("vr1");
  return await address(user);
}

export async function address(user = "root", name: Router | "edge" = "vr1"): Promise<RouterAddress> {
  const env = await lab.env();
  process.env.VPC6_SSH_KEY_FILE = env.VPC6_SSH_KEY_FILE;
  setCredentials({});
  const [host = "", hostKey = ""] = [env[`${name.toUpperCase()}_HOST`], env[`${name.toUpperCase()}_HOST_KEY`]];
  return { name, host, port: 22, user, hostKey };
}

export async function on(command: Command, options?: ExecOptions): Promise<string> {
  return (await lab.exec("vr1", command, options)).stdout.trim();
}

/**
 * Puts the processes to sleep that the shell words `find` name, tried until there are some; returns their numbers. A signal is
 * sent at once and obeyed when its process has a turn: until then it may still be handed a lock that it waits for, so their
 * states are waited for. A process that has ended by itself is not among the numbers.
 */
export async function asleep(find: string): Promise<string> {
  return await on(
    `until set -- $(${find}); [ $# -gt 0 ]; do sleep 0.02; done
     kill -STOP "$@"
     for pid; do while grep -q '^State:.[^TZX]' /proc/$pid/status; do sleep 0.02; done; done 2>/dev/null
     for pid; do shift; [ ! -e /proc/$pid ] || set -- "$@" $pid; done
     echo "$@"`,
  );
}

/** What an undoing still waits for. */
export const pending = () => on("ls /run/vpc6/pending 2>/dev/null || true");

const timers = () => on("systemctl list-units --all --no-legend 'vpc6-rollback*'");

/**
 * After an answer nothing may wait for an undoing any more: at once. Its timer has no say without that, and systemd is not waited for
 * while it stops it; the shortest there is would run for three seconds.
 */
export async function nothingLeft(): Promise<void> {
  expect(await pending()).toBe("");
  await lab.until("the rollback timer to be stopped", 2_000, async () => (await timers()) === "");
}

export const base: Change = {
  id: "router:vr1",
  label: 'Router "vr1"',
  fragments: {
    packages: "nftables\ndnsmasq-base\n",
    sysctl: "net.ipv6.conf.all.forwarding = 1\n",
    network: [
      "interface pub0",
      "address pub0 2001:db8:ffff::10/64",
      "route pub0 ::/0 via 2001:db8:ffff::1",
      "address lo 2001:67c:2834::1/128",
      "unreachable 2001:67c:2834::/60",
      "",
    ].join("\n"),
    nftables: [
      "table inet vpc6 {",
      "  map ingress { type ifname : verdict; }",
      "  chain input { type filter hook input priority filter; policy accept; }",
      "  chain forward { type filter hook forward priority filter; policy drop; oifname vmap @ingress; }",
      "}",
      "",
    ].join("\n"),
    dnsmasq: [
      "no-resolv",
      "no-hosts",
      "bind-dynamic",
      "except-interface=lo",
      "enable-ra",
      "dhcp-authoritative",
      "dhcp-leasefile=/var/lib/vpc6/dnsmasq.leases",
      "dhcp-hostsdir=/var/lib/vpc6/dhcp-hosts",
      "hostsdir=/var/lib/vpc6/dns-hosts",
      "",
    ].join("\n"),
  },
};

/** A tier on `device` with the prefix `2001:67c:2834:n::/64`; `more` is added to its fragments. */
export function tier(name: string, device: string, n: number, more: Fragments = {}): Change {
  const prefix = `2001:67c:2834:${n}::`;
  const fragments: Fragments = {
    network: `interface ${device}\naddress ${device} ${prefix}1/64 nodad\n`,
    nftables: [
      "table inet vpc6 {",
      `  chain ${name}-in {`,
      "    tcp dport 443 accept",
      "    drop",
      "  }",
      "}",
      `add element inet vpc6 ingress { "${device}" : jump ${name}-in }`,
      "",
    ].join("\n"),
    dnsmasq: `interface=${device}\ndhcp-range=set:${name},${prefix},static,64,1h\n`,
  };
  for (const slot of Object.keys(more)) fragments[slot] = `${fragments[slot] ?? ""}${more[slot]}\n`;
  return { id: `${name}@${prefix}`, label: `Tier "${name}"`, fragments };
}

export function instance(name: string, device: string, address: string, mac: string): Change {
  return {
    id: `${name}@${address}`,
    label: `Instance "${name}"`,
    fragments: {
      network: `neighbor ${device} ${address} ${mac}\n`,
      "dhcp-hosts": `id:00:03:00:01:${mac},[${address}],${name},1h\n`,
      "dns-hosts": `${address} ${name}.shop.internal\n`,
    },
  };
}

export const without = (change: Change): Change => ({ ...change, fragments: null });

/** Runs the program as the provider would, but with this payload: for what the provider itself never sends. */
export async function raw(payload: string, client = ""): Promise<string> {
  const options = { input: payload, check: false };
  return (await lab.exec("vr1", [path, "converge", program().hash, client], options)).stdout;
}

/** Everything of the router that vpc6 could have changed, as a text. Not: system users, which Debian's packages leave behind. */
export async function snapshot(): Promise<string> {
  const noise = "nf_conntrack|tcp_fastopen_key|rt_cache|/proc/sys/fs|icmp_msgs|route.flush";
  return await on(
    `dpkg -l | awk '/^.. /{ print $1, $2, $3 }'
     ip -o link | sed 's/qdisc [a-z]*//'
     ip -o addr | sed 's/ *valid_lft.*//' | sort
     ip -6 route show table all | sort
     ip -4 route show table all | sort
     ip neigh show nud permanent
     nft list ruleset 2>/dev/null || true
     sysctl -a -r '^net[.]' 2>/dev/null | grep -Ev '${noise}'
     systemctl list-unit-files --no-legend --no-pager | grep -v '[.]scope'
     systemctl list-units --all --no-legend --no-pager 'vpc6*' 'dnsmasq*' 'nftables*'
     find /etc /usr/local /var/lib /run/vpc6 /usr/sbin/policy-rc.d -xdev 2>/dev/null |
       grep -Ev '^/var/lib/(apt|dpkg|systemd)/|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|^/etc/[.]pwd' | sort`,
  );
}

/** How many SSH logins the router has seen since its boot. */
export async function logins(): Promise<number> {
  return Number(
    await on("journalctl --sync; journalctl -b -o cat -t sshd -t sshd-session | grep -c '^Accepted publickey' || true"),
  );
}
