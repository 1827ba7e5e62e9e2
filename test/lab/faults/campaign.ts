// The campaign: something happens at a random moment of a change, or of a look at the router. Afterwards the router holds the old or the
// new text of every resource, whole; the next run reaches the new state with no hand work; one more finds nothing to do; kernel and
// daemons are just what they are without any fault; and what had nothing to do with the change went on.

import { decode } from "../../../provider/router/payload";
import { mulberry } from "../../random";
import { lab } from "../lab.ts";
import { path } from "../router/vr1";
import { type Driver, LIE, type Run } from "./drivers";
import { type Fault, largeDisk, on } from "./faults";
import { confirmedTexts, difference, leftBehind, look, quiet } from "./look";
import type { Ground, Scene } from "./scenes";
import type { Try } from "./table";
import { type Traffic, traffic } from "./traffic";
import { type Aim, type Stage, Watch } from "./watch";

interface Step {
  from: Scene;
  to: Scene;
  name: "create" | "update" | "delete" | "refresh";
}

/** All there are, in an order in which most begin where the one before has ended. */
export const STEPS: Step[] = [
  { from: "base", to: "base", name: "refresh" },
  { from: "base", to: "more", name: "create" },
  { from: "more", to: "more", name: "refresh" },
  { from: "more", to: "other", name: "update" },
  { from: "other", to: "other", name: "refresh" },
  { from: "other", to: "more", name: "update" },
  { from: "more", to: "base", name: "delete" },
  { from: "other", to: "base", name: "delete" },
];

/** A step without any fault. */
interface Usual {
  /** In milliseconds. */
  took: number;
  stages: Map<Stage, number>;
}

/** How often which fault struck, whoever changed the router. */
const struck = new Map<string, number>();

export class Campaign {
  private scene: Scene = "nothing";
  private readonly usual = new Map<Step, Usual>();
  private readonly looks = new Map<Scene, string>();
  /** What is on the router in each scene, by id. */
  private readonly texts = new Map<Scene, Map<string, string>>();
  /** How often which fault struck, which kind of step was struck, and the one by the other. */
  private readonly tried = new Map<string, number>();
  private readonly random: () => number;
  private readonly driver: Driver;
  private readonly host: Ground["host"];

  private readonly steps: Step[];

  constructor(driver: Driver, seed: number, steps = STEPS) {
    this.driver = driver;
    this.steps = steps;
    this.host = driver.host;
    this.random = mulberry(seed);
  }

  /** Every step once without any fault: how long it takes, and how the router looks then. `ready` waits for those who use it. */
  async rehearse(ready: () => Promise<void>): Promise<void> {
    await this.mustRun("nothing", "base");
    await ready();
    await this.remember("base");
    for (const step of this.steps) {
      if (step.from !== this.scene) await this.mustRun(this.scene, step.from);
      await using watch = new Watch(this.host);
      const began = Date.now();
      const { ok, said } = await (await this.run(step)).ended;
      if (!ok) throw new Error(`without any fault the ${step.name} ${step.from} → ${step.to} fails: ${said}`);
      await watch.stop();
      this.usual.set(step, { took: Date.now() - began, stages: watch.lengths() });
      this.scene = step.to;
      await this.remember(step.to);
    }
  }

  /** What a step takes, for who wants to know. */
  lengths(): string {
    return [...this.usual]
      .map(([{ from, to }, { took, stages }]) => {
        const each = [...stages].map(([stage, ms]) => `${stage} ${Math.round(ms)}`);
        return `${this.driver.name}, ${from} → ${to}: ${took} ms (${each.join(", ")})`;
      })
      .join("\n");
  }

  /** One try: the fault that struck least, at a step that can be had from here; of a kind it struck least, and then any did. */
  async attempt(faults: Fault[]): Promise<Try> {
    const pairs = this.steps
      .filter(({ from, name }) => from === this.scene && (name !== "refresh" || this.texts.get(from)?.size !== 0))
      .flatMap((step) => faults.map((fault) => ({ step, fault, key: `${fault.name} ${step.name}` })))
      .map((pair) => ({ ...pair, order: this.order(pair.fault, pair.step, pair.key) + this.random() }));
    const { step, fault, key } = pairs.reduce((a, b) => (b.order < a.order ? b : a));
    for (const one of [key, fault.name, step.name]) this.tried.set(one, (this.tried.get(one) ?? 0) + 1);
    struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
    const result = await this.strike(fault, step);
    this.scene = step.to;
    return result;
  }

  private order(fault: Fault, step: Step, key: string): number {
    const tried = (what: string) => this.tried.get(what) ?? 0;
    return ((struck.get(fault.name) ?? 0) * 1_000 + tried(fault.name) + tried(key)) * 1_000 + tried(step.name);
  }

  private async strike(fault: Fault, step: Step): Promise<Try> {
    const { from, to, name } = step;
    const trouble: string[] = [];
    const took: Try["took"] = {};
    const timed = async <T>(what: string, doing: Promise<T>): Promise<T> => {
      const began = Date.now();
      return await doing.finally(() => {
        took[what] = Date.now() - began;
      });
    };
    const generation = await on(this.host, "readlink /etc/vpc6/confirmed");
    await fault.prepare?.(this.host);
    await using packets: Traffic = traffic();
    const aim = this.aim(fault, step);
    const began = Date.now();
    const run = await this.run(step);
    await using watch = new Watch(this.host, aim, fault.there);
    const stage = await timed("fault", strikeWith(fault, watch, run, this.host));
    const { ok, said } = await timed("run", run.ended);
    // The machine may be busier than it was, or less.
    if (ok && !fault.interrupts) this.learn(step, { took: Date.now() - began, stages: watch.lengths(Date.now()) });
    if (said.startsWith(LIE)) trouble.push(said);
    if (fault.there) await timed("fault done", watch.done());
    if (fault.mend) await on(this.host, fault.mend);
    const busy = await timed("quiet", quiet(this.host));
    if (busy) trouble.push(busy);
    const left = await this.leftOver(from, to, trouble);
    if (name === "refresh" && generation !== (await on(this.host, "readlink /etc/vpc6/confirmed")))
      trouble.push("a refresh has changed what is confirmed");
    trouble.push(...(await timed("next", this.driver.carryOn(from, to, fault.byHand === true))));
    await largeDisk(this.host);
    await timed("compare", this.compare(to, trouble));
    const { sent, lost, broken } = await packets.stop();
    if (!fault.interrupts && lost > 0) trouble.push(`${lost} of ${sent} unrelated packets were lost`);
    if (!fault.interrupts && broken) trouble.push("an unrelated TCP connection broke");
    return {
      fault: fault.name,
      driver: this.driver.name,
      step: name,
      stage,
      run: ok ? "done" : "error",
      left,
      lost,
      sent,
      took,
      trouble,
    };
  }

  /** Quicker counts for more: the fault may be what made it slow. */
  private learn(step: Step, { took, stages }: Usual): void {
    const known = this.usual.get(step);
    if (!known) return;
    const between = (before: number, now = before) => before + (now - before) * (now < before ? 0.5 : 0.1);
    known.took = between(known.took, took);
    for (const [stage, before] of known.stages) known.stages.set(stage, between(before, stages.get(stage)));
  }

  /** A third of the tries at any moment, the others somewhere in a stage of the change. */
  private aim({ early, here }: Fault, step: Step): Aim {
    const { took, stages } = this.usual.get(step) ?? { took: 1000, stages: new Map() };
    const deadline = took * 1.5;
    const possible = wanted(step, early).filter((stage) => stages.has(stage));
    const stage = possible[Math.floor(this.random() * possible.length)];
    const [any, where] = [this.random() < 1 / 3, this.random()];
    if (any || stage === undefined) return { delay: where * took * (early ? 0.5 : 1), deadline };
    // From outside it takes a while to strike.
    const length = Math.max(0, (stages.get(stage) ?? 0) - (here ? 100 : 0));
    return { stage, delay: where * length, deadline };
  }

  private async run({ from, to, name }: Step): Promise<Run> {
    return name === "refresh" ? await this.driver.refresh(from) : await this.driver.start(from, to);
  }

  /** Back to what always stays, for another driver to begin with. */
  async leave(): Promise<void> {
    await this.mustRun(this.scene, "base");
  }

  private async mustRun(from: Scene, to: Scene): Promise<void> {
    const { ok, said } = await (await this.driver.start(from, to)).ended;
    if (!ok) throw new Error(`without any fault ${from} → ${to} fails: ${said}`);
    this.scene = to;
  }

  private async remember(scene: Scene): Promise<void> {
    if (this.looks.has(scene)) return;
    let [before, now] = ["", await look(this.host)];
    while (now !== before) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      [before, now] = [now, await look(this.host)];
    }
    this.looks.set(scene, now);
    this.texts.set(scene, (await confirmedTexts(this.host)) ?? new Map());
  }

  /** Of every resource that changes: is its old or its new text there, whole? */
  private async leftOver(from: Scene, to: Scene, trouble: string[]): Promise<Try["left"]> {
    const found = await confirmedTexts(this.host);
    if (found === undefined) return "away";
    const [old = new Map(), next = new Map()] = [this.texts.get(from), this.texts.get(to)];
    const sides = new Set<"old" | "new">();
    for (const id of new Set([...old.keys(), ...next.keys()])) {
      const [now, before, after] = [found.get(id), old.get(id), next.get(id)];
      if (before === after && now === before) continue;
      if (now === before) sides.add("old");
      else if (now === after) sides.add("new");
      else trouble.push(`neither the old nor the new text of ${id} is on the router: ${now}`);
    }
    for (const id of found.keys())
      if (!old.has(id) && !next.has(id)) trouble.push(`${id} is on the router and nobody's`);
    return sides.size === 2 ? "both" : ([...sides][0] ?? "old");
  }

  /** Kernel and daemons, compared with how they are without any fault; and the router's own comparison. */
  private async compare(scene: Scene, trouble: string[]): Promise<void> {
    const wanted = this.looks.get(scene) ?? "";
    let now = await look(this.host);
    // Sessions and checks come back in their own time.
    for (let tries = 0; now !== wanted && tries < 40; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      now = await look(this.host);
    }
    if (now !== wanted) trouble.push(`the router is not as it should be:\n${difference(wanted, now)}`);
    const { code, stdout } = await lab.exec(this.host, `${path} observe`, { check: false });
    if (code !== 0) trouble.push(`the router cannot be looked at: ${stdout}`);
    else
      for (const [id, all] of decode(stdout).drift)
        trouble.push(`drift on ${id}: ${all.map(({ text }) => text).join("; ")}`);
    const left = await leftBehind(this.host);
    if (left !== "") trouble.push(`what holds secrets was left behind: ${left}`);
  }
}

/** The wait for a confirmation is short, and the worst of all moments. */
function wanted({ name }: Step, early = false): Stage[] {
  if (name === "refresh") return ["look"];
  return early ? ["checks"] : ["checks", "switch", "switch", "confirmation", "confirmation", "confirmation"];
}

/** Waits for the moment, and says in which stage it was. */
async function strikeWith(fault: Fault, watch: Watch, run: Run, host: Ground["host"]): Promise<Stage> {
  await watch.struck();
  if (!fault.here) return watch.stageAt();
  const striking = fault.here(run, host);
  const at = Date.now();
  await striking;
  // A host that falls takes the watch with it.
  return watch.stageAt(fault.interrupts ? Number.POSITIVE_INFINITY : at);
}
