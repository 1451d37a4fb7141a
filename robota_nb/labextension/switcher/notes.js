// Notes to the user, of one line each: an error, or what can be undone.

import { h } from './dom.js';
import { icon } from './icons.js';
import { t } from './strings.js';

const KEPT = 3; // older ones make room

export class Notes {
  constructor() {
    this.element = h('div.robota-notes', { role: 'alert' });
  }

  /**
   * Show a text until it is dismissed.
   *
   * @param {string} text
   * @param {{ label: string, action(): unknown }} [offer] What can be done about it.
   * @returns {() => void} Takes it away.
   */
  show(text, offer) {
    /** @type {HTMLElement} */
    let note;
    const away = () => note.remove();
    const act = () => {
      away();
      offer?.action();
    };
    note = h('div.robota-note', {},
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
