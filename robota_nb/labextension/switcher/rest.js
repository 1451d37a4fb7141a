// The rest of a long answer. It stands there as plain text, and becomes Markdown, piece by piece, as it comes near the
// view: a page can neither lay out nor take away the elements of all of it at once.

import { h } from './dom.js';
import { Markdown } from './markdown.js';
import { PIECE, pieces } from './pieces.js';
import { Slices } from './slices.js';
import { visible } from './visible.js';

/** @typedef {import('./pieces.js').Size} Size */
/** @typedef {import('./switcher.js').Services} Services */

/** @type {Size} */
const CHAPTER = { characters: 30000, lines: 2000, marks: Infinity, cells: Infinity, word: 30000 }; // of pieces
const NEAR = '100%'; // of the view's height, above and below it

const LINE = 1.6; // em
const LINE_LENGTH = 80; // characters, more or less

export class Rest {
  /**
   * @param {HTMLElement} element That shows it.
   * @param {Services} services
   */
  constructor(element, services) {
    this._element = element;
    this._services = services;
    this._slices = new Slices();
    /** @type {WeakMap<Element, () => void>} */
    this._draw = new WeakMap(); // what is to be done when an element comes near the view
    this._near = new IntersectionObserver(entries => entries.forEach(entry => this._comes(entry)), {
      root: element.closest('.robota-transcript'),
      rootMargin: NEAR
    });
  }

  /**
   * @param {string} text Of the whole answer.
   * @param {number} from Where the rest of it begins.
   */
  show(text, from) {
    const chapters = pieces(text, CHAPTER, from);
    const step = () => {
      const { value, done } = chapters.next();
      if (!done && this._element.isConnected) {
        this._element.append(this._chapter(value));
        this._slices.add(step);
      }
    };
    this._slices.add(step);
  }

  /** @param {string} text */
  _chapter(text) {
    const element = this._held(text, () => {
      element.replaceChildren(...[...pieces(text, PIECE)].map(piece => this._piece(piece)));
    });
    return element;
  }

  /** @param {string} text */
  _piece(text) {
    const element = this._held(text, () => {
      const markdown = new Markdown(this._services);
      markdown.set(text);
      element.replaceChildren(markdown.element);
    });
    return element;
  }

  /**
   * Return an element that holds plain text, which is not laid out, but found by who searches the page.
   *
   * @param {string} text
   * @param {() => void} draw What is to be done when it comes near the view.
   */
  _held(text, draw) {
    const held = h('div.robota-markdown.robota-held', { hidden: 'until-found' }, visible(text));
    const element = h('div.robota-piece', {}, held);
    const lines = text.split('\n').reduce((count, line) => count + Math.ceil(line.length / LINE_LENGTH), 0);
    element.style.containIntrinsicBlockSize = held.style.containIntrinsicBlockSize = `auto ${LINE * lines}em`;
    this._draw.set(element, draw);
    this._near.observe(element);
    return element;
  }

  /** @param {IntersectionObserverEntry} entry */
  _comes({ isIntersecting, target }) {
    if (isIntersecting) {
      this._near.unobserve(target);
      this._slices.add(() => this._draw.get(target)?.());
    }
  }
}
