// Templates → fragments. A file for each kind of resource holds all it puts on a router, a section for each slot. Templates
// have no logic beyond if/each: typed view models do the thinking; what the router must agree with is `@contract`. A section that comes out
// empty is no fragment.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as Handlebars from "handlebars";
import * as contract from "../contract";
import type { Fragments } from "../kind";

type Section = [slot: string, template: Handlebars.TemplateDelegate];
const compiled = new Map<string, Section[]>();

export function render(template: string, view: object): Fragments {
  let sections = compiled.get(template);
  if (!sections) {
    sections = compile(readFileSync(join(__dirname, `${template}.hbs`), "utf8"));
    compiled.set(template, sections);
  }
  const texts = sections.map(([slot, section]): [string, string] => [
    slot,
    section(view, { data: { contract } }).trim(),
  ]);
  return Object.fromEntries(texts.filter(([, text]) => text !== "").map(([slot, text]) => [slot, `${text}\n`]));
}

function compile(source: string): Section[] {
  // Loaded here: a program that only imports the package does without.
  const handlebars = require("handlebars") as typeof Handlebars;
  const [, ...parts] = source.split(/^\{\{!-- slot ([a-z0-9-]+) --\}\}\n/m);
  // No escaping: that is HTML's. Strict: a missing value is an error, not an empty place in a firewall rule.
  const options = { noEscape: true, strict: true, knownHelpersOnly: true, preventIndent: true };
  return Array.from({ length: parts.length / 2 }, (_, index) => [
    parts[2 * index] ?? "",
    handlebars.compile(parts[2 * index + 1] ?? "", options),
  ]);
}
