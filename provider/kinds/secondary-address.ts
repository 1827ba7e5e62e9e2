// SecondaryAddress: an address from the tier's ledger that guests have beside their own, one of them or several. On the router the hold of
// these guests on it and its names; no lease. Of one guest alone there is a permanent neighbour; what several share goes from one to another.

import { boolean, type Fail, list, optional, record, withDefault } from "../arguments";
import { share } from "../claims";
import { idOf } from "../contract";
import {
  address4,
  address6,
  addressOf,
  claim,
  device,
  grant,
  hostname,
  label,
  mac,
  orRefused,
  parentDomain,
  way,
} from "../fields";
import { firstName, type Inputs, type Kind, namesOf } from "../kind";
import { render } from "../templates/render";
import { all, type Effect, listOf, says, words } from "../traffic";
import { derive, UNKNOWN } from "../unknown";
import { nameIn, nameInDns, ownHostname } from "./instance";

const own = {
  claim,
  hostname: optional(hostname),
  ipv6: withDefault(boolean, true),
  ipv4: withDefault(boolean, true),
  address: optional(address6("host")),
  ipv4Address: optional(address4("host")),
};

const shape = record(own, {
  takes: ["instances"],
  adds: {
    grant: optional(grant),
    ipv4Grant: optional(grant),
    guests: list(record({ name: label, mac: orRefused(mac) })),
    tier: record({ interface: device, domain: parentDomain }),
    router: way,
  },
});
type Args = ReturnType<typeof shape>;

/** What stands in the state, as far as `traffic` needs it. */
export interface SecondaryAddressInputs extends Inputs, Addresses {
  guests?: Args["guests"];
  fqdn?: string | undefined;
  interface?: string | undefined;
}

interface Addresses {
  address?: string;
  ipv4Address?: string;
}
const FAMILIES = ["address", "ipv4Address"] as const;

export const secondaryAddress: Kind<Args, SecondaryAddressInputs> = {
  type: "SecondaryAddress",
  schema: 1,
  shape,
  plan(args, old, fail) {
    const { claim, guests, tier, router } = args;
    const names = namesOf(claim, old);
    const host = args.hostname ?? ownHostname(firstName(names), "hostname", fail);
    const addresses = addressesOf(args, old, fail);
    const { address, ipv4Address } = addresses;
    // What was asked for and not given is a failure already.
    const whole = (address === undefined) === (args.grant === undefined);
    const whole4 = (ipv4Address === undefined) === (args.ipv4Grant === undefined);
    if (!whole || !whole4 || host === undefined) return { ...names, router };
    const fqdn = nameIn(tier.domain, host, fail);
    // A list that is not known is a text.
    const macs = (guests as unknown) === UNKNOWN ? [UNKNOWN] : guests.map(({ mac }) => mac);
    const view = {
      ...tier,
      address,
      // As nftables reads the target of a neighbor advertisement.
      number: address && derive([address], (it) => `0x${addressOf(it).value.toString(16)}`),
      ipv4Address,
      fqdn,
      macs,
      alone: macs.length === 1 && macs[0],
    };
    const common = { ...names, hostname: host, fqdn, interface: tier.interface, guests };
    return { ...common, ...addresses, router, fragments: render("secondary-address", view) };
  },
  identify: (inputs) => idOf.placed(firstName(inputs), String(inputs.address ?? inputs.ipv4Address)),
  describe: (inputs) => `"${firstName(inputs)}"`,
  traffic: {
    gone: says("ends", "is taken off the router: none of its guests can use it any more, connections with it end"),
    holds: ({ fqdn }) => (fqdn === undefined ? [] : [nameInDns(fqdn)]),
    disturbs(before, after, others) {
      if (!before || !after) return [];
      const { fqdn } = before;
      return all(
        ...FAMILIES.map((key) => givenUp(before, after, key)),
        takenFrom(before, after),
        fqdn !== undefined &&
          fqdn !== after.fqdn &&
          !others.have(nameInDns(fqdn)) &&
          says("closes", "is no longer a name in DNS", { name: fqdn }),
      );
    },
  },
  shown: {
    claims: {},
    node: {
      where: "vpc",
      look: "vip",
      title: "address",
      lines: ({ address, ipv4Address, guests }) => [
        address,
        ipv4Address,
        listOf(guests)
          .map(({ name }) => name)
          .join(", "),
      ],
    },
  },
};

function givenUp(before: SecondaryAddressInputs, after: SecondaryAddressInputs, key: keyof Addresses): Effect | false {
  const address = before[key];
  if (address === undefined) return false;
  if (address !== after[key]) return says("ends", words`gives up ${address}: connections with it end`);
  return (
    before.interface !== after.interface &&
    says("ends", words`is on another interface: connections with ${address} end`)
  );
}

function takenFrom(before: SecondaryAddressInputs, after: SecondaryAddressInputs): Effect | false {
  const stay = new Set(listOf(after.guests).map(({ mac }) => mac));
  const lost = listOf(before.guests).filter(({ mac }) => !stay.has(mac));
  return (
    lost.length > 0 &&
    says(
      "ends",
      words`is taken from ${lost.map(({ name, mac }) => `${name} (${mac})`).join(", ")}: who has it now loses its connections with it`,
    )
  );
}

function addressesOf(args: Args, old: Inputs | undefined, fail: Fail): Addresses {
  const { claim, grant, ipv4Grant, address, ipv4Address } = args;
  if (!args.ipv6 && !args.ipv4) {
    fail("ipv4: false and ipv6: false; an address is of one of them at least: leave one out");
    return {};
  }
  if (grant === undefined && ipv4Grant === undefined) {
    const left =
      args.ipv6 && args.ipv4 ? "no family" : args.ipv6 ? "ipv4: false, and no IPv6" : "ipv6: false, and no IPv4";
    fail(`instances: ${left} that each of them has; an address is of a family of all its guests`);
    return {};
  }
  const lacks = (family: string) =>
    `for guests of which not all have ${family}, or with ${family.toLowerCase()}: false; leave it out`;
  if (address !== undefined && grant === undefined) fail(`address: "${address}" ${lacks("IPv6")}`);
  if (ipv4Address !== undefined && ipv4Grant === undefined) fail(`ipv4Address: "${ipv4Address}" ${lacks("IPv4")}`);
  const own = { claim, old };
  const six = grant && share({ ...own, grant, property: "address", explicit: address, within: "Tier" }, fail);
  const four = ipv4Grant && share({ ...own, grant: ipv4Grant, property: "ipv4Address", explicit: ipv4Address }, fail);
  return { ...(six !== undefined && { address: six }), ...(four !== undefined && { ipv4Address: four }) };
}
