import { describe, expect, it } from "vitest";
import { decode, encode, parseAnswer } from "../../../provider/router/payload";
import { commands, program } from "../../../provider/router/program";

const change = (id: string, fragments: Record<string, string> | null) => ({ id, label: id, fragments });

const none = "vpc6-drift 1\nend vpc6-drift\n";

/** What a terminal obeys, or an eye does not see. */
const UNSEEN: [string, string][] = [
  ["a NUL", "\0"],
  ["a title for the terminal", "\u001b]0;pwned\u0007"],
  ["a cleared screen", "\u001b[2J"],
  ["a clipboard (OSC 52)", "\u001b]52;c;cm0gLXJmIC8=\u0007"],
  ["a C1 control", "\u009b2J"],
  ["a line that is written over", "\rnothing changes"],
  ["a text turned around", "\u202egnihton"],
  ["an isolate", "\u2066x\u2069"],
  ["a blank of no width", "\u200b"],
  ["a line separator", "\u2028"],
  ["half a surrogate", "\ud800"],
  ["tags", "\u{e0041}"],
  ["a color that Pulumi's CLI does not know, and ends by", "<{%x%}>"],
];

describe("encode", () => {
  it("asks for a repair when one of the changes does", () => {
    const one = change("a", { network: "x" });
    expect(encode([one, { ...one, id: "b", repair: true }], "h", "n")).toMatch(/^repair$/m);
    expect(encode([one], "h", "n")).not.toMatch(/^repair$/m);
  });

  it("writes one line for each line of each slot, and counts them", () => {
    const text = encode(
      [
        change("web@2001:db8::", { network: "interface web0\n", dnsmasq: "interface=web0\n\n# end of it\n" }),
        change("old", null),
      ],
      "shop/prod",
      "abcd",
    );
    expect(text.split("\n")).toEqual([
      "vpc6-transaction 1",
      "holder shop/prod",
      "nonce abcd",
      "set web@2001:db8::",
      "slot dnsmasq",
      "|interface=web0",
      "|",
      "|# end of it",
      "slot network",
      "|interface web0",
      "drop old",
      "end 11",
      "",
    ]);
  });

  it("does not depend on the order of the slots", () => {
    const one = encode([change("a", { network: "x", dnsmasq: "y" })], "h", "n");
    expect(encode([change("a", { dnsmasq: "y", network: "x" })], "h", "n")).toBe(one);
  });

  it("says what is made now, so that it is not taken from another stack", () => {
    const text = encode([{ ...change("a", { owner: "organization/shop/dev\n" }), fresh: true }], "h", "n");
    expect(text.split("\n").slice(3, 7)).toEqual(["set a", "fresh", "slot owner", "|organization/shop/dev"]);
  });

  it("says when one was made: with its fragments, and where only that one is to go", () => {
    const changes = [
      { ...change("a", { network: "x\n" }), made: "12ab" },
      { ...change("b", null), made: "34cd" },
    ];
    const text = encode(changes, "h", "n");
    expect(text.split("\n").slice(3, 10)).toEqual([
      "set a",
      "slot made",
      "|12ab",
      "slot network",
      "|x",
      "drop b",
      "made 34cd",
    ]);
    const seen = decode(encode(changes.slice(0, 1), "h", "n") + none);
    expect([...seen.made]).toEqual([["a", "12ab"]]);
    expect(seen.fragments.get("a")).toEqual({ network: "x\n" });
  });

  it("leaves out an empty fragment, and when one was made that has no other", () => {
    expect(encode([change("a", { network: "\n" })], "h", "n")).not.toContain("slot");
    expect(encode([{ ...change("a", { network: "\n" }), made: "12ab" }], "h", "n")).not.toContain("slot");
  });

  it("keeps a text that looks like the protocol inside its fragment", () => {
    const nasty = "end 3\ndrop web\n|x\nvpc6-transaction 1\n";
    const shown = encode([change("a", { network: nasty })], "h", "n");
    expect(shown.match(/^(end|drop|vpc6)/gm)).toEqual(["vpc6", "end"]);
  });

  it("takes the holder as one line", () => {
    expect(encode([], "a\ndrop web\u0000", "n").split("\n")[1]).toBe("holder adrop web");
  });

  it.each(["", "a b", "../x", "-rf", "a/b", "a\nb", "é", "x".repeat(201)])("refuses the id %j", (id) => {
    expect(() => encode([change(id, null)], "h", "n")).toThrow(/not an id/);
  });

  it("refuses a slot that is none", () => {
    expect(() => encode([change("a", { "../etc": "x" })], "h", "n")).toThrow(/not a slot/);
  });

  it.each(UNSEEN)("refuses what decode would not give back as it is: %s", (_, text) => {
    expect(() => encode([change("a", { network: `x${text}y\n` })], "h", "n")).toThrow(
      /character in the network fragment of a/,
    );
  });
});

describe("decode", () => {
  it("reads back what encode wrote", () => {
    const fragments = { network: "interface web0\n", nftables: "table inet vpc6 {\n\n}\n" };
    const shown = encode([change("a", fragments), change("b", { "dns-hosts": "::1 a\n" })], "h", "n");
    expect(Object.fromEntries(decode(shown + none).fragments)).toEqual({ a: fragments, b: { "dns-hosts": "::1 a\n" } });
  });

  it.each(UNSEEN)("escapes what no fragment of ours has: %s", (_, unseen) => {
    const { fragments } = decode(`vpc6-transaction 1\nset a\nslot network\n|\tx${unseen}é文🙂\nend 4\n${none}`);
    const text = fragments.get("a")?.network ?? "";
    expect(text).toMatch(/^\tx<?(\\u[0-9a-f]{4,6}[^\\]*)+é文🙂\n$/);
    expect(text.replace(/[\t\n]/g, "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });

  it("takes no secret from a router", () => {
    const said =
      "vpc6-transaction 1\nset a\nslot secrets\n|{{password:0000}} x\nslot network\n|x\nset b\nslot secrets\n|y\nend 9\n";
    expect(Object.fromEntries(decode(said + none).fragments)).toEqual({ a: { network: "x\n" }, b: {} });
  });

  it("is empty when there is nothing", () => {
    expect(decode(`vpc6-transaction 1\nend 1\n${none}`).fragments.size).toBe(0);
  });

  it("reads what differs, by resource", () => {
    const drift =
      "vpc6-drift 1\ndrift router:vr1 nftables|rule removed, a | b\ndrift web@:: network|x\u0007y <\u0000{%z%}>\ndrift web@:: dnsmasq|\nend vpc6-drift\n";
    expect(decode(`vpc6-transaction 1\nset a\nslot nftables\n|vpc6-drift 1\nend 4\n${drift}`).drift).toEqual(
      new Map([
        ["router:vr1", [{ service: "nftables", text: "rule removed, a | b" }]],
        [
          "web@::",
          [
            { service: "network", text: "xy <{ %z%}>" },
            { service: "dnsmasq", text: "" },
          ],
        ],
      ]),
    );
  });

  it("passes over what a login shell says first", () => {
    expect([
      ...decode(`Welcome!\nvpc6-transaction 1\nset a\nslot network\n|x\nend 4\n${none}`).fragments.keys(),
    ]).toEqual(["a"]);
  });

  it.each([
    "",
    "vpc6-transaction 1\nset a\nslot network\n|x\n",
    "vpc6-transaction 1\nset a\nslot network\n|x\nend 5\n",
    "vpc6-transaction 1\nend 1\n",
    "vpc6-transaction 1\nend 1\nvpc6-drift 1\ndrift router:vr1 nftables|rule\n",
    `vpc6-transaction 1\nset a\nslot network\n|x\n${none}`,
  ])("throws when it is not whole: %j", (text) => {
    expect(() => decode(text)).toThrow(/not whole/);
  });
});

describe("parseAnswer", () => {
  it("reads everything", () => {
    const text =
      "hello\nvpc6-answer 1\nrefused\ntouched no\nchanged \nservice dnsmasq\nid web@::\n|bad option\n|  at line 3\nend\n";
    expect(parseAnswer(text)).toEqual({
      verdict: "refused",
      words: [],
      touched: false,
      changed: [],
      service: "dnsmasq",
      id: "web@::",
      yields: [],
      why: "bad option\n  at line 3",
    });
  });

  it("reads the words of the verdict and the services", () => {
    expect(parseAnswer("vpc6-answer 1\nunconfirmed 8 30\ntouched yes\nchanged nftables network\nend\n")).toMatchObject({
      verdict: "unconfirmed",
      words: ["8", "30"],
      touched: true,
      changed: ["nftables", "network"],
    });
  });

  it.each(["", "vpc6-answer 1\n", "vpc6-answer 1\nok 3 same\ntouched no\n", "ok\nend\n"])(
    "takes %j for no answer",
    (text) => {
      expect(parseAnswer(text)).toBeUndefined();
    },
  );

  it("is not ended by a daemon that says `end`", () => {
    expect(parseAnswer("vpc6-answer 1\nrefused\ntouched no\n|end\n|more\nend\n")?.why).toBe("end\nmore");
  });
});

describe("the program", () => {
  it("is whole, and knows its own hash", () => {
    const { text, hash } = program();
    expect(text).toMatch(/^#!\/bin\/sh\n/);
    expect(text.trimEnd().split("\n").at(-1)).toBe("# end of vpc6");
    expect(text).toContain(`PROGRAM_HASH=${hash}\n`);
    expect(text).not.toMatch(/@[A-Z]+@/);
  });

  it("is started by constant commands, through sudo unless root", () => {
    expect(commands.converge("root", "abc")).toBe('/usr/local/lib/vpc6/vpc6 converge abc "$SSH_CONNECTION"');
    expect(commands.converge("ops", "abc")).toBe(
      'LC_ALL=C sudo -n /usr/local/lib/vpc6/vpc6 converge abc "$SSH_CONNECTION"',
    );
    expect(commands.install("ops")).toMatch(/^LC_ALL=C sudo -n sh -c '[^']*'$/);
  });
});
