/** What of Markdown keys put around the selection, by letter. */
const MARKS = { b: "**", i: "*", e: "`" };
const FENCE = "```";

/**
 * Puts the marks of a letter around what is selected, or takes them away if they are there. It is one step for undo, and
 * what was selected stays selected.
 * @param {HTMLTextAreaElement} field
 * @param {keyof typeof MARKS} letter
 */
export function mark(field, letter) {
  const [from, to] = trimmed(field);
  const mark = MARKS[letter];
  if (letter === "e" && field.value.slice(from, to).includes("\n")) return fence(field, from, to);
  const sign = mark[0] ?? "";
  const has = (/** @type {number} */ signs) => (letter === "i" ? signs % 2 === 1 : signs >= mark.length);
  const selected = field.value.slice(from, to);
  const [before, after] = [runAtEnd(field.value.slice(0, from), sign), run(field.value.slice(to), sign)];
  if (from === to && before === 0 && has(after)) {
    return field.setSelectionRange(to + mark.length, to + mark.length); // what was begun ends here
  }
  const inside = run(selected, sign) === selected.length ? 0 : Math.min(run(selected, sign), runAtEnd(selected, sign));
  const around = Math.min(before, after);
  const count = inside + around;
  const marked = has(count);
  const signs = sign.repeat(count + (marked ? -mark.length : mark.length));
  const text = selected.slice(inside, selected.length - inside);
  replace(field, from - around, to + around, signs + text + signs, signs.length, text.length);
}

/**
 * Several lines of code are a block.
 * @param {HTMLTextAreaElement} field
 * @param {number} from
 * @param {number} to
 */
function fence(field, from, to) {
  const { value } = field;
  const text = value.slice(from, to);
  const [open, close] = [`${FENCE}\n`, `\n${FENCE}`];
  if (value.slice(0, from).endsWith(open) && value.startsWith(close, to)) {
    return replace(field, from - open.length, to + close.length, text, 0, text.length);
  }
  if (text.startsWith(open) && text.endsWith(close)) {
    const bare = text.slice(open.length, -close.length);
    return replace(field, from, to, bare, 0, bare.length);
  }
  const before = from === 0 || value[from - 1] === "\n" ? open : `\n${open}`;
  const after = to === value.length || value[to] === "\n" ? close : `${close}\n`;
  replace(field, from, to, before + text + after, before.length, text.length);
}

/**
 * What is selected, without the blanks at its ends: marks beside a blank mean nothing.
 * @param {HTMLTextAreaElement} field
 * @returns {[number, number]}
 */
function trimmed({ value, selectionStart: from, selectionEnd: to }) {
  const text = value.slice(from, to);
  if (text.trim() === "") return [from, to];
  return [from + text.length - text.trimStart().length, to - (text.length - text.trimEnd().length)];
}

/**
 * How many signs a text begins with.
 * @param {string} text
 * @param {string} sign
 */
function run(text, sign) {
  let n = 0;
  while (text[n] === sign) n++;
  return n;
}

/**
 * @param {string} text
 * @param {string} sign
 */
function runAtEnd(text, sign) {
  let n = 0;
  while (text[text.length - 1 - n] === sign) n++;
  return n;
}

/**
 * Puts text in the place of another as if it were typed, which is what the browser can undo, and selects a part of it.
 * @param {HTMLTextAreaElement} field
 * @param {number} from
 * @param {number} to
 * @param {string} text
 * @param {number} skip where in text the selection begins
 * @param {number} length of the selection
 */
function replace(field, from, to, text, skip, length) {
  field.setSelectionRange(from, to);
  const typed = text === "" ? document.execCommand("delete") : document.execCommand("insertText", false, text);
  if (!typed) {
    field.setRangeText(text, from, to, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  field.setSelectionRange(from + skip, from + skip + length);
}
