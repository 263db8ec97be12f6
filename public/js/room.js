import { Announcer } from "./announcer.js";
import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Decorator } from "./decorate.js";
import { clone, Fragments } from "./fragment.js";
import { History } from "./history.js";
import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { lastOf, Pages } from "./pages.js";
import { Pending } from "./pending.js";
import { Position } from "./position.js";

const PROBE_TRIES = 3; // after so many tries in vain, we look whether we are still logged in
/** Refusals of a connection that may pass. */
const PASSING = ["too_many", "too_fast", "unavailable", "internal"];

/**
 * Room is the live page of a room: it takes frames apart, hands each to whom it concerns, and knows up to which event
 * the page is complete.
 */
export class Room {
  #elements;
  #words;
  #name; // canonical name of the room
  #me;
  #home; // address of its newest page
  #live;
  #last;
  #stale = false; // the server cannot go on from #last: the page is fetched again before the next connection
  #tries = 0; // since the last joined
  #decorator;
  #fragments;
  #pages;
  #history;
  #log;
  #pending;
  #outbox;
  #composer;
  #banner;
  #connection;
  #announcer;

  /**
   * @param {import("./app.js").Elements} elements
   * @param {import("./words.js").Words} words
   * @param {import("./local.js").Local} local of this member
   * @param {(unread: number) => void} onUnread
   */
  constructor(elements, words, local, onUnread) {
    const { body, list, scroller, jump, form, field, button, note } = elements;
    const { room = "", me = "", lang = "ru", live, maxText } = body.dataset;
    this.#elements = elements;
    this.#words = words;
    this.#name = room;
    this.#me = me;
    this.#home = (form.getAttribute("action") ?? "").replace(/\/messages$/, "");
    this.#live = live === "true";
    this.#last = new Position(lastOf(body));
    this.#decorator = new Decorator({ me, lang, words, dateLine: () => clone(elements.dateLine) });
    this.#fragments = new Fragments(body.ownerDocument, (frame) => this.#control(frame));
    const unreadLine = () => clone(elements.unreadLine);
    const fetchPage = (/** @type {string} */ href) => this.#pages.fetch(href);
    this.#pages = new Pages(me, () => this.#connection.end());
    const renew = (/** @type {HTMLElement[]} */ elements) => this.#fragments.renew(elements);
    this.#history = new History({ list, scroller, decorator: this.#decorator, home: this.#home, fetchPage, renew });
    this.#log = new Log({ list, scroller, jump, decorator: this.#decorator, history: this.#history, unreadLine, onUnread });
    this.#pending = new Pending({ list, template: elements.pending, words, log: this.#log });
    this.#outbox = new Outbox({
      room,
      local,
      send: (command) => this.#connection.send(command),
      onChange: (entry) => this.#waiting(entry),
      onDone: (entry) => this.#done(entry),
      onStored: (id, seq) => void this.#fetchStored(id, seq),
    });
    const touch = () => matchMedia("(pointer: coarse)").matches;
    const onText = (/** @type {string} */ text) => this.#send(text);
    this.#composer = new Composer({ form, field, button, note, words, local, room, limit: Number(maxText), touch, onText });
    const onTrouble = (/** @type {boolean} */ trouble) => this.#count(trouble);
    this.#banner = new Banner(elements.banner, words, () => this.#retry(), onTrouble);
    this.#announcer = new Announcer(elements.announcer, words);
    this.#connection = new Connection({
      dial: () => new WebSocket(new URL(body.dataset.ws ?? "", location.href.replace(/^http/, "ws")), "govor.v1.html"),
      hello: () => ({ type: "hello", rooms: { [room]: this.#last.ask() } }),
      before: (loggedOut) => this.#prepare(loggedOut),
      onFrame: (html) => this.#frame(html),
      onState: (state) => this.#banner.show(state),
      onLost: (code) => this.#outbox.lost(code),
    });
  }

  /**
   * Takes over the page. A page of older history stays as it is: only the newest one is live.
   * @param {string} path of the page; /r/ROOM/41 is about number 41
   */
  start(path) {
    this.#log.begin(this.#live, /\/(\d+)$/.exec(path)?.[1] ?? "");
    this.#elements.list.addEventListener("click", (event) => this.#click(event));
    if (!this.#live) return;
    this.#showOutbox();
    this.#connection.retryNow();
  }

  /** Something has changed for the better: the network, or the attention of the reader. */
  wake() {
    this.#log.read();
    if (this.#live) this.#connection.retryNow();
  }

  /** Another day has begun. */
  midnight() {
    this.#decorator.relabel(this.#elements.list);
  }

  focus() {
    this.#composer.focus();
  }

  /**
   * Another tab has changed what this browser keeps.
   * @param {string} key
   * @param {boolean} removed
   */
  changedElsewhere(key, removed) {
    if (removed) this.#outbox.removedElsewhere(key);
  }

  // What the reader does

  /** @param {string} text */
  #send(text) {
    this.#log.clearUnread();
    this.#outbox.add(text);
    if (this.#live) this.#log.toEnd();
    else location.assign(this.#home);
  }

  #retry() {
    if (this.#connection.ended) location.reload();
    else this.#connection.retryNow();
  }

  /** @param {Event} event */
  #click(event) {
    const button = /** @type {Element} */ (event.target).closest("[data-do]");
    const id = /** @type {HTMLElement | null | undefined} */ (button?.closest("[data-id]"))?.dataset.id;
    if (!id) return;
    if (button?.getAttribute("data-do") === "retry") this.#outbox.retry(id);
    else this.#outbox.discard(id);
    this.#composer.focus();
  }

  // What the server says

  /** @param {string} html */
  #frame(html) {
    for (const element of this.#fragments.apply(html)) {
      if (element.dataset.kind === "message") this.#message(element);
      else if (element.dataset.list) this.#log.added(element, false);
      else this.#decorator.people(element);
    }
  }

  /** @param {HTMLElement} message */
  #message(message) {
    const seq = Number(message.dataset.seq);
    const id = message.dataset.id ?? "";
    const own = message.dataset.member === this.#me;
    const fresh = this.#last.pass(seq, id);
    this.#log.added(message, fresh && !own);
    if (own) this.#outbox.echoed(id);
    else if (fresh) this.#announcer.read(message);
  }

  /** @param {import("./fragment.js").Frame} frame */
  #control({ name, data, text }) {
    switch (name) {
      case "welcome":
        return this.#welcome(data);
      case "joined":
        return this.#joined(data);
      case "reset":
        return this.#reset(data);
      case "edited":
      case "deleted": // the message as it is now comes with it
        return this.#passed(data);
      case "ack":
        return this.#acknowledged(data);
      case "error":
        return this.#refused(data, text);
    }
  }

  /** @param {DOMStringMap} data */
  #welcome(data) {
    if (data["member"] !== this.#me) this.#connection.end();
    if (data["maxText"]) this.#composer.limit = Number(data["maxText"]);
  }

  /** @param {DOMStringMap} data */
  #joined(data) {
    if (data["room"] !== this.#name || !this.#last.joined(Number(data["after"]))) return;
    this.#tries = 0;
    this.#connection.joined();
    this.#outbox.joined();
  }

  /** @param {DOMStringMap} data */
  #reset(data) {
    if (data["room"] !== this.#name) return;
    this.#stale = true;
    this.#connection.renew();
  }

  /** @param {DOMStringMap} data of an event that is no message */
  #passed(data) {
    if (data["room"] === this.#name) this.#last.pass(Number(data["seq"]), data["id"] ?? "");
  }

  /** @param {DOMStringMap} data */
  #acknowledged(data) {
    this.#outbox.acknowledged(data["id"] ?? "", Number(data["seq"]), data["duplicate"] === "true", this.#last.seq);
    this.#composer.calm();
  }

  /**
   * @param {DOMStringMap} data
   * @param {string} text
   */
  #refused(data, text) {
    const { id, code = "", retryAfterMs } = data;
    if (id) this.#outbox.refused(id, code, text, Number(retryAfterMs ?? 0));
    if (!id || code === "too_fast") this.#composer.say(code === "too_fast" ? "slow" : "error", text);
    if (!id && !this.#connection.open && !PASSING.includes(code)) this.#connection.end();
  }

  // The outbox

  /** @param {import("./outbox.js").Entry} entry */
  #waiting(entry) {
    this.#pending.show(entry);
    this.#count();
  }

  /** @param {import("./outbox.js").Entry} entry */
  #done(entry) {
    this.#pending.remove(entry);
    this.#count();
  }

  /** Counts what waits below the field, while the banner says why. */
  #count(trouble = this.#banner.trouble) {
    this.#composer.queued = trouble ? this.#outbox.waiting : 0;
  }

  /** Shows what an earlier page, or the log before a reset, left; what is in the log needs no showing. */
  #showOutbox() {
    const own = `[data-seq][data-member="${CSS.escape(this.#me)}"]`;
    for (const message of this.#elements.list.querySelectorAll(own)) {
      this.#outbox.echoed(message.getAttribute("data-id") ?? "");
    }
    this.#outbox.begin();
  }

  /**
   * Shows a message of ours that was stored before this page went on reading, if it belongs into what is shown.
   * @param {string} id
   * @param {number} seq
   */
  async #fetchStored(id, seq) {
    if (seq < this.#history.first) return;
    try {
      const page = await this.#pages.fetch(`${this.#home}/${seq}`);
      const message = /** @type {HTMLElement | null} */ (page.querySelector(`#log [data-id="${CSS.escape(id)}"]`));
      if (message && this.#fragments.put(message)) this.#log.added(message, false);
    } catch {
      // It is stored, and the next page that is loaded shows it.
    }
  }

  // Pages

  /**
   * Before each try to connect. Fails while the server cannot be reached.
   * @param {boolean} loggedOut
   */
  async #prepare(loggedOut) {
    this.#tries++;
    if (!this.#stale && !loggedOut && this.#tries % PROBE_TRIES !== 0) return;
    const page = await this.#pages.fetch(this.#home);
    if (!this.#stale) return;
    this.#stale = false;
    this.#last = new Position(lastOf(page.body));
    this.#history.replace(page);
    const line = clone(this.#elements.systemLine);
    const text = line.querySelector(".system__text");
    if (text) text.textContent = this.#words.get("sys.reset");
    this.#elements.list.prepend(line);
    this.#showOutbox();
  }
}
