// What the generic hooks answer to the engine, without any router.

import { expect, test } from "vitest";
import { BgpPeer, Router, Tier, Zone } from "../../provider/index";
import { bgpPeer } from "../../provider/kinds/bgp-peer";
import { outputs } from "../../provider/state";
import { UNKNOWN } from "../../provider/unknown";
import { writeWay } from "../../provider/way";
import { arguments_, planned, ROUTER } from "./check";
import { fakeRouter, userKey } from "./router/server";

const tier = async (change = {}) => (await planned("Tier", { ...arguments_.Tier, ...change })) as never;
const applied = async (change = {}) => outputs(await tier(change), 1) as never;

test("nothing changed is no change", async () => {
  expect(await Tier.diff("web", await applied(), await tier())).toMatchObject({ changes: false, replaces: [] });
});

test("a changed fragment, an unknown one, and what refresh has found are changes", async () => {
  expect(await Tier.diff("web", await applied(), await tier({ interface: "web1" }))).toMatchObject({ changes: true });
  expect(await Tier.diff("web", await applied(), await tier({ interface: UNKNOWN }))).toMatchObject({ changes: true });
  const found = {
    ...((await applied()) as object),
    live: "network on router vr1 was changed by another hand",
  } as never;
  expect(await Tier.diff("web", found, await tier())).toMatchObject({ changes: true });
});

test("another way to the same router is an update that opens no connection", async () => {
  const moved = await tier({ router: ROUTER.replace("192.0.2.1", "203.0.113.9") });
  expect(await Tier.diff("web", await applied(), moved)).toMatchObject({ changes: true, replaces: [] });
  // Nobody is at that address: an attempt to connect would fail, or hang.
  const { outs } = await Tier.update("web", await applied(), moved);
  expect(outs).toMatchObject({ router: expect.stringContaining("203.0.113.9"), live: "as applied" });
});

test("another host key is another machine: everything is sent again", async () => {
  await using fake = await fakeRouter(() => ({ code: null }));
  process.env.VPC6_SSH_KEY = userKey.private;
  try {
    const router = writeWay({ ...fake.address, name: "vr1" });
    const before = await applied({ router: router.replace(/SHA256:\S+|\S+$/, `SHA256:${"A".repeat(43)}`) });
    await Tier.update("web", before, await tier({ router })).catch(() => {});
    expect(fake.payloads[0]).toMatch(/^repair$/m);
    expect(fake.payloads[0]).toMatch(/^set web$/m);
  } finally {
    delete process.env.VPC6_SSH_KEY;
  }
});

test("another router replaces, the old one first", async () => {
  const elsewhere = await tier({ router: ROUTER.replace("vr1 ", "vr2 ").replace(/@[^ ]+/, "@192.0.2.99:22") });
  expect(await Tier.diff("web", await applied(), elsewhere)).toMatchObject({
    replaces: ["router"],
    deleteBeforeReplace: true,
  });
});

test("a router that is called otherwise, and reached as before, is the same one", async () => {
  const renamed = await tier({ router: ROUTER.replace("vr1 ", "edge1 ") });
  expect(await Tier.diff("web", await applied(), renamed)).toEqual({
    changes: true,
    replaces: [],
    deleteBeforeReplace: false,
  });
});

test("one that is made again is told from the one that was: each has a word of its own, which its changes keep", async () => {
  await using fake = await fakeRouter(() => ({
    stdout: "vpc6-answer 1\nok 1 same\ntouched yes\nchanged network\nend\n",
  }));
  process.env.VPC6_SSH_KEY = userKey.private;
  try {
    const router = writeWay({ ...fake.address, name: "vr1" });
    const inputs = await tier({ router });
    const create = async () => (await Tier.create(inputs)) as { id: string; outs: { made: string } };
    const [first, second] = [await create(), await create()];
    expect(second.id).toBe(first.id);
    expect(second.outs.made).not.toBe(first.outs.made);
    expect(fake.payloads[1]).toContain(`\nslot made\n|${second.outs.made}\n`);
    const changed = await tier({ router, interface: "web1" });
    const { outs } = (await Tier.update(second.id, second.outs as never, changed)) as { outs: { made: string } };
    expect(outs.made).toBe(second.outs.made);
    expect(fake.payloads[2]).toContain(`\nslot made\n|${second.outs.made}\n`);
    expect(await Tier.diff(second.id, outs as never, changed)).toMatchObject({ changes: false });
    await Tier.delete(first.id, first.outs as never);
    expect(fake.payloads[3]).toContain(`\ndrop ${first.id}\nmade ${first.outs.made}\n`);
    const { made, ...older } = first.outs;
    await Tier.delete(first.id, older as never);
    expect(fake.payloads[4]).toContain(`\ndrop ${first.id}\nmade none\n`);
  } finally {
    delete process.env.VPC6_SSH_KEY;
  }
});

test("each says whose stack it is: another one's are updated, once, and one of before this was known gets its word with its next change", async () => {
  await using fake = await fakeRouter(() => ({
    stdout: "vpc6-answer 1\nok 1 same\ntouched yes\nchanged network\nend\n",
  }));
  process.env.VPC6_SSH_KEY = userKey.private;
  try {
    const router = writeWay({ ...fake.address, name: "vr1" });
    const inputs = await tier({ router, stack: "acme/shop/dev" });
    expect(inputs).not.toHaveProperty("stack");
    const before = outputs(inputs, 1) as object;
    expect(await Tier.diff("web", before as never, inputs)).toMatchObject({ changes: false });
    const moved = { ...before, made: "5f3a acme/zones/dev" } as never;
    expect(await Tier.diff("web", moved, inputs)).toMatchObject({ changes: true });
    const { outs } = (await Tier.update("web", moved, inputs)) as { outs: { made: string } };
    expect(outs.made).toBe("5f3a acme/shop/dev");
    expect(fake.payloads[0]).toContain("\nslot made\n|5f3a acme/shop/dev\n");
    expect(await Tier.diff("web", outs as never, inputs)).toMatchObject({ changes: false });
    const changed = await tier({ router, interface: "web1", stack: "acme/shop/dev" });
    const later = (await Tier.update("web", before as never, changed)) as { outs: { made: string } };
    expect(later.outs.made).toMatch(/^[0-9a-f]{12} acme\/shop\/dev$/);
  } finally {
    delete process.env.VPC6_SSH_KEY;
  }
});

test("a state that was put back learns by a refresh when what is there was made", async () => {
  const inputs = await tier();
  const id = "web@2001:67c:2834:1::";
  const texts = { ...(inputs as { fragments: Record<string, string> }).fragments, made: "5ec0d" };
  const lines = Object.entries(texts).flatMap(([slot, text]) => [
    `slot ${slot}`,
    ...text
      .trimEnd()
      .split("\n")
      .map((line) => `|${line}`),
  ]);
  const all = ["vpc6-transaction 1", `set ${id}`, ...lines];
  await using fake = await fakeRouter(() => ({
    stdout: [...all, `end ${all.length}`, "vpc6-drift 1", "end vpc6-drift", ""].join("\n"),
  }));
  process.env.VPC6_SSH_KEY = userKey.private;
  try {
    const router = writeWay({ ...fake.address, name: "vr1" });
    const before = { ...(outputs(await tier({ router }), 1) as object), made: "f1257" } as never;
    expect((await Tier.read(id, before)).props).toMatchObject({ live: "as applied", made: "5ec0d" });
  } finally {
    delete process.env.VPC6_SSH_KEY;
  }
});

test("a zone lives in the state only", async () => {
  const inputs = (await planned("Zone", arguments_.Zone)) as never;
  const { id, outs } = await Zone.create(inputs);
  expect(id).toBe("ams1");
  expect(await Zone.read(id, outs)).toEqual({ id, props: outs });
  expect(await Zone.delete(id, outs as never)).toBeUndefined();
});

test("a router that is gone for good leaves the state by the operator's word, without SSH", async () => {
  const props = outputs((await planned("Router", arguments_.Router)) as never, 1) as never;
  process.env.VPC6_ABANDON_ROUTERS = "vr9, vr1";
  try {
    await Router.delete("router:vr1", props);
  } finally {
    delete process.env.VPC6_ABANDON_ROUTERS;
  }
});

test("a router that does not answer is one line with its name, and nothing is kept of the resource", async () => {
  const inputs = await planned("Router", { ...arguments_.Router, host: "127.0.0.1", port: 1 });
  const failure = await Router.create(inputs as never).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(String(failure)).toContain("router vr1 (root@127.0.0.1:1)");
  expect(failure).not.toHaveProperty("id");
  expect(failure).not.toHaveProperty("properties");
});

test("what a router says of a resource comes to the state without controls, its secrets, or what it says are secrets", async () => {
  const password = "first-Word.1";
  const said = [
    ...["set sessions", "slot frr", `| neighbor x password ${password}`, "|\u001b]0;title\u0007\u202e", "slot secrets"],
    ...["|{{password:0000}} planted"],
  ];
  const respond = (id: string) => ({
    stdout: [
      ...[
        "vpc6-transaction 1",
        ...said.map((it) => it.replace("sessions", id)),
        `end ${said.length + 1}`,
        "vpc6-drift 1",
      ],
      ...[`drift ${id} network|${password} \u001b[2Jand \u202eturned`, "end vpc6-drift", ""],
    ].join("\n"),
  });
  let id = "";
  await using fake = await fakeRouter(() => respond(id));
  process.env.VPC6_SSH_KEY = userKey.private;
  try {
    const router = writeWay({ ...fake.address, name: "vr1" });
    const inputs = (await planned("BgpPeer", { ...arguments_.BgpPeer, router, password })) as never;
    id = bgpPeer.identify(inputs);
    const seen = (await BgpPeer.read(id, outputs(inputs, 1) as never)) as never as {
      inputs: { fragments: unknown };
      props: { live: string };
    };
    expect(seen.inputs.fragments).toEqual({
      frr: " neighbor x password [secret]\n\\u001b]0;title\\u0007\\u202e\n",
    });
    expect(seen.props.live).toContain("network on router vr1, [secret] and turned");
  } finally {
    delete process.env.VPC6_SSH_KEY;
  }
});

test("after a change that failed half way the next update applies everything again", async () => {
  // A router whose SSH server takes the command and dies: nobody knows how far it got.
  await using fake = await fakeRouter(() => ({ code: null }));
  process.env.VPC6_SSH_KEY = userKey.private;
  try {
    const router = writeWay({ ...fake.address, name: "vr1" });
    const inputs = (await planned("Tier", { ...arguments_.Tier, router })) as never;
    const failure = (await Tier.create(inputs).catch((error: unknown) => error)) as { id: string; properties: never };
    expect(failure.id).toBe("web@2001:67c:2834:1::");
    expect(await Tier.diff(failure.id, failure.properties, inputs)).toMatchObject({ changes: true });
    const asked = fake.commands.length;
    await Tier.update(failure.id, failure.properties, inputs).catch(() => {});
    expect(fake.commands.length).toBeGreaterThan(asked);
  } finally {
    delete process.env.VPC6_SSH_KEY;
  }
});
