// What a change of a resource does to the traffic of its router: the words in which kinds say it, and `vpc6 report` prints it. Kinds judge
// by their inputs; a text that is rendered is compared with the one before, and never read.

import type { Effect, Inputs, Level, Others } from "./kind";
import { type Markdown, type Own, words } from "./prose";

export type { Effect, Level, Others, Traffic } from "./kind";
export { words };

/** A sentence is `words` with values in them, or a text as it is: one that is put together does not type-check. */
export const says = <S extends string>(level: Level, sentence: Markdown | Own<S>, whom?: Effect["whom"]): Effect => ({
  level,
  sentence: sentence as string as Markdown,
  ...(whom !== undefined && { whom }),
});

/** A list in inputs as a preview has them: one that is not known as a whole is a text. */
export const listOf = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : []);

/** A list of effects from those that apply. */
export const all = (...effects: (Effect | false | undefined)[]): Effect[] =>
  effects.filter((it): it is Effect => typeof it === "object");

export const textChanges = (slot: string, before: Inputs | undefined, after: Inputs | undefined): boolean =>
  before?.fragments?.[slot] !== after?.fragments?.[slot];

export const RESTARTS_DNSMASQ =
  "restarts dnsmasq: DHCP, DNS and advertisements of all its tiers pause for well under a second";

/** What a tier holds while dnsmasq runs for it. */
export const DNSMASQ = "dnsmasq";
export const runsDnsmasq = ({ fragments }: Inputs): string[] => (fragments?.dnsmasq ? [DNSMASQ] : []);

/** Without a tier it does not run: `ran` and `runs` say whether this resource is one that lets it. */
export function restartsDnsmasq(
  before: Inputs | undefined,
  after: Inputs | undefined,
  others: Others,
  isTier = true,
): Effect | false {
  const ran = others.hidden || others.had(DNSMASQ) || (isTier && Boolean(before?.fragments?.dnsmasq));
  const runs = others.hidden || others.have(DNSMASQ) || (isTier && Boolean(after?.fragments?.dnsmasq));
  return textChanges("dnsmasq", before, after) && ran && runs && says("pauses", RESTARTS_DNSMASQ, "router");
}

/** A driver may have to set up its rings again. What is lost meanwhile is sent again, and nobody's connection ends. */
export function changesMtu(before: number | undefined, after: number | undefined): Effect | false {
  if (before === after) return false;
  return after === undefined
    ? says(
        "pauses",
        "has the MTU again that its link had before vpc6: a virtual network card takes it in passing, some real ones start again for it, a second or two; connections go on",
      )
    : says(
        "pauses",
        words`has the MTU ${after}: a virtual network card takes it in passing, some real ones start again for it, a second or two; connections go on`,
      );
}

/** What a Nat64 holds; it is started again for another MTU of the public side. */
export const TRANSLATOR = "a translator";

/** What is held by whom needs that the router forwards packets of a family. */
export const forwarding = (family: 4 | 6): string => `forwarding of IPv${family}`;

export function stopsForwarding(family: 4 | 6, needed: boolean, needs: boolean, others: Others): Effect | false {
  if (!needed || needs || others.have(forwarding(family))) return false;
  return family === 6
    ? says("ends", "forwards no longer, as nothing on it asks for that", "router")
    : says(
        "ends",
        "forwards IPv4 no longer, as nothing on it asks for that (if it did so before vpc6, it still does)",
        "router",
      );
}
