import ssh2 from "ssh2";

/**
 * An Ed25519 key pair as ssh-keygen would write it. The library's own drops a leading zero byte of the public key: one pair in 256 is
 * one that nothing can read, OpenSSH no more than the library itself.
 */
export function keyPair(lock?: { cipher: string; passphrase: string; rounds: number }) {
  for (;;) {
    const pair = lock ? ssh2.utils.generateKeyPairSync("ed25519", lock) : ssh2.utils.generateKeyPairSync("ed25519");
    if (!(ssh2.utils.parseKey(pair.private, lock?.passphrase) instanceof Error)) return pair;
  }
}
