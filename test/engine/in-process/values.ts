// Property values as they go over the engine's wire: plain JSON, with marks for what is secret or not known yet.

export type Properties = Record<string, unknown>;

/** What a value not known at preview is for hooks: the engine's own mark. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isSecret = (value: unknown): value is { value: unknown } => isObject(value) && value[SIGNATURE] === SECRET;

export const secret = (value: unknown): unknown => ({ [SIGNATURE]: SECRET, value });

/** The value as hooks see it: secrets in the clear, a resource as its id. */
export function revealed<T>(value: T): T;
export function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (!isObject(value)) return value;
  if (isSecret(value)) return revealed(value.value);
  if (value[SIGNATURE] === RESOURCE) return value.id ?? value.urn;
  if (SIGNATURE in value) throw new Error(`in-process engine: no value of the kind ${String(value[SIGNATURE])}`);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revealed(one)]));
}

function holdsSecrets(value: unknown): boolean {
  if (isSecret(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsSecrets);
}

export function holdsUnknowns(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsUnknowns);
}

/** What hooks answered, secret where that was which they were given under the same key; maps key by key, arrays as a whole. */
export function secretAs(given: Properties, answered: Properties): Properties {
  const one = (key: string, value: unknown): unknown => {
    const model = given[key];
    if (isSecret(value)) return value;
    if (isObject(value) && isObject(model) && !isSecret(model)) return secretAs(model, value);
    return holdsSecrets(model) ? secret(value) : value;
  };
  return Object.fromEntries(Object.entries(answered).map(([key, value]) => [key, one(key, value)]));
}

/** Secret under these keys too. */
export function withSecret(keys: string[], outputs: Properties): Properties {
  const one = (key: string, value: unknown) => (keys.includes(key) && !isSecret(value) ? secret(value) : value);
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, one(key, value)]));
}

/** As `pulumi stack export` writes it, and with `open` as `--show-secrets` does and `pulumi stack import` takes it. */
export function exported<T>(value: T, open: boolean): T;
export function exported(value: unknown, open: boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => exported(one, open));
  if (!isObject(value)) return value;
  if (isSecret(value)) {
    return { [SIGNATURE]: SECRET, ...(open ? { plaintext: JSON.stringify(value.value) } : { ciphertext: "[secret]" }) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, exported(one, open)]));
}

/** The other way: what `pulumi stack export --show-secrets` has written. */
export function imported<T>(value: T): T;
export function imported(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(imported);
  if (!isObject(value)) return value;
  if (value[SIGNATURE] === SECRET && typeof value.plaintext === "string") return secret(JSON.parse(value.plaintext));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, imported(one)]));
}

/** Whether two values are the same, in whatever order their keys are. */
export const same = (one: unknown, other: unknown): boolean => text(one) === text(other);

const text = (value: unknown): string =>
  JSON.stringify(value, (_key, one) =>
    isObject(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one,
  ) ?? "";
