#!/usr/bin/env node
// vpc6: what is in a preview or a stack, for people to read. It reads a file or standard input, writes to standard output, and
// touches nothing else: no router, no state, no key.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { LIMIT, report } from "./report";
import { readStack, type Stack, Unreadable } from "./stack";

const USAGE = `vpc6 report [FILE]   a preview as Markdown, for a comment on a pull request
vpc6 map [FILE]      a preview or a stack as a picture

FILE, or standard input, is what \`pulumi preview --json --show-sames\` or \`pulumi stack export\` wrote.

report
  --check            exit with 4 when traffic is interrupted, or it is not known whether it is
  --limit N          at most N characters (default ${LIMIT}, what GitHub takes for a comment)
map
  --format FORMAT    svg (default): who holds which prefix; mermaid: uplink, routers, VPCs, tiers
both
  -h, --help         this text

Exit codes
  0   written
  1   what was read is neither a preview nor a stack
  2   the command line is wrong
  3   written, and the preview is of a program that fails
  4   written, and --check found traffic interrupted
`;

class Usage extends Error {}

function main(): number {
  const { values, positionals } = read();
  const [command, file, ...rest] = positionals;
  if (values.help || command === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command === undefined) throw new Usage("a command is missing: report or map");
  if (command !== "report" && command !== "map") throw new Usage(`there is no command "${command}": report or map`);
  if (rest.length > 0) throw new Usage(`one file only; "${rest[0]}" is too many`);
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

/** Nothing at all is what a preview leaves that failed before it began: its words are on standard error, not in the JSON. */
function stackIn(file: string | undefined): Stack {
  let text: string;
  try {
    text = readFileSync(file === undefined || file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new Unreadable(`${file ?? "standard input"} cannot be read: ${(error as Error).message}`);
  }
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
      },
    });
  } catch (error) {
    throw new Usage((error as Error).message);
  }
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof Usage) && !(error instanceof Unreadable)) throw error;
  process.stderr.write(`vpc6: ${error.message}\n${error instanceof Usage ? `\n${USAGE}` : ""}`);
  process.exitCode = error instanceof Usage ? 2 : 1;
}
