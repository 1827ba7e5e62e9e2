// Packages: what is missing is installed with every daemon held still, and what came with it goes again.

import { beforeEach, expect, test } from "vitest";
import { Machine } from "./machine";

let machine: Machine;
beforeEach(() => {
  machine = Machine.router("sysctl");
  machine.write("dpkg", "base-files\n");
  machine.write("repository/bind9", "user bind\ngroup bind\nwith bind9-libs\n");
  machine.write("repository/bind9-libs", "");
  machine.write("repository/nftables", "");
});
const changes = (...names: string[]) => [{ id: "a@1", fragments: { packages: `${names.join("\n")}\n` } }];
const installs = (asked: string[]) =>
  asked
    .filter((it) => it.startsWith("apt-get"))
    .map((it) =>
      it
        .split(" ")
        .filter((word) => !word.startsWith("-") && !word.includes("::"))
        .join(" "),
    );

test("what is missing is installed, and what came with it is on record", async () => {
  machine.answer(
    "dpkg -L bind9 bind9-libs nftables",
    "/lib/systemd/system/named.service\n/lib/systemd/system/named@.service\n/usr/bin/x\n",
  );
  const { answer, stderr, asked } = await machine.converge(changes("nftables", "bind9", "base-files"));
  expect(answer).toMatchObject({ verdict: "ok", changed: [] });
  expect(installs(asked)).toEqual(["apt-get install bind9 nftables"]);
  expect(stderr).toContain("vpc6: installing bind9 nftables\n");
  expect(machine.read("var/lib/vpc6/packages")).toBe("bind9\nbind9-libs\nnftables\n");
  expect([machine.read("var/lib/vpc6/users"), machine.read("var/lib/vpc6/groups")]).toEqual(["bind\n", "bind\n"]);
  // Its daemon does not come back at the next boot.
  expect(asked).toContain("systemctl --quiet disable named.service");
  expect(machine.has("usr/sbin/policy-rc.d")).toBe(false);
});

test("while it installs no package starts a daemon, and an operator's own policy comes back", async () => {
  machine.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 7\n");
  const { asked } = await machine.converge(changes("nftables"));
  expect(asked).not.toContain("apt-get: daemons may start");
  expect(machine.read("usr/sbin/policy-rc.d")).toBe("#!/bin/sh\nexit 7\n");
});

test("what is there is not asked for again until dpkg has done something", async () => {
  await machine.converge(changes("nftables"));
  const again = async () => (await machine.run('packages_install "$ETC/live/files/packages"')).asked;
  await again();
  expect(await again()).toEqual([]);
  await machine.run('sleep() { :; }; touch -d "+1 minute" "$ROOT/var/lib/dpkg/status"');
  machine.write("dpkg", "base-files\n");
  expect(installs(await again())).toEqual(["apt-get install nftables"]);
});

test("a package that apt does not have: its words, after the lists were read anew", async () => {
  const { answer, asked } = await machine.converge(changes("nonsense"));
  expect(answer).toMatchObject({ verdict: "refused", service: "packages", touched: false });
  expect(answer?.why).toBe("apt-get cannot install nonsense:\nE: Unable to locate package nonsense");
  expect(installs(asked)).toEqual(["apt-get install nonsense", "apt-get update", "apt-get install nonsense"]);
});

test("on an Ubuntu whose apt does not read universe, where FRR is, this is said; on others it is not", async () => {
  const why = async () => (await machine.converge(changes("frr"))).answer?.why;
  const plain = "apt-get cannot install frr:\nE: Unable to locate package frr";
  machine.write("etc/os-release", 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.5 LTS"\n');
  machine.write("var/lib/apt/lists/archive_dists_noble_main_binary-amd64_Packages.lz4", "");
  expect(await why()).toBe(
    `${plain}\nthis host's apt has no list of Ubuntu's universe, where some of these are: run \`sudo add-apt-repository universe\` there`,
  );
  machine.write("var/lib/apt/lists/archive_dists_noble_universe_binary-amd64_Packages.lz4", "");
  expect(await why()).toBe(plain);
  machine.remove("var/lib/apt/lists/archive_dists_noble_universe_binary-amd64_Packages.lz4");
  machine.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  expect(await why()).toBe(plain);
});

test("without any list the lists are read first", async () => {
  machine.remove("var/lib/apt/lists/deb_InRelease");
  expect(installs((await machine.converge(changes("nftables"))).asked)).toEqual([
    "apt-get update",
    "apt-get install nftables",
  ]);
});

test("what is no name of a package is none of apt's options", async () => {
  const { answer, asked } = await machine.converge(changes("-o=x", "nftables"));
  expect(answer?.why).toBe("not a package name: -o=x");
  expect(installs(asked)).toEqual([]);
});

test("what a run that was killed installed is ours all the same", async () => {
  machine.write("var/lib/vpc6/packages.before", "base-files\n");
  machine.write("usr/sbin/policy-rc.d", "#!/bin/sh\n# by vpc6, while it installs packages\nexit 101\n");
  machine.write("dpkg", "base-files\nnftables\n");
  await machine.run("packages_recover", "", "run_dir");
  expect(machine.read("var/lib/vpc6/packages")).toBe("nftables\n");
  expect(machine.has("usr/sbin/policy-rc.d")).toBe(false);
});

test("purging takes what we brought, but what others need by now", async () => {
  machine.write("dpkg", "base-files\nbind9\nbind9-libs\nnftables\n");
  machine.write("var/lib/vpc6/packages", "nftables\nbind9\nbind9-libs\ngone\n");
  machine.write("var/lib/vpc6/users", "bind\n");
  machine.write("var/lib/vpc6/groups", "bind\n");
  machine.answer(
    "dpkg --no-act --purge bind9 bind9-libs nftables",
    "dpkg: dependency problems prevent removal of bind9-libs:\n mine depends on bind9-libs.\n",
    1,
  );
  const { did, stderr, code } = await machine.run("packages_purge", "", "run_dir");
  expect(code).toBe(0);
  expect(installs(did)).toEqual(["apt-get purge bind9 nftables"]);
  expect(stderr).toContain("vpc6: other packages need bind9-libs which stay\n");
  expect(did.slice(-2)).toEqual(["userdel bind", "groupdel bind"]);
  expect(machine.read("dpkg")).toBe("base-files\nbind9-libs\n");
});

test("a package that was taken away is its resource's drift", async () => {
  await machine.converge(changes("nftables", "base-files"));
  machine.write("dpkg", "base-files\n");
  expect(await machine.drift()).toEqual(["a@1 packages|package nftables removed"]);
  const { asked } = await machine.converge([
    { ...(changes("nftables", "base-files")[0] as { id: string; fragments: Record<string, string> }), repair: true },
  ]);
  expect(installs(asked)).toEqual(["apt-get install nftables"]);
});
