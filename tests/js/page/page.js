/** Tests of what needs a page. Each begins with the page as it was loaded; what the first lines say is what is promised. */
import { Banner } from "/js/banner.js";
import { Composer } from "/js/composer.js";
import { Decorator } from "/js/decorate.js";
import { clone, Fragments, parse, parsePage } from "/js/fragment.js";
import { History } from "/js/history.js";
import { Local } from "/js/local.js";
import { Log } from "/js/log.js";
import { Pending } from "/js/pending.js";
import { Steady } from "/js/steady.js";
import { Words } from "/js/words.js";

const $ = (selector) => document.querySelector(selector);
const words = new Words($("#words"), "ru");
const NOTHING_UNREAD = { to: Infinity, unread: 0 };
const NOON = new Date().setHours(12, 0, 0, 0);

function equal(got, want, what = "") {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what} got ${a}, want ${b}`);
}

const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

async function until(condition, what) {
  for (const end = Date.now() + 5000; Date.now() < end; await frame()) {
    if (condition()) return;
  }
  throw new Error(`never: ${what}`);
}

/** A message as the socket brings it. */
function message(seq, { id = `id${seq}`, member = "other", at = NOON + seq * 1000, text = `text ${seq}` } = {}) {
  return `<li class="message" id="m-1-${seq}" data-list="log" data-kind="message" data-seq="${seq}" data-id="${id}"
    data-member="${member}" data-name="${member}" data-at="${at}"><b class="message__own" hidden>вы</b>
    <time datetime="${new Date(at).toISOString()}">00:00</time><div class="message__body">${text}</div></li>`;
}

/** The log as an outline: numbers, ids of what waits, and what else there is. */
function outline() {
  return [...$("#log").children].map((li) => {
    if (li.dataset.date) return li.dataset.date === dayOf(NOON) ? "today" : li.dataset.date;
    if (li.dataset.id && !li.dataset.seq) return li.dataset.id;
    return li.dataset.seq ? Number(li.dataset.seq) : li.className;
  });
}

const dayOf = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 10);

function parts({ fetchPage = async () => parsePage(""), onUnread = () => {}, onEnd = () => {}, onCut = () => {} } = {}) {
  const list = $("#log");
  const scroller = $("#scroll");
  const frames = [];
  const steady = new Steady(scroller, list);
  const decorator = new Decorator({ me: "me", lang: "ru", words, dateLine: () => clone($("#date-line")) });
  const [older, newer] = [$("#older").parentElement, $("#newer").parentElement];
  const history = new History({
    list, scroller, older, newer, steady, decorator, onEnd, onCut,
    onOlder: () => log.older(),
    home: "/r/lobby",
    pages: { fetch: fetchPage },
    guard: (load) => load(),
    renew: (elements) => fragments.renew(elements),
  });
  const unreadLine = () => clone($("#unread-line"));
  const log = new Log({
    list, scroller, steady, decorator, history, unreadLine, onUnread,
    jump: $("#jump"),
    fresh: $("#fresh"),
    onJump: () => log.toEnd(),
  });
  const append = (element) => {
    list.append(element);
    log.added(element, false);
  };
  const pending = new Pending({ list, template: $("#pending"), words, pane: { append, remove: (element) => log.remove(element) } });
  const fragments = new Fragments(document, (control) => frames.push(control));
  const apply = (html) => {
    for (const element of fragments.apply(html)) log.added(element, element.dataset.member === "other");
  };
  return { list, scroller, frames, decorator, log, history, pending, apply };
}

const entry = (id, state = "sent") => ({ id, kind: "send", target: 0, text: id, at: NOON + 500_000, state, acked: false, echoed: false, problem: "", code: "" });

const tests = {
  async "an element replaces the one with its id, others are added, unknown lists are not"() {
    const { apply } = parts();
    apply(`<div id="people">three</div><li data-list="log" class="system">came</li><li data-list="nowhere">x</li><p>y</p>`);
    equal($("#people").textContent, "three");
    equal(outline(), ["system"]);
  },

  async "messages stand by number, and applying one twice changes nothing"() {
    const { apply, list } = parts();
    apply(message(2) + message(1));
    apply(message(4));
    apply(message(3));
    const before = list.innerHTML;
    equal(outline(), ["today", 1, 2, 3, 4]);
    apply(message(3) + message(1));
    equal(list.innerHTML, before);
  },

  async "an own echo takes the place of the message that waits, in the same place of the list"() {
    const { apply, pending } = parts();
    apply(message(1));
    pending.show(entry("a"));
    pending.show(entry("b"));
    equal(outline(), ["today", 1, "a", "b"]);
    apply(message(2, { member: "me", id: "a" }));
    equal(outline(), ["today", 1, 2, "b"]);
    apply(message(3));
    equal(outline(), ["today", 1, 2, 3, "b"], "what others say does not follow what is not stored");
    apply(message(4, { member: "me", id: "b" }));
    equal(outline(), ["today", 1, 2, 3, 4]);
  },

  async "the id of somebody else does not take the place of mine"() {
    const { apply, pending } = parts();
    pending.show(entry("a"));
    apply(message(1, { member: "other", id: "a" }));
    equal(outline(), ["today", 1, "a"]);
  },

  async "what failed stays at the end, with words and buttons; sent once more it waits again"() {
    const { apply, pending, list } = parts();
    pending.show(entry("a"));
    apply(message(1));
    pending.show({ ...entry("a", "failed"), problem: "Нельзя" });
    equal(outline(), ["today", 1, "a"]);
    equal($("li:not([data-seq]) .message__status").textContent, "Нельзя");
    equal(list.querySelectorAll("[data-state=failed] [data-do]").length, 2);
    pending.show(entry("a", "queued"));
    await until(() => $("li:not([data-seq]) .message__status").textContent === "В очереди", "the words of waiting");
  },

  async "text enters as text"() {
    const { pending } = parts();
    pending.show({ ...entry("a"), text: "<img src=x onerror=alert(1)>" });
    equal($("li:not([data-seq]) .message__body").children.length, 0);
    equal($("li:not([data-seq]) .message__body").textContent, "<img src=x onerror=alert(1)>");
  },

  async "control frames are facts and never shown"() {
    const { apply, frames, list } = parts();
    apply(`<template data-frame="error" data-code="too_fast" data-retry-after-ms="900">Слишком часто</template>`);
    equal(frames, [{ name: "error", data: { code: "too_fast", retryAfterMs: "900" }, text: "Слишком часто" }]);
    equal(list.children.length, 0);
  },

  async "own, grouped, the line of the day and local time are set on live messages"() {
    const { apply } = parts();
    apply(message(1, { at: NOON }) + message(2, { at: NOON + 300_000 }) + message(3, { at: NOON + 600_001 }));
    apply(message(4, { at: NOON + 600_002, member: "me" }));
    const grouped = [...$("#log").querySelectorAll(".message")].map((li) => li.hasAttribute("data-grouped"));
    equal(grouped, [false, true, false, false]);
    equal([...$("#log").querySelectorAll("[data-own]")].map((li) => li.dataset.seq), ["4"]);
    equal($("[data-own] .message__own").hidden, false);
    equal($("time").textContent, "12:00");
    equal($(".date__label").textContent, "Сегодня");
  },

  async "a message between two others mends both its neighbours"() {
    const { apply } = parts();
    apply(message(1) + message(3));
    equal($("#m-1-3").hasAttribute("data-grouped"), true);
    apply(message(2, { member: "me" }));
    equal($("#m-1-3").hasAttribute("data-grouped"), false);
  },

  async "there is one line between two days, wherever messages come in"() {
    const { apply, decorator, list } = parts();
    const yesterday = NOON - 86_400_000;
    apply(message(3) + message(1, { at: yesterday }));
    equal(outline(), [dayOf(yesterday), 1, "today", 3]);
    apply(message(2, { at: yesterday + 1 }));
    equal(outline(), [dayOf(yesterday), 1, 2, "today", 3]);
    decorator.all(list);
    equal(outline(), [dayOf(yesterday), 1, 2, "today", 3]);
    equal([...document.querySelectorAll(".date__label")].map((el) => el.textContent), ["Вчера", "Сегодня"]);
  },

  async "who came before the first message of a day is below the line of that day"() {
    const { apply } = parts();
    const came = (at) => `<li class="system" data-list="log" data-kind="presence" data-at="${at}"></li>`;
    const yesterday = NOON - 86_400_000;
    apply(came(NOON));
    apply(message(1));
    equal(outline(), ["today", "system", 1]);
    $("#log").replaceChildren();
    apply(message(1, { at: yesterday }) + came(yesterday + 1) + came(NOON - 2) + came(NOON - 1));
    apply(message(2, { at: NOON }));
    equal(outline(), [dayOf(yesterday), 1, "system", "today", "system", "system", 2]);
    $("#log").replaceChildren();
    apply(came(yesterday));
    apply(message(1));
    equal(outline(), ["system", "today", 1]);
  },

  async "after midnight the lines between days say what they are now, and what is new begins a day"() {
    const { apply, decorator, list } = parts();
    const now = Date.now;
    const midnight = new Date(NOON).setHours(24, 0, 0, 0);
    const labels = () => [...document.querySelectorAll(".date__label")].map((el) => el.textContent);
    try {
      apply(message(1, { at: NOON - 86_400_000 }) + message(2, { at: midnight - 1_000 }));
      equal(labels(), ["Вчера", "Сегодня"]);
      Date.now = () => midnight + 1_000;
      decorator.relabel(list);
      equal(labels().slice(1), ["Вчера"]);
      equal(/^\d+ \p{L}+$/u.test(labels()[0]), true, labels()[0]);
      apply(message(3, { at: midnight + 500 }));
      equal(labels().slice(1), ["Вчера", "Сегодня"]);
      equal(outline().length, 6);
      equal($("#m-1-3").hasAttribute("data-grouped"), false, "a day begins with a name");
    } finally {
      Date.now = now;
    }
  },

  async "the log follows the end, until somebody goes up; then it stays and counts"() {
    const counts = [];
    const { apply, scroller, log } = parts({ onUnread: (n) => counts.push(n) });
    log.begin(true, 0, NOTHING_UNREAD);
    for (let i = 1; i <= 30; i++) apply(message(i));
    const atEnd = () => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2;
    await until(atEnd, "the end");
    for (let i = 31; i <= 60; i++) apply(message(i));
    await until(atEnd, "the end again, though more than a screen came at once");
    scroller.scrollTop -= 300;
    await frame();
    const top = $("#m-1-50").getBoundingClientRect().top;
    apply(message(61) + message(62));
    await frame();
    equal($("#m-1-50").getBoundingClientRect().top, top);
    equal($("#jump").hidden, false);
    equal($(".jump__count").textContent, "2");
    equal(outline().slice(-3), ["unread", 61, 62]);
    $("#jump").focus();
    $("#jump").click();
    await until(atEnd, "the end by the button");
    equal(document.activeElement.id, "scroll", "the button goes; the focus");
    equal(counts.at(-1), 0);
    equal($("#jump").hidden, true);
  },

  async "that old messages go while new ones come does not look as if somebody went up"() {
    const { apply, log, scroller, list } = parts();
    log.begin(true, 0, NOTHING_UNREAD);
    for (let i = 1; i <= 40; i++) apply(message(i));
    await frame();
    for (let i = 0; i < 10; i++) list.firstElementChild.remove();
    scroller.scrollTop; // the browser moves up now
    for (let i = 41; i <= 46; i++) apply(message(i));
    await until(() => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2, "the end");
  },

  async "whoever follows the end stays there when as many go as have come, so that the list does not grow"() {
    let cuts = 0;
    const fetched = [];
    const fetchPage = async (href) => (fetched.push(href), parsePage(""));
    const { apply, log, scroller } = parts({ fetchPage, onCut: () => cuts++ });
    log.begin(true, 0, NOTHING_UNREAD);
    let last = 0;
    const come = (n) => {
      for (let i = 0; i < n; i++) apply(message(++last));
    };
    come(341); // of which 300 stay
    for (let round = 0; round < 12; round++) {
      await frame();
      come(41);
    }
    await until(() => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2, "the end");
    equal([cuts, fetched.length, log.atEnd], [0, 0, true]);
    equal(outline().at(-1), last);
  },

  async "trimming while many come at once does not look as if somebody went up"() {
    const { apply, log, scroller, list } = parts();
    log.begin(true, 0, NOTHING_UNREAD);
    for (let i = 1; i <= 339; i++) apply(message(i));
    await until(() => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2, "the end");
    for (let i = 340; i <= 420; i++) apply(message(i)); // more than were let go, before the browser tells of the scrolling
    await frame();
    await frame();
    await until(() => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2, "the end again");
    equal($("#jump").hidden, true, "one follows the end: the button");
    equal(list.querySelectorAll(".message").length <= 340, true);
    equal(outline().at(-1), 420);
  },

  async "the end is followed also when the list is as long as before, and what has come is not what was let go last"() {
    const { apply, log, scroller } = parts();
    log.begin(true, 0, NOTHING_UNREAD);
    const atEnd = () => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2;
    for (let i = 1; i <= 333; i++) apply(message(i));
    await until(atEnd, "the end");
    const height = scroller.scrollHeight;
    for (let i = 334; i <= 374; i++) apply(message(i)); // 41 are let go at the eighth
    equal(scroller.scrollHeight, height, "the height of the list");
    await until(atEnd, "the end again");
    equal(log.atEnd, true);
  },

  async "a page about one message shows that one"() {
    const { apply, log, scroller } = parts();
    for (let i = 1; i <= 80; i++) apply(message(i));
    log.begin(true, 40, NOTHING_UNREAD);
    await frame();
    const { top } = $("#m-1-40").getBoundingClientRect();
    const box = scroller.getBoundingClientRect();
    equal(top > box.top && top < box.bottom, true, "in sight");
    apply(message(81));
    await frame();
    equal(Math.round($("#m-1-40").getBoundingClientRect().top), Math.round(top));
  },

  async "older pages come in without moving what is read, even at the very top"() {
    const page = `<body><p class="older" hidden><a id="older"></a></p><ol id="log">${message(39)}${message(40)}${message(41)}</ol></body>`;
    let asked = "";
    const { apply, log, scroller } = parts({
      fetchPage: async (href) => {
        asked = href;
        return parsePage(page);
      },
    });
    for (let i = 41; i <= 80; i++) apply(message(i));
    log.begin(true, 0, NOTHING_UNREAD);
    await frame();
    scroller.scrollTop = 0;
    const top = $("#m-1-41").getBoundingClientRect().top;
    await until(() => $("#m-1-39"), "the older page");
    equal(asked, "/r/lobby?before=41");
    equal(outline().slice(0, 5), ["today", 39, 40, 41, 42]);
    equal(document.querySelectorAll("#m-1-41").length, 1);
    equal(Math.round($("#m-1-41").getBoundingClientRect().top), Math.round(top));
    equal($("#older").parentElement.hidden, true, "there is nothing before that page: the line");
  },

  async "a deleted message keeps its place, is not added, and stays deleted on an older page that was fetched before"() {
    const page = `<body><ol id="log">${message(39)}${message(40)}</ol></body>`;
    const { apply, frames, history, list } = parts();
    const deleted = (seq) =>
      `<template data-frame="deleted" data-room="lobby" data-seq="90" data-id="d" data-target="${seq}"></template>` +
      message(seq, { text: "gone" }).replace('data-list="log"', 'data-changed="90" data-erased');
    apply(message(41) + message(42) + message(43));
    apply(deleted(42));
    equal(outline(), ["today", 41, 42, 43]);
    equal($("#m-1-42 .message__body").textContent, "gone");
    equal($("#m-1-42").dataset.list, "log");
    equal(frames[0].data.target, "42");
    apply(deleted(39));
    equal(outline(), ["today", 41, 42, 43]);
    history.replace(parsePage(page));
    equal(list.querySelectorAll(".message").length, 2);
    equal($("#m-1-39 .message__body").textContent, "gone");
    equal($("#m-1-39").dataset.list, "log");
    equal($("#m-1-40 .message__body").textContent, "text 40");
  },

  async "an edit takes the place of the text, an older one does not, and an older page is brought up to date"() {
    const page = `<body><ol id="log">${message(39)}</ol></body>`;
    const { apply, history } = parts();
    const edited = (seq, at, text) =>
      `<template data-frame="edited" data-room="lobby" data-seq="${at}" data-id="e" data-target="${seq}"></template>` +
      message(seq, { text }).replace('data-list="log"', `data-changed="${at}"`);
    apply(message(41) + message(42));
    const other = $("#m-1-42");
    apply(edited(41, 91, "second") + edited(41, 90, "first"));
    equal($("#m-1-41 .message__body").textContent, "second");
    equal($("#m-1-42") === other, true);
    apply(edited(39, 92, "new"));
    history.replace(parsePage(page));
    equal($("#m-1-39 .message__body").textContent, "new");
    apply(edited(39, 93, "newer"));
    history.replace(parsePage(`<body><ol id="log">${message(39, { text: "newest" }).replace("data-list", 'data-changed="94" data-list')}</ol></body>`));
    equal($("#m-1-39 .message__body").textContent, "newest");
  },

  async "the list is bounded while one follows the end, and the link leads on from there"() {
    const { apply, log, scroller } = parts();
    log.begin(true, 0, NOTHING_UNREAD);
    for (let i = 1; i <= 341; i++) apply(message(i));
    await until(() => document.querySelectorAll(".message").length === 300, "300 messages");
    equal(outline().slice(0, 2), ["today", 42]);
    equal($("#older").parentElement.hidden, false, "the line that leads on: hidden");
    await until(() => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2, "the end");
  },

  async "Enter sends; Shift+Enter, a composition and a phone do not; Ctrl+Enter always does"() {
    for (const touch of [false, true]) {
      const { sent, press, field } = composer({ touch });
      field.value = " текст \n";
      press({ shiftKey: true });
      press({ isComposing: true });
      press({ keyCode: 229 });
      equal(sent, []);
      press({});
      equal(sent, touch ? [] : [" текст"]);
      field.value = "ещё";
      press({ ctrlKey: true });
      equal(sent.at(-1), "ещё");
      press({ ctrlKey: true });
      equal(sent.length, touch ? 1 : 2, "nothing is not sent");
    }
  },

  async "a draft survives the page, and too long is said and kept"() {
    const first = composer({ limit: 10 });
    first.type("черновик");
    equal(first.note.textContent, "");
    first.type("черновик👍!");
    equal(first.note.textContent, "", "ten characters are ten");
    first.type("12345678901👍");
    equal(first.note.textContent, "Слишком длинно: 2 лишних");
    equal(first.note.dataset.state, "error");
    first.press({});
    equal(first.sent, []);
    equal(composer({ limit: 10 }).field.value, "12345678901👍");
  },

  async "an edit takes the field over and gives it back with the draft; it outlives the page, and Escape gives it up"() {
    const first = composer({});
    first.press({ key: "ArrowUp" });
    equal(first.ups(), 1);
    first.type("черновик");
    first.press({ key: "ArrowUp" });
    first.press({ key: "ArrowUp", isComposing: true });
    equal(first.ups(), 1);
    first.it.edit({ seq: 7, id: "m7", text: "было" });
    equal([first.field.value, first.bar.hidden, first.button.disabled], ["было", false, false]);
    first.type("стало");
    const second = composer({});
    equal([second.field.value, second.bar.hidden], ["стало", false]);
    second.press({ key: "Escape", isComposing: true });
    equal(second.bar.hidden, false);
    second.press();
    equal([second.edited, second.sent, second.field.value, second.bar.hidden], [[[7, "стало"]], [], "черновик", true]);
    second.it.edit({ seq: 8, id: "m8", text: "было" });
    second.press();
    equal([second.edited.length, second.bar.hidden], [1, true]); // nothing was changed
    second.it.edit({ seq: 9, id: "m9", text: "было" });
    second.type(" ");
    second.press();
    equal([second.edited[1], second.bar.hidden], [[9, ""], false]); // to be deleted, if that is meant
    second.it.cancel(8);
    equal(second.bar.hidden, false);
    second.press({ key: "Escape" });
    equal([second.field.value, second.bar.hidden, localStorage.getItem("test/edit/lobby")], ["черновик", true, null]);
    second.it.edit({ seq: 9, id: "m9", text: "было" });
    second.bar.querySelector("button").click();
    equal([second.field.value, second.bar.hidden], ["черновик", true]);
    second.press();
    equal(second.sent, ["черновик"]);
  },

  async "a command is not sent, two slashes are one"() {
    const { sent, field, press, type } = composer({});
    type("/help");
    press();
    equal([sent, field.value], [[], "/help"]);
    type("//etc/passwd");
    press();
    equal([sent, field.value], [["/etc/passwd"], ""]);
  },

  async "a pause counts down and loses nothing"() {
    const { it, field, note, type } = composer({});
    type("ещё");
    await it.wait(Date.now() + 1_500, false);
    equal([note.dataset.state, field.value], ["slow", "ещё"]);
    await until(() => note.dataset.state !== "slow", "the end of the pause");
    equal(field.value, "ещё");
    await it.wait(Date.now() + 3_725_000, true);
    equal([/01:02:0[45]/.test(note.textContent), note.dataset.state, note.ariaLive], [true, "slow", "off"]);
    type("и ещё");
    equal(note.dataset.state, "slow");
    it.calm(); // the room is as slow as it was
    equal(note.dataset.state, "slow");
    await it.wait(Date.now() + 60_000, false);
    equal(/01:00|60 с/.test(note.textContent), true);
    it.calm();
    equal([note.textContent, note.ariaLive, field.value], ["", null, "и ещё"]);
  },

  async "the button keeps the focus in the field"() {
    const { button } = composer({});
    const event = new MouseEvent("mousedown", { bubbles: true, cancelable: true });
    button.dispatchEvent(event);
    equal(event.defaultPrevented, true);
  },

  async "the banner is silent for two seconds, counts down, and is glad for two"() {
    const banner = new Banner($("#banner"), words, () => {}, () => {});
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    banner.show({ name: "waiting", restart: false, slow: false, retryAt: Date.now() + 1000 });
    await wait(500);
    equal($("#banner").hidden, true);
    banner.show({ name: "waiting", restart: false, slow: false, retryAt: Date.now() + 5000 });
    await until(() => !$("#banner").hidden, "the banner");
    equal($("#banner").dataset.state, "retry");
    equal(/Повтор через [45] с/.test($(".banner__text").textContent), true);
    banner.show({ name: "open", restart: false, slow: false, retryAt: 0 });
    equal($("#banner").dataset.state, "back");
    equal($("#banner").hidden, false);
    await until(() => $("#banner").hidden, "silence");
    banner.show({ name: "ended", restart: false, slow: false, retryAt: 0 });
    equal([$("#banner").dataset.state, $(".banner__action").hidden], ["closed", false]);
  },

  async "what is parsed neither runs nor loads"() {
    const [element] = parse(`<div><img src="/ran" onerror="window.ran = 1"><script>window.ran = 1</script></div>`);
    equal(element.localName, "div");
    parsePage(`<body><script>window.ran = 1</script><img src="/ran"></body>`);
    await frame();
    equal(window.ran, undefined);
  },
};

function composer({ touch = false, limit = 100 }) {
  // Its listeners stay with the elements: each test gets new ones.
  for (const id of ["#composer"]) $(id).replaceWith($(id).cloneNode(true));
  const [form, field, button, note, bar] = ["#composer", "#composer-text", "#send", "#composer-note", "#edit-bar"].map($);
  const sent = [];
  const local = new Local("test/", () => localStorage);
  const onText = (text) => sent.push(text);
  const edited = [];
  const onEdit = ({ seq }, text) => edited.push([seq, text]);
  const onUp = () => ups++ || true;
  let ups = 0;
  const complete = async () => ({ update() {}, key: () => false });
  const it = new Composer({ form, field, button, note, bar, words, local, room: "lobby", limit, touch: () => touch, onText, onEdit, onUp, onCommand: () => false, complete });
  const press = (init) => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init }));
  const type = (text) => {
    field.value = text;
    field.dispatchEvent(new InputEvent("input"));
  };
  return { form, field, button, note, bar, sent, edited, press, type, it, ups: () => ups };
}

const fresh = [...document.body.children].filter((element) => element.localName !== "script").map((element) => element.cloneNode(true));
const failures = [];
for (const [name, test] of Object.entries(tests)) {
  document.body.replaceChildren(...fresh.map((element) => element.cloneNode(true)));
  localStorage.clear();
  try {
    await test();
  } catch (error) {
    failures.push(`${name}: ${error.stack}`);
  }
}
document.documentElement.dataset.failures = JSON.stringify(failures);
document.documentElement.dataset.done = String(Object.keys(tests).length);
