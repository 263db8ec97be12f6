const GRACE_MS = 2_000; // a connection that comes back so soon is not worth a word
const BACK_MS = 2_000; // the good news stands so long
const SECOND_MS = 1_000;

/** Banner says how the connection is, when there is something to say. */
export class Banner {
  #element;
  #words;
  #text;
  #button;
  #onTrouble;
  #grace = 0; // timer
  #tick = 0; // timer
  #shown = false; // trouble has been said
  /** @type {import("./connection.js").State} */
  #state = { name: "connecting", restart: false, slow: false, retryAt: 0 };

  /**
   * @param {HTMLElement} element
   * @param {import("./words.js").Words} words
   * @param {() => void} onRetry
   * @param {(trouble: boolean) => void} onTrouble there is trouble that has been said, or no more
   */
  constructor(element, words, onRetry, onTrouble) {
    this.#element = element;
    this.#words = words;
    this.#onTrouble = onTrouble;
    this.#text = /** @type {HTMLElement} */ (element.querySelector(".banner__text"));
    this.#button = /** @type {HTMLElement} */ (element.querySelector(".banner__action"));
    this.#button.textContent = words.get("net.now");
    this.#button.addEventListener("click", onRetry);
  }

  /** Whether the banner says that something is wrong. */
  get trouble() {
    return this.#shown;
  }

  /** @param {import("./connection.js").State} state */
  show(state) {
    this.#state = state;
    if (state.name === "open") return this.#back();
    if (state.name === "ended") return this.#trouble();
    if (this.#shown || state.slow) this.#trouble();
    else this.#grace ||= setTimeout(() => this.#trouble(), GRACE_MS);
  }

  #trouble() {
    this.#stop();
    if (!this.#shown) this.#onTrouble((this.#shown = true));
    const { name, restart, slow, retryAt } = this.#state;
    if (name === "ended") return this.#say("closed", "net.closed", true);
    if (restart) return this.#say("restart", "net.restart", false);
    if (name === "connecting") return this.#say("retry", "net.connecting", false);
    const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / SECOND_MS));
    const span = this.#words.get("composer.wait", { s: seconds });
    this.#say("retry", slow ? "composer.slow" : "net.retry", !slow, { s: seconds, span });
    // A screen reader hears of the trouble once, not of every second.
    this.#tick = setTimeout(() => {
      this.#element.setAttribute("aria-live", "off");
      this.#trouble();
    }, SECOND_MS);
  }

  #back() {
    this.#stop();
    this.#element.removeAttribute("aria-live");
    if (!this.#shown) return;
    this.#onTrouble((this.#shown = false));
    this.#say("back", "net.back", false);
    this.#tick = setTimeout(() => (this.#element.hidden = true), BACK_MS);
  }

  #stop() {
    clearTimeout(this.#grace);
    clearTimeout(this.#tick);
    this.#grace = 0;
  }

  /**
   * @param {string} state
   * @param {string} key
   * @param {boolean} action
   * @param {Record<string, number | string>} [values]
   */
  #say(state, key, action, values) {
    this.#element.dataset.state = state;
    this.#element.hidden = false;
    this.#text.textContent = this.#words.get(key, values);
    this.#button.hidden = !action;
  }
}
