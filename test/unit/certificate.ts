// A certificate for www.example.net, its key, and another key, made anew for each run by openssl(1).

import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";

const made = execFileSync(
  "openssl",
  [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -keyout - -subj /CN=www.example.net".split(
      " ",
    ),
    ..."-addext subjectAltName=DNS:www.example.net".split(" "),
  ],
  { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
);

const block = (what: string): string =>
  new RegExp(`-----BEGIN ${what}-----[\\s\\S]*-----END ${what}-----\n`).exec(made)?.[0] ?? "";

export const CERTIFICATE = block("CERTIFICATE");
export const PRIVATE_KEY = block("PRIVATE KEY");
export const OTHER_KEY = String(
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }),
);
