// Prefixes, addresses and ranges as plain values: a number, a length, a family. The only module that knows `ip-address`.
// Reading text never throws: the answer is the value, or a string that tells the user why not. What is printed is
// canonical (RFC 5952), so that one value has one text. Arithmetic outside a prefix is a bug and throws RangeError.
import { Address4, Address6 } from "ip-address";
import { printable } from "../arguments";

export type Family = 4 | 6;
export interface Prefix {
  readonly family: Family;
  /** The network's first address, as a number. */
  readonly base: bigint;
  readonly length: number;
}
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}
/** From the first to the last address, both included. */
export interface AddressRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** Bits of an address: 32 or 128. */
export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);
/** How many addresses a prefix holds. */
export const sizeOf = (prefix: Prefix): bigint => 1n << BigInt(bitsOf(prefix.family) - prefix.length);

/** User's text as a message shows it: quoted, on one line, not endless. */
export const quote = (text: string): string =>
  printable(JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text));

/** `2001:db8::10` or `192.0.2.10`. */
export function parseAddress(text: string, only?: Family): Address | string {
  if (text.includes("/")) return `${quote(text)} is a prefix; an ${word(only)} is expected here, without its length`;
  return read(text, text, only);
}

/** `2001:db8::/64` or `192.0.2.0/24`; host bits are refused, upper case and long forms are not. */
export function parsePrefix(text: string, only?: Family): Prefix | string {
  const [addressText = "", lengthText, ...rest] = text.split("/");
  const address = read(addressText, text, only);
  if (typeof address === "string") return address;
  const { family, value } = address;
  if (lengthText === undefined) {
    const usual = family === 4 ? 24 : 64;
    const network = formatPrefix({ family, base: networkOf(value, family, usual), length: usual });
    return `${quote(text)} has no prefix length: write ${network}, for example`;
  }
  const length = Number(lengthText);
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(lengthText) || length > bitsOf(family)) {
    return `${quote(text)} has no valid prefix length: IPv${family} lengths are 0 to ${bitsOf(family)}`;
  }
  const base = networkOf(value, family, length);
  if (base === value) return { family, base, length };
  return `${quote(text)} has host bits set: the network is ${formatPrefix({ family, base, length })}`;
}

/** `2001:db8::10-2001:db8::ff`. */
export function parseRange(text: string, only?: Family): AddressRange | string {
  const ends = text.split("-").map((end) => end.trim());
  const [from, to] = ends;
  if (from === undefined || to === undefined || ends.length !== 2) {
    return `${quote(text)} is not an address range: write first-last, such as ${only === 4 ? "192.0.2.10-192.0.2.99" : "2001:db8::10-2001:db8::ff"}`;
  }
  const first = parseAddress(from, only);
  if (typeof first === "string") return first;
  const last = parseAddress(to, only);
  if (typeof last === "string") return last;
  if (first.family !== last.family) return `${quote(text)} mixes IPv4 and IPv6`;
  if (first.value > last.value) return `${quote(text)} runs backwards: ${from} comes after ${to}`;
  return { family: first.family, first: first.value, last: last.value };
}

export function formatAddress({ family, value }: Address): string {
  return (family === 4 ? Address4.fromBigInt(value) : Address6.fromBigInt(value)).correctForm();
}

export const formatPrefix = ({ family, base, length }: Prefix): string =>
  `${formatAddress({ family, value: base })}/${length}`;

export const formatRange = ({ family, first, last }: AddressRange): string =>
  `${formatAddress({ family, value: first })}-${formatAddress({ family, value: last })}`;

/** Anything that lies on the line of addresses, as a range. */
export function span(place: Prefix | Address | AddressRange): AddressRange {
  if ("first" in place) return place;
  if ("value" in place) return { family: place.family, first: place.value, last: place.value };
  return { family: place.family, first: place.base, last: place.base + sizeOf(place) - 1n };
}

export function contains(outer: Prefix | AddressRange, inner: Prefix | Address | AddressRange): boolean {
  const [o, i] = [span(outer), span(inner)];
  return o.family === i.family && o.first <= i.first && i.last <= o.last;
}

export function overlaps(one: Prefix | Address | AddressRange, other: Prefix | Address | AddressRange): boolean {
  const [a, b] = [span(one), span(other)];
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** The `index`-th network of `length` in `prefix`: subnet(2001:db8::/60, 64, 1) is 2001:db8:0:1::/64. */
export function subnet(prefix: Prefix, length: number, index: bigint | number): Prefix {
  const { family, base } = prefix;
  const count = 1n << BigInt(Math.max(0, length - prefix.length));
  if (length < prefix.length || length > bitsOf(family) || index < 0 || index >= count) {
    throw new RangeError(`${formatPrefix(prefix)} has no /${length} number ${index}`);
  }
  return { family, base: base + (BigInt(index) << BigInt(bitsOf(family) - length)), length };
}

/** The `n`-th address: nth(2001:db8::/64, 1) is 2001:db8::1. */
export function nth(prefix: Prefix, n: bigint | number): Address {
  if (n < 0 || n >= sizeOf(prefix)) throw new RangeError(`${formatPrefix(prefix)} has no address number ${n}`);
  return { family: prefix.family, value: prefix.base + BigInt(n) };
}

export const lastAddress = (prefix: Prefix): Address => nth(prefix, sizeOf(prefix) - 1n);

/** The network of this length around a value. */
export function networkOf(value: bigint, family: Family, length: number): bigint {
  const hostBits = BigInt(bitsOf(family) - length);
  return (value >> hostBits) << hostBits;
}

const word = (only: Family | undefined): string => (only ? `IPv${only} address` : "IPv6 or IPv4 address");

// ip-address accepts zone ids and IPv4-mapped addresses; neither can be a network of ours. `whole` is what the user wrote. Who may give
// one family `only` hears of that first: what is wrong with the text of the other does not matter.
function read(text: string, whole: string, only: Family | undefined): Address | string {
  const zone = text.indexOf("%");
  if (zone >= 0) return `${quote(whole)} has a zone id: leave out ${quote(text.slice(zone))}`;
  const family: Family = text.includes(":") ? 6 : 4;
  try {
    const value = (family === 4 ? new Address4(text) : new Address6(text)).bigInt();
    if (family === 6 && value >> 32n === 0xffffn) {
      return only === 6
        ? `${quote(whole)} is an IPv4-mapped address; IPv6 is expected here`
        : `${quote(whole)} is an IPv4-mapped address: write the IPv4 address itself`;
    }
    if (only && only !== family) return `${quote(whole)} is IPv${family}; IPv${only} is expected here`;
    return { family, value };
  } catch {
    return `${quote(whole)} is not an ${word(only ?? (family === 6 ? 6 : undefined))}${whole === text ? "" : " with a prefix length"}`;
  }
}
