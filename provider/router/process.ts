/**
 * The end of the provider process. SIGINT is how every run of the engine ends: exit at once when idle; when busy start nothing
 * new and finish within 4 s, as the engine kills after 5. What is cut short on a router finishes or undoes itself there.
 */

import { readFileSync } from "node:fs";

let busy = 0;
let stop = false;
let installed = false;

/** What is under way from now until the returned function is called. */
export function begin(): () => void {
  busy++;
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    busy--;
    // One turn later, so that the answer of the hook that has just ended gets out.
    if (stop && busy === 0) setTimeout(() => process.exit(0), 50);
  };
}

/** True once nothing new should be started. */
export function stopping(): boolean {
  return stop;
}

/**
 * Only in a provider process: any other host of the hooks has its own ideas about signals. `farewell` may have something to say when
 * the run is over: it gets a second for it.
 */
export function installSignalHandling(
  farewell: () => Promise<void> | undefined = () => undefined,
  host: string | undefined = process.argv[1],
): void {
  if (installed || !/[\\/]dynamic-provider([\\/]index(\.m?js)?)?$/.test(host ?? "")) return;
  installed = true;
  const leave = () => {
    const last = farewell();
    if (!last) process.exit(0);
    void last.catch(() => {}).then(() => process.exit(0));
    setTimeout(() => process.exit(0), 1_000);
  };
  const end = () => {
    if (busy === 0) return leave();
    stop = true;
    setTimeout(() => process.exit(0), 4_000).unref();
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);

  // `kill -9` of the engine leaves the provider behind, with nobody to tell it.
  const engine = ancestors();
  setInterval(() => {
    if (busy === 0 && ancestors() !== engine) process.exit(0);
  }, 1_000).unref();
}

/**
 * Is this run about all of the state, as far as the command line of the engine says? One that cannot be read says nothing: then it is not
 * known to be.
 */
export function isWhole(): boolean {
  const [parent = "", grandparent = parent] = ancestors().split(" ");
  try {
    const words = readFileSync(`/proc/${grandparent}/cmdline`, "utf8").split("\0");
    return words.length > 1 && !words.some((it) => /^(-t|--target|--exclude|-x)/.test(it));
  } catch {
    return false;
  }
}

/**
 * The parent; and where that is the SDK's shell script, which outlives the engine as an orphan itself, also the script's
 * parent. Without /proc the script's parent stays unknown.
 */
function ancestors(): string {
  const { ppid } = process;
  try {
    if (!readFileSync(`/proc/${ppid}/cmdline`, "utf8").includes("pulumi-resource-pulumi-nodejs")) return String(ppid);
    const [, grandparent = ""] = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${ppid}/status`, "utf8")) ?? [];
    return `${ppid} ${grandparent}`;
  } catch {
    return String(ppid);
  }
}
