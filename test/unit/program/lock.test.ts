// One transaction at a time: who waits says for whom, on a clock that passes when it is asked.

import { spawn } from "node:child_process";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { of } from "./fragments";
import { Machine } from "./machine";

let machine: Machine;
beforeEach(() => {
  machine = Machine.router("sysctl");
});

/** Another process that holds the lock, until the test is over. */
async function held(by: string): Promise<void> {
  await machine.run("", "", "run_dir");
  machine.write("run/vpc6/holder", `${by}\n`);
  const holder = spawn("flock", [machine.at("run/vpc6/lock"), "sh", "-c", "echo held; exec cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  onTestFinished(() => {
    holder.stdin?.end();
  });
  await new Promise((resolve) => holder.stdout?.once("data", resolve));
}

test("another transaction is waited for, by its name, a minute and no more", async () => {
  await held("stack one: vpc6 up by anna");
  const { answer, stderr } = await machine.verb('converge "$PROGRAM_HASH"', machine.payload([await of("Vpc")]));
  expect(answer).toMatchObject({ verdict: "busy", touched: false });
  expect(answer?.why).toBe(
    "stack one: vpc6 up by anna is at work on this router, or waits for its confirmation, since more than 60 seconds",
  );
  expect(new Set(stderr.trim().split("\n"))).toEqual(new Set(["vpc6: waiting for stack one: vpc6 up by anna"]));
});

test("one that nobody holds is taken at once", async () => {
  const { code, asked } = await machine.run("lock 60");
  expect([code, asked]).toEqual([0, ["flock -n 9"]]);
});

describe("a change that waits for its confirmation", () => {
  const lock = (nonce: string) => machine.run(`NONCE=${nonce}; lock 60`);
  beforeEach(async () => {
    await machine.run("", "", "run_dir");
    machine.write("run/vpc6/holder", "stack one\n");
    machine.write("run/vpc6/pending", "waiting 4 1030 vpc6-rollback-4-waiting-1 abc\n");
  });

  test("is waited for until its time is over", async () => {
    const { code, stderr } = await lock("xyz");
    expect([code, stderr]).toEqual([0, "vpc6: waiting for stack one\n"]);
    expect(Number(machine.read("proc/uptime").split(".")[0])).toBeGreaterThanOrEqual(1030);
  });

  test("is not waited for by itself, sent again", async () => {
    const { code, asked } = await lock("abc");
    expect([code, asked.filter((it) => it.startsWith("sleep"))]).toEqual([0, []]);
  });

  test("is not waited for once its time is over, nor is one that is only being applied", async () => {
    machine.write("proc/uptime", "1031.00 1.00\n");
    expect((await lock("xyz")).stderr).toBe("");
    machine.write("proc/uptime", "1000.00 1.00\n");
    machine.write("run/vpc6/pending", "applying 4 1030 timer abc\n");
    expect((await lock("xyz")).stderr).toBe("");
  });

  // No payload may ask for more than 600 seconds.
  test.each([
    "waiting 4 1601 timer abc\n",
    "waiting 4 x timer abc\n",
    `waiting 4 ${"9".repeat(40)}\n`,
    "waiting",
    "\u0001\u0002\n",
    "",
  ])("that nobody can have asked for is not waited for: %j", async (text) => {
    machine.write("run/vpc6/pending", text);
    expect(await lock("xyz")).toMatchObject({ code: 0, stderr: "" });
  });
});

test("a timer is armed for each state, and the one before is stopped", async () => {
  const { did, code } = await machine.run(
    'pending; arm applying 4 && arm waiting 4; wait; cat "$RUN/pending"',
    "",
    "run_dir",
  );
  expect(code).toBe(0);
  expect(did.map((it) => it.replace(/-\d+(?=[. ])/g, "-PID").replace(/ --timer.*/, ""))).toEqual([
    "systemd-run --quiet --collect --unit=vpc6-rollback-4-applying-PID --on-active=30",
    "systemd-run --quiet --collect --unit=vpc6-rollback-4-waiting-PID --on-active=30",
    "systemctl stop --no-block vpc6-rollback-4-applying-PID.timer",
  ]);
  expect(machine.read("run/vpc6/pending")).toMatch(/^waiting 4 1030 vpc6-rollback-4-waiting-\d+ none\n$/);
});
