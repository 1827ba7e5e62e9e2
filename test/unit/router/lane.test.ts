// One transaction for many, and a verdict for each.
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { converge, disconnect, observe, onProgress, RouterError, stays } from "../../../provider/router/index";
import { gather } from "../../../provider/router/lane";
import { idle } from "../../../provider/router/session";
import { answer, fakeRouter, idsIn, userKey } from "./server";

const change = (id: string) => ({ id, label: `Tier "${id}"`, fragments: { network: `interface ${id}\n` } });
const ok = () => answer("ok 1 same", { changed: "network" });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  vi.stubEnv("VPC6_SSH_KEY", userKey.private);
});
afterEach(() => {
  disconnect();
  vi.unstubAllEnvs();
});

describe("gathering", () => {
  it("takes what arrives together in one transaction over one connection", async () => {
    await using fake = await fakeRouter(ok);
    const ids = Array.from({ length: 40 }, (_, i) => `t${i}`);
    await Promise.all(ids.map((id) => converge(fake.address, change(id))));
    expect(fake.payloads.map(idsIn)).toEqual([ids]);
    expect(fake.connections).toBe(1);
  });

  it("takes all that arrives meanwhile in the next one", async () => {
    await using fake = await fakeRouter(async () => {
      await pause(100);
      return ok();
    });
    const first = converge(fake.address, change("a"));
    await vi.waitFor(() => expect(fake.payloads).toHaveLength(1));
    await Promise.all([first, ...["b", "c", "d"].map((id) => converge(fake.address, change(id)))]);
    expect(fake.payloads.map(idsIn)).toEqual([["a"], ["b", "c", "d"]]);
    expect(fake.connections).toBe(1);
  });

  it("waits for those that come in the place of the answered ones, as the engine has so many under way and no more", async () => {
    // Longer than this process may be kept from running by others: 3 ms may become 100.
    const saved = { ...gather };
    onTestFinished(() => void Object.assign(gather, saved));
    Object.assign(gather, { wait: 1_000, most: 10_000 });
    await using fake = await fakeRouter(async () => {
      await pause(200);
      return ok();
    });
    const left = Array.from({ length: 36 }, (_, i) => `t${i}`);
    // As the engine's check: one after the other, when a hook has ended.
    let check: Promise<unknown> = Promise.resolve();
    const hook = async () => {
      while (left.length > 0) {
        check = check.then(() => pause(3));
        await check;
        const id = left.shift();
        if (id !== undefined) await converge(fake.address, change(id));
      }
    };
    await Promise.all(Array.from({ length: 12 }, hook));
    expect(fake.payloads.map((payload) => idsIn(payload).length)).toEqual([12, 12, 12]);
  });

  it("does not wait for ever while they keep coming", async () => {
    await using fake = await fakeRouter(async () => {
      await pause(100);
      return ok();
    });
    const stream = setInterval(
      () => void converge(fake.address, change(`s${fake.payloads.length}${Math.random()}`)),
      5,
    );
    await vi.waitFor(() => expect(fake.payloads.length).toBeGreaterThan(2), 10_000);
    clearInterval(stream);
    await converge(fake.address, change("last"));
  });

  it("never has one resource twice in a transaction, and keeps the order", async () => {
    await using fake = await fakeRouter(ok);
    await Promise.all([
      converge(fake.address, { ...change("a"), fragments: null }),
      converge(fake.address, change("b")),
      converge(fake.address, change("a")),
    ]);
    expect(fake.payloads.map(idsIn)).toEqual([["a", "b"], ["a"]]);
    expect(fake.payloads[1]).toContain("set a");
  });

  it("asks once for all who observe, between transactions", async () => {
    await using fake = await fakeRouter(({ line }) =>
      line.endsWith(" observe")
        ? { stdout: "vpc6-transaction 1\nset a\nslot network\n|x\nend 4\nvpc6-drift 1\nend vpc6-drift\n" }
        : ok(),
    );
    const changed = converge(fake.address, change("a"));
    const seen = await Promise.all([1, 2, 3].map(() => observe(fake.address)));
    await changed;
    expect(seen.map(({ fragments }) => fragments.get("a"))).toEqual(Array(3).fill({ network: "x\n" }));
    expect(fake.commands.map((line) => line.split(" ")[1])).toEqual(["converge", "observe"]);
  });

  it("asks once for all resources of a refresh, which come a few at a time, and again after a change", async () => {
    await using fake = await fakeRouter(({ line }) =>
      line.endsWith(" observe")
        ? { stdout: "vpc6-transaction 1\nset a\nslot network\n|x\nend 4\nvpc6-drift 1\nend vpc6-drift\n" }
        : ok(),
    );
    const read = () => observe(fake.address, { recent: true });
    for (let wave = 0; wave < 3; wave++) await Promise.all([read(), read()]);
    await converge(fake.address, change("a"));
    // One comes while the router is being looked at.
    const first = read();
    await vi.waitFor(() => expect(fake.commands).toHaveLength(3));
    await Promise.all([first, read()]);
    expect(fake.commands.map((line) => line.split(" ")[1])).toEqual(["observe", "converge", "observe"]);
    // Who does not say that it will do looks for himself.
    await observe(fake.address);
    expect(fake.commands).toHaveLength(4);
  });

  it("keeps routers apart: one that is dead does not stop another", async () => {
    await using fake = await fakeRouter(ok);
    await using dead = await fakeRouter(ok, { login: () => false });
    const [one, other] = await Promise.allSettled([
      converge(dead.address, change("a")),
      converge(fake.address, change("b")),
    ]);
    expect([one.status, other.status]).toEqual(["rejected", "fulfilled"]);
  });

  it("closes a connection that nobody needs", async () => {
    const saved = idle.close;
    idle.close = 20;
    try {
      await using fake = await fakeRouter(ok);
      await converge(fake.address, change("a"));
      await vi.waitFor(() => expect(fake.open.size).toBe(0));
    } finally {
      idle.close = saved;
    }
  });

  it("passes on what the program says meanwhile", async () => {
    await using fake = await fakeRouter(() => ({ ...ok(), stderr: "vpc6: installing nftables\nnoise\nvpc6: half" }));
    const heard: string[] = [];
    onProgress((router, text) => heard.push(`${router.name}: ${text}`));
    await converge(fake.address, change("a")).finally(() => onProgress(undefined));
    expect(heard).toEqual(["vr1: installing nftables"]);
  });

  it("passes on a warning once a run, and not without end", async () => {
    const stderr = ["vpc6: warning: an \u001b[2Jold system\n"];
    await using fake = await fakeRouter(() => ({ ...ok(), stderr: stderr.join("") }));
    const heard: string[] = [];
    onProgress((router, text, isWarning) => heard.push(`${isWarning} ${router.name}: ${text}`));
    for (let time = 0; time < 3; time++) await converge(fake.address, change("a"));
    expect(heard).toEqual(["true vr1: an old system"]);
    for (let number = 0; number < 50; number++) stderr.push(`vpc6: warning: number ${number}\n`);
    await converge(fake.address, change("a")).finally(() => onProgress(undefined));
    expect(heard).toHaveLength(20);
  });
});

describe("blame", () => {
  /** A router on which everything with `bad` in its id is refused, in the daemon's words. */
  const picky = (blame: boolean, verdict = "refused") =>
    fakeRouter(({ input }) => {
      const bad = idsIn(input).find((id) => id.includes("bad"));
      if (!bad) return ok();
      return answer(verdict, { service: "dnsmasq", why: `bad option in ${bad}`, ...(blame && { id: bad }) });
    });

  const settle = async (router: Parameters<typeof converge>[0], ids: string[]) =>
    Object.fromEntries(
      await Promise.all(
        ids.map(async (id) => [
          id,
          await converge(router, change(id)).then(
            () => "ok",
            (error: RouterError) => error.message,
          ),
        ]),
      ),
    ) as Record<string, string>;

  it("falls on the one whose fragment the daemon named; the others go through together", async () => {
    await using fake = await picky(true);
    const said = await settle(fake.address, ["a", "b", "bad", "c"]);
    expect(said).toMatchObject({ a: "ok", b: "ok", c: "ok" });
    expect(said.bad).toMatch(
      /^router vr1 .*: dnsmasq of Tier "bad" was refused; nothing was changed\n {2}bad option in bad/,
    );
    expect(fake.payloads.map(idsIn)).toEqual([["a", "b", "bad", "c"], ["a", "b", "c"], ["bad"]]);
  });

  it("is found by halves when the daemon named nobody", async () => {
    await using fake = await picky(false, "failed");
    const said = await settle(fake.address, ["a", "b", "c", "d", "e", "bad1", "f", "bad2"]);
    expect(Object.keys(said).filter((id) => said[id] !== "ok")).toEqual(["bad1", "bad2"]);
    expect(said.bad1).toContain('dnsmasq of Tier "bad1" failed; everything was put back');
    expect(said.bad1).toContain("bad option in bad1");
  });

  it("is shared by all when nobody's change could go through", async () => {
    await using fake = await fakeRouter(() => answer("busy", { why: "shop/prod is at work on this router" }));
    const said = await settle(fake.address, ["a", "b"]);
    expect(said.a).toMatch(/another transaction is at work\n {2}shop\/prod is at work/);
    expect(said.b).toBe(said.a);
    expect(fake.payloads).toHaveLength(1);
  });

  it("is shared, and nothing more is tried, when the router could not put everything back", async () => {
    await using fake = await fakeRouter(() =>
      answer("failed", { touched: "yes", service: "nftables", why: "Device busy" }),
    );
    const errors = await Promise.all(
      ["a", "b"].map((id) => converge(fake.address, change(id)).catch((error) => error as RouterError)),
    );
    for (const error of errors) {
      expect(error).toBeInstanceOf(RouterError);
      expect((error as RouterError).touched).toBe(true);
    }
    expect(fake.payloads).toHaveLength(1);
  });

  it("of a change that cannot be written down falls on itself", async () => {
    await using fake = await fakeRouter(ok);
    const [bad, good] = await Promise.allSettled([
      converge(fake.address, change("a b")),
      converge(fake.address, change("a")),
    ]);
    expect([bad.status, good.status]).toEqual(["rejected", "fulfilled"]);
  });

  it("is told in bounded, printable lines", async () => {
    const why = Array.from({ length: 50 }, (_, i) => `\u001b[31mline ${i}\u0007 ${"x".repeat(1000)}`).join("\n");
    await using fake = await fakeRouter(() => answer("refused", { service: "nftables", why }));
    const error = (await converge(fake.address, change("a")).catch((reason: unknown) => reason)) as RouterError;
    expect(error.message.split("\n")).toHaveLength(14);
    expect(error.message).toContain("and 38 more lines");
    expect(Math.max(...error.message.split("\n").map((line) => line.length))).toBeLessThan(320);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(error.message).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  });
});

describe("who has what is asked for", () => {
  const refused = (...yields: string[]) => {
    const { stdout = "", ...rest } = answer("rivals", {
      service: "network",
      id: "new",
      why: "interface web0: already said by old",
    });
    return { ...rest, stdout: stdout.replace("end\n", `${yields.map((it) => `yields ${it}\n`).join("")}end\n`) };
  };

  it("stands back, if this run has not heard of it", async () => {
    await using fake = await fakeRouter(({ input }) => (input.includes("\nyields old\n") ? ok() : refused("old new")));
    await converge(fake.address, change("new"));
    expect(fake.payloads.map((it) => it.includes("\nyields old\n"))).toEqual([false, true]);
    // It asks in its turn, and whoever has asked before does not go.
    expect(stays(fake.address, "old")).toBe(false);
    expect(stays(fake.address, "new")).toBe(true);
  });

  it("one after another, as the router finds them", async () => {
    await using fake = await fakeRouter(({ input }) =>
      input.includes("\nyields b\n") ? ok() : refused(input.includes("\nyields a\n") ? "b new" : "a new"),
    );
    await converge(fake.address, change("new"));
    expect(fake.payloads.length).toBe(3);
    expect(fake.payloads[2]).toContain("\nyields a\nyields b\n");
  });

  it("stays, if this run has seen that it asks for nothing else, or has asked itself", async () => {
    await using fake = await fakeRouter(({ input }) => (idsIn(input).includes("new") ? refused("old new") : ok()));
    expect(stays(fake.address, "old")).toBe(true);
    const words = "old is in the program too, and asks for the same as new: only one of both can have it.";
    await expect(converge(fake.address, change("new"))).rejects.toThrow(words);
    disconnect();
    await converge(fake.address, change("old"));
    await expect(converge(fake.address, change("new"))).rejects.toThrow(words);
    // Deleted, it has nothing any more.
    await converge(fake.address, { ...change("old"), fragments: null });
    expect(fake.payloads.every((it) => !it.includes("\nyields "))).toBe(true);
  });

  it("a router that asks for ever is not asked for ever", async () => {
    await using fake = await fakeRouter(() => refused("old new"));
    await expect(converge(fake.address, change("new"))).rejects.toThrow(RouterError);
    expect(fake.payloads.length).toBe(2);
  });
});
