import fc from "fast-check";
import { Address4, Address6 } from "ip-address";
import { describe, expect, test } from "vitest";
import { duidLinkLayer, formatMac, parseMac } from "../../../provider/addressing/mac";
import {
  type AddressRange,
  contains,
  formatAddress,
  formatPrefix,
  formatRange,
  lastAddress,
  nth,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
  parseRange,
  sizeOf,
  span,
  subnet,
} from "../../../provider/addressing/prefix";

/** The value, or the test fails with the reason it was refused. */
function must<T>(read: T | string): T {
  if (typeof read === "string") throw new Error(read);
  return read;
}
const prefix = (text: string): Prefix => must(parsePrefix(text));

const anyAddress = fc.oneof(
  fc.record({ family: fc.constant(6 as const), value: fc.bigInt(1n << 48n, (1n << 128n) - 1n) }),
  // Many zeros, as in real addresses: what RFC 5952 shortens.
  fc
    .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, fc.bigInt(0n, 0xffffn)), { minLength: 7, maxLength: 7 })
    .map((groups) => ({ family: 6 as const, value: groups.reduce((sum, group) => (sum << 16n) | group, 0x2001n) })),
  fc.record({ family: fc.constant(4 as const), value: fc.bigInt(0n, (1n << 32n) - 1n) }),
);
const anyPrefix = fc.tuple(anyAddress, fc.nat(128)).map(([{ family, value }, n]): Prefix => {
  const length = family === 4 ? n % 33 : n;
  const hostBits = BigInt((family === 4 ? 32 : 128) - length);
  return { family, base: (value >> hostBits) << hostBits, length };
});
const library = ({ family, base, length }: Prefix) => {
  const text = `${(family === 4 ? Address4 : Address6).fromBigInt(base).correctForm()}/${length}`;
  return family === 4 ? new Address4(text) : new Address6(text);
};
// RFC 5952 from scratch: the longest run of two or more zero groups, the first of equals, becomes "::".
function rfc5952(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at += 1) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length += 1;
    if (length > best.length) best = { at, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.at).join(":")}::${hex.slice(best.at + best.length).join(":")}`;
}

describe("reading and writing", () => {
  test("what is written reads as the same value, and reading it again writes the same text", () => {
    fc.assert(
      fc.property(anyAddress, anyPrefix, (address, network) => {
        fc.pre(network.family === 4 || network.base >> 32n !== 0xffffn);
        expect(parseAddress(formatAddress(address))).toEqual(address);
        expect(parsePrefix(formatPrefix(network))).toEqual(network);
        expect(parseRange(formatRange(span(network)))).toEqual(span(network));
      }),
    );
  });

  test("IPv6 is written as RFC 5952 says", () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        if (address.family === 6) expect(formatAddress(address)).toBe(rfc5952(address.value));
      }),
    );
  });

  test.each([
    ["2001:DB8:0:0::/64", "2001:db8::/64"],
    ["2001:067c:2834:0:0:0:0:0/50", "2001:67c:2834::/50"],
    ["64:ff9b::192.0.2.0/120", "64:ff9b::c000:200/120"],
    ["::/0", "::/0"],
    ["192.0.2.0/24", "192.0.2.0/24"],
  ])("%s is %s", (text, canonical) => {
    expect(formatPrefix(prefix(text))).toBe(canonical);
  });

  test.each([
    ["2001:db8::1/64", '"2001:db8::1/64" has host bits set: the network is 2001:db8::/64'],
    ["192.0.2.7/24", '"192.0.2.7/24" has host bits set: the network is 192.0.2.0/24'],
    ["2001:db8::", '"2001:db8::" has no prefix length: write 2001:db8::/64, for example'],
    ["2001:db8::/129", '"2001:db8::/129" has no valid prefix length: IPv6 lengths are 0 to 128'],
    ["192.0.2.0/33", '"192.0.2.0/33" has no valid prefix length: IPv4 lengths are 0 to 32'],
    ["2001:db8::/064", '"2001:db8::/064" has no valid prefix length: IPv6 lengths are 0 to 128'],
    ["2001:db8::/64/64", '"2001:db8::/64/64" has no valid prefix length: IPv6 lengths are 0 to 128'],
    ["2001:db8::/", '"2001:db8::/" has no valid prefix length: IPv6 lengths are 0 to 128'],
    ["fe80::%eth0/64", '"fe80::%eth0/64" has a zone id: leave out "%eth0"'],
    ["::ffff:192.0.2.0/120", '"::ffff:192.0.2.0/120" is an IPv4-mapped address: write the IPv4 address itself'],
    ["::ffff:c000:200/120", '"::ffff:c000:200/120" is an IPv4-mapped address: write the IPv4 address itself'],
    ["2001:db8::zz/64", '"2001:db8::zz/64" is not an IPv6 address with a prefix length'],
    [" 2001:db8::/64", '" 2001:db8::/64" is not an IPv6 address with a prefix length'],
    ["shop", '"shop" is not an IPv6 or IPv4 address'],
    ["", '"" is not an IPv6 or IPv4 address'],
    ["a\nb".repeat(99), expect.stringMatching(/^"a\\nba\\nb.{1,90}\.\.\." is not/)],
  ])("%j is no prefix", (text, why) => {
    expect(parsePrefix(text)).toEqual(why);
  });

  test.each([
    ["2001:db8::1/64", '"2001:db8::1/64" is a prefix; an IPv6 or IPv4 address is expected here, without its length'],
    ["fe80::1%eth0", '"fe80::1%eth0" has a zone id: leave out "%eth0"'],
    ["::ffff:192.0.2.1", '"::ffff:192.0.2.1" is an IPv4-mapped address: write the IPv4 address itself'],
    ["1.2.3", '"1.2.3" is not an IPv6 or IPv4 address'],
  ])("%j is no address", (text, why) => {
    expect(parseAddress(text)).toBe(why);
  });

  test("ranges", () => {
    const range = must(parseRange("2001:db8:ffff::10-2001:DB8:ffff::ff"));
    expect(range).toEqual({ family: 6, first: range.last - 0xefn, last: range.last });
    expect(formatRange(range)).toBe("2001:db8:ffff::10-2001:db8:ffff::ff");
    expect(parseRange("2001:db8::ff-2001:db8::10")).toContain("runs backwards");
    expect(parseRange("2001:db8::ff-192.0.2.1")).toContain("mixes IPv4 and IPv6");
    expect(parseRange("2001:db8::ff")).toContain("is not an address range");
    expect(parseRange("2001:db8::1-2001:db8::2-2001:db8::3")).toContain("is not an address range");
    expect(parseRange("2001:db8::1-x")).toBe('"x" is not an IPv6 or IPv4 address');
  });
});

describe("arithmetic", () => {
  test("first and last address as the library has them", () => {
    fc.assert(
      fc.property(anyPrefix, (network) => {
        const expected = library(network);
        expect(formatAddress(nth(network, 0))).toBe(expected.startAddress().correctForm());
        expect(formatAddress(lastAddress(network))).toBe(expected.endAddress().correctForm());
        expect(sizeOf(network)).toBe(lastAddress(network).value - network.base + 1n);
      }),
    );
  });

  test("contains and overlaps as the library has them", () => {
    // Close relatives, so that every relation occurs.
    const pair = fc.tuple(anyPrefix, anyPrefix, fc.nat(12), fc.boolean()).map(([one, other, up, related]) => {
      if (!related) return [one, other] as const;
      const length = Math.max(0, one.length - up);
      const hostBits = BigInt((one.family === 4 ? 32 : 128) - length);
      return [{ family: one.family, base: (one.base >> hostBits) << hostBits, length }, one] as const;
    });
    fc.assert(
      fc.property(pair, ([a, b]) => {
        for (const [outer, inner] of [
          [a, b],
          [b, a],
        ] as const) {
          const expected =
            outer.family === inner.family && (library(inner) as Address6).isInSubnet(library(outer) as Address6);
          expect(contains(outer, inner)).toBe(expected);
        }
        expect(overlaps(a, b)).toBe(contains(a, b) || contains(b, a));
      }),
    );
  });

  test("ranges overlap when an address is in both", () => {
    const range = fc
      .tuple(fc.nat(20), fc.nat(20))
      .map(([a, b]): AddressRange => ({ family: 6, first: BigInt(Math.min(a, b)), last: BigInt(Math.max(a, b)) }));
    fc.assert(
      fc.property(range, range, (a, b) => {
        const inside = (r: AddressRange, n: number) => r.first <= n && n <= r.last;
        const all = Array.from({ length: 21 }, (_, n) => n);
        expect(overlaps(a, b)).toBe(all.some((n) => inside(a, n) && inside(b, n)));
        expect(contains(a, b)).toBe(all.every((n) => !inside(b, n) || inside(a, n)));
        expect(overlaps(a, { ...b, family: 4 })).toBe(false);
      }),
    );
  });

  test("subnets follow one another without a gap, from the first to the last address", () => {
    fc.assert(
      fc.property(anyPrefix, fc.nat(9), (network, more) => {
        const length = Math.min(network.length + more, network.family === 4 ? 32 : 128);
        const parts = Array.from({ length: 1 << (length - network.length) }, (_, index) =>
          subnet(network, length, index),
        );
        let next = network.base;
        for (const part of parts) {
          expect(part.base).toBe(next);
          next += sizeOf(part);
        }
        expect(next - 1n).toBe(lastAddress(network).value);
        expect(() => subnet(network, length, parts.length)).toThrow(RangeError);
        expect(() => subnet(network, length, -1)).toThrow(RangeError);
      }),
    );
    expect(() => subnet(prefix("2001:db8::/64"), 60, 0)).toThrow("2001:db8::/64 has no /60 number 0");
    expect(() => nth(prefix("2001:db8::/127"), 2)).toThrow("2001:db8::/127 has no address number 2");
  });

  test("the seed's split: 1,024 /60 in a /50, 16 /64 in a /60", () => {
    const zone = prefix("2001:67c:2834:0:0:0:0:0/50");
    expect(formatPrefix(subnet(zone, 60, 0))).toBe("2001:67c:2834::/60");
    expect(formatPrefix(subnet(zone, 60, 1023))).toBe("2001:67c:2834:3ff0::/60");
    expect(() => subnet(zone, 60, 1024)).toThrow(RangeError);
    expect(formatPrefix(subnet(subnet(zone, 60, 1023), 64, 15))).toBe("2001:67c:2834:3fff::/64");
  });
});

describe("MAC addresses", () => {
  test.each(["02:00:00:00:AB:11", "02-00-00-00-ab-11", "0200.0000.ab11"])("%s", (text) => {
    const mac = must(parseMac(text));
    expect(formatMac(mac)).toBe("02:00:00:00:ab:11");
    // RFC 8415 §11.4: DUID-LL, Ethernet.
    expect(duidLinkLayer(mac)).toBe("00:03:00:01:02:00:00:00:ab:11");
  });

  test.each([
    ["00:00:00:00:00:00", "all zeros"],
    ["01:00:5e:00:00:01", "multicast"],
    ["ff:ff:ff:ff:ff:ff", "multicast"],
    ["02:00:00:00:00", "is not a MAC address"],
    ["02:00:00:00:00:11:12", "is not a MAC address"],
    ["02:00-00:00:00:11", "is not a MAC address"],
    ["02:00:00:00:00:1g", "is not a MAC address"],
    ["020000000011", "is not a MAC address"],
    ["02:00:00:00:00:11\n", "is not a MAC address"],
  ])("%j is refused", (text, why) => {
    expect(parseMac(text)).toContain(why);
  });
});
