/**
 * The program that runs on a router, put together from `program/`, and the constant command lines that start it. Nothing a
 * user wrote is ever part of a command line.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The services, in the order in which a change is applied: the filter first, so that nothing is ever open that should be
 * closed, daemons last. A new one is its file in `program/services` and its name here.
 */
const services = ["nftables", "sysctl", "network", "tayga", "frr", "dnsmasq", "named", "haproxy", "password"];

/** In the order in which they stand in the program. */
const parts = [
  "head.sh",
  "lock.sh",
  "payload.sh",
  "assemble.sh",
  "drift.sh",
  "packages.sh",
  ...services.map((service) => `services/${service}.sh`),
  "leases.sh",
  "units.sh",
  "transaction.sh",
  "verbs.sh",
  "slots.sh",
];

const path = "/usr/local/lib/vpc6/vpc6";

export interface Program {
  text: string;
  hash: string;
  /** The text without its end, which does what the arguments ask for: for tests, which call one function or another. */
  functions: string;
}

const read = (part: string): string => readFileSync(join(__dirname, "program", part), "utf8");

let cached: Program | undefined;

export function program(): Program {
  if (cached) return cached;
  const functions = parts
    .map(read)
    .join("\n")
    .replace("@SERVICES@", services.join(" "))
    // The one part that is not shell.
    .replace("@PASSWORD_SERVER@", () => read("services/password.pl").trimEnd());
  const text = `${functions}\n${read("main.sh")}`;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  cached = { text: text.replace("@HASH@", hash), hash, functions: functions.replace("@HASH@", hash) };
  return cached;
}

// The whole text or nothing is installed: its last line is looked for before it gets its name.
const install = `umask 022; d=/usr/local/lib/vpc6; n=$d/.new.$$; mkdir -p $d && cat >$n &&
if [ "$(tail -n 1 $n)" = "# end of vpc6" ]; then chmod 755 $n && mv -f $n $d/vpc6; else echo "incomplete" >&2; false; fi ||
{ rm -f $n; exit 1; }`.replace(/\n/g, " ");

export const commands = {
  install: (user: string) => `${sudo(user)}sh -c '${install}'`,
  converge: (user: string, hash: string) => `${sudo(user)}${path} converge ${hash} "$SSH_CONNECTION"`,
  confirm: (user: string, generation: number) => `${sudo(user)}${path} confirm ${generation}`,
  observe: (user: string) => `${sudo(user)}${path} observe`,
  uninstall: (user: string, id: string) => `${sudo(user)}${path} uninstall ${id}`,
};

function sudo(user: string): string {
  return user === "root" ? "" : "LC_ALL=C sudo -n ";
}
