// Where the user writes to the active chat. What was not sent stays with its chat.

import { h } from './dom.js';
import { textArea } from './field.js';
import { t } from './strings.js';

/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./view_state.js').ViewState} ViewState */

export class Draft {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   */
  constructor(state, actions) {
    this._state = state;
    this._actions = actions;
    /** @type {Map<string | null, string>} */
    this._drafts = new Map(); // by chat
    /** @type {string | null} */
    this._chat = null;
    const { area, fit } = textArea({
      label: t('draftOfNone'), hint: t('draftPlaceholder'), part: 'draft', send: () => this._send(), escape: () => this._stop()
    });
    this._area = area;
    this._fit = fit;
    this._sendButton = h('button.robota-button.robota-main', { type: 'button', 'data-part': 'send', on: { click: () => this._send() } }, t('send'));
    this._stopButton = h('button.robota-button.robota-main', { type: 'button', 'data-part': 'stop', on: { click: () => this._stop() } }, t('stop'));
    this.element = h('div.robota-draft', {}, area, this._sendButton, this._stopButton);
  }

  refresh() {
    const { chat, chats, arriving } = this._state;
    if (chat !== this._chat) {
      this._drafts.set(this._chat, this._area.value);
      this._area.value = this._drafts.get(chat) ?? '';
      this._chat = chat;
      this._fit();
    }
    const name = chat === null ? undefined : chats.get(chat)?.name;
    const label = name ? t('draft', { name }) : t('draftOfNone');
    this._area.setAttribute('aria-label', label);
    this._area.title = t('draftHint');
    this._sendButton.hidden = arriving !== null;
    this._stopButton.hidden = arriving === null;
  }

  focus() {
    this._area.focus();
  }

  async _send() {
    const text = this._area.value;
    const chat = this._chat;
    if (!text.trim() || this._state.arriving) {
      return;
    }
    this._area.value = '';
    this._fit();
    this._actions.sent();
    const done = await this._actions.request('ask', chat ? { chat, text } : { text });
    if (!done && this._chat === chat && !this._area.value) {
      this._area.value = text; // nothing is lost
      this._fit();
    }
  }

  _stop() {
    if (this._state.arriving) {
      this._actions.stop();
    }
  }
}
