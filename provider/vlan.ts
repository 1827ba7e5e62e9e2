// VLANs (IEEE 802.1Q): a tag on an interface of the router carries a network of its own. The router makes the link, under this name.

import { createHash } from "node:crypto";
import { integer } from "./arguments";
import { derive } from "./unknown";

/** 0 and 4095 are not for networks (IEEE 802.1Q table 9-2). */
export const vlanId = integer(1, 4094, "a VLAN id");

/** What a name may have (IFNAMSIZ 16 with the end mark). */
const LONGEST = 15;

/**
 * The link's name: `trunk0.101`; of an interface with a long name, or that is known by a token, `vlan101-` and some characters that are always
 * the same for it. Should two ever be called alike, the router refuses the second one.
 */
export function vlanDevice(trunk: string, id: number): string {
  const usual = `${trunk}.${id}`;
  if (usual.length <= LONGEST) return usual;
  const digest = createHash("sha256").update(trunk).digest().readBigUInt64BE().toString(36);
  return `vlan${id}-${digest.slice(0, 6)}`;
}

/** What is used of the router's links: one that is there, or a VLAN that the router makes on the `trunk`. */
export interface Link {
  device: string;
  trunk?: string;
  vlan?: number;
}

/**
 * `named` is what the arguments name, `old` what the last run has made of it: with `ignoreChanges` the engine puts the name of the VLAN's own
 * link in the place of the argument.
 */
export function linkOf(named: string, vlan: number | undefined, old: { [K in keyof Link]: unknown }): Link {
  if (vlan === undefined) return { device: named };
  const trunk = named === old.device && vlan === old.vlan && typeof old.trunk === "string" ? old.trunk : named;
  return { device: derive([trunk, vlan] as const, vlanDevice), trunk, vlan };
}
