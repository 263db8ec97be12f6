import { messagesOf } from "./decorate.js";

/**
 * The first message that is on the screen, even in part; null when there is none.
 * @param {HTMLElement} scroller
 * @param {HTMLElement} list
 */
export function firstVisible(scroller, list) {
  const top = scroller.getBoundingClientRect().top;
  const messages = messagesOf(list);
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const bottom = /** @type {HTMLElement} */ (messages[middle]).getBoundingClientRect().bottom;
    if (bottom > top) high = middle;
    else low = middle + 1;
  }
  return messages[low] ?? null;
}

/** Steady keeps what is being read where it is while something else changes above or below it. */
export class Steady {
  #scroller;
  #list;
  #byBrowser = CSS.supports("overflow-anchor", "auto");
  /** @type {HTMLElement | null} */
  #anchor = null;
  #top = 0; // of the anchor, on the screen
  /** Called after each change: that it has scrolled is nobody's doing. */
  onHeld = () => {};

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} list
   */
  constructor(scroller, list) {
    this.#scroller = scroller;
    this.#list = list;
  }

  /**
   * Changes the list; the first message on the screen stays in its place, if it stays in the list.
   * @param {() => void} change
   */
  hold(change) {
    this.#scroller.style.setProperty("overflow-anchor", "none"); // or it would be moved twice
    this.#note();
    change();
    this.#restore();
    this.#scroller.style.removeProperty("overflow-anchor");
    this.noted();
    this.onHeld();
  }

  /** Where browsers keep nothing in its place by themselves: notes what is where, after somebody has scrolled. */
  noted() {
    if (!this.#byBrowser) this.#note();
  }

  /** The same: puts it back, after something has changed its size. */
  resized() {
    if (!this.#byBrowser) this.#restore();
  }

  #note() {
    this.#anchor = firstVisible(this.#scroller, this.#list);
    this.#top = this.#anchor?.getBoundingClientRect().top ?? 0;
  }

  #restore() {
    if (!this.#anchor?.isConnected) return;
    const moved = this.#anchor.getBoundingClientRect().top - this.#top;
    if (moved) this.#scroller.scrollTop += moved;
  }
}
