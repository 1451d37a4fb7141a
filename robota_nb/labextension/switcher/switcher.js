// The switcher: sessions and chats on the left, the turns of the active chat on the right, the draft below them.
//
// It shows what the kernel says (docs/protocol.md), and asks the kernel for what the user does; it holds no state.

import { Chats } from './chats.js';
import { h, set } from './dom.js';
import { Draft } from './draft.js';
import { icon } from './icons.js';
import { Notes } from './notes.js';
import { Sessions } from './sessions.js';
import { t } from './strings.js';
import { Transcript } from './transcript.js';
import { ViewState } from './view_state.js';

/** @typedef {(callback: () => void) => void} OnGone */

/**
 * The way to the kernel.
 *
 * @typedef {object} Channel
 * @property {(message: ViewMessage.FromView) => void} send
 * @property {(listener: (message: ViewMessage.ToView) => void) => void} onMessage
 * @property {() => void} close
 * @property {OnGone} [onGone] Where the kernel can go for good: has a function called when it does.
 */

/**
 * What the application does for the switcher (see ../services.js); where it cannot, it is missing.
 *
 * @typedef {object} Services
 * @property {(code: string, language: string, element: HTMLElement) => Promise<void>} [highlight] Fills an element with
 *   coloured code.
 * @property {(element: HTMLElement) => Promise<void>} [typeset] Draws the formula that is the element's text.
 * @property {(id: string, element: Element) => boolean} [goToCell] Selects a cell of the element's notebook and scrolls
 *   to it; false if it is not there.
 * @property {(element: Element) => void} [interrupt] Interrupts the kernel of the element's notebook.
 * @property {(element: HTMLElement, onGone: OnGone) => Promise<{ dispose(): void } | null>} [show] Shows the
 *   switcher in a cell's output; null if the output is in no notebook that the extension can reach.
 */

/** @typedef {(what: ViewMessage.ActionName, args?: ViewMessage.Arguments) => Promise<ViewMessage.Answer | null>} Request */

/**
 * What the parts of the switcher can have done.
 *
 * @typedef {object} Actions
 * @property {Request} request Asks the kernel for an action; if it is refused, that is shown, and null is returned.
 * @property {(text: string, undo: () => unknown) => void} notify Tells the user of something that can be undone.
 * @property {(first: number, last: number) => void} want Asks for turns.
 * @property {(id: string) => Promise<ViewMessage.Picture>} picture
 * @property {() => void} sent A prompt is sent: show the end.
 * @property {() => void} stop Stops the answer that arrives.
 */

const RETRY = 1000; // milliseconds before the kernel is greeted once more; then twice as long each time
const EDITING = 'acvxyz'; // with Ctrl, these are for the text that has the focus

/**
 * Show the switcher in an element.
 *
 * @param {HTMLElement} element
 * @param {Channel} channel
 * @param {Services} services
 */
export function mount(element, channel, services = {}) {
  return new Switcher(element, channel, services);
}

class Switcher {
  /**
   * @param {HTMLElement} element
   * @param {Channel} channel
   * @param {Services} services
   */
  constructor(element, channel, services) {
    this._channel = channel;
    this._services = services;
    this._state = new ViewState();
    /** @type {Map<string, (answer: ViewMessage.Answer) => void>} */
    this._answers = new Map(); // what is called with the answer to a request, by its id
    /** @type {Map<string, ((picture: ViewMessage.Picture) => void)[]>} */
    this._pictures = new Map();
    this._number = 0;
    this._me = Math.random().toString(36).slice(2); // views that share a channel hear each other's answers
    /** @type {Set<ViewMessage.ToView['op']>} */
    this._due = new Set(); // what is to be shown in the next frame
    /** @type {number | null} */
    this._frame = null;
    /** @type {number | undefined} */
    this._greeting = undefined;
    /** @type {Actions} */
    const actions = {
      request: (what, args) => this._request(what, args),
      notify: (text, undo) => this._notes.show(text, { label: t('undo'), action: undo }),
      want: (first, last) => channel.send({ op: 'want', first, last }),
      picture: id => this._picture(id),
      sent: () => this._transcript.toEnd(),
      stop: () => this._stop()
    };
    this._notes = new Notes();
    this._sessions = new Sessions(this._state, actions);
    this._chats = new Chats(this._state, actions);
    this._transcript = new Transcript(this._state, actions, services);
    this._draft = new Draft(this._state, actions);
    this._drawer = h('button.robota-icon.robota-drawer', {
      type: 'button', 'aria-label': t('showChats'), title: t('showChats'), 'aria-expanded': 'false', 'data-part': 'drawer',
      on: { click: () => this._toggleDrawer() }
    }, icon('list'));
    this._name = h('span.robota-title');
    this._level = h('span.robota-aside');
    this._root = h('div.robota-switcher', { role: 'group', 'aria-label': t('title') },
      h('div.robota-side', {}, this._sessions.element, this._chats.element),
      h('div.robota-main-part', {},
        h('div.robota-bar.robota-head', {}, this._drawer, this._name, this._level),
        this._transcript.element, this._notes.element, this._draft.element));
    this._root.addEventListener('keydown', event => this._onKey(event));
    // On the element that has the focus, and not around it: the notebook looks for its shortcuts from there.
    this._root.addEventListener('focusin', ({ target }) => {
      set(/** @type {Element} */ (target), { 'data-lm-suppress-shortcuts': 'true' });
    });
    /** @type {(() => void) | null} */
    this._dismissWaiting = this._notes.show(t('waiting'));
    /** @type {(() => void) | null} */
    this._dismissGone = null;
    element.append(this._root);
    channel.onMessage(message => this._receive(message));
    channel.onGone?.(() => (this._dismissGone ??= this._notes.show(t('gone')))); // may be called more than once
    this._greet(RETRY);
  }

  /**
   * Say hello until the kernel says something: the first messages of a page may be lost.
   *
   * @param {number} wait
   */
  _greet(wait) {
    this._channel.send({ op: 'hello', full: true });
    this._greeting = setTimeout(() => this._greet(2 * wait), 2 * wait);
  }

  dispose() {
    clearTimeout(this._greeting);
    cancelAnimationFrame(this._frame ?? 0);
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

  /** @param {ViewMessage.ToView} message */
  _receive(message) {
    clearTimeout(this._greeting);
    this._dismissWaiting?.();
    this._dismissGone?.();
    this._dismissWaiting = this._dismissGone = null;
    if (message.op === 'answer') {
      this._flush(); // what the request has changed came before, and is shown before
      this._answers.get(message.id)?.(message);
      this._answers.delete(message.id);
    } else if (message.op === 'picture') {
      this._pictures.get(message.id)?.forEach(resolve => resolve(message));
      this._pictures.delete(message.id);
    } else {
      this._state.update(message);
      this._due.add(message.op);
      this._frame ??= requestAnimationFrame(() => this._flush());
    }
  }

  /** Show what has changed since the last frame. */
  _flush() {
    cancelAnimationFrame(this._frame ?? 0);
    this._frame = null;
    const due = this._due;
    this._due = new Set();
    if (due.has('lists')) {
      this._sessions.refresh();
      this._chats.refresh();
    }
    if (due.has('transcript') || due.has('turns') || due.has('arriving') || due.has('arrived')) {
      this._transcript.refresh();
    }
    if (due.has('text')) {
      this._transcript.grow();
    }
    if (due.size && !(due.size === 1 && due.has('text'))) {
      this._draft.refresh();
      const { session, chat, level } = this._state.status;
      const names = [session, chat].filter(name => name !== null && name !== '');
      this._name.replaceChildren(...names.flatMap(name => [' ▸ ', h('bdi', {}, name)]).slice(1));
      this._name.title = this._name.textContent ?? '';
      this._level.textContent = level;
    }
  }

  // -- what the user does

  /**
   * @param {ViewMessage.ActionName} what
   * @param {ViewMessage.Arguments} args
   * @returns {Promise<ViewMessage.Answer | null>}
   */
  _request(what, args = {}) {
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

  /**
   * @param {string} id
   * @returns {Promise<ViewMessage.Picture>}
   */
  _picture(id) {
    return new Promise(resolve => {
      const waiting = this._pictures.get(id);
      this._pictures.set(id, [...(waiting ?? []), resolve]);
      if (!waiting) {
        this._channel.send({ op: 'picture', id });
      }
    });
  }

  /** Stop the answer: one that a cell waits for by an interrupt, as the kernel may take in nothing else. */
  _stop() {
    const { arriving, shown } = this._state;
    if (arriving?.cell && this._services.interrupt) {
      this._services.interrupt(this._root);
    } else if (shown !== null) {
      void this._request('stop', { chat: shown });
    }
  }

  /** Show the list of chats in a narrow view, or hide it. */
  _toggleDrawer(open = !this._root.classList.contains('robota-open')) {
    this._root.classList.toggle('robota-open', open);
    this._drawer.setAttribute('aria-expanded', String(open));
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this._toggleDrawer(true);
      this._chats.focusFilter();
    } else if (isForApplication(event) && !forward(event, this._root.parentNode)) {
      event.preventDefault();
    }
    event.stopPropagation();
  }
}

/**
 * Whether a key may be one of the application's shortcuts, such as Ctrl+S, which the switcher is not to swallow.
 *
 * @param {KeyboardEvent} event
 */
function isForApplication({ key, ctrlKey, metaKey }) {
  return (ctrlKey || metaKey) && /^[a-z]$/i.test(key) && !EDITING.includes(key.toLowerCase());
}

/**
 * Let an element have the key that was pressed here.
 *
 * @param {KeyboardEvent} event
 * @param {EventTarget | null} element
 * @returns {boolean} False if a listener there has taken it.
 */
function forward(event, element) {
  const { key, code, keyCode, ctrlKey, metaKey, shiftKey, altKey } = event;
  const init = { key, code, keyCode, ctrlKey, metaKey, shiftKey, altKey, bubbles: true, cancelable: true };
  return element?.dispatchEvent(new KeyboardEvent('keydown', init)) ?? true;
}
