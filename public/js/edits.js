/**
 * Edits gives a message back into the field to be changed. What was typed on this page is known; other texts are fetched,
 * because a page has only what Markdown made of them.
 */
export class Edits {
  #home;
  #known;
  #onText;
  #onUnknown;

  /**
   * @param {object} parts
   * @param {string} parts.home address of the room
   * @param {(id: string) => string | undefined} parts.known the text, if it was typed on this page
   * @param {(editing: import("./composer.js").Editing) => void} parts.onText the message, to be edited
   * @param {() => void} parts.onUnknown its text could not be had
   */
  constructor({ home, known, onText, onUnknown }) {
    this.#home = home;
    this.#known = known;
    this.#onText = onText;
    this.#onUnknown = onUnknown;
  }

  /** @param {HTMLElement} message */
  async begin(message) {
    const { seq = "", id = "" } = message.dataset;
    const text = this.#known(id) ?? (await this.#read(Number(seq)));
    if (text === undefined) return this.#onUnknown();
    this.#onText({ seq: Number(seq), id, text });
    message.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {number} seq
   * @returns {Promise<string | undefined>}
   */
  async #read(seq) {
    try {
      const answer = await fetch(`${this.#home}/messages.json?after=${seq - 1}&limit=1`);
      const { messages } = await answer.json();
      return messages[0]?.seq === seq ? messages[0].text : undefined;
    } catch {
      return undefined;
    }
  }
}
