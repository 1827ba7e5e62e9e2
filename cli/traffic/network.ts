// Addresses, routes, permanent neighbours and interfaces.

import { type Resource, textOf } from "../stack";
import { type Change, label, type Slot } from "./change";

export function network({ gone, come }: Slot, { tell, router }: Change): void {
  const arrives = new Map(come.map(({ line }) => [line.split(" ").slice(0, 3).join(" "), line]));
  for (const { line, owner } of gone) {
    const [word = "", device = "", what = "", , via] = line.split(" ");
    // A deleted or moved resource is told of as a whole.
    if (owner.op === "delete" || owner.op === "replace") continue;
    const subject = label(owner);
    // Told as a whole.
    if (renumbered(owner)) continue;
    if (arrives.has(`${word} ${device} ${what}`) && word === "address") continue;
    const other = come.find((it) => it.owner === owner && it.line.startsWith("address ") && !it.line.includes(":"));
    if (word === "interface")
      tell("ends", subject, `no longer uses the interface \`${device}\`: who is on it loses the network`);
    else if (word === "neighbor" && arrives.has(`${word} ${device} ${what}`)) {
      tell("ends", subject, `is known by another MAC address from now on: the old one is cut off from \`${what}\``);
    } else if (word === "neighbor") tell("ends", subject, `gives up its address \`${what}\`: connections with it end`);
    else if (word === "address" && device === "lo")
      tell("ends", subject, `\`${bare(what)}\` is taken off the router: connections to it end`);
    else if (word === "address" && owner.kind === "Router")
      tell("ends", subject, `\`${bare(what)}\` is taken off the router: connections to it (SSH, BGP) end`);
    else if (word === "address" && !what.includes(":"))
      tell(
        "ends",
        subject,
        other
          ? `has another IPv4 gateway than \`${bare(what)}\`: its guests' IPv4 stalls until they renew their lease (half an hour, or at once by hand)`
          : `has no IPv4 any more: the gateway \`${bare(what)}\` goes, and all IPv4 of its guests with it`,
      );
    else if (word === "address")
      tell(
        "ends",
        subject,
        `has another gateway than \`${bare(what)}\`: guests' connections stall until they have learned it from an advertisement`,
      );
    else if (word === "route")
      tell("ends", `Router \`${router}\``, `no longer sends what is for \`${what}\` to \`${via ?? "?"}\``);
    else if (word !== "unreachable")
      tell("unknown", `\`${line}\``, "goes from the router's network; what that does to traffic is not known here");
  }
}
/** A tier or VPC with another prefix. */
const renumbered = ({ kind, before, after }: Resource): boolean =>
  ["Vpc", "Tier", "IsolatedNetwork"].includes(kind) && textOf(before, "cidr") !== textOf(after, "cidr");
const bare = (address: string): string => address.replace(/\/\d+$/, "");
