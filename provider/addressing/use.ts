// What an address or a prefix is good for. Each argument says what it is to be (a use); what cannot be that is refused with the reason, and
// with where it is written. Addresses for documentation (2001:db8::/32, 192.0.2.0/24 and the like) and unique local ones are good for all.

import { type Address, type AddressRange, contains, overlaps, type Prefix, parsePrefix, span } from "./prefix";

const space = (cidr: string, what: string, rfc: string, why: string, prefix = parsePrefix(cidr) as Prefix) => ({
  cidr,
  what,
  rfc,
  why,
  ...span(prefix),
});
type Space = ReturnType<typeof space>;

const NOBODY = "no host has such an address";
const ITSELF = "every host is that to itself";
const LINK = "it means another host on each link, and no router forwards it";
const MANY = "it is no one host's";
const IPV4 = "IPv4 hosts are seen under it";

/** Routers are known by such addresses on their links (RFC 4861 section 6.1.2). */
const LINK6 = [space("fe80::/10", "link-local", "RFC 4291 section 2.5.6", LINK)];
/** Addresses that are no other host's, wherever they are asked for: of one link, of many, or of nobody. */
const NOWHERE = [
  space("::/128", "unspecified", "RFC 4291 section 2.5.2", NOBODY),
  ...LINK6,
  space("ff00::/8", "multicast", "RFC 4291 section 2.7", MANY),
  space("0.0.0.0/8", '"this network"', "RFC 6890 section 2.2.2", NOBODY),
  space("224.0.0.0/4", "multicast", "RFC 5771", MANY),
  space("240.0.0.0/4", "reserved", "RFC 1112 section 4", NOBODY),
];
/** It has no zone id, and is reached where there is one such link: resolvers of clouds are there. */
const LINK4 = [space("169.254.0.0/16", "link-local", "RFC 3927 section 2.7", LINK)];
const LOOPBACK = [
  space("::1/128", "loopback", "RFC 4291 section 2.5.3", ITSELF),
  space("127.0.0.0/8", "loopback", "RFC 1122 section 3.2.1.3", ITSELF),
];
const TRANSLATED = [
  space("64:ff9b::/96", "NAT64's well-known prefix", "RFC 6052 section 2.1", IPV4),
  space("64:ff9b:1::/48", "for NAT64", "RFC 8215", IPV4),
];
const INSIDE_PROGRAMS = [
  space("::ffff:0:0/96", "IPv4-mapped", "RFC 4291 section 2.5.5.2", "it is for use inside programs", {
    family: 6,
    base: 0xffffn << 32n,
    length: 96,
  }),
  space("::/96", "IPv4-compatible", "RFC 4291 section 2.5.5.1", "nothing uses it any more"),
];
/** Each before what it lies in. */
const ALL = [...NOWHERE, ...LINK4, ...LOOPBACK, ...TRANSLATED, ...INSIDE_PROGRAMS];

/** Which of these an argument can do with all the same. */
const FINE = {
  /** A network that is ours or a neighbor's, to have hosts in. */
  network: [],
  /** The address of one host in such a network (a gateway, a guest, a neighbor), or a range of them. */
  host: [],
  /** The next router on a known link. */
  gateway: LINK6,
  /** A host that is reached over routers, and perhaps over a translator. */
  server: TRANSLATED,
  /** A server that a machine asks from where it is: a resolver, or who is dialed by SSH. */
  direct: [...TRANSLATED, ...LINK4, ...LOOPBACK],
  /** Under which a translator shows the IPv4 hosts. */
  translation: TRANSLATED,
  /** Where packets come from or go to: refused if no part of it can be that. */
  packets: [...TRANSLATED, ...INSIDE_PROGRAMS],
  /** Whatever: in a group that lists may deny (bogons), in what a resolver is told of others' addresses. */
  any: ALL,
} satisfies Record<string, Space[]>;

export type Use = keyof typeof FINE;

/** Why it cannot be that, to be said after it; undefined: it can. */
export function unfit(place: Address | Prefix | AddressRange, use: Use): string | undefined {
  const fine: readonly Space[] = FINE[use];
  const asked = span(place);
  const found = ALL.filter((it) => overlaps(it, asked));
  const bad = found.filter((it) => !fine.includes(it));
  const [first] = bad;
  if (!first || (use === "packets" ? !covers(bad, asked) : first !== found[0])) return undefined;
  const { cidr, what, rfc, why } = first;
  return `${contains(first, asked) ? "is" : "has a part that is"} ${what} (${cidr}, ${rfc}): ${why}`;
}

function covers(spaces: readonly AddressRange[], { first, last }: AddressRange): boolean {
  let next = first;
  for (const it of [...spaces].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    if (it.first <= next && it.last >= next) next = it.last + 1n;
  }
  return next > last;
}
