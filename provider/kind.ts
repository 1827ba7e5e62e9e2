// A kind is what is particular to one kind of resource: its arguments, what it allocates and what it renders.
// Everything else (comparing, converging, refreshing, deleting) is the generic set of hooks in hooks.ts.

import type { Fail, Type } from "./arguments";

/** Slot → text: the pieces of configuration a resource owns on its router. */
export type Fragments = Record<string, string>;

/** What `check` hands to the engine: shown at preview, kept in the state, and all that create and update work from. */
export interface Inputs {
  /** The way (way.ts) to the router the fragments are for; absent where a resource has nothing on any router (Zone). */
  router?: string;
  fragments?: Fragments;
  [key: string]: unknown;
}

export interface Kind<A = unknown> {
  /** The last word of the type token, e.g. "Tier". */
  readonly type: string;
  /** The shape of its outputs: counts up with every change of it, so that hooks can tell old state from new. */
  readonly schema: number;
  /** The arguments, as the constructor in resources/ sends them. */
  readonly shape: Type<A>;
  /**
   * Validate → allocate → render. Pure: no clock, no randomness, no router. `old` are the inputs of the last run.
   * Any argument may be unknown at preview; what is derived from it is then unknown too.
   */
  plan(args: A, old: Inputs | undefined, fail: Fail): Inputs;
  /** The id for ever: what the resource's fragments are filed under on its router. */
  identify(inputs: Inputs): string;
  /** How the resource is called in messages. */
  describe(inputs: Inputs): string;
  /**
   * What deleting means beyond dropping the fragments: taking vpc6 off the machine, which is refused while others have something
   * there (`router`: a Router), or is done by the last one to leave (`share`: an Uplink).
   */
  readonly owns?: "router" | "share";
}

/** The name in the parent's ledger now, and where that differs the one it was created with: ids and default names stay. */
export function namesOf(claim: string, old: Inputs | undefined): { claim: string; firstName?: string } {
  const first = old ? firstName(old) : claim;
  return { claim, ...(first !== claim && { firstName: first }) };
}

export const firstName = (inputs: object): string => {
  const { firstName, claim } = inputs as { firstName?: string; claim: string };
  return firstName ?? claim;
};
