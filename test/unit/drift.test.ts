// The report of a refresh: what differs and where, short, and in a form that the CLI shows as text.

import { expect, test } from "vitest";
import { SERVICES, SLOTS } from "../../provider/contract";
import { differences } from "../../provider/drift";
import { hashes, type Outputs } from "../../provider/state";

const fragments = { network: "interface web0\n", nftables: 'add element inet vpc6 tiers { "web0" }\n' };
const props = { router: "vr1 root@192.0.2.1:22 SHA256:x", fragments: hashes(fragments), schema: 1, live: "as applied" };
const report = (found: Record<string, string>, drift: [service: string, text: string][] = []) =>
  differences(
    props as Outputs,
    found,
    drift.map(([service, text]) => ({ service, text })),
  );

test("nothing differs: nothing is said", () => {
  expect(report(fragments)).toBe("");
});

test("what differs, and where, a line each", () => {
  expect(
    report(fragments, [
      ["network", "address removed, web0 2001:db8::1/64"],
      ["dnsmasq", "vpc6-dnsmasq is stopped (inactive)"],
    ]),
  ).toBe(
    "network on router vr1, address removed, web0 2001:db8::1/64\ndnsmasq on router vr1, vpc6-dnsmasq is stopped (inactive)",
  );
});

test("a changed fragment is told from one that is gone, and silences what is measured by it", () => {
  expect(
    report({ ...fragments, network: "interface web1\n", sysctl: "a = 1\n" }, [["network", "interface web1 is down"]]),
  ).toBe("network on router vr1 was changed by another hand\nsysctl on router vr1 was added by another hand");
  expect(report({ nftables: fragments.nftables })).toBe("network on router vr1 was removed by another hand");
  expect(report({ ...fragments, "dns-hosts": "::1 a\n" }, [["dnsmasq", "file a removed"]])).toBe(
    "dns-hosts on router vr1 was added by another hand",
  );
  expect(report({})).toBe("missing on router vr1; the next update puts it there");
});

test("an address that ends in colons stays one", () => {
  const told = (text: string) => report(fragments, [["network", text]]);
  expect(told("route removed, pub0 ::/0 via 2001:db8:: metric 512")).toContain("via 2001:db8::0 metric 512");
  expect(told("element removed from set a, 2001:db8::")).toMatch(/, 2001:db8::0$/);
});

test("no line looks like YAML, and there are not too many", () => {
  const lines = Array.from({ length: 60 }, (_, n): [string, string] => [
    "nftables",
    `rule ${n} log prefix "a: b: "  goto x:`,
  ]);
  const text = report(fragments, lines);
  expect(text).not.toMatch(/:(\s|$)/m);
  expect(text.split("\n")).toHaveLength(25);
  expect(text).toMatch(/\nand 36 more$/);
});

test.each(SLOTS)("where a fragment itself was changed, its service's comparison with it is not told: %s", (slot) => {
  const before = { ...props, fragments: hashes({ [slot]: "one\n" }) } as Outputs;
  const service = Object.entries<readonly string[]>(SERVICES).find(([, its]) => its.includes(slot))?.[0] ?? slot;
  expect(differences(before, { [slot]: "two\n" }, [{ service, text: "line added to it, two" }])).toBe(
    `${slot} on router vr1 was changed by another hand`,
  );
});
