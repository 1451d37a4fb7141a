// The list of a session's chats: the most recent first with its forks below it, filtered as one types, renamed in place.

import { h, set } from './dom.js';
import { edit, nameField } from './field.js';
import { Found } from './found.js';
import { icon } from './icons.js';
import { day, inOrder } from './listing.js';
import { menuButton } from './menu.js';
import { showSettings } from './settings.js';
import { t } from './strings.js';
import { VirtualList } from './virtual.js';

/** @typedef {import('./menu.js').Item} Item */
/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./view_state.js').ViewState} ViewState */
/** @typedef {ViewMessage.ChatRow} ChatRow */

const ROW = 48; // pixels

export class Chats {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   * @param {HTMLElement} menu Of what can be done with the session.
   */
  constructor(state, actions, menu) {
    this._state = state;
    this._actions = actions;
    /** @type {ChatRow[]} */
    this._rows = []; // those that match the filter
    /** @type {Map<string, number>} */
    this._depths = new Map(); // of forks, by id
    /** @type {Map<string, string>} */
    this._rendered = new Map(); // id -> the look of the row as it was rendered
    /** @type {string | null} */
    this._at = null; // the id of the row that has the focus, or had it last
    /** @type {{ id: string | null, isNew: boolean }} */
    this._edited = { id: null, isNew: false }; // the row whose name is being edited
    this._found = new Found(state, actions);
    this._form = h('div.robota-form'); // where the settings of a chat are shown, in the place of the list
    this._filter = h('input.robota-filter', {
      type: 'search', 'aria-label': t('filter'), placeholder: t('filterHint'), 'data-part': 'filter',
      on: { input: () => this.refresh(true), keydown: event => this._onFilterKey(event) }
    });
    this._new = h('button.robota-icon', {
      type: 'button', 'aria-label': t('newChat'), title: t('newChat'), 'data-part': 'new-chat', on: { click: () => this.create() }
    }, icon('add'));
    this._empty = h('div.robota-empty');
    this._list = new VirtualList({
      element: h('div.robota-rows', { role: 'list', 'aria-label': t('chats') }),
      estimate: ROW,
      render: index => this._render(this._rows[index], index)
    });
    this._list.element.addEventListener('keydown', event => this._onKey(event));
    const buttons = actions.isReadOnly ? [] : [this._new, menu];
    this.element = h('div.robota-chatlist', {}, h('div.robota-bar', {}, this._filter, ...buttons), this._form, this._empty, this._list.element, this._found.element);
    this._count = this.element.appendChild(h('div.robota-aside', { role: 'status' }));
  }

  /**
   * Bring the list up to date.
   *
   * @param {boolean} isFiltered Whether the filter has changed, so that all rows may be others.
   */
  refresh(isFiltered = false) {
    const wanted = fold(this._filter.value.trim());
    const chats = [...this._state.chats.values()];
    const found = wanted ? chats.filter(row => [row.name, row.title, row.words].some(text => fold(text).includes(wanted))) : chats;
    const listed = inOrder(found);
    const rows = listed.map(({ row }) => row);
    this._depths = new Map(listed.map(({ row, depth }) => [row.id, depth]));
    const same = rows.findIndex((row, index) => row.id !== this._rows[index]?.id);
    const kept = same < 0 ? rows.length : same;
    const isOther = kept < rows.length || rows.length !== this._rows.length;
    const hadFocus = this._list.element.contains(document.activeElement);
    this._rows = rows;
    if (isFiltered) {
      this._list.reset(rows.length);
    } else if (isOther) {
      this._list.splice(kept, rows.length);
    }
    for (let index = 0; index < (isFiltered ? 0 : kept); index++) {
      const row = rows[index];
      if (this._list.shown(index) && this._rendered.get(row.id) !== this._look(row) && row.id !== this._edited.id) {
        this._list.update(index);
      }
    }
    if (hadFocus && !this._list.element.contains(document.activeElement)) {
      this._focus(this._index(this._at));
    }
    for (const item of this._list.element.querySelectorAll('.robota-chat')) {
      set(item, { 'aria-setsize': rows.length });
    }
    this._empty.textContent = rows.length ? '' : t(wanted ? 'noMatch' : this._actions.isReadOnly ? 'empty' : 'noChats');
    this._empty.hidden = rows.length > 0;
    this._count.textContent = wanted ? t('found', { count: rows.length }) : '';
    this._found.look(this._filter.value.trim());
  }

  focusFilter() {
    this._filter.focus();
    this._filter.select();
  }

  async create() {
    const made = await this._actions.request('chat.new');
    if (made?.chat) {
      this._filter.value = '';
      this.refresh(true);
      this.edit(made.chat, { isNew: true });
    }
  }

  /** Have the row of the active chat in view. */
  revealActive() {
    const index = this._index(this._state.chat);
    if (index >= 0) {
      this._list.reveal(index);
    }
  }

  /**
   * Have a chat's name edited in its row.
   *
   * @param {string} id
   * @param {{ isNew?: boolean }} how `isNew`: what is typed after the name is for this chat.
   */
  edit(id, { isNew = false } = {}) {
    const index = this._index(id);
    if (index < 0 || this._actions.isReadOnly) {
      return;
    }
    this._edited = { id, isNew };
    this._at = id;
    this._list.reveal(index);
    this._list.keep(index);
    this._list.update(index);
    const field = this._list.shown(index)?.querySelector('[data-part=name]');
    if (field instanceof HTMLInputElement) {
      edit(field);
    }
  }

  /**
   * Show the form for a chat's settings.
   *
   * @param {ChatRow} row
   */
  async configure(row) {
    await showSettings(this._form, row, this._actions, () => {
      this.element.classList.remove('robota-has-form');
      this._focus(this._index(row.id));
    });
    this.element.classList.toggle('robota-has-form', this._form.childElementCount > 0);
  }

  dispose() {
    this._list.dispose();
  }

  /** @param {string | null} id */
  _index(id) {
    return this._rows.findIndex(row => row.id === id);
  }

  /**
   * All that the look of a row depends on, to tell whether it must be rendered again.
   *
   * @param {ChatRow} row
   */
  _look(row) {
    return JSON.stringify([row, this._depths.get(row.id), row.id === this._state.chat, row.id === this._edited.id]);
  }

  /**
   * @param {ChatRow} row
   * @param {number} index
   */
  _render(row, index) {
    this._rendered.set(row.id, this._look(row));
    const isActive = row.id === this._state.chat;
    const about = [row.title && row.name, row.model, t('turns', { count: row.turns })].filter(Boolean).join(' · ');
    const origin = this._state.chats.get(row.origin)?.name;
    const item = h('div.robota-chat', { role: 'listitem', 'aria-setsize': this._rows.length, 'aria-posinset': index + 1, 'data-chat': row.id });
    item.classList.toggle('robota-active', isActive);
    item.style.setProperty('--robota-depth', String(this._depths.get(row.id) ?? 0));
    if (row.id === this._edited.id) {
      item.append(this._field(row, this._edited.isNew));
      return item;
    }
    const tabindex = row.id === (this._index(this._at) < 0 ? this._rows[0].id : this._at) ? 0 : -1;
    const choose = h('button.robota-choose', {
      type: 'button', tabindex, 'aria-current': isActive ? 'true' : null,
      title: [row.title, row.name, origin && t('forkOf', { name: origin })].filter(Boolean).join('\n'),
      on: { click: () => this._choose(row), focus: () => this._onFocus(row.id), dblclick: () => this.edit(row.id) }
    },
    h('span.robota-line', {},
      row.origin ? h('span.robota-fork', { role: 'img', 'aria-label': origin ? t('forkOf', { name: origin }) : t('isFork') }, icon('fork')) : null,
      h('span.robota-name', {}, h('bdi', {}, row.title || row.name)),
      h('span.robota-when', {}, day(row.at)),
      row.running ? h('span.robota-running', { role: 'img', 'aria-label': t('running'), title: t('running') }) : null),
    h('span.robota-line', {},
      h('span.robota-words', {}, h('bdi', {}, row.words)),
      h('span.robota-about', {}, h('bdi', {}, about))));
    if (this._actions.isReadOnly) {
      item.append(choose);
      return item;
    }
    const menu = menuButton({
      label: t('chatActions', { name: row.name }),
      part: 'chat-menu',
      items: () => [
        [t('rename'), () => this.edit(row.id), { key: 'F2' }],
        [t('settings'), () => void this.configure(row)],
        [t('fork'), () => this._fork(row)],
        ...this._writing(row),
        [t('delete'), () => this._delete(row), { key: 'Delete', danger: true }]
      ]
    });
    menu.tabIndex = tabindex;
    item.append(choose, menu);
    return item;
  }

  /**
   * What can be written into the active cell.
   *
   * @param {ChatRow} row
   * @returns {Item[]}
   */
  _writing({ name, model }) {
    const { write } = this._actions;
    return write ? [[t('writeChat'), () => write('chat', name)], [t('writeModel'), () => write('model', model)]] : [];
  }

  /**
   * @param {ChatRow} row
   * @param {boolean} isNew
   */
  _field(row, isNew) {
    /** @param {boolean} isLeft */
    const end = isLeft => {
      this._edited = { id: null, isNew: false };
      this._list.keep(null);
      this._list.update(this._index(row.id));
      if (isLeft) {
        return; // the user is somewhere else
      }
      if (isNew) {
        this._actions.chosen(isNew);
      } else {
        this._focus(this._index(row.id));
      }
    };
    return nameField({
      label: t('renameChat', { name: row.name }),
      value: row.name,
      done: (text, isLeft) => {
        end(isLeft);
        void this._actions.request('chat.rename', { chat: row.id, name: text });
      },
      cancel: end
    });
  }

  /** @param {ChatRow} row */
  _choose(row) {
    this._actions.chosen();
    void this._actions.request('chat.switch', { chat: row.id });
  }

  /** @param {ChatRow} row */
  async _fork(row) {
    const made = await this._actions.request('chat.fork', { chat: row.id });
    if (made?.chat) {
      this.edit(made.chat, { isNew: true });
    }
  }

  /** @param {ChatRow} row */
  async _delete(row) {
    const index = this._index(row.id);
    this._at = (this._rows[index + 1] ?? this._rows[index - 1])?.id ?? null;
    const session = this._state.session ?? undefined;
    const done = await this._actions.request('chat.delete', { chat: row.id });
    if (done) {
      this._actions.notify(t('deletedChat', { name: row.name }), () =>
        this._actions.request('chat.undelete', { session, chat: row.id, activate: done.was_active })
      );
    }
  }

  /**
   * The focus has come to a row: it is the one that Tab comes back to.
   *
   * @param {string} id
   */
  _onFocus(id) {
    const former = this._index(this._at);
    this._at = id;
    for (const [index, tabindex] of [[former, -1], [this._index(id), 0]]) {
      this._list.shown(index)?.querySelectorAll('button').forEach(button => (button.tabIndex = tabindex));
    }
  }

  /** @param {number} index */
  _focus(index) {
    if (index >= 0 && index < this._rows.length) {
      this._list.reveal(index);
      this._list.shown(index)?.querySelector('button')?.focus();
    }
  }

  /** @param {KeyboardEvent} event */
  _onFilterKey(event) {
    if (event.key === 'ArrowDown') {
      this._focus(0);
    } else if (event.key === 'Enter' && this._rows.length) {
      this._choose(this._rows[0]);
    } else if (event.key === 'Escape' && this._filter.value) {
      this._filter.value = '';
      this.refresh(true);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const index = this._index(this._at);
    const row = this._rows[index];
    if (!row || row.id === this._edited.id || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const page = Math.max(1, Math.floor(this._list.element.clientHeight / ROW) - 1);
    const last = this._rows.length - 1;
    const to = new Map([
      ['ArrowDown', index + 1], ['ArrowUp', index - 1], ['PageDown', index + page], ['PageUp', index - page],
      ['Home', 0], ['End', last]
    ]).get(event.key);
    if (to !== undefined) {
      this._focus(Math.max(0, Math.min(last, to)));
    } else if (event.key === 'F2') {
      this.edit(row.id);
    } else if (event.key === 'Delete' && !this._actions.isReadOnly) {
      void this._delete(row);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * A text as it is compared: neither case nor accents matter.
 *
 * @param {string} text
 */
function fold(text) {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
