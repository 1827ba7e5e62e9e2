// Secrets of resources: what stands in a fragment for one, and what goes to the router beside it.

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { LoadBalancer } from "../../provider/index";
import { concealed, placeholder, revealed, secret } from "../../provider/secrets";
import { outputs } from "../../provider/state";
import { UNKNOWN } from "../../provider/unknown";
import { CERTIFICATE, OTHER_KEY, PRIVATE_KEY } from "./certificate";
import { arguments_, check, type Kind, planned, type Values } from "./check";

test("a placeholder says that a secret changed and not what it is; it stays while the secret does", () => {
  const first = placeholder("password", "hunter2hunter2", undefined);
  expect(first).toMatch(/^\{\{password:[0-9a-f]{4}\}\}$/);
  expect(placeholder("password", "hunter2hunter2", undefined)).toBe(first);
  const old = { password: "hunter2hunter2", fragments: { passwords: "x {{password:0000}}\n" } };
  expect(placeholder("password", "hunter2hunter2", old)).toBe("{{password:0000}}");
  expect(placeholder("password", "another", old)).not.toBe("{{password:0000}}");
  expect(placeholder("password", UNKNOWN, undefined)).toBe(UNKNOWN);
});

describe("16 bits of a secret in all: its digits are the same", () => {
  const SECRET = "first-Word.1";
  const digits = async (kind: Kind, change: Values = {}) => {
    const { fragments } = await planned(kind, { ...arguments_[kind], password: SECRET, ...change });
    return [...JSON.stringify(fragments).matchAll(/\{\{[A-Za-z.]+:([0-9a-f]{4})\}\}/g)].map(([, it]) => it);
  };
  const tier = { ...arguments_.Instance.tier, gateway: "2001:67c:2834:1::1" };
  const guest = (name: string, address: string) => digits("Instance", { claim: name, tier, grant: { value: address } });

  test("at every guest, also of another name or address, at a neighbor and at an uplink", async () => {
    const all = [
      ...(await guest("web1", "2001:67c:2834:1::10")),
      ...(await guest("web2", "2001:67c:2834:1::11")),
      ...(await guest("web3", "2001:67c:2834:1::10")),
      ...(await digits("BgpPeer")),
      ...(await digits("Uplink")),
    ];
    expect(all.length).toBeGreaterThanOrEqual(5);
    expect(new Set(all).size, String(all)).toBe(1);
  });

  test("and another in each project, so that no dictionary serves for all", async () => {
    const found = new Set<unknown>();
    for (const project of ["shop", "blog"]) {
      vi.stubEnv("PULUMI_PROJECT", project);
      for (const it of await guest("web1", "2001:67c:2834:1::10")) found.add(it);
    }
    vi.unstubAllEnvs();
    expect(found.size).toBe(2);
  });
});

test("what fills a placeholder is made from the inputs, line by line, and only for what the resource has", () => {
  const fragments = {
    a: "x {{tls.privateKey:12ab}} y {{password:0000}}\n",
    b: "{{nothing:ffff}} {{tls.privateKey:12ab}}\n",
  };
  expect(revealed({ password: "p", tls: { privateKey: "one\ntwo\n" }, fragments })).toEqual({
    secrets: "{{tls.privateKey:12ab}} one\n{{tls.privateKey:12ab}} two\n{{password:0000}} p\n",
  });
  expect(revealed({ fragments: { a: "{{password:0000}}" } })).toEqual({});
});

test("a router's text does not show a secret of the resource, a line of a key neither", () => {
  const [, body = ""] = PRIVATE_KEY.split("\n");
  const inputs = { password: "first-Word.1", tls: { privateKey: PRIVATE_KEY } };
  expect(concealed(inputs, `a first-Word.1 b ${body} c\n-----BEGIN PRIVATE KEY-----\n`)).toBe(
    "a [secret] b [secret] c\n-----BEGIN PRIVATE KEY-----\n",
  );
  expect(concealed({}, "a first-Word.1")).toBe("a first-Word.1");
});

test("a failure about a secret does not show it", () => {
  const reasons: string[] = [];
  const type = secret("8 to 63 printable characters", /^[!-~]{8,63}$/);
  expect(type("hunter2", "password", (it) => reasons.push(it))).toBe("");
  type(undefined, "password", (it) => reasons.push(it));
  expect(reasons).toEqual([
    "password: a secret, so it is not shown; it must be 8 to 63 printable characters",
    "password: missing; it must be 8 to 63 printable characters",
  ]);
});

const tls = { certificate: CERTIFICATE, privateKey: PRIVATE_KEY };
const terminating = { ...arguments_.LoadBalancer, tls };

test("TLS that ends on the router: the certificate is shown, its key is a placeholder", async () => {
  const inputs = await planned("LoadBalancer", terminating);
  const { haproxy = "", certificates = "" } = inputs.fragments as Record<string, string>;
  expect(haproxy).toContain("\t# certificate of www.example.net, until ");
  expect(haproxy).toContain(
    "bind [2001:67c:2834::80]:80 v6only transparent ssl crt /etc/vpc6/live/files/certificates.d/www@2001:67c:2834::80 ssl-min-ver TLSv1.2 alpn h2,http/1.1\n",
  );
  expect(certificates).toMatch(/-----END CERTIFICATE-----\n\{\{tls\.privateKey:[0-9a-f]{4}\}\}\n$/);
  const body = PRIVATE_KEY.split("\n")[1] ?? "";
  expect(JSON.stringify(inputs.fragments)).not.toContain(body);
  expect(revealed(inputs as never).secrets).toContain(body);
});

test("a key that is not the certificate's, two texts mixed up, and TLS that ends elsewhere are refused, nothing is shown", async () => {
  const refused = async (change: object) =>
    (await check("LoadBalancer", { ...terminating, ...change })).reasons.join("\n");
  expect(await refused({ tls: { ...tls, privateKey: OTHER_KEY } })).toBe(
    "tls.privateKey: not the key of the first certificate of tls.certificate",
  );
  expect(await refused({ mode: "ssl-passthrough" })).toMatch(/^tls: TLS ends at the members/);
  const swapped = await refused({ tls: { certificate: PRIVATE_KEY, privateKey: CERTIFICATE } });
  expect(swapped).toMatch(/tls.certificate: not a certificate in PEM/);
  expect(swapped).not.toContain(PRIVATE_KEY.split("\n")[1]);
  const { privateKey } = generateKeyPairSync("ed25519");
  const encrypted = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" });
  expect(await refused({ tls: { ...tls, privateKey: String(encrypted) } })).toMatch(/passphrase/);
});

test("another secret is an update, also when its placeholder is the same by chance", async () => {
  const before = await planned("LoadBalancer", terminating);
  const olds = outputs(before as never, 1);
  const news = { ...before, tls: { privateKey: OTHER_KEY } };
  expect(await LoadBalancer.diff("www", olds as never, news as never)).toMatchObject({ changes: true });
});

test.each(["BgpPeer", "Uplink"] as const)("the password of a %s is a placeholder in what FRR is told", async (kind) => {
  const inputs = await planned(kind, { ...arguments_[kind], password: "first-Word.1" });
  const { frr = "" } = inputs.fragments as Record<string, string>;
  const [token = "none"] = /\{\{password:[0-9a-f]{4}\}\}/.exec(frr) ?? [];
  expect(frr).toContain(` password ${token}\n`);
  expect(JSON.stringify(inputs.fragments)).not.toContain("first-Word.1");
  expect(revealed(inputs as never)).toEqual({ secrets: `${token} first-Word.1\n` });
  const { reasons } = await check(kind, { ...arguments_[kind], password: "short\n!" });
  expect(reasons).toEqual([
    "password: a secret, so it is not shown; it must be 6 to 80 letters, digits and any of . _ ~ + / = : @ % ^ , -",
  ]);
});

test.each([
  ["a line that the assembly reads as another resource's", `${PRIVATE_KEY}# vpc6 router:vr1\n`],
  ["a placeholder", `${PRIVATE_KEY}{{password:0000}}\n`],
  ["a second block", `${PRIVATE_KEY}${OTHER_KEY}`],
  ["a header inside", PRIVATE_KEY.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n")],
  ["a line before it", `# vpc6 router:vr1\n${PRIVATE_KEY}`],
  ["an END of something else", PRIVATE_KEY.replace("END PRIVATE", "END EC PRIVATE")],
])("tls.privateKey with %s is refused, and not shown", async (_, privateKey) => {
  const { reasons } = await check("LoadBalancer", { ...terminating, tls: { ...tls, privateKey } });
  expect(reasons).toEqual([
    "tls.privateKey: a secret, so it is not shown; it must be a private key in PEM, without a passphrase",
  ]);
});
