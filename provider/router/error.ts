/**
 * The one error of this folder: a short block a person can read. It says what failed, where, why in the words of the one
 * who refused, and what to do. It never holds a secret or a whole script.
 */

import type { RouterAddress } from "./types";

export interface Trouble {
  /** What could not be done: `cannot connect`, `dnsmasq refused Tier "web"`. */
  what: string;
  /** In the words of the one who refused; bounded by `excerpt`. */
  why?: string | undefined;
  /** What the reader can do about it. */
  remedy?: string | undefined;
  /** False only when the router certainly is as it was. */
  touched: boolean;
}

export class RouterError extends Error {
  override readonly name = "RouterError";
  readonly touched: boolean;
  readonly router: RouterAddress;
  readonly trouble: Trouble;

  constructor(router: RouterAddress, trouble: Trouble) {
    const lines = [`${where(router)}: ${trouble.what}`];
    if (trouble.why) lines.push(...excerpt(trouble.why).map((line) => `  ${line}`));
    if (trouble.remedy) lines.push(...trouble.remedy.split("\n"));
    super(lines.join("\n"));
    this.touched = trouble.touched;
    this.router = router;
    this.trouble = trouble;
  }
}

/** `router vr1 (root@192.0.2.11)`, with the port when it is not 22 and the bastion when there is one. */
export function where(router: RouterAddress): string {
  const hop = (h: { user: string; host: string; port: number }) => {
    const host = h.host.includes(":") && h.port !== 22 ? `[${h.host}]` : h.host;
    return `${h.user}@${host}${h.port === 22 ? "" : `:${h.port}`}`;
  };
  return `router ${router.name} (${hop(router)}${router.proxy ? ` via ${hop(router.proxy)}` : ""})`;
}

/** At most `limit` lines of at most 300 printable characters. */
export function excerpt(text: string, limit = 12): string[] {
  const lines = text
    .split("\n")
    .map((line) => printable(line).trimEnd())
    .filter((line) => line !== "")
    .map((line) => (line.length > 300 ? `${line.slice(0, 299)}…` : line));
  if (lines.length <= limit) return lines;
  return [...lines.slice(0, limit), `… and ${lines.length - limit} more lines`];
}

/**
 * Without colors, control characters and what hides or turns text around. With `<{%` Pulumi's CLI begins a color: it panics at one that it
 * does not know, in the middle of an `up`.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const plain = text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").replace(/(?!\t)[\p{C}\p{Zl}\p{Zp}]/gu, "");
  return plain.replaceAll("<{%", "<{ %");
}
