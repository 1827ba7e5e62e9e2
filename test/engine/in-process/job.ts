// What one run is told, and what is kept between runs.

import type { Properties } from "./values.ts";

export interface Job {
  what: "preview" | "up" | "refresh" | "destroy";
  /** `--refresh`, `--diff`, `--expect-no-changes`. */
  flags: string[];
  project: string;
  stack: string;
  /** Pulumi.yaml's `main`, from the project folder. */
  main: string;
  /** What stands in the environment beside what this process was started with. */
  env: Record<string, string>;
  /** By full key, such as `vpc6:sshPrivateKey`. */
  config: Record<string, { value: string; secret: boolean }>;
  /** Where the state of each stack is that a StackReference may name, by its full name. */
  stacks: Record<string, string>;
}

/** A resource in the state, under the names that `pulumi stack export` has for them; secrets are in the clear. */
export interface Resource {
  urn: string;
  type: string;
  custom: boolean;
  id?: string;
  inputs: Properties;
  outputs: Properties;
  parent?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
  provider?: string;
  additionalSecretOutputs?: string[];
  protect?: boolean;
  initErrors?: string[];
  /** Deleted to be made anew, which has not happened yet. */
  pendingReplacement?: boolean;
  /** Only read: another one's, such as a StackReference. */
  external?: boolean;
}

/** The file beside Pulumi.yaml that holds the resources between runs. */
export const STATE = ".in-process.json";
