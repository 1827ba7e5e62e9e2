// FRR, which takes differences: what a change does not concern goes on.

import { fragmentsOf, type Resource } from "../stack";
import { type Change, label, type Slot } from "./change";

export function routing({ gone, come }: Slot, { tell, router }: Change): void {
  const text = come.map(({ line }) => line);
  const asn = gone.find(({ line }) => line.startsWith("router bgp "));
  if (asn && text.some((line) => line.startsWith("router bgp "))) {
    tell(
      "pauses",
      `Router \`${router}\``,
      "gets another AS number: all its BGP sessions end and come back, within a second or two",
    );
  }
  const over = new Set(gone.filter(({ line }) => / remote-as /.test(line)).map(({ owner }) => owner));
  for (const { line, owner } of gone) {
    const [word = "", neighbor = "", what = "", ...rest] = line.split(" ");
    const again = (start: string) => text.some((it) => it.startsWith(start));
    if (word === "neighbor" && what === "remote-as") {
      if (again(`neighbor ${neighbor} remote-as`))
        tell(
          "pauses",
          label(owner),
          `the BGP session with \`${neighbor}\` ends and is opened again, with another AS number`,
        );
      else
        tell(
          "ends",
          label(owner),
          `the BGP session with \`${neighbor}\` ends: what it announced is no longer reached through it, and our prefixes are withdrawn from it`,
        );
    } else if (over.has(owner)) {
      // The end of the session says it all.
    } else if (line.startsWith("bgp listen range ") && owner.op === "update") {
      tell(
        "ends",
        label(owner),
        `takes no sessions from \`${rest[0] ?? "?"}\` any more: those with neighbours there end`,
      );
    } else if (word === "neighbor" && what === "password" && listens(owner, neighbor)) {
      // frr_keys_drop: the kernel would keep the old one until FRR ends.
      tell(
        "pauses",
        `Router \`${router}\``,
        "starts FRR again, as the password of a range of neighbours changes: all its BGP sessions end and come back",
      );
    } else if (word === "neighbor" && what === "default-originate" && owner.op === "update") {
      tell("ends", label(owner), "announces no default route any more: who went out by it no longer does");
    } else if (
      word === "neighbor" &&
      ["timers", "ebgp-multihop", "password"].includes(what) &&
      !["delete", "replace"].includes(owner.op)
    ) {
      tell(
        "unknown",
        label(owner),
        `the BGP session with \`${neighbor}\` may end and be opened again, as its \`${what}\` changes`,
      );
    } else if (word === "network" && !again(`${line}`)) {
      tell("ends", label(owner), `\`${neighbor}\` is withdrawn from BGP: who came by that route no longer does`);
    } else if (word === "ipv6" && /^vpc6-in-/.test(what) && rest.includes("permit")) {
      tell(
        "ends",
        label(owner),
        `routes of \`${rest.at(rest.indexOf("permit") + 1)}\` are no longer taken from the neighbour`,
      );
    }
  }
}

/** Whether neighbours of a whole range are known by that name. */
const listens = ({ before }: Resource, group: string): boolean =>
  (fragmentsOf(before).frr ?? "").split("\n").some((it) => /^ *bgp listen range /.test(it) && it.endsWith(` ${group}`));
