// What Pulumi's options and commands force: every kind of resource made once more under its own id, before the old one goes or after.
// Afterwards the router is as it was, with the processes that it had, and a refresh has nothing to say.

import { afterAll, beforeAll, expect, test } from "vitest";
import { kinds } from "../../provider/kinds";
import { typeToken } from "../../resources/resource";
import type { Engine } from "../engine/engine.ts";
import { lab } from "./lab.ts";
import { operatorsIpv4, program, start } from "./stack.ts";

let engine: Engine;

const routers = ["vr1", "edge"] as const;

/** `last` are options of those that nothing else is on. */
async function everything(last = "{}"): Promise<string> {
  const env = await lab.env();
  return await program(
    `
const last = ${last};
new vpc6.Uplink("cloud", { zone, host: "${env.EDGE_HOST}", hostKey: "${env.EDGE_HOST_KEY}", asn: 65000, address: "2001:db8:ffff::2" });
const shop = new vpc6.Vpc("shop", { zone, router: vr1 });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
const web1 = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11", password: "correct-horse-battery" }, last);
const web2 = new vpc6.Instance("web2", { tier: web, mac: "02:00:00:00:01:12" }, last);
new vpc6.SecondaryAddress("site", { instances: [web1, web2] }, last);
new vpc6.SecondaryAddress("web1-admin", { instances: [web1] }, last);
new vpc6.IsolatedNetwork("kiosks", { zone, router: vr1, interface: "cache0" }, last);
const offices = new vpc6.ExternalNetwork("offices", { entries: ["2001:db8:7::/48"] });
new vpc6.NetworkAcl("front", { tiers: [web], rules: [
  { direction: "ingress", action: "allow", protocol: "tcp", ports: "443", sources: [offices] },
] }, last);
new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", members: [{ instance: web1, port: 8080 }] }, last);
new vpc6.Nat64("nat64", { vpc: shop }, last);
new vpc6.BgpPeer("uplink", { vpc: shop, remoteAsn: 65000, address: "2001:db8:ffff::2" }, last);
`,
    {
      routers: { vr1: "" },
      zone: 'asnRange: "4200000000-4200000999", isolatedCidr: "2001:db8:2800::/56",',
    },
  );
}

/** What daemons and kernel have, and since when: once the VPC's route is there, which is the last thing to come, and again after a session has ended. */
async function looks(): Promise<string> {
  const routes = async () => (await lab.exec("edge", "ip -6 route show proto bgp")).stdout;
  await lab.until("the VPC's route", 30_000, async () => (await routes()).startsWith("2001:67c:2834::/60 "));
  const units = "vpc6-dnsmasq vpc6-haproxy vpc6-named vpc6-guard 'vpc6-tayga@*' frr 'vpc6-password@*.socket'";
  const command = `cd /etc/vpc6/live/files && find . -type f ! -name made -exec sha256sum {} + | sort -k2
    nft -s list ruleset; ip -o addr | sed 's/ valid_lft.*//'; ip -6 route; ip neigh show nud permanent
    systemctl show -p Id,ActiveState,MainPID ${units}; cat /var/lib/vpc6/dhcp-hosts/* /var/lib/vpc6/dns-hosts/*
    vtysh -c 'show running-config' | sort`;
  const texts = await Promise.all(routers.map((router) => lab.exec(router, command, { check: false })));
  return texts.map(({ stdout }) => stdout).join("\n");
}

const ours = async () =>
  (await engine.export()).deployment.resources?.filter(({ type }) => type.startsWith(typeToken(""))) ?? [];

async function nothingToSay(): Promise<void> {
  const { code, all } = await engine.preview({ args: ["--refresh", "--expect-no-changes"] });
  expect(code, all).toBe(0);
}

beforeAll(async () => {
  await lab.down();
  await lab.up("uplink", "vr1", "edge");
  await operatorsIpv4();
  engine = await start();
  await engine.program(await everything());
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab.down();
});

test("--replace and taint of each: made before the old one goes, and there afterwards; nothing is started anew", async () => {
  const all = await ours();
  expect(new Set(all.map(({ type }) => type))).toEqual(new Set(Object.keys(kinds).map(typeToken)));
  const before = await looks();
  const [tainted = "", ...others] = all.map(({ urn }) => urn);
  expect((await engine.run(["state", "taint", tainted, "--yes"])).code).toBe(0);
  const { code, all: said } = await engine.up({ args: others.flatMap((urn) => ["--replace", urn]) });
  expect(code, said).toBe(0);
  expect(said).toMatch(new RegExp(`[+]-${all.length} replaced`));
  expect(await looks()).toBe(before);
  expect((await ours()).length).toBe(all.length);
  await nothingToSay();
});

test("deleteBeforeReplace: the old one goes first, and the new one is there afterwards", async () => {
  await engine.program(await everything("{ deleteBeforeReplace: true }"));
  const leaves = (await ours()).filter(({ type }) => !/:(Zone|Router|Vpc|Tier|ExternalNetwork|Uplink)$/.test(type));
  // One after the other.
  const { code, all } = await engine.up({ args: ["-p", "1", ...leaves.flatMap(({ urn }) => ["--replace", urn])] });
  expect(code, all).toBe(0);
  await nothingToSay();
});

test("killed when new ones are made and old ones wait for their deletion: the next run ends it, and takes nothing along", async () => {
  const before = await looks();
  const those = (await ours()).filter(({ type }) => !/:(Zone|ExternalNetwork)$/.test(type));
  await engine.program(await everything());
  const run = engine.spawn([
    "up",
    "--yes",
    "--skip-preview",
    "-p",
    "1",
    ...those.flatMap(({ urn }) => ["--replace", urn]),
  ]);
  const waiting = async () => ((await engine.stateFile()).match(/"delete": ?true/g) ?? []).length;
  await lab.until("some to be replaced", 60_000, async () => (await waiting()) >= 4);
  run.child.kill("SIGKILL");
  await run.ended;
  expect(await waiting()).toBeGreaterThanOrEqual(4);
  await engine.run(["cancel", "--yes"]);
  const { code, all } = await engine.up();
  expect(code, all).toBe(0);
  expect(await waiting()).toBe(0);
  expect((await looks()).replace(/MainPID=.*/g, "")).toBe(before.replace(/MainPID=.*/g, ""));
  await nothingToSay();
});
