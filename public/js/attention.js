import { saidIn } from "./announcer.js";
import { mentions } from "./decorate.js";
import { capped } from "./rooms.js";

/**
 * Attention calls for the reader: by the title and the icon of the tab, by the badge of the app, and, if that was
 * allowed, by a notification when somebody mentions the reader while nobody looks.
 */
export class Attention {
  #page;
  #icon;
  #title;
  #here = 0;
  #elsewhere = 0;
  /** @type {Map<string, Notification>} */
  #shown = new Map(); // by room

  /**
   * @param {Document} page
   * @param {HTMLLinkElement | null} icon with data-waiting, the address of the icon for a tab in which something waits
   * @param {HTMLElement | null} offer the button that asks for the permission to notify
   */
  constructor(page, icon, offer) {
    this.#page = page;
    this.#icon = icon;
    this.#title = page.title;
    if (icon) icon.dataset.idle = icon.href;
    if (offer) this.#offer(offer);
  }

  /** How much is unread in the room on the screen. */
  set here(/** @type {number} */ unread) {
    this.#here = unread;
    this.#show();
  }

  /** How much is unread in the other rooms. */
  set elsewhere(/** @type {number} */ unread) {
    this.#elsewhere = unread;
    this.#show();
  }

  /**
   * Somebody has mentioned the reader.
   * @param {string} room
   * @param {string} title
   * @param {string} text
   * @param {string} href where to read it
   */
  mention(room, title, text, href) {
    if (this.#page.visibilityState === "visible" || !mayNotify()) return;
    try {
      const note = new Notification(title, { body: text, tag: `govor/${room}`, icon: this.#icon?.dataset.waiting });
      note.onclick = () => {
        focus();
        note.close();
        if (new URL(href, location.href).pathname !== location.pathname) location.assign(href);
      };
      this.#shown.set(room, note);
    } catch {
      // Some browsers on phones have the word and not the thing.
    }
  }

  /**
   * Somebody has said something in the room on the screen.
   * @param {HTMLElement} message
   * @param {DOMStringMap} page
   */
  message(message, { room = "", title = "", me = "" }) {
    if (!mentions(message, me)) return;
    this.mention(room, title, saidIn(message), location.pathname);
  }

  /**
   * A room was read: what was said of it is settled.
   * @param {string} room
   */
  settle(room) {
    this.#shown.get(room)?.close();
    this.#shown.delete(room);
  }

  #show() {
    const unread = this.#here + this.#elsewhere;
    this.#page.title = unread ? `(${capped(unread)}) ${this.#title}` : this.#title;
    const { idle, waiting } = this.#icon?.dataset ?? {};
    const href = unread ? waiting : idle;
    if (this.#icon && href && this.#icon.getAttribute("href") !== href) this.#icon.href = href;
    const badge = unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
    badge?.catch(() => {}); // not an installed app
  }

  /** @param {HTMLElement} button */
  #offer(button) {
    button.hidden = !("Notification" in globalThis) || Notification.permission !== "default";
    button.addEventListener("click", async () => {
      await Notification.requestPermission();
      button.hidden = Notification.permission !== "default";
    });
  }
}

function mayNotify() {
  return "Notification" in globalThis && Notification.permission === "granted";
}
