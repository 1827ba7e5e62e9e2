// The report on a preview, as Markdown for a comment on a pull request: what changes in one sentence, what traffic it interrupts, who
// gets which addresses, and each router's new lines. Of an export: what there is. A pure function of the stack.

import type { Slot } from "../provider/contract";
import { UNKNOWN } from "../provider/unknown";
import { type ClaimChange, claimChanges, toldOf } from "./claims";
import { differences, excerpt, type Line, linesIn } from "./diff";
import { alert, block, code, details, few, joined, list, type Markdown, md, plural, table } from "./markdown";
import { addressTable, pick } from "./plan";
import { type Fragments, fragmentsOf, type Inputs, type Resource, routerNameOf, type Stack } from "./stack";
import { type Effect, effects, interrupts, kindWord, type Level, label } from "./traffic";

export interface Report {
  readonly markdown: string;
  /** The preview failed: what is in the report is not all. */
  readonly failed: boolean;
  /** Traffic is interrupted, or that is not known. */
  readonly interrupts: boolean;
}

/** What GitHub takes for a comment, in characters. */
export const LIMIT = 65536;
/** A later report finds the comment of an earlier one by this. */
export const MARKER = md`<!-- vpc6 report -->`;

const NOT_KNOWN = "(not known before `pulumi up`)";

export function report(stack: Stack, limit = LIMIT): Report {
  const errors = stack.diagnostics.filter(({ severity }) => severity === "error");
  const failed =
    errors.length > 0 || (stack.from === "preview" && stack.resources.length === 0 && stack.project === undefined);
  const all = effects(stack);
  const changed = stack.resources.filter((it) => changes(it));
  const claims = claimChanges(stack);
  const head: Markdown[] = [
    MARKER,
    stack.stack === undefined ? md`### vpc6` : md`### vpc6: ${code(stack.stack)} of ${code(stack.project ?? "")}`,
    headline(stack, changed, claims, all, failed),
    ...(failed ? [failure(stack)] : []),
    ...(changed.length > 0 ? [traffic(all, failed)] : []),
    ...warnings(stack, claims),
  ];
  const sections: Section[] = [...addresses(claims), ...routers(changed), ...map(stack), ...remarks(stack)];
  return { markdown: fit(head, sections, limit), failed, interrupts: all.some(interrupts) };
}

/** Something of it is different; a resource that only failed last time is applied again. */
const changes = ({ op, trouble }: Resource): boolean =>
  !["same", "read", "refresh"].includes(op) || (trouble !== undefined && op !== "same");

function headline(stack: Stack, changed: Resource[], claims: ClaimChange[], all: Effect[], failed: boolean): Markdown {
  if (stack.from === "export") {
    const kinds = new Map<string, number>();
    for (const { kind, ours } of stack.resources) if (ours) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const words = [...kinds].map(([kind, count]) => md`${count} ${kindWord(kind)}`);
    return md`**This stack has ${words.length === 0 ? md`no resource of vpc6's` : list(words)}.**`;
  }
  if (changed.length === 0) return failed ? md`**The preview failed.**` : md`**Nothing changes.**`;
  const ops: [string, Markdown][] = [
    ["replace", md`replaced`],
    ["delete", md`deleted`],
    ["update", md`changed`],
    ["create", md`created`],
  ];
  const counts = ops.flatMap(([op, done]) => {
    const those = changed.filter((it) => it.op === op || (op === "update" && !ops.some(([known]) => known === it.op)));
    if (those.length === 0) return [];
    return [md`${those.length <= 3 ? list(those.map(label)) : plural(those.length, "resource")} ${done}`];
  });
  const on = [
    ...new Set(changed.filter(touches).flatMap((it) => [routerNameOf(it.before), routerNameOf(it.after)])),
  ].filter((it) => it !== undefined);
  const where =
    on.length === 0
      ? md`no router is touched`
      : md`on ${on.length === 1 ? md`router` : md`routers`} ${few(on.sort().map(code), 6)}`;
  const prefixes = (what: ClaimChange["what"]) => {
    const those = claims.filter((it) => it.what === what && toldOf(it.kind) !== "detail");
    if (those.length === 0) return md``;
    return md`, ${those.length <= 2 ? list(those.map(({ value }) => code(value))) : plural(those.length, "prefix or address", "prefixes and addresses")} ${CHANGES[what]}`;
  };
  const space = joined((["claimed", "freed", "moved"] as const).map(prefixes), "");
  const end = failed || all.some(interrupts) ? md`` : md` Nothing is interrupted.`;
  const start = failed ? md`The preview failed; as far as it came: ` : md``;
  return md`**${start}${joined(counts, ", ")}, ${where}${space}.${end}**`;
}

/** Only a change of what is on the router reaches it. */
const touches = (it: Resource): boolean => slotsOf(it).length > 0 || it.trouble !== undefined;

function failure({ diagnostics }: Stack): Markdown {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) {
    return alert(
      "CAUTION",
      md`Pulumi printed no preview at all: the job's log, or \`pulumi preview\` itself, says why.`,
    );
  }
  const texts = errors.map(({ message }) =>
    message.replace(/^error: /, "").replace(/pulumi-nodejs:dynamic\/vpc6:(\w+) resource '/g, "$1 '"),
  );
  return alert(
    "CAUTION",
    md`**The preview failed, and nothing can be deployed like this:**\n\n${block("", [...new Set(texts)].join("\n"))}`,
  );
}

const LEVELS: [Level, Markdown][] = [
  ["ends", md`**Interrupted:**`],
  ["pauses", md`**Pauses:**`],
  ["closes", md`**Doors closed to new connections:**`],
  ["unknown", md`**Not known, so look:**`],
];

function traffic(all: Effect[], failed: boolean): Markdown {
  const notes = groups(all, "note");
  const more = notes.length === 0 ? md`` : md`\n${joined(notes, "\n")}`;
  if (!all.some(interrupts)) {
    const so = failed
      ? md`Nothing of what the preview came to is interrupted.`
      : md`**Nothing is interrupted.** Open connections go on, and nobody has to renew anything.`;
    return alert("NOTE", md`${so}${more}`);
  }
  const parts = LEVELS.flatMap(([level, title]) => {
    const lines = groups(all, level);
    return lines.length === 0 ? [] : [md`${title}\n${joined(lines, "\n")}`];
  });
  const serious = all.some(({ level }) => level === "ends" || level === "unknown");
  return alert(
    serious ? "WARNING" : "IMPORTANT",
    joined([...parts, ...(notes.length === 0 ? [] : [md`Besides:${more}`])], "\n\n"),
  );
}

/** Effects with one sentence are told together. */
function groups(all: Effect[], level: Level): Markdown[] {
  const together = new Map<Markdown, Markdown[]>();
  for (const { level: its, router, subject, sentence } of all) {
    if (its !== level) continue;
    const known = router === undefined || [subject, sentence].some((it) => it.includes(code(router)));
    const key = known ? sentence : md`${sentence} (${code(router)})`;
    together.set(key, [...(together.get(key) ?? []), subject]);
  }
  return [...together].map(([sentence, subjects]) => md`- ${few(subjects, 8)}: ${sentence}.`);
}

function warnings(stack: Stack, claims: ClaimChange[]): Markdown[] {
  const said: Markdown[] = [];
  const those = (test: (it: Resource) => boolean, sentence: (names: Markdown) => Markdown) => {
    const found = stack.resources.filter((it) => changes(it) && test(it));
    if (found.length > 0) said.push(md`- ${sentence(few(found.map(label)))}`);
  };
  those(
    ({ op, protect }) => protect && (op === "delete" || op === "replace"),
    (names) => md`**Protected, and would go: ${names}.** Pulumi refuses this until \`protect\` is taken off.`,
  );
  those(
    ({ op }) => op === "replace",
    (names) => md`**Replaced** (deleted, then made again): ${names}.`,
  );
  those(
    ({ op, kind }) => op === "delete" && kind === "Zone",
    (names) =>
      md`**The ledger goes: ${names}.** With it the memory of who held which prefix; what is made again may be numbered differently.`,
  );
  const space = claims.filter(({ what, kind }) => what === "freed" && toldOf(kind) === "space");
  if (space.length > 0)
    said.push(
      md`- **Address space is given back:** ${few(space.map(({ word, name, value }) => md`${code(value)} of ${word} ${code(name)}`))}.`,
    );
  const moved = claims.filter(({ what }) => what === "moved");
  if (moved.length > 0)
    said.push(
      md`- **Renumbered:** ${few(
        moved.map(({ word, name, was, value }) => md`${word} ${code(name)} from ${code(was ?? "")} to ${code(value)}`),
        6,
      )}.`,
    );
  const taken = claims.filter(({ what, was, name }) => what === "claimed" && was !== undefined && was !== name);
  if (taken.length > 0)
    said.push(
      md`- **Given to another name than before**, as nothing never used is left: ${few(taken.map(({ value, was, name }) => md`${code(value)} (${code(was ?? "")} → ${code(name)})`))}.`,
    );
  those(
    ({ ours, after }) => ours && holdsUnknown(after),
    (names) => md`**Not known before \`pulumi up\`:** something of ${names}. What depends on it is not in this report.`,
  );
  those(
    ({ trouble }) => trouble !== undefined,
    (names) =>
      md`**Not as it was applied:** ${names}; this run puts it right. ${few(
        stack.resources.flatMap((it) => (it.trouble === undefined ? [] : [md`${label(it)}: ${code(it.trouble)}`])),
        6,
      )}.`,
  );
  return said.length === 0 ? [] : [md`**Warnings**\n${joined(said, "\n")}`];
}

const holdsUnknown = (value: unknown): boolean =>
  typeof value === "string"
    ? value.includes(UNKNOWN)
    : typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown);

/** A part of the report that may have to be shortened: its forms, the longest first. */
interface Section {
  readonly forms: readonly Markdown[];
  /** The lowest is shortened first. */
  readonly weight: number;
}

const CHANGES: Readonly<Record<ClaimChange["what"], Markdown>> = {
  claimed: md`claimed`,
  freed: md`freed`,
  moved: md`moved`,
  renamed: md`renamed`,
  refused: md`refused`,
};

function history(what: ClaimChange["what"], name: string, was: string | undefined, forgotten = false): Markdown {
  if (what === "freed" && !forgotten) return md`, kept for its name`;
  if (what !== "claimed" || was === undefined) return md``;
  return was === name ? md`, its own again` : md`, was ${code(was)}'s`;
}

function addresses(claims: ClaimChange[]): Section[] {
  if (claims.length === 0) return [];
  const order = ["refused", "moved", "freed", "claimed", "renamed"];
  const row = ({ what, word, name, value, was, parent, forgotten }: ClaimChange): Markdown[] => [
    CHANGES[what],
    what === "moved" ? md`${code(was ?? "")} → ${code(value)}` : code(value),
    md`${word} ${what === "renamed" ? md`${code(was ?? "")} → ` : md``}${code(name)}`,
    md`${label(parent)}${history(what, name, was, forgotten)}`,
  ];
  const sorted = [...claims].sort((a, b) => order.indexOf(a.what) - order.indexOf(b.what));
  const rows = (most: number) => {
    const more = sorted.length - most;
    const head = [md``, md`what`, md`whose`, md`from`];
    return md`#### Addresses\n${table(head, sorted.slice(0, most).map(row))}${andMore(more)}`;
  };
  return [{ weight: 3, forms: [rows(sorted.length <= 40 ? 40 : 25), rows(8)] }];
}

const andMore = (count: number): Markdown => (count > 0 ? md`\n\n… and ${count} more.` : md``);

function routers(changed: Resource[]): Section[] {
  const rank = ["replace", "delete", "update", "create"];
  const sorted = changed.filter(({ ours }) => ours).sort((a, b) => rank.indexOf(a.op) - rank.indexOf(b.op));
  const names = new Set(sorted.flatMap((it) => [routerNameOf(it.before), routerNameOf(it.after)]));
  const sections: Section[] = [];
  for (const name of [...names].filter((it) => it !== undefined).sort()) {
    const here = sorted.filter((it) => [routerNameOf(it.before), routerNameOf(it.after)].includes(name));
    const parts = here.map((it) => ({ it, lines: changeOn(it, name) }));
    const silent = parts.filter(({ lines }) => lines.length === 0).map(({ it }) => label(it));
    sections.push({ weight: 9, forms: [md`#### Router ${code(name)}`] });
    for (const { it, lines } of parts) if (lines.length > 0) sections.push(ofResource(it, name, lines));
    if (silent.length > 0) sections.push({ weight: 8, forms: [md`No line of the router changes for ${few(silent)}.`] });
  }
  const elsewhere = sorted.filter(
    (it) => routerNameOf(it.before) === undefined && routerNameOf(it.after) === undefined,
  );
  const parts = elsewhere.map((it) => ({ it, lines: changeOn(it, undefined) })).filter(({ lines }) => lines.length > 0);
  if (parts.length > 0) sections.push({ weight: 9, forms: [md`#### On no router`] });
  for (const { it, lines } of parts) sections.push(ofResource(it, undefined, lines));
  return sections;
}

const OPS = new Map<string, Markdown>([
  ["create", md`new`],
  ["update", md`changed`],
  ["delete", md`deleted`],
  ["replace", md`replaced`],
]);
const opWord = (op: string): Markdown => OPS.get(op) ?? code(op);

function ofResource(it: Resource, router: string | undefined, lines: string[]): Section {
  const went = it.op === "replace" && routerNameOf(it.before) !== routerNameOf(it.after);
  const op = went
    ? routerNameOf(it.before) === router
      ? md`moves to ${code(routerNameOf(it.after) ?? "?")}`
      : md`comes from ${code(routerNameOf(it.before) ?? "?")}`
    : opWord(it.op);
  const count = lines.filter((line) => /^[+-]/.test(line)).length;
  const title = md`${label(it)} (${op})`;
  const text = block("diff", lines.join("\n"));
  const folded = details(md`${title}: ${plural(count, "line")}`, text);
  const whole = it.op === "update" ? lines.length <= 60 : lines.length <= 8;
  const brief = md`${title}: ${plural(count, "line")}, left out here for want of room.`;
  return {
    weight: it.op === "create" ? 1 : it.op === "update" ? 4 : 2,
    forms: [whole ? md`**${title}**\n${text}` : folded, brief],
  };
}

const SLOT_TITLES: Readonly<Record<Exclude<Slot, "secrets" | "made">, string>> = {
  nftables: "firewall",
  guard: "guard of the firewall",
  haproxy: "load balancer",
  certificates: "certificates",
  tayga: "NAT64",
  named: "DNS64",
  frr: "BGP",
  network: "addresses, neighbours and routes",
  dnsmasq: "DHCP, DNS and advertisements",
  "dhcp-hosts": "leases",
  "dns-hosts": "names",
  sysctl: "kernel settings",
  passwords: "passwords",
  packages: "packages",
  adopt: "adoption",
};
const titles = new Map<string, string>(Object.entries(SLOT_TITLES));
const slotTitle = (slot: string): string =>
  titles.has(slot) ? `${titles.get(slot)} (${slot})` : slot || "configuration";

type Pair = readonly [slot: string, before: string | undefined, after: string | undefined];

function slotsOf({ before, after }: Resource, router?: string): Pair[] {
  const side = (inputs: Inputs | undefined): Fragments =>
    router === undefined || routerNameOf(inputs) === router ? fragmentsOf(inputs) : {};
  const [old, now] = [side(before), side(after)];
  const moves = routerNameOf(before) !== routerNameOf(after);
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .map((slot): Pair => [slot, old[slot], now[slot]])
    .filter(([, one, other]) => one !== other || (moves && router === undefined));
}

/** The lines of a unified diff of all that changes of a resource on a router: its fragments, or where it has none, its arguments. */
function changeOn(it: Resource, router: string | undefined): string[] {
  const fragments = slotsOf(it, router).map(([slot, before, after]): Pair => [slotTitle(slot), before, after]);
  const pairs = fragments.length > 0 || router !== undefined ? fragments : argumentsOf(it);
  return pairs.flatMap(([title, before, after]) => {
    const known = (text: string | undefined) => (text?.includes(UNKNOWN) ? [NOT_KNOWN] : linesIn(text));
    const lines = excerpt(differences(known(before), known(after)));
    return lines.length === 0 ? [] : [`@@ ${title} @@`, ...lines.map(written)];
  });
}
const written = ({ sign, text }: Line): string => `${sign}${text}`;

/** Of a resource that is on no router; ledgers are told by the table of addresses. */
function argumentsOf({ kind, before, after }: Resource): Pair[] {
  if (kind === "Zone" && (before === undefined || after === undefined)) return [];
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return keys
    .filter((key) => !["__provider", "ledger", "claims", "fragments", "router"].includes(key))
    .map((key): Pair => [key, show(before?.[key]), show(after?.[key])])
    .filter(([, one, other]) => one !== other);
}
const show = (value: unknown): string | undefined =>
  value === undefined
    ? undefined
    : typeof value === "string"
      ? value
      : JSON.stringify(value, (_, it) => (it === UNKNOWN ? NOT_KNOWN : it));

function map(stack: Stack): Section[] {
  const all = addressTable(stack);
  if (all.length === 0) return [];
  const part =
    stack.hidden > 0
      ? md`\n\nOnly what changes: ${plural(stack.hidden, "resource")} stay as they are and are not in this preview (\`pulumi preview --json --show-sames\` has them).`
      : md``;
  const form = (most: number) => {
    const { rows, left } = pick(all, most);
    const head = [md`prefix or address`, md`what`, md`holds`, md`router`, md``];
    return details(md`Address map`, md`${table(head, rows)}${andMore(left)}${part}`);
  };
  return [
    {
      weight: 0,
      forms: [form(200), form(40), md`The address map is left out here for want of room: \`vpc6 map\` draws it.`],
    },
  ];
}

function remarks({ diagnostics, resources }: Stack): Section[] {
  const others = resources.filter((it) => !it.ours && changes(it));
  const words = diagnostics
    .filter(({ severity }) => severity === "warning")
    .map(({ message }) => message.replace(/^warning: /, ""));
  const parts = [
    ...(others.length > 0
      ? [md`Of other packages: ${few(others.map((it) => md`${label(it)} (${opWord(it.op)})`))}.`]
      : []),
    ...(words.length > 0 ? [md`Pulumi warns:\n${block("", words.join("\n"))}`] : []),
  ];
  return parts.length === 0 ? [] : [{ weight: 5, forms: [joined(parts, "\n\n"), md``] }];
}

/** As much of it as there is room for: what matters least is shortened first, from the end on. */
function fit(head: Markdown[], sections: Section[], limit: number): string {
  const form = sections.map(() => 0);
  const text = () =>
    [...head, ...sections.map(({ forms }, index) => forms[form[index] ?? 0] ?? "")]
      .filter((it) => it !== "")
      .join("\n\n");
  let length = text().length + 1;
  const order = sections
    .map((section, index) => ({ section, index }))
    .sort((a, b) => a.section.weight - b.section.weight || b.index - a.index);
  let shortened = false;
  for (const { section, index } of order) {
    for (let next = 1; next < section.forms.length && length > limit - 200; next++) {
      length += (section.forms[next]?.length ?? 0) - (section.forms[form[index] ?? 0]?.length ?? 0);
      form[index] = next;
      shortened = true;
    }
  }
  const note = shortened
    ? "\n\nShortened to what fits in a comment: `pulumi preview --diff --show-full-output` shows all of it."
    : "";
  const whole = `${text()}${note}\n`;
  if (whole.length <= limit) return whole;
  const end = "\n\n… cut off here: a comment has no room for more.\n";
  return `${whole.slice(0, Math.max(0, limit - end.length - 40)).replace(/[^\n]*$/, "")}${closing(whole.slice(0, limit - end.length - 40))}${end}`.slice(
    0,
    limit,
  );
}

/** What a text that was cut has open: a block of code, and details. */
function closing(text: string): string {
  const fences = (text.match(/^(> )?`{3,}/gm) ?? []).length;
  const open = (text.match(/<details>/g) ?? []).length - (text.match(/<\/details>/g) ?? []).length;
  return `${fences % 2 === 1 ? "```\n" : ""}${open > 0 ? "\n</details>" : ""}`;
}
