const GATHER_MS = 700; // what comes within is read out together
const MAX_READ = 3; // more than so many at once are only counted
const FLOOD_MS = 3_000; // and then nothing is said for so long: a voice needs time
const MAX_CHARS = 300; // of one message; who wants all of it goes to the log

/**
 * Who says what, in one line; an action begins with the name already.
 * @param {HTMLElement} message
 */
export function saidIn(message) {
  const text = message.querySelector(".message__body")?.textContent?.trim() ?? "";
  return "does" in message.dataset ? text : `${message.dataset.name}: ${text}`;
}

/**
 * Announcer tells people who do not see the log what others say, without flooding them: a few messages are read out,
 * many are counted. It is given new messages only, never those of history.
 */
export class Announcer {
  #element;
  #words;
  /** @type {string[]} */
  #waiting = [];
  #timer = 0;
  #flooded = 0; // when many were counted last, Unix milliseconds

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
    const text = saidIn(message);
    this.#waiting.push(text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text);
    const rest = this.#flooded + FLOOD_MS - Date.now();
    this.#timer ||= setTimeout(() => this.#flush(), Math.max(GATHER_MS, rest));
  }

  #flush() {
    this.#timer = 0;
    const texts = this.#waiting;
    this.#waiting = [];
    const many = texts.length > MAX_READ;
    if (many) this.#flooded = Date.now();
    this.#element.textContent = many ? this.#words.get("a11y.more", { n: texts.length }) : texts.join("\n");
  }
}
