/** Position is up to which event a page has everything: where it goes on after a cut. */
export class Position {
  seq;
  id;
  #asked = -1; // the number that the last connection went on from
  #seated = false; // the server goes on from there: what comes has no gap before it

  /** @param {{ seq: number, id: string }} last event of the page */
  constructor({ seq, id }) {
    this.seq = seq;
    this.id = id;
  }

  /** What a connection goes on from. */
  ask() {
    this.#asked = this.seq;
    this.#seated = false;
    return { after: this.seq, id: this.id };
  }

  /**
   * Tells whether the server goes on where the connection asked. If not, what comes is shown, but has a gap before it.
   * @param {number} after
   */
  joined(after) {
    this.#seated ||= after === this.#asked;
    return this.#seated;
  }

  /**
   * Takes an event, and tells whether it is a new one.
   * @param {number} seq
   * @param {string} id
   */
  pass(seq, id) {
    const fresh = seq > this.seq;
    if (fresh && this.#seated) {
      this.seq = seq;
      this.id = id;
    }
    return fresh;
  }
}
