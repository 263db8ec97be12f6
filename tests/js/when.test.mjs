import assert from "node:assert/strict";
import { test } from "node:test";
import { localize } from "../../public/js/when.js";

test("writes moments as the server does, in the zone of who reads", () => {
  const at = (y, m, d) => new Date(y, m - 1, d, 5, 2);
  const wanted = {
    ru: ["сегодня, 05:02", "вчера, 05:02", "23 ноября, 05:02", "23 ноября 2025 г., 05:02"],
    en: ["today, 05:02", "yesterday, 05:02", "23 November, 05:02", "23 November 2025, 05:02"],
  };
  for (const [lang, want] of Object.entries(wanted)) {
    const days = [at(2026, 11, 26), at(2026, 11, 25), at(2026, 11, 23), at(2025, 11, 23)];
    const times = days.map((day) => ({ dateTime: day.toISOString(), textContent: "" }));
    localize(times, lang, new Date(2026, 10, 26, 12, 0));
    assert.deepEqual(times.map((time) => time.textContent), want);
  }
});
