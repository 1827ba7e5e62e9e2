// What the provider, the program on a router (sh, awk, Perl) and the CLI must say alike, written once. program.ts puts it into the
// program where that says `@NAME@`, templates say `{{@contract.NAME}}`, all else imports it. It imports nothing itself, and a test
// changes it one line at a time: who writes one of these facts down a second time is found by that (test/unit/contract.test.ts).
//
// Patterns are read by JavaScript, by mawk, by grep -E and by Perl: without backslashes, and without counts in braces.

// Ids: what a resource's fragments are filed under on its router, for ever. An id is a file's name there, and a word in its reports.

export const ROUTER_ID = "router:";
export const UPLINK_ID = "uplink:";
const NETWORK_ID = "network:";
const LIST = "acl:";

export const idOf = {
  router: (name: string): string => `${ROUTER_ID}${name}`,
  uplink: (name: string): string => `${UPLINK_ID}${name}`,
  /** Of an ExternalNetwork, which is on no router. */
  network: (name: string): string => `${NETWORK_ID}${name}`,
  /** Of a list: what it is called, and the prefix of its first tier. */
  list: (name: string, place: string): string => `${name}@${LIST}${first(place)}`,
  /** Of all else: what it is called, and a prefix, an address or a router that is its own. */
  placed: (name: string, place: string): string => `${name}@${first(place)}`,
};
const first = (place: string): string => place.split("/", 1)[0] ?? "";

export const ID = "[A-Za-z0-9][A-Za-z0-9._@:-]*";
export const ID_LONGEST = 200;
const id = new RegExp(`^${ID}$`);
export const isId = (text: string): boolean => text.length <= ID_LONGEST && id.test(text);

/** A name in a ledger, of a list, a group, a session: they become parts of ids. */
export const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";

// Slots: what a fragment is for. Each is a file of its service's on the router.

/** The services, in the order in which a change is applied (the filter first, so that nothing is ever open that should be closed). */
export const SERVICES = {
  nftables: ["nftables"],
  guard: ["guard"],
  sysctl: ["sysctl"],
  network: ["network"],
  tayga: ["tayga"],
  frr: ["frr"],
  dnsmasq: ["dnsmasq", "dhcp-hosts", "dns-hosts"],
  named: ["named"],
  haproxy: ["haproxy", "certificates"],
  password: ["passwords"],
} as const satisfies Record<string, readonly string[]>;

/**
 * Everybody's, and no service's; `adopt` is the Router's alone, and `secrets` is never rendered (secrets.ts). `made` is no kind's: a word
 * for each time that a resource is made, by which one that replaces another of the same id is told from it, and the stack whose it is.
 */
export const COMMON_SLOTS = ["packages", "secrets", "adopt", "made"] as const;

export type Service = keyof typeof SERVICES;
export type Slot = (typeof SERVICES)[Service][number] | (typeof COMMON_SLOTS)[number];
export const SLOTS: readonly Slot[] = [...COMMON_SLOTS, ...Object.values(SERVICES).flat()];

const services = new Map<string, string>(
  Object.entries(SERVICES).flatMap(([service, slots]) => slots.map((slot) => [slot, service] as const)),
);
/** Whose a slot is; of a slot that is no service's, the slot itself. */
export const serviceOf = (slot: string): string => services.get(slot) ?? slot;

export const SLOT = "[a-z][a-z0-9-]*";
const slot = new RegExp(`^${SLOT}$`);
export const isSlot = (text: string): boolean => text.length <= 41 && slot.test(text);

// What stands in a fragment for something that only the router knows, or may show to nobody.

const HEX = "[0-9a-f]";

/** An interface that was given by MAC: `mac-020000000011`, which is longer than any interface's name. */
export const MAC_TOKEN = "mac-";
export const MAC_TOKENS = `${MAC_TOKEN}${HEX.repeat(12)}`;
export const macToken = (mac: string): string => `${MAC_TOKEN}${mac.replaceAll(":", "")}`;

/** A secret: `{{password:9c1e}}`, the path to it in the resource's inputs and some digits that change with it. */
export const DIGITS = 4;
export const PLACEHOLDERS = `[{][{][A-Za-z]+([.][A-Za-z]+)*:${HEX.repeat(DIGITS)}[}][}]`;
export const placeholderOf = (path: string, digits: string): string => `{{${path}:${digits}}}`;
export const pathIn = (placeholder: string): string => placeholder.slice(2, placeholder.lastIndexOf(":"));

// Names in nftables' table, and where services of ours listen beside the well-known ports.

export const TABLE = "inet vpc6";
/** The tables whose counts outlive a transaction. */
export const SHARES = "inet vpc6_shares";
export const ARP_SHARES = "arp vpc6_shares";
/**
 * The table that is there as long as its process, and drops whatever the filter has not seen. What it has seen carries this bit of the
 * packet's mark, and no other bit is touched.
 */
export const GUARD = "inet vpc6_guard";
export const SEEN = "0x40000000";
export const NOT_SEEN = "0xbfffffff";
/** The chain by which a tier's interface leads to its list: `to/web0`. */
export const TO_TIER = "to/";
export const PASSWORD_PORT = 8080;
/** What guests look a tier's gateway up by, to ask it for their password: CloudStack's name. */
export const DATA_SERVER = "data-server";
export const DNS64_PORT = 5354;
/** A translator's device. */
export const NAT64_DEVICE = "nat64-";

// The machine.

/** Releases of which every daemon was tested with all of vpc6, as os-release's ID and VERSION_ID say them; of each ID the oldest first. */
export const RELEASES = "debian/12 debian/13 ubuntu/24.04";
/** The same for people. README.md says it too, and a test compares. */
export const RELEASES_TOLD = "Debian 12, Debian 13 or Ubuntu 24.04";

/**
 * How many connections a router tracks at a time, where its Router says nothing: a place for so many bytes of memory, and in all no fewer
 * and no more than that. A connection takes some 450 bytes (kernel 6.1: 256, its extensions, the hash, the count of its guest's share): a
 * table that is full takes an eighth of the memory at most. The least is eight guests' shares, or two of a guest that is asked from
 * outside (templates/router.hbs).
 */
export const CONNECTION_MEMORY = 4096;
export const CONNECTIONS_LEAST = 65536;
export const CONNECTIONS_MOST = 1048576;
/** What a Router may ask for. */
export const CONNECTIONS_HIGHEST = 16777216;

// Places on a router.

export const LIB = "/usr/local/lib/vpc6";
export const PROGRAM = `${LIB}/vpc6`;
export const ETC = "/etc/vpc6";
export const VAR = "/var/lib/vpc6";
export const RUN = "/run/vpc6";
export const LIVE = `${ETC}/live/files`;
export const CERTIFICATES = "certificates.d";
export const PASSWORDS = "passwords.d";
export const TAYGA_DATA = "/var/lib/vpc6-tayga";

// What is said between both.

export const TRANSACTION = "vpc6-transaction 1";
/**
 * What a generation on a router may hold. It is one more when a slot or a service is added, or when lines are said that an older program
 * would not understand: an older vpc6 then refuses the router in words, and takes nothing half away.
 */
export const FORMAT = 6;

export const ANSWER = "vpc6-answer 1";
export const DRIFT = "vpc6-drift 1";
export const DRIFT_END = "end vpc6-drift";
/** With this a line of progress begins. */
export const SAYS = "vpc6: ";
/** And one of those that the user is to find when all is over. */
export const WARNS = `${SAYS}warning: `;
/** By its last line, a comment, a program is known to be whole. */
export const PROGRAM_END = "end of vpc6";

/** How long (seconds) a change that may have cut us off waits for its confirmation. */
export const CONFIRM_WAIT = 30;
export const CONFIRM_LEAST = 3;
export const CONFIRM_MOST = 600;

/**
 * How a run of the program ends.
 * - `ok N same|nothing|former`: done (or nothing to do, or, of `uninstall`, another Router is there in its place); `unconfirmed N SECONDS`: done, and undone unless `confirm N` comes
 * - `outdated HASH FORMAT`: another version of the program is installed, and of this format
 * - `later`: what is there was made by a later vpc6
 * - `rivals`: refused, unless those that it names (`yields ID TO`) may stand back
 * - `refused`: before anything was changed; `failed`: while it was; `full`, `incomplete`: the payload could not be stored
 * - `busy`: another transaction; `unusable`: the host lacks something; `occupied`: `uninstall` with others' fragments there
 */
export const VERDICTS = [
  "ok",
  "unconfirmed",
  "outdated",
  "later",
  "rivals",
  "refused",
  "failed",
  "full",
  "incomplete",
  "busy",
  "unusable",
  "occupied",
] as const;
export type Verdict = (typeof VERDICTS)[number];
