// The address plan as a picture. A zone is a grid in the order of its addresses, line by line: every prefix is a rectangle in it, and
// its size is its share. Lines on which nobody is are drawn as one strip. The picture follows the reader's light or dark scheme.

import { formatPrefix, sizeOf } from "../../provider/addressing/prefix";
import { type Space, thousands, type VpcPlan, type ZonePlan, zonesOf } from "../plan";
import type { Stack } from "../stack";
import { Colors, style } from "./colors";
import { type Drawn, drawGrid } from "./grid";
import { box, MARGIN, shorten, textWidth, WIDTH, words, xml } from "./shapes";

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

function percent(share: number): string {
  const value = 100 * share;
  if (value <= 0) return "0 %";
  return value < 0.1 ? "< 0.1 %" : `${value < 10 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} %`;
}
