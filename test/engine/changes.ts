// A small stack and the changes that reports are made of. What the real engine says of them is kept in
// test/unit/report/previews for the unit tests; report.test.ts makes it again.

import type { Engine } from "./engine.ts";

export interface Way {
  port: number;
  hostKey: string;
}

/** Statements in the order in which a program needs them; a change replaces, adds (by a new name) or leaves out (`""`) one. */
type Statements = Record<string, string>;

export const stack: Statements = {
  shop: `const shop = new vpc6.Vpc("shop", { zone, router });`,
  web: `const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });`,
  db: `const db = new vpc6.Tier("db", { vpc: shop, interface: "db0" });`,
  web1: `const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });`,
  web2: `const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" });`,
  db1: `const db1 = new vpc6.Instance("db1", { tier: db, mac: "02:00:00:00:02:11" });`,
  www: `const www = new vpc6.LoadBalancer("www", { vpc: shop, port: 443, mode: "ssl-passthrough",
    members: [{ instance: web1, port: 443 }, { instance: web2, port: 443 }] });`,
  acl: `new vpc6.NetworkAcl("web", { tiers: [web], rules: [
    { direction: "ingress", action: "allow", protocol: "tcp", ports: "443" },
    { direction: "egress", action: "allow", protocol: "tcp", ports: "5432", sources: [db] },
  ] });`,
  uplink: `new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000 });`,
};

export interface Change {
  /** What is different in the program; undefined: nothing is there yet. */
  edit?: Statements;
  /** Whether the preview fails. */
  fails?: boolean;
}

export const changes: Record<string, Change> = {
  first: {},
  nothing: { edit: {} },
  "one-more-vpc": {
    edit: {
      blog: `const blog = new vpc6.Vpc("blog", { zone, router });`,
      front: `const front = new vpc6.Tier("front", { vpc: blog, interface: "blog0" });`,
      front1: `new vpc6.Instance("front1", { tier: front, mac: "02:00:00:00:03:11" });`,
    },
  },
  "one-rule": { edit: { acl: stack.acl?.replace('"443"', '"80,443"') ?? "" } },
  "member-removed": { edit: { www: stack.www?.replace(", { instance: web2, port: 443 }", "") ?? "" } },
  "tier-deleted": {
    edit: {
      db: "",
      db1: "",
      acl: stack.acl?.replace(/\n.*sources: \[db\].*/, "") ?? "",
    },
  },
  "renumbered-vpc": {
    edit: { shop: stack.shop?.replace("router }", `router, cidr: "2001:67c:2834:100::/60" }`) ?? "" },
  },
  "another-router": {
    edit: {
      vr2: `const vr2 = new vpc6.Router("vr2", { ...way, host: "192.0.2.2", zone, publicInterface: "pub0" });`,
      shop: stack.shop?.replace("router }", "router: vr2 }") ?? "",
    },
  },
  failed: { edit: { www: stack.www?.replace("port: 443, mode", "port: 70000, mode") ?? "" }, fails: true },
  unknown: {
    edit: {
      box: `const box = new (class extends pulumi.dynamic.Resource {
  declare readonly mac: pulumi.Output<string>;
  constructor() {
    super({ async create() { return { id: "1", outs: { mac: "02:00:00:00:01:13" } }; } }, "box", { mac: undefined });
  }
})();`,
      web3: `const web3 = new vpc6.Instance("web3", { tier: web, mac: box.mac });`,
    },
  },
};

/** The program with a change made, its routers at a way. */
export function programOf(edit: Statements, { port, hostKey }: Way): string {
  const all: Statements = { ...stack };
  // What is added stands before what may use it.
  const added = Object.entries(edit).filter(([name]) => !(name in stack));
  for (const [name, statement] of Object.entries(edit)) if (name in stack) all[name] = statement;
  return `
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", {
  superCidr: "2001:67c:2834::/50", asnRange: "4200000000-4200000999",
  publicNetwork: { cidr: "2001:db8:ffff::/64", range: "2001:db8:ffff::10-2001:db8:ffff::ff" },
}, { protect: true });
const way = { host: "127.0.0.1", port: ${port}, hostKey: "${hostKey}" };
const router = new vpc6.Router("vr1", { ...way, zone, publicInterface: "pub0" });
${added
  .filter(([name]) => /^vr/.test(name))
  .map(([, statement]) => statement)
  .join("\n")}
${Object.values(all).join("\n")}
${added
  .filter(([name]) => !/^vr/.test(name))
  .map(([, statement]) => statement)
  .join("\n")}
`;
}

/** What `pulumi preview --json` prints of each change, and the export of the stack, in an engine that has the stack up. */
export async function previews(
  engine: Engine,
  way: Way,
  names = Object.keys(changes),
): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  const preview = async (name: string) => {
    await engine.program(programOf(changes[name]?.edit ?? {}, way));
    const { code, stdout, all } = await engine.preview({ json: true, args: ["--show-sames"] });
    if ((code !== 0) !== (changes[name]?.fails ?? false))
      throw new Error(`the preview of ${name} ended with ${code}:\n${all}`);
    texts[name] = stdout;
  };
  if (names.includes("first")) await preview("first");
  const { code, all } = await engine.up();
  if (code !== 0) throw new Error(`up ended with ${code}:\n${all}`);
  for (const name of names) if (name !== "first") await preview(name);
  return texts;
}
