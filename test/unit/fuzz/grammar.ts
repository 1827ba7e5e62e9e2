// What a line of a rendered text may be: a line of the kind's template with, in the place of each value, what its pattern below
// allows. A template with a value that has no pattern fails.

import { readFileSync } from "node:fs";
import * as contract from "../../../provider/contract";

const A6 = "[0-9a-f:]{2,39}";
const A4 = "\\d{1,3}(?:\\.\\d{1,3}){3}";
const P6 = `${A6}/\\d{1,3}`;
const N = "\\d{1,10}";
const MAC = "[0-9a-f]{2}(?::[0-9a-f]{2}){5}";
const DEV = "(?!lo\\b(?![.-]))[A-Za-z0-9_][A-Za-z0-9._-]{0,15}";
const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const DOMAIN = `${LABEL}(?:\\.${LABEL})*`;
const LIST = `(?:[A-Za-z]|_[0-9])[A-Za-z0-9._-]{0,62}/${DEV}`;
const some = (item: string, between = ", ") => `${item}(?:${between}${item})*`;
const PASSWORD = "\\{\\{password:[0-9a-f]{4}\\}\\}";
const BFD = { profile: `vpc6-${N}ms-\\d{1,3}`, multiplier: "\\d{1,3}" };
const maybe = (part: string) => `(?:${part} )?`;
const PORTS = `${N}(?:-${N})?`;
const PLACE = `(?:${A6}|${A4})(?:/\\d{1,3})?`;

const RULE = [
  maybe(
    `(?:(?:tcp|udp|sctp) dport (?:${PORTS}|\\{ ${some(PORTS)} \\})|meta l4proto (?:tcp|udp|sctp|icmpv6|esp|ah|\\d{1,3})|ip protocol (?:icmp|\\d{1,2}))`,
  ),
  maybe(`icmp(?:v6)? type ${N}`),
  maybe(`icmp(?:v6)? code ${N}`),
  maybe("meta nfproto ipv[46]"),
  maybe(`ip6? [sd]addr (?:@${LIST}/${NAME}(?:/ipv4)?(?:/${N})?|${PLACE}|\\{ ${some(PLACE)} \\})`),
  `(?:return|drop|goto ${LIST}/log-(?:allow|deny))`,
  '(?: comment "[^"\\\\\\p{C}\\p{Zl}\\p{Zp}]+")?',
].join("");

/** By name in the template; `name@line` where one name means several things. */
const VALUES: Record<string, Record<string, string>> = {
  common: {
    ...{ address: A6, gateway: A6, routerAddress: A6, ipv4Address: A4, leased: A4 },
    ...{ cidr: P6, length: N, port: N, interface: DEV, mac: MAC },
  },
  "bgp-peer": {
    ...BFD,
    password: PASSWORD,
    what: `(?:${some(P6)}|nothing) to AS${N} at ${A6}`,
    seq: N,
    asn: N,
    remoteAsn: N,
    multihop: N,
    keepalive: N,
    hold: N,
    connect: N,
    interval: N,
    rule: `${P6}(?: ge \\d+)?(?: le \\d+)?`,
    routerId: A4,
    source: A6,
  },
  nat64: {
    ...{ device: "nat64-[0-9a-f]{8}", ipv4: A4, ipv6: A6, prefix: P6, pool: `${A4}/\\d{1,2}`, clients: some(P6) },
    this: `(?:(?:clients|mapped|exclude) \\{ (?:(?:${P6}|!?${A4}/\\d{1,2}|::ffff:0:0/96); )*\\};|suffix ::;|recursive-only (?:yes|no);)`,
  },
  uplink: {
    ...BFD,
    password: PASSWORD,
    what: `AS${N} at ${A6}: VPC routers (?:from ${P6}|by address), VPCs of ${P6}`,
    name: NAME,
    list: `vpc6-in-${A6}`,
    inside: `${P6}(?: ge \\d+)?(?: le \\d+)?`,
    rule: P6,
    range: P6,
    kind: "(?:internal|external)",
    router: NAME,
    ...{ seq: N, asn: N, multihop: N, interval: N, keepalive: N, hold: N, connect: N, maximumPrefix: N },
    routerId: A4,
  },
  instance: {
    match: `(?:id:[0-9a-f]{2}(?::[0-9a-f]{2}){2,129}(?:,${MAC})?|${MAC})`,
    ...{ hostname: LABEL, fqdn: DOMAIN, domain: DOMAIN, password: PASSWORD, ipv4Gateway: A4 },
  },
  "secondary-address": { fqdn: DOMAIN, alone: MAC, this: MAC, number: "0x[0-9a-f]{1,32}" },
  "load-balancer": {
    sources: some(P6),
    section: `${NAME}:${A6}`,
    mode: "(?:tcp|http)",
    algorithm: "(?:roundrobin|leastconn|source)",
    healthPath: "/[A-Za-z0-9._~%/?=&:@+,;-]{0,200}",
    healthHost: "(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\\[[0-9A-Fa-f:.]{2,45}\\])(?::\\d{1,5})?",
    healthMethod: "(?:GET|HEAD|OPTIONS)",
    healthStatus: some("\\d{3}(?:-\\d{3})?", ","),
    interval: N,
    serverOptions: "(?: check-ssl verify none(?: check-sni [A-Za-z0-9._-]{1,253})?)?(?: send-proxy-v2)?",
    name: `(?:${NAME}|${A6}|${A6}:${N}|${A4}|${A4}:${N})`,
    at: `(?:\\[${A6}\\]|${A4}):${N}`,
    weight: "\\d{1,3}",
    "certificate.what": "certificate of [A-Za-z0-9.*, …-]+, until [A-Za-z0-9: ]+",
    "certificate.file": `${NAME}@${A6}`,
    "certificate.alpn": "(?: alpn h2,http/1\\.1)?",
    "certificate.key": "\\{\\{tls\\.privateKey:[0-9a-f]{4}\\}\\}",
    "certificate.chain": "(?:-----(?:BEGIN|END) CERTIFICATE-----|[A-Za-z0-9+/=]+)",
  },
  "network-acl": {
    list: LIST,
    name: NAME,
    set: `${LIST}/${NAME}(?:/ipv4)?(?:/${N})?`,
    type: "ipv[46]_addr",
    this: DEV,
    "this@{{this}}": RULE,
    "this@{{this}},": `(?:${P6}|${A4}/\\d{1,2})`,
  },
  router: {
    ...{
      adopt: "yes",
      publicInterface: DEV,
      publicTrunk: DEV,
      publicVlan: "[1-9]\\d{0,3}",
      network: P6,
      sshPorts: some(N),
      protocol: "(?:tcp|udp)",
    },
    connections: `(?:memory/)?${N}`,
    publicMtu: "\\d{4}",
    this: `(?:${A6}|${A4})`,
  },
  tier: {
    mtu: "\\d{4}",
    "ipv4.cidr": `${A4}/\\d{1,2}`,
    "ipv4.gateway": A4,
    "ipv4.length": "\\d{1,2}",
    "ipv4.dhcp": A4,
    "ipv4.netmask": A4,
    "ipv4.vpc": `(?:isolated/)?${NAME}`,
    trunk: DEV,
    vlan: "[1-9]\\d{0,3}",
    network: A6,
    domain: DOMAIN,
    search: some(DOMAIN, ","),
    ntpServers: some(`\\[${A6}\\]`, ","),
  },
};

/** The lines that a template can make, by slot. */
export function grammarOf(template: string): Map<string, RegExp> {
  const source = readFileSync(new URL(`../../../provider/templates/${template}.hbs`, import.meta.url), "utf8");
  const [, ...parts] = source.split(/^\{\{!-- slot ([a-z0-9-]+) --\}\}\n/m);
  const grammar = new Map<string, RegExp>();
  for (let part = 0; part < parts.length; part += 2) {
    const lines = (parts[part + 1] ?? "").split("\n").filter((line) => !/^\s*\{\{[#/e][^}]*\}\}$/.test(line));
    grammar.set(
      parts[part] ?? "",
      new RegExp(`^(?:${[...new Set(lines)].map((line) => pattern(line, template)).join("|")})$`, "u"),
    );
  }
  return grammar;
}

const facts = new Map<string, unknown>(Object.entries(contract));
const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

function pattern(line: string, template: string): string {
  return line
    .split(/(\{\{[^{}]*\}\})/)
    .map((part) => {
      const inside = /^\{\{(.*)\}\}$/.exec(part)?.[1];
      if (inside === undefined) return literally(part);
      if (/^#(if|unless)/.test(inside)) return "(?:";
      if (/^\/(if|unless)$/.test(inside)) return ")?";
      const name = inside.replace("../", "");
      if (name.startsWith("@contract.")) return literally(String(facts.get(name.slice(10))));
      const own = VALUES[template] ?? {};
      const found = own[`${name}@${line.trim()}`] ?? own[name] ?? VALUES.common?.[name];
      if (found === undefined) throw new Error(`grammar.ts has no pattern for {{${name}}} in ${template}.hbs: ${line}`);
      return `(?:${found})`;
    })
    .join("");
}
