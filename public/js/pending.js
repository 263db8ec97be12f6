import { clone, pendingOf } from "./fragment.js";

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
    const node = pendingOf(this.#list, entry.id) ?? this.#add(entry);
    if (entry.state === "sent") return void setTimeout(() => this.#say(node, entry), PATIENCE_MS);
    this.#say(node, entry);
  }

  /** @param {import("./outbox.js").Entry} entry */
  remove(entry) {
    const node = pendingOf(this.#list, entry.id);
    if (node) this.#pane.remove(node);
  }

  /**
   * Says how the entry is now.
   * @param {HTMLElement} node
   * @param {import("./outbox.js").Entry} entry
   */
  #say(node, entry) {
    const state = entry.state === "sent" ? "sending" : entry.state;
    const status = node.querySelector(".message__status");
    node.dataset.state = state;
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
    if (body) body.textContent = text;
    this.#pane.append(node);
    return node;
  }
}
