import { messagesOf } from "./decorate.js";

const AHEAD = "150% 0px 0px"; // pages are fetched one and a half screens ahead
const MAX_MESSAGES = 300; // in the list, while nobody reads the old ones
const TRIM_AT = 340; // not one by one

/**
 * History is how far back the list goes: it fetches the page before when one comes near the top, without moving what
 * is being read, and lets old messages go when there are too many.
 */
export class History {
  #list;
  #scroller;
  #decorator;
  #home;
  #fetchPage;
  #renew;
  #observer;
  #loading = false;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {HTMLElement} parts.scroller
   * @param {import("./decorate.js").Decorator} parts.decorator
   * @param {string} parts.home address of the newest page
   * @param {(href: string) => Promise<Document>} parts.fetchPage
   * @param {(elements: HTMLElement[]) => HTMLElement[]} parts.renew makes up for changes since the page was rendered
   */
  constructor({ list, scroller, decorator, home, fetchPage, renew }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#decorator = decorator;
    this.#home = home;
    this.#fetchPage = fetchPage;
    this.#renew = renew;
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { root: scroller, rootMargin: AHEAD });
  }

  /** The first number in the list, 0 if there is none. */
  get first() {
    return Number(this.#list.querySelector("[data-seq]")?.getAttribute("data-seq") ?? 0);
  }

  /** Looks out for the link to the page before. */
  watch() {
    this.#observer.disconnect();
    if (this.#older) this.#observer.observe(this.#older);
  }

  /**
   * Shows another page's log instead.
   * @param {Document} page
   */
  replace(page) {
    this.#list.replaceChildren(...this.#renew(logOf(page)));
    this.#decorator.all(this.#list);
    this.#replaceOlder(page);
  }

  /** Lets the oldest messages go, if there are too many. They are on the page before. */
  async trim() {
    if (this.#loading || messagesOf(this.#list).length <= TRIM_AT) return;
    if (!this.#older) await this.#borrowOlder();
    const older = this.#older;
    const keep = messagesOf(this.#list).at(-MAX_MESSAGES);
    if (!older || !keep) return;
    while (this.#list.firstElementChild && this.#list.firstElementChild !== keep) this.#list.firstElementChild.remove();
    const href = new URL(older.href);
    href.searchParams.set("before", String(this.first));
    older.href = href.href;
    this.#decorator.message(keep);
  }

  // Internal

  get #older() {
    return /** @type {HTMLAnchorElement | null} */ (this.#scroller.querySelector("#older"));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    if (entries.some((entry) => entry.isIntersecting)) void this.#loadOlder();
  }

  async #loadOlder() {
    const older = this.#older;
    if (!older || this.#loading) return;
    this.#loading = true;
    older.setAttribute("aria-busy", "true");
    try {
      this.#prepend(await this.#fetchPage(older.href));
    } catch {
      older.removeAttribute("aria-busy"); // the link still leads there
    }
    this.#loading = false;
  }

  /** @param {Document} page */
  #prepend(page) {
    const first = messagesOf(this.#list)[0];
    const before = first?.getBoundingClientRect().top ?? 0;
    const elements = this.#renew(logOf(page)).filter((element) => !element.id || !this.#list.querySelector(`#${CSS.escape(element.id)}`));
    this.#list.prepend(...elements);
    for (const element of elements) if (element.dataset.at) this.#decorator.message(element);
    this.#replaceOlder(page);
    // The browser keeps the place by itself, but not at the very top. Who follows the end goes back there anyway.
    if (first) this.#scroller.scrollTop += first.getBoundingClientRect().top - before;
  }

  /** @param {Document} page */
  #replaceOlder(page) {
    const older = lineOf(page.getElementById("older"));
    const mine = lineOf(this.#older);
    if (older && mine) mine.replaceWith(older);
    else if (older) this.#list.before(older);
    else mine?.remove();
    this.watch();
  }

  /** A room that was short when the page was rendered has no link to older messages; the newest page has one now. */
  async #borrowOlder() {
    this.#loading = true;
    try {
      this.#replaceOlder(await this.#fetchPage(this.#home));
    } catch {
      // It is tried again with the next message.
    }
    this.#loading = false;
  }
}

/** @param {Document} page */
function logOf(page) {
  return /** @type {HTMLElement[]} */ ([...(page.getElementById("log")?.children ?? [])]);
}

/**
 * The line that a link stands in.
 * @param {Element | null} link
 */
function lineOf(link) {
  return link?.closest(".older") ?? null;
}
