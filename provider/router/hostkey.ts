/**
 * Host keys: what the user wrote (`SHA256:…` or the key itself) against what the server shows. There is no prompt and no
 * trust on first use.
 */

import { createHash } from "node:crypto";

export interface HostKey {
  matches(key: Buffer): boolean;
  /** The only key types worth negotiating, when the type is known. */
  algorithms?: string[];
}

/** Undefined when it is neither form. */
export function parseHostKey(text: string): HostKey | undefined {
  const trimmed = text.trim();
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(trimmed)) {
    return { matches: (key) => fingerprint(key) === trimmed.replace(/=$/, "") };
  }
  const [type, base64] = trimmed.split(/\s+/);
  if (!type || !base64 || !/^(ssh|ecdsa)-[a-z0-9-]+$/.test(type) || !/^[A-Za-z0-9+/]+=*$/.test(base64))
    return undefined;
  const wanted = Buffer.from(base64, "base64");
  if (keyType(wanted) !== type) return undefined;
  return {
    matches: (key) => key.equals(wanted),
    algorithms: type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type],
  };
}

export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The type a key says it is of: the first string in it (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  if (key.length < 4) return "unknown";
  const length = key.readUInt32BE(0);
  return length > 64 ? "unknown" : key.subarray(4, 4 + length).toString("latin1");
}
