// The program as a whole, as text; and who judges on this machine.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { program } from "../../../provider/router/program";
import { faults } from "./faults";
import { judges, namespaces } from "./machine";

test("every fault that tests are to find is a change of one place", () => {
  const text = program().functions;
  expect(faults.filter(({ from, to }) => text.split(from).length !== 2 || from === to)).toEqual([]);
});

// Where it is not so, what daemons would say is left out of the tests, and all else is tested.
test.runIf(isDebian() && namespaces)("on Debian every daemon judges", () => {
  expect(judges, "run tools/daemons").toEqual(["nft", "dnsmasq", "haproxy", "vtysh", "named-checkconf"]);
});

test("variables of a function are its own", () => {
  const shared = [...functions()].flatMap(({ name, text }) => {
    const own = new Set(
      [...text.matchAll(/^ +local (.*)$/gm)].flatMap(([, words = ""]) => words.match(/[a-z_]+(?=[= ]|$)/g) ?? []),
    );
    const set = [
      ...text.matchAll(/(?<=^|[\s;&|({!])(?<!-v )([a-z_]+)=/gm),
      ...text.matchAll(/\bfor ([a-z_]+) in\b/g),
      ...[...text.matchAll(/\bread -r((?: \w+)+)/g)].flatMap(([, words = ""]) => [...words.matchAll(/ ([a-z]\w*)/g)]),
    ];
    return [...new Set(set.map(([, variable = ""]) => variable))]
      .filter((it) => !own.has(it))
      .map((it) => `${name}: ${it}`);
  });
  // Words that only look like it: a setting that is compared, an operand of awk's.
  expect(shared).toEqual(["network_links_up: forwarding", "dnsmasq_check: kind"]);
});

test("what is looked at and written is below the root", () => {
  const outside = [...functions()].flatMap(({ name, text }) =>
    [...text.matchAll(/(?<!ROOT"|[\w}$/*.])\/(?:etc|var|run|proc|sys|root|usr|dev)\/[\w./-]+/g)].map(
      ([file]) => `${name}: ${file}`,
    ),
  );
  expect(outside.filter((it) => !it.includes("/dev/null"))).toEqual([
    // This very process; what others are told, and people; and what stands in the place of what is live (see haproxy_check).
    "release: /etc/os-release",
    "lock: /proc/self/fd/9",
    "tayga_check: /dev/net/tun",
    "tayga_user: /usr/sbin/nologin",
    "haproxy_check: /etc/vpc6/live/files/",
    "password_check: /usr/bin/perl",
  ]);
});

test("units are stopped in one way", () => {
  const stops = [...functions()]
    .filter(({ text }) => /\bsystemctl( --?\S+)* stop\b/.test(text))
    .map(({ name }) => name);
  // A timer, which nobody waits for; and all that are ours, in whatever state.
  expect(stops.sort()).toEqual(["timer_stop", "unit_stop", "units_remove"]);
});

test("every awk program that is a file is used, once", () => {
  const folder = path.join(import.meta.dirname, "../../../provider/router/program");
  const parts = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sh"));
  const used = parts.flatMap((file) =>
    [...readFileSync(path.join(folder, file), "utf8").matchAll(/'@(\w+\.awk)@'/g)].map(([, awk]) => awk),
  );
  expect(used.sort()).toEqual(readdirSync(path.join(folder, "awk")).sort());
});

/** The functions of the program, without what is literal in them: quoted text, comments, units. */
function* functions(): Generator<{ name: string; text: string }> {
  const text = literals(program().functions);
  for (const { 1: name = "", 0: body } of text.matchAll(/^(\w+)\(\) \{(?:.*\}$|[\s\S]*?^\}$)/gm)) {
    if (!/^(unit_(firewall|main|leases|password|password_socket)|\w+_unit|password_server)$/.test(name))
      yield { name, text: body };
  }
}

/** Blanks in the place of '…' and # …, of the same length. */
function literals(text: string): string {
  let found = "";
  const blank = (from: number, to: number) => text.slice(from, to).replaceAll(/[^\n]/g, " ");
  /** What we are in: a quoted text, or (…): how many brackets deep. */
  const stack: (number | '"')[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    const inside = stack.at(-1);
    let end = at;
    if (char === "\\") end = at + 1;
    else if (text.startsWith("$(", at)) {
      stack.push(1);
      end = at + 1;
    } else if (char === '"') inside === '"' ? stack.pop() : stack.push('"');
    else if (inside !== '"') {
      const comment = char === "#" && /[\s;(]/.test(text[at - 1] ?? "\n");
      if (char === "'" || comment) {
        const to = text.indexOf(comment ? "\n" : "'", at + 1);
        found += char + blank(at + 1, to);
        at = comment ? to - 1 : to;
        if (!comment) found += "'";
        continue;
      }
      const heredoc = /^<<'?(\w+)'?/.exec(text.slice(at, at + 20));
      if (heredoc) {
        const to = text.indexOf(`\n${heredoc[1]}\n`, at);
        const line = text.indexOf("\n", at);
        // What stands behind it on the line is code.
        found += text.slice(at, line) + text.slice(line, to);
        at = to - 1;
        continue;
      }
      if (inside !== undefined && char === "(") stack.push((stack.pop() as number) + 1);
      if (inside !== undefined && char === ")" && inside === 1) stack.pop();
      else if (inside !== undefined && char === ")") stack.push((stack.pop() as number) - 1);
    }
    found += text.slice(at, end + 1);
    at = end;
  }
  return found;
}

function isDebian(): boolean {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8").split("\n") : [];
  return release.includes("ID=debian") && release.includes('VERSION_ID="12"');
}
