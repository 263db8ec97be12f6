import { newID } from "./id.js";
import { parsePage } from "./fragment.js";

/** What hosts type. The server reads the rest of the line; whatever else begins with a slash is not ours. */
const ACT = /^\/(?:kick|mute|unmute|ban|unban|slow|close|open|mod|unmod|owner)(?:\s|$)/;
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Hosts is what owners and moderators do in a room, and what is done to others by them: the sheet about a person, lines
 * that are commands, and the card that says why one was removed.
 */
export class Hosts {
  #body;
  #sheet;
  #ended;
  #send;
  #composer;
  /** @type {Map<string, string>} lines that wait for their receipt, by id */
  #acts = new Map();
  #timer = 0; // until one may write again

  /**
   * @param {import("./app.js").Elements} elements
   * @param {import("./composer.js").Composer} composer
   * @param {(command: object) => boolean} send
   */
  constructor({ body, sheet, ended }, composer, send) {
    this.#body = body;
    this.#sheet = sheet;
    this.#ended = ended;
    this.#send = send;
    this.#composer = composer;
    body.addEventListener("click", (event) => this.#click(event));
    body.addEventListener("submit", (event) => this.#submit(event));
    this.#watch();
  }

  /**
   * Whether a line is a command of hosts.
   * @param {string} text
   */
  knows(text) {
    return ACT.test(text);
  }

  /**
   * Takes a line that is a command and tells whether it did. What cannot be sent now stays in the field.
   * @param {string} text
   */
  takes(text) {
    if (!ACT.test(text)) return false;
    const id = newID(Date.now());
    if (this.#send({ type: "act", id, line: text })) this.#acts.set(id, text);
    else this.#composer.restore(text);
    return true;
  }

  /**
   * Whether the reader may delete what somebody else wrote.
   * @param {HTMLElement} message
   */
  mayDelete(message) {
    return Boolean(this.#body.dataset.role && message.dataset.seq) && message.dataset.erased === undefined;
  }

  /**
   * Takes what the server says to hosts, or of what hosts do, and tells whether it did.
   * @param {string} name of the frame
   * @param {DOMStringMap} data
   * @param {string} text
   */
  control(name, data, text) {
    if (name === "notice") this.#told(data, text);
    return name === "notice" || ((name === "ack" || name === "error") && this.#answered(data["id"] ?? "", text));
  }

  // Internal

  /**
   * @param {string} id
   * @param {string} problem "" for a receipt
   */
  #answered(id, problem) {
    const line = this.#acts.get(id);
    if (line === undefined) return false;
    this.#acts.delete(id);
    if (problem) {
      this.#composer.restore(line);
      this.#composer.say("error", problem);
    }
    return true;
  }

  /**
   * Something was done to me.
   * @param {DOMStringMap} data
   * @param {string} text
   */
  #told(data, text) {
    switch (data["action"]) {
      case "kick":
      case "ban":
        return this.#end(data["action"], text);
      case "role":
        if (data["role"]) this.#body.dataset.role = data["role"];
        else delete this.#body.dataset.role;
        return;
      case "mute":
      case "unmute":
        return this.#watch();
    }
  }

  /** Lets me write again when the time is over. */
  #watch() {
    clearTimeout(this.#timer);
    const barred = /** @type {HTMLElement | null} */ (this.#body.querySelector(".composer__barred--me"));
    const until = Number(barred?.dataset.until ?? 0);
    if (!barred || barred.hidden || !until) return;
    this.#timer = setTimeout(() => (barred.hidden = true), Math.min(MAX_TIMER_MS, Math.max(0, until - Date.now())));
  }

  /**
   * A card over the page says why it has ended; what was typed can be copied.
   * @param {string} action
   * @param {string} text
   */
  #end(action, text) {
    const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (this.#ended.querySelector(name));
    const draft = this.#composer.text;
    this.#ended.dataset.action = action;
    find(".ended__text").textContent = text;
    find(".ended__kept").hidden = draft === "";
    /** @type {HTMLTextAreaElement} */ (find(".ended__draft")).value = draft;
    if (this.#sheet.open) this.#sheet.close();
    if (!this.#ended.open) this.#ended.showModal();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {Element} */ (event.target);
    if (target === this.#sheet || target.closest("[data-close]")) {
      event.preventDefault();
      return this.#sheet.close();
    }
    if (!this.#body.dataset.role || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest(".person__act"));
    const name = target.closest(".message:not([data-own]) :is(.message__name, .message__avatar)");
    const member = /** @type {HTMLElement | null | undefined} */ (name?.closest("[data-member]"))?.dataset.member;
    const href = link?.href ?? (member && `/people/${member}`);
    if (!href) return;
    event.preventDefault();
    void this.#open(href);
  }

  /** @param {string} href */
  async #open(href) {
    try {
      this.#show(await fetch(href, { headers: { Accept: "text/html" } }));
    } catch {
      location.assign(href);
    }
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.getAttribute("action") !== "/act") return;
    event.preventDefault();
    void this.#post(form, new FormData(form, event.submitter));
  }

  /**
   * @param {HTMLFormElement} form
   * @param {FormData} data
   */
  async #post(form, data) {
    const body = new URLSearchParams();
    for (const [name, value] of data) body.append(name, String(value));
    try {
      const response = await fetch("/act", { method: "POST", body, headers: { Accept: "text/html" }, redirect: "manual" });
      if (response.type !== "opaqueredirect") return await this.#show(response);
      if (this.#sheet.open) this.#sheet.close();
      /** @type {HTMLElement | null} */ (form.closest("[popover]"))?.hidePopover();
    } catch {
      form.submit(); // the browser says what is wrong
    }
  }

  /**
   * Shows the part of a page that is about a person or, where there is none, what went wrong.
   * @param {Response} response
   */
  async #show(response) {
    const page = parsePage(await response.text());
    const part = page.querySelector("main");
    if (!part) throw new Error(`${response.url}: ${response.status}`);
    this.#sheet.replaceChildren(part);
    this.#sheet.setAttribute("aria-label", part.querySelector("h1")?.textContent ?? "");
    if (!this.#sheet.open) this.#sheet.showModal();
  }
}
