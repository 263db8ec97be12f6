import { copy } from "./copy.js";
import { clone } from "./fragment.js";

const DONE_MS = 2_000; // the button says so long that it has copied

/**
 * @typedef {object} Parts
 * @property {HTMLTemplateElement} codeBlock what stands around a block of code, with a button in it
 * @property {HTMLElement} announcer
 */

/**
 * Gives each block of code in a message a button that copies it.
 * @param {HTMLElement} message
 * @param {Parts} parts
 * @param {import("./words.js").Words} words
 */
export function dress(message, { codeBlock, announcer }, words) {
  for (const pre of message.querySelectorAll("pre")) {
    if (pre.closest(".code")) continue;
    const block = clone(codeBlock);
    pre.replaceWith(block);
    block.prepend(pre);
    const button = block.querySelector("button");
    button?.addEventListener("click", async () => {
      const done = await copy(pre.textContent?.replace(/\n$/, "") ?? "");
      if (!done) getSelection()?.selectAllChildren(pre); // to be copied by hand
      button.toggleAttribute("data-done", done);
      setTimeout(() => button.toggleAttribute("data-done", false), DONE_MS);
      announcer.textContent = ""; // or the same words would not be said again
      requestAnimationFrame(() => (announcer.textContent = words.get(done ? "msg.copied" : "cmd.failed")));
    });
  }
}

/**
 * The code in a message.
 * @param {HTMLElement} message
 */
export function codeOf(message) {
  return [...message.querySelectorAll("pre")].map((pre) => pre.textContent?.replace(/\n$/, "")).join("\n\n");
}
