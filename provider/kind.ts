// A kind is what is particular to one kind of resource: its arguments, what it allocates, what it renders, what a change of it does to
// traffic and how it is shown. Everything else (comparing, converging, refreshing, deleting) is the generic set of hooks in hooks.ts.

import type { Fail, Type } from "./arguments";
import type { Markdown } from "./prose";

/** Slot → text: the pieces of configuration a resource owns on its router. */
export type Fragments = Record<string, string>;

/** What `check` hands to the engine: shown at preview, kept in the state, and all that create and update work from. */
export interface Inputs {
  /** The way (way.ts) to the router the fragments are for; absent where a resource has nothing on any router (Zone). */
  router?: string;
  fragments?: Fragments;
  [key: string]: unknown;
}

/**
 * `ends`: traffic that flowed no longer does. `pauses`: for less than a second or two. `closes`: new connections are refused, those
 * that are open go on. `unknown`: may be any of these. `note`: worth knowing, and nothing is interrupted.
 */
export type Level = "ends" | "pauses" | "closes" | "unknown" | "note";

export interface Effect {
  readonly level: Level;
  readonly sentence: Markdown;
  /** Who is concerned, where it is not the resource itself: all of its router, or what has a name of its own. */
  readonly whom?: "router" | { readonly name: string };
}

/** What the other resources on the same router have. What several of them share goes with the last one only. */
export interface Others {
  had(what: string): boolean;
  have(what: string): boolean;
  /** There may be more of them than are known. */
  readonly hidden: boolean;
}

export interface Traffic<I extends Inputs = Inputs> {
  /** What it means that it is taken off its router for good. */
  readonly gone: Effect;
  /** What others on its router may have too: a BGP session, an address, forwarding. */
  holds?(inputs: I): string[];
  /**
   * What a change of it interrupts on one router; asked only when a text of it changes there. `before` is absent where it is new on that
   * router, `after` where it goes: then `gone` is told beside. Pure.
   */
  disturbs(before: I | undefined, after: I | undefined, others: Others): Effect[];
}

/** What the ledger of a parent hands out, in reports. */
export interface ClaimWords {
  /** What it is called before the name of who has it. */
  readonly word: string;
  /**
   * Where it is told beside the table of addresses: `space` in the sentence at the top and as a warning when it is given back,
   * `address` in that sentence only, `detail` nowhere.
   */
  readonly told: "space" | "address" | "detail";
}

/** How reports and pictures speak of a kind. */
export interface Shown<I extends Inputs = Inputs> {
  /** What it takes from the ledger of its parent, as the ledger calls it. */
  readonly claims: Readonly<Record<string, ClaimWords>>;
  /** What a number of them is called, where a picture has no room for each. */
  readonly noun?: string;
  /** A node of its own in the topology, inside its VPC or beside its router. */
  readonly node?: {
    readonly where: "vpc" | "router";
    readonly look: "tier" | "vip";
    readonly title: string;
    /** The lines under its name. */
    lines(inputs: I): (string | undefined)[];
  };
}

export interface Kind<A = unknown, I extends Inputs = Inputs> {
  /** The last word of the type token, e.g. "Tier". */
  readonly type: string;
  /** The shape of its outputs: counts up with every change of it, so that hooks can tell old state from new. */
  readonly schema: number;
  /** The arguments, as the constructor in resources/ sends them. */
  readonly shape: Type<A>;
  /**
   * The arguments that the inputs do not hold as they were given. The engine puts the old inputs in the place of what `ignoreChanges` names,
   * and so would lose them.
   */
  readonly unkept?: readonly string[];
  /**
   * Validate → allocate → render. Pure: no clock, no randomness, no router. `old` are the inputs of the last run.
   * Any argument may be unknown at preview; what is derived from it is then unknown too.
   */
  plan(args: A, old: Inputs | undefined, fail: Fail): I;
  /** What a change of it does to traffic, judged by what `plan` returned. Absent where it has nothing on any router. */
  readonly traffic?: Traffic<I>;
  readonly shown: Shown<I>;
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
