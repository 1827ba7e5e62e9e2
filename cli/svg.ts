// The address plan as a picture. A zone is a grid in the order of its addresses, line by line: every prefix is a rectangle in it, and
// its size is its share. Lines on which nobody is are drawn as one strip. The picture follows the reader's light or dark scheme.

import { formatAddress, formatPrefix, type Prefix, sizeOf } from "../provider/addressing/prefix";
import { type Space, type TierPlan, thousands, type VpcPlan, type ZonePlan, zonesOf } from "./plan";
import type { Stack } from "./stack";

const WIDTH = 1600;
const MARGIN = 32;
const GUTTER = 164;
const GRID = WIDTH - 2 * MARGIN - GUTTER;

export function svg(stack: Stack): string {
  const zones = zonesOf(stack);
  const title = [stack.stack, stack.project].filter((it) => it !== undefined).join(" · ");
  const parts: string[] = [];
  const colors = new Colors();
  let y = MARGIN;
  for (const zone of zones) {
    for (const [index, space] of zone.spaces.entries()) {
      const drawn = drawSpace(zone, space, y, index === 0, colors);
      parts.push(drawn.text);
      y = drawn.end + 36;
    }
  }
  if (parts.length === 0) {
    parts.push(
      words(MARGIN, y + 40, "h1", "No address space"),
      words(MARGIN, y + 66, "h2", "There is no zone with a super CIDR, and no VPC with a prefix, in this stack."),
    );
    y += 100;
  }
  const height = Math.ceil(y);
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${xml(`Address plan ${title}`)}">
<title>${xml(`Address plan${title === "" ? "" : ` of ${title}`}`)}</title>
<style>${style(colors)}</style>
<defs><pattern id="kept" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" class="kept0"/><rect width="2" height="8" class="kept1"/></pattern></defs>
<rect class="bg" width="${WIDTH}" height="${height}"/>
${parts.join("\n")}
</svg>
`;
}

/** A colour for each router, by its place; there are twelve, and then they come again. */
class Colors {
  readonly routers: string[] = [];
  of(router: string | undefined): string {
    if (router === undefined) return "held";
    if (!this.routers.includes(router)) this.routers.push(router);
    return `r${this.routers.indexOf(router) % HUES.length}`;
  }
}
const HUES = [212, 152, 28, 268, 186, 338, 48, 240, 100, 8, 300, 170];

function style({ routers }: Colors): string {
  const used = HUES.slice(0, routers.length).map((hue, index) => [`r${index}`, hue] as const);
  const light = used.map(
    ([name, hue]) => `.${name}{fill:hsl(${hue},62%,88%);stroke:hsl(${hue},48%,46%)}.t${name}{fill:hsl(${hue},52%,60%)}`,
  );
  const dark = used.map(
    ([name, hue]) => `.${name}{fill:hsl(${hue},34%,23%);stroke:hsl(${hue},50%,56%)}.t${name}{fill:hsl(${hue},48%,52%)}`,
  );
  return `
text{font-family:Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#16202c}
.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.h1{font-size:30px;font-weight:700}.h2{font-size:15px;fill:#566475}.axis{font-size:12px;fill:#6b7888}.name{font-weight:600}.soft{fill:#566475}.end{text-anchor:end}.mid{text-anchor:middle}
.bg{fill:#fbfcfd}.free{fill:#f1f4f7;stroke:#dbe2e9}.strip{fill:#f4f6f9;stroke:#dbe2e9;stroke-dasharray:4 4}
.held{fill:#e4e8ee;stroke:#8794a5}.theld{fill:#a5b0bf}.kept{fill:url(#kept);stroke:#98a4b3}.kept0{fill:#f1f4f7}.kept1{fill:#d5dde5}.chip{fill:#fff;fill-opacity:.75;stroke:none}.chipkept{fill:url(#kept);stroke:none}.slot{fill:#fff;fill-opacity:.65}.bar{fill:#e5eaf0}.used{fill:#2f7fd1}
.claimed{stroke:#12924f;stroke-width:3}.moved{stroke:#c77700;stroke-width:3}.freed{stroke:#d03238;stroke-width:3}
${light.join("")}
@media (prefers-color-scheme:dark){
text{fill:#e6edf4}.h2,.soft{fill:#9aa8b8}.axis{fill:#8593a4}
.bg{fill:#0e141b}.free{fill:#141c25;stroke:#253140}.strip{fill:#121a22;stroke:#2a3747}
.held{fill:#27313d;stroke:#76859a}.theld{fill:#5d6b7d}.kept{stroke:#5d6b7c}.kept0{fill:#18212b}.kept1{fill:#34414f}.chip{fill:#0b1016;fill-opacity:.45}.slot{fill:#0b1016;fill-opacity:.5}.bar{fill:#1d2733}.used{fill:#4a9aec}
.claimed{stroke:#3ddc84}.moved{stroke:#ffb547}.freed{stroke:#ff6b70}
${dark.join("")}
}`;
}

interface Drawn {
  text: string;
  end: number;
}

function drawSpace(zone: ZonePlan, space: Space, top: number, first: boolean, colors: Colors): Drawn {
  const { prefix, blocks, unit, what } = space;
  const used = blocks.filter(({ state }) => state === "used");
  const kept = blocks.filter(({ state }) => state === "remembered");
  const room = 1n << BigInt(Math.max(0, unit - prefix.length));
  const share = (those: readonly VpcPlan[]) =>
    those.reduce((sum, it) => sum + Number(sizeOf(it.prefix)) / Number(sizeOf(prefix)), 0);
  const [busy, waits] = [share(used), share(kept)];
  const sum = `${thousands(used.length)} ${what}${used.length === 1 ? "" : "s"} · ${percent(busy)} used${kept.length > 0 ? ` · ${thousands(kept.length)} remembered` : ""} · room for ${thousands(room)} of /${unit}`;
  const parts = [
    words(MARGIN, top + 26, "h1", first ? zone.name : `${zone.name}: ${what}s`),
    words(WIDTH - MARGIN, top + 14, "h2 end", sum),
    words(WIDTH - MARGIN, top + 34, "h2 end mono", formatPrefix(prefix)),
  ];
  let y = top + 48;
  const whole = WIDTH - 2 * MARGIN;
  const usedWidth = used.length === 0 ? 0 : Math.max(2, whole * busy);
  const keptWidth = kept.length === 0 ? 0 : Math.max(2, whole * waits);
  parts.push(
    `<g><title>${xml(`${formatPrefix(prefix)}: ${percent(busy)} used, ${percent(waits)} remembered for names that are gone, ${percent(1 - busy - waits)} free`)}</title>`,
  );
  parts.push(box("bar", MARGIN, y, whole, 8), box("used", MARGIN, y, Math.min(whole, usedWidth), 8));
  if (keptWidth > 0) parts.push(box("kept", MARGIN + usedWidth, y, Math.min(keptWidth, whole - usedWidth), 8));
  parts.push("</g>");
  y += 26;
  const legend = drawLegend(zone, blocks, y, colors, first);
  parts.push(legend.text);
  const grid = drawGrid(space, legend.end, colors);
  return { text: [...parts, grid.text].join("\n"), end: grid.end };
}

function drawLegend(zone: ZonePlan, blocks: readonly VpcPlan[], top: number, colors: Colors, first: boolean): Drawn {
  const counts = new Map<string | undefined, number>();
  for (const it of blocks) if (it.state === "used") counts.set(it.router, (counts.get(it.router) ?? 0) + 1);
  const known = new Map(zone.routers.map((it) => [it.name, it]));
  const names = [
    ...new Set([
      ...(first ? zone.routers.map(({ name }) => name) : []),
      ...[...counts.keys()].filter((it) => it !== undefined),
    ]),
  ];
  const items: [string, string, string][] = names.slice(0, 24).map((name) => {
    const { address, asn } = known.get(name) ?? {};
    const count = counts.get(name) ?? 0;
    const title = [`router ${name}`, address, asn && `AS ${asn}`, `${count} here`].filter((it) => it).join(", ");
    return [colors.of(name), `${shorten(name, 150, 13)} · ${count}`, title];
  });
  if (names.length > 24) items.push(["free", `and ${names.length - 24} more routers`, names.slice(24).join(", ")]);
  if (counts.has(undefined))
    items.push(["held", `reserved · ${counts.get(undefined)}`, "held by name, without a resource in this stack"]);
  if (blocks.some(({ state, tiers }) => state === "remembered" || tiers.some((it) => it.state === "remembered"))) {
    items.push(["kept", "remembered", "given back, and kept for its name while there is room"]);
  }
  items.push(["free", "free", "never given out"]);
  const changes: [string, string, string][] = [
    ["claimed", "new", "claimed by this change"],
    ["moved", "moved here", "renumbered by this change"],
    ["freed", "freed", "given back by this change"],
  ];
  const all = new Set(blocks.flatMap(({ change, tiers }) => [change, ...tiers.map((it) => it.change)]));
  items.push(
    ...changes
      .filter(([change]) => all.has(change as "claimed"))
      .map(([change, text, title]): [string, string, string] => [`free ${change}`, text, title]),
  );
  let [x, y] = [MARGIN, top];
  const parts = items.map(([look, text, title]) => {
    const width = 46 + textWidth(text, 13);
    if (x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + 24];
    const part = `<g><title>${xml(title)}</title>${box(look, x + 1, y + 1, 14, 14, 3)}${words(x + 22, y + 13, "soft", text, 13)}</g>`;
    x += width;
    return part;
  });
  return { text: parts.join("\n"), end: y + 34 };
}

/** How a space is cut into cells: their prefix length, how many stand on a line, and how high a line is. */
interface Cut {
  readonly length: number;
  readonly columns: number;
  readonly height: number;
}

/** A prefix of several lines is drawn as one: what matters here is how many others there are. */
function cutOf({ prefix, unit, blocks }: Space): Cut {
  const length = Math.max(prefix.length, unit);
  const count = blocks.reduce((sum, it) => sum + 2 ** Math.min(4, Math.max(0, length - it.prefix.length)), 0);
  const wanted = count <= 12 ? 4 : count <= 64 ? 8 : count <= 256 ? 16 : 32;
  const columns = Math.min(wanted, 2 ** Math.min(5, length - prefix.length));
  return { length, columns, height: { 8: 164, 16: 66, 32: 42 }[columns] ?? 190 };
}

function drawGrid(space: Space, top: number, colors: Colors): Drawn {
  const { prefix, blocks } = space;
  const cut = cutOf(space);
  const { length, columns, height } = cut;
  const cellSize = sizeOf({ ...prefix, length });
  const line = cellSize * BigInt(columns);
  const lines = sizeOf(prefix) / line;
  const lineOf = (base: bigint) => (base - prefix.base) / line;
  const occupied = new Set<bigint>();
  /** The first of several lines that one prefix fills, and how many they are. */
  const bands = new Map<bigint, bigint>();
  for (const { prefix: it } of blocks) {
    const [from, size] = [lineOf(it.base), sizeOf(it) / line];
    occupied.add(from);
    if (size > 1n) bands.set(from, size);
  }
  // Few lines are all shown, free or not, and so is a single one between two others.
  const near = (at: bigint) => occupied.has(at - 1n) && occupied.has(at + 1n);
  if (lines <= 4n && bands.size === 0) for (let at = 0n; at < lines; at++) occupied.add(at);
  else for (const at of [...occupied]) if (!bands.has(at) && at + 2n < lines && near(at + 1n)) occupied.add(at + 1n);
  const shown = [...occupied].sort((a, b) => (a < b ? -1 : 1));

  const width = GRID / columns;
  const left = MARGIN + GUTTER;
  const parts: string[] = [];
  const place = new Map<bigint, number>();
  let y = top;
  if (columns > 1) {
    for (let column = 0; column < columns; column++) {
      if (width < 30 && column % 4 !== 0) continue;
      parts.push(
        words(
          left + column * width + 4,
          y,
          "axis mono",
          `+${offset(prefix, cellSize * BigInt(column))}`,
          width < 60 ? 9 : 11,
        ),
      );
    }
    y += 8;
  }
  const strip = (from: bigint, to: bigint) => {
    if (from >= to) return;
    const base = prefix.base + from * line;
    const count = (to - from) * BigInt(columns);
    const range = `${formatAddress({ family: prefix.family, value: base })} to ${formatAddress({ family: prefix.family, value: prefix.base + to * line - 1n })}`;
    parts.push(
      `<g><title>${xml(`free: ${range}`)}</title>${box("strip", left + 1, y + 3, GRID - 2, 22, 4)}${words(left + GRID / 2, y + 18, "axis mid", `free · ${thousands(count)} × /${length}`)}${words(MARGIN, y + 18, "axis mono", formatAddress({ family: prefix.family, value: base }))}</g>`,
    );
    y += 28;
  };
  let next = 0n;
  for (const at of shown) {
    strip(next, at);
    place.set(at, y);
    parts.push(
      words(
        MARGIN,
        y + Math.min(height / 2 + 4, 22),
        "axis mono",
        formatAddress({ family: prefix.family, value: prefix.base + at * line }),
      ),
    );
    const many = bands.get(at);
    if (many !== undefined) parts.push(words(MARGIN, y + 40, "axis", `${thousands(many)} lines`));
    y += height;
    next = at + (many ?? 1n);
  }
  strip(next, lines);

  const cell = (it: Prefix): { x: number; y: number; w: number; h: number } => {
    const at = it.base - prefix.base;
    const row = at / line;
    const x = Number((at % line) / cellSize);
    const from = place.get(row) ?? top;
    if (it.length > length) {
      // Smaller than a cell: its part of it, alternately beside and below one another.
      const depth = it.length - length;
      const across = 2 ** Math.ceil(depth / 2);
      const part = Number((at % cellSize) / sizeOf(it));
      const [w, h] = [width / across, height / 2 ** Math.floor(depth / 2)];
      return { x: left + x * width + (part % across) * w, y: from + Math.floor(part / across) * h, w, h };
    }
    return { x: left + x * width, y: from, w: Math.min(2 ** (length - it.length), columns) * width, h: height };
  };

  const taken = new Set<bigint>();
  const shared = new Set<bigint>();
  for (const { prefix: it } of blocks) {
    const first = (it.base - prefix.base) / cellSize;
    if (it.length > length) shared.add(first);
    const cells = it.length >= length ? 1 : Math.min(columns, 2 ** (length - it.length));
    for (let index = 0; index < cells; index++) taken.add(first + BigInt(index));
  }
  for (const at of shown) {
    for (let column = 0; column < columns; column++) {
      const index = at * BigInt(columns) + BigInt(column);
      if (taken.has(index) && !shared.has(index)) continue;
      const free: Prefix = { family: prefix.family, base: prefix.base + index * cellSize, length };
      const { x, y: from, w, h } = cell(free);
      const look = shared.has(index) ? "frame free" : "cell free";
      const title = `${formatPrefix(free)}: ${shared.has(index) ? "split" : "free"}`;
      parts.push(`<g><title>${xml(title)}</title>${box(look, x + 1, from + 1, w - 2, h - 2, radius(h))}</g>`);
    }
  }
  for (const block of blocks) parts.push(drawBlock(block, cell(block.prefix), colors));
  return { text: parts.join("\n"), end: y };
}

const radius = (height: number): number => (height > 60 ? 6 : height > 30 ? 4 : 2);

/** What is added to a line's first address, in the group that the cells differ in. */
function offset(prefix: Prefix, value: bigint): string {
  if (prefix.family === 4) return value.toString();
  const group = (value >> 64n) & 0xffffn;
  return value !== 0n && group === 0n ? `${(value >> 80n).toString(16)}:0` : group.toString(16);
}

function drawBlock(
  block: VpcPlan,
  { x, y, w, h }: { x: number; y: number; w: number; h: number },
  colors: Colors,
): string {
  const { prefix, name, state, change, router, tiers, others } = block;
  const look = state === "remembered" ? "kept" : colors.of(router);
  const edge = edgeOf(change);
  const live = tiers.filter((it) => it.state === "used");
  const guests = live.reduce((sum, it) => sum + it.guests, 0);
  const room = prefix.length < 64 && prefix.family === 6 ? 2 ** (64 - prefix.length) - 1 : 0;
  const title = [
    `${name}  ${formatPrefix(prefix)}`,
    state === "remembered"
      ? "free; remembered for its name"
      : router === undefined
        ? "reserved"
        : `on router ${router}`,
    ...(block.resource ? [`${live.length} of ${room} tiers, ${guests} guest${guests === 1 ? "" : "s"}`] : []),
    ...tiers.map(
      (it) =>
        `  ${it.state === "used" ? it.name : `(${it.name}, gone)`}  ${formatPrefix(it.prefix)}${it.state === "used" ? `  ${it.guests} guests` : ""}`,
    ),
    ...others.map((it) => `  ${it.name}  ${it.value}`),
    ...(change === undefined ? [] : [`${change} by this change`]),
  ].join("\n");
  const inset = edge === "" ? 1 : 2;
  const parts = [
    `<g><title>${xml(title)}</title>`,
    box(`cell ${look}${edge}`, x + inset, y + inset, Math.max(1, w - 2 * inset), Math.max(1, h - 2 * inset), radius(h)),
  ];
  const size = h >= 100 && w >= 120 ? 17 : h >= 56 ? 13 : 10;
  const pad = w >= 120 ? 10 : 4;
  if (w > 26 && h >= 14) {
    const top = y + size + (h >= 100 ? 8 : h >= 56 ? 5 : 3);
    // In the smallest cells a name takes two lines.
    const room = w - 2 * pad;
    const [first, rest] = h >= 36 && h < 56 ? broken(name, room, size) : [name, ""];
    parts.push(words(x + pad, top, "name", shorten(first, room, size, 0.7), size));
    if (rest !== "") parts.push(words(x + pad, top + size, "name", shorten(rest, room, size, 0.7), size));
  }
  if (h >= 56 && w >= 76) {
    const small = h >= 100 && w >= 150 ? 12 : 10;
    parts.push(
      words(
        x + pad,
        y + size + small + (h >= 100 ? 14 : 10),
        "soft mono",
        shorten(formatPrefix(prefix), w - 2 * pad, small, MONO),
        small,
      ),
    );
  }
  if (state === "used")
    parts.push(h >= 100 && w >= 120 ? drawTiers(block, x, y, w, h, look) : drawTicks(block, x, y, w, h, look, room));
  parts.push("</g>");
  return parts.join("");
}

/** Tiers with their names, as many as there is room for. */
function drawTiers(
  { tiers, others, prefix, resource }: VpcPlan,
  x: number,
  y: number,
  w: number,
  h: number,
  look: string,
): string {
  const top = y + 56;
  const bottom = y + h - 26;
  const lines = Math.max(1, Math.floor((bottom - top) / 24));
  const wide = tiers.length <= lines && w >= 260;
  const columns = wide ? 1 : Math.max(1, Math.min(8, Math.floor((w - 12) / (w < 200 ? 72 : 130))));
  const width = Math.min(440, (w - 20) / columns);
  const shown = tiers.length > lines * columns ? tiers.slice(0, lines * columns - 1) : tiers;
  const parts = shown.map((it, index) => {
    const [cx, cy] = [x + 10 + (index % columns) * width, top + Math.floor(index / columns) * 24];
    return drawTier(it, cx, cy, width, look, wide);
  });
  const more = tiers.length - shown.length;
  if (more > 0) {
    const index = shown.length;
    parts.push(
      words(
        x + 14 + (index % columns) * width,
        top + Math.floor(index / columns) * 24 + 15,
        "soft",
        `+ ${more} more`,
        12,
      ),
    );
  }
  if (resource) {
    const live = tiers.filter((it) => it.state === "used").length;
    const free = prefix.length < 64 ? 2 ** (64 - prefix.length) - 1 - tiers.length : 0;
    const vips = others.length === 0 ? "" : ` · ${others.length} VIP${others.length === 1 ? "" : "s"}`;
    parts.push(
      words(
        x + 10,
        y + h - 11,
        "soft",
        shorten(`${live} tier${live === 1 ? "" : "s"}${vips} · ${thousands(free)} free`, w - 20, 11),
        11,
      ),
    );
  }
  return parts.join("");
}

function drawTier(tier: TierPlan, x: number, y: number, width: number, look: string, wide: boolean): string {
  const used = tier.state === "used";
  const prefix = formatPrefix(tier.prefix);
  const guests = used ? `${tier.guests} guest${tier.guests === 1 ? "" : "s"}` : "";
  const count = wide ? guests : guests.replace(/ .*/, "");
  const beside = wide ? 8 * prefix.length + 16 : 0;
  const label = shorten(tier.name, width - 34 - beside - textWidth(count, 12), 12);
  const title = `${used ? "tier" : "free, remembered for"} ${tier.name}  ${prefix}${guests === "" ? "" : `  ${guests}`}`;
  const parts = [
    `<title>${xml(title)}</title>`,
    box(`tier ${used ? "chip" : "chipkept"}${edgeOf(tier.change)}`, x + 1, y + 1, width - 4, 20, 4),
    used ? box(`t${look}`, x + 6, y + 7, 8, 8, 2) : "",
    words(x + 19, y + 15, used ? "" : "soft", label, 12),
    wide ? words(x + width - textWidth(count, 12) - 20, y + 15, "soft mono end", prefix, 11) : "",
    count === "" ? "" : words(x + width - 9, y + 15, "soft end", count, 12),
  ];
  return `<g>${parts.join("")}</g>`;
}

const edgeOf = (change: string | undefined): string =>
  change === "claimed" || change === "moved" || change === "freed" ? ` ${change}` : "";

/** A tick for each /64 where there are few of them, else a bar of how many are in use. */
function drawTicks(
  { tiers, prefix, resource }: VpcPlan,
  x: number,
  y: number,
  w: number,
  h: number,
  look: string,
  room: number,
): string {
  if (!resource || w < 20 || h < 20 || room === 0) return "";
  const [left, width, tall] = [x + 5, w - 10, h >= 56 ? 8 : 5];
  const top = y + h - tall - 5;
  if (room <= 15) {
    const step = width / (room + 1);
    const at = (it: Prefix) => Number((it.base - prefix.base) >> 64n);
    const own = box(`t${look}`, left, top + tall - 2, Math.max(1, step - 1), 2);
    const free = box("slot", left + step, top, width - step, tall);
    return (
      free +
      own +
      tiers
        .map((it) =>
          box(
            it.state === "used" ? `t${look}` : "kept1",
            left + at(it.prefix) * step,
            top,
            Math.max(1, step - 1),
            tall,
          ),
        )
        .join("")
    );
  }
  const live = tiers.filter((it) => it.state === "used").length;
  const part = live === 0 ? 0 : Math.max(2, (width * live) / room);
  return (
    box("slot", left, top, width, tall) + (part > 0 ? box(`t${look}`, left, top, Math.min(part, width), tall) : "")
  );
}

function box(look: string, x: number, y: number, w: number, h: number, round = 0): string {
  return `<rect class="${look}" x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"${round > 0 ? ` rx="${round}"` : ""}/>`;
}
function words(x: number, y: number, look: string, text: string, size?: number): string {
  return `<text${look === "" ? "" : ` class="${look}"`} x="${n(x)}" y="${n(y)}"${size === undefined ? "" : ` font-size="${size}"`}>${xml(text)}</text>`;
}
const n = (value: number): string => `${Math.round(value * 100) / 100}`;

function percent(share: number): string {
  const value = 100 * share;
  if (value <= 0) return "0 %";
  return value < 0.1 ? "< 0.1 %" : `${value < 10 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} %`;
}

/** An estimate, for the widest of usual fonts; `each` is that of a usual letter. What is not Latin may be as wide as it is high. */
function textWidth(text: string, size: number, each = 0.64): number {
  let width = 0;
  for (const letter of text) {
    if ((letter.codePointAt(0) ?? 0) > 0x2e7f || /[mwMW@%…]/.test(letter)) width += Math.max(1.02, 1.6 * each);
    else if (/[iljtfr.,:;'|! ·()[\]-]/.test(letter)) width += 0.65 * each;
    else width += /\p{Lu}/u.test(letter) ? 1.2 * each : each;
  }
  return size * width;
}

const MONO = 0.61;

/** As much as fits on a line, and the rest. */
function broken(name: string, room: number, size: number): [first: string, rest: string] {
  const letters = [...name];
  let count = letters.length;
  while (count > 1 && textWidth(letters.slice(0, count).join(""), size, 0.7) > room) count--;
  // A number stays whole.
  const digit = (at: number) => /^\d$/.test(letters[at] ?? "");
  const number = count;
  while (count < letters.length && count > 1 && digit(count - 1) && digit(count)) count--;
  if (count === 1) count = number;
  return [letters.slice(0, count).join(""), letters.slice(count).join("")];
}

/** Cut in the middle, as names that begin alike differ at their end. */
function shorten(text: string, room: number, size: number, each = 0.64): string {
  // Of a fixed width every letter is like the others.
  const wide = (it: string) => (each === MONO ? size * each * it.length : textWidth(it, size, each));
  if (wide(text) <= room) return text;
  const letters = [...text];
  for (let kept = letters.length - 1; kept > 1; kept--) {
    const end = Math.floor(kept / 2);
    const short = `${letters.slice(0, kept - end).join("")}…${letters.slice(letters.length - end).join("")}`;
    if (wide(short) <= room) return short;
  }
  return "";
}

/** For XML: its own characters as entities, and none that it does not allow. */
export const xml = (text: string): string =>
  text.replace(/[\p{Cs}\ufffe\uffff]|[^\P{Cc}\t\n\r]/gu, "").replace(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`);
