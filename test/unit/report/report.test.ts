// The report as a reviewer reads it, of what the real engine said, and of what it might say.
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { LIMIT, MARKER, report } from "../../../cli/report";
import { readStack } from "../../../cli/stack";
import { UNKNOWN } from "../../../provider/unknown";
import { arguments_, planned } from "../check";
import { on, reportOf, step, steps } from "./previews";
import { exported } from "./stacks";

const of = (...all: object[]) => report(readStack(steps(...all)));

describe("what the real engine said of", () => {
  test("nothing", () => {
    const { markdown, failed, interrupts } = reportOf("nothing");
    expect(markdown).toContain("**Nothing changes.**");
    expect(markdown).not.toContain("#### Router");
    expect([failed, interrupts]).toEqual([false, false]);
  });

  test("the first preview of a stack", () => {
    const { markdown, interrupts } = reportOf("first");
    expect(markdown).toMatch(
      /^\*\*11 resources created, on router `vr1`, 5 prefixes and addresses claimed\. Nothing is interrupted\.\*\*$/m,
    );
    expect(markdown).toContain("| claimed | `2001:67c:2834:2::/64` | tier `web` | Vpc `shop` |");
    expect(markdown).toContain("| `2001:67c:2834:2::/64` | – tier `web` | 2 guests |  | **new** |");
    // Whole, though new: the CLI itself shows three lines of it.
    expect(markdown).toContain("+	server web2 [2001:67c:2834:2::11]:443 weight 1");
    expect(interrupts).toBe(false);
  });

  test("one more VPC", () => {
    const { markdown, interrupts } = reportOf("one-more-vpc");
    expect(markdown).toContain("`2001:67c:2834:10::/60` and `2001:67c:2834:11::/64` claimed");
    expect(markdown).toContain("restarts dnsmasq");
    expect(markdown).not.toContain("**Interrupted:**");
    expect(markdown).toContain("+unreachable 2001:67c:2834:10::/60");
    expect(interrupts).toBe(true);
  });

  test("one rule, that lets more in", () => {
    const { markdown, interrupts } = reportOf("one-rule");
    expect(markdown).toContain("**NetworkAcl `web` changed, on router `vr1`. Nothing is interrupted.**");
    expect(markdown).toContain("-		tcp dport 443 return\n+		tcp dport { 80, 443 } return");
    expect(markdown.match(/^[-+]/gm)?.length).toBe(2);
    expect(interrupts).toBe(false);
  });

  test("a member taken out of a load balancer", () => {
    const { markdown, interrupts } = reportOf("member-removed");
    expect(markdown).toContain("gives `web2` no new connections; those it has go on");
    expect(markdown.match(/^[-+]/gm)?.length).toBe(1);
    expect(interrupts).toBe(false);
  });

  test("a tier deleted", () => {
    const { markdown, interrupts } = reportOf("tier-deleted");
    expect(markdown).toMatch(/Tier `db`: .*its guests lose their gateway/);
    expect(markdown).toMatch(/Instance `db1`: .*the guest loses its lease/);
    expect(markdown).toContain("**Address space is given back:** `2001:67c:2834:1::/64` of tier `db`");
    expect(markdown).toContain("| freed | `2001:67c:2834:1::/64` | tier `db` | Vpc `shop`, kept for its name |");
    expect(markdown).toContain("No line of the router changes for Vpc `shop`.");
    expect(interrupts).toBe(true);
  });

  test("a VPC renumbered", () => {
    const { markdown } = reportOf("renumbered-vpc");
    expect(markdown).toContain(
      "| moved | `2001:67c:2834:2::10` → `2001:67c:2834:102::10` | guest `web1` | Tier `web` |",
    );
    expect(markdown).toMatch(/Tier `web`: is renumbered .*no network until they renew/);
    expect(markdown).toContain("`2001:67c:2834::/60` is withdrawn from BGP");
  });

  test("a VPC moved to another router", () => {
    const { markdown } = reportOf("another-router");
    expect(markdown).toContain("#### Router `vr1`");
    expect(markdown).toContain("#### Router `vr2`");
    expect(markdown).toContain("moves to router `vr2`: it is taken off this one first");
    expect(markdown).toMatch(/\*\*Replaced\*\* \(deleted, then made again\): Vpc `shop`, /);
    expect(markdown).toContain("the BGP session with `2001:db8:ffff::1` ends");
  });

  test("a value that is not known yet", () => {
    const { markdown } = reportOf("unknown");
    expect(markdown).toContain("**Not known before `pulumi up`:** something of Instance `web3`");
    expect(markdown).toContain("+(not known before `pulumi up`)");
    expect(markdown).not.toContain(UNKNOWN);
    expect(markdown).toContain("Of other packages: `pulumi-nodejs:dynamic:Resource` `box` (new).");
  });

  test("a program that fails", () => {
    const { markdown, failed } = reportOf("failed");
    expect(failed).toBe(true);
    expect(markdown).toContain("LoadBalancer 'www' has a problem: port: 70000 is not a port (1 to 65535)");
    expect(markdown).not.toContain("Nothing is interrupted");
  });

  test("a stack, exported", () => {
    const { markdown } = reportOf("export");
    expect(markdown).toContain(
      "**This stack has 1 Zone, 1 Router, 1 Vpc, 2 Tier, 1 NetworkAcl, 1 LoadBalancer, 1 BgpPeer and 3 Instance.**",
    );
    expect(markdown).not.toContain("interrupted");
  });

  test("nothing at all: a preview that failed before it began", () => {
    const { markdown, failed } = report({ from: "preview", resources: [], diagnostics: [], hidden: 0 });
    expect(markdown).toContain("Pulumi printed no preview at all");
    expect(failed).toBe(true);
  });
});

test("the sample in docs/pull-requests.md is what the report says", () => {
  const page = readFileSync(path.join(import.meta.dirname, "../../../docs/pull-requests.md"), "utf8");
  const [, sample = ""] = /^````markdown\n([\s\S]*?)\n````$/m.exec(page) ?? [];
  const { markdown } = reportOf("tier-deleted");
  const [head = "", lines = ""] = sample.split("#### Router `vr1`\n\n");
  expect(markdown).toContain(head);
  expect(lines).not.toBe("");
  expect(markdown).toContain(lines);
});

// What each kind says of its changes is traffic.test.ts's business.
describe("traffic", () => {
  const folder = path.join(import.meta.dirname, "../../../provider/templates");
  const texts = globSync("*.hbs", { cwd: folder }).map((file) => readFileSync(path.join(folder, file), "utf8"));
  const slots = new Set(
    texts.flatMap((text) => [...text.matchAll(/\{\{!-- slot (\S+) --\}\}/g)].map(([, it]) => it ?? "")),
  );

  test("every slot of the templates has a title", () => {
    expect(slots.size).toBeGreaterThan(10);
    const without = [...slots].filter((slot) => {
      const { markdown } = of(step("create", "Tier", "web", undefined, on({ [slot]: "a line\n" })));
      return !markdown.includes(` (${slot}) @@`);
    });
    expect(without).toEqual([]);
  });

  test("lines that change while nothing else of a resource does are not judged", () => {
    const change = (slot: string) =>
      of(
        step(
          "update",
          "Vpc",
          "shop",
          on({ [slot]: "a\n" }, { cidr: "2001:db8::/60" }),
          on({ [slot]: "b\n" }, { cidr: "2001:db8::/60" }),
        ),
      );
    for (const slot of ["network", "nftables", "sysctl", "haproxy", "frr", "tayga", "named"]) {
      const { markdown, interrupts } = change(slot);
      expect(interrupts, slot).toBe(true);
      expect(markdown).toContain(`Vpc \`shop\`: its \`${slot}\` changes, and nothing else of it says why`);
    }
    // Files that are read while the service runs.
    for (const slot of ["dhcp-hosts", "dns-hosts", "passwords"]) expect(change(slot).interrupts, slot).toBe(false);
  });

  test("a resource that is made anew on its router is gone meanwhile, with all that is said of its end", async () => {
    const peer = await planned("BgpPeer", arguments_.BgpPeer);
    const { markdown } = of(step("replace", "BgpPeer", "uplink", peer, peer));
    expect(markdown).toContain("BgpPeer `uplink`: is taken away and made anew: it is gone meanwhile");
    expect(markdown).toContain("the BGP session with `2001:db8:ffff::1` ends");
  });

  test("what an earlier version did not keep in its inputs is not known", async () => {
    const { tiers, rules, ...before } = await planned("NetworkAcl", arguments_.NetworkAcl);
    const after = await planned("NetworkAcl", { ...arguments_.NetworkAcl, rules: [] });
    expect(of(step("update", "NetworkAcl", "web", before, after)).markdown).toContain(
      "was made by an earlier version, which did not keep its rules",
    );
  });

  const unknownFields = (it: unknown) =>
    typeof it === "object" && it !== null ? Object.fromEntries(Object.keys(it).map((key) => [key, UNKNOWN])) : UNKNOWN;

  test("what is secret as a whole, or not known, is not judged", async () => {
    for (const kind of Object.keys(arguments_) as (keyof typeof arguments_)[]) {
      const before = await planned(kind, arguments_[kind]);
      const { fragments, router, ...rest } = before;
      if (fragments === undefined) continue;
      const lines = { router, fragments: { ...(fragments as object), network: "another line\n" } };
      for (const [key, value] of Object.entries(rest)) {
        if (typeof value !== "object" && typeof value !== "string") continue;
        const secret = of(
          step("update", kind, "it", { ...before, [key]: "[secret]" }, { ...rest, ...lines, [key]: "[secret]" }),
        );
        expect(secret.markdown).toContain(
          `${kind} \`it\`: its \`${key}\` is secret, so what changes of it is not known here`,
        );
        const parts = Array.isArray(value) ? [UNKNOWN, value.map(unknownFields)] : [UNKNOWN];
        for (const part of parts) {
          const unknown = { ...rest, [key]: part, router, fragments: { ...(fragments as object), network: UNKNOWN } };
          expect(of(step("update", kind, "it", before, unknown)).interrupts).toBe(true);
          expect(of(step("create", kind, "it", undefined, unknown)).markdown).toContain("created");
        }
      }
    }
  });

  test("a service that this report does not know, and resources of others, are not judged", () => {
    for (const it of [
      step("update", "Thing", "x", on({ thing: "a\n" }), on({ thing: "b\n" })),
      step("delete", "Thing", "x", on({})),
    ]) {
      const { markdown, interrupts } = of(it);
      expect(interrupts).toBe(true);
      expect(markdown).toContain("**Not known, so look:**");
      expect(markdown).toContain("`Thing` `x`");
    }
    const other = { op: "delete", urn: "urn:pulumi:dev::test::aws:ec2/vpc:Vpc::main", oldState: { inputs: {} } };
    expect(of(other).markdown).toContain("`aws:ec2/vpc:Vpc` `main`: is no resource of vpc6's");
  });

  test("text that is not known yet", () => {
    const { markdown, interrupts } = of(
      step("update", "Tier", "web", on({ dnsmasq: "a\n" }), on({ dnsmasq: UNKNOWN })),
    );
    expect(interrupts).toBe(true);
    expect(markdown).toContain("its `dnsmasq` is not known before `pulumi up`");
    expect(markdown).not.toContain(UNKNOWN);
  });
});

describe("warnings", () => {
  test("what is protected and would go", () => {
    const { markdown } = of(
      step("delete", "Zone", "ams1", { ledger: "0 of 1 in use", name: "ams1" }, undefined, { protect: true }),
    );
    expect(markdown).toContain("**Protected, and would go: Zone `ams1`.**");
    expect(markdown).toContain("**The ledger goes: Zone `ams1`.**");
  });

  test("what the last run left half done", () => {
    const it = step("update", "Tier", "web", on({ network: "interface a\n" }), on({ network: "interface a\n" }), {
      outputs: { live: "not known, as the last change failed half way" },
    });
    expect(of(it).markdown).toContain("**Not as it was applied:** Tier `web`");
  });

  test.each([
    ["network on router r1, address removed, web0 2001:db8:1::1/64", true],
    ["network on router r1, address removed, lo 2001:db8:1::1/128", false],
    ["network on router r1, address removed, web0 10.1.0.1/24", false],
    ["sysctl on router r1, net.ipv6.conf.all.forwarding = 0 instead of 1", true],
    ["dnsmasq on router r1, vpc6-dnsmasq is stopped (inactive)", true],
    ["dnsmasq on router r1, file /var/lib/vpc6/dns-hosts/web1 changed", false],
    ["nftables on router r1, rule added to chain forward, accept", false],
  ])("what a hand changed is put right, which somebody may feel: %s", (live, pauses) => {
    const same = on({ network: "interface a\n" });
    const { markdown } = of(step("update", "Tier", "web", same, same, { outputs: { live } }));
    expect(markdown).not.toContain("Nothing is interrupted");
    expect(markdown).toContain("Tier `web`: is not as it was applied, and is put right");
    expect(markdown.includes("restarts dnsmasq")).toBe(pauses);
  });

  test("a refresh that sees a change by hand, and the update that puts it right, are no replacement", () => {
    const same = on({ network: "interface a\n" });
    const live = "network on router r1, address removed, web0 2001:db8:1::1/64";
    const { markdown } = of(
      step("refresh", "Tier", "web", same, same, { outputs: { live } }),
      step("update", "Tier", "web", same, same, { outputs: { live } }),
    );
    expect(markdown).toContain("**Tier `web` changed, on router `vr1`.**");
    expect(markdown).not.toMatch(/replaced|made anew/i);
  });

  test("what is missing on a rebuilt router is put there, and ends nothing", () => {
    const same = on({ network: "interface a\n" });
    const live = "missing on router r1; the next update puts it there";
    expect(of(step("update", "Tier", "web", same, same, { outputs: { live } })).markdown).toContain(
      "Nothing is interrupted",
    );
  });

  test("a prefix that was kept for another name", () => {
    const ledger = (line: string) => ({ name: "ams1", ledger: `1 of 1 in use\n${line}` });
    const { markdown } = of(
      step(
        "update",
        "Zone",
        "ams1",
        ledger("vpc  2001:db8::/60  old  free since 1"),
        ledger("vpc  2001:db8::/60  new"),
      ),
    );
    expect(markdown).toContain("**Given to another name than before**");
    expect(markdown).toContain("Zone `ams1`, was `old`'s");
  });

  test("a guest's addresses, IPv4 as IPv6, are told in the table and are no address space", () => {
    const ledger = (...lines: string[]) => ({ claim: "web", ledger: ["1 of 1 in use", ...lines].join("\n") });
    const both = ledger("instance  2001:db8::10  web1", "ipv4  10.1.1.2  web1");
    const { markdown } = of(step("update", "Tier", "web", both, ledger()));
    expect(markdown).toContain("| freed | `10.1.1.2` | IPv4 address of guest `web1` | Tier `web`");
    expect(markdown).not.toMatch(/given back|prefixes and addresses|` freed/);
  });

  test("an address that guests have beside their own is told as that, with its IPv4 one", () => {
    const ledger = (...lines: string[]) => ({ claim: "web", ledger: ["1 of 1 in use", ...lines].join("\n") });
    const both = ledger("instance  2001:db8::20  vip", "ipv4  10.1.1.20  vip", "instance  2001:db8::10  web1");
    const vip = { claim: "vip", address: "2001:db8::20", ipv4Address: "10.1.1.20" };
    const { markdown } = of(
      step("update", "Tier", "web", ledger(), both),
      step("create", "SecondaryAddress", "vip", undefined, vip),
    );
    expect(markdown).toContain("| claimed | `2001:db8::20` | secondary address `vip` | Tier `web`");
    expect(markdown).toContain("| claimed | `10.1.1.20` | secondary IPv4 address `vip` | Tier `web`");
    expect(markdown).toContain("| claimed | `2001:db8::10` | guest `web1` | Tier `web`");
    const back = of(
      step("update", "Tier", "web", both, ledger()),
      step("delete", "SecondaryAddress", "vip", vip, undefined),
    );
    expect(back.markdown).toContain("| freed | `2001:db8::20` | secondary address `vip` | Tier `web`");
  });

  test("a renamed claim is no claim and nothing freed", () => {
    const ledger = (line: string) => ({ name: "ams1", ledger: `1 of 1 in use\n${line}` });
    const { markdown } = of(
      step("update", "Zone", "ams1", ledger("vpc  2001:db8::/60  old"), ledger("vpc  2001:db8::/60  new")),
    );
    expect(markdown).toContain("| renamed | `2001:db8::/60` | VPC `old` → `new` | Zone `ams1` |");
    expect(markdown).not.toMatch(/claimed|freed|given back/);
  });
});

describe("as Markdown", () => {
  test("what is in a text or a name stays in it", () => {
    const name = "a`b|c<img src=x>@everyone\n# title";
    const fragment = "```\n</details>\n<script>\n````\n";
    const { markdown } = of(
      step("create", "Tier", name, undefined, on({ network: fragment }, { ledger: "1\nvpc  x|y  a`b" })),
    );
    const outside = markdown
      .replace(/^(`{3,})[^\n]*\n[\s\S]*?\n\1$/gm, "")
      .replace(/(`+)[^`][\s\S]*?\1/g, "")
      .replace(/<code>.*?<\/code>/g, "");
    expect(outside).not.toMatch(/<img|<script|@everyone|^# title/m);
    expect(markdown).toContain("`````diff");
  });

  test("errors of the daemon with colours and controls are plain text", () => {
    const text = JSON.stringify({
      steps: [],
      diagnostics: [{ severity: "error", message: "\u001b[31merror:\u001b[0m no\u0007 ```such``` \u202eluck" }],
    });
    const { markdown, failed } = report(readStack(text));
    expect(failed).toBe(true);
    expect(markdown).not.toMatch(/[^\P{Cc}\n\t]|\u202e/u);
    expect(markdown).toContain("````");
  });

  test("has the marker by which its comment is found again", () => {
    expect(reportOf("nothing").markdown.startsWith(`${MARKER}\n`)).toBe(true);
  });
});

describe("the limit", () => {
  const resources = exported({
    superCidr: "2001:67c:2834::/50",
    vpcs: Array.from({ length: 120 }, (_, index) => ({
      name: `v${index}`,
      router: `vr${index % 3}`,
      tiers: { web: 1, db: 1 },
    })),
  });
  const text = steps(...resources.map(({ urn, inputs }) => ({ op: "create", urn, newState: { urn, inputs } })));

  test.each([LIMIT, 20_000, 5_000, 1_000])("of %s characters is kept, with a note, and what matters first", (limit) => {
    const { markdown } = report(readStack(text), limit);
    expect(markdown.length).toBeLessThanOrEqual(limit);
    expect(markdown).toContain("604 resources created");
    expect(markdown).toMatch(/Shortened to what fits|cut off here/);
    const fences = markdown.match(/^`{3,}/gm) ?? [];
    expect(fences.length % 2).toBe(0);
    expect((markdown.match(/<details>/g) ?? []).length).toBe((markdown.match(/<\/details>/g) ?? []).length);
  });

  test("is not felt by a small change in a large zone", () => {
    const same = resources.map(({ urn, inputs }) => ({
      op: "same",
      urn,
      oldState: { urn, inputs },
      newState: { urn, inputs },
    }));
    const guest = resources.findIndex(({ type }) => type.endsWith(":Instance"));
    const { urn, inputs } = resources[guest] ?? { urn: "", inputs: {} };
    const { markdown } = report(
      readStack(steps(...same.filter((it) => it.urn !== urn), { op: "create", urn, newState: { urn, inputs } })),
    );
    expect(markdown.length).toBeLessThan(LIMIT);
    expect(markdown).toContain("+neighbor ");
    expect(markdown).not.toContain("Shortened");
  });
});
