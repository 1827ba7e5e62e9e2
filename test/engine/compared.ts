// What the in-process engine and the Pulumi CLI have to agree on after the same run.

import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { tmpdir } from "node:os";
import { readStack, type Stack } from "../../cli/stack.ts";
import type { Engine, StateResource } from "./engine.ts";
import type { InProcess } from "./in-process.ts";

/** How far a run that fails has come with the others by then is a matter of chance. */
const SKIPPED = /^\d+ unchanged$|errored$/;

export interface Ended {
  code: number;
  /** `+ 3 created` and so on. */
  sum: string[];
  errors: string[];
}

/** How a run ended. That the stack's own resource is called failed too, and where in a program an error came from, is the CLI's way. */
export function ended({ code, stdout, all }: { code: number; stdout: string; all: string }): Ended {
  const [, sum = ""] = /^Resources:\n((?: {4}.*\n)+)/m.exec(stdout) ?? [];
  const errors = [
    ...all.matchAll(/^ {4}(error: (?!update failed|preview failed|destroy failed).*(?:\n {4}.+)*)/gm),
  ].map(([, error = ""]) =>
    error
      .replaceAll(new RegExp(`${tmpdir()}\\S*?index\\.\\w+`, "g"), "PROGRAM")
      .split("\n")
      .filter((line) => !/ at /.test(line))
      .join("\n"),
  );
  return {
    code,
    sum: [...sum.matchAll(/^ {4}(.*\d .*)$/gm)].flatMap(([, line = ""]) =>
      SKIPPED.test(line) && code !== 0 ? [] : [line],
    ),
    errors: [...new Set(errors)].sort(),
  };
}

/** The state without times, places in the program, ids of the provider, which the engine draws, and when a resource was made. */
export async function stateOf(engine: Engine | InProcess): Promise<Record<string, unknown>> {
  const all: StateResource[] =
    "run" in engine
      ? resourcesIn(await engine.stateFile())
      : ((await engine.export({ secrets: true })).deployment.resources ?? []);
  return Object.fromEntries(
    all.map(({ created, modified, sourcePosition, stackTrace, provider, propertyDependencies, ...one }) => {
      const dependencies = Object.entries((propertyDependencies as Record<string, string[] | null>) ?? {});
      const kept = {
        inputs: {},
        ...one,
        outputs: withoutMade(one.outputs),
        ...(Array.isArray(one.dependencies) && { dependencies: [...one.dependencies].sort() }),
        provider: typeof provider === "string" ? provider.slice(0, provider.lastIndexOf("::")) : undefined,
        propertyDependencies: Object.fromEntries(
          dependencies.flatMap(([key, urns]) => (urns && urns.length > 0 ? [[key, [...urns].sort()]] : [])),
        ),
      };
      if (one.type.startsWith("pulumi:providers:")) return [one.urn, { ...kept, id: "" }];
      return [one.urn, kept];
    }),
  );
}

const withoutMade = ({ made, ...outputs }: Record<string, unknown> = {}) => outputs;

/** What `vpc6 report` reads of a preview in JSON. In which order a resource's dependencies come is a matter of chance. */
export function readOf(json: string): Stack {
  const { resources, ...rest } = readStack(json);
  return {
    ...rest,
    resources: resources.map((one) => ({ ...one, dependencies: [...one.dependencies].sort() })),
  };
}

/** What `pulumi stack export --show-secrets` would print of a file of the file backend, without the CLI's start. */
function resourcesIn(file: string): StateResource[] {
  const { resources = [], secrets_providers: by } = JSON.parse(file).checkpoint.latest ?? {};
  return JSON.parse(JSON.stringify(resources), (_key, value) => {
    if (typeof value?.ciphertext !== "string") return value;
    const { ciphertext, ...mark } = value;
    return { ...mark, plaintext: decrypted(ciphertext, by.state.salt) };
  });
}

const keys = new Map<string, Buffer>();

/** `v1:NONCE:TEXT`, by the passphrase of Engine's stacks; the salt is `v1:SALT:` and something to try the passphrase on. */
function decrypted(ciphertext: string, salt: string): string {
  const key = keys.get(salt) ?? pbkdf2Sync("test", Buffer.from(salt.split(":")[1] ?? "", "base64"), 1e6, 32, "sha256");
  keys.set(salt, key);
  const [nonce, text] = ciphertext
    .split(":")
    .slice(1)
    .map((part) => Buffer.from(part, "base64")) as [Buffer, Buffer];
  const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAuthTag(text.subarray(-16));
  return decipher.update(text.subarray(0, -16), undefined, "utf8") + decipher.final("utf8");
}
