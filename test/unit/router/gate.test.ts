// Many routers at once: how many dials and connections there are at a time, and who is told what.

import type { AuthContext } from "ssh2";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { limits } from "../../../provider/router/connection";
import { RouterError } from "../../../provider/router/error";
import { forget, summary, tell } from "../../../provider/router/failures";
import { most } from "../../../provider/router/gate";
import { converge, disconnect } from "../../../provider/router/index";
import { idle } from "../../../provider/router/session";
import { answer, type FakeRouter, fakeRouter, tcpServer, userKey } from "./server";

const change = { id: "web@2001:db8::", label: 'Tier "web"', fragments: { network: "interface web0\n" } };
const ok = () => answer("ok 1 same", { changed: "network" });
// The machine may be busy.
vi.setConfig({ testTimeout: 30_000 });
const saved = { limits: { ...limits }, most: { ...most }, idle: { ...idle } };

beforeEach(() => {
  vi.stubEnv("VPC6_SSH_KEY", userKey.private);
  vi.stubEnv("SSH_AUTH_SOCK", "");
  vi.stubEnv("HOME", "/nonexistent");
});
afterEach(() => {
  disconnect();
  forget();
  vi.unstubAllEnvs();
  Object.assign(limits, saved.limits);
  Object.assign(most, saved.most);
  Object.assign(idle, saved.idle);
});

/** The most TCP connections at a time without a login, over all of `routers`; `accept` counts them. */
function counting() {
  const seen = { now: 0, most: 0 };
  // Asked for each key, and once more with its signature.
  const login = (context: AuthContext) => {
    if (context.method === "publickey" && context.signature) seen.now--;
    return true;
  };
  const accept = () => {
    seen.most = Math.max(seen.most, ++seen.now);
    return true;
  };
  return { seen, behavior: { login, accept } };
}

async function fleet(count: number, behavior = {}): Promise<AsyncDisposable & { routers: FakeRouter[] }> {
  const routers = await Promise.all(Array.from({ length: count }, () => fakeRouter(ok, behavior)));
  return {
    routers,
    async [Symbol.asyncDispose]() {
      await Promise.all(routers.map((router) => router[Symbol.asyncDispose]()));
    },
  };
}

describe("many routers", () => {
  it("are dialled a few at a time", async () => {
    most.dials = 5;
    const { seen, behavior } = counting();
    await using all = await fleet(40, behavior);
    await Promise.all(all.routers.map(({ address }) => converge(address, change)));
    expect(seen.most).toBeGreaterThan(1);
    expect(seen.most).toBeLessThanOrEqual(5);
  });

  it("behind one bastion get in a few at a time: its sshd would drop more", async () => {
    most.atOneServer = 3;
    await using inner = await fleet(12);
    const { seen, behavior } = counting();
    let port = 0;
    await using bastion = await fakeRouter(() => undefined, { ...behavior, forwardTo: () => port });
    // All lead to one inner host: only the way there is looked at.
    port = inner.routers[0]?.address.port ?? 0;
    const { host, user, hostKey } = bastion.address;
    const proxy = { host, user, hostKey, port: bastion.address.port };
    await Promise.all(inner.routers.map(({ address }) => converge({ ...address, proxy }, change)));
    expect(bastion.connections).toBe(12);
    expect(seen.most).toBeGreaterThan(1);
    expect(seen.most).toBeLessThanOrEqual(3);
  });

  it("behind one bastion do not wait for the first of them, when only that does not answer", async () => {
    limits.handshake = 3_000;
    await using mute = await tcpServer(() => {});
    await using inner = await fakeRouter(ok);
    const ports = [mute.port, inner.address.port];
    await using bastion = await fakeRouter(() => undefined, { forwardTo: () => ports.shift() ?? inner.address.port });
    const { name: _, ...proxy } = bastion.address;
    const began = performance.now();
    const behind = (name: string) => converge({ ...inner.address, host: `${name}.example.net`, proxy, name }, change);
    const [first, ...others] = ["a", "b", "c"].map(behind);
    await Promise.all(others);
    expect(performance.now() - began).toBeLessThan(limits.handshake);
    await expect(first).rejects.toThrow("says nothing");
  });

  it("one that never answers takes a place for as long as it may, and no other's", async () => {
    most.dials = 2;
    limits.handshake = 2_000;
    await using mute = await tcpServer(() => {});
    await using all = await fleet(10);
    const [first] = all.routers;
    let given = "";
    const address = { ...(first?.address as FakeRouter["address"]), name: "mute", port: mute.port };
    const hopeless = converge(address, change).catch((error: Error) => {
      given = error.message;
    });
    await Promise.all(all.routers.map(({ address }) => converge(address, change)));
    expect(given).toBe("");
    await hopeless;
    expect(given).toContain("accepts connections but says nothing");
  });

  it("do not all keep their connections", async () => {
    idle.most = 4;
    await using all = await fleet(20);
    for (const { address } of all.routers) await converge(address, change);
    const open = () => all.routers.filter(({ open }) => open.size > 0);
    await vi.waitFor(() => expect(open().length).toBe(4), 10_000);
    // The ones that were used last.
    expect(open()).toEqual(all.routers.slice(-4));
    await converge(all.routers[0]?.address as FakeRouter["address"], change);
    expect(all.routers[0]?.connections).toBe(2);
  });
});

describe("what is said of failures", () => {
  const router = (name: string) => ({ name, host: "192.0.2.1", port: 22, user: "root", hostKey: "" });
  const gone = (name: string) =>
    new RouterError(router(name), {
      what: "cannot connect",
      why: "refused\nsecond line",
      remedy: "Is it up?",
      touched: false,
    });

  it("all to the first resource, and to the others where that is", () => {
    const error = gone("vr7");
    expect(tell(error, 'Router "vr7"')).toBe(error.message);
    expect(tell(gone("vr7"), 'Vpc "a"')).toBe('router vr7 (root@192.0.2.1): cannot connect (see Router "vr7")');
    expect(tell(error, 'Router "vr7"')).toBe(error.message);
    expect(tell(gone("vr8"), 'Vpc "b"')).toBe(gone("vr8").message);
  });

  it("at the end, a line for each router; none when one error was all", () => {
    tell(gone("vr7"), 'Router "vr7"');
    expect(summary(3)).toBeUndefined();
    tell(gone("vr7"), 'Vpc "a"');
    tell(gone("vr8"), 'Vpc "b"');
    expect(summary(3)).toBe(
      [
        "2 of 3 routers failed:",
        '  router vr7 (root@192.0.2.1): cannot connect: refused (Router "vr7" and 1 more)',
        '  router vr8 (root@192.0.2.1): cannot connect: refused (Vpc "b")',
      ].join("\n"),
    );
    expect(summary(3, 1)?.split("\n").at(-1)).toBe("  … and 1 more");
  });

  it("at the end too without what a terminal obeys in a router's words", () => {
    const why = "\u001b[2J\u001b]52;c;eA==\u0007\u202e no\rroom<{%x%}>\nmore";
    for (const label of ["a", "b"]) {
      tell(new RouterError({ ...gone("vr7").router }, { what: "it is full", why, touched: true }), label);
    }
    expect(summary(1)).toBe(
      "1 of 1 router failed:\n  router vr7 (root@192.0.2.1): it is full: ]52;c;eA== noroom<{ %x%}> (a and 1 more)",
    );
  });
});
