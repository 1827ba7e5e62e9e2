// LoadBalancer: a virtual address from the VPC's router network; on the router that address, who may reach it, and a section of
// HAProxy's configuration with a line for each member.

import { contains, type Prefix } from "../addressing/prefix";
import {
  boolean,
  type Fail,
  integer,
  list,
  matching,
  oneOf,
  optional,
  orPlain,
  quote,
  ranges,
  record,
  withDefault,
} from "../arguments";
import { share } from "../claims";
import { idOf } from "../contract";
import { address, address6, addressOf, claim, grant, NO_TOKEN, place6, port, prefix6, prefixOf, way } from "../fields";
import { placesOf, within, withoutNested } from "../filter/places";
import { firstName, type Inputs, type Kind, namesOf } from "../kind";
import { placeholder, secret } from "../secrets";
import { render } from "../templates/render";
import { all, type Effect, listOf, says, textChanges, words } from "../traffic";
import { derive, hasUnknown } from "../unknown";
import { certificateChain, checkCertificate, describeCertificate } from "./certificate";

const httpCheck = record({
  // What HAProxy reads as one word: no blank, quote, backslash or `#`.
  http: optional(matching("a path, e.g. /healthz", new RegExp(`^${NO_TOKEN}/[A-Za-z0-9._~%/?=&:@+,;-]{0,200}$`))),
  host: optional(
    matching(
      "a host as in a URL, e.g. www.example.net, www.example.net:8080 or [2001:db8::1]",
      new RegExp(`^${NO_TOKEN}(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\\[[0-9A-Fa-f:.]{2,45}\\])(?::[0-9]{1,5})?$`),
    ),
  ),
  method: optional(oneOf("GET", "HEAD", "OPTIONS")),
  status: optional(ranges("an HTTP status", 100, 599, '204, "200-299" or "200,301"')),
  interval: withDefault(integer(1, 3600, "a number of seconds"), 2),
});

const member = record({
  instance: optional(record({ name: claim, address: address("host"), ours: withDefault(boolean, false) })),
  address: optional(address("server")),
  port,
  weight: withDefault(integer(0, 256, "a weight"), 1),
});
type Member = ReturnType<typeof member>;

const tls = record({
  certificate: certificateChain,
  privateKey: secret(
    "a private key in PEM, without a passphrase",
    // One block and nothing after it: its lines become lines of a file on the router.
    /^(?=[\s\S]{1,16000}$)-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----\n(?:[A-Za-z0-9+/=]+\n)+-----END \1-----\n*$/,
  ),
});

const own = {
  claim,
  port,
  mode: oneOf("tcp", "http", "ssl-passthrough"),
  algorithm: withDefault(oneOf("roundrobin", "leastconn", "source"), "roundrobin"),
  health: orPlain(httpCheck, ["tcp", {}]),
  proxyProtocol: withDefault(boolean, false),
  tls: optional(tls),
  members: list(member),
  sources: optional(list(place6("packets"))),
  address: optional(address6("host")),
};

const shape = record(own, {
  takes: ["vpc"],
  adds: {
    grant: optional(grant),
    shared: optional(address6("host")),
    others: list(record({ name: claim, port: optional(integer(1, 65535)) })),
    vpc: record({ cidr: optional(prefix6("network")), tiers: list(prefix6("network")) }),
    router: way,
  },
});
type Args = ReturnType<typeof shape>;

/** What stands in the state, as far as `traffic` needs it. */
export interface LoadBalancerInputs extends Inputs {
  address?: string | undefined;
  port?: number;
  mode?: string;
  /** TLS ends here. */
  tls?: object;
  members?: { name: string; at: string; weight: number }[];
  /** Who may connect; absent: everybody. */
  sources?: string[];
}

export const loadBalancer: Kind<Args, LoadBalancerInputs> = {
  type: "LoadBalancer",
  // 1: without `mode`, `algorithm`, `health`, `proxyProtocol`, `members` and `sources`.
  schema: 2,
  shape,
  unkept: ["members", "tls"],
  plan(args, old, fail) {
    const { claim, port, router, mode, health } = args;
    const names = namesOf(claim, old);
    const { algorithm, proxyProtocol } = args;
    const common = {
      ...names,
      port,
      mode,
      algorithm,
      health,
      ...(proxyProtocol && { proxyProtocol }),
      router,
      ...(args.tls && { tls: { privateKey: args.tls.privateKey } }),
    };
    for (const key of ["host", "method", "status"] as const) {
      if (health.http === undefined && health[key] !== undefined)
        fail(`health.${key}: ${quote(health[key])} without http, the path to ask for; a TCP connection has none`);
    }
    if (args.tls && mode === "ssl-passthrough") {
      fail('tls: TLS ends at the members in mode "ssl-passthrough"; leave it out, or use mode "http" or "tcp"');
    }
    if (args.tls && !hasUnknown(args.tls)) checkCertificate(args.tls, "tls", fail);
    if (args.vpc.cidr === undefined) {
      fail("vpc: it has ipv6: false, and a virtual address is an IPv6 address");
      return common;
    }
    for (const other of args.others) {
      if (other.name === claim) fail(`claim: "${claim}" already has this virtual address; set \`claim: "…"\``);
      if (hasUnknown([other, port]) || other.port !== port) continue;
      fail(
        `port: ${port} of ${args.shared ?? args.address ?? "this address"} is already "${other.name}"'s; "${claim}" needs another port or another address`,
      );
    }
    const own = { claim, old, property: "address", explicit: args.address, within: "Vpc" as const };
    const address = args.shared ?? (args.grant && share({ ...own, grant: args.grant }, fail));
    const members = membersOf(args, fail);
    // A set with overlapping prefixes is an error to nftables: what is inside another is left out.
    const sources = args.sources && derive([args.sources] as const, withoutNested);
    if (sources?.length === 0) fail("sources: [] would let nobody in; leave it out for everybody");
    if (address === undefined) return common;
    const fragments = render("load-balancer", {
      address,
      port,
      owner: args.shared === undefined,
      section: derive([address], (it) => `${firstName(names)}:${it}`),
      sources: sources && derive([sources] as const, (it) => it.join(", ")),
      mode: derive([mode], (it) => (it === "http" ? "http" : "tcp")),
      algorithm,
      certificate: certificateOf(args, idOf.placed(firstName(names), address), old),
      forwardFor: mode === "http",
      tellTls: mode === "http" && args.tls !== undefined,
      helloOnly: mode === "ssl-passthrough",
      healthPath: health.http,
      healthHost: health.host,
      healthMethod: health.method ?? "GET",
      healthStatus: health.status && derive([health.status] as const, (it) => it.replaceAll(" ", "")),
      interval: health.interval,
      serverOptions: derive([mode, health, args.proxyProtocol] as const, serverOptions),
      members,
    });
    return { ...common, address, members, ...(sources && { sources }), fragments };
  },
  identify: (inputs) => idOf.placed(firstName(inputs), String(inputs.address)),
  describe: (inputs) => `"${firstName(inputs)}"`,
  traffic: {
    gone: says("ends", "no longer answers: new connections are refused, and open ones end with its address"),
    holds: ({ address }) => (address === undefined ? [] : [virtual(address)]),
    disturbs(before, after, others) {
      if (!before || !after) return [];
      const { address } = before;
      return all(
        ...(address === undefined || address === after.address
          ? offer(before, after)
          : [
              !others.have(virtual(address)) &&
                says("ends", words`${address} is taken off the router: connections to it end`),
            ]),
        before.mode !== undefined &&
          after.mode !== undefined &&
          before.mode !== after.mode &&
          // What is told apart by TLS's first words is TCP to it, and more.
          !(before.mode === "ssl-passthrough" && after.mode === "tcp") &&
          says(
            "closes",
            words`takes new connections as ${after.mode} instead of ${before.mode}: what is not that is refused`,
          ),
        ...listOf(before.members)
          .filter(({ name }) => !listOf(after.members).some((it) => it.name === name))
          .map(({ name }) =>
            says("note", words`gives ${name} no new connections; those it has go on until they end by themselves`),
          ),
        // Every change is a reload, which ends no connection.
        textChanges("haproxy", before, after) &&
          says(
            "note",
            "is reloaded: a new HAProxy takes the listening sockets over, the old one ends with its last connection",
          ),
        textChanges("certificates", before, after) &&
          before.tls !== undefined &&
          after.tls !== undefined &&
          says("note", "shows another certificate to new connections; open ones go on"),
      );
    },
  },
  shown: {
    claims: { vip: { word: "virtual address", told: "space" } },
    noun: "load balancer",
    node: {
      where: "vpc",
      look: "vip",
      title: "VIP",
      lines: ({ address, port }) => [address && `[${address}]:${port}`],
    },
  },
};

/** Several may have one address, and it goes with the last. */
const virtual = (address: string): string => `virtual address ${address}`;

/** At the same address: its port, whether TLS ends there, and who may come. */
function offer(before: LoadBalancerInputs, after: LoadBalancerInputs): (Effect | false)[] {
  if (before.port !== after.port) {
    return [
      says("closes", "is no longer offered where it was: new connections to the old address or port are refused"),
    ];
  }
  const now = after.tls ? "ends TLS itself from now on" : "no longer ends TLS itself";
  const { sources } = after;
  return [
    (before.tls === undefined) !== (after.tls === undefined) &&
      says("closes", `${now}: new connections that are not made for that fail; open ones go on`),
    sources !== undefined &&
      !(before.sources && within(placesOf(listOf(before.sources)), placesOf(listOf(sources)))) &&
      says("closes", "no longer takes new connections from where it did; open ones go on"),
  ];
}

function certificateOf({ tls, mode }: Args, file: string, old: Inputs | undefined): object | undefined {
  if (!tls) return undefined;
  const { certificate, privateKey } = tls;
  return {
    file,
    what: derive([certificate], describeCertificate),
    alpn: mode === "http" ? " alpn h2,http/1.1" : "",
    chain: certificate,
    key: placeholder("tls.privateKey", privateKey, old),
  };
}

function serverOptions(mode: string, { http, host }: Partial<Args["health"]>, proxyProtocol: boolean): string {
  const overTls = mode === "ssl-passthrough" && http !== undefined;
  // SNI has names only, and no ports (RFC 6066 section 3).
  const [name] = host?.split(":") ?? [];
  const sni = name && /[A-Za-z_]/.test(name) && !name.startsWith("[") ? ` check-sni ${name}` : "";
  return `${overTls ? ` check-ssl verify none${sni}` : ""}${proxyProtocol ? " send-proxy-v2" : ""}`;
}

/** As the template shows them; a member that is not known yet makes the whole text unknown. */
function membersOf({ members, vpc }: Args, fail: Fail): { name: string; at: string; weight: number }[] {
  const seen = new Map<string, number>();
  const names = new Set<string>();
  if (typeof members === "string") return [{ name: members, at: members, weight: 0 }];
  const tiers = hasUnknown(vpc) ? [] : vpc.tiers.map(prefixOf);
  return members.map((member, index) => {
    const path = `members[${index}]`;
    const address = addressOfMember(member, path, vpc, tiers, fail);
    const at = derive([address, member.port] as const, (it, port) => `${it.includes(":") ? `[${it}]` : it}:${port}`);
    const before = seen.get(at);
    if (before !== undefined && !hasUnknown(at)) fail(`${path}: ${at} is already members[${before}]`);
    seen.set(at, index);
    // Two members of one name would be one to HAProxy.
    const name = member.instance?.name ?? address;
    const taken = names.has(name);
    names.add(name);
    return { name: taken ? derive([at], (it) => it.replace(/[[\]]/g, "")) : name, at, weight: member.weight };
  });
}

function addressOfMember(
  { instance, address }: Member,
  path: string,
  vpc: Args["vpc"],
  tiers: Prefix[],
  fail: Fail,
): string {
  if ((instance === undefined) === (address === undefined)) {
    fail(`${path}: name it by \`instance\` or by \`address\`, and by one of them only`);
    return "::";
  }
  const it = instance?.address ?? address ?? "";
  if (hasUnknown([it, vpc])) return it;
  const found = addressOf(it);
  const [cidr = ""] = [vpc.cidr];
  const inside = found.family === 6 && contains(prefixOf(cidr), found);
  // IPv4 networks are not inside a VPC's prefix: the constructor knows whose guest it is.
  if (instance && !(found.family === 4 ? instance.ours : inside)) {
    fail(
      `${path}.instance: "${instance.name}" (${it}) is not a guest of this VPC (${cidr}); one of another VPC is given by \`address\``,
    );
  } else if (inside && !tiers.some((tier) => contains(tier, found))) {
    fail(
      `${path}.address: ${quote(it)} is inside the VPC's ${cidr}, but in none of its tiers (${vpc.tiers.join(", ") || "there is none"})`,
    );
  }
  return it;
}
