// What a resource means as a whole, when it goes, moves or is renumbered.

import { UNKNOWN } from "../../provider/unknown";
import { type Resource, routerNameOf, textOf } from "../stack";
import { type Change, type Level, label, side } from "./change";

export function ofResource(it: Resource, { router, tell }: Change): void {
  const here = routerNameOf(it.before) === router;
  const there = routerNameOf(it.after) === router;
  if (!here) return;
  const subject = label(it);
  const moves = it.op === "replace";
  if (moves || it.op === "delete") {
    const [level, sentence] = goes[it.kind] ?? [
      "unknown",
      "is taken off the router; what that does to traffic is not known here",
    ];
    if (!moves) tell(level, subject, sentence);
    else if (!there)
      tell(
        "ends",
        subject,
        `moves to router \`${routerNameOf(it.after) ?? "?"}\`: it is taken off this one first, and is nowhere meanwhile`,
      );
    else tell("ends", subject, "is taken away and made anew: it is gone meanwhile");
    return;
  }
  const [old, now] = [textOf(it.before, "cidr"), textOf(it.after, "cidr")];
  if (it.kind === "Vpc" && old !== undefined && now !== undefined && old !== now) {
    tell(
      "ends",
      subject,
      `is renumbered from \`${old}\` to \`${now}\`, with all that is in it: connections to the old addresses end`,
    );
  }
  if (["Tier", "IsolatedNetwork"].includes(it.kind) && old !== undefined && now !== undefined && old !== now) {
    tell(
      "ends",
      subject,
      `is renumbered from \`${old}\` to \`${now}\`: connections of its guests end, and they have no network until they renew their lease (half an hour, or at once by hand)`,
    );
  }
  const unknown = Object.entries(side(router, it.after)).filter(([, text]) => text.includes(UNKNOWN));
  if (it.op === "update" && unknown.length > 0) {
    tell(
      "unknown",
      subject,
      `its ${unknown.map(([slot]) => `\`${slot || "configuration"}\``).join(", ")} is not known before \`pulumi up\``,
    );
  }
}

const goes: Record<string, [Level, string]> = {
  Router: ["ends", "vpc6 takes all its configuration off the machine: whatever goes through it ends"],
  Vpc: ["ends", "is no longer routed: whatever goes to or from its prefix ends"],
  Tier: ["ends", "is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network"],
  Instance: [
    "ends",
    "is taken off the router: the guest loses its lease, its name and its hold on the address, and so the network",
  ],
  NetworkAcl: ["closes", "is gone: its tiers refuse new connections both ways, as without any list; open ones go on"],
  ExternalNetwork: ["note", "is on no router; the lists that named it show what changes for them"],
  LoadBalancer: ["ends", "no longer answers: new connections are refused, and open ones end with its address"],
  BgpPeer: ["note", "is taken off; what that means for sessions and prefixes is told beside"],
  Zone: ["note", "is on no router"],
  Certificate: ["note", "is on no router by itself"],
  Nat64: ["ends", "is gone: guests of its VPC reach no IPv4 address any more, and open connections through it end"],
  IsolatedNetwork: ["ends", "is taken off the router: its guests lose their gateway, DHCP and DNS, and so the network"],
  Uplink: [
    "ends",
    "is taken off: the BGP sessions that were its own end, and their prefixes are no longer reached through it",
  ],
};
