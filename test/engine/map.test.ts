// The pictures in a real browser, Debian's Chromium, which is installed where it is missing (by root, where there is apt-get). Of the
// address plan, in light and in dark: no text runs out of its box or the picture, none lies on another, all can be told from what
// is below them. Of the topology: Mermaid itself draws it.

import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import { mermaid } from "../../cli/mermaid";
import { readStack } from "../../cli/stack";
import { svg } from "../../cli/svg";
import { exportOf, sizes } from "../unit/report/stacks";

const execute = promisify(execFile);
const inCi = !["", "0", "false"].includes(process.env.CI ?? "");
const names = Object.keys(sizes) as (keyof typeof sizes)[];
const stacks = names.map((name) => readStack(exportOf(sizes[name])));
let browser: string | undefined;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "vpc6-map-"));
  browser = found() ?? installed();
  if (inCi && browser === undefined) throw new Error("CI looks at every picture, and there is no browser");
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const found = () =>
  ["chromium", "chromium-browser", "google-chrome"].find((it) => spawnSync(it, ["--version"]).status === 0);

function installed(): string | undefined {
  const apt = (...args: string[]) =>
    spawnSync("apt-get", ["-qy", "-o", "DPkg::Lock::Timeout=300", ...args]).status === 0;
  if (process.getuid?.() !== 0) return undefined;
  const install = ["install", "--no-install-recommends", "chromium"];
  return apt(...install) || (apt("update") && apt(...install)) ? found() : undefined;
}

/** What a page says in its title, when its scripts are through. */
async function look(name: string, html: string, context: TestContext, scheme: "light" | "dark" = "light") {
  if (browser === undefined) return context.skip("no browser, and none to be had without root and apt-get");
  const page = path.join(folder, `${name}.html`);
  await writeFile(page, `<!doctype html><meta charset="utf-8"><body>${html}`);
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--virtual-time-budget=60000",
    `--user-data-dir=${path.join(folder, name)}`,
    `--blink-settings=preferredColorScheme=${scheme === "light" ? 1 : 0}`,
  ];
  const { stdout } = await execute(browser, [...flags, "--dump-dom", `file://${page}`], { maxBuffer: 64 << 20 });
  const [, title = "null"] = /<title id="said">(.*?)<\/title>/s.exec(stdout) ?? [];
  return JSON.parse(title.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"));
}
const SAY = `const say = (what) => {
  const title = document.createElement("title");
  title.id = "said";
  title.textContent = JSON.stringify(what);
  document.body.append(title);
};`;

const MEASURE = `
const within = (a, b, slack) => a.left >= b.left - slack && a.right <= b.right + slack && a.top >= b.top - slack && a.bottom <= b.bottom + slack;
const channels = (color) => color.match(/[0-9.]+/g).map(Number);
const light = (it) => { const [r, g, b] = it.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const pattern = (svg) => getComputedStyle(svg.querySelector(".kept0")).fill;
function measure(svg) {
  const all = [...svg.querySelectorAll("text, rect")].filter((it) => !it.closest("defs")).map((it) => ({ it, at: it.getBoundingClientRect(), look: getComputedStyle(it), text: it.tagName === "text" }));
  const out = [], crossed = [], faint = [];
  const rows = new Map();
  for (const one of all) if (!one.text) for (let y = Math.floor(one.at.top / 64); y <= one.at.bottom / 64; y++) rows.set(y, [...(rows.get(y) ?? []), one]);
  const texts = all.filter((it) => it.text);
  for (const one of texts) {
    const words = one.it.textContent;
    const box = one.it.parentNode.tagName === "g" ? one.it.parentNode.querySelector("rect") : undefined;
    const axis = one.it.classList.contains("axis") && !one.it.classList.contains("mid");
    if (!within(one.at, svg.getBoundingClientRect(), 0) || (box && /cell|tier|strip/.test(box.getAttribute("class")) && !axis && !within(one.at, box.getBoundingClientRect(), 1))) out.push(words);
    const [x, y] = [(one.at.left + one.at.right) / 2, (one.at.top + one.at.bottom) / 2];
    let below = [255, 255, 255];
    for (const { at, look, it } of rows.get(Math.floor(y / 64)) ?? []) {
      if (x < at.left || x > at.right || y < at.top || y > at.bottom || !(it.compareDocumentPosition(one.it) & 4)) continue;
      const fill = channels(look.fill.startsWith("url") ? pattern(svg) : look.fill);
      const share = Number(look.fillOpacity) * (fill[3] ?? 1);
      below = below.map((c, index) => c * (1 - share) + fill[index] * share);
    }
    const [a, b] = [light(channels(one.look.fill).slice(0, 3)), light(below)].sort((p, q) => q - p);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(words + " " + ((a + 0.05) / (b + 0.05)).toFixed(2));
  }
  texts.sort((p, q) => p.at.top - q.at.top);
  for (const [index, p] of texts.entries())
    for (const q of texts.slice(index + 1)) {
      if (q.at.top >= p.at.bottom - 2) break;
      // Boxes of letters are higher than these.
      if (p.at.left < q.at.right - 0.5 && q.at.left < p.at.right - 0.5 && Math.min(p.at.bottom, q.at.bottom) - Math.max(p.at.top, q.at.top) > 0.35 * Math.min(p.at.height, q.at.height)) crossed.push(p.it.textContent + " | " + q.it.textContent);
    }
  const colors = [".bg", ".cell"].map((it) => getComputedStyle(svg.querySelector(it)).fill);
  return { count: texts.length, out, crossed, faint: [...new Set(faint)], colors };
}
say([...document.querySelectorAll("svg")].map(measure));
`;

test("the address plans, in light and in dark", async (context) => {
  const pictures = stacks.map((stack) => svg(stack).replace(/^<\?.*\n/, ""));
  const html = `${pictures.join("\n")}<script>${SAY}${MEASURE}</script>`;
  const looks = await Promise.all([look("light", html, context), look("dark", html, context, "dark")]);
  for (const pages of looks) {
    expect(pages).toHaveLength(names.length);
    for (const [index, { out, crossed, faint, count }] of pages.entries()) {
      expect({ out, crossed, faint }, names[index]).toEqual({ out: [], crossed: [], faint: [] });
      expect(count).toBeGreaterThan(4);
    }
  }
  const [light, dark] = looks.map(([{ colors }]) => colors);
  for (const [index, color] of light.entries()) expect(dark[index]).not.toBe(color);
}, 120_000);

const MERMAID = "12.3.0";

/** Its one file for browsers: kept beside what tools/setup keeps. All that it would bring as a dependency is 150 MB. */
async function library(): Promise<string> {
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "vpc6");
  const file = path.join(cache, `mermaid-${MERMAID}.min.js`);
  if (existsSync(file)) return file;
  await mkdir(cache, { recursive: true });
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, `mermaid@${MERMAID}`]);
  const inside = "package/dist/mermaid.min.js";
  execFileSync("tar", ["-xzf", path.join(folder, `mermaid-${MERMAID}.tgz`), "-C", folder, inside]);
  await writeFile(`${file}.${process.pid}`, await readFile(path.join(folder, inside)));
  await rename(`${file}.${process.pid}`, file);
  return file;
}

const DRAW = `
const boxes = (svg, what) => [...svg.querySelectorAll(what)].map((it) => ({ at: it.getBoundingClientRect(), is: it.textContent }));
(async () => {
  mermaid.initialize({ startOnLoad: false });
  const all = [];
  for (const [index, text] of texts.entries()) {
    try {
      const at = document.body.appendChild(document.createElement("div"));
      at.innerHTML = (await mermaid.render("m" + index, text)).svg;
      const nodes = boxes(at, ".node");
      const crossed = nodes.flatMap((p, i) => nodes.slice(i + 1).flatMap((q) => p.at.left < q.at.right && q.at.left < p.at.right && p.at.top < q.at.bottom && q.at.top < p.at.bottom ? [p.is + " | " + q.is] : []));
      const out = [...at.querySelectorAll(".node")].flatMap((it) => {
        const [label, shape] = [it.querySelector(".label foreignObject, .label text"), it.querySelector("rect, polygon, path")].map((x) => x.getBoundingClientRect());
        return label.left < shape.left - 1 || label.right > shape.right + 1 ? [it.textContent] : [];
      });
      all.push({ nodes: nodes.length, crossed, out });
    } catch (error) { all.push({ error: String(error) }); }
  }
  say(all);
})();
`;

test("the topologies, drawn by Mermaid itself", async (context) => {
  if (browser === undefined) return context.skip("no browser, and none to be had without root and apt-get");
  const texts = JSON.stringify(stacks.map(mermaid)).replaceAll("<", "\\u003c");
  const html = `<script src="file://${await library()}"></script><script>${SAY}const texts = ${texts};${DRAW}</script>`;
  const drawn = await look("mermaid", html, context);
  expect(drawn).toEqual([4, 57, 17].map((nodes) => ({ nodes, crossed: [], out: [] })));
}, 120_000);
