const MAX_COUNT = 99; // the largest number that a badge shows

/** Rooms is the column of rooms: how much is unread in each, and where something was begun and not sent. */
export class Rooms {
  #rows;
  #opener;
  #local;
  #onChange;
  #onMention;

  /**
   * @param {object} parts
   * @param {HTMLElement[]} parts.rows links to the rooms, as the server rendered them
   * @param {HTMLElement | null} parts.opener of the drawer that they are in
   * @param {import("./local.js").Local} parts.local
   * @param {(unread: number) => void} parts.onChange how much is unread in all of them
   * @param {(room: string, title: string) => void} parts.onMention somebody has mentioned the reader there
   */
  constructor({ rows, opener, local, onChange, onMention }) {
    this.#rows = new Map(rows.map((row) => [row.dataset.room ?? "", row]));
    this.#opener = opener;
    this.#local = local;
    this.#onChange = onChange;
    this.#onMention = onMention;
    this.drafts();
    this.#count();
  }

  /** What to watch, as a command says it: the rooms that are not on the screen, and up to where each is known. */
  get watched() {
    return Object.fromEntries(this.#others.map((row) => [row.dataset.room, { after: Number(row.dataset.last) }]));
  }

  /**
   * Something is new in a room.
   * @param {DOMStringMap} data
   */
  news({ room = "", last = "0", messages = "0", mentions = "0" }) {
    const row = this.#rows.get(room);
    if (!row || Number(messages) <= Number(row.dataset.messages)) return;
    row.dataset.last = last;
    row.dataset.messages = messages;
    row.dataset.mentions = String(Number(row.dataset.mentions) + Number(mentions));
    this.#show(row);
    if (Number(mentions) > 0) this.#onMention(room, titleOf(row));
  }

  /**
   * A room was read elsewhere.
   * @param {DOMStringMap} data
   */
  read({ room = "", messages = "0" }) {
    const row = this.#rows.get(room);
    if (!row || Number(messages) <= Number(row.dataset.read)) return;
    row.dataset.read = messages;
    if (unreadOf(row) === 0) row.dataset.mentions = "0";
    this.#show(row);
  }

  /** Marks the rooms in which a text was begun. */
  drafts() {
    for (const row of this.#others) {
      const draft = this.#local.get(`draft/${row.dataset.room}`) !== "";
      row.querySelector(".room-row__draft")?.toggleAttribute("hidden", !draft);
    }
  }

  /**
   * The address of a room beside the one on the screen, "" if there is none.
   * @param {number} step 1 for the next one, -1 for the one before
   * @param {boolean} unread only where something is unread
   */
  neighbour(step, unread) {
    const rows = [...this.#rows.values()];
    const here = rows.findIndex(isCurrent);
    for (let i = 1; i < rows.length; i++) {
      const row = /** @type {HTMLAnchorElement} */ (rows.at((here + step * i) % rows.length));
      if (!unread || unreadOf(row) > 0) return row.href;
    }
    return "";
  }

  get #others() {
    return [...this.#rows.values()].filter((row) => !isCurrent(row));
  }

  /** @param {HTMLElement} row */
  #show(row) {
    const unread = unreadOf(row);
    const mentions = Number(row.dataset.mentions);
    const badge = row.querySelector(".room-row__count");
    row.toggleAttribute("data-unread", unread > 0);
    badge?.toggleAttribute("hidden", unread === 0);
    badge?.toggleAttribute("data-mention", mentions > 0);
    if (badge) badge.textContent = mentions > 0 ? `@ ${capped(mentions)}` : capped(unread);
    this.#count();
  }

  #count() {
    const unread = this.#others.reduce((sum, row) => sum + unreadOf(row), 0);
    this.#opener?.toggleAttribute("data-unread", unread > 0);
    this.#onChange(unread);
  }
}

/**
 * A number as a badge shows it.
 * @param {number} n
 */
export function capped(n) {
  return n > MAX_COUNT ? `${MAX_COUNT}+` : String(n);
}

/** @param {HTMLElement} row */
function isCurrent(row) {
  return row.hasAttribute("aria-current");
}

/** @param {HTMLElement} row */
function unreadOf(row) {
  return isCurrent(row) ? 0 : Math.max(0, Number(row.dataset.messages) - Number(row.dataset.read));
}

/** @param {HTMLElement} row */
function titleOf(row) {
  return row.querySelector(".room-row__name")?.textContent ?? "";
}
