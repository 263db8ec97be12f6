const MAX_TEXTS = 200; // of messages sent from this page, whose text need not be fetched

/**
 * Edits gives a message back into the field to be changed. What was typed on this page is known; other texts are fetched,
 * because a page has only what Markdown made of them.
 */
export class Edits {
  #list;
  #me;
  #home;
  /** @type {(editing: import("./composer.js").Editing) => void} */
  #onText;
  #onUnknown;
  #fetch;
  /** @type {Map<string, string>} */
  #texts = new Map(); // by id of the message

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {string} parts.me
   * @param {string} parts.home address of the room
   * @param {(editing: import("./composer.js").Editing) => void} parts.onText the message, to be edited
   * @param {() => void} parts.onUnknown its text could not be had
   * @param {typeof fetch} [parts.fetch]
   */
  constructor({ list, me, home, onText, onUnknown, fetch = (...args) => globalThis.fetch(...args) }) {
    this.#list = list;
    this.#me = me;
    this.#home = home;
    this.#onText = onText;
    this.#onUnknown = onUnknown;
    this.#fetch = fetch;
  }

  /**
   * Whether a message may be edited by who reads.
   * @param {HTMLElement} message
   */
  may(message) {
    return message.dataset.member === this.#me && message.dataset.erased === undefined && Boolean(message.dataset.seq);
  }

  /**
   * Remembers what a message says; undefined is not known any more.
   * @param {string} id of the message
   * @param {string | undefined} text
   */
  know(id, text) {
    this.#texts.delete(id);
    if (text !== undefined) this.#texts.set(id, text);
    const [oldest] = this.#texts.keys();
    if (oldest && this.#texts.size > MAX_TEXTS) this.#texts.delete(oldest);
  }

  /** Begins with the last message of who reads, if the page has one. */
  editLast() {
    const own = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll(`.message[data-member="${CSS.escape(this.#me)}"]`)]);
    const last = own.findLast((message) => this.may(message));
    if (last) void this.begin(last);
    return Boolean(last);
  }

  /** @param {HTMLElement} message */
  async begin(message) {
    const { seq = "", id = "" } = message.dataset;
    const text = this.#texts.get(id) ?? (await this.#read(Number(seq), id));
    if (text === undefined) return this.#onUnknown();
    this.#onText({ seq: Number(seq), id, text });
    message.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {number} seq
   * @param {string} id
   * @returns {Promise<string | undefined>}
   */
  async #read(seq, id) {
    try {
      const answer = await this.#fetch(`${this.#home}/messages.json?after=${seq - 1}&limit=1`);
      const { messages } = await answer.json();
      if (messages[0]?.seq !== seq || typeof messages[0].text !== "string") return undefined;
      this.know(id, messages[0].text);
      return messages[0].text;
    } catch {
      return undefined;
    }
  }
}
