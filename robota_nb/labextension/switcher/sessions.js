// The picker of sessions, with what can be done with them.

import { h } from './dom.js';
import { begin, nameField } from './field.js';
import { menuButton } from './menu.js';
import { t } from './strings.js';

const CHANGES = {
  active: ['session.pause', 'session.archive'],
  paused: ['session.resume', 'session.archive'],
  archived: ['session.restore']
}; // what may be done with a session, by its state

export class Sessions {
  /** See `Chats` for the parameters. */
  constructor(told, act) {
    this._told = told;
    this._act = act;
    this._shown = null;
    this._select = h('select.robota-session', {
      'aria-label': t('session'), 'data-part': 'session',
      on: { change: () => void act.ask('session.open', { session: this._select.value }) }
    });
    this._menu = menuButton({ label: t('sessionActions'), part: 'session-menu', items: () => this._items() });
    this.element = h('div.robota-bar', {}, this._select, this._menu);
  }

  refresh() {
    const { sessions, session } = this._told;
    const look = JSON.stringify([sessions.map(({ id, name, state }) => [id, name, state]), session]);
    if (look === this._shown) {
      return;
    }
    this._shown = look;
    const options = sessions.map(({ id, name, state }) => {
      const shown = state === 'active' ? name : t('sessionOption', { name, state });
      return h('option', { value: id, selected: id === session }, shown);
    });
    this._select.replaceChildren(...(options.length ? options : [h('option', { value: '' }, t('noSession'))]));
    this._select.disabled = !options.length;
  }

  _items() {
    const active = this._told.sessions.find(({ id }) => id === this._told.session);
    const create = [t('newSession'), () => this._create()];
    if (!active) {
      return [create];
    }
    const changes = (CHANGES[active.state] ?? []).map(what => [
      t(what),
      () => void this._act.ask(what, { session: active.id })
    ]);
    return [
      create,
      [t('renameSession'), () => this._rename(active)],
      ...changes,
      [t('deleteSession'), () => this._delete(active)]
    ];
  }

  async _create() {
    const made = await this._act.ask('session.new');
    const row = this._told.sessions.find(({ id }) => id === made?.session);
    if (row) {
      this._rename(row);
    }
  }

  _rename({ id, name }) {
    const end = () => {
      field.replaceWith(this._select);
      this._menu.focus();
    };
    const field = nameField({
      label: t('renameSession'),
      value: name,
      done: given => {
        end();
        void this._act.ask('session.rename', { session: id, name: given });
      },
      cancel: end
    });
    this._select.replaceWith(field);
    begin(field);
  }

  async _delete({ id, name }) {
    const done = await this._act.ask('session.delete', { session: id });
    if (done) {
      const undo = () => this._act.ask('session.undelete', { session: id, activate: done.was_active });
      this._act.notify(t('deletedSession', { name }), undo);
    }
  }
}
