import assert from "node:assert/strict";
import { test } from "node:test";
import { newID } from "../../public/js/id.js";
import { Words } from "../../public/js/words.js";

/** A <template> with spans, as far as it is used. */
function template(words) {
  const spans = words.map(([key, form, textContent]) => ({
    textContent,
    getAttribute: (name) => (name === "data-word" ? key : form),
  }));
  return { content: { querySelectorAll: () => spans } };
}

test("words are chosen by number and filled in", () => {
  const words = new Words(
    template([
      ["net.retry", null, "Повтор через {s} с"],
      ["net.queue", "one", "{n} сообщение ждёт"],
      ["net.queue", "few", "{n} сообщения ждут"],
      ["net.queue", "many", "{n} сообщений ждут"],
      ["net.queue", "other", "{n} сообщения ждут"],
    ]),
    "ru",
  );
  assert.equal(words.get("net.retry", { s: 4 }), "Повтор через 4 с");
  assert.equal(words.get("net.queue", { n: 21 }), "21 сообщение ждёт");
  assert.equal(words.get("net.queue", { n: 3 }), "3 сообщения ждут");
  assert.equal(words.get("net.queue", { n: 11 }), "11 сообщений ждут");
  assert.equal(words.get("no.such"), "");
});

test("ids are UUIDv7 that sort by time", () => {
  const id = newID(0x0123456789ab);
  assert.match(id, /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(newID(1_000_000) < newID(1_000_001));
  assert.notEqual(newID(5), newID(5));
});

test("says how long, never less than it is", () => {
  const said = (lang, ms) => new Words(null, lang).span(ms).replace(/\s/g, " ");
  assert.deepEqual([900, 45_001, 119_000].map((ms) => said("ru", ms)), ["1 с", "46 с", "119 с"]);
  assert.deepEqual([120_000, 3_453_000, 7_200_001].map((ms) => said("ru", ms)), ["2 мин", "58 мин", "3 ч"]);
  assert.deepEqual([45_000, 3_453_000].map((ms) => said("en", ms)), ["45 sec", "58 min"]);
});
