import { Composer } from "./composer.js";
import { clone } from "./fragment.js";
import { Hosts } from "./hosts.js";
import { Outbox } from "./outbox.js";
import { Pending } from "./pending.js";

/**
 * @typedef {object} Parts
 * @property {import("./app.js").Elements} elements
 * @property {import("./words.js").Words} words
 * @property {import("./local.js").Local} local
 * @property {import("./pane.js").Pane} pane
 * @property {(command: object) => boolean} send
 * @property {() => void} onSaid the reader has said something, and looks at the end
 */

const MAX_TEXTS = 200;

/** Writing is what the reader says and changes in the room: the field, the messages' actions, and what waits. */
export class Writing {
  #parts;
  #pane;
  #onSaid;
  #list;
  #me;
  #outbox;
  #pending;
  #composer;
  /** @type {Promise<import("./edits.js").Edits> | null} */
  #editing = null;
  /** @type {Map<string, string>} */
  #texts = new Map(); // of what was typed on this page, by id of the message
  #hosts;
  /** @type {Promise<import("./actions.js").Actions> | null} */
  #loaded = null;
  #trouble = false; // the banner says that something is wrong

  /** @param {Parts} parts */
  constructor(parts) {
    const { elements, words, local, pane, send, onSaid } = parts;
    const { list, form, field, button, note } = elements;
    const { room = "", me = "", maxText } = elements.body.dataset;
    this.#parts = parts;
    this.#pane = pane;
    this.#onSaid = onSaid;
    this.#list = list;
    this.#me = me;
    this.#pending = new Pending({ list, template: elements.pending, words, pane });
    const onChange = (/** @type {import("./outbox.js").Entry} */ entry) => {
      if (pane.live || entry.kind !== "send") this.#pending.show(entry);
      this.#count();
    };
    const onDone = (/** @type {import("./outbox.js").Entry} */ entry) => {
      this.#pending.remove(entry);
      this.#count();
    };
    this.#outbox = new Outbox({ room, local, send, onChange, onDone, onStored: (id, seq) => void pane.fetchStored(id, seq) });
    this.#composer = new Composer({
      ...{ form, field, button, note, bar: elements.editBar, words, local, room, limit: Number(maxText) },
      touch: () => matchMedia("(pointer: coarse)").matches,
      onText: (text) => void this.#say(text),
      onEdit: (editing, text) => void this.#edited(editing.seq, text),
      onCommand: (text) => this.#command(text),
      complete: () => this.#completion(),
      onUp: () => pane.live && this.#editLast(),
    });
    this.#hosts = new Hosts(elements, this.#composer, send);
    for (const sign of ["pointerover", "focusin"]) elements.scroller.addEventListener(sign, () => void this.#actions(), { once: true });
    list.addEventListener("click", (event) => this.#click(event));
  }

  focus() {
    this.#composer.focus();
  }

  /** Shows what an earlier page, or the log before a reset, left; what is in the log needs no showing. */
  begin() {
    const own = `[data-seq][data-member="${CSS.escape(this.#me)}"]`;
    for (const message of this.#list.querySelectorAll(own)) this.#outbox.echoed(message.getAttribute("data-id") ?? "");
    this.#outbox.begin();
  }

  /**
   * Another tab is done with what was kept under this key.
   * @param {string} key
   */
  removedElsewhere(key) {
    this.#outbox.removedElsewhere(key);
  }

  /** What waits is counted below the field while the banner says why. @param {boolean} trouble */
  set trouble(trouble) {
    this.#trouble = trouble;
    this.#count();
  }

  /** What one can do with a message is loaded when one comes near to one: until then its buttons are links. */
  #actions() {
    const { list, scroller, messageMenu: menu, confirm } = this.#parts.elements;
    this.#loaded ??= import("./actions.js").then(
      ({ Actions }) =>
        new Actions({
          ...{ list, scroller, menu, confirm },
          mayEdit: (message) => this.#mine(message),
          mayDelete: (message) => this.#mine(message) || this.#hosts.mayDelete(message),
          onEdit: (message) => void this.#edits().then((edits) => edits.begin(message)),
          onDelete: (message) => this.#change("", "delete", Number(message.dataset.seq)),
          onLeave: () => this.#composer.focus(),
          onCopied: () => this.#composer.say("", this.#parts.words.get("msg.copied")),
        }),
    );
    this.#loaded.catch(() => (this.#loaded = null)); // without a connection; until the next time
    return this.#loaded;
  }

  /** @param {HTMLElement} message */
  #mine(message) {
    return message.dataset.member === this.#me && message.dataset.erased === undefined && Boolean(message.dataset.seq);
  }

  #edits() {
    const { elements, words } = this.#parts;
    this.#editing ??= import("./edits.js").then(
      ({ Edits }) =>
        new Edits({
          home: (elements.form.getAttribute("action") ?? "").replace(/\/messages$/, ""),
          known: (id) => this.#texts.get(id),
          onText: (editing) => this.#composer.edit(editing),
          onUnknown: () => this.#composer.say("error", words.get("msg.edit.unknown")),
        }),
    );
    this.#editing.catch(() => (this.#editing = null));
    return this.#editing;
  }

  /**
   * Remembers what a message of the reader's says; undefined is not known any more.
   * @param {string | undefined} id
   * @param {string | undefined} text
   */
  #know(id, text) {
    if (!id) return;
    this.#texts.delete(id);
    if (text !== undefined) this.#texts.set(id, text);
    const [oldest] = this.#texts.keys();
    if (oldest && this.#texts.size > MAX_TEXTS) this.#texts.delete(oldest);
  }

  /** Begins with the last message of who reads, if the page has one. */
  #editLast() {
    const own = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll(".message[data-own]")]);
    const last = own.findLast((message) => this.#mine(message));
    if (last) void this.#edits().then((edits) => edits.begin(last));
    return Boolean(last);
  }

  async #completion() {
    const { elements, words } = this.#parts;
    const { choicesIn, Completion } = await import("./completion.js");
    const { completion: box, completionRow, field } = elements;
    // What is being edited runs no command, whatever it begins with.
    const choices = (/** @type {string} */ sign) => (sign === "/" && this.#composer.editing ? [] : choicesIn(elements, words, sign));
    return new Completion({ field, box, row: () => clone(completionRow), choices });
  }

  /**
   * Does what a text with a slash asks for; nothing of it is sent.
   * @param {string} text
   */
  #command(text) {
    if (this.#hosts.knows(text) || /^\/me +\S/.test(text)) return true;
    const { elements, words, pane } = this.#parts;
    const typed = elements.field.value;
    const onDone = () => elements.field.value === typed && this.#composer.empty();
    void import("./commands.js")
      .then(({ command }) => command(text, { elements, words, pane, onDone }))
      .catch(() => this.#composer.say("error", words.get("cmd.failed")));
    return false;
  }

  // What the server says

  /** @param {import("./fragment.js").Frame} frame that may be about what hosts do; tells whether it was */
  ofHosts({ name, data, text }) {
    return this.#hosts.control(name, data, text);
  }

  /** @param {DOMStringMap} data of a welcome */
  welcome(data) {
    if (data["maxText"]) this.#composer.limit = Number(data["maxText"]);
  }

  joined() {
    void this.#actions(); // after what the first sight needs; and without a connection it could not be loaded
    void this.#edits();
    this.#outbox.joined();
  }

  /** @param {number} code of the close frame */
  lost(code) {
    this.#outbox.lost(code);
  }

  /**
   * A message of the reader is in the log.
   * @param {HTMLElement} message
   */
  shown(message) {
    this.#outbox.echoed(message.dataset.id ?? "");
    for (const entry of this.#outbox.changesOf(Number(message.dataset.seq))) this.#pending.show(entry);
  }

  /**
   * A message was edited or deleted, perhaps by the reader.
   * @param {DOMStringMap} data
   */
  changed(data) {
    const id = data["id"] ?? "";
    const entry = this.#outbox.entry(id);
    this.#know(this.#messageAt(Number(data["target"]))?.dataset.id, entry?.kind === "edit" ? entry.text : undefined);
    this.#outbox.echoed(id);
  }

  /**
   * @param {DOMStringMap} data of a receipt
   * @param {number} last number that the page has
   */
  acknowledged(data, last) {
    this.#outbox.acknowledged(data["id"] ?? "", Number(data["seq"]), data["duplicate"] === "true", last);
    this.#composer.calm();
  }

  /**
   * @param {DOMStringMap} data of an error
   * @param {string} text
   */
  refused(data, text) {
    const { id, code = "", retryAfterMs } = data;
    if (id) this.#outbox.refused(id, code, text, Number(retryAfterMs ?? 0));
    const slow = code === "too_fast" || code === "slow_mode";
    if (slow && Number(retryAfterMs)) void this.#composer.wait(Date.now() + Number(retryAfterMs), code === "slow_mode");
    else if (!id || slow) this.#composer.say(slow ? "slow" : "error", text);
  }

  // What the reader does

  /** @param {string} text */
  async #say(text) {
    if (this.#hosts.takes(text)) return;
    this.#pane.allRead();
    this.#know(this.#outbox.add(text), text);
    await this.#pane.toEnd();
    this.#onSaid();
  }

  /**
   * @param {number} seq of the message
   * @param {string} text "" is a wish to delete it
   */
  async #edited(seq, text) {
    if (text) return this.#change(text, "edit", seq);
    const message = this.#messageAt(seq);
    if (message) (await this.#actions()).askToDelete(message);
  }

  /**
   * @param {string} text
   * @param {"edit" | "delete"} kind
   * @param {number} seq
   */
  #change(text, kind, seq) {
    if (kind === "delete") this.#composer.cancel(seq);
    this.#outbox.add(text, kind, seq);
  }

  /** @param {Event} event */
  #click(event) {
    const button = /** @type {Element} */ (event.target).closest(".message__do");
    const message = /** @type {HTMLElement | null | undefined} */ (button?.closest("[data-id]"));
    const id = message?.dataset.change ?? message?.dataset.id;
    if (!id) return;
    if (button?.getAttribute("data-do") === "retry") this.#outbox.retry(id);
    else this.#outbox.discard(id);
    this.#composer.focus();
  }

  /**
   * @param {number} seq
   * @returns {HTMLElement | null}
   */
  #messageAt(seq) {
    return this.#list.querySelector(`:scope > .message[data-seq="${seq}"]`);
  }

  #count() {
    this.#composer.queued = this.#trouble ? this.#outbox.waiting : 0;
  }
}
