import { parsePage } from "./fragment.js";

const PATH = "/help";
const PATIENCE_MS = 5_000;
/** @type {Promise<HTMLElement> | null} */
let loading = null;

/**
 * Shows the page of keys and commands in a dialog. Fails where it cannot be had. The dialog gives the focus back by itself.
 * @param {HTMLDialogElement} sheet
 */
export async function showHelp(sheet) {
  loading ??= load();
  const part = await loading.catch((error) => {
    loading = null; // perhaps it can be had later
    throw error;
  });
  if (sheet.open) return;
  sheet.replaceChildren(part);
  sheet.setAttribute("aria-label", part.querySelector("h1")?.textContent ?? "");
  sheet.addEventListener("close", () => closed(sheet), { once: true });
  sheet.showModal();
}

/** @param {HTMLDialogElement} sheet */
function closed(sheet) {
  const { activeElement: field } = sheet.ownerDocument;
  if (!(field instanceof HTMLTextAreaElement)) return;
  field.blur(); // Chromium gives the focus back, but not the caret
  field.focus();
}

/** @returns {Promise<HTMLElement>} */
async function load() {
  const answer = await fetch(PATH, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(PATIENCE_MS) });
  const part = parsePage(await answer.text()).querySelector(".help");
  if (!(part instanceof HTMLElement)) throw new Error(`${PATH}: ${answer.status}`);
  return part;
}
