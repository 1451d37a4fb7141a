// The switcher: sessions and chats on the left, the turns of the active chat on the right, the draft below them.
//
// It shows what the kernel says (docs/protocol.md), and asks the kernel for what the user does; it holds no state.

import { Chats } from './chats.js';
import { h, set } from './dom.js';
import { Draft } from './draft.js';
import { icon } from './icons.js';
import { Notes } from './notes.js';
import { Sessions } from './sessions.js';
import { named, t } from './strings.js';
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
 * @property {HTMLElement} [foot] Where chats can only be read: what stands in the place of the draft.
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
 * @property {(option: 'chat' | 'model', value: string, element: Element) => boolean} [writeOption] Writes an option into
 *   the first line of the active cell of the element's notebook; false if that is no ask.
 * @property {(source: string, element: Element) => boolean} [insertCell] Inserts a code cell below the active cell of the
 *   element's notebook, and goes there; false if the notebook is read-only.
 * @property {(element: Element) => string | null} [placeOfCell] The id of the code cell below which that would be, if there
 *   is one; null if the notebook is read-only.
 * @property {(cells: ViewMessage.NewCell[], below: string, element: Element) => void} [insertCells] Inserts code cells below
 *   another one of the element's notebook, or at its top, and goes to the first.
 * @property {(element: Element) => EditedCell | null} [replaceableCell] The active code cell of the element's notebook;
 *   null if there is none that can be edited.
 * @property {(cell: EditedCell, source: string, element: Element) => boolean} [replaceSource] Gives such a cell another
 *   source, and goes there; false if it has not that source any more.
 * @property {(element: Element) => void} [interrupt] Interrupts the kernel of the element's notebook.
 * @property {(element: Element) => ViewMessage.Attachment[]} [selectedCell] Returns the active cell of the element's
 *   notebook, as it is attached to a message; nothing if there is none.
 * @property {(element: Element, withOutputs: boolean) => ViewMessage.CellSource[]} [cellsAbove] Returns the cells of the
 *   element's notebook down to the active one, as they go along with a message.
 * @property {(element: Element) => void} [goBack] Gives the focus to the element's notebook.
 * @property {(element: HTMLElement, onGone: OnGone) => Promise<{ dispose(): void } | null>} [show] Shows the
 *   switcher in a cell's output; null if the output is in no notebook that the extension can reach.
 */

/** @typedef {{ id: string, source: string }} EditedCell A cell with the source that it had when it was looked at. */

/**
 * Asks the kernel for an action. If it is refused, that is shown, with `again` as the way to try again, and null is
 * returned.
 *
 * @callback Request
 * @param {ViewMessage.ActionName} what
 * @param {ViewMessage.Arguments} [args]
 * @param {() => unknown} [again]
 * @returns {Promise<ViewMessage.Answer | null>}
 */

/**
 * What the parts of the switcher can have done.
 *
 * @typedef {object} Actions
 * @property {Request} request
 * @property {boolean} isReadOnly Whether chats can only be read: nothing that changes any is offered then.
 * @property {(text: string, undo?: () => unknown) => void} notify Tells the user of something, which may be undone.
 * @property {((option: 'chat' | 'model', value: string) => void) | null} write Writes an option into the active cell.
 * @property {(first: number, last: number) => void} want Asks for turns.
 * @property {(id: string) => Promise<ViewMessage.Picture>} picture
 * @property {(text: string, label: string, action: () => unknown) => void} offer Tells the user of something, and what can
 *   be done about it.
 * @property {(chat: string, number: number) => void} show Shows a turn of a chat that was chosen, by its place, from 1.
 * @property {(isNew?: boolean) => void} chosen A chat was chosen; what is typed next is for one that is new.
 * @property {(chat: string) => void} configure Shows the settings of a chat.
 * @property {() => void} editLast Has the last question edited.
 * @property {() => void} leave Gives the focus back to the notebook.
 * @property {() => void} sent A prompt is sent: show the end.
 * @property {() => void} stop Stops the answer that arrives.
 */

const RETRY = 1000; // milliseconds before the kernel is greeted once more; then twice as long each time
const EDITING = 'acvxyz'; // with Ctrl, these are for the text that has the focus,
const EDITING_SHIFT = 'vz'; // and with Shift, too

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
      request: (what, args, again) => this._request(what, args, again),
      isReadOnly: channel.foot !== undefined,
      notify: (text, undo) => void (undo ? this._notes.undoable(text, undo) : this._notes.show(text)),
      write: services.writeOption ? (option, value) => this._write(option, value) : null,
      want: (first, last) => channel.send({ op: 'want', first, last }),
      picture: id => this._picture(id),
      offer: (text, label, action) => this._notes.offer(text, { label, action }),
      show: (chat, number) => this._transcript.show(chat, number - 1),
      chosen: isNew => this._onChosen(isNew),
      configure: chat => this._configure(chat),
      editLast: () => this._transcript.editLast(),
      leave: () => services.goBack?.(this._root),
      sent: () => this._transcript.toEnd(),
      stop: () => this._stop()
    };
    this._notes = new Notes();
    this._sessions = new Sessions(this._state, actions);
    this._chats = new Chats(this._state, actions, this._sessions.menu);
    this._transcript = new Transcript(this._state, actions, services);
    this._draft = new Draft(this._state, actions, services);
    this._drawer = h('button.robota-icon.robota-drawer', {
      type: 'button', 'aria-label': t('showChats'), title: t('showChats'), 'aria-expanded': 'false', 'data-part': 'drawer',
      on: { click: () => this._toggleDrawer() }
    }, icon('list'));
    this._name = h('span.robota-title');
    this._level = h('span.robota-aside');
    this._next = h('div.robota-next', { title: t('newCellsHint') });
    this._side = h('div.robota-side', {}, this._sessions.element, this._chats.element);
    this._root = h('div.robota-switcher', { role: 'group', 'aria-label': t('title') },
      this._side,
      h('div.robota-main-part', {},
        h('div.robota-bar.robota-head', {}, this._drawer, this._name, this._level),
        this._next,
        this._transcript.element, this._notes.element, channel.foot ?? this._draft.element));
    this._root.addEventListener('keydown', event => this._onKey(event));
    // On the element that has the focus, and not around it: the notebook looks for its shortcuts from there.
    this._root.addEventListener('focusin', ({ target }) => {
      set(/** @type {Element} */ (target), { 'data-lm-suppress-shortcuts': 'true' });
    });
    this._hasFocus = false; // or had it, until what had it went
    this._watchesParts = new MutationObserver(() => this._hasFocus && requestAnimationFrame(() => this._keepFocus()));
    this._watchesParts.observe(this._root, { childList: true, subtree: true, attributeFilter: ['hidden'] });
    this._watchesOutside = new AbortController();
    for (const type of ['focusin', 'pointerdown']) {
      document.addEventListener(type, event => this._onOutside(event), { capture: true, signal: this._watchesOutside.signal });
    }
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
    this._watchesOutside.abort();
    this._watchesParts.disconnect();
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
      this._showNext();
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
      const names = [this._state.sessions.length > 1 ? session : null, chat].filter(name => name !== null && name !== '');
      this._name.replaceChildren(...names.flatMap(name => [' ▸ ', h('bdi', {}, name)]).slice(1));
      this._name.title = this._name.textContent ?? '';
      this._level.textContent = named('level', level);
    }
  }

  // -- what the user does

  /**
   * @param {ViewMessage.ActionName} what
   * @param {ViewMessage.Arguments} [args]
   * @param {() => unknown} [again]
   * @returns {Promise<ViewMessage.Answer | null>}
   */
  _request(what, args = {}, again = undefined) {
    const id = `${this._me}-${++this._number}`;
    return new Promise(resolve => {
      this._answers.set(id, answer => {
        if (answer.error !== undefined) {
          this._notes.fail(String(answer.error), again);
        } else {
          this._notes.settle();
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

  /**
   * @param {'chat' | 'model'} option
   * @param {string} value
   */
  _write(option, value) {
    if (!this._services.writeOption?.(option, value, this._root)) {
      this._notes.show(t('noAsk'));
    }
  }

  /** Say where a cell asks that has no answer yet: to look at a chat is to choose it for those alone. */
  _showNext() {
    const { chat, chats } = this._state;
    const row = chat === null ? undefined : chats.get(chat);
    const words = row ? [h('bdi', {}, row.name), h('bdi', {}, row.model)] : [];
    this._next.hidden = !row || this._channel.foot !== undefined;
    this._next.replaceChildren(t('newCells'), ...words.flatMap(word => [' · ', word]).slice(1));
  }

  /** Whether there is no room for the list beside the talk: it lies over that as a drawer, while it is open. */
  get _isNarrow() {
    return this._drawer.offsetWidth > 0;
  }

  get _isOpen() {
    return this._isNarrow && this._root.classList.contains('robota-open');
  }

  /** Show the list of chats in a narrow view, or hide it. */
  _toggleDrawer(open = !this._isOpen) {
    this._root.classList.toggle('robota-open', open);
    this._drawer.setAttribute('aria-expanded', String(open));
    if (open) {
      this._chats.revealActive();
    }
  }

  /** @param {string} id */
  _configure(id) {
    const row = this._state.chats.get(id);
    if (row) {
      this._toggleDrawer(true);
      void this._chats.configure(row);
    }
  }

  /** Beside the talk, the list can be gone through further; in its place, the draft is what is next. */
  _onChosen(isNew = false) {
    if (isNew || this._isNarrow) {
      this._toggleDrawer(false);
      this._draft.focus();
    }
  }

  /**
   * The focus has come to something, or the pointer: outside of the drawer that ends it.
   *
   * @param {Event} event
   */
  _onOutside({ target, type }) {
    const isIn = (/** @type {Element} */ element) => element.contains(/** @type {Node} */ (target));
    this._hasFocus = isIn(this._root) && (this._hasFocus || type === 'focusin');
    if (type === 'pointerdown' && this._isOpen && !isIn(this._side) && !isIn(this._drawer) && !inMenu(target)) {
      this._toggleDrawer(false);
    }
  }

  /** Have the draft take the focus if what had it is gone: the page's body would have it, where no key does anything. */
  _keepFocus() {
    if (this._hasFocus && this._root.isConnected && (document.activeElement ?? document.body) === document.body) {
      this._draft.focus();
    }
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const isControl = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (isControl && key === 'k') {
      event.preventDefault();
      this._toggleDrawer(true);
      this._chats.focusFilter();
    } else if (isControl && key === 'z' && !event.shiftKey && !hasText(event.target) && this._notes.undo()) {
      event.preventDefault();
    } else if (event.key === 'Escape' && this._isOpen && !event.defaultPrevented) {
      this._toggleDrawer(false);
      this._draft.focus();
    } else if (isForApplication(event) && !forward(event, this._root.parentNode)) {
      event.preventDefault();
    }
    event.stopPropagation();
  }
}

/**
 * Whether something is a field with text in it, where keys are for that.
 *
 * @param {EventTarget | null} target
 */
function hasText(target) {
  return (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) && target.value !== '';
}

/** @param {EventTarget | null} target */
function inMenu(target) {
  return target instanceof Element && target.closest('.robota-menu') !== null;
}

/**
 * Whether a key may be one of the application's shortcuts, such as Ctrl+S, which the switcher is not to swallow.
 *
 * @param {KeyboardEvent} event
 */
function isForApplication({ key, ctrlKey, metaKey, shiftKey }) {
  const editing = shiftKey ? EDITING_SHIFT : EDITING;
  return (ctrlKey || metaKey) && /^[a-z]$/i.test(key) && !editing.includes(key.toLowerCase());
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
