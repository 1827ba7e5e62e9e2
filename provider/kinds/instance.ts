// Instance: a guest's addresses from the tier's ledger; on the router its DHCP reservation, its address and PTR records, and its hold
// on the addresses: permanent neighbour entries and the firewall's list of who may send from where; and its password.

import { duidLinkLayer, parseMac } from "../addressing/mac";
import { boolean, type Fail, optional, record, type Type, withDefault } from "../arguments";
import { share } from "../claims";
import { DATA_SERVER, idOf } from "../contract";
import { address4, address6, claim, device, duid, grant, hostname, mac, orRefused, parentDomain, way } from "../fields";
import { firstName, type Inputs, type Kind, namesOf } from "../kind";
import { placeholder, secret } from "../secrets";
import { render } from "../templates/render";
import { all, type Effect, says, textChanges, words } from "../traffic";
import { derive } from "../unknown";

/** What chpasswd, CloudStack's script and cloud-init all take as it is: `$` begins a hash, `-` an option of `echo`. */
const password = secret(
  "8 to 128 ASCII characters, printable and without blanks, the first neither - nor $, and none of the two words of the guest protocol (docs/passwords.md)",
  /^(?!(?:saved_password|bad_request)$)[!-#%-,.-~][!-~]{7,127}$/,
);

const own = {
  claim,
  mac: optional(orRefused(mac)),
  duid: optional(orRefused(duid)),
  hostname: optional(hostname),
  ipv6: withDefault(boolean, true),
  ipv4: withDefault(boolean, true),
  address: optional(address6("host")),
  ipv4Address: optional(address4("host")),
  password: optional(password),
};

const shape = record(own, {
  takes: ["tier"],
  adds: {
    grant: optional(grant),
    ipv4Grant: optional(grant),
    tier: record({
      interface: device,
      domain: parentDomain,
      gateway: optional(address6("host")),
      ipv4Gateway: optional(address4("host")),
      dhcp4: withDefault(boolean, false),
    }),
    router: way,
  },
});
type Args = ReturnType<typeof shape>;

/** Made of the resource's name: nobody wrote it. */
export const ownHostname: Type<string> = (value, path, fail) =>
  hostname(value, path, (reason) => fail(`${reason}; it is made of the resource's name: set \`hostname\` to another`));

/** dnsmasq takes these of a host line for how long a lease is, or whether there is one (option.c). With a domain behind it each is a name. */
const NO_NAME = /^(?:ignore|infinite|[0-9]+[smhdw]?)$/;

/** In text, without the dot at its end. */
const LONGEST_NAME = 253;

/** The full name of what is in a tier. */
export function nameIn(domain: string, label: string, fail: Fail): string {
  return derive([label, domain] as const, (...labels) => {
    const name = labels.join(".");
    if (name.length > LONGEST_NAME) {
      fail(
        `hostname: "${name}" has ${name.length} characters; a name in DNS has ${LONGEST_NAME} at most (RFC 1035 section 3.1): set a shorter \`domain\` on the Tier`,
      );
    }
    return name;
  });
}

/** What stands in the state, as far as `traffic` needs it. */
export interface InstanceInputs extends Inputs, Addresses {
  mac?: string | undefined;
  duid?: string | undefined;
  fqdn?: string | undefined;
  interface?: string | undefined;
}

export const instance: Kind<Args, InstanceInputs> = {
  type: "Instance",
  // 1: without `interface`.
  schema: 2,
  shape,
  plan(args, old, fail) {
    const { claim, tier, router, mac } = args;
    const names = namesOf(claim, old);
    const host = args.hostname ?? ownHostname(firstName(names), "hostname", fail);
    if (mac === undefined && args.password !== undefined) {
      fail(
        "password: needs `mac`; a guest gets its password by its address, and only with a MAC is an address nobody else's",
      );
    }
    const addresses = addressesOf(args, old, fail);
    const deaf = [
      addresses.address && !tier.gateway && "gateway",
      addresses.ipv4Address && !tier.ipv4Gateway && "ipv4Gateway",
    ];
    for (const missing of deaf.filter((it) => args.password !== undefined && it)) {
      fail(`tier.${missing}: missing; it is where the guest asks for its password`);
    }
    const { address, ipv4Address } = addresses;
    // What was asked for and not given is a failure already.
    const whole = (address === undefined) === (args.grant === undefined);
    const whole4 = (ipv4Address === undefined) === (args.ipv4Grant === undefined);
    const duid = args.grant && (args.duid ?? (mac && derive([mac], linkLayer)));
    if (!whole || !whole4 || (args.grant && duid === undefined) || host === undefined) return { ...names, router };
    const fqdn = nameIn(tier.domain, host, fail);
    if (args.password !== undefined) nameIn(tier.domain, DATA_SERVER, fail);
    // Anybody can say a DUID.
    const match = mac ?? `id:${duid}`;
    const leased = ipv4Address && derive([ipv4Address, tier.dhcp4] as const, (it, dhcp) => (dhcp ? it : ""));
    const view = {
      ...tier,
      address,
      ipv4Address,
      leased,
      match,
      mac,
      fqdn,
      hostname: derive([host, fqdn] as const, (name, whole) => (NO_NAME.test(name) ? whole : name)),
      password: args.password && placeholder("password", args.password, old),
    };
    const known = { ...(mac !== undefined && { mac }), ...(duid !== undefined && { duid }) };
    const common = {
      ...names,
      hostname: host,
      fqdn,
      interface: tier.interface,
      ...known,
      ...(args.password !== undefined && { password: args.password }),
    };
    return { ...common, ...addresses, router, fragments: render("instance", view) };
  },
  identify: (inputs) => idOf.placed(firstName(inputs), String(inputs.address ?? inputs.ipv4Address)),
  describe: (inputs) => `"${firstName(inputs)}"`,
  traffic: {
    gone: says(
      "ends",
      "is taken off the router: the guest loses its lease, its name and its hold on the address, and so the network",
    ),
    holds: ({ fqdn }) => (fqdn === undefined ? [] : [nameInDns(fqdn)]),
    disturbs(before, after, others) {
      // One more guest costs the others nothing: dnsmasq watches the files of leases and names.
      if (!before || !after) return [];
      const { fqdn, duid, mac } = before;
      const byDuid = mac === undefined && after.mac === undefined;
      return all(
        ...(["address", "ipv4Address"] as const).map((key) => holdOf(before, after, key)),
        duid !== undefined &&
          after.duid !== undefined &&
          duid !== after.duid &&
          byDuid &&
          says(
            "ends",
            "leases to another DUID: who is known by the old one cannot renew, and is cut off within the hour",
          ),
        fqdn !== undefined &&
          fqdn !== after.fqdn &&
          !others.have(nameInDns(fqdn)) &&
          says("closes", "is no longer a name in DNS", { name: fqdn }),
        // A process is started for who asks, and waits in nobody's way: guests ask at their boot.
        textChanges("passwords", before, after) &&
          says(
            "note",
            after.fragments?.passwords
              ? "is told its password when it asks next, at its boot"
              : "is told no password any more",
          ),
      );
    },
  },
  shown: {
    claims: {
      instance: { word: "guest", told: "detail" },
      ipv4: { word: "IPv4 address of guest", told: "detail" },
    },
    noun: "guest",
  },
};

/** What is held by whoever has this name. */
export const nameInDns = (fqdn: string): string => `name ${fqdn}`;

/** Its hold on one of its addresses: by its MAC address a permanent neighbour, else whoever leases by its DUID. */
function holdOf(before: InstanceInputs, after: InstanceInputs, key: keyof Addresses): Effect | false {
  const { [key]: address, mac } = before;
  if (address === undefined) return false;
  const device = before.interface !== undefined && before.interface !== after.interface;
  if (address === after[key] && !device) {
    if (mac === after.mac || after.mac === undefined) return false;
    return mac === undefined
      ? says("ends", "may send from its one MAC address only: from any other it is cut off")
      : says("ends", words`is known by another MAC address from now on: the old one is cut off from ${address}`);
  }
  if (address !== after[key] && (mac !== undefined || after[key] === undefined))
    return says("ends", words`gives up its address ${address}: connections with it end`);
  return says("ends", "has another address or interface: connections with the old one end");
}

interface Addresses {
  address?: string;
  ipv4Address?: string;
}

function addressesOf(args: Args, old: Inputs | undefined, fail: Fail): Addresses {
  const { claim, mac, grant, ipv4Grant, address, ipv4Address } = args;
  if (!args.ipv6 && !args.ipv4) {
    fail("ipv4: false and ipv6: false; a guest has one of them at least: leave one out");
    return {};
  }
  if (grant === undefined && ipv4Grant === undefined) {
    const why = args.ipv6 ? "its VPC has ipv6: false" : "the guest has ipv6: false";
    fail(
      args.ipv4
        ? `tier: it has no address for this guest, as ${why} and the tier no \`ipv4\`; set \`ipv4\` on the Tier`
        : `ipv4: false, and ${why}: there is no address for this guest; leave \`ipv4\` out`,
    );
    return {};
  }
  if (address !== undefined && grant === undefined)
    fail(`address: "${address}" for a guest without IPv6; leave it out`);
  if (ipv4Address !== undefined && ipv4Grant === undefined) {
    fail(
      args.ipv4
        ? `ipv4Address: "${ipv4Address}" in a tier without IPv4; set \`ipv4\` on the Tier, or leave it out`
        : `ipv4Address: "${ipv4Address}" for a guest with ipv4: false; leave one of them out`,
    );
  }
  if (mac === undefined && ipv4Grant !== undefined) {
    fail("mac: missing; in a tier with IPv4 a guest is known by its `mac`, as neither DHCPv4 nor ARP knows a DUID");
  } else if (mac === undefined && args.duid === undefined) {
    fail("mac: missing; a guest is known by its `mac` or its `duid`");
  }
  const own = { claim, old };
  const six = grant && share({ ...own, grant, property: "address", explicit: address, within: "Tier" }, fail);
  const four = ipv4Grant && share({ ...own, grant: ipv4Grant, property: "ipv4Address", explicit: ipv4Address }, fail);
  return { ...(six !== undefined && { address: six }), ...(four !== undefined && { ipv4Address: four }) };
}

function linkLayer(textOfMac: string): string {
  const parsed = parseMac(textOfMac);
  if (typeof parsed === "string") throw new Error(`vpc6 bug: ${parsed}`);
  return duidLinkLayer(parsed);
}
