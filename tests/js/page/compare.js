/** Puts live messages into an empty page of the room and compares them with the page that shows them as history. */
import { Decorator } from "/js/decorate.js";
import { clone, Fragments, parsePage } from "/js/fragment.js";
import { Words } from "/js/words.js";

const load = async (path) => (await fetch(path)).text();

/** @param {HTMLElement} list */
function markup(list) {
  for (const time of list.querySelectorAll("time")) time.removeAttribute("title"); // a script's addition to both
  for (const tool of list.querySelectorAll(".message__tool")) tool.removeAttribute("tabindex"); // the same
  for (const start of list.querySelectorAll('[data-kind="start"]')) start.remove();
  return [...list.children].map((li) => {
    // The order of attributes means nothing.
    const attributes = li.getAttributeNames().sort().map((name) => `${name}=${li.getAttribute(name)}`);
    return `${attributes.join(" ")}\n${li.innerHTML}`;
  });
}

async function compare() {
  const history = parsePage(await load("/history"));
  const page = parsePage(await load("/empty"));
  document.body.replaceWith(document.adoptNode(page.body));
  const { me, lang } = document.body.dataset;
  const list = document.getElementById("log");
  const words = new Words(document.getElementById("words"), lang);
  const decorator = new Decorator({ me, lang, words, dateLine: () => clone(document.getElementById("date-line")) });
  const fragments = new Fragments(document, () => {});
  for (const frame of JSON.parse(await load("/live"))) {
    for (const element of fragments.apply(frame)) decorator.message(element);
  }
  const [want, got] = [markup(history.getElementById("log")), markup(list)];
  const failures = want.flatMap((li, i) => (li === got[i] ? [] : [`${i}: live\n${got[i]}\nhistory\n${li}`]));
  if (want.length !== got.length) failures.push(`${got.length} live, ${want.length} in history`);
  return { failures: JSON.stringify(failures), done: String(want.length) };
}

Object.assign(document.documentElement.dataset, await compare().catch((error) => ({ failures: JSON.stringify([error.stack]), done: "0" })));
