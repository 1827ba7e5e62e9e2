// Who may manage a router's links beside vpc6, each given a public and a tier's interface as its own words have it.

import { on } from "../router/vr1.ts";
import type { Manager } from "./events.ts";

/** From the packages that lie on each router root. */
const install = (...names: string[]) =>
  on(
    `apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
       -o Dpkg::Options::=--force-confold install ${names.join(" ")} >/tmp/apt.log 2>&1 || { cat /tmp/apt.log >&2; exit 1; }`,
    { timeoutMs: 240_000 },
  );

/** The address is the operator's own on that link, beside what vpc6 puts there. */
const links = [
  { link: "pub0", address: "2001:db8:5::10/64" },
  { link: "web0", address: "2001:db8:5:1::1/64" },
] as const;

const files = (of: (it: (typeof links)[number]) => [path: string, text: string]) =>
  links.map((it) => {
    const [path, text] = of(it);
    return `mkdir -p ${path.slice(0, path.lastIndexOf("/"))}; umask 077; cat >${path} <<'END'\n${text}END\n`;
  });

const MANAGED: Record<Manager, () => Promise<unknown>> = {
  none: async () => {},
  networkd: () =>
    on(
      `${files(({ link, address }) => [
        `/etc/systemd/network/20-${link}.network`,
        `[Match]\nName=${link}\n[Network]\nAddress=${address}\nIPv6AcceptRA=no\nLinkLocalAddressing=ipv6\n`,
      ]).join("")}chmod 644 /etc/systemd/network/*; networkctl reload`,
    ),
  netplan: async () => {
    await install("netplan.io", "udev");
    // What udev cannot do in a container, where /sys is read-only, is an error for netplan.
    await on(
      `printf '#!/bin/sh\n/usr/bin/udevadm "$@" || true\n' >/usr/local/sbin/udevadm; chmod 755 /usr/local/sbin/udevadm`,
    );
    const ethernets = links.map(
      ({ link, address }) => `    ${link}:\n      accept-ra: false\n      addresses: ["${address}"]\n`,
    );
    await on(
      `umask 077; mkdir -p /etc/netplan; cat >/etc/netplan/50-cloud-init.yaml <<'END'
network:
  version: 2
  ethernets:
${ethernets.join("")}END
       netplan apply`,
    );
  },
  ifupdown: async () => {
    await install("ifupdown");
    const stanzas = links.map(
      ({ link, address }) =>
        `auto ${link}\niface ${link} inet6 static\n  address ${address}\n  autoconf 0\n  accept_ra 0\n  dad-attempts 0\n`,
    );
    await on(
      `printf 'auto lo\\niface lo inet loopback\\n' >/etc/network/interfaces; cat >>/etc/network/interfaces <<'END'
${stanzas.join("")}END
       systemctl restart networking`,
    );
  },
  NetworkManager: async () => {
    // Debian and Ubuntu have it leave alone what looks like a container's.
    await on(`mkdir -p /etc/NetworkManager/conf.d; : >/etc/NetworkManager/conf.d/10-globally-managed-devices.conf
      printf '[main]\\nplugins=keyfile\\n[keyfile]\\nunmanaged-devices=interface-name:mgmt0\\n[device-ours]\\nmatch-device=interface-name:pub0,interface-name:web0\\nmanaged=1\\n' \
        >/etc/NetworkManager/conf.d/90-lab.conf`);
    await install("network-manager");
    await on(
      `${files(({ link, address }) => [
        `/etc/NetworkManager/system-connections/${link}.nmconnection`,
        `[connection]\nid=${link}\ntype=ethernet\ninterface-name=${link}\n[ipv4]\nmethod=disabled\n[ipv6]\nmethod=manual\naddress1=${address}\n`,
      ]).join("")}systemctl enable --now NetworkManager; nmcli con reload; nmcli con up pub0; nmcli con up web0`,
    );
  },
};

/** Hands them both to it. */
export async function manage(manager: Manager): Promise<void> {
  await MANAGED[manager]();
}
