// Reading what Pulumi wrote: both kinds of JSON, what is neither, and no secret past this point.
import { describe, expect, test } from "vitest";
import { zonesOf } from "../../../cli/plan";
import { report } from "../../../cli/report";
import { readStack } from "../../../cli/stack";
import { on, preview, step, steps } from "./previews";

const MARK = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

describe("a preview", () => {
  test("has what each resource was and will be", () => {
    const stack = readStack(preview("one-rule"));
    expect(stack).toMatchObject({ from: "preview", stack: "dev", project: "test", hidden: 0 });
    const changed = stack.resources.filter(({ op }) => op !== "same");
    expect(changed.map(({ kind, name, op }) => [kind, name, op])).toEqual([["NetworkAcl", "web", "update"]]);
    expect(stack.resources.find(({ kind }) => kind === "Zone")?.protect).toBe(true);
  });

  test("without --show-sames says how many it does not show", () => {
    const json = JSON.parse(preview("one-rule"));
    json.steps = json.steps.filter(
      (it: { op: string; urn: string }) => it.op !== "same" || it.urn.includes("pulumi:Stack"),
    );
    const stack = readStack(JSON.stringify(json));
    expect(stack.hidden).toBe(10);
    expect(report(stack).markdown).not.toContain("Nothing changes");
  });

  test("names a resource in a component by its own type", () => {
    const child = step("create", "Vpc", "shop", undefined, on({}));
    const urn = child.urn.replace("pulumi-nodejs:", "test:Net$pulumi-nodejs:");
    expect(readStack(steps({ ...child, urn })).resources[0]).toMatchObject({ kind: "Vpc", name: "shop", ours: true });
  });

  test("joins the parts of a replacement", () => {
    const parts = [
      step("delete-replaced", "Tier", "web", on({ network: "interface a\n" }), undefined),
      step("create-replacement", "Tier", "web", undefined, on({ network: "interface b\n" })),
    ];
    const [it, ...others] = readStack(steps(...parts)).resources;
    expect(others).toEqual([]);
    expect(it).toMatchObject({ op: "replace", before: { fragments: {} }, after: { fragments: {} } });
  });
});

test("an export is a stack in which nothing changes", () => {
  const stack = readStack(preview("export"));
  expect(stack).toMatchObject({ from: "export", stack: "dev" });
  expect(new Set(stack.resources.map(({ op }) => op))).toEqual(new Set(["same"]));
  expect(zonesOf(stack)).toMatchObject([{ name: "ams1", routers: [{ name: "vr1", address: "2001:db8:ffff::10" }] }]);
});

test.each([
  ["no JSON", "Previewing update (dev)", /not JSON/],
  ["other JSON", "[1]", /neither/],
  ["the JSON of a resource", '{"urn":"x"}', /neither/],
])("%s is refused", (_name, text, words) => {
  expect(() => readStack(text)).toThrow(words);
});

test("the reason why it is refused has nothing in it that a terminal obeys", () => {
  let said = "";
  try {
    readStack("\u001b]0;title\u0007\u202e");
  } catch (error) {
    said = String(error);
  }
  expect(said).toContain("not JSON");
  expect(said).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
});

describe("secrets", () => {
  const secret = "hunter2-and-more";
  const cases = {
    "marked, with --show-secrets": { other: { ...MARK, plaintext: JSON.stringify(secret) }, note: `is ${secret}` },
    "marked as a map": { other: { ...MARK, plaintext: JSON.stringify({ inner: secret }) }, note: secret },
    "marked, encrypted": { other: { ...MARK, ciphertext: secret } },
    "by the key's name": { password: secret, note: `x${secret}x` },
    "in a map": { tls: { privateKey: secret }, note: secret },
    "a key in a fragment": on({
      certificates: `-----BEGIN EC PRIVATE KEY-----\n${secret}\n-----END EC PRIVATE KEY-----\n`,
    }),
    "half a key": { note: `-----BEGIN PRIVATE KEY-----\n${secret}` },
    "in the text of a fragment": on({ frr: `neighbor x password ${secret}\n` }, { bgpPassword: secret }),
  };
  test.each(Object.entries(cases))("%s", (_name, inputs) => {
    for (const state of [undefined, { ...inputs, more: 1 }]) {
      const text = steps(step(state ? "update" : "create", "ExternalNetwork", "x", state, inputs));
      expect(text).toContain(secret);
      const stack = readStack(text);
      expect(JSON.stringify(stack)).not.toContain(secret);
      expect(report(stack).markdown).not.toContain(secret);
      const exported = readStack(
        JSON.stringify({ deployment: { resources: [{ urn: "urn:pulumi:a::b::c::d", inputs }] } }),
      );
      expect(JSON.stringify(exported)).not.toContain(secret);
    }
  });

  test("a placeholder and the name of a slot are none", () => {
    const [old, now] = ["9c1e", "1234"].map((it) => on({ certificates: `key {{tls.privateKey:${it}}}\n` }));
    const { markdown } = report(readStack(steps(step("update", "LoadBalancer", "www", old, now))));
    expect(markdown).toContain("-key {{tls.privateKey:9c1e}}\n+key {{tls.privateKey:1234}}");
  });

  test("another certificate is seen to be another one", () => {
    const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    const [old, now] = ["MIIBone", "MIIBtwo"].map((it) => on({ certificates: pem(it) }));
    const { markdown } = report(readStack(steps(step("update", "LoadBalancer", "www", old, now))));
    expect(markdown).toMatch(/-\(certificate [0-9a-f]{12}\)\n\+\(certificate [0-9a-f]{12}\)/);
    expect(markdown).not.toContain("MIIB");
  });
});
