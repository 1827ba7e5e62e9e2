// A rule of an access list: its arguments, why no packet could match it, its text for people and its line for nftables.

import { formatPrefix, parseAddress, parsePrefix } from "../addressing/prefix";
import { boolean, type Fail, integer, list, optional, quote, record, type Type, text, withDefault } from "../arguments";
import { prefix6 } from "../fields";
import { UNKNOWN } from "../unknown";
import { EVERYWHERE, outermost, type Places, placesOf, within } from "./places";

function oneOf<T extends string>(...words: T[]): Type<T> {
  const what = `one of ${words.map((it) => `"${it}"`).join(", ")}`;
  return text(what, (value) => ((words as string[]).includes(value) ? (value as T) : { not: `is not ${what}` }));
}

/** What nft takes between quotes, and the assembly on the router leaves alone. */
const comment = text("a description", (value) =>
  Buffer.byteLength(value) <= 127 && /^[^"\\\p{C}\p{Zl}\p{Zp}]+$/u.test(value) && !/mac-[0-9a-f]{12}/.test(value)
    ? value
    : { not: "is not a description: 1 to 127 bytes on one line, without quotes and backslashes" },
);

/** `443`, `"8000-8999"`, `"80,443"` → sorted ranges, as `80, 443, 8000-8999`. */
const ports: Type<string> = (value, path, fail) => {
  if (value === UNKNOWN) return UNKNOWN;
  const ranges: [number, number][] = [];
  for (const part of String(value).split(",")) {
    const [, first, last = first] = /^\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?$/.exec(part) ?? [];
    if (first === undefined || last === undefined) {
      fail(`${path}: ${quote(value)} is not a port, a range or a list of them, e.g. "443", "8000-8999" or "80,443"`);
      return "";
    }
    for (const port of [Number(first), Number(last)]) {
      if (port < 1 || port > 65535) fail(`${path}: ${quote(value)}: ${port} is not a port (1 to 65535)`);
    }
    if (Number(first) > Number(last)) fail(`${path}: ${quote(value)} is empty: ${first} comes after ${last}`);
    ranges.push([Number(first), Number(last)]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before && range[0] <= before[1]) before[1] = Math.max(before[1], range[1]);
    else merged.push(range);
  }
  return merged.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(", ");
};

/** An address or a prefix, as a prefix. */
export const place: Type<string> = (value, path, fail) => {
  if (typeof value !== "string" || value === UNKNOWN || value.includes("/")) return prefix6(value, path, fail);
  const address = parseAddress(value);
  return prefix6(typeof address === "string" ? value : `${value}/${address.family === 4 ? 32 : 128}`, path, fail);
};

const asIs: Type<string> = text("", (it) => it);

/** A tier, an instance or an address group, as the constructor sends it: `addresses` has an address or prefix on each line. */
export const party = record({
  kind: oneOf("tier", "instance", "network", "address"),
  name: asIs,
  addresses: optional(asIs),
});
export type Party = ReturnType<typeof party>;

export const ruleShape = record({
  direction: oneOf("ingress", "egress"),
  action: oneOf("allow", "deny"),
  protocol: oneOf("tcp", "udp", "icmpv6", "all"),
  icmpType: optional(integer(0, 255, "an ICMPv6 type")),
  icmpCode: optional(integer(0, 255, "an ICMPv6 code")),
  ports: optional(ports),
  cidrs: optional(list(prefix6)),
  sources: optional(list(party)),
  log: withDefault(boolean, false),
  description: optional(comment),
});
export type RuleArgs = ReturnType<typeof ruleShape>;

/** A rule that was checked. */
export interface Rule extends Omit<RuleArgs, "cidrs" | "sources"> {
  /** Where it stands in the arguments. */
  index: number;
  /** The prefixes of `cidrs`, tiers and instances; address groups are apart. Both absent: every address. */
  prefixes: string[] | undefined;
  groups: { name: string; entries: string[] }[];
  places: Places;
}

export function ruleOf(args: RuleArgs, index: number): Rule {
  const { cidrs, sources, ...rest } = args;
  const restricted = cidrs !== undefined || sources !== undefined;
  const single = (sources ?? []).filter(({ kind }) => kind !== "network").flatMap(prefixesOf);
  const groups = (sources ?? [])
    .filter(({ kind }) => kind === "network")
    .map((it) => ({ name: it.name, entries: prefixesOf(it) }));
  const prefixes = [...(cidrs ?? []), ...single];
  const all = [...prefixes, ...groups.flatMap(({ entries }) => entries)];
  return {
    ...rest,
    index,
    prefixes: restricted ? outermost(prefixes) : undefined,
    groups,
    places: restricted ? placesOf(all) : EVERYWHERE,
  };
}

/** The lines of a party as prefixes; they come from other resources' hooks, or were checked as a place. */
export function prefixesOf({ addresses = "" }: Party): string[] {
  return addresses
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const prefix = parsePrefix(line.includes("/") ? line : `${line}/128`);
      if (typeof prefix === "string") throw new Error(`vpc6 bug: ${prefix}`);
      return formatPrefix(prefix);
    });
}

const NEVER_FORWARDED = placesOf(["::/128", "::1/128", "fe80::/10", "ff00::/8"]);
const ERRORS = [1, 2, 3, 4];
const LINK = [130, 131, 132, 133, 134, 135, 136, 137, 143, 148, 149, 151, 152, 153];

/** Why a list is never asked about this ICMPv6 type, if so (RFC 4890 section 4.3). */
export function neverAsked(icmpType: number): string | undefined {
  if (ERRORS.includes(icmpType)) return "errors always pass (RFC 4890 section 4.3.1; path MTU discovery needs them)";
  if (LINK.includes(icmpType)) return "it is for one link only and never forwarded";
  if (icmpType === 129) return "an echo reply passes as the answer to a request that passed, and not otherwise";
  return undefined;
}

/** A rule that no packet can match is a mistake; `own` are the prefixes of the list's tiers. */
export function checkRule(args: RuleArgs, path: string, own: string[], fail: Fail): void {
  const { protocol, icmpType, icmpCode, cidrs, sources, direction } = args;
  if (args.ports !== undefined && protocol !== "tcp" && protocol !== "udp") {
    fail(`${path}.ports: "${args.ports}" with protocol ${protocol} matches no packet: only tcp and udp have ports`);
  }
  if (icmpType !== undefined && protocol !== "icmpv6") {
    fail(`${path}.icmpType: ${icmpType} with protocol ${protocol} matches no packet; it needs protocol "icmpv6"`);
  }
  if (icmpCode !== undefined && icmpType === undefined) {
    fail(`${path}.icmpCode: ${icmpCode} without icmpType; a code means something within a type only`);
  }
  const reason = icmpType === undefined ? undefined : neverAsked(icmpType);
  if (reason) fail(`${path}.icmpType: no packet of type ${icmpType} gets to a rule: ${reason}`);
  for (const [index, { kind, name, addresses }] of (sources ?? []).entries()) {
    if (addresses === undefined) fail(`${path}.sources[${index}]: ${kind} "${name}" has no IPv6 address`);
  }
  const end = direction === "ingress" ? "from" : "to";
  if (cidrs?.length === 0 && !sources?.length) {
    fail(`${path}.cidrs: an empty list matches no packet; leave it out to match every address`);
  } else if (sources?.length === 0 && !cidrs?.length) {
    fail(`${path}.sources: an empty list matches no packet; leave it out to match every address`);
  }
  for (const [index, cidr] of (cidrs ?? []).entries()) {
    const one = placesOf([cidr]);
    if (within(one, NEVER_FORWARDED)) {
      fail(`${path}.cidrs[${index}]: "${cidr}" matches no packet: nothing ${end} there is ever forwarded`);
    } else if (own.length === 1 && within(one, placesOf(own))) {
      fail(
        `${path}.cidrs[${index}]: "${cidr}" matches no packet: it is in the tier itself, within which nothing is filtered`,
      );
    }
  }
}

/** What it matches, as one text: two rules with the same cannot both be of use. */
export const matchOf = ({ direction, protocol, icmpType, icmpCode, ports, places }: Rule): string =>
  [direction, protocol, icmpType, icmpCode, ports, ...places.map(({ first, last }) => `${first}-${last}`)].join(" ");

/** For messages: `deny tcp 443 from 2001:db8::/32`. */
export function describe(rule: Rule): string {
  const { action, protocol, ports, icmpType, icmpCode, direction, prefixes, groups } = rule;
  const ends = [...(prefixes ?? []), ...groups.map(({ name }) => name)];
  const shown = ends.length > 3 ? [...ends.slice(0, 3), `${ends.length - 3} more`] : ends;
  const where = prefixes === undefined ? "everywhere" : shown.join(", ");
  const what = [
    protocol,
    ports,
    icmpType !== undefined && `type ${icmpType}`,
    icmpCode !== undefined && `code ${icmpCode}`,
  ];
  return `${action} ${what.filter(Boolean).join(" ")} ${direction === "ingress" ? "from" : "to"} ${where}`;
}

/** Its lines in the chain of `list`: one, and one more for each address group beside other addresses. */
export function linesOf(rule: Rule, list: string, sets: (name: string, entries: string[]) => string): string[] {
  const { protocol, ports, icmpType, icmpCode, prefixes, groups, action, log, description } = rule;
  const end = rule.direction === "ingress" ? "ip6 saddr" : "ip6 daddr";
  const what: string[] = [];
  if (ports !== undefined) what.push(`${protocol} dport ${ports.includes(",") ? `{ ${ports} }` : ports}`);
  // A keyword of nft's; other names it looks up in /etc/protocols, which a minimal Debian does not have.
  else if (protocol === "icmpv6" && icmpType === undefined) what.push("meta l4proto icmpv6");
  else if (protocol === "tcp" || protocol === "udp") what.push(`meta l4proto ${protocol}`);
  if (icmpType !== undefined) what.push(`icmpv6 type ${icmpType}`);
  if (icmpCode !== undefined) what.push(`icmpv6 code ${icmpCode}`);
  const wheres = groups.map(({ name, entries }) => `${end} @${sets(name, entries)}`);
  if (prefixes === undefined) wheres.push("");
  else if (prefixes.length > 0)
    wheres.push(`${end} ${prefixes.length > 1 ? `{ ${prefixes.map(short).join(", ")} }` : short(prefixes[0] ?? "")}`);
  const verdict = log ? `goto ${list}/log-${action}` : action === "allow" ? "return" : "drop";
  const note = description === undefined ? "" : `comment "${description}"`;
  return wheres.map((where) => [...what, where, verdict, note].filter((word) => word !== "").join(" "));
}

const short = (prefix: string): string => prefix.replace(/\/128$/, "");
