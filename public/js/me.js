/**
 * Shows who reads under the name they have now: another tab or device may have changed it. What was said keeps the name it
 * was said under.
 * @param {import("./app.js").Elements} elements
 * @param {DOMStringMap} data of a welcome
 */
export function showMe({ body, list, pending }, { name = "", hue = "", initials = "" }) {
  if (!name || name === body.dataset.name) return;
  body.dataset.name = name;
  const places = /** @type {NodeListOf<HTMLElement>} */ (body.querySelectorAll("[data-my]"));
  for (const place of places) {
    place.textContent = place.dataset.my === "name" ? name : initials;
    if (place.dataset.hue) place.dataset.hue = hue;
  }
  const waiting = list.querySelectorAll(":scope > .message[data-own]:not([data-seq])");
  const messages = /** @type {HTMLElement[]} */ ([...pending.content.children, ...waiting]);
  for (const message of messages) {
    Object.assign(message.dataset, { name, hue });
    put(message, ".message__name", name);
    put(message, ".message__avatar", initials);
  }
}

/**
 * @param {HTMLElement} message
 * @param {string} part
 * @param {string} text
 */
function put(message, part, text) {
  const place = message.querySelector(part);
  if (place) place.textContent = text;
}
