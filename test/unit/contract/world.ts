// The provider as it would be if provider/contract.ts said something else: a copy of that file's text is changed in one place for each fact,
// and all that imports the contract is loaded anew with it.

import { readFileSync } from "node:fs";
import ts from "typescript";
import { vi } from "vitest";
import type { Values } from "../check";

export type Contract = typeof import("../../../provider/contract");
export type KindName = keyof typeof import("../../../provider/kinds").kinds;

/** What the provider and the program on a router both say or read: what the contract says, and what it might say. */
export const SHARED: readonly [fact: string, name: string, other: string][] = [
  ["ids of Routers", "ROUTER_ID", '"zz-router:"'],
  ["ids of Uplinks", "UPLINK_ID", '"upstream:"'],
  ["characters of ids", "ID", '"[A-Za-z0-9][A-Za-z0-9._@:~-]*"'],
  ["length of ids", "ID_LONGEST", "150"],
  ["interfaces by MAC", "MAC_TOKEN", '"link-"'],
  ["placeholders of secrets", "DIGITS", "6"],
  ["the table", "TABLE", '"inet vpc7"'],
  ["the table of shares", "SHARES", '"inet vpc7_shares"'],
  ["the table of ARP's shares", "ARP_SHARES", '"arp vpc7_shares"'],
  ["the table of the guard", "GUARD", '"inet vpc7_guard"'],
  ["chains of tiers", "TO_TIER", '"towards/"'],
  ["port of passwords", "PASSWORD_PORT", "8090"],
  ["port of DNS64", "DNS64_PORT", "5355"],
  ["devices of NAT64", "NAT64_DEVICE", '"n64-"'],
  ["place of the program", "LIB", '"/usr/local/lib/vpc7"'],
  ["place of the configuration", "ETC", '"/etc/vpc7"'],
  ["place of what is kept", "VAR", '"/var/lib/vpc7"'],
  ["place of certificates", "CERTIFICATES", '"certs.d"'],
  ["place of translators' data", "TAYGA_DATA", '"/var/lib/vpc7-tayga"'],
  ["head of payloads", "TRANSACTION", '"vpc6-transaction 2"'],
  ["head of answers", "ANSWER", '"vpc6-answer 2"'],
  ["format of what is there", "FORMAT", "7"],
  ["head of differences", "DRIFT", '"vpc6-drift 2"'],
  ["end of differences", "DRIFT_END", '"end of vpc6-drift"'],
  ["lines of progress", "SAYS", '"vpc6 says: "'],
  ["end of the program", "PROGRAM_END", '"so far vpc6"'],
  ["least size of the table of connections", "CONNECTIONS_LEAST", "131072"],
  ["its largest where nothing is said", "CONNECTIONS_MOST", "524288"],
  ["least wait for a confirmation", "CONFIRM_LEAST", "5"],
  ["longest wait for a confirmation", "CONFIRM_MOST", "700"],
  ["usual wait for a confirmation", "CONFIRM_WAIT", "40"],
];

/** What only one side has; that it stands in one place is to be seen by changing it, too. */
export const OTHERS: typeof SHARED = [
  ["ids of ExternalNetworks", "NETWORK_ID", '"group:"'],
  ["ids of lists", "LIST", '"list:"'],
  ["memory for a connection", "CONNECTION_MEMORY", "8192"],
  ["the largest table that can be asked for", "CONNECTIONS_HIGHEST", "8388608"],
  ["releases that were tested", "RELEASES", '"debian/13 fedora/43"'],
  ["the same in words", "RELEASES_TOLD", '"Debian 13 or Fedora 43"'],
  ["place of what runs", "RUN", '"/run/vpc7"'],
  ["the mark of what the filter has seen", "SEEN", '"0x20000000"'],
  ["all other bits of the mark", "NOT_SEEN", '"0xdfffffff"'],
  ["place of passwords", "PASSWORDS", '"secrets.d"'],
  ["name of who tells passwords", "DATA_SERVER", '"password-server"'],
];

const source = readFileSync(new URL("../../../provider/contract.ts", import.meta.url), "utf8");

/** The contract with other values. */
export function contractWith(changes: typeof SHARED): Contract {
  const changed = changes.reduce((text, [fact, name, other]) => {
    const line = new RegExp(`^((?:export )?const ${name} = )(.*);$`, "m");
    const before = line.exec(text)?.[2];
    if (before === undefined || before === other) throw new Error(`${fact}: ${name} is ${before}, which is to change`);
    return text.replace(line, (_, start) => `${start}${other};`);
  }, source);
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
  const exports = {};
  new Function("exports", ts.transpileModule(changed, { compilerOptions: options }).outputText)(exports);
  return exports as Contract;
}

export type World = Awaited<ReturnType<typeof worldOf>>;

export async function worldOf(contract: Contract) {
  vi.resetModules();
  vi.doMock("../../../provider/contract", () => contract);
  const { kinds } = await import("../../../provider/kinds");
  const { arguments_, check } = await import("../check");
  return {
    contract,
    arguments: arguments_,
    samples: (await import("../fuzz/arguments")).valid,
    drift: await import("../../../provider/drift"),
    payload: await import("../../../provider/router/payload"),
    program: await import("../../../provider/router/program"),
    secrets: await import("../../../provider/secrets"),
    state: await import("../../../provider/state"),
    kinds: Object.keys(kinds) as KindName[],
    /** A resource as `create` would send it; undefined where its arguments are refused. */
    async resource(kind: KindName, args: Values): Promise<Resource | undefined> {
      const { inputs, reasons } = await check(kind, args);
      if (reasons.length > 0) return undefined;
      return { kind, id: kinds[kind].identify(inputs as never), inputs };
    },
  };
}

export interface Resource {
  kind: KindName;
  id: string;
  inputs: Values;
}
