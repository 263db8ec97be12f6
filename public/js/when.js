/**
 * Writes moments in the zone of who reads; the server knows only its own.
 * @param {Iterable<HTMLTimeElement>} times
 * @param {string} lang
 * @param {Date} [now]
 */
export function localize(times, lang, now = new Date()) {
  const locale = lang === "en" ? "en-GB" : lang;
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  for (const time of times) {
    const at = new Date(time.dateTime);
    time.textContent = `${dayOf(at, now, locale)}, ${clock.format(at)}`;
  }
}

/**
 * @param {Date} at
 * @param {Date} now
 * @param {string} locale
 */
function dayOf(at, now, locale) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const ago = [now, yesterday].findIndex((day) => day.toDateString() === at.toDateString());
  if (ago >= 0) return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-ago, "day");
  const year = at.getFullYear() === now.getFullYear() ? {} : /** @type {const} */ ({ year: "numeric" });
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", ...year }).format(at);
}
