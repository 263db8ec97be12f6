/**
 * Shows the buttons that let one read the password one types. What is sent is a password again, so that the browser
 * remembers it as one.
 * @param {Iterable<HTMLElement>} buttons each with aria-controls, the id of its field
 */
export function enhancePasswords(buttons) {
  for (const button of buttons) {
    const field = button.ownerDocument.getElementById(button.getAttribute("aria-controls") ?? "");
    if (!(field instanceof HTMLInputElement)) continue;
    const show = (/** @type {boolean} */ on) => {
      const { selectionStart, selectionEnd } = field;
      field.type = on ? "text" : "password";
      field.setSelectionRange(selectionStart, selectionEnd); // changing the type moves the caret
      button.setAttribute("aria-pressed", String(on));
    };
    button.hidden = false;
    button.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    button.addEventListener("click", () => show(field.type === "password"));
    field.form?.addEventListener("submit", () => show(false));
  }
}
