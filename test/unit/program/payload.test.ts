// Payloads: read to the last line before anything is done, and stored as they are.

import { beforeEach, describe, expect, test } from "vitest";
import { decode } from "../../../provider/router/payload";
import { drop, of, type Resource } from "./fragments";
import { Machine } from "./machine";

let machine: Machine;
beforeEach(() => {
  machine = Machine.router("network");
});
const read = (text: string, then = ":") => machine.run(`read_payload "$RUN/payload" && { ${then}; }`, text, "run_dir");
const whole = (...lines: string[]) => `${["vpc6-transaction 1", ...lines, `end ${lines.length + 1}`].join("\n")}\n`;

describe("reading", () => {
  test("what it says of itself", async () => {
    const { stdout } = await read(
      whole("holder stack one: up", "nonce 9z", "confirm 600", "repair", "set a@1", "fresh"),
      'printf "%s|" "$NONCE" "$CONFIRM_WAIT" "$REPAIR" "$FRESH" "$PAYLOAD_HOLDER"',
    );
    expect(stdout).toBe("9z|600|repair|fresh|stack one: up|");
  });

  test("what it does not say is as usual", async () => {
    const { stdout } = await read(
      whole(),
      'printf "%s|" "$NONCE" "$CONFIRM_WAIT" "$REPAIR" "$FRESH" "$PAYLOAD_HOLDER"',
    );
    expect(stdout).toBe("none|30||||");
  });

  test.each([
    ["", "incomplete: it stops at line 0"],
    ["vpc6-transaction 2\nend 1\n", "line 1: not a payload of this program"],
    ["vpc6-transaction 1\nset a@1\nslot network\n|x\n", "incomplete: it stops at line 4"],
    [whole("set a@1", "slot network", "|x").replace("end 4", "end 5"), "line 5: incomplete: 4 lines of 5"],
    [`${whole()}set a@1\n`, "line 3: text after the end"],
    [whole("|x"), "line 2: text outside a slot"],
    [whole("set ../etc"), "line 2: not an id: ../etc"],
    [whole("set -rf"), "line 2: not an id: -rf"],
    [whole(`set ${"a".repeat(201)}`), `line 2: not an id: ${"a".repeat(201)}`],
    [whole("set a@1", "drop a@1"), "line 3: twice in one payload: a@1"],
    [whole("drop a@1", "slot network"), "line 3: slot without an id"],
    [whole("set a@1", "slot nonsense"), "line 3: no such slot: nonsense"],
    [whole("set a@1", "slot network", "slot network"), "line 4: twice in one fragment set: network"],
    [whole("fresh"), "line 2: fresh what?"],
    [whole("set a@1", "slot network", "fresh"), "line 4: fresh what?"],
    [whole("confirm 2"), "line 2: not understood"],
    [whole("confirm 601"), "line 2: not understood"],
    [whole("nonce A"), "line 2: not understood"],
    [whole("rm -rf /"), "line 2: not understood"],
  ])("%j is refused", async (text, why) => {
    expect(await read(text)).toMatchObject({ code: 1, why });
  });

  test("one that cannot be stored", async () => {
    const { code, why } = await machine.run(
      'cat() { echo "no space" >&2; return 1; }; read_payload "$RUN/payload"',
      "",
      "run_dir",
    );
    expect(code).toBe(1);
    expect(why).toBe("the payload could not be stored");
  });
});

describe("staging", () => {
  const stage = (text: string) =>
    machine.run(
      'read_payload "$RUN/payload" && stage_payload "$RUN/payload" "$ROOT/staged"',
      text,
      'run_dir; mkdir -p "$ROOT/staged"',
    );

  test("an id's slots are what it says now, and no other's; text stays as it is", async () => {
    const lines = ["plain", "", "  {{password:12ab}} \\n $HOME `x` %s", "|bar", "ümlaut"];
    await stage(
      whole(
        "set a@1",
        "slot network",
        ...lines.map((it) => `|${it}`),
        "slot frr",
        "|x",
        "set b@1",
        "slot network",
        "|b",
      ),
    );
    expect(machine.read("staged/network/a@1")).toBe(`${lines.join("\n")}\n`);
    expect((await stage(whole("set a@1", "slot network", "|now", "drop b@1"))).code).toBe(0);
    expect(machine.read("staged/network/a@1")).toBe("now\n");
    expect([machine.list("staged/frr"), machine.list("staged/network")]).toEqual([[], ["a@1"]]);
  });

  test("an older generation's files, which are links to the same, are not written", async () => {
    await stage(whole("set a@1", "slot network", "|old"));
    await machine.run('cp -al "$ROOT/staged" "$ROOT/older"');
    await stage(whole("set a@1", "slot network", "|new"));
    expect([machine.read("older/network/a@1"), machine.read("staged/network/a@1")]).toEqual(["old\n", "new\n"]);
  });

  test("what was not stored as it is does not pass", async () => {
    const { code } = await machine.run(
      `read_payload "$RUN/payload"
      xargs() { :; }
      stage_payload "$RUN/payload" "$ROOT/staged"`,
      whole("set a@1", "slot network", "|text"),
      // A place that keeps nothing.
      'run_dir; mkdir -p "$ROOT/staged/network"; ln -s /dev/null "$ROOT/staged/network/a@1"',
    );
    expect(code).toBe(1);
  });
});

test("what is shown is what was sent, without the secrets", async () => {
  const guest = await of("Instance", {
    password: "geheim-1",
    tier: { interface: "web0", domain: "web.shop.internal", gateway: "2001:67c:2834:1::1" },
  });
  await machine.assembled([guest, await of("Tier")]);
  const { stdout } = await machine.run('show_fragments "$GENERATIONS/1/fragments"');
  const { fragments } = decode(`${stdout}vpc6-drift 1\nend vpc6-drift\n`);
  const { secrets, ...shown } = guest.fragments;
  expect(secrets).toContain("geheim-1");
  expect(fragments.get(guest.id)).toEqual(shown);
  expect([...fragments.keys()]).toEqual([guest.id, (await of("Tier")).id]);
});

describe("strangers", () => {
  const owned = (id: string, owner?: string): Resource & { fresh: true; made: string } => ({
    id,
    fresh: true,
    fragments: { network: "interface db0\n" },
    made: owner === undefined ? "5f3a" : `5f3a ${owner}`,
  });
  const meet = async (there: Resource, made: Resource & { fresh?: true }) => {
    await machine.assembled([there]);
    const { code, why, blame } = await machine.run(
      'read_payload "$RUN/payload" && strangers "$RUN/payload" "$GENERATIONS/1/fragments"',
      machine.payload([made]),
    );
    return code === 0 ? "" : `${blame}: ${why}`;
  };

  test("what another stack has there is not taken over; one's own is", async () => {
    expect(await meet(owned("a@1", "one"), owned("a@1", "two"))).toBe(
      "a@1: a@1 is on this router already, put there by stack one",
    );
    expect(await meet(owned("a@1"), owned("a@1", "two"))).toBe(
      "a@1: a@1 is on this router already, put there by another stack",
    );
    expect(await meet(owned("a@1", "one"), owned("a@1", "one"))).toBe("");
    expect(await meet(owned("a@1", "one"), owned("b@1", "two"))).toBe("");
  });

  test("only of what is made now", async () => {
    const { fresh, ...known } = owned("a@1", "two");
    expect(await meet(owned("a@1", "one"), known)).toBe("");
  });

  test("nor are there two routers", async () => {
    expect(await meet(owned("router:vr1", "one"), owned("router:vr2", "two"))).toBe(
      "router:vr2: router:vr1 is on this router already, put there by stack one",
    );
    expect(await meet(owned("router:vr1", "one"), owned("router:vr1", "one"))).toBe("");
  });
});

test("an id that is dropped leaves nothing", async () => {
  const tier = await of("Tier");
  await machine.converge([tier]);
  await machine.converge([drop(tier.id)]);
  expect((await machine.run('show_fragments "$ETC/confirmed/fragments"')).stdout).toBe("vpc6-transaction 1\nend 1\n");
});
