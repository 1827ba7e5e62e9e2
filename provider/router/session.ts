/**
 * What is said to one router: transactions, and the questions around them. One connection, opened on first use, kept for what
 * comes next, closed when idle. A transaction whose answer got lost is sent again: it is idempotent, and its nonce tells the
 * program that the same one asks.
 */

import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { ANSWER, CONFIRM_WAIT, FORMAT, PROGRAM, ROUTER_ID, SAYS, TRANSACTION, WARNS } from "../contract";
import { bounds, Interrupted, type Outcome, run } from "./command";
import { type Connection, connect, limits, Refused } from "./connection";
import { printable, RouterError } from "./error";
import { type Answer, checkId, decode, encode, parseAnswer } from "./payload";
import { commands, program } from "./program";
import type { Change, Difference, Observation, Report, RouterAddress } from "./types";

/** How long (ms) an unused connection is kept, and how many such: of a thousand routers not a thousand. */
export const idle = { close: 20_000, most: 64 };

/** Whose connections are unused, the longest first. */
const resting = new Set<Session>();

/** How long a router waits for the confirmation of a change that may have cut us off, in seconds. */
export const confirmation = { seconds: CONFIRM_WAIT };

/** What others who want the router are told is at work there. */
let holder = "";
/** What is said of a router: progress, which is gone when something else is said, or a warning, which stays. */
export type Listener = (router: RouterAddress, text: string, isWarning: boolean) => void;
let listener: Listener | undefined;

export function setHolder(text: string): void {
  holder = text;
}

export function onProgress(given: Listener | undefined): void {
  listener = given;
}

/** Of one router in a run. */
const MOST_WARNINGS = 20;

/** A judgement on a transaction, before it is known whose fault it is. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(answer.why);
    this.answer = answer;
  }
}

export class Session {
  private readonly router: RouterAddress;
  private connection: Promise<Connection> | undefined;
  private closing: NodeJS.Timeout | undefined;
  private users = 0;
  private readonly warnings = new Set<string>();

  constructor(router: RouterAddress) {
    this.router = router;
  }

  /**
   * All of `changes` or none; `yields` may stand back for them. Throws Refusal when the router said no, RouterError when it could not be
   * asked.
   */
  async converge(changes: readonly Change[], yields: readonly string[] = []): Promise<Report> {
    const who = holder ? `${holder} (${person()})` : person();
    const payload = encode(changes, who, randomBytes(8).toString("hex"), { confirm: confirmation.seconds, yields });
    const answer = await this.ask(commands.converge(this.router.user, program().hash), payload);
    if (answer.verdict === "unconfirmed") return await this.confirm(answer);
    if (answer.verdict !== "ok" || !isNumber(answer.words[0])) throw new Refusal(answer);
    return {
      generation: Number(answer.words[0]),
      changed: answer.changed,
      confirmed: answer.words[1] === "nothing" ? "nothing to do" : "same connection",
    };
  }

  async observe(): Promise<Observation> {
    const ask = () => this.command(commands.observe(this.router.user), "", 64 << 20);
    let outcome = await ask();
    if (isMissing(outcome)) return { fragments: new Map(), made: new Map(), drift: new Map() };
    const broken = isSilent(outcome);
    // Not whole, or from before it could be asked this.
    if (broken || (outcome.code === 2 && /^usage: /m.test(outcome.stderr))) {
      await this.install();
      outcome = await ask();
    }
    const answer = parseAnswer(outcome.stdout);
    if (answer) throw new Refusal(answer);
    if (outcome.code !== 0) throw this.unexpected(outcome);
    try {
      const seen = decode(outcome.stdout);
      return broken ? withDifference(seen, { service: "program", text: `${PROGRAM} was broken` }) : seen;
    } catch (error) {
      throw this.error("it did not tell what is on it", (error as Error).message, "", false);
    }
  }

  /**
   * Nothing to do where neither the program is, nor anything that it has made. False: nothing was done, as another Router is there in
   * its place.
   */
  async uninstall(id: string, made?: string): Promise<boolean> {
    checkId(id);
    const ask = () => this.command(commands.uninstall(this.router.user, id, made), "");
    let outcome = await ask();
    if (isMissing(outcome)) {
      if ((await this.command(commands.remains(this.router.user), "")).code !== 0) return true;
    }
    if (isMissing(outcome) || isSilent(outcome)) {
      await this.install();
      outcome = await ask();
    }
    const answer = parseAnswer(outcome.stdout);
    if (!answer) throw this.unexpected(outcome);
    if (answer.verdict !== "ok") throw new Refusal(answer);
    return answer.words[1] !== "former";
  }

  /** The answer to a transaction, with the program brought up to date where it is not. */
  private async ask(command: string, payload: string): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.command(command, payload);
      const answer = parseAnswer(outcome.stdout);
      if (answer && answer.verdict !== "outdated") return answer;
      if (answer && Number(answer.words[1]) > FORMAT) {
        return {
          ...answer,
          verdict: "later",
          why: `its program has format ${answer.words[1]}, this vpc6 knows ${FORMAT}`,
        };
      }
      if (!answer && !isMissing(outcome) && !(attempt === 1 && isSilent(outcome))) throw this.unexpected(outcome);
      if (attempt >= 3)
        throw this.error("the program could not be installed: something replaces it", outcome.stderr, "", false);
      await this.install();
    }
  }

  private async install(): Promise<void> {
    const outcome = await this.command(commands.install(this.router.user), program().text);
    if (outcome.code === 0) return;
    const full = /no space left|quota/i.test(outcome.stderr);
    throw this.error(
      "the vpc6 program could not be installed below /usr/local/lib",
      outcome.stderr || ended(outcome),
      full ? "Make room on the disk." : sudoRemedy(this.router, outcome.stderr),
      false,
    );
  }

  /** A change that may have cut us off stays only when a fresh connection gets in. */
  private async confirm(answer: Answer): Promise<Report> {
    if (!isNumber(answer.words[0])) throw new Refusal(answer);
    const generation = Number(answer.words[0]);
    // What we asked for, or what is left of it; never longer.
    const seconds = isNumber(answer.words[1]) ? Math.min(Number(answer.words[1]), confirmation.seconds) : 0;
    const until = Date.now() + seconds * 1000;
    let why: unknown;
    while (Date.now() < until) {
      let fresh: Connection | undefined;
      try {
        fresh = await connect(this.router, { urgent: true });
        const outcome = await run(fresh, commands.confirm(this.router.user, generation));
        const said = parseAnswer(outcome.stdout);
        if (said?.verdict === "ok" && said.words[0] === answer.words[0]) {
          await this.replace(fresh);
          return { generation, changed: answer.changed, confirmed: "fresh connection" };
        }
        fresh.close();
        why = new Error(said?.why || outcome.stderr || ended(outcome));
        break;
      } catch (error) {
        fresh?.close();
        if (why === undefined)
          listener?.(this.router, "no new SSH connection gets in: the router will undo the change", false);
        why = error;
        await pause(error instanceof Refused ? Math.min(limits.refused, until - Date.now()) : 500);
      }
    }
    throw await this.undone(generation, seconds, until, why);
  }

  /** After the router's own deadline: did it put everything back? */
  private async undone(generation: number, seconds: number, until: number, why: unknown): Promise<Error> {
    this.drop();
    await pause(Math.max(0, until + 2_000 - Date.now()));
    const reason = why instanceof Error ? why.message.replace(/^router [^\n]*?: /, "") : String(why);
    let back = false;
    for (let attempt = 0; attempt < 3 && !back; attempt++) {
      try {
        const said = parseAnswer((await this.command(commands.confirm(this.router.user, generation), "")).stdout);
        back = said?.verdict === "refused";
        if (said?.verdict === "ok") break;
      } catch (error) {
        if (attempt < 2) await pause(error instanceof Refused ? limits.refused : 2_000);
      }
    }
    return new Refusal({
      verdict: "cut off",
      words: [],
      touched: !back,
      changed: [],
      yields: [],
      why: back
        ? `no new SSH connection got in after the change, so the router put everything back after ${seconds} s\n${reason}`
        : `no new SSH connection got in after the change, nor after the ${seconds} s when the router should have undone it\n${reason}`,
    });
  }

  private async replace(fresh: Connection): Promise<void> {
    const old = await this.connection?.catch(() => undefined);
    old?.close();
    this.connection = Promise.resolve(fresh);
    // It has its own time to be closed after: that of the old one may be over.
    this.wake();
    if (this.users === 0) this.rest();
  }

  /** Runs a command; a connection that breaks is opened again, once. */
  private async command(command: string, input: string, output = bounds.output): Promise<Outcome> {
    this.users++;
    this.wake();
    try {
      for (let attempt = 1; ; attempt++) {
        const connection = await this.link();
        try {
          return await run(connection, command, { input, output, onLine: (line) => this.heard(line) });
        } catch (error) {
          this.drop();
          if (!(error instanceof Interrupted)) throw error;
          if (attempt >= 3 || error.last) {
            throw this.error(
              error.last ? "it did not come to an end" : "the connection broke each time",
              error.message,
              error.sent ? "It is not known how far it got: run again, or look at it with `pulumi refresh`." : "",
              error.sent,
            );
          }
        }
      }
    } finally {
      if (--this.users === 0) this.rest();
    }
  }

  private link(): Promise<Connection> {
    this.connection ??= connect(this.router, { say: (text) => listener?.(this.router, text, false) });
    const opening = this.connection;
    return opening.then(
      (connection) => {
        if (!connection.broken) return connection;
        if (this.connection === opening) this.connection = undefined;
        return this.link();
      },
      (error) => {
        if (this.connection === opening) this.connection = undefined;
        throw error;
      },
    );
  }

  close(): void {
    this.wake();
    this.drop();
  }

  private rest(): void {
    this.closing = setTimeout(() => this.close(), idle.close);
    this.closing.unref();
    resting.add(this);
    const [longest] = resting;
    if (resting.size > idle.most) longest?.close();
  }

  private wake(): void {
    clearTimeout(this.closing);
    resting.delete(this);
  }

  private drop(): void {
    const old = this.connection;
    this.connection = undefined;
    old?.then(
      (connection) => connection.close(),
      () => {},
    );
  }

  private heard(line: string): void {
    if (line.startsWith(WARNS)) this.warned(printable(line.slice(WARNS.length, 400)));
    else if (line.startsWith(SAYS)) listener?.(this.router, printable(line.slice(SAYS.length, 300)), false);
  }

  /** Once a run: each transaction may say it again. */
  private warned(text: string): void {
    if (this.warnings.has(text)) return;
    // Who answers for a router could say another one each time.
    if (this.warnings.size < MOST_WARNINGS) listener?.(this.router, text, true);
    this.warnings.add(text);
  }

  private error(what: string, why: string, remedy: string, touched: boolean): RouterError {
    return new RouterError(this.router, { what, why, remedy, touched });
  }

  private unexpected(outcome: Outcome): RouterError {
    if (/^sudo: /m.test(outcome.stderr) || /sudo: (command )?not found/.test(outcome.stderr)) {
      return this.error(
        `${this.router.user} cannot become root with sudo -n`,
        outcome.stderr,
        sudoRemedy(this.router, outcome.stderr),
        false,
      );
    }
    return this.error(
      "its program ended without an answer",
      outcome.stderr || outcome.stdout || ended(outcome),
      "",
      true,
    );
  }
}

const isNumber = (word: string | undefined): boolean => /^\d{1,15}$/.test(word ?? "");

/** Not installed: the shell, or sudo, did not find the program. */
function isMissing({ code, stderr }: Outcome): boolean {
  if (/sudo: (command )?not found/.test(stderr)) return false;
  return (
    code === 127 || code === 126 || (code === 1 && /^sudo: .*vpc6.*: (command not found|No such file)/m.test(stderr))
  );
}

/**
 * It said not a word that the program says, and was not ended by another: there is no whole program (a disk that was cut off leaves an
 * empty one, or half of it). It was at nothing then, and what it is asked again is done once only.
 */
function isSilent({ code, signal, stdout, stderr }: Outcome): boolean {
  if (code === undefined || signal !== undefined || /\bsudo: |^usage: /m.test(stderr)) return false;
  return ![stdout, stderr].some((text) => text.split("\n").some((line) => isSaid(line)));
}
const isSaid = (line: string): boolean => line === ANSWER || line === TRANSACTION || line.startsWith(SAYS);

/** With something more that is told to the Router. */
function withDifference(seen: Observation, what: Difference): Observation {
  const { fragments, drift } = seen;
  const router = [...fragments.keys()].find((id) => id.startsWith(ROUTER_ID));
  return router ? { ...seen, drift: new Map([...drift, [router, [...(drift.get(router) ?? []), what]]]) } : seen;
}

function sudoRemedy(router: RouterAddress, stderr: string): string {
  if (/sudo: (command )?not found/.test(stderr)) return `Install sudo there, or log in as root.`;
  if (!/^sudo: /m.test(stderr) && !/not allowed/.test(stderr)) return "";
  return `On the router: echo '${router.user} ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/vpc6, or log in as root.`;
}

function ended({ code, signal }: Outcome): string {
  return signal ? `ended by signal ${signal}` : `exit code ${code ?? "none"}`;
}

function person(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user id that has no name, as in containers.
    return `someone@${hostname()}`;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
