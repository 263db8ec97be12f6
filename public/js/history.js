import { messagesOf } from "./decorate.js";

const AHEAD = "150% 0px 150% 0px"; // pages are fetched one and a half screens ahead, on both sides
const MAX_MESSAGES = 300; // in the list
const TRIM_AT = 340; // not one by one
const AT_ONCE = 10; // elements of a page that are put in before what else has come up has its turn

/**
 * History is which part of the room's history the list holds: it fetches the page before or after when one comes near
 * an end, without moving what is being read, and lets messages go at the far end when there are too many.
 */
export class History {
  #list;
  #steady;
  #decorator;
  #home;
  #pages;
  #guard;
  #renew;
  #onOlder;
  #onEnd;
  #onCut;
  #observer;
  #older;
  #newer;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {HTMLElement} parts.scroller
   * @param {HTMLElement} parts.older the line that leads to the page before, hidden at the beginning of history
   * @param {HTMLElement} parts.newer the same for the page after, hidden at its end
   * @param {import("./steady.js").Steady} parts.steady
   * @param {import("./decorate.js").Decorator} parts.decorator
   * @param {string} parts.home address of the newest page
   * @param {import("./pages.js").Pages} parts.pages
   * @param {(load: () => Promise<void>) => Promise<void>} parts.guard runs what may make the list end with a page
   * @param {(elements: HTMLElement[]) => HTMLElement[]} parts.renew makes up for changes since a page was rendered
   * @param {() => void} parts.onOlder older messages have come in, and may be too many
   * @param {(page: Document) => void} parts.onEnd the list ends where the room did on that page
   * @param {() => void} parts.onCut the newest messages have left the list
   */
  constructor({ list, scroller, older, newer, steady, decorator, home, pages, guard, renew, onOlder, onEnd, onCut }) {
    this.#list = list;
    this.#steady = steady;
    this.#decorator = decorator;
    this.#home = home;
    this.#pages = pages;
    this.#guard = guard;
    this.#renew = renew;
    this.#onOlder = onOlder;
    this.#onEnd = onEnd;
    this.#onCut = onCut;
    this.#older = new Edge(older, () => void this.#loadOlder());
    this.#newer = new Edge(newer, () => void this.#loadNewer());
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { root: scroller, rootMargin: AHEAD });
  }

  /** The first number in the list, 0 if there is none. */
  get first() {
    return numberOf(messagesOf(this.#list)[0]);
  }

  /** The last number in the list, 0 if there is none. */
  get last() {
    return numberOf(messagesOf(this.#list).findLast((message) => message.dataset.seq));
  }

  /** Whether there are messages before the first one. */
  get hasOlder() {
    return this.#older.there;
  }

  /** Looks out for both ends of the list. */
  watch() {
    this.#observer.disconnect();
    for (const edge of [this.#older, this.#newer]) if (edge.there) this.#observer.observe(edge.line);
  }

  /**
   * Shows another page's log instead.
   * @param {Document} page
   */
  replace(page) {
    this.#list.replaceChildren(...this.#renew(logOf(page)));
    this.#decorator.all(this.#list);
    this.#older.there = hasEdge(page, "older");
    this.#ended(page);
  }

  /**
   * Lets messages go at the end that is farther from what is being read, if there are too many.
   * @param {HTMLElement | null} reading the message that is being read; null is the last one
   * @returns {boolean} whether there were
   */
  trim(reading) {
    const messages = messagesOf(this.#list);
    if (messages.length <= TRIM_AT) return false;
    const at = reading ? messages.indexOf(reading) : messages.length;
    this.#steady.hold(() => {
      if (at >= messages.length / 2) this.#cutBefore(/** @type {HTMLElement} */ (messages.at(-MAX_MESSAGES)));
      else this.#cutAfter(/** @type {HTMLElement} */ (messages[MAX_MESSAGES - 1]));
    });
    this.watch();
    return true;
  }

  // Internal

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      if (target === this.#older.line) void this.#loadOlder();
      else void this.#loadNewer();
    }
  }

  #loadOlder() {
    return this.#older.load(async () => {
      const page = await this.#pages.fetch(`${this.#home}?before=${this.first}`);
      const elements = logOf(page);
      const put = (/** @type {HTMLElement[]} */ part) => {
        this.#list.prepend(...part);
        if (elements.length === 0) this.#older.there = hasEdge(page, "older");
      };
      await this.#insert(() => elements.splice(-AT_ONCE), put, () => this.first);
      this.#onOlder();
      this.watch();
    });
  }

  #loadNewer() {
    const load = async () => {
      const page = await this.#pages.fetch(`${this.#home}?after=${this.last}`);
      const elements = logOf(page);
      const put = (/** @type {HTMLElement[]} */ part) => this.#list.append(...part);
      if (await this.#insert(() => elements.splice(0, AT_ONCE), put, () => this.last)) this.#ended(page);
      this.trim(null);
    };
    return this.#newer.load(() => this.#guard(load));
  }

  /**
   * Puts a page in, a few elements at a time: laying out all of them at once would make the page stutter. It stops when
   * the end at which it does so has become another one meanwhile.
   * @param {() => HTMLElement[]} next takes from what is left
   * @param {(part: HTMLElement[]) => void} put
   * @param {() => number} end number of the message at that end
   * @returns {Promise<boolean>} whether it is all there
   */
  async #insert(next, put, end) {
    let at = end();
    for (let part = next(); part.length > 0; part = next()) {
      if (end() !== at) return false;
      this.#steady.hold(() => {
        const elements = this.#new(part);
        put(elements);
        for (const element of elements) if (element.dataset.at) this.#decorator.message(element);
      });
      at = end();
      await turn();
    }
    return end() === at;
  }

  /**
   * What the list has not, as it is by now.
   * @param {HTMLElement[]} elements of a page
   */
  #new(elements) {
    return this.#renew(elements.filter((element) => !element.id || !this.#list.querySelector(`#${CSS.escape(element.id)}`)));
  }

  /** @param {Document} page whose last message is that of the list */
  #ended(page) {
    this.#newer.there = hasEdge(page, "newer");
    this.watch();
    if (!this.#newer.there) this.#onEnd(page);
  }

  /** @param {HTMLElement} keep */
  #cutBefore(keep) {
    while (this.#list.firstElementChild && this.#list.firstElementChild !== keep) this.#list.firstElementChild.remove();
    this.#older.there = true;
    this.#decorator.message(keep);
  }

  /** @param {HTMLElement} keep */
  #cutAfter(keep) {
    while (this.#list.lastElementChild && this.#list.lastElementChild !== keep) this.#list.lastElementChild.remove();
    this.#newer.there = true;
    this.#onCut();
  }
}

/** Edge is the line at an end of the list: it leads on, or says that this is being done, or that it failed. */
class Edge {
  line;
  #loading = false;

  /**
   * @param {HTMLElement} line
   * @param {() => void} onRetry
   */
  constructor(line, onRetry) {
    this.line = line;
    line.querySelector("button")?.addEventListener("click", onRetry);
    line.querySelector("a")?.addEventListener("click", (event) => {
      event.preventDefault();
      onRetry();
    });
  }

  /** Whether there is more beyond it. */
  get there() {
    return !this.line.hidden;
  }

  set there(/** @type {boolean} */ there) {
    this.line.hidden = !there;
  }

  /** @param {() => Promise<void>} what */
  async load(what) {
    if (this.#loading || !this.there) return;
    this.#loading = true;
    this.line.dataset.state = "loading";
    try {
      await what();
      delete this.line.dataset.state;
    } catch {
      this.line.dataset.state = "failed";
    }
    this.#loading = false;
  }
}

/**
 * The log of a page, without the line before what was unread there: that of the list stays where it is.
 * @param {Document} page
 */
function logOf(page) {
  const elements = /** @type {HTMLElement[]} */ ([...(page.getElementById("log")?.children ?? [])]);
  return elements.filter((element) => element.dataset.kind !== "unread");
}

/**
 * Whether a page has more before or after it.
 * @param {Document} page
 * @param {"older" | "newer"} id
 */
function hasEdge(page, id) {
  return page.getElementById(id)?.closest("[hidden]") === null;
}

/** Lets what has come up meanwhile go first. */
function turn() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** @param {HTMLElement | undefined} message */
function numberOf(message) {
  return Number(message?.dataset.seq ?? 0);
}
