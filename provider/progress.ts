// Words from a hook to the user's terminal while it works: ephemeral, shown beside the resource, kept nowhere.

export function say(text: string): void {
  // Loaded here: the hooks run inside the SDK's provider process, where it is there already; unit tests do without.
  const { log } = require("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
  void log.info(text, undefined, undefined, true);
}
