// Two rules only, the ones that need types and that Biome does not have: a promise nobody waits for is, in a
// provider, a change whose failure nobody hears of. Everything else is Biome's (biome.json).
import tseslint from "typescript-eslint";

export default tseslint.config({
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
});
