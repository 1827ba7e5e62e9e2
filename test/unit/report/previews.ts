// The previews that test/engine/report.test.ts has kept: what the real engine says of the changes in test/engine/changes.ts.
import { readFileSync } from "node:fs";
import path from "node:path";
import { report } from "../../../cli/report";
import { readStack } from "../../../cli/stack";

export const preview = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, `previews/${name}.json`), "utf8");

export const reportOf = (name: string) => report(readStack(preview(name)));

/** A preview of one resource, or of several. */
export const steps = (...all: object[]): string => JSON.stringify({ steps: all, changeSummary: {} });

export const step = (op: string, kind: string, name: string, before?: object, after?: object, more: object = {}) => {
  const urn = `urn:pulumi:dev::test::pulumi-nodejs:dynamic/vpc6:${kind}::${name}`;
  const state = (inputs: object | undefined) => inputs && { urn, inputs, ...more };
  return { op, urn, oldState: state(before), newState: state(after) };
};

const WAY = "vr1 root@192.0.2.1:22 SHA256:A";
export const on = (fragments: object, more: object = {}) => ({ router: WAY, fragments, ...more });
