import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { credentials, NoCredential, setCredentials } from "../../../provider/router/credentials";
import { fingerprint, keyType, parseHostKey } from "../../../provider/router/hostkey";
import { keyPair } from "./keys";

const key = () => keyPair().private;
const locked = keyPair({ cipher: "aes256-ctr", passphrase: "open sesame", rounds: 4 }).private;

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "vpc6-"));
  mkdirSync(join(home, ".ssh"));
});
afterEach(() => {
  setCredentials({});
  rmSync(home, { recursive: true });
});

const found = (env: NodeJS.ProcessEnv) => credentials(ssh2.utils.parseKey, env, home).map(({ from }) => from);

describe("credentials", () => {
  it("come in the order environment, file, agent, home, config", () => {
    writeFileSync(join(home, "key"), key());
    writeFileSync(join(home, "agent"), "");
    writeFileSync(join(home, ".ssh/id_ed25519"), key());
    setCredentials({ sshPrivateKey: key() });
    expect(
      found({ VPC6_SSH_KEY: key(), VPC6_SSH_KEY_FILE: join(home, "key"), SSH_AUTH_SOCK: join(home, "agent") }),
    ).toEqual(["VPC6_SSH_KEY", "VPC6_SSH_KEY_FILE", "the SSH agent", "~/.ssh/id_ed25519", "config vpc6:sshPrivateKey"]);
  });

  it("say where they were looked for when there is none", () => {
    expect(() => found({})).toThrow(NoCredential);
    expect(() => found({})).toThrow(/VPC6_SSH_KEY_FILE.*agent.*id_ed25519.*vpc6:sshPrivateKey/s);
  });

  it("pass over an agent that is gone and a key at home that wants a passphrase", () => {
    writeFileSync(join(home, ".ssh/id_rsa"), locked);
    expect(() => found({ SSH_AUTH_SOCK: join(home, "gone") })).toThrow(NoCredential);
  });

  it("open a key with its passphrase", () => {
    expect(found({ VPC6_SSH_KEY: locked, VPC6_SSH_KEY_PASSPHRASE: "open sesame" })).toEqual(["VPC6_SSH_KEY"]);
    setCredentials({ sshPrivateKey: locked, sshPrivateKeyPassphrase: "open sesame" });
    expect(found({})).toEqual(["config vpc6:sshPrivateKey"]);
  });

  it("refuse a named key that cannot be used, without showing it", () => {
    const text = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n-----END OPENSSH PRIVATE KEY-----\n";
    expect(() => found({ VPC6_SSH_KEY: text })).toThrow(/VPC6_SSH_KEY cannot be used/);
    expect(() => found({ VPC6_SSH_KEY: text })).not.toThrow(/secret/);
    expect(() => found({ VPC6_SSH_KEY: locked })).toThrow(/VPC6_SSH_KEY cannot be used/);
    expect(() => found({ VPC6_SSH_KEY_FILE: join(home, "nothing") })).toThrow(
      /VPC6_SSH_KEY_FILE cannot be read.*ENOENT/,
    );
    expect(() => found({ VPC6_SSH_KEY: keyPair().public })).toThrow(/public key/);
  });
});

describe("a host key", () => {
  const pair = keyPair();
  const [type = "", base64 = ""] = pair.public.split(" ");
  const bytes = Buffer.from(base64, "base64");
  const other = Buffer.from(keyPair().public.split(" ")[1] ?? "", "base64");

  const read = (text: string) => {
    const key = parseHostKey(text);
    if ("not" in key) throw new Error(key.not);
    return key;
  };

  it("is a fingerprint or the key itself", () => {
    for (const text of [
      fingerprint(bytes),
      `${fingerprint(bytes)}=`,
      `${type} ${base64}`,
      ` ${type} ${base64} root@vr1\n`,
    ]) {
      expect(read(text).matches(bytes), text).toBe(true);
      expect(read(text).matches(other), text).toBe(false);
    }
  });

  it("limits what is negotiated when its type is known", () => {
    expect(read(`${type} ${base64}`).algorithms).toEqual(["ssh-ed25519"]);
    expect(read(fingerprint(bytes)).algorithms).toBeUndefined();
  });

  it.each(["", "SHA256:short", "MD5:00:11", base64, `ssh-rsa ${base64}`, "ssh-ed25519 AAAA", "yes"])(
    "is not %j",
    (text) => {
      expect(parseHostKey(text)).toEqual({ not: expect.any(String) });
    },
  );

  it("says of which type it is", () => {
    expect(keyType(bytes)).toBe("ssh-ed25519");
    expect(keyType(Buffer.from("no"))).toBe("unknown");
  });
});
