// The tests of an access list: who must reach what, and who must not. Evaluated in `check`, so that a change which would close a
// door (or open one) fails at preview, with the rule that decides.

import { type Fail, integer, optional, record, text } from "../arguments";
import { port } from "../fields";
import { type Decision, decide, type Flow } from "./evaluate";
import { formatPlace, type Places, placesOf, within } from "./places";
import { describe, neverAsked, type Party, party, place, prefixesOf, type Rule } from "./rule";

const protocol = text('"tcp", "udp" or "icmpv6"', (value) =>
  value === "tcp" || value === "udp" || value === "icmpv6" ? value : { not: 'is not "tcp", "udp" or "icmpv6"' },
);
const expected = text('"allow" or "deny"', (value) =>
  value === "allow" || value === "deny" ? value : { not: 'is not "allow" or "deny"' },
);

export const testShape = record({
  from: party,
  to: party,
  protocol,
  port: optional(port),
  icmpType: optional(integer(0, 255, "an ICMPv6 type")),
  expect: expected,
});
export type TestArgs = ReturnType<typeof testShape>;

/** `own` are the prefixes of the list's tiers. */
export function checkTest(test: TestArgs, path: string, rules: readonly Rule[], own: string[], fail: Fail): void {
  const flow = flowOf(test, path, fail);
  const from = endOf(test.from, `${path}.from`, fail);
  const to = endOf(test.to, `${path}.to`, fail);
  if (!flow || !from || !to) return;
  const tierOf = (end: Places): string | undefined => own.find((prefix) => within(end, placesOf([prefix])));
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
  const what = `${flow.protocol} ${flow.number}`;
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
  if (protocol === "icmpv6") {
    if (port !== undefined) fail(`${path}.port: ${port} with protocol icmpv6, which has no ports; there is icmpType`);
    const reason = neverAsked(icmpType ?? 128);
    if (reason) fail(`${path}.icmpType: no packet of type ${icmpType} gets to a rule: ${reason}`);
    return port === undefined && !reason ? { protocol, number: icmpType ?? 128 } : undefined;
  }
  if (icmpType !== undefined) fail(`${path}.icmpType: ${icmpType} with protocol ${protocol}; there is port`);
  if (port === undefined) fail(`${path}.port: missing; it must be a port (1 to 65535)`);
  return port !== undefined && icmpType === undefined ? { protocol, number: port } : undefined;
}

/** The addresses of one end; a text of the user's own is checked here. */
function endOf(end: Party, path: string, fail: Fail): Places | undefined {
  if (end.addresses === undefined || end.addresses === "") {
    fail(`${path}: ${name(end)} has no IPv6 address`);
    return undefined;
  }
  if (end.kind !== "address") return placesOf(prefixesOf(end));
  let right = true;
  const checked = place(end.addresses, path, (reason) => {
    right = false;
    fail(reason);
  });
  return right ? placesOf([checked]) : undefined;
}

const name = ({ kind, name, addresses }: Party): string =>
  kind === "address" ? (addresses ?? "") : `${kind} "${name}"`;
