// The address plan of a stack as it will be: zones with their VPCs, tiers and routers, from the ledgers and the resources that hold
// their lines. Tables and pictures are made of it.

import type { Held } from "../provider/addressing/ledger";
import { contains, formatPrefix, type Prefix, parsePrefix } from "../provider/addressing/prefix";
import { type ClaimChange, claimChanges, claimWord, entriesOf, held, remembered } from "./claims";
import { code, counted, joined, type Markdown, md, plural } from "./markdown";
import { type Resource, routerNameOf, type Stack, textOf } from "./stack";

/** A prefix that somebody holds, or that is kept for a name. */
export interface Block {
  readonly prefix: Prefix;
  readonly name: string;
  /** As the ledger calls it: `vpc`, `tier`, `isolated`. */
  readonly kind: string;
  readonly state: "used" | "remembered";
  readonly change?: ClaimChange["what"];
}
export interface TierPlan extends Block {
  readonly guests: number;
  /** How many addresses guests have beside their own. */
  readonly secondary: number;
}
export interface VpcPlan extends Block {
  /** Undefined: held by `reserve`, for another stack or for later. */
  readonly resource?: Resource;
  readonly router?: string;
  readonly tiers: readonly TierPlan[];
  /** All else that its ledger hands out: virtual addresses and the like. */
  readonly others: readonly Held[];
}
export interface Space {
  readonly prefix: Prefix;
  /** The length of what is handed out by default. */
  readonly unit: number;
  readonly blocks: readonly VpcPlan[];
  readonly what: "VPC" | "isolated network";
}
export interface RouterPlan {
  readonly name: string;
  readonly address?: string;
  readonly asn?: string;
}
export interface ZonePlan {
  readonly name: string;
  readonly spaces: readonly Space[];
  readonly routers: readonly RouterPlan[];
  readonly gateway?: string;
}

/** What a resource will be; undefined: it goes. */
export const now = (it: Resource): Resource["after"] => (it.op === "delete" ? undefined : (it.after ?? it.before));

/** The addresses that guests have beside their own. */
export const secondaryIn = (resources: readonly Resource[]): ReadonlySet<string> =>
  new Set(resources.flatMap((it) => (it.kind === "SecondaryAddress" ? (textOf(now(it), "address") ?? []) : [])));

/** Whose the addresses of a tier's ledger are. */
export function countsOf(tier: Resource, all: ReadonlySet<string>): { guests: number; secondary: number } {
  const those = held(entriesOf(textOf(now(tier), "ledger"))).filter(({ kind }) => kind === "instance");
  const secondary = those.filter(({ value }) => all.has(value)).length;
  return { guests: those.length - secondary, secondary };
}

/** `2 guests, 1 secondary address` */
export const inhabitants = ({ guests, secondary }: { guests: number; secondary: number }): string =>
  [
    counted(guests, "guest"),
    ...(secondary > 0 ? [counted(secondary, "secondary address", "secondary addresses")] : []),
  ].join(", ");

export function zonesOf(stack: Stack): ZonePlan[] {
  const changes = new Map(claimChanges(stack).map((it) => [`${it.parent.urn} ${it.kind} ${it.value}`, it.what]));
  const holders = stack.resources.filter(
    (it) => it.ours && now(it) !== undefined && textOf(now(it), "cidr") !== undefined,
  );
  const byCidr = new Map<string, Resource[]>();
  for (const it of holders) {
    const cidr = textOf(now(it), "cidr") ?? "";
    byCidr.set(cidr, [...(byCidr.get(cidr) ?? []), it]);
  }
  const placed = new Set<Resource>();
  const secondary = secondaryIn(stack.resources);
  const blocksOf = (parent: Resource, kinds: readonly string[]): Block[] =>
    [
      ...held(entriesOf(textOf(now(parent), "ledger"))),
      ...remembered(entriesOf(textOf(now(parent), "ledger"))),
    ].flatMap((it) => {
      const prefix = parsePrefix(it.value);
      if (!kinds.includes(it.kind) || typeof prefix === "string") return [];
      const change = changes.get(`${parent.urn} ${it.kind} ${it.value}`);
      const state = it.since === undefined ? "used" : "remembered";
      return [{ prefix, name: it.name, kind: it.kind, state, ...(change !== undefined && { change }) }];
    });
  const tierPlan = (block: Block): TierPlan => {
    const tier =
      block.state === "used" ? byCidr.get(formatPrefix(block.prefix))?.find((it) => it.kind === "Tier") : undefined;
    return { ...block, ...(tier ? countsOf(tier, secondary) : { guests: 0, secondary: 0 }) };
  };
  const detailed = (block: Block, resource: Resource | undefined): VpcPlan => {
    const router = routerNameOf(resource && now(resource));
    if (resource) placed.add(resource);
    const tiers = resource ? blocksOf(resource, ["tier"]).map(tierPlan).sort(byBase) : [];
    const others = held(entriesOf(textOf(resource && now(resource), "ledger"))).filter(({ kind }) => kind !== "tier");
    return { ...block, ...(resource && { resource }), ...(router !== undefined && { router }), tiers, others };
  };
  const space = (zone: Resource, key: string, kind: string, unit: number, what: Space["what"]): Space[] => {
    const prefix = parsePrefix(textOf(now(zone), key) ?? "");
    if (typeof prefix === "string") return [];
    const blocks = blocksOf(zone, [kind]).map((block) => {
      const mine = (it: Resource) => textOf(now(it), "claim") === block.name;
      const holder = byCidr.get(formatPrefix(block.prefix))?.find(mine);
      return detailed(block, block.state === "used" ? holder : undefined);
    });
    return [{ prefix, unit, blocks: blocks.sort(byBase), what }];
  };

  const zones = stack.resources
    .filter((it) => it.kind === "Zone" && it.ours && now(it) !== undefined)
    .map((zone): ZonePlan => {
      const inputs = now(zone);
      const { gateway } = (inputs?.publicNetwork ?? {}) as { gateway?: string };
      const unit = Number(textOf(inputs, "vpcPrefixLength") ?? 60);
      const entries = held(entriesOf(textOf(inputs, "ledger")));
      const names = [
        ...new Set(entries.flatMap(({ kind, name }) => (kind === "router" || kind === "asn" ? [name] : []))),
      ];
      const value = (kind: string, name: string) => entries.find((it) => it.kind === kind && it.name === name)?.value;
      return {
        name: textOf(inputs, "name") ?? zone.name,
        spaces: [
          ...space(zone, "superCidr", "vpc", unit, "VPC"),
          ...space(zone, "isolatedCidr", "isolated", 64, "isolated network"),
        ],
        routers: names.map((name) => ({
          name,
          ...optional("address", value("router", name)),
          ...optional("asn", value("asn", name)),
        })),
        ...optional("gateway", gateway),
      };
    });

  // VPCs of a zone in another stack, and of a preview that shows only what changes.
  const strays = holders
    .filter((it) => it.kind === "Vpc" && !placed.has(it))
    .flatMap((it): VpcPlan[] => {
      const prefix = parsePrefix(textOf(now(it), "cidr") ?? "");
      if (typeof prefix === "string") return [];
      const block: Block = {
        prefix,
        name: textOf(now(it), "claim") ?? it.name,
        kind: "vpc",
        state: "used",
        ...(it.op === "create" && { change: "claimed" as const }),
      };
      return [detailed(block, it)];
    });
  if (strays.length > 0) {
    const unit = Math.max(...strays.map(({ prefix }) => prefix.length));
    zones.push({
      name: zones.length > 0 ? "VPCs whose zone is not shown" : "VPCs of a zone in another stack",
      spaces: [{ prefix: covering(strays), unit, blocks: strays.sort(byBase), what: "VPC" }],
      routers: [],
    });
  }
  return zones;
}

const byBase = (a: Block, b: Block): number =>
  a.prefix.base < b.prefix.base ? -1 : a.prefix.base > b.prefix.base ? 1 : 0;
const optional = <K extends string>(key: K, value: string | undefined): { [key in K]?: string } =>
  value === undefined ? {} : ({ [key]: value } as { [key in K]?: string });

/** The longest prefix around all of them. */
function covering(blocks: readonly Block[]): Prefix {
  const [first] = blocks;
  if (first === undefined) throw new Error("there is nothing to cover");
  let { length } = first.prefix;
  const { family } = first.prefix;
  const around = (bits: number): Prefix => {
    const host = BigInt((family === 4 ? 32 : 128) - bits);
    return { family, base: (first.prefix.base >> host) << host, length: bits };
  };
  while (length > 0 && !blocks.every(({ prefix }) => contains(around(length), prefix))) length--;
  return around(length);
}

export interface AddressRow {
  readonly cells: Markdown[];
  /** Something of it changes. */
  readonly changed: boolean;
}

/** The plan as rows of Markdown: prefix or address, what it is, what it holds, its router, its change. */
export function addressTable(stack: Stack): AddressRow[] {
  const rows: AddressRow[] = [];
  const add = (changed: boolean, ...cells: Markdown[]) => rows.push({ cells, changed });
  const words: Record<string, Markdown> = {
    claimed: md`**new**`,
    freed: md`**freed**`,
    moved: md`**moved here**`,
    renamed: md`renamed`,
  };
  const none = md``;
  const claims = claimChanges(stack);
  for (const { name, spaces, routers, gateway } of zonesOf(stack)) {
    for (const { prefix, blocks, what, unit } of spaces) {
      const used = blocks.filter(({ state }) => state === "used").length;
      const most =
        unit >= prefix.length ? md` (room for ${thousands(1n << BigInt(unit - prefix.length))} of /${unit})` : none;
      add(false, code(formatPrefix(prefix)), md`zone ${code(name)}`, md`${plural(used, what)}${most}`, none, none);
      for (const block of blocks) {
        const { tiers, others, router } = block;
        if (block.state === "remembered") {
          add(
            block.change !== undefined,
            code(formatPrefix(block.prefix)),
            md`free, kept for ${code(block.name)}`,
            none,
            none,
            words[block.change ?? ""] ?? none,
          );
          continue;
        }
        const live = tiers.filter(({ state }) => state === "used");
        const holds = block.resource
          ? joined(
              [
                plural(live.length, "tier"),
                ...(others.length > 0 ? [plural(others.length, "virtual address", "virtual addresses")] : []),
              ],
              ", ",
            )
          : md`reserved`;
        const inside =
          tiers.some(({ change }) => change !== undefined) || claims.some(({ parent }) => parent === block.resource);
        add(
          block.change !== undefined || inside,
          code(formatPrefix(block.prefix)),
          md`${claimWord(block.kind)} ${code(block.name)}`,
          holds,
          router === undefined ? none : code(router),
          words[block.change ?? ""] ?? none,
        );
        for (const tier of tiers) {
          const kept = tier.state === "remembered";
          add(
            tier.change !== undefined,
            code(formatPrefix(tier.prefix)),
            kept ? md`– free, kept for ${code(tier.name)}` : md`– tier ${code(tier.name)}`,
            kept
              ? none
              : md`${plural(tier.guests, "guest")}${tier.secondary > 0 ? md`, ${plural(tier.secondary, "secondary address", "secondary addresses")}` : none}`,
            none,
            words[tier.change ?? ""] ?? none,
          );
        }
        for (const { kind, name: whose, value } of others) {
          const change = claims.find(
            (it) => it.parent === block.resource && it.kind === kind && it.value === value,
          )?.what;
          add(
            change !== undefined,
            code(value),
            md`– ${claimWord(kind)} ${code(whose)}`,
            none,
            none,
            words[change ?? ""] ?? none,
          );
        }
      }
    }
    if (gateway !== undefined) add(false, code(gateway), md`uplink, the routers' gateway`, none, none, none);
    for (const { name: router, address, asn } of routers) {
      const change = claims.find((it) => it.kind === "router" && it.name === router)?.what;
      add(
        change !== undefined,
        code(address ?? "–"),
        md`router`,
        asn === undefined ? none : md`AS ${/^\d+$/.test(asn) ? Number(asn) : code(asn)}`,
        code(router),
        words[change ?? ""] ?? none,
      );
    }
  }
  return rows;
}

/** So many rows: those that change, then from the top. */
export function pick(rows: readonly AddressRow[], most: number): { rows: Markdown[][]; left: number } {
  const chosen = new Set(rows.filter(({ changed }) => changed).slice(0, most));
  for (const row of rows) if (chosen.size < most) chosen.add(row);
  return { rows: rows.filter((row) => chosen.has(row)).map(({ cells }) => cells), left: rows.length - chosen.size };
}

export const thousands = (count: bigint | number): Markdown =>
  (BigInt(count) > 10n ** 12n
    ? `2^${BigInt(count).toString(2).length - 1}`
    : BigInt(count)
        .toString()
        .replace(/\B(?=(\d{3})+$)/g, ",")) as Markdown;
