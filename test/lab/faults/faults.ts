// What may happen to a router, or to the one who changes it, at the worst moment. `strike` does it, `mend` undoes what would not
// mend itself, as somebody who comes to look would (a cable, a full disk).

import { lab } from "../lab.ts";
import { path } from "../router/vr1";

export interface Fault {
  name: string;
  /** Before the change begins. */
  prepare?: () => Promise<void>;
  strike: (driver: { kill: () => void }) => Promise<void>;
  mend?: () => Promise<void>;
  /** Whether it is the deed of a hand, which only a refresh finds out about. */
  byHand?: true;
  /** Whether packets through the router stop with it, whatever anybody does. */
  interrupts?: true;
}

const on = async (command: string): Promise<string> =>
  (await lab.exec("vr1", command, { check: false, timeoutMs: 20_000 })).stdout.trim();

/** A daemon's own judgement becomes "no": in place of its checker stands a program that refuses everything. */
const refusing = (file: string): Pick<Fault, "strike" | "mend"> => ({
  strike: async () =>
    void (await on(
      `[ ! -x ${file} ] || [ -e ${file}.real ] || { mv ${file} ${file}.real && printf '#!/bin/sh\\necho refused by the campaign >&2\\nexit 1\\n' >${file}.no && chmod 755 ${file}.no && mv ${file}.no ${file}; }`,
    )),
  mend: async () => void (await on(`[ ! -e ${file}.real ] || mv ${file}.real ${file}`)),
});

const crash = (name: string, pattern: string): Fault => ({
  name,
  strike: async () => void (await on(`pkill -KILL -x '${pattern}'`)),
});

export const faults: Fault[] = [
  { name: "provider killed (kill -9)", strike: async (driver) => driver.kill() },
  {
    name: "sshd's child killed",
    strike: async () => void (await on("pkill -KILL -f '^sshd: .*(@notty|\\[priv\\])'")),
  },
  {
    name: "program on the router killed",
    strike: async () => void (await on(`pkill -KILL -f '^/bin/sh ${path} converge'`)),
  },
  {
    name: "network cut for 2 s",
    strike: async () => void (await on("ip link set mgmt0 down; sleep 2; ip link set mgmt0 up")),
    mend: async () => void (await on("ip link set mgmt0 up")),
  },
  {
    name: "disk full",
    prepare: async () =>
      void (await on(
        "mkdir -p /run/small && mount -t tmpfs -o size=6m none /run/small && cp -a /etc/vpc6/. /run/small && mount --bind /run/small /etc/vpc6",
      )),
    strike: async () => void (await on("cat /dev/zero >/etc/vpc6/ballast 2>/dev/null")),
    mend: async () => void (await on("rm -f /etc/vpc6/ballast")),
  },
  crash("dnsmasq crashed", "dnsmasq"),
  crash("haproxy crashed", "haproxy"),
  crash("bgpd crashed", "bgpd"),
  { name: "dnsmasq stopped", strike: async () => void (await on("systemctl stop vpc6-dnsmasq")), byHand: true },
  { name: "nft refuses", ...refusing("/usr/sbin/nft") },
  { name: "haproxy refuses", ...refusing("/usr/sbin/haproxy") },
  { name: "vtysh refuses", ...refusing("/usr/bin/vtysh") },
  { name: "reboot", strike: async () => await lab.reboot("vr1"), interrupts: true },
  {
    name: "power cut",
    strike: async () => {
      await lab.poweroff("vr1");
      await lab.start("vr1");
    },
    interrupts: true,
  },
];

/** The small disk's content goes back to the large one. */
export async function largeDisk(): Promise<void> {
  await on(
    "mountpoint -q /etc/vpc6 && umount /etc/vpc6 && rm -rf /etc/vpc6/* && cp -a /run/small/. /etc/vpc6/ && umount /run/small",
  );
}
