// Most of what Pulumi's SDK loads when a program or a dynamic provider starts is for functions as values (the compiler, npm's resolver,
// an inspector that hears of every script), for traces of the run, and for the lines of its own stack in TypeScript: 1 of 1.7 s of a program,
// in each of some hundred runs of these tests. With this file required first all of that is loaded when somebody asks for it; stack traces
// stay in JavaScript. host.test.ts, the main job in the lab, and what test/pack runs, do without.
"use strict";

const Module = require("node:module");
const path = require("node:path");

/** A module that is loaded with the first look into it. @param {() => any} load @param {Record<string, unknown>} instead */
function late(load, instead = {}) {
  /** @type {any} */
  let loaded;
  const real = () => {
    loaded ??= load();
    return loaded;
  };
  return new Proxy(
    {},
    {
      get(_target, key) {
        // TypeScript's own import then takes this object as it is.
        if (key === "__esModule") return true;
        if (!loaded && Object.hasOwn(instead, key)) return instead[/** @type {string} */ (key)];
        return key === "default" && !real().__esModule ? real() : real()[key];
      },
      has: (_target, key) => key in real(),
      ownKeys: () => Reflect.ownKeys(real()),
      getOwnPropertyDescriptor: (_target, key) => {
        const found = Object.getOwnPropertyDescriptor(real(), key);
        return found && { ...found, configurable: true };
      },
    },
  );
}

const span = {
  end: () => {},
  setAttribute: () => {},
  addEvent: () => {},
  setStatus: () => {},
  recordException: () => {},
};
const hooks = { isInitializedAsync: async () => {} };
/** As the SDK's own modules write them. @type {Record<string, Record<string, unknown>>} */
const LATE = {
  "@npmcli/arborist": {},
  "normalize-package-data": {},
  semver: {},
  "js-yaml": {},
  "./automation": {},
  "../../typescript-shim": {},
  "./tracing": { newSpan: () => span },
  "./instrumentation": {
    withRootContext: (/** @type {() => unknown} */ work) => work(),
    shutdownTracing: async () => {},
  },
  "./v8Hooks": hooks,
  "../../runtime/closure/v8Hooks": hooks,
  "@opentelemetry/api": { propagation: { inject: () => {} }, context: { active: () => undefined } },
  ...(process.argv.includes("--monitor=in-process") && { "@grpc/grpc-js": require("./in-process/grpc.cjs").instead }),
};
const sdk = `${path.sep}@pulumi${path.sep}pulumi${path.sep}`;

const loader = /** @type {any} */ (Module);
const load = loader._load;
/** @type {Map<string, unknown>} */
const known = new Map();
loader._load = function (
  /** @type {string} */ request,
  /** @type {NodeJS.Module | undefined} */ parent,
  /** @type {boolean} */ main,
) {
  if (parent?.filename?.includes(sdk)) {
    if (request === "source-map-support/register") return {};
    const instead = LATE[request];
    if (instead) {
      const file = loader._resolveFilename(request, parent);
      if (!known.has(file))
        known.set(
          file,
          late(() => load.call(this, request, parent, main), instead),
        );
      return known.get(file);
    }
  }
  return load.call(this, request, parent, main);
};
