// Random edits of a random network, and which resources an edit may touch: itself, the ledger it draws from, and who names it. Everything
// else must stay as it is.

import type { Random } from "../../random";
import type { Address, Instance, Network, Tier, Vpc } from "./network";

export interface Edit {
  what: string;
  /** The names of the resources that a preview may show as anything but the same. */
  touches: string[];
  /** What the command line asks to be made once more, though nothing of it changes. */
  replace?: string[];
}

const pick = <T>(random: Random, items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];

/** Changes the network somewhere; undefined where there is nothing of the kind to change. */
type Change = (network: Network, random: Random) => Edit | undefined;

const fresh = (network: Network, kind: string): string => `${kind}${network.next++}`;
const anyVpc = (network: Network, random: Random): Vpc | undefined => pick(random, network.vpcs);

function anyTier(network: Network, random: Random): { vpc: Vpc; tier: Tier } | undefined {
  return pick(
    random,
    network.vpcs.flatMap((vpc) => vpc.tiers.map((tier) => ({ vpc, tier }))),
  );
}

function anyInstance(network: Network, random: Random): { vpc: Vpc; tier: Tier; instance: Instance } | undefined {
  return pick(
    random,
    network.vpcs.flatMap((vpc) =>
      vpc.tiers.flatMap((tier) => tier.instances.map((instance) => ({ vpc, tier, instance }))),
    ),
  );
}

/** Takes it out of every balancer, and says out of which. */
function leave({ balancers }: Vpc, names: string[]): string[] {
  const left = balancers.filter(({ members }) => members.some((member) => names.includes(member)));
  for (const balancer of left) balancer.members = balancer.members.filter((member) => !names.includes(member));
  return left.map(({ name }) => name);
}

const namesOf = (all: readonly { name: string }[]): string[] => all.map(({ name }) => name);
const usedBy = ({ addresses }: Tier, guest: string): Address[] =>
  addresses.filter(({ guests }) => guests.includes(guest));
/** All that is in a tier and named after it or its guests. */
const inside = ({ name, acl, instances, addresses }: Tier): string[] => [
  name,
  acl?.name ?? "",
  ...namesOf(instances),
  ...namesOf(addresses),
];

const changes: Record<string, Change> = {
  addVpc(network, random) {
    if (network.vpcs.length >= 5) return undefined;
    const name = fresh(network, "vpc");
    const place = random() < 0.5 ? { place: network.next++ } : {};
    network.vpcs.push({ name, ...place, domain: `${name}.example`, tiers: [], balancers: [] });
    return { what: `add ${name}`, touches: ["zone", name] };
  },
  removeVpc(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc || network.vpcs.length < 3) return undefined;
    network.vpcs.splice(network.vpcs.indexOf(vpc), 1);
    const rest = [...namesOf(vpc.balancers), `${vpc.name}-peer`, vpc.nat64?.name ?? ""];
    return { what: `remove ${vpc.name}`, touches: ["zone", vpc.name, ...vpc.tiers.flatMap(inside), ...rest] };
  },
  addTier(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc) return undefined;
    const name = fresh(network, "tier");
    // In front or behind: the order counts for nothing.
    const tier: Tier = { name, device: `e${network.next++}`, instances: [], addresses: [] };
    if (vpc.place !== undefined) tier.place = free(vpc.tiers, 15);
    if (tier.place === 0) return undefined;
    vpc.tiers.splice(random() < 0.5 ? 0 : vpc.tiers.length, 0, tier);
    return { what: `add ${name} to ${vpc.name}`, touches: [vpc.name, name] };
  },
  removeTier(network, random) {
    const { vpc, tier } = anyTier(network, random) ?? {};
    if (!vpc || !tier) return undefined;
    vpc.tiers.splice(vpc.tiers.indexOf(tier), 1);
    const touches = [vpc.name, ...inside(tier), ...leave(vpc, namesOf(tier.instances))];
    return { what: `remove ${tier.name}`, touches };
  },
  addInstance(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier) return undefined;
    const name = fresh(network, "guest");
    const mac = `02:00:00:00:${[network.next >> 8, network.next & 255].map((it) => it.toString(16).padStart(2, "0")).join(":")}`;
    tier.instances.push({
      name,
      mac,
      host: name,
      ...(tier.place !== undefined && { place: free(tier.instances, 99) }),
    });
    return { what: `add ${name} to ${tier.name}`, touches: [tier.name, name] };
  },
  removeInstance(network, random) {
    const { vpc, tier, instance } = anyInstance(network, random) ?? {};
    if (!vpc || !tier || !instance) return undefined;
    tier.instances.splice(tier.instances.indexOf(instance), 1);
    const used = usedBy(tier, instance.name);
    for (const address of used) address.guests = address.guests.filter((it) => it !== instance.name);
    tier.addresses = tier.addresses.filter(({ guests }) => guests.length > 0);
    const touches = [tier.name, instance.name, ...namesOf(used), ...leave(vpc, [instance.name])];
    return { what: `remove ${instance.name}`, touches };
  },
  renameInstance(network, random) {
    const { vpc, tier, instance } = anyInstance(network, random) ?? {};
    // Members are known to HAProxy by their names.
    if (!vpc || !tier || !instance || leave(structuredClone(vpc), [instance.name]).length > 0) return undefined;
    const was = instance.name;
    const used = usedBy(tier, was);
    Object.assign(instance, { was, name: fresh(network, "guest") });
    renamed(used, was, instance.name);
    const touches = [tier.name, was, instance.name, ...namesOf(used)];
    return { what: `rename ${was} to ${instance.name}`, touches };
  },
  addAddress(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier || tier.instances.length === 0) return undefined;
    const name = fresh(network, "address");
    tier.addresses.push({ name, guests: namesOf(tier.instances).slice(0, 2) });
    return { what: `add ${name} to ${tier.name}`, touches: [tier.name, name] };
  },
  removeAddress(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    const gone = tier?.addresses.shift();
    return tier && gone && { what: `remove ${gone.name}`, touches: [tier.name, gone.name] };
  },
  shareAddress(network, random) {
    const { tier, instance } = anyInstance(network, random) ?? {};
    const address = tier?.addresses[0];
    if (!instance || !address) return undefined;
    const there = address.guests.includes(instance.name);
    if (there && address.guests.length === 1) return undefined;
    if (there) address.guests = address.guests.filter((it) => it !== instance.name);
    else address.guests.push(instance.name);
    return { what: `${instance.name} ${there ? "leaves" : "joins"} ${address.name}`, touches: [address.name] };
  },
  domain(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc) return undefined;
    vpc.domain = `${fresh(network, "domain")}.example`;
    return { what: `another domain for ${vpc.name}`, touches: [vpc.name, ...vpc.tiers.flatMap(inside)] };
  },
  acl(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier || tier.acl?.ignored) return undefined;
    const port = String(1024 + network.next++);
    tier.acl ??= { name: fresh(network, "acl"), ports: [] };
    tier.acl.ports.splice(Math.floor(random() * (tier.acl.ports.length + 1)), 0, port);
    return { what: `one rule more in ${tier.acl.name}`, touches: [tier.acl.name] };
  },
  removeAcl(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier?.acl) return undefined;
    const { name } = tier.acl;
    delete tier.acl;
    return { what: `remove ${name}`, touches: [name] };
  },
  addBalancer(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc) return undefined;
    const name = fresh(network, "balancer");
    const members = vpc.tiers.flatMap(({ instances }) => instances.map((it) => it.name)).slice(0, 2);
    vpc.balancers.push({ name, members });
    return { what: `add ${name} to ${vpc.name}`, touches: [vpc.name, name] };
  },
  removeBalancer(network, random) {
    const vpc = anyVpc(network, random);
    const gone = vpc?.balancers.shift();
    return vpc && gone && { what: `remove ${gone.name}`, touches: [vpc.name, gone.name] };
  },
  member(network, random) {
    const { vpc, instance } = anyInstance(network, random) ?? {};
    const balancer = vpc?.balancers[0];
    if (!instance || !balancer) return undefined;
    const there = balancer.members.includes(instance.name);
    if (there) balancer.members = balancer.members.filter((it) => it !== instance.name);
    else balancer.members.push(instance.name);
    return { what: `${instance.name} ${there ? "leaves" : "joins"} ${balancer.name}`, touches: [balancer.name] };
  },
  peer(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc) return undefined;
    // All that share the neighbour must say the same of it: one VPC at a time has the peer.
    const other = network.vpcs.find((it) => it.peer && it !== vpc);
    if (other) return undefined;
    const keepalive = 10 + (network.next++ % 20);
    // Never what it is already: every edit changes something.
    vpc.peer = { keepalive: keepalive === vpc.peer?.keepalive ? 30 : keepalive };
    return { what: `the peer of ${vpc.name}`, touches: [`${vpc.name}-peer`] };
  },
  ipv4(network, random) {
    const { vpc, tier } = anyTier(network, random) ?? {};
    if (!vpc || !tier || network.next > 250) return undefined;
    // An address that a member is known by goes with it.
    const touches = inside(tier);
    if (tier.ipv4 === undefined) tier.ipv4 = network.next++;
    else delete tier.ipv4;
    return { what: `${tier.name} ${tier.ipv4 === undefined ? "without" : "with"} IPv4`, touches };
  },
  password(network, random) {
    const { instance } = anyInstance(network, random) ?? {};
    if (!instance) return undefined;
    instance.password = `password-${network.next++}`;
    return { what: `a password for ${instance.name}`, touches: [instance.name] };
  },
  addGroup(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier?.acl || tier.acl.group !== undefined || tier.acl.ignored) return undefined;
    const name = fresh(network, "group");
    network.groups.push({ name, entries: ["2001:db8:7::/48"] });
    tier.acl.group = name;
    return { what: `${name} for ${tier.acl.name}`, touches: [name, tier.acl.name] };
  },
  entry(network, random) {
    const group = pick(random, network.groups);
    if (!group || network.vpcs.some(({ tiers }) => tiers.some(({ acl }) => acl?.group === group.name && acl.ignored)))
      return undefined;
    group.entries.push(`2001:db8:8::${(network.next++).toString(16)}`, `198.51.100.${network.next % 250}`);
    const lists = network.vpcs.flatMap(({ tiers }) =>
      tiers.flatMap(({ acl }) => (acl?.group === group.name ? acl.name : [])),
    );
    return { what: `two more entries in ${group.name}`, touches: [group.name, ...lists] };
  },
  nat64(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc || network.next > 250) return undefined;
    const had = vpc.nat64;
    if (had && random() < 0.5) {
      had.recursiveOnly = !had.recursiveOnly;
      return { what: `other DNS64 options of ${had.name}`, touches: [had.name] };
    }
    const name = had?.name ?? fresh(network, "nat");
    if (had) delete vpc.nat64;
    else vpc.nat64 = { name, pool: network.next++, recursiveOnly: true };
    return { what: `${had ? "remove" : "add"} ${name}`, touches: [vpc.name, name] };
  },
  nothing: () => ({ what: "nothing", touches: [] }),

  // Names that are new to Pulumi, for what is there.
  renameTier(network, random) {
    const { vpc, tier } = anyTier(network, random) ?? {};
    if (!vpc || !tier) return undefined;
    const was = tier.name;
    tier.name = fresh(network, "tier");
    const balancers = leave(structuredClone(vpc), namesOf(tier.instances));
    return {
      what: `${was} is called ${tier.name}, without an alias`,
      touches: [vpc.name, was, ...inside(tier), ...balancers],
    };
  },
  renameGuest(network, random) {
    const { vpc, tier, instance } = anyInstance(network, random) ?? {};
    if (!vpc || !tier || !instance) return undefined;
    const was = instance.name;
    instance.name = fresh(network, "guest");
    delete instance.was;
    const balancers = vpc.balancers.filter(({ members }) => members.includes(was));
    const used = usedBy(tier, was);
    renamed(used, was, instance.name);
    for (const balancer of balancers)
      balancer.members = balancer.members.map((it) => (it === was ? instance.name : it));
    return {
      what: `${was} is called ${instance.name}, without an alias`,
      touches: [tier.name, was, instance.name, ...namesOf(used), ...namesOf(balancers)],
    };
  },
  renameBalancer(network, random) {
    const vpc = anyVpc(network, random);
    const [balancer] = vpc?.balancers ?? [];
    if (!vpc || !balancer) return undefined;
    const was = balancer.name;
    balancer.name = fresh(network, "balancer");
    return { what: `${was} is called ${balancer.name}, without an alias`, touches: [vpc.name, was, balancer.name] };
  },
  renameList(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier?.acl) return undefined;
    const was = tier.acl.name;
    tier.acl.name = fresh(network, "acl");
    delete tier.acl.ignored;
    return { what: `${was} is called ${tier.acl.name}, without an alias`, touches: [was, tier.acl.name] };
  },

  // What one has another gets.
  devices(network, random) {
    const two = [anyTier(network, random), anyTier(network, random)].flatMap((it) => it ?? []);
    const [one, other] = two;
    if (!one || !other || one.tier === other.tier) return undefined;
    [one.tier.device, other.tier.device] = [other.tier.device, one.tier.device];
    const touches = two.flatMap(({ vpc, tier }) => {
      const balancers = leave(structuredClone(vpc), namesOf(tier.instances));
      return [...inside(tier), ...balancers, vpc.nat64?.name ?? ""];
    });
    return { what: `${one.tier.name} and ${other.tier.name} swap their interfaces`, touches };
  },
  macs: (network, random) => round(network, random, "mac"),
  addresses: (network, random) => round(network, random, "place"),

  // Options and commands.
  ignore(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    const acl = tier?.acl;
    if (!acl) return undefined;
    if (acl.ignored) {
      delete acl.ignored;
      return { what: `the rules of ${acl.name} count again`, touches: [acl.name] };
    }
    acl.ignored = true;
    acl.ports.push(String(1024 + network.next++));
    return { what: `nothing: a rule more in ${acl.name}, whose rules are ignored`, touches: [] };
  },
  replace(network, random) {
    const names = [anyInstance(network, random)?.instance.name, anyTier(network, random)?.tier.acl?.name];
    const those = names.filter((it) => it !== undefined);
    return those.length === 0
      ? undefined
      : { what: `${those.join(" and ")} once more`, touches: those, replace: those };
  },
};

function renamed(addresses: Address[], was: string, name: string): void {
  for (const it of addresses) it.guests = it.guests.map((guest) => (guest === was ? name : guest));
}

/** The lowest place that nobody has; 0: none. */
function free(all: { place?: number }[], most: number): number {
  for (let place = 1; place <= most; place++) if (!all.some((it) => it.place === place)) return place;
  return 0;
}

/** Of the guests of one tier each gets what the next one has. */
function round(network: Network, random: Random, what: "mac" | "place"): Edit | undefined {
  const { vpc, tier } = anyTier(network, random) ?? {};
  const guests = tier?.instances.slice(0, 2 + Math.floor(random() * 3)) ?? [];
  if (!vpc || !tier || guests.length < 2 || guests.some((it) => it[what] === undefined)) return undefined;
  const had = guests.map((it) => it[what]);
  for (const [at, guest] of guests.entries()) Object.assign(guest, { [what]: had[(at + 1) % had.length] });
  const names = namesOf(guests);
  const used = names.flatMap((name) => namesOf(usedBy(tier, name)));
  const members = what === "place" ? leave(structuredClone(vpc), names) : [];
  return {
    what: `${names.join(", ")}: each the ${what} of the next`,
    touches: [tier.name, ...names, ...used, ...members],
  };
}

/** Something to begin with: so many edits before any of it is there. */
export function begun(random: Random, edits: number): Network {
  const network: Network = { vpcs: [], groups: [], next: 1 };
  for (let count = 0; count < edits; count++) edit(network, random);
  // What is made has all that the program says; only afterwards something can be kept as it was.
  for (const { acl } of network.vpcs.flatMap(({ tiers }) => tiers)) delete acl?.ignored;
  return network;
}

/** `forced`: the engine can be told to make things once more. */
export function edit(network: Network, random: Random, { forced = false } = {}): Edit {
  for (;;) {
    const made = pick(random, Object.values(changes))?.(network, random);
    if (made && (forced || !made.replace)) return made;
  }
}
