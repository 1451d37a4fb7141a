// Markdown that strangers write, and that grows while they do. HTML in it is text.

import { block } from './blocks.js';
import { h } from './dom.js';
import { lex } from './lexer.js';

const SLOW = 100; // milliseconds; what takes longer is not done again for a few words more

/** Shows a Markdown text, which may grow, in an element. */
export class Markdown {
  /**
   * @param {object} services
   *   `highlight(code, language, element)` fills an element with coloured code; `typeset(element)` draws the formula
   *   that is the element's text. Both are called once for what is complete, and either may be missing, or fail.
   */
  constructor(services = {}) {
    this._services = services;
    this._blocks = []; // marked's tokens of the outermost level, with their elements
    this._links = '{}'; // the link definitions, which may change any block
    this._settled = { source: '', count: 0 }; // what no more text at the end can change
    this._lexed = { source: '', count: 0 }; // what marked has seen,
    this._next = 0; // and the length at which it shall see more
    this.element = h('div.robota-markdown');
  }

  /**
   * Show this text; blocks that it has in common with the last one keep their elements.
   *
   * @param {string} text
   * @param {object} state `done`: nothing more is to come, so the last block is complete, too.
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

  /** Return the tokens of a text. While it grows, those that are settled are not looked for again. */
  _lex(source, done) {
    const growsFrom = ({ source: known }) => !done && known && source.startsWith(known);
    if (source.length < this._next && growsFrom(this._lexed)) {
      const more = source.slice(this._lexed.source.length);
      const rest = more ? [{ type: 'plain', raw: more }] : [];
      return Object.assign([...this._blocks.slice(0, this._lexed.count), ...rest], { links: JSON.parse(this._links) });
    }
    const kept = growsFrom(this._settled) ? this._blocks.slice(0, this._settled.count) : [];
    const rest = kept.length ? source.slice(this._settled.source.length) : source;
    const began = performance.now();
    const more = lex(rest);
    const defines = kept.length && Object.keys(more.links).length; // perhaps what a settled block names
    const tokens = defines ? lex(source) : Object.assign([...kept, ...more], { links: more.links });
    this._lexed = { source, count: tokens.length };
    this._next = performance.now() - began > SLOW ? source.length + rest.length / 2 : 0;
    return tokens;
  }

  /** Return how many tokens at the beginning are shown already. */
  _common(tokens) {
    const other = tokens.findIndex(
      ({ type, raw }, i) => type !== this._blocks[i]?.type || raw !== this._blocks[i].raw
    );
    return other < 0 ? tokens.length : other;
  }

  /** Return the beginning of the text up to the last block but one that a blank line parts from what is before it. */
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
    return source.startsWith(known) ? { source: known, count } : none; // marked's own account of it may differ
  }
}

/** A block of the outermost level, with what it shows. */
class Block {
  constructor(token) {
    this.type = token.type;
    this.raw = token.raw;
    this._parts = [];
    this._finished = false;
    try {
      this.element = block(token, this._parts);
    } catch {
      this._parts = [];
      this.element = block({ type: 'plain', raw: token.raw }, []);
    }
  }

  /** Become the block of this token, if that only goes on; return whether it does. */
  grow(token) {
    const [part] = this._parts;
    const grows = !this._finished && token?.type === 'code' && part?.element === this.element && part.grow(token);
    if (grows) {
      this.raw = token.raw;
    }
    return grows;
  }

  /** Let the services do what they do once with a complete block. */
  finish(services) {
    if (!this._finished) {
      this._finished = true;
      this._parts.forEach(part => void part.finish(services));
    }
  }
}
