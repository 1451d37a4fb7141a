// How much of the model's window the active chat fills, what the chat has cost, and what makes it shorter.

import { h, set } from './dom.js';
import { menuButton } from './menu.js';
import { t } from './strings.js';

/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./view_state.js').ViewState} ViewState */

const NEARLY_FULL = 0.8; // from this part of the window on, the gauge is amber

export class Gauge {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   */
  constructor(state, actions) {
    this._state = state;
    this._actions = actions;
    this._fill = h('div.robota-gauge-fill');
    this._bar = h('div.robota-gauge-bar', { role: 'meter', 'aria-label': t('gauge'), 'aria-valuemin': 0 }, this._fill);
    this._text = h('span.robota-gauge-text', { 'data-part': 'gauge-text' });
    this._menu = menuButton({ label: t('gaugeActions'), part: 'gauge-menu', items: () => this._items() });
    this.element = h('div.robota-gauge', { 'data-part': 'gauge' }, this._bar, this._text, this._menu);
  }

  refresh() {
    const { chat, tokens, window, summed, model, can, cost, saved } = this._state.gauge;
    this.element.hidden = chat === null || chat !== this._state.chat || tokens === 0;
    const part = window ? Math.min(tokens / window, 1) : 0;
    this._bar.hidden = window === 0;
    this._fill.style.width = `${100 * part}%`;
    set(this._bar, { 'aria-valuemax': window, 'aria-valuenow': Math.min(tokens, window) });
    this.element.classList.toggle('robota-nearly-full', part >= NEARLY_FULL);
    const words = [window ? t('usedOf', { used: brief(tokens), window: brief(window) }) : t('used', { used: brief(tokens) })];
    if (summed) {
      words.push(t('summedUp', { count: summed }));
    }
    if (cost !== null) {
      words.push(t('cost', { cost: money(cost) }));
    }
    if (saved) {
      words.push(t('saved', { saved: money(saved) }));
    }
    this._text.textContent = words.join(' · ');
    const from = window ? t('gaugeHint') : t('gaugeHintNoWindow');
    this._text.title = summed ? `${from} ${t('summedUpHint', { count: summed, model })}` : from;
    this._menu.hidden = !can && !summed;
  }

  /** @returns {import('./menu.js').Item[]} */
  _items() {
    const { can, summed } = this._state.gauge;
    /** @type {import('./menu.js').Item[]} */
    const items = can ? [[t('compact'), () => this._offer()]] : [];
    return summed ? [...items, [t('compactUndo'), () => this._undo()]] : items;
  }

  /** Say what compacting does, and do it if the user says so. */
  _offer() {
    this._actions.offer(t('compactAbout'), t('compactNow'), () => void this._compact());
  }

  async _compact() {
    const { chat } = this._state.gauge;
    if (chat !== null && (await this._actions.request('chat.compact', { chat }, () => this._compact()))) {
      this._actions.notify(t('compacted'), () => this._undo(chat));
    }
  }

  _undo(chat = this._state.gauge.chat) {
    return chat === null ? null : this._actions.request('chat.compact_undo', { chat });
  }
}

/**
 * Return a number in few characters, such as `3.2k`.
 *
 * @param {number} number
 */
function brief(number) {
  if (number < 1000) {
    return String(number);
  }
  const [size, sign] = number < 999_500 ? [1000, 'k'] : [1_000_000, 'M'];
  return `${(number / size).toFixed(number < 9.95 * size ? 1 : 0).replace(/\.0$/, '')}${sign}`;
}

/**
 * Return an amount with two decimals, or where it is small, with two digits.
 *
 * @param {number} amount
 */
function money(amount) {
  return amount === 0 || amount >= 1 ? amount.toFixed(2) : String(Number(amount.toPrecision(2)));
}
