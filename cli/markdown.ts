// Pieces of Markdown as GitHub shows it, from texts that may hold anything: nothing in them becomes markup, mentions anybody or
// breaks out of its block.

/** A span of code; where it stands in a table its bars are escaped. */
export function code(text: string): string {
  const plain = oneLine(text) || " ";
  const fence = "`".repeat(longest(plain, /`+/g) + 1);
  const pad = /^`|`$|^ .* $/.test(plain) ? " " : "";
  return `${fence}${pad}${plain}${pad}${fence}`;
}

export const cell = (markdown: string): string => markdown.replace(/\|/g, "\\|");

/** A block of code, whatever fences its text has. */
export function block(language: string, text: string): string {
  const fence = "`".repeat(Math.max(3, longest(text, /`{3,}/g) + 1));
  return `${fence}${language}\n${printable(text)}\n${fence}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** The empty lines are needed: without them GitHub shows what is inside as HTML. */
export const details = (summary: string, body: string): string =>
  `<details><summary>${html(summary)}</summary>\n\n${body}\n\n</details>`;

/** GitHub's own boxes. */
export const alert = (kind: "NOTE" | "IMPORTANT" | "WARNING" | "CAUTION", body: string): string =>
  `> [!${kind}]\n${body
    .split("\n")
    .map((line) => (line === "" ? ">" : `> ${line}`))
    .join("\n")}`;

/** For inside of HTML tags: entities, and backquotes become code. */
const html = (text: string): string =>
  oneLine(text)
    .replace(/[&<>]/g, (it) => ({ "&": "&amp;", "<": "&lt;" })[it] ?? "&gt;")
    .replace(/(`+) ?(.*?) ?\1/g, "<code>$2</code>");

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** At most so many of them, and how many more there are. */
export function few(words: readonly string[], most = 12): string {
  return words.length <= most ? list(words) : `${words.slice(0, most).join(", ")} and ${words.length - most} more`;
}

const longest = (text: string, runs: RegExp): number =>
  (text.match(runs) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
const oneLine = (text: string): string => printable(text).replace(/\s+/g, " ").trim();
// Colours of a terminal, and characters that turn the direction of text around or cannot be seen.
const printable = (text: string): string =>
  text.replace(/\p{Cc}\[[0-9;]*m/gu, "").replace(/[\p{Cf}\p{Cs}]|[^\P{Cc}\t\n]/gu, "");
