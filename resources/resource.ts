// What all resources of this package have in common: the type token and the loader of their hooks.

import * as pulumi from "@pulumi/pulumi";
import { checkHooks, mark } from "./copies";
import { stackName } from "./program";

/**
 * The text the engine keeps as `__provider` in the state of every resource. The provider process runs it; it finds
 * vpc6 from the folder of the user's program (copied, linked or hoisted node_modules, or this repository itself).
 * Released texts are kept in states for ever: what they name must resolve in every later version.
 */
export const loader = (kind: string): string =>
  `exports.handler=()=>require("node:module").createRequire(process.cwd()+"/_")("vpc6/provider").${kind}`;

/**
 * The SDK takes a stack trace for every promise it makes of a resource, and shows them only if this is set: at 1,000 resources that
 * was half of the program's time. The one that tells the engine where a resource was made is none of them.
 */
const TRACES = Boolean(process.env.PULUMI_DEBUG_PROMISE_LEAKS);

const isLate = (value: unknown): boolean =>
  pulumi.Output.isInstance(value) || typeof (value as { then?: unknown })?.then === "function";

export abstract class Resource extends pulumi.CustomResource {
  /** `outputs` are the properties a program can read, whether they were given or are worked out by the hooks; `also` what it is beside its kind. */
  constructor(
    kind: string,
    name: string,
    outputs: string[],
    props: pulumi.Inputs,
    opts: pulumi.CustomResourceOptions | undefined,
    also: string[] = [],
  ) {
    checkHooks(kind, name);
    const declared = Object.fromEntries(outputs.map((key) => [key, undefined]));
    // What is not given is not there: the SDK makes four promises of each key.
    const given = Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
    const limit = Error.stackTraceLimit;
    if (!TRACES) Error.stackTraceLimit = 0;
    try {
      super(typeToken(kind), name, { ...declared, ...given, ...told(given, opts), __provider: loader(kind) }, opts);
    } catch (error) {
      Error.stackTraceLimit = limit;
      if (!TRACES && error instanceof Error) Error.captureStackTrace(error);
      throw error;
    } finally {
      Error.stackTraceLimit = limit;
    }
    mark(this, [kind, ...also], name);
  }
}

/**
 * What the hooks are told beside the arguments, and keep in no state: whose the resource is; and, as what they make something else of cannot
 * be ignored, what `ignoreChanges` names. A transformation names more than is seen here: of what was sent something is missing then.
 */
const told = (given: pulumi.Inputs, opts: pulumi.CustomResourceOptions | undefined) => ({
  stack: stackName(),
  sent: Object.keys(given).filter((key) => given[key] !== null && !isLate(given[key])),
  ...(opts?.ignoreChanges && opts.ignoreChanges.length > 0 && { ignores: opts.ignoreChanges }),
});

/**
 * The value of an output without its dependencies. Something read from a component makes a resource depend on all that is
 * in the component: for a parent those are the very children that wait for it.
 */
export const detached = <T>(output: pulumi.Output<T>): Promise<T> =>
  new Promise((resolve) => output.apply((value) => resolve(value)));

export const typeToken = (kind: string): string => `pulumi-nodejs:dynamic/vpc6:${kind}`;
