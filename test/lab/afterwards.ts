// Before the first test what all labs have in common is made ready: while a root folder is built no lab can do much. After the last
// one, however it went, nothing of any lab is left on the machine.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { labs, ROUTERS } from "./which.mts";

const script = fileURLToPath(new URL("lab", import.meta.url));

function lab(verb: "setup" | "down", number = process.env.VPC6_LAB): void {
  const { status, error } = spawnSync(script, [verb], {
    stdio: "inherit",
    env: { ...process.env, VPC6_LAB: number, VPC6_LAB_ROUTERS: ROUTERS, VPC6_LAB_EQUIPPED: "yes" },
  });
  if (status !== 0) throw error ?? new Error(`lab ${verb} (VPC6_LAB=${number}) ended with ${status}`);
}

export function setup(): void {
  lab("setup");
  // A run that is interrupted ends without a teardown.
  process.once("exit", teardown);
}

export function teardown(): void {
  process.off("exit", teardown);
  for (const number of labs) lab("down", number);
}
