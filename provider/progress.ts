// Words from a hook to the user's terminal: what it is doing (ephemeral, kept nowhere), and warnings.

export function say(text: string): void {
  void log().info(text, undefined, undefined, true);
}

export function warn(text: string): Promise<void> {
  return log().warn(text);
}

function log() {
  // Loaded here: the hooks run inside the SDK's provider process, where it is there already; most unit tests do without.
  const { log } = require("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
  connect();
  return log;
}

/**
 * The SDK starts its provider process with the engine's address as the only argument and then never uses it, so that `log`
 * falls back to printing, which the engine keeps for good.
 */
function connect(): void {
  const address = process.argv[2];
  if (!/cmd[\\/]dynamic-provider[\\/]?(index\.js)?$/.test(process.argv[1] ?? "") || address === undefined) return;
  const { getStore } = require("@pulumi/pulumi/runtime/state") as {
    getStore(): { settings: { options: { engineAddr?: string } } };
  };
  getStore().settings.options.engineAddr ??= address;
}
