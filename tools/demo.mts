// The demo: boots the lab, previews and runs examples/vpc on its routers as it is, then shows the address plan, what each guest
// has leased, and pings between them. It ends with an error if a guest holds another address than the preview promised.
// Its Pulumi state is in the user's cache folder; `down` removes it together with the lab.

import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { type Guest, lab } from "../test/lab/lab.ts";

const root = path.join(import.meta.dirname, "..");
const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "vpc6");
const state = path.join(cache, "demo");

const settings = {
  ...process.env,
  PULUMI_BACKEND_URL: `file://${state}`,
  PULUMI_HOME: path.join(state, "home"),
  PULUMI_CONFIG_PASSPHRASE: "demo",
  PULUMI_STACK: "demo",
  PULUMI_SKIP_UPDATE_CHECK: "true",
  PULUMI_CONFIG_FILE: undefined,
};

const title = (text: string): void => console.log(`\n\u001b[1m${text}\u001b[0m`);

function pulumi(args: string[], extra: Record<string, string> = {}): void {
  const { status } = spawnSync("pulumi", args, {
    cwd: root,
    env: { ...settings, ...extra },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error(`pulumi ${args[0]} failed`);
}

function output<T>(name: string): T {
  const args = ["stack", "output", name, "--json"];
  return JSON.parse(
    execFileSync("pulumi", args, { cwd: root, env: settings as NodeJS.ProcessEnv, encoding: "utf8" }),
  ) as T;
}

/** Says how far it is with what takes long: the hosts' Debian is made the first time ever, which takes minutes. */
async function saying<T>(long: Promise<T>): Promise<T> {
  const began = Date.now();
  let next = 2;
  const word = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1000);
    if (seconds < next) return;
    const [disks] = globSync(path.join(cache, "lab/base-*.building"));
    const size = disks && spawnSync("du", ["-sm", disks], { encoding: "utf8" }).stdout.split("\t")[0];
    if (size) console.log(`  ${seconds} s: making Debian for the hosts, once, about two minutes; ${size} MB so far`);
    else if (seconds >= 20) console.log(`  ${seconds} s`);
    if (size || seconds >= 20) next = seconds + 20;
  }, 1_000);
  return await long.finally(() => clearInterval(word));
}

async function down(): Promise<void> {
  await lab.down();
  rmSync(state, { recursive: true, force: true });
}

async function demo(): Promise<void> {
  title("A lab of real Debian hosts: an uplink, two routers, guests");
  await down();
  await saying(lab.up("uplink", "vr1", "vr2", "web1", "web2", "db1", "app1"));
  const env = await lab.env();

  const config = path.join(state, "Pulumi.demo.yaml");
  mkdirSync(path.join(state, "home"), { recursive: true });
  const stack = (...args: string[]) =>
    execFileSync("pulumi", [...args, "--config-file", config], {
      cwd: root,
      env: settings as NodeJS.ProcessEnv,
      stdio: "pipe",
    });
  execFileSync("pulumi", ["stack", "init", "demo"], { cwd: root, env: settings as NodeJS.ProcessEnv, stdio: "pipe" });
  for (const name of ["vr1", "vr2"]) {
    stack("config", "set", `${name}Host`, String(env[`${name.toUpperCase()}_HOST`]));
    stack("config", "set", `${name}HostKey`, String(env[`${name.toUpperCase()}_HOST_KEY`]));
  }

  title("pulumi preview --diff: before anything is touched (no SSH key is given to it)");
  const width = { COLUMNS: "120" };
  pulumi(["preview", "--diff", "--config-file", config], width);

  title("pulumi up");
  pulumi(["up", "--yes", "--skip-preview", "--config-file", config], {
    ...width,
    VPC6_SSH_KEY_FILE: String(env.VPC6_SSH_KEY_FILE),
  });

  title("pulumi preview again: nothing to do");
  pulumi(["preview", "--expect-no-changes", "--config-file", config]);

  // The example leaves the uplink to its owner: its routes are set by hand here, which a BgpPeer and an Uplink would do (examples/bgp).
  for (const route of output<string[]>("routes")) {
    const [prefix = "", gateway = ""] = route.split(" via ");
    await lab.exec("uplink", ["ip", "-6", "route", "replace", prefix, "via", gateway]);
  }

  title("The address plan");
  for (const [name, ledger] of Object.entries(output<Record<string, string>>("plan")))
    console.log(`${name}: ${ledger}\n`);

  title("What the guests have leased by DHCPv6");
  const promised = Object.entries(output<Record<Guest, string>>("addresses")) as [Guest, string][];
  let wrong = 0;
  for (const [guest, address] of promised) {
    const leased = await lab.waitForLease(guest);
    if (leased !== address) wrong++;
    console.log(
      `${guest.padEnd(6)} promised ${address.padEnd(24)} leased ${leased.padEnd(24)} ${leased === address ? "ok" : "WRONG"}`,
    );
  }

  title("Pings between them (received of sent)");
  for (const [guest] of promised) await lab.waitForGateway(guest);
  console.log(`${"from".padEnd(8)}${promised.map(([guest]) => `to ${guest}`.padEnd(10)).join("")}`);
  for (const [from] of promised) {
    const results = await Promise.all(
      promised.map(async ([to, address]) => {
        if (from === to) return "-";
        const { sent, received } = await lab.ping(from, address, { count: 3, interval: 0.2 });
        if (received !== sent) wrong++;
        return `${received}/${sent}`;
      }),
    );
    console.log(`${from.padEnd(8)}${results.map((it) => it.padEnd(10)).join("")}`);
  }
  if (wrong > 0) throw new Error(`${wrong} of the results above are not what was promised`);
  title("As promised. Look around: test/lab/lab exec web1; make demo-down takes all of it down again.");
}

try {
  await (process.argv[2] === "down" ? down() : demo());
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
