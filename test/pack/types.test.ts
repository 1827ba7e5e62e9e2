// The types that npm publishes: whatever a program can name by a class, an argument or an output, it can import by its name.

import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const repository = path.join(import.meta.dirname, "../..");
const dist = path.join(repository, "dist");

test("vpc6 exports every type that its classes and arguments mention", () => {
  const index = path.join(dist, "resources/index.d.ts");
  expect(existsSync(index)).toBe(true);
  const compiled = ts.createProgram([index], { strict: true, module: ts.ModuleKind.NodeNext, skipLibCheck: true });
  const checker = compiled.getTypeChecker();
  const resolved = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const source = compiled.getSourceFile(index);
  const module = source && checker.getSymbolAtLocation(source);
  const exported = new Set(module ? checker.getExportsOfModule(module).map(resolved) : []);

  const isHidden = (node: ts.Node): boolean =>
    ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal") ||
    (ts.canHaveModifiers(node) &&
      (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword));
  const found = { mentioned: new Set<string>(), missing: new Set<string>() };
  const visit = (node: ts.Node, owner: string): void => {
    if (isHidden(node)) return;
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : ts.isTypeQueryNode(node)
          ? node.exprName
          : ts.isImportTypeNode(node)
            ? node.qualifier
            : undefined;
    const symbol = name && checker.getSymbolAtLocation(name);
    const target = symbol && resolved(symbol);
    const ours = target?.declarations?.some(
      (it) => it.getSourceFile().fileName.startsWith(dist) && !ts.isTypeParameterDeclaration(it),
    );
    if (target && ours) {
      found.mentioned.add(target.name);
      if (!exported.has(target)) found.missing.add(`${owner}: ${target.name}`);
    }
    ts.forEachChild(node, (child) => visit(child, owner));
  };
  for (const symbol of exported) for (const declaration of symbol.declarations ?? []) visit(declaration, symbol.name);
  expect([...found.missing]).toEqual([]);
  expect([...found.mentioned]).toEqual(
    expect.arrayContaining(["HealthArgs", "Resource", "RouterShare", "Tier", "UplinkNeighborArgs"]),
  );
});

test("a resource of another copy of the package is of the same type: no class has a member that only its own copy can declare", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "vpc6-types-"));
  try {
    symlinkSync(path.join(repository, "node_modules"), path.join(folder, "node_modules"));
    for (const copy of ["a", "b"]) cpSync(dist, path.join(folder, copy), { recursive: true });
    const classes = Object.keys(createRequire(import.meta.url)(path.join(dist, "resources/index.js")));
    expect(classes.length).toBeGreaterThan(10);
    const lines = classes.map((name) => `export const as${name} = (it: b.${name}): a.${name} => it;`);
    const program = path.join(folder, "program.ts");
    const wrong = "export const wrong = (it: b.Zone): a.Vpc => it;";
    const imports = [`import * as a from "./a/resources/index";`, `import * as b from "./b/resources/index";`];
    writeFileSync(program, [...imports, ...lines, wrong].join("\n"));
    const compiled = ts.createProgram([program], {
      strict: true,
      module: ts.ModuleKind.Preserve,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      skipLibCheck: true,
      noEmit: true,
    });
    const errors = ts.getPreEmitDiagnostics(compiled).map(({ file, start = 0 }) => {
      return file?.text.slice(file.text.lastIndexOf("\n", start) + 1).split("\n", 1)[0];
    });
    // A Vpc is still no Zone.
    expect(errors).toEqual([wrong]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
