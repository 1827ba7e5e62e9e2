// haproxy: load balancers, and certificates with their keys.

import { chmodSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { CERTIFICATE, OTHER_KEY, PRIVATE_KEY } from "../../certificate";
import { drop, of, type Resource } from "../fragments";
import { judges, Machine } from "../machine";

const real = judges.includes("haproxy");
const CERTIFIED = { certificate: CERTIFICATE, privateKey: PRIVATE_KEY };
let router: Resource;
let www: Resource;
let machine: Machine;
beforeEach(async () => {
  [router, www] = [await of("Router"), await of("LoadBalancer")];
  machine = Machine.router("haproxy");
});
const check = (sets: Resource[]) => machine.assembled(sets, 'haproxy_check "$FILES"');
const odd = (text: string): Resource => ({ id: "odd@1", fragments: { haproxy: text } });

describe("assembling", () => {
  test("a router without a load balancer has no haproxy", async () => {
    await machine.assembled([router]);
    expect(machine.file("haproxy")).toBe("");
  });

  test("a certificate and its key are a file of their own, with the key in it", async () => {
    const tls = await of("LoadBalancer", { claim: "secure", port: 443, tls: CERTIFIED });
    await machine.assembled([router, tls]);
    expect(machine.list("etc/vpc6/generations/1/files/certificates.d")).toEqual([tls.id]);
    expect(machine.file(`certificates.d/${tls.id}`)).toBe(`${CERTIFICATE}${PRIVATE_KEY}`);
  });
});

describe("checking", () => {
  test("what kinds render passes, TLS with its certificate too", async () => {
    const tls = await of("LoadBalancer", { claim: "secure", port: 443, tls: CERTIFIED });
    const { code, why, asked } = await check([router, www, tls]);
    expect([code, why]).toEqual([0, ""]);
    expect(asked).toEqual(["haproxy -c -f /etc/vpc6/generations/1/files/haproxy.check"]);
    expect(machine.list("etc/vpc6/generations/1/files")).not.toContain("haproxy.check");
  });

  test("a key that is not the certificate's is refused in haproxy's words, and the words are of the live file", async () => {
    const tls = await of("LoadBalancer", { claim: "secure", port: 443, tls: CERTIFIED });
    const fragments = {
      ...tls.fragments,
      secrets: (tls.fragments.secrets ?? "").replaceAll(/ (?=[A-Za-z0-9+/=]{20})/g, " X"),
    };
    const { code, why, blame } = await check([router, { ...tls, fragments }]);
    if (!real) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, tls.id]);
    expect(why).toContain("parsing [haproxy:");
    expect(why).not.toMatch(/haproxy\.check|\/etc\/|NOTICE/);
  });

  test("an address and port of two: haproxy would let the kernel share the connections out", async () => {
    const { code, why, blame } = await check([router, www, { ...www, id: "other@1" }]);
    expect([code, why]).toEqual([
      1,
      `bind [2001:67c:2834::80]:80 is already said by ${blame === www.id ? "other@1" : www.id}`,
    ]);
  });

  test("what the daemon refuses is told with its fragment", async () => {
    const { code, why, blame } = await check([router, www, odd("listen odd\n\tbind [::1]:81\n\tnonsense here\n")]);
    if (!real) return expect(code).toBe(0);
    expect([code, blame]).toEqual([1, "odd@1"]);
    expect(why).toMatch(/parsing \[haproxy:\d+\] : unknown keyword 'nonsense'/);
  });

  test("a judge that says nothing of what is wrong is quoted whole", async () => {
    machine.remove("bin/haproxy");
    machine.write("bin/haproxy", "#!/bin/sh\necho 'haproxy: cannot be started' >&2\nexit 127\n");
    chmodSync(machine.at("bin/haproxy"), 0o755);
    expect((await check([router, www])).why).toBe("haproxy: cannot be started");
  });

  test("a router of before there were load balancers", async () => {
    expect((await check([www])).why).toBe("the Router was set up by an older version of vpc6: update it first");
  });

  test("without haproxy its package is named", async () => {
    machine.remove("bin/haproxy");
    expect((await check([router, www])).why).toBe(
      "haproxy is not installed (the LoadBalancer's packages should name it)",
    );
  });
});

describe("applying", () => {
  const ours = ({ did }: { did: string[] }) => did.filter((it) => it.includes("vpc6-haproxy"));

  test("starts it once; a change is a reload, and none is nothing", async () => {
    expect(ours(await machine.converge([router, www]))).toEqual(["systemctl restart vpc6-haproxy"]);
    // The master, and a worker that comes with the signal.
    machine.write("units/vpc6-haproxy.pid", "50\n");
    machine.write("proc/50/task/50/children", "51 ");
    const again = machine.run('haproxy_apply "$ETC/live/files"');
    expect(ours(await again)).toEqual([]);
    await machine.assembled([router, await of("LoadBalancer", { port: 81 })]);
    const late = await machine.run(
      `sleep() { echo "51 52" >"$PROC/50/task/50/children"; }; haproxy_apply "$GENERATIONS/1/files"`,
    );
    expect(ours(late)).toEqual(["systemctl kill -s USR2 --kill-whom=main vpc6-haproxy"]);
    expect(late.code).toBe(0);
  });

  test("a reload that no new process answers to is a failure", async () => {
    await machine.converge([router, www]);
    machine.write("units/vpc6-haproxy.pid", "50\n");
    machine.write("proc/50/task/50/children", "51 ");
    machine.answer("journalctl", "cannot bind socket\n");
    await machine.assembled([router, await of("LoadBalancer", { port: 81 })]);
    // Of a hundred looks some are enough here.
    const { code, why } = await machine.run('sleep() { waits=$((waits + 24)); }; haproxy_apply "$GENERATIONS/1/files"');
    expect([code, why]).toEqual([1, "the new configuration is not in force: cannot bind socket"]);
    expect(machine.has("run/vpc6/haproxy.applied")).toBe(false);
  });

  test("a unit that is up no more fails the change", async () => {
    await machine.converge([router, www]);
    machine.write("units/vpc6-haproxy", "failed\n");
    machine.answer("journalctl", "haproxy: out of files\n");
    const { why } = await machine.run('haproxy_health "$ETC/live/files"');
    expect(why).toBe("vpc6-haproxy does not stay up: haproxy: out of files");
  });

  test("without a balancer it is stopped", async () => {
    await machine.converge([router, www]);
    expect(ours(await machine.converge([drop(www.id)]))).toEqual([
      "systemctl stop --job-mode=ignore-dependencies vpc6-haproxy",
      "systemctl reset-failed vpc6-haproxy",
    ]);
  });
});

describe("drift", () => {
  test("files of certificates: never what is in them", async () => {
    const tls = await of("LoadBalancer", { claim: "secure", port: 443, tls: CERTIFIED });
    await machine.converge([router, www, tls]);
    expect(await machine.drift()).toEqual([]);
    const folder = "etc/vpc6/live/files/certificates.d";
    machine.write(`${folder}/${tls.id}`, OTHER_KEY);
    machine.write(`${folder}/other`, OTHER_KEY);
    expect(await machine.drift()).toEqual([
      `router:vr1 haproxy|/${folder}/other added`,
      `${tls.id} haproxy|/${folder}/${tls.id} changed`,
    ]);
    expect(machine.has("run/vpc6/haproxy.applied")).toBe(false);
  });

  test("a changed line is its balancer's, and what is stopped is the router's", async () => {
    await machine.converge([router, www]);
    const file = "etc/vpc6/live/files/haproxy";
    machine.write(file, machine.read(file).replace("weight 5", "weight 6"));
    machine.write("units/vpc6-haproxy", "inactive\n");
    expect(await machine.drift()).toEqual([
      `${www.id} haproxy|line removed from /${file}, \tserver web2 [2001:67c:2834:1::11]:8080 weight 5`,
      `${www.id} haproxy|line added to /${file}, \tserver web2 [2001:67c:2834:1::11]:8080 weight 6`,
      "router:vr1 haproxy|vpc6-haproxy is stopped (inactive)",
    ]);
    expect(machine.has("run/vpc6/haproxy.applied")).toBe(false);
  });
});

test("removing stops it", async () => {
  await machine.converge([router, www]);
  expect((await machine.run("haproxy_remove")).did).toEqual([
    "systemctl stop --job-mode=ignore-dependencies vpc6-haproxy",
    "systemctl reset-failed vpc6-haproxy",
  ]);
});
