// Two copies of the package in one program (a component package may bring its own) are as good as one: whatever resource of the one is
// given to the other, the same is registered, and what one copy refuses, two refuse. Which arguments take resources the types say.

import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import ts from "typescript";
import { describe, expect, test, vi } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { PROTOCOL, VERSION } from "../../resources/copies";

type Copy = typeof import("../../resources/index");
/** The classes that a program builds. */
type Class = Exclude<keyof Copy, "SharedZone" | "SharedRouter">;

async function copy(): Promise<Copy> {
  vi.resetModules();
  return await import("../../resources/index");
}
const [A, B] = [await copy(), await copy()];

const MARK = Symbol.for("vpc6");
interface Mark {
  protocol: number;
  kinds: string[];
}
const markOf = (value: unknown): Mark | undefined => (value as { [MARK]?: Mark } | null | undefined)?.[MARK];

interface Registered {
  type: string;
  name: string;
  inputs: unknown;
}
let registered: Registered[] = [];

// Outputs that tell whose they are, so that a resource which was not understood shows in the inputs of another.
const SHARED = {
  ams1: { vpc6: "zone", name: "ams1", ledger: "", reserved: [] },
  vr1: { vpc6: "router", router: "vr1 root@192.0.2.1:22 SHA256:x", address: "2001:db8:ffff::9" },
};
await pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs }) => {
    if (type === "pulumi:pulumi:StackReference") return { id: name, state: { ...inputs, outputs: SHARED } };
    registered.push({ type, name, inputs });
    const outputs = ["address", "cidr", "domain", "entries", "gateway", "interface", "ipv4Address", "router"];
    const own = Object.fromEntries(outputs.map((key) => [key, `${key} of ${name}`]));
    return {
      id: `${name}-id`,
      state: { ...inputs, ...own, ipv4: { cidr: `cidr4 of ${name}`, gateway: "", dhcp: true } },
    };
  },
  call: () => ({}),
});

// Where in a program each resource is made is not asked here, nor where each of the SDK's promises is: they cost more than all else.
Object.assign(pulumi.Resource, { callsites: () => [] });
Error.stackTraceLimit = 0;

/** Called before a resource is built; may change the arguments. */
type Before = (kind: Class, name: string, args: Record<string, unknown>) => void;

/** A program in which every argument that takes a resource gets one of every kind it takes; `of` says which copy builds what. */
function program(of: (name: string) => Copy, before: Before = () => {}): Map<string, object> {
  const all = new Map<string, object>();
  const build = (kind: Class, name: string, args: object) => {
    before(kind, name, args as Record<string, unknown>);
    const made = new (of(name)[kind] as unknown as new (name: string, args: object) => pulumi.Resource)(name, args);
    all.set(name, made);
    // biome-ignore lint/suspicious/noExplicitAny: of whichever class was asked for
    return made as any;
  };
  const owner = new pulumi.StackReference("organization/zones/dev");
  const sharedZone = of("shared-zone").Zone.fromStack(owner, "ams1");
  const sharedRouter = of("shared-router").Router.fromStack(owner, "vr1");
  all.set("shared-zone", sharedZone).set("shared-router", sharedRouter);
  const machine = { hostKey: "SHA256:x", publicInterface: "pub0" };
  const zone = build("Zone", "zone", { superCidr: "2001:67c:2834::/50", reserve: ["kept"] });
  const router = build("Router", "router", { zone, host: "192.0.2.1", ...machine });
  build("Router", "router-there", { zone: sharedZone, host: "192.0.2.2", ...machine });
  const vpc = build("Vpc", "vpc", { zone, router });
  const there = build("Vpc", "vpc-there", { zone: sharedZone, router: sharedRouter });
  build("Vpc", "vpc-zone-there", { zone: sharedZone, router });
  build("Vpc", "vpc-router-there", { zone, router: sharedRouter });
  const tier = build("Tier", "tier", { vpc, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
  const tier2 = build("Tier", "tier2", { vpc: there, interface: "web1" });
  const alone = build("IsolatedNetwork", "alone", { zone, router, interface: "p0" });
  const alone2 = build("IsolatedNetwork", "alone2", { zone: sharedZone, router: sharedRouter, interface: "p1" });
  build("IsolatedNetwork", "alone-zone-there", { zone: sharedZone, router, interface: "p2" });
  build("IsolatedNetwork", "alone-router-there", { zone, router: sharedRouter, interface: "p3" });
  const guest = build("Instance", "guest", { tier, mac: "02:00:00:00:01:11", password: "correct-horse" });
  const guest4 = build("Instance", "guest4", { tier, mac: "02:00:00:00:01:12", ipv6: false });
  build("Instance", "printer", { tier: alone, mac: "02:00:00:00:01:11" });
  const vip = build("SecondaryAddress", "vip", { instances: [guest] });
  const group = build("ExternalNetwork", "group", { entries: ["2001:db8:7::/48"] });
  const members = [guest, guest4].map((instance) => ({ instance, port: 80 }));
  const www = build("LoadBalancer", "www", { vpc, port: 80, mode: "tcp", members });
  build("LoadBalancer", "www-tls", { vpc, port: 443, mode: "tcp", members: [], address: www });
  build("LoadBalancer", "www-more", { vpc, port: 444, mode: "tcp", members: [], address: www });
  const ends = [tier, alone, guest, vip, group];
  build("NetworkAcl", "list", {
    tiers: [tier, alone],
    rules: [{ direction: "ingress", action: "allow", protocol: "tcp", sources: ends }],
    tests: ends.flatMap((end) => [
      { from: end, to: "::/0", protocol: "tcp", port: 1, expect: "deny" },
      { from: "::/0", to: end, protocol: "tcp", port: 1, expect: "deny" },
    ]),
  });
  build("NetworkAcl", "list2", { tiers: [tier2, alone2], preset: "denyAll" });
  build("Nat64", "nat64", { vpc });
  build("Nat64", "nat64-there", { vpc: there });
  build("Tier", "tier3", { vpc, interface: "web3", ipv4: { cidr: "10.1.2.0/24" } });
  build("BgpPeer", "peer", { vpc, remoteAsn: 65000 });
  build("BgpPeer", "peer-there", { vpc: there, remoteAsn: 65000 });
  build("Uplink", "uplink", { zone, host: "192.0.2.9", hostKey: "SHA256:x", asn: 65000 });
  build("Vpc", "kept", { zone, router });
  return all;
}

const settled = (made: Iterable<object>) =>
  Promise.all([...made].map((it) => pulumi.Resource.isInstance(it) && new Promise((resolve) => it.urn.apply(resolve))));

async function registrations(of: (name: string) => Copy): Promise<Registered[]> {
  registered = [];
  await settled(program(of).values());
  return registered.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Every resource in a resource's arguments, with its path. */
function resourcesIn(value: unknown, at: string): { at: string; mark: Mark; holder: object; key: string }[] {
  const found = [];
  for (const [key, one] of Object.entries(value as object)) {
    const here = Array.isArray(value) ? `${at}[]` : `${at}.${key}`;
    const mark = markOf(one);
    if (mark) found.push({ at: here, mark, holder: value as object, key });
    else if (typeof one === "object" && one !== null) found.push(...resourcesIn(one, here));
  }
  return found;
}

/** Every place in the program where a resource is given to another: `LoadBalancer.members[].instance: Instance`. */
const given = new Set<string>();
const example = program(
  () => A,
  (kind, _, args) => {
    for (const { at, mark } of resourcesIn(args, kind)) given.add(`${at}: ${mark.kinds[0]}`);
  },
);
await settled(example.values());
const names = [...example.keys()];

/** From the types: `LoadBalancer.members[].instance: Instance`, for every class that a constructor takes somewhere. */
function taken(): string[] {
  const root = path.join(import.meta.dirname, "../..");
  const index = path.join(root, "resources/index.ts");
  const config = ts.readConfigFile(path.join(root, "tsconfig.dist.json"), ts.sys.readFile).config.compilerOptions;
  const { options } = ts.convertCompilerOptionsFromJson({ ...config, noEmit: true }, root);
  const compiled = ts.createProgram([index], options);
  const checker = compiled.getTypeChecker();
  const source = compiled.getSourceFile(index);
  const module = source && checker.getSymbolAtLocation(source);
  const exported = module ? checker.getExportsOfModule(module) : [];
  const classes = exported
    .map((it) => (it.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(it) : it))
    .filter(({ flags }) => flags & ts.SymbolFlags.Class);
  const ours = (symbol: ts.Symbol | undefined) =>
    symbol?.declarations?.some((it) => it.getSourceFile().fileName.startsWith(path.join(root, "resources/")));
  /** A class and those that extend it. */
  const line = (symbol: ts.Symbol): ts.Symbol[] => [
    symbol,
    ...classes.filter((it) => {
      const instance = checker.getDeclaredTypeOfSymbol(it) as ts.InterfaceType;
      return checker.getBaseTypes(instance).some((base) => base.symbol === symbol);
    }),
  ];
  const found = new Set<string>();
  const walk = (type: ts.Type, at: string, above: ts.Type[]): void => {
    if (above.includes(type)) return;
    const next = [...above, type];
    if (type.isUnionOrIntersection()) for (const one of type.types) walk(one, at, next);
    else if (checker.isArrayType(type)) {
      for (const one of checker.getTypeArguments(type as ts.TypeReference)) walk(one, `${at}[]`, next);
    } else if (type.symbol && classes.includes(type.symbol)) {
      for (const { name } of line(type.symbol)) found.add(`${at}: ${name}`);
    } else if (ours(type.symbol)) {
      for (const property of type.getProperties()) {
        walk(checker.getTypeOfSymbol(property), `${at}.${property.name}`, next);
      }
    }
  };
  for (const symbol of classes) {
    const [signature] = checker.getTypeOfSymbol(symbol).getConstructSignatures();
    const args = signature?.parameters.find(({ name }) => name === "args");
    if (args) walk(checker.getTypeOfSymbol(args), symbol.name, []);
  }
  return [...found].sort();
}

test("the program gives every argument that takes a resource one of every kind that its type takes", () => {
  const types = taken();
  expect(types).toContain("LoadBalancer.members[].instance: Instance");
  expect([...given].sort()).toEqual(types);
});

describe("of two copies", async () => {
  const alone = await registrations(() => A);

  test("neither knows the other's classes", () => {
    expect(alone.length).toBe(names.length - 2);
    expect(A.Tier).not.toBe(B.Tier);
    expect(A.SharedZone).not.toBe(B.SharedZone);
  });

  test.each(names)("the other makes %s, and the same is registered", async (odd) => {
    expect(await registrations((name) => (name === odd ? B : A))).toEqual(alone);
    expect(await registrations((name) => (name === odd ? A : B))).toEqual(alone);
  });

  test("each makes every other resource, and the same is registered", async () => {
    expect(await registrations((name) => (names.indexOf(name) % 2 ? B : A))).toEqual(alone);
  });

  test.each(Object.keys(A) as (keyof Copy)[])("both know what is a %s", (kind) => {
    const instances = [...example.values()].filter((it) => it instanceof A[kind]);
    expect(instances).not.toEqual([]);
    expect([...example.values()].filter((it) => A[kind].isInstance(it))).toEqual(instances);
    expect([...example.values()].filter((it) => B[kind].isInstance(it))).toEqual(instances);
    for (const other of [undefined, null, "text", {}, pulumi.output("text")])
      expect(B[kind].isInstance(other)).toBe(false);
  });
});

describe("what one copy refuses, two refuse:", () => {
  const machine = { hostKey: "SHA256:x", publicInterface: "pub0", host: "192.0.2.1" };
  const mac = "02:00:00:00:00:aa";
  const guest = { mac, tier: undefined };
  const balancer = { port: 80, mode: "tcp" as const, members: [] };
  /** The parents are made by one copy, then two resources that cannot both be, each by a copy. */
  const cases: [string, RegExp, (parents: Parents, first: Copy, second: Copy) => void][] = [
    [
      "two lists on one tier",
      /^NetworkAcl "b" and NetworkAcl "a" both name tier "tier"/,
      ({ tier }, one, two) => {
        new one.NetworkAcl("a", { tiers: [tier], preset: "denyAll" });
        new two.NetworkAcl("b", { tiers: [tier], preset: "allowAll" });
      },
    ],
    [
      "two Nat64 in one VPC",
      /^Nat64 "b" and Nat64 "a" are in one VPC/,
      ({ vpc }, one, two) => {
        new one.Nat64("a", { vpc });
        new two.Nat64("b", { vpc });
      },
    ],
    [
      "two translators of one router with one prefix",
      /^Nat64 "b" and Nat64 "a" are on one router and both have 64:ff9b::\/96/,
      ({ vpc, zone, router }, one, two) => {
        new one.Nat64("a", { vpc, prefix: "64:ff9b::/96" });
        new two.Nat64("b", { vpc: new two.Vpc("other", { zone, router }), prefix: "64:ff9b::/96" });
      },
    ],
    [
      "two Routers of one machine",
      /^Router "b" and Router "a" are both the machine 192\.0\.2\.77: it is one Router/,
      ({ zone }, one, two) => {
        const machine = { zone, host: "192.0.2.77", hostKey: `SHA256:${"A".repeat(43)}`, publicInterface: "pub0" };
        new one.Router("a", machine);
        new two.Router("b", machine);
      },
    ],
    [
      "two tiers on one interface",
      /^Tier "b" and Tier "a" both have the interface eth1 of one router/,
      ({ vpc }, one, two) => {
        new one.Tier("a", { vpc, interface: "eth1" });
        new two.Tier("b", { vpc, interface: "eth1" });
      },
    ],
    [
      "two on one interface by its MAC address",
      /^IsolatedNetwork "b" and Tier "a" both have the interface 02:00:00:00:00:aa of one router/,
      ({ vpc, zone, router }, one, two) => {
        new one.Tier("a", { vpc, mac });
        new two.IsolatedNetwork("b", { zone, router, mac: "02-00-00-00-00-AA" });
      },
    ],
    [
      "two tiers on one VLAN",
      /^Tier "b" and Tier "a" both have VLAN 101 on the interface trunk0 of one router: each needs a VLAN of its own/,
      ({ vpc }, one, two) => {
        new one.Tier("beside", { vpc, interface: "trunk0" });
        new one.Tier("other", { vpc, interface: "trunk0", vlan: 102 });
        new one.Tier("a", { vpc, interface: "trunk0", vlan: 101 });
        new two.Tier("b", { vpc, interface: "trunk0", vlan: 101 });
      },
    ],
    [
      "a VLAN, and its link by name",
      /^Tier "b" and IsolatedNetwork "a" both have the interface trunk0\.101 of one router/,
      ({ vpc, zone, router }, one, two) => {
        new one.IsolatedNetwork("a", { zone, router, interface: "trunk0", vlan: 101 });
        new two.Tier("b", { vpc, interface: "trunk0.101" });
      },
    ],
    [
      "a tier on the public interface",
      /^Tier "b" and Router "router" \(its public side\) both have the interface pub0/,
      ({ vpc }, _one, two) => {
        new two.Tier("b", { vpc, interface: "pub0" });
      },
    ],
    [
      "a tier on the public VLAN",
      /^Tier "b" and Router "tagged" \(its public side\) both have VLAN 7 on the interface trunk0/,
      ({ zone }, one, two) => {
        const way = { host: "192.0.2.78", hostKey: `SHA256:${"A".repeat(43)}` };
        const router = new one.Router("tagged", { zone, ...way, publicInterface: "trunk0", publicVlan: 7 });
        const vpc = new one.Vpc("tagged", { zone, router });
        new one.Tier("a", { vpc, interface: "trunk0" });
        new two.Tier("b", { vpc, interface: "trunk0", vlan: 7 });
      },
    ],
    [
      "two guests with one MAC address",
      /^instance "b" and instance "a" of one tier have the same MAC address/,
      ({ tier }, one, two) => {
        new one.Instance("a", { ...guest, tier });
        new two.Instance("b", { ...guest, tier });
      },
    ],
    [
      "two guests of one name",
      /two resources claim instance "same" of tier "tier"/,
      ({ tier }, one, two) => {
        new one.Instance("a", { tier, mac, claim: "same" });
        new two.Instance("b", { tier, mac, claim: "same" });
      },
    ],
    [
      "two tiers of one name",
      /two resources claim tier "same" of VPC "vpc"/,
      ({ vpc }, one, two) => {
        new one.Tier("a", { vpc, interface: "a", claim: "same" });
        new two.Tier("b", { vpc, interface: "b", claim: "same" });
      },
    ],
    [
      "two VPCs of one name",
      /two resources claim vpc "same" of zone "zone"/,
      ({ zone, router }, one, two) => {
        new one.Vpc("a", { zone, router, claim: "same" });
        new two.Vpc("b", { zone, router, claim: "same" });
      },
    ],
    [
      "two VPCs of one name in another stack's zone",
      /two resources claim vpc "same" of the zone in output "ams1"/,
      ({ sharedZone, router }, one, two) => {
        new one.Vpc("a", { zone: sharedZone, router, claim: "same" });
        new two.Vpc("b", { zone: sharedZone, router, claim: "same" });
      },
    ],
    [
      "two tiers of one domain",
      /tier "Web_v2" and tier "web.v2" are both "web-v2.vpc.internal" in DNS/,
      ({ vpc }, one, two) => {
        new one.Tier("web.v2", { vpc, interface: "a" });
        new two.Tier("Web_v2", { vpc, interface: "b" });
      },
    ],
    [
      "two routers of one name",
      /two resources claim router "same" of zone "zone"/,
      ({ zone }, one, two) => {
        new one.Router("a", { zone, ...machine, host: "192.0.2.3", claim: "same" });
        new two.Router("b", { zone, ...machine, host: "192.0.2.2", claim: "same" });
      },
    ],
    [
      "two isolated networks of one name",
      /two resources claim isolated "same" of zone "zone"/,
      ({ zone, router }, one, two) => {
        new one.IsolatedNetwork("a", { zone, router, interface: "a", claim: "same" });
        new two.IsolatedNetwork("b", { zone, router, interface: "b", claim: "same" });
      },
    ],
    [
      "two balancers of one name",
      /two resources claim vip "same" of VPC "vpc"/,
      ({ vpc }, one, two) => {
        new one.LoadBalancer("a", { vpc, ...balancer, claim: "same" });
        new two.LoadBalancer("b", { vpc, ...balancer, claim: "same" });
      },
    ],
  ];
  const parentsOf = (of: Copy) => {
    const zone = new of.Zone("zone", { superCidr: "2001:67c:2834::/50" });
    const router = new of.Router("router", { zone, ...machine });
    const vpc = new of.Vpc("vpc", { zone, router });
    const tier = new of.Tier("tier", { vpc, interface: "web0" });
    const sharedZone = of.Zone.fromStack(new pulumi.StackReference("organization/zones/dev"), "ams1");
    return { zone, router, vpc, tier, sharedZone };
  };
  type Parents = ReturnType<typeof parentsOf>;

  test.each(cases)("%s", (_, words, make) => {
    for (const parents of [A, B]) {
      for (const first of [A, B]) {
        for (const second of [A, B]) expect(() => make(parentsOf(parents), first, second)).toThrow(words);
      }
    }
  });

  test("what comes too late for a parent, or for an Uplink", async () => {
    for (const [one, two] of [
      [A, B],
      [B, A],
    ] as const) {
      const { zone, router, vpc, tier } = parentsOf(one);
      new two.BgpPeer("in-time", { vpc, remoteAsn: 65000 });
      await settled([zone, router, vpc, tier]);
      registered = [];
      await settled([new one.Uplink("uplink", { zone, host: "192.0.2.9", hostKey: "SHA256:x", asn: 65000 })]);
      expect(registered).toMatchObject([{ name: "uplink", inputs: { sessions: [{ peer: "in-time" }] } }]);
      await Promise.all([zone, vpc, tier].map(({ claims }) => claims.closed));
      expect(() => new two.BgpPeer("late", { vpc, remoteAsn: 65000 })).toThrow(
        'BgpPeer "late" comes too late for Uplink "uplink"',
      );
      expect(() => new two.Vpc("late", { zone, router })).toThrow('vpc "late" comes too late for zone "zone"');
      const late = { zone, host: "192.0.2.9", hostKey: "SHA256:x", publicInterface: "pub0" };
      expect(() => new two.Router("late", late)).toThrow('reserve: [{ kind: "router", name: "late" }] on the parent.');
      expect(() => new two.Instance("late", { tier, mac })).toThrow('instance "late" comes too late for tier "tier"');
    }
  });
});

describe("wherever a resource is given", () => {
  /** What is said when `wrong` is given there instead, for every place in the program; of a refused one nothing is left. */
  async function said(wrong: (place: { at: string; mark: Mark; kinds: Set<string> }) => unknown[]) {
    const all: { at: string; name: string; wrong: unknown; message: string }[] = [];
    const made = program(
      () => A,
      (kind, name, args) => {
        const places = resourcesIn(args, kind);
        for (const { at, mark, holder, key } of places) {
          const kinds = new Set(
            [...given].flatMap((it) => (it.startsWith(`${at}: `) ? [it.slice(at.length + 2)] : [])),
          );
          const slot = holder as Record<string, unknown>;
          const right = slot[key];
          for (const other of wrong({ at, mark, kinds })) {
            slot[key] = other;
            let message = "accepted";
            try {
              new (A[kind] as unknown as new (name: string, args: object) => object)(name, args);
            } catch (error) {
              message = String(error);
            }
            all.push({ at, name, wrong: other, message });
          }
          slot[key] = right;
        }
      },
    );
    await settled(made.values());
    return all;
  }
  /** `NetworkAcl.rules[].sources[]` → how a message begins that is about it. */
  const beginning = ({ at, name }: { at: string; name: string }) => {
    const [kind = "", ...rest] = at.split(".");
    return `^Error: ${kind} "${name}": ${rest.join("\\.").replaceAll("[]", "\\[\\d+\\]")} is `;
  };

  test("one of a copy with another protocol is refused in words", async () => {
    const places = await said(({ mark }) => [{ [MARK]: { ...mark, protocol: PROTOCOL + 1, version: "9.8.7" } }]);
    expect(places.length).toBeGreaterThan(30);
    for (const place of places) {
      const words = '\\w+ "[\\w-]+" of vpc6 9\\.8\\.7, another copy of the package that this one.*npm ls vpc6';
      expect(place.message).toMatch(new RegExp(beginning(place) + words));
    }
  });

  test("a resource of a kind that is not taken there is refused in words", async () => {
    const others = [...new Map([...example.values()].map((it) => [markOf(it)?.kinds[0], it])).values()];
    expect(others.length).toBe(Object.keys(A).length);
    const places = await said(({ kinds }) => others.filter((it) => !markOf(it)?.kinds.some((kind) => kinds.has(kind))));
    expect(new Set(places.map(({ at }) => at))).toEqual(new Set([...given].map((it) => it.split(": ")[0])));
    for (const place of places) {
      expect(place.message).toMatch(new RegExp(`${beginning(place)}\\w+ "[\\w-]+"; it must be `));
    }
  });

  test("what is no resource of vpc6 is refused in words that say nothing of it", async () => {
    const component = new pulumi.ComponentResource("a:b:Component", "c");
    const secret = pulumi.secret("correct-horse");
    const places = await said(({ at }) => {
      // A rule's end may be an address, which may be an output; what is missing there, or is no address, the hooks refuse.
      if (/sources|from$|to$/.test(at)) return [{ text: "correct-horse" }, component];
      // These can be left out.
      if (/instance$|address$/.test(at)) return [{ text: "correct-horse" }, component, secret];
      return [{ text: "correct-horse" }, "correct-horse", component, secret, undefined, null];
    });
    for (const place of places) {
      expect(place.message).toMatch(new RegExp(`${beginning(place)}.*; it must be `));
      expect(place.message).not.toContain("correct-horse");
    }
  });
});

test("package.json says the version and the protocol that the code says", () => {
  expect(manifest.version).toBe(VERSION);
  expect(manifest.vpc6).toEqual({ protocol: PROTOCOL });
});
