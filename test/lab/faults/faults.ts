// What may happen to a router, or to the one who changes it, at the worst moment. What strikes on the router itself is a command there,
// so that it strikes in the stage it is meant for; `mend` undoes what would not mend itself, as somebody who comes to look would (a
// cable, a full disk).

import { lab } from "../lab.ts";
import { path } from "../router/vr1";
import { CONFIRM } from "./drivers";
import { ask, GATEWAY, type Ground } from "./scenes";

type Host = Ground["host"];

export interface Fault {
  name: string;
  /** Before the change begins. */
  prepare?: (host: Host) => Promise<void>;
  /** Strikes on the router. */
  there?: string;
  /** Strikes from outside. */
  here?: (driver: { kill: () => void }, host: Host) => Promise<void>;
  /** A command on the router. */
  mend?: string;
  /** Whether it is the deed of a hand, which only a refresh finds out about. */
  byHand?: true;
  /** Whether packets through the router stop with it, whatever anybody does. */
  interrupts?: true;
  /** Whether it matters most before daemons are asked. */
  early?: true;
}

export const on = async (host: Host, command: string): Promise<string> =>
  (await lab.exec(host, command, { check: false, timeoutMs: 20_000 })).stdout.trim();

/** A daemon's own judgement becomes "no", or it does not start: in its place stands a program that refuses everything. */
const refusing = (name: string, file: string): Fault => ({
  name,
  there: `[ ! -x ${file} ] || [ -e ${file}.real ] || { mv ${file} ${file}.real && printf '#!/bin/sh\\necho refused by the campaign >&2\\nexit 1\\n' >${file}.no && chmod 755 ${file}.no && mv ${file}.no ${file}; }`,
  mend: `[ ! -e ${file}.real ] || mv ${file}.real ${file}`,
  early: true,
});

const crash = (name: string): Fault => ({
  name: `${name} crashed`,
  there: `pkill -KILL -x ${name}`,
});

const stopped = (name: string, units: string): Fault => ({
  name: `${name} stopped`,
  there: `systemctl stop ${units}`,
  byHand: true,
});

const cut = (seconds: number): Fault => ({
  name: `network cut for ${seconds} s`,
  there: `ip link set mgmt0 down; sleep ${seconds}; ip link set mgmt0 up`,
  mend: "ip link set mgmt0 up",
});

/** It works only while somebody asks, and half a minute more. */
const asked = async (): Promise<void> => void (await ask());

/** Those of any machine. */
export const anywhere: Fault[] = [
  { name: "provider killed", here: async (driver) => driver.kill() },
  { name: "sshd's child killed", there: "pkill -KILL -f '^sshd(-session)?: .*(@notty|\\[priv\\])'" },
  { name: "program on the router killed", there: `pkill -KILL -f '^/bin/sh ${path} (converge|observe|confirm)'` },
  cut(2),
  // Longer than a change waits for its confirmation: the router undoes it.
  cut(CONFIRM + 2),
  {
    name: "disk full",
    prepare: async (host) =>
      void (await on(
        host,
        "mkdir -p /run/small && mount -t tmpfs -o size=6m,mode=700 none /run/small && cp -a /etc/vpc6/. /run/small && mount --bind /run/small /etc/vpc6",
      )),
    there: "cat /dev/zero >/etc/vpc6/ballast 2>/dev/null",
    mend: "rm -f /etc/vpc6/ballast",
  },
  crash("bgpd"),
  stopped("frr", "frr"),
  refusing("vtysh refuses", "/usr/bin/vtysh"),
  { name: "reboot", here: async (_, host) => await lab.reboot(host), interrupts: true },
  {
    name: "power cut",
    here: async (_, host) => {
      await lab.poweroff(host);
      await lab.start(host);
    },
    interrupts: true,
  },
];

/** And those of what is not on a cloud uplink router. */
const ofRouters: Fault[] = [
  crash("dnsmasq"),
  crash("haproxy"),
  crash("tayga"),
  crash("named"),
  { name: "password server crashed", prepare: asked, there: "pkill -KILL -f '^/usr/bin/perl -x'" },
  stopped("dnsmasq", "vpc6-dnsmasq"),
  stopped("tayga and named", "'vpc6-tayga@*' vpc6-named"),
  {
    ...stopped("password server", `'vpc6-password@${GATEWAY}.socket' 'vpc6-password@${GATEWAY}.service'`),
    prepare: asked,
  },
  refusing("nft refuses", "/usr/sbin/nft"),
  refusing("haproxy refuses", "/usr/sbin/haproxy"),
  refusing("named-checkconf refuses", "/usr/bin/named-checkconf"),
  refusing("named does not start", "/usr/sbin/named"),
  refusing("tayga does not start", "/usr/sbin/tayga"),
];

export const faults: Fault[] = [...anywhere, ...ofRouters];

/** The small disk's content goes back to the large one. */
export async function largeDisk(host: Host): Promise<void> {
  await on(
    host,
    "mountpoint -q /etc/vpc6 && umount /etc/vpc6 && rm -rf /etc/vpc6/* && cp -a /run/small/. /etc/vpc6/ && umount /run/small",
  );
}
