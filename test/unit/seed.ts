// Random inputs are the same in every `make test`: what new ones find is for `make test-fuzz` (VPC6_FUZZ), the long form of the
// tests. A failure prints its seed, and VPC6_FUZZ_SEED takes it again.

import fc from "fast-check";

const { VPC6_FUZZ, VPC6_FUZZ_SEED } = process.env;
export const seed = Number(VPC6_FUZZ_SEED ?? (VPC6_FUZZ === undefined ? 6 : Math.floor(Math.random() * 2 ** 31)));
fc.configureGlobal({ seed });
/** So many of something, ten thousand inputs or a million claims: of the short form a fraction. */
export const many = (long: number, fraction: number): number => (VPC6_FUZZ === undefined ? long / fraction : long);
