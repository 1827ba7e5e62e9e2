/**
 * One command on a connection: text in, text out, nothing unbounded. A command has ended when its channel is closed; one that
 * ended without an exit code (a signal) has failed.
 */

import type { ClientChannel } from "ssh2";
import type { Connection } from "./connection";

export const bounds = {
  /** Until the server opens a channel for the command. */
  channel: 15_000,
  /** Without a sign of life: the program says something at least every ten seconds. */
  silence: 60_000,
  /** In all; packages may have to be installed over a slow line. */
  total: 15 * 60_000,
  /** Bytes that it may print, on stderr too. */
  output: 1 << 20,
  /** Lines of progress that are passed on. */
  lines: 1_000,
};

export interface Outcome {
  code: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
}

/** The command has no outcome that we know of. `sent`: it may have run, or be running still. */
export class Interrupted extends Error {
  readonly sent: boolean;
  /** It would be no better the next time. */
  readonly last: boolean;
  constructor(why: string, sent: boolean, last = false) {
    super(why);
    this.sent = sent;
    this.last = last;
  }
}

export interface Options {
  input?: string;
  output?: number;
  /** For each complete line on stderr. */
  onLine?: (line: string) => void;
}

export function run(connection: Connection, command: string, options: Options = {}): Promise<Outcome> {
  connection.hold();
  return attempt(connection, command, options).finally(() => connection.release());
}

function attempt(
  connection: Connection,
  command: string,
  { input = "", output = bounds.output, onLine }: Options,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    if (connection.broken) return reject(new Interrupted(connection.broken.message, false));
    let channel: ClientChannel | undefined;
    let settled = false;
    const timers: NodeJS.Timeout[] = [];
    let deaf = () => {};
    const settle = (end: () => void) => {
      if (settled) return;
      settled = true;
      deaf();
      for (const timer of timers) clearTimeout(timer);
      end();
    };
    const abandon = (why: string, last = false) =>
      settle(() => {
        // Half a conversation is of no use to the next command: the whole connection goes.
        channel?.destroy();
        connection.close();
        reject(new Interrupted(why, channel !== undefined, last));
      });

    deaf = connection.onBroken((why) => abandon(why.message));
    timers.push(
      setTimeout(() => abandon(`the server opens no channel within ${bounds.channel / 1000} s`), bounds.channel),
    );
    connection.client.exec(command, (error, opened) => {
      if (error) {
        return settle(() => {
          // Refused by the server (MaxSessions, a forced command): it did not run.
          connection.close();
          reject(new Interrupted(error.message, false));
        });
      }
      if (settled) return opened.destroy();
      channel = opened;
      for (const timer of timers) clearTimeout(timer);
      const silence = setTimeout(() => abandon(`no sign of life for ${bounds.silence / 1000} s`), bounds.silence);
      timers.push(silence);
      timers.push(setTimeout(() => abandon(`not done after ${bounds.total / 60_000} min`, true), bounds.total));

      const kept = { stdout: new Kept(output), stderr: new Kept(1 << 16) };
      let line = "";
      let heard = 0;
      let code: number | undefined;
      let signal: string | undefined;
      opened.on("data", (data: Buffer) => {
        silence.refresh();
        if (!kept.stdout.add(data)) abandon(`it printed more than ${output} bytes`, true);
      });
      opened.stderr.on("data", (data: Buffer) => {
        silence.refresh();
        kept.stderr.add(data);
        if (kept.stderr.size > bounds.output) abandon(`it printed more than ${bounds.output} bytes of errors`, true);
        if (!onLine) return;
        const lines = (line + data.toString("utf8")).split("\n");
        line = (lines.pop() ?? "").slice(0, 1000);
        for (const complete of lines) if (heard++ < bounds.lines) onLine(complete);
      });
      // Writing to a command that has ended is no news: its outcome is.
      opened.on("error", () => {});
      opened.on("exit", (exit: number | null, name?: string) => {
        code = exit ?? undefined;
        signal = name;
      });
      opened.on("close", () =>
        settle(() => {
          if (code === undefined && signal === undefined && connection.broken) {
            return reject(new Interrupted(connection.broken.message, true));
          }
          resolve({ code, signal, stdout: kept.stdout.text(), stderr: kept.stderr.text() });
        }),
      );
      opened.end(input);
    });
  });
}

/** The beginning of a stream, bounded. */
class Kept {
  private readonly parts: Buffer[] = [];
  size = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** False when it is too much. */
  add(data: Buffer): boolean {
    if (this.size < this.limit) this.parts.push(data.subarray(0, this.limit - this.size));
    this.size += data.length;
    return this.size <= this.limit;
  }

  text(): string {
    return Buffer.concat(this.parts).toString("utf8");
  }
}
