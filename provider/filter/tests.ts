// The tests of an access list: who must reach what, and who must not. Evaluated in `check`, so that a change which would close a
// door (or open one) fails at preview, with the rule that decides.

import { type Fail, integer, oneOf, optional, record } from "../arguments";
import { place, port } from "../fields";
import { type Decision, decide, type Flow } from "./evaluate";
import { familiesOf, formatPlace, ofFamilies, type Places, placesOf, within } from "./places";
import { ECHO_REQUEST, familiesOfProtocol, formatProtocol, hasPorts, isIcmp, protocol } from "./protocol";
import { describe, neverAsked, type Own, type Party, party, prefixesOf, type Rule } from "./rule";

export const testShape = record({
  from: party,
  to: party,
  protocol,
  port: optional(port),
  icmpType: optional(integer(0, 255, "an ICMP type")),
  expect: oneOf("allow", "deny"),
});
export type TestArgs = ReturnType<typeof testShape>;

/** Both ends have both families, perhaps: then the test is about each of them. */
export function checkTest(test: TestArgs, path: string, rules: readonly Rule[], own: Own, fail: Fail): void {
  const flow = flowOf(test, path, fail);
  const ends = { from: endOf(test.from, `${path}.from`, fail), to: endOf(test.to, `${path}.to`, fail) };
  if (!flow || !ends.from || !ends.to) return;
  const possible = familiesOfProtocol(flow.protocol);
  const families = familiesOf(ends.from).filter(
    (it) => possible.includes(it) && familiesOf(ends.to ?? []).includes(it),
  );
  if (families.length === 0) {
    const what = `no ${formatProtocol(flow.protocol)} packet goes from ${name(test.from)} to ${name(test.to)}`;
    fail(`${path}.to: ${what}: they have no addresses of one family, or not that of the protocol`);
    return;
  }
  const [from, to] = [ofFamilies(ends.from, families), ofFamilies(ends.to, families)];
  const tierOf = (end: Places): string[] | undefined => own.tiers.find((tier) => within(end, placesOf(tier)));
  const [fromTier, toTier] = [tierOf(from), tierOf(to)];
  if (fromTier === undefined && toTier === undefined) {
    fail(
      `${path}.to: neither ${name(test.from)} nor ${name(test.to)} is in a tier of this list; it decides nothing here`,
    );
    return;
  }
  if (fromTier === toTier) {
    fail(`${path}.to: ${name(test.to)} is in the same tier as ${name(test.from)}; nothing is filtered within a tier`);
    return;
  }
  const lists: Decision[][] = [];
  if (fromTier !== undefined) lists.push(decide(rules, "egress", flow, to));
  if (toTier !== undefined) lists.push(decide(rules, "ingress", flow, from));
  const allowed = lists.map((decisions) => decisions.find(({ action }) => action === "allow"));
  const denied = lists.flat().find(({ action }) => action === "deny");
  const decider = test.expect === "allow" ? denied : allowed.includes(undefined) ? undefined : allowed.at(-1);
  if (!decider) return;
  const what = [formatProtocol(flow.protocol), flow.number].filter((it) => it !== undefined).join(" ");
  const verdict = decider.action === "deny" ? "denied" : "allowed";
  fail(
    `${path}.expect: "${test.expect}", but ${what} from ${name(test.from)} to ${name(test.to)} is ${verdict} ` +
      `${because(decider)} (for ${formatPlace(decider.range)})`,
  );
}

function because({ rule, action }: Decision): string {
  if (rule) return `by rules[${rule.index}], ${describe(rule)}`;
  return action === "deny" ? "as no rule allows it" : "as no rule denies it: echo passes by default";
}

function flowOf({ protocol, port, icmpType }: TestArgs, path: string, fail: Fail): Flow | undefined {
  if (isIcmp(protocol)) {
    if (port !== undefined)
      fail(`${path}.port: ${port} with protocol ${protocol}, which has no ports; there is icmpType`);
    const number = icmpType ?? ECHO_REQUEST[protocol];
    const reason = neverAsked(protocol, number);
    if (reason) fail(`${path}.icmpType: no packet of type ${icmpType} gets to a rule: ${reason}`);
    return port === undefined && !reason ? { protocol, number } : undefined;
  }
  if (!hasPorts(protocol)) {
    for (const [key, value] of Object.entries({ port, icmpType })) {
      if (value !== undefined) fail(`${path}.${key}: ${value} with protocol ${protocol}, which has none`);
    }
    return port === undefined && icmpType === undefined ? { protocol } : undefined;
  }
  if (icmpType !== undefined) fail(`${path}.icmpType: ${icmpType} with protocol ${protocol}; there is port`);
  if (port === undefined) fail(`${path}.port: missing; it must be a port (1 to 65535)`);
  return port !== undefined && icmpType === undefined ? { protocol, number: port } : undefined;
}

/** The addresses of one end; a text of the user's own is checked here. */
function endOf(end: Party, path: string, fail: Fail): Places | undefined {
  if (end.addresses === undefined || end.addresses === "") {
    fail(`${path}: ${name(end)} has no address`);
    return undefined;
  }
  if (end.kind !== "address") return placesOf(prefixesOf(end));
  let right = true;
  const checked = place("packets")(end.addresses, path, (reason) => {
    right = false;
    fail(reason);
  });
  return right ? placesOf([checked]) : undefined;
}

const name = ({ kind, name, addresses }: Party): string =>
  kind === "address" ? (addresses ?? "") : `${kind} "${name}"`;
