// Writes docs/resources/: a page for each resource, made from the doc comments of resources/. `make docs` runs it; a test sees to it
// that the pages are what the comments say.
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const root = path.dirname(import.meta.dirname);

/** The pages, by their path below the root. */
export function pages() {
  const files = globSync("resources/*.ts", { cwd: root }).sort();
  const sources = files.map((file) => {
    const text = readFileSync(path.join(root, file), "utf8");
    return { file, source: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true) };
  });
  /** @type {Map<string, ts.InterfaceDeclaration>} */
  const interfaces = new Map();
  /** @type {Map<string, { node: ts.ClassDeclaration, file: string }>} */
  const declared = new Map();
  for (const { file, source } of sources) {
    for (const node of source.statements) {
      if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, node);
      if (ts.isClassDeclaration(node)) declared.set(nameOf(node), { node, file });
    }
  }
  /** @param {ts.ClassDeclaration} node @returns {ts.ClassDeclaration[]} itself and what it extends, up to Resource */
  const line = (node) => {
    const parent = declared.get(node.heritageClauses?.[0]?.types[0]?.expression.getText() ?? "");
    return parent ? [node, ...line(parent.node)] : [node];
  };
  const classes = [...declared.values()].filter(
    ({ node }) => isExported(node) && !isAbstract(node) && line(node).some((it) => nameOf(it) === "Resource"),
  );
  const found = classes.map(
    ({ node, file }) =>
      /** @type {const} */ ([`docs/resources/${kebab(nameOf(node))}.md`, page(node, file, interfaces, line(node))]),
  );
  return new Map([...found, ["docs/resources/README.md", index(classes.map(({ node }) => node))]]);
}

/** @param {ts.ClassDeclaration} node @param {string} file @param {Map<string, ts.InterfaceDeclaration>} interfaces @param {ts.ClassDeclaration[]} line */
function page(node, file, interfaces, line) {
  const name = nameOf(node);
  const args = interfaces.get(`${name}Args`);
  /** @type {string[]} */
  const mentioned = [];
  const lines = [`# ${name}`, "", docOf(node), "", `Declared in [${file}](../../${file}).`, "", "## Arguments", ""];
  if (args) lines.push(...members(args, interfaces, mentioned), "");
  // Types of arguments, and those that they mention in their turn.
  for (const type of mentioned) {
    const declaration = interfaces.get(type);
    if (!declaration) continue;
    lines.push(`### ${type}`, "");
    const doc = docOf(declaration);
    if (doc) lines.push(doc, "");
    lines.push(...members(declaration, interfaces, mentioned), "");
  }
  const outputs = line.flatMap(({ members }) => members.filter(ts.isPropertyDeclaration)).filter((it) => isOutput(it));
  lines.push("## Outputs", "");
  if (outputs.length === 0) lines.push("None beside `id` and `urn`.");
  for (const output of outputs) lines.push(entry(output.name.getText(), output.type, docOf(output), false));
  return `${lines.join("\n").trimEnd()}\n`;
}

/** @param {ts.InterfaceDeclaration} declaration @param {Map<string, ts.InterfaceDeclaration>} interfaces @param {string[]} mentioned @returns {string[]} */
function members(declaration, interfaces, mentioned) {
  const inherited = (declaration.heritageClauses ?? []).flatMap(({ types }) =>
    types.flatMap((it) => taken(it, interfaces, mentioned)),
  );
  const own = declaration.members.filter(ts.isPropertySignature).map((member) => {
    for (const [word] of member.type?.getText().matchAll(/[A-Z]\w+/g) ?? []) {
      if (interfaces.has(word) && !mentioned.includes(word)) mentioned.push(word);
    }
    return entry(member.name.getText(), member.type, docOf(member), member.questionToken === undefined);
  });
  const names = own.map((line) => line.split(" ", 2)[1]);
  return [...own, ...inherited.filter((line) => !names.includes(line.split(" ", 2)[1]))];
}

/** What an interface has of another: all of it, or `Pick` or `Omit`. @param {ts.ExpressionWithTypeArguments} type @param {Map<string, ts.InterfaceDeclaration>} interfaces @param {string[]} mentioned */
function taken(type, interfaces, mentioned) {
  const how = type.expression.getText();
  const [of, keys] = how === "Pick" || how === "Omit" ? (type.typeArguments ?? []) : [type, undefined];
  const parent = interfaces.get((of && ts.isExpressionWithTypeArguments(of) ? of.expression : of)?.getText() ?? "");
  if (!parent) return [];
  const named = [...(keys?.getText() ?? "").matchAll(/"(\w+)"/g)].map(([, key]) => `- **\`${key}\`**`);
  return members(parent, interfaces, mentioned).filter(
    (line) => !keys || named.some((it) => line.startsWith(it)) === (how === "Pick"),
  );
}

/** @param {string} name @param {ts.TypeNode | undefined} type @param {string} doc @param {boolean} required */
function entry(name, type, doc, required) {
  const text = (type?.getText() ?? "").replace(/\s+/g, " ").replaceAll("pulumi.", "");
  const said = doc.split("\n").join("\n  ");
  return `- **\`${name}\`** \`${text}\`${required ? " (required)" : ""}${said ? `\n  ${said}` : ""}`;
}

/** @param {ts.ClassDeclaration[]} classes */
function index(classes) {
  const rows = classes
    .map((node) => `- [${nameOf(node)}](${kebab(nameOf(node))}.md): ${firstSentence(docOf(node))}`)
    .sort();
  return `${["# Resources", "", "Made from the doc comments in [resources/](../../resources) by `make docs`.", "", ...rows].join("\n")}\n`;
}

/** The text of a declaration's doc comment, as it stands there. @param {ts.Node} node */
function docOf(node) {
  const comment = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc);
  if (!comment) return "";
  return comment
    .getText()
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

/** @param {ts.PropertyDeclaration} node */
const isOutput = (node) =>
  node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) && !docOf(node).startsWith("@internal");
/** @param {ts.ClassDeclaration} node */
const isExported = (node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
/** @param {ts.ClassDeclaration} node */
const isAbstract = (node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);
/** @param {ts.ClassDeclaration} node */
const nameOf = (node) => node.name?.text ?? "";
/** @param {string} name */
const kebab = (name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase();
/** @param {string} text */
const firstSentence = (text) => /^[\s\S]*?[.:](?=\s|$)/.exec(text)?.[0].replace(/\s+/g, " ").replace(/:$/, ".") ?? text;

if (process.argv[1] === import.meta.filename) {
  mkdirSync(path.join(root, "docs/resources"), { recursive: true });
  for (const [file, text] of pages()) writeFileSync(path.join(root, file), text);
}
