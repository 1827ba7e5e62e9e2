// What each service of a router does when its part changes, as provider/router/program/services says it: a slot's name finds both.

import type { Resource } from "../stack";
import { type Change, label, type Moved, type Slot } from "./change";
import { firewall } from "./firewall";
import { balancer, certificates } from "./load-balancer";
import { network } from "./network";
import { routing } from "./routing";

export const RESTARTS_DNSMASQ =
  "restarts dnsmasq: DHCP, DNS and advertisements of all its tiers pause for well under a second";

export const services: Record<string, (slot: Slot, change: Change) => void> = {
  packages({ come }, { tell }) {
    if (come.length > 0)
      tell(
        "note",
        come.map(({ line }) => `\`${line}\``).join(", "),
        "installed where missing, before anything is switched",
      );
  },
  // Whose a prefix is, which is compared and goes nowhere.
  owner() {},
  adopt({ come }, { tell, router }) {
    if (come.length > 0)
      tell(
        "unknown",
        `Router \`${router}\``,
        "may put its own in the place of routes and of an FRR that it finds there (`adopt`): whatever these carry is concerned",
      );
  },
  network,
  nftables: firewall,
  sysctl({ gone }, { tell, router }) {
    for (const { line } of gone) {
      if (/\.forwarding = 1$/.test(line))
        tell("ends", `Router \`${router}\``, "forwards no longer, as nothing on it asks for that");
      else if (/\.ip_forward = 1$/.test(line))
        tell(
          "ends",
          `Router \`${router}\``,
          "forwards IPv4 no longer, as nothing on it asks for that (if it did so before vpc6, it still does)",
        );
      else
        tell(
          "unknown",
          `\`${line}\``,
          "goes back to what was found before vpc6; what that does to traffic is not known here",
        );
    }
  },
  // Without a tier it does not run.
  dnsmasq({ ran, runs }, { tell, router }) {
    if (!ran || !runs) return;
    tell("pauses", `Router \`${router}\``, RESTARTS_DNSMASQ);
  },
  // Files that dnsmasq watches: no restart. A lease goes to a DUID; who is known by another cannot renew it.
  "dhcp-hosts"({ gone, come }, { slots, tell }) {
    const client = (line: string) => line.split(",").find((it) => it.startsWith("id:"));
    const heldBy = (owner: Resource, moved: Moved[]) => moved.find((it) => it.owner === owner)?.line;
    for (const { line, owner } of gone) {
      const now = heldBy(owner, come);
      // That its MAC address or its address goes is told by its permanent neighbour.
      if (owner.op !== "update" || now === undefined || client(now) === client(line)) continue;
      if (heldBy(owner, slots.get("network")?.gone ?? []) !== undefined) continue;
      tell(
        "ends",
        label(owner),
        "leases to another DUID: who is known by the old one cannot renew, and is cut off within the hour",
      );
    }
  },
  "dns-hosts"({ gone, come }, { tell }) {
    const names = (moved: Moved[]) => moved.map(({ line }) => line.split(" ")[1] ?? "");
    const left = new Set(names(come));
    for (const { line, owner } of gone) {
      const name = line.split(" ")[1] ?? "";
      if (owner.op === "update" && !left.has(name)) tell("closes", `\`${name}\``, "is no longer a name in DNS");
    }
  },
  haproxy: balancer,
  certificates,
  frr: routing,
  // A translator is started again for itself, and its device stays.
  tayga({ gone, come }, { tell }) {
    for (const owner of new Set([...gone, ...come].map((it) => it.owner))) {
      if (owner.op !== "update") continue;
      const moved = gone.some((it) => it.owner === owner && /^(prefix|dynamic-pool) /.test(it.line));
      if (moved) tell("ends", label(owner), "translates to another prefix or pool: connections through NAT64 end");
      else
        tell(
          "pauses",
          label(owner),
          "the NAT64 translator is started again: connections through it pause for a moment",
        );
    }
  },
  // Reads its configuration again while it runs.
  named({ gone, come }, { tell }) {
    for (const { line, owner } of gone) {
      if (owner.op !== "update" || !line.startsWith("dns64 ") || come.some((it) => it.owner === owner)) continue;
      tell(
        "closes",
        label(owner),
        "answers names that have IPv4 addresses only no longer (DNS64); open connections go on",
      );
    }
  },
  // A process is started for who asks, and waits in nobody's way: the socket stays, and guests ask at their boot.
  passwords({ gone, come }, { tell }) {
    for (const owner of new Set([...gone, ...come].map((it) => it.owner))) {
      if (owner.op !== "update") continue;
      const said = come.some((it) => it.owner === owner)
        ? "is told its password when it asks next, at its boot"
        : "is told no password any more";
      tell("note", label(owner), said);
    }
  },
};
