// The table of docs/routers.md: event × who × release, packets lost and seconds to heal.

import type { Manager } from "./events.ts";

export interface Measured {
  what: string;
  /** Who did it: the manager of the links, or a hand beside it. */
  who: Manager | "a hand";
  release: string;
  manager: Manager;
  /** Pings of 10 ms, the most in a row. */
  lost: number;
  /** Milliseconds after the end of the command. */
  healed: number;
}

const NAMES: Record<string, string> = { bookworm: "Debian 12", trixie: "Debian 13", noble: "Ubuntu 24.04" };

const worst = (all: Measured[]): string => {
  if (all.length === 0) return "not measured";
  const [lost, healed] = (["lost", "healed"] as const).map((key) => Math.max(...all.map((it) => it[key])));
  const when =
    healed === 0 ? (lost === 0 ? "nothing gone" : "before it ended") : `${((healed ?? 0) / 1000).toFixed(1)} s`;
  return `${lost}, ${when}`;
};

/** A hand's events are one row for all managers, with the worst of them. */
export function table(all: Measured[], { began, cores }: { began: Date; cores: number }): string {
  const releases = [...new Set(all.map(({ release }) => release))];
  const rows = new Map<string, Measured[]>();
  for (const it of all) {
    // In a cell a bar begins the next one.
    const row = `\`${it.what}\` | ${it.who}`.replace(/^`(web0[ ,].*)` \|/, "$1 |");
    rows.set(row, [...(rows.get(row) ?? []), it]);
  }
  const cell = (row: Measured[], release: string): string => worst(row.filter((it) => it.release === release));
  return [
    "",
    `\`make healing\`, ${began.toISOString().slice(0, 10)}, ${cores} cores with other work on them, ${all.length} events:`,
    "",
    `| what | who | ${releases.map((it) => NAMES[it]).join(" | ")} |`,
    `|---|---|${releases.map(() => "---|").join("")}`,
    ...[...rows].map(([name, those]) => `| ${name} | ${releases.map((it) => cell(those, it)).join(" | ")} |`),
    "",
  ].join("\n");
}
