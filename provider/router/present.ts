/**
 * What one run knows of who is on a router: who has asked there, or is there and asks for nothing else; and who stands back meanwhile for
 * one that has asked. Who is neither may stand back: it is yet to ask for something else, or it is in the program no more.
 */
export class Present {
  readonly #there = new Set<string>();
  readonly #back = new Set<string>();
  readonly #read = new Set<string>();

  /** It has asked, or asks for nothing else than it has. */
  enter(id: string): void {
    this.#there.add(id);
    this.#back.delete(id);
  }

  leave(id: string): void {
    this.#there.delete(id);
    this.#back.delete(id);
  }

  mayStandBack(id: string): boolean {
    return !this.#there.has(id);
  }

  stoodBack(ids: readonly string[]): void {
    for (const id of ids) this.#back.add(id);
  }

  /** A refresh asked for it: it is in the state. */
  read(id: string): void {
    this.#read.add(id);
  }

  isKnown(id: string): boolean {
    return this.#there.has(id) || this.#back.has(id) || this.#read.has(id);
  }

  standsBack(id: string): boolean {
    return this.#back.has(id);
  }
}
