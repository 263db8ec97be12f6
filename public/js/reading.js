const PAUSE_MS = 2_000; // between two marks

/** Reading tells the server how far the room has been read, for the other devices and for later. */
export class Reading {
  #room;
  #send;
  #read;
  #told;
  #timer = 0;

  /**
   * @param {string} room
   * @param {number} read the number up to which the server knows it
   * @param {(command: object) => boolean} send
   */
  constructor(room, read, send) {
    this.#room = room;
    this.#send = send;
    this.#read = this.#told = read;
    addEventListener("pagehide", () => this.tell());
  }

  /**
   * Everything up to a number has been on the screen.
   * @param {number} seq
   */
  to(seq) {
    if (seq <= this.#read) return;
    this.#read = seq;
    if (!this.#timer) this.tell();
  }

  /** Says what has not been said yet. */
  tell() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#read <= this.#told || !this.#send({ type: "read", room: this.#room, seq: this.#read })) return;
    this.#told = this.#read;
    this.#timer = setTimeout(() => this.tell(), PAUSE_MS);
  }
}
