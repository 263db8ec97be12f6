import { Announcer } from "./announcer.js";
import { Banner } from "./banner.js";
import { Connection } from "./connection.js";
import { showMe } from "./me.js";
import { Pane } from "./pane.js";
import { Reading } from "./reading.js";
import { Writing } from "./writing.js";

const PROBE_TRIES = 3; // after so many tries in vain, we look whether we are still logged in
/** Refusals of a connection that may pass. */
const PASSING = ["too_many", "too_fast", "unavailable", "internal"];

/**
 * Room is the live page of a room: it hands what the server says to whom it concerns, and what the reader does to the
 * server.
 */
export class Room {
  #elements;
  #words;
  #name; // canonical name of the room
  #me;
  #stale = false; // the server cannot go on from where the page ends: it is fetched again before the next connection
  #tries = 0; // since the last joined
  #pane;
  #writing;
  #banner;
  #connection;
  #announcer;
  #reading;
  #rooms;
  #attention;

  /**
   * @param {import("./app.js").Elements} elements
   * @param {import("./words.js").Words} words
   * @param {import("./local.js").Local} local of this member
   * @param {{rooms: import("./rooms.js").Rooms, attention: import("./attention.js").Attention}} beside
   */
  constructor(elements, words, local, { rooms, attention }) {
    const { body } = elements;
    const { room = "", me = "", read } = body.dataset;
    this.#elements = elements;
    this.#words = words;
    this.#name = room;
    this.#me = me;
    this.#rooms = rooms;
    this.#attention = attention;
    const send = (/** @type {object} */ command) => this.#connection.send(command);
    this.#pane = new Pane({
      elements,
      words,
      onFrame: (frame) => this.#control(frame),
      onMessage: (message, fresh, own) => this.#message(message, fresh, own),
      onUnread: (unread) => this.#unread(unread),
      onAttach: (gap) => this.#attached(gap),
      onStranger: () => this.#connection.end(),
    });
    this.#writing = new Writing({ elements, words, local, pane: this.#pane, send, onSaid: () => this.#looked() });
    const onTrouble = (/** @type {boolean} */ trouble) => void (this.#writing.trouble = trouble);
    this.#banner = new Banner(elements.banner, words, () => this.#retry(), onTrouble);
    this.#announcer = new Announcer(elements.announcer, words);
    this.#reading = new Reading(room, Number(read), send);
    this.#connection = new Connection({
      dial: () => new WebSocket(this.#address(body.dataset.ws ?? ""), "govor.v1.html"),
      before: (loggedOut) => this.#prepare(loggedOut),
      onFrame: (html) => this.#pane.apply(html),
      onState: (state) => this.#banner.show(state),
      onLost: (code) => this.#writing.lost(code),
    });
  }

  /** Takes over the page. */
  start() {
    this.#pane.start(this.#elements.body.dataset);
    if (this.#pane.live) this.#writing.begin();
    this.#connection.retryNow();
  }

  /** Something has changed for the better: the network, or the attention of the reader. */
  wake() {
    this.#looked();
    this.#connection.retryNow();
  }

  /** What of the room is on the screen. */
  get pane() {
    return this.#pane;
  }

  focus() {
    this.#writing.focus();
  }

  /** The reader says that everything has been read. */
  allRead() {
    this.#pane.allRead();
    this.#reading.to(this.#pane.last);
  }

  /**
   * @param {string} key of what another tab has changed of what this browser keeps
   * @param {boolean} removed
   */
  changedElsewhere(key, removed) {
    if (removed) this.#writing.removedElsewhere(key);
  }

  // What the reader does

  #retry() {
    if (this.#connection.ended) location.reload();
    else this.#connection.retryNow();
  }

  #looked() {
    this.#pane.read();
    this.#reading.to(this.#pane.seen);
  }

  /** @param {number} unread in this room */
  #unread(unread) {
    this.#attention.here = unread;
    if (unread > 0) return;
    this.#attention.settle(this.#name);
    this.#reading.to(this.#pane.seen);
  }

  // What the server says

  /**
   * @param {HTMLElement} message
   * @param {boolean} fresh
   * @param {boolean} own
   */
  #message(message, fresh, own) {
    if (own) this.#writing.shown(message);
    else if (fresh) {
      this.#announcer.read(message);
      this.#attention.message(message, this.#elements.body.dataset);
    }
    this.#reading.to(this.#pane.seen);
  }

  /** @param {import("./fragment.js").Frame} frame */
  #control(frame) {
    if (this.#writing.ofHosts(frame)) return;
    const { name, data, text } = frame;
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
        return this.#writing.acknowledged(data, this.#pane.last);
      case "error":
        return this.#refused(data, text);
      case "news":
        return this.#rooms.news(data);
      case "read":
        return this.#readElsewhere(data);
    }
  }

  /**
   * Where the server goes on from where this page ends.
   * @param {string} path
   */
  #address(path) {
    const url = new URL(path, location.href.replace(/^http/, "ws"));
    const { after, id } = this.#pane.ask();
    url.searchParams.set("after", String(after));
    url.searchParams.set("id", id);
    return url;
  }

  /** @param {DOMStringMap} data */
  #welcome(data) {
    if (data["member"] !== this.#me) this.#connection.end();
    else showMe(this.#elements, data);
    this.#writing.welcome(data);
  }

  /** @param {DOMStringMap} data */
  #joined(data) {
    if (data["room"] !== this.#name || !this.#pane.joined(Number(data["after"]))) return;
    this.#tries = 0;
    this.#connection.joined();
    this.#writing.joined();
    this.#connection.send({ type: "watch", rooms: this.#rooms.watched });
    this.#reading.tell();
  }

  /** @param {DOMStringMap} data */
  #readElsewhere(data) {
    if (data["room"] === this.#name) this.#pane.readElsewhere(Number(data["seq"]));
    else this.#rooms.read(data);
    this.#attention.settle(data["room"] ?? "");
  }

  /** @param {DOMStringMap} data */
  #reset(data) {
    if (data["room"] !== this.#name) return;
    this.#stale = true;
    this.#connection.renew();
  }

  /** @param {DOMStringMap} data of an event that is no message */
  #passed(data) {
    if (data["room"] !== this.#name) return;
    this.#pane.passed(Number(data["seq"]), data["id"] ?? "");
    this.#writing.changed(data);
    this.#reading.to(this.#pane.seen);
  }

  /**
   * @param {DOMStringMap} data
   * @param {string} text
   */
  #refused(data, text) {
    const { id, code = "" } = data;
    this.#writing.refused(data, text);
    if (!id && !this.#connection.open && !PASSING.includes(code)) this.#connection.end();
  }

  // Pages

  /** @param {boolean} gap whether the connection has to go on from where the list ends now */
  #attached(gap) {
    this.#writing.begin();
    if (gap && this.#connection.open) this.#connection.renew();
    this.#looked();
  }

  /**
   * Before each try to connect. Fails while the server cannot be reached.
   * @param {boolean} loggedOut
   */
  async #prepare(loggedOut) {
    this.#tries++;
    if (this.#stale) await this.#pane.renew(this.#words.get("sys.reset"));
    else if (loggedOut || this.#tries % PROBE_TRIES === 0) await this.#pane.probe();
    this.#stale = false;
  }
}
