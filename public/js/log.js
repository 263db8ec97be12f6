import { firstVisible } from "./steady.js";

const NEAR_END_PX = 80; // so near to the end, the log follows what is new

/** Log is the list as one reads it: it follows the end while one is there, and counts what comes when one is not. */
export class Log {
  #list;
  #scroller;
  #jump;
  #fresh;
  #decorator;
  #history;
  #steady;
  #unreadLine;
  #onUnread;
  #onJump;
  #live = true;
  #following = true;
  #top = 0; // scrollTop when it was last looked at
  #height = 0; // and scrollHeight
  #unread = 0;
  #readTo = Infinity; // number up to which the reader knew the room when the page came

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {HTMLElement} parts.scroller
   * @param {HTMLElement | null} parts.jump the button that leads to the end
   * @param {HTMLAnchorElement | null} parts.fresh the link to the line before what was unread
   * @param {import("./decorate.js").Decorator} parts.decorator
   * @param {import("./history.js").History} parts.history
   * @param {import("./steady.js").Steady} parts.steady
   * @param {() => HTMLElement} parts.unreadLine
   * @param {(n: number) => void} parts.onUnread
   * @param {() => void} parts.onJump the reader wants to see the newest messages
   */
  constructor({ list, scroller, jump, fresh, decorator, history, steady, unreadLine, onUnread, onJump }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#jump = jump;
    this.#fresh = fresh;
    this.#decorator = decorator;
    this.#history = history;
    this.#steady = steady;
    steady.onHeld = () => this.#look();
    this.#unreadLine = unreadLine;
    this.#onUnread = onUnread;
    this.#onJump = onJump;
  }

  /** Whether the reader sees what is new. */
  get atEnd() {
    return this.#live && this.#following && this.#list.ownerDocument.visibilityState === "visible";
  }

  /** The message that is being read, null for the last one. */
  get reading() {
    return this.#following ? null : firstVisible(this.#scroller, this.#list);
  }

  /** Whether the list ends where the room does, so that one can follow it. */
  set live(/** @type {boolean} */ live) {
    this.#live = live;
    if (!live) this.#following = false;
    this.#look();
  }

  // Actions

  /**
   * Takes over the list as the server rendered it.
   * @param {boolean} live the page ends where the room does
   * @param {number} target number of the message that the page is about, 0 for the last one
   * @param {{to: number, unread: number}} before up to which number the room was read, and how much was not
   */
  begin(live, target, before) {
    this.#decorator.all(this.#list);
    this.#readTo = before.to;
    this.#live = live;
    const message = target ? /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-seq="${target}"]`)) : null;
    this.#following = live && !message;
    this.#listen();
    this.#takeOver();
    const first = message ?? (live ? null : this.#line);
    first?.scrollIntoView({ block: "center" });
    this.#count(this.atEnd ? 0 : before.unread);
    this.#look();
    this.#history.watch();
  }

  /** Goes to the end of the list and follows from there. */
  toEnd() {
    this.#following = this.#live;
    this.#toBottom();
    this.#look();
    this.read();
  }

  /** The reader has seen everything, if the end is on the screen. */
  read() {
    if (this.atEnd) this.#count(0);
  }

  /** Another device of the reader has seen everything. */
  readElsewhere() {
    this.#count(0);
  }

  /**
   * Settles an element that has come into the list.
   * @param {HTMLElement} element
   * @param {boolean} news whether the reader is to be told of it
   */
  added(element, news) {
    if (news && !this.atEnd) {
      if (this.#unread === 0) this.#markUnread(element);
      this.#count(this.#unread + 1);
    }
    this.#decorator.message(element);
    this.#trim();
  }

  /** Settles messages that have come in before the first one. */
  older() {
    this.placeUnread();
    this.#trim();
  }

  /** Counts a message that is not in the list because the list ends before it. */
  missed() {
    this.#count(this.#unread + 1);
  }

  /** @param {HTMLElement} element */
  remove(element) {
    const next = element.nextElementSibling;
    element.remove();
    if (next) this.#decorator.message(/** @type {HTMLElement} */ (next));
  }

  /** Takes the line before what was unread away: whoever answers has read it. */
  clearUnread() {
    if (this.#line) this.remove(this.#line);
    this.#readTo = Infinity;
    this.#count(0);
    this.#look();
  }

  /**
   * Puts the line before what was unread in its place, if that place has come into the list.
   * @param {boolean} [first] the list begins with what was unread
   */
  placeUnread(first = false) {
    if (this.#line || this.#readTo === Infinity) return;
    const messages = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("[data-seq]")]);
    const at = messages.findIndex((message) => Number(message.dataset.seq) > this.#readTo && message.dataset.own === undefined);
    const message = messages[at];
    if (message && (at > 0 || first || !this.#history.hasOlder)) this.#insertLine(message);
  }

  /**
   * Goes to what was unread, if it is in the list.
   * @returns {boolean}
   */
  toUnread() {
    if (!this.#line) return false;
    this.#following = false;
    this.#line.scrollIntoView({ block: "center" });
    this.#look();
    return true;
  }

  // Internal

  /** From now on the log is where we put it. It stays where it was by itself: at its end, or where somebody has scrolled to. */
  #takeOver() {
    const up = -this.#scroller.scrollTop; // counted from the end until now
    this.#scroller.toggleAttribute("data-scripted", true);
    this.#following &&= up <= NEAR_END_PX;
    this.#scroller.scrollTop = this.#scroller.scrollHeight - this.#scroller.clientHeight - (this.#following ? 0 : up);
  }

  /** @returns {HTMLElement | null} the line before what was unread */
  get #line() {
    return this.#list.querySelector("[data-unread]");
  }

  #listen() {
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#jump?.addEventListener("click", (event) => {
      event.preventDefault();
      this.#onJump();
    });
    // Once per frame, however much has come.
    const size = new ResizeObserver(() => this.#settle());
    size.observe(this.#list);
    size.observe(this.#scroller);
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (this.#live && scrollHeight - clientHeight - scrollTop <= NEAR_END_PX) {
      this.#following = true;
      this.read();
    } else if (scrollTop < this.#top && scrollHeight >= this.#height) {
      this.#following = false; // somebody went up; that the list grew or was trimmed does not count
    } else if (this.#following) {
      this.#toBottom(); // as much came as was let go: the list has the size it had, and nothing else tells of it
    }
    this.#steady.noted();
    this.#look();
  }

  #settle() {
    if (this.#following) this.#toBottom();
    else this.#steady.resized();
    this.#look();
  }

  /** Who follows the end stays there, however much goes at once: the beginning would be taken for what is being read. */
  #trim() {
    if (this.#history.trim(this.reading) && this.#following) this.#toBottom();
  }

  #toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #look() {
    this.#top = this.#scroller.scrollTop;
    this.#height = this.#scroller.scrollHeight;
    this.#show(this.#jump, !this.#following);
    this.#show(this.#fresh, this.#readTo !== Infinity && !this.#seenUnread());
  }

  /**
   * Shows or hides a way through the list. Whoever has the focus on one that goes has it on the list then: a key finds it.
   * @param {HTMLElement | null} way
   * @param {boolean} shown
   */
  #show(way, shown) {
    if (!way || way.hidden === !shown) return;
    if (way === way.ownerDocument.activeElement) this.#scroller.focus({ preventScroll: true });
    way.hidden = !shown;
  }

  /** Whether the beginning of what was unread has been on the screen. */
  #seenUnread() {
    const line = this.#line;
    if (!line || line.getBoundingClientRect().bottom < this.#scroller.getBoundingClientRect().top) return false;
    this.#readTo = Infinity; // the line stays; the way to it is not needed any more
    return true;
  }

  /** @param {number} unread */
  #count(unread) {
    if (unread === this.#unread) return;
    this.#unread = unread;
    const badge = this.#jump?.querySelector(".jump__count");
    if (badge) {
      badge.textContent = String(unread);
      badge.toggleAttribute("hidden", unread === 0);
    }
    this.#onUnread(unread);
  }

  /** @param {HTMLElement} element the first that has not been seen */
  #markUnread(element) {
    this.clearUnread();
    this.#insertLine(element);
  }

  /** @param {HTMLElement} first */
  #insertLine(first) {
    const line = this.#unreadLine();
    line.toggleAttribute("data-unread", true);
    this.#steady.hold(() => {
      first.before(line);
      this.#decorator.message(first);
    });
  }
}
