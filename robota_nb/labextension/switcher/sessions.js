// The picker of sessions, with a menu of what can be done with the active one.

import { h } from './dom.js';
import { edit, nameField } from './field.js';
import { menuButton } from './menu.js';
import { named, t } from './strings.js';

/** @typedef {import('./menu.js').Item} Item */
/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./view_state.js').ViewState} ViewState */
/** @typedef {ViewMessage.SessionRow} SessionRow */

/** @type {Record<string, ('session.pause' | 'session.resume' | 'session.archive' | 'session.restore')[]>} */
const CHANGES = {
  active: ['session.pause', 'session.archive'],
  paused: ['session.resume', 'session.archive'],
  archived: ['session.restore']
}; // what may be done with a session, by its state

export class Sessions {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   */
  constructor(state, actions) {
    this._state = state;
    this._actions = actions;
    this._look = ''; // of the picker, as it was rendered
    this._select = h('select.robota-session', {
      'aria-label': t('session'), 'data-part': 'session',
      on: { change: () => void actions.request('session.open', { session: this._select.value }) }
    });
    /** Stands beside the picker's row: where there is nothing to pick, that takes no room. */
    this.menu = menuButton({ label: t('sessionActions'), part: 'session-menu', items: () => this._items() });
    this.element = h('div.robota-bar', {}, this._select);
  }

  refresh() {
    const { sessions, session } = this._state;
    const look = JSON.stringify([sessions.map(({ id, name, state }) => [id, name, state]), session]);
    if (look === this._look) {
      return;
    }
    this._look = look;
    const options = sessions.map(({ id, name, state }) => {
      const shown = state === 'active' ? name : t('sessionOption', { name, state: named('state', state) });
      return h('option', { value: id, selected: id === session }, shown);
    });
    this._select.replaceChildren(...(options.length ? options : [h('option', { value: '' }, t('noSession'))]));
    this.element.hidden = options.length < 2;
  }

  /** @returns {Item[]} */
  _items() {
    const active = this._state.sessions.find(({ id }) => id === this._state.session);
    /** @type {Item} */
    const create = [t('newSession'), () => this._create()];
    if (!active) {
      return [create];
    }
    const changes = (CHANGES[active.state] ?? []).map(what => /** @type {Item} */ ([
      t(what),
      () => void this._actions.request(what, { session: active.id })
    ]));
    return [
      create,
      [t('renameSession'), () => this._rename(active)],
      ...changes,
      [t('deleteSession'), () => this._delete(active), { danger: true }]
    ];
  }

  async _create() {
    const made = await this._actions.request('session.new');
    const row = this._state.sessions.find(({ id }) => id === made?.session);
    if (row) {
      this._rename(row);
    }
  }

  /** @param {SessionRow} row */
  _rename({ id, name }) {
    /** @param {boolean} isLeft */
    const end = isLeft => {
      field.replaceWith(this._select);
      this.element.hidden = this._state.sessions.length < 2;
      if (!isLeft) {
        this.menu.focus();
      }
    };
    const field = nameField({
      label: t('renameSession'),
      value: name,
      done: (given, isLeft) => {
        end(isLeft);
        void this._actions.request('session.rename', { session: id, name: given });
      },
      cancel: end
    });
    this._select.replaceWith(field);
    this.element.hidden = false;
    edit(field);
  }

  /** @param {SessionRow} row */
  async _delete({ id, name }) {
    const done = await this._actions.request('session.delete', { session: id });
    if (done) {
      const undo = () => this._actions.request('session.undelete', { session: id, activate: done.was_active });
      this._actions.notify(t('deletedSession', { name }), undo);
    }
  }
}
