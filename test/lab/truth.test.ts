// The preview never lies, on a real router: random edits of a random network. Beside what test/engine/truth.test.ts asks, the router holds
// just the texts of the preview, its own comparison finds nothing, and of its daemons those were started or reloaded whose
// lines the preview showed to change, and no others; a restart that traffic notices stands in `vpc6 report`.
// `make test-truth` makes 40 edits; VPC6_TRUTH_LAB=EDITS,SEED any other number.

import { afterAll, beforeAll, expect, test } from "vitest";
import { report } from "../../cli/report";
import { readStack } from "../../cli/stack";
import { decode } from "../../provider/router/payload";
import type { Engine } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { begun, edit } from "../engine/truth/edits";
import { judge, type Seen, type Step } from "../engine/truth/judge";
import { program } from "../engine/truth/network";
import { mulberry } from "../random";
import { lab } from "./lab.ts";
import { path } from "./router/vr1";
import { logins, operatorsIpv4, start, startInProcess } from "./stack.ts";

/** By the Pulumi CLI; the short form is about the router, and test/engine/truth.test.ts about the CLI. */
const long = process.env.VPC6_TRUTH_LAB !== undefined;
const [edits = 6, seed = 20261125] = (process.env.VPC6_TRUTH_LAB ?? "").split(",").filter(Boolean).map(Number);

let engine: Engine | InProcess;
let at: string;

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "vr1");
  await operatorsIpv4();
  engine = await (long ? start() : startInProcess());
  const { VR1_HOST, VR1_HOST_KEY } = await lab.env();
  at = `host: "${VR1_HOST}", hostKey: "${VR1_HOST_KEY}", publicInterface: "pub0"`;
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test(
  `${edits} random edits (seed ${seed})`,
  async () => {
    const random = mulberry(seed);
    const network = begun(random, 60);
    await plug(program(network, at));
    await engine.program(program(network, at));
    const first = await engine.up();
    expect(first.code, first.all).toBe(0);

    const seen: Seen = {};
    for (let round = 0; round < edits; round++) {
      const made = edit(network, random, { forced: long });
      const text = program(network, at);
      const where = `edit ${round + 1}, ${made.what}:\n${text}`;
      await plug(text);
      const [had, came] = [await marks(), await logins("vr1")];
      const { changing, preview, promised } = await judge(engine, text, made, seen, where);
      const [has, come] = [await marks(), (await logins("vr1")) - came];

      const { fragments, drift } = decode((await lab.exec("vr1", `${path} observe`)).stdout);
      expect(Object.fromEntries(fragments), where).toEqual(nonempty(promised));
      expect(Object.fromEntries(drift), where).toEqual({});

      const slots = changedSlots(changing);
      // What is made once more is asked of the router.
      if (slots.size === 0 && !made.replace)
        expect(come, `${where}\nnothing changes on the router, and somebody logged in`).toBe(0);
      const { markdown } = report(readStack(preview));
      for (const [service, { by, noticed }] of Object.entries(services)) {
        const [before, after] = [had[service] ?? "", has[service] ?? ""];
        const touched = before !== after;
        if (touched) seen[service] = (seen[service] ?? 0) + 1;
        const said = by.some((slot) => slots.has(slot));
        expect(
          touched,
          `${where}\n${service}: "${before}" before, "${after}" now; changed: ${[...slots].join(" ")}`,
        ).toBe(said);
        if (noticed && touched && before !== "" && after !== "") expect(markdown, where).toMatch(noticed);
      }
      // Daemons that a change never stops.
      for (const daemon of ["bgpd", "zebra", "named"]) {
        const [before, after] = [had[daemon], has[daemon]];
        if (before && after) expect(after, `${where}\n${daemon}`).toBe(before);
      }
    }
    console.log(`${edits} edits, seed ${seed}: ${JSON.stringify(seen)}`);
  },
  120_000 + edits * 60_000,
);

/** What shows that a service was touched: the slots that are its business, and what the report then says. */
const services: Record<string, { by: string[]; noticed?: RegExp }> = {
  table: { by: ["nftables"] },
  dnsmasq: { by: ["dnsmasq"], noticed: /restarts dnsmasq/ },
  haproxy: { by: ["haproxy", "certificates"] },
};

/** Of each daemon the process that does the work, and of the firewall the number the kernel gave the table. */
async function marks(): Promise<Record<string, string>> {
  const commands = {
    table: `nft -j list tables | grep -o '"name": "vpc6", "handle": [0-9]*'`,
    dnsmasq: "cat /run/vpc6/dnsmasq.pid",
    // The master has a worker, and while one says good-bye two: the newest counts.
    haproxy: "pgrep -n -x haproxy",
    bgpd: "pgrep -x bgpd",
    zebra: "pgrep -x zebra",
    named: "pgrep -x named",
  };
  const script = Object.entries(commands).map(([name, command]) => `echo "${name} $(${command} 2>/dev/null)"`);
  const { stdout } = await lab.exec("vr1", `${script.join("; ")}; true`);
  return Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/ (.*)/s, 2)),
  );
}

/** The slots in which a line changes on the router. */
function changedSlots(changing: Step[]): Set<string> {
  const slots = new Set<string>();
  for (const { oldState, newState } of changing) {
    const [before, after] = [oldState, newState].map((it) => (it?.inputs?.fragments ?? {}) as Record<string, string>);
    for (const slot of Object.keys({ ...before, ...after })) if (before?.[slot] !== after?.[slot]) slots.add(slot);
  }
  return slots;
}

const nonempty = (texts: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(texts).filter(([, it]) => Object.keys(it as object).length > 0));

/** The interfaces that the program names: somebody has plugged them in. */
async function plug(text: string): Promise<void> {
  const devices = [...text.matchAll(/interface: "(e\d+)"/g)].map(([, device]) => device);
  const each = devices.map((it) => `[ -e /sys/class/net/${it} ] || ip link add ${it} up type bridge`);
  await lab.exec("vr1", `true; ${each.join("; ")}`);
}
