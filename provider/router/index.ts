/**
 * Routers, as the rest of the provider sees them: say what should be there (`converge`), ask what is there (`observe`), leave
 * a router as it was found (`uninstall`). Everything that touches the world is in this folder; ssh2 is loaded on first use.
 */

import { summary } from "./failures";
import { Lane } from "./lane";
import { Present } from "./present";
import type { Change, Observation, Report, RouterAddress, UninstallOptions } from "./types";

export { setCredentials } from "./credentials";
export { RouterError } from "./error";
export { tell } from "./failures";
export { installSignalHandling, isWhole } from "./process";
export { onProgress, setHolder } from "./session";
export type {
  Change,
  Difference,
  Hop,
  Observation,
  Report,
  RouterAddress,
} from "./types";

const lanes = new Map<string, Lane>();
const presents = new Map<string, Present>();

/** Tells that `id` stays on the router as it is. False: it is not so there, as it stands back for one that has asked since. */
export function stays(router: RouterAddress, id: string): boolean {
  const present = presentAt(router);
  if (present.standsBack(id)) return false;
  present.enter(id);
  return true;
}

/** Makes the router carry `change`, in one transaction with all that arrives for it meanwhile. */
export async function converge(router: RouterAddress, change: Change): Promise<Report> {
  return await lane(router).converge(change);
}

/**
 * What is confirmed on the router, and what is not so. Concurrent callers share one round trip; `recent` shares that of who asked a
 * moment ago, too. Empty where vpc6 never was.
 */
export async function observe(router: RouterAddress, options: { recent?: boolean } = {}): Promise<Observation> {
  return await lane(router).observe(options);
}

/**
 * Leaves the router as it was found, when nothing but `id` is on it; an error, or no news (`unlessOccupied`), when there is more. False:
 * nothing was done, as there was more, or as another Router has taken the place of `id`.
 */
export async function uninstall(router: RouterAddress, id: string, options: UninstallOptions = {}): Promise<boolean> {
  return await lane(router).uninstall(id, options);
}

/** Which routers failed, and why, where there is more than one error to say it. */
export function failed(): string | undefined {
  return summary(lanes.size);
}

/** A refresh asked for `id`: it is in the state. */
export function read(router: RouterAddress, id: string): void {
  presentAt(router).read(id);
}

/** What was there when the refresh of this run looked. */
export function* looks(): Iterable<{ router: RouterAddress; seen: Observation }> {
  for (const { router, last } of lanes.values()) if (last) yield { router, seen: last };
}

/** Has this run heard of `id`, on whichever router? */
export const isKnown = (id: string): boolean => [...presents.values()].some((present) => present.isKnown(id));

/** Closes what is open, for who has nothing more to ask. */
export function disconnect(): void {
  for (const open of lanes.values()) open.close();
  lanes.clear();
  presents.clear();
}

const keyOf = (router: RouterAddress): string =>
  [router, ...(router.proxy ? [router.proxy] : [])]
    .map(({ user, host, port, hostKey }) => `${user}@${host}:${port} ${hostKey}`)
    .join(" via ");

function lane(router: RouterAddress): Lane {
  return found(lanes, keyOf(router), () => new Lane(router, presentAt(router)));
}

const presentAt = (router: RouterAddress): Present => found(presents, keyOf(router), () => new Present());

function found<T>(all: Map<string, T>, key: string, make: () => T): T {
  const known = all.get(key) ?? make();
  all.set(key, known);
  return known;
}
