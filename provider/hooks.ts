// The generic hooks that Pulumi's dynamic provider calls; a Kind fills in what is particular to a resource.
// `check` and `diff` are pure. Routers are touched by create, update, delete and read only, through router/.

import { randomBytes } from "node:crypto";
import type { dynamic } from "@pulumi/pulumi";
import { type Fail, quote } from "./arguments";
import { differences } from "./drift";
import type { Fragments, Inputs, Kind } from "./kind";
import { isStack, stackOf, wordOf } from "./made";
import { orphansOn, tellOrphans } from "./orphans";
import { say, warn } from "./progress";
import {
  converge,
  failed as failedRouters,
  installSignalHandling,
  isKnown,
  isWhole,
  looks,
  read as markRead,
  type Observation,
  observe,
  onProgress,
  RouterError,
  setCredentials,
  setHolder,
  stays,
  tell,
  uninstall,
} from "./router";
import { concealed, revealed } from "./secrets";
import { AS_APPLIED, HALF_WAY, hash, hashes, type Outputs, outputs, plain, same } from "./state";
import { hasUnknown, UNKNOWN } from "./unknown";
import { isElsewhere, isOtherMachine, readWay, routerOf } from "./way";

type Hooks = Required<dynamic.ResourceProvider<Inputs, Outputs>>;

/** Made now, or at another time; or applied again where the router differs. */
type How = { fresh?: boolean; repair?: boolean; made: string | undefined };

/** What one resource may put on a router, in bytes: some 40,000 rules of an access list. Its daemons read it in seconds, its memory holds it. */
const LARGEST = 4 * 1024 * 1024;

function checkSize({ fragments }: Partial<Inputs>, fail: Fail): void {
  if (!fragments || hasUnknown(fragments)) return;
  for (const [slot, text] of Object.entries(fragments)) {
    const size = Buffer.byteLength(text);
    if (size <= LARGEST) continue;
    const lines = text.split("\n").length - 1;
    fail(
      `fragments.${slot}: ${lines} lines, ${(size / 1024 / 1024).toFixed(1)} MB; a router takes at most ${LARGEST / 1024 / 1024} MB of one resource: shorten its lists`,
    );
  }
}

/** What `ignoreChanges` names, as the resource itself and transformations of it say (resources/resource.ts). */
function checkIgnored({ shape, unkept = [] }: Pick<Kind, "shape" | "unkept">, news: Inputs, fail: Fail): void {
  const kept = (shape.own ?? []).filter((it) => !unkept.includes(it));
  const ignored = new Set(names(news.ignores));
  // The engine has put what the state has of it in its place: nothing.
  for (const sent of names(news.sent)) if (unkept.includes(sent) && news[sent] === undefined) ignored.add(sent);
  for (const path of ignored) {
    // Of a list, the state may have other items than were given: only the whole is the same.
    if (kept.includes(path)) continue;
    fail(
      `ignoreChanges: ${quote(path)} cannot be ignored, as the state does not hold it as it was given; leave it out, and keep in the program what it was. These can be, as a whole: ${kept.join(", ")}`,
    );
  }
}

const names = (given: unknown): string[] => (Array.isArray(given) ? given.map(String) : []);

export function hooks<A>(kind: Kind<A>): Hooks {
  const label = (inputs: Inputs): string => `${kind.type} ${kind.describe(inputs)}`;

  async function apply(id: string, inputs: Inputs, fragments: Fragments | null, how: How): Promise<void> {
    if (!inputs.router) return;
    const all = fragments && { ...fragments, ...revealed(inputs, fragments) };
    const fresh = how.fresh === true && !takenOver(inputs.router);
    const { made, ...rest } = { ...how, fresh, id, label: label(inputs), fragments: all };
    await converge(readWay(inputs.router), { ...rest, ...(made !== undefined && { made }) });
  }

  /** A machine that was refused keeps nothing of us. Where anybody has something, this very resource included, nothing is done. */
  async function clearUp(inputs: Inputs, error: unknown): Promise<void> {
    if (!inputs.router || !(error instanceof RouterError) || error.touched) return;
    await uninstall(readWay(inputs.router), "nobody", { unlessOccupied: true }).catch(() => {});
  }

  /** The error the engine gets: after a router may have been touched, with what to keep in the state. */
  function failed(error: unknown, id: string, inputs: Inputs, made?: string): Error {
    if (!(error instanceof RouterError)) return error instanceof Error ? error : new Error(String(error));
    // The SDK prints `${error}: ${error.stack}` for some hooks: a stack says nothing to the reader of a daemon's refusal.
    const message = tell(error, label(inputs));
    const plainly = Object.assign(new Error(message), { stack: "" });
    if (!error.touched) return plainly;
    const properties = { ...outputs(inputs, kind.schema, made), live: HALF_WAY };
    return Object.assign(plainly, { id, properties, reasons: [message] });
  }

  return {
    async configure({ config }) {
      // Before the first await: the SDK caches the provider before this promise is done.
      setCredentials({
        sshPrivateKey: config.get("vpc6:sshPrivateKey"),
        sshPrivateKeyPassphrase: config.get("vpc6:sshPrivateKeyPassphrase"),
      });
      onProgress((router, text, isWarning) => void (isWarning ? warn : say)(`router ${router.name}: ${text}`));
      installSignalHandling(() => {
        const last = [failedRouters(), ...orphans()].filter((text) => text !== undefined);
        return last.length === 0 ? undefined : warn(last.join("\n"));
      });
      setHolder(holder());
    },

    async check(olds, news) {
      work(news.stack);
      const reasons: string[] = [];
      const fail: Fail = (reason) => reasons.push(reason);
      const { __provider, stack, ignores, sent, ...given } = news;
      checkIgnored(kind, news, fail);
      const args = kind.shape(given, "", fail);
      const known = olds && Object.keys(olds).length > 0 ? olds : undefined;
      // Arguments that are wrong stop here: planning works on canonical values only.
      const inputs = reasons.length === 0 ? kind.plan(args, known, fail) : {};
      checkSize(inputs, fail);
      if (reasons.length === 0) return { inputs: unknownTexts(plain(inputs)), failures: [] };
      // Failures never name a property: the engine would print its value, secrets in the clear.
      return { inputs: given, failures: reasons.map((reason) => ({ property: "", reason })) };
    },

    async diff(id, olds, news) {
      const { __provider, fragments, ...wanted } = news;
      const { __provider: _, schema, live, made, fragments: applied, ...had } = olds;
      const elsewhere = !hasUnknown(news.router) && isElsewhere(olds.router, news.router);
      const otherwise = live !== AS_APPLIED || moved(made) || !same(wanted, had) || !same(hashed(fragments), applied);
      return {
        changes: otherwise || (Boolean(olds.router) && !stays(readWay(olds.router ?? ""), id)),
        replaces: elsewhere ? ["router"] : [],
        deleteBeforeReplace: elsewhere,
      };
    },

    async create(inputs) {
      const id = kind.identify(inputs);
      const made = inputs.router ? ours(newWord()) : undefined;
      try {
        await apply(id, inputs, inputs.fragments ?? {}, { fresh: true, made });
      } catch (error) {
        if (kind.owns) await clearUp(inputs, error);
        throw failed(error, id, inputs, made);
      }
      return { id, outs: outputs(inputs, kind.schema, made) };
    },

    async update(id, olds, news) {
      // Something else than we left there: changed by hand, half done, or another machine (it has another host key).
      const unknown = olds.live !== AS_APPLIED || isOtherMachine(olds.router, news.router);
      // No connection when only the way to the router changed, or something that no router sees.
      // Two secrets may have one placeholder.
      const secret = !same(revealed(news), revealed(olds, news.fragments));
      const word = wordOf(olds.made);
      let made = word && ours(word);
      const changed = !same(hashed(news.fragments), olds.fragments);
      if (unknown || secret || changed || moved(olds.made) || (news.router && !stays(readWay(news.router), id))) {
        // One of an older state gets its word now.
        made ??= ours(newWord());
        try {
          await apply(id, news, news.fragments ?? {}, { repair: unknown, made });
        } catch (error) {
          throw failed(error, id, news, made);
        }
      }
      return { outs: outputs(news, kind.schema, made) };
    },

    async delete(id, props) {
      if (!props.router) return;
      if (stack === undefined) work(stackOf(props.made));
      if (abandoned(props.router)) {
        void warn(
          `${label(props)}: dropped without touching router ${routerOf(props.router)}; what is on that machine stays there`,
        );
        return;
      }
      const made = wordOf(props.made) ?? NOBODY_KNOWS;
      try {
        if (kind.owns === "router" && (await uninstall(readWay(props.router), id, { made }))) return;
        if (props.fragments && Object.keys(props.fragments).length > 0) {
          await apply(id, props, null, { made });
          if (kind.owns === "share") await uninstall(readWay(props.router), id, { unlessOccupied: true, made });
        }
      } catch (error) {
        throw Object.assign(failed(error, id, props), { id: undefined });
      }
    },

    async read(id, props = {} as Outputs) {
      if (!props.router || !props.fragments) return { id, props };
      markRead(readWay(props.router), id);
      const its = stackOf(props.made);
      if (its !== undefined) stacks.add(its);
      let seen: Observation;
      try {
        seen = await observe(readWay(props.router), { recent: true });
      } catch (error) {
        throw Object.assign(failed(error, id, props), { id: undefined });
      }
      const found = seen.fragments.get(id) ?? {};
      // A state that was put back may know of an earlier one: what is there is this resource.
      const made = wordOf(seen.made.get(id)) ? seen.made.get(id) : props.made;
      const report = concealed(props, differences(props, found, seen.drift.get(id) ?? [], made));
      const known = { ...props, ...(made !== undefined && { made }) };
      if (report === "") return { id, props: known };
      const { __provider, schema, live, made: _, ...rest } = props;
      const now = hashes(found);
      if (same(now, props.fragments)) return { id, props: { ...known, live: report } };
      const shown = Object.entries(found).map(([slot, text]) => [
        slot,
        now[slot] === props.fragments?.[slot] ? text : concealed(props, text),
      ]);
      return {
        id,
        inputs: { ...rest, fragments: Object.fromEntries(shown) } as never,
        props: { ...known, fragments: now, live: report },
      };
    },
  };
}

/** Whose resources are being worked on, by the stack's full name: one process of a provider is one run. */
let stack: string | undefined;

function work(given: unknown): void {
  if (typeof given === "string" && isStack(given)) stack = given;
  setHolder(holder());
}

const newWord = (): string => randomBytes(6).toString("hex");

/** `made` as the state and the router have it: the word, and whose. */
const ours = (word: string): string => (stack === undefined ? word : `${word} ${stack}`);

/** Whose resources a refresh has asked for. */
const stacks = new Set<string>();

/** What the refresh of this run saw on routers by this stack's hand, and its state has no more. A part of the state says nothing of that. */
function orphans(): string[] {
  const [whose, ...more] = stacks;
  const { PULUMI_PROJECT: project } = process.env;
  if (whose === undefined || more.length > 0 || !isWhole() || whose.split("/")[1] !== project) return [];
  return [...looks()].flatMap(({ router, seen }) => {
    const ids = orphansOn(seen, whose, isKnown);
    return ids.length > 0 ? [tellOrphans(router.name, ids)] : [];
  });
}

/** It was another stack's before. Of one that is older than this mark it is not known, and no reason to touch a router. */
const moved = (made: string | undefined): boolean => {
  const [was, now] = [stackOf(made), stack];
  return was !== undefined && now !== undefined && was !== now;
};

/** When one of an older state was made: any word that no other has. */
const NOBODY_KNOWS = "none";

/** What others are told who want the same router: the stack where it is known, else the project. */
const holder = (): string => {
  const { PULUMI_PROJECT: project, PULUMI_STACK: short } = process.env;
  if (stack) return `stack ${stack}`;
  return project ? `${project}${short ? `/${short}` : ""}` : "";
};

const hashed = (fragments: unknown): unknown =>
  typeof fragments === "object" && fragments !== null
    ? Object.fromEntries(
        Object.entries(fragments).map(([slot, text]) => [slot, text === UNKNOWN ? UNKNOWN : hash(text)]),
      )
    : fragments;

/** A text rendered from an unknown value holds the engine's mark somewhere inside: the whole text is unknown. */
function unknownTexts(inputs: Inputs): Inputs {
  if (!inputs.fragments || typeof inputs.fragments === "string") return inputs;
  const texts = Object.entries(inputs.fragments).map(([slot, text]) => [slot, hasUnknown(text) ? UNKNOWN : text]);
  return { ...inputs, fragments: Object.fromEntries(texts) };
}

/** Routers that are gone for good, named by the operator for one run: their resources leave the state without SSH. */
const abandoned = (way: string): boolean => named("VPC6_ABANDON_ROUTERS", way);

/** Routers whose former stack is gone for good, named likewise: what is on them under the same ids becomes this stack's. */
const takenOver = (way: string): boolean => named("VPC6_TAKE_OVER_ROUTERS", way);

const named = (variable: string, way: string): boolean =>
  (process.env[variable] ?? "").split(/[\s,]+/).includes(routerOf(way));
