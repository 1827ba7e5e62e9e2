// What it does to traffic that a router which is not as it was applied is put right (docs/drift.md).

import { RESTARTS_DNSMASQ } from "../../provider/traffic";
import { code } from "../markdown";
import type { Resource } from "../stack";
import { label, type Tell } from "./effect";

/** Differences for which dnsmasq is started anew: its own, and a tier that was no way out (provider/router/program/services). */
const STARTS_ANEW = [
  /^dnsmasq on .*(\/files\/dnsmasq|vpc6-dnsmasq)/,
  /^network on .*, address removed, (?!lo )\S+ \S*:/,
  /^(network|sysctl) on .*\.forwarding = 0 /,
];

export function ofRepair(it: Resource, router: string, tell: Tell): void {
  // What is missing is put there, and ends nothing.
  if (it.op !== "update" || it.trouble === undefined || it.trouble.startsWith("missing on ")) return;
  if (it.trouble.split("\n").some((line) => STARTS_ANEW.some((one) => one.test(line)))) {
    tell("pauses", `Router ${code(router)}`, RESTARTS_DNSMASQ);
  }
  tell("unknown", label(it), "is not as it was applied, and is put right: what works only because of that ends");
}
