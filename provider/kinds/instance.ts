// Instance: a guest's address from the tier's ledger; on the router its DHCPv6 reservation, its AAAA and PTR records, and its hold
// on the address: a permanent neighbour entry and the firewall's list of who may send from where.

import { duidLinkLayer, parseMac } from "../addressing/mac";
import { optional, record, type Type, text } from "../arguments";
import { share } from "../claims";
import { address6, claim, duid, grant, hostname, mac, way } from "../fields";
import { firstName, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import { derive } from "../unknown";

const asIs: Type<string> = text("", (it) => it);

const shape = record({
  claim,
  mac: optional(mac),
  duid: optional(duid),
  hostname: optional(hostname),
  address: optional(address6),
  grant,
  tier: record({ interface: asIs, domain: asIs }),
  router: way,
});
type Args = ReturnType<typeof shape>;

export const instance: Kind<Args> = {
  type: "Instance",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { claim, tier, router, mac, address: explicitAddress } = args;
    const names = namesOf(claim, old);
    const host = args.hostname ?? hostname(firstName(names), "hostname", fail);
    if (mac === undefined && args.duid === undefined) fail("mac: missing; a guest is known by its `mac` or its `duid`");
    const address = share({ claim, old, grant: args.grant, property: "address", explicit: explicitAddress }, fail);
    const duid = args.duid ?? (mac && derive([mac], linkLayer));
    if (address === undefined || duid === undefined || host === undefined) return { ...names, router };
    const fqdn = derive([host, tier.domain] as const, (name, domain) => `${name}.${domain}`);
    const match = [`id:${duid}`, ...(mac === undefined ? [] : [mac])].join(",");
    const fragments = render("instance", { address, match, mac, fqdn, hostname: host, interface: tier.interface });
    return { ...names, hostname: host, fqdn, ...(mac !== undefined && { mac }), duid, address, router, fragments };
  },
  identify: (inputs) => `${firstName(inputs)}@${inputs.address}`,
  describe: (inputs) => `"${firstName(inputs)}"`,
};

function linkLayer(textOfMac: string): string {
  const parsed = parseMac(textOfMac);
  if (typeof parsed === "string") throw new Error(`vpc6 bug: ${parsed}`);
  return duidLinkLayer(parsed);
}
