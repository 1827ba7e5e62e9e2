// What a constructor refuses reaches the user in its own words: a refusal (resources/refusal.ts), of which the Pulumi CLI shows no stack trace. Whatever stands in
// whichever argument, a constructor takes it (its hooks then judge it), or throws one.

import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import * as vpc6 from "../../resources/index";

await pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) });

// Where in a program each resource is made is not asked here, nor where each of the SDK's promises is: they cost more than all else.
Object.assign(pulumi.Resource, { callsites: () => [] });
Error.stackTraceLimit = 0;

let count = 0;
const way = { host: "192.0.2.1", hostKey: "SHA256:x" };

/**
 * What resources are built on, built when it is looked at. Anew for each, as claims are closed when a program has nothing left to run.
 */
class World {
  readonly zone = new vpc6.Zone(`zone${count++}`, {
    superCidr: "2001:67c:2834::/50",
    isolatedCidr: "2001:db8:2800::/56",
    asn: 64512,
  });
  readonly #made = new Map<string, pulumi.Resource>();
  #once<T extends pulumi.Resource>(name: string, make: (name: string) => T): T {
    const found = (this.#made.get(name) as T | undefined) ?? make(name);
    this.#made.set(name, found);
    return found;
  }
  get router() {
    return this.#once("vr1", (name) => new vpc6.Router(name, { zone: this.zone, ...way, publicInterface: "pub0" }));
  }
  get vpc() {
    return this.#once("shop", (name) => new vpc6.Vpc(name, { zone: this.zone, router: this.router }));
  }
  get tier() {
    const args = { interface: "web0", ipv4: { cidr: "10.1.1.0/24" } };
    return this.#once("web", (name) => new vpc6.Tier(name, { vpc: this.vpc, ...args }));
  }
  get instance() {
    return this.#once("web1", (name) => new vpc6.Instance(name, { tier: this.tier, mac: "02:00:00:00:01:11" }));
  }
}

type Class = new (name: string, args: never) => pulumi.Resource;
/** With every argument that there is, so that each can be replaced. */
const right: Record<string, (world: World) => Record<string, unknown>> = {
  Zone: () => ({
    superCidr: "2001:db8::/48",
    asn: 64512,
    asnRange: undefined,
    publicNetwork: { cidr: "2001:db8:ffff::/64" },
    vpcPrefixLength: 60,
    isolatedCidr: "2001:db8:2800::/56",
    reserve: ["x", { kind: "router", name: "y", address: "2001:db8:ffff::9" }],
  }),
  Router: ({ zone }) => ({
    zone,
    ...way,
    port: 22,
    user: "root",
    publicInterface: "pub0",
    publicVlan: 7,
    proxy: way,
    address: "2001:db8::9",
    asn: 64512,
    dnsServers: ["::1"],
    publicServices: ["tcp/1"],
    adopt: true,
    claim: undefined,
  }),
  Vpc: ({ zone, router }) => ({
    zone,
    router,
    cidr: "2001:db8::/60",
    vpcPrefixLength: 60,
    domain: "x",
    ntpServers: [],
    ipv6: true,
    reserve: ["x"],
    claim: undefined,
  }),
  Tier: ({ vpc }) => ({
    vpc,
    interface: "x0",
    mac: "02:00:00:00:01:01",
    vlan: 101,
    cidr: "2001:db8::/64",
    gateway: "2001:db8::1",
    ipv4: { cidr: "10.0.0.0/24" },
    domain: "x",
    reserve: ["x"],
    claim: undefined,
  }),
  IsolatedNetwork: ({ zone, router }) => ({
    zone,
    router,
    interface: "x0",
    mac: undefined,
    vlan: undefined,
    cidr: undefined,
    gateway: undefined,
    ipv4: undefined,
    domain: "x",
    ntpServers: [],
    reserve: ["x"],
    claim: undefined,
  }),
  Instance: ({ tier }) => ({
    tier,
    mac: undefined,
    duid: undefined,
    address: undefined,
    ipv4Address: undefined,
    ipv6: true,
    ipv4: true,
    hostname: "x",
    password: "x",
    claim: undefined,
  }),
  SecondaryAddress: ({ instance }) => ({
    instances: [instance],
    address: undefined,
    ipv4Address: undefined,
    ipv6: true,
    ipv4: true,
    hostname: "x",
    claim: undefined,
  }),
  ExternalNetwork: () => ({ entries: [] }),
  NetworkAcl: ({ tier, instance }) => ({
    tiers: [tier],
    rules: [{ direction: "ingress", action: "allow", protocol: "tcp", sources: [tier, instance] }],
    preset: undefined,
    tests: [{ from: "::/0", to: tier, protocol: "tcp", expect: "deny" }],
  }),
  LoadBalancer: ({ vpc, instance }) => ({
    vpc,
    port: 80,
    mode: "http",
    algorithm: undefined,
    health: "tcp",
    tls: { certificate: "x", privateKey: "x" },
    proxyProtocol: false,
    members: [{ instance, port: 80 }],
    sources: ["::/0"],
    address: undefined,
    claim: undefined,
  }),
  BgpPeer: ({ vpc }) => ({
    vpc,
    remoteAsn: 65000,
    address: undefined,
    timers: {},
    bfd: true,
    password: "x",
    multihop: 2,
    acceptDefault: true,
    import: [],
    export: [],
  }),
  Nat64: ({ vpc }) => ({ vpc: vpc, prefix: undefined, ipv4Pool: "10.0.0.0/24", dns64: true, claim: undefined }),
  Uplink: ({ zone }) => ({
    zone,
    ...way,
    port: 22,
    user: "root",
    proxy: way,
    asn: 65000,
    address: undefined,
    accept: "supernet",
    listen: "::/0",
    neighbors: [],
    announceDefault: true,
    maximumPrefix: 1,
    timers: {},
    bfd: true,
    password: "x",
    multihop: 2,
  }),
};

const WRONG = ({ zone }: World): Record<string, unknown> => ({
  nothing: undefined,
  null: null,
  "a number": 7,
  "a text": "§",
  "a boolean": true,
  "an object": { "§": 1 },
  "a list": ["§"],
  "a list of numbers": [7],
  "a list of nothing": [undefined, null],
  "an output": pulumi.output("x"),
  "a promise": Promise.resolve("x"),
  "a resource": zone,
});

const WRONGS = Object.keys(WRONG(new World()));

/** Every place of a value: itself, and what is inside it. */
function* places(value: unknown, at = ""): Generator<[string, (wrong: unknown) => unknown]> {
  if (at !== "") yield [at, (wrong) => wrong];
  if (typeof value !== "object" || value === null || pulumi.Resource.isInstance(value)) return;
  for (const key of Object.keys(value)) {
    for (const [path, put] of places((value as never)[key], at === "" ? key : `${at}.${key}`)) {
      yield [path, (wrong) => Object.assign(Array.isArray(value) ? [...value] : { ...value }, { [key]: put(wrong) })];
    }
  }
}

const classes = vpc6 as unknown as Record<string, Class>;
const cases = Object.keys(right).flatMap((kind) =>
  [...places(right[kind]?.(new World()))].map(([at]) => [kind, at] as const),
);

test.each(cases)("%s: %s is what it cannot be", (kind, at) => {
  for (const what of WRONGS) {
    const it = new World();
    const [, put = () => undefined] = [...places(right[kind]?.(it))].find(([path]) => path === at) ?? [];
    build(kind, put(WRONG(it)[what]));
  }
});

test.each(Object.keys(right))("%s: without arguments, or with what is none; with those that are right", (kind) => {
  for (const args of [undefined, null, 7, "x", []]) expect(build(kind, args)).toBeDefined();
  expect(build(kind, right[kind]?.(new World()))).toBeUndefined();
});

/** What it was refused with. */
function build(kind: string, args: unknown): string | undefined {
  try {
    new (classes[kind] as Class)(`${kind}-x`, args as never);
    return undefined;
  } catch (error) {
    if (!(error instanceof pulumi.RunError)) throw error;
    expect(error.message).not.toMatch(/undefined|\[object|vpc6 bug|comes too late/);
    return error.message;
  }
}

test("resources/ throws nothing else, but for bugs", () => {
  const root = path.join(import.meta.dirname, "../../resources");
  const thrown = globSync("*.ts", { cwd: root }).flatMap((file) =>
    [...readFileSync(path.join(root, file), "utf8").matchAll(/(?:throw|new \w*(?:\.\w*)?Error)\b.*/g)].map(
      ([it]) => `${file}: ${it}`,
    ),
  );
  expect(thrown.length).toBeGreaterThan(12);
  const others = thrown.filter(
    (it) => !/throw refusal\(|throw twice\(|throw error;|new Error\(`vpc6 bug|^refusal\.ts: /.test(it),
  );
  expect(others).toEqual([]);
});

test("what it checks has every argument", () => {
  expect(Object.keys(right).sort()).toEqual(
    Object.keys(vpc6)
      .filter((it) => classes[it]?.prototype instanceof pulumi.Resource)
      .sort(),
  );
});
