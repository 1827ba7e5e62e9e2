// Which system a host has, and what is said of it: nothing, a warning, or an error before anything is done.

import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { RELEASES, RELEASES_TOLD } from "../../../provider/contract";
import { drop, of, type Resource } from "./fragments";
import { Machine } from "./machine";

let machine: Machine;
let vpc: Resource;
beforeEach(async () => {
  machine = Machine.router("sysctl");
  vpc = await of("Vpc");
});
const system = (id: string, version: string, name = `${id} ${version}`) =>
  machine.write("etc/os-release", `PRETTY_NAME="${name}"\nNAME="x"\nVERSION_ID="${version}"\nID=${id}\n`);
const warnings = (stderr: string) => stderr.split("\n").filter((line) => line !== "");

test.each(RELEASES.split(" "))("%s was tested: nothing is said", async (release) => {
  const [id = "", version = ""] = release.split("/");
  system(id, version);
  const { answer, stderr } = await machine.converge([vpc]);
  expect([answer?.verdict, stderr]).toEqual(["unconfirmed", ""]);
});

test.each([
  ["a later Debian", "debian", "14"],
  ["a later Ubuntu", "ubuntu", "26.04"],
  ["an Ubuntu in between", "ubuntu", "24.10"],
  ["a Debian that has no number yet", "debian", ""],
  ["a derivative", "linuxmint", "21"],
  ["another system", "fedora", "9"],
  ["a number that is none", "debian", "9.1.2"],
  ["a number that no shell knows", "debian", "99999999999999999999"],
  ["a word for a number", "debian", "$(reboot)"],
])("%s gets a warning by its name, each time, and is set up", async (_what, id, version) => {
  system(id, version);
  for (let time = 0; time < 2; time++) {
    const { answer, stderr } = await machine.converge([vpc]);
    expect(answer?.verdict).toBe(time === 0 ? "unconfirmed" : "ok");
    expect(warnings(stderr)).toEqual([
      `vpc6: warning: vpc6 was not tested on ${id} ${version}, only on ${RELEASES_TOLD}: try there what you rely on`,
    ]);
  }
});

describe("its name", () => {
  const said = async () =>
    warnings((await machine.converge([vpc])).stderr)[0]?.replace(/^.* was not tested on |, only.*/g, "");

  test("is an unknown one where there is no such file, or an empty one", async () => {
    machine.remove("etc/os-release");
    expect(await said()).toBe("an unknown system (it has no /etc/os-release)");
    machine.write("etc/os-release", "");
    expect(await said()).toBe("an unknown system (it has no /etc/os-release)");
  });

  test("stands in the vendor's place, too", async () => {
    machine.remove("etc/os-release");
    machine.write("usr/lib/os-release", "ID='void'\nPRETTY_NAME='Void'\n");
    expect(await said()).toBe("Void");
  });

  test("has no character that a terminal obeys", async () => {
    system("x", "1", "Gr\u00fcn\u001b[2J\u0007 1");
    expect(await said()).toBe("Gr\u00fcn[2J 1");
  });
});

describe.each([
  ["debian", "11"],
  ["debian", "9"],
  ["ubuntu", "22.04"],
  ["ubuntu", "24.02"],
])("%s %s is too old", (id, version) => {
  test("it is refused before anything is installed, and nothing is left of vpc6", async () => {
    system(id, version, `Old ${version}`);
    const { answer, asked } = await machine.converge([vpc]);
    expect(answer).toMatchObject({ verdict: "unusable", touched: false });
    expect(answer?.why).toBe(
      `its system is too old: Old ${version}\nvpc6 needs ${RELEASES_TOLD}: upgrade this host, or take another`,
    );
    expect(asked).toEqual([]);
    expect([machine.has("etc/vpc6"), machine.list("run/vpc6")]).toEqual([false, []]);
    expect((await machine.verb("uninstall nobody")).answer?.verdict).toBe("ok");
    expect(machine.has("usr/local/lib/vpc6")).toBe(false);
  });

  test("where vpc6 is already it can be changed and taken away, with a warning", async () => {
    await machine.converge([vpc]);
    system(id, version, `Old ${version}`);
    const { answer, stderr } = await machine.converge([drop(vpc.id)]);
    expect(answer?.verdict).toBe("unconfirmed");
    expect(warnings(stderr)).toEqual([
      `vpc6: warning: Old ${version} is too old for vpc6, which needs ${RELEASES_TOLD}: upgrade this host`,
    ]);
    expect((await machine.verb("uninstall nobody")).answer?.verdict).toBe("ok");
  });
});

test("the releases are the same for programs and for people, and the README promises these", () => {
  const told = RELEASES.split(" ").map((it) => it.replace(/^./, (first) => first.toUpperCase()).replace("/", " "));
  expect(RELEASES_TOLD).toBe(told.join(", ").replace(/, ([^,]*)$/, " or $1"));
  expect(readFileSync(path.join(import.meta.dirname, "../../../README.md"), "utf8")).toContain(
    `- Routers: ${RELEASES_TOLD}, with systemd.`,
  );
});
