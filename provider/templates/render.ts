// Templates → fragments. A file for each kind of resource holds all it puts on a router, a section for each slot. Templates
// have no logic beyond if/each: typed view models do the thinking; what the router must agree with is `@contract`. A section that comes out
// empty is no fragment.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as contract from "../contract";
import type { Fragments } from "../kind";
import { built, compile, type Section } from "./compile";

const known = new Map<string, Section[]>();

export function render(template: string, view: object): Fragments {
  const sections = known.get(template) ?? load(template);
  known.set(template, sections);
  const texts = sections.map(([slot, section]): [string, string] => [
    slot,
    section(view, { data: { contract } }).trim(),
  ]);
  return Object.fromEntries(texts.filter(([, text]) => text !== "").map(([slot, text]) => [slot, `${text}\n`]));
}

function load(template: string): Section[] {
  const file = join(__dirname, `${template}.hbs`);
  return existsSync(`${file}.js`) ? built(require(`${file}.js`)) : compile(readFileSync(file, "utf8"));
}
