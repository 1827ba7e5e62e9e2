// The protocols of rules: by name or by number, and what they mean beyond that.

import type { Family } from "../addressing/prefix";
import { quote, type Type, type } from "../arguments";
import { FAMILIES } from "./places";

/** IANA's numbers of those that have a name here. */
const NUMBERS = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, ah: 51, icmpv6: 58, sctp: 132 } as const;
type Name = keyof typeof NUMBERS;
/** A number only where there is no name. */
export type Protocol = Name | number;

const names = new Map<number, Name>(Object.entries(NUMBERS).map(([name, number]) => [number, name as Name]));

const taking = <T extends string>(...words: T[]): Type<T | number> =>
  type(
    `one of ${words.map(quote).join(", ")} or a protocol's number (0 to 255)`,
    (value) => {
      if (typeof value === "string") return words.find((it) => it === value);
      if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > 255) return undefined;
      return (names.get(Number(value)) as T | undefined) ?? Number(value);
    },
    (value) =>
      typeof value === "string" && /^\d+$/.test(value) ? "; it is a text: write the number, without quotes" : "",
  );

const NAMES: Name[] = ["tcp", "udp", "sctp", "icmpv6", "icmp", "esp", "ah", "gre"];
export const protocol: Type<Protocol> = taking(...NAMES);
export const protocolOrAll: Type<Protocol | "all"> = taking(...NAMES, "all");

export const ECHO_REQUEST = { icmpv6: 128, icmp: 8 };

/** ICMPv6 or the ICMP of IPv4. */
export const isIcmp = (protocol: Protocol | "all"): protocol is "icmpv6" | "icmp" =>
  protocol === "icmpv6" || protocol === "icmp";

export const hasPorts = (protocol: Protocol | "all"): protocol is "tcp" | "udp" | "sctp" =>
  protocol === "tcp" || protocol === "udp" || protocol === "sctp";

/**
 * In IPv6 what the kernel looks behind (hop-by-hop options, routing, fragment, destination options), or takes for invalid (no next header).
 * RFC 8200 section 4; in IPv4 they are protocols as others are. AH, an extension header too, is where it stops.
 */
const EXTENSION_HEADERS: readonly unknown[] = [0, 43, 44, 59, 60];
export const isExtensionHeader = (protocol: Protocol | "all"): boolean => EXTENSION_HEADERS.includes(protocol);

export function familiesOfProtocol(protocol: Protocol | "all"): readonly Family[] {
  if (protocol === "icmpv6") return [6];
  return protocol === "icmp" || isExtensionHeader(protocol) ? [4] : FAMILIES;
}

/** What nft is told. What is no keyword of its own it looks up in /etc/protocols, which a minimal Debian does not have. */
export function matchOfProtocol(protocol: Protocol): string {
  const word = protocol === "gre" ? NUMBERS.gre : protocol;
  return familiesOfProtocol(protocol).includes(6) ? `meta l4proto ${word}` : `ip protocol ${word}`;
}

/** For messages. */
export const formatProtocol = (protocol: Protocol | "all"): string =>
  typeof protocol === "number" ? `protocol ${protocol}` : protocol;
