// An answer: a long one is shown to a part, and the rest on demand.

import { h } from './dom.js';
import { showPicturesOnClick } from './links.js';
import { Markdown } from './markdown.js';
import { firstPart } from './pieces.js';
import { Rest } from './rest.js';
import { t } from './strings.js';

/** @typedef {import('./switcher.js').Services} Services */

const MOST_FORMULAS = 200; // that are typeset of an answer: each takes about a millisecond

export class Answer {
  /** @param {Services} services */
  constructor(services = {}) {
    let formulas = 0;
    /** @type {Services} */
    this._services = {
      ...services,
      typeset: async element => void (formulas++ < MOST_FORMULAS && (await services.typeset?.(element)))
    };
    this._first = new Markdown(this._services);
    this._more = h('div.robota-more');
    this.element = h('div.robota-answer', {}, this._first.element);
    showPicturesOnClick(this.element);
  }

  /**
   * Show a text, or its first part.
   *
   * @param {string} text
   * @param {{ done?: boolean }} state Whether nothing more is to come.
   */
  set(text, { done = true } = {}) {
    const source = String(text).replace(/\r\n?/g, '\n');
    const first = firstPart(source);
    const left = source.length - first.length;
    this._first.set(first, { done: done || left > 0 });
    if (!left) {
      this._more.remove();
      return;
    }
    const count = left.toLocaleString('en');
    const button = h('button.robota-button', { type: 'button', 'data-part': 'show-all' }, t('showAll'));
    button.addEventListener('click', () => this._showAll(source, first.length));
    this._more.replaceChildren(t('restOfAnswer', { count }), ...(done ? [' ', button] : []));
    this.element.append(this._more);
  }

  /**
   * @param {string} text
   * @param {number} from Where the rest of it begins.
   */
  _showAll(text, from) {
    this._more.replaceChildren();
    this._more.className = '';
    this._more.tabIndex = -1;
    this._more.focus({ preventScroll: true });
    new Rest(this._more, this._services).show(text, from);
  }
}
