// What a program imports: `import * as vpc6 from "vpc6"`. A file for each resource.

export { type BfdArgs, BgpPeer, type BgpPeerArgs, type BgpTimersArgs } from "./bgp-peer";
export { ExternalNetwork, type ExternalNetworkArgs } from "./external-network";
export { Instance, type InstanceArgs } from "./instance";
export { IsolatedNetwork, type IsolatedNetworkArgs } from "./isolated-network";
export { type HealthArgs, LoadBalancer, type LoadBalancerArgs, type MemberArgs, type TlsArgs } from "./load-balancer";
export { type Dns64Args, Nat64, type Nat64Args } from "./nat64";
export {
  NetworkAcl,
  type NetworkAclArgs,
  type NetworkAclEnd,
  type NetworkAclRuleArgs,
  type NetworkAclTestArgs,
} from "./network-acl";
export type { Resource } from "./resource";
export { type HopArgs, Router, type RouterArgs } from "./router";
export { SecondaryAddress, type SecondaryAddressArgs } from "./secondary-address";
export { type RouterShare, SharedRouter, SharedZone, type ZoneShare } from "./shared";
export { Tier, type TierArgs, type TierIpv4Args } from "./tier";
export { Uplink, type UplinkArgs, type UplinkNeighborArgs } from "./uplink";
export { Vpc, type VpcArgs } from "./vpc";
export { type PublicNetworkArgs, type ReservationArgs, Zone, type ZoneArgs } from "./zone";
