// All kinds by the last word of their type, in the order in which one is built on another. Hooks, reports and pictures know them from here.

import type { Kind } from "../kind";
import { bgpPeer } from "./bgp-peer";
import { externalNetwork } from "./external-network";
import { instance } from "./instance";
import { isolatedNetwork } from "./isolated-network";
import { loadBalancer } from "./load-balancer";
import { nat64 } from "./nat64";
import { networkAcl } from "./network-acl";
import { router } from "./router";
import { secondaryAddress } from "./secondary-address";
import { tier } from "./tier";
import { uplink } from "./uplink";
import { vpc } from "./vpc";
import { zone } from "./zone";

export const kinds = {
  Zone: zone,
  Router: router,
  Uplink: uplink,
  Vpc: vpc,
  Nat64: nat64,
  IsolatedNetwork: isolatedNetwork,
  Tier: tier,
  ExternalNetwork: externalNetwork,
  NetworkAcl: networkAcl,
  LoadBalancer: loadBalancer,
  BgpPeer: bgpPeer,
  Instance: instance,
  SecondaryAddress: secondaryAddress,
} satisfies Record<string, Kind>;

/** Of a kind that is not known here: undefined. */
export const kindOf = (type: string): Kind | undefined =>
  Object.hasOwn(kinds, type) ? (kinds as Record<string, Kind>)[type] : undefined;
