// The switcher: sessions and chats on the left, what was said on the right, the draft below it.
//
// It shows what the kernel tells (docs/protocol.md), and asks the kernel for what the user does; it holds no state.

import { Chats } from './chats.js';
import { h, set } from './dom.js';
import { Draft } from './draft.js';
import { icon } from './icons.js';
import { Notes } from './notes.js';
import { Sessions } from './sessions.js';
import { t } from './strings.js';
import { Told } from './told.js';
import { Transcript } from './transcript.js';

const PATIENCE = 1000; // milliseconds before the kernel is greeted once more; then twice as long each time
const EDITING = 'acvxyz'; // with Ctrl, these are for the text that has the focus

/**
 * Show the switcher in an element.
 *
 * @param {HTMLElement} element
 * @param {object} channel `send(message)`, `onMessage(callback)`, `close()`; `onGone(callback)` where the kernel can
 *   go for good.
 * @param {object} services What the application does for it, see services.js; each may be missing.
 * @returns {{dispose(): void, focus(): void}}
 */
export function mount(element, channel, services = {}) {
  return new Switcher(element, channel, services);
}

class Switcher {
  constructor(element, channel, services) {
    this._channel = channel;
    this._services = services;
    this._told = new Told();
    this._answers = new Map(); // what is called with the answer to a request, by its id
    this._pictures = new Map();
    this._number = 0;
    this._me = Math.random().toString(36).slice(2); // views that share a channel hear each other's answers
    this._due = new Set(); // what is to be shown in the next frame
    this._frame = null;
    const act = {
      ask: (what, args) => this._ask(what, args),
      notify: (text, undo) => this._notes.show(text, undo && { label: t('undo'), action: undo }),
      want: (first, last) => channel.send({ op: 'want', first, last }),
      picture: id => this._picture(id),
      sent: () => this._transcript.toEnd(),
      stop: () => this._stop()
    };
    this._notes = new Notes();
    this._sessions = new Sessions(this._told, act);
    this._chats = new Chats(this._told, act);
    this._transcript = new Transcript(this._told, act, services);
    this._draft = new Draft(this._told, act);
    this._drawer = h('button.robota-icon.robota-drawer', {
      type: 'button', 'aria-label': t('showChats'), title: t('showChats'), 'aria-expanded': 'false', 'data-part': 'drawer',
      on: { click: () => this._toggle() }
    }, icon('list'));
    this._name = h('span.robota-title');
    this._level = h('span.robota-aside');
    this._root = h('div.robota-switcher', { role: 'group', 'aria-label': t('title') },
      h('div.robota-side', {}, this._sessions.element, this._chats.element),
      h('div.robota-main-part', {},
        h('div.robota-bar.robota-head', {}, this._drawer, this._name, this._level),
        this._transcript.element, this._notes.element, this._draft.element));
    this._root.addEventListener('keydown', event => this._onKey(event));
    // Where the focus is, and not around it: the notebook's shortcuts name the element that has it, and are found there.
    this._root.addEventListener('focusin', ({ target }) => set(target, { 'data-lm-suppress-shortcuts': 'true' }));
    this._waiting = this._notes.show(t('waiting'));
    this._gone = null;
    element.append(this._root);
    channel.onMessage(message => this._hear(message));
    channel.onGone?.(() => (this._gone ??= this._notes.show(t('gone')))); // it is told more than once
    this._greet(PATIENCE);
  }

  /** Say hello until the kernel says something: what is said first in a page may be lost. */
  _greet(wait) {
    this._channel.send({ op: 'hello', full: true });
    this._greeting = setTimeout(() => this._greet(2 * wait), 2 * wait);
  }

  dispose() {
    clearTimeout(this._greeting);
    cancelAnimationFrame(this._frame);
    this._transcript.dispose();
    this._chats.dispose();
    this._channel.close();
    this._root.remove();
  }

  /** Have what is typed go to the draft. */
  focus() {
    this._draft.focus();
  }

  // -- what the kernel says

  _hear(message) {
    clearTimeout(this._greeting);
    this._waiting?.();
    this._gone?.();
    this._waiting = this._gone = null;
    if (message.op === 'answer') {
      this._flush(); // what the request has changed was told before, and is shown before
      this._answers.get(message.id)?.(message);
      this._answers.delete(message.id);
    } else if (message.op === 'picture') {
      this._pictures.get(message.id)?.forEach(resolve => resolve(message));
      this._pictures.delete(message.id);
    } else {
      this._told.take(message);
      this._due.add(message.op);
      this._frame ??= requestAnimationFrame(() => this._flush());
    }
  }

  /** Show what was told since the last frame. */
  _flush() {
    cancelAnimationFrame(this._frame);
    this._frame = null;
    const due = this._due;
    this._due = new Set();
    if (due.has('lists')) {
      this._sessions.refresh();
      this._chats.refresh();
    }
    if (['transcript', 'turns', 'arriving', 'arrived'].some(op => due.has(op))) {
      this._transcript.refresh();
    }
    if (due.has('text')) {
      this._transcript.grow();
    }
    if (due.size && !(due.size === 1 && due.has('text'))) {
      this._draft.refresh();
      const { session, chat, level } = this._told.status;
      this._name.replaceChildren(...[session, chat].filter(Boolean).flatMap(name => [' ▸ ', h('bdi', {}, name)]).slice(1));
      this._name.title = this._name.textContent;
      this._level.textContent = level;
    }
  }

  // -- what the user does

  /** Ask the kernel for something; a refusal is shown, and null is returned. */
  _ask(what, args = {}) {
    const id = `${this._me}-${++this._number}`;
    return new Promise(resolve => {
      this._answers.set(id, answer => {
        if (answer.error !== undefined) {
          this._notes.show(String(answer.error));
        }
        resolve(answer.error === undefined ? answer : null);
      });
      this._channel.send({ op: 'do', id, what, ...args });
    });
  }

  _picture(id) {
    return new Promise(resolve => {
      const waiting = this._pictures.get(id);
      this._pictures.set(id, [...(waiting ?? []), resolve]);
      if (!waiting) {
        this._channel.send({ op: 'picture', id });
      }
    });
  }

  /** Stop the answer: one that a cell waits for by an interrupt, as the kernel may hear nothing else. */
  _stop() {
    const { arriving, shown } = this._told;
    if (arriving?.cell && this._services.interrupt) {
      this._services.interrupt(this._root);
    } else {
      void this._ask('stop', { chat: shown });
    }
  }

  _toggle(open = !this._root.classList.contains('robota-open')) {
    this._root.classList.toggle('robota-open', open);
    this._drawer.setAttribute('aria-expanded', String(open));
  }

  _onKey(event) {
    if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this._toggle(true);
      this._chats.focusFilter();
    } else if (isForApplication(event) && !forward(event, this._root.parentNode)) {
      event.preventDefault();
    }
    event.stopPropagation();
  }
}

/** Whether a key is one of the application's shortcuts, as Ctrl+S is, which are not to end here. */
function isForApplication({ key, ctrlKey, metaKey }) {
  return (ctrlKey || metaKey) && /^[a-z]$/i.test(key) && !EDITING.includes(key.toLowerCase());
}

/** Let an element have the key that was pressed here; false if somebody there has taken it. */
function forward(event, element) {
  const { key, code, keyCode, ctrlKey, metaKey, shiftKey, altKey } = event;
  const init = { key, code, keyCode, ctrlKey, metaKey, shiftKey, altKey, bubbles: true, cancelable: true };
  return element.dispatchEvent(new KeyboardEvent('keydown', init));
}
