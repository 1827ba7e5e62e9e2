/**
 * Host keys: what the user wrote (`SHA256:…` or the key itself) against what the server shows. There is no prompt and no
 * trust on first use. `check` reads them by the same function as the connection: what passes preview can be compared.
 */

import { createHash } from "node:crypto";

export interface HostKey {
  /** As resources keep it: without what follows the key, the fingerprint without padding. */
  text: string;
  matches(key: Buffer): boolean;
  /** The only key types worth negotiating, when the type is known. */
  algorithms?: string[];
}

/** What ssh2 can check the signatures of. */
const TYPES = ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

export const HOST_KEY_FORMS = 'a host key: "SHA256:…" as `ssh-keygen -lf` prints it, or "ssh-ed25519 AAAA…"';

/** Or the words for what is wrong with it. */
export function parseHostKey(given: string): HostKey | { not: string } {
  const print = /^SHA256:[A-Za-z0-9+/]{43}(?==?$)/.exec(given.trim())?.[0];
  if (print) return { text: print, matches: (key) => fingerprint(key) === print };
  const [type = "", base64 = ""] = given.trim().split(/\s+/);
  if (!/^(ssh|ecdsa|sk)-[a-z0-9@.-]+$/.test(type) || !/^[A-Za-z0-9+/]+=*$/.test(base64)) {
    return { not: `is not ${HOST_KEY_FORMS}` };
  }
  if (!TYPES.includes(type)) {
    const what = type.startsWith("sk-") ? "is kept on a security token" : `is of the type ${type}`;
    return { not: `${what}, which vpc6 cannot check: name another key of the host's, ${TYPES.join(", ")}` };
  }
  const wanted = Buffer.from(base64, "base64");
  if (keyType(wanted) !== type || !isWhole(wanted))
    return { not: `is not a whole ${type} key: it was cut off, or mistyped` };
  return {
    text: `${type} ${base64}`,
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

/** A key is strings and numbers, each after its length, and nothing behind them. */
function isWhole(key: Buffer): boolean {
  let [at, parts] = [0, 0];
  while (at + 4 <= key.length) {
    at += 4 + key.readUInt32BE(at);
    parts++;
  }
  return at === key.length && parts >= 2;
}
