// What `refresh` says of a resource whose router is not as it was left: a line for each difference, what it is and where. Pure.

import { LIVE, serviceOf } from "./contract";
import type { Fragments } from "./kind";
import { stackOf } from "./made";
import type { Difference } from "./router";
import { hashes, type Outputs } from "./state";
import { routerOf } from "./way";

/** Lines that one resource's report has at most. */
const LINES = 25;

const MISSING = "missing on ";
const on = (what: string, where: string): string => `${what} on ${where}`;

/** Nothing of it is left. */
export const isMissing = (report: string): boolean => report.startsWith(MISSING);

/** Whether putting right what a report tells of starts dnsmasq anew: its own, and a tier that was no way out (program/services). */
export const startsDnsmasqAnew = (report: string): boolean =>
  report.split("\n").some((line) => STARTS_ANEW.some((one) => one.test(line)));

const STARTS_ANEW = [
  new RegExp(`^${on("dnsmasq", ".*")}(${LIVE}/dnsmasq|vpc6-dnsmasq)`),
  new RegExp(`^${on("network", ".*")}, address removed, (?!lo )\\S+ \\S*:`),
  new RegExp(`^${on("(network|sysctl)", ".*")}\\.forwarding = 0 `),
];

/** Empty when there is nothing to say. `found` are its fragments there, `drift` what else differs, `made` what is there says of whose it is. */
export function differences(props: Outputs, found: Fragments, drift: readonly Difference[], made?: string): string {
  const where = `router ${routerOf(props.router ?? "")}`;
  const now = hashes(found);
  const then = props.fragments ?? {};
  if (Object.keys(now).length === 0 && Object.keys(then).length > 0) {
    return `${MISSING}${where}; the next update puts it there`;
  }
  const slots = [...new Set([...Object.keys(now), ...Object.keys(then)])].sort();
  const changed = slots.filter((slot) => now[slot] !== then[slot]);
  // Where a fragment itself was changed, the comparison of the rest with it says the opposite of what happened.
  const services = new Set(changed.map(serviceOf));
  const [ours, theirs] = [stackOf(props.made), stackOf(made)];
  const lines = [
    ...(ours !== undefined && theirs !== undefined && ours !== theirs
      ? [`${on("stack", where)} was changed by another hand, it is ${theirs} now`]
      : []),
    ...changed.map(
      (slot) =>
        `${on(slot, where)} was ${!(slot in now) ? "removed" : slot in then ? "changed" : "added"} by another hand`,
    ),
    ...drift
      .filter(({ service }) => !services.has(serviceOf(service)))
      .map(({ service, text }) => `${on(service, where)}, ${text}`),
  ];
  const shown = lines.length > LINES ? [...lines.slice(0, LINES - 1), `and ${lines.length - LINES + 1} more`] : lines;
  // The CLI would show a text with ": " in it as YAML. An address that ends in colons is the same with a 0 behind them.
  return shown
    .map((line) =>
      line
        .replace(/::(?=\s|$)/g, "::0")
        .replace(/:\s+/g, ":")
        .replace(/[:\s]+$/, ""),
    )
    .join("\n");
}
