// Nat64: a /96 under which a VPC's guests see the IPv4 internet; on the router a translator (Tayga) with a device of its own, its place
// in the firewall, and DNS64 (BIND) for the guests' queries.

import { createHash } from "node:crypto";
import { DEFAULT_POOL } from "../addressing/ipv4";
import {
  contains,
  formatAddress,
  formatPrefix,
  nth,
  overlaps,
  parseAddress,
  parsePrefix,
  subnet,
} from "../addressing/prefix";
import { unfit } from "../addressing/use";
import {
  boolean,
  type Fail,
  list,
  optional,
  orPlain,
  record,
  type Type,
  text,
  withDefault,
  worded,
} from "../arguments";
import { share } from "../claims";
import { idOf, NAT64_DEVICE } from "../contract";
import { claim, grant, label, orderOfNames, parsePlace, place6, prefix6, prefixOf, way } from "../fields";
import { placesOf, within, withoutNested } from "../filter/places";
import { firstName, type Inputs, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import {
  all,
  type Effect,
  forwarding,
  listOf,
  says,
  stopsForwarding,
  TRANSLATOR,
  textChanges,
  words,
} from "../traffic";
import { derive, hasUnknown, UNKNOWN } from "../unknown";

const WELL_KNOWN = "64:ff9b::/96";
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/** An IPv4 prefix, of which there is one spelling; BIND's `!` may stand in front of it. */
const MAPPED = 'an IPv4 prefix, e.g. 10.0.0.0/8, or one to leave out, e.g. "!10.0.0.0/8"';
const mappedPrefix = text(MAPPED, (value) => {
  const [, not = "", it = ""] = /^(!?)(.*)$/s.exec(value) ?? [];
  const prefix = parsePlace(it, 4);
  return typeof prefix === "string" ? { not: `is not ${MAPPED}` } : `${not}${formatPrefix(prefix)}`;
});

const POOL = `a private IPv4 prefix, /8 to /29, inside ${PRIVATE.join(", ")} (RFC 1918, RFC 6598)`;
const pool = text(POOL, (value) => {
  const prefix = parsePrefix(value, 4);
  if (typeof prefix === "string") return { not: `is not ${POOL}` };
  if (!PRIVATE.some((it) => contains(prefixOf(it), prefix))) {
    return { not: `is not ${POOL}: guests would no longer reach who has it` };
  }
  return prefix.length >= 8 && prefix.length <= 29 ? value : { not: `is not ${POOL}` };
});

/** RFC 6052 §2.2: bits 64 to 71 are zero. */
const TRANSLATION = "an IPv6 /96, e.g. 64:ff9b::/96";
const translation = text(TRANSLATION, (value) => {
  const prefix = parsePrefix(value);
  if (typeof prefix === "string" || prefix.family === 4 || prefix.length !== 96)
    return { not: `is not ${TRANSLATION}` };
  if (((prefix.base >> 56n) & 0xffn) !== 0n)
    return { not: "has bits 64 to 71 set, which must be zero (RFC 6052 §2.2)" };
  const not = unfit(prefix, "translation");
  return not === undefined ? formatPrefix(prefix) : { not };
});

const SUFFIX = '"::", as there is no room behind the IPv4 address in a /96';
const suffix = text(SUFFIX, (value) => {
  const it = parseAddress(value, 6);
  return typeof it !== "string" && it.value === 0n ? "::" : { not: `is not ${SUFFIX}` };
});

const options = record({
  clients: optional(list(place6("packets"))),
  mapped: optional(list(mappedPrefix)),
  exclude: optional(list(place6Mapped())),
  recursiveOnly: withDefault(boolean, true),
  suffix: withDefault(suffix, "::"),
});

const own = {
  claim,
  prefix: optional(translation),
  ipv4Pool: withDefault(pool, DEFAULT_POOL),
  dns64: orPlain<Options, object | undefined>(options, [true, {}], [false, undefined]),
};

const shape = record(own, {
  takes: ["vpc"],
  adds: {
    grant: optional(grant),
    vpc: record({ cidr: optional(prefix6("network")), superCidr: optional(prefix6("network")) }),
    ipv4Others: withDefault(list(record({ name: label, cidr: label })), []),
    router: way,
  },
});
type Args = ReturnType<typeof shape>;

/** What stands in the state, as far as `traffic` needs it. */
export interface Nat64Inputs extends Inputs {
  prefix?: string | undefined;
  ipv4Pool?: string;
  /** For whom DNS64 answers; absent: there is none. */
  dns64?: { clients: string[] };
}

export const nat64: Kind<Args, Nat64Inputs> = {
  type: "Nat64",
  // 1: without `cidr` and `dns64`.
  schema: 2,
  shape,
  unkept: ["dns64"],
  plan(args, old, fail) {
    const { claim, router, ipv4Pool, dns64, vpc } = args;
    const names = namesOf(claim, old);
    const common = { ...names, ipv4Pool, router };
    const { cidr } = vpc;
    if (cidr === undefined) {
      fail("vpc: it has ipv6: false, and NAT64 is for IPv6 guests");
      return common;
    }
    for (const other of hasUnknown(ipv4Pool) || (args.ipv4Others as unknown) === UNKNOWN ? [] : args.ipv4Others) {
      const theirs = hasUnknown(other) ? "unknown" : parsePrefix(other.cidr);
      if (typeof theirs !== "string" && overlaps(prefixOf(ipv4Pool), theirs)) {
        fail(`ipv4Pool: "${ipv4Pool}" overlaps ${other.cidr} of ${other.name}, on the same router`);
      }
    }
    const prefix = prefixOfOurs({ ...args, claim, cidr }, old, fail);
    if (prefix === undefined) return common;
    const clients = dns64 && clientsOf(dns64.clients, cidr, fail);
    const device = derive([prefix], (it) => `${NAT64_DEVICE}${shortHash(`${firstName(names)} ${it}`)}`);
    const fragments = render("nat64", {
      device,
      prefix,
      cidr,
      pool: ipv4Pool,
      ipv4: derive([ipv4Pool], (it) => formatAddress(nth(prefixOf(it), 1))),
      ipv6: prefix === WELL_KNOWN ? derive([cidr], translatorAddress) : undefined,
      dns64: dns64 !== undefined,
      clients: clients && derive([clients] as const, (it) => it.join(", ")),
      statements: dns64 && clients && statements(dns64, clients),
    });
    return { ...common, cidr, prefix, device, ...(dns64 && clients && { dns64: { ...dns64, clients } }), fragments };
  },
  identify: (inputs) => idOf.placed(firstName(inputs), String(inputs.prefix)),
  describe: (inputs) => `"${firstName(inputs)}"`,
  traffic: {
    gone: says(
      "ends",
      "is gone: guests of its VPC reach no IPv4 address any more, and open connections through it end",
    ),
    holds: () => [forwarding(4), TRANSLATOR],
    disturbs: (before, after, others) =>
      all(
        ...(before && after ? [translator(before, after), questions(before, after)] : []),
        stopsForwarding(4, before !== undefined, after !== undefined, others),
      ),
  },
  shown: {
    claims: { nat64: { word: "NAT64 prefix of", told: "space" } },
    node: { where: "vpc", look: "tier", title: "Nat64", lines: ({ prefix }) => [prefix] },
  },
};

/** A translator is started again for itself, and its device stays. */
function translator(before: Nat64Inputs, after: Nat64Inputs): Effect | false {
  if (!textChanges("tayga", before, after)) return false;
  return before.prefix !== after.prefix || before.ipv4Pool !== after.ipv4Pool
    ? says("ends", "translates to another prefix or pool: connections through NAT64 end")
    : says("pauses", "the NAT64 translator is started again: connections through it pause for a moment");
}

/** Whose questions go to DNS64, which reads its configuration again while it runs. */
function questions({ dns64: before }: Nat64Inputs, { dns64: after }: Nat64Inputs): Effect | false {
  if (!before) return false;
  if (!after) {
    return says("closes", "answers names that have IPv4 addresses only no longer (DNS64); open connections go on");
  }
  const left = placesOf(listOf(after.clients));
  const out = listOf(before.clients).filter((it) => !within(placesOf([it]), left));
  return (
    out.length > 0 &&
    says(
      "closes",
      words`answers ${out.join(", ")} without DNS64: names that have IPv4 addresses only are not found from there`,
    )
  );
}

/** From the VPC's ledger, or from elsewhere: then it is nobody's network in the zone. */
function prefixOfOurs(
  { prefix, grant, claim, vpc, cidr }: Args & { cidr: string },
  old: Parameters<typeof namesOf>[1],
  fail: Fail,
): string | undefined {
  if (prefix !== undefined && !hasUnknown(cidr) && !contains(prefixOf(cidr), prefixOf(prefix))) {
    const { superCidr } = vpc;
    if (superCidr !== undefined && !hasUnknown(superCidr) && overlaps(prefixOf(superCidr), prefixOf(prefix))) {
      fail(`prefix: "${prefix}" is in the zone's ${superCidr}, but not in this VPC's ${cidr}`);
      return undefined;
    }
    return prefix;
  }
  return grant && share({ claim, old, grant, property: "prefix", explicit: prefix }, fail);
}

function clientsOf(clients: string[] | undefined, cidr: string, fail: Fail): string[] {
  if (clients === undefined) return [cidr];
  if (hasUnknown([clients, cidr])) return clients;
  if (clients.length === 0)
    fail("dns64.clients: [] would be nobody; set dns64: false, or leave it out for the whole VPC");
  for (const [index, it] of clients.entries()) {
    if (!contains(prefixOf(cidr), prefixOf(it))) {
      fail(`dns64.clients[${index}]: "${it}" is not inside the VPC's ${cidr}${orderOfNames("Vpc")}`);
    }
  }
  // A set with overlapping prefixes is an error to nftables: what is inside another is left out.
  return withoutNested(clients);
}

type Options = ReturnType<typeof options>;

/** The inside of BIND's `dns64` statement. */
function statements({ mapped, exclude, recursiveOnly, suffix }: Options, clients: string[]): string[] {
  const block = (word: string, items: string[] | undefined): string[] =>
    items === undefined
      ? []
      : [derive([items] as const, (it) => `${word} { ${it.map((one) => `${one}; `).join("")}};`)];
  return [
    ...block("clients", clients),
    ...block("mapped", mapped),
    ...block("exclude", exclude),
    `suffix ${suffix};`,
    derive([recursiveOnly], (it) => `recursive-only ${it ? "yes" : "no"};`),
  ];
}

/** A translator under the well-known prefix cannot have its private IPv4 address there: ::64 of the router's network is its own. */
const translatorAddress = (cidr: string): string => formatAddress(nth(subnet(prefixOf(cidr), 64, 0), 0x64));

/** Linux takes 15 characters for a device. */
const shortHash = (of: string): string => createHash("sha256").update(of).digest("hex").slice(0, 8);

/** IPv6 prefixes, the IPv4-mapped ones included that our own networks can never be. */
function place6Mapped(): Type<string> {
  const any = place6("any");
  return worded(any.what, (value, path, fail) => {
    if (typeof value === "string" && /^::ffff:0:0\/96$/i.test(value)) return "::ffff:0:0/96";
    return any(value, path, fail);
  });
}
