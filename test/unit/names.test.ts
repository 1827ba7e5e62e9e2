// Names in DNS that a program can tell while it runs: what comes out the same of two is refused, and what is written on both is one name
// on purpose. And guests that are known by the same, though that is known late.

import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import * as vpc6 from "../../resources/index";

const sent = new Map<string, Record<string, unknown>>();
await pulumi.runtime.setMocks({
  newResource: ({ name, inputs }) => {
    sent.set(name, inputs);
    return { id: name, state: inputs };
  },
  call: () => ({}),
});

let count = 0;
const way = { host: "192.0.2.1", hostKey: "SHA256:x", publicInterface: "pub0" };

/** Anew for each, as claims are closed when a program has nothing left to run. */
function world() {
  const zone = new vpc6.Zone(`zone${count++}`, { superCidr: "2001:67c:2834::/50", isolatedCidr: "2001:db8:2800::/56" });
  const router = new vpc6.Router("vr1", { zone, ...way });
  let macs = 0;
  let devices = 0;
  return {
    router,
    other: () => new vpc6.Router("vr2", { zone, ...way, host: "192.0.2.2" }),
    vpc: (name: string, args: object = {}) => new vpc6.Vpc(name, { zone, router, ...args }),
    tier: (vpc: vpc6.Vpc, name: string, args: object = {}) =>
      new vpc6.Tier(name, { vpc, interface: `t${devices++}`, ...args }),
    isolated: (name: string) => new vpc6.IsolatedNetwork(name, { zone, router, interface: `t${devices++}` }),
    guest: (tier: vpc6.Tier, name: string, args: object = {}) =>
      new vpc6.Instance(name, { tier, mac: `02:00:00:00:01:${10 + macs++}`, ...args }),
  };
}
type World = ReturnType<typeof world>;

const same: [string, (it: World) => void, string][] = [
  [
    "two tiers",
    ({ vpc, tier }) =>
      ["web.v2", "Web_v2"].map(
        (
          (shop) => (name: string) =>
            tier(shop, name)
        )(vpc("shop")),
      ),
    'tier "Web_v2" and tier "web.v2" are both "web-v2.shop.internal" in DNS: set `domain` on one of them',
  ],
  [
    "two tiers of a VPC whose domain is known late",
    ({ vpc, tier }) => {
      const shop = vpc("shop", { domain: pulumi.output("example.net") });
      tier(shop, "web.v2");
      tier(shop, "Web_v2");
    },
    'tier "Web_v2" and tier "web.v2" are both "web-v2" in DNS',
  ],
  [
    "two isolated networks",
    ({ isolated }) => ["a.b", "A-b"].map(isolated),
    'isolated network "A-b" and isolated network "a.b" are both "a-b.internal" in DNS',
  ],
  [
    "two VPCs of a router",
    ({ vpc }) => ["a.b", "A-b"].map((it) => vpc(it)),
    'VPC "A-b" and VPC "a.b" are both "a-b.internal" in DNS',
  ],
  [
    "a VPC, and another's domain",
    ({ vpc }) => [vpc("shop", { domain: "blog.internal" }), vpc("blog")],
    'VPC "blog" and VPC "shop" are both "blog.internal" in DNS',
  ],
  [
    "two guests of a tier",
    ({ vpc, tier, guest }) => {
      const web = tier(vpc("shop"), "web");
      guest(web, "app");
      guest(web, "App");
    },
    'instance "App" of Tier "web" and instance "app" of Tier "web" are both "app.web.shop.internal" in DNS: set `hostname`',
  ],
  [
    "a guest, and another's host name",
    ({ vpc, tier, guest }) => {
      const web = tier(vpc("shop"), "web");
      guest(web, "a", { hostname: "app" });
      guest(web, "app");
    },
    'instance "app" of Tier "web" and instance "a" of Tier "web" are both "app.web.shop.internal" in DNS',
  ],
  [
    "two guests of a tier whose domain is known late",
    ({ vpc, tier, guest }) => {
      const web = tier(vpc("shop"), "web", { domain: pulumi.output("example.net") });
      guest(web, "app");
      guest(web, "App");
    },
    'are both "app" in DNS',
  ],
  [
    "two guests of tiers of one domain",
    ({ vpc, tier, guest }) => {
      const shop = vpc("shop");
      guest(tier(shop, "web", { domain: "Shop.internal." }), "app");
      guest(tier(shop, "db", { domain: "shop.internal" }), "app");
    },
    'instance "app" of Tier "db" and instance "app" of Tier "web" are both "app.shop.internal" in DNS',
  ],
];

test.each(same)("refused: %s", (_, make, words) => {
  expect(() => make(world())).toThrow(words);
});

const apart: [string, (it: World) => void][] = [
  ["tiers of two VPCs", ({ vpc, tier }) => [tier(vpc("shop"), "web"), tier(vpc("blog"), "web")]],
  [
    "guests of two tiers",
    ({ vpc, tier, guest }) => {
      const shop = vpc("shop");
      for (const it of ["web", "db"]) guest(tier(shop, it), "app");
    },
  ],
  ["VPCs of two routers", ({ vpc, other }) => [vpc("a.b"), vpc("A-b", { router: other() })]],
  ["a tier, and an isolated network", ({ vpc, tier, isolated }) => [tier(vpc("shop"), "web"), isolated("web")]],
  [
    "what is written on both: domains, and the host name of two servers",
    ({ vpc, tier, guest }) => {
      const shop = vpc("shop", { domain: "example.net" });
      const blog = vpc("blog", { domain: "example.net" });
      const [web, db] = [tier(shop, "a", { domain: "example.net" }), tier(blog, "b", { domain: "example.net" })];
      guest(web, "web1", { hostname: "web" });
      guest(web, "web2", { hostname: "web" });
      guest(db, "web3", { hostname: "web" });
    },
  ],
];

test.each(apart)("taken: %s", (_, make) => {
  make(world());
});

const known: [string, object, object, string][] = [
  [
    "a MAC",
    { mac: "02:00:00:00:02:1A" },
    { mac: pulumi.output("02-00-00-00-02-1a") },
    "MAC address, 02:00:00:00:02:1a",
  ],
  [
    "a MAC, late",
    { mac: pulumi.output("02:00:00:00:02:11") },
    { mac: Promise.resolve("02:00:00:00:02:11") },
    "MAC address",
  ],
  ["a DUID", { duid: "00:04:AA" }, { duid: pulumi.output("00:04:aa") }, "DUID, 00:04:aa"],
  [
    "a MAC's DUID",
    { duid: "00:03:00:01:02:00:00:00:02:11" },
    { mac: pulumi.output("02:00:00:00:02:11"), duid: undefined },
    "DUID",
  ],
];

test.each(known)("two guests with %s", async (_, first, second, mark) => {
  const { vpc, tier, guest } = world();
  const web = tier(vpc("shop"), "web");
  const guests = [guest(web, "app1", first), guest(web, "app2", second)];
  await Promise.all(guests.map((it) => new Promise((resolve) => it.urn.apply(resolve))));
  const refused = ["app1", "app2"].flatMap((name) => {
    const { mac, duid } = sent.get(name) ?? {};
    return [mac, duid].flatMap((it) => (it as { refused?: string } | undefined)?.refused ?? []);
  });
  expect(refused).toEqual([expect.stringContaining(`of one tier have the same ${mark}`)]);
  for (const name of ["app1", "app2"]) expect(refused[0]).toContain(`instance "${name}"`);
});
