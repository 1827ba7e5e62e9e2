// The way to a router as one line, for resources to keep: `vr1 root@192.0.2.1:22 SHA256:…`, with ` via user@host:port key` where
// there is a bastion. A line, because every resource of a router shows it in the preview. No secret is in it.

import type { Hop, RouterAddress } from "./router";
import { derive } from "./unknown";

/** From the arguments of whoever is a machine; unknown when one of them is. */
export const wayTo = (
  name: string,
  { host, port, user, hostKey, proxy }: Omit<RouterAddress, "name" | "proxy"> & { proxy?: Hop | undefined },
): string =>
  derive([{ host, port, user, hostKey, ...(proxy && { proxy }) }] as const, (hops) => writeWay({ name, ...hops }));

export function writeWay({ name, proxy, ...hop }: RouterAddress): string {
  return [name, write(hop), ...(proxy ? ["via", write(proxy)] : [])].join(" ");
}

export function readWay(way: string): RouterAddress {
  const [name = "", at = "", key = "", via, proxyAt = "", proxyKey = ""] = way.split(" ");
  return { name, ...read(at, key), ...(via && { proxy: read(proxyAt, proxyKey) }) };
}

/** Whose way it is. */
export const routerOf = (way: string): string => way.split(" ", 1)[0] ?? "";

/**
 * Is what was at the one way to be at another machine now? One that is called otherwise and reached as before is the same one; one that is
 * called as before and reached otherwise too.
 */
export const isElsewhere = (before = "", now = ""): boolean => {
  const [[was, ...old], [is, ...here]] = [before.split(" "), now.split(" ")];
  return was !== is && old.join(" ") !== here.join(" ");
};

/** Does the way lead to a machine with another host key than before: a rebuilt one, of which nothing is known? */
export const isOtherMachine = (before = "", now = ""): boolean => {
  const [old, key] = [before, now].map((way) => way.split(" ")[2]);
  return old !== undefined && key !== undefined && old !== key;
};

function write({ user, host, port, hostKey }: Hop): string {
  // A whole key, `ssh-ed25519 AAAA…`, is two words.
  return `${user}@${host.includes(":") ? `[${host}]` : host}:${port} ${hostKey.replace(" ", "=")}`;
}

function read(at: string, key: string): Hop {
  const [, user = "", bracketed, plain, port] = /^([^@]*)@(?:\[(.*)\]|(.*)):(\d+)$/.exec(at) ?? [];
  const hostKey = key.startsWith("SHA256:") ? key : key.replace("=", " ");
  return { host: bracketed ?? plain ?? "", port: Number(port), user, hostKey };
}
