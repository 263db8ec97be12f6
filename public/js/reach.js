const PATIENCE_MS = 8_000; // for an answer
const FIRST_MS = 1_000;
const MAX_MS = 15_000;

/**
 * Reach waits until the server answers. A form that is sent to a server that is away ends on a page of the browser's,
 * which knows nothing; so it is asked before.
 */
export class Reach {
  #onState;
  #timer = 0;
  #delay = FIRST_MS;
  #turn = 0; // counts askings, so that a late answer to an earlier one is seen

  /** @param {(state: import("./connection.js").State) => void} onState while it waits, and when it need not any more */
  constructor(onState) {
    this.#onState = onState;
  }

  /**
   * Asks now, and again until there is an answer; then calls once. Calling it again begins anew.
   * @param {() => void} once
   */
  async wait(once) {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    const answered = await this.#ask();
    if (turn !== this.#turn) return;
    if (answered) {
      this.#delay = FIRST_MS;
      this.#onState({ name: "open", restart: false, retryAt: 0 });
      return once();
    }
    this.#onState({ name: "waiting", restart: false, retryAt: Date.now() + this.#delay });
    this.#timer = setTimeout(() => void this.wait(once), this.#delay);
    this.#delay = Math.min(MAX_MS, this.#delay * 2);
  }

  async #ask() {
    try {
      await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      return true;
    } catch {
      return false;
    }
  }
}
