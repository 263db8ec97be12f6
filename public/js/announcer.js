const GATHER_MS = 700; // what comes within is read out together
const MAX_READ = 3; // more than so many are only counted

/** Announcer reads new messages out to people who do not see the log, without flooding them. */
export class Announcer {
  #element;
  #words;
  /** @type {string[]} */
  #waiting = [];
  #timer = 0;

  /**
   * @param {HTMLElement} element a live region
   * @param {import("./words.js").Words} words
   */
  constructor(element, words) {
    this.#element = element;
    this.#words = words;
  }

  /** @param {HTMLElement} message */
  read(message) {
    const text = message.querySelector(".message__body")?.textContent?.trim() ?? "";
    this.#waiting.push(`${message.dataset.name}: ${text}`);
    this.#timer ||= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush() {
    this.#timer = 0;
    const more = this.#waiting.length - MAX_READ;
    const texts = this.#waiting.slice(-MAX_READ);
    if (more > 0) texts.push(this.#words.get("a11y.more", { n: more }));
    this.#element.textContent = texts.join("\n");
    this.#waiting = [];
  }
}
