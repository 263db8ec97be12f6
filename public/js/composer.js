const NEAR = 0.9; // of the limit; from there on the characters that are left are counted
const IME_KEY = 229; // what Safari says for the Enter that ends a composition

/**
 * Composer is the form to write with: keys, drafts, the limit, and words about what was refused. A message that is there may
 * be put into it to be edited; the draft of a new one waits meanwhile.
 *
 * @typedef {object} Editing
 * @property {number} seq
 * @property {string} id of the message
 * @property {string} text as it was
 */
export class Composer {
  #form;
  #field;
  #button;
  #note;
  #words;
  /** @type {{get(): string, set(text: string): void}} */
  #draft;
  #onText;
  #onEdit;
  #onUp;
  #onCommand;
  #complete;
  /** @type {import("./completion.js").Completion | null} */
  #completion = null;
  /** @type {import("./pause.js").Pause | null} */
  #pause = null; // that the server wants, once it has
  #bar;
  #limit;
  #touch;
  #queued = 0;
  /** @type {Editing | null} */
  #editing = null;
  /** @type {{get(): string, set(text: string): void}} */
  #unfinished; // the edit that has begun

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
   * @param {HTMLElement} parts.bar what says that a message is being edited
   * @param {(text: string) => void} parts.onText
   * @param {(editing: Editing, text: string) => void} parts.onEdit the text is "" when nothing is left of it
   * @param {(text: string) => boolean} parts.onCommand a text that begins with a slash; whether it is none of ours
   * @param {() => Promise<import("./completion.js").Completion>} parts.complete
   * @param {() => boolean} parts.onUp the key in an empty field; whether something came of it
   */
  constructor({ form, field, button, note, bar, words, local, room, limit, touch, onText, onEdit, onCommand, complete, onUp }) {
    this.#form = form;
    this.#field = field;
    this.#button = button;
    this.#note = note;
    this.#words = words;
    this.#onText = onText;
    this.#onEdit = onEdit;
    this.#onUp = onUp;
    this.#onCommand = onCommand;
    this.#complete = complete;
    this.#bar = bar;
    this.#limit = limit;
    this.#touch = touch;
    this.#draft = { get: () => local.get(`draft/${room}`), set: (text) => local.set(`draft/${room}`, text) };
    this.#unfinished = { get: () => local.get(`edit/${room}`), set: (text) => local.set(`edit/${room}`, text) };
    field.value ||= this.#draft.get();
    field.enterKeyHint = touch() ? "enter" : "send";
    this.#listen();
    this.#shape();
    if (note.textContent === "") this.#changed(); // else the server says why it came back
    this.#resume();
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

  /** What is in the field. */
  get text() {
    return this.#field.value;
  }

  /** Whether a message that is there is being edited. */
  get editing() {
    return this.#editing !== null;
  }

  focus() {
    // Chromium gives the focus back to a field when a dialog closes, but not the caret: it takes no letters then.
    if (this.#field.matches(":focus")) this.#field.blur();
    this.#field.focus();
  }

  /**
   * Puts back what was not taken, unless something else has been typed since.
   * @param {string} text
   */
  restore(text) {
    if (this.#field.value !== "") return;
    this.#fill(text);
    this.#draft.set(text);
  }

  /**
   * Puts a message into the field.
   * @param {Editing} editing
   * @param {string} [text] what has become of it so far
   */
  edit(editing, text = editing.text) {
    this.#editing = editing;
    this.#fill(text);
    this.#bar.hidden = false;
    this.#keep();
    this.focus();
  }

  /**
   * Gives up what is being edited, and tells whether there was anything.
   * @param {number} [seq] only if it is this message
   */
  cancel(seq = this.#editing?.seq) {
    if (!this.#editing || seq !== this.#editing.seq) return false;
    this.#editing = null;
    this.#unfinished.set("");
    this.#bar.hidden = true;
    this.#fill(this.#draft.get());
    return true;
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

  /** What was typed is done with. */
  empty() {
    this.#draft.set("");
    this.#fill("");
  }

  /**
   * The server wants a pause: it is counted down, and nothing that was typed is lost.
   * @param {number} until Unix milliseconds
   * @param {boolean} slowMode it is the room's slow mode
   */
  async wait(until, slowMode) {
    const { Pause } = await import("./pause.js");
    const onTick = () => this.#note.dataset.state !== "error" && this.#changed();
    const label = this.#button.querySelector(".composer__label");
    this.#pause ??= new Pause({ label, note: this.#note, words: this.#words, onTick });
    this.#pause.begin(until, slowMode);
  }

  /** What was sent has been taken. */
  calm() {
    this.#pause?.calm();
  }

  // Internal

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => {
      this.#keep();
      this.#changed();
      void this.#offer();
    });
    this.#bar.querySelector("button")?.addEventListener("click", () => {
      this.cancel();
      this.focus();
    });
    // The field keeps the focus, and a phone its keyboard.
    this.#button.addEventListener("mousedown", (event) => event.preventDefault());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === IME_KEY) return;
    if (this.#completion?.key(event)) return event.preventDefault();
    if (event.key === "Escape" && this.cancel()) event.preventDefault();
    const bare = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (event.key === "ArrowUp" && bare && this.#field.value === "" && this.#onUp()) event.preventDefault();
    if (event.key !== "Enter") return;
    const always = event.ctrlKey || event.metaKey;
    if (!always && (event.shiftKey || event.altKey || this.#touch())) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#field.value.trimEnd();
    const editing = this.#editing;
    if (text.trim() === "") return void (editing && this.#onEdit(editing, ""));
    const over = countOf(text) - this.#limit;
    if (over > 0) return this.say("error", this.#words.get("composer.toolong", { n: over }));
    if (editing) {
      this.cancel();
      return void (text !== editing.text && this.#onEdit(editing, text));
    }
    if (text.startsWith("/") && !text.startsWith("//") && !this.#onCommand(text)) return;
    this.empty();
    this.#onText(text.startsWith("//") ? text.slice(1).replace(/^(?=\/me )/, " ") : text);
  }

  /** Suggests, from the first sign on that asks for it. */
  async #offer() {
    if (!this.#completion && !/[@#/]/.test(this.#field.value)) return;
    this.#completion ??= await this.#complete().catch(() => null); // not to be had now
    this.#completion?.update();
  }

  /** @param {string} text */
  #fill(text) {
    this.#field.value = text;
    this.#field.setSelectionRange(text.length, text.length);
    this.#changed();
  }

  /** Keeps what is in the field. */
  #keep() {
    if (this.#editing) this.#unfinished.set(JSON.stringify({ ...this.#editing, now: this.#field.value }));
    else this.#draft.set(this.#field.value);
  }

  /** Goes on with an edit that an earlier page has left. */
  #resume() {
    try {
      const { seq, id, text, now } = JSON.parse(this.#unfinished.get());
      if (typeof seq === "number" && typeof text === "string" && typeof now === "string") this.edit({ seq, id, text }, now);
    } catch {
      this.#unfinished.set("");
    }
  }

  #changed() {
    const text = this.#field.value;
    const left = this.#limit - countOf(text.trimEnd());
    this.#shape(left < 0);
    if (left < 0) this.say("error", this.#words.get("composer.toolong", { n: -left }));
    else if (left < this.#limit * (1 - NEAR)) this.say("", this.#words.get("composer.left", { n: left }));
    else if (this.#pause?.text) this.say("slow", this.#pause.text);
    else if (this.#queued) this.say("queue", this.#words.get("net.queue", { n: this.#queued }));
    else this.say("", "");
  }

  /** @param {boolean} [over] it is too long to be sent */
  #shape(over = false) {
    this.#button.disabled = over || (this.#field.value.trim() === "" && !this.#editing);
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
