// Nothing that vpc6 did not write becomes markup in a report: hostile texts in every place where a text may come from, and the report read
// by a parser of GitHub's Markdown. Each of these texts has a word in it that must stand in code wherever it stands.

import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { describe, expect, test } from "vitest";
import { MARKER, report } from "../../../cli/report";
import { readStack } from "../../../cli/stack";
import { SLOTS } from "../../../provider/contract";
import { kinds } from "../../../provider/kinds";
import { md, own, words } from "../../../provider/prose";
import { says } from "../../../provider/traffic";
import { arguments_, type Kind, planned } from "../check";
import { step } from "./previews";

const WORD = "EVIL";
const EVIL = "https://evil.example";
const HOSTILE = [
  `${WORD} <img src=${EVIL}/b.png> @org/team [approve](${EVIL})`,
  `x\` ${WORD} <img src=${EVIL}/b.png> @org/team [approve](${EVIL}) \``,
  `\`\` ${WORD} @org/team`,
  `${"`".repeat(40)} ${WORD} **bold**`,
  `\`${WORD}\` @org/team \`\`${WORD}\`\``,
  `\`\`\`\n${WORD} <b>out</b> ${EVIL}\n\`\`\`\n${WORD} @org/team`,
  `~~~\n${WORD} @org/team\n~~~`,
  `\n\n# ${WORD}\n\n> [!CAUTION]\n> ${WORD}\n`,
  `\n</details>\n\n${WORD} @org/team\n`,
  `</summary><img src=x> ${WORD} @org/team`,
  `</code> @org/team ${WORD} <code>`,
  `--> ${WORD} @org/team <!--`,
  `<!-- ${WORD}`,
  `a | ${WORD} @org/team | <img src=x>`,
  `a \\| ${WORD} <img src=x> \\`,
  `a \\\\| ${WORD} <img src=x> \\\\`,
  `\\\`${WORD} @org/team`,
  `**Nothing is interrupted.** ${WORD} __x__ ~~y~~`,
  `_${WORD}_`,
  `__${WORD}__`,
  `![${WORD}](${EVIL}/x.png)`,
  `<${EVIL}> ${EVIL}/${WORD} www.evil.example a@evil.example ${WORD}`,
  `[${WORD}]: ${EVIL}\n[^1]: ${WORD}`,
  `- [x] ${WORD}\n1. ${WORD}`,
  `&lt;img&gt; &#64;org ${WORD} &commat;org`,
  `$${WORD}$ $\`${WORD}\`$ :tada: #1 org/repo#1`,
  `\u001b[31m${WORD}\u001b]0;t\u0007 \u202e${WORD}\u2066 \u0000\u200b\u2028\u0085 @org/team`,
  `\r\n\r\n${WORD} @org/team\r`,
  `    ${WORD} @org/team`,
  `${WORD} \` \\`,
  `\` ${WORD}`,
];

type Node = { type: string; value?: string; children?: Node[] };

function* nodes(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children ?? []) yield* nodes(child);
}

/** What the report itself is made of. */
const OURS = [
  ...["root", "paragraph", "text", "strong", "heading", "list", "listItem", "blockquote", "inlineCode", "code", "html"],
  ...["table", "tableRow", "tableCell"],
];
const TAGS = [
  /^<!-- vpc6 report -->$/,
  /^<details><summary>([^<>]|<code>[^<>]*<\/code>)*<\/summary>$/,
  /^<\/details>$/,
];
/** What stands in code only. */
const FOREIGN = new RegExp(`${WORD}|@|evil|\`|\\*\\*|:tada:`);

/** Reports that are harmless: of what makes no difference the same comes again and again. */
const harmless = new Set<string>();

function judge(markdown: string): void {
  if (harmless.has(markdown)) return;
  expect(markdown.startsWith(MARKER)).toBe(true);
  expect(markdown.replace(/[\n\t]/g, "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  const tree = fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }) as Node;
  const strange = [...nodes(tree)].filter(({ type, value = "" }) => {
    if (!OURS.includes(type)) return true;
    if (type === "inlineCode" || type === "code") return false;
    if (type === "html" && !value.split("\n").every((line) => TAGS.some((tag) => tag.test(line)))) return true;
    return FOREIGN.test(value.replace(/<code>[^<>]*<\/code>/g, ""));
  });
  expect(strange).toEqual([]);
  harmless.add(markdown);
}

const STACK = { stack: "dev", project: "test" };
const urn = (type: string, name: string, { stack, project } = STACK) =>
  `urn:pulumi:${stack}::${project}::${type}::${name}`;
const ours = (kind: string) => `pulumi-nodejs:dynamic/vpc6:${kind}`;
const WAY = "vr1 root@192.0.2.1:22 SHA256:A";
const texts = (router: string, fragments: object, more: object = {}) => ({ router, fragments, ...more });
const of = (steps: object[], diagnostics: object[] = []) =>
  report(readStack(JSON.stringify({ steps, diagnostics, changeSummary: {} }))).markdown;
const update = (kind: string, name: string, before: object, after: object, more: object = {}) => ({
  ...{ op: "update", urn: urn(ours(kind), name) },
  oldState: { inputs: before, ...more },
  newState: { inputs: after },
});
const ledger = (kind: string, ...lines: string[][]) =>
  update(
    kind,
    "it",
    {
      ledger: `# ledger\n${(lines[0] ?? []).join("\n")}`,
      cidr: "2001:db8::/56",
      superCidr: "2001:db8::/48",
      name: "z",
    },
    {
      ledger: `# ledger\n${(lines[1] ?? []).join("\n")}`,
      cidr: "2001:db8::/56",
      superCidr: "2001:db8::/48",
      name: "z",
    },
  );
/** In a ledger, and in a way to a router, blanks part the words; an HTML parser takes this for one. */
const dense = (text: string) => text.replace(/\s+/g, "/");

/** Where a text comes from → the report. */
const places: Record<string, (text: string) => string> = {
  "a line of a router's fragment": (it) =>
    of(
      SLOTS.map((slot) =>
        update("Tier", slot, texts(WAY, { [slot]: `a\n${it}\nb\n` }), texts(WAY, { [slot]: "a\nb\n" })),
      ),
    ),
  "a line to come": (it) =>
    of([update("Tier", "web", texts(WAY, { network: "" }), texts(WAY, { network: it, packages: `${it}\n` }))]),
  "the name of a slot": (it) => of([update("Tier", "web", texts(WAY, { [it]: "a" }), texts(WAY, { [it]: "b" }))]),
  "the name of a slot that is not known yet": (it) =>
    of([
      update("Tier", "web", texts(WAY, { [it]: "a" }), texts(WAY, { [it]: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" })),
    ]),
  "the name of a resource": (it) =>
    of([
      ...["create", "update", "delete", "replace"].map((op) =>
        step(op, "Tier", `${it}${op}`, texts(WAY, { network: "a\n" }), texts(WAY, { network: "b\n" }), {
          protect: true,
        }),
      ),
      step("update", "Tier", it, texts(WAY, {}), texts(WAY, {})),
    ]),
  "the name of many lines' resource": (it) =>
    of([step("create", "Tier", it, undefined, texts(WAY, { network: "a\n".repeat(100) }))]),
  "a kind of ours that is none": (it) =>
    of([update(it.replace(/\W/g, "_"), "it", texts(WAY, { network: "a" }), texts(WAY, { network: "b" }))]),
  "a type of another package, and its name": (it) =>
    of(
      ["create", "update", "delete", "replace"].map((op) => ({
        op,
        urn: urn(`my:mod:${it}`, it),
        newState: { inputs: {} },
      })),
    ),
  "an operation": (it) =>
    of([
      { op: it, urn: urn("my:mod:X", "x"), newState: { inputs: {} } },
      step(it, "Tier", "web", texts(WAY, { network: "a\n" }), texts(WAY, { network: "b\n" })),
    ]),
  "drift and troubles": (it) =>
    of([update("Tier", "web", texts(WAY, { network: "a" }), texts(WAY, { network: "b" }), { outputs: { live: it } })]),
  "the name of a router": (it) =>
    of([
      update(
        "Tier",
        "web",
        texts(dense(it), { network: "a", packages: "p\n" }),
        texts(dense(it), { network: "b", packages: "q\n" }),
      ),
      step("replace", "Vpc", "shop", texts(dense(it), { network: "a\n" }), texts(`x${dense(it)}`, { network: "a\n" })),
    ]),
  "what Pulumi says": (it) =>
    of(
      [],
      [
        { severity: "error", message: it },
        { severity: "warning", message: it },
      ],
    ),
  "stack and project": (it) => {
    const inputs = texts(WAY, { network: "a" });
    const name = it.replace(/:/g, ";");
    return of([{ op: "create", urn: urn(ours("Tier"), "web", { stack: name, project: name }), newState: { inputs } }]);
  },
  "an argument's name and value": (it) =>
    of([update("ExternalNetwork", "x", { [it]: "a", note: "a" }, { [it]: "b", note: it })]),
  "the names in a ledger": (it) =>
    of(
      [
        ledger(
          "Zone",
          [`vpc 2001:db8::/60 ${dense(it)}`],
          [`vpc 2001:db8:0:10::/60 ${dense(it)}`, `vpc 2001:db8::/60 x`],
        ),
        ledger("Vpc", [`tier 2001:db8::/64 old`, `vip 2001:db8::1 ${dense(it)}`], [`tier 2001:db8::/64 ${dense(it)}`]),
        ledger(
          "Zone",
          [`vpc 2001:db8::/60 ${dense(it)} free since 1`],
          [`vpc 2001:db8::/60 new`, `router 2001:db8::7 ${dense(it)}`, `asn 1 ${dense(it)}`],
        ),
      ].map((one, index) => ({ ...one, urn: `${one.urn}${index}` })),
    ),
  "the kinds in a ledger": (it) =>
    of([ledger("Vpc", [`${dense(it)} 2001:db8::1 a`], [`${dense(it)} 2001:db8::2 a`, `${dense(it)} 2001:db8::1 b`])]),
  "the values in a ledger": (it) =>
    of([
      ledger(
        "Zone",
        [`vpc ${dense(it)} a`, "asn 1 vr1"],
        [`vpc x${dense(it)} a`, `asn ${dense(it)} vr1`, `router ${dense(it)} vr1`],
      ),
    ]),
  "what a ledger refuses": (it) =>
    of([ledger("Zone", [], [`refused vpc shop x ${it.replace(/[\n\r\u2028]+/g, " ")}`])]),
  "a zone, its gateway, a claim": (it) => {
    const zone = { name: it, superCidr: "2001:db8::/48", publicNetwork: { gateway: it }, ledger: "# ledger" };
    const vpc = { claim: it, cidr: "2001:db8::/60", ledger: "# ledger", router: `${it} x` };
    return of([
      ...[update("Zone", "z", zone, zone), update("Vpc", "v", { ...vpc, cidr: "2001:db8:1::/60" }, vpc)],
      { op: "update", urn: urn(ours("Tier"), "t"), oldState: { inputs: { ledger: "# l" } }, newState: { inputs: {} } },
    ]);
  },
};

describe.each(Object.entries(places))("%s", (place, reportOf) => {
  test.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 60), text]))("%s", (_, text) => {
    const markdown = reportOf(text);
    expect(markdown, `${place} is not in the report`).toContain(WORD);
    judge(markdown);
  });
});

/** A copy for each text in it, with another in its place. */
function* replaced(value: unknown, text: string): Generator<unknown> {
  if (typeof value === "string" || typeof value === "number") yield text;
  else if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value))
      for (const other of replaced(inner, text))
        yield Array.isArray(value)
          ? value.map((it, index) => (String(index) === key ? other : it))
          : { ...value, [key]: other };
}

describe("what a kind judges by", () => {
  test.each(Object.keys(kinds) as Kind[])("%s", async (kind) => {
    const args = {
      ...arguments_[kind],
      ...(kind === "BgpPeer" || kind === "Uplink" ? { password: "first-Word.1" } : {}),
    };
    const { fragments, ...inputs } = (await planned(kind, args)) as { fragments?: Record<string, string> };
    const other = Object.fromEntries(Object.entries(fragments ?? {}).map(([slot, it]) => [slot, `${it}# more\n`]));
    const router = (inputs as { router?: string }).router;
    let count = 0;
    for (const text of HOSTILE.slice(0, 2)) {
      for (const changed of replaced(inputs, text) as Iterable<object>) {
        const it = { ...changed, ...(router !== undefined && { router }) };
        for (const [before, after] of [
          [inputs, it],
          [it, inputs],
        ] as const) {
          judge(of([update(kind, "it", { ...before, fragments }, { ...after, fragments: other })]));
          count++;
        }
        judge(of([step("delete", kind, "it", { ...it, fragments })]));
        judge(of([step("create", kind, "it", undefined, { ...it, fragments })]));
      }
    }
    expect(count).toBeGreaterThan(0);
  });
});

test("a text that is put together is no sentence: it does not type-check", () => {
  const text: string = WORD;
  // @ts-expect-error: a string is no Markdown
  expect(md`${text}`).toBe(WORD);
  // @ts-expect-error: nor is one with words of ours around it
  expect(says("note", `is ${text}`).sentence).toBe(`is ${WORD}`);
  // @ts-expect-error: nor one that is known when it runs only
  expect(own(text)).toBe(WORD);
  expect(says("note", words`is ${text}`).sentence).toBe(`is \`${WORD}\``);
  expect(own("is ours")).toBe("is ours");
});

test("a report that is cut anywhere is as harmless", () => {
  for (const text of HOSTILE) {
    const steps = Array.from({ length: 5 }, (_, index) =>
      step(
        "update",
        "Tier",
        `${text}${index}`,
        texts(WAY, { network: `${text}\n`.repeat(3) }),
        texts(WAY, { network: "b\n" }),
      ),
    );
    const stack = readStack(JSON.stringify({ steps, diagnostics: [{ severity: "error", message: text }] }));
    for (let limit = 1_000; limit < 5_000; limit += 797) judge(report(stack, limit).markdown);
  }
});
