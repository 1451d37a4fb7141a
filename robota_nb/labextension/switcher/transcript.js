// The turns of the active chat: only those in view are rendered, and wanted from the kernel as they come near.

import { Answer } from './answer.js';
import { h } from './dom.js';
import { t } from './strings.js';
import { arrivingElement, loadingElement, turnElement } from './turn.js';
import { VirtualList } from './virtual.js';

/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./switcher.js').Services} Services */
/** @typedef {import('./turn.js').TurnActions} TurnActions */
/** @typedef {import('./view_state.js').ViewState} ViewState */
/** @typedef {ViewMessage.TurnRow} TurnRow */

/** @typedef {Pick<ViewState, 'chat' | 'turns' | 'arriving' | 'rows'>} Rendered */

const ESTIMATE = 180; // pixels of a turn

export class Transcript {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   * @param {Services} services
   */
  constructor(state, actions, services) {
    this._state = state;
    this._actions = actions;
    this._services = services;
    /** @type {Rendered} */
    this._rendered = { chat: null, turns: [], arriving: null, rows: 0 };
    /** @type {Answer | null} */
    this._answer = null; // of the turn that arrives
    /** @type {{ id: string, text: string } | null} */
    this._edited = null; // the turn whose prompt is being edited
    /** @type {{ chat: string, index: number } | null} */
    this._goal = null; // the turn to show once its chat is
    /** @type {Set<number>} */
    this._wanted = new Set(); // rows that the kernel was asked for
    this._list = new VirtualList({
      element: h('div.robota-transcript', { role: 'region', tabindex: 0 }),
      estimate: ESTIMATE,
      follow: true,
      render: index => this._render(index),
      onRange: (first, last) => this._load(first, last)
    });
    this._list.element.addEventListener('click', event => {
      if (event.target instanceof Element && event.target.matches('[data-part=show-all]')) {
        this._list.stay(); // who wants the rest of an answer reads on where the first part ends
      }
    }, { capture: true });
    this._empty = h('div.robota-empty', {}, t('empty'));
    this._announcement = h('div.robota-unseen', { role: 'status' }); // for screen readers
    this.element = h('div.robota-talk', {}, this._empty, this._list.element, this._announcement);
  }

  /** Bring the turns up to date. */
  refresh() {
    const [state, was] = [this._state, this._rendered];
    const isOther = was.chat !== state.shown;
    this._rendered = { chat: state.shown, turns: state.turns.slice(), arriving: state.arriving, rows: state.rows };
    this._wanted.clear();
    if (isOther) {
      this._answer = this._edited = null;
      this._list.keep(null);
      this._list.reset(state.rows);
    } else {
      this._patch(was);
    }
    const name = state.shown === null ? undefined : state.chats.get(state.shown)?.name;
    this._list.element.setAttribute('aria-label', name ? t('transcript', { name }) : t('transcriptOfNone'));
    this._list.element.hidden = state.rows === 0;
    this._empty.hidden = state.rows > 0;
    this._reach();
    const hasArrived = was.arriving && !state.arriving && !isOther;
    this._announcement.textContent = hasArrived ? t('answered') : '';
  }

  /**
   * Render the rows that have changed.
   *
   * @param {Rendered} was
   */
  _patch(was) {
    const state = this._state;
    const other = state.turns.findIndex((row, at) => row && was.turns[at] && row.id !== was.turns[at].id);
    const ends = [state.rows, was.rows, other < 0 ? Infinity : other];
    if (was.arriving !== state.arriving) {
      ends.push(was.arriving?.after ?? Infinity, state.arriving?.after ?? Infinity);
    }
    const kept = Math.min(...ends);
    if (kept < state.rows || was.rows !== state.rows) {
      this._list.splice(kept, state.rows);
    }
    const missing = [];
    for (let index = 0; index < kept; index++) {
      if (was.turns[index] !== state.turns[index] && this._list.shown(index)) {
        if (state.turns[index]) {
          this._list.update(index);
        } else {
          missing.push(index); // it stays until it comes as it is now
        }
      }
    }
    if (missing.length) {
      this._load(missing[0], missing[missing.length - 1]);
    }
  }

  /** Show more of the text that arrives. */
  grow() {
    const { arriving } = this._state;
    if (!arriving || !this._answer) {
      return;
    }
    this._answer.set(arriving.text, { done: false });
    const wait = this._list.shown(this._state.rows - 1)?.querySelector('.robota-thinking');
    if (wait instanceof HTMLElement) {
      wait.hidden = arriving.text !== '';
    }
  }

  toEnd() {
    this._list.toEnd();
  }

  /**
   * Have a turn of a chat in view, as soon as that is shown.
   *
   * @param {string} chat
   * @param {number} index
   */
  show(chat, index) {
    this._goal = { chat, index };
    this._reach();
  }

  _reach() {
    const { shown, rows } = this._state;
    if (this._goal?.chat === shown) {
      const { index } = this._goal;
      this._goal = null;
      if (index >= 0 && index < rows) {
        this._list.stay();
        this._list.reveal(index, { align: 'start' });
      }
    }
  }

  /** Have the last question edited, if it is here and answered. */
  editLast() {
    const index = this._state.rows - 1;
    const row = this._state.turns[index];
    if (row && !this._state.arriving) {
      this._list.toEnd();
      this._edit(row, row.prompt);
    }
  }

  dispose() {
    this._list.dispose();
  }

  /** @param {number} index */
  _render(index) {
    const state = this._state;
    const about = { number: index + 1, count: state.rows };
    if (state.arriving && state.isArriving(index)) {
      this._answer ??= new Answer(this._services);
      return arrivingElement(state.arriving, { ...about, answer: this._answer });
    }
    const row = state.turns[index];
    if (!row) {
      return loadingElement();
    }
    let answer;
    if (this._answer && !state.arriving) {
      [answer, this._answer] = [this._answer, null]; // the turn that has just come
    }
    const edited = this._edited && row.id === this._edited.id ? this._edited.text : null;
    return turnElement(row, { ...about, edited, answer }, this._turnActions(row, index), this._services);
  }

  /**
   * @param {TurnRow} row
   * @param {number} index
   * @returns {TurnActions}
   */
  _turnActions(row, index) {
    const chat = this._state.shown ?? undefined;
    const at = index + 1;
    /** @type {(what: ViewMessage.ActionName, args: ViewMessage.Arguments) => void} */
    const request = (what, args) => void this._actions.request(what, { chat, ...args });
    const retry = () => void this._actions.request('ask', { chat, text: row.prompt, at }, retry);
    /** @param {string | null} text */
    const edit = text => this._edit(row, text);
    /** @param {string} text */
    const send = async text => {
      edit(null);
      const done = await this._actions.request('ask', { chat, text, at }, () => send(text));
      if (!done && this._state.turns[index]?.id === row.id) {
        edit(text); // nothing is lost
      }
    };
    return {
      isReadOnly: this._actions.isReadOnly,
      edit: () => edit(row.prompt),
      cancel: () => edit(null),
      send,
      retry,
      fork: () => request('chat.fork', { at }),
      branch: turn => request('branch', { turn }),
      cell: this._services.goToCell ? () => void this._goToCell(chat, row.id) : null,
      makeCell: this._services.insertCells ? () => void this._makeCell(chat, row.id) : null,
      picture: id => this._actions.picture(id)
    };
  }

  /**
   * Have a question edited in its place; null ends that.
   *
   * @param {TurnRow} row
   * @param {string | null} text
   */
  _edit(row, text) {
    const index = this._state.turns.findIndex(turn => turn?.id === row.id);
    this._edited = text === null ? null : { id: row.id, text };
    if (index >= 0) {
      this._list.keep(text === null ? null : index);
      this._list.update(index);
    }
  }

  /**
   * @param {string | undefined} chat
   * @param {string} turn
   */
  async _goToCell(chat, turn) {
    const found = await this._actions.request('cell', { chat, turn });
    if (found?.cell) {
      this._services.goToCell?.(found.cell, this.element);
    }
  }

  /**
   * @param {string | undefined} chat
   * @param {string} turn
   */
  async _makeCell(chat, turn) {
    const place = this._services.placeOfCell?.(this.element) ?? null;
    if (place === null) {
      this._actions.notify(t('notWritable'));
      return;
    }
    const made = await this._actions.request('cell.make', { chat, turn, cell: place });
    if (made?.cells) {
      this._services.insertCells?.(made.cells, made.cell ?? '', this.element);
    } else if (made?.cell) {
      this._services.goToCell?.(made.cell, this.element);
    }
  }

  /**
   * Ask for the turns in view that are not here.
   *
   * @param {number} first
   * @param {number} last
   */
  _load(first, last) {
    const missing = [];
    for (let index = first; index <= Math.min(last, this._state.rows - 1); index++) {
      if (!this._state.turns[index] && !this._state.isArriving(index) && !this._wanted.has(index)) {
        missing.push(index);
      }
    }
    if (missing.length) {
      missing.forEach(index => this._wanted.add(index));
      this._actions.want(missing[0], missing[missing.length - 1] + 1);
    }
  }
}
