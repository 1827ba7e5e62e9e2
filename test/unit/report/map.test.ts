// The pictures: well-formed, every prefix a box of its own inside the view, and a topology that Mermaid reads. How they look in a
// browser is test/engine/map.test.ts's business.
import { describe, expect, test } from "vitest";
import { mermaid } from "../../../cli/mermaid";
import { readStack } from "../../../cli/stack";
import { svg } from "../../../cli/svg";
import { preview } from "./previews";
import { exported, exportOf, sizes } from "./stacks";

interface Box {
  look: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

function boxes(text: string): Box[] {
  const all = text.matchAll(/<rect class="([^"]*)" x="([-\d.]+)" y="([-\d.]+)" width="([-\d.]+)" height="([-\d.]+)"/g);
  return [...all].map(([, look = "", ...rest]) => {
    const [x = 0, y = 0, w = 0, h = 0] = rest.map(Number);
    return { look, x, y, w, h };
  });
}
const viewOf = (text: string): [number, number] => {
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(text) ?? [];
  return [Number(width), Number(height)];
};
const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.w - 0.01 && b.x < a.x + a.w - 0.01 && a.y < b.y + b.h - 0.01 && b.y < a.y + a.h - 0.01;
const inside = (a: Box, b: Box): boolean =>
  a.x >= b.x && a.y >= b.y && a.x + a.w <= b.x + b.w && a.y + a.h <= b.y + b.h;

/** What an XML parser would stumble over; undefined: nothing. */
function fault(text: string): string | undefined {
  const open: string[] = [];
  let rest = text.replace(/^<\?xml [^?]*\?>\n/, "");
  while (rest !== "") {
    const tag = /^<(\/?)([A-Za-z][\w-]*)((?: [\w:-]+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)(\/?)>/.exec(rest);
    const words = /^(?:[^<&>\p{Cc}]|[\n\t]|&#\d+;|\{|\})+/u.exec(rest);
    const [taken] = tag ?? words ?? [];
    if (taken === undefined) return rest.slice(0, 80);
    if (tag?.[1]) {
      if (open.pop() !== tag[2]) return taken;
    } else if (tag && !tag[4]) open.push(tag[2] ?? "");
    else if (!tag && open.length === 0 && taken.trim() !== "") return taken;
    rest = rest.slice(taken.length);
  }
  return open.at(-1);
}

const texts = {
  one: exportOf(sizes.one),
  twenty: exportOf(sizes.twenty),
  full: exportOf(sizes.full),
  preview: preview("tier-deleted"),
  "VPCs of another stack's zone": JSON.stringify({
    deployment: { resources: exported(sizes.twenty).filter(({ type }) => !type.endsWith(":Zone")) },
  }),
  empty: JSON.stringify({ deployment: { resources: [] } }),
  failed: preview("failed"),
};

describe.each(Object.entries(texts))("the SVG of %s", (_name, text) => {
  const picture = svg(readStack(text));

  test("is well-formed", () => {
    expect(fault(picture)).toBeUndefined();
  });

  test("has boxes that lie in the view, and beside one another", () => {
    const [width, height] = viewOf(picture);
    const all = boxes(picture);
    for (const it of all)
      expect(inside(it, { look: "", x: 0, y: 0, w: width, h: height }), JSON.stringify(it)).toBe(true);
    for (const kind of ["cell", "tier"]) {
      const those = all.filter(({ look }) => look.split(" ")[0] === kind).sort((a, b) => a.y - b.y);
      for (const [index, one] of those.entries()) {
        for (const other of those.slice(index + 1)) {
          if (other.y >= one.y + one.h) break;
          expect(overlap(one, other), `${JSON.stringify(one)} and ${JSON.stringify(other)}`).toBe(false);
        }
      }
    }
    const cells = all.filter(({ look }) => look.startsWith("cell"));
    for (const it of all.filter(({ look }) => look.startsWith("tier")))
      expect(cells.some((cell) => inside(it, cell))).toBe(true);
    for (const [, x, y] of picture.matchAll(/<text[^>]* x="([\d.]+)" y="([\d.]+)"/g)) {
      expect(Number(x)).toBeLessThanOrEqual(width);
      expect(Number(y)).toBeLessThanOrEqual(height);
    }
  });
});

test("every VPC and every tier says who it is when it is pointed at", () => {
  const picture = svg(readStack(texts.twenty));
  expect(picture).toContain(
    "<title>shop  2001:67c:2834:e0::/60\non router vr1\n1 of 15 tiers, 1 guest\n  web  2001:67c:2834:e1::/64  1 guest</title>",
  );
  expect(picture).toContain("<title>ci  2001:67c:2834:200::/56\n");
  expect(picture).toMatch(/<title>old-shop {2}2001:67c:2834:[0-9a-f]+::\/60\nfree; remembered for its name<\/title>/);
  expect(picture).toContain("reserved</title>");
});

test("the picture in docs/pictures.md is one of these (else: vitest -u)", async () => {
  await expect(svg(readStack(texts.twenty))).toMatchFileSnapshot("../../../docs/map.svg");
});

test("a full zone has a box for each of its 1,024 prefixes, and fits on a wall", () => {
  const picture = svg(readStack(texts.full));
  const cells = boxes(picture).filter(({ look }) => look.startsWith("cell"));
  expect(cells).toHaveLength(1024);
  expect(cells.filter(({ look }) => look === "cell kept")).toHaveLength(3);
  expect(cells.filter(({ look }) => look === "cell free")).toHaveLength(3);
  expect(viewOf(picture)[1]).toBeLessThan(2000);
});

test("a vast zone with one VPC at its end is drawn at once", () => {
  const wish = {
    superCidr: "3fff::/32",
    vpcs: [{ name: "last", cidr: "3fff:0:ffff:fff0::/60", tiers: { web: 1 } }],
  };
  const picture = svg(readStack(exportOf(wish)));
  expect(picture).toContain("free · 268,435,452 × /60");
  expect(viewOf(picture)[1]).toBeLessThan(600);
});

test("a preview shows what it claims, moves and frees", () => {
  expect(svg(readStack(preview("one-more-vpc")))).toMatch(/<rect class="cell r0 claimed"/);
  expect(svg(readStack(preview("renumbered-vpc")))).toMatch(/<rect class="cell r0 moved"/);
  expect(svg(readStack(preview("tier-deleted")))).toMatch(/<rect class="tier chipkept freed"/);
});

test("a tier on a VLAN has its number", () => {
  const tagged = exported(sizes.one).map((it) =>
    it.type.endsWith(":Tier") ? { ...it, inputs: { ...it.inputs, vlan: 101 } } : it,
  );
  const topology = mermaid(readStack(JSON.stringify({ deployment: { resources: tagged } })));
  expect(topology).toMatch(/\["tier web<br\/>[^"]*<br\/>VLAN 101<br\/>/);
  expect(misread(topology)).toEqual([]);
  expect(mermaid(readStack(texts.one))).not.toContain("VLAN");
});

test("hostile names break neither picture", () => {
  const name = `</title><script>alert("1")</script>&'\u0007\ud800]]>`;
  const text = exportOf(sizes.one)
    .replaceAll("urn:pulumi:dev::", `urn:pulumi:${JSON.stringify(name).slice(1, -1)}::`)
    .replaceAll('"router":"vr1 ', `"router":"${JSON.stringify(name.replaceAll(" ", "")).slice(1, -1)} `);
  const picture = svg(readStack(text));
  expect(fault(picture)).toBeUndefined();
  expect(picture).not.toContain("<script");
  expect(misread(mermaid(readStack(text)))).toEqual([]);
});

/** Lines that are none of the statements that flowchart syntax has for us. */
function misread(text: string): string[] {
  const label = '"(?:[\\p{L}\\p{N} .,:/_+()[\\]=-]|<br/>)+"';
  const shape = `(?:\\[\\[${label}\\]\\]|\\[${label}\\]|\\(\\[${label}\\]\\)|\\{\\{${label}\\}\\})`;
  const statement = new RegExp(
    `^(%%\\{init: \\{.*\\}\\}%%|flowchart LR| +direction TB| +end| +subgraph n\\d+\\[${label}\\]| +n\\d+${shape}(:::\\w+)?| +n\\d+ (---|<-->\\|BGP\\|) n\\d+| +classDef \\w+ [a-z0-9:#,-]+)$`,
    "u",
  );
  return text
    .trimEnd()
    .split("\n")
    .filter((line) => !statement.test(line));
}

describe("the topology", () => {
  test.each(Object.entries(texts))(
    "of %s has only statements that Mermaid knows, and stays within its bounds",
    (_name, text) => {
      const topology = mermaid(readStack(text));
      expect(misread(topology)).toEqual([]);
      expect(topology.length).toBeLessThan(50_000);
      expect(topology.match(/ (---|<-->)/g)?.length ?? 0).toBeLessThan(500);
      // Every end of a link is somebody.
      const known = new Set([...topology.matchAll(/^ +(?:subgraph )?(n\d+)[[({]/gm)].map(([, id]) => id));
      for (const [, from, to] of topology.matchAll(/^ +(n\d+) (?:---|<-->\|BGP\|) (n\d+)$/gm)) {
        expect(known).toContain(from);
        expect(known).toContain(to);
      }
    },
  );

  test("shows uplink, router, VPC, tiers with their guests, and virtual addresses", () => {
    const topology = mermaid(readStack(preview("nothing")));
    expect(topology).toContain('(["uplink<br/>2001:db8:ffff::1<br/>AS 65000"]):::peer');
    expect(topology).toContain('[["router vr1<br/>2001:db8:ffff::10<br/>AS 4200000000"]]:::router');
    expect(topology).toContain('["VPC shop<br/>2001:67c:2834::/60"]');
    expect(topology).toContain('["tier web<br/>2001:67c:2834:2::/64<br/>2 guests"]:::tier');
    expect(topology).toContain('{{"VIP www<br/>[2001:67c:2834::80]:443"}}:::vip');
  });

  test("shows an address that guests share with who they are, and counts it as no guest; so does the SVG", () => {
    const stack = JSON.parse(preview("nothing"));
    const [tier] = stack.steps.filter(({ urn }: { urn: string }) => urn.endsWith("vpc6:Tier::web"));
    const [vpc] = stack.steps.filter(({ urn }: { urn: string }) => urn.endsWith("vpc6:Vpc::shop"));
    for (const state of [tier.oldState, tier.newState])
      state.inputs.ledger += "\ninstance  2001:67c:2834:2::20      vip";
    const guests = ["web1", "web2"].map((name) => ({ name, mac: "02:00:00:00:01:11" }));
    const inputs = { claim: "vip", address: "2001:67c:2834:2::20", guests, router: tier.newState.inputs.router };
    const urn = "urn:pulumi:dev::test::pulumi-nodejs:dynamic/vpc6:SecondaryAddress::vip";
    const state = { urn, inputs, dependencies: [vpc.urn] };
    stack.steps.push({ op: "same", urn, oldState: state, newState: state });
    const read = readStack(JSON.stringify(stack));
    const topology = mermaid(read);
    expect(misread(topology)).toEqual([]);
    expect(topology).toContain('["tier web<br/>2001:67c:2834:2::/64<br/>2 guests, 1 secondary address"]:::tier');
    expect(topology).toContain('{{"address vip<br/>2001:67c:2834:2::20<br/>web1, web2"}}:::vip');
    expect(svg(read)).toContain("2 guests, 1 secondary address");
  });

  test("sums up what nobody could read", () => {
    const topology = mermaid(readStack(texts.full));
    expect(topology).toContain('["127 VPCs<br/>381 tiers"]:::vpc');
    expect(topology.split("\n").length).toBeLessThan(60);
  });
});
