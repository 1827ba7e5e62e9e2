// Rectangles and words, and how wide words are, as there is nobody to ask before a browser draws them.

export const WIDTH = 1600;
export const MARGIN = 32;

export function box(look: string, x: number, y: number, w: number, h: number, round = 0): string {
  return `<rect class="${look}" x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"${round > 0 ? ` rx="${round}"` : ""}/>`;
}
export function words(x: number, y: number, look: string, text: string, size?: number): string {
  return `<text${look === "" ? "" : ` class="${look}"`} x="${n(x)}" y="${n(y)}"${size === undefined ? "" : ` font-size="${size}"`}>${xml(text)}</text>`;
}
const n = (value: number): string => `${Math.round(value * 100) / 100}`;

/** An estimate, for the widest of usual fonts; `each` is that of a usual letter. What is not Latin may be as wide as it is high. */
export function textWidth(text: string, size: number, each = 0.64): number {
  let width = 0;
  for (const letter of text) {
    if ((letter.codePointAt(0) ?? 0) > 0x2e7f || /[mwMW@%…]/.test(letter)) width += Math.max(1.02, 1.6 * each);
    else if (/[iljtfr.,:;'|! ·()[\]-]/.test(letter)) width += 0.65 * each;
    else width += /\p{Lu}/u.test(letter) ? 1.2 * each : each;
  }
  return size * width;
}

export const MONO = 0.61;

/** As much as fits on a line, and the rest. */
export function broken(name: string, room: number, size: number): [first: string, rest: string] {
  const letters = [...name];
  let count = letters.length;
  while (count > 1 && textWidth(letters.slice(0, count).join(""), size, 0.7) > room) count--;
  // A number stays whole.
  const digit = (at: number) => /^\d$/.test(letters[at] ?? "");
  const number = count;
  while (count < letters.length && count > 1 && digit(count - 1) && digit(count)) count--;
  if (count === 1) count = number;
  return [letters.slice(0, count).join(""), letters.slice(count).join("")];
}

/** Cut in the middle, as names that begin alike differ at their end. */
export function shorten(text: string, room: number, size: number, each = 0.64): string {
  // Of a fixed width every letter is like the others.
  const wide = (it: string) => (each === MONO ? size * each * it.length : textWidth(it, size, each));
  if (wide(text) <= room) return text;
  const letters = [...text];
  for (let kept = letters.length - 1; kept > 1; kept--) {
    const end = Math.floor(kept / 2);
    const short = `${letters.slice(0, kept - end).join("")}…${letters.slice(letters.length - end).join("")}`;
    if (wide(short) <= room) return short;
  }
  return "";
}

/** For XML: its own characters as entities, and none that it does not allow, that turns the text around or cannot be seen. */
export const xml = (text: string): string =>
  text
    .replace(/[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]|[^\P{Cc}\t\n\r]/gu, "")
    .replace(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`);
