// Which lab a test file has. Files at work at the same time have one each: the first of vitest's workers that of VPC6_LAB (lab 0 when
// that is not set), the next ones those with the numbers behind it. As a setup file this says so to all that the worker starts.

/**
 * How many workers there are. A file waits for much of its time, so that three of them keep two cores busy. Whoever names a lab has that
 * one and no other, unless VPC6_LABS says how many.
 */
export const WORKERS = Number(process.env.VPC6_LABS ?? (process.env.VPC6_LAB ? 1 : 3));

const first = Number(process.env.VPC6_LAB_OF_FIRST_WORKER ?? process.env.VPC6_LAB ?? 0);
const lab = (worker: number): string => String(first + worker - 1 || "");

/** What VPC6_LAB is for each worker. */
export const labs = Array.from({ length: WORKERS }, (_, index) => lab(index + 1));

/** Of the routers one is Debian 13. All of them are with VPC6_LAB_ROUTERS=trixie. */
export const ROUTERS = process.env.VPC6_LAB_ROUTERS ?? "vr2:trixie";

const { VITEST_POOL_ID: worker } = process.env;
if (worker !== undefined) {
  Object.assign(process.env, {
    VPC6_LAB_OF_FIRST_WORKER: String(first),
    VPC6_LAB: lab(Number(worker)),
    VPC6_LAB_ROUTERS: ROUTERS,
  });
  // Installing packages takes longer than many a test file: `lab.bare()` is for those that are about that.
  process.env.VPC6_LAB_EQUIPPED ??= "yes";
}
