// What the campaign changes on a cloud uplink router: an Uplink that comes, takes another VPC router in and other prefixes from it, and goes.

import { uplink } from "../../../provider/kinds/uplink";
import type { Change, RouterAddress } from "../../../provider/router/index";
import { writeWay } from "../../../provider/way";
import { adding, type Ground, PUBLIC, SUPER } from "./scenes";

const ADDRESS = "2001:db8:ffff::2";

export const uplinkGround = (address: RouterAddress): Ground => ({
  host: "edge",
  async changes(scene) {
    const found = new Map<string, Change>();
    if (scene === "nothing" || scene === "base") return found;
    const { name, ...hop } = address;
    const session = (router: string, asn: number, own: string, prefixes: string[]) => ({
      peer: router,
      router: writeWay({ ...address, name: router }),
      address: own,
      asn,
      neighbor: ADDRESS,
      prefixes,
    });
    await adding(found)(uplink, {
      ...hop,
      name,
      asn: 65000,
      address: ADDRESS,
      announceDefault: scene === "other",
      timers: { keepalive: scene === "other" ? 9 : 10, hold: 30, connect: 5 },
      sessions: [
        session("vr1", 4200000000, "2001:db8:ffff::10", ["2001:67c:2834::/60"]),
        ...(scene === "other" ? [session("vr2", 4200000001, "2001:db8:ffff::11", ["2001:67c:2834:10::/60"])] : []),
      ],
      zone: { superCidr: SUPER, publicNetwork: PUBLIC },
    });
    return found;
  },
});
