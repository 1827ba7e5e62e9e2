// For tests that render thousands of resources with few secrets: a secret whose placeholder is known is not hashed again.
// `vi.mock("node:crypto", async (original) => (await import("./slow-hash")).remembered(await original()));`

type Crypto = typeof import("node:crypto");

export function remembered(crypto: Crypto): Crypto {
  const known = new Map<string, ReturnType<Crypto["scryptSync"]>>();
  const scryptSync: Crypto["scryptSync"] = (...all) => {
    const key = JSON.stringify(all);
    const hash = known.get(key) ?? crypto.scryptSync(...all);
    known.set(key, hash);
    return hash;
  };
  return { ...crypto, scryptSync };
}
