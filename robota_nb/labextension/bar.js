// What stands above the chats of a notebook: which answers are stale, what was asked, and notices about the notebook.

import { h } from './switcher/dom.js';
import { Notes } from './switcher/notes.js';
import { t } from './switcher/strings.js';

/** @typedef {import('./bridge.js').Bridge} Bridge */

export class Bar {
  /**
   * @param {Bridge} bridge The notebook's.
   * @param {() => Promise<void>} runStale
   */
  constructor(bridge, runStale) {
    this._bridge = bridge;
    this._runStale = runStale;
    this._notes = new Notes();
    this._text = h('span', { role: 'status' });
    this._runButton = h('button.robota-button', {
      type: 'button', title: t('runStaleHint'), 'data-part': 'run-stale', on: { click: () => void this._run() }
    }, t('runStale'));
    const accept = h('button.robota-button', {
      type: 'button', title: t('acceptHint'), 'data-part': 'accept', on: { click: () => bridge.accept() }
    }, t('accept'));
    this._stale = h('div.robota-note.robota-stale', {}, this._text, h('span.robota-choices', {}, this._runButton, accept));
    this._counts = h('span.robota-counts', { 'data-part': 'counts' });
    this._strict = h('input', { type: 'checkbox', 'data-part': 'strict', on: { change: () => this._choose() } });
    this.element = h('div.robota-notebook', { role: 'group', 'aria-label': t('thisNotebook') },
      this._notes.element,
      this._stale,
      h('div.robota-quiet', {}, this._counts, h('label', { title: t('strictHint') }, this._strict, t('strict'))));
    this._unwatch = bridge.marks.watch(() => this.refresh());
    this.refresh();
  }

  refresh() {
    const { stale, ...done } = this._bridge.marks.counts;
    this._stale.hidden = stale === 0;
    this._text.textContent = stale ? t('stale', { count: stale }) : '';
    this._counts.textContent = counts(done);
    this._strict.checked = this._bridge.isStrict;
  }

  /**
   * Show a notice until it is dismissed.
   *
   * @param {string} text
   */
  notify(text) {
    this._notes.show(text);
  }

  dispose() {
    this._unwatch();
    this.element.remove();
  }

  _choose() {
    this._bridge.isStrict = this._strict.checked;
  }

  async _run() {
    this._runButton.disabled = true;
    try {
      await this._runStale();
    } finally {
      this._runButton.disabled = false;
    }
  }
}

/**
 * Say what this kernel has done.
 *
 * @param {{ asked: number, replayed: number, tokens: number, at_least?: boolean }} counts
 */
export function counts({ asked, replayed, tokens, at_least: isMore }) {
  const used = t(isMore ? 'atLeastTokens' : 'allTokens', { count: tokens });
  return [t('countReplayed', { count: replayed }), t('countAsked', { count: asked }), used].join(' · ');
}
