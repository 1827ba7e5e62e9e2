// How the two ends of BGP sessions find each other: every BgpPeer says at its zone what it announces and to whom, and the zone's
// Uplinks read it when the program has nothing left to run.

import type * as pulumi from "@pulumi/pulumi";
import { registry } from "./copies";
import { whenTheProgramIsDone } from "./program";
import { refusal } from "./refusal";

/** The VPC router's end of a session. */
export interface Session {
  /** The BgpPeer. */
  peer: string;
  /** The way to the router, which begins with its name. */
  router: pulumi.Input<string>;
  address: pulumi.Input<string | undefined> | undefined;
  asn: pulumi.Input<number | undefined> | undefined;
  /** Whom it speaks with; undefined: the gateway of the public network. */
  neighbor: pulumi.Input<string> | undefined;
  /** What it announces. */
  prefixes: pulumi.Input<pulumi.Input<string | undefined>[]>;
}

class Sessions {
  readonly closed: Promise<Session[]>;
  /** Whether an Uplink waits for them. */
  wanted: string | undefined;
  private readonly all: Session[] = [];
  private resolve: (sessions: Session[]) => void = () => {};
  private open = true;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.resolve = resolve;
    });
    whenTheProgramIsDone(this);
  }

  add(session: Session): void {
    if (!this.open && this.wanted !== undefined) {
      throw refusal(
        `BgpPeer "${session.peer}" comes too late for Uplink "${this.wanted}", which was told of its neighbours when the program had ` +
          'nothing left to run. Build it earlier, name its router in the Uplink\'s `neighbors`, or use accept: "supernet".',
      );
    }
    this.all.push(session);
  }

  close(): void {
    this.open = false;
    this.resolve([...this.all].sort((a, b) => (a.peer < b.peer ? -1 : 1)));
  }
}

export const sessionsOf = (zone: object): Sessions => registry(zone, "sessions", () => new Sessions());
