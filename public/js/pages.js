import { parsePage } from "./fragment.js";

const FETCH_MS = 10_000;

/** Pages fetches pages of the room as this member sees them. */
export class Pages {
  #me;
  #onStranger;

  /**
   * @param {string} me
   * @param {() => void} onStranger the server shows somebody else's page: one is logged out, or logged in anew
   */
  constructor(me, onStranger) {
    this.#me = me;
    this.#onStranger = onStranger;
  }

  /**
   * Fails when the server cannot be reached or does not give the page.
   * @param {string} href
   */
  async fetch(href) {
    const response = await fetch(href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(FETCH_MS) });
    const page = parsePage(await response.text());
    const { page: kind, me } = page.body.dataset;
    if (kind === "room" && me === this.#me) return page;
    if (kind === "room" || kind === "login") this.#onStranger();
    throw new Error(`${href}: ${response.status} ${kind}`);
  }
}

/**
 * Up to which event a page is complete.
 * @param {HTMLElement} body
 */
export function lastOf(body) {
  return { seq: Number(body.dataset.event ?? 0), id: body.dataset.eventId ?? "" };
}
