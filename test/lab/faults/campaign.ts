// The campaign: something happens at a random moment of a change. Afterwards the router holds the old or the new text of every resource,
// whole; the next run reaches the new state with no hand work; one more finds nothing to do; kernel and daemons are just what they
// are without any fault; and what had nothing to do with the change went on.

import type { Observation } from "../../../provider/router/index";
import { decode } from "../../../provider/router/payload";
import { lab } from "../lab.ts";
import { path } from "../router/vr1";
import { CONFIRM, type Driver } from "./drivers";
import { type Fault, largeDisk } from "./faults";
import type { Scene } from "./scenes";
import { type Traffic, traffic } from "./traffic";

export interface Try {
  fault: string;
  driver: string;
  step: string;
  /** When it struck, as a part of the change's usual time. */
  moment: number;
  /** What the run under the fault came to. */
  run: "done" | "error";
  /** What was on the router afterwards, before the next run. */
  left: "old" | "new" | "both" | "away";
  /** Of the traffic beside the change. */
  lost: number;
  sent: number;
  /** Why this try counts as lost. */
  trouble: string[];
}

const steps: [Scene, Scene, string][] = [
  ["base", "more", "create"],
  ["more", "other", "update"],
  ["other", "more", "update"],
  ["more", "base", "delete"],
  ["other", "base", "delete"],
];

export class Campaign {
  private scene: Scene = "nothing";
  private readonly usual = new Map<string, number>();
  private readonly looks = new Map<Scene, string>();
  /** What is on the router in each scene, by id. */
  private readonly texts = new Map<Scene, Observation["fragments"]>();
  private readonly random: () => number;
  private readonly driver: Driver;

  constructor(driver: Driver, seed: number) {
    this.driver = driver;
    this.random = mulberry(seed);
  }

  /** Every step once without any fault: how long it takes, and how the router looks then. */
  async rehearse(): Promise<void> {
    for (const [from, to] of [["nothing", "base"], ...steps.map(([a, b]) => [a, b])] as [Scene, Scene][]) {
      if (from !== this.scene) await this.mustRun(this.scene, from);
      const began = Date.now();
      await this.mustRun(from, to);
      this.usual.set(`${from} ${to}`, Date.now() - began);
      if (this.looks.has(to)) continue;
      this.looks.set(to, await look());
      this.texts.set(to, decode((await lab.exec("vr1", `${path} observe`)).stdout).fragments);
    }
  }

  /** One try of a fault at any step and moment. */
  async attempt(fault: Fault): Promise<Try> {
    const possible = steps.filter(([from]) => from === this.scene);
    const chosen = possible[Math.floor(this.random() * possible.length)];
    if (!chosen) throw new Error(`no step leads away from ${this.scene}`);
    const [from, to, step] = chosen;
    const usual = this.usual.get(`${from} ${to}`) ?? 1000;
    const moment = this.random() * 1.1;
    const trouble: string[] = [];
    await fault.prepare?.();
    await using packets: Traffic = traffic();
    const run = await this.driver.start(from, to);
    await new Promise((resolve) => setTimeout(resolve, moment * usual));
    await fault.strike(run);
    const { ok } = await run.ended;
    await fault.mend?.();
    await quiet(trouble);
    const left = await this.leftOver(from, to, trouble);
    const next = await (await this.driver.start(from, to, fault.byHand)).ended;
    if (!next.ok) trouble.push(`the next run fails: ${next.said}`);
    const said = await this.driver.settled(to);
    if (said !== undefined) trouble.push(`one more run finds something to do: ${said}`);
    await largeDisk();
    await this.compare(to, trouble);
    const { stdout } = await lab.exec("vr1", `${path} observe`);
    for (const [id, all] of decode(stdout).drift)
      trouble.push(`drift on ${id}: ${all.map(({ text }) => text).join("; ")}`);
    const { sent, lost, broken } = await packets.stop();
    if (!fault.interrupts && lost > 0) trouble.push(`${lost} of ${sent} unrelated packets were lost`);
    if (!fault.interrupts && broken) trouble.push("an unrelated TCP connection broke");
    this.scene = to;
    return {
      fault: fault.name,
      driver: this.driver.name,
      step,
      moment,
      run: ok ? "done" : "error",
      left,
      lost,
      sent,
      trouble,
    };
  }

  private async mustRun(from: Scene, to: Scene): Promise<void> {
    const { ok, said } = await (await this.driver.start(from, to)).ended;
    if (!ok) throw new Error(`without any fault ${from} → ${to} fails: ${said}`);
    this.scene = to;
  }

  /** Of every resource that changes: is its old or its new text there, whole? */
  private async leftOver(from: Scene, to: Scene, trouble: string[]): Promise<Try["left"]> {
    const { code, stdout } = await lab.exec("vr1", `${path} observe`, { check: false });
    if (code !== 0) return "away";
    const found = decode(stdout).fragments;
    const [old = new Map(), next = new Map()] = [this.texts.get(from), this.texts.get(to)];
    const sides = new Set<"old" | "new">();
    for (const id of new Set([...old.keys(), ...next.keys()])) {
      const text = (fragments: unknown): string =>
        JSON.stringify(fragments ?? null, Object.keys(fragments ?? {}).sort());
      const [now, before, after] = [found.get(id), old.get(id), next.get(id)].map(text);
      if (before === after && now === before) continue;
      if (now === before) sides.add("old");
      else if (now === after) sides.add("new");
      else trouble.push(`neither the old nor the new text of ${id} is on the router: ${now}`);
    }
    for (const id of found.keys())
      if (!old.has(id) && !next.has(id)) trouble.push(`${id} is on the router and nobody's`);
    return sides.size === 2 ? "both" : ([...sides][0] ?? "old");
  }

  /** Kernel and daemons, compared with how they are without any fault. */
  private async compare(scene: Scene, trouble: string[]): Promise<void> {
    const wanted = this.looks.get(scene) ?? "";
    let now = await look();
    // Sessions and checks come back in their own time.
    for (let tries = 0; now !== wanted && tries < 40; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      now = await look();
    }
    if (now !== wanted) trouble.push(`the router is not as it should be:\n${difference(wanted, now)}`);
  }
}

/** Until the router is up, nobody is at work there, and nothing waits for a confirmation. */
async function quiet(trouble: string[]): Promise<void> {
  try {
    await lab.until("the router to be quiet", 60_000, async () => {
      const { code, stdout } = await lab.exec(
        "vr1",
        `systemctl is-system-running --wait >/dev/null; ls /run/vpc6/pending 2>/dev/null; pgrep -f '^/bin/sh ${path} (converge|confirm|rollback|boot)'; systemctl list-units --no-legend 'vpc6-rollback*'; true`,
        { check: false, timeoutMs: 30_000 },
      );
      return code === 0 && stdout.trim() === "";
    });
  } catch (error) {
    trouble.push(`${(error as Error).message} (confirmations are waited for ${CONFIRM} s)`);
  }
}

/** Kernel and daemons, without what changes by itself. */
async function look(): Promise<string> {
  const commands = [
    "nft -s list table inet vpc6 | sed 's/^[ \\t]*//; s/, /\\n/g' | sort",
    "ip -o addr | sed -E 's/^[0-9]+: //; s/ (valid|preferred)_lft.*//; s/ tentative//' | sort",
    "ip -6 route show proto 106; ip -4 route show proto 106",
    "ip neigh show nud permanent | sort",
    "sysctl net.ipv6.conf.all.forwarding net.ipv6.conf.db0.accept_ra net.ipv6.conf.pub0.accept_ra",
    "for unit in vpc6-dnsmasq vpc6-haproxy frr; do echo $unit $(systemctl is-active $unit); done",
    "cat /var/lib/vpc6/dhcp-hosts/* /var/lib/vpc6/dns-hosts/*",
    "cat /etc/vpc6/live/files/dnsmasq /etc/vpc6/live/files/haproxy",
    "pgrep -x dnsmasq >/dev/null && echo dnsmasq runs",
    "if systemctl --quiet is-active frr; then vtysh -d bgpd -c 'show running-config' | grep -vE '^(Building|Current|!|frr |hostname|log|service)'; fi",
    "systemctl --failed --no-legend --plain | cut -d' ' -f1 | grep -v ^session-",
    "ls /usr/sbin/*.real /usr/bin/*.real 2>/dev/null",
  ];
  const { stdout } = await lab.exec("vr1", `{ ${commands.join("; ")}; } 2>&1; true`, { check: false });
  return stdout;
}

function difference(wanted: string, found: string): string {
  const [before, after] = [wanted, found].map((text) => new Set(text.split("\n"))) as [Set<string>, Set<string>];
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ].join("\n");
}

/** Small, good enough, and the same for the same seed. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** fault × step: tries and what became of them. */
export function table(tries: Try[]): string {
  const rows = new Map<string, Try[]>();
  for (const it of tries) rows.set(`${it.fault} | ${it.step}`, [...(rows.get(`${it.fault} | ${it.step}`) ?? []), it]);
  const count = (all: Try[], which: (it: Try) => boolean): number => all.filter(which).length;
  const line = (name: string, all: Try[]): string =>
    `| ${name} | ${all.length} | ${count(all, (it) => it.run === "done")} | ${count(all, (it) => it.left === "old")} | ${count(
      all,
      (it) => it.left === "new",
    )} | ${count(all, (it) => it.left === "both")} | ${all.reduce((sum, it) => sum + it.lost, 0)} of ${all.reduce(
      (sum, it) => sum + it.sent,
      0,
    )} | ${count(all, (it) => it.trouble.length > 0)} |`;
  return [
    "| fault | at a | tries | run ended well | router then old | new | some of both | other traffic lost | lost |",
    "|---|---|---|---|---|---|---|---|---|",
    ...[...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, all]) => line(name, all)),
    line("**all** | ", tries),
  ].join("\n");
}
