/**
 * @typedef {object} Drawer
 * @property {string} name of the attribute of body that says how it is: data-people, data-rooms
 * @property {HTMLElement} panel
 */

/**
 * Drawers are the columns of people and of rooms where they lie over the log. They open and close by links, without a
 * script too; here without leaving a trace in the browser's history, with the focus in its place.
 */
export class Drawers {
  #body;
  #main;
  /** @type {Map<string, Drawer>} */
  #drawers = new Map(); // by the link that opens one
  /** @type {HTMLElement | null} */
  #opener = null;

  /**
   * @param {HTMLElement} body
   * @param {HTMLElement} main what they lie over
   * @param {Drawer[]} drawers
   */
  constructor(body, main, drawers) {
    this.#body = body;
    this.#main = main;
    for (const drawer of drawers) this.#drawers.set(`#${drawer.panel.id}`, drawer);
    body.addEventListener("click", (event) => this.#click(event));
    body.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("resize", () => this.#shield());
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest("a");
    const href = link?.getAttribute("href") ?? "";
    const drawer = this.#drawers.get(href);
    if (!link || (!drawer && href !== "#chat")) return;
    event.preventDefault();
    if (!drawer) return this.#close();
    if (drawer.panel.offsetWidth > 0) return this.#set(drawer, false);
    this.#opener = link;
    this.#set(drawer, true);
    /** @type {HTMLElement | null} */ (drawer.panel.querySelector("a:not([tabindex]), button"))?.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape" && !event.defaultPrevented && this.#over()) this.#close();
  }

  #close() {
    for (const drawer of this.#drawers.values()) if (drawer.panel.offsetWidth > 0) this.#set(drawer, false);
  }

  /**
   * @param {Drawer} drawer
   * @param {boolean} open
   */
  #set(drawer, open) {
    this.#body.dataset[drawer.name] = open ? "open" : "closed";
    this.#shield();
    if (!open) this.#opener?.focus();
  }

  /** The drawer that lies over the log now, if one does. */
  #over() {
    return [...this.#drawers.values()].find(({ panel }) => panel.offsetWidth > 0 && getComputedStyle(panel).position === "fixed");
  }

  /** What a drawer lies over cannot be reached meanwhile. */
  #shield() {
    const over = this.#over();
    this.#main.inert = Boolean(over);
    for (const { panel } of this.#drawers.values()) panel.inert = Boolean(over) && over?.panel !== panel;
  }
}
