// The topology as Mermaid's text, which GitHub, GitLab and many wikis draw: the uplink and other BGP peers, routers, their VPCs, and in
// these the tiers with their guests and the virtual addresses. Where there are too many VPCs to be read, each router has a sum of them.

import type { Kind } from "../provider/kind";
import { kindOf, kinds } from "../provider/kinds";
import { counted } from "./markdown";
import { countsOf, inhabitants, now, secondaryIn } from "./plan";
import { type Resource, routerNameOf, type Stack, textOf } from "./stack";

/** More VPCs than this are summed up; more routers too. Mermaid itself gives up at 500 edges or 50,000 characters. */
const MOST_VPCS = 24;
const MOST_ROUTERS = 60;

export function mermaid(stack: Stack): string {
  const resources = stack.resources.filter((it) => it.ours && now(it) !== undefined);
  const of = (kind: string) => resources.filter((it) => it.kind === kind);
  const on = (router: string) => (it: Resource) => routerNameOf(now(it)) === router;
  const secondary = secondaryIn(resources);
  const routers = [...new Set(resources.map((it) => routerNameOf(now(it))))].filter((it) => it !== undefined).sort();
  // Room for the two lines of a VPC's title, which Mermaid does not make by itself.
  const flowchart = { wrappingWidth: 320, subGraphTitleMargin: { top: 4, bottom: 30 } };
  const lines = [`%%{init: ${JSON.stringify({ flowchart })}}%%`, "flowchart LR"];
  const ids = new Map<string, string>();
  const id = (what: string) => ids.get(what) ?? ids.set(what, `n${ids.size + 1}`).get(what) ?? "";
  const summed = of("Vpc").length + of("IsolatedNetwork").length > MOST_VPCS;

  const gateway = of("Zone")
    .map((it) => (now(it)?.publicNetwork as { gateway?: unknown } | undefined)?.gateway)
    .find((it) => typeof it === "string");
  const peers = of("BgpPeer");
  for (const address of new Set(peers.map((it) => textOf(now(it), "address") ?? "?"))) {
    const [peer] = peers.filter((it) => (textOf(now(it), "address") ?? "?") === address);
    const what = address === gateway ? "uplink" : "BGP peer";
    lines.push(
      `  ${id(`peer ${address}`)}([${quoted(what, address, `AS ${textOf(peer && now(peer), "remoteAsn") ?? "?"}`)}]):::peer`,
    );
  }
  if (typeof gateway === "string" && !ids.has(`peer ${gateway}`) && routers.length > 0) {
    lines.push(`  ${id(`peer ${gateway}`)}([${quoted("uplink", gateway)}]):::peer`);
  }

  const links: string[] = [];
  for (const router of routers.slice(0, MOST_ROUTERS)) {
    const own = of("Router").find(on(router));
    const mine = of("Vpc").filter(on(router));
    const asn = textOf(own && now(own), "asn");
    const node = id(`router ${router}`);
    lines.push(
      `  ${node}[[${quoted(`router ${router}`, textOf(own && now(own), "address"), asn && `AS ${asn}`)}]]:::router`,
    );
    const sessions = new Set(peers.filter(on(router)).map((it) => textOf(now(it), "address") ?? "?"));
    for (const address of sessions) links.push(`  ${id(`peer ${address}`)} <-->|BGP| ${node}`);
    if (typeof gateway === "string" && own && !sessions.has(gateway))
      links.push(`  ${id(`peer ${gateway}`)} --- ${node}`);
    const beside = resources.filter((it) => kindOf(it.kind)?.shown.node?.where === "router" && on(router)(it));
    for (const it of summed ? [] : beside) {
      lines.push(`  ${nodeOf(id(it.urn), it, secondary)}`);
      links.push(`  ${node} --- ${id(it.urn)}`);
    }
    if (summed) {
      if (mine.length + beside.length === 0) continue;
      const sum = Object.entries<Kind>(kinds).flatMap(([kind, { shown }]) => {
        const count = of(kind).filter(on(router)).length;
        // The VPCs are told even if there is none.
        return shown.noun === undefined || (count === 0 && kind !== "Vpc") ? [] : [counted(count, shown.noun)];
      });
      const all = id(`vpcs ${router}`);
      lines.push(`  ${all}[${quoted(...sum)}]:::vpc`);
      links.push(`  ${node} --- ${all}`);
      continue;
    }
    for (const vpc of mine) {
      const frame = id(vpc.urn);
      lines.push(`  subgraph ${frame}[${quoted(`VPC ${nameOf(vpc)}`, textOf(now(vpc), "cidr"))}]`, "    direction TB");
      const inside = insideOf(vpc, resources);
      for (const it of inside) lines.push(`    ${nodeOf(id(it.urn), it, secondary)}`);
      if (inside.length === 0) lines.push(`    ${id(`empty ${vpc.urn}`)}[${quoted("no tier")}]:::tier`);
      lines.push("  end");
      links.push(`  ${node} --- ${frame}`);
    }
  }
  if (routers.length > MOST_ROUTERS)
    lines.push(`  ${id("more routers")}[${quoted(`and ${routers.length - MOST_ROUTERS} more routers`)}]:::router`);
  if (routers.length === 0) lines.push(`  ${id("nothing")}[${quoted("no router in this stack")}]`);
  // Strokes and texts that can be read on white and on black; Mermaid's own fills follow the reader's scheme.
  lines.push(
    ...links,
    "  classDef peer stroke:#c77700,stroke-width:2px",
    "  classDef router stroke:#2f7fd1,stroke-width:3px",
    "  classDef vpc stroke:#12924f,stroke-width:2px",
    "  classDef tier stroke:#12924f",
    "  classDef vip stroke:#a347ba",
  );
  return `${lines.join("\n")}\n`;
}

const nameOf = (it: Resource): string => textOf(now(it), "claim") ?? it.name;

function nodeOf(id: string, it: Resource, secondary: ReadonlySet<string>): string {
  const inputs = now(it);
  const node = kindOf(it.kind)?.shown.node;
  if (node === undefined || inputs === undefined) return "";
  const lines = [...node.lines(inputs), textOf(inputs, "ledger") && inhabitants(countsOf(it, secondary))];
  const label = quoted(`${node.title} ${nameOf(it)}`, ...lines);
  return node.look === "vip" ? `${id}{{${label}}}:::vip` : `${id}[${label}]:::tier`;
}

/** What hangs on a VPC and has a node of its own. */
const insideOf = (vpc: Resource, resources: readonly Resource[]): Resource[] =>
  resources.filter((it) => kindOf(it.kind)?.shown.node?.where === "vpc" && it.dependencies.includes(vpc.urn));

/**
 * A label in quotes, of characters that Mermaid reads as nothing but text. Entities are not to be relied on (11 and 12 print some as
 * they are), so what is neither a letter nor one of these becomes an underscore; names in a ledger have no others.
 */
function quoted(...parts: (string | undefined)[]): string {
  const text = parts
    .filter((it) => it !== undefined && it !== "")
    .map((it) => String(it).replace(/[^\p{L}\p{N} .,:/_+()[\]=-]/gu, "_"))
    .join("<br/>");
  return `"${text}"`;
}
