// What tests ask of a host's FRR.

import { connect } from "node:net";
import { lab, type Router } from "./lab.ts";

export type Speaker = Router | "uplink" | "edge";

/**
 * What a daemon shows. It is asked over its own socket, as vtysh would do: each start of vtysh costs 40 ms of a processor, and most
 * questions are asked again and again.
 */
export async function show<T>(host: Speaker, what: string, daemon: "bgpd" | "bfdd" = "bgpd"): Promise<T> {
  const path = `${lab.root(host)}/run/frr/${daemon}.vty`;
  const socket = connect({ path, signal: AbortSignal.timeout(20_000) });
  socket.setEncoding("latin1").write(`enable\0show ${what} json\0`);
  let said = "";
  for await (const part of socket) {
    said += part;
    // At the end of each answer stand three zeros and whether it went well.
    const [, text = "", code] = /^\0{4}(.*)\0{3}(.)$/s.exec(said) ?? [];
    if (code === "\0") return JSON.parse(text) as T;
    if (code !== undefined) throw new Error(`${host}: show ${what}: ${text}`);
  }
  throw new Error(`${host}: ${daemon} has nothing to say to: show ${what}`);
}

/** Commands as an operator types them, one after another. */
export async function told(host: Speaker, ...commands: string[]): Promise<string> {
  const words = commands.flatMap((command) => ["-c", command]);
  return (await lab.exec(host, ["env", "VTYSH_HISTFILE=/tmp/vtysh", "vtysh", ...words])).stdout;
}

/** The prefixes that a host has by BGP, its own included. */
export async function routes(host: Speaker): Promise<string[]> {
  const { routes } = await show<{ routes: Record<string, unknown> }>(host, "bgp ipv6 unicast");
  return Object.keys(routes).sort();
}

export interface Session {
  bgpState: string;
  connectionsEstablished: number;
  lastResetDueTo?: string;
  peerBfdInfo?: { status: string };
}
export const sessions = (host: Speaker) => show<Record<string, Session>>(host, "bgp neighbors");

/** Waits for the bgpd of a host that was booted a moment ago. */
export const speaks = (host: Speaker) =>
  lab.until(`${host}'s bgpd`, 30_000, () => sessions(host).then(Boolean, () => false));

/** How many sessions there have been: as many as before when none was lost. */
export async function established(host: Speaker, neighbor = "2001:db8:ffff::1"): Promise<number> {
  return lab.until(`${host}'s session with ${neighbor}`, 30_000, async () => {
    const session = (await sessions(host))[neighbor];
    return session?.bgpState === "Established" && session.connectionsEstablished;
  });
}

/** Waits until a host sends what is for a prefix to the neighbour: the kernel has a route a moment after bgpd does. */
export const routed = (host: Speaker, prefix: string, via: string) =>
  lab.until(`${host}'s route to ${prefix} via ${via}`, 5_000, async () =>
    (await lab.exec(host, `ip -6 route show ${prefix} proto bgp`)).stdout.includes(`via ${via} dev pub0`),
  );

export const known = (host: Speaker, prefix: string, there = true) =>
  lab.until(`${host} ${there ? "to have" : "to lose"} ${prefix}`, 20_000, async () => {
    return (await routes(host)).includes(prefix) === there;
  });
