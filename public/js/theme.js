/**
 * Changes the theme at once, without loading the page again; the server is told, so that it draws the next page so.
 * @param {Document} page
 */
export function enhanceThemes(page) {
  page.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("a[data-choose]");
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(page, link.dataset.choose ?? "");
    for (const other of page.querySelectorAll("a[data-choose]")) {
      if (other.getAttribute("data-choose") === link.dataset.choose) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
    fetch(link.href, { redirect: "manual" }).catch(() => location.assign(link.href));
  });
}

/**
 * @param {Document} page
 * @param {string} theme "light", "dark" or "auto"
 */
function show(page, theme) {
  const { dataset } = page.documentElement;
  if (theme === "auto") delete dataset["theme"];
  else dataset["theme"] = theme;
  const scheme = page.querySelector('meta[name="color-scheme"]');
  scheme?.setAttribute("content", theme === "auto" ? "light dark" : theme);
  for (const meta of page.querySelectorAll('meta[name="theme-color"]')) {
    const own = meta.getAttribute("data-scheme") ?? "";
    meta.setAttribute("media", theme === "auto" ? `(prefers-color-scheme: ${own})` : theme === own ? "all" : "not all");
  }
}
