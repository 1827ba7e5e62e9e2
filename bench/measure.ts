// Times and what they come to. Variants of one thing are measured in turns, one repetition of each after the other, so that what
// else the machine does falls on all of them.

export interface Spread {
  median: number;
  least: number;
  most: number;
  count: number;
}

export function spread(times: number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
    count: sorted.length,
  };
}

/** Runs each variant `repetitions` times, by turns, and gives what each took, in seconds. A variant may say its own time. */
export async function byTurns<Name extends string>(
  repetitions: number,
  variants: Record<Name, (turn: number) => Promise<unknown>>,
): Promise<Record<Name, Spread>> {
  const times = new Map<string, number[]>();
  for (let turn = 0; turn < repetitions; turn++) {
    for (const [name, run] of Object.entries(variants) as [Name, (turn: number) => Promise<unknown>][]) {
      const began = performance.now();
      const own = await run(turn);
      const seconds = typeof own === "number" ? own : (performance.now() - began) / 1000;
      times.set(name, [...(times.get(name) ?? []), seconds]);
      console.log(`  ${name}: ${seconds.toFixed(3)} s`);
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, spread(all)])) as Record<Name, Spread>;
}

export const seconds = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1));

/** `0.31 s (0.28–0.40)` */
export const text = ({ median, least, most }: Spread): string =>
  `${seconds(median)} s (${seconds(least)}–${seconds(most)})`;

export const ratio = (a: Spread, b: Spread): number => a.median / b.median;

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A target of the project, whether it was met, and what limits it where it was not. */
export interface Target {
  row: string[];
  met: boolean;
  limit: string;
}

export function verdict(what: string, is: number, atMost: number, limit: string): Target {
  const met = is <= atMost;
  return { row: [what, `≤ ${atMost}`, is.toFixed(2), met ? "met" : "**missed**"], met, limit };
}
