// Certificates of load balancers: what is taken for one, whether the key belongs to it, and how it is called in a comment.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Fail, type Type, text } from "../arguments";

const BLOCK = /-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]{1,16000}\n-----END CERTIFICATE-----/g;

/** PEM, the server's own certificate first, then those that lead to the root; canonical: the blocks and nothing between them. */
export const certificateChain: Type<string> = (value, path, fail) =>
  text("a certificate in PEM", (given) => {
    const blocks = given.replaceAll("\r", "").match(BLOCK) ?? [];
    const wrong = blocks.findIndex((block) => !parse(block));
    if (blocks.length === 0 || wrong >= 0) return { not: "is not a certificate in PEM (-----BEGIN CERTIFICATE-----)" };
    return blocks.join("\n");
    // Nothing of it is quoted: who mixes up both texts would show the key.
  })(value, path, () => fail(`${path}: not a certificate in PEM, -----BEGIN CERTIFICATE-----, the server's own first`));

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

export function checkCertificate(tls: { certificate: string; privateKey: string }, path: string, fail: Fail): void {
  if (!tls.certificate || !tls.privateKey) return;
  const key = (() => {
    try {
      return createPrivateKey(tls.privateKey);
    } catch {
      return undefined;
    }
  })();
  if (!key) fail(`${path}.privateKey: not a private key that can be read without a passphrase`);
  else if (!parse(tls.certificate)?.checkPrivateKey(key)) {
    fail(`${path}.privateKey: not the key of the first certificate of ${path}.certificate`);
  }
}

/** `certificate of www.example.net, until Jan  1 00:00:00 2027 GMT`. */
export function describeCertificate(chain: string): string {
  const certificate = parse(chain);
  const names = (certificate?.subjectAltName ?? "")
    .split(", ")
    .flatMap((it) => /^DNS:([A-Za-z0-9.*-]+)$/.exec(it)?.[1] ?? []);
  return `certificate of ${names.slice(0, 5).join(", ") || "no DNS name"}${names.length > 5 ? ", …" : ""}, until ${certificate?.validTo}`;
}
