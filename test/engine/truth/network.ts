// A random network as a program, random edits of it, and which resources an edit may touch: itself, the ledger it draws from, and who
// names it. Everything else must stay as it is.

import type { Random } from "../../random";

export interface Network {
  vpcs: Vpc[];
  groups: Group[];
  /** Counts up: no two things have one name, and none comes back by chance. */
  next: number;
}

interface Vpc {
  name: string;
  domain: string;
  tiers: Tier[];
  balancers: Balancer[];
  peer?: { keepalive: number };
  nat64?: { name: string; pool: number; recursiveOnly: boolean };
}

/** An ExternalNetwork. */
interface Group {
  name: string;
  entries: string[];
}

interface Tier {
  name: string;
  device: string;
  instances: Instance[];
  addresses: Address[];
  acl?: { name: string; ports: string[]; group?: string };
  /** The second number of its IPv4 network, where it has one. */
  ipv4?: number;
}

interface Instance {
  name: string;
  mac: string;
  /** What it was called before, and the name of its host, which stays. */
  was?: string;
  host: string;
  password?: string;
}

/** A SecondaryAddress, and the guests that may use it. */
interface Address {
  name: string;
  guests: string[];
}

interface Balancer {
  name: string;
  members: string[];
}

export interface Edit {
  what: string;
  /** The names of the resources that a preview may show as anything but the same. */
  touches: string[];
}

const pick = <T>(random: Random, items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];

export function program(network: Network, router: string): string {
  const lines = [
    `import * as pulumi from "@pulumi/pulumi";`,
    `import * as vpc6 from "vpc6";`,
    `const zone = new vpc6.Zone("zone", { superCidr: "2001:67c:2834::/50", asn: 4200000000, publicNetwork: { cidr: "2001:db8:ffff::/64" } });`,
    `const router = new vpc6.Router("router", { zone, ${router} });`,
  ];
  const id = (name: string): string => name.replaceAll("-", "_");
  for (const { name, entries } of network.groups)
    lines.push(`const ${id(name)} = new vpc6.ExternalNetwork("${name}", { entries: ${JSON.stringify(entries)} });`);
  for (const vpc of network.vpcs) {
    lines.push(`const ${id(vpc.name)} = new vpc6.Vpc("${vpc.name}", { zone, router, domain: "${vpc.domain}" });`);
    for (const tier of vpc.tiers) {
      const ipv4 = tier.ipv4 === undefined ? "" : `, ipv4: { cidr: "10.${tier.ipv4}.0.0/24" }`;
      lines.push(
        `const ${id(tier.name)} = new vpc6.Tier("${tier.name}", { vpc: ${id(vpc.name)}, interface: "${tier.device}"${ipv4} });`,
      );
      for (const { name, mac, was, host, password } of tier.instances) {
        const options = was === undefined ? "" : `, { aliases: [{ name: "${was}" }] }`;
        const secret = password === undefined ? "" : `, password: pulumi.secret("${password}")`;
        lines.push(
          `const ${id(name)} = new vpc6.Instance("${name}", { tier: ${id(tier.name)}, mac: "${mac}", hostname: "${host}"${secret} }${options});`,
        );
      }
      for (const { name, guests } of tier.addresses) {
        lines.push(
          `new vpc6.SecondaryAddress("${name}", { instances: [${guests.map(id).join(", ")}], hostname: "${name}" });`,
        );
      }
      if (tier.acl) {
        const from = tier.acl.group === undefined ? "" : `, sources: [${id(tier.acl.group)}]`;
        const rules = tier.acl.ports.map(
          (port) => `{ direction: "ingress", action: "allow", protocol: "tcp", ports: "${port}"${from} }`,
        );
        lines.push(
          `new vpc6.NetworkAcl("${tier.acl.name}", { tiers: [${id(tier.name)}], rules: [${rules.join(", ")}] });`,
        );
      }
    }
    for (const { name, members } of vpc.balancers) {
      const all = members.map((member) => `{ instance: ${id(member)}, port: 80 }`);
      lines.push(
        `new vpc6.LoadBalancer("${name}", { vpc: ${id(vpc.name)}, port: 80, mode: "tcp", members: [${all.join(", ")}] });`,
      );
    }
    if (vpc.nat64) {
      const { name, pool, recursiveOnly } = vpc.nat64;
      lines.push(
        `new vpc6.Nat64("${name}", { vpc: ${id(vpc.name)}, ipv4Pool: "10.${pool}.0.0/24", dns64: { recursiveOnly: ${recursiveOnly} } });`,
      );
    }
    if (vpc.peer) {
      lines.push(
        `new vpc6.BgpPeer("${vpc.name}-peer", { vpc: ${id(vpc.name)}, remoteAsn: 65000, timers: { keepalive: ${vpc.peer.keepalive}, hold: 90 } });`,
      );
    }
  }
  return lines.join("\n");
}

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

const changes: Record<string, Change> = {
  addVpc(network) {
    if (network.vpcs.length >= 5) return undefined;
    const name = fresh(network, "vpc");
    network.vpcs.push({ name, domain: `${name}.example`, tiers: [], balancers: [] });
    return { what: `add ${name}`, touches: ["zone", name] };
  },
  removeVpc(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc || network.vpcs.length < 3) return undefined;
    network.vpcs.splice(network.vpcs.indexOf(vpc), 1);
    const inside = vpc.tiers.flatMap(({ name, instances, addresses, acl }) => [
      name,
      acl?.name ?? "",
      ...namesOf(instances),
      ...namesOf(addresses),
    ]);
    const rest = [...vpc.balancers.map(({ name }) => name), `${vpc.name}-peer`, vpc.nat64?.name ?? ""];
    return { what: `remove ${vpc.name}`, touches: ["zone", vpc.name, ...inside, ...rest] };
  },
  addTier(network, random) {
    const vpc = anyVpc(network, random);
    if (!vpc) return undefined;
    const name = fresh(network, "tier");
    // In front or behind: the order counts for nothing.
    vpc.tiers.splice(random() < 0.5 ? 0 : vpc.tiers.length, 0, {
      name,
      device: `e${network.next++}`,
      instances: [],
      addresses: [],
    });
    return { what: `add ${name} to ${vpc.name}`, touches: [vpc.name, name] };
  },
  removeTier(network, random) {
    const { vpc, tier } = anyTier(network, random) ?? {};
    if (!vpc || !tier) return undefined;
    vpc.tiers.splice(vpc.tiers.indexOf(tier), 1);
    const instances = namesOf(tier.instances);
    const inside = [tier.acl?.name ?? "", ...instances, ...namesOf(tier.addresses)];
    const touches = [vpc.name, tier.name, ...inside, ...leave(vpc, instances)];
    return { what: `remove ${tier.name}`, touches };
  },
  addInstance(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier) return undefined;
    const name = fresh(network, "guest");
    const mac = `02:00:00:00:${[network.next >> 8, network.next & 255].map((it) => it.toString(16).padStart(2, "0")).join(":")}`;
    tier.instances.push({ name, mac, host: name });
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
    for (const it of used) it.guests = it.guests.map((guest) => (guest === was ? instance.name : guest));
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
    const inside = vpc.tiers.flatMap((it) => [it.name, ...namesOf(it.instances), ...namesOf(it.addresses)]);
    return { what: `another domain for ${vpc.name}`, touches: [vpc.name, ...inside] };
  },
  acl(network, random) {
    const { tier } = anyTier(network, random) ?? {};
    if (!tier) return undefined;
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
    const touches = [tier.name, ...namesOf(tier.instances), ...namesOf(tier.addresses)];
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
    if (!tier?.acl || tier.acl.group !== undefined) return undefined;
    const name = fresh(network, "group");
    network.groups.push({ name, entries: ["2001:db8:7::/48"] });
    tier.acl.group = name;
    return { what: `${name} for ${tier.acl.name}`, touches: [name, tier.acl.name] };
  },
  entry(network, random) {
    const group = pick(random, network.groups);
    if (!group) return undefined;
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
};

export function edit(network: Network, random: Random): Edit {
  for (;;) {
    const made = pick(random, Object.values(changes))?.(network, random);
    if (made) return made;
  }
}
