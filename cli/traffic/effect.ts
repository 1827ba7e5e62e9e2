// What is told of a resource on a router.

import type { Level } from "../../provider/kind";
import { kindOf } from "../../provider/kinds";
import { code, type Markdown, md } from "../markdown";
import type { Resource } from "../stack";

export type { Level };

export interface Effect {
  readonly level: Level;
  readonly router?: string;
  /** Who is concerned; effects with one sentence are told together. */
  readonly subject: Markdown;
  readonly sentence: Markdown;
}
export type Tell = (level: Level, subject: Markdown, sentence: Markdown) => void;

export const label = ({ kind, name, ours }: Resource): Markdown =>
  md`${ours ? kindWord(kind) : code(kind)} ${code(name)}`;

/** `Tier`; what is called like a kind of ours and is none is as foreign as all else. */
export const kindWord = (kind: string): Markdown => (kindOf(kind) === undefined ? code(kind) : (kind as Markdown));
