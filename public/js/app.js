/** The one entry: finds what is on the page and hands it to the classes that make it live. */
import { Local } from "./local.js";
import { enhanceLogin } from "./login.js";
import { Room } from "./room.js";
import { enhanceThemes } from "./theme.js";
import { Words } from "./words.js";

/**
 * @typedef {object} Elements of the page of a room
 * @property {HTMLElement} body
 * @property {HTMLElement} list
 * @property {HTMLElement} scroller
 * @property {HTMLElement | null} jump
 * @property {HTMLElement} banner
 * @property {HTMLElement} announcer
 * @property {HTMLFormElement} form
 * @property {HTMLTextAreaElement} field
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} note
 * @property {HTMLTemplateElement} pending
 * @property {HTMLTemplateElement} dateLine
 * @property {HTMLTemplateElement} unreadLine
 * @property {HTMLTemplateElement} systemLine
 */

const MINUTE_MS = 60_000;

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 */
const find = (id) => /** @type {T} */ (document.getElementById(id));

function enterRoom() {
  const { body } = document;
  const words = new Words(find("words"), body.dataset.lang ?? "ru");
  const local = new Local(`govor/${body.dataset.me}/`, () => localStorage);
  const title = document.title;
  const elements = {
    body,
    list: find("log"),
    scroller: find("scroll"),
    jump: find("jump"),
    banner: find("banner"),
    announcer: find("announcer"),
    form: /** @type {HTMLFormElement} */ (find("composer")),
    field: /** @type {HTMLTextAreaElement} */ (find("composer-text")),
    button: /** @type {HTMLButtonElement} */ (find("send")),
    note: find("composer-note"),
    pending: /** @type {HTMLTemplateElement} */ (find("pending")),
    dateLine: /** @type {HTMLTemplateElement} */ (find("date-line")),
    unreadLine: /** @type {HTMLTemplateElement} */ (find("unread-line")),
    systemLine: /** @type {HTMLTemplateElement} */ (find("system-line")),
  };
  const room = new Room(elements, words, local, (unread) => {
    document.title = unread ? `(${unread}) ${title}` : title;
    lightIcon(unread > 0);
  });
  room.start(location.pathname);
  if (hasKeyboard()) room.focus();

  addEventListener("online", () => room.wake());
  addEventListener("pageshow", (event) => event.persisted && room.wake());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && room.wake());
  addEventListener("storage", (event) => room.changedElsewhere(local.keyOf(event), event.newValue === null));
  document.addEventListener("keydown", (event) => typesAnywhere(event) && room.focus());
  document.addEventListener("click", togglePeople);
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeSheet());
  everyMidnight(() => room.midnight());
}

function enterLogin() {
  const form = /** @type {HTMLFormElement} */ (find("login"));
  const words = new Words(find("words"), document.body.dataset.lang ?? "ru");
  enhanceLogin(form, find("banner"), words, new Local("govor/", () => localStorage));
}

/**
 * In the tab the second drop of the glyph is lit while something waits.
 * @param {boolean} waiting
 */
function lightIcon(waiting) {
  const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon][data-waiting]"));
  if (!icon) return;
  icon.dataset.idle ??= icon.href;
  icon.href = (waiting ? icon.dataset.waiting : icon.dataset.idle) ?? icon.href;
}

/**
 * Whether a key is meant for the field although nothing has the focus.
 * @param {KeyboardEvent} event
 */
function typesAnywhere(event) {
  const plain = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  const nowhere = [document.body, find("scroll")];
  return plain && nowhere.includes(/** @type {HTMLElement} */ (document.activeElement));
}

/**
 * The people column opens and closes by links; here without leaving a trace in the browser's history.
 * @param {MouseEvent} event
 */
function togglePeople(event) {
  const link = /** @type {Element} */ (event.target).closest('a[href="#who"], a[href="#chat"]');
  const who = find("who");
  if (!link || !who) return;
  event.preventDefault();
  const open = link.getAttribute("href") === "#who" && who.offsetWidth === 0;
  document.body.dataset.people = open ? "open" : "closed";
  if (open) /** @type {HTMLElement | null} */ (who.querySelector("a:not([tabindex])"))?.focus();
  else find("online")?.focus();
}

/** Escape closes the people column where it lies over the log. */
function closeSheet() {
  const who = find("who");
  if (document.body.dataset.people !== "open" || getComputedStyle(who).position !== "fixed") return;
  document.body.dataset.people = "closed";
  find("online")?.focus();
}

/** On a screen, the focus would bring up the keyboard before anyone wants to write. */
function hasKeyboard() {
  return matchMedia("(pointer: fine)").matches;
}

/** @param {() => void} then */
function everyMidnight(then) {
  let day = new Date().getDate();
  setInterval(() => {
    if (new Date().getDate() === day) return;
    day = new Date().getDate();
    then();
  }, MINUTE_MS);
}

enhanceThemes(document);
switch (document.body.dataset.page) {
  case "room":
    enterRoom();
    break;
  case "login":
    enterLogin();
    if (hasKeyboard()) find("login-name").focus();
    break;
}
