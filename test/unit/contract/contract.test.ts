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

test("every fact of the contract is among those that are changed here", () => {
  const [now, then] = [contractWith([]), contractWith(everything)].map(
    (it) => new Map<string, unknown>(Object.entries(it)),
  );
  const facts = [...(now ?? [])].filter(([, value]) => ["string", "number"].includes(typeof value));
  const same = facts.filter(([name, value]) => then?.get(name) === value).map(([name]) => name);
  // Of these patterns texts of the provider's own are judged only; the program has its list of slots.
  expect(same).toEqual(["NAME", "SLOT"]);
});

test.each(SHARED)("a program that says as before is found out: %s", async (fact) => {
  const before = contractWith(everything.filter(([it]) => it !== fact));
  await expect(agree(changed, changed.program.programOf(before))).rejects.toThrow();
});
