const PAGE = 0.9; // of a screen

/**
 * @typedef {object} Parts
 * @property {HTMLElement} scroller
 * @property {HTMLTextAreaElement} field
 * @property {import("./room.js").Room} room
 * @property {import("./rooms.js").Rooms} rooms
 * @property {() => void} onHelp
 */

/**
 * The keys for reading: they work while one writes, too, as far as they mean nothing there.
 * @param {Document} page
 * @param {Parts} parts
 */
export function listenToKeys(page, parts) {
  page.addEventListener("keydown", (event) => {
    if (!event.defaultPrevented && !event.isComposing && handle(event, parts)) event.preventDefault();
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {Parts} parts
 * @returns {boolean} whether the key was for reading
 */
function handle(event, { scroller, field, room, rooms, onHelp }) {
  const { key, altKey, shiftKey, ctrlKey, metaKey } = event;
  if (ctrlKey || metaKey) return event.target === field && !altKey && !shiftKey && mark(event, field);
  if (altKey && (key === "ArrowDown" || key === "ArrowUp")) {
    const href = rooms.neighbour(key === "ArrowDown" ? 1 : -1, shiftKey);
    if (href) location.assign(href);
    return true;
  }
  if (altKey) return false;
  if (key === "?" && !isField(event.target) && !scroller.ownerDocument.querySelector("dialog[open]")) {
    onHelp();
    return true;
  }
  if (shiftKey && key === "Escape") {
    room.allRead();
    return true;
  }
  if (shiftKey || (event.target === field ? field.value !== "" && key === "End" : isField(event.target))) return false;
  if (key === "End") {
    void room.pane.toEnd();
    return true;
  }
  if (key !== "PageUp" && key !== "PageDown") return false;
  scroller.scrollBy({ top: (key === "PageDown" ? PAGE : -PAGE) * scroller.clientHeight });
  return true;
}

/**
 * Whether a key is for Markdown's marks, which it sets then. What that takes is loaded while a hand is on its way from Ctrl
 * to the letter. A keyboard with other letters has its shortcuts where the Latin ones are.
 * @param {KeyboardEvent} event
 * @param {HTMLTextAreaElement} field
 */
function mark({ key, code, ctrlKey }, field) {
  const marks = import("./marks.js").catch(() => null);
  const letter = (/^[a-z]$/i.test(key) ? key : code.slice(3)).toLowerCase();
  if (!["b", "i", "e"].includes(letter) || (ctrlKey && /^Mac|^iP/.test(navigator.platform))) return false; // a Mac has its own
  void marks.then((m) => m?.mark(field, /** @type {"b" | "i" | "e"} */ (letter)));
  return true;
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
