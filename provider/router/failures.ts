/**
 * What went wrong in this run, router by router. The first resource that meets an error is told all of it, further ones in one line
 * that names the first; and at the end there is a list of the routers, as nobody reads a thousand errors.
 */

import { excerpt, type RouterError, where } from "./error";
import { stopping } from "./process";

interface Failure {
  error: RouterError;
  /** Who was told all of it. */
  label: string;
  others: Set<string>;
}

const failures = new Map<string, Failure>();

/** The text for the resource `label`. */
export function tell(error: RouterError, label: string): string {
  // Whoever interrupts a run knows why the rest of it was not done.
  if (stopping()) return error.message;
  const known = failures.get(error.message);
  if (!known) failures.set(error.message, { error, label, others: new Set() });
  if (!known || known.label === label) return error.message;
  known.others.add(label);
  return `${where(error.router)}: ${error.trouble.what} (see ${known.label})`;
}

/** A line for each router and error; undefined when the errors themselves are as short. `asked`: routers in this run. */
export function summary(asked: number, lines = 100): string | undefined {
  const all = [...failures.values()];
  if (all.length < 2 && all.every(({ others }) => others.size === 0)) return undefined;
  const routers = new Set(all.map(({ error }) => where(error.router))).size;
  const line = ({ error: { router, trouble }, label, others }: Failure) => {
    const [why = ""] = excerpt(trouble.why ?? "");
    const whom = others.size > 0 ? `${label} and ${others.size} more` : label;
    return `  ${where(router)}: ${trouble.what}${why && `: ${why.slice(0, 160)}`} (${whom})`;
  };
  const shown = all.slice(0, lines).map(line);
  if (all.length > lines) shown.push(`  … and ${all.length - lines} more`);
  const head = `${routers} of ${asked} ${asked === 1 ? "router" : "routers"} failed:`;
  return [head, ...shown].join("\n");
}

/** @internal Forgets everything; for tests. */
export function forget(): void {
  failures.clear();
}
