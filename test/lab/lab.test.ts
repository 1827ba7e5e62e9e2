// The lab itself, where a fault of its own would look like one of the router's.
import { expect, it } from "vitest";
import { lab } from "./lab.ts";

it("a command inside a host that is stopped for a moment, as all are when the host shuts down, ends all the same", async () => {
  await lab.up("web1");
  const stopped = lab.exec("web1", "kill -STOP $$; echo woken", { timeoutMs: 20_000 });
  const pid = await lab.until("the command to be stopped", 10_000, async () => {
    const { stdout } = await lab.exec("web1", "ps -eo pid=,stat=,args= | awk '$2 ~ /^T/ && /echo woken/ { print $1 }'");
    return stdout.trim() || false;
  });
  await lab.exec("web1", ["kill", "-CONT", pid]);
  expect((await stopped).stdout).toBe("woken\n");
});
