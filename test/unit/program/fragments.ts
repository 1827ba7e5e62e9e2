// What kinds really put on a router, as changes for a machine.

import { bgpPeer } from "../../../provider/kinds/bgp-peer";
import { externalNetwork } from "../../../provider/kinds/external-network";
import { instance } from "../../../provider/kinds/instance";
import { isolatedNetwork } from "../../../provider/kinds/isolated-network";
import { loadBalancer } from "../../../provider/kinds/load-balancer";
import { nat64 } from "../../../provider/kinds/nat64";
import { networkAcl } from "../../../provider/kinds/network-acl";
import { router } from "../../../provider/kinds/router";
import { secondaryAddress } from "../../../provider/kinds/secondary-address";
import { tier } from "../../../provider/kinds/tier";
import { uplink } from "../../../provider/kinds/uplink";
import { vpc } from "../../../provider/kinds/vpc";
import type { Fragments } from "../../../provider/router/types";
import { revealed } from "../../../provider/secrets";
import { arguments_, planned, type Values } from "../check";

const kinds = {
  BgpPeer: bgpPeer,
  ExternalNetwork: externalNetwork,
  Instance: instance,
  IsolatedNetwork: isolatedNetwork,
  LoadBalancer: loadBalancer,
  Nat64: nat64,
  NetworkAcl: networkAcl,
  Router: router,
  SecondaryAddress: secondaryAddress,
  Tier: tier,
  Uplink: uplink,
  Vpc: vpc,
};

export interface Resource {
  id: string;
  fragments: Fragments;
}

/** The fragments of a resource with the arguments of check.ts and these. */
export async function of(kind: keyof typeof kinds, change: Values = {}): Promise<Resource> {
  const inputs = await planned(kind, { ...arguments_[kind], ...change });
  const fragments = inputs.fragments as Fragments;
  return { id: kinds[kind].identify(inputs), fragments: { ...fragments, ...revealed(inputs, fragments) } };
}

export const drop = (id: string) => ({ id, fragments: null });
