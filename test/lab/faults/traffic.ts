// Traffic that has nothing to do with the changes: a ping ten times a second and a TCP connection that says something as often, from a guest
// of a tier that stays, through the router, to a host outside.

import { lab } from "../lab.ts";

export interface Traffic extends AsyncDisposable {
  stop(): Promise<{ sent: number; lost: number; broken: boolean }>;
}

export const OUTSIDE = "2001:db8:1::80";

export function traffic(): Traffic {
  const ping = lab.pinging("web1", OUTSIDE, 0.1);
  const talk = lab.background("web1", ["socat", "-u", `TCP6:[${OUTSIDE}]:7777`, "STDOUT"]);
  let said: Promise<{ sent: number; lost: number; broken: boolean }> | undefined;
  const stop = async () => {
    const broken = await Promise.race([
      talk.ended.then(() => true),
      new Promise<false>((resolve) => setTimeout(resolve, 50, false)),
    ]);
    await talk.stop();
    const { sent, received } = await lab.pinged(ping, 0);
    // The last one may be on its way.
    return { sent, lost: Math.max(0, sent - received - 1), broken };
  };
  const once = () => (said ??= stop());
  return { stop: once, [Symbol.asyncDispose]: async () => void (await once()) };
}

/** Who talks, on the host outside. */
export const talker = () =>
  lab.background("internet", `socat TCP6-LISTEN:7777,fork,reuseaddr SYSTEM:'while echo .; do sleep 0.1; done'`);
