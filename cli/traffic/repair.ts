// What it does to traffic that a router which is not as it was applied is put right (docs/drift.md).

import { isMissing, startsDnsmasqAnew } from "../../provider/drift";
import { RESTARTS_DNSMASQ } from "../../provider/traffic";
import { code, md, own } from "../markdown";
import type { Resource } from "../stack";
import { label, type Tell } from "./effect";

export function ofRepair(it: Resource, router: string, tell: Tell): void {
  // What is missing is put there, and ends nothing.
  if (it.op !== "update" || it.trouble === undefined || isMissing(it.trouble)) return;
  if (startsDnsmasqAnew(it.trouble)) tell("pauses", md`Router ${code(router)}`, own(RESTARTS_DNSMASQ));
  tell("unknown", label(it), md`is not as it was applied, and is put right: what works only because of that ends`);
}
