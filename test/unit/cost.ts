// What one piece of work costs, in pieces of another: a machine may be slow, but ten times the claims may cost ten times as much
// and some more, not a hundred times. In processor time of this very thread, as others are at work on the machine.

type Work = () => void | Promise<void>;

/**
 * In microseconds. The kernel counts a thread's time by its tick, of 4 ms on many machines: work that takes about as long costs nothing, or
 * twice as much. So it is done again until many ticks have passed.
 */
async function cost(work: Work): Promise<number> {
  const before = process.threadCpuUsage();
  for (let times = 1; ; times += 1) {
    await work();
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= 50_000) return (user + system) / times;
  }
}

/** How many times `few` does `many` cost? The least of three looks; one that shows less than `enough` will do. */
export async function costs(many: Work, few: Work, enough: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 3 && least >= enough; look += 1) {
    const unit = await cost(few);
    least = Math.min(least, (await cost(many)) / unit);
  }
  return least;
}
