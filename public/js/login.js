const NAME_KEY = "name";

/**
 * The login form: it remembers the last name, says that it is busy, and takes over a suggestion.
 * @param {HTMLFormElement} form
 * @param {import("./local.js").Local} local
 */
export function enhanceLogin(form, local) {
  const field = /** @type {HTMLInputElement} */ (form.querySelector("[name=name]"));
  const button = form.querySelector("[data-busy]");
  const label = button?.querySelector(".button__label");
  const idle = label?.textContent ?? "";
  const busy = (/** @type {boolean} */ on) => {
    form.toggleAttribute("aria-busy", false);
    if (on) form.setAttribute("aria-busy", "true");
    field.readOnly = on;
    if (label) label.textContent = on ? (button?.getAttribute("data-busy") ?? idle) : idle;
  };

  field.value ||= local.get(NAME_KEY);
  if (field.hasAttribute("aria-invalid")) field.select();
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
    local.set(NAME_KEY, field.value.trim());
    busy(true);
  });
  // Coming back to the page by the back button, it is as it was when it was left.
  addEventListener("pageshow", () => busy(false));
}
