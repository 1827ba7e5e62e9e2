// The preview never lies: random edits of a random network, through the real engine. What preview said is what `up` did, in the state
// and on the router; a second preview is empty; nothing that the edit did not name has moved. The router is simulated: it keeps
// fragments as the real one does (test/lab/truth.test.ts has a real one). `make test-truth` makes 200 edits; VPC6_TRUTH=EDITS,SEED
// any other number.

import { expect, test } from "vitest";
import { decode } from "../../provider/router/payload";
import { mulberry } from "../random";
import { type Asked, answer, fakeRouter, hostKeyPrint, type Reply, userKey } from "../unit/router/server";
import { Engine } from "./engine";
import { begun, edit } from "./truth/edits";
import { judge, type Seen } from "./truth/judge";
import { program } from "./truth/network";

const [edits = 2, seed = 20261147] = (process.env.VPC6_TRUTH ?? "").split(",").filter(Boolean).map(Number);

test(
  `${edits} random edits (seed ${seed})`,
  async () => {
    const texts: Texts = new Map();
    await using router = await fakeRouter((asked) => keep(texts, asked));
    await using engine = await Engine.start({
      env: { VPC6_SSH_KEY: userKey.private, PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" },
    });
    const { host, port } = router.address;
    const at = `host: "${host}", port: ${port}, hostKey: "${hostKeyPrint}", publicInterface: "pub0"`;
    const random = mulberry(seed);
    const network = begun(random, 12);
    await engine.program(program(network, at));
    const first = await engine.up();
    expect(first.code, first.all).toBe(0);

    const seen: Seen = {};
    for (let round = 0; round < edits; round++) {
      const made = edit(network, random, { forced: true });
      const text = program(network, at);
      const where = `edit ${round + 1}, ${made.what}:\n${text}`;
      const asked = router.payloads.length;
      const { before, after, promised } = await judge(engine, text, made, seen, where);
      // The router holds the texts of the preview, and nothing else.
      const there = [...texts].map(([id, { fragments }]) => [id, fragments] as const);
      expect(Object.fromEntries(there.filter(([, it]) => Object.keys(it).length > 0)), where).toEqual(promised);
      // And it was not asked about anything that the preview did not show.
      const ids = router.payloads
        .slice(asked)
        .flatMap((payload) => [...payload.matchAll(/^(?:set|drop) (\S+)$/gm)].map(([, id]) => id));
      const allowed = made.touches.flatMap((name) => [after.get(name)?.id, before.get(name)?.id]);
      for (const id of ids) expect(allowed, where).toContain(id);
    }
    console.log(`${edits} edits, seed ${seed}: ${JSON.stringify(seen)}`);
  },
  60_000 + Math.max(6, edits) * 60_000,
);

/** By id. */
type Texts = Map<string, { fragments: Record<string, string>; made: string | undefined }>;

/** A router that keeps what it is told, all at once; secrets it never gives back. */
function keep(texts: Texts, { line, input }: Asked): Reply {
  if (line.includes(" converge ")) {
    for (const [, id = "", word = ""] of input.matchAll(/^drop (\S+)\nmade (\S+)$/gm))
      if (texts.get(id)?.made?.startsWith(word)) texts.delete(id);
    const rest = input
      .split("\n")
      .filter((it) => !/^(drop|made|holder|nonce|confirm|end) /.test(it))
      .slice(0, -1);
    const said = decode(`${[...rest, `end ${rest.length}`].join("\n")}\nvpc6-drift 1\nend vpc6-drift\n`);
    for (const [id, { secrets, ...fragments }] of said.fragments) texts.set(id, { fragments, made: said.made.get(id) });
    return answer("ok 1 same");
  }
  if (line.includes(" uninstall ")) texts.clear();
  return answer("ok 1 same");
}
