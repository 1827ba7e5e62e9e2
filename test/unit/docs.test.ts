// The documentation is true: the pages of the resources are what their doc comments say, every block of TypeScript in it compiles, and
// every link leads somewhere.

import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { pages } from "../../tools/docs.mjs";

const root = path.join(import.meta.dirname, "../..");
const texts = ["README.md", "SECURITY.md", "CHANGELOG.md", ...globSync("{docs,examples}/**/*.md", { cwd: root })]
  .filter((file) => existsSync(path.join(root, file)) && !file.includes("node_modules"))
  .map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") }));

test.each([...pages()])("%s is what the doc comments say (else: make docs)", (file, text) => {
  expect(existsSync(path.join(root, file)) && readFileSync(path.join(root, file), "utf8")).toBe(text);
});

/** What a block may take for granted: the names that all pages use for the same things. */
const GRANTED = `
import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";
declare const config: pulumi.Config;
declare const zone: vpc6.Zone; declare const router: vpc6.Router; declare const shop: vpc6.Vpc; declare const other: vpc6.Vpc;
declare const web: vpc6.Tier; declare const db: vpc6.Tier; declare const app: vpc6.Tier;
declare const web1: vpc6.Instance; declare const web2: vpc6.Instance; declare const db1: vpc6.Instance;
declare const www: vpc6.LoadBalancer; declare const offices: vpc6.ExternalNetwork; declare const banned: vpc6.ExternalNetwork;
`;

test("every block of TypeScript compiles", () => {
  const blocks = new Map<string, string>();
  for (const { file, text } of texts) {
    for (const [index, [, block = ""]] of [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].entries()) {
      // Imports come from above, and what a block declares hides what is granted.
      const body = block.replace(/^import .*$/gm, "").replace(/^export (?=const|default)/gm, "");
      blocks.set(
        `${root}/test/unit/${file.replace(/\W/g, "-")}-${index + 1}.ts`,
        `${GRANTED}{\n${body}\n}\nexport {};\n`,
      );
    }
  }
  expect(blocks.size).toBeGreaterThan(10);
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ["node"],
    paths: { vpc6: [path.join(root, "resources/index.ts")] },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (file) => blocks.has(file) || fileExists(file);
  host.getSourceFile = (file, ...rest) => {
    const text = blocks.get(file);
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, ts.ScriptTarget.ESNext);
  };
  const program = ts.createProgram([...blocks.keys()], options, host);
  const wrong = [...blocks.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (it) => `${path.basename(file)}: ${ts.flattenDiagnosticMessageText(it.messageText, " ")}`,
    );
  });
  expect(wrong).toEqual([]);
}, 60_000);

test("every link to a file leads somewhere", () => {
  const dead = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !existsSync(path.resolve(root, path.dirname(file), target)))
      .map((target) => `${file}: ${target}`),
  );
  expect(dead).toEqual([]);
});
