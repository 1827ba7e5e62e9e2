// A rule of .oxlintrc.json: what is kept in a module, or asked of a class, is unknown to another copy of the package in the same
// program. See resources/copies.ts.
const registry = "Another copy of vpc6 would have a registry of its own: use `registry` (resources/copies.ts).";

const refused = {
  "BinaryExpression[operator='instanceof'][right.name!='Error']":
    "An object of another copy of vpc6 is no instance of this class: use isInstance (resources/copies.ts).",
  ":matches(Program, ExportNamedDeclaration) > VariableDeclaration NewExpression[callee.name=/^(Weak)?(Map|Set)$/]":
    registry,
  "PropertyDefinition[static=true] NewExpression[callee.name=/^(Weak)?(Map|Set)$/]": registry,
};

/** @typedef {(found: { node: object, message: string }) => void} Report */

export default {
  meta: { name: "vpc6" },
  rules: {
    "one-copy": {
      create: (/** @type {{ report: Report }} */ context) =>
        Object.fromEntries(
          Object.entries(refused).map(([selector, message]) => [
            selector,
            (/** @type {object} */ node) => context.report({ node, message }),
          ]),
        ),
    },
  },
};
