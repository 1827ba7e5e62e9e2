// How the picture looks, in the reader's light or dark scheme.

/** A colour for each router, by its place; there are twelve, and then they come again. */
export class Colors {
  readonly routers: string[] = [];
  of(router: string | undefined): string {
    if (router === undefined) return "held";
    if (!this.routers.includes(router)) this.routers.push(router);
    return `r${this.routers.indexOf(router) % HUES.length}`;
  }
}
const HUES = [212, 152, 28, 268, 186, 338, 48, 240, 100, 8, 300, 170];

export function style({ routers }: Colors): string {
  const used = HUES.slice(0, routers.length).map((hue, index) => [`r${index}`, hue] as const);
  const light = used.map(
    ([name, hue]) => `.${name}{fill:hsl(${hue},62%,88%);stroke:hsl(${hue},48%,46%)}.t${name}{fill:hsl(${hue},52%,60%)}`,
  );
  const dark = used.map(
    ([name, hue]) => `.${name}{fill:hsl(${hue},34%,23%);stroke:hsl(${hue},50%,56%)}.t${name}{fill:hsl(${hue},48%,52%)}`,
  );
  return `
text{font-family:Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#16202c}
.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.h1{font-size:30px;font-weight:700}.h2{font-size:15px;fill:#4b5868}.axis{font-size:12px;fill:#586575}.name{font-weight:600}.soft{fill:#4b5868}.end{text-anchor:end}.mid{text-anchor:middle}
.bg{fill:#fbfcfd}.free{fill:#f1f4f7;stroke:#dbe2e9}.strip{fill:#f4f6f9;stroke:#dbe2e9;stroke-dasharray:4 4}
.held{fill:#e4e8ee;stroke:#8794a5}.theld{fill:#a5b0bf}.kept{fill:url(#kept);stroke:#98a4b3}.kept0{fill:#f1f4f7}.kept1{fill:#d5dde5}.chip{fill:#fff;fill-opacity:.75;stroke:none}.chipkept{fill:url(#kept);stroke:none}.slot{fill:#fff;fill-opacity:.65}.bar{fill:#e5eaf0}.used{fill:#2f7fd1}
.claimed{stroke:#12924f;stroke-width:3}.moved{stroke:#c77700;stroke-width:3}.freed{stroke:#d03238;stroke-width:3}
${light.join("")}
@media (prefers-color-scheme:dark){
text{fill:#e6edf4}.h2,.soft{fill:#b2becb}.axis{fill:#93a1b1}
.bg{fill:#0e141b}.free{fill:#141c25;stroke:#253140}.strip{fill:#121a22;stroke:#2a3747}
.held{fill:#27313d;stroke:#76859a}.theld{fill:#5d6b7d}.kept{stroke:#5d6b7c}.kept0{fill:#18212b}.kept1{fill:#34414f}.chip{fill:#0b1016;fill-opacity:.45}.slot{fill:#0b1016;fill-opacity:.5}.bar{fill:#1d2733}.used{fill:#4a9aec}
.claimed{stroke:#3ddc84}.moved{stroke:#ffb547}.freed{stroke:#ff6b70}
${dark.join("")}
}`;
}
