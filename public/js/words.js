const SECOND_MS = 1_000;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;

/** Words are the page's words in its language: the children of `<template id="words">`. */
export class Words {
  /** @type {Map<string, string>} */
  #words = new Map();
  #plural;
  #lang;

  /**
   * @param {HTMLTemplateElement | null} template holds `<span data-word="net.queue" data-form="few">…</span>`; without
   *   plural forms there is no data-form
   * @param {string} lang of the page
   */
  constructor(template, lang) {
    this.#plural = new Intl.PluralRules(lang);
    this.#lang = lang;
    for (const word of template?.content.querySelectorAll("[data-word]") ?? []) {
      const form = word.getAttribute("data-form");
      const key = word.getAttribute("data-word") + (form ? `.${form}` : "");
      this.#words.set(key, word.textContent?.trim() ?? "");
    }
  }

  /**
   * Returns the words for key with `{name}` replaced by values; a number `n` chooses the plural form. A key that the
   * page does not have is "".
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  get(key, values = {}) {
    const n = values["n"];
    const form = typeof n === "number" ? this.#words.get(`${key}.${this.#plural.select(n)}`) : undefined;
    const text = form ?? this.#words.get(`${key}.other`) ?? this.#words.get(key) ?? "";
    return text.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
  }

  /**
   * How long, as people say it: never less than it is.
   * @param {number} ms
   */
  span(ms) {
    const s = Math.ceil(ms / SECOND_MS);
    const [n, unit] = s < 2 * MINUTE_S ? [s, "second"] : s < 2 * HOUR_S ? [Math.ceil(s / MINUTE_S), "minute"] : [Math.ceil(s / HOUR_S), "hour"];
    return new Intl.NumberFormat(this.#lang, { style: "unit", unit, unitDisplay: "short" }).format(n);
  }
}
