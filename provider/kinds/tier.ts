// Tier: a /64 of the VPC on one interface of its router, with the ledger of its instances' addresses; on the router the gateway's
// address, a place in the firewall, router advertisements, DHCPv6 and DNS.

import type { PoolSpec } from "../addressing/allotment";
import { contains, formatAddress, nth } from "../addressing/prefix";
import { type Fail, list, optional, record, type Type, text } from "../arguments";
import { claims, ledgerOf, rebase, share } from "../claims";
import {
  address6,
  addressOf,
  claim,
  dnsLabel,
  domain,
  grant,
  interfaceName,
  mac,
  owner,
  prefix6,
  prefixOf,
  way,
} from "../fields";
import { firstName, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import { derive, hasUnknown } from "../unknown";

const asIs: Type<string> = text("", (it) => it);

const shape = record({
  claim,
  interface: optional(interfaceName),
  mac: optional(mac),
  domain: optional(domain),
  cidr: optional(prefix6),
  gateway: optional(address6),
  grant: optional(grant),
  vpc: record({ domain: asIs, ntpServers: list(asIs) }),
  owner: optional(owner),
  claims,
  router: way,
});
type Args = ReturnType<typeof shape>;

/** The first addresses of a tier are the router's: ::1 by default, and room for what may come. */
const FIRST_INSTANCE = 0x10n;

export const tier: Kind<Args> = {
  type: "Tier",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { claim, router, vpc, cidr: explicitCidr, gateway: explicitGateway } = args;
    const names = namesOf(claim, old);
    const domain = args.domain ?? derive([vpc.domain], (it) => `${dnsLabel(firstName(names))}.${it}`);
    const device = deviceOf(args, fail);
    const common = { ...names, domain, interface: device, router };
    if (args.grant === undefined) {
      if (explicitCidr !== undefined) fail(`cidr: "${explicitCidr}" in a VPC with ipv6: false; leave one of them out`);
      return { ...common, ledger: "no addresses, as the VPC has no IPv6", fragments: {} };
    }
    const cidr = share({ claim, old, grant: args.grant, property: "cidr", explicit: explicitCidr }, fail);
    if (cidr === undefined || device === undefined) return common;
    const gateway = explicitGateway ?? derive([cidr], (it) => formatAddress(nth(prefixOf(it), 1)));
    if (!hasUnknown([cidr, gateway]) && !contains(prefixOf(cidr), addressOf(gateway))) {
      fail(`gateway: "${gateway}" is not inside the tier's ${cidr}`);
      return common;
    }
    const ledger = derive([cidr, gateway, args.claims] as const, (...it) =>
      ledgerOf(pools(it[0], it[1]), rebase(old?.ledger as string | undefined, old?.cidr, it[0]), it[2], fail),
    );
    const fragments = render("tier", {
      cidr,
      gateway,
      interface: device,
      network: derive([cidr], (it) => it.split("/")[0] ?? ""),
      length: derive([cidr], (it) => it.split("/")[1] ?? ""),
      domain,
      search: domain === vpc.domain ? domain : `${domain},${vpc.domain}`,
      ntpServers: derive([vpc.ntpServers] as const, (servers) => servers.map((it) => `[${it}]`).join(",")),
    });
    return { ...common, cidr, gateway, ledger, fragments };
  },
  identify: (inputs) => `${firstName(inputs)}@${inputs.cidr ? String(inputs.cidr).split("/")[0] : inputs.interface}`,
  describe: (inputs) => `"${firstName(inputs)}"`,
};

/**
 * The interface's name, or where it was given by MAC a token that the router replaces by the name it finds. The token's 16
 * characters are more than any interface name can have.
 */
function deviceOf(args: Args, fail: Fail): string | undefined {
  if ((args.interface === undefined) === (args.mac === undefined)) {
    fail("interface: name the router's interface in this tier by `interface` or by `mac`, and by one of them only");
    return undefined;
  }
  return args.interface ?? (args.mac && derive([args.mac], (it) => `mac-${it.replaceAll(":", "")}`));
}

function pools(cidr: string, gateway: string): PoolSpec[] {
  const within = prefixOf(cidr);
  const own = addressOf(gateway).value;
  const reserved = [{ first: within.base, last: within.base + FIRST_INSTANCE - 1n, reason: "the router" }];
  if (own >= within.base + FIRST_INSTANCE) reserved.push({ first: own, last: own, reason: "the gateway" });
  return [{ kind: "instance", what: "address", plural: "addresses", format: "address", within, reserved }];
}
