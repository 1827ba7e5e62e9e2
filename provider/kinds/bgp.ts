// What both ends of a BGP session have in common, the VPC router's (BgpPeer) and the cloud uplink's (Uplink).

import { createHash } from "node:crypto";
import { contains, formatAddress, nth, type Prefix } from "../addressing/prefix";
import { type Fail, integer, matching, orPlain, quote, record, type Type, withDefault } from "../arguments";
import { NAME } from "../contract";
import { addressOf, NO_TOKEN, orderOfNames, prefixOf } from "../fields";
import type { Inputs } from "../kind";
import { secret } from "../secrets";
import { same } from "../state";
import { type Effect, says, words } from "../traffic";

export const asNumber = integer(1, 4294967295, "an AS number");

export const resourceName = matching(
  "a name that can stand in a router's files: a letter or digit, then up to 62 letters, digits, dots, hyphens or underscores",
  new RegExp(`^${NO_TOKEN}${NAME}$`),
);

/** TCP-MD5 (RFC 2385); of characters that no configuration file or shell reads as anything else. */
export const bgpPassword = secret(
  "6 to 80 letters, digits and any of . _ ~ + / = : @ % ^ , -",
  /^[A-Za-z0-9._~+/=:@%^,-]{6,80}$/,
);

const seconds = (first: number): Type<number> => integer(first, 65535, "a number of seconds");
export const timers = record({
  keepalive: withDefault(seconds(1), 10),
  hold: withDefault(seconds(3), 30),
  connect: withDefault(seconds(1), 5),
});
export type Timers = ReturnType<typeof timers>;
export const USUAL: Timers = { keepalive: 10, hold: 30, connect: 5 };

/** As FRR keeps them: it sends keepalives three times in `hold` at least (RFC 4271 section 10), whatever it is told. */
export const inForce = ({ keepalive, hold, connect }: Timers): Timers => ({
  keepalive: Math.min(keepalive, Math.floor(hold / 3)),
  hold,
  connect,
});

const BFD = { interval: 300, multiplier: 3 };
const bfdTimers = record({
  interval: withDefault(integer(50, 60000, "a number of milliseconds"), BFD.interval),
  multiplier: withDefault(integer(2, 255, "a number of packets"), BFD.multiplier),
});
type Bfd = ReturnType<typeof bfdTimers>;
export const bfd = orPlain<Bfd, object | undefined>(bfdTimers, [false, undefined], [true, {}]);

/** The profile is named after what is in it: two who want different ones are seen to disagree. FRR does not write its defaults. */
export const bfdView = (given: Bfd | undefined): object | undefined =>
  given && {
    profile: `vpc6-${given.interval}ms-${given.multiplier}`,
    ...(given.multiplier !== BFD.multiplier ? { multiplier: given.multiplier } : { multiplier: false }),
    ...(given.interval !== BFD.interval ? { interval: given.interval } : { interval: false }),
  };

export function checkTimers(timers: Timers | undefined, fail: Fail): void {
  if (!timers || timers.hold > timers.keepalive) return;
  fail(`timers.hold: ${timers.hold} is not more than keepalive, ${timers.keepalive}; three times as much is usual`);
}

export function checkInside(
  path: string,
  prefixes: string[] | undefined,
  whole: string,
  whose: string,
  fail: Fail,
): void {
  const within = prefixOf(whole);
  const seen = new Set<string>();
  for (const [index, prefix] of (prefixes ?? []).entries()) {
    const at = `${path}[${index}]: ${quote(prefix)}`;
    if (!contains(within, prefixOf(prefix)))
      fail(`${at} is not inside ${whose} ${whole}${whose.includes("VPC") ? orderOfNames("Vpc") : ""}`);
    else if (prefixOf(prefix).length > 64) fail(`${at} is longer than /64, a tier`);
    else if (seen.has(prefix)) fail(`${at} is there twice`);
    seen.add(prefix);
  }
}

/** Sequence numbers from here on are the same for all VPCs that share a neighbour. */
const SHARED = 4294900000;

/** How many prefixes can be taken from a neighbour by name. */
export const MOST_IMPORTED = 12_000;

/**
 * Where the prefixes begin that are taken from a neighbour. The VPCs that share it say the same lines, but not at the same moment: when
 * one larger than all others comes or goes, each goes over from one window of numbers to another, and between whiles both are
 * there.
 */
export const shared = (usual: number, largest: number): number => SHARED - (usual - largest) * MOST_IMPORTED;

/** A place in a neighbour's lists that no other VPC of the zone has: a number for each /64, by its place in the super CIDR. */
export function sequence(zone: Prefix, vpc: Prefix): number {
  const count = BigInt(shared(64, 48) - 32);
  const index = ((vpc.base - zone.base) >> 64n) % count;
  // Outside the zone: a super CIDR of another stack's that is not the one the prefix came from.
  return Number(index < 0n ? index + count : index) + 1;
}

/** How many numbers a VPC has. */
export const places = (vpc: Prefix): number => 2 ** (64 - vpc.length);

/** Everything in a prefix that is not larger than the zone's largest VPC nor smaller than a tier. */
export function atLeast(prefix: string, largest: number): string {
  const { length } = prefixOf(prefix);
  return [prefix, length < largest ? `ge ${largest}` : "", length < 64 ? "le 64" : ""]
    .filter((it) => it !== "")
    .join(" ");
}

/** A router id, unique in the AS and not 0 (RFC 6286): the last 32 bits of the router's public address, where there is one in them. */
export function lowest(address: string): string {
  const bits = addressOf(address).value & 0xffffffffn;
  return bits === 0n ? hashed(address) : dotted(bits);
}
/** Of what has no such bits. */
export const hashed = (text: string): string =>
  dotted(BigInt(`0x${createHash("sha256").update(text).digest("hex").slice(0, 8)}`) | 1n);
const dotted = (bits: bigint): string => formatAddress(nth({ family: 4, base: 0n, length: 0 }, bits));

/** What both kinds keep in their inputs of their sessions. */
export interface SessionInputs extends Inputs {
  asn?: number | undefined;
  timers?: Timers;
  multihop?: number;
  /** `ge` of what is taken: the length of the zone's largest VPC. */
  largest?: number;
}

/** FRR is told the difference only: sessions that a change does not concern go on. These are all of a router's. */
export const speaksAsAnother = (before: SessionInputs, after: SessionInputs): Effect | false =>
  before.asn !== undefined &&
  after.asn !== undefined &&
  before.asn !== after.asn &&
  says("pauses", "gets another AS number: all its BGP sessions end and come back, within a second or two", "router");

/** A session's options, of which FRR decides whether they are worth a new session. */
export function mayReopen(
  neighbor: string,
  before: SessionInputs,
  after: SessionInputs,
  otherPassword: boolean,
): Effect[] {
  const options = {
    timers: !same(before.timers ?? USUAL, after.timers ?? USUAL),
    "ebgp-multihop": before.multihop !== undefined && before.multihop !== after.multihop,
    password: otherPassword,
  };
  return Object.entries(options)
    .filter(([, changes]) => changes)
    .map(([what]) =>
      says("unknown", words`the BGP session with ${neighbor} may end and be opened again, as its ${what} changes`),
    );
}

export const sessionEnds = (neighbor: string): Effect =>
  says(
    "ends",
    words`the BGP session with ${neighbor} ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it`,
  );

export const sessionReopens = (neighbor: string): Effect =>
  says("pauses", words`the BGP session with ${neighbor} ends and is opened again, with another AS number`);

export const noLongerTaken = (prefix: string): Effect =>
  says("ends", words`routes of ${prefix} are no longer taken from the neighbour`);

export const takesFewer = (before: SessionInputs, after: SessionInputs): Effect | false =>
  before.largest !== undefined &&
  after.largest !== undefined &&
  after.largest > before.largest &&
  says("ends", words`routes of prefixes larger than ${`/${after.largest}`} are no longer taken from the neighbour`);
