// The types that npm publishes: whatever a program can name by a class, an argument or an output, it can import by its name.

import { existsSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const dist = path.join(import.meta.dirname, "../../dist");

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
