// The IPv4 network of a dual-stack tier: what it can be, its gateway, and the pool of its guests' addresses.

import type { AddressPool, Reserved } from "./allotment";
import { contains, formatAddress, formatPrefix, lastAddress, nth, type Prefix } from "./prefix";

/** Why a prefix cannot be a tier's IPv4 network; undefined: it can. */
export function whyNoNetwork(prefix: Prefix): string | undefined {
  const text = formatPrefix(prefix);
  if (prefix.length > 30) return `"${text}" has no room for a guest beside the gateway; it must be a /30 or larger`;
  if (prefix.length < 8) return `"${text}" is larger than a /8; a tier is a /8 at most`;
  return undefined;
}

/** The first host address. */
export const firstHost = (prefix: Prefix): string => formatAddress(nth(prefix, 1));

export const isHost = (prefix: Prefix, address: { family: 4 | 6; value: bigint }): boolean =>
  contains(prefix, address) && address.value !== prefix.base && address.value !== lastAddress(prefix).value;

/** `255.255.255.0` */
export const netmask = ({ length }: Prefix): string =>
  formatAddress({ family: 4, value: ((1n << BigInt(length)) - 1n) << BigInt(32 - length) });

export function ipv4Pool(within: Prefix, gateway: bigint): AddressPool {
  const one = (value: bigint, reason: string): Reserved => ({ first: value, last: value, reason });
  return {
    kind: "ipv4",
    what: "IPv4 address",
    plural: "IPv4 addresses",
    format: "address",
    within,
    reserved: [
      one(within.base, "the network itself"),
      one(gateway, "the gateway"),
      one(lastAddress(within).value, "broadcasts"),
    ],
  };
}

/** By which a NAT64 translator tells guests apart, where nothing else is said. */
export const DEFAULT_POOL = "192.168.255.0/24";
