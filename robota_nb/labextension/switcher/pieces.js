// Cuts a long Markdown text into pieces that are shown one by one: at blank lines, else at lines, else anywhere.

/**
 * The most that a piece has.
 *
 * @typedef {object} Size
 * @property {number} characters
 * @property {number} lines
 * @property {number} marks
 * @property {number} cells Of a row, that count as a line.
 * @property {number} word Characters of a word that is broken.
 */

const LONGEST_WORD = 2000; // characters: where to break one, a browser finds in a time that grows with the square

/** @type {Size} */
const FIRST = { characters: 10000, lines: 300, marks: 1500, cells: 10, word: LONGEST_WORD };
/** @type {Size} */
export const PIECE = { characters: 4000, lines: 80, marks: 600, cells: 10, word: LONGEST_WORD };

const MARK = /[*_`$[<~]|\\[()\]]/g; // that becomes an element, perhaps

const FENCE = /^[\s>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})/;
const DELIMITERS = /^[\s>]*\|?[\s:]*-[\s:|-]*$/; // the line below the head of a table
const DEFINITION = /^ {0,3}(\[[^\]\n]{1,200}\]):[ \t]*\S.{0,500}$/gm;
const MOST_DEFINITIONS = 100;

/**
 * Return the part of a text that is shown at first: all of it, if it is not long.
 *
 * @param {string} text
 */
export function firstPart(text) {
  return text.slice(0, cut(text, 0, FIRST, new Reading()));
}

/**
 * Yield a text in pieces that are shown alone: each begins with what was open where it was cut.
 *
 * @param {string} text
 * @param {Size} size
 * @param {number} from Where the first begins.
 */
export function* pieces(text, size, from = 0) {
  const definitions = [...text.matchAll(DEFINITION)].slice(0, MOST_DEFINITIONS);
  let open = new Reading(text.slice(0, from)).open;
  for (let at = from; at < text.length;) {
    const end = cut(text, at, size, new Reading(open));
    const piece = text.slice(at, end);
    const names = piece.toLowerCase();
    const links = definitions.filter(([, name]) => names.includes(name.toLowerCase())).map(([line]) => line);
    yield open + piece + (links.length ? `\n\n${links.join('\n')}` : '');
    open = new Reading(open + piece).open;
    at = end;
  }
}

/** What is open in a text that is read line by line. */
class Reading {
  /** @param {string} text That was read before. */
  constructor(text = '') {
    this._fence = ''; // the line that begins the code that is open
    this._mark = ''; // and its mark
    this._head = ''; // the head of the table that is open,
    this.cells = 1; // and how many cells each of its rows has: they are filled up to that
    this._last = '';
    text.replace(/\n$/, '').split('\n').forEach(line => this.line(line));
  }

  /** The lines to begin with, to go on with what is open. */
  get open() {
    return this._fence ? `${this._fence}\n` : this._head;
  }

  /** @param {string} line */
  line(line) {
    const text = line.trim();
    if (this._fence) {
      if (text.startsWith(this._mark) && !text.replaceAll(this._mark[0], '')) {
        this._fence = '';
      }
    } else if (FENCE.test(line)) {
      this._fence = line;
      this._mark = FENCE.exec(line)?.[1] ?? '';
      this._table('');
    } else if (!text) {
      this._table('');
    } else if (line.includes('|') && this._last.includes('|') && DELIMITERS.test(line)) {
      this._table(`${this._last}\n${line}\n`);
    }
    this._last = line;
  }

  /** @param {string} head */
  _table(head) {
    this._head = head;
    this.cells = head.split('\n', 1)[0].split('|').length;
  }
}

/**
 * Return where a piece ends.
 *
 * @param {string} text
 * @param {number} at Where it begins.
 * @param {Size} most
 * @param {Reading} reading
 */
function cut(text, at, most, reading) {
  const limit = at + characters(text.slice(at, at + most.characters), most.marks);
  let end = at; // after the last line that fits,
  let blank = at; // and after the last blank one outside of code
  for (let lines = 0; lines < most.lines && end < limit; lines += Math.max(1, reading.cells / most.cells)) {
    const next = text.indexOf('\n', end);
    const after = next < 0 ? text.length : next + 1;
    if (after > limit) {
      break;
    }
    const line = text.slice(end, next < 0 ? after : next);
    reading.line(line);
    end = after;
    if (!line.trim() && !reading.open) {
      blank = end;
    }
    if (end === text.length) {
      return end;
    }
  }
  if (blank > at + (end - at) / 2) {
    return blank;
  }
  if (end > at) {
    return end;
  }
  const space = text.lastIndexOf(' ', limit - 1);
  const whole = space > at + (limit - at) / 2 ? space + 1 : Math.min(limit, at + most.word);
  return /[\ud800-\udbff]/.test(text[whole - 1]) ? whole - 1 : whole;
}

/**
 * Return how many characters of a text have at most so many marks.
 *
 * @param {string} text
 * @param {number} most
 */
function characters(text, most) {
  let count = 0;
  for (const { index } of text.length > most ? text.matchAll(MARK) : []) {
    if (count++ === most) {
      return index;
    }
  }
  return text.length;
}
