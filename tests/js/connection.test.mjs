import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Connection } from "../../public/js/connection.js";

/** A WebSocket whose other end is the test. */
class Socket {
  readyState = 0;
  sent = [];
  closed = false;
  send(data) {
    this.sent.push(JSON.parse(data));
  }
  close() {
    this.closed = true;
  }
  accept() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(html) {
    this.onmessage?.({ data: html });
  }
  cut(code = 1006, reason = "") {
    this.onclose?.({ code, reason });
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A connection with a clock that the test moves, dialled once and joined. */
async function harness(t, { random = () => 0.5, before = async () => {} } = {}) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.after(() => mock.timers.reset());
  const h = { sockets: [], states: [], frames: [], lost: [] };
  h.connection = new Connection({
    dial: () => {
      h.sockets.push(new Socket());
      return h.sockets.at(-1);
    },
    before,
    onFrame: (html) => h.frames.push(html),
    onState: (state) => h.states.push(state),
    onLost: (code) => h.lost.push(code),
    random,
  });
  h.tick = async (ms) => {
    mock.timers.tick(ms);
    await settled();
  };
  h.open = async () => {
    h.sockets.at(-1).accept();
    h.connection.joined();
  };
  h.connection.retryNow();
  await settled();
  return h;
}

test("sends only after joined", async (t) => {
  const h = await harness(t);
  const [socket] = h.sockets;
  socket.accept();
  assert.deepEqual(socket.sent, []);
  assert.equal(h.connection.send({ type: "send" }), false);
  h.connection.joined();
  assert.equal(h.connection.send({ type: "send" }), true);
  assert.deepEqual(h.states.map((s) => s.name), ["connecting", "open"]);
});

test("asks after 25 s of silence and gives up 10 s later", async (t) => {
  const h = await harness(t);
  await h.open();
  await h.tick(24_999);
  assert.equal(h.sockets[0].sent.length, 0);
  await h.tick(1);
  assert.deepEqual(h.sockets[0].sent.at(-1), { type: "ping" });
  h.sockets[0].say("<template data-frame=pong></template>");
  await h.tick(24_999);
  assert.equal(h.sockets[0].sent.length, 1, "an answer begins the silence anew");
  await h.tick(1);
  await h.tick(10_000);
  assert.equal(h.sockets[0].closed, true);
  assert.deepEqual(h.lost, [0]);
  assert.equal(h.states.at(-1).name, "waiting");
});

test("tries within a second, then doubles to 30 s with full jitter", async (t) => {
  const h = await harness(t, { random: () => 0.999 });
  await h.open();
  await h.tick(60);
  h.sockets[0].cut();
  const delays = [];
  for (let i = 0; i < 8; i++) {
    const { retryAt } = h.states.at(-1);
    delays.push(retryAt - Date.now());
    await h.tick(retryAt - Date.now() + 1);
    h.sockets.at(-1).cut();
  }
  assert.deepEqual(delays.map((ms) => Math.round(ms / 100) / 10), [1, 2, 4, 8, 16, 30, 30, 30]);
});

test("connections that do not last, one after the other, begin the delays anew twice", async (t) => {
  const h = await harness(t, { random: () => 0.999 });
  const delays = [];
  const cut = async (code, lived = 0) => {
    await h.open();
    await h.tick(lived);
    h.sockets.at(-1).cut(code);
    const { retryAt } = h.states.at(-1);
    delays.push(Math.round((retryAt - Date.now()) / 1000));
    await h.tick(retryAt - Date.now() + 1);
  };
  for (let i = 0; i < 5; i++) await cut(1013);
  assert.deepEqual(delays.splice(0), [1, 1, 2, 4, 8]);
  await cut(1006, 10_000);
  await cut(1006, 9_999);
  assert.deepEqual(delays, [1, 1], "the second cut soon after the first is as silent as it");
});

test("after a restart it comes back within the time the server names", async (t) => {
  const h = await harness(t, { random: () => 0.5 });
  await h.open();
  h.sockets[0].cut(1012, "restart retry-within-ms=5000");
  assert.equal(h.states.at(-1).retryAt - Date.now(), 2500);
  assert.equal(h.states.at(-1).restart, true);
  await h.tick(2500);
  h.sockets[1].cut();
  assert.equal(h.states.at(-1).restart, true, "it is still the restart that we wait for");
});

test("a short restart is over before the banner comes, where few are", async (t) => {
  for (const [random, within, expected] of [
    [0.999, 1000, [999, 1850, 5846]],
    [0.5, 1000, [500, 1500, 1625, 5625]],
    [0.999, 1001, [1000, 2998]],
    [0.5, 5000, [2500, 3500, 5500]],
  ]) {
    const h = await harness(t, { random: () => random });
    await h.open();
    const cut = Date.now();
    h.sockets[0].cut(1012, `restart retry-within-ms=${within}`);
    const tries = [];
    for (const _ of expected) {
      const { retryAt } = h.states.at(-1);
      tries.push(Math.round(retryAt - cut));
      await h.tick(Math.ceil(retryAt - Date.now()));
      h.sockets.at(-1).cut();
    }
    // A clock of whole milliseconds adds one here and there.
    for (const [i, at] of expected.entries()) assert.ok(Math.abs(tries[i] - at) <= i + 1, `${within} ms, ${random}: ${tries}, want ${expected}`);
    mock.timers.reset();
  }
});

test("ends for good after 1008, and nothing wakes it", async (t) => {
  const h = await harness(t);
  await h.open();
  h.sockets[0].cut(1008, "kicked");
  assert.equal(h.states.at(-1).name, "ended");
  h.connection.retryNow();
  await h.tick(120_000);
  assert.equal(h.sockets.length, 1);
  assert.deepEqual(h.lost, [1008]);
});

test("comes back half a minute after it was too fast, and not before", async (t) => {
  const h = await harness(t);
  await h.open();
  h.sockets[0].cut(1008, "too fast");
  const { name, slow, retryAt } = h.states.at(-1);
  assert.deepEqual([name, slow, retryAt - Date.now()], ["waiting", true, 30_000]);
  h.connection.retryNow();
  await h.tick(29_999);
  assert.equal(h.sockets.length, 1);
  await h.tick(1);
  assert.equal(h.sockets.length, 2);
  assert.equal(h.states.at(-1).slow, false);
});

test("tries at once when asked, and only once at a time", async (t) => {
  const h = await harness(t, { random: () => 0.999 });
  await h.open();
  h.sockets[0].cut();
  h.connection.retryNow();
  h.connection.retryNow();
  await settled();
  assert.equal(h.sockets.length, 2);
  await h.tick(5_000);
  assert.equal(h.sockets.length, 2, "the try that was planned is gone");
});

test("a server that accepts and says nothing is left after 10 s", async (t) => {
  const h = await harness(t);
  h.sockets[0].accept();
  await h.tick(10_000);
  assert.equal(h.sockets[0].closed, true);
  assert.equal(h.states.at(-1).name, "waiting");
  h.sockets[0].cut(); // what comes later from it is not heard
  assert.equal(h.states.filter((s) => s.name === "waiting").length, 1);
});

test("when what comes before fails, it is a try like any other", async (t) => {
  let fails = true;
  const before = async () => {
    if (fails) throw new Error("offline");
  };
  const h = await harness(t, { before });
  assert.equal(h.sockets.length, 0);
  assert.equal(h.states.at(-1).name, "waiting");
  fails = false;
  await h.tick(1_000);
  assert.equal(h.sockets.length, 1);
});
