// Sentences as GitHub's Markdown: words of ours, and whatever else as code. A text that is neither does not type-check where a sentence
// is due: nothing that anybody says becomes markup, mentions anybody or breaks out of its place.

declare const markdown: unique symbol;
/** What was made here, or in cli/markdown.ts. */
export type Markdown = string & { readonly [markdown]: true };

/** A text that stands in our source as it is: of one that is put together the type is wider than itself. */
export type Own<S extends string> = Record<never, unknown> extends Record<S, unknown> ? never : S;
export const own = <S extends string>(text: Own<S>): Markdown => text as string as Markdown;

/** A span of code. */
export function code(text: string): Markdown {
  const plain = oneLine(text) || " ";
  const fence = "`".repeat(longest(plain, /`+/g) + 1);
  const pad = /^`|`$|^ .* $/.test(plain) ? " " : "";
  return `${fence}${pad}${plain}${pad}${fence}` as Markdown;
}

/** Words of ours; the values in them are numbers, or Markdown already. */
export function md(texts: TemplateStringsArray, ...values: (Markdown | number)[]): Markdown {
  return texts.map((text, index) => `${text}${values[index] ?? ""}`).join("") as Markdown;
}

/** A sentence whose values stand as code, whatever is in them. */
export const words = (texts: TemplateStringsArray, ...values: (string | number)[]): Markdown =>
  md(texts, ...values.map((it) => code(String(it))));

export const longest = (text: string, runs: RegExp): number =>
  (text.match(runs) ?? []).reduce((most, run) => Math.max(most, run.length), 0);

const oneLine = (text: string): string => printable(text).replace(/\s+/g, " ").trim();

/** Without colours of a terminal, and without what turns a text around or cannot be seen; line ends and tabs stay. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}\[[0-9;]*m/gu, "").replace(/(?![\t\n])[\p{C}\p{Zl}\p{Zp}]/gu, "");
