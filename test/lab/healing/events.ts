// What takes away what vpc6 has put on a router's links, by whom.

/** Who manages the links beside vpc6: see managers.ts. */
export type Manager = "none" | "networkd" | "netplan" | "ifupdown" | "NetworkManager";

export interface Event {
  command: string;
  /** What is gone then, where that is the same on all releases. */
  takes?: RegExp;
  /** It is nothing to who manages the links. */
  alone?: true;
}

const PUB0 = /pub0 2001:db8:ffff::10/;
const WEB0 = /web0 2001:67c:2834:2::1/;
const again = (link: string) => `ip link set ${link} down; sleep 0.3; ip link set ${link} up`;

/** What anybody can do, whoever manages the links. */
export const byHand: Event[] = [
  { command: "ip addr flush dev pub0 scope global", takes: PUB0 },
  { command: "ip addr flush dev web0", takes: /web0 10.1.1.1.*web0 2001:67c:2834:2::1/s },
  { command: "ip -6 route del unreachable 2001:67c:2834::/60", takes: /^unreachable/m, alone: true },
  { command: "ip -6 route del default", takes: /^default/m },
  { command: "ip neigh flush dev web0 nud permanent", takes: /PERMANENT/, alone: true },
  { command: again("pub0"), takes: /^default/m },
  { command: again("web0"), takes: /PERMANENT/ },
  {
    command: "sysctl -qw net.ipv6.conf.web0.keep_addr_on_down=0; ip link set web0 down; ip link set web0 up",
    takes: /web0 2001/,
    alone: true,
  },
  { command: "sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv4.ip_forward=0", takes: /all.forwarding/, alone: true },
  { command: "ip addr del 2001:67c:2834::1/128 dev lo", takes: /lo 2001/, alone: true },
];

const networkd: Event[] = [
  { command: "networkctl reconfigure pub0", takes: PUB0 },
  { command: "networkctl reconfigure web0", takes: WEB0 },
  // An empty line is a change for networkd.
  { command: "echo >>/etc/systemd/network/20-pub0.network; networkctl reload" },
  { command: "echo >>/etc/systemd/network/20-web0.network; networkctl reload" },
  { command: "systemctl restart systemd-networkd" },
];

/** By whoever manages them: its own words. */
export const byManager: Record<Manager, Event[]> = {
  none: [],
  networkd,
  netplan: [
    { command: "netplan apply" },
    { command: "netplan set ethernets.pub0.optional=true; netplan apply" },
    { command: "networkctl reconfigure pub0 web0", takes: PUB0 },
    { command: "systemctl restart systemd-networkd" },
  ],
  ifupdown: [
    { command: "ifdown pub0; ifup pub0", takes: /^default/m },
    { command: "ifdown web0; ifup web0", takes: /PERMANENT/ },
    { command: "systemctl restart networking" },
  ],
  NetworkManager: [
    { command: "nmcli con up pub0" },
    { command: "nmcli con up web0" },
    { command: "nmcli con reload; nmcli con down pub0; nmcli con up pub0" },
    { command: "nmcli con reload; nmcli con down web0; nmcli con up web0" },
    { command: "nmcli dev reapply pub0" },
    { command: "nmcli dev reapply web0" },
    { command: "systemctl restart NetworkManager" },
  ],
};
