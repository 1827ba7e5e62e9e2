// Router: the way to the machine, its public address and AS number, and the skeleton of its configuration: packages, the
// public interface, the firewall table that all others add to, what dnsmasq does for all tiers.

import { boolean, integer, list, optional, record, text, withDefault } from "../arguments";
import { share } from "../claims";
import { idOf } from "../contract";
import { address, address6, claim, grant, hop, interfaceName, lengthOf, owner, privateAsn, proxy } from "../fields";
import { firstName, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import { derive, UNKNOWN } from "../unknown";
import { wayTo } from "../way";
import { gatewayOf, publicNetwork } from "./zone";

const service = text("a service", (value) =>
  /^(tcp|udp)\/([1-9][0-9]{0,4})$/.test(value) && Number(value.slice(4)) <= 65535
    ? value
    : { not: 'is not a service: "tcp/9100" or "udp/51820"' },
);

const shape = record({
  claim,
  ...hop,
  proxy: optional(proxy),
  publicInterface: interfaceName,
  dnsServers: withDefault(list(address), []),
  publicServices: withDefault(list(service), []),
  adopt: withDefault(boolean, false),
  publicNetwork: optional(publicNetwork),
  zoneAsn: optional(integer(1, 4294967295)),
  zoneAsnRange: optional(text("", (it) => it)),
  address: optional(address6),
  asn: optional(privateAsn),
  addressGrant: optional(grant),
  asnGrant: optional(grant),
  owner: optional(owner),
});
type Args = ReturnType<typeof shape>;

export const router: Kind<Args> = {
  type: "Router",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { claim, port, publicInterface, dnsServers, publicServices, publicNetwork } = args;
    const gateway = publicNetwork && derive([publicNetwork], gatewayOf);
    const names = namesOf(claim, old);
    const common = { claim, old };
    const absent = args.addressGrant && "absent" in args.addressGrant;
    const address =
      args.addressGrant && (publicNetwork || args.address !== undefined || absent)
        ? share({ ...common, grant: args.addressGrant, property: "address", explicit: args.address }, fail)
        : undefined;
    const asn =
      args.asnGrant && args.zoneAsnRange !== undefined
        ? share({ ...common, grant: args.asnGrant, property: "asn", explicit: args.asn }, fail)
        : (args.asn ?? args.zoneAsn);
    const router = wayTo(firstName(names), args);
    const fragments = render("router", {
      owner: args.owner,
      adopt: derive([args.adopt], (it) => it && "yes"),
      publicInterface,
      address,
      length: derive([publicNetwork?.cidr ?? "::/64"], (it) => String(lengthOf(it))),
      gateway,
      network: publicNetwork && derive([publicNetwork], ({ cidr }) => cidr),
      sshPorts: [...new Set([22, port])].join(", "),
      publicServices: known(publicServices).map((it) => ({ protocol: it.slice(0, 3), port: it.slice(4) })),
      dnsServers: known(dnsServers),
    });
    return {
      ...names,
      publicInterface,
      ...(dnsServers.length > 0 && { dnsServers }),
      ...(publicServices.length > 0 && { publicServices }),
      address,
      asn: asn && derive([asn], Number),
      router,
      fragments,
    };
  },
  identify: (inputs) => idOf.router(firstName(inputs)),
  describe: (inputs) => `"${firstName(inputs)}"`,
  owns: "router",
};

/** A list that is unknown as a whole renders as one unknown item, so that the text it stands in is unknown too. */
const known = (items: string[]): string[] => ((items as unknown) === UNKNOWN ? [UNKNOWN] : items);
