// Markdown that strangers write, and that grows while it arrives. HTML in it is text.

import { block } from './blocks.js';
import { h } from './dom.js';
import { lex } from './lexer.js';
import { Slices } from './slices.js';

/** @typedef {import('./marked.js').Token} Token */
/** @typedef {import('./marked.js').TokenList} TokenList */
/** @typedef {import('./switcher.js').Services} Services */

/**
 * A part of a block that is completed by the services when the block is complete.
 *
 * @typedef {object} Part
 * @property {HTMLElement} [element]
 * @property {(token: Token) => boolean} [grow] Takes in more text at the end; false if it cannot.
 * @property {(services: Services) => Promise<void>} finish
 */

const SLOW = 100; // milliseconds; a text that takes longer is not read again for a few words more

const completing = new Slices();

/** Shows a Markdown text, which may grow, in an element. */
export class Markdown {
  /** @param {Services} services `highlight` and `typeset` are called once for what is complete; either may fail. */
  constructor(services = {}) {
    this._services = services;
    /** @type {Block[]} */
    this._blocks = []; // one for each token of the outermost level
    this._links = '{}'; // the link definitions, which may change any block
    this._settled = { source: '', count: 0 }; // the blocks that no more text at the end can change
    this._lexed = { source: '', count: 0 }; // the blocks that marked has read,
    this._next = 0; // and the length of text at which it is to read more
    this.element = h('div.robota-markdown');
  }

  /**
   * Show a text; blocks that it has in common with the last one keep their elements.
   *
   * @param {string} text
   * @param {{ done?: boolean }} state Whether nothing more is to come, so that the last block is complete, too.
   */
  set(text, { done = true } = {}) {
    const source = String(text).replace(/\r\n?/g, '\n');
    const tokens = this._lex(source, done);
    const links = JSON.stringify(tokens.links);
    let same = links === this._links ? this._common(tokens) : 0;
    this._links = links;
    if (this._blocks[same]?.grow(tokens[same])) {
      same++;
    }
    this._blocks.splice(same).forEach(({ element }) => element?.remove());
    for (const token of tokens.slice(same)) {
      const shown = new Block(token);
      this._blocks.push(shown);
      this.element.append(...(shown.element ? [shown.element] : []));
    }
    const last = done ? this._blocks.length : this._blocks.findLastIndex(({ type }) => type !== 'space');
    this._blocks.slice(0, last).forEach(shown => shown.finish(this._services));
    this._settled = this._settle(source);
  }

  /**
   * Return the tokens of a text, or blocks in their place. While a text grows, those that are settled are not read
   * again.
   *
   * @param {string} source
   * @param {boolean} done
   * @returns {TokenList}
   */
  _lex(source, done) {
    /** @param {{ source: string }} state */
    const growsFrom = ({ source: known }) => !done && known && source.startsWith(known);
    if (source.length < this._next && growsFrom(this._lexed)) {
      const more = source.slice(this._lexed.source.length);
      const rest = more ? [{ type: 'plain', raw: more }] : [];
      return listed([...this._blocks.slice(0, this._lexed.count), ...rest], JSON.parse(this._links));
    }
    const kept = growsFrom(this._settled) ? this._blocks.slice(0, this._settled.count) : [];
    const rest = kept.length ? source.slice(this._settled.source.length) : source;
    const began = performance.now();
    const more = lex(rest);
    const defines = kept.length && Object.keys(more.links).length; // links that a settled block may name
    const tokens = defines ? lex(source) : listed([...kept, ...more], more.links);
    this._lexed = { source, count: tokens.length };
    this._next = performance.now() - began > SLOW ? source.length + rest.length / 2 : 0;
    return tokens;
  }

  /**
   * Return how many tokens at the beginning are shown already.
   *
   * @param {TokenList} tokens
   */
  _common(tokens) {
    const other = tokens.findIndex(
      ({ type, raw }, i) => type !== this._blocks[i]?.type || raw !== this._blocks[i].raw
    );
    return other < 0 ? tokens.length : other;
  }

  /**
   * Return the beginning of the text up to the last block but one that a blank line parts from what is before it.
   *
   * @param {string} source
   */
  _settle(source) {
    const none = { source: '', count: 0 };
    if (this._links !== '{}') {
      return none;
    }
    let count = this._blocks.findLastIndex(({ type }) => type !== 'space') - 1;
    while (count > 0 && (this._blocks[count].type === 'space' || this._blocks[count - 1].type !== 'space')) {
      count--;
    }
    if (count <= 0) {
      return none;
    }
    const known = this._blocks.slice(0, count).map(({ raw }) => raw).join('');
    return source.startsWith(known) ? { source: known, count } : none; // marked's `raw` may differ from the text
  }
}

/**
 * @param {{ type: string, raw: string }[]} tokens Of these, all that is used of blocks that are shown already.
 * @param {Record<string, unknown>} links
 */
function listed(tokens, links) {
  return Object.assign(/** @type {Token[]} */ (tokens), { links });
}

/** A block of the outermost level, with its element. */
class Block {
  /** @param {Token} token */
  constructor(token) {
    this.type = token.type;
    this.raw = token.raw;
    /** @type {Part[]} */
    this._parts = [];
    this._finished = false;
    try {
      this.element = block(token, this._parts);
    } catch {
      this._parts = [];
      this.element = block(/** @type {Token} */ ({ type: 'plain', raw: token.raw }), []);
    }
  }

  /**
   * Become the block of a token, if that only has more text at the end; return whether it has.
   *
   * @param {Token | undefined} token
   */
  grow(token) {
    const [part] = this._parts;
    if (this._finished || token?.type !== 'code' || part?.element !== this.element || !part?.grow?.(token)) {
      return false;
    }
    this.raw = token.raw;
    return true;
  }

  /**
   * Let the services complete the block, once.
   *
   * @param {Services} services
   */
  finish(services) {
    if (!this._finished) {
      this._finished = true;
      this._parts.forEach(part => completing.add(() => part.finish(services)));
    }
  }
}
