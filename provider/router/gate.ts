/**
 * How many dials are under way at a time: in all, so that a thousand routers cost neither memory nor file descriptors, and at
 * one server, as sshd drops logins beyond its MaxStartups (10): what a bastion in front of many routers would see.
 */

export const most = {
  /** Dials at a time, until their logins are through. Those that nobody answers take one of these for 10 s each. */
  dials: 64,
  /** Of these, at one server; the first is alone, as what one is refused all would be, and an sshd may count that (connection.ts). */
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

  leave(limit: number): void {
    this.inside--;
    this.fill(limit);
  }

  fill(limit: number): void {
    while (this.inside < limit) {
      const next = this.waiting.shift();
      if (!next) break;
      this.inside++;
      next();
    }
  }

  get unused(): boolean {
    return this.inside === 0;
  }
}

const all = new Gate();
const servers = new Map<string, Gate>();
/** Those that have been asked. */
const met = new Set<string>();

/** Runs `dial` when its turn comes, which says when the server has answered, with yes or no. Places at the server are taken first: who holds one of all waits for nobody. */
export async function inTurn<T>(server: string, dial: (answered: () => void) => Promise<T>): Promise<T> {
  const one = servers.get(server) ?? new Gate();
  servers.set(server, one);
  const answered = () => {
    met.add(server);
    one.fill(most.atOneServer);
  };
  await one.enter(met.has(server) ? most.atOneServer : 1);
  try {
    await all.enter(most.dials);
    try {
      return await dial(answered);
    } finally {
      all.leave(most.dials);
    }
  } finally {
    answered();
    one.leave(most.atOneServer);
    if (one.unused) servers.delete(server);
  }
}
