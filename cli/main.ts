#!/usr/bin/env node
// vpc6: what is in a preview or a stack, for people to read. It reads a file or standard input, writes to standard output, and
// touches nothing else: no router, no state, no key. But for `orphans`, which asks routers.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { RouterError } from "../provider/router";
import { LIMIT, report } from "./report";
import { readStack, type Stack, Unreadable } from "./stack";

const USAGE = `vpc6 report [FILE]   a preview as Markdown, for a comment on a pull request
vpc6 map [FILE]      a preview or a stack as a picture
vpc6 orphans [FILE]  what routers have of a stack that its state has no more

FILE, or standard input, is what \`pulumi preview --json --show-sames\` or \`pulumi stack export\` wrote.

report
  --check            exit with 4 when traffic is interrupted, or it is not known whether it is
  --limit N          at most N characters (default ${LIMIT}, what GitHub takes for a comment)
map
  --format FORMAT    svg (default): who holds which prefix; mermaid: uplink, routers, VPCs, tiers
orphans              (of \`pulumi stack export\`; no \`up\` may run meanwhile. It logs in to the routers, with the key that \`up\` takes;
                     a key in the config is given so: VPC6_SSH_KEY="$(pulumi config get vpc6:sshPrivateKey)")
  --drop             take them off
all
  -h, --help         this text

Exit codes
  0   written
  1   what was read is neither a preview nor a stack, or a router could not be asked
  2   the command line is wrong
  3   written, and the preview is of a program that fails
  4   written, and --check found traffic interrupted
  5   written, and there are orphans
`;

class Usage extends Error {}

async function main(): Promise<number> {
  const { values, positionals } = read();
  const [command, file, ...rest] = positionals;
  if (values.help || command === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command === undefined) throw new Usage("a command is missing: report, map or orphans");
  if (command !== "report" && command !== "map" && command !== "orphans")
    throw new Usage(`there is no command "${command}": report, map or orphans`);
  if (rest.length > 0) throw new Usage(`one file only; "${rest[0]}" is too many`);
  if (values.drop !== undefined && command !== "orphans") throw new Usage("--drop is for orphans");
  if (command === "orphans") {
    const [other] = (["check", "limit", "format"] as const).filter((it) => values[it] !== undefined);
    if (other) throw new Usage(`--${other} is not for orphans`);
    // Loaded here: only this has to do with routers.
    const left = (require("./orphans") as typeof import("./orphans")).orphans(textOf(file), values.drop ?? false);
    return (await left) ? 5 : 0;
  }
  if (command === "map") {
    if (values.check !== undefined || values.limit !== undefined) throw new Usage("--check and --limit are for report");
    return draw(values.format ?? "svg", file);
  }
  if (values.format !== undefined) throw new Usage("--format is for map");
  return tell(file, values.check ?? false, values.limit);
}

function tell(file: string | undefined, check: boolean, limitText = `${LIMIT}`): number {
  const limit = Number(limitText);
  if (!Number.isInteger(limit) || limit < 1000)
    throw new Usage(`--limit: "${limitText}" is not a number of 1000 or more`);
  const { markdown, failed, interrupts } = report(stackIn(file), limit);
  process.stdout.write(markdown);
  return failed ? 3 : check && interrupts ? 4 : 0;
}

function draw(format: string, file: string | undefined): number {
  if (format !== "svg" && format !== "mermaid") throw new Usage(`--format: there is no "${format}": svg or mermaid`);
  const stack = stackIn(file);
  const failed = stack.diagnostics.some(({ severity }) => severity === "error");
  // Loaded here: a report needs no pictures.
  const picture =
    format === "svg"
      ? (require("./svg") as typeof import("./svg")).svg(stack)
      : (require("./mermaid") as typeof import("./mermaid")).mermaid(stack);
  process.stdout.write(picture);
  return failed ? 3 : 0;
}

function textOf(file: string | undefined): string {
  try {
    return readFileSync(file === undefined || file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new Unreadable(`${file ?? "standard input"} cannot be read: ${(error as Error).message}`);
  }
}

/** Nothing at all is what a preview leaves that failed before it began: its words are on standard error, not in the JSON. */
function stackIn(file: string | undefined): Stack {
  const text = textOf(file);
  if (text.trim() === "") return { from: "preview", resources: [], diagnostics: [], hidden: 0 };
  return readStack(text);
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        check: { type: "boolean" },
        limit: { type: "string" },
        format: { type: "string" },
        drop: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new Usage((error as Error).message);
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    if (!(error instanceof Usage) && !(error instanceof Unreadable) && !(error instanceof RouterError)) throw error;
    process.stderr.write(`vpc6: ${error.message}\n${error instanceof Usage ? `\n${USAGE}` : ""}`);
    process.exitCode = error instanceof Usage ? 2 : 1;
  },
);
