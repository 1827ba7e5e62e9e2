// What arguments there are, and their forms, read from the interfaces that a program sees; and what is refused at each.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { kinds } from "../../../provider/kinds";
import { arguments_, type Kind } from "../check";

const folder = path.join(import.meta.dirname, "../../../resources");
export const names = Object.keys(arguments_) as Kind[];

const interfaces = new Map<string, ts.InterfaceDeclaration>();
for (const file of readdirSync(folder)) {
  const text = readFileSync(path.join(folder, file), "utf8");
  for (const node of ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements) {
    if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, node);
  }
}

/** What an argument may be. What only a resource can be is its constructor's to judge (test/unit/refusals.test.ts). */
export type Form =
  | { is: "text" | "number" | "boolean" | "resource" }
  | { is: "word"; word: string }
  | { is: "list"; of: Form[] }
  | { is: "object"; members: Map<string, Member> };
export type Member = { forms: Form[]; required: boolean };

function formsOf(type: ts.TypeNode): Form[] {
  if (ts.isParenthesizedTypeNode(type)) return formsOf(type.type);
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(formsOf);
  if (ts.isArrayTypeNode(type)) return [{ is: "list", of: formsOf(type.elementType) }];
  if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return [{ is: "word", word: type.literal.text }];
  if (type.kind === ts.SyntaxKind.StringKeyword) return [{ is: "text" }];
  if (type.kind === ts.SyntaxKind.NumberKeyword) return [{ is: "number" }];
  if (type.kind === ts.SyntaxKind.BooleanKeyword) return [{ is: "boolean" }];
  if (!ts.isTypeReferenceNode(type)) throw new Error(`a type that is not understood: ${type.getText()}`);
  const [of] = type.typeArguments ?? [];
  if (type.typeName.getText() === "pulumi.Input" && of) return formsOf(of);
  const declaration = interfaces.get(type.typeName.getText());
  return declaration ? [{ is: "object", members: membersOf(declaration) }] : [{ is: "resource" }];
}

function membersOf(declaration: ts.InterfaceDeclaration): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const parent of (declaration.heritageClauses ?? []).flatMap(({ types }) => types)) {
    // `Omit<TierArgs, "vpc">`
    const [of, without] = parent.typeArguments ?? [];
    const whole = interfaces.get((of ?? parent).getText());
    if (!whole || (of && parent.expression.getText() !== "Omit"))
      throw new Error(`not understood: ${parent.getText()}`);
    for (const [name, member] of membersOf(whole)) {
      if (!without?.getText().includes(`"${name}"`)) members.set(name, member);
    }
  }
  for (const member of declaration.members) {
    if (!ts.isPropertySignature(member) || !member.type) continue;
    members.set(member.name.getText(), { forms: formsOf(member.type), required: member.questionToken === undefined });
  }
  return members;
}

export const argumentsOf = (kind: Kind): Map<string, Member> => {
  const declaration = interfaces.get(`${kind}Args`);
  if (!declaration) throw new Error(`there is no ${kind}Args`);
  return membersOf(declaration);
};

/** A place among the arguments of a kind; `put` makes arguments that are right but for it. */
export interface Place {
  kind: Kind;
  /** As messages call it. */
  at: string;
  forms: Form[];
  required: boolean;
  put(value: unknown): Record<string, unknown>;
}

/** The constructor makes something else of these before the hooks see them. */
const MADE_BY_THE_CONSTRUCTOR = ["reserve", "rules[0].sources", "tests[0].from", "tests[0].to"];
/** Where the constructor sends what a user calls otherwise. */
const sent: Record<string, (value: unknown) => Record<string, unknown>> = {
  "IsolatedNetwork.ntpServers": (ntpServers) => ({ vpc: { ...arguments_.IsolatedNetwork.vpc, ntpServers } }),
};

const isResource = ({ is }: Form): boolean => is === "resource";

function placesIn(place: Place): Place[] {
  const forms = place.forms.filter((it) => !isResource(it));
  if (forms.length === 0) return [];
  return [
    { ...place, forms },
    ...forms.flatMap((form) => {
      if (form.is === "list") {
        const put = (value: unknown) => place.put([value]);
        return placesIn({ ...place, at: `${place.at}[0]`, forms: form.of, required: true, put });
      }
      if (form.is !== "object") return [];
      return [...form.members].flatMap(([name, member]) =>
        MADE_BY_THE_CONSTRUCTOR.includes(`${place.at}.${name}`)
          ? []
          : placesIn({ ...place, ...member, at: `${place.at}.${name}`, put: (value) => place.put({ [name]: value }) }),
      );
    }),
  ];
}

export const places = names.flatMap((kind) =>
  [...argumentsOf(kind)].flatMap(([name, member]) => {
    if (MADE_BY_THE_CONSTRUCTOR.includes(name)) return [];
    const made = sent[`${kind}.${name}`] ?? ((value: unknown) => ({ [name]: value }));
    const put = (value: unknown) => ({ ...arguments_[kind], ...made(value) });
    // A list of resources only is the constructor's.
    const whole = member.forms.every((it) => it.is === "list" && it.of.every(isResource));
    return whole ? [] : placesIn({ kind, at: name, ...member, put });
  }),
);

/** What refuses the value at this very place. */
export function failuresOf({ kind, at, put }: Place, value: unknown): string[] {
  const reasons: string[] = [];
  kinds[kind].shape(put(value) as never, "", (reason) => reasons.push(reason));
  return reasons.filter((it) => it.startsWith(`${at}: `)).map((it) => it.slice(at.length + 2));
}
