// HAProxy: every change is a reload, which ends no connection.

import { type Change, label, readdressed, type Slot } from "./change";

export function balancer({ gone, come }: Slot, { tell }: Change): void {
  const named = new Set(come.filter(({ line }) => line.startsWith("server ")).map(({ line }) => line.split(" ")[1]));
  const owners = new Set([...gone, ...come].map(({ owner }) => owner));
  for (const owner of owners) {
    if (["create", "delete", "replace"].includes(owner.op)) continue;
    const mine = gone.filter((it) => it.owner === owner).map(({ line }) => line);
    const theirs = come.filter((it) => it.owner === owner).map(({ line }) => line);
    const word = (lines: string[], start: string) => lines.find((line) => line.startsWith(`${start} `))?.split(" ");
    const [was, is] = [word(mine, "bind"), word(theirs, "bind")];
    if (was && was[1] !== is?.[1] && !readdressed(owner)) {
      tell(
        "closes",
        label(owner),
        "is no longer offered where it was: new connections to the old address or port are refused",
      );
    } else if (was && is && was.includes("ssl") !== is.includes("ssl")) {
      const now = is.includes("ssl") ? "ends TLS itself from now on" : "no longer ends TLS itself";
      tell("closes", label(owner), `${now}: new connections that are not made for that fail; open ones go on`);
    }
    const [mode, other] = [word(mine, "mode")?.[1], word(theirs, "mode")?.[1]];
    if (mode !== undefined && other !== undefined)
      tell(
        "closes",
        label(owner),
        `takes new connections as \`${other}\` instead of \`${mode}\`: what is not that is refused`,
      );
    for (const line of mine.filter((it) => it.startsWith("server "))) {
      const name = line.split(" ")[1] ?? "";
      if (!named.has(name))
        tell(
          "note",
          label(owner),
          `gives \`${name}\` no new connections; those it has go on until they end by themselves`,
        );
    }
    tell(
      "note",
      label(owner),
      "is reloaded: a new HAProxy takes the listening sockets over, the old one ends with its last connection",
    );
  }
}

export function certificates({ gone, come }: Slot, { tell }: Change): void {
  for (const owner of new Set([...gone, ...come].map((it) => it.owner))) {
    if (owner.op === "update")
      tell("note", label(owner), "shows another certificate to new connections; open ones go on");
  }
}
