// The in-process engine is as good as the real one: the same runs through both, on the same routers, leave the same state, the same
// configuration and the same words behind. What most files of this folder assert rests on it.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Stack } from "../../cli/stack";
import { type Ended, ended, readOf, stateOf } from "../engine/compared.ts";
import type { Engine } from "../engine/engine.ts";
import type { InProcess } from "../engine/in-process.ts";
import { lab, type Router } from "./lab.ts";
import { ownPackages, program, SLEEP, start, startInProcess } from "./stack.ts";

/** One run, and what there was to see of it. */
interface Run {
  name: string;
  what: "preview" | "up" | "refresh" | "destroy";
  text?: string;
  args?: string[];
  config?: [key: string, value: string];
  /** By hand, before. */
  edit?: string;
  code: number;
}

interface Seen extends Ended {
  /** By URN. */
  state: Record<string, unknown>;
  outputs?: unknown[];
  routers: Record<string, string>;
  /** What `--diff` shows of what changes. */
  changes: string[];
  /** What `vpc6 report` reads of `--json`. */
  read?: Stack;
  /** In the order in which they ended. */
  deleted: string[];
}

const head = `import * as pulumi from "@pulumi/pulumi";
import { readFile } from "node:fs/promises";
const config = new pulumi.Config("test");
class Net extends pulumi.ComponentResource {
  readonly web;
  constructor(name, opts = {}) {
    super("test:net:Net", name, {}, opts);
    const shop = new vpc6.Vpc(\`\${name}-shop\`, { zone, router: vr1, claim: "shop" }, { parent: this });
    this.web = new vpc6.Tier(\`\${name}-web\`, { vpc: shop, interface: "web0", claim: "web" }, { parent: this });
    this.registerOutputs({});
  }
}
`;
const list = (ports: string) =>
  `new vpc6.NetworkAcl("list", { tiers: [net.web], rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: ${ports} }] });\n`;
const guest = (name: string, mac: string, more = "") =>
  `const ${name} = new vpc6.Instance("${name}", { tier: net.web, mac: "02:00:00:00:01:${mac}", ${more} });\n`;
const web1 = `${guest("web1", "11", `password: config.requireSecret("word")`)}export const address = web1.address; export const word = config.requireSecret("word");\n`;
const labs = (router: string, device: string, rest = "") => `
const labs = new vpc6.Vpc("labs", { zone, router: ${router} });
const app = new vpc6.Tier("app", { vpc: labs, interface: "${device}" }, ${rest || "{}"});
`;
const net = `const net = new Net("net");\n`;
const grid = `const net = new Net("grid", { aliases: [{ name: "net" }] });\n`;

const RUNS: Run[] = [
  {
    name: "a preview of everything",
    what: "preview",
    text: net + web1 + list(`"80"`),
    config: ["word", "a-word-of-ours"],
    code: 0,
  },
  { name: "everything", what: "up", text: net + web1 + list(`"80"`), code: 0 },
  { name: "nothing", what: "up", text: net + web1 + list(`"80"`), args: ["--expect-no-changes"], code: 0 },
  { name: "an edit", what: "up", text: net + web1 + list(`"81"`) + guest("web2", "12"), code: 0 },
  {
    name: "a preview of a change",
    what: "preview",
    text: net + web1 + list(`"82"`) + guest("web2", "12"),
    args: ["--diff", "--expect-no-changes"],
    code: 7,
  },
  {
    name: "another secret",
    what: "up",
    text: net + web1 + list(`"81"`) + guest("web2", "12"),
    config: ["word", "another-word"],
    code: 0,
  },
  {
    name: "a component with another name, and all in it",
    what: "up",
    text: grid + web1 + list(`"81"`) + guest("web2", "12"),
    code: 0,
  },
  {
    name: "a resource with another name",
    what: "up",
    text: `${grid}${web1}${list(`"81"`)}${guest("web2", "12").replace('"web2"', '"other"').replace("});", '}, { aliases: [{ name: "web2" }] });')}`,
    code: 0,
  },
  { name: "what is refused in check", what: "up", text: grid + web1 + list(`"99999"`), code: 1 },
  { name: "a program that throws", what: "up", text: `${grid}${web1}throw new Error("so it is");`, code: 1 },
  { name: "what a router refuses", what: "up", text: grid + web1 + list(`"81"`) + labs("vr2", "nowhere0"), code: 1 },
  { name: "the same put right", what: "up", text: grid + web1 + list(`"81"`) + labs("vr2", "app0"), code: 0 },
  { name: "to another router", what: "up", text: grid + web1 + list(`"81"`) + labs("vr1", "db0"), code: 0 },
  {
    name: "a child after an await",
    what: "up",
    text: `${grid}${web1}${list(`"81"`)}${labs("vr1", "db0")}void readFile("package.json").then(() => new vpc6.Vpc("late", { zone, router: vr2 }));`,
    code: 0,
  },
  { name: "a refresh that finds nothing", what: "refresh", args: ["--expect-no-changes"], code: 0 },
  {
    name: "a refresh after an edit by hand",
    what: "refresh",
    args: ["--expect-no-changes"],
    edit: "nft insert rule inet vpc6 forward tcp dport 666 accept",
    code: 7,
  },
  { name: "the repair", what: "up", text: grid + web1 + list(`"81"`) + labs("vr1", "db0"), code: 0 },
  {
    name: "a preview with a refresh",
    what: "preview",
    args: ["--refresh", "--expect-no-changes"],
    edit: "ip -6 addr del 2001:67c:2834:1::1/64 dev web0",
    code: 7,
  },
  { name: "the same in JSON", what: "preview", args: ["--refresh", "--json", "--show-sames"], code: 0 },
  { name: "the repair with a refresh", what: "up", args: ["--refresh"], code: 0 },
  { name: "some removed", what: "up", text: grid + web1, code: 0 },
  { name: "all destroyed", what: "destroy", code: 0 },
];

const hosts: Router[] = ["vr1", "vr2"];

async function play(engine: Engine | InProcess): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>();
  for (const { name, what, text, args = [], config, edit } of RUNS) {
    if (config) await engine.config(config[0], config[1], { secret: true });
    if (text !== undefined) await engine.program(await program(head + text));
    // Whoever puts back what is lost sleeps until the repair.
    if (edit) await lab.exec("vr1", `${SLEEP}; ${edit}`);
    const { code, stdout, all } = await engine[what]({ args });
    const state = await stateOf(engine);
    seen.set(name, {
      ...ended({ code, stdout, all }),
      state,
      // All outputs stand in the state; this is how tests ask for one.
      ...(name === "everything" && { outputs: [await engine.output("address"), await engine.output("word")] }),
      routers: Object.fromEntries(await Promise.all(hosts.map(async (host) => [host, await configured(host)]))),
      changes: args.includes("--diff")
        ? [...stdout.matchAll(/^\s*([-+~] .*)$/gm)].map(([, line = ""]) => line.trim().replaceAll(/\s+/g, " "))
        : [],
      ...(args.includes("--json") && { read: readOf(stdout) }),
      deleted: [...stdout.matchAll(/^ -\s+\S+vpc6:\S+ (\S+) deleted/gm)].map(([, one = ""]) => one),
    });
  }
  return seen;
}

/** What a router has been told, and does. */
const configured = async (host: Router): Promise<string> =>
  (
    await lab.exec(
      host,
      `cd /etc/vpc6/confirmed 2>/dev/null && grep -r --exclude-dir=made '' fragments/ | sort
       nft -n list table inet vpc6 2>/dev/null | sed -E 's/ (packets|bytes) [0-9]+//g; s/ expires [0-9a-z]+//; s/ (counter|timeout [0-9a-z]+)//g'
       ip -6 addr show scope global | grep -o 'inet6 2001:67c:[^ ]*' | sort
       ls /etc/vpc6 2>/dev/null || true`,
    )
  ).stdout;

let real: Map<string, Seen>;
let ours: Map<string, Seen>;

beforeAll(async () => {
  await lab.down();
  await lab.up(...hosts);
  await Promise.all(hosts.map(ownPackages));
  await using cli = await start();
  real = await play(cli);
  await using engine = await startInProcess();
  ours = await play(engine);
});

afterAll(() => lab.down());

describe.each(RUNS)("$name", ({ name, code }) => {
  test("ends as with the CLI", () => {
    expect(real.get(name)?.code, "the CLI").toBe(code);
    expect(ours.get(name)?.code).toBe(code);
    expect(ours.get(name)?.sum).toEqual(real.get(name)?.sum);
    expect(ours.get(name)?.errors).toEqual(real.get(name)?.errors);
    expect(ours.get(name)?.changes).toEqual(real.get(name)?.changes);
    expect(ours.get(name)?.read).toEqual(real.get(name)?.read);
  });

  test("leaves the same state", () => {
    expect(ours.get(name)?.state).toEqual(real.get(name)?.state);
    expect(ours.get(name)?.outputs).toEqual(real.get(name)?.outputs);
  });

  test("leaves the same on the routers", () => {
    expect(ours.get(name)?.routers).toEqual(real.get(name)?.routers);
  });
});

test("the runs are worth comparing: they fail, replace, repair and delete", () => {
  const sums = [...real.values()].flatMap(({ sum }) => sum).join("\n");
  for (const word of ["created", "updated", "deleted", "replaced", "unchanged", "to create"])
    expect(sums).toContain(word);
  expect([...real.values()].filter(({ errors }) => errors.length > 0)).toHaveLength(3);
  expect(real.get("a preview of a change")?.changes).toContain("+ tcp dport 82 return");
  expect(real.get("the same in JSON")?.read?.resources.filter(({ trouble }) => trouble)).not.toEqual([]);
  expect(real.get("everything")?.outputs).toEqual(["2001:67c:2834:1::10", "a-word-of-ours"]);
  expect(real.get("everything")?.routers.vr1).toContain("2001:67c:2834");
  expect(JSON.stringify(real.get("everything")?.state)).toContain("a-word-of-ours");
});

test("whatever needs another is deleted before it", () => {
  for (const deleted of [real, ours].map((all) => all.get("all destroyed")?.deleted ?? [])) {
    expect(deleted).toContain("ams1");
    for (const [child, parent] of [
      ["web1", "grid-web"],
      ["grid-web", "grid-shop"],
      ["grid-shop", "vr1"],
      ["vr1", "ams1"],
    ] as const) {
      expect(deleted.indexOf(child), `${child} before ${parent}: ${deleted.join(" ")}`).toBeLessThan(
        deleted.indexOf(parent),
      );
    }
  }
});
