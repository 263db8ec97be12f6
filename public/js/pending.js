import { clone, pendingOf } from "./fragment.js";

const DOING = /^\/me +(?=\S)/; // an action: the name of who does it stands before what
const PATIENCE_MS = 300; // what is stored sooner is not said to be on its way

/**
 * Pending shows the messages of the outbox in the log until their echo takes their place. The markup is the server's
 * own, from a template.
 */
export class Pending {
  #list;
  #template;
  #words;
  #pane;
  /** @type {WeakMap<HTMLElement, Node>} */
  #before = new WeakMap(); // the bodies of messages with a change that waits

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {HTMLTemplateElement} parts.template
   * @param {import("./words.js").Words} parts.words
   * @param {import("./pane.js").Pane} parts.pane
   */
  constructor({ list, template, words, pane }) {
    this.#list = list;
    this.#template = template;
    this.#words = words;
    this.#pane = pane;
  }

  /** @param {import("./outbox.js").Entry} entry */
  show(entry) {
    if (entry.echoed) return;
    const target = this.#targetOf(entry);
    if (entry.kind !== "send" && !target && entry.state !== "failed") return; // what it changes is not on the page
    if (target) this.#change(target, entry);
    const node = target ?? pendingOf(this.#list, entry.id) ?? this.#add(entry);
    if (entry.state === "sent") return void setTimeout(() => this.#say(node, entry), PATIENCE_MS);
    this.#say(node, entry);
  }

  /** @param {import("./outbox.js").Entry} entry */
  remove(entry) {
    const node = pendingOf(this.#list, entry.id);
    if (node) this.#pane.remove(node);
    const target = this.#targetOf(entry);
    if (target?.dataset.change === entry.id) this.#restore(target);
  }

  /**
   * The message that an entry changes, if the page shows it.
   * @param {import("./outbox.js").Entry} entry
   * @returns {HTMLElement | null}
   */
  #targetOf({ kind, target }) {
    return kind === "send" ? null : this.#list.querySelector(`:scope > .message[data-seq="${target}"]`);
  }

  /**
   * Shows a message as it will be. What the server makes of it takes its place, or it is as before when the change is
   * given up.
   * @param {HTMLElement} message
   * @param {import("./outbox.js").Entry} entry
   */
  #change(message, entry) {
    if (message.dataset.change === entry.id) return;
    if (message.dataset.change !== undefined) this.#restore(message);
    const body = message.querySelector(".message__body");
    const state = message.querySelector(".message__state");
    if (!body || !state) return;
    message.dataset.change = entry.id;
    this.#before.set(message, body.cloneNode(true));
    if (entry.kind === "edit") body.textContent = shownOf(message, entry.text);
    state.replaceChildren(...(clone(this.#template).querySelector(".message__state")?.childNodes ?? []));
  }

  /** @param {HTMLElement} message */
  #restore(message) {
    const before = this.#before.get(message);
    if (before) message.querySelector(".message__body")?.replaceWith(before);
    message.querySelector(".message__state")?.replaceChildren();
    delete message.dataset.change;
    delete message.dataset.state;
  }

  /**
   * Says how the entry is now.
   * @param {HTMLElement} node
   * @param {import("./outbox.js").Entry} entry
   */
  #say(node, entry) {
    if (entry.kind !== "send" && node.dataset.seq && node.dataset.change !== entry.id) return; // it has come meanwhile
    const state = entry.state === "sent" ? "sending" : entry.state;
    const status = node.querySelector(".message__status");
    node.dataset.state = state;
    node.toggleAttribute("data-slow", Boolean(entry.slow) && state === "queued");
    if (status) status.textContent = entry.problem || this.#words.get(`msg.${state}`);
  }

  /** @param {import("./outbox.js").Entry} entry */
  #add({ id, at, text }) {
    const node = clone(this.#template);
    delete node.dataset.seq;
    node.dataset.id = id;
    node.dataset.at = String(at);
    const time = node.querySelector("time");
    if (time) time.dateTime = new Date(at).toISOString();
    const body = node.querySelector(".message__body");
    node.toggleAttribute("data-does", DOING.test(text));
    if (body) body.textContent = shownOf(node, text);
    this.#pane.append(node);
    return node;
  }
}

/**
 * A text as it is shown while it waits.
 * @param {HTMLElement} message
 * @param {string} text
 */
function shownOf(message, text) {
  return text.replace(DOING, `${(message.dataset.name ?? "").replaceAll("$", "$$$$")} `);
}
