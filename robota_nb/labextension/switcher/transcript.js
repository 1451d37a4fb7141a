// What was said in the active chat: only the turns in view are rendered, and asked of the kernel as they come near.

import { h } from './dom.js';
import { Markdown } from './markdown.js';
import { t } from './strings.js';
import { arrivingElement, loadingElement, turnElement } from './turn.js';
import { VirtualList } from './virtual.js';

const ESTIMATE = 180; // pixels of a turn

export class Transcript {
  /**
   * @param {Told} told
   * @param {object} act `ask(what, args)`, `want(first, last)`, `picture(id)` ask the kernel.
   * @param {object} services
   */
  constructor(told, act, services) {
    this._told = told;
    this._act = act;
    this._services = services;
    this._shown = { chat: null, turns: [], arriving: null, rows: 0 }; // as rendered
    this._markdown = null; // of the turn that arrives
    this._edited = null; // the turn whose question is being edited: { id, text }
    this._wanted = new Set(); // rows that were asked for
    this._list = new VirtualList({
      element: h('div.robota-transcript', { role: 'region', tabindex: 0 }),
      estimate: ESTIMATE,
      follow: true,
      render: index => this._render(index),
      onRange: (first, last) => this._load(first, last)
    });
    this._empty = h('div.robota-empty', {}, t('empty'));
    this._said = h('div.robota-unseen', { role: 'status' });
    this.element = h('div.robota-talk', {}, this._empty, this._list.element, this._said);
  }

  /** Show what is so. */
  refresh() {
    const [told, was] = [this._told, this._shown];
    const isOther = was.chat !== told.shown;
    this._shown = { chat: told.shown, turns: told.turns.slice(), arriving: told.arriving, rows: told.rows };
    this._wanted.clear();
    if (isOther) {
      this._markdown = this._edited = null;
      this._list.keep(null);
      this._list.reset(told.rows);
    } else {
      this._patch(was);
    }
    const name = told.chats.get(told.shown)?.name;
    this._list.element.setAttribute('aria-label', name ? t('transcript', { name }) : t('transcriptOfNone'));
    this._list.element.hidden = told.rows === 0;
    this._empty.hidden = told.rows > 0;
    const hasCome = was.arriving && !told.arriving && !isOther;
    this._said.textContent = hasCome ? t('answered') : '';
  }

  /** Render anew what is another than it was. */
  _patch(was) {
    const told = this._told;
    const other = told.turns.findIndex((row, at) => row && was.turns[at] && row.id !== was.turns[at].id);
    const ends = [told.rows, was.rows, other < 0 ? Infinity : other];
    if (was.arriving !== told.arriving) {
      ends.push(was.arriving?.after ?? Infinity, told.arriving?.after ?? Infinity);
    }
    const kept = Math.min(...ends);
    if (kept < told.rows || was.rows !== told.rows) {
      this._list.splice(kept, told.rows);
    }
    for (let index = 0; index < kept; index++) {
      if (was.turns[index] !== told.turns[index] && this._list.shown(index)) {
        this._list.update(index);
      }
    }
  }

  /** Show more of the text that arrives. */
  grow() {
    const { arriving } = this._told;
    if (!arriving || !this._markdown) {
      return;
    }
    this._markdown.set(arriving.text, { done: false });
    const wait = this._list.shown(this._told.rows - 1)?.querySelector('.robota-thinking');
    if (wait) {
      wait.hidden = arriving.text !== '';
    }
  }

  toEnd() {
    this._list.toEnd();
  }

  dispose() {
    this._list.dispose();
  }

  _render(index) {
    const told = this._told;
    const about = { number: index + 1, count: told.rows };
    if (told.isArriving(index)) {
      this._markdown ??= new Markdown(this._services);
      return arrivingElement(told.arriving, { ...about, markdown: this._markdown });
    }
    const row = told.turns[index];
    if (!row) {
      return loadingElement();
    }
    let markdown;
    if (this._markdown && !told.arriving) {
      [markdown, this._markdown] = [this._markdown, null]; // the turn that has just come
    }
    const edited = row.id === this._edited?.id ? this._edited.text : null;
    return turnElement(row, { ...about, edited, markdown }, this._actions(row, index), this._services);
  }

  _actions(row, index) {
    const { shown: chat } = this._told;
    const at = index + 1;
    const ask = (what, args) => void this._act.ask(what, { chat, ...args });
    const edit = text => {
      this._edited = text === null ? null : { id: row.id, text };
      this._list.keep(text === null ? null : index);
      this._list.update(index);
    };
    return {
      edit: () => edit(row.prompt),
      cancel: () => edit(null),
      send: async text => {
        edit(null);
        const done = await this._act.ask('ask', { chat, text, at });
        if (!done && this._told.turns[index]?.id === row.id) {
          edit(text); // nothing is lost
        }
      },
      retry: () => ask('ask', { text: row.prompt, at }),
      fork: () => ask('chat.fork', { at }),
      branch: turn => ask('branch', { turn }),
      cell: this._services.goToCell ? () => void this._goToCell(chat, row.id) : null,
      picture: id => this._act.picture(id)
    };
  }

  async _goToCell(chat, turn) {
    const found = await this._act.ask('cell', { chat, turn });
    if (found) {
      this._services.goToCell(found.cell, this.element);
    }
  }

  /** Ask for the turns in view that are not here. */
  _load(first, last) {
    const missing = [];
    for (let index = first; index <= Math.min(last, this._told.rows - 1); index++) {
      if (!this._told.turns[index] && !this._told.isArriving(index) && !this._wanted.has(index)) {
        missing.push(index);
      }
    }
    if (missing.length) {
      missing.forEach(index => this._wanted.add(index));
      this._act.want(missing[0], missing.at(-1) + 1);
    }
  }
}
