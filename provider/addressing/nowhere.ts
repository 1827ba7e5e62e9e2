// Addresses that are no other host's, wherever they are asked for: of one machine, of one link, or of many (RFC 4291; RFC 6890; RFC 5735
// section 4).

import { type Address, overlaps, type Prefix, parsePrefix } from "./prefix";

export const NOWHERE: readonly { cidr: string; what: string }[] = [
  { cidr: "::/127", what: "unspecified or loopback" },
  { cidr: "fe80::/10", what: "link-local" },
  { cidr: "ff00::/8", what: "multicast" },
  { cidr: "0.0.0.0/8", what: '"this network"' },
  { cidr: "127.0.0.0/8", what: "loopback" },
  { cidr: "169.254.0.0/16", what: "link-local" },
  { cidr: "224.0.0.0/3", what: "multicast or reserved" },
];

const parsed = NOWHERE.map((it) => ({ ...it, prefix: parsePrefix(it.cidr) as Prefix }));

/** Which of them an address is in, or a prefix has a part of. */
export const nowhere = (it: Address | Prefix): { cidr: string; what: string } | undefined =>
  parsed.find(({ prefix }) => overlaps(prefix, it));
