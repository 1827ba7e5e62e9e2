// What `check` accepts, every daemon accepts: networks at random, whose texts a real router's own program stages, assembles and has judged by
// nft, dnsmasq, haproxy, vtysh, named-checkconf, tayga and ip, many at a time. (That each line is meant is test/unit/fuzz's.)
// `make test-fuzz-lab` is the long form: VPC6_FUZZ_LAB networks; VPC6_FUZZ_SEED repeats a run whose seed a failure printed.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { converge, disconnect } from "../../provider/router/index";
import { encode } from "../../provider/router/payload";
import { program } from "../../provider/router/program";
import { networks, type Told, tell } from "./fuzz/networks";
import { lab } from "./lab.ts";
import { freshRouter } from "./router/vr1";

const long = process.env.VPC6_FUZZ_LAB;
const numRuns = Number(long ?? 40);
const seed = Number(process.env.VPC6_FUZZ_SEED ?? (long === undefined ? 6 : Math.floor(Math.random() * 2 ** 31)));
const batch = 20;

const judge = "/run/vpc6-fuzz.sh";

beforeAll(async () => {
  const router = await freshRouter();
  const packages = "nftables dnsmasq-base haproxy frr frr-pythontools tayga bind9".replaceAll(" ", "\n");
  await converge(router, { id: "fuzz", label: "fuzz", fragments: { packages } });
  const text = `${program().functions}\n${readFileSync(new URL("fuzz/judge.sh", import.meta.url), "utf8")}`;
  await lab.exec("vr1", ["sh", "-c", `cat >${judge}`], { input: text });
});

afterAll(() => disconnect());

interface Refusal {
  service: string;
  id: string;
  why: string;
}

/** What the router says to each payload: nothing when all is well. */
async function judged(payloads: string[]): Promise<(Refusal | undefined)[]> {
  const { stdout } = await lab.exec("vr1", ["unshare", "-n", "-m", "sh", judge], {
    input: payloads.join(""),
    timeoutMs: 60_000 + payloads.length * 10_000,
  });
  const answers: (Refusal | undefined)[] = [];
  let last: Refusal | undefined;
  for (const line of stdout.split("\n")) {
    const [, verdict, service = "", id = ""] = /^(ok|refused) \d+(?: (\S+) (\S+))?$/.exec(line) ?? [];
    if (verdict) {
      last = verdict === "ok" ? undefined : { service, id, why: "" };
      answers.push(last);
    } else if (last && line.startsWith("|")) last.why += `${line.slice(1)}\n`;
  }
  expect(answers, stdout.slice(-2_000)).toHaveLength(payloads.length);
  return answers;
}

const payloadOf = ({ changes }: Told): string => encode(changes, "fuzz", "fuzz");

test("a daemon refuses what is wrong, and the resource is named", async () => {
  const [wrong] = await judged([
    encode([{ id: "x@y", label: "x", fragments: { nftables: "no such thing\n" } }], "fuzz", "fuzz"),
  ]);
  expect(wrong).toMatchObject({ service: "nftables", id: "x@y" });
});

test("what is accepted passes every daemon's own checker", { timeout: 120_000 + numRuns * 10_000 }, async () => {
  const counts = { networks: 0, resources: 0, refused: 0, kinds: new Map<string, number>() };
  const failures: string[] = [];
  const all = fc.sample(networks, { numRuns, seed });
  for (let from = 0; from < all.length; from += batch) {
    const told: Told[] = [];
    for (const one of all.slice(from, from + batch)) told.push(await tell(one));
    const some = told.filter(({ changes }) => changes.length > 0);
    const answers = await judged(some.map(payloadOf));
    for (const [index, one] of some.entries()) {
      const { given, refused } = one;
      counts.networks++;
      counts.resources += given.size;
      counts.refused += refused;
      for (const { kind } of given.values()) counts.kinds.set(kind, (counts.kinds.get(kind) ?? 0) + 1);
      const answer = answers[index];
      if (!answer) continue;
      const whose = given.get(answer.id);
      failures.push(
        `${answer.service} refused ${answer.id}: ${answer.why}${JSON.stringify(whose ?? [...given.values()])}`,
      );
    }
    if (long)
      process.stderr.write(
        `fuzz: seed ${seed}, ${counts.networks} networks, ${counts.resources} resources accepted, ${counts.refused} not, ${failures.length} refused by a daemon\n`,
      );
  }
  if (long) process.stderr.write(`fuzz: ${JSON.stringify(Object.fromEntries(counts.kinds))}\n`);
  expect(counts.resources).toBeGreaterThan(counts.networks);
  expect(failures.slice(0, 20), `seed ${seed}: ${failures.length} refused`).toEqual([]);
});
