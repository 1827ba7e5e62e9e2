// The contract between provider, program and CLI (provider/contract.ts): each side's writers against the other side's readers; and that each
// fact is written once: changed there it is changed everywhere, and who still says it as before is found out.

import { expect, test } from "vitest";
import { agree } from "./agree";
import { contractWith, OTHERS, SHARED, type World, worldOf } from "./world";

test("provider and program mean the same", async () => {
  await agree(await worldOf(contractWith([])));
});

const everything = [...SHARED, ...OTHERS];
let changed: World;

test("every fact that is changed where it is written is changed everywhere", async () => {
  changed = await worldOf(contractWith(everything));
  await agree(changed);
});

test.each(SHARED)("a program that says as before is found out: %s", async (fact) => {
  const before = contractWith(everything.filter(([it]) => it !== fact));
  await expect(agree(changed, changed.program.programOf(before))).rejects.toThrow();
});
