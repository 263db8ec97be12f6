const NEAR = 0.9; // of the limit; from there on the characters that are left are counted
const IME_KEY = 229; // what Safari says for the Enter that ends a composition

/** Composer is the form to write with: keys, drafts, the limit, and words about what was refused. */
export class Composer {
  #form;
  #field;
  #button;
  #note;
  #words;
  /** @type {{get(): string, set(text: string): void}} */
  #draft;
  #onText;
  #limit;
  #touch;
  #queued = 0;

  /**
   * @param {object} parts
   * @param {HTMLFormElement} parts.form
   * @param {HTMLTextAreaElement} parts.field
   * @param {HTMLButtonElement} parts.button
   * @param {HTMLElement} parts.note
   * @param {import("./words.js").Words} parts.words
   * @param {import("./local.js").Local} parts.local
   * @param {string} parts.room
   * @param {number} parts.limit characters (code points)
   * @param {() => boolean} parts.touch whether the keyboard is on the screen
   * @param {(text: string) => void} parts.onText
   */
  constructor({ form, field, button, note, words, local, room, limit, touch, onText }) {
    this.#form = form;
    this.#field = field;
    this.#button = button;
    this.#note = note;
    this.#words = words;
    this.#onText = onText;
    this.#limit = limit;
    this.#touch = touch;
    this.#draft = { get: () => local.get(`draft/${room}`), set: (text) => local.set(`draft/${room}`, text) };
    field.value ||= this.#draft.get();
    field.enterKeyHint = touch() ? "enter" : "send";
    this.#listen();
    this.#shape();
    if (note.textContent === "") this.#changed(); // else the server says why it came back
  }

  /** @param {number} limit */
  set limit(limit) {
    if (limit === this.#limit) return;
    this.#limit = limit;
    this.#changed();
  }

  /**
   * Says how many messages wait for the connection.
   * @param {number} n
   */
  set queued(n) {
    if (n === this.#queued) return;
    this.#queued = n;
    this.#changed();
  }

  focus() {
    this.#field.focus();
  }

  /**
   * Says something below the field until the text changes.
   * @param {"error" | "slow" | "queue" | ""} state
   * @param {string} text
   */
  say(state, text) {
    this.#note.textContent = text;
    if (state) this.#note.dataset.state = state;
    else delete this.#note.dataset.state;
  }

  /** What was sent has been taken: it is not too fast any more. */
  calm() {
    if (this.#note.dataset.state === "slow") this.#changed();
  }

  // Internal

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => {
      this.#draft.set(this.#field.value);
      this.#changed();
    });
    // The field keeps the focus, and a phone its keyboard.
    this.#button.addEventListener("mousedown", (event) => event.preventDefault());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === IME_KEY) return;
    const always = event.ctrlKey || event.metaKey;
    if (!always && (event.shiftKey || event.altKey || this.#touch())) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#field.value.trimEnd();
    if (text.trim() === "") return;
    const over = countOf(text) - this.#limit;
    if (over > 0) return this.say("error", this.#words.get("composer.toolong", { n: over }));
    this.#field.value = "";
    this.#draft.set("");
    this.#changed();
    this.#onText(text);
  }

  #changed() {
    const text = this.#field.value;
    const left = this.#limit - countOf(text.trimEnd());
    this.#shape();
    if (left < 0) this.say("error", this.#words.get("composer.toolong", { n: -left }));
    else if (left < this.#limit * (1 - NEAR)) this.say("", this.#words.get("composer.left", { n: left }));
    else if (this.#queued) this.say("queue", this.#words.get("net.queue", { n: this.#queued }));
    else this.say("", "");
  }

  #shape() {
    this.#button.disabled = this.#field.value.trim() === "";
    // For browsers without `field-sizing: content`; the bounds are in the style sheet.
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + this.#field.offsetHeight - this.#field.clientHeight}px`;
  }
}

/**
 * Characters as the server counts them: code points.
 * @param {string} text
 */
function countOf(text) {
  let n = 0;
  for (const _ of text) n++;
  return n;
}
