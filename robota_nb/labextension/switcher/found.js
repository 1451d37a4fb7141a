// What was said that holds the words of the filter: a row for each turn, in all chats and branches of the notebook, and
// with one more click in all notebooks of the store.

import { h } from './dom.js';
import { day } from './listing.js';
import { t } from './strings.js';

/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./view_state.js').ViewState} ViewState */
/** @typedef {ViewMessage.Hit} Hit */

export class Found {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   */
  constructor(state, actions) {
    this._state = state;
    this._actions = actions;
    this._wanted = '';
    this._isAsking = false; // one request at a time: whoever types fast asks for fewer words
    this._rows = h('div', { role: 'list', 'aria-label': t('said') });
    this._more = h('div.robota-aside', { role: 'status' });
    this._all = h('button.robota-button', {
      type: 'button', 'data-part': 'search-all', on: { click: () => void this._ask(true) }
    }, t('searchAll'));
    this.element = h('div.robota-found', { hidden: true }, h('div.robota-found-head', {}, t('said')), this._rows, this._more, this._all);
  }

  /**
   * Look for words; none end that.
   *
   * @param {string} words
   */
  look(words) {
    if (words === this._wanted) {
      return;
    }
    this._wanted = words;
    if (!words) {
      this.element.hidden = true;
    } else if (!this._isAsking) {
      void this._ask(false);
    }
  }

  /**
   * @param {boolean} everywhere
   * @returns {Promise<void>}
   */
  async _ask(everywhere) {
    const text = this._wanted;
    this._isAsking = true;
    const answer = await this._actions.request('search', { text, everywhere }).finally(() => {
      this._isAsking = false;
    });
    if (text !== this._wanted) {
      return this._wanted ? this._ask(false) : undefined; // other words were typed since
    }
    if (answer?.hits) {
      this._show(answer.hits, answer.more ?? 0, text, everywhere);
    }
  }

  /**
   * @param {Hit[]} hits
   * @param {number} more How many more there are.
   * @param {string} text
   * @param {boolean} everywhere
   */
  _show(hits, more, text, everywhere) {
    this._rows.replaceChildren(...hits.map(hit => this._row(hit, text)));
    this._more.textContent = more ? t('moreFound', { count: more }) : hits.length ? '' : t('nothingSaid');
    this._all.hidden = everywhere || this._actions.isReadOnly;
    this.element.hidden = false;
  }

  /**
   * @param {Hit} hit
   * @param {string} wanted
   */
  _row(hit, wanted) {
    const marks = [
      hit.number === 0 && !hit.deleted ? t('undone') : '', hit.deleted ? t('deleted') : '', hit.foreign ? t('foreign') : ''
    ].filter(Boolean);
    const place = [hit.name, hit.number ? t('turnNumber', { number: hit.number }) : ''].filter(Boolean).join(' · ');
    const parts = [
      h('span.robota-line', {},
        h('span.robota-name', {}, h('bdi', {}, place)),
        ...marks.map(mark => h('span.robota-mark', {}, mark)),
        h('span.robota-when', {}, day(hit.at))),
      hit.notebook ? h('span.robota-line', {}, h('span.robota-words', {}, h('bdi', {}, hit.notebook))) : null,
      h('span.robota-excerpt', { dir: 'auto' }, ...marked(hit.text, wanted))
    ];
    const row = hit.notebook // which is not open here
      ? h('div.robota-hit', {}, ...parts)
      : h('button.robota-hit', { type: 'button', on: { click: () => void this._open(hit) } }, ...parts);
    return h('div', { role: 'listitem' }, row);
  }

  /** @param {Hit} hit */
  async _open({ session, chat, turn, name, number, deleted }) {
    const { request, show, chosen, offer } = this._actions;
    if (deleted) {
      offer(t('isDeleted', { name }), t('bringBack'), () => request('chat.undelete', { session, chat, activate: true }));
      return;
    }
    chosen();
    if (session !== this._state.session) {
      await request('session.open', { session });
    }
    await request('chat.switch', { chat });
    show(chat, number);
    if (!number) {
      offer(t('isUndone'), t('showIt'), () => request('branch', { chat, turn }));
    }
  }
}

/**
 * Return a text with the words that were looked for set apart; the kernel may have found them in other letters.
 *
 * @param {string} text
 * @param {string} wanted
 * @returns {(string | HTMLElement)[]}
 */
function marked(text, wanted) {
  const at = text.toLowerCase().indexOf(wanted.toLowerCase());
  const end = at + wanted.length;
  return at < 0 ? [text] : [text.slice(0, at), h('mark', {}, text.slice(at, end)), text.slice(end)];
}
