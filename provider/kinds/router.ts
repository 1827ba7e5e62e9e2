// Router: the way to the machine, its public address and AS number, and the skeleton of its configuration: packages, the
// public interface, the firewall table that all others add to, what dnsmasq does for all tiers.

import { boolean, integer, list, optional, record, text, withDefault } from "../arguments";
import { share } from "../claims";
import { CONNECTION_MEMORY, CONNECTIONS_HIGHEST, CONNECTIONS_LEAST, idOf } from "../contract";
import { address, address6, claim, grant, hop, interfaceName, lengthOf, mtu, privateAsn, proxy } from "../fields";
import { firstName, type Inputs, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import {
  all,
  changesMtu,
  type Effect,
  listOf,
  restartsDnsmasq,
  says,
  TRANSLATOR,
  textChanges,
  words,
} from "../traffic";
import { derive, UNKNOWN } from "../unknown";
import { linkOf, vlanId } from "../vlan";
import { readWay, wayTo } from "../way";
import { gatewayOf, isOutside, publicNetwork } from "./zone";

const SERVICE = 'a service: "tcp/9100" or "udp/51820", for example';
const service = text(SERVICE, (value) =>
  /^(tcp|udp)\/([1-9][0-9]{0,4})$/.test(value) && Number(value.slice(4)) <= 65535
    ? value
    : { not: `is not ${SERVICE}` },
);

const own = {
  claim,
  ...hop,
  proxy: optional(proxy),
  publicInterface: interfaceName,
  publicMtu: optional(mtu),
  publicVlan: optional(vlanId),
  dnsServers: withDefault(list(address("direct")), []),
  publicServices: withDefault(list(service), []),
  connections: optional(integer(CONNECTIONS_LEAST, CONNECTIONS_HIGHEST)),
  adopt: withDefault(boolean, false),
  address: optional(address6("host")),
  asn: optional(privateAsn),
};

const shape = record(own, {
  takes: ["zone"],
  adds: {
    publicNetwork: optional(publicNetwork),
    zoneAsn: optional(integer(1, 4294967295)),
    zoneAsnRange: optional(text("", (it) => it)),
    addressGrant: optional(grant),
    asnGrant: optional(grant),
  },
});
type Args = ReturnType<typeof shape>;

/** What stands in the state, as far as `traffic` needs it. */
export interface RouterInputs extends Inputs {
  publicInterface?: string | undefined;
  publicMtu?: number | undefined;
  /** The interface that carries its VLAN; `publicInterface` is then the VLAN's own. */
  publicTrunk?: string | undefined;
  publicVlan?: number | undefined;
  publicServices?: string[];
  /** The public network and its gateway. */
  network?: string | undefined;
  gateway?: string | undefined;
  address?: string | undefined;
  adopt?: boolean;
}

export const router: Kind<Args, RouterInputs> = {
  type: "Router",
  // 1: without `network`, `gateway` and `adopt`.
  schema: 2,
  shape,
  unkept: ["host", "port", "user", "hostKey", "proxy"],
  plan(args, old, fail) {
    const { claim, port, publicMtu, dnsServers, publicServices, connections, publicNetwork } = args;
    const { publicInterface: device, publicTrunk: trunk, publicVlan: vlan } = old ?? {};
    const link = linkOf(args.publicInterface, args.publicVlan, { device, trunk, vlan });
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
    const network = publicNetwork && derive([publicNetwork], ({ cidr }) => cidr);
    const fragments = render("router", {
      adopt: derive([args.adopt], (it) => it && "yes"),
      publicInterface: link.device,
      publicTrunk: link.trunk,
      publicVlan: link.vlan && derive([link.vlan], String),
      publicMtu: publicMtu === undefined ? undefined : derive([publicMtu], String),
      connections: connections === undefined ? `memory/${CONNECTION_MEMORY}` : derive([connections], String),
      address,
      length: derive([publicNetwork?.cidr ?? "::/64"], (it) => String(lengthOf(it))),
      gateway,
      onlink: publicNetwork && derive([publicNetwork], isOutside),
      network,
      sshPorts: [...new Set([22, port])].join(", "),
      publicServices: known(publicServices).map((it) => ({ protocol: it.slice(0, 3), port: it.slice(4) })),
      dnsServers: known(dnsServers),
    });
    return {
      ...names,
      publicInterface: link.device,
      ...(link.vlan !== undefined && { publicTrunk: link.trunk, publicVlan: link.vlan }),
      ...(publicMtu !== undefined && { publicMtu }),
      ...(dnsServers.length > 0 && { dnsServers }),
      ...(publicServices.length > 0 && { publicServices }),
      ...(connections !== undefined && { connections }),
      ...(network !== undefined && { network, gateway }),
      ...(args.adopt && { adopt: args.adopt }),
      address,
      asn: asn && derive([asn], Number),
      router,
      fragments,
    };
  },
  identify: (inputs) => idOf.router(firstName(inputs)),
  describe: (inputs) => `"${firstName(inputs)}"`,
  owns: "router",
  traffic: {
    gone: says("ends", "vpc6 takes all its configuration off the machine: whatever goes through it ends"),
    disturbs: (before, after, others) =>
      all(
        ...(before && after ? [...publicSide(before, after), ...firewall(before, after)] : []),
        before?.publicMtu !== after?.publicMtu &&
          others.have(TRANSLATOR) &&
          says(
            "pauses",
            "NAT64 is started again, as its device has that MTU too: connections through it pause for a moment",
          ),
        !before?.adopt &&
          after?.adopt === true &&
          says(
            "unknown",
            "may put its own in the place of routes and of an FRR that it finds there (`adopt`): whatever these carry is concerned",
          ),
        restartsDnsmasq(before, after, others, false),
      ),
  },
  shown: {
    claims: {
      router: { word: "router", told: "address" },
      asn: { word: "AS number of router", told: "detail" },
    },
  },
};

function publicSide(before: RouterInputs, after: RouterInputs): (Effect | false)[] {
  const { publicInterface: device, address, gateway } = before;
  return [
    device !== undefined &&
      device !== after.publicInterface &&
      says("ends", words`no longer uses the interface ${device}: who is on it loses the network`),
    changesMtu(before.publicMtu, after.publicMtu),
    address !== undefined &&
      address !== after.address &&
      says("ends", words`${address} is taken off the router: connections to it (SSH, BGP) end`),
    gateway !== undefined &&
      gateway !== after.gateway &&
      says("ends", words`no longer sends what is for ${"::/0"} to ${gateway}`),
  ];
}

/** The skeleton: its table is exchanged in one step, and open connections are let through before anything else is asked. */
function firewall(before: RouterInputs, after: RouterInputs): (Effect | false)[] {
  if (!textChanges("nftables", before, after)) return [];
  const [offered, offers] = [listOf(before.publicServices), listOf(after.publicServices)];
  const [port, now] = [portOf(before), portOf(after)];
  const explained =
    port !== now || before.publicInterface !== after.publicInterface || offered.join(" ") !== offers.join(" ");
  return [
    offered.some((it) => !offers.includes(it)) &&
      says("closes", "no longer offers the removed public services to new connections; open ones go on"),
    ![22, now].includes(port) &&
      says("closes", words`takes no new SSH connections at port ${port} any more; open ones go on`),
    (before.network !== after.network || !explained) &&
      says(
        "unknown",
        "has other firewall rules for all its traffic: open connections go on, what new ones pass is in the lines themselves",
      ),
  ];
}

const portOf = ({ router = "" }: Inputs): number => readWay(router).port;

/** A list that is unknown as a whole renders as one unknown item, so that the text it stands in is unknown too. */
const known = (items: string[]): string[] => ((items as unknown) === UNKNOWN ? [UNKNOWN] : items);
