// What traffic a change interrupts, from the lines of configuration that go and come: what each service of a router does when its
// part changes (provider/router/program/services, docs/convergence.md). Where that is not known it says so; a line that another
// resource of the router says too stays there, and interrupts nothing.

import { UNKNOWN } from "../provider/unknown";
import { linesIn } from "./diff";
import { code } from "./markdown";
import { type Fragments, fragmentsOf, type Resource, routerNameOf, type Stack, textOf } from "./stack";

/**
 * `ends`: traffic that flowed no longer does. `pauses`: for less than a second or two. `closes`: new connections are refused, those
 * that are open go on. `unknown`: may be any of these. `note`: worth knowing, and nothing is interrupted.
 */
export type Level = "ends" | "pauses" | "closes" | "unknown" | "note";

export interface Effect {
  readonly level: Level;
  readonly router?: string;
  /** Who is concerned; effects with one sentence are told together. */
  readonly subject: string;
  readonly sentence: string;
}

export const interrupts = ({ level }: Effect): boolean => level !== "note";

/** A line that goes or comes, and whose it is. */
interface Moved {
  readonly line: string;
  readonly owner: Resource;
}
interface Slot {
  readonly gone: Moved[];
  readonly come: Moved[];
  /** Whether others than the Router had lines there before, and will have: the service runs. Not known counts as yes. */
  readonly ran: boolean;
  readonly runs: boolean;
}
interface Change {
  readonly router: string;
  readonly slots: Map<string, Slot>;
  readonly tell: (level: Level, subject: string, sentence: string) => void;
}

export function effects(stack: Stack): Effect[] {
  const found: Effect[] = [];
  for (const router of routersIn(stack)) {
    const tell = (level: Level, subject: string, sentence: string) => found.push({ level, router, subject, sentence });
    const change: Change = { router, slots: slotsOf(stack, router), tell };
    for (const [slot, lines] of change.slots) {
      if (lines.gone.length + lines.come.length === 0) continue;
      const service = services[slot];
      if (service) service(lines, change);
      else tell("unknown", `\`${slot || "not known yet"}\``, "what a change of this does to traffic is not known here");
    }
    for (const it of stack.resources) if (it.ours) ofResource(it, change);
  }
  for (const { ours, op, kind, name } of stack.resources) {
    if (ours || !["update", "delete", "replace"].includes(op)) continue;
    found.push({
      level: "unknown",
      subject: `${kind} \`${name}\``,
      sentence: "is no resource of vpc6's, and not judged here",
    });
  }
  return distinct(found);
}

export const label = ({ kind, name }: Pick<Resource, "kind" | "name">): string => `${kind} ${code(name)}`;

/** A Router names itself by its own `router`, which is a way that begins with its name, as everybody's on it. */
export function routersIn({ resources }: Stack): string[] {
  const names = resources.flatMap(({ before, after }) => [routerNameOf(before), routerNameOf(after)]);
  return [...new Set(names.filter((it) => it !== undefined))].sort();
}

const side = (router: string, inputs: Resource["before"]): Fragments =>
  routerNameOf(inputs) === router ? fragmentsOf(inputs) : {};

function slotsOf({ resources, hidden }: Stack, router: string): Map<string, Slot> {
  const fresh = resources.some((it) => it.kind === "Router" && it.op === "create" && routerNameOf(it.after) === router);
  const others = (lines: Map<string, Resource>) =>
    [...lines.values()].some(({ kind }) => kind !== "Router") || (hidden > 0 && !fresh);
  const slots = new Map<string, { before: Map<string, Resource>; after: Map<string, Resource> }>();
  for (const owner of resources.filter(({ ours }) => ours)) {
    const [before, after] = [side(router, owner.before), side(router, owner.after)];
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const slot = slots.get(name) ?? { before: new Map(), after: new Map() };
      slots.set(name, slot);
      // A list's rules are its own: the same words in another list are another rule.
      const key = (line: string) => (name === "nftables" && !line.startsWith("add ") ? `${owner.urn} ${line}` : line);
      for (const line of linesIn(before[name])) slot.before.set(key(line), owner);
      for (const line of linesIn(after[name])) slot.after.set(key(line), owner);
    }
  }
  const only = (one: Map<string, Resource>, other: Map<string, Resource>): Moved[] =>
    [...one]
      .filter(([key]) => !other.has(key))
      .map(([key, owner]) => ({ line: key.replace(`${owner.urn} `, "").trim(), owner }));
  return new Map(
    [...slots].map(([name, { before, after }]) => [
      name,
      { gone: only(before, after), come: only(after, before), ran: others(before), runs: others(after) },
    ]),
  );
}

const services: Record<string, (slot: Slot, change: Change) => void> = {
  packages({ come }, { tell }) {
    if (come.length > 0)
      tell(
        "note",
        come.map(({ line }) => `\`${line}\``).join(", "),
        "installed where missing, before anything is switched",
      );
  },
  network,
  nftables: firewall,
  sysctl({ gone }, { tell, router }) {
    for (const { line } of gone) {
      if (/\.forwarding = 1$/.test(line))
        tell("ends", `Router \`${router}\``, "forwards no longer, as nothing on it asks for that");
      else
        tell(
          "unknown",
          `\`${line}\``,
          "goes back to what was found before vpc6; what that does to traffic is not known here",
        );
    }
  },
  // Without a tier it does not run.
  dnsmasq({ ran, runs }, { tell, router }) {
    if (!ran || !runs) return;
    tell(
      "pauses",
      `Router \`${router}\``,
      "restarts dnsmasq: DHCP, DNS and advertisements of all its tiers pause for well under a second",
    );
  },
  // Files that dnsmasq watches: no restart, and what a guest loses is told by its own lines.
  "dhcp-hosts"() {},
  "dns-hosts"({ gone, come }, { tell }) {
    const names = (moved: Moved[]) => moved.map(({ line }) => line.split(" ")[1] ?? "");
    const left = new Set(names(come));
    for (const { line, owner } of gone) {
      const name = line.split(" ")[1] ?? "";
      if (owner.op === "update" && !left.has(name)) tell("closes", `\`${name}\``, "is no longer a name in DNS");
    }
  },
  haproxy: balancer,
  certificates({ gone, come }, { tell }) {
    for (const owner of new Set([...gone, ...come].map((it) => it.owner))) {
      if (owner.op === "update")
        tell("note", label(owner), "shows another certificate to new connections; open ones go on");
    }
  },
  frr: routing,
  // A translator is started again for itself, and its device stays.
  tayga({ gone, come }, { tell }) {
    for (const owner of new Set([...gone, ...come].map((it) => it.owner))) {
      if (owner.op !== "update") continue;
      const moved = gone.some((it) => it.owner === owner && /^(prefix|dynamic-pool) /.test(it.line));
      if (moved) tell("ends", label(owner), "translates to another prefix or pool: connections through NAT64 end");
      else
        tell(
          "pauses",
          label(owner),
          "the NAT64 translator is started again: connections through it pause for a moment",
        );
    }
  },
  // Reads its configuration again while it runs.
  named() {},
};

function network({ gone, come }: Slot, { tell, router }: Change): void {
  const arrives = new Map(come.map(({ line }) => [line.split(" ").slice(0, 3).join(" "), line]));
  for (const { line, owner } of gone) {
    const [word = "", device = "", what = "", , via] = line.split(" ");
    // A deleted or moved resource is told of as a whole.
    if (owner.op === "delete" || owner.op === "replace") continue;
    const subject = label(owner);
    // Told as a whole.
    if (renumbered(owner)) continue;
    if (arrives.has(`${word} ${device} ${what}`) && word === "address") continue;
    if (word === "interface")
      tell("ends", subject, `no longer uses the interface \`${device}\`: who is on it loses the network`);
    else if (word === "neighbor" && arrives.has(`${word} ${device} ${what}`)) {
      tell("ends", subject, `is known by another MAC address from now on: the old one is cut off from \`${what}\``);
    } else if (word === "neighbor") tell("ends", subject, "gives up its address: connections with the old one end");
    else if (word === "address" && device === "lo")
      tell("ends", subject, `\`${bare(what)}\` is taken off the router: connections to it end`);
    else if (word === "address" && owner.kind === "Router")
      tell("ends", subject, `\`${bare(what)}\` is taken off the router: connections to it (SSH, BGP) end`);
    else if (word === "address")
      tell(
        "ends",
        subject,
        `has another gateway than \`${bare(what)}\`: guests' connections stall until they have learned it from an advertisement`,
      );
    else if (word === "route")
      tell("ends", `Router \`${router}\``, `no longer sends what is for \`${what}\` to \`${via ?? "?"}\``);
    else if (word !== "unreachable")
      tell("unknown", `\`${line}\``, "goes from the router's network; what that does to traffic is not known here");
  }
}
/** A tier or VPC with another prefix. */
const renumbered = ({ kind, before, after }: Resource): boolean =>
  ["Vpc", "Tier", "IsolatedNetwork"].includes(kind) && textOf(before, "cidr") !== textOf(after, "cidr");
const readdressed = ({ before, after }: Resource): boolean => textOf(before, "address") !== textOf(after, "address");
const bare = (address: string): string => address.replace(/\/\d+$/, "");

// The table is exchanged in one step. Open connections are let through by `ct state established`, before any list is asked; but who
// may send from which address is asked first, of every packet.
function firewall({ gone, come }: Slot, { tell }: Change): void {
  const changed = new Map<Resource, { gone: string[]; come: string[] }>();
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
    else if (lines.gone.some((line) => / services /.test(line)) && !readdressed(owner)) {
      tell("closes", label(owner), "no longer takes new connections from where it did; open ones go on");
    }
  }
}

function rules(owner: Resource, lines: { gone: string[]; come: string[] }, tell: Change["tell"]): void {
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

function skeleton(owner: Resource, { gone, come }: { gone: string[]; come: string[] }, tell: Change["tell"]): void {
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

function balancer({ gone, come }: Slot, { tell }: Change): void {
  const named = new Set(come.filter(({ line }) => line.startsWith("server ")).map(({ line }) => line.split(" ")[1]));
  const owners = new Set([...gone, ...come].map(({ owner }) => owner));
  for (const owner of owners) {
    if (["create", "delete", "replace"].includes(owner.op)) continue;
    const mine = gone.filter((it) => it.owner === owner).map(({ line }) => line);
    if (mine.some((line) => line.startsWith("bind ")) && !readdressed(owner)) {
      tell(
        "closes",
        label(owner),
        "is no longer offered where it was: new connections to the old address or port are refused",
      );
    }
    for (const line of mine.filter((it) => it.startsWith("server "))) {
      const name = line.split(" ")[1] ?? "";
      if (!named.has(name))
        tell(
          "note",
          label(owner),
          `gives \`${name}\` no new connections; those it has go on until they end by themselves`,
        );
    }
    tell(
      "note",
      label(owner),
      "is reloaded: a new HAProxy takes the listening sockets over, the old one ends with its last connection",
    );
  }
}

function routing({ gone, come }: Slot, { tell, router }: Change): void {
  const text = come.map(({ line }) => line);
  const asn = gone.find(({ line }) => line.startsWith("router bgp "));
  if (asn && text.some((line) => line.startsWith("router bgp "))) {
    tell(
      "pauses",
      `Router \`${router}\``,
      "gets another AS number: all its BGP sessions end and come back, within a second or two",
    );
  }
  const over = new Set(gone.filter(({ line }) => / remote-as /.test(line)).map(({ owner }) => owner));
  for (const { line, owner } of gone) {
    const [word = "", neighbor = "", what = "", ...rest] = line.split(" ");
    const again = (start: string) => text.some((it) => it.startsWith(start));
    if (word === "neighbor" && what === "remote-as") {
      if (again(`neighbor ${neighbor} remote-as`))
        tell(
          "pauses",
          label(owner),
          `the BGP session with \`${neighbor}\` ends and is opened again, with another AS number`,
        );
      else
        tell(
          "ends",
          label(owner),
          `the BGP session with \`${neighbor}\` ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it`,
        );
    } else if (over.has(owner)) {
      // The end of the session says it all.
    } else if (
      word === "neighbor" &&
      ["timers", "ebgp-multihop", "password"].includes(what) &&
      !["delete", "replace"].includes(owner.op)
    ) {
      tell(
        "unknown",
        label(owner),
        `the BGP session with \`${neighbor}\` may end and be opened again, as its \`${what}\` changes`,
      );
    } else if (word === "network" && !again(`${line}`)) {
      tell("ends", label(owner), `\`${neighbor}\` is withdrawn from BGP: who came by that route no longer does`);
    } else if (word === "ipv6" && /^vpc6-in-/.test(what) && rest.includes("permit")) {
      tell(
        "ends",
        label(owner),
        `routes of \`${rest.at(rest.indexOf("permit") + 1)}\` are no longer taken from the neighbour`,
      );
    }
  }
}

/** What a resource means as a whole, when it goes or moves. */
function ofResource(it: Resource, { router, tell }: Change): void {
  const here = routerNameOf(it.before) === router;
  const there = routerNameOf(it.after) === router;
  if (!here) return;
  const subject = label(it);
  const moves = it.op === "replace";
  if (moves || it.op === "delete") {
    const [level, sentence] = goes[it.kind] ?? [
      "unknown",
      "is taken off the router; what that does to traffic is not known here",
    ];
    if (!moves) tell(level, subject, sentence);
    else if (!there)
      tell(
        "ends",
        subject,
        `moves to router \`${routerNameOf(it.after) ?? "?"}\`: it is taken off this one first, and is nowhere meanwhile`,
      );
    else tell("ends", subject, "is taken away and made anew: it is gone meanwhile");
    return;
  }
  const [old, now] = [textOf(it.before, "cidr"), textOf(it.after, "cidr")];
  if (it.kind === "Vpc" && old !== undefined && now !== undefined && old !== now) {
    tell(
      "ends",
      subject,
      `is renumbered from \`${old}\` to \`${now}\`, with all that is in it: connections to the old addresses end`,
    );
  }
  if (["Tier", "IsolatedNetwork"].includes(it.kind) && old !== undefined && now !== undefined && old !== now) {
    tell(
      "ends",
      subject,
      `is renumbered from \`${old}\` to \`${now}\`: connections of its guests end, and they have no network until they renew their lease (half an hour, or at once by hand)`,
    );
  }
  const unknown = Object.entries(side(router, it.after)).filter(([, text]) => text.includes(UNKNOWN));
  if (it.op === "update" && unknown.length > 0) {
    tell(
      "unknown",
      subject,
      `its ${unknown.map(([slot]) => `\`${slot || "configuration"}\``).join(", ")} is not known before \`pulumi up\``,
    );
  }
}

const goes: Record<string, [Level, string]> = {
  Router: ["ends", "vpc6 takes all its configuration off the machine: whatever goes through it ends"],
  Vpc: ["ends", "is no longer routed: whatever goes to or from its prefix ends"],
  Tier: ["ends", "is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network"],
  Instance: [
    "ends",
    "is taken off the router: the guest loses its lease, its name and its hold on the address, and so the network",
  ],
  NetworkAcl: ["closes", "is gone: its tiers refuse new connections both ways, as without any list; open ones go on"],
  ExternalNetwork: ["note", "is on no router; the lists that named it show what changes for them"],
  LoadBalancer: ["ends", "no longer answers: new connections are refused, and open ones end with its address"],
  BgpPeer: ["note", "is taken off; what that means for sessions and prefixes is told beside"],
  Zone: ["note", "is on no router"],
  Certificate: ["note", "is on no router by itself"],
  Nat64: ["ends", "is gone: guests of its VPC reach no IPv4 address any more, and open connections through it end"],
  IsolatedNetwork: ["ends", "is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network"],
  Uplink: [
    "ends",
    "is taken off: the BGP sessions that were its own end, and their prefixes are no longer reached through it",
  ],
};

function distinct(all: Effect[]): Effect[] {
  const seen = new Map(all.map((it) => [JSON.stringify([it.level, it.router, it.subject, it.sentence]), it]));
  return [...seen.values()];
}
