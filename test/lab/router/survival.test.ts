// A transaction that is cut short: by a signal, a broken connection, a lost confirmation, a power cut. The router is in the
// old state or in the new one, and the next run carries on.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Change,
  converge,
  disconnect,
  observe,
  onProgress,
  type RouterAddress,
  RouterError,
  setHolder,
  uninstall,
} from "../../../provider/router/index";
import { encode, parseAnswer } from "../../../provider/router/payload";
import { program } from "../../../provider/router/program";
import { confirmation } from "../../../provider/router/session";
import { lab } from "../lab.ts";
import { asleep, base, freshRouter, instance, nothingLeft, on, path, pending, raw, tier, without } from "./vr1";

let router: RouterAddress;
const patient = { ...confirmation };
const web = tier("web", "web0", 1);
/** Duplicate address detection keeps this one at work for more than a second. */
const slow: Change = {
  id: "slow",
  label: 'Tier "slow"',
  fragments: { network: "interface db0\naddress db0 2001:67c:2834:2::1/64\n" },
};

beforeAll(async () => {
  router = await freshRouter();
  await lab.up("db1");
  await converge(router, base);
  await converge(router, web);
});
afterAll(() => {
  Object.assign(confirmation, patient);
  disconnect();
});

const state = () =>
  on("readlink /etc/vpc6/live /etc/vpc6/confirmed; ip -br -6 addr show scope global; nft list ruleset");
const applied = () => on("ip -6 addr show dev db0 scope global");

async function failure(promise: Promise<unknown>): Promise<RouterError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RouterError);
  return error as RouterError;
}

/**
 * Kills the program, or who is named by it, when it has set the slow tier's address. It waits for duplicate detection from then
 * on, a second in which only the router itself is sure to strike.
 */
const strike = (whom: string) =>
  on(`until program=$(pgrep -o -f '^/bin/sh ${path} converge') && ip -6 addr show dev db0 scope global | grep -q 2834:2::1
    do sleep 0.02; done
    kill -9 ${whom}`);

describe("killed in the middle", () => {
  it("the program: the next transaction puts back what was left, then does its own", async () => {
    const before = await state();
    const outcome = raw(encode([slow], "test", "n"), router.host);
    await strike("$program");
    expect(parseAnswer(await outcome)).toBeUndefined();
    expect(await on("readlink /etc/vpc6/live")).not.toBe(await on("readlink /etc/vpc6/confirmed"));
    // A transaction that has nothing to say of its own.
    expect(parseAnswer(await raw(encode([web], "test", "n")))).toMatchObject({
      verdict: "ok",
      words: [expect.any(String), "nothing"],
    });
    expect(await state()).toBe(before);
    await nothingLeft();
    // What it was sent may hold secrets.
    expect(await on("ls /run/vpc6/payload.* 2>/dev/null || true")).toBe("");
  });

  it("the program, before it started dnsmasq anew for an address that had been away: the next transaction does", async () => {
    const before = await state();
    const dnsmasq = () => on("systemctl show -P InvocationID vpc6-dnsmasq");
    const found = await dnsmasq();
    await on("ip addr del 2001:67c:2834:1::1/64 dev web0");
    const outcome = raw(encode([slow], "test", "n"), router.host);
    await strike("$program");
    await outcome;
    expect(await dnsmasq()).toBe(found);
    const nothing = async () =>
      expect(parseAnswer(await raw(encode([web], "test", "n")))).toMatchObject({
        verdict: "ok",
        words: [expect.any(String), "nothing"],
      });
    await nothing();
    expect(await state()).toBe(before);
    const now = await dnsmasq();
    expect(now).not.toBe(found);
    await nothing();
    expect(await dnsmasq()).toBe(now);
  });

  it("the program, and nobody comes: its timer puts everything back", async () => {
    const before = await state();
    const outcome = raw(encode([slow], "test", "n", { confirm: 5 }), router.host);
    await strike("$program");
    await outcome;
    await lab.until(
      "the router to put it back",
      12_000,
      async () => (await state()) === before && (await pending()) === "",
    );
    await nothingLeft();
  });

  it("putting it back, half-way: the next transaction does it again", async () => {
    const before = await state();
    const outcome = raw(encode([slow], "test", "n"), router.host);
    await strike("$program");
    await outcome;
    // As `put_back` leaves it that is killed before its first service: `live` is right, the host is not.
    await on(`cd /etc/vpc6 && echo "$(readlink -f live)" >/run/vpc6/put-back && ln -sfn "$(readlink confirmed)" live`);
    expect(parseAnswer(await raw(encode([web], "test", "n")))).toMatchObject({ verdict: "ok" });
    expect(await state()).toBe(before);
    expect(await on("ls /run/vpc6/put-back 2>/dev/null || true")).toBe("");
  });

  it("the connection: the program finishes, and the provider finds out", async () => {
    const report = converge(router, slow);
    // The sshd that serves this connection: the program's parent's parent, or its parent. From OpenSSH 9.8 on it is an sshd-session, whose
    // parent is the sshd that serves all.
    await strike(
      `$(p=$program; until grep -qE '^sshd(-session)?$' /proc/$p/comm; do p=$(awk '{ print $4 }' /proc/$p/stat) || exit; done; echo $p)`,
    );
    expect(await report).toMatchObject({ generation: expect.any(Number) });
    expect(await applied()).toContain("2001:67c:2834:2::1");
    expect(await on("readlink /etc/vpc6/live")).toBe(await on("readlink /etc/vpc6/confirmed"));
    await nothingLeft();
    await converge(router, without(slow));
  });

  it("the other end of the pipe, and the session: the program finishes all the same", async () => {
    const first = await on("readlink /etc/vpc6/confirmed");
    const script = `cat >/root/payload
      (${path} converge ${program().hash} ${router.host} </root/payload 2>&1 | true) &
      until [ -e /run/vpc6/pending ]; do sleep 0.02; done
      for signal in HUP TERM INT PIPE; do kill -$signal $(pgrep -f '^/bin/sh ${path} converge'); done
      wait`;
    await lab.exec("vr1", script, { input: encode([slow], "test", "n") });
    await lab.until("it to be confirmed", 10_000, async () => (await on("readlink /etc/vpc6/confirmed")) !== first);
    expect(await applied()).toContain("2001:67c:2834:2::1");
    await converge(router, without(slow));
  });
});

describe("a change that could cut the operator off", () => {
  const managed: Change = { id: "mgmt", label: 'Tier "mgmt"', fragments: { network: "interface mgmt0\n" } };
  const cut = (rules: string): Change => ({
    id: "cut",
    label: 'NetworkAcl "cut"',
    fragments: {
      nftables: `table inet vpc6 {\n  chain cut {\n    type filter hook input priority 1; ${rules}\n  }\n}\n`,
    },
  });

  it("is confirmed over a fresh connection", async () => {
    expect(await converge(router, managed)).toMatchObject({ changed: ["network"], confirmed: "fresh connection" });
    await nothingLeft();
    expect(await converge(router, cut("policy accept;"))).toMatchObject({ confirmed: "fresh connection" });
    await converge(router, without(cut("")));
  });

  it.each([
    ["new connections only", "iifname mgmt0 tcp dport 22 ct state new drop"],
    ["everything", "iifname mgmt0 drop"],
  ])("is undone by the router when it cuts off %s", async (_, rules) => {
    confirmation.seconds = 6;
    const before = await state();
    const error = await failure(converge(router, cut(rules)));
    expect(error.message).toMatch(/NetworkAcl "cut" would cut off SSH\n.*the router put everything back after 6 s/s);
    expect(error.touched).toBe(false);
    expect(await state()).toBe(before);
    await nothingLeft();
    expect(await converge(router, web)).toMatchObject({ confirmed: "nothing to do" });
  });

  it("keeps others waiting until it is confirmed, and the same one from waiting for itself", async () => {
    const payload = encode([cut("policy accept;")], "shop/prod", "nonce1");
    const first = parseAnswer(await raw(payload));
    expect(first).toMatchObject({ verdict: "unconfirmed", words: [expect.any(String), "30"] });
    const generation = first?.words[0] ?? "";
    expect(parseAnswer(await raw(payload))).toMatchObject({
      verdict: "unconfirmed",
      words: [generation, expect.any(String)],
    });
    const other = raw(encode([without(slow)], "other", "nonce2"));
    expect(await Promise.race([other, new Promise((resolve) => setTimeout(resolve, 2_000, "waits"))])).toBe("waits");
    expect(await on([path, "confirm", generation])).toContain("ok");
    expect(parseAnswer(await other)).toMatchObject({ verdict: "ok" });
    expect(await on("nft list chain inet vpc6 cut")).toContain("policy accept");
    expect((await lab.exec("vr1", [path, "confirm", "999"], { check: false })).stdout).toContain("refused");
    // Asked once more, as an answer got lost: it is confirmed, with another one on top of it.
    await converge(router, slow);
    await converge(router, without(slow));
    expect(await on([path, "confirm", generation])).toContain("ok");
  });

  it("is not confirmed by a word that comes too late, when another has been made in its place", async () => {
    const lost = parseAnswer(await raw(encode([cut("policy drop;")], "test", "late1", { confirm: 3 })));
    expect(lost).toMatchObject({ verdict: "unconfirmed" });
    await lab.until("the router to undo it", 15_000, async () => (await pending()) === "");
    const made = parseAnswer(await raw(encode([cut("policy accept; meta mark 1 accept;")], "test", "late2")));
    expect(made).toMatchObject({ verdict: "unconfirmed" });
    const generation = lost?.words[0] ?? "";
    expect((await lab.exec("vr1", [path, "confirm", generation], { check: false })).stdout).toContain("refused");
    expect(await on([path, "confirm", made?.words[0] ?? ""])).toContain("ok");
    expect((await lab.exec("vr1", [path, "confirm", generation], { check: false })).stdout).toContain("refused");
    await converge(router, cut("policy accept;"));
  });

  it("is not yet lasting: a power cut brings back what was confirmed", async () => {
    expect(parseAnswer(await raw(encode([without(managed), without(cut(""))], "test", "n")))).toMatchObject({
      verdict: "unconfirmed",
    });
    disconnect();
    await lab.poweroff("vr1");
    await lab.start("vr1");
    expect(await on("readlink /etc/vpc6/live")).toBe(await on("readlink /etc/vpc6/confirmed"));
    expect(await on("nft list chain inet vpc6 cut")).toContain("policy accept");
    await converge(router, without(managed));
    await converge(router, without(cut("")));
  });
});

describe("after a reboot", () => {
  it("the last confirmed configuration is back, the filter before the network, without Pulumi", async () => {
    await converge(router, instance("web1", "web0", "2001:67c:2834:1::11", "02:00:00:00:01:11"));
    const look = async () =>
      await on(`ip -o -6 addr show scope global | awk '{ print $2, $4 }' | sort; ip -6 route show proto 106; ip neigh show nud permanent
        nft list ruleset; sysctl net.ipv6.conf.all.forwarding net.ipv6.conf.web0.accept_ra; systemctl is-active vpc6-dnsmasq
        cat /var/lib/vpc6/dhcp-hosts/*`);
    const before = await look();
    expect(before).toContain("PERMANENT");
    disconnect();
    await lab.reboot("vr1");
    await lab.until(
      "the same as before",
      15_000,
      async () => (await lab.exec("vr1", "systemctl is-active vpc6-dnsmasq", { check: false })).code === 0,
    );
    expect(await look()).toBe(before);
    expect(await on("systemctl --failed --no-legend")).toBe("");
    const at = async (unit: string) => Number(await on(`systemctl show -P ActiveEnterTimestampMonotonic ${unit}`));
    expect(await at("vpc6-firewall")).toBeGreaterThan(0);
    expect(await at("vpc6-firewall")).toBeLessThan(await at("systemd-networkd"));
    expect(await converge(router, web)).toMatchObject({ confirmed: "nothing to do" });
  });

  it("a filter whose file was garbled is made again before it is loaded", async () => {
    await on("echo nonsense >>/etc/vpc6/live/files/nftables");
    disconnect();
    await lab.reboot("vr1");
    expect(await on("nft list table inet vpc6; sysctl -n net.ipv6.conf.all.forwarding")).toMatch(/map ingress.*1$/s);
    expect(await on("grep -c nonsense /etc/vpc6/live/files/nftables || true")).toBe("0");
    expect(await on("systemctl --failed --no-legend")).toBe("");
  });

  it("a filter that does not load leaves the host closed", async () => {
    // An nft that takes no file of ours.
    await on(
      `mv /usr/sbin/nft /usr/sbin/nft.real
      printf '#!/bin/sh\ncase "$*" in *files/nftables*) echo no; exit 1 ;; esac\nexec nft.real "$@"\n' >/usr/sbin/nft
      chmod +x /usr/sbin/nft`,
    );
    disconnect();
    await lab.reboot("vr1");
    expect(await on("nft list ruleset")).toMatch(
      /table inet vpc6 {\s+chain forward {\s+type filter hook forward priority filter; policy drop;\s+}\s+}/,
    );
    expect(await on("sysctl -n net.ipv6.conf.all.forwarding; systemctl is-active vpc6-dnsmasq || true")).toBe(
      "0\ninactive",
    );
    expect(await on("systemctl --failed --no-legend --plain | cut -d' ' -f1 | sort")).toBe(
      "vpc6-firewall.service\nvpc6.service",
    );
    await on("mv /usr/sbin/nft.real /usr/sbin/nft");
    // The next change loads it.
    await converge(router, tier("db", "db0", 2));
    expect(
      await on(
        "nft list ruleset; sysctl net.ipv6.conf.all.forwarding; ip -6 addr show dev lo; systemctl is-active vpc6-dnsmasq",
      ),
    ).toMatch(/map ingress.*forwarding = 1.*2001:67c:2834::1.*active/s);
    await on("systemctl reset-failed");
    await converge(router, without(tier("db", "db0", 2)));
  });
});

describe("two who want the same router", () => {
  it("come one after the other", async () => {
    const [one, two] = await Promise.all([
      raw(encode([slow], "first", "a"), router.host),
      raw(encode([instance("w2", "web0", "2001:67c:2834:1::12", "02:00:00:00:01:12")], "second", "b"), router.host),
    ]);
    expect([one, two].map((said) => parseAnswer(said)?.verdict)).toEqual(["ok", "ok"]);
    expect(await on("ip -6 addr show dev db0; ip neigh show nud permanent")).toMatch(
      /2001:67c:2834:2::1.*::12 dev web0/s,
    );
  });

  it("whoever waits too long is told who is at work; a holder that is killed is in nobody's way", async () => {
    await converge(router, without(slow));
    const payload = encode([slow], "stack organization/shop/prod (ann@build7)", "a");
    // By itself: the session of a lab command lasts a minute at most.
    await on(
      `cat >/root/payload; setsid ${path} converge ${program().hash} ${router.host} </root/payload >/dev/null 2>&1 &`,
      {
        input: payload,
      },
    );
    const pid = await asleep(`grep -q ann@build7 /run/vpc6/holder && pgrep -o -f '^/bin/sh ${path} converge'`);
    const heard: string[] = [];
    onProgress((_, text) => heard.push(text));
    const began = Date.now();
    const error = await failure(converge(router, web)).finally(() => onProgress(undefined));
    expect(error.message).toMatch(
      /another transaction is at work\n {2}stack organization\/shop\/prod \(ann@build7\) is at work on this router, .*60 seconds/,
    );
    expect(error.touched).toBe(false);
    expect(Date.now() - began).toBeLessThan(80_000);
    expect(heard).toContain("waiting for stack organization/shop/prod (ann@build7)");
    const waits = converge(router, web);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await on(["kill", "-9", pid]);
    const since = Date.now();
    expect(await waits).toMatchObject({ confirmed: expect.any(String) });
    expect(Date.now() - since).toBeLessThan(6_000);
    expect(await applied()).toBe("");
    await nothingLeft();
  });

  it("says who it is: the stack where it is known, and the person", async () => {
    setHolder("stack organization/lab/dev");
    await converge(router, slow).finally(() => setHolder(""));
    expect(await on("cat /run/vpc6/holder")).toMatch(/^stack organization\/lab\/dev \(\S+@\S+\)$/);
    await observe(router);
    expect(await on("cat /run/vpc6/holder")).toBe("a refresh");
  });

  it("a router that is being removed is not there for the one who waited", async () => {
    await Promise.all(
      [slow, web, { ...web, id: "w2@2001:67c:2834:1::12" }, { ...web, id: "web1@2001:67c:2834:1::11" }].map((change) =>
        converge(router, without(change)),
      ),
    );
    // It waits for its turn, and is asleep when it comes.
    await using another = lab.background("vr1", ["flock", "/run/vpc6/lock", "sleep", "600"]);
    await on("until ! flock -n /run/vpc6/lock true; do sleep 0.02; done");
    const waits = raw(encode([slow], "late", "late"), router.host);
    const waiters = await asleep(
      `pid=$(pgrep -f '^/bin/sh ${path} converge') && mine=$(pgrep -P $pid -f '^flock -w') && echo $pid $mine`,
    );
    await another.stop();
    await uninstall(router, base.id);
    expect(await on("ls -d /etc/vpc6 /run/vpc6 /var/lib/vpc6 /usr/local/lib/vpc6 2>/dev/null || true")).toBe("");
    await on(`kill -CONT ${waiters}`);
    expect(await waits).toMatch(/^vpc6-answer 1\noutdated removed\n/);
    expect(await applied()).toBe("");
  });
});
