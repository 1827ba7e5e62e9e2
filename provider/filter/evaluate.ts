// What an access list does with a packet, worked out from its rules: the first that matches decides, as on the router. Whole
// ranges of addresses at once, so that a test of `::/0` is as exact as one of a single address.

import type { AddressRange } from "../addressing/prefix";
import { type Places, split } from "./places";
import { ECHO_REQUEST, hasPorts, isIcmp, type Protocol } from "./protocol";
import type { Rule } from "./rule";

/** The first packet of something new. */
export interface Flow {
  protocol: Protocol;
  /** The destination's port, or the ICMP type (the code is 0); other protocols have none. */
  number?: number;
}

export interface Decision {
  range: AddressRange;
  action: "allow" | "deny";
  /** Absent where no rule matches. */
  rule?: Rule;
}

/** What the rules of one direction decide about packets from (ingress) or to (egress) `others`. */
export function decide(rules: readonly Rule[], direction: Rule["direction"], flow: Flow, others: Places): Decision[] {
  const asked = rules.filter((rule) => rule.direction === direction && matches(rule, flow));
  const isEcho = isIcmp(flow.protocol) && flow.number === ECHO_REQUEST[flow.protocol];
  return walk(asked, others, isEcho ? "allow" : "deny");
}

/** Rules that all match the packet by its kind: the first that has an address decides about it. */
export function walk(rules: Iterable<Rule>, others: Places, otherwise: Decision["action"]): Decision[] {
  const decisions: Decision[] = [];
  let open = others;
  for (const rule of rules) {
    if (open.length === 0) break;
    const { inside, outside } = split(open, rule.places);
    decisions.push(...inside.map((range): Decision => ({ range, action: rule.action, rule })));
    open = outside;
  }
  return [...decisions, ...open.map((range): Decision => ({ range, action: otherwise }))];
}

function matches({ protocol, ports, icmpType, icmpCode }: Rule, flow: Flow): boolean {
  if (protocol === "all") return true;
  if (protocol !== flow.protocol) return false;
  if (isIcmp(protocol)) return (icmpType ?? flow.number) === flow.number && (icmpCode ?? 0) === 0;
  const { number } = flow;
  if (!hasPorts(protocol) || number === undefined) return true;
  return ports === undefined || ports.split(", ").some((range) => inRange(range, number));
}

function inRange(range: string, port: number): boolean {
  const [first = 0, last = first] = range.split("-").map(Number);
  return first <= port && port <= last;
}
