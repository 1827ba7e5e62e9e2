// Pieces of a page of Markdown as GitHub shows it, from sentences (provider/prose.ts) and from texts that may hold anything.

import { longest, type Markdown, md, type Own, printable } from "../provider/prose";

export { code, type Markdown, md, own } from "../provider/prose";

/** Of a backslash before a bar parsers make this and that, and a cell may end there: it is drawn as another stroke. */
const cell = (text: Markdown): string =>
  text.replace(/\\+(?=\|)/g, (it) => "∖".repeat(it.length)).replace(/\|/g, "\\|");

/** A block of code, whatever fences its text has. */
export function block(language: "" | "diff", text: string): Markdown {
  const fence = "`".repeat(Math.max(3, longest(text, /`{3,}/g) + 1));
  return `${fence}${language}\n${printable(text)}\n${fence}` as Markdown;
}

export function table(head: readonly Markdown[], rows: readonly (readonly Markdown[])[]): Markdown {
  const line = (cells: readonly Markdown[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n") as Markdown;
}

/** The empty lines are needed: without them GitHub shows what is inside as HTML. */
export const details = (summary: Markdown, body: Markdown): Markdown =>
  `<details><summary>${html(summary)}</summary>\n\n${body}\n\n</details>` as Markdown;

/** GitHub's own boxes. */
export const alert = (kind: "NOTE" | "IMPORTANT" | "WARNING" | "CAUTION", body: Markdown): Markdown =>
  `> [!${kind}]\n${body
    .split("\n")
    .map((line) => (line === "" ? ">" : `> ${line}`))
    .join("\n")}` as Markdown;

/** For inside of HTML tags: entities, and spans become code. */
const html = (text: Markdown): string =>
  text
    .replace(/[&<>]/g, (it) => ({ "&": "&amp;", "<": "&lt;" })[it] ?? "&gt;")
    .replace(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g, (_, _fence, inner) => `<code>${inner}</code>`);

/** For pictures, where nothing is markup. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export const plural = <A extends string, B extends string = never>(count: number, one: Own<A>, many?: Own<B>) =>
  counted(count, one, many) as Markdown;

export const joined = (all: readonly Markdown[], between: ", " | "\n" | "\n\n" | ""): Markdown =>
  all.join(between) as Markdown;

export function list(words: readonly Markdown[]): Markdown {
  const [last = md``] = words.slice(-1);
  return words.length < 2 ? last : md`${joined(words.slice(0, -1), ", ")} and ${last}`;
}

/** At most so many of them, and how many more there are. */
export function few(words: readonly Markdown[], most = 12): Markdown {
  return words.length <= most ? list(words) : md`${joined(words.slice(0, most), ", ")} and ${words.length - most} more`;
}
