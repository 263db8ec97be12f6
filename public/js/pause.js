const SECOND_MS = 1_000;
const MINUTE_S = 60;

/** Pause counts down how long the server wants one to wait: on the button, and in words for the note below the field. */
export class Pause {
  #label;
  #send; // what the button says otherwise
  #note;
  #words;
  #onTick;
  #until = 0; // Unix milliseconds
  #slowMode = false;
  #timer = 0;

  /**
   * @param {object} parts
   * @param {Element | null} parts.label of the button
   * @param {HTMLElement} parts.note
   * @param {import("./words.js").Words} parts.words
   * @param {() => void} parts.onTick the text has changed
   */
  constructor({ label, note, words, onTick }) {
    this.#label = label;
    this.#send = label?.textContent ?? "";
    this.#note = note;
    this.#words = words;
    this.#onTick = onTick;
  }

  /** What is to be said now, "" when the pause is over. */
  get text() {
    if (!this.#left) return "";
    return this.#words.get(this.#slowMode ? "composer.slowmode" : "composer.slow", { span: this.#clock });
  }

  /**
   * @param {number} until Unix milliseconds
   * @param {boolean} slowMode it is the room's slow mode
   */
  begin(until, slowMode) {
    this.#until = until;
    this.#slowMode = slowMode;
    this.#tick();
    this.#note.setAttribute("aria-live", "off"); // a screen reader hears of it once, not every second
  }

  /** What was sent has been taken: it is not too fast any more. */
  calm() {
    if (this.#slowMode || !this.#left) return;
    this.#until = 0;
    this.#tick();
  }

  // Internal

  #tick() {
    clearTimeout(this.#timer);
    const waits = this.#left > 0;
    if (this.#label) this.#label.textContent = waits ? this.#clock : this.#send;
    if (waits) this.#timer = setTimeout(() => this.#tick(), SECOND_MS);
    else this.#note.removeAttribute("aria-live");
    this.#onTick();
  }

  /** Seconds. */
  get #left() {
    return Math.max(0, Math.ceil((this.#until - Date.now()) / SECOND_MS));
  }

  /** Seconds, or a clock from a minute on. */
  get #clock() {
    const s = this.#left;
    if (s < MINUTE_S) return this.#words.get("composer.wait", { s });
    const parts = [Math.floor(s / MINUTE_S / MINUTE_S), Math.floor(s / MINUTE_S) % MINUTE_S, s % MINUTE_S];
    return parts.map((part) => String(part).padStart(2, "0")).join(":").replace(/^00:/, "");
  }
}
