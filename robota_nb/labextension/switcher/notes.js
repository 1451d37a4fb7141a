// Notes to the user, of one line each: an error, with a way to try again, or what can be undone.

import { h } from './dom.js';
import { icon } from './icons.js';
import { t } from './strings.js';

/** @typedef {{ label: string, action(): unknown }} Offer What can be done about a note. */

const KEPT = 3; // older ones make room

export class Notes {
  constructor() {
    this.element = h('div.robota-notes', { role: 'alert' });
  }

  /**
   * Show a text until it is dismissed.
   *
   * @param {string} text
   * @returns {() => void} Takes it away.
   */
  show(text) {
    return this._show('div.robota-note', text);
  }

  /**
   * Show what was done, and can be undone.
   *
   * @param {string} text
   * @param {() => unknown} undo
   */
  undoable(text, undo) {
    this._show('div.robota-note.robota-undoable', text, { label: t('undo'), action: undo });
  }

  /**
   * Show what is so, and what can be done about it.
   *
   * @param {string} text
   * @param {Offer} offer
   */
  offer(text, offer) {
    this._show('div.robota-note', text, offer);
  }

  /**
   * Undo what is offered to be undone last.
   *
   * @returns {boolean} Whether there was anything.
   */
  undo() {
    const button = [...this.element.querySelectorAll('.robota-undoable')].at(-1)?.querySelector('button');
    button?.click();
    return Boolean(button);
  }

  /**
   * Show an error, in the place of the one before.
   *
   * @param {string} text
   * @param {() => unknown} [again] Tries again.
   */
  fail(text, again) {
    this.settle();
    this._show('div.robota-note.robota-error', text, again && { label: t('tryAgain'), action: again });
  }

  /** Take the error away: what had failed is done. */
  settle() {
    this.element.querySelectorAll('.robota-error').forEach(note => note.remove());
  }

  /**
   * @param {string} kind The tag with its class names.
   * @param {string} text
   * @param {Offer} [offer]
   */
  _show(kind, text, offer) {
    /** @type {HTMLElement} */
    let note;
    const away = () => note.remove();
    const act = () => {
      away();
      offer?.action();
    };
    note = h(kind, {},
      h('span', { dir: 'auto' }, text),
      offer ? h('button.robota-button', { type: 'button', 'data-part': 'offer', on: { click: act } }, offer.label) : null,
      h('button.robota-icon', { type: 'button', 'aria-label': t('dismiss'), title: t('dismiss'), on: { click: away } }, icon('close')));
    this.element.append(note);
    while (this.element.children.length > KEPT) {
      this.element.firstChild?.remove();
    }
    return away;
  }
}
