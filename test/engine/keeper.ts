// A router in this process that remembers.

import { answer } from "../unit/router/server";

/** Keeps what was applied, and says it when it is asked what there is. */
export function keeper() {
  const fragments = new Map<string, string[]>();
  const router = {
    drift: "",
    respond({ line, input }: { line: string; input: string }) {
      if (line.includes(" converge ")) {
        let lines: string[] = [];
        for (const text of input.split("\n")) {
          const [, verb, id = ""] = /^(set|drop) (\S+)$/.exec(text) ?? [];
          if (verb === "drop") fragments.delete(id);
          else if (verb === "set") {
            lines = [];
            fragments.set(id, lines);
          } else if (/^(slot |\|)/.test(text)) lines.push(text);
        }
        return answer("ok 1 same", { changed: "network" });
      }
      const all = ["vpc6-transaction 1", ...[...fragments].flatMap(([id, lines]) => [`set ${id}`, ...lines])];
      return { stdout: `${[...all, `end ${all.length}`].join("\n")}\nvpc6-drift 1\n${router.drift}end vpc6-drift\n` };
    },
  };
  return router;
}
