// The difference of two texts, line by line, as the hunks of a unified diff (Myers 1986: the shortest one).

export interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Past this many differing lines the shortest difference is not worth its price: all of the old, then all of the new. */
const MOST = 500;

export function differences(before: readonly string[], after: readonly string[]): Line[] {
  let from = 0;
  while (from < before.length && from < after.length && before[from] === after[from]) from++;
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > from && newEnd > from && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd--;
    newEnd--;
  }
  const same = (lines: readonly string[]): Line[] => lines.map((text) => ({ sign: " ", text }));
  const middle = shortest(before.slice(from, oldEnd), after.slice(from, newEnd));
  return [...same(before.slice(0, from)), ...middle, ...same(before.slice(oldEnd))];
}

function shortest(before: readonly string[], after: readonly string[]): Line[] {
  const most = Math.min(before.length + after.length, MOST);
  // How far along `before` the furthest path on each diagonal is, for every number of edits so far.
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= most; edits++) {
    const next = new Map(reach);
    trace.push(reach);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = goesDown(next, diagonal, edits);
      let x = down ? (next.get(diagonal + 1) ?? 0) : (next.get(diagonal - 1) ?? 0) + 1;
      let y = x - diagonal;
      while (x < before.length && y < after.length && before[x] === after[y]) {
        x++;
        y++;
      }
      next.set(diagonal, x);
      if (x >= before.length && y >= after.length) return walkBack(trace, before, after, edits);
    }
    reach = next;
  }
  return [...before.map((text): Line => ({ sign: "-", text })), ...after.map((text): Line => ({ sign: "+", text }))];
}

const goesDown = (reach: Map<number, number>, diagonal: number, edits: number): boolean =>
  diagonal === -edits || (diagonal !== edits && (reach.get(diagonal - 1) ?? -1) < (reach.get(diagonal + 1) ?? -1));

function walkBack(
  trace: Map<number, number>[],
  before: readonly string[],
  after: readonly string[],
  edits: number,
): Line[] {
  const lines: Line[] = [];
  let [x, y] = [before.length, after.length];
  for (let left = edits; left >= 0; left--) {
    const reach = trace[left] ?? new Map<number, number>();
    const diagonal = x - y;
    const down = goesDown(reach, diagonal, left);
    const from = diagonal + (down ? 1 : -1);
    const startX = reach.get(from) ?? 0;
    const startY = startX - from;
    while (x > startX && y > startY && x > 0 && y > 0) {
      lines.push({ sign: " ", text: before[--x] ?? "" });
      y--;
    }
    if (left === 0) break;
    lines.push(down ? { sign: "+", text: after[startY] ?? "" } : { sign: "-", text: before[startX] ?? "" });
    [x, y] = [startX, startY];
  }
  return lines.reverse();
}

export const linesIn = (text: string | undefined): string[] =>
  text === undefined || text === "" ? [] : text.replace(/\n$/, "").split("\n");

/** Only what changes, with so many lines around it; `…` between. Undefined: nothing changes. */
export function excerpt(lines: readonly Line[], context = 2): Line[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(({ sign }) => sign !== " "),
  );
  return lines.flatMap((line, index): Line[] => {
    if (near[index]) return [line];
    return near[index - 1] && near.slice(index).some(Boolean) ? [{ sign: " ", text: "…" }] : [];
  });
}
