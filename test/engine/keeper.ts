// A router in this process that remembers.

import { answer } from "../unit/router/server";

/** When it was made, as a word, if anybody said so. */
function madeOf(lines: string[] = []): string | undefined {
  const at = lines.indexOf("slot made");
  return at < 0 ? undefined : lines[at + 1]?.slice(1).split(" ")[0];
}

/** Keeps what was applied, and says it when it is asked what there is. */
export function keeper() {
  const fragments = new Map<string, string[]>();
  const router = {
    drift: "",
    fragments,
    respond({ line, input }: { line: string; input: string }) {
      if (line.includes(" converge ")) {
        let lines: string[] = [];
        const sent = input.split("\n");
        for (const [at, text] of sent.entries()) {
          const [, verb, id = ""] = /^(set|drop) (\S+)$/.exec(text) ?? [];
          const [, made] = /^made (\S+)$/.exec(sent[at + 1] ?? "") ?? [];
          if (verb === "drop" && (made === undefined || made === (madeOf(fragments.get(id)) ?? made)))
            fragments.delete(id);
          else if (verb === "set") {
            lines = [];
            fragments.set(id, lines);
          } else if (/^(slot |\|)/.test(text)) lines.push(text);
        }
        return answer("ok 1 same", { changed: "network" });
      }
      if (line.includes(" uninstall ")) {
        fragments.clear();
        return answer("ok 0 same");
      }
      const all = ["vpc6-transaction 1", ...[...fragments].flatMap(([id, lines]) => [`set ${id}`, ...lines])];
      return { stdout: `${[...all, `end ${all.length}`].join("\n")}\nvpc6-drift 1\n${router.drift}end vpc6-drift\n` };
    },
  };
  return router;
}
