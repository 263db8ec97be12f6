/**
 * A UUIDv7 (RFC 9562 §5.7): ids made later sort later. crypto.randomUUID makes version 4 and does not exist on plain
 * http, as in a home network.
 * @param {number} ms Unix milliseconds
 */
export function newID(ms) {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const random = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = Math.floor(ms).toString(16).padStart(12, "0");
  const variant = "89ab".charAt(parseInt(random.charAt(4), 16) & 3);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(5, 8)}-${random.slice(8)}`;
}
