// The chats that a notebook has in its metadata, for a view to read where no kernel has loaded the extension. It answers
// a view as a kernel would (docs/protocol.md), but for what would change anything.

import { outputs, turnOf } from './cells.js';
import { Sessions, turnsOf } from './fold.js';
import { KEY } from './push.js';
import { chatRows, found, picture, sessionRows, shownTurns, turnRow } from './rows.js';
import { SnapshotError } from './snapshot.js';
import { t } from './switcher/strings.js';

const PAGE = 40; // turns in a message

/**
 * What a notebook holds: its chats, nothing, or what cannot be read.
 *
 * @typedef {{ sessions: Sessions, isUnreadable: false } | { sessions: null, isUnreadable: boolean }} Saved
 */

/**
 * Read what a notebook holds.
 *
 * @param {Lab.NotebookModel} model
 * @returns {Saved}
 */
export function savedIn(model) {
  try {
    const sessions = new Sessions(model.getMetadata(KEY));
    return sessions.living.length ? { sessions, isUnreadable: false } : { sessions: null, isUnreadable: false };
  } catch (error) {
    if (error instanceof SnapshotError) {
      console.warn('robota_nb:', error.message);
      return { sessions: null, isUnreadable: true };
    }
    throw error;
  }
}

/** A view's way to what is saved: it has the same methods as the one to a kernel. */
export class SavedChannel {
  /**
   * @param {Sessions} sessions
   * @param {Iterable<Lab.Cell>} cells Of the notebook.
   */
  constructor(sessions, cells = []) {
    this._sessions = sessions;
    this._cells = cells;
    this.session = sessions.active;
    /** @type {string | null} */
    this.chat = this.session?.active ?? null;
    this.isChosen = false; // whether the user has chosen what is shown
    /** @type {import('./rows.js').ShownTurn[]} */
    this._path = [];
    /** @type {((message: ViewMessage.ToView) => void)[]} */
    this._listeners = [];
  }

  /** @param {(message: ViewMessage.ToView) => void} listener */
  onMessage(listener) {
    this._listeners.push(listener);
  }

  /** @param {ViewMessage.FromView} message */
  send(message) {
    const replies = this._replies(message);
    queueMicrotask(() => replies.forEach(reply => this._listeners.forEach(listener => listener(reply))));
  }

  close() {
    this._listeners = [];
  }

  /**
   * @param {ViewMessage.FromView} message
   * @returns {ViewMessage.ToView[]}
   */
  _replies(message) {
    switch (message.op) {
      case 'hello':
        return [this._status(), this._lists(true), this._transcript(), { op: 'arrived', chat: this.chat }];
      case 'want':
        return [{ op: 'turns', chat: this.chat, first: message.first, turns: this._rows(message.first, message.last) }];
      case 'picture':
        return this.session ? [picture(this.session, message.id)] : [];
      case 'do':
        return this._do(message);
      default:
        return [];
    }
  }

  /**
   * @param {ViewMessage.Do} message
   * @returns {ViewMessage.ToView[]}
   */
  _do({ id, what, session, chat, turn = '', text = '' }) {
    /** @type {ViewMessage.Answer} */
    const done = { op: 'answer', id };
    if (what === 'session.open') {
      this.session = this._sessions.living.find(each => each.id === session) ?? this.session;
      return [...this._choose(this.session?.active ?? null, true), done];
    }
    if (what === 'chat.switch' && chat !== undefined && this.session?.names.has(chat)) {
      return [...this._choose(chat, false), done];
    }
    if (what === 'branch' && chat === this.chat && this.session?.turns.has(turn)) {
      return [this._transcript(this._branch(this.session, turn), this._path), done];
    }
    if (what === 'cell') {
      const cell = this._cell(turn);
      return [cell ? { ...done, cell } : { ...done, error: t('cellGone') }];
    }
    if (what === 'search') {
      return [{ ...done, ...found(this._sessions, text.trim()) }];
    }
    return [{ ...done, error: t('readOnly') }];
  }

  /**
   * @param {string | null} chat
   * @param {boolean} whole
   * @returns {ViewMessage.ToView[]}
   */
  _choose(chat, whole) {
    this.chat = chat;
    this.isChosen = true;
    return [this._status(), this._lists(whole), this._transcript()];
  }

  /** @returns {ViewMessage.Status} */
  _status() {
    const { session, chat } = this;
    return {
      op: 'status', level: t('asSaved'), running: 0,
      session: session && (this._sessions.names.get(session.id) ?? null),
      chat: session && chat !== null ? (session.names.get(chat) ?? null) : null
    };
  }

  /**
   * @param {boolean} whole Whether all chats are to be told, and not only which is the active one.
   * @returns {ViewMessage.Lists}
   */
  _lists(whole) {
    return {
      op: 'lists', sessions: sessionRows(this._sessions), session: this.session?.id ?? null, chat: this.chat,
      chats: whole && this.session ? chatRows(this.session) : [], whole, gone: []
    };
  }

  /**
   * Return the turns up to the end of the branch of a turn.
   *
   * @param {import('./fold.js').Session} session
   * @param {string} turn
   */
  _branch(session, turn) {
    const end = session.endOf(/** @type {string} */ (this.chat), turn);
    const at = this._path.findIndex(shown => shown.turn.id === end);
    return at < 0 ? turnsOf(session.trailTo(end)) : this._path.slice(0, at + 1).map(shown => shown.turn);
  }

  /**
   * @param {import('./fold.js').Turn[]} [turns] What is shown; without it, what the chat remembers.
   * @param {import('./rows.js').ShownTurn[]} former What the view has of them.
   * @returns {ViewMessage.Transcript}
   */
  _transcript(turns, former = []) {
    const { session, chat } = this;
    this._path = session && chat !== null ? shownTurns(session, chat, turns ?? turnsOf(session.trail(chat))) : [];
    const differs = this._path.findIndex(({ turn }, at) => turn !== former[at]?.turn);
    const from = differs < 0 ? Math.min(former.length, this._path.length) : differs;
    const first = Math.max(from, this._path.length - PAGE);
    return { op: 'transcript', chat, count: this._path.length, from, stale: [], first, turns: this._rows(first, Infinity) };
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  _rows(first, last) {
    const { session } = this;
    return session ? this._path.slice(first, last).map(shown => turnRow(session, shown)) : [];
  }

  /**
   * The cell that asked a turn: the one that shows it, else the one of that id.
   *
   * @param {string} id
   */
  _cell(id) {
    const [asker] = this.session?.turns.get(id)?.question.cell ?? [];
    const code = [...this._cells].filter(({ type }) => type === 'code');
    const found = code.find(cell => outputs(cell).some(output => turnOf(output) === id)) ?? code.find(cell => cell.id === asker);
    return found?.id;
  }
}
