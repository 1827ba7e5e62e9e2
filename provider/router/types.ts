/**
 * The words the rest of the provider uses to speak of a router: where it is, what should be on it, what was done, and the
 * one class of error. No code here, so that importing it costs a preview nothing.
 */

/** One SSH server and the key it must show. No secret is in it: it is kept in the outputs of every resource. */
export interface Hop {
  host: string;
  port: number;
  user: string;
  /** `SHA256:…` as `ssh-keygen -lf` prints it, or the key itself: `ssh-ed25519 AAAA…`. */
  hostKey: string;
}

/** A router, and the bastion on the way to it. `name` is only for messages. */
export interface RouterAddress extends Hop {
  name: string;
  proxy?: Hop;
}

/** Slot → text: all that one resource has to say on one router. The services' shell files name their slots, beside `packages`. */
export type Fragments = Record<string, string>;

/** What one resource wants of one router: these fragments in place of all it had there, or (`null`) none. */
export interface Change {
  /** Unique on the router and the same for ever, e.g. `web@2001:67c:2834:1::`; characters `[A-Za-z0-9._@:-]`. */
  id: string;
  /** For messages: `Tier "web"`. */
  label: string;
  fragments: Fragments | null;
  /** It is made now: what is on the router under its id counts as its own only if it is the same stack's. */
  fresh?: boolean;
  /**
   * A word for the time when it was made, and the stack whose it is (made.ts). With `fragments: null` the word alone: it goes only if it
   * is still that one which is there, and not one that was made since in its place.
   */
  made?: string;
  /** Look also for what differs on the router from what is confirmed there, and apply that again. */
  repair?: boolean;
}

/** What is on a router. */
export interface Observation {
  /** The confirmed fragments, by id. */
  fragments: Map<string, Fragments>;
  /** When each was made, and whose it is, by id (made.ts). */
  made: Map<string, string>;
  /** What differs from them in files, kernel and daemons, by the id whose it is. */
  drift: Map<string, Difference[]>;
}

/** `service`: whose function found it, beside them `packages` and `program`. `text`: `rule removed from chain input, …`. */
export interface Difference {
  service: string;
  text: string;
}

/** What a transaction did. A joint one gives every caller the same report. */
export interface Report {
  generation: number;
  /** The services whose configuration changed, in the order in which they were applied. */
  changed: string[];
  confirmed: "same connection" | "fresh connection" | "nothing to do";
}

export interface UninstallOptions {
  /** Others' configuration on the machine is no error: it and vpc6 stay. */
  unlessOccupied?: boolean;
  /** As in Change: nothing is done where it was made anew since. */
  made?: string;
}

/** The stack's own configuration, of which credentials are taken last. */
export interface CredentialConfig {
  sshPrivateKey?: string | undefined;
  sshPrivateKeyPassphrase?: string | undefined;
}
