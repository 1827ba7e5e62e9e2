// What `vpc6 orphans` knows from a state, and when it knows nothing. Routers are asked in test/lab/handovers.test.ts.

import { expect, test } from "vitest";
import { stateIn } from "../../../cli/orphans";
import { orphansOn, tellOrphans } from "../../../provider/orphans";

const ROUTER = "vr1 root@192.0.2.1:22 SHA256:x";
const of = (name: string, made: string | undefined = "5f3a acme/shop/dev", router = ROUTER, stack = "dev") => ({
  urn: `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/vpc6:Tier::${name}`,
  type: "pulumi-nodejs:dynamic/vpc6:Tier",
  id: `${name}@2001:db8::`,
  outputs: { router, ...(made !== undefined && { made }) },
});
const state = (resources: object[], rest: object = {}) => JSON.stringify({ deployment: { resources, ...rest } });

test("whose the state is, its routers, and what it knows there; what waits for its deletion is in it too", () => {
  const others = [{ urn: "urn:pulumi:dev::shop::aws:s3:Bucket::b", type: "aws:s3:Bucket", id: "b", outputs: {} }];
  const other = ROUTER.replace("vr1", "vr2");
  const { stack, routers, ids } = stateIn(
    state([of("web"), { ...of("old"), delete: true }, of("db", "0123 acme/shop/dev", other), ...others]),
  );
  expect(stack).toBe("acme/shop/dev");
  expect([...routers]).toEqual([ROUTER, other]);
  expect([...ids]).toEqual(["web@2001:db8::", "old@2001:db8::", "db@2001:db8::"]);
});

test.each([
  ["no JSON", "x", /^this is not what `pulumi stack export` writes$/],
  ["a preview", JSON.stringify({ steps: [] }), /^this is not what/],
  ["an interrupted run", state([of("web")], { pending_operations: [{}] }), /interrupted.*`pulumi refresh` first$/],
  ["nothing of ours", state([]), /^the state has nothing of vpc6 on any router/],
  ["what was made before it was known whose it is", state([of("web", "5f3a")]), /^the state has nothing of vpc6/],
  [
    "what another stack made",
    state([of("web"), of("db", "5f3a acme/other/dev")]),
    /several stacks \(.*`pulumi up` first$/,
  ],
  [
    "what was moved here as a whole",
    state([of("web", "5f3a acme/zones/dev")]),
    /several stacks \(acme\/zones\/dev, shop\/dev\)/,
  ],
])("%s: refused in words", (_what, text, words) => {
  expect(() => stateIn(text)).toThrow(words);
});

test("of a router: this stack's that are not in the state, and nobody else's", () => {
  const made = new Map([
    ["b@1", "5f3a acme/shop/dev"],
    ["a@1", "5f3a acme/shop/dev"],
    ["known@1", "5f3a acme/shop/dev"],
    ["other@1", "5f3a acme/shop/prod"],
    ["older@1", "5f3a"],
    ["odd@1", "\u001b[31m acme/shop/dev"],
  ]);
  const seen = { fragments: new Map(), drift: new Map(), made };
  expect(orphansOn(seen, "acme/shop/dev", (id) => id === "known@1")).toEqual(["a@1", "b@1"]);
  expect(tellOrphans("vr1", ["a@1", "b@1"], 1)).toMatch(
    /^router vr1 has of this stack what is in no state: a@1 and 1 more\. /,
  );
});
