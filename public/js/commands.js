import { clone } from "./fragment.js";
import { showHelp } from "./help.js";

/**
 * @typedef {object} Parts
 * @property {import("./app.js").Elements} elements
 * @property {import("./words.js").Words} words
 * @property {import("./pane.js").Pane} pane
 * @property {() => void} onDone the command was understood, and the field may be emptied
 */

const NICK_MS = 10_000; // so long the server may take to rename somebody
/** What is said when the server keeps the name as it is; for everything else, to try again. */
const REFUSALS = { name_taken: "cmd.nick.taken", bad_name: "cmd.nick.bad", need_password: "cmd.nick.login", forbidden: "cmd.nick.login" };

/**
 * Does what a text that begins with a slash asks for.
 * @param {string} text
 * @param {Parts} parts
 */
export async function command(text, parts) {
  const { elements, words, onDone } = parts;
  const [, name = "", argument = ""] = /^\/(\S*)\s*(.*)$/su.exec(text.trim()) ?? [];
  const needs = { me: "cmd.me.need", nick: "cmd.nick.need", join: "cmd.join.need" }[name];
  if (needs && (!argument || name === "me")) return tell(words.get(needs), parts);
  switch (name) {
    case "help":
      onDone();
      return help(parts);
    case "who":
      onDone();
      return tell(words.get("cmd.who.here", { names: namesIn(elements.people) }), parts);
    case "join":
      onDone();
      return location.assign(`/r/${encodeURIComponent(argument.replace(/^#/, "").toLowerCase())}`);
    case "leave":
      return leave(parts);
    case "nick":
      return rename(argument, parts);
    default:
      return tell(words.get("cmd.unknown", { name: `/${name}` }), parts);
  }
}

/**
 * Takes the room off the reader's list, as its menu does. The lobby is nobody's to leave.
 * @param {Parts} parts
 */
function leave(parts) {
  const { elements, words, onDone } = parts;
  const form = /** @type {HTMLFormElement | null} */ (elements.body.querySelector('form[action$="/leave"]'));
  if (!form) return tell(words.get("cmd.leave.lobby"), parts);
  onDone();
  form.requestSubmit();
}

/**
 * Shows keys and commands; where they cannot be had, the most important ones.
 * @param {Omit<Parts, "onDone">} parts
 */
export async function help(parts) {
  try {
    await showHelp(parts.elements.sheet);
  } catch {
    await tell(parts.words.get("cmd.help.line"), parts);
  }
}

/**
 * Says something at the end of the log, to the reader only.
 * @param {string} text
 * @param {Parts} parts
 */
async function tell(text, { elements, pane }) {
  await pane.toEnd(); // first: going there may fetch the log anew
  const line = clone(elements.systemLine);
  const place = line.querySelector(".system__text");
  if (place) place.textContent = text;
  pane.append(line);
  elements.announcer.textContent = text;
  await pane.toEnd();
}

/**
 * The names in the list of people, and how many there are more.
 * @param {HTMLElement} people
 */
function namesIn(people) {
  const names = [...people.querySelectorAll(".person__name, .people__more:not([hidden])")];
  return names.map((element) => element.textContent?.trim()).join(", ");
}

/**
 * Takes another name, as the login page does for somebody who is logged in. The text stays where that fails.
 * @param {string} name
 * @param {Parts} parts
 */
async function rename(name, parts) {
  const { words, onDone } = parts;
  try {
    const answer = await fetch("/login", {
      ...{ method: "POST", body: new URLSearchParams({ name, rename: "1" }), redirect: "manual" },
      ...{ headers: { Accept: "application/json" }, signal: AbortSignal.timeout(NICK_MS) },
    });
    if (answer.type === "opaqueredirect") return onDone(); // the connection comes back with the new login, and tells the name
    const { code, suggestion, retry_after_ms: wait } = await answer.json();
    const key = wait ? "composer.slow" : (REFUSALS[/** @type {keyof typeof REFUSALS} */ (code)] ?? "cmd.failed");
    await tell(words.get(key, { name, span: words.span(wait) }) + (suggestion ? ` /nick ${suggestion}` : ""), parts);
  } catch {
    await tell(words.get("cmd.failed"), parts);
  }
}
