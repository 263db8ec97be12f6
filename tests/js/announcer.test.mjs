import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Announcer } from "../../public/js/announcer.js";

const words = { get: (key, { n }) => `${key} ${n}` };
const message = (name, text) => ({ dataset: { name }, querySelector: () => ({ textContent: text }) });

function announcer(t) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  t.after(() => mock.timers.reset());
  const element = { textContent: "" };
  return { element, it: new Announcer(element, words) };
}

test("a few messages are read out together", (t) => {
  const { element, it } = announcer(t);
  it.read(message("Анна", " привет "));
  it.read(message("Пётр", "и тебе"));
  assert.equal(element.textContent, "", "at once");
  mock.timers.tick(700);
  assert.equal(element.textContent, "Анна: привет\nПётр: и тебе");
});

test("many are counted, and then it is quiet for a while", (t) => {
  const { element, it } = announcer(t);
  for (let i = 0; i < 12; i++) it.read(message("ci", `строка ${i}`));
  mock.timers.tick(700);
  assert.equal(element.textContent, "a11y.more 12");
  it.read(message("Анна", "а теперь я"));
  mock.timers.tick(2_900);
  assert.equal(element.textContent, "a11y.more 12", "soon after");
  mock.timers.tick(100);
  assert.equal(element.textContent, "Анна: а теперь я");
  mock.timers.tick(60_000);
  it.read(message("Анна", "и ещё"));
  mock.timers.tick(700);
  assert.equal(element.textContent, "Анна: и ещё", "when it has been calm");
});

test("five in a second for long are counted every three seconds", (t) => {
  const { element, it } = announcer(t);
  const said = new Set();
  for (let i = 0; i < 50; i++) {
    it.read(message("ci", String(i)));
    mock.timers.tick(200);
    said.add(element.textContent);
  }
  assert.ok(said.size <= 6, `it spoke ${said.size} times in 10 s: ${[...said].join(" | ")}`);
});

test("a long message is cut", (t) => {
  const { element, it } = announcer(t);
  it.read(message("Анна", "я".repeat(8_000)));
  mock.timers.tick(700);
  assert.ok(element.textContent.length < 320, `it reads ${element.textContent.length} characters`);
});
