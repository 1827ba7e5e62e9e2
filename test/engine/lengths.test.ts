// VPCs of several sizes in one zone, through an engine: who gets what, who keeps what, and what a change of size says.

import { expect, test } from "vitest";
import { Engine } from "./engine";
import { InProcess } from "./in-process";
import { program, SUPER, zoneOnly } from "./programs";

const vpc = (name: string, rest = "") => `new vpc6.Vpc("${name}", { zone, router, ${rest} });`;

test("lengths from 48 to 63 beside each other, known at preview", async () => {
  await using engine = await Engine.start();
  await engine.program(
    program(
      SUPER,
      vpc("a") + vpc("big", "vpcPrefixLength: 56") + vpc("small", "vpcPrefixLength: 63") + vpc("c") + vpc("d"),
    ),
  );
  const { code, all, stdout } = await engine.preview({ diff: true, args: ["--show-full-output"] });
  expect(code, all).toBe(0);
  for (const cidr of ["::/60", ":100::/56", ":10::/60", ":20::/60", ":30::/63"]) {
    expect(stdout).toMatch(new RegExp(`cidr +: "2001:67c:2834${cidr}"`));
  }
});

test.each([
  ["vpcPrefixLength: 49", "vpcPrefixLength: a /49 does not fit in 2001:67c:2834::/50"],
  ["vpcPrefixLength: 64", "vpcPrefixLength: 64 is not a prefix length (48 to 63)"],
  [
    `cidr: "2001:67c:2834:100::/56"`,
    "cidr: 2001:67c:2834:100::/56 is a /56, but the VPC prefixes in 2001:67c:2834::/50 are /60; with vpcPrefixLength",
  ],
])("%s is refused", async (rest, reason) => {
  await using engine = await InProcess.start();
  await engine.program(program(SUPER, vpc("other") + vpc("shop", rest)));
  const { code, all } = await engine.preview();
  expect(code).not.toBe(0);
  expect(all).toContain(`Vpc resource 'shop' has a problem: ${reason}`);
  expect(all).not.toContain("'other' has a problem");
});

test("a reserved name grows where it is, and never moves by itself; a default of another length moves nobody", async () => {
  await using engine = await InProcess.start();
  const reserve = async (zone: string, names: string) => {
    await engine.program(zoneOnly(`${SUPER}, ${zone} reserve: [${names}]`));
    const { code, all } = await engine.up();
    return { code, all, ledger: String(code === 0 ? await engine.output("ledger") : "").replace(/ +/g, " ") };
  };
  expect((await reserve("", `"a", "b", { name: "c", vpcPrefixLength: 58 }`)).ledger).toMatch(
    /vpc 2001:67c:2834:40::\/58 c/,
  );
  const grown = await reserve("", `"a", "b", { name: "c", vpcPrefixLength: 58 }, { name: "d", vpcPrefixLength: 59 }`);
  expect(grown.ledger).toMatch(/vpc 2001:67c:2834:20::\/59 d/);
  const stuck = await reserve("", `{ name: "a", vpcPrefixLength: 59 }, "b", { name: "c", vpcPrefixLength: 58 }`);
  expect(stuck.code).not.toBe(0);
  expect(stuck.all).toContain(
    `reserve: vpc "a": 2001:67c:2834::/60 does not become a /59 where it is: 2001:67c:2834::/59 overlaps 2001:67c:2834:10::/60, held by b`,
  );
  const { ledger } = await reserve(
    "vpcPrefixLength: 56,",
    `"a", "b", { name: "c", vpcPrefixLength: 57 }, "e"`.replace("57", "58"),
  );
  for (const line of ["::/60 a", ":10::/60 b", ":40::/58 c", ":100::/56 e"])
    expect(ledger).toContain(`vpc 2001:67c:2834${line}`);
  expect((await engine.preview({ args: ["--expect-no-changes"] })).code).toBe(0);
});
