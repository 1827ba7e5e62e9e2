// Lets Node.js load this repository's TypeScript as Vitest does: imports of the tests' own modules have no ending.

import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!specifier.startsWith(".")) throw error;
      for (const ending of [".ts", "/index.ts"]) {
        try {
          return next(specifier + ending, context);
        } catch {
          // The next one.
        }
      }
      throw error;
    }
  },
});
