/**
 * Local is what this browser keeps between visits. Where it keeps nothing (private windows, a full disk), it lasts as
 * long as the page.
 */
export class Local {
  #prefix;
  #storage;
  /** @type {Map<string, string>} */
  #unsaved = new Map();

  /**
   * @param {string} prefix of all keys
   * @param {() => Storage} storage may throw, as `() => localStorage` does where storage is forbidden
   */
  constructor(prefix, storage) {
    this.#prefix = prefix;
    try {
      this.#storage = storage();
    } catch {
      this.#storage = null;
    }
  }

  /** @param {string} key */
  get(key) {
    return this.#unsaved.get(key) ?? this.#storage?.getItem(this.#prefix + key) ?? "";
  }

  /**
   * Keeps value; "" removes the key.
   * @param {string} key
   * @param {string} value
   */
  set(key, value) {
    this.#unsaved.delete(key);
    try {
      if (value === "") this.#storage?.removeItem(this.#prefix + key);
      else if (this.#storage) this.#storage.setItem(this.#prefix + key, value);
      else this.#unsaved.set(key, value);
    } catch {
      this.#unsaved.set(key, value);
    }
  }

  /**
   * The keys that begin with start, sorted.
   * @param {string} start
   * @returns {string[]}
   */
  keys(start) {
    const keys = new Set([...this.#unsaved.keys()].filter((key) => key.startsWith(start)));
    for (let i = 0; i < (this.#storage?.length ?? 0); i++) {
      const key = this.#storage?.key(i) ?? "";
      if (key.startsWith(this.#prefix + start)) keys.add(key.slice(this.#prefix.length));
    }
    return [...keys].sort();
  }

  /**
   * The key that an event of another tab is about, or "" when it is none of ours.
   * @param {StorageEvent} event
   */
  keyOf(event) {
    return event.key?.startsWith(this.#prefix) ? event.key.slice(this.#prefix.length) : "";
  }
}
