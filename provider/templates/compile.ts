// A template's sections, each made JavaScript: when the package is built (tools/build.mjs), as that takes longer than most changes take to
// render; from the sources, at the first use.

import type * as Handlebars from "handlebars";

/** What is rendered when a section's slot is asked for. */
export type Section = [slot: string, template: Handlebars.TemplateDelegate];

// No escaping: that is HTML's. Strict: a missing value is an error, not an empty place in a firewall rule.
const options = { noEscape: true, strict: true, knownHelpersOnly: true, preventIndent: true };

function parts(source: string): [slot: string, text: string][] {
  const [, ...found] = source.split(/^\{\{!-- slot ([a-z0-9-]+) --\}\}\n/m);
  return Array.from({ length: found.length / 2 }, (_, index) => [found[2 * index] ?? "", found[2 * index + 1] ?? ""]);
}

// Loaded where it is used: a program that only imports the package does without, and what was built before with its smallest part.
const handlebars = () => require("handlebars") as typeof Handlebars;

export const compile = (source: string): Section[] =>
  parts(source).map(([slot, text]) => [slot, handlebars().compile(text, options)]);

/** A module that exports the same, for tools/build.mjs; `built` reads it. @public */
export const precompile = (source: string): string =>
  `module.exports = [\n${parts(source)
    .map(([slot, text]) => `[${JSON.stringify(slot)}, ${handlebars().precompile(text, options)}],\n`)
    .join("")}];\n`;

export const built = (
  module: [slot: string, specification: Parameters<typeof Handlebars.template>[0]][],
): Section[] => {
  const { template } = require("handlebars/runtime") as typeof Handlebars;
  return module.map(([slot, specification]) => [slot, template(specification)]);
};
