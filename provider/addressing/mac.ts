// MAC addresses of instances, and the DUID that a DHCPv6 client makes from one.
import { quote } from "./prefix";

export interface Mac {
  readonly octets: readonly number[];
}

/** `02:00:00:00:00:11`, `02-00-00-00-00-11` or `0200.0000.0011`, in either case; a string tells why not. */
export function parseMac(text: string): Mac | string {
  const written =
    /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) ||
    /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text) ||
    /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i.test(text);
  if (!written) return `${quote(text)} is not a MAC address: write six octets, such as 02:00:00:00:00:11`;
  const octets = [...text.replace(/[^0-9a-f]/gi, "").matchAll(/../g)].map(([octet]) => Number.parseInt(octet, 16));
  if (octets.every((octet) => octet === 0)) return `${quote(text)} is all zeros, which is no interface's MAC address`;
  if (((octets[0] ?? 0) & 1) === 1) return `${quote(text)} is a multicast MAC address: an interface has a unicast one`;
  return { octets };
}

/** Lower case with colons, as Linux and dnsmasq write it. */
export const formatMac = ({ octets }: Mac): string => octets.map((o) => o.toString(16).padStart(2, "0")).join(":");

/** DUID-LL (RFC 8415 §11.4): type 3, hardware type 1 (Ethernet), the MAC address. */
export const duidLinkLayer = (mac: Mac): string => `00:03:00:01:${formatMac(mac)}`;
