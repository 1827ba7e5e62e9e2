// The pictures in a real browser, where there is one: no text runs out of its box, in light and in dark. Without a browser the same
// pictures are held against what test/unit/report/map.test.ts asks of them, which never needs one.

import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { readStack } from "../../cli/stack";
import { svg } from "../../cli/svg";
import { exportOf, sizes } from "../unit/report/stacks";

const browser = ["chromium", "chromium-browser", "google-chrome"].find(
  (it) => spawnSync(it, ["--version"]).status === 0,
);

/** What the browser makes of it: how many texts there are, and those that are wider than the box they stand in. */
const LOOK = `
const out = [];
const texts = [...document.querySelectorAll("g > text")];
for (const text of texts) {
  const box = text.parentNode.querySelector("rect");
  if (!/cell|tier|strip/.test(box.getAttribute("class"))) continue;
  const [t, b] = [text.getBoundingClientRect(), box.getBoundingClientRect()];
  const axis = (text.getAttribute("class") ?? "").includes("axis");
  if (!axis && (t.left < b.left - 1 || t.right > b.right + 1 || t.bottom > b.bottom + 1)) out.push(text.textContent);
}
const colors = ["bg", "cell"].map((it) => getComputedStyle(document.querySelector("." + it)).fill);
document.title = JSON.stringify({ count: texts.length, out, colors });
`;

test.each(Object.keys(sizes) as (keyof typeof sizes)[])("the picture of %s", async (name) => {
  const picture = svg(readStack(exportOf(sizes[name])));
  expect(picture.match(/<g>/g)?.length).toBe(picture.match(/<\/g>/g)?.length);
  if (browser === undefined) return;
  const folder = await mkdtemp(path.join(tmpdir(), "vpc6-map-"));
  try {
    const page = path.join(folder, "page.html");
    await writeFile(
      page,
      `<!doctype html><meta charset="utf-8"><body>${picture.replace(/^<\?.*\n/, "")}<script>${LOOK}</script>`,
    );
    const looks = ["1", "0"].map(async (scheme) => {
      const flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        `--user-data-dir=${path.join(folder, scheme)}`,
        `--blink-settings=preferredColorScheme=${scheme}`,
      ];
      const { stdout } = await promisify(execFile)(browser, [...flags, "--dump-dom", `file://${page}`], {
        maxBuffer: 64 << 20,
      });
      return JSON.parse(/<title>(\{.*?\})<\/title>/.exec(stdout)?.[1] ?? "{}");
    });
    const [light, dark] = await Promise.all(looks);
    expect(light.out).toEqual([]);
    expect(light.count).toBeGreaterThan(4);
    expect(dark.out).toEqual([]);
    for (const [index, color] of light.colors.entries()) expect(dark.colors[index]).not.toBe(color);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
