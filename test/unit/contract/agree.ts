// One network of every kind on a machine that is a folder: whatever the provider says of it is read by the program there, and whatever
// that says is read by the provider. Throws where they do not mean the same; what is quickly seen is looked at first.

import { expect } from "vitest";
import type { Fragments } from "../../../provider/kind";
import type { Program } from "../../../provider/router/program";
import type { Change } from "../../../provider/router/types";
import { CERTIFICATE, PRIVATE_KEY } from "../certificate";
import type { Values } from "../check";
import { Host } from "./host";
import type { KindName, Resource, World } from "./world";

const MAC = "02:00:00:00:00:11";
const STACK = "shop/prod";

/** Every kind, beside one another on vr1; the Uplink is the other machine's. */
async function network(world: World): Promise<Map<KindName, Resource>> {
  const { arguments: given, contract } = world;
  const web = { interface: undefined, mac: MAC };
  const device = contract.macToken(MAC);
  const changes: Partial<Record<KindName, Values>> = {
    Tier: { ...web, ipv4: { cidr: "10.1.1.0/24" } },
    Instance: {
      password: "correct-horse-battery",
      ipv4Grant: { value: "10.1.1.2" },
      tier: {
        interface: device,
        domain: "web.shop.internal",
        gateway: "2001:67c:2834:1::1",
        ipv4Gateway: "10.1.1.1",
        dhcp4: true,
      },
    },
    SecondaryAddress: { ipv4Grant: { value: "10.1.1.9" }, tier: { interface: device, domain: "web.shop.internal" } },
    NetworkAcl: { tiers: [{ ...given.NetworkAcl.tiers[0], interface: device }] },
    LoadBalancer: { tls: { certificate: CERTIFICATE, privateKey: PRIVATE_KEY } },
    BgpPeer: { password: "a-secret-of-two" },
    Uplink: { password: "a-secret-of-two" },
  };
  const found = new Map<KindName, Resource>();
  for (const kind of world.kinds) {
    const resource = await world.resource(kind, { ...given[kind], ...changes[kind] } as Values);
    if (!resource) throw new Error(`${kind}: its arguments are refused`);
    found.set(kind, resource);
  }
  return found;
}

export const fragmentsOf = ({ inputs }: Resource): Fragments => (inputs.fragments ?? {}) as Fragments;

export const changeOf = (world: World, resource: Resource, fresh = false): Change => ({
  id: resource.id,
  label: resource.kind,
  fragments: { ...fragmentsOf(resource), ...world.secrets.revealed(resource.inputs as never) },
  fresh,
  made: `5f3a ${STACK}`,
});

/** `NAME well`, or `NAME ID: why`, of a function of the program. */
export const TRY = `try() {
  local name="$1"
  shift
  WHY='' BLAME=''
  if "$@" >"$ROOT/said" 2>&1; then echo "$name well"; else echo "$name $BLAME: $WHY$(cat "$ROOT/said")"; fi
}
`;

/** A payload is read, staged upon what is confirmed, and assembled. */
export const STAGE = `${TRY}
stage_it() { # FILE GENERATION
  FRESH='' NONCE=none REPAIR=''
  try payload read_payload "$RUN/payload.read" <"$1"
  try strangers strangers "$1" "$ETC/confirmed/fragments"
  mkdir -p "$GENERATIONS/$2"
  cp -a "$ETC/confirmed/fragments" "$GENERATIONS/$2/fragments"
  try stage stage_payload "$1" "$GENERATIONS/$2/fragments"
  try assemble assemble "$GENERATIONS/$2"
}
run_dir && generations
`;

interface Setting {
  world: World;
  /** With this program; the world's own says the same. */
  program: Program;
  host: Host;
  of: (kind: KindName) => Resource;
  /** Those that are on vr1. */
  here: Resource[];
}

export async function agree(world: World, program = world.program.programOf(world.contract)): Promise<void> {
  const all = await networkOf(world);
  const here = [...all.values()].filter((it) => it.kind !== "Uplink" && Object.keys(fragmentsOf(it)).length > 0);
  using host = new Host(program.functions, [`${MAC} web0`, "02:00:00:00:00:12 pub0", "02:00:00:00:00:13 db0"]);
  const setting: Setting = { world, program, host, here, of: (kind) => all.get(kind) as Resource };
  for (const one of [places, limits, words, staged, refused, observed]) await one(setting);
}

const networks = new WeakMap<World, ReturnType<typeof network>>();
const networkOf = (world: World): ReturnType<typeof network> => {
  const found = networks.get(world) ?? network(world);
  networks.set(world, found);
  return found;
};

/** Where one side listens, keeps or reads, the other leads, puts or writes. */
function places({ world, program, host, here, of }: Setting): void {
  const { contract } = world;
  const said = host.run(
    `for name in ${FACTS}; do eval "echo \\"$name=\\$$name\\""; done; unit_password_socket "[::]"; true`,
  );
  const at = (name: string): string =>
    (new RegExp(`^${name}=(.*)$`, "m").exec(said)?.[1] ?? "nowhere").replace(host.root, "");
  expect(at("SERVICES").split(" ")).toEqual(Object.keys(contract.SERVICES));
  expect(at("SLOTS").split(" ").sort()).toEqual([...contract.SLOTS].sort());
  expect(at("CONFIRM_WAIT")).toBe(String(contract.CONFIRM_WAIT));
  const router = fragmentsOf(of("Router"));
  const asked = [...(router.nftables?.matchAll(/tcp dport (\d+) goto passwords/g) ?? [])].map(([, port]) => port);
  expect(asked).toEqual([at("ListenStream").replace("[::]:", ""), at("ListenStream").replace("[::]:", "")]);
  const { nftables, tayga } = fragmentsOf(of("Nat64"));
  expect(nftables).toContain(`redirect to :${at("NAMED_PORT")}\n`);
  expect(nftables).toContain(`dns_ports { ${at("NAMED_PORT")} }`);
  expect(tayga).toContain(`\ndata-dir ${at("TAYGA_DATA")}/${of("Nat64").inputs.device}\n`);
  expect(router.dnsmasq).toContain(`\ndhcp-hostsdir=${at("VAR")}/dhcp-hosts\nhostsdir=${at("VAR")}/dns-hosts\n`);
  const tables = here.flatMap((it) => {
    const { nftables = "", guard = "" } = fragmentsOf(it);
    return [...`${nftables}${guard}`.matchAll(/^(?:add \w+|table) (\S+ \S+)/gm)];
  });
  const made = [...said.matchAll(/(?:^|=)table (\S+ \S+)/gm)];
  expect(new Set(tables.map(([, table]) => table))).toEqual(new Set(made.map(([, table]) => table)));
  const { commands } = world.program;
  expect(commands.observe("root")).toBe(`${at("PROGRAM")} observe`);
  expect(commands.install("root")).toContain(`mv -f $n ${at("PROGRAM")} &&`);
  expect(commands.remains("root")).toBe(`sh -c '[ -e ${at("ETC")} ] || [ -e ${at("VAR")} ]'`);
  expect(commands.install("root")).toContain(` = "${program.text.trimEnd().split("\n").at(-1)}" ]`);
  expect(`${at("ETC")}/live/files`).toBe(contract.LIVE);
  const verbs = [...program.text.matchAll(/^ {2}([a-z]+)\)/gm)].map(([, verb]) => verb);
  for (const verb of Object.keys(commands).filter((it) => !["install", "remains"].includes(it))) {
    expect(commands[verb as "observe"]("root")).toMatch(new RegExp(`^\\S+ ${verb}( |$)`));
    expect(verbs).toContain(verb);
  }
}
const FACTS = "PROGRAM ETC VAR TAYGA_DATA NAMED_PORT CONFIRM_WAIT SLOTS SERVICES nftables_head guard_head";

/** What is too long, too short, or has another character, is so for both. */
function limits({ world: { contract, payload }, program, host }: Setting): void {
  const ids = ["a~b", "a@b:c", "a%b", "a".repeat(contract.ID_LONGEST), "a".repeat(contract.ID_LONGEST + 1)];
  const waits = [contract.CONFIRM_LEAST, contract.CONFIRM_MOST].flatMap((it) => [it - 1, it, it + 1]);
  const sent = [
    ...ids.map((id) => `${contract.TRANSACTION}\nset ${id}\nend 2\n`),
    ...waits.map((wait) => payload.encode([], "", "a", { confirm: wait })),
  ];
  sent.forEach((text, at) => {
    host.put(`payload.${at}`, text);
  });
  const each = `for at in ${sent.map((_, at) => at).join(" ")}; do try $at read_payload "$RUN/x" <"$ROOT/payload.$at"; done`;
  const taken = host
    .run(`${TRY}run_dir\n${each}`)
    .split("\n")
    .map((it) => it.endsWith(" well"));
  expect(taken.slice(0, ids.length)).toEqual(ids.map(contract.isId));
  expect(taken.slice(ids.length, -1)).toEqual([false, true, true, true, true, false]);
  const [least, most] = [1e12, 1].map((bytes) => {
    const file = host.put("sysctl", `net.netfilter.nf_conntrack_max >= memory/${bytes}\n`);
    return Number(host.run(`run_dir; sysctl_lines "${file}"`).trim().split(" ").pop());
  });
  expect([least, most]).toEqual([contract.CONNECTIONS_LEAST, contract.CONNECTIONS_MOST]);
  const [, perl] = /^my \$ID = '(.*)';$/m.exec(program.functions) ?? [];
  expect(ids.slice(0, 4).map((id) => new RegExp(`^${perl}$`).test(id))).toEqual(ids.slice(0, 4).map(contract.isId));
}

/** Answers and progress. */
function words({ world: { contract, payload }, host, of }: Setting): void {
  const about = `BLAME='${of("Router").id}' CULPRIT=dnsmasq TOUCHED=yes CHANGED="dnsmasq frr"`;
  const each = `for verdict in ${contract.VERDICTS.join(" ")}; do ${about}; answer "$verdict"; WHY=; done`;
  const [progress = "", ...answers] = host
    .run(
      `warn hey 2>&1; say hello 2>&1; run_dir; echo "old@1 new@1" >"$RUN/yields"; WHY=because; ${each}; converge 0 </dev/null; true`,
    )
    .split(/(?<=hello\n|^end\n)/m);
  expect(progress).toBe(`${contract.WARNS}hey\n${contract.SAYS}hello\n`);
  const [, format] = payload.parseAnswer(answers.pop() ?? "")?.words ?? [];
  expect(format).toBe(String(contract.FORMAT));
  expect(answers.map((text) => payload.parseAnswer(text))).toEqual(
    contract.VERDICTS.map((verdict, at) => ({
      ...{ verdict, words: [], touched: true, changed: ["dnsmasq", "frr"] },
      ...{
        service: "dnsmasq",
        id: of("Router").id,
        yields: verdict === "rivals" ? [{ id: "old@1", to: "new@1" }] : [],
        why: at === 0 ? "because" : "",
      },
    })),
  );
}

/** What was sent is staged, assembled and taken by every service, as far as its daemon is not asked. */
function staged({ world, host, here, of }: Setting): void {
  const { contract, payload } = world;
  const changes = here.map((it) => changeOf(world, it, true));
  host.put("payload", payload.encode(changes, "somebody", "abc", { confirm: contract.CONFIRM_WAIT }));
  const said = host.run(`${STAGE}
echo frr >"$VAR/packages"
stage_it "$ROOT/payload" 1
for service in $SERVICES; do try "$service" "\${service}_check" "$GENERATIONS/1/files"; done
point confirmed 1; point live 1`);
  const steps = ["payload", "strangers", "stage", "assemble", ...Object.keys(contract.SERVICES)];
  expect(said).toBe(steps.map((it) => `${it} well\n`).join(""));
  const file = (name: string): string => host.text(`${contract.ETC.slice(1)}/generations/1/files/${name}`);
  // The Router's lines are the first, interfaces have their names, secrets are what they are.
  expect(file("nftables").indexOf("# vpc6 ")).toBe(file("nftables").indexOf(`# vpc6 ${of("Router").id}\n`));
  expect(file("network")).toMatch(/^address web0 /m);
  const left = new RegExp(`${contract.MAC_TOKENS}|${contract.PLACEHOLDERS}`);
  for (const slot of contract.SLOTS.filter((it) => it !== "secrets")) expect(file(slot)).not.toMatch(left);
  expect(file("passwords")).toContain(" correct-horse-battery\n");
  expect(file("frr")).toContain(" password a-secret-of-two\n");
  const [, pem = ""] = / crt (\S+)/.exec(file("haproxy")) ?? [];
  expect(file(pem.replace(`${contract.LIVE}/`, ""))).toContain(PRIVATE_KEY.trim());
}

/** Who is refused, by what is known of others. */
async function refused({ world, host, of }: Setting): Promise<void> {
  const { contract, payload } = world;
  const vr9 = contract.idOf.router("vr9");
  const [tier] = world.arguments.NetworkAcl.tiers;
  const list = (await world.resource("NetworkAcl", {
    ...world.arguments.NetworkAcl,
    ...{ name: "other", tiers: [{ ...tier, interface: contract.macToken(MAC) }] },
  })) as Resource;
  const changes = [
    { ...changeOf(world, of("Router"), true), id: vr9, made: "5f3a other/prod" },
    changeOf(world, of("Uplink")),
    { ...changeOf(world, list), made: "5f3a other/prod" },
  ];
  changes.forEach((change, at) => {
    host.put(`payload.${at + 2}`, payload.encode([change], "", "abc"));
  });
  const said = host.run(`${STAGE}
for n in 2 3 4; do stage_it "$ROOT/payload.$n" $n | sed -n '/^strangers/p;/:/p' | sort -u; done
try frr frr_check "$GENERATIONS/3/files"
try nftables nftables_check "$GENERATIONS/4/files"`);
  expect(said.split("\n")).toEqual([
    `strangers ${vr9}: ${of("Router").id} is on this router already, put there by stack ${STACK}`,
    "strangers well",
    "strangers well",
    `frr ${of("Uplink").id}: this host is a Router; an Uplink is another machine, the one that VPC routers speak BGP with`,
    expect.stringMatching(/^nftables \S+: two access lists for interface web0: \S+ of stack \S+ and \S+ of stack \S+$/),
    "",
  ]);
  for (const [{ id }, stack] of [[list, "other/prod"] as const, [of("NetworkAcl"), STACK] as const])
    expect(said).toContain(`${id} of stack ${stack}`);
}

/** What others did there is told of the resource whose it is. */
function observed({ world, host, here, of }: Setting): void {
  const { contract, drift, payload, state } = world;
  const router = of("Router").id;
  const said = host.run(`CONFIRMED=$GENERATIONS/1
echo "$PROGRAM_HASH ${contract.FORMAT}" >"$CONFIRMED/program"
(cd "$CONFIRMED/fragments" && find . -mindepth 2 -type f -printf '%f\n') | sort -u >"$RUN/ids"
sums "$CONFIRMED" "$CONFIRMED" "$RUN/ids" && sums_write "$CONFIRMED/sums" || exit 1
dnsmasq_apply "$CONFIRMED/files" || exit 1
echo "2001:db8::bad evil" >>"$VAR/dns-hosts/${router}"
echo "interface=evil0" >>"$ETC/live/files/dnsmasq"
observe 2>/dev/null`);
  const seen = payload.decode(said);
  expect(seen.fragments).toEqual(new Map(here.map((it): [string, Fragments] => [it.id, fragmentsOf(it)])));
  const report = (kind: KindName): string[] => {
    const { id, inputs } = of(kind);
    const props = state.outputs(inputs as never, 1);
    // A line by itself: a report is cut off when it becomes long.
    return (seen.drift.get(id) ?? []).map((it) => drift.differences(props, seen.fragments.get(id) ?? {}, [it]));
  };
  const tell = (kind: KindName, line: string, startsAnew: boolean): void => {
    expect(report(kind)).toContain(line);
    expect(drift.startsDnsmasqAnew(`something else\n${line}`), line).toBe(startsAnew);
  };
  tell("Router", `dnsmasq on router vr1, file ${host.root}${contract.VAR}/dns-hosts/${router} changed`, false);
  // What is nobody else's is the Router's.
  tell("Router", "program on router vr1, vpc6.service is disabled", false);
  tell("Tier", "network on router vr1, address removed, web0 2001:67c:2834:1::1/64", true);
  tell("Tier", "network on router vr1, address removed, web0 10.1.1.1/24", false);
  tell("Vpc", "network on router vr1, address removed, lo 2001:67c:2834::1/128", false);
  tell("Vpc", "sysctl on router vr1, net.ipv6.conf.all.forwarding = 0 instead of 1", true);
  const edited = `line added to ${host.root}${contract.LIVE}/dnsmasq, interface=evil0`;
  tell("Tier", `dnsmasq on router vr1, ${edited}`, true);
}
