const MAX_ROWS = 8;
/** What hosts may type besides. */
const HOSTS = ["kick", "mute", "unmute", "ban", "unban", "slow", "close", "open"];

/**
 * @typedef {object} Choice
 * @property {string} text what is written
 * @property {string} hint what stands beside it
 */

/**
 * Completion offers what could be meant while one types: @ somebody, # a room, / a command at the beginning. Arrows
 * choose, Enter and Tab take, Escape goes on without; Tab takes the first name that begins as the word does.
 */
export class Completion {
  #field;
  #box;
  #row;
  #choices;
  /** @type {{from: number, found: Choice[], at: number, sign: string} | null} */
  #open = null;

  /**
   * @param {object} parts
   * @param {HTMLTextAreaElement} parts.field
   * @param {HTMLElement} parts.box the list
   * @param {() => HTMLElement} parts.row makes an empty row
   * @param {(sign: string) => Choice[]} parts.choices all there are, the likeliest first
   */
  constructor({ field, box, row, choices }) {
    this.#field = field;
    this.#box = box;
    this.#row = row;
    this.#choices = choices;
    box.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    box.addEventListener("click", (event) => this.#clicked(/** @type {Element} */ (event.target)));
    field.addEventListener("blur", () => this.close());
  }

  /** The text has changed. */
  update() {
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    const [, lead = "", sign = "", typed = ""] = /(^|[\s(«"])([@#/])([^\n@#/]{0,40})$/u.exec(before) ?? [];
    const from = before.length - typed.length;
    if (!sign || (sign === "/" && from !== 1) || (lead === "" && from > 1)) return this.close();
    const found = this.#matching(sign, typed);
    if (found.length === 0 || (found.length === 1 && found[0]?.text === typed)) return this.close();
    this.#open = { from, found, at: 0, sign };
    this.#show();
  }

  close() {
    this.#open = null;
    this.#box.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
  }

  /**
   * Whether the key was for the list.
   * @param {KeyboardEvent} event
   */
  key({ key, shiftKey, ctrlKey, metaKey, altKey }) {
    if (ctrlKey || metaKey || altKey) return false;
    if (!this.#open) return key === "Tab" && !shiftKey && this.#bare();
    const { found, at } = this.#open;
    if (key === "Escape") this.close();
    else if ((key === "Enter" || key === "Tab") && !shiftKey) this.#take(at);
    else if (key === "ArrowDown" || key === "ArrowUp") {
      this.#open.at = (at + (key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
      this.#show();
    } else return false;
    return true;
  }

  // Internal

  /**
   * @param {string} sign
   * @param {string} typed
   */
  #matching(sign, typed) {
    const start = fold(typed);
    return this.#choices(sign).filter(({ text }) => fold(text).startsWith(start)).slice(0, MAX_ROWS);
  }

  /** Tab after the beginning of a name, without a sign. */
  #bare() {
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    const word = /(?:^|\s)([^\s@#/]{2,})$/u.exec(before)?.[1];
    const [first] = word ? this.#matching("@", word) : [];
    if (!word || !first) return false;
    this.#insert(before.length - word.length, `@${first.text} `);
    return true;
  }

  #show() {
    if (!this.#open) return;
    const { found, at, sign } = this.#open;
    const rows = found.map(({ text, hint }, i) => {
      const row = this.#row();
      row.id = `completion-${i}`;
      row.setAttribute("aria-selected", String(i === at));
      const [name, beside] = row.children;
      if (name) name.textContent = (sign === "@" ? "" : sign) + text;
      if (beside) beside.textContent = hint;
      return row;
    });
    this.#box.replaceChildren(...rows);
    this.#box.hidden = false;
    this.#box.children[at]?.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", `completion-${at}`);
  }

  /** @param {Element} target */
  #clicked(target) {
    const at = [...this.#box.children].indexOf(/** @type {Element} */ (target.closest("li")));
    if (at >= 0) this.#take(at);
  }

  /** @param {number} at */
  #take(at) {
    const choice = this.#open?.found[at];
    if (this.#open && choice) this.#insert(this.#open.from, `${choice.text} `);
  }

  /**
   * @param {number} from
   * @param {string} text
   */
  #insert(from, text) {
    this.#field.setRangeText(text, from, this.#field.selectionStart, "end");
    this.#field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    this.close();
  }
}

/**
 * What could be meant after a sign in a room: who spoke last comes first.
 * @param {import("./app.js").Elements} elements
 * @param {import("./words.js").Words} words
 * @param {string} sign
 * @returns {Choice[]}
 */
export function choicesIn({ body, list, people }, words, sign) {
  if (sign === "/") {
    const hints = {
      ...{ help: words.get("cmd.help"), me: words.get("cmd.me"), who: words.get("cmd.who") },
      ...{ nick: words.get("cmd.nick"), join: words.get("cmd.join"), leave: words.get("cmd.leave") },
    };
    const more = body.dataset.role ? HOSTS : [];
    return [...Object.entries(hints), ...more.map((name) => [name, words.get(`host.${name}`)])].map(([text = "", hint = ""]) => ({ text, hint }));
  }
  if (sign === "#") {
    const rows = /** @type {HTMLElement[]} */ ([...body.querySelectorAll(".room-row")]);
    return rows.map((row) => ({ text: row.dataset.room ?? "", hint: row.querySelector(".room-row__name")?.textContent ?? "" }));
  }
  const others = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".message[data-seq]:not([data-own])")]);
  const spoke = others.map((message) => message.dataset.name ?? "").reverse();
  const here = [...people.querySelectorAll(".person:not([data-own]) .person__name")].map((name) => name.textContent ?? "");
  return [...new Set([...spoke, ...here])].map((text) => ({ text, hint: "" }));
}

/** @param {string} text */
function fold(text) {
  return text.normalize("NFKC").toLowerCase().replaceAll("ё", "е");
}
