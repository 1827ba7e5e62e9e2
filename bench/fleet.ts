// A thousand simulated routers in one `pulumi up`, as test/engine/fleet.test.ts has them: wall time and memory.

import { fleet as run } from "../test/engine/fleet.ts";
import { seconds, table } from "./measure.ts";

export async function fleet(counts: number[]): Promise<string> {
  const rows: string[][] = [];
  for (const count of counts) {
    await using all = await run(count);
    const { engine, failed, took, seen, up } = all;
    // All that can be reached are done. (A single one that cannot has no list of its own.)
    const { resources = [] } = (await engine.export()).deployment;
    const done = resources.filter(({ type }) => /:(Router|Vpc)$/.test(type)).length;
    if (done !== 3 * (count - failed)) throw new Error(`${done} of ${3 * (count - failed)} resources: ${up.all}`);
    rows.push([
      count.toLocaleString("en"),
      String(failed),
      (3 * count).toLocaleString("en"),
      `${seconds(took)} s`,
      `${seen.rss.toFixed(0)} MB`,
      String(seen.files),
      `${seen.open}, ${seen.dials}`,
    ]);
    console.log(`  ${rows.at(-1)?.join(", ")}`);
  }
  return table(
    ["routers", "unreachable", "resources", "`pulumi up`", "provider", "files", "connections, dials at a time"],
    rows,
  );
}
