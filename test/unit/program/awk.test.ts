// awk programs on their own, in mawk, which is Debian's.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import * as contract from "../../../provider/contract";

const facts: Record<string, unknown> = contract;
/** The text of one, with the facts of the contract in it. */
const awk = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, `../../../provider/router/program/awk/${name}.awk`), "utf8").replace(
    /@([A-Z][A-Z0-9_]*)@/g,
    (_, fact: string) => String(facts[fact]),
  );
const mawk = existsSync("/usr/bin/mawk") ? "/usr/bin/mawk" : "awk";

/** Runs a program on texts, each a file; `variables` that begin with @ are folders or files of the test's own. */
function run(
  name: string,
  texts: string[],
  variables: Record<string, string> = {},
  files: Record<string, string> = {},
) {
  const at = mkdtempSync(path.join(tmpdir(), "vpc6-awk-"));
  onTestFinished(() => rmSync(at, { recursive: true }));
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(at, file), text);
  const inputs = texts.map((text, index) => {
    writeFileSync(path.join(at, `input${index}`), text);
    return path.join(at, `input${index}`);
  });
  const words = Object.entries(variables).flatMap(([key, value]) => ["-v", `${key}=${value.replace("@", at)}`]);
  const { stdout, stderr, status } = spawnSync(mawk, [...words, awk(name), ...inputs], {
    encoding: "utf8",
  });
  return { stdout, stderr, status, written: (file: string) => readFileSync(path.join(at, file), "utf8") };
}

test("a listing of nft, as lines of an object each; blank lines and what the kernel keeps are nothing", () => {
  const { stdout } = run("nftables_lines", [
    `table inet vpc6 {
\tset web {
\t\ttype ipv6_addr
\t\telements = { 2001:db8::1,
\t\t\t     2001:db8::2 }
\t}

\tset seen {
\t\ttype ipv6_addr
\t\tflags dynamic
\t\telements = { 2001:db8::9 }
\t}

\tchain empty {
\t}
}
`,
  ]);
  const lines = stdout
    .slice(0, -1)
    .split("\n")
    .map((line) => line.replace(/\t\d+\t/, " | "));
  expect(lines).toEqual([
    "set web | ",
    "set web | type ipv6_addr",
    "set web | element 2001:db8::1",
    "set web | element 2001:db8::2",
    "set seen | ",
    "set seen | type ipv6_addr",
    "set seen | flags dynamic",
    "chain empty | ",
  ]);
});

test("statements of FRR that are in one text and not in the other", () => {
  const wanted =
    "# vpc6 a@1\nrouter bgp 1\n neighbor 2001:db8::1 remote-as 5\n address-family ipv6 unicast\n  network ::/0\n exit-address-family\nexit\n";
  const runs =
    "frr version 8.4.4\nrouter bgp 1\n neighbor 2001:db8::1 shutdown\n address-family ipv6 unicast\n  network ::/0\n exit-address-family\nexit\nend\n";
  expect(run("frr_lines", [wanted, runs]).stdout).toBe(
    "a@1 bgpd, line removed, router bgp 1 neighbor 2001:db8::1 remote-as 5\na@1 bgpd, line added, router bgp 1 neighbor 2001:db8::1 shutdown\n",
  );
  expect(run("frr_lines", [wanted, wanted]).stdout).toBe("");
});

test.each([
  ["whole", (text: string) => text, ["changed frr a@1", "stranger frr c@1", "gone named a@1"]],
  ["empty", () => "", "unknown"],
  ["half", (text: string) => text.slice(0, text.length / 2), "unknown"],
  ["without its end", (text: string) => text.replace(/end .*\n/, ""), "unknown"],
  ["with a line less", (text: string) => text.replace(/.*adopt.*\n/, ""), "unknown"],
  ["with something behind it", (text: string) => `${text}\u0001 x\n`, "unknown"],
  ["noise", () => "\u0001\u0002 x\nend\nend 0 0\nend x\n", "unknown"],
] as const)("a list of sums that is %s: what is wrong, and the list as it should be", (_what, change, wrong) => {
  const sum = (letter: string) => letter.repeat(64);
  const before = `${sum("a")} frr/a@1\n${sum("a")} frr/b@1\n${sum("b")} named/a@1\n${sum("b")} adopt/b@1\nend 4\n`;
  const there = `${sum("c")}  frr/a@1\n${sum("d")}  frr/b@1\n${sum("e")}  frr/c@1\n${sum("b")}  adopt/b@1\n`;
  const files = { before: change(before), ids: "b@1\n", to: "" };
  const { stdout } = run(
    "sums",
    [`${there}`],
    { before: "@/before", ids: "@/ids", to: "/dev/stderr", aside: "/dev/null" },
    files,
  );
  // What is said now (b@1) is right, whatever it was.
  const unknown = ["unknown frr a@1", "unknown frr c@1"];
  expect(stdout.split("\n").filter((it) => it !== "")).toEqual(wrong === "unknown" ? unknown : wrong);
});

test("secrets are concealed, longest lines too, and an unlike text is not", () => {
  const secret = `${"x".repeat(5000)}.*\\&`;
  const files = { secrets: `{{a:1}} ${secret}\n{{b:2}} abc\n` };
  const { stdout } = run(
    "conceal",
    [`say ${secret}${secret} and ${secret.slice(1)} abc\n`],
    { secrets: "cat @/secrets" },
    files,
  );
  expect(stdout).toBe(`say {{a:1}}{{a:1}} and ${secret.slice(1)} abc\n`);
});

test("a plan is a batch for ip, and what is ours while it runs and after", () => {
  const files = {
    "network.live": "address web0 2001:db8::9/64\tstatic\nroute web0 ::/0 via fe80::1 metric 1024\t106\n",
    network: "address web0 2001:db8::9/64\naddress web0 2001:db8::8/64\n",
  };
  const { written, stderr } = run(
    "network_plan",
    ["interface web0\naddress web0 10.0.0.1/24\n"],
    { ours: "106", run: "@", owned: "@/network" },
    files,
  );
  expect(stderr).toBe("");
  expect(written("network.batch")).toBe(
    "addr add 10.0.0.1/24 dev web0\nroute del ::/0 via fe80::1 dev web0 metric 1024\naddr del 2001:db8::9/64 dev web0\n",
  );
  expect(written("network.after")).toBe("address web0 10.0.0.1/24\n");
  expect(written("network.during").split("\n").sort()).toEqual(
    ["", "address web0 10.0.0.1/24", "address web0 2001:db8::9/64", "route web0 ::/0 via fe80::1 metric 1024"].sort(),
  );
});

test("pools of IPv4 that meet, at their edges", () => {
  // The files are known by their names.
  const file = (pool: string, host: string) => {
    const at = mkdtempSync(path.join(tmpdir(), "vpc6-awk-"));
    onTestFinished(() => rmSync(at, { recursive: true }));
    writeFileSync(path.join(at, "have"), `has ${host} on mgmt0\n`);
    writeFileSync(path.join(at, "tayga"), `# vpc6 a@1\ntun-device nat64-1\ndynamic-pool ${pool}\n`);
    const args = [awk("tayga_check"), path.join(at, "have"), path.join(at, "tayga")];
    return spawnSync(mawk, args, { encoding: "utf8" }).stdout;
  };
  expect(file("192.168.255.0/24", "192.168.254.255/32")).toBe("");
  expect(file("192.168.255.0/24", "192.168.255.0/32")).toBe(
    "a@1\nipv4Pool 192.168.255.0/24 overlaps 192.168.255.0/32 on mgmt0\n",
  );
  expect(file("192.168.255.0/24", "192.168.255.255")).toContain("overlaps");
  expect(file("192.168.255.0/24", "0.0.0.0/0")).toContain("overlaps");
  expect(file("223.255.255.0/24", "224.0.0.0/4")).toBe("");
});
