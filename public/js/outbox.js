import { newID } from "./id.js";

/**
 * Outbox holds the messages of one member in one room until the server has them. It outlives the page: what is not done
 * is kept in the browser, one key per message, so that two tabs do not overwrite one another.
 *
 * A message is done when its receipt and its echo have come, in either order. A receipt that says duplicate is about a
 * message stored long ago: its echo comes only if its number is after the last one that this page has. Edits and deletions
 * wait in the same line as messages. A deletion is done with its receipt: another may have been first.
 *
 * @typedef {"send" | "edit" | "delete"} Kind
 *
 * @typedef {object} Entry
 * @property {string} id
 * @property {Kind} kind
 * @property {number} target number of the message that is edited or deleted, else 0
 * @property {string} text
 * @property {number} at Unix milliseconds
 * @property {"queued" | "sent" | "failed"} state
 * @property {boolean} acked
 * @property {boolean} echoed
 * @property {string} problem in words, when it failed
 * @property {string} code of the error, when it failed
 * @property {boolean} [slow] it waits for the room's slow mode: it was refused, so that nobody has it
 *
 * @typedef {object} Parts
 * @property {string} room
 * @property {import("./local.js").Local} local
 * @property {(command: object) => boolean} send false when there is no connection
 * @property {(entry: Entry) => void} onChange the entry is new or another state
 * @property {(entry: Entry) => void} onDone it is in the log, or discarded, or about to be sent once more
 * @property {(id: string, seq: number) => void} onStored it was stored long ago, as seq, and no echo will come
 */

/** @type {Record<Kind, (entry: Entry) => object>} */
const COMMANDS = {
  send: ({ text }) => ({ text }),
  edit: ({ target, text }) => ({ seq: target, text }),
  delete: ({ target }) => ({ seq: target }),
};
const MAX_UNACKNOWLEDGED = 16;
const RETRY_MS = 2_000; // after an error that may pass, when the server did not say when
const CLOSE_TOO_BIG = 1009;
/** Errors after which the same message may succeed later. */
const PASSING = ["unavailable", "too_fast", "too_many", "not_in_room", "slow_mode"];

export class Outbox {
  #parts;
  /** @type {Map<string, Entry>} in the order of sending */
  #entries = new Map();
  #ready = false; // the room has been joined
  #pause = 0; // timer, while the server wants us to wait
  #lastAt = 0;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    for (const key of parts.local.keys(this.#key(""))) this.#restore(key);
  }

  /** How many wait for the server. */
  get waiting() {
    return [...this.#entries.values()].filter((entry) => entry.state !== "failed" && !entry.acked && !entry.echoed).length;
  }

  /**
   * What waits under an id.
   * @param {string} id
   */
  entry(id) {
    return this.#entries.get(id);
  }

  /**
   * The changes of a message that wait.
   * @param {number} seq
   */
  changesOf(seq) {
    return [...this.#entries.values()].filter((entry) => entry.kind !== "send" && entry.target === seq);
  }

  /** Announces everything that an earlier page left. */
  begin() {
    for (const entry of this.#entries.values()) this.#parts.onChange(entry);
  }

  // Actions

  /**
   * @param {string} text
   * @param {Kind} [kind]
   * @param {number} [target]
   * @returns {string} the id
   */
  add(text, kind = "send", target = 0) {
    const at = (this.#lastAt = Math.max(Date.now(), this.#lastAt + 1));
    const id = newID(at);
    this.#enter({ id, kind, target, text, at, state: "queued", acked: false, echoed: false, problem: "", code: "" });
    this.#pump();
    return id;
  }

  /** @param {string} id */
  retry(id) {
    const entry = this.#entries.get(id);
    if (entry?.state !== "failed") return;
    this.#forget(entry);
    const at = (this.#lastAt = Math.max(Date.now(), this.#lastAt + 1));
    const again = entry.code === "id_reused" ? newID(at) : entry.id;
    this.#enter({ ...entry, id: again, at, state: "queued", problem: "", code: "" });
    this.#pump();
  }

  /** @param {string} id */
  discard(id) {
    const entry = this.#entries.get(id);
    if (entry) this.#forget(entry);
  }

  // What the server says

  /** The room is joined: everything that is not done is sent again, in order. */
  joined() {
    this.#ready = true;
    this.#resume();
  }

  /**
   * The connection is gone. The next one brings the receipts that are missing, and new ones for those whose echo is.
   * @param {number} code of the close frame
   */
  lost(code) {
    this.#ready = false;
    clearTimeout(this.#pause);
    this.#pause = 0;
    const flying = [...this.#entries.values()].filter((entry) => entry.state === "sent");
    const longest = flying.reduce((most, entry) => Math.max(most, entry.text.length), 0);
    for (const entry of flying) {
      entry.acked = false;
      // A frame that was too big once will be too big again.
      if (code === CLOSE_TOO_BIG && entry.text.length === longest) this.#fail(entry, "too_long", "");
      else this.#change(entry, "queued");
    }
  }

  /**
   * @param {string} id
   * @param {number} seq
   * @param {boolean} duplicate
   * @param {number} last number that this page has
   */
  acknowledged(id, seq, duplicate, last) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.acked = true;
    if (entry.echoed || entry.kind === "delete") this.#forget(entry);
    else if (duplicate && seq <= last) {
      this.#forget(entry);
      if (entry.kind === "send") this.#parts.onStored(id, seq);
    } else this.#change(entry, "sent");
    this.#pump();
  }

  /**
   * The message with this id is in the log.
   * @param {string} id
   */
  echoed(id) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.echoed = true;
    if (entry.acked) this.#forget(entry);
  }

  /**
   * @param {string} id
   * @param {string} code
   * @param {string} problem in words
   * @param {number} retryAfter milliseconds, 0 = not said
   */
  refused(id, code, problem, retryAfter) {
    const entry = this.#entries.get(id);
    if (!entry || entry.acked) return;
    if (!PASSING.includes(code)) {
      this.#fail(entry, code, problem);
      return this.#pump();
    }
    entry.slow = code === "slow_mode";
    this.#change(entry, "queued");
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#resume(), retryAfter || RETRY_MS);
  }

  /**
   * Another tab is done with the message under this key of the browser's storage.
   * @param {string} key
   */
  removedElsewhere(key) {
    const entry = this.#entries.get(key.slice(this.#key("").length));
    if (entry && key === this.#key(entry.id)) this.#forget(entry);
  }

  // Internal

  /** @param {string} id */
  #key(id) {
    return `outbox/${this.#parts.room}/${id}`;
  }

  /** @param {string} key */
  #restore(key) {
    try {
      const { text, at, code, problem, kind = "send", target = 0 } = JSON.parse(this.#parts.local.get(key));
      const id = key.slice(this.#key("").length);
      if (!/^[\w-]{1,64}$/.test(id) || typeof text !== "string" || typeof at !== "number" || !(kind in COMMANDS)) throw new Error(key);
      const state = code ? "failed" : "queued";
      const rest = { acked: false, echoed: false, problem: problem ?? "", code: code ?? "" };
      this.#entries.set(id, { id, kind, target: Number(target), text, at, state, ...rest });
      this.#lastAt = Math.max(this.#lastAt, at);
    } catch {
      this.#parts.local.set(key, "");
    }
    this.#entries = new Map([...this.#entries].sort(([, a], [, b]) => a.at - b.at));
  }

  #resume() {
    this.#pause = 0;
    this.#pump();
  }

  /** Sends what is queued, in order, as far as the bound on unacknowledged messages allows. */
  #pump() {
    if (!this.#ready || this.#pause) return;
    let flying = 0;
    for (const entry of this.#entries.values()) {
      if (entry.acked || entry.state === "failed") continue;
      if (++flying > MAX_UNACKNOWLEDGED) return;
      if (entry.state === "sent" && !entry.slow) continue;
      if (entry.state === "sent") return; // in slow mode one at a time, or a later one might slip in before it
      if (!this.#parts.send({ type: entry.kind, room: this.#parts.room, id: entry.id, ...COMMANDS[entry.kind](entry) })) return;
      this.#change(entry, "sent");
      if (entry.slow) return;
    }
  }

  /** @param {Entry} entry */
  #enter(entry) {
    this.#entries.set(entry.id, entry);
    this.#save(entry);
    this.#parts.onChange(entry);
  }

  /**
   * @param {Entry} entry
   * @param {Entry["state"]} state
   */
  #change(entry, state) {
    entry.state = state;
    this.#parts.onChange(entry);
  }

  /**
   * @param {Entry} entry
   * @param {string} code
   * @param {string} problem
   */
  #fail(entry, code, problem) {
    entry.code = code;
    entry.problem = problem;
    this.#save(entry);
    this.#change(entry, "failed");
  }

  /** @param {Entry} entry */
  #save({ id, kind, target, text, at, code, problem }) {
    const change = kind === "send" ? {} : { kind, target };
    this.#parts.local.set(this.#key(id), JSON.stringify({ text, at, code, problem, ...change }));
  }

  /** @param {Entry} entry */
  #forget(entry) {
    this.#entries.delete(entry.id);
    this.#parts.local.set(this.#key(entry.id), "");
    this.#parts.onDone(entry);
  }
}
