/**
 * Where an SSH key comes from, in this order: VPC6_SSH_KEY (its text), VPC6_SSH_KEY_FILE, the SSH agent, ~/.ssh/id_ed25519,
 * id_ecdsa, id_rsa, and last the stack's config (`vpc6:sshPrivateKey`). Never from a resource: its inputs are in the state.
 */

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ParsedKey } from "ssh2";
import type { CredentialConfig } from "./types";

export type Credential = { from: string; agent: string } | { from: string; key: ParsedKey };

let config: CredentialConfig = {};

export function setCredentials(given: CredentialConfig): void {
  config = given;
}

/** A reason why there is none, to be shown as it is. */
export class NoCredential extends Error {}

type Parse = (text: string, passphrase?: string) => ParsedKey | ParsedKey[] | Error;

/** Everything that can be tried, best first. Throws NoCredential when there is nothing, or when what was named is unusable. */
export function credentials(parse: Parse, env: NodeJS.ProcessEnv = process.env, home = homedir()): Credential[] {
  const found: Credential[] = [];
  const passphrase = env.VPC6_SSH_KEY_PASSPHRASE || undefined;
  const named = (from: string, text: string, phrase: string | undefined) => {
    const key = one(parse(text, phrase));
    if (key instanceof Error) throw new NoCredential(`the key in ${from} cannot be used: ${key.message}`);
    found.push({ from, key });
  };

  if (env.VPC6_SSH_KEY) named("VPC6_SSH_KEY", env.VPC6_SSH_KEY, passphrase);
  if (env.VPC6_SSH_KEY_FILE) {
    const file = env.VPC6_SSH_KEY_FILE.replace(/^~(?=\/)/, home);
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      throw new NoCredential(`VPC6_SSH_KEY_FILE cannot be read: ${(error as Error).message}`);
    }
    named("VPC6_SSH_KEY_FILE", text, passphrase);
  }
  if (env.SSH_AUTH_SOCK && existsSync(env.SSH_AUTH_SOCK))
    found.push({ from: "the SSH agent", agent: env.SSH_AUTH_SOCK });
  for (const name of ["id_ed25519", "id_ecdsa", "id_rsa"]) {
    const file = join(home, ".ssh", name);
    if (!existsSync(file)) continue;
    // Not named by anybody: one that cannot be read, or wants a passphrase we do not have, is passed over.
    try {
      const key = one(parse(readFileSync(file, "utf8"), passphrase));
      if (!(key instanceof Error)) found.push({ from: `~/.ssh/${name}`, key });
    } catch {}
  }
  if (config.sshPrivateKey) named("config vpc6:sshPrivateKey", config.sshPrivateKey, config.sshPrivateKeyPassphrase);

  if (found.length === 0) {
    throw new NoCredential(
      "no SSH key: set VPC6_SSH_KEY_FILE or VPC6_SSH_KEY, run an agent (SSH_AUTH_SOCK), have ~/.ssh/id_ed25519,\n" +
        "or: pulumi config set --secret vpc6:sshPrivateKey",
    );
  }
  return found;
}

function one(parsed: ParsedKey | ParsedKey[] | Error): ParsedKey | Error {
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!key) return new Error("no key in it");
  if (key instanceof Error) return key;
  return key.isPrivateKey() ? key : new Error("it is a public key");
}
