// What a verb costs: processes, of which a small router starts some hundred a second. They are the same each time: each bound is what it takes
// today and a quarter more.

import { expect, test } from "vitest";
import { of, type Resource } from "./fragments";
import { Machine, namespaces } from "./machine";

test.runIf(namespaces)("processes of a converge of nothing new, of a look, and of a guest that comes", async () => {
  const machine = Machine.router();
  const web2 = { claim: "web2", mac: "02:00:00:00:01:12", grant: { value: "2001:67c:2834:1::11" } };
  const all = [await of("Router"), await of("Vpc"), await of("Tier"), await of("Instance"), await of("NetworkAcl")];
  await machine.converge(all);
  const costs = async (script: string, says: RegExp, stdin = ""): Promise<number> => {
    const processes = await machine.processes(script, stdin);
    expect(machine.read("said")).toMatch(says);
    return processes;
  };
  const converge = (says: RegExp, changes: Resource[]) =>
    costs('converge "$PROGRAM_HASH" ""', says, machine.payload(changes));
  expect(await converge(/^ok 1 nothing$/m, all)).toBeLessThan(20);
  expect(await costs("observe", /^end vpc6-drift$/m)).toBeLessThan(143);
  expect(await converge(/^unconfirmed 2 /m, [await of("Instance", web2)])).toBeLessThan(105);
});
