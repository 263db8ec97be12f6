import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Local } from "../../public/js/local.js";
import { Outbox } from "../../public/js/outbox.js";

/** localStorage, as far as it is used. */
class Storage {
  items = new Map();
  get length() {
    return this.items.size;
  }
  key(i) {
    return [...this.items.keys()][i] ?? null;
  }
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  setItem(key, value) {
    this.items.set(key, value);
  }
  removeItem(key) {
    this.items.delete(key);
  }
}

function harness({ storage = new Storage(), connected = true } = {}) {
  const h = { storage, connected, sent: [], changes: [], done: [], stored: [] };
  h.local = new Local("govor/me/", () => storage);
  h.outbox = new Outbox({
    room: "lobby",
    local: h.local,
    send: (command) => h.connected && Boolean(h.sent.push(command)),
    onChange: (entry) => h.changes.push({ ...entry }),
    onDone: (entry) => h.done.push(entry.id),
    onStored: (id, seq) => h.stored.push([id, seq]),
  });
  h.texts = () => h.sent.map((command) => command.text);
  h.ids = () => h.sent.map((command) => command.id);
  if (connected) h.outbox.joined();
  return h;
}

test("a message is done when receipt and echo have come, in either order", () => {
  for (const order of ["receipt first", "echo first"]) {
    const h = harness();
    h.outbox.add("привет");
    const [id] = h.ids();
    const steps = [() => h.outbox.acknowledged(id, 7, false, 6), () => h.outbox.echoed(id)];
    if (order === "echo first") steps.reverse();
    steps[0]();
    assert.deepEqual(h.done, [], order);
    assert.equal(h.storage.length, 1, order);
    steps[1]();
    assert.deepEqual(h.done, [id], order);
    assert.equal(h.storage.length, 0, order);
  }
});

test("what is not done survives the page and is sent again in order, under the same ids", () => {
  const first = harness();
  for (const text of ["один", "два", "три"]) first.outbox.add(text);
  first.outbox.acknowledged(first.ids()[0], 1, false, 0);
  first.outbox.echoed(first.ids()[0]);
  const second = harness({ storage: first.storage });
  assert.deepEqual(second.texts(), ["два", "три"]);
  assert.deepEqual(second.ids(), first.ids().slice(1));
});

test("what is written without a connection goes out with the next one", () => {
  const h = harness({ connected: false });
  for (const text of ["один", "два"]) h.outbox.add(text);
  assert.equal(h.outbox.waiting, 2);
  assert.equal(h.changes.at(-1).state, "queued");
  h.connected = true;
  h.outbox.joined();
  assert.deepEqual(h.texts(), ["один", "два"]);
});

test("at most 16 are without a receipt", () => {
  const h = harness();
  for (let i = 0; i < 20; i++) h.outbox.add(String(i));
  assert.equal(h.sent.length, 16);
  h.outbox.acknowledged(h.ids()[0], 1, false, 0);
  assert.equal(h.sent.length, 17);
});

test("after a cut everything that is not done is sent again, also what has a receipt", () => {
  const h = harness();
  h.outbox.add("с распиской");
  h.outbox.add("без");
  h.outbox.acknowledged(h.ids()[0], 1, false, 0);
  h.outbox.lost(1006);
  h.outbox.joined();
  assert.deepEqual(h.texts(), ["с распиской", "без", "с распиской", "без"]);
  assert.equal(new Set(h.ids()).size, 2);
});

test("a duplicate that the page must have seen is done and asked for; a later one waits for its echo", () => {
  const h = harness();
  h.outbox.add("давно");
  h.outbox.add("только что");
  const [old, recent] = h.ids();
  h.outbox.acknowledged(old, 5, true, 10);
  assert.deepEqual(h.stored, [[old, 5]]);
  assert.deepEqual(h.done, [old]);
  h.outbox.acknowledged(recent, 11, true, 10);
  assert.deepEqual(h.done, [old]);
  h.outbox.echoed(recent);
  assert.deepEqual(h.done, [old, recent]);
});

test("a passing refusal is sent again, a lasting one waits for the author", (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const h = harness();
  h.outbox.add("один");
  const [id] = h.ids();
  h.outbox.refused(id, "too_fast", "Слишком часто", 4_000);
  h.outbox.add("два");
  mock.timers.tick(3_999);
  assert.deepEqual(h.texts(), ["один"], "nothing overtakes what has to wait");
  mock.timers.tick(1);
  assert.deepEqual(h.texts(), ["один", "один", "два"]);
  h.outbox.refused(id, "forbidden", "На это нет права", 0);
  assert.equal(h.changes.at(-1).state, "failed");
  assert.equal(h.changes.at(-1).problem, "На это нет права");
  h.outbox.lost(1006);
  h.outbox.joined();
  assert.deepEqual(h.texts().slice(3), ["два"], "what failed is not sent by itself");
});

test("retry keeps the id, but for one that was used before; discard forgets", () => {
  const h = harness();
  h.outbox.add("один");
  const [id] = h.ids();
  h.outbox.refused(id, "internal", "", 0);
  h.outbox.retry(id);
  assert.deepEqual(h.ids(), [id, id]);
  h.outbox.refused(id, "id_reused", "", 0);
  h.outbox.retry(id);
  assert.notEqual(h.ids()[2], id);
  h.outbox.refused(h.ids()[2], "forbidden", "", 0);
  h.outbox.discard(h.ids()[2]);
  assert.equal(h.storage.length, 0);
});

test("a failed message is failed after a reload too", () => {
  const first = harness();
  first.outbox.add("один");
  first.outbox.refused(first.ids()[0], "forbidden", "На это нет права", 0);
  const second = harness({ storage: first.storage });
  second.outbox.begin();
  assert.deepEqual(second.texts(), []);
  assert.equal(second.changes.at(-1).state, "failed");
});

test("a frame that was too big is not sent for ever", () => {
  const h = harness();
  h.outbox.add("short");
  h.outbox.add("long".repeat(1000));
  h.outbox.lost(1009);
  h.outbox.joined();
  assert.equal(h.texts().length, 3);
  assert.equal(h.texts()[2], "short");
});

test("what another tab is done with is forgotten, and the room's outbox is its own", () => {
  const storage = new Storage();
  const h = harness({ storage, connected: false });
  h.outbox.add("один");
  const id = h.changes[0].id;
  h.outbox.removedElsewhere(`outbox/other/${id}`);
  assert.deepEqual(h.done, []);
  h.outbox.removedElsewhere(`outbox/lobby/${id}`);
  assert.deepEqual(h.done, [id]);
});

test("what is broken in the browser's storage is dropped", () => {
  const storage = new Storage();
  storage.setItem("govor/me/outbox/lobby/x", "{");
  storage.setItem("govor/me/outbox/lobby/y", '{"text":1}');
  const h = harness({ storage });
  assert.deepEqual(h.texts(), []);
  assert.equal(storage.length, 0);
});

test("without any storage it works as long as the page lives", () => {
  const local = new Local("govor/", () => {
    throw new Error("SecurityError");
  });
  local.set("draft/lobby", "текст");
  assert.equal(local.get("draft/lobby"), "текст");
  assert.deepEqual(local.keys("draft/"), ["draft/lobby"]);
  local.set("draft/lobby", "");
  assert.equal(local.get("draft/lobby"), "");
});

test("an edit waits in the line, is kept as one, and is done with receipt and echo; a deletion with its receipt", () => {
  const first = harness({ connected: false });
  first.outbox.add("раз");
  first.outbox.add("два", "edit", 7);
  first.outbox.add("", "delete", 8);
  const h = harness({ storage: first.storage });
  assert.deepEqual(
    h.sent.map(({ type, seq, text }) => [type, seq, text]),
    [["send", undefined, "раз"], ["edit", 7, "два"], ["delete", 8, undefined]],
  );
  const [send, edit, del] = h.ids();
  assert.deepEqual(h.outbox.changesOf(7).map((entry) => entry.id), [edit]);
  assert.equal(h.outbox.waiting, 3);
  h.outbox.acknowledged(edit, 9, false, 8);
  assert.deepEqual(h.done, []);
  h.outbox.echoed(edit);
  h.outbox.acknowledged(del, 5, true, 8); // somebody was first
  assert.deepEqual(h.done, [edit, del]);
  h.outbox.acknowledged(send, 3, true, 8);
  assert.deepEqual(h.stored, [[send, 3]]);
  assert.equal(h.storage.length, 0);
});

test("an edit that was stored long ago is done with its receipt, and nothing is fetched for it", () => {
  const h = harness();
  const id = h.outbox.add("два", "edit", 7);
  h.outbox.acknowledged(id, 8, true, 9);
  assert.deepEqual([h.done, h.stored], [[id], []]);
});
