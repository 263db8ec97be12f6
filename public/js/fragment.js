/**
 * The one door through which HTML enters the page. It comes only from this server, which has escaped and cleaned it;
 * Trusted Types keep every other way shut. No other module makes elements or sets HTML.
 */

/** @typedef {{createHTML(html: string): string}} Policy */

/** @type {Policy} */
const rules = { createHTML: (html) => html };
const types = /** @type {{createPolicy(name: string, rules: Policy): Policy} | undefined} */ (Reflect.get(globalThis, "trustedTypes"));
const policy = types?.createPolicy("govor", rules) ?? rules;

/**
 * The top-level elements of a fragment.
 * @param {string} html
 * @returns {HTMLElement[]}
 */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return /** @type {HTMLElement[]} */ ([...template.content.children]);
}

/**
 * A whole page, of which nothing runs and nothing is loaded.
 * @param {string} html
 */
export function parsePage(html) {
  return new DOMParser().parseFromString(policy.createHTML(html), "text/html");
}

/**
 * A copy of the one element in a template.
 * @param {HTMLTemplateElement} template
 */
export function clone(template) {
  const element = template.content.firstElementChild;
  if (!element) throw new Error(`template ${template.id} is empty`);
  return /** @type {HTMLElement} */ (document.importNode(element, true));
}

/**
 * @typedef {object} Frame what a control frame says
 * @property {string} name
 * @property {DOMStringMap} data
 * @property {string} text
 */

const MAX_CHANGES = 500; // that are remembered for pages which were fetched before them

/** Fragments applies fragments to a page. Applying one twice changes nothing. */
export class Fragments {
  #page;
  #onFrame;
  #accepts;
  /** @type {Map<string, HTMLElement>} */
  #changes = new Map(); // what has become of elements, by id

  /**
   * @param {Document} page
   * @param {(frame: Frame) => void} onFrame
   * @param {(element: HTMLElement) => boolean} [accepts] whether an element that the page does not have may come into its list
   */
  constructor(page, onFrame, accepts = () => true) {
    this.#page = page;
    this.#onFrame = onFrame;
    this.#accepts = accepts;
  }

  /**
   * Returns the elements that are now in the page.
   * @param {string} html
   */
  apply(html) {
    return parse(html).filter((element) => this.put(element));
  }

  /**
   * Puts one element where it belongs and tells whether it is in the page now.
   * @param {HTMLElement} element
   * @returns {boolean}
   */
  put(element) {
    if (element instanceof HTMLTemplateElement) {
      const { frame = "", ...data } = element.dataset;
      this.#onFrame({ name: frame, data, text: element.content.textContent?.trim() ?? "" });
      return false;
    }
    if (element.id && changeOf(element)) this.#remember(element);
    const old = element.id && this.#page.getElementById(element.id);
    if (old) return changeOf(element) >= changeOf(old) && this.#replace(old, element);
    const list = this.#page.getElementById(element.dataset.list ?? "");
    if (!list || !this.#accepts(element)) return false;
    if (numberOf(element)) insertMessage(list, element);
    else list.append(element);
    return true;
  }

  /**
   * The elements of another page, brought up to date: it may have been rendered before a change that was shown here.
   * @param {HTMLElement[]} elements
   */
  renew(elements) {
    return elements.map((element) => {
      const change = this.#changes.get(element.id);
      return change && changeOf(change) > changeOf(element) ? inherit(/** @type {HTMLElement} */ (change.cloneNode(true)), element) : element;
    });
  }

  /** @param {HTMLElement} element */
  #remember(element) {
    this.#changes.delete(element.id);
    this.#changes.set(element.id, /** @type {HTMLElement} */ (element.cloneNode(true)));
    const [oldest] = this.#changes.keys();
    if (oldest && this.#changes.size > MAX_CHANGES) this.#changes.delete(oldest);
  }

  /**
   * @param {HTMLElement} old
   * @param {HTMLElement} element
   */
  #replace(old, element) {
    const focused = old.contains(this.#page.activeElement) ? this.#page.activeElement : null;
    inherit(element, /** @type {HTMLElement} */ (old));
    old.replaceWith(element);
    if (focused === old) element.focus({ preventScroll: true });
    else if (focused) /** @type {HTMLElement | null} */ (element.querySelector(selectorOf(focused)))?.focus();
    return true;
  }
}

/**
 * The message that waits in list for the echo with this id. What waits has no number yet.
 * @param {Element} list
 * @param {string} id
 * @returns {HTMLElement | null}
 */
export function pendingOf(list, id) {
  return list.querySelector(`:scope > [data-id="${CSS.escape(id)}"]:not([data-seq])`);
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} message
 */
function insertMessage(list, message) {
  const pending = pendingOf(list, message.dataset.id ?? "");
  const before = placeFor(list, numberOf(message));
  if (pending && pending.dataset.member === message.dataset.member) {
    if (before === pending) return pending.replaceWith(message);
    pending.remove();
  }
  list.insertBefore(message, before);
}

/**
 * The element before which the message with this number belongs; null is the end. Messages that wait stay at the end,
 * so that an echo, which comes in the order of sending, takes the place of its own.
 * @param {HTMLElement} list
 * @param {number} number
 */
function placeFor(list, number) {
  let before = null;
  for (let element = list.lastElementChild; element; element = element.previousElementSibling) {
    const other = numberOf(/** @type {HTMLElement} */ (element));
    if (other && other < number) break;
    if (other || element.hasAttribute("data-id")) before = element;
  }
  return before;
}

/**
 * A change does not say which list it belongs to: it is where what it changes is.
 * @param {HTMLElement} element
 * @param {HTMLElement} old
 */
function inherit(element, old) {
  if (old.dataset.list) element.dataset.list = old.dataset.list;
  return element;
}

/**
 * The number of the event that changed a message last.
 * @param {HTMLElement} element
 */
function changeOf(element) {
  return Number(element.dataset.changed ?? 0);
}

/** @param {HTMLElement} element */
function numberOf(element) {
  return Number(element.dataset.seq ?? 0);
}

/** @param {Element} element */
function selectorOf(element) {
  const name = ["data-action", "data-toggle", "href", "name"].find((attribute) => element.hasAttribute(attribute));
  if (element.id) return `#${CSS.escape(element.id)}`;
  return name ? `[${name}="${CSS.escape(element.getAttribute(name) ?? "")}"]` : element.localName;
}
