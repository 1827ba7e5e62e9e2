// What Biome does not have (biome.json has everything else): the rules that need types, for a promise nobody waits for is, in a
// provider, a change whose failure nobody hears of; which folder may import which; and what breaks with two copies of the package.
import tseslint from "typescript-eslint";

/** @param {string} file */
const imports = (file) => ({ group: [`**/${file}`, `**/${file}/**`, `${file}/**`] });

/** What is kept in a module, or asked of a class, is unknown to another copy of the package in the same program: see resources/copies.ts. */
const oneCopyOnly = [
  {
    selector: "BinaryExpression[operator='instanceof'][right.name!='Error']",
    message: "An object of another copy of vpc6 is no instance of this class: use isInstance (resources/copies.ts).",
  },
  {
    selector:
      ":matches(Program, ExportNamedDeclaration) > VariableDeclaration NewExpression[callee.name=/^(Weak)?(Map|Set)$/]",
    message: "Another copy of vpc6 would have a registry of its own: use `registry` (resources/copies.ts).",
  },
  {
    selector: "PropertyDefinition[static=true] NewExpression[callee.name=/^(Weak)?(Map|Set)$/]",
    message: "Another copy of vpc6 would have a registry of its own: use `registry` (resources/copies.ts).",
  },
];

export default tseslint.config(
  {
    files: ["{resources,provider,cli,test,examples}/**/*.ts", "vitest.config.mts"],
    ignores: ["dist/**"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: "./tsconfig.check.json", tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
    },
  },
  {
    files: ["resources/**/*.ts"],
    rules: {
      "no-restricted-syntax": ["error", ...oneCopyOnly],
      "no-restricted-imports": [
        "error",
        { patterns: [{ ...imports("cli"), message: "resources/ does not know cli/." }] },
      ],
    },
  },
  {
    files: ["provider/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { ...imports("resources"), message: "provider/ does not know resources/: they meet in the state only." },
            { ...imports("cli"), message: "provider/ does not know cli/." },
          ],
        },
      ],
    },
  },
  {
    files: ["cli/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { ...imports("resources"), message: "cli/ reads states and previews: it imports provider/ only." },
          ],
        },
      ],
    },
  },
);
