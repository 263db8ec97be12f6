import { Banner } from "./banner.js";
import { Reach } from "./reach.js";

const NAME_KEY = "name";

/**
 * The login form: it remembers the last name, says that it is busy, and waits for a server that is away.
 * @param {HTMLFormElement} form
 * @param {HTMLElement} element of the banner
 * @param {import("./words.js").Words} words
 * @param {import("./local.js").Local} local
 */
export function enhanceLogin(form, element, words, local) {
  const field = /** @type {HTMLInputElement} */ (form.querySelector("[name=name]"));
  const button = form.querySelector("[data-busy]");
  const label = button?.querySelector(".button__label");
  const idle = label?.textContent ?? "";
  let sent = false;
  const busy = (/** @type {boolean} */ on) => {
    form.toggleAttribute("aria-busy", false);
    if (on) form.setAttribute("aria-busy", "true");
    field.readOnly = on;
    if (label) label.textContent = on ? (button?.getAttribute("data-busy") ?? idle) : idle;
  };
  const send = () => {
    sent = true;
    busy(true);
    form.requestSubmit();
  };
  const banner = new Banner(element, words, () => void reach.wait(send), () => {});
  const reach = new Reach((state) => {
    busy(false);
    if (state.name !== "open") banner.show(state);
  });

  field.value ||= local.get(NAME_KEY);
  if (field.hasAttribute("aria-invalid")) field.select();
  form.addEventListener("submit", (event) => {
    if (sent) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    local.set(NAME_KEY, field.value.trim());
    busy(true);
    void reach.wait(send);
  });
  // Coming back to the page by the back button, it is as it was when it was left.
  addEventListener("pageshow", () => {
    sent = false;
    busy(false);
    element.hidden = true;
  });
}
