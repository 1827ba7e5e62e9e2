// A VPC in its cell: its name, its prefix, and what there is room for of its tiers.

import { formatPrefix, type Prefix } from "../../provider/addressing/prefix";
import { inhabitants, type TierPlan, thousands, type VpcPlan } from "../plan";
import type { Colors } from "./colors";
import { box, broken, MONO, shorten, textWidth, words, xml } from "./shapes";

export const radius = (height: number): number => (height > 60 ? 6 : height > 30 ? 4 : 2);

export function drawBlock(
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
        `  ${it.state === "used" ? it.name : `(${it.name}, gone)`}  ${formatPrefix(it.prefix)}${it.state === "used" ? `  ${inhabitants(it)}` : ""}`,
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
  const room = width - 34 - beside - textWidth(count, 12);
  // Rather small than cut.
  const size = [12, 11, 10].find((it) => textWidth(tier.name, it) <= room) ?? 12;
  const label = shorten(tier.name, room, size);
  const title = `${used ? "tier" : "free, remembered for"} ${tier.name}  ${prefix}${used ? `  ${inhabitants(tier)}` : ""}`;
  const parts = [
    `<title>${xml(title)}</title>`,
    box(`tier ${used ? "chip" : "chipkept"}${edgeOf(tier.change)}`, x + 1, y + 1, width - 4, 20, 4),
    used ? box(`t${look}`, x + 6, y + 7, 8, 8, 2) : "",
    words(x + 19, y + 15, used ? "" : "soft", label, size),
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
