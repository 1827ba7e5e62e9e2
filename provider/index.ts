// What the provider process loads: `require("vpc6/provider").Tier` (resources/resource.ts). These names stand in the states of
// users and are kept for ever.

import { hooks } from "./hooks";
import { kinds } from "./kinds";

export const Zone = hooks(kinds.Zone);
export const Router = hooks(kinds.Router);
export const Vpc = hooks(kinds.Vpc);
export const Tier = hooks(kinds.Tier);
export const IsolatedNetwork = hooks(kinds.IsolatedNetwork);
export const Instance = hooks(kinds.Instance);
export const SecondaryAddress = hooks(kinds.SecondaryAddress);
export const NetworkAcl = hooks(kinds.NetworkAcl);
export const ExternalNetwork = hooks(kinds.ExternalNetwork);
export const LoadBalancer = hooks(kinds.LoadBalancer);
export const BgpPeer = hooks(kinds.BgpPeer);
export const Uplink = hooks(kinds.Uplink);
export const Nat64 = hooks(kinds.Nat64);
