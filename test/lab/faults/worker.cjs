// A provider of its own, to be killed: reads `{ router, changes, confirm }` from stdin, makes the router carry the changes as the hooks
// would (all at once), and prints what came of each.

const folder = `${__dirname}/../../../dist/provider/router`;
const { converge, setCredentials } = require(`${folder}/index.js`);
const { confirmation } = require(`${folder}/session.js`);

let text = "";
process.stdin.setEncoding("utf8").on("data", (part) => {
  text += part;
});
process.stdin.on("end", async () => {
  const { router, changes, confirm } = JSON.parse(text);
  confirmation.seconds = confirm;
  setCredentials({});
  const outcomes = await Promise.allSettled(changes.map((/** @type {any} */ change) => converge(router, change)));
  const said = outcomes.map((it) => (it.status === "fulfilled" ? it.value.confirmed : it.reason.message));
  process.stdout.write(JSON.stringify({ ok: outcomes.every((it) => it.status === "fulfilled"), said }), () =>
    process.exit(0),
  );
});
