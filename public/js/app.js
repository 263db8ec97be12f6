/** The one entry: finds what is on the page and hands it to the classes that make it live. */
import { Attention } from "./attention.js";
import { Drawers } from "./drawers.js";
import { listenToKeys } from "./keys.js";
import { Local } from "./local.js";
import { Room } from "./room.js";
import { enhanceThemes } from "./theme.js";
import { Rooms } from "./rooms.js";
import { enhanceLogin } from "./login.js";
import { Words } from "./words.js";

/**
 * @typedef {object} Elements of the page of a room
 * @property {HTMLElement} body
 * @property {HTMLElement} list
 * @property {HTMLElement} scroller
 * @property {HTMLElement | null} jump
 * @property {HTMLAnchorElement | null} fresh
 * @property {HTMLElement} older the line that leads to the page before
 * @property {HTMLElement} newer the line that leads to the page after
 * @property {HTMLElement} banner
 * @property {HTMLElement} announcer
 * @property {HTMLFormElement} form
 * @property {HTMLTextAreaElement} field
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} note
 * @property {HTMLElement} completion
 * @property {HTMLTemplateElement} completionRow
 * @property {HTMLElement} people
 * @property {HTMLElement} editBar
 * @property {HTMLElement} messageMenu
 * @property {HTMLDialogElement} confirm
 * @property {HTMLTemplateElement} pending
 * @property {HTMLTemplateElement} codeBlock
 * @property {HTMLTemplateElement} dateLine
 * @property {HTMLTemplateElement} unreadLine
 * @property {HTMLTemplateElement} systemLine
 * @property {HTMLDialogElement} sheet
 * @property {HTMLDialogElement} ended
 */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 */
const find = (id) => /** @type {T} */ (document.getElementById(id));

/**
 * The line that a link to another page stands in.
 * @param {string} id of the link
 */
const lineOf = (id) => /** @type {HTMLElement} */ (find(id).parentElement);

function enterRoom() {
  document.cookie = "govor-scripts=1; path=/; samesite=lax"; // the server need not guess what has been read
  const { body } = document;
  const words = new Words(find("words"), body.dataset.lang ?? "ru");
  const local = new Local(`govor/${body.dataset.me}/`, () => localStorage);
  const attention = new Attention(document, document.querySelector("link[rel=icon][data-waiting]"), find("notify"));
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".room-row")]);
  const onChange = (/** @type {number} */ unread) => (attention.elsewhere = unread);
  const onMention = (/** @type {string} */ name, /** @type {string} */ title) =>
    attention.mention(name, title, words.get("notify.mention", { room: title }), `/r/${encodeURIComponent(name)}`);
  const rooms = new Rooms({ rows, opener: find("rooms-open"), local, onChange, onMention });
  const elements = {
    body,
    list: find("log"),
    scroller: find("scroll"),
    jump: find("jump"),
    fresh: /** @type {HTMLAnchorElement | null} */ (find("fresh")),
    older: lineOf("older"),
    newer: lineOf("newer"),
    banner: find("banner"),
    announcer: find("announcer"),
    form: /** @type {HTMLFormElement} */ (find("composer")),
    field: /** @type {HTMLTextAreaElement} */ (find("composer-text")),
    button: /** @type {HTMLButtonElement} */ (find("send")),
    note: find("composer-note"),
    completion: find("completion"),
    completionRow: /** @type {HTMLTemplateElement} */ (find("completion-row")),
    people: find("who"),
    editBar: find("edit-bar"),
    messageMenu: find("message-menu"),
    confirm: /** @type {HTMLDialogElement} */ (find("confirm-delete")),
    pending: /** @type {HTMLTemplateElement} */ (find("pending")),
    codeBlock: /** @type {HTMLTemplateElement} */ (find("code-block")),
    dateLine: /** @type {HTMLTemplateElement} */ (find("date-line")),
    unreadLine: /** @type {HTMLTemplateElement} */ (find("unread-line")),
    systemLine: /** @type {HTMLTemplateElement} */ (find("system-line")),
    sheet: /** @type {HTMLDialogElement} */ (find("sheet")),
    ended: /** @type {HTMLDialogElement} */ (find("ended")),
  };
  const room = new Room(elements, words, local, { rooms, attention });
  const drawers = [{ name: "people", panel: find("who") }];
  if (rows.length) drawers.push({ name: "rooms", panel: find("rooms") });
  new Drawers(body, find("chat"), drawers);
  room.start();
  if (hasKeyboard()) room.focus();

  addEventListener("online", () => room.wake());
  addEventListener("pageshow", (event) => event.persisted && room.wake());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && room.wake());
  addEventListener("storage", (event) => {
    room.changedElsewhere(local.keyOf(event), event.newValue === null);
    rooms.drafts();
  });
  document.addEventListener("keydown", (event) => typesAnywhere(event) && room.focus());
  const onHelp = () => void import("./commands.js").then(({ help }) => help({ elements, words, pane: room.pane })).catch(() => (elements.note.textContent = words.get("cmd.failed")));
  document.addEventListener("pointerover", (event) => tellWhole(/** @type {HTMLElement} */ (event.target)));
  listenToKeys(document, { scroller: elements.scroller, field: elements.field, room, rooms, onHelp });
  find("help").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    find("menu").hidePopover(); // first: its button gets the focus back, and then from the dialog
    onHelp();
  });
  everyMidnight(() => room.pane.midnight());
}

async function enterLogin() {
  const form = /** @type {HTMLFormElement} */ (find("login"));
  const words = new Words(find("words"), document.body.dataset.lang ?? "ru");
  enhanceLogin(form, find("banner"), words, new Local("govor/", () => localStorage));
}

/**
 * Whether a key is meant for the field although nothing has the focus.
 * @param {KeyboardEvent} event
 */
function typesAnywhere(event) {
  const plain = event.key.length === 1 && !" ?".includes(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
  const nowhere = [document.body, find("scroll")];
  return plain && nowhere.includes(/** @type {HTMLElement} */ (document.activeElement));
}

/**
 * Tells a name whole that is cut where it stands.
 * @param {HTMLElement} element that is pointed at
 */
function tellWhole(element) {
  if (!element.matches(".person__name, .room-row__name, .rooms__name, .header__title")) return;
  element.title = element.scrollWidth > element.clientWidth ? (element.textContent ?? "") : "";
}

/** On a screen, the focus would bring up the keyboard before anyone wants to write. */
function hasKeyboard() {
  return matchMedia("(pointer: fine)").matches;
}

/**
 * Calls then when a day begins and, where the machine has slept over it, when somebody looks.
 * @param {() => void} then
 */
function everyMidnight(then) {
  let day = "";
  let timer = 0;
  const look = () => {
    clearTimeout(timer);
    const now = new Date();
    timer = setTimeout(look, new Date(now).setHours(24, 0, 0, 0) - now.getTime());
    if (day && day !== now.toDateString()) then();
    day = now.toDateString();
  };
  document.addEventListener("visibilitychange", look);
  look();
}

/** The page does without what cannot be loaded now. */
function without() {}

enhanceThemes(document);
const eyes = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".field__eye"));
if (eyes.length) import("./eye.js").then(({ enhancePasswords }) => enhancePasswords(eyes), without);
const times = /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("time.when"));
if (times.length) import("./when.js").then(({ localize }) => localize(times, document.body.dataset.lang ?? "ru"), without);
const copies = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".copy__do"));
if (copies.length) import("./take.js").then(({ enhanceCopies }) => enhanceCopies(copies), without);
switch (document.body.dataset.page) {
  case "room":
    enterRoom();
    break;
  case "login":
    void enterLogin();
    if (hasKeyboard()) find(document.querySelector("#login-password[aria-invalid]") ? "login-password" : "login-name").focus();
    break;
}
