// Resource options of Pulumi's as its CLI treats them. Which arguments can be ignored is asked of every kind in unit/kinds/ignored.test.ts.

import { expect, test } from "vitest";
import { Engine } from "./engine";

const stack = (asn: number, office: string, zone: string, network: string) => `
import * as vpc6 from "vpc6";
new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/50", asn: ${asn} }, ${zone});
new vpc6.ExternalNetwork("offices", { entries: ["${office}"] }, ${network});
`;

test("ignoreChanges: an argument keeps its old value, or is refused by name", async () => {
  await using engine = await Engine.start();
  await engine.program(stack(64512, "2001:db8:7::/48", "{}", "{}"));
  const up = await engine.up();
  expect(up.code, up.all).toBe(0);

  await engine.program(stack(64513, "2001:db8:7::/48", '{ ignoreChanges: ["asn"] }', "{}"));
  const kept = await engine.preview({ args: ["--expect-no-changes"] });
  expect(kept.code, kept.all).toBe(0);

  await engine.program(stack(64513, "2001:db8:7::/48", "{}", '{ ignoreChanges: ["entries"] }'));
  const refused = await engine.preview();
  expect(refused.code).not.toBe(0);
  expect(refused.all).toContain(
    `ExternalNetwork resource 'offices' has a problem: ignoreChanges: "entries" cannot be ignored`,
  );
  expect(refused.all).not.toMatch(/^\s+at /m);
});
