/**
 * One router's queue. Changes that arrive together, and all that arrive while a transaction is under way, go in one
 * transaction; when that is refused it is taken apart until it is known whose change is at fault, and the others go through.
 */

import type { Verdict } from "../contract";
import { RouterError } from "./error";
import { encode } from "./payload";
import type { Present } from "./present";
import { begin, stopping } from "./process";
import { Refusal, Session } from "./session";
import type { Change, Observation, Report, RouterAddress, UninstallOptions } from "./types";

export const gather = {
  /**
   * How long changes wait for company, in ms, each time anew as one comes: siblings come one after another through the engine's
   * serial check. After a slow transaction longer, as the machine is, or has much to do: this part of what it took.
   */
  wait: 25,
  part: 1 / 8,
  /** But in all never longer than this, or than a transaction takes. */
  most: 250,
  /** After a router proved unreachable, changes for it fail at once for this long; twice as long each time it does again. */
  unreachable: 10_000,
  /** So long after the last who asked, what was seen is told to the next: the engine refreshes a few resources at a time. */
  seen: 2_000,
};

interface Item {
  change: Change;
  resolve: (report: Report) => void;
  reject: (error: unknown) => void;
}

/** What cannot share a transaction. */
interface Solo {
  run: () => Promise<void>;
}

export class Lane {
  readonly router: RouterAddress;
  private readonly session: Session;
  private queue: (Item | Solo)[] = [];
  private running = false;
  private came = () => {};
  private observing: Promise<Observation> | undefined;
  private underWay: Promise<Observation> | undefined;
  private seen: { what: Observation; until: number } | undefined;
  /** What was there when a refresh looked last. */
  last: Observation | undefined;
  private down: { error: RouterError; until: number } | undefined;
  private failures = 0;
  private readonly present: Present;

  constructor(router: RouterAddress, present: Present) {
    this.router = router;
    this.present = present;
    this.session = new Session(router);
  }

  async converge(change: Change): Promise<Report> {
    // A change that cannot even be written down is nobody else's trouble.
    encode([change], "", "check");
    return await this.wait((resolve, reject) => this.enqueue({ change, resolve, reject }));
  }

  uninstall(id: string, { unlessOccupied = false, made }: UninstallOptions = {}): Promise<boolean> {
    const fine = (error: unknown) => unlessOccupied && error instanceof Refusal && error.answer.verdict === "occupied";
    return this.wait<boolean>((resolve, reject) =>
      this.enqueue({
        run: () =>
          this.reach(() => this.session.uninstall(id, made)).then(resolve, (error) =>
            fine(error) ? resolve(false) : reject(this.verdict(error, `router ${id}`)),
          ),
      }),
    );
  }

  /** `recent`: what is being seen, or was a moment ago, for another resource of the same run, will do unless something was changed since. */
  observe({ recent = false } = {}): Promise<Observation> {
    if (recent && this.underWay) return this.underWay;
    if (recent && this.seen && performance.now() < this.seen.until) {
      this.seen.until = performance.now() + gather.seen;
      return Promise.resolve(this.seen.what);
    }
    // Between transactions, not beside one: what is said is then true for all who asked before.
    this.observing ??= this.wait<Observation>((resolve, reject) =>
      this.enqueue({
        run: () => {
          this.underWay = this.observing;
          this.observing = undefined;
          return this.reach(() => this.session.observe())
            .then(
              (what) => {
                this.seen = { what, until: performance.now() + gather.seen };
                this.last = what;
                resolve(what);
              },
              (error) => reject(this.verdict(error, "looking at what is there")),
            )
            .finally(() => {
              this.underWay = undefined;
            });
        },
      }),
    );
    return this.observing;
  }

  close(): void {
    this.session.close();
  }

  private wait<T>(start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    const end = begin();
    return new Promise<T>(start).finally(end);
  }

  private enqueue(entry: Item | Solo): void {
    this.queue.push(entry);
    this.came();
    if (this.running) return;
    this.running = true;
    void this.drain();
  }

  private async drain(): Promise<void> {
    let answered = Number.POSITIVE_INFINITY;
    let took = 0;
    while (true) {
      if (answered > 1) await this.company(answered, took);
      if (this.queue.length === 0) break;
      const next = this.take();
      this.seen = undefined;
      const began = performance.now();
      if (Array.isArray(next)) await this.settle(next);
      else await next.run();
      took = performance.now() - began;
      answered = Array.isArray(next) ? next.length : 0;
    }
    this.running = false;
  }

  /**
   * Waits until as many changes have come as were answered, or none comes any more. The engine has so many hooks under way, and calls
   * another for each that is answered: who did not wait would have two thirds of them in one transaction and one third in the next,
   * by turns, and each costs the router as much as one with all.
   */
  private company(answered: number, took: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.came = () => {};
        clearTimeout(quiet);
        clearTimeout(end);
        resolve();
      };
      let left = answered;
      const quiet = setTimeout(done, Math.max(gather.wait, took * gather.part));
      const end = setTimeout(done, Math.max(gather.most, took));
      this.came = () => {
        if (--left > 0) quiet.refresh();
        else done();
      };
    });
  }

  /** All changes up to the first solo, or up to a second one of the same resource. */
  private take(): Item[] | Solo {
    const batch: Item[] = [];
    const ids = new Set<string>();
    for (const entry of this.queue) {
      if ("run" in entry || ids.has(entry.change.id)) break;
      ids.add(entry.change.id);
      batch.push(entry);
    }
    const solo = this.queue[0];
    this.queue = this.queue.slice(batch.length || 1);
    return batch.length === 0 && solo && "run" in solo ? solo : batch;
  }

  /** Gives every item of a batch its own verdict. */
  private async settle(batch: Item[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      const report = await this.reach(() => this.converged(batch.map(({ change }) => change)));
      for (const { resolve } of batch) resolve(report);
    } catch (error) {
      if (batch.length === 1 || !(error instanceof Refusal) || !divisible(error)) {
        for (const { change, reject } of batch) reject(this.verdict(error, change.label));
        return;
      }
      const blamed = batch.filter(({ change }) => change.id === error.answer.id);
      const half = batch.length >> 1;
      const [first, second] =
        blamed.length === 1
          ? [batch.filter(({ change }) => change.id !== error.answer.id), blamed]
          : [batch.slice(0, half), batch.slice(half)];
      await this.settle(first);
      await this.settle(second);
    }
  }

  /** Who has what they ask for, and is no longer to have it, stands back. */
  private async converged(changes: readonly Change[]): Promise<Report> {
    const yields: string[] = [];
    while (true) {
      try {
        const report = await this.session.converge(changes, yields);
        for (const { id, fragments } of changes) {
          if (fragments) this.present.enter(id);
          else this.present.leave(id);
        }
        this.present.stoodBack(yields);
        return report;
      } catch (error) {
        if (!(error instanceof Refusal) || error.answer.verdict !== ("rivals" satisfies Verdict)) throw error;
        const more = error.answer.yields.map(({ id }) => id).filter((id) => !yields.includes(id));
        if (more.length === 0 || !more.every((id) => this.present.mayStandBack(id))) throw error;
        yields.push(...more);
      }
    }
  }

  private async reach<T>(action: () => Promise<T>): Promise<T> {
    if (stopping()) throw this.error("interrupted before anything was done", "", "", false);
    if (this.down && Date.now() < this.down.until) throw this.down.error;
    this.down = undefined;
    try {
      const done = await action();
      this.failures = 0;
      return done;
    } catch (error) {
      // A connection that cannot be had now cannot be had by the next one either.
      if (error instanceof RouterError && !error.touched) {
        this.down = { error, until: Date.now() + gather.unreachable * 2 ** this.failures++ };
      }
      throw error;
    }
  }

  /** A refusal, in the words for the resource it concerns. */
  private verdict(error: unknown, label: string): unknown {
    if (!(error instanceof Refusal)) return error;
    const { answer } = error;
    const { verdict, service, id, why, touched, words } = answer;
    const whose = service ? `${service} of ${label}` : label;
    const other = id ? `In the fragment of ${id}.` : "";
    switch (verdict) {
      case "rivals" satisfies Verdict:
        return this.error(
          `${whose} was refused; nothing was changed`,
          why,
          answer.yields
            .map(
              ({ id, to }) =>
                `${id} is in the program too, and asks for the same as ${to}: only one of both can have it.`,
            )
            .join("\n"),
          touched,
        );
      case "refused" satisfies Verdict:
        return this.error(`${whose} was refused; nothing was changed`, why, other, touched);
      case "failed" satisfies Verdict:
        return touched
          ? this.error(
              `${whose} failed, and not everything could be put back`,
              why,
              "Look at the router, then run again.",
              true,
            )
          : this.error(`${whose} failed; everything was put back`, why, other, false);
      case "cut off":
        return this.error(
          `${label} would cut off SSH`,
          why,
          touched
            ? "Look at the router from its console."
            : "Check the interface and firewall by which this machine reaches the router.",
          touched,
        );
      case "later" satisfies Verdict:
        return this.error(
          "a later vpc6 has set it up; nothing was changed",
          why,
          "Update the package vpc6 in this project.",
          touched,
        );
      case "full" satisfies Verdict:
        return this.error(
          "no room for the new configuration; nothing was changed",
          why,
          "Make room on its disk.",
          touched,
        );
      case "incomplete" satisfies Verdict:
        return this.error(
          "what was sent did not arrive whole; nothing was changed",
          why,
          "Is its disk or /run full?",
          touched,
        );
      case "busy" satisfies Verdict:
        return this.error("another transaction is at work", why, "Wait for it, then run again.", touched);
      case "unusable" satisfies Verdict:
        return this.error("it lacks what vpc6 needs", why, "", touched);
      case "occupied" satisfies Verdict:
        return this.error(
          "other resources still have configuration on it",
          why,
          "Destroy them first, in their own stacks. What is of this stack and in no state any more: `npx vpc6 orphans` (docs/previews.md).",
          touched,
        );
      default:
        return this.error(`an answer that is not understood: ${[verdict, ...words].join(" ")}`, why, "", touched);
    }
  }

  private error(what: string, why: string, remedy: string, touched: boolean): RouterError {
    return new RouterError(this.router, { what, why, remedy, touched });
  }
}

/** Could a part of it go through? */
function divisible({ answer }: Refusal): boolean {
  return (
    answer.verdict === "refused" ||
    answer.verdict === "rivals" ||
    (answer.verdict === "failed" && !answer.touched) ||
    (answer.verdict === "cut off" && !answer.touched)
  );
}
