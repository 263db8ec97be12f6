const NEAR_END_PX = 80; // so near to the end, the log follows what is new

/** Log is the list as one reads it: it follows the end while one is there, and counts what comes when one is not. */
export class Log {
  #list;
  #scroller;
  #jump;
  #decorator;
  #history;
  #unreadLine;
  #onUnread;
  #following = true;
  #top = 0; // scrollTop when it was last looked at
  #height = 0; // and scrollHeight
  #unread = 0;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {HTMLElement} parts.scroller
   * @param {HTMLElement | null} parts.jump the button that leads to the end
   * @param {import("./decorate.js").Decorator} parts.decorator
   * @param {import("./history.js").History} parts.history
   * @param {() => HTMLElement} parts.unreadLine
   * @param {(n: number) => void} parts.onUnread
   */
  constructor({ list, scroller, jump, decorator, history, unreadLine, onUnread }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#jump = jump;
    this.#decorator = decorator;
    this.#history = history;
    this.#unreadLine = unreadLine;
    this.#onUnread = onUnread;
  }

  /** Whether the reader sees what is new. */
  get atEnd() {
    return this.#following && this.#list.ownerDocument.visibilityState === "visible";
  }

  // Actions

  /**
   * Takes over the list as the server rendered it.
   * @param {boolean} live the page ends where the room does
   * @param {string} seq the message that the page is about, "" for the last one
   */
  begin(live, seq) {
    this.#decorator.all(this.#list);
    const target = seq ? this.#list.querySelector(`[data-seq="${seq}"]`) : null;
    this.#following = live && !target;
    if (live) this.#follow();
    if (target) target.scrollIntoView({ block: "center" });
    else this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#history.watch();
  }

  /** Goes to the newest message and follows from there. */
  toEnd() {
    this.#following = true;
    this.#settle();
    this.read();
  }

  /** The reader has seen everything, if the end is on the screen. */
  read() {
    if (this.atEnd) this.#count(0);
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
    if (this.#following) void this.#history.trim();
  }

  /** @param {HTMLElement} element */
  remove(element) {
    const next = element.nextElementSibling;
    element.remove();
    if (next) this.#decorator.message(/** @type {HTMLElement} */ (next));
  }

  /** Takes the line before what was unread away: whoever answers has read it. */
  clearUnread() {
    const line = this.#list.querySelector("[data-unread]");
    if (line) this.remove(/** @type {HTMLElement} */ (line));
    this.#count(0);
  }

  // Internal

  #follow() {
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#jump?.addEventListener("click", (event) => {
      event.preventDefault();
      this.toEnd();
    });
    // Once per frame, however much has come.
    const size = new ResizeObserver(() => this.#settle());
    size.observe(this.#list);
    size.observe(this.#scroller);
    this.#settle();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (scrollHeight - clientHeight - scrollTop <= NEAR_END_PX) {
      this.#following = true;
      this.read();
    } else if (scrollTop < this.#top && scrollHeight >= this.#height) {
      this.#following = false; // somebody went up; that the list grew or was trimmed does not count
    }
    this.#look();
  }

  #settle() {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#look();
  }

  #look() {
    this.#top = this.#scroller.scrollTop;
    this.#height = this.#scroller.scrollHeight;
    if (this.#jump) this.#jump.hidden = this.#following;
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
    const line = this.#unreadLine();
    line.toggleAttribute("data-unread", true);
    element.before(line);
  }
}
