// What tests ask of a host's FRR.

import { lab, type Router } from "./lab.ts";

export type Speaker = Router | "uplink" | "edge";

export async function vtysh<T>(host: Speaker, command: string): Promise<T> {
  return JSON.parse(await told(host, `${command} json`)) as T;
}

/** Commands as an operator types them, one after another. */
export async function told(host: Speaker, ...commands: string[]): Promise<string> {
  const words = commands.flatMap((command) => ["-c", command]);
  return (await lab.exec(host, ["env", "VTYSH_HISTFILE=/tmp/vtysh", "vtysh", ...words])).stdout;
}

/** The prefixes that a host has by BGP, its own included. */
export async function routes(host: Speaker): Promise<string[]> {
  const { routes } = await vtysh<{ routes: Record<string, unknown> }>(host, "show bgp ipv6 unicast");
  return Object.keys(routes).sort();
}

export interface Session {
  bgpState: string;
  connectionsEstablished: number;
  lastResetDueTo?: string;
  peerBfdInfo?: { status: string };
}
export const sessions = (host: Speaker) => vtysh<Record<string, Session>>(host, "show bgp neighbors");

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
