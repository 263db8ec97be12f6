const GROUP_MS = 5 * 60_000; // messages of one member that follow within so long stand together
const DAY_MS = 24 * 3_600_000;

/**
 * Decorator sets on messages what depends on who reads them and where: own, grouped, the «вы» mark, lines between days
 * and local time. A live message has only facts; after decoration it is what the template renders for history.
 */
export class Decorator {
  #me;
  #words;
  #dateLine;
  #code;
  #time;
  #full;
  #day;
  #dayOfYear;

  /**
   * @param {object} parts
   * @param {string} parts.me the member who reads
   * @param {string} parts.lang
   * @param {import("./words.js").Words} parts.words
   * @param {() => HTMLElement} parts.dateLine makes an empty line between days
   * @param {import("./code.js").Parts} [parts.code] of the buttons beside code
   */
  constructor({ me, lang, words, dateLine, code }) {
    this.#me = me;
    this.#words = words;
    this.#dateLine = dateLine;
    this.#code = code;
    const locale = lang === "en" ? "en-GB" : lang; // 23 November, as the server writes it
    this.#time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.#full = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "medium" });
    this.#day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" });
    this.#dayOfYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
  }

  /**
   * Decorates everything in a list.
   * @param {HTMLElement} list
   */
  all(list) {
    for (const message of messagesOf(list)) this.#decorate(message);
  }

  /**
   * Decorates one message and the one after it, whose place among its neighbours has changed with it. Other elements
   * are left alone.
   * @param {HTMLElement} element
   */
  message(element) {
    if (isMessage(element)) this.#decorate(element);
    const next = nextMessage(element);
    if (next) this.#decorate(next);
  }

  /**
   * Marks the rows of the reader in a list of people.
   * @param {HTMLElement} people
   */
  people(people) {
    for (const row of people.querySelectorAll(".person[data-member]")) this.#markOwn(/** @type {HTMLElement} */ (row), ".person__own");
  }

  /**
   * Writes the lines between days anew, after midnight.
   * @param {HTMLElement} list
   */
  relabel(list) {
    for (const line of list.children) {
      if (isDate(line)) this.#label(/** @type {HTMLElement} */ (line), nextMessage(line));
    }
  }

  /** @param {HTMLElement} message */
  #decorate(message) {
    this.#markOwn(message, ".message__own");
    const called = mentions(message, this.#me);
    message.toggleAttribute("data-mine", called && message.dataset.member !== this.#me);
    if (called) for (const chip of message.querySelectorAll(`.mention[data-member="${CSS.escape(this.#me)}"]`)) chip.toggleAttribute("data-me", true);
    this.#markOwn(message, '[data-do="edit"]');
    for (const tool of message.querySelectorAll(".message__tool")) tool.setAttribute("tabindex", "-1"); // the arrows lead there
    const time = message.querySelector("time");
    if (time) {
      time.textContent = this.#time.format(atOf(message));
      time.title = this.#full.format(atOf(message));
    }
    const edited = /** @type {HTMLTimeElement | null} */ (message.querySelector(".message__edited"));
    if (edited) edited.title = this.#full.format(Date.parse(edited.dateTime));
    if (message.querySelector("pre")) this.#dress(message);
    this.#separate(message);
    const before = message.previousElementSibling;
    message.toggleAttribute("data-grouped", isMessage(before) && together(/** @type {HTMLElement} */ (before), message));
  }

  /** @param {HTMLElement} message with code in it */
  #dress(message) {
    const parts = this.#code;
    if (parts) void import("./code.js").then(({ dress }) => dress(message, parts, this.#words)).catch(() => {});
  }

  /**
   * @param {HTMLElement} element of a member
   * @param {string} mark what says «вы» in it
   */
  #markOwn(element, mark) {
    const own = element.dataset.member === this.#me;
    element.toggleAttribute("data-own", own);
    element.querySelector(mark)?.toggleAttribute("hidden", !own);
  }

  /**
   * Keeps exactly one line between message and the message before it when their days differ, and none otherwise.
   * @param {HTMLElement} message
   */
  #separate(message) {
    const lines = [];
    let before = message.previousElementSibling;
    for (; before && !isMessage(before); before = before.previousElementSibling) {
      if (isDate(before)) lines.push(/** @type {HTMLElement} */ (before));
    }
    const wanted = !before || dayOf(/** @type {HTMLElement} */ (before)) !== dayOf(message);
    const line = wanted ? (lines.pop() ?? this.#newLine(message)) : null;
    for (const extra of lines) extra.remove();
    if (line) this.#label(line, message);
  }

  /**
   * A new line between days. What came before the first message of its day, such as that somebody came, is of that day, too.
   * @param {HTMLElement} message
   */
  #newLine(message) {
    const line = this.#dateLine();
    const ofDay = (/** @type {Element | null} */ e) => e instanceof HTMLElement && !isMessage(e) && (!e.dataset.at || dayOf(e) === dayOf(message));
    let first = message;
    while (ofDay(first.previousElementSibling)) first = /** @type {HTMLElement} */ (first.previousElementSibling);
    first.before(line);
    return line;
  }

  /**
   * @param {HTMLElement} line
   * @param {HTMLElement | null} message the first of the day
   */
  #label(line, message) {
    if (!message) return;
    line.dataset.date = dayOf(message);
    const label = line.querySelector(".date__label");
    if (label) label.textContent = this.#nameOf(atOf(message));
  }

  /** @param {number} at */
  #nameOf(at) {
    const now = Date.now();
    if (dayKey(at) === dayKey(now)) return this.#words.get("log.today");
    if (dayKey(at) === dayKey(midnight(now) - DAY_MS / 2)) return this.#words.get("log.yesterday");
    const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
    return (sameYear ? this.#day : this.#dayOfYear).format(at);
  }
}

/**
 * The messages in a list, pending ones included.
 * @param {HTMLElement} list
 */
export function messagesOf(list) {
  return /** @type {HTMLElement[]} */ ([...list.children].filter(isMessage));
}

/**
 * Whether a message mentions a member.
 * @param {HTMLElement} message
 * @param {string} member
 */
export function mentions(message, member) {
  return (message.dataset.mentions ?? "").split(",").includes(member);
}

/** @param {Element | null} element */
function isMessage(element) {
  return element?.getAttribute("data-kind") === "message";
}

/** @param {Element} element */
function isDate(element) {
  return element.hasAttribute("data-date");
}

/**
 * @param {Element} element
 * @returns {HTMLElement | null}
 */
function nextMessage(element) {
  let next = element.nextElementSibling;
  while (next && !isMessage(next)) next = next.nextElementSibling;
  return /** @type {HTMLElement | null} */ (next);
}

/**
 * @param {HTMLElement} before
 * @param {HTMLElement} message
 */
function together(before, message) {
  const pause = atOf(message) - atOf(before);
  if ("does" in before.dataset || "does" in message.dataset) return false;
  return before.dataset.member === message.dataset.member && dayOf(before) === dayOf(message) && pause <= GROUP_MS;
}

/** @param {HTMLElement} message */
function atOf(message) {
  return Number(message.dataset.at);
}

/** @param {HTMLElement} message */
function dayOf(message) {
  return dayKey(atOf(message));
}

/** @param {number} at */
function dayKey(at) {
  const date = new Date(at);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** @param {number} now */
function midnight(now) {
  return new Date(now).setHours(0, 0, 0, 0);
}
