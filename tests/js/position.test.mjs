import assert from "node:assert/strict";
import test from "node:test";
import { Position } from "../../public/js/position.js";

test("what comes from elsewhere than asked has a gap before it", () => {
  const last = new Position({ seq: 10, id: "ten" });
  assert.deepEqual(last.ask(), { after: 10, id: "ten" });
  assert.equal(last.joined(14), false); // the server could not go on
  assert.equal(last.pass(15, "live"), true);
  assert.deepEqual(last.ask(), { after: 10, id: "ten" }); // cut: it asks for the gap again
  assert.equal(last.joined(10), true);
  assert.equal(last.pass(11, "eleven"), true);
  assert.equal(last.pass(11, "eleven"), false);
  assert.deepEqual(last.ask(), { after: 11, id: "eleven" });
});
