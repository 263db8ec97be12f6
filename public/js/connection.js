/**
 * Connection keeps one WebSocket to the room open: it notices silence, and comes back by itself.
 *
 * @typedef {object} State
 * @property {"connecting" | "open" | "waiting" | "ended"} name `open` from the server's joined on; `ended` is for good
 * @property {boolean} restart the server said that it restarts
 * @property {boolean} slow it said that we are too fast
 * @property {number} retryAt when the next try comes, Unix milliseconds; 0 = now or never
 *
 * @typedef {object} Parts
 * @property {() => WebSocket} dial its address says what the server is to go on from
 * @property {(loggedOut: boolean) => Promise<void>} before what has to succeed before each try; loggedOut: the server said
 *   that this login has ended
 * @property {(html: string) => void} onFrame
 * @property {(state: State) => void} onState
 * @property {(code: number) => void} onLost an open connection is gone; the code of its close frame, 0 if we gave it up
 * @property {() => number} [random] 0 ≤ x < 1
 */

const CLOSE_POLICY = 1008;
const LOGGED_OUT = "logged out"; // a reason
const TOO_FAST = "too fast"; // another one
const TOO_FAST_MS = 30_000; // so long one stays away then
const SILENCE_MS = 25_000; // without a frame for so long, we ask
const ANSWER_MS = 10_000; // and wait so long for an answer, as for joined after dialling
const FIRST_TRY_MS = 1_000; // the first try after a cut comes within
const MAX_DELAY_MS = 30_000;
const STABLE_MS = 10_000; // a connection that lived so long has lasted
const EARLY_CUTS = 3; // after so many in a row that have not, the delays grow: whoever cuts them has too much to do
const RESTART_TRIES = 5; // after so many, a restart is no longer the reason
const SILENT_MS = [1_400, 1_850]; // after a cut; the last try that comes before the banner does is in here
const RESTART = /^restart retry-within-ms=(\d{1,7})$/;

export class Connection {
  #parts;
  #random;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {State} */
  #state = { name: "waiting", restart: false, slow: false, retryAt: 0 };
  #tries = 0; // since the last connection after which one may come back at once
  #early = 0; // connections in a row that did not last
  #turn = 0; // counts tries, so that a late answer to an earlier one is seen
  #openedAt = 0;
  #cutAt = 0;
  #few = false; // a restart of a server that few are at, so that one try more does no harm
  #loggedOut = false;
  #timer = 0; // the one thing that is waited for: a try, an answer, or silence

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
  }

  get open() {
    return this.#state.name === "open";
  }

  get ended() {
    return this.#state.name === "ended";
  }

  // Actions

  /** Connects now, if it is not connected; asks whether the other end is there, if it is. */
  retryNow() {
    if (this.#state.name === "open") this.#ask();
    else if (this.#state.name === "waiting" && !this.#state.slow) void this.#try();
  }

  /** The server's joined has come: what is sent from now on is answered. */
  joined() {
    this.#openedAt = Date.now();
    this.#enter("open");
    this.#listen();
  }

  /** Gives this connection up and makes a new one, as after a cut. */
  renew() {
    this.#lost(0, "");
  }

  /** Ends for good. */
  end() {
    this.#drop();
    this.#enter("ended");
  }

  /**
   * Returns false when there is no connection to send on.
   * @param {object} command
   */
  send(command) {
    if (!this.open || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  // Internal

  async #try() {
    this.#drop();
    const turn = this.#turn;
    this.#enter("connecting", this.#state.restart);
    try {
      await this.#parts.before(this.#loggedOut);
    } catch {
      if (turn === this.#turn) this.#lost(0, "");
      return;
    }
    if (turn === this.#turn) this.#dial();
  }

  #dial() {
    const socket = this.#parts.dial();
    this.#socket = socket;
    this.#wait(ANSWER_MS, () => this.#lost(0, ""));
    socket.onmessage = (event) => {
      if (this.open) this.#listen();
      this.#parts.onFrame(String(event.data));
    };
    socket.onclose = (event) => this.#lost(event.code, event.reason);
  }

  #listen() {
    this.#wait(SILENCE_MS, () => this.#ask());
  }

  #ask() {
    if (!this.send({ type: "ping" })) return this.#lost(0, "");
    this.#wait(ANSWER_MS, () => this.#lost(0, ""));
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    if (this.#state.name === "ended") return;
    const wasOpen = this.open;
    this.#drop();
    this.#loggedOut = reason === LOGGED_OUT;
    if (wasOpen) this.#early = Date.now() - this.#openedAt >= STABLE_MS ? 0 : this.#early + 1;
    if (this.#loggedOut || (wasOpen && this.#early < EARLY_CUTS)) this.#tries = 0;
    const restart = RESTART.exec(reason);
    if (wasOpen) {
      this.#cutAt = Date.now();
      this.#few = Boolean(restart && Number(restart[1]) <= FIRST_TRY_MS);
      this.#parts.onLost(code);
    }
    if (code === CLOSE_POLICY && reason === TOO_FAST) {
      this.#enter("waiting", false, Date.now() + TOO_FAST_MS, true);
      return this.#wait(TOO_FAST_MS, () => void this.#try());
    }
    if (code === CLOSE_POLICY) return this.#enter("ended");
    const bound = Math.min(MAX_DELAY_MS, FIRST_TRY_MS * 2 ** this.#tries++);
    const delay = this.#inSilence(this.#random() * (restart ? Math.max(FIRST_TRY_MS, Number(restart[1])) : bound));
    const restarting = Boolean(restart) || (this.#state.restart && this.#tries <= RESTART_TRIES);
    this.#enter("waiting", restarting, Date.now() + delay);
    this.#wait(delay, () => void this.#try());
  }

  /**
   * Brings a try forward, once, so that a short restart of a server that few are at is over before it is worth a word.
   * @param {number} delay
   */
  #inSilence(delay) {
    if (!this.#few) return delay;
    const [from, to] = SILENT_MS;
    const last = this.#cutAt + from + this.#random() * (to - from) - Date.now();
    if (delay <= last) return delay;
    this.#few = false;
    return last > 0 ? last : delay;
  }

  /** Lets go of the socket. What it still says is not heard: a closing handshake on a dead network takes minutes. */
  #drop() {
    this.#turn++;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * @param {number} ms
   * @param {() => void} then
   */
  #wait(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  /**
   * @param {State["name"]} name
   * @param {boolean} [restart]
   * @param {number} [retryAt]
   * @param {boolean} [slow]
   */
  #enter(name, restart = false, retryAt = 0, slow = false) {
    this.#state = { name, restart, slow, retryAt };
    this.#parts.onState(this.#state);
  }
}
