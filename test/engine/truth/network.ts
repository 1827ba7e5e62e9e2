// A random network, and the program that makes it; edits.ts changes it.

export interface Network {
  vpcs: Vpc[];
  groups: Group[];
  /** Counts up: no two things have one name, and none comes back by chance. */
  next: number;
}

export interface Vpc {
  name: string;
  /** The third of its numbers that are its own; absent where its ledger is left to choose, for its tiers and guests too. */
  place?: number;
  domain: string;
  tiers: Tier[];
  balancers: Balancer[];
  peer?: { keepalive: number };
  nat64?: { name: string; pool: number; recursiveOnly: boolean };
}

/** An ExternalNetwork. */
export interface Group {
  name: string;
  entries: string[];
}

export interface Tier {
  name: string;
  device: string;
  instances: Instance[];
  addresses: Address[];
  /** `ignored`: its rules, by `ignoreChanges`; what they were when that began is what they are. */
  acl?: { name: string; ports: string[]; group?: string; ignored?: boolean };
  /** Its place in a VPC that has one. */
  place?: number;
  /** The second number of its IPv4 network, where it has one. */
  ipv4?: number;
}

export interface Instance {
  name: string;
  mac: string;
  /** What it was called before, and the name of its host, which stays. */
  was?: string;
  host: string;
  password?: string;
  /** Its place in a tier that has one. */
  place?: number;
}

/** A SecondaryAddress, and the guests that may use it. */
export interface Address {
  name: string;
  guests: string[];
}

export interface Balancer {
  name: string;
  members: string[];
}

/** Of a VPC, or of a tier in it: the ledger's own choices begin at the other end. */
const prefix = (vpc: number, tier = 0): string => `2001:67c:2834:${(0x2000 + vpc * 16 + tier).toString(16)}`;

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
    const cidr = vpc.place === undefined ? "" : `, cidr: "${prefix(vpc.place)}::/60"`;
    lines.push(
      `const ${id(vpc.name)} = new vpc6.Vpc("${vpc.name}", { zone, router, domain: "${vpc.domain}"${cidr} });`,
    );
    for (const tier of vpc.tiers) {
      const ipv4 = tier.ipv4 === undefined ? "" : `, ipv4: { cidr: "10.${tier.ipv4}.0.0/24" }`;
      const within = prefix(vpc.place ?? 0, tier.place);
      const explicit = tier.place === undefined ? "" : `, cidr: "${within}::/64"`;
      lines.push(
        `const ${id(tier.name)} = new vpc6.Tier("${tier.name}", { vpc: ${id(vpc.name)}, interface: "${tier.device}"${ipv4}${explicit} });`,
      );
      for (const { name, mac, was, host, password, place } of tier.instances) {
        const options = was === undefined ? "" : `, { aliases: [{ name: "${was}" }] }`;
        const at = place === undefined ? "" : `, address: "${within}::${(0xa0 + place).toString(16)}"`;
        const secret = password === undefined ? "" : `, password: pulumi.secret("${password}")`;
        lines.push(
          `const ${id(name)} = new vpc6.Instance("${name}", { tier: ${id(tier.name)}, mac: "${mac}", hostname: "${host}"${at}${secret} }${options});`,
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
        const options = tier.acl.ignored ? `, { ignoreChanges: ["rules"] }` : "";
        lines.push(
          `new vpc6.NetworkAcl("${tier.acl.name}", { tiers: [${id(tier.name)}], rules: [${rules.join(", ")}] }${options});`,
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
