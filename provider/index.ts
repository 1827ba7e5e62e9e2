// What the provider process loads: `require("vpc6/provider").Tier` (resources/resource.ts). These names stand in the states of
// users and are kept for ever.

import { hooks } from "./hooks";
import { bgpPeer } from "./kinds/bgp-peer";
import { externalNetwork } from "./kinds/external-network";
import { instance } from "./kinds/instance";
import { isolatedNetwork } from "./kinds/isolated-network";
import { loadBalancer } from "./kinds/load-balancer";
import { nat64 } from "./kinds/nat64";
import { networkAcl } from "./kinds/network-acl";
import { router } from "./kinds/router";
import { tier } from "./kinds/tier";
import { uplink } from "./kinds/uplink";
import { vpc } from "./kinds/vpc";
import { zone } from "./kinds/zone";

export const Zone = hooks(zone);
export const Router = hooks(router);
export const Vpc = hooks(vpc);
export const Tier = hooks(tier);
export const IsolatedNetwork = hooks(isolatedNetwork);
export const Instance = hooks(instance);
export const NetworkAcl = hooks(networkAcl);
export const ExternalNetwork = hooks(externalNetwork);
export const LoadBalancer = hooks(loadBalancer);
export const BgpPeer = hooks(bgpPeer);
export const Uplink = hooks(uplink);
export const Nat64 = hooks(nat64);
