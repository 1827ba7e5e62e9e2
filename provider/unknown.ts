// Values that are not known yet, as the engine sends them to `check` and `diff`: one fixed string, even where an
// array or a number is due (engine 3.255, observed). Whatever is derived from an unknown value is unknown.

export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** True when the value is unknown, or holds an unknown value somewhere inside. */
export function hasUnknown(value: unknown): boolean {
  if (typeof value === "string") return value.includes(UNKNOWN);
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(hasUnknown);
}

/** `derive(inputs, compute)`: the computed value, or unknown as soon as one of its inputs is. */
export function derive<D extends readonly unknown[], T>(inputs: D, compute: (...inputs: D) => T): T {
  return hasUnknown(inputs) ? (UNKNOWN as T) : compute(...inputs);
}
