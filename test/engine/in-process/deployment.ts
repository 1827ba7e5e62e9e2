// What the engine does with a program's resources: check and diff one after another, then create, update and replace at the same
// time, delete at last what the program has no more. Of its options those that the tests need; others are refused, not ignored.

import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Job, Resource } from "./job.ts";
import { HookError, provider } from "./provider.ts";
import type { Report } from "./report.ts";
import { Turns } from "./turns.ts";
import {
  holdsUnknowns,
  isSecret,
  type Properties,
  revealed,
  same,
  secret,
  secretAs,
  UNKNOWN,
  withSecret,
} from "./values.ts";

/** What a program's resource is to be, as the SDK registers it. */
export interface Goal {
  type: string;
  name: string;
  custom: boolean;
  parent: string;
  inputs: Properties;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  aliases: Alias[];
  protect: boolean;
  ignoreChanges: string[];
  additionalSecretOutputs: string[];
}

export type Alias = { urn: string } | { name: string; type: string; parent: string | undefined };

type Operation = "create" | "update" | "replace" | "same";

const STACK = "pulumi:pulumi:Stack";
export const REFERENCE = "pulumi:pulumi:StackReference";
/** The providers' own resources. */
const PROVIDERS = "pulumi:providers:";

/** The first failure ends the run, as the engine does: what runs is finished, nothing else is begun. */
export class Stopped extends Error {}

export class Deployment {
  /** Those the program has registered so far, in the order in which they were done. */
  readonly #done: Resource[] = [];
  readonly #old = new Map<string, Resource>();
  /** New URNs → old ones. */
  readonly #renamed = new Map<string, string>();
  readonly #gone = new Set<Resource>();
  readonly #job: Job;
  readonly #report: Report;
  /** Checks and diffs come one after another, and only as far ahead as there are free hands. */
  readonly #turn = new Turns(1);
  readonly #hands: Turns;
  readonly #registered = new Set<string>();
  #stopped = false;

  constructor(job: Job, resources: Resource[], report: Report) {
    this.#job = job;
    this.#report = report;
    const parallel = job.flags.find((flag) => flag.startsWith("--parallel="))?.split("=")[1];
    this.#hands = new Turns(Number(parallel ?? 4 * availableParallelism()));
    for (const one of resources) this.#old.set(one.urn, one);
  }

  /** The state as it would be written now: what is done, and of the rest what was there before. A failed run has no outputs. */
  resources({ failed = false } = {}): Resource[] {
    const replaced = new Set(this.#done.map(({ urn }) => this.#renamed.get(urn) ?? urn));
    const rest = [...this.#old.values()].filter((one) => !replaced.has(one.urn) && !this.#gone.has(one));
    const done = this.#done.map((one) =>
      failed && one.type === STACK ? { ...one, outputs: this.#old.get(one.urn)?.outputs ?? {} } : one,
    );
    return [...done, ...rest];
  }

  get #preview(): boolean {
    return this.#job.what === "preview";
  }

  // ---- registering ----

  async register(goal: Goal): Promise<Resource> {
    const urn = this.#urn(goal.parent, goal.type, goal.name);
    await this.#turn.take();
    let release = () => this.#turn.give();
    try {
      this.#going();
      if (this.#registered.has(urn))
        throw this.#fail(urn, `Duplicate resource URN '${urn}'; try giving it a unique name`);
      this.#registered.add(urn);
      const old = this.#find(urn, goal);
      if (!goal.custom) return this.#component(urn, goal, old);
      this.#default(goal.type);
      const inputs = await this.#check(urn, goal, old);
      const fresh = this.#resource(urn, goal, inputs);
      const operation = await this.#compare(fresh, old);
      if (operation === "replace") fresh.inputs = await this.#check(urn, goal, undefined);
      await this.#hands.take();
      this.#turn.give();
      release = () => this.#hands.give();
      this.#going();
      const outcome = await this.#apply(operation, fresh, old, goal);
      this.#done.push(outcome);
      this.#report.step(operation, outcome, old);
      return outcome;
    } finally {
      release();
    }
  }

  /** The outputs of another stack, as its last run has left them; nothing of it is this stack's. */
  async read(goal: Goal, id: string): Promise<Resource> {
    const urn = this.#urn(goal.parent, goal.type, goal.name);
    await this.#turn.take();
    try {
      this.#going();
      this.#default(goal.type);
      const found = { ...this.#resource(urn, goal, goal.inputs), id, external: true, outputs: this.#another(urn, id) };
      this.#done.push(found);
      return found;
    } finally {
      this.#turn.give();
    }
  }

  #another(urn: string, name: string): Properties {
    const state = this.#job.stacks[name];
    if (!state) throw this.#fail(urn, `unknown stack "${name}"`);
    const resources: Resource[] = existsSync(state) ? JSON.parse(readFileSync(state, "utf8")) : [];
    const outputs = resources.find(({ type }) => type === STACK)?.outputs ?? {};
    const secrets = Object.keys(outputs).filter((key) => isSecret(outputs[key]));
    return { name, outputs, secretOutputNames: secrets };
  }

  setOutputs(urn: string, outputs: Properties): void {
    const found = this.#done.find((one) => one.urn === urn);
    if (!found) throw new Error(`in-process engine: outputs of ${urn}, which nobody has registered`);
    found.outputs = outputs;
  }

  #component(urn: string, goal: Goal, old: Resource | undefined): Resource {
    const fresh = { ...this.#resource(urn, goal, goal.inputs), outputs: old?.outputs ?? {} };
    this.#done.push(fresh);
    this.#report.step(old ? (same(old.inputs, fresh.inputs) ? "same" : "update") : "create", fresh, old);
    return fresh;
  }

  #resource(urn: string, goal: Goal, inputs: Properties): Resource {
    return {
      urn,
      type: goal.type,
      custom: goal.custom,
      inputs,
      outputs: {},
      ...(goal.parent && { parent: goal.parent }),
      ...(goal.dependencies.length > 0 && { dependencies: goal.dependencies }),
      ...(Object.keys(goal.propertyDependencies).length > 0 && { propertyDependencies: goal.propertyDependencies }),
      ...(goal.custom && { provider: `${this.#provider(goal.type)}::${PROVIDER_ID}` }),
      ...(goal.additionalSecretOutputs.length > 0 && { additionalSecretOutputs: goal.additionalSecretOutputs }),
      ...(goal.protect && { protect: true }),
    };
  }

  async #check(urn: string, goal: Goal, old: Resource | undefined): Promise<Properties> {
    if (goal.ignoreChanges.length > 0) throw this.#fail(urn, "in-process engine: no ignoreChanges");
    const known = old && !old.pendingReplacement ? revealed(old.inputs) : {};
    const { inputs, failures } = await this.#hook(urn, () => provider.check(known, revealed(goal.inputs)));
    for (const { property, reason } of failures) {
      if (property !== "") throw this.#fail(urn, "in-process engine: no failures of a property");
      this.#report.error(urn, `${goal.type} resource '${goal.name}' has a problem: ${reason}`);
    }
    if (failures.length > 0) throw this.#stop(urn);
    if (!this.#preview && holdsUnknowns(inputs)) throw this.#fail(urn, `unknown inputs of ${urn} in an update`);
    return secretAs(goal.inputs, inputs);
  }

  async #compare(fresh: Resource, old: Resource | undefined): Promise<Operation> {
    if (!old || old.pendingReplacement) return "create";
    const { changes, replaces, deleteBeforeReplace } = await this.#hook(fresh.urn, () =>
      provider.diff(old.id ?? "", revealed(old.outputs), revealed(fresh.inputs)),
    );
    if (replaces.length > 0) {
      if (!deleteBeforeReplace) throw this.#fail(fresh.urn, "in-process engine: no replacement before the deletion");
      if (old.protect) throw this.#fail(fresh.urn, `resource "${fresh.urn}" cannot be replaced: it is protected`);
      await this.#noneGoesAlong(old);
      return "replace";
    }
    return changes || (old.initErrors?.length ?? 0) > 0 ? "update" : "same";
  }

  /** Those whose own diff, with what they take from the replaced one unknown, wants a replacement would be deleted before it. */
  async #noneGoesAlong(replaced: Resource): Promise<void> {
    for (const one of this.#old.values()) {
      const taken = Object.entries(one.propertyDependencies ?? {}).filter(([, urns]) => urns.includes(replaced.urn));
      if (taken.length === 0 || !one.custom || this.#gone.has(one)) continue;
      const unknown = Object.fromEntries(taken.map(([key]) => [key, UNKNOWN]));
      const given = { ...revealed(one.inputs), ...unknown };
      const { replaces } = await this.#hook(one.urn, () => provider.diff(one.id ?? "", revealed(one.outputs), given));
      if (replaces.length > 0)
        throw this.#fail(one.urn, "in-process engine: no replacement together with another one's");
    }
  }

  // ---- applying ----

  async #apply(operation: Operation, fresh: Resource, old: Resource | undefined, goal: Goal): Promise<Resource> {
    const outputs = (answered: Properties) =>
      withSecret(goal.additionalSecretOutputs, secretAs(fresh.inputs, answered));
    if (operation === "same" && old) return { ...fresh, id: old.id ?? "", outputs: old.outputs };
    if (this.#preview) return { ...fresh, id: operation === "update" ? (old?.id ?? "") : "", outputs: fresh.inputs };
    if (operation === "update" && old) {
      const id = old.id ?? "";
      try {
        const answered = await provider.update(id, revealed(old.outputs), revealed(fresh.inputs));
        return { ...fresh, id, outputs: outputs(answered) };
      } catch (error) {
        // Half done: what was given is not what is there, and the next run goes on from the old inputs.
        throw this.#broken(fresh.urn, error, (left) => ({
          ...fresh,
          id: left.id,
          inputs: old.inputs,
          outputs: outputs(left.properties),
          initErrors: left.reasons,
        }));
      }
    }
    if (operation === "replace" && old) {
      await this.#hook(old.urn, () => provider.delete(old.id ?? "", revealed(old.outputs)));
      this.#old.set(old.urn, { ...old, pendingReplacement: true });
      this.#going();
    }
    try {
      const made = await provider.create(revealed(fresh.inputs));
      return { ...fresh, id: made.id, outputs: outputs(made.outputs) };
    } catch (error) {
      throw this.#broken(fresh.urn, error, (left) => ({
        ...fresh,
        id: left.id,
        outputs: outputs(left.properties),
        initErrors: left.reasons,
      }));
    }
  }

  #broken(urn: string, error: unknown, keep: (left: NonNullable<HookError["left"]>) => Resource): Stopped {
    if (!(error instanceof HookError)) return this.#fail(urn, String(error));
    if (!error.left) return this.#fail(urn, error.message);
    const { reasons } = error.left;
    this.#done.push(keep(error.left));
    const many = `${reasons.length} error${reasons.length === 1 ? "" : "s"} occurred:`;
    return this.#fail(urn, `${many}\n${reasons.map((reason) => `\t* ${reason}`).join("\n")}`);
  }

  // ---- deleting ----

  /** What the program has no more. Only after a program that has said all it had to say. */
  async finish(): Promise<void> {
    this.#going();
    const kept = new Set(this.#done.map(({ urn }) => this.#renamed.get(urn) ?? urn));
    await this.#delete([...this.#old.values()].filter(({ urn }) => !kept.has(urn)));
  }

  async destroy(): Promise<void> {
    await this.#delete([...this.#old.values()]);
  }

  /** Together all on which nothing depends that is still to go, then the next. */
  async #delete(doomed: Resource[]): Promise<void> {
    for (const { urn, protect } of doomed) {
      if (protect) throw this.#fail(urn, `resource "${urn}" cannot be deleted because it is protected`);
    }
    const left = new Set(doomed);
    while (left.size > 0) {
      const needed = new Set([...left].flatMap(needs));
      const now = [...left].filter(({ urn }) => !needed.has(urn));
      if (now.length === 0) throw new Error("in-process engine: resources that depend on each other");
      const ended = await Promise.allSettled(now.map((one) => this.#deleteOne(one)));
      for (const one of ended) if (one.status === "rejected") throw one.reason;
      for (const one of now) left.delete(one);
    }
  }

  async #deleteOne(one: Resource): Promise<void> {
    await this.#hands.take();
    try {
      this.#going();
      if (!this.#preview && one.custom && this.#counts(one) && !one.pendingReplacement) {
        await this.#hook(one.urn, () => provider.delete(one.id ?? "", revealed(one.outputs)));
      }
      this.#gone.add(one);
      if (this.#counts(one)) this.#report.step("delete", one, one);
    } finally {
      this.#hands.give();
    }
  }

  /** What is not the stack's own goes without a word. */
  #counts({ type, external = false }: Resource): boolean {
    return !external && !type.startsWith(PROVIDERS);
  }

  // ---- refreshing ----

  /** What is on the routers becomes the state. One that cannot be read does not keep the others from it. */
  async refresh(): Promise<void> {
    const all = [...this.#old.values()].filter(({ type }) => !type.startsWith(PROVIDERS));
    const ended = await Promise.allSettled(all.map((one) => this.#refreshOne(one)));
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  }

  async #refreshOne(one: Resource): Promise<void> {
    await this.#hands.take();
    try {
      if (!one.custom || one.pendingReplacement) {
        this.#report.step("same", one, one);
        return;
      }
      if (one.external) {
        const found = { ...one, outputs: this.#another(one.urn, one.id ?? "") };
        this.#old.set(one.urn, found);
        this.#report.refreshed(one, found, !same(one.outputs, found.outputs));
        return;
      }
      const { id, outputs, inputs } = await this.#hook(one.urn, () =>
        provider.read(one.id ?? "", revealed(one.outputs)),
      );
      if (id === "") {
        this.#old.delete(one.urn);
        this.#report.step("delete", one, one);
        return;
      }
      const { initErrors, ...rest } = one;
      const found: Resource = {
        ...rest,
        id,
        inputs: inputs ? secretAs(one.inputs, inputs) : one.inputs,
        outputs: secretAs(one.outputs, outputs),
      };
      this.#old.set(one.urn, found);
      this.#report.refreshed(one, found, !same(one.outputs, found.outputs));
    } finally {
      this.#hands.give();
    }
  }

  // ---- failing ----

  #going(): void {
    if (this.#stopped) throw new Stopped();
  }

  #stop(urn: string): Stopped {
    this.#stopped = true;
    return new Stopped(urn);
  }

  #fail(urn: string, message: string): Stopped {
    this.#report.error(urn, message);
    return this.#stop(urn);
  }

  async #hook<T>(urn: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#fail(urn, error instanceof Error ? error.message : String(error));
    }
  }

  // ---- names ----

  /** The resource of a type's provider: the part of the type before its first colon names it. */
  #provider(type: string): string {
    return this.#urn("", `${PROVIDERS}${type.split(":")[0]}`, "default");
  }

  /** It is made for the first one that needs it. Dynamic providers are given the stack's config. */
  #default(type: string): void {
    const urn = this.#provider(type);
    if (this.#done.some((one) => one.urn === urn)) return;
    const config = type === REFERENCE ? [] : Object.entries(this.#job.config);
    const inputs = Object.fromEntries(config.map(([key, one]) => [key, one.secret ? secret(one.value) : one.value]));
    this.#done.push({ urn, type: typesOf(urn), custom: true, id: PROVIDER_ID, inputs, outputs: inputs });
  }

  #urn(parent: string, type: string, name: string): string {
    const above = parent === "" ? "" : typesOf(parent);
    const types = above === "" || above === STACK ? type : `${above}$${type}`;
    return `urn:pulumi:${this.#job.stack}::${this.#job.project}::${types}::${name}`;
  }

  #find(urn: string, goal: Goal): Resource | undefined {
    for (const one of [urn, ...this.#aliases(goal)]) {
      const old = this.#old.get(one);
      if (!old) continue;
      if (one !== urn) this.#renamed.set(urn, one);
      return old;
    }
    return undefined;
  }

  /** Its own aliases; and where its parent has another URN than before, what it was called under that one. */
  #aliases(goal: Goal): string[] {
    const own = goal.aliases.map((alias) =>
      "urn" in alias
        ? alias.urn
        : this.#urn(alias.parent ?? goal.parent, alias.type || goal.type, alias.name || goal.name),
    );
    const former = this.#renamed.get(goal.parent);
    if (former === undefined) return own;
    const parentName = nameOf(goal.parent);
    const inherited = [
      { name: goal.name, type: goal.type },
      ...own.map((urn) => ({ name: nameOf(urn), type: typeOf(urn) })),
    ];
    return [
      ...own,
      ...inherited.map(({ name, type }) => {
        const tail = name.startsWith(parentName) ? name.slice(parentName.length) : undefined;
        return this.#urn(former, type, tail === undefined ? name : nameOf(former) + tail);
      }),
    ];
  }
}

const PROVIDER_ID = "00000000-0000-4000-8000-000000000000";

const typesOf = (urn: string): string => urn.split("::")[2] ?? "";
const typeOf = (urn: string): string => typesOf(urn).split("$").at(-1) ?? "";
const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

const needs = ({ parent, dependencies = [], propertyDependencies = {}, provider: by }: Resource): string[] => [
  ...(parent ? [parent] : []),
  ...dependencies,
  ...Object.values(propertyDependencies).flat(),
  ...(by ? [by.slice(0, by.lastIndexOf("::"))] : []),
];
