// What is told of a resource on a router.

import type { Level } from "../../provider/kind";
import { code } from "../markdown";
import type { Resource } from "../stack";

export type { Level };

export interface Effect {
  readonly level: Level;
  readonly router?: string;
  /** Who is concerned; effects with one sentence are told together. */
  readonly subject: string;
  readonly sentence: string;
}
export type Tell = (level: Level, subject: string, sentence: string) => void;

export const label = ({ kind, name }: Pick<Resource, "kind" | "name">): string => `${kind} ${code(name)}`;
