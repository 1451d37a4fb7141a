// The model of the active chat, below the draft: a click lists the others of its endpoint, and one more takes one.

import { h, set } from './dom.js';
import { menuButton } from './menu.js';
import { t } from './strings.js';

/** @typedef {import('./menu.js').Item} Item */
/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./view_state.js').ViewState} ViewState */

const MOST = 30; // in the menu; the settings list all of them

export class Model {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   * @param {() => void} chosen Called when what is typed next is for the model that was chosen.
   */
  constructor(state, actions, chosen) {
    this._state = state;
    this._actions = actions;
    this._chosen = chosen;
    this._name = h('bdi');
    this.element = menuButton({ label: '', part: 'model-menu', items: () => this._items() });
    this.element.classList.add('robota-model');
    this.element.prepend(this._name);
  }

  refresh() {
    const row = this._row();
    this.element.hidden = row === undefined;
    this._name.textContent = row?.model ?? '';
    const label = t('chooseModel', { model: row?.model ?? '' });
    set(this.element, { 'aria-label': label, title: label });
  }

  _row() {
    const { chat, chats } = this._state;
    return chat === null ? undefined : chats.get(chat);
  }

  /** @returns {Promise<Item[]>} */
  async _items() {
    const row = this._row();
    if (!row) {
      return [];
    }
    const settings = await this._actions.request('chat.settings', { chat: row.id });
    const provider = settings?.settings?.provider ?? '';
    const listed = settings && (await this._actions.request('models', { provider }));
    const others = (listed?.models ?? []).filter(name => name !== row.model).slice(0, MOST);
    return [
      ...others.map(name => /** @type {Item} */ ([name, () => this._set(row.id, name)])),
      [t('settings'), () => this._actions.configure(row.id)]
    ];
  }

  /**
   * @param {string} chat
   * @param {string} model
   */
  _set(chat, model) {
    this._chosen();
    void this._actions.request('chat.set', { chat, model });
  }
}
