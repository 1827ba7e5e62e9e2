/**
 * How many dials are under way at a time: in all, so that a thousand routers cost neither memory nor file descriptors, and at
 * one server, as sshd drops logins beyond its MaxStartups (10): what a bastion in front of many routers would see.
 */

export const most = {
  /** Dials at a time, until their logins are through. Those that nobody answers take one of these for 10 s each. */
  dials: 64,
  /** Of these, at one server. */
  atOneServer: 8,
};

class Gate {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  async enter(limit: number): Promise<void> {
    // Who leaves hands the place on, so nobody who comes later gets in between.
    if (this.inside < limit) this.inside++;
    else await new Promise<void>((next) => this.waiting.push(next));
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.inside--;
  }

  get unused(): boolean {
    return this.inside === 0;
  }
}

const all = new Gate();
const servers = new Map<string, Gate>();

/** Runs `dial` when its turn comes. Places at the server are taken first: who holds one of all waits for nobody. */
export async function inTurn<T>(server: string, dial: () => Promise<T>): Promise<T> {
  const one = servers.get(server) ?? new Gate();
  servers.set(server, one);
  await one.enter(most.atOneServer);
  try {
    await all.enter(most.dials);
    try {
      return await dial();
    } finally {
      all.leave();
    }
  } finally {
    one.leave();
    if (one.unused) servers.delete(server);
  }
}
