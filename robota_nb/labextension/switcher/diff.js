// What is to change in a text, line by line; however long and different two texts are, it is found in bounded time.

/** @typedef {{ kind: 'same' | 'gone' | 'new', line: string }} Row */

const MOST_EDITS = 200; // between two texts; those that differ in more are shown as one text in the place of the other
const MOST_STEPS = 1_000_000;

/**
 * Return the lines of two texts in one row: those of both, those of the first alone, and those of the second alone.
 *
 * @param {string} before
 * @param {string} after
 * @returns {Row[]}
 */
export function diff(before, after) {
  const [was, is] = [lines(before), lines(after)];
  const [one, other] = numbered(was, is);
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) {
    start++;
  }
  let kept = 0; // at the end
  while (kept < shorter - start && one[one.length - 1 - kept] === other[other.length - 1 - kept]) {
    kept++;
  }
  const [oneEnd, otherEnd] = [one.length - kept, other.length - kept];
  /** @type {(kind: Row['kind']) => (line: string) => Row} */
  const row = kind => line => ({ kind, line });
  const common = pairs(one.slice(start, oneEnd), other.slice(start, otherEnd));
  /** @type {Row[]} */
  const rows = was.slice(0, start).map(row('same'));
  let [from, to] = [start, start];
  for (const [x, y] of [...common.map(([x, y]) => [x + start, y + start]), [oneEnd, otherEnd]]) {
    was.slice(from, x).forEach(line => rows.push(row('gone')(line)));
    is.slice(to, y).forEach(line => rows.push(row('new')(line)));
    if (x < oneEnd) {
      rows.push(row('same')(was[x]));
    }
    [from, to] = [x + 1, y + 1];
  }
  was.slice(oneEnd).forEach(line => rows.push(row('same')(line)));
  return rows;
}

/** @param {string} text */
function lines(text) {
  return text === '' ? [] : text.split('\n');
}

/**
 * Return a number for each line, the same for the same ones: long lines are compared only once.
 *
 * @param {...string[]} texts
 */
function numbered(...texts) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  return texts.map(text => text.map(line => {
    const known = numbers.get(line) ?? numbers.size;
    numbers.set(line, known);
    return known;
  }));
}

/**
 * Return the places of the items that two lists have in common, in order, as many as there can be; none where that takes
 * too long. See E. Myers, "An O(ND) difference algorithm and its variations", 1986.
 *
 * @param {number[]} one
 * @param {number[]} other
 * @returns {[number, number][]}
 */
function pairs(one, other) {
  const middle = MOST_EDITS + 1;
  const ends = new Int32Array(2 * middle + 1); // how far in the first list each diagonal has got
  /** @type {Int32Array[]} */
  const former = []; // the same before each edit, the diagonals from -edits - 1 on
  let steps = 0;
  for (let edits = 0; edits <= MOST_EDITS && steps < MOST_STEPS; edits++) {
    former.push(ends.slice(middle - edits - 1, middle + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = edits && begin(former[edits], edits, diagonal).x;
      while (x < one.length && one[x] === other[x - diagonal]) {
        x++;
        steps++;
      }
      ends[middle + diagonal] = x;
      if (x >= one.length && x - diagonal >= other.length) {
        return wayBack(former, x, x - diagonal);
      }
    }
  }
  return [];
}

/**
 * Return where a diagonal begins after one more edit, and which neighbour it comes from: the one that has got further.
 *
 * @param {Int32Array} ends
 * @param {number} edits
 * @param {number} diagonal
 */
function begin(ends, edits, diagonal) {
  const [below, above] = [ends[edits + diagonal], ends[edits + diagonal + 2]];
  const isAbove = diagonal === -edits || (diagonal !== edits && below < above);
  return isAbove ? { x: above, from: diagonal + 1, last: above } : { x: below + 1, from: diagonal - 1, last: below };
}

/**
 * Return the common items on the way to the ends of both lists.
 *
 * @param {Int32Array[]} former
 * @param {number} x
 * @param {number} y
 */
function wayBack(former, x, y) {
  /** @type {[number, number][]} */
  const found = [];
  for (let edits = former.length - 1; edits >= 0; edits--) {
    const { x: begun, from, last } = edits ? begin(former[edits], edits, x - y) : { x: 0, from: 0, last: 0 };
    while (x > begun) {
      found.push([--x, --y]);
    }
    [x, y] = [last, last - from];
  }
  return found.reverse();
}
