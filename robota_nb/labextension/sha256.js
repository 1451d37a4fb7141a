// SHA-256 (FIPS 180-4). The browser's own (crypto.subtle) is there only on secure origins, and only for later.

const K = new Uint32Array(64);
const START = new Uint32Array(8);
for (let found = 0, number = 2; found < 64; number++) {
  if (isPrime(number)) {
    if (found < 8) {
      START[found] = fraction(Math.sqrt(number));
    }
    K[found++] = fraction(Math.cbrt(number));
  }
}

/** @param {number} number */
function isPrime(number) {
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) {
      return false;
    }
  }
  return true;
}

/**
 * The first 32 bits behind the point.
 *
 * @param {number} root
 */
function fraction(root) {
  return Math.floor((root % 1) * 2 ** 32);
}

/**
 * Return the SHA-256 of a text in UTF-8, as 64 hex digits.
 *
 * @param {string} text
 */
export function sha256(text) {
  const data = new TextEncoder().encode(text);
  const padded = new Uint8Array(Math.ceil((data.length + 9) / 64) * 64);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(padded.length - 4, data.length << 3);
  const state = Uint32Array.from(START);
  const words = new Uint32Array(64);
  for (let at = 0; at < padded.length; at += 64) {
    digest(state, words, view, at);
  }
  return Array.from(state, word => word.toString(16).padStart(8, '0')).join('');
}

/**
 * Take 64 bytes of *view* into the state; *words* is room to work in.
 *
 * @param {Uint32Array} state
 * @param {Uint32Array} words
 * @param {DataView} view
 * @param {number} at
 */
function digest(state, words, view, at) {
  for (let t = 0; t < 64; t++) {
    words[t] =
      t < 16
        ? view.getUint32(at + 4 * t)
        : words[t - 16] + scramble(words[t - 15], 7, 18, 3) + words[t - 7] + scramble(words[t - 2], 17, 19, 10);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t++) {
    const one = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + words[t];
    const two = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, n) => {
    state[n] += word;
  });
}

/**
 * @param {number} word
 * @param {number} by
 */
function rotated(word, by) {
  return (word >>> by) | (word << (32 - by));
}

/**
 * @param {number} word
 * @param {number} first
 * @param {number} second
 * @param {number} shift
 */
function scramble(word, first, second, shift) {
  return rotated(word, first) ^ rotated(word, second) ^ (word >>> shift);
}
