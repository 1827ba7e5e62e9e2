// A provider of its own, to be killed: reads `{ router, changes, confirm, refresh, again }` from stdin, makes the router carry the changes as
// the hooks would (all at once) and prints what came of each; or looks at the router as a refresh does and prints what it saw of each.
// `again`: changes that follow, when these went through.

const folder = `${__dirname}/../../../dist/provider/router`;
const { converge, observe, setCredentials } = require(`${folder}/index.js`);
const { confirmation } = require(`${folder}/session.js`);

let text = "";
process.stdin.setEncoding("utf8").on("data", (part) => {
  text += part;
});
process.stdin.on("end", () => void answer());

async function answer() {
  const { router, changes, confirm, refresh, again } = JSON.parse(text);
  confirmation.seconds = confirm;
  setCredentials({});
  const hook = async (/** @type {any} */ change) => {
    if (!refresh) return (await converge(router, change)).confirmed;
    return (await observe(router, { recent: true })).fragments.get(change.id) ?? null;
  };
  const all = async (/** @type {any[]} */ some) => {
    const outcomes = await Promise.allSettled(some.map(hook));
    const said = outcomes.map((it) => (it.status === "fulfilled" ? it.value : it.reason.message));
    return { ok: outcomes.every((it) => it.status === "fulfilled"), said };
  };
  const first = await all(changes);
  const whole = again && first.ok ? { ...first, again: await all(again) } : first;
  process.stdout.write(JSON.stringify(whole), () => process.exit(0));
}
