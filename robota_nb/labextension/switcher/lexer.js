// Markdown into marked's tokens. The text comes from strangers, so what one text may cost is bounded.

import { Lexer, Marked, Tokenizer } from './marked.js';
import { formulaAt, nextFormula, withoutFormulas } from './maths.js';

/** @typedef {import('./marked.js').Token} Token */
/** @typedef {{ lexer: BoundedLexer }} Hook What marked calls hooks and extensions with, as `this`. */

const DEEPEST = 40; // blocks or spans in each other: each level takes room on the stack, here and in the browser

// Some of marked's rules take a time that grows with the square of a text's length, or doubles with each level. What is
// beyond one of these is plain text:
const LONGEST = 20000; // characters of a paragraph
const WORK = 40; // how often marked may look at each character, on all levels together
const TIME = 150; // milliseconds
const TOKENS = 50000; // for each takes the browser's time as well

const LIST = 50000; // characters of a list; what follows is another one
const CELLS = 20000; // of a table: marked fills up each row to the length of the first

// More markers in a line than anybody needs: marked looks for some of them again in each line that follows
const MARKERS = /^[ \t]*(?:>[ \t]*|(?:[-+*]|\d{1,9}[.)])[ \t]+){20}/m;

/**
 * A token whose text is shown just as it is.
 *
 * @param {string} text
 */
function plain(text) {
  return /** @type {Token} */ ({ type: 'plain', raw: text });
}

class BoundedLexer extends Lexer {
  /**
   * @param {object} options marked's.
   * @param {number} length Of the text.
   */
  constructor(options, length) {
    super(options);
    this._work = WORK * (length + 1000);
    this._tokens = TOKENS;
    this._end = performance.now() + TIME;
    this._depth = 0;
    this.source = ''; // of the spans that are being read: marked does not tell the hook that masks it
  }

  /** @param {string} text */
  lex(text) {
    const tokens = this.tokens;
    try {
      this.blockTokens(text, tokens);
    } catch {
      const known = tokens.map(({ raw }) => raw).join('');
      if (!text.startsWith(known)) {
        tokens.length = 0;
      }
      tokens.push(plain(tokens.length ? text.slice(known.length) : text));
    }
    for (const { src, tokens: spans } of this.inlineQueue) {
      // marked carries these from paragraph to paragraph: one `<a` would change all that follows
      Object.assign(this.state, { inLink: false, inRawBlock: false, linkEmitted: false });
      try {
        if (src.length > LONGEST) {
          throw new RangeError('a long paragraph');
        }
        this.inlineTokens(src, spans);
      } catch {
        spans.splice(0, spans.length, plain(src));
      }
    }
    return tokens;
  }

  /**
   * @param {string} text
   * @param {Token[]} tokens
   */
  blockTokens(text, tokens = [], clipped = false) {
    return this._within(text, tokens, () => super.blockTokens(text, tokens, clipped));
  }

  /**
   * @param {string} text
   * @param {Token[]} tokens
   */
  inlineTokens(text, tokens = []) {
    this.source = text;
    return this._within(text, tokens, () => super.inlineTokens(text, tokens));
  }

  /** Give up on a text that takes too much; called by our extensions, which marked asks first at each place. */
  checkBudget() {
    if (this._tokens-- < 0 || performance.now() > this._end) {
      throw new RangeError('too much of it');
    }
  }

  /**
   * Go one level down.
   *
   * @param {string} text
   * @param {Token[]} tokens
   * @param {() => Token[]} lex
   */
  _within(text, tokens, lex) {
    this._work -= text.length + 1;
    if (this._work < 0) {
      throw new RangeError('too much work');
    }
    if (this._depth >= DEEPEST) {
      tokens.push(plain(text));
      return tokens;
    }
    this._depth++;
    try {
      return lex();
    } finally {
      this._depth--;
    }
  }
}

const inlineFormula = {
  name: 'formula',
  level: 'inline',
  start: nextFormula,
  /**
   * @this {Hook}
   * @param {string} text
   */
  tokenizer(text) {
    this.lexer.checkBudget();
    const raw = formulaAt(text, 0);
    return raw ? { type: 'formula', raw } : undefined;
  }
};

const AHEAD = 2000; // characters in which a paragraph's end is looked for, as marked asks again at each block
const DISPLAYED = / {0,3}(?=\$\$|\\\[|\\begin\{)/y;
const LINE_END = /[ \t]*(?:\n|$)/y;

const blockFormula = {
  name: 'formulaBlock',
  level: 'block',
  /** @param {string} text */
  start(text) {
    const near = text.slice(0, AHEAD);
    for (let line = near.indexOf('\n') + 1; line > 0 && near[line] !== '\n'; line = near.indexOf('\n', line) + 1) {
      DISPLAYED.lastIndex = line;
      if (DISPLAYED.test(near)) {
        return line;
      }
    }
    return -1;
  },
  /**
   * @this {Hook}
   * @param {string} text
   */
  tokenizer(text) {
    this.lexer.checkBudget();
    DISPLAYED.lastIndex = 0;
    const indent = DISPLAYED.exec(text)?.[0];
    const formula = indent === undefined ? null : formulaAt(text, indent.length);
    if (indent !== undefined && formula) {
      LINE_END.lastIndex = indent.length + formula.length;
      const end = LINE_END.exec(text)?.[0];
      if (end !== undefined) {
        return { type: 'formulaBlock', raw: indent + formula + end, text: formula };
      }
    }
    return undefined;
  }
};

const UNDERLINE = /\n {0,3}(?:=+|-+)[ \t]*(?:\n|$)/;

const tokenizer = {
  /**
   * Look for an underlined heading only where a line is below, as marked's rule reads on to the end for each line of a
   * list; and leave a line of `=` or `-` in a formula to that. False: marked decides.
   *
   * @param {string} text
   */
  lheading(text) {
    const [near] = text.slice(0, AHEAD).split(/\n[ \t]*\n/, 1);
    return UNDERLINE.test(near) && blockFormula.start(text) < 0 ? false : undefined;
  },

  /**
   * End a list that has become too long.
   *
   * @this {Tokenizer}
   * @param {string} text
   */
  list(text) {
    const end = text.length > LIST ? text.lastIndexOf('\n', LIST) + 1 || LIST : text.length;
    return Tokenizer.prototype.list.call(this, text.slice(0, end));
  },

  /**
   * Leave a large table to be a paragraph.
   *
   * @param {string} text
   */
  table(text) {
    const first = text.indexOf('\n');
    const columns = first < 0 ? 1 : text.slice(first + 1).split('\n', 1)[0].split('|').length;
    let cells = 0;
    for (let end = first; columns > 1 && end >= 0 && text[end + 1] !== '\n'; end = text.indexOf('\n', end + 1)) {
      cells += columns;
      if (cells > CELLS) {
        return undefined;
      }
    }
    return false;
  }
};

const marked = new Marked({ gfm: true, tokenizer, extensions: [inlineFormula, blockFormula] });

const hooks = {
  /**
   * @this {Hook}
   * @param {string} mask
   */
  emStrongMask(mask) {
    return withoutFormulas(mask, this.lexer.source);
  }
};

/**
 * Return marked's tokens of a text whose lines end with \n; `links` are its link definitions.
 *
 * @param {string} text
 */
export function lex(text) {
  const options = { ...marked.defaults, hooks: nextFormula(text) < 0 ? null : hooks };
  const end = text.match(MARKERS)?.index ?? text.length;
  const tokens = new BoundedLexer(options, end).lex(text.slice(0, end));
  if (end < text.length) {
    tokens.push(plain(text.slice(end)));
  }
  return tokens;
}
