import { codeOf } from "./code.js";
import { copy } from "./copy.js";

const LONG_PRESS_MS = 500;
const MOVED_PX = 10; // a finger that moves so far scrolls
const GAP_PX = 4; // between a button and its menu

/**
 * @typedef {object} Parts
 * @property {HTMLElement} list
 * @property {HTMLElement} scroller
 * @property {HTMLElement} menu a popover with `[data-act]` in it
 * @property {HTMLDialogElement} confirm asks before something is deleted
 * @property {(message: HTMLElement) => boolean} mayEdit
 * @property {(message: HTMLElement) => boolean} mayDelete
 * @property {(message: HTMLElement) => void} onEdit
 * @property {(message: HTMLElement) => void} onDelete
 * @property {() => void} onLeave back to the field
 * @property {() => void} onCopied
 */

/**
 * Actions is what one can do with a message: by its buttons, which show under the pointer and with the focus, by their
 * menu, by a long press, and by keys. The buttons are links that lead to a page with the same actions; only one message
 * is in the order of the Tab key, the arrows lead from there to the others.
 */
export class Actions {
  #parts;
  /** @type {HTMLElement | null} */
  #message = null; // which the menu is about
  /** @type {HTMLElement | null} */
  #opener = null; // gets the focus back
  #press = 0; // timer
  #pressed = { x: 0, y: 0 };
  /** @type {HTMLElement | null} */
  #touched = null; // the message that a finger lies on
  #held = false; // the last press was long

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { list, scroller, menu, confirm } = parts;
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("focusin", (event) => this.#enter(/** @type {Element} */ (event.target)));
    list.addEventListener("pointerdown", (event) => this.#down(event));
    list.addEventListener("pointerup", () => this.#up());
    list.addEventListener("pointercancel", () => this.#release());
    list.addEventListener("pointermove", (event) => this.#moved(event));
    // No click follows a long press: it would come when the menu lies under the finger, and choose something in it.
    list.addEventListener("touchend", (event) => this.#held && event.cancelable && event.preventDefault());
    list.addEventListener("contextmenu", (event) => this.#contextMenu(event));
    menu.addEventListener("click", (event) => this.#chosen(event));
    menu.addEventListener("keydown", (event) => this.#menuKey(event));
    menu.addEventListener("toggle", (event) => this.#toggled(/** @type {ToggleEvent} */ (event).newState === "open"));
    scroller.addEventListener("focusin", () => this.#rove());
    this.#rove();
    confirm.addEventListener("close", () => this.#answered(confirm.returnValue === "delete"));
  }

  /**
   * Asks, and deletes.
   * @param {HTMLElement} message
   */
  askToDelete(message) {
    this.#message = message;
    const { confirm } = this.#parts;
    const quote = confirm.querySelector(".dialog__quote");
    if (quote) quote.textContent = textOf(message);
    confirm.returnValue = "";
    confirm.showModal();
  }

  // Opening

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {Element} */ (event.target);
    const message = messageOf(target);
    if (!message) return;
    const button = /** @type {HTMLElement | null} */ (target.closest(".message__tool"));
    if (button && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      if (button.dataset.do === "edit") this.#parts.onEdit(message);
      else this.#open(message, button);
    } else if (!target.closest("a, button, summary") && matchMedia("(pointer: coarse)").matches) {
      this.#activate(message.hasAttribute("data-active") ? null : message);
    }
  }

  /** @param {PointerEvent} event */
  #down(event) {
    this.#release();
    const message = messageOf(/** @type {Element} */ (event.target));
    if (event.pointerType !== "touch" || !message?.querySelector(".message__tool")) return;
    this.#pressed = { x: event.clientX, y: event.clientY };
    this.#touched = message;
    this.#press = setTimeout(() => message.setAttribute("data-pressed", ""), LONG_PRESS_MS);
  }

  /**
   * A browser may find a press to be long before we do; a mouse has the browser's menu.
   * @param {MouseEvent} event
   */
  #contextMenu(event) {
    if (!this.#touched) return;
    event.preventDefault();
    this.#touched.setAttribute("data-pressed", "");
  }

  /** The finger is up: the menu opens only now, because what lies outside of it closes it. */
  #up() {
    const message = this.#release();
    this.#held = message !== null;
    if (!message) return;
    this.#activate(message);
    setTimeout(() => this.#open(message, message.querySelector('[data-do="menu"]')));
  }

  /**
   * Ends a press, and tells which message it was on if it was long.
   * @returns {HTMLElement | null}
   */
  #release() {
    clearTimeout(this.#press);
    this.#touched = null;
    const message = /** @type {HTMLElement | null} */ (this.#parts.list.querySelector("[data-pressed]"));
    message?.removeAttribute("data-pressed");
    return message;
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    if (Math.hypot(event.clientX - this.#pressed.x, event.clientY - this.#pressed.y) > MOVED_PX) this.#release();
  }

  /** @param {HTMLElement | null} message whose buttons show on a touch screen */
  #activate(message) {
    for (const other of this.#parts.list.querySelectorAll("[data-active]")) other.removeAttribute("data-active");
    message?.setAttribute("data-active", "");
  }

  /**
   * @param {HTMLElement} message
   * @param {HTMLElement | null} opener
   */
  #open(message, opener) {
    const { menu, mayEdit, mayDelete } = this.#parts;
    this.#message = message;
    this.#opener = opener;
    show(menu, "edit", mayEdit(message));
    show(menu, "code", message.querySelector("pre") !== null);
    show(menu, "delete", mayDelete(message));
    menu.showPopover();
    if (opener) place(menu, opener.getBoundingClientRect());
    this.#items()[0]?.focus();
  }

  // In the menu

  #items() {
    return /** @type {HTMLElement[]} */ ([...this.#parts.menu.querySelectorAll("[data-act]:not([hidden])")]);
  }

  /** @param {KeyboardEvent} event */
  #menuKey(event) {
    const items = this.#items();
    const at = items.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Tab") this.#parts.menu.hidePopover();
    if (to === undefined && event.key !== "Tab") return;
    event.preventDefault();
    items.at((to ?? 0) % items.length)?.focus();
  }

  /** @param {boolean} open */
  #toggled(open) {
    this.#opener?.setAttribute("aria-expanded", String(open));
    if (!open && this.#parts.menu.ownerDocument.activeElement === this.#parts.menu.ownerDocument.body) this.#opener?.focus();
  }

  /** @param {Event} event */
  #chosen(event) {
    const act = /** @type {Element} */ (event.target).closest("[data-act]")?.getAttribute("data-act");
    const message = this.#message;
    if (!act || !message) return;
    this.#parts.menu.hidePopover();
    this.#activate(null);
    if (act === "edit") return this.#parts.onEdit(message);
    if (act === "delete") return this.askToDelete(message);
    this.#opener?.focus();
    const link = /** @type {HTMLAnchorElement | null} */ (message.querySelector(".message__tools a"));
    const texts = { copy: () => textOf(message), code: () => codeOf(message), link: () => link?.href.replace("/messages/", "/") ?? "" };
    const text = texts[/** @type {keyof typeof texts} */ (act)]();
    void copy(text).then((copied) => copied && this.#parts.onCopied());
  }

  /** @param {boolean} yes */
  #answered(yes) {
    const message = this.#message;
    if (yes && message) this.#parts.onDelete(message);
    if (yes) this.#parts.onLeave();
    else this.#opener?.focus();
  }

  // Keys in the log

  /** Tab leads to the last message, if it does not lead to another one. */
  #rove() {
    const { list } = this.#parts;
    if (list.querySelector('.message__tool[tabindex="0"]')) return;
    const last = [...list.querySelectorAll('[data-do="menu"]')].at(-1);
    if (last) this.#enter(last);
  }

  /**
   * The message with the focus is the one that Tab comes back to.
   * @param {Element} target
   */
  #enter(target) {
    const message = messageOf(target);
    if (!message) return;
    for (const tool of this.#parts.list.querySelectorAll('.message__tool[tabindex="0"]')) tool.setAttribute("tabindex", "-1");
    for (const tool of message.querySelectorAll(".message__tool")) tool.setAttribute("tabindex", "0");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const message = messageOf(/** @type {Element} */ (event.target));
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && message) return this.#parts.onLeave();
    const all = /** @type {HTMLElement[]} */ ([...this.#parts.list.querySelectorAll('[data-do="menu"]')]);
    const at = message ? all.findIndex((tool) => message.contains(tool)) : all.length;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    const tool = to === undefined || to < 0 ? undefined : all[to];
    if (to === undefined) return;
    event.preventDefault();
    tool?.focus();
    tool?.closest(".message")?.scrollIntoView({ block: "nearest" });
  }
}

/**
 * @param {HTMLElement} menu
 * @param {string} act
 * @param {boolean} visible
 */
function show(menu, act, visible) {
  for (const item of menu.querySelectorAll(`[data-act="${act}"], [data-with="${act}"]`)) item.toggleAttribute("hidden", !visible);
}

/**
 * Puts a menu below a button, or above it where there is more room. On a phone the style sheet has its own place for it.
 * @param {HTMLElement} menu
 * @param {DOMRect} button
 */
function place(menu, button) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = button.bottom + GAP_PX;
  const top = below + height <= innerHeight ? below : Math.max(GAP_PX, button.top - GAP_PX - height);
  menu.style.setProperty("--menu-top", `${top}px`);
  menu.style.setProperty("--menu-left", `${Math.max(GAP_PX, Math.min(button.right - width, innerWidth - width - GAP_PX))}px`);
}

/** @param {Element} element */
function messageOf(element) {
  return /** @type {HTMLElement | null} */ (element.closest('.message[data-seq]'));
}

/**
 * What a message says, without the mark that it was edited.
 * @param {HTMLElement} message
 */
export function textOf(message) {
  const body = /** @type {HTMLElement | null} */ (message.querySelector(".message__body"));
  const mark = /** @type {HTMLElement | null} */ (body?.querySelector(".message__edited") ?? null);
  const text = (body?.innerText ?? "").trimEnd();
  return mark ? text.slice(0, text.length - mark.innerText.length).trimEnd() : text;
}
