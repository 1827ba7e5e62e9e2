// Access lists, guests and the services that a router offers.

import { UNKNOWN } from "../../provider/unknown";
import { fragmentsOf, type Resource } from "../stack";
import { type Change, label, readdressed, type Slot } from "./change";

interface Lines {
  readonly gone: string[];
  readonly come: string[];
}

// The table is exchanged in one step. Open connections are let through by `ct state established`, before any list is asked; but who
// may send from which address is asked first, of every packet.
export function firewall({ gone, come }: Slot, { tell }: Change): void {
  const changed = new Map<Resource, Lines>();
  const of = (owner: Resource) =>
    changed.get(owner) ?? changed.set(owner, { gone: [], come: [] }).get(owner) ?? { gone: [], come: [] };
  for (const { line, owner } of gone) of(owner).gone.push(line);
  for (const { line, owner } of come) of(owner).come.push(line);
  for (const [owner, lines] of changed) {
    if (["delete", "replace"].includes(owner.op)) continue;
    if ([...lines.gone, ...lines.come].some((line) => line.includes(UNKNOWN))) continue;
    if (owner.kind === "NetworkAcl") rules(owner, lines, tell);
    else if (owner.op === "create") continue;
    else if (owner.kind === "Router") skeleton(owner, lines, tell);
    else if (owner.kind === "Instance") guest(owner, lines, tell);
    else if (owner.kind === "Nat64") translated(owner, lines, tell);
    else service(owner, lines, tell);
  }
}

/** Who may come to a service of a VPC, whose address and port may move too: of that its daemon tells. */
function service(owner: Resource, { gone, come }: Lines, tell: Change["tell"]): void {
  if (readdressed(owner)) return;
  const open = come.flatMap(openTo);
  const closed = gone.flatMap(openTo).filter(({ to, from }) => {
    const still = open.filter((it) => it.to === to);
    return !still.some(
      (it) => it.from === EVERYBODY || (from !== EVERYBODY && from.every((one) => it.from.includes(one))),
    );
  });
  if (closed.length > 0)
    tell("closes", label(owner), "no longer takes new connections from where it did; open ones go on");
}

const EVERYBODY = "everybody";

/** The service that a line opens, and for whom. */
function openTo(line: string): { to: string; from: string[] | typeof EVERYBODY }[] {
  const [, address, port, some] = / services ip6 daddr (\S+) tcp dport (\d+) ip6 saddr \{ (.*?) \}/.exec(line) ?? [];
  if (address !== undefined) return [{ to: `${address} ${port}`, from: (some ?? "").split(", ") }];
  const [, all, its] = / services \{ (\S+) \. (\d+) \}/.exec(line) ?? [];
  return all === undefined ? [] : [{ to: `${all} ${its}`, from: EVERYBODY }];
}

/** A guest with a MAC address has a permanent neighbour, which tells of it. */
function guest(owner: Resource, { gone, come }: Lines, tell: Change["tell"]): void {
  const held = (lines: readonly string[]) => lines.some((line) => / guests_by_address /.test(line));
  if (!held(gone)) return;
  if (held(come)) tell("ends", label(owner), "has another address or interface: connections with the old one end");
  else if (come.some((line) => / guests /.test(line)))
    tell("ends", label(owner), "may send from its one MAC address only: from any other it is cut off");
  else tell("ends", label(owner), "gives up its address: connections with it end");
}

/** Whose questions go to DNS64. */
function translated(owner: Resource, { gone, come }: Lines, tell: Change["tell"]): void {
  const asking = (lines: readonly string[]) =>
    lines.flatMap((line) => /saddr \{ (.*?) \}.* redirect to /.exec(line)?.[1]?.split(/, */) ?? []);
  const left = asking(come);
  const out = asking(gone).filter((it) => !left.includes(it));
  // Without any the service tells of it.
  if (left.length > 0 && out.length > 0)
    tell(
      "closes",
      label(owner),
      `answers \`${out.join(", ")}\` without DNS64: names that have IPv4 addresses only are not found from there`,
    );
}

function rules(owner: Resource, lines: Lines, tell: Change["tell"]): void {
  const { come } = lines;
  let { gone } = lines;
  const allows = (line: string) => / return\b|\/log-allow\b/.test(` ${line}`);
  const denies = (line: string) => / drop\b|\/log-deny\b/.test(` ${line}`);
  if (owner.op === "create") {
    if (come.some((line) => denies(line) && !/^(limit|drop$)/.test(line)))
      tell(
        "closes",
        label(owner),
        "refuses what its `deny` rules match, pings included, that passed without a list; open connections go on",
      );
    return;
  }
  gone = gone.filter((line) => !(allows(line) && isCovered(owner, line, come.filter(allows))));
  const inOrder = [...gone].sort().join("\n") === [...come].sort().join("\n");
  if (gone.some(allows))
    tell("closes", label(owner), "refuses new connections that only the removed lines let in; open ones go on");
  else if (come.some(denies))
    tell("closes", label(owner), "refuses new connections that the added lines deny; open ones go on");
  else if (gone.some((line) => /^[0-9a-f:./]+,$/.test(line)))
    tell(
      "closes",
      label(owner),
      "has a group of addresses with fewer entries: new connections may be judged differently; open ones go on",
    );
  else if (gone.length > 0 && inOrder)
    tell("closes", label(owner), "judges new connections in another order; open ones go on");
  else if (gone.some((line) => !denies(line)))
    tell("closes", label(owner), "judges new connections differently; open ones go on");
}

/** Whether an added line lets in all that the removed one did. Among rules that deny, places count, and nothing is said. */
function isCovered({ before, after }: Resource, removed: string, added: readonly string[]): boolean {
  const lists = [before, after].map((inputs) => fragmentsOf(inputs).nftables ?? "");
  if (lists.some((text) => /^\t\t(?!drop$|limit )(.* )?(drop|goto \S+\/log-deny)\b/m.test(text))) return false;
  const old = matchOf(removed);
  return added.some((line) => {
    const now = matchOf(line);
    return (
      now.rest === old.rest &&
      old.ports.every((it) => now.ports.includes(it)) &&
      old.ends.every((it) => now.ends.includes(it))
    );
  });
}

/** A rule's ports and ends as lists, and all else of it. */
function matchOf(line: string): { ports: string[]; ends: string[]; rest: string } {
  const listed = (text = "") =>
    text
      .replace(/[{},]/g, " ")
      .split(" ")
      .filter((it) => it !== "");
  const [, ports] = / dport (\{[^}]*\}|\S+)/.exec(line) ?? [];
  const [, ends] = / [sd]addr (\{[^}]*\}|\S+)/.exec(` ${line}`) ?? [];
  const rest = ` ${line}`.replace(/ dport (\{[^}]*\}|\S+)/, " dport").replace(/ ([sd]addr) (\{[^}]*\}|\S+)/, " $1");
  return { ports: listed(ports), ends: listed(ends), rest: rest.replace(/ comment ".*"/, "") };
}

function skeleton(owner: Resource, { gone, come }: Lines, tell: Change["tell"]): void {
  const service = (line: string) => /^(tcp|udp) dport \S+ accept$/.test(line);
  if (gone.every(service) && gone.length > 0 && come.every(service)) {
    tell("closes", label(owner), "no longer offers the removed public services to new connections; open ones go on");
  } else if (!come.every((line) => service(line) || /^(set|map) |^#/.test(line)) || gone.length > 0) {
    tell(
      "unknown",
      label(owner),
      "has other firewall rules for all its traffic: open connections go on, what new ones pass is in the lines themselves",
    );
  }
}
