import { copy } from "./copy.js";

const DONE_MS = 2_000; // the button says so long that it has copied

/**
 * Shows the buttons that copy what stands beside them: a command, a link, a token.
 * @param {Iterable<HTMLElement>} buttons
 */
export function enhanceCopies(buttons) {
  for (const button of buttons) {
    const text = button.parentElement?.querySelector(".copy__text");
    const status = /** @type {HTMLElement | null | undefined} */ (button.parentElement?.querySelector("[role=status]"));
    if (!text || !status) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copy(text.textContent ?? "");
      if (!done) getSelection()?.selectAllChildren(text); // to be copied by hand
      button.toggleAttribute("data-done", done);
      status.textContent = done ? (status.dataset.done ?? "") : "";
      setTimeout(() => {
        button.toggleAttribute("data-done", false);
        status.textContent = "";
      }, DONE_MS);
    });
  }
}
