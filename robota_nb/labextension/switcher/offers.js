// What may be typed next in the draft: names within the braces of a field, and behind an @ what is attached.

import { h, set } from './dom.js';
import { t } from './strings.js';

/** @typedef {import('./switcher.js').Actions} Actions */

const FIELD = /\{\{[^{}\n]*$/;
const VARIABLE = /(?:^|\s)@([\p{L}_][\p{L}\p{N}_]*|)$/u;
const PREFIX = 'robota-offer-'; // of the ids, which a screen reader is told of
let lists = 0;

export class Offers {
  /**
   * @param {HTMLTextAreaElement} area
   * @param {Actions} actions
   * @param {(name: string) => void} attach Attaches a variable.
   */
  constructor(area, actions, attach) {
    this._area = area;
    this._actions = actions;
    this._attach = attach;
    this._list = ++lists;
    /** @type {ViewMessage.Offer[]} */
    this._offers = [];
    this._asked = ''; // what stood before the cursor that they fit
    this._at = 0; // the one that would be taken
    this._replaces = 0; // characters before the cursor that it takes the place of
    this._isVariable = false; // whether what is taken is attached
    this.element = h('ul.robota-offers', { role: 'listbox', 'aria-label': t('offers'), id: `${PREFIX}${this._list}`, hidden: true });
    set(area, { 'aria-controls': this.element.id, 'aria-autocomplete': 'list' });
    area.addEventListener('input', () => void this._look());
    area.addEventListener('blur', () => this._close());
    area.addEventListener('keydown', event => this._onKey(event), { capture: true }); // before Enter sends
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Ask for what may stand at the cursor. */
  async _look() {
    const before = this._before();
    const variable = VARIABLE.exec(before);
    if (!variable && !FIELD.test(before)) {
      this._close();
      return;
    }
    this._narrow(before);
    const line = variable ? `{{ ${variable[1]}` : before.slice(before.lastIndexOf('\n') + 1);
    const answer = await this._actions.request('complete', { text: line });
    if (before !== this._before() || document.activeElement !== this._area) {
      return; // something else was typed since
    }
    this._asked = before;
    this._isVariable = Boolean(variable);
    this._replaces = variable ? variable[1].length + 1 : (answer?.word ?? '').length;
    const word = answer?.word ?? '';
    this._offers = (answer?.offers ?? []).filter(offer => (variable ? offer.about : offer.text !== word));
    this._at = 0;
    this._show();
  }

  /**
   * Keep what still fits while the kernel is asked anew: a key may take one before it has answered.
   *
   * @param {string} before
   */
  _narrow(before) {
    if (this.isOpen) {
      const word = before.slice(this._asked.length - this._replaces);
      const fits = before.startsWith(this._asked);
      this._offers = this._offers.filter(({ text }) => fits && `${this._isVariable ? '@' : ''}${text}`.startsWith(word));
      this._replaces = word.length;
      this._asked = before;
      this._at = 0;
      this._show();
    }
  }

  _show() {
    const rows = this._offers.map((offer, index) => {
      const row = h('li.robota-offer', { role: 'option', id: `${this.element.id}-${index}`, on: {
        pointerdown: event => {
          event.preventDefault(); // the area keeps the focus
          this._take(index);
        }
      } }, h('bdi', {}, offer.text), h('span.robota-offer-about', {}, offer.about || offer.type));
      set(row, { 'aria-selected': String(index === this._at) });
      return row;
    });
    this.element.replaceChildren(...rows);
    this.element.hidden = rows.length === 0;
    set(this._area, { 'aria-activedescendant': rows.length ? rows[this._at].id : null });
    rows[this._at]?.scrollIntoView({ block: 'nearest' });
  }

  _close() {
    this._offers = [];
    this._show();
  }

  /** @param {number} index */
  _take(index) {
    const { value, selectionStart: at } = this._area;
    const { text, type } = this._offers[index];
    const [before, after] = [value.slice(0, at - this._replaces), value.slice(at)];
    const isVariable = this._isVariable;
    const written = isVariable ? '' : text;
    const closing = !isVariable && type === 'variable' && !/^\s*[}|.[]/.test(after) ? ' }}' : '';
    this._area.value = before + written + closing + after;
    const end = before.length + written.length + closing.length;
    this._area.setSelectionRange(end, end);
    this._close();
    if (isVariable) {
      this._attach(text);
    }
    this._area.dispatchEvent(new Event('input'));
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    if (!this.isOpen || event.isComposing) {
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      this._at = (this._at + step + this._offers.length) % this._offers.length;
      this._show();
    } else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') {
      this._take(this._at);
    } else if (event.key === 'Escape') {
      this._close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** What stands before the cursor. */
  _before() {
    return this._area.value.slice(0, this._area.selectionStart);
  }
}
