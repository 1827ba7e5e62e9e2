// The preview never lies: random edits of a random network, through the real engine. What preview said is what `up` did, in the state
// and on the router; a second preview is empty; nothing that the edit did not name has moved. The router is simulated: it keeps
// fragments as the real one does. `make test-truth` makes 200 edits; VPC6_TRUTH=EDITS,SEED any other number.

import { expect, test } from "vitest";
import { decode } from "../../provider/router/payload";
import { type Asked, answer, fakeRouter, hostKeyPrint, type Reply, userKey } from "../unit/router/server";
import { Engine, type State } from "./engine";
import { edit, type Network, program, type Random } from "./truth/network";

const [edits = 6, seed = 20261123] = (process.env.VPC6_TRUTH ?? "").split(",").filter(Boolean).map(Number);

type Inputs = Record<string, unknown>;
interface Step {
  op: string;
  urn: string;
  newState?: { inputs?: Inputs };
}

test(
  `${edits} random edits (seed ${seed})`,
  async () => {
    const texts = new Map<string, Record<string, string>>();
    await using router = await fakeRouter((asked) => keep(texts, asked));
    await using engine = await Engine.start({
      env: { VPC6_SSH_KEY: userKey.private, PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" },
    });
    const { host, port } = router.address;
    const at = `host: "${host}", port: ${port}, hostKey: "${hostKeyPrint}", publicInterface: "pub0"`;
    const random = mulberry(seed);
    const network: Network = { vpcs: [], next: 1 };
    // Something to begin with.
    for (let count = 0; count < 12; count++) edit(network, random);
    await engine.program(program(network, at));
    const first = await engine.up();
    expect(first.code, first.all).toBe(0);

    const seen: Record<string, number> = {};
    for (let round = 0; round < edits; round++) {
      const { what, touches } = edit(network, random);
      const text = program(network, at);
      const where = `edit ${round + 1}, ${what}:\n${text}`;
      await engine.program(text);
      const before = byName(await engine.export());
      const { stdout, code, all } = await engine.preview({ json: true });
      expect(code, `${where}\n${all}`).toBe(0);
      const steps = (JSON.parse(stdout) as { steps: Step[] }).steps.filter(({ urn }) => urn.includes("vpc6:"));
      const changing = steps.filter(({ op }) => op !== "same");
      for (const { op, urn } of changing) {
        seen[op] = (seen[op] ?? 0) + 1;
        expect(touches, `${where}\n${op} ${urn}`).toContain(nameOf(urn));
        expect(op, where).toMatch(/^(create|update|delete)$/);
      }
      expect(what === "nothing" || changing.length > 0, where).toBe(true);

      const asked = router.payloads.length;
      const up = await engine.up();
      expect(up.code, `${where}\n${up.all}`).toBe(0);
      const state = await engine.export();
      const after = byName(state);
      // What was promised is what is there now.
      for (const { op, urn, newState } of steps) {
        const name = nameOf(urn);
        if (op === "delete") expect(after.has(name), `${where}\n${name} is still there`).toBe(false);
        else expect(after.get(name)?.inputs, `${where}\n${name}`).toEqual(newState?.inputs);
      }
      // What was not named did not move.
      for (const [name, { inputs }] of before) {
        if (!touches.includes(name)) expect(after.get(name)?.inputs, `${where}\n${name}`).toEqual(inputs);
      }
      // The router holds the texts of the preview, and nothing else.
      const promised = Object.fromEntries(
        [...after.values()].flatMap(({ id, inputs }) =>
          inputs.fragments && inputs.router ? [[id, inputs.fragments]] : [],
        ),
      );
      expect(Object.fromEntries([...texts].filter(([, it]) => Object.keys(it).length > 0)), where).toEqual(promised);
      // And it was not asked about anything that the preview did not show.
      const ids = router.payloads
        .slice(asked)
        .flatMap((payload) => [...payload.matchAll(/^(?:set|drop) (\S+)$/gm)].map(([, id]) => id));
      const allowed = touches.flatMap((name) => [after.get(name)?.id, before.get(name)?.id]);
      for (const id of ids) expect(allowed, where).toContain(id);

      const again = await engine.preview({ args: ["--expect-no-changes"] });
      expect(again.code, `${where}\n${again.all}`).toBe(0);
    }
    console.log(`${edits} edits, seed ${seed}: ${JSON.stringify(seen)}`);
  },
  60_000 + edits * 60_000,
);

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

function byName(state: State): Map<string, { id: string; inputs: Inputs }> {
  const all = (state.deployment.resources ?? []).filter(({ type }) => type.includes("vpc6:"));
  return new Map(
    all.map(({ urn, id = "", inputs = {} }) => {
      const { __provider, ...rest } = inputs;
      return [nameOf(urn), { id, inputs: { ...rest, __provider } }];
    }),
  );
}

/** A router that keeps what it is told, all at once. */
function keep(texts: Map<string, Record<string, string>>, { line, input }: Asked): Reply {
  if (line.includes(" converge ")) {
    for (const [, id] of input.matchAll(/^drop (\S+)$/gm)) texts.delete(id ?? "");
    const rest = input
      .split("\n")
      .filter((it) => !/^(drop|holder|nonce|confirm|end) /.test(it))
      .slice(0, -1);
    for (const [id, fragments] of decode(
      `${[...rest, `end ${rest.length}`].join("\n")}\nvpc6-drift 1\nend vpc6-drift\n`,
    ).fragments)
      texts.set(id, fragments);
    return answer("ok 1 same");
  }
  if (line.includes(" uninstall ")) texts.clear();
  return answer("ok 1 same");
}

/** The same numbers for the same seed. */
function mulberry(start: number): Random {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
