// The long form of test/lab/router/heal.test.ts, for `make healing`: each event on each release with each manager of the links. Writes the
// table of docs/routers.md. VPC6_HEALING=noble/netplan,bookworm/none for some of them; the table is written only of all.

import { cpus } from "node:os";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { InProcess } from "../../engine/in-process.ts";
import { writeBetween } from "../faults/table.ts";
import { lab } from "../lab.ts";
import { on, path } from "../router/vr1.ts";
import { program, routeOnUplink, startInProcess } from "../stack.ts";
import { byHand, byManager, type Event, type Manager } from "./events.ts";
import { manage } from "./managers.ts";
import { guestPings, measured, type Seen, STATE, wire } from "./measure.ts";
import { type Measured, table } from "./table.ts";

const RELEASES = ["bookworm", "trixie", "noble"];
const MANAGERS = Object.keys(byManager) as Manager[];
const cells = RELEASES.flatMap((release) => MANAGERS.map((manager) => ({ release, manager })));
const some = process.env.VPC6_HEALING?.split(",");
const wanted = cells.filter(({ release, manager }) => !some || some.includes(`${release}/${manager}`));

const all: Measured[] = [];
const began = new Date();

afterAll(() => {
  const text = table(all, { began, cores: cpus().length });
  console.log(text);
  const file = process.env.VPC6_HEALING_DOC;
  if (file && !some) writeBetween(file, "healing", text);
});

const drift = async () => (await on(`${path} observe`)).split("\n").filter((it) => it.startsWith("drift "));

/** What a manager does later still is another loss, which heals too. */
async function whole(): Promise<void> {
  let seen: string[] = [];
  const none = async () => {
    seen = await drift();
    return seen.length === 0;
  };
  await lab.until("all to be there", 4_000, none).catch((why: unknown) => expect.fail(`${why}\n${seen.join("\n")}`));
}

describe.each(wanted)("$release, $manager", ({ release, manager }) => {
  // NetworkManager is not done when its command is, nor when a hand has done something: a second later it may take all away once more.
  const quiet = manager === "NetworkManager" ? 1_000 : 400;
  let engine: InProcess;
  let pings: ReturnType<typeof guestPings>;

  beforeAll(async () => {
    process.env.VPC6_LAB_ROUTERS = release;
    await lab.down();
    await lab.up("uplink", "internet", "vr1", "web1");
    await routeOnUplink();
    await on(STATE);
    await manage(manager);
    engine = await startInProcess();
    await engine.program(
      await program(
        `
const shop = new vpc6.Vpc("shop", { zone, router: vr1, cidr: "2001:67c:2834::/60" });
const web = new vpc6.Tier("web", { vpc: shop, interface: "web0", ipv4: { cidr: "10.1.1.0/24" } });
new vpc6.Tier("db", { vpc: shop, mac: "02:00:00:00:02:01" });
new vpc6.Instance("web1", { tier: web, mac: "02:00:00:00:01:11" });
new vpc6.NetworkAcl("web", { tiers: [web], rules: [{ direction: "ingress", action: "allow", protocol: "icmp" }] });`,
        { routers: { vr1: "" } },
      ),
    );
    const { code, all: said } = await engine.up();
    expect(code, said).toBe(0);
    await whole();
    await lab.ready("web1", "2001:67c:2834:2::10");
    pings = guestPings();
    await pings.answeredAfter(0, 10_000);
  });

  afterAll(async () => {
    await pings?.stop();
    await engine?.[Symbol.asyncDispose]();
    await lab.down();
  });

  // What an event has not had back in time is told of that one alone.
  afterEach(async () => {
    await pings.answeredAfter(Date.now(), 15_000);
    await whole();
  });

  /** When a link was there again that had been away: what is lost before is nobody's to save. 0: it was there. */
  let there = 0;

  async function heals(
    what: string,
    who: Measured["who"],
    event: () => Promise<Seen>,
    patience = 2_000,
  ): Promise<Seen> {
    there = 0;
    const begun = Date.now();
    const seen = await event();
    await pings.answeredAfter(Date.now(), patience);
    const lost = there === 0 ? pings.lost(begun) : pings.silence(there);
    all.push({ what, who, release, manager, lost, healed: seen.healed });
    expect(seen.healed, seen.taken.join("\n")).toBeLessThan(2_000);
    await whole();
    return seen;
  }

  const events = [
    ...byManager[manager].map((it) => ({ ...it, who: manager })),
    ...byHand.filter(({ alone }) => !alone || manager === "none").map((it) => ({ ...it, who: "a hand" as const })),
  ];
  test.each<Event & Pick<Measured, "who">>(events)("$who: $command", async ({ who, command, takes }) => {
    const { taken } = await heals(command, who, () => measured(command, quiet));
    // NetworkManager may have made the link anew meanwhile, and what it takes is its own choice.
    if (takes && manager !== "NetworkManager") expect(taken.join("\n")).toMatch(takes);
  });

  const rename = (from: string, to: string) =>
    `ip link set ${from} down; ip link set ${from} name ${to}; ip link set ${to} up`;
  test("renamed, and back", () =>
    heals("web0 is renamed, and has its name again 0.5 s later", "a hand", () =>
      measured(`${rename("web0", "web9")}; sleep 0.5; ${rename("web9", "web0")}`, quiet),
    ));

  /** The wire is not the router's to plug. */
  async function plugged(before: string): Promise<Seen> {
    await on("rm -f /run/plugged");
    const seen = measured(`${before}; : >/run/pulled; until [ -e /run/plugged ]; do sleep 0.01; done`, quiet);
    await lab.until(
      "it to be gone",
      30_000,
      async () => (await on("cat /run/pulled && rm /run/pulled || echo no")) === "",
    );
    wire("plug");
    there = Date.now();
    await on("ip addr del 2001:db8:5::5/64 dev web0; : >/run/plugged");
    return await seen;
  }
  test("deleted and made again", () =>
    heals("web0 is deleted and made again", "a hand", () => plugged("ip link del web0"), 8_000));

  test.runIf(manager === "none" || manager === "networkd")(
    "made late, when vpc6 has long given up waiting for it",
    () =>
      heals(
        "web0 is made after the start of vpc6",
        "a hand",
        () => plugged("ip link del web0; systemctl restart vpc6"),
        8_000,
      ),
  );

  test("set down on purpose: it stays down", async () => {
    await heals("web0, set down on purpose, stays down; then `ip link set web0 up`", "a hand", async () => {
      const seen = await measured(
        "ip link set web0 down; sleep 2.2; cat /sys/class/net/web0/flags >/run/flags; ip link set web0 up",
        quiet,
      );
      there = seen.ended;
      return seen;
    });
    expect(Number(await on("cat /run/flags")) & 1, "it stays down").toBe(0);
  });
});
