// The types of arguments that networks have: prefixes, addresses, names of interfaces and hosts, keys. Each returns the
// canonical text (RFC 5952, lower case), so that another spelling of the same thing is no change.

import { formatMac, parseMac } from "./addressing/mac";
import {
  type Address,
  type AddressRange,
  bitsOf,
  type Family,
  formatAddress,
  formatPrefix,
  formatRange,
  type Prefix,
  parseAddress,
  parsePrefix,
  parseRange,
} from "./addressing/prefix";
import { type Use, unfit } from "./addressing/use";
import {
  integer,
  list,
  matching,
  numeric,
  printable,
  quote,
  record,
  type Type,
  text,
  withDefault,
  worded,
} from "./arguments";
import { DATA_SERVER, MAC_TOKENS, NAME, PLACEHOLDERS } from "./contract";
import { HOST_KEY_FORMS, parseHostKey } from "./router/hostkey";
import { hasUnknown, UNKNOWN } from "./unknown";

/** A text, or in its place what the program found wrong with it: a share that was not exported, a MAC address that another has. */
export function orRefused(of: Type<string>): Type<string> {
  return worded(of.what, (value, path, fail) => {
    const refused = (value as { refused?: unknown } | undefined | null)?.refused;
    if (typeof refused !== "string") return of(value, path, fail);
    fail(`${path}: ${printable(refused)}`);
    return "";
  });
}

/** From a parser that answers a string with the reason when the text is not right. */
function parsed<T>(
  what: string,
  parse: (value: string) => T | string,
  format: (value: T) => string,
  not: (value: T) => string | undefined = () => undefined,
): Type<string> {
  const wrong = text<string>(what, (it) => it);
  return worded(what, (value, path, fail) => {
    if (value === UNKNOWN) return UNKNOWN;
    if (typeof value !== "string") return wrong(value, path, fail);
    const result = parse(value);
    if (typeof result === "string") {
      fail(`${path}: ${result}`);
      return value;
    }
    const reason = not(result);
    if (reason !== undefined) fail(`${path}: ${quote(value)} ${reason}`);
    return format(result);
  });
}

/** Addresses and prefixes, of either family or of one only; each says what it is for. */
const placeFor =
  <T extends Address | Prefix | AddressRange>(
    what: string,
    parse: (value: string, only?: Family) => T | string,
    format: (value: T) => string,
    only?: Family,
  ) =>
  (use: Use): Type<string> =>
    parsed(
      what,
      (it) => parse(it, only),
      format,
      (it) => unfit(it, use),
    );

export const prefix4 = placeFor("an IPv4 prefix, e.g. 10.1.1.0/24", parsePrefix, formatPrefix, 4);
export const address4 = placeFor("an IPv4 address", parseAddress, formatAddress, 4);
export const prefix6 = placeFor("an IPv6 prefix, e.g. 2001:db8::/50", parsePrefix, formatPrefix, 6);
export const address6 = placeFor("an IPv6 address", parseAddress, formatAddress, 6);
export const address = placeFor("an IPv6 or IPv4 address", parseAddress, formatAddress);
export const range6 = placeFor("a range of IPv6 addresses, first-last", parseRange, formatRange, 6);

/** In lists an address stands for the prefix that holds nothing else. */
export const parsePlace = (value: string, only?: Family): Prefix | string => {
  const it = value.includes("/") ? "" : parseAddress(value, only);
  return typeof it === "string"
    ? parsePrefix(value, only)
    : { family: it.family, base: it.value, length: bitsOf(it.family) };
};
export const place = placeFor("an IP address or prefix, e.g. 2001:db8::/50 or 10.1.1.0/24", parsePlace, formatPrefix);
export const place6 = placeFor("an IPv6 address or prefix, e.g. 2001:db8::/50", parsePlace, formatPrefix, 6);

/** As dnsmasq is told them. */
export const bracketed = (addresses: readonly string[]): string => addresses.map((it) => `[${it}]`).join(",");

/** dnsmasq 2.90 reads a line of 1,024 characters (MAXDNAME), and what follows as another line. In it is the name of an interface too. */
const NTP_LINE = 1024 - "dhcp-option=tag:,option6:sntp-server,".length - 15;
export const ntpServers: Type<string[]> = worded(list(address6("server")).what, (value, path, fail) => {
  const servers = list(address6("server"))(value, path, fail);
  if (!hasUnknown(servers) && Array.isArray(servers) && bracketed(servers).length > NTP_LINE)
    fail(`${path}: ${servers.length} servers are more than dnsmasq reads in one line; 23 have room, however long`);
  return servers;
});

export const mac = parsed("a MAC address, e.g. 02:00:00:00:00:11", parseMac, formatMac);

/** DUID as in RFC 8415 §11: 2 octets of type and up to 128 more. */
const DUID = "a DUID: 3 to 130 octets in hexadecimal with colons, e.g. 00:03:00:01:02:00:00:00:00:11";
export const duid = text(DUID, (value) =>
  /^[0-9a-f]{2}(:[0-9a-f]{2}){2,129}$/i.test(value) ? value.toLowerCase() : { not: `is not ${DUID}` },
);

/** A word that the assembly on the router would take for an interface given by MAC, or for a secret (program/assemble.sh); before a pattern: none is in it. */
export const HOLDS_TOKEN = new RegExp(`${MAC_TOKENS}|${PLACEHOLDERS}`);
export const NO_TOKEN = `(?!.*(?:${MAC_TOKENS}|${PLACEHOLDERS}))`;
/** Of texts that become lower case. */
const HOLDS_ANY_TOKEN = new RegExp(MAC_TOKENS, "i");

const LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";

/** One DNS label (RFC 1123 §2.1), lower case. */
const HOSTNAME = "a host name: letters, digits and inner hyphens, at most 63";
export const hostname = text(HOSTNAME, (value) => {
  if (!new RegExp(`^${LABEL}$`, "i").test(value) || HOLDS_ANY_TOKEN.test(value)) return { not: `is not ${HOSTNAME}` };
  return value.toLowerCase() === DATA_SERVER
    ? { not: "is the name of the gateway, which guests ask for their password" }
    : value.toLowerCase();
});

/** What a name in a ledger becomes as a DNS label. */
export const dnsLabel = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/-$/, "");

/** A domain that a parent has made of a claim and its own. */
export const parentDomain = matching("a DNS domain", new RegExp(`^(?!.{254})${NO_TOKEN}${LABEL}(\\.${LABEL})*$`));

/** A DNS domain of at most 180 characters, so that names in it stay below the 255 of RFC 1035 §2.3.4. */
const DOMAIN =
  "a DNS domain: labels of letters, digits and inner hyphens, the last not of digits alone, with dots between, at most 180 characters";
export const domain = text(DOMAIN, (value) =>
  value.length <= 180 &&
  !HOLDS_ANY_TOKEN.test(value) &&
  // A name in it would be taken for an IPv4 address (RFC 1123 section 2.1).
  new RegExp(`^(?!(.*\\.)?[0-9]+\\.?$)${LABEL}(\\.${LABEL})*\\.?$`, "i").test(value)
    ? value.toLowerCase().replace(/\.$/, "")
    : { not: `is not ${DOMAIN}` },
);

/**
 * What Linux takes for a name (IFNAMSIZ 16 with the end mark) and no configuration file reads as anything else. dnsmasq has tags of its
 * own, beside those that we name after interfaces.
 */
const INTERFACE =
  /^(?!\.{1,2}$)(?!(?:lo|known|known-othernet|bootp|dhcpv6|cpewan-id)$)[A-Za-z0-9_][A-Za-z0-9._-]{0,14}$/;
export const interfaceName = matching(
  "the name of a network interface: 1 to 15 letters, digits, dots, hyphens or underscores, and no word of dnsmasq's",
  INTERFACE,
);

/** A name in a ledger. */
export const claim = matching(
  'a name for the ledger: a letter or digit, then up to 62 letters, digits, dots, hyphens or underscores, no `mac-` with 12 hexadecimal digits; set `claim: "…"`',
  new RegExp(`^${NO_TOKEN}${NAME}$`),
);

export const port = integer(1, 65535, "a port");

/** Of a link: what IPv6 asks of each, to what network cards have in common. */
const [MTU_LEAST, MTU_MOST] = [1280, 9216];
export const mtu = numeric(
  `a whole number, the MTU of a link (${MTU_LEAST} to ${MTU_MOST}; IPv6 asks ${MTU_LEAST} of each, RFC 8200 section 5)`,
  (it) => Number.isInteger(it) && it >= MTU_LEAST && it <= MTU_MOST,
);

/** Private use: RFC 6996 §5. */
export const PRIVATE_ASNS = "64512 to 65534 or 4200000000 to 4294967294 (RFC 6996)";
export const isPrivateAsn = (asn: number): boolean =>
  Number.isInteger(asn) && ((asn >= 64512 && asn <= 65534) || (asn >= 4200000000 && asn <= 4294967294));
export const privateAsn = numeric(`a private AS number: ${PRIVATE_ASNS}`, isPrivateAsn);

/** As a ledger writes it. */
export const asnText = matching("an AS number", /^[1-9][0-9]{0,9}$/);

/** A host to dial: a name or an address; nothing that a resolver, a log or a command line could read otherwise. */
const HOST = "a host name or address";
export const host = text(HOST, (value) => {
  if (!/^[A-Za-z0-9]([A-Za-z0-9.:_-]{0,252}[A-Za-z0-9])?$|^[0-9a-f:]+$/i.test(value)) return { not: `is not ${HOST}` };
  const it = parseAddress(value);
  const not = typeof it === "string" ? undefined : unfit(it, "direct");
  return not === undefined ? value : { not };
});
export const user = matching("a login name", /^[a-z_][a-z0-9_.-]{0,31}$/i);
export const hostKey = text(HOST_KEY_FORMS, (value) => {
  const key = parseHostKey(value);
  return "not" in key ? key : key.text;
});

/** One SSH server: the way to a router, or to the bastion before it. */
export const hop = {
  host,
  port: withDefault(port, 22),
  user: withDefault(user, "root"),
  hostKey,
};
export const proxy = record(hop);

/** The way to a router (way.ts), as its Router hands it to the others. */
export const way = orRefused(
  matching(
    "the way to a router",
    new RegExp(`^(?!\\S*${MAC_TOKENS})${NAME} [!-~]+@[!-~]+ [!-~]+( via [!-~]+@[!-~]+ [!-~]+)?$`),
  ),
);

/** A parent's answer to a claim (resources/grant.ts). */
export type Grant =
  /** `refused`: why it is not another one that was asked for. */
  { value: string; refused?: string } | { refused: string /** There is no parent to ask. */; absent?: true };
export const grant: Type<Grant> = (value, path, fail) => {
  if (value === UNKNOWN) return UNKNOWN as unknown as Grant;
  const given = (typeof value === "object" ? value : undefined) as Partial<
    Record<"value" | "refused" | "absent", unknown>
  > | null;
  const refused = typeof given?.refused === "string" ? printable(given.refused.slice(0, 500)) : undefined;
  if (typeof given?.value === "string") return { value: given.value, ...(refused !== undefined && { refused }) };
  if (refused !== undefined) return { refused, ...(given?.absent === true && { absent: true }) };
  fail(`${path}: ${value === undefined ? "missing; it" : `${quote(value)}; it`} must be what a ledger answers`);
  return { refused: "" };
};

/** Names that become part of nftables' own: its identifiers have the same characters. */
export const filterName = (what: string) =>
  matching(
    `a name for ${what}: a letter or digit, then up to 62 letters, digits, dots, hyphens or underscores`,
    new RegExp(`^${NO_TOKEN}${NAME}$`),
  );

/** What others are called in messages. */
export const label: Type<string> = text("a name", (it) => printable(it.slice(0, 200)));

/** The interface of a tier, as the tier says it: a name, or a token for one that was given by MAC. */
export const device = matching("an interface of the router", new RegExp(`${INTERFACE.source}|^${MAC_TOKENS}$`));

/** Texts that were checked are parsed without asking again. */
export function prefixOf(textOfPrefix: string): Prefix {
  const result = parsePrefix(textOfPrefix);
  if (typeof result === "string") throw new Error(`vpc6 bug: ${result}`);
  return result;
}

export function addressOf(textOfAddress: string): Address {
  const result = parseAddress(textOfAddress);
  if (typeof result === "string") throw new Error(`vpc6 bug: ${result}`);
  return result;
}

/** Said where a value is outside a prefix that a ledger gave out, and so may lie elsewhere than was thought. */
export const orderOfNames = (whose: "Tier" | "Vpc"): string =>
  `: a ${whose} gets its prefix in the order of names, not of the program; give \`cidr\` to each ${whose} where addresses in it are written down`;

export const lengthOf = (prefix: string): number => prefixOf(prefix).length;

export function rangeOf(textOfRange: string): AddressRange {
  const result = parseRange(textOfRange);
  if (typeof result === "string") throw new Error(`vpc6 bug: ${result}`);
  return result;
}
