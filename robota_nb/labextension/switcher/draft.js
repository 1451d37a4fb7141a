// Where the user writes to the active chat. What was not sent stays with its chat, and what is sent while an answer
// arrives waits for the end of that.

import { Attached } from './attached.js';
import { h } from './dom.js';
import { textArea } from './field.js';
import { Gauge } from './gauge.js';
import { icon } from './icons.js';
import { Model } from './model.js';
import { Offers } from './offers.js';
import { t } from './strings.js';

/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./switcher.js').Services} Services */
/** @typedef {import('./view_state.js').ViewState} ViewState */

/**
 * A text, and what goes along with it.
 *
 * @typedef {{ text: string, attached: ViewMessage.Attachment[] }} Message
 */

/** @type {Message} */
const NOTHING = { text: '', attached: [] };

export class Draft {
  /**
   * @param {ViewState} state
   * @param {Actions} actions
   * @param {Services} services
   */
  constructor(state, actions, services) {
    this._state = state;
    this._actions = actions;
    /** @type {Map<string | null, Message>} */
    this._drafts = new Map(); // by chat
    /** @type {Map<string, Message>} */
    this._waiting = new Map(); // what is sent next, by chat
    /** @type {string | null} */
    this._chat = null;
    const { area, fit } = textArea({
      label: t('draftOfNone'), hint: t('draftPlaceholder'), part: 'draft', send: () => this._send(), escape: () => this._escape()
    });
    this._area = area;
    this._fit = fit;
    this._attached = new Attached(actions, services, {
      preview: () => this._preview(),
      variable: () => this._type('@'),
      added: () => this.focus()
    });
    const offers = new Offers(area, actions, name => this._attached.add([{ kind: 'variable', name }]));
    area.addEventListener('keydown', event => this._onKey(event));
    this._sendButton = h('button.robota-button.robota-main', { type: 'button', 'data-part': 'send', on: { click: () => this._send() } }, t('send'));
    this._stopButton = h('button.robota-button.robota-main', { type: 'button', 'data-part': 'stop', on: { click: () => this._stop() } }, t('stop'));
    this._next = h('span', { dir: 'auto' });
    const take = h('button.robota-icon', {
      type: 'button', 'aria-label': t('takeBack'), title: t('takeBack'), 'data-part': 'take-back', on: { click: () => this._takeBack() }
    }, icon('close'));
    this._waits = h('div.robota-waits', { role: 'status', 'data-part': 'waits' }, h('span.robota-waits-word', {}, t('waits')), this._next, take);
    this._gauge = new Gauge(state, actions);
    this._model = new Model(state, actions, () => this.focus());
    this.element = h('div.robota-draft', {},
      this._waits, this._attached.element, offers.element,
      h('div.robota-write', {}, this._attached.button, area, this._sendButton, this._stopButton),
      h('div.robota-below', {}, this._model.element, this._gauge.element));
  }

  refresh() {
    const { chat, chats, arriving } = this._state;
    if (chat !== this._chat) {
      this._drafts.set(this._chat, this._written());
      this._put(this._drafts.get(chat) ?? NOTHING);
      this._chat = chat;
    }
    const name = chat === null ? undefined : chats.get(chat)?.name;
    const label = name ? t('draft', { name }) : t('draftOfNone');
    this._area.setAttribute('aria-label', label);
    this._area.title = t('draftHint');
    this._sendButton.hidden = arriving !== null;
    this._stopButton.hidden = arriving === null;
    this._gauge.refresh();
    this._model.refresh();
    this._sendWaiting();
    const next = chat === null ? undefined : this._waiting.get(chat);
    this._waits.hidden = next === undefined;
    this._next.textContent = next?.text ?? '';
  }

  focus() {
    this._area.focus();
  }

  async _send() {
    const message = this._written();
    const chat = this._chat;
    if (!message.text.trim() && !message.attached.length) {
      return;
    }
    if (!this._state.arriving) {
      this._put(NOTHING);
      this._actions.sent();
      await this._ask(chat, message);
    } else if (chat === null || this._waiting.has(chat)) {
      this._actions.notify(t('waitsAlready'));
    } else {
      this._waiting.set(chat, message);
      this._put(NOTHING);
      this.refresh();
    }
  }

  /**
   * @param {string | null} chat
   * @param {Message} message
   */
  async _ask(chat, message) {
    const again = () => { // what was given back may have been changed since
      const { text, attached } = this._taken(chat);
      void this._ask(chat, text || attached.length ? { text, attached } : message);
    };
    const done = await this._actions.request('ask', this._arguments(chat, message), again);
    if (!done) {
      this._giveBack(chat, message);
    }
  }

  /** Show what would be sent, as the kernel fills it in. */
  async _preview() {
    const answer = await this._actions.request('preview', this._arguments(this._chat, this._written()));
    if (answer?.draft) {
      this._attached.show(answer.draft);
    }
  }

  /**
   * Return what an action takes of a message; only what was typed here is looked through for fields.
   *
   * @param {string | null} chat
   * @param {Message} message
   * @returns {ViewMessage.Arguments}
   */
  _arguments(chat, { text, attached }) {
    return { ...(chat ? { chat } : {}), text, fields: true, attached: [...attached, ...this._attached.above()] };
  }

  /** Return what stands in the draft that is shown. */
  _written() {
    return { text: this._area.value, attached: this._attached.list };
  }

  /**
   * Return what stands in a chat's draft, and empty that.
   *
   * @param {string | null} chat
   */
  _taken(chat) {
    if (chat === this._chat) {
      const written = this._written();
      this._put(NOTHING);
      return written;
    }
    const message = this._drafts.get(chat) ?? NOTHING;
    this._drafts.delete(chat);
    return message;
  }

  /** Send what has waited for the end of an answer, in whichever chat that was. */
  _sendWaiting() {
    const { chats, shown, arriving } = this._state;
    for (const [chat, message] of [...this._waiting]) {
      if (!chats.get(chat)?.running && !(chat === shown && arriving)) {
        this._waiting.delete(chat);
        void this._ask(chat, message);
      }
    }
  }

  /** Take back what waits in this chat, to go on writing it. */
  _takeBack() {
    const chat = this._chat;
    const message = chat === null ? undefined : this._waiting.get(chat);
    if (chat !== null && message) {
      this._waiting.delete(chat);
      this._giveBack(chat, message);
      this.refresh();
      this.focus();
    }
  }

  /**
   * Have a message stand in a chat's draft, above what was written there since: nothing is lost.
   *
   * @param {string | null} chat
   * @param {Message} message
   */
  _giveBack(chat, message) {
    const since = chat === this._chat ? this._written() : (this._drafts.get(chat) ?? NOTHING);
    const text = [message.text, since.text].filter(part => part.trim()).join('\n\n');
    const whole = { text, attached: [...message.attached, ...since.attached] };
    if (chat === this._chat) {
      this._put(whole);
    } else {
      this._drafts.set(chat, whole);
    }
  }

  /** @param {Message} message */
  _put({ text, attached }) {
    this._area.value = text;
    this._attached.set(attached);
    this._fit();
  }

  /**
   * Have something typed at the cursor.
   *
   * @param {string} text
   */
  _type(text) {
    const { value, selectionStart: at, selectionEnd: end } = this._area;
    const before = value.slice(0, at);
    const typed = /\S$/.test(before) ? ` ${text}` : text;
    this._area.value = before + typed + value.slice(end);
    this.focus();
    this._area.setSelectionRange(at + typed.length, at + typed.length);
    this._area.dispatchEvent(new Event('input'));
  }

  _stop() {
    if (this._state.arriving) {
      this._takeBack(); // it was to go on from an answer that is none now
      this._actions.stop();
    }
  }

  _escape() {
    if (this._state.arriving) {
      this._stop();
    } else {
      this._actions.leave();
    }
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    if (event.key === 'ArrowUp' && !this._area.value && !event.isComposing) {
      event.preventDefault();
      this._actions.editLast();
    }
  }
}
