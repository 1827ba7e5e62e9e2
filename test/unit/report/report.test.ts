// The report as a reviewer reads it, of what the real engine said, and of what it might say.
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { LIMIT, MARKER, report } from "../../../cli/report";
import { readStack } from "../../../cli/stack";
import { UNKNOWN } from "../../../provider/unknown";
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
    expect(markdown).toContain("Of other packages: pulumi-nodejs:dynamic:Resource `box` (new).");
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

describe("traffic", () => {
  const rules = (...lines: string[]) =>
    on({
      nftables: `table inet vpc6 {\n\tchain web/web0/ingress {\n${lines.map((it) => `\t\t${it}\n`).join("")}\t\tgoto unmatched\n\t}\n}\n`,
    });
  const acl = (before: string[], after: string[]) =>
    of(step("update", "NetworkAcl", "web", rules(...before), rules(...after)));

  test.each([
    ["a rule more", ["tcp dport 443 return"], ["tcp dport 443 return", "tcp dport 80 return"], false],
    ["a rule less", ["tcp dport 443 return", "tcp dport 80 return"], ["tcp dport 443 return"], true],
    ["another port", ["tcp dport 443 return"], ["tcp dport 80 return"], true],
    ["a port more", ["tcp dport 443 return"], ["tcp dport { 80, 443 } return"], false],
    [
      "a prefix less",
      ["tcp dport 22 ip6 saddr { 2001:db8:1::/48, 2001:db8:2::/48 } return"],
      ["tcp dport 22 ip6 saddr 2001:db8:1::/48 return"],
      true,
    ],
    ["an end where there was none", ["tcp dport 22 return"], ["tcp dport 22 ip6 saddr 2001:db8:1::/48 return"], true],
    ["a denial more", ["tcp dport 443 return"], ["ip6 saddr 2001:db8:bad::/48 drop", "tcp dport 443 return"], true],
    ["a denial less", ["ip6 saddr 2001:db8:bad::/48 drop", "tcp dport 443 return"], ["tcp dport 443 return"], false],
    ["a comment", ['tcp dport 443 return comment "a"'], ['tcp dport 443 return comment "b"'], false],
    [
      "a wider rule among denials, whose place counts",
      ["ip6 saddr 2001:db8:bad::/48 drop", "tcp dport 443 return"],
      ["tcp dport { 80, 443 } return", "ip6 saddr 2001:db8:bad::/48 drop"],
      true,
    ],
  ])("%s in a list", (_name, before, after, expected) => {
    expect(acl(before, after).interrupts).toBe(expected);
  });

  test("a line that another resource says too stays, and interrupts nothing", () => {
    const frr = (prefix: string) =>
      on({ frr: `router bgp 1\n neighbor 2001:db8::1 remote-as 2\n  network ${prefix}\n` });
    const others = [step("same", "BgpPeer", "b", frr("2001:db8:b::/48"), frr("2001:db8:b::/48"))];
    const { markdown } = of(step("delete", "BgpPeer", "a", frr("2001:db8:a::/48")), ...others);
    expect(markdown).toContain("`2001:db8:a::/48` is withdrawn from BGP");
    expect(markdown).not.toContain("the BGP session with");
    expect(of(step("delete", "BgpPeer", "a", frr("2001:db8:a::/48"))).markdown).toContain(
      "the BGP session with `2001:db8::1` ends",
    );
  });

  test("an instance more costs nothing, one less its guest", () => {
    const guest = on({
      "dhcp-hosts": "x\n",
      "dns-hosts": "2001:db8::10 a.b\n",
      network: "neighbor web0 2001:db8::10 02:00:00:00:00:01\n",
    });
    const tier = on({ dnsmasq: "interface=web0\n" });
    const same = step("same", "Tier", "web", tier, tier);
    expect(of(same, step("create", "Instance", "a", undefined, guest)).interrupts).toBe(false);
    expect(of(same, step("delete", "Instance", "a", guest)).markdown).toContain("the guest loses its lease");
  });

  test("another MAC address cuts the old one off", () => {
    const guest = (mac: string) => on({ network: `neighbor web0 2001:db8::10 ${mac}\n` });
    const { markdown } = of(step("update", "Instance", "a", guest("02:00:00:00:00:01"), guest("02:00:00:00:00:02")));
    expect(markdown).toContain("is known by another MAC address from now on");
  });

  /** What is said of a resource whose part changes. */
  const change = (kind: string, before: object, after: object) => of(step("update", kind, "it", on(before), on(after)));

  test.each([
    [
      "a tier that loses its IPv4",
      "Tier",
      { sysctl: "net.ipv4.ip_forward = 1\n", network: "interface web0\naddress web0 10.0.0.1/24\n" },
      { sysctl: "", network: "interface web0\n" },
      /forwards IPv4 no longer[\s\S]*has no IPv4 any more: the gateway `10\.0\.0\.1` goes/,
    ],
    [
      "a tier with another IPv4 network",
      "Tier",
      { network: "interface web0\naddress web0 10.0.0.1/24\n" },
      { network: "interface web0\naddress web0 10.1.0.1/24\n" },
      /another IPv4 gateway than `10\.0\.0\.1`: its guests' IPv4 stalls until they renew their lease/,
    ],
    [
      "a guest without its IPv4",
      "Instance",
      { network: "neighbor web0 2001:db8::10 02:00:00:00:00:01\nneighbor web0 10.0.0.5 02:00:00:00:00:01\n" },
      { network: "neighbor web0 2001:db8::10 02:00:00:00:00:01\n" },
      /gives up its address `10\.0\.0\.5`/,
    ],
    [
      "a guest known by its DUID only, with another address",
      "Instance",
      { nftables: 'add element inet vpc6 guests_by_address { "web0" . 2001:db8::10 }\n' },
      { nftables: 'add element inet vpc6 guests_by_address { "web0" . 2001:db8::11 }\n' },
      /has another address or interface: connections with the old one end/,
    ],
    [
      "a guest with another DUID",
      "Instance",
      { "dhcp-hosts": "id:00:01,02:00:00:00:00:01,[2001:db8::10],a\n" },
      { "dhcp-hosts": "id:00:02,02:00:00:00:00:01,[2001:db8::10],a\n" },
      /leases to another DUID: who is known by the old one cannot renew/,
    ],
    [
      "a load balancer that ends TLS from now on",
      "LoadBalancer",
      { haproxy: "listen x\n\tbind [2001:db8::80]:443 v6only transparent\n" },
      { haproxy: "listen x\n\tbind [2001:db8::80]:443 v6only transparent ssl crt /c\n" },
      /ends TLS itself from now on: new connections that are not made for that fail/,
    ],
    [
      "a load balancer of another mode",
      "LoadBalancer",
      { haproxy: "listen x\n\tmode tcp\n" },
      { haproxy: "listen x\n\tmode http\n" },
      /as `http` instead of `tcp`/,
    ],
    [
      "a load balancer at another port",
      "LoadBalancer",
      { haproxy: "listen x\n\tbind [2001:db8::80]:443 v6only transparent\n" },
      { haproxy: "listen x\n\tbind [2001:db8::80]:444 v6only transparent\n" },
      /new connections to the old address or port are refused/,
    ],
    [
      "NAT64 without DNS64",
      "Nat64",
      { named: "dns64 64:ff9b::/96 {\n\tclients { any; };\n};\n" },
      { named: "" },
      /answers names that have IPv4 addresses only no longer/,
    ],
    [
      "NAT64 whose DNS64 is for fewer",
      "Nat64",
      { nftables: "iifname . ip6 daddr @gateways ip6 saddr { 2001:db8:1::/64, 2001:db8:2::/64 } redirect to :5354\n" },
      { nftables: "iifname . ip6 daddr @gateways ip6 saddr { 2001:db8:1::/64 } redirect to :5354\n" },
      /answers `2001:db8:2::\/64` without DNS64/,
    ],
    [
      "an uplink's range",
      "Uplink",
      { frr: "router bgp 1\n bgp listen range 2001:db8::/64 peer-group vpc6-u\n" },
      { frr: "router bgp 1\n bgp listen range 2001:db8:1::/64 peer-group vpc6-u\n" },
      /takes no sessions from `2001:db8::\/64` any more/,
    ],
    [
      "the password of an uplink's range",
      "Uplink",
      {
        frr: "router bgp 1\n neighbor vpc6-u password {{a}}\n bgp listen range 2001:db8::/64 peer-group vpc6-u\n",
      },
      {
        frr: "router bgp 1\n neighbor vpc6-u password {{b}}\n bgp listen range 2001:db8::/64 peer-group vpc6-u\n",
      },
      /starts FRR again, as the password of a range/,
    ],
    [
      "an uplink's default route",
      "Uplink",
      { frr: "router bgp 1\n  neighbor vpc6-u default-originate\n" },
      { frr: "router bgp 1\n" },
      /announces no default route any more/,
    ],
  ])("%s is an interruption", (_name, kind, before, after, said) => {
    const { markdown, interrupts } = change(kind, before, after);
    expect(interrupts).toBe(true);
    expect(markdown).toMatch(said);
    expect(markdown).not.toContain("**Not known, so look:**");
  });

  test.each([
    [
      "a guest's password",
      "Instance",
      { passwords: "g data {{a}}\n" },
      { passwords: "g data {{b}}\n" },
      "when it asks next",
    ],
    ["a guest's password less", "Instance", { passwords: "g data {{a}}\n" }, { passwords: "" }, "no password any more"],
    [
      "another certificate",
      "LoadBalancer",
      { certificates: "{{a}}\n", haproxy: "listen x\n\tbind [2001:db8::80]:443 ssl crt /a\n" },
      { certificates: "{{b}}\n", haproxy: "listen x\n\tbind [2001:db8::80]:443 ssl crt /b\n" },
      "shows another certificate to new connections",
    ],
  ])("%s interrupts nothing, and is told", (_name, kind, before, after, said) => {
    const { markdown, interrupts } = change(kind, before, after);
    expect(interrupts).toBe(false);
    expect(markdown).toContain(said);
  });

  const some = (...from: string[]) => ({
    nftables: `add rule inet vpc6 services ip6 daddr 2001:db8::80 tcp dport 80 ip6 saddr { ${from.join(", ")} } accept\n`,
  });
  const all = { nftables: "add element inet vpc6 services { 2001:db8::80 . 80 }\n" };
  const [a, b] = ["2001:db8:a::/48", "2001:db8:b::/48"];
  test.each([
    ["fewer sources", some(a, b), some(a), true],
    ["other sources", some(a), some(b), true],
    ["sources for the first time", all, some(a), true],
    ["more sources", some(a), some(b, a), false],
    ["no sources any more", some(a), all, false],
  ])("a load balancer with %s", (_name, before, after, closes) => {
    const { markdown, interrupts } = change("LoadBalancer", before, after);
    expect(markdown.includes("no longer takes new connections from where it did")).toBe(closes);
    expect(interrupts).toBe(closes);
  });

  test("every slot of the templates is judged", () => {
    const folder = path.join(import.meta.dirname, "../../../provider/templates");
    const texts = globSync("*.hbs", { cwd: folder }).map((file) => readFileSync(path.join(folder, file), "utf8"));
    const slots = new Set(
      texts.flatMap((text) => [...text.matchAll(/\{\{!-- slot (\S+) --\}\}/g)].map(([, it]) => it)),
    );
    expect(slots.size).toBeGreaterThan(10);
    expect([...slots].filter((it) => !(String(it) in services))).toEqual([]);
  });

  test("a service that this report does not know, and resources of others, are not judged", () => {
    for (const it of [
      step("update", "Thing", "x", on({ thing: "a\n" }), on({ thing: "b\n" })),
      step("delete", "Thing", "x", on({})),
    ]) {
      const { markdown, interrupts } = of(it);
      expect(interrupts).toBe(true);
      expect(markdown).toContain("**Not known, so look:**");
      expect(markdown).toContain("Thing `x`");
    }
    const other = { op: "delete", urn: "urn:pulumi:dev::test::aws:ec2/vpc:Vpc::main", oldState: { inputs: {} } };
    expect(of(other).markdown).toContain("aws:ec2/vpc:Vpc `main`: is no resource of vpc6's");
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
