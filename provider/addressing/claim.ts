// What a name asks of its parent's pools: what `allocate` is given, and the rules and the words of a refusal both read.

export interface Claim {
  readonly kind: string;
  readonly name: string;
  /** Former names, the latest first. */
  readonly was: readonly string[];
  /** An explicit prefix, address or number. */
  readonly value?: string;
  /** Of a prefix, where it is not the pool's own. What is held grows for it if it can where it is, and never moves. */
  readonly length?: number;
}
/** By name, in sorted order. */
export type Claims = ReadonlyMap<string, Claim>;
