// A thousand simulated routers in one `pulumi up`, as test/engine/fleet.test.ts has them: wall time and memory.

import { fleet as run } from "../test/engine/fleet.ts";
import { seconds, table } from "./measure.ts";

export async function fleet(counts: number[]): Promise<string> {
  const rows: string[][] = [];
  for (const count of counts) {
    await using all = await run(count);
    const { failed, took, seen, up } = all;
    if (!up.all.includes(`${failed} of ${count} routers failed:`)) throw new Error(up.all);
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
