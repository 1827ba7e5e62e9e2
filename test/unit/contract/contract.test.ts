// The contract between provider, program and CLI (provider/contract.ts): each side's writers against the other side's readers; and that each
// fact is written once: changed there it is changed everywhere, and who still says it as before is found out.

import { expect, test } from "vitest";
import { agree } from "./agree";
import { contractWith, OTHERS, SHARED, worldOf } from "./world";

test("provider and program mean the same", async () => {
  await agree(await worldOf(contractWith([])));
});

const everything = [...SHARED, ...OTHERS];

test("every fact changed in the one place where it is written is changed everywhere", async () => {
  await agree(await worldOf(contractWith(everything)));
});

test.each(SHARED)("a program that says it as before is found out: %s", async (fact) => {
  const world = await worldOf(contractWith(everything));
  const before = contractWith(everything.filter(([it]) => it !== fact));
  await expect(agree(world, world.program.programOf(before))).rejects.toThrow();
});
