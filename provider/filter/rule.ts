// A rule of an access list: its arguments, why no packet could match it, its text for people and its line for nftables.

import { bitsOf, type Family, formatPrefix, parsePrefix } from "../addressing/prefix";
import {
  boolean,
  type Fail,
  integer,
  list,
  oneOf,
  optional,
  quote,
  ranges,
  record,
  type Type,
  text,
  withDefault,
} from "../arguments";
import { filterName, HOLDS_TOKEN, label, place, prefixOf } from "../fields";
import { hasUnknown } from "../unknown";
import { EVERYWHERE, FAMILIES, outermost, type Places, placesOf, within } from "./places";
import {
  familiesOfProtocol,
  formatProtocol,
  hasPorts,
  isExtensionHeader,
  isIcmp,
  matchOfProtocol,
  protocolOrAll,
} from "./protocol";

/** What nft takes between quotes, and the assembly on the router leaves alone. */
const comment = text("a description", (value) =>
  Buffer.byteLength(value) <= 127 &&
  /^[^"\\\p{C}\p{Zl}\p{Zp}]+$/u.test(value) &&
  !/<\{%/.test(value) &&
  !HOLDS_TOKEN.test(value)
    ? value
    : {
        not: "is not a description: 1 to 127 bytes on one line, without quotes, backslashes, <{ %, and a placeholder of vpc6's such as {{password:0000}}",
      },
);

const ports = ranges("a port", 1, 65535, '"443", "8000-8999" or "80,443"');

/** A tier, an instance, a secondary address or an address group, as the constructor sends it: `addresses` has an address or prefix on each line. */
const anyParty = record({
  kind: oneOf("tier", "instance", "secondary address", "network", "address"),
  name: label,
  addresses: optional(text("addresses", (it) => it)),
});
export type Party = ReturnType<typeof anyParty>;

/** What a user wrote himself is checked where it is used; what other resources hand on, here. */
export const party: Type<Party> = (value, path, fail) => {
  const given = anyParty(value, path, fail);
  // An empty group's name is in the list too.
  if (given.kind === "network") filterName("an address group")(given.name, `${path}.name`, fail);
  if (given.kind === "address" || !given.addresses || hasUnknown(given)) return given;
  for (const line of given.addresses.split("\n").filter((it) => it !== ""))
    place("any")(line, `${path}.addresses`, fail);
  return given;
};

export const ruleShape = record({
  direction: oneOf("ingress", "egress"),
  action: oneOf("allow", "deny"),
  protocol: protocolOrAll,
  icmpType: optional(integer(0, 255, "an ICMP type")),
  icmpCode: optional(integer(0, 255, "an ICMP code")),
  ports: optional(ports),
  cidrs: optional(list(place("packets"))),
  sources: optional(list(party)),
  log: withDefault(boolean, false),
  description: optional(comment),
});
export type RuleArgs = ReturnType<typeof ruleShape>;

const familyOf = (prefix: string): Family => (prefix.includes(":") ? 6 : 4);

/** The tiers a list governs: their networks, one array for each, and which families they have between them. */
export interface Own {
  tiers: string[][];
  families: readonly Family[];
}
export const ownOf = (tiers: string[][]): Own => ({
  tiers,
  families: FAMILIES.filter((family) => tiers.flat().some((it) => familyOf(it) === family)),
});

/** A rule that was checked. */
export interface Rule extends Omit<RuleArgs, "cidrs" | "sources"> {
  /** Where it stands in the arguments. */
  index: number;
  /** The prefixes of `cidrs`, tiers and instances, of either family; address groups are apart. Both absent: every address. */
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
      const prefix = parsePrefix(line.includes("/") ? line : `${line}/${bitsOf(familyOf(line))}`);
      if (typeof prefix === "string") throw new Error(`vpc6 bug: ${prefix}`);
      return formatPrefix(prefix);
    });
}

const TYPES = {
  icmpv6: {
    errors: [1, 2, 3, 4],
    link: [130, 131, 132, 133, 134, 135, 136, 137, 143, 148, 149, 151, 152, 153],
    reply: 129,
    source: "RFC 4890 section 4.3.1; path MTU discovery needs them",
  },
  // Redirects (5) and router discovery (9, 10; RFC 1256) are of one link.
  icmp: { errors: [3, 11, 12], link: [5, 9, 10], reply: 0, source: "path MTU discovery needs them" },
};

/** Why a list is never asked about this ICMP type, if so. */
export function neverAsked(protocol: "icmpv6" | "icmp", icmpType: number): string | undefined {
  const { errors, link, reply, source } = TYPES[protocol];
  if (errors.includes(icmpType))
    return `an error passes if it is about a connection that passed, and not otherwise (${source})`;
  if (link.includes(icmpType)) return "it is for one link only and never forwarded";
  if (icmpType === reply) return "an echo reply passes as the answer to a request that passed, and not otherwise";
  return undefined;
}

/** A rule that no packet can match is a mistake. */
export function checkRule(args: RuleArgs, path: string, own: Own, fail: Fail): void {
  const { protocol, icmpType, icmpCode, cidrs, sources } = args;
  if (args.ports !== undefined && !hasPorts(protocol)) {
    fail(
      `${path}.ports: "${args.ports}" with protocol ${protocol} matches no packet: only tcp, udp and sctp have ports`,
    );
  }
  if (icmpType !== undefined && !isIcmp(protocol)) {
    fail(
      `${path}.icmpType: ${icmpType} with protocol ${protocol} matches no packet; it needs protocol "icmpv6" or "icmp"`,
    );
  }
  const families = own.families.filter((it) => familiesOfProtocol(protocol).includes(it));
  if (families.length === 0) {
    const why = isExtensionHeader(protocol)
      ? "in IPv6 it is an extension header (RFC 8200 section 4), and no tier of this list has IPv4"
      : `it is of ${protocol === "icmp" ? "IPv4" : "IPv6"}, and no tier of this list has that`;
    fail(`${path}.protocol: ${quote(protocol)} matches no packet: ${why}`);
    return;
  }
  const family = families.length === FAMILIES.length ? "" : `IPv${families[0]} `;
  if (icmpCode !== undefined && icmpType === undefined) {
    fail(`${path}.icmpCode: ${icmpCode} without icmpType; a code means something within a type only`);
  }
  const reason = icmpType === undefined || !isIcmp(protocol) ? undefined : neverAsked(protocol, icmpType);
  if (reason) fail(`${path}.icmpType: no packet of type ${icmpType} gets to a rule: ${reason}`);
  for (const [index, source] of (sources ?? []).entries()) {
    const { kind, name } = source;
    const some = prefixesOf(source).some((it) => families.includes(familyOf(it)));
    // A group may be empty, or for other lists too.
    if (!some && kind !== "network") fail(`${path}.sources[${index}]: ${kind} "${name}" has no ${family}address`);
  }
  if (cidrs?.length === 0 && !sources?.length) {
    fail(`${path}.cidrs: an empty list matches no packet; leave it out to match every address`);
  } else if (sources?.length === 0 && !cidrs?.length) {
    fail(`${path}.sources: an empty list matches no packet; leave it out to match every address`);
  }
  for (const [index, cidr] of (cidrs ?? []).entries()) {
    const one = placesOf([cidr]);
    const version = prefixOf(cidr).family;
    if (!families.includes(version)) {
      const why = own.families.includes(version) ? `protocol ${protocol} is not` : "no tier of this list has that";
      fail(`${path}.cidrs[${index}]: "${cidr}" matches no packet: it is IPv${version}, and ${why}`);
    } else if (own.tiers.length === 1 && within(one, placesOf(own.tiers.flat()))) {
      fail(
        `${path}.cidrs[${index}]: "${cidr}" matches no packet: it is in the tier itself, within which nothing is filtered`,
      );
    }
  }
}

/** What it matches, as one text: two rules with the same cannot both be of use. */
export const matchOf = ({ direction, protocol, icmpType, icmpCode, ports, places }: Rule): string =>
  [direction, protocol, icmpType, icmpCode, ports, ...places.map((it) => `${it.family} ${it.first}-${it.last}`)].join(
    " ",
  );

/** For messages: `deny tcp 443 from 2001:db8::/32`. */
export function describe(rule: Rule): string {
  const { action, protocol, ports, icmpType, icmpCode, direction, prefixes, groups } = rule;
  const ends = [...(prefixes ?? []), ...groups.map(({ name }) => name)];
  const shown = ends.length > 3 ? [...ends.slice(0, 3), `${ends.length - 3} more`] : ends;
  const where = prefixes === undefined ? "everywhere" : shown.join(", ");
  const what = [
    formatProtocol(protocol),
    ports,
    icmpType !== undefined && `type ${icmpType}`,
    icmpCode !== undefined && `code ${icmpCode}`,
  ];
  return `${action} ${what.filter(Boolean).join(" ")} ${direction === "ingress" ? "from" : "to"} ${where}`;
}

/** The name of the set for the entries of a group that are of one family. */
type Sets = (group: string, family: Family, entries: string[]) => string;

/** Its lines in the chain of `list`: one, and one more for each address group beside other addresses and for each further family. */
export function linesOf(rule: Rule, list: string, own: Own, sets: Sets): string[] {
  const { action, log, description } = rule;
  const verdict = log ? `goto ${list}/log-${action}` : action === "allow" ? "return" : "drop";
  const note = description === undefined ? "" : `comment "${description}"`;
  return wheresOf(rule, own, sets).map((where) =>
    [...whatOf(rule), where, verdict, note].filter((word) => word !== "").join(" "),
  );
}

function whatOf({ protocol, ports, icmpType, icmpCode }: Rule): string[] {
  const what: string[] = [];
  if (ports !== undefined) what.push(`${protocol} dport ${ports.includes(",") ? `{ ${ports} }` : ports}`);
  else if (protocol !== "all" && icmpType === undefined) what.push(matchOfProtocol(protocol));
  if (icmpType !== undefined) what.push(`${protocol} type ${icmpType}`);
  if (icmpCode !== undefined) what.push(`${protocol} code ${icmpCode}`);
  return what;
}

/** What is of no family of the list's tiers, or not of the protocol's, is left out. */
function wheresOf({ prefixes, groups, direction, protocol }: Rule, own: Own, sets: Sets): string[] {
  if (prefixes === undefined) return [""];
  const end = direction === "ingress" ? "saddr" : "daddr";
  const families = own.families.filter((it) => familiesOfProtocol(protocol).includes(it));
  const wheres: string[] = [];
  for (const { name, entries } of groups) {
    for (const family of families) {
      const some = entries.filter((it) => familyOf(it) === family);
      // An empty group is there all the same, so that it can be filled.
      if (some.length === 0 && (family !== families[0] || entries.length > 0)) continue;
      wheres.push(`${WORD[family]} ${end} @${sets(name, family, some)}`);
    }
  }
  for (const family of families) {
    const some = prefixes.filter((it) => familyOf(it) === family).map(short);
    if (some.length === 0) continue;
    wheres.push(`${WORD[family]} ${end} ${some.length > 1 ? `{ ${some.join(", ")} }` : some[0]}`);
  }
  return wheres;
}

const WORD: Record<Family, string> = { 6: "ip6", 4: "ip" };
const short = (prefix: string): string => prefix.replace(/\/128$|(?<=\..*)\/32$/, "");
