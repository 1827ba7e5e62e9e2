// Vpc: a prefix from the zone, the ledger of its tiers and virtual addresses, and on the router the service address and IPv6 forwarding.
// With `ipv6: false` it has no prefix and nothing on the router.

import { checkSplit, type PoolSpec } from "../addressing/allotment";
import { formatAddress, nth, sizeOf, subnet } from "../addressing/prefix";
import { boolean, list, optional, record, withDefault } from "../arguments";
import { type Claim, claims, ledgerOf, rebase, share } from "../claims";
import { address6, claim, dnsLabel, domain, grant, lengthOf, owner, prefix6, prefixOf, way } from "../fields";
import { firstName, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import { derive, hasUnknown } from "../unknown";
import { routerOf } from "../way";
import { vpcPrefixLength } from "./zone";

const shape = record({
  claim,
  domain: optional(domain),
  ntpServers: withDefault(list(address6), []),
  ipv6: boolean,
  cidr: optional(prefix6),
  vpcPrefixLength: optional(vpcPrefixLength),
  grant: optional(grant),
  owner: optional(owner),
  claims,
  router: way,
});
type Args = ReturnType<typeof shape>;

export const vpc: Kind<Args> = {
  type: "Vpc",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { claim, ntpServers, ipv6, router, cidr: explicitCidr, vpcPrefixLength: length } = args;
    const names = namesOf(claim, old);
    const domain = args.domain ?? `${dnsLabel(firstName(names))}.internal`;
    const common = { ...names, domain, ntpServers, ipv6, router };
    if (!ipv6) {
      if (length !== undefined) fail(`vpcPrefixLength: ${length} on a VPC with ipv6: false; leave one of them out`);
      if (explicitCidr !== undefined) fail(`cidr: "${explicitCidr}" on a VPC with ipv6: false; leave one of them out`);
      return { ...common, ledger: "no prefixes, as ipv6 is false", fragments: {} };
    }
    const path = length === undefined ? undefined : "vpcPrefixLength";
    const own = { claim, old, property: "cidr", explicit: explicitCidr, path };
    const cidr = args.grant && share({ ...own, grant: args.grant }, fail);
    if (cidr === undefined) return common;
    if (length !== undefined && !hasUnknown(cidr) && lengthOf(cidr) !== length) {
      fail(
        `vpcPrefixLength: ${length} comes too late: the ledger has ${cidr} for "${claim}"; build the resource earlier`,
      );
    }
    const routerAddress = derive([cidr], (it) => formatAddress(nth(prefixOf(it), 1)));
    const ledger = derive([cidr, args.claims] as const, (it, all) => {
      const split = checkSplit(prefixOf(it), 64, 1);
      if (split) fail(`cidr: ${split}`);
      const before = rebase(old?.ledger as string | undefined, old?.cidr, it);
      return split ? "" : ledgerOf(pools(it, hasVips(before, all)), before, all, fail);
    });
    return {
      ...common,
      cidr,
      routerAddress,
      ledger,
      fragments: render("vpc", { cidr, routerAddress, owner: args.owner }),
    };
  },
  identify: (inputs) =>
    `${firstName(inputs)}@${inputs.cidr ? String(inputs.cidr).split("/")[0] : routerOf(inputs.router ?? "")}`,
  describe: (inputs) => `"${firstName(inputs)}"`,
};

/** Virtual addresses are in the ledger once there is, or was, one: a VPC without any does not speak of them. */
const hasVips = (ledger: string | undefined, all: Claim[]): boolean =>
  all.some(({ kind }) => kind === "vip") || /^vip /m.test(ledger ?? "");

/** Virtual addresses are ::80 to ::ffff of the router's own /64: below are the router's, above is room for others. */
const FIRST_VIP = 0x80n;
const LAST_VIP = 0xffffn;

function pools(cidr: string, vips: boolean): PoolSpec[] {
  const within = prefixOf(cidr);
  const own = subnet(within, 64, 0);
  const reserved = [{ first: own.base, last: own.base + sizeOf(own) - 1n, reason: "the VPC's own router" }];
  const range = { family: own.family, first: own.base + FIRST_VIP, last: own.base + LAST_VIP };
  const tiers: PoolSpec[] = [
    {
      kind: "tier",
      what: "tier prefix",
      plural: "tier prefixes",
      format: "prefix",
      within,
      length: 64,
      container: "VPC prefix",
      reserved,
    },
  ];
  if (!vips) return tiers;
  return [
    ...tiers,
    { kind: "vip", what: "virtual address", plural: "virtual addresses", format: "address", within: range },
  ];
}
