/**
 * The program that runs on a router, put together from `program/`, and the constant command lines that start it. Nothing a
 * user wrote is ever part of a command line.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as contract from "../contract";

/** A new one is its file in `program/services`, and its name and slots in the contract. */
const services = Object.keys(contract.SERVICES);

/** In the order in which they stand in the program. */
const parts = [
  "head.sh",
  "lock.sh",
  "payload.sh",
  "sums.sh",
  "rivals.sh",
  "assemble.sh",
  "drift.sh",
  "packages.sh",
  ...services.map((service) => `services/${service}.sh`),
  "mtu.sh",
  "vlans.sh",
  "leases.sh",
  "watch.sh",
  "units.sh",
  "transaction.sh",
  "verbs.sh",
  "slots.sh",
];

export interface Program {
  text: string;
  hash: string;
  /** The text without its end, which does what the arguments ask for: for tests, which call one function or another. */
  functions: string;
}

const read = (part: string): string => readFileSync(join(__dirname, "program", part), "utf8");

/** Longer awk programs are files of their own, `awk/NAME.awk`; a part of the program has them where it says `'@NAME.awk@'`. */
const withAwk = (part: string): string =>
  part.replace(/'@(\w+\.awk)@'/g, (_, file: string) => `'\n${read(`awk/${file}`).replaceAll("'", "'\\''")}'`);

let cached: Program | undefined;

export function program(): Program {
  cached ??= programOf(contract);
  return cached;
}

/** What the contract says is put in the place of `@NAME@`; the hash is that of the text without it. */
export function programOf(said: typeof contract): Program {
  const functions = agreed(
    parts
      .map((part) => withAwk(read(part)))
      .join("\n")
      // What is not shell.
      .replace("@PASSWORD_SERVER@", () => read("services/password.pl").trimEnd())
      .replace("@WATCH_LINKS@", () => read("watch.pl").trimEnd()),
    said,
  );
  const text = `${functions}\n${agreed(read("main.sh"), said)}`;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { text: text.replace("@HASH@", hash), hash, functions: functions.replace("@HASH@", hash) };
}

function agreed(text: string, said: typeof contract): string {
  const facts: Record<string, unknown> = { ...said, HASH: "@HASH@", SERVICES: services };
  for (const [service, slots] of Object.entries(said.SERVICES)) facts[`${service.toUpperCase()}_SLOTS`] = slots;
  return text.replace(/@([A-Z][A-Z0-9_]*)@/g, (_, name: string) => {
    const fact = facts[name];
    if (Array.isArray(fact)) return fact.join(" ");
    if (typeof fact !== "string" && typeof fact !== "number") throw new Error(`vpc6 bug: no ${name} in the contract`);
    return String(fact);
  });
}

// The whole text or nothing is installed: its last line is looked for before it gets its name, and it is on the disk by then.
const install = `umask 022; d=${contract.LIB}; n=$d/.new.$$; mkdir -p $d && cat >$n &&
if [ "$(tail -n 1 $n)" = "# ${contract.PROGRAM_END}" ]; then chmod 755 $n && sync $n && mv -f $n ${contract.PROGRAM} && sync $d; else echo "incomplete" >&2; false; fi ||
{ rm -f $n; exit 1; }`.replace(/\n/g, " ");

export const commands = {
  install: (user: string) => `${sudo(user)}sh -c '${install}'`,
  converge: (user: string, hash: string) => `${sudo(user)}${contract.PROGRAM} converge ${hash} "$SSH_CONNECTION"`,
  confirm: (user: string, generation: number) => `${sudo(user)}${contract.PROGRAM} confirm ${generation}`,
  observe: (user: string) => `${sudo(user)}${contract.PROGRAM} observe`,
  /** Is there anything that the program has made? */
  remains: (user: string) => `${sudo(user)}sh -c '[ -e ${contract.ETC} ] || [ -e ${contract.VAR} ]'`,
  uninstall: (user: string, id: string, made = "") =>
    `${sudo(user)}${contract.PROGRAM} uninstall ${id}${made && ` ${made}`}`,
};

function sudo(user: string): string {
  return user === "root" ? "" : "LC_ALL=C sudo -n ";
}
