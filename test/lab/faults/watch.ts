// When a fault strikes: at a moment of the clock, or in a stage of the change that the router itself is seen to be in; and, afterwards,
// in which stage it did.

import { readFileSync } from "node:fs";
import { type Background, lab } from "../lab.ts";
import type { Ground } from "./scenes";

/** `before`: being made or on its way; `look`: a refresh compares; `after`: confirmed, or put back. */
export type Stage = "before" | "checks" | "switch" | "confirmation" | "look" | "after";

export interface Aim {
  /** From when on `delay` counts: from the start if there is none. */
  stage?: Stage;
  /** In milliseconds. */
  delay: number;
  /** When it strikes at the latest, in milliseconds after the start. */
  deadline: number;
}

const script = readFileSync(new URL("watch.pl", import.meta.url), "utf8");
const NEVER = { delay: 1e9, deadline: 1e9 };

export class Watch implements AsyncDisposable {
  private readonly work: Background;

  /** `command` is what strikes; without one, who asked does when `struck` is over. */
  constructor(host: Ground["host"], { stage, delay, deadline }: Aim = NEVER, command = "") {
    const times = [delay, deadline].map((ms) => String(ms / 1000));
    this.work = lab.background(host, ["perl", "-e", script, stage ?? "-", ...times, command]);
  }

  async struck(): Promise<void> {
    await this.until(/ struck$/m);
  }

  /** What strikes has done so. */
  async done(): Promise<void> {
    await this.until(/^done$/m);
  }

  /** In which stage the change was at a time, or when the watch began; of a host that fell, when it fell. */
  stageAt(time = this.time("struck")): Stage {
    const seen = this.stages().filter(({ at }) => at <= time);
    return (seen.at(-1) ?? this.stages()[0])?.stage ?? "before";
  }

  /** How long each stage was seen, in milliseconds, until a time. */
  lengths(until = Number.POSITIVE_INFINITY): Map<Stage, number> {
    const found = new Map<Stage, number>();
    const all = this.stages().filter(({ at }) => at <= until);
    for (const [index, { at, stage }] of all.entries()) {
      const next = all[index + 1];
      if (next) found.set(stage, (found.get(stage) ?? 0) + (next.at - at));
    }
    return found;
  }

  async stop(): Promise<void> {
    await this.work.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private stages(): { at: number; stage: Stage }[] {
    return this.lines().filter((it): it is { at: number; stage: Stage } => it.stage !== "struck");
  }

  private time(what: string): number {
    return this.lines().find(({ stage }) => stage === what)?.at ?? Number.POSITIVE_INFINITY;
  }

  private lines(): { at: number; stage: string }[] {
    return [...this.work.stdout.matchAll(/^(\d+\.\d+) (\w+)$/gm)].map(([, at, stage = ""]) => ({
      at: Number(at) * 1000,
      stage,
    }));
  }

  private async until(line: RegExp): Promise<void> {
    const over = this.work.ended.then(({ stderr }) => {
      throw new Error(`the watch on the router ended before its time: ${stderr}`);
    });
    over.catch(() => {});
    while (!line.test(this.work.stdout)) await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 3))]);
  }
}
