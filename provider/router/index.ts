/**
 * Routers, as the rest of the provider sees them: say what should be there (`converge`), ask what is there (`observe`), leave
 * a router as it was found (`uninstall`). Everything that touches the world is in this folder; ssh2 is loaded on first use.
 */

export { RouterError } from "./error";
export type { Change, CredentialConfig, Fragments, Hop, Report, RouterAddress } from "./types";

import type { Change, CredentialConfig, Fragments, Report, RouterAddress } from "./types";

/** Makes the router carry `change`, together with all that arrives for it meanwhile. */
export declare function converge(router: RouterAddress, change: Change): Promise<Report>;

/** What is confirmed on the router now: id → fragments. Concurrent callers share one round trip. */
export declare function observe(router: RouterAddress): Promise<Map<string, Fragments>>;

/** Leaves the router as it was found, when nothing but `id` (the Router's own) is on it. */
export declare function uninstall(router: RouterAddress, id: string): Promise<void>;

/** Where credentials are looked for after the environment, the agent and the key files: the stack's config. */
export declare function setCredentials(config: CredentialConfig): void;

/** Called with what the router's program says while it works: `installing nftables dnsmasq-base`. */
export declare function onProgress(listener: ((router: RouterAddress, text: string) => void) | undefined): void;

/** SIGINT and SIGTERM for the provider process: exits at once when idle, within 4 s when busy. Harmless to call twice. */
export declare function installSignalHandling(): void;
