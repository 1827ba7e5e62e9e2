// Host keys have one reader: what `check` takes the connection can compare, and what it cannot compare `check` refuses, with words.

import { generateKeyPairSync } from "node:crypto";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { parseHostKey } from "../../../provider/router/hostkey";
import { readWay } from "../../../provider/way";
import { arguments_, check, HOST_KEY } from "../check";
import { keyPair } from "./keys";

/** The public part of a PEM key as ssh-keyscan prints it. */
const line = (pem: string): string => {
  const key = ssh2.utils.parseKey(pem);
  if (key instanceof Error) throw key;
  return `${key.type} ${key.getPublicSSH().toString("base64")}`;
};
const ecdsa = (namedCurve: string): string =>
  line(generateKeyPairSync("ec", { namedCurve }).privateKey.export({ type: "sec1", format: "pem" }) as string);
const rsa = line(
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }) as string,
);
const ed25519 = keyPair().public.trim().split(" ").slice(0, 2).join(" ");
const string = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
const blob = (...parts: string[]): string => Buffer.concat(parts.map(string)).toString("base64");

const checked = async (hostKey: string): Promise<{ kept: string | undefined; reasons: string[] }> => {
  const { inputs, reasons } = await check("Router", { ...arguments_.Router, hostKey });
  return { kept: reasons.length === 0 ? readWay(String(inputs.router)).hostKey : undefined, reasons };
};

test.each([
  ["a fingerprint", HOST_KEY, HOST_KEY],
  ["a fingerprint with its padding", `${HOST_KEY}=`, HOST_KEY],
  ["ssh-ed25519", `${ed25519} root@vr1\n`, ed25519],
  ["ssh-rsa", rsa, rsa],
  ["ecdsa-sha2-nistp256", ecdsa("prime256v1"), undefined],
  ["ecdsa-sha2-nistp384", ecdsa("secp384r1"), undefined],
  ["ecdsa-sha2-nistp521", ecdsa("secp521r1"), undefined],
])("%s passes check, and the connection knows the key again", async (_, given, kept = given) => {
  expect(await checked(given)).toEqual({ kept, reasons: [] });
  const key = parseHostKey(kept);
  if ("not" in key) throw new Error(key.not);
  if (kept === HOST_KEY) return;
  const raw = Buffer.from(kept.split(" ")[1] ?? "", "base64");
  expect(key.matches(raw)).toBe(true);
  expect(key.matches(Buffer.concat([raw, Buffer.alloc(1)]))).toBe(false);
});

test.each([
  ["of a security token", `sk-ssh-ed25519@openssh.com ${blob("sk-ssh-ed25519@openssh.com", "x".repeat(32), "ssh:")}`],
  ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${blob("ssh-ed25519-cert-v01@openssh.com", "x".repeat(60))}`],
  ["DSA", `ssh-dss ${blob("ssh-dss", "x".repeat(60))}`],
])("a key that cannot be checked is refused with those that can: %s", async (_, given) => {
  const { reasons } = await checked(given);
  expect(reasons).toEqual([
    expect.stringMatching(
      /^hostKey: "\S+ .*, which vpc6 cannot check: name another key of the host's, ssh-ed25519, ssh-rsa, /,
    ),
  ]);
  expect(parseHostKey(given)).toHaveProperty("not");
});

test.each([
  ["cut off", ed25519.slice(0, -4)],
  ["of another type than it says", ed25519.replace("ssh-ed25519 ", "ssh-rsa ")],
  [
    "with something behind it",
    `ssh-ed25519 ${Buffer.concat([Buffer.from(ed25519.slice(12), "base64"), Buffer.alloc(3)]).toString("base64")}`,
  ],
  ["no more than its type", `ssh-ed25519 ${blob("ssh-ed25519")}`],
])("a key that is not whole is refused: %s", async (_, given) => {
  expect((await checked(given)).reasons).toEqual([expect.stringContaining("key: it was cut off, or mistyped")]);
});
