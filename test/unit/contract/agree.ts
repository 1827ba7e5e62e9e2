// One network of every kind on a machine that is a folder: whatever the provider says of it is read by the program there, and whatever
// that says is read by the provider. Throws where they do not mean the same.

import { expect } from "vitest";
import type { Fragments } from "../../../provider/kind";
import type { Change } from "../../../provider/router/types";
import { CERTIFICATE, PRIVATE_KEY } from "../certificate";
import type { Values } from "../check";
import { Host } from "./host";
import type { KindName, Resource, World } from "./world";

const MAC = "02:00:00:00:00:11";
const STACK = "shop/prod";

/** Every kind, beside one another on vr1; the Uplink is the other machine's. */
export async function network(world: World): Promise<Map<KindName, Resource>> {
  const { arguments: given, contract } = world;
  const web = { interface: undefined, mac: MAC };
  const device = contract.macToken(MAC);
  const changes: Partial<Record<KindName, Values>> = {
    Router: { owner: STACK },
    Vpc: { owner: STACK },
    Tier: { ...web, ipv4: { cidr: "10.1.1.0/24" } },
    IsolatedNetwork: { owner: STACK },
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
    NetworkAcl: { stack: STACK, tiers: [{ ...given.NetworkAcl.tiers[0], interface: device }] },
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
});

/** What `script` prints under a line `== NAME`. */
export function parts(output: string): Map<string, string> {
  const [, ...found] = output.split(/^== (.*)\n/m);
  return new Map(Array.from({ length: found.length / 2 }, (_, at) => [found[2 * at] ?? "", found[2 * at + 1] ?? ""]));
}

/** Reads a payload, stages it on what is confirmed, and assembles it: says how each ended, and why. */
export const STAGED = `
try() { # NAME COMMAND...: \`NAME well\`, or \`NAME ID: why\`
  local name="$1"
  shift
  WHY='' BLAME=''
  if "$@" >"$RUN/said" 2>&1; then echo "$name well"; else echo "$name $BLAME: $WHY$(cat "$RUN/said")"; fi
}
stage_it() { # FILE GENERATION
  cat "$1" >"$RUN/payload"
  FRESH='' NONCE=none REPAIR=''
  try payload read_payload "$RUN/payload.read" <"$1"
  try strangers strangers "$1" "$ETC/confirmed/fragments"
  mkdir -p "$GENERATIONS/$2"
  cp -a "$ETC/confirmed/fragments" "$GENERATIONS/$2/fragments"
  try stage stage_payload "$1" "$GENERATIONS/$2/fragments"
  try assemble assemble "$GENERATIONS/$2"
}
run_dir && generations && echo frr >"$VAR/packages"
`;

const SCRIPT = (payload: string): string => `${STAGED}
echo "== facts"
for name in PROGRAM VAR TAYGA_DATA NAMED_PORT CONFIRM_WAIT nftables_head SLOTS SERVICES; do eval "echo \\"$name=\\$$name\\""; done
echo "== staged"
stage_it ${payload} 1
echo "== checked"
for service in $SERVICES; do try "$service" "\${service}_check" "$GENERATIONS/1/files"; done
point confirmed 1; point live 1
echo "$PROGRAM_HASH" >"$GENERATIONS/1/program"
echo "== dnsmasq"
try dnsmasq dnsmasq_apply "$GENERATIONS/1/files"
ls "$VAR/dns-hosts" "$VAR/dhcp-hosts"
echo "== refused"
stage_it "$ROOT/payload.router" 2 | sed -n 's/^strangers/router/p'
stage_it "$ROOT/payload.uplink" 3 >/dev/null
stage_it "$ROOT/payload.list" 4 >/dev/null
try frr frr_check "$GENERATIONS/3/files"
try nftables nftables_check "$GENERATIONS/4/files"
echo "== waits"
for wait in least below most above; do
  NONCE=none; try "$wait" read_payload "$RUN/payload.read" <"$ROOT/payload.$wait"
done
echo "== ids"
while read -r id; do
  printf '%s\\nset %s\\nend 2\\n' "$HEAD" "$id" | { try "$id" read_payload "$RUN/payload.read"; }
done <"$ROOT/ids"
echo "== answers"
for verdict in $VERDICTS; do
  WHY=because BLAME=$ID_OF_ROUTER CULPRIT=dnsmasq TOUCHED=yes CHANGED="dnsmasq frr"
  answer "$verdict"
done
echo "== says"
say hello 2>&1
echo "== socket"
unit_password_socket ::
echo "== edited"
echo "2001:db8::bad evil" >>"$VAR/dns-hosts/$ID_OF_ROUTER"
echo "interface=evil0" >>"$ETC/live/files/dnsmasq"
echo "== observed"
observe 2>/dev/null
exit 0
`;

export async function agree(world: World, program = world.program.programOf(world.contract)): Promise<void> {
  const { contract } = world;
  const all = await network(world);
  const of = (kind: KindName): Resource => all.get(kind) as Resource;
  const here = [...all.values()].filter((it) => it.kind !== "Uplink" && Object.keys(fragmentsOf(it)).length > 0);
  using host = new Host(program.functions, [`${MAC} web0`, "02:00:00:00:00:12 pub0", "02:00:00:00:00:13 db0"]);
  const { encode, decode, parseAnswer } = world.payload;
  const send = (name: string, changes: Change[], confirm?: number): string =>
    host.put(name, encode(changes, "somebody", "abc", confirm));

  const payload = send(
    "payload",
    here.map((it) => changeOf(world, it, true)),
    contract.CONFIRM_WAIT,
  );
  const router = of("Router");
  send("payload.router", [{ ...changeOf(world, router, true), id: contract.idOf.router("vr9") }]);
  send("payload.uplink", [changeOf(world, of("Uplink"), true)]);
  const list = (await world.resource("NetworkAcl", {
    ...world.arguments.NetworkAcl,
    ...{ name: "other", stack: "other/prod" },
    tiers: [{ ...world.arguments.NetworkAcl.tiers[0], interface: contract.macToken(MAC) }],
  })) as Resource;
  send("payload.list", [changeOf(world, list, true)]);
  for (const [name, seconds] of [
    ["least", contract.CONFIRM_LEAST],
    ["below", contract.CONFIRM_LEAST - 1],
    ["most", contract.CONFIRM_MOST],
    ["above", contract.CONFIRM_MOST + 1],
  ] as const)
    send(`payload.${name}`, [{ id: router.id, label: "", fragments: null }], seconds);
  const ids = [..."._@:~-+,*=%"].map((it) => `a${it}b`);
  ids.push(
    "a".repeat(contract.ID_LONGEST),
    "a".repeat(contract.ID_LONGEST + 1),
    ...[...all.values()].map(({ id }) => id),
  );
  host.put("ids", `${ids.join("\n")}\n`);
  const told = parts(
    host.run(
      `HEAD='${contract.TRANSACTION}' VERDICTS='${contract.VERDICTS.join(" ")}' ID_OF_ROUTER='${router.id}'\n${SCRIPT(payload)}`,
    ),
  );
  const part = (name: string): string => {
    const text = told.get(name);
    if (text === undefined) throw new Error(`nothing was said of ${name}`);
    return text;
  };
  const at = (name: string): string => {
    const [, value] = new RegExp(`^${name}=(.*)$`, "m").exec(part("facts")) ?? [];
    return (value ?? "?").replace(host.root, "");
  };
  const file = (name: string): string => host.text(`${contract.ETC.slice(1)}/generations/1/files/${name}`);

  // What was sent is staged, assembled and taken by every service, but for what only daemons know.
  expect(part("staged")).toBe("payload well\nstrangers well\nstage well\nassemble well\n");
  expect(part("checked")).toBe(
    Object.keys(contract.SERVICES)
      .map((it) => `${it} well\n`)
      .join(""),
  );
  expect(at("SERVICES").split(" ")).toEqual(Object.keys(contract.SERVICES));
  expect(at("SLOTS").split(" ").sort()).toEqual([...contract.SLOTS].sort());

  // The Router's lines are the first, interfaces have their names, secrets are what they are.
  expect(file("nftables")).toContain(`\n# vpc6 ${router.id}\n`);
  expect(file("nftables").indexOf("# vpc6 ")).toBe(file("nftables").indexOf(`# vpc6 ${router.id}\n`));
  expect(file("network")).toMatch(/^address web0 /m);
  for (const slot of contract.SLOTS.filter((it) => it !== "secrets"))
    expect(file(slot)).not.toMatch(new RegExp(`${contract.MAC_TOKENS}|${contract.PLACEHOLDERS}`));
  expect(file("passwords")).toContain(" correct-horse-battery\n");
  expect(file("frr")).toContain(" password a-secret-of-two\n");

  // Where one side listens, keeps or reads, the other leads, puts or writes.
  expect(
    [...(fragmentsOf(router).nftables?.matchAll(/tcp dport (\d+) goto passwords/g) ?? [])].map(([, it]) => it),
  ).toEqual(Array(2).fill(/^ListenStream=::+:(\d+)$/m.exec(part("socket"))?.[1]));
  const translator = fragmentsOf(of("Nat64"));
  expect(translator.nftables).toContain(`redirect to :${at("NAMED_PORT")}\n`);
  expect(translator.nftables).toContain(`dns_ports { ${at("NAMED_PORT")} }`);
  expect(translator.tayga).toContain(`\ndata-dir ${at("TAYGA_DATA")}/${of("Nat64").inputs.device}\n`);
  const dnsmasq = fragmentsOf(router).dnsmasq ?? "";
  expect(dnsmasq).toContain(`\ndhcp-hostsdir=${at("VAR")}/dhcp-hosts\nhostsdir=${at("VAR")}/dns-hosts\n`);
  const [, pem = ""] = / crt (\S+)/.exec(file("haproxy")) ?? [];
  expect(file(pem.replace(`${contract.LIVE}/`, ""))).toContain(PRIVATE_KEY.trim());
  expect(pem).toContain(`${contract.ETC}/live/files/`);
  const tables = here.flatMap((it) => [...(fragmentsOf(it).nftables ?? "").matchAll(/^(?:add \w+|table) (\S+ \S+)/gm)]);
  expect(new Set(tables.map(([, table]) => `table ${table}`))).toEqual(new Set([at("nftables_head")]));
  expect(world.program.commands.observe("root")).toBe(`${at("PROGRAM")} observe`);
  expect(world.program.commands.install("root")).toContain(`mv -f $n ${at("PROGRAM")};`);
  expect(world.program.commands.install("root")).toContain(` = "${program.text.trimEnd().split("\n").at(-1)}" ]`);

  // Who is refused, and by what.
  const [another, machine, lists = "", ...more] = part("refused").split("\n");
  const vr9 = contract.idOf.router("vr9");
  expect(another).toBe(`router ${vr9}: ${router.id} is on this router already, put there by stack ${STACK}`);
  expect(machine).toBe(
    `frr ${of("Uplink").id}: this host is a Router; an Uplink is another machine, the one that VPC routers speak BGP with`,
  );
  expect(lists).toMatch(/^nftables \S+: two access lists for interface web0: /);
  expect(lists).toContain(`${list.id} of stack other/prod`);
  expect(lists).toContain(`${of("NetworkAcl").id} of stack ${STACK}`);
  expect(more).toEqual([""]);
  expect(part("waits")).toMatch(
    /^least well\nbelow : line \d+: not understood\nmost well\nabove : line \d+: not understood\n$/,
  );
  expect(at("CONFIRM_WAIT")).toBe(String(contract.CONFIRM_WAIT));
  const taken = new Set(part("ids").split("\n"));
  const accepted = ids.filter((id) => taken.has(`${id} well`));
  expect(accepted).toEqual(ids.filter(contract.isId));
  expect(accepted).toEqual(expect.arrayContaining([...all.values()].map(({ id }) => id)));
  const [, perl] = /^my \$ID = '(.*)';$/m.exec(program.functions) ?? [];
  expect(ids.filter((id) => new RegExp(`^${perl}$`).test(id) && id.length <= contract.ID_LONGEST)).toEqual(accepted);

  // What the program says.
  const answers = part("answers").split(/(?<=^end\n)/m);
  expect(answers.map((text) => parseAnswer(text))).toEqual(
    contract.VERDICTS.map((verdict) => ({
      ...{ verdict, words: [], touched: true, changed: ["dnsmasq", "frr"] },
      ...{ service: "dnsmasq", id: router.id, why: "because" },
    })),
  );
  expect(part("says")).toBe(`${contract.SAYS}hello\n`);
  const seen = decode(part("observed"));
  const sent = here.map((it): [string, Fragments] => [it.id, fragmentsOf(it)]);
  expect(seen.fragments).toEqual(new Map(sent));

  // And what it finds that others did, told of the resource whose it is.
  const report = (kind: KindName): string[] => {
    const { id, inputs } = of(kind);
    const props = world.state.outputs(inputs as never, 1);
    // A line by itself: a report is cut off when it becomes long.
    return (seen.drift.get(id) ?? []).map((it) => world.drift.differences(props, seen.fragments.get(id) ?? {}, [it]));
  };
  const files = host.root + at("VAR");
  const said = (kind: KindName, line: string, startsAnew: boolean): void => {
    expect(report(kind)).toContain(line);
    expect(world.drift.startsDnsmasqAnew(`something else\n${line}`), line).toBe(startsAnew);
  };
  said("Router", `dnsmasq on router vr1, file ${files}/dns-hosts/${router.id} changed`, false);
  said("Tier", "network on router vr1, address removed, web0 2001:67c:2834:1::1/64", true);
  said("Tier", "network on router vr1, address removed, web0 10.1.1.1/24", false);
  said("Vpc", "network on router vr1, address removed, lo 2001:67c:2834::1/128", false);
  said("Vpc", "sysctl on router vr1, net.ipv6.conf.all.forwarding = 0 instead of 1", true);
  const edited = `line added to ${host.root}${contract.LIVE}/dnsmasq, interface=evil0`;
  said("Tier", `dnsmasq on router vr1, ${edited}`, true);
}
