// The lab itself, where a fault of its own would look like one of the router's.
import { afterAll, beforeAll, expect, it } from "vitest";
import { converge, disconnect } from "../../provider/router/index";
import { lab } from "./lab.ts";
import { address } from "./router/vr1.ts";

beforeAll(() => lab.down());
afterAll(() => disconnect());

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

it("a router that has the packages already is as one on which vpc6 has installed them a moment ago", async () => {
  await lab.up("vr1");
  lab.bare();
  await lab.up("vr2");
  const packages = "bind9 dnsmasq-base frr frr-pythontools haproxy iproute2 nftables tayga".replaceAll(" ", "\n");
  await converge(await address("root", "vr2"), { id: "router:vr2", label: "vr2", fragments: { packages } });
  const commands = {
    packages: "dpkg -l | awk '{ print $1, $2, $3 }'",
    brought:
      "cd /var/lib/vpc6 && for file in packages users groups; do sort -u $file; done; ls /usr/sbin/policy-rc.d 2>&1",
    users: "sort /etc/passwd; sort /etc/group",
    units:
      "systemctl list-unit-files --no-legend --no-pager | grep -Ev '[.]scope|vpc6' | sort; systemctl is-active frr haproxy named tayga dnsmasq nftables",
    lists: "ls /var/lib/apt/lists",
    files:
      "find /etc /usr /var/lib /var/cache/bind -xdev ! -path '*vpc6*' ! -path '/etc/systemd/network/*' ! -path '/var/lib/dpkg/*' ! -path '/var/lib/systemd/*' -printf '%p %y %m %u %g %l\\n' | sort",
  };
  for (const [what, command] of Object.entries(commands)) {
    const [ready, installed] = await Promise.all(
      (["vr1", "vr2"] as const).map(async (host) => (await lab.exec(host, command, { check: false })).stdout),
    );
    expect(installed, what).not.toBe("");
    expect(ready, what).toBe(installed);
  }
});
