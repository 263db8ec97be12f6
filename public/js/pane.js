import { Decorator } from "./decorate.js";
import { clone, Fragments } from "./fragment.js";
import { History } from "./history.js";
import { Log } from "./log.js";
import { lastOf, Pages } from "./pages.js";
import { Position } from "./position.js";
import { Steady } from "./steady.js";

const MAX_LATE = 1_000; // messages that are kept while a page is on its way

/**
 * Pane is the part of a room that is on the screen. Its list is live while it ends where the room does: then what comes
 * is put into it, and the pane knows up to which event it is complete. Otherwise (on an older page, or after the reader
 * went so far up that the end was let go) what comes is only counted, until the end is reached again. A change of a
 * message is shown wherever the message is, also one from while there was no connection.
 */
export class Pane {
  #list;
  #template;
  #home;
  #me;
  #live;
  #last; // up to which event what is shown is as it is now, whether the list is live or not
  #connected = 0; // counts the connections, so that a page from before one is recognised
  #newest = 0; // the highest number that has come
  /** @type {HTMLElement[] | null} */
  #late = null; // what came while a page is on its way that may be the newest; null = none is
  #lateSince = 0; // the connection over which it came
  #decorator;
  #fragments;
  #pages;
  #history;
  #log;
  #onMessage;
  #onAttach;

  /**
   * @param {object} parts
   * @param {import("./app.js").Elements} parts.elements
   * @param {import("./words.js").Words} parts.words
   * @param {(frame: import("./fragment.js").Frame) => void} parts.onFrame
   * @param {(message: HTMLElement, fresh: boolean, own: boolean) => void} parts.onMessage
   * @param {(n: number) => void} parts.onUnread
   * @param {(gap: boolean) => void} parts.onAttach the list has become live; gap: the connection has to go on from it
   * @param {() => void} parts.onStranger the server shows somebody else's page
   */
  constructor({ elements, words, onFrame, onMessage, onUnread, onAttach, onStranger }) {
    const { body, list, scroller, jump, fresh, older, newer, form } = elements;
    const { me = "", lang = "ru", live } = body.dataset;
    this.#list = list;
    this.#template = elements.systemLine;
    this.#home = (form.getAttribute("action") ?? "").replace(/\/messages$/, "");
    this.#me = me;
    this.#live = live === "true";
    this.#last = new Position(lastOf(body));
    this.#onMessage = onMessage;
    this.#onAttach = onAttach;
    const steady = new Steady(scroller, list);
    const decorator = (this.#decorator = new Decorator({ me, lang, words, dateLine: () => clone(elements.dateLine), code: elements }));
    this.#fragments = new Fragments(body.ownerDocument, onFrame, (element) => this.#accepts(element));
    this.#pages = new Pages(me, onStranger);
    this.#history = new History({
      list, scroller, older, newer, steady, decorator,
      home: this.#home,
      pages: this.#pages,
      guard: (load) => this.#keepLate(load),
      renew: (elements) => this.#fragments.renew(elements),
      onOlder: () => this.#log.older(),
      onEnd: (page) => this.#attach(page),
      onCut: () => this.#detach(),
    });
    this.#log = new Log({
      list, scroller, jump, fresh, decorator, steady, onUnread,
      history: this.#history,
      unreadLine: () => clone(elements.unreadLine),
      onJump: () => void this.toEnd(),
    });
    fresh?.addEventListener("click", (event) => void this.#toUnread(event));
  }

  get live() {
    return this.#live;
  }

  /** Up to which number the reader has seen the room, 0 if the end is not on the screen. */
  get seen() {
    return this.#log.atEnd ? this.#last.seq : 0;
  }

  /** Up to which number everything has come. */
  get last() {
    return this.#last.seq;
  }

  /** @param {DOMStringMap} data of the page */
  start({ target = "0", read = "0", fresh = "0" }) {
    const unread = Number(fresh);
    this.#log.begin(this.#live, Number(target), { to: unread ? Number(read) : Infinity, unread });
  }

  /** Goes to the newest message, fetching it if it is not there. */
  async toEnd() {
    if (this.#live) return this.#log.toEnd();
    try {
      await this.#replace(this.#home);
      this.#log.toEnd();
    } catch {
      location.assign(this.#home);
    }
  }

  read() {
    this.#log.read();
  }

  /** The reader has read everything, here or elsewhere. */
  allRead() {
    this.#log.clearUnread();
  }

  /** @param {number} seq up to which the reader has read on another device */
  readElsewhere(seq) {
    if (seq >= this.#newest) this.#log.readElsewhere();
  }

  midnight() {
    this.#decorator.relabel(this.#list);
  }

  // What the server says

  /** @param {string} html */
  apply(html) {
    for (const element of this.#fragments.apply(html)) this.#added(element);
  }

  /** What a connection goes on from; there is a new one. */
  ask() {
    this.#connected++;
    return this.#last.ask();
  }

  /**
   * Tells whether the server goes on where this page asked for.
   * @param {number} after
   */
  joined(after) {
    return this.#last.joined(after);
  }

  /**
   * An event has passed that is no message.
   * @param {number} seq
   * @param {string} id
   */
  passed(seq, id) {
    this.#last.pass(seq, id);
  }

  /** Fails if the server cannot be reached. */
  probe() {
    return this.#pages.fetch(this.#home);
  }

  /**
   * The server cannot go on from where the list ends: fetches it anew.
   * @param {string} words what the reader is told
   */
  async renew(words) {
    await this.#replace(this.#home);
    const line = clone(this.#template);
    /** @type {Element} */ (line.querySelector(".system__text")).textContent = words;
    this.#list.prepend(line);
  }

  /**
   * Shows a message of the reader's that was stored before this page went on reading, if it belongs into what is shown.
   * @param {string} id
   * @param {number} seq
   */
  async fetchStored(id, seq) {
    if (!this.#live || seq < this.#history.first) return;
    try {
      const page = await this.#pages.fetch(`${this.#home}?after=${seq - 1}`);
      const message = page.querySelector(`#log [data-id="${CSS.escape(id)}"]`);
      if (message instanceof HTMLElement && this.#fragments.put(message)) this.#log.added(message, false);
    } catch {
      // It is stored, and the next page that is loaded shows it.
    }
  }

  // Messages that wait

  /** @param {HTMLElement} element */
  append(element) {
    this.#list.append(element);
    this.#log.added(element, false);
  }

  /** @param {HTMLElement} element */
  remove(element) {
    this.#log.remove(element);
  }

  // Internal

  /** @param {HTMLElement} element that is in the page now */
  #added(element) {
    if (element.dataset.kind === "message") {
      const seq = Number(element.dataset.seq);
      const own = element.dataset.member === this.#me;
      const fresh = this.#last.pass(seq, element.dataset.id ?? "");
      this.#newest = Math.max(this.#newest, seq);
      this.#log.added(element, fresh && !own);
      this.#onMessage(element, fresh, own);
    } else if (element.dataset.list) this.#log.added(element, false);
    else this.#decorator.people(element);
  }

  /**
   * Whether something new may come into the list. What may not, is counted, and kept if a page is on its way that may
   * end before it.
   * @param {HTMLElement} element
   */
  #accepts(element) {
    if (this.#live) return true;
    const seq = Number(element.dataset.seq ?? 0);
    if (seq) this.#last.pass(seq, element.dataset.id ?? "");
    if (seq) this.#late?.push(element);
    if (this.#late && this.#late.length > MAX_LATE) this.#late = null;
    if (seq <= this.#newest) return false;
    this.#newest = seq;
    const own = element.dataset.member === this.#me;
    if (!own) this.#log.missed();
    this.#onMessage(element, true, own);
    return false;
  }

  /**
   * Shows the log of another page.
   * @param {string} href
   */
  #replace(href) {
    return this.#keepLate(async () => this.#history.replace(await this.#pages.fetch(href)));
  }

  /**
   * Keeps what comes while a page is fetched and put into the list: the list may end with it.
   * @param {() => Promise<void>} load
   */
  async #keepLate(load) {
    this.#late ??= [];
    this.#lateSince = this.#connected;
    try {
      await load();
    } finally {
      this.#late = null;
    }
  }

  /** @param {Document} page whose log the list ends with */
  #attach(page) {
    const late = this.#late;
    const whole = late !== null && this.#lateSince === this.#connected;
    this.#late = null;
    this.#live = true;
    this.#last = new Position(lastOf(page.body));
    if (whole) {
      this.#last.ask();
      this.#last.joined(this.#last.seq);
    }
    this.#log.live = true;
    for (const element of late ?? []) {
      if (Number(element.dataset.seq) > this.#last.seq && this.#fragments.put(element)) this.#added(element);
    }
    this.#onAttach(!whole);
  }

  #detach() {
    this.#live = false;
    this.#newest = Math.max(this.#newest, this.#last.seq);
    this.#log.live = false;
  }

  /** @param {Event} event */
  async #toUnread(event) {
    event.preventDefault();
    this.#log.placeUnread();
    if (this.#log.toUnread()) return;
    const { href } = /** @type {HTMLAnchorElement} */ (event.currentTarget);
    try {
      this.#detach();
      await this.#replace(href);
      this.#log.placeUnread(true);
      this.#log.toUnread();
    } catch {
      location.assign(href);
    }
  }
}
