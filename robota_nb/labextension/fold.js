// The state that follows from the entries of a notebook: which sessions and chats there are, and the turns of each.
//
// It is what docs/format.md calls the state, and the kernel's own fold says the same (core/record/fold.py). It is here so
// that the chats can be read before any kernel runs; nothing is ever written by it.

import { shownNames } from './names.js';
import { added, isAccept, opsOf, parse, textOf } from './snapshot.js';

/** @typedef {import('./snapshot.js').Entry} Entry */

/** When an entry counts: by its n, ties broken by its id. */
/** @typedef {{ n: number, id: string }} Stamp */

/**
 * A turn.
 *
 * @typedef {object} Turn
 * @property {string} id Of the answer.
 * @property {string} user Of the question.
 * @property {string} chat
 * @property {string | null} parent The message that the question follows.
 * @property {Stamp} stamp
 * @property {Entry} answer
 * @property {Entry} question
 * @property {string[] | null} context The turns that were sent before it, where they are not the path of `parent`.
 */

/**
 * The turns up to one of them.
 *
 * @typedef {{ before: Trail, turn: Turn, size: number } | { before: null, turn: null, size: 0 }} Trail
 */

/** @type {Stamp} */
const NEVER = { n: 0, id: '' };
/** @type {Trail} */
const START = { before: null, turn: null, size: 0 };
const OFFLINE = 'offline';

/** @type {(one: Stamp, other: Stamp) => number} */
export const order = (one, other) => one.n - other.n || (one.id < other.id ? -1 : Number(one.id > other.id));

/**
 * Return a trail of more turns.
 *
 * @param {Trail} trail
 * @param {Turn[]} turns
 * @returns {Trail}
 */
function extended(trail, turns) {
  return turns.reduce((before, turn) => ({ before, turn, size: before.size + 1 }), trail);
}

/**
 * Return the turns of a trail, oldest first.
 *
 * @param {Trail} trail
 */
export function turnsOf(trail) {
  /** @type {Turn[]} */
  const found = [];
  for (let here = trail; here.before; here = here.before) {
    found.push(here.turn);
  }
  return found.reverse();
}

/**
 * The value of several that was set last.
 *
 * @template T
 */
class Register {
  constructor() {
    this.stamp = NEVER;
    /** @type {T | undefined} */
    this.value = undefined;
  }

  /**
   * @param {Stamp} stamp
   * @param {T | undefined} value
   */
  put(stamp, value) {
    if (order(stamp, this.stamp) > 0) {
      this.stamp = stamp;
      this.value = value;
    }
  }
}

/** A chat: what the entries say of it. */
export class Chat {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.created = NEVER;
    this.last = NEVER; // the last message, or the creation
    /** @type {Register<string>} */
    this.given = new Register(); // the name
    /** @type {Register<string>} */
    this.config = new Register(); // of the last answer, or of the creation
    /** @type {Register<{ message?: string, context?: string[] }>} */
    this.head = new Register();
    /** @type {Map<string, Register<string>>} */
    this.sets = new Map();
    /** @type {Map<string | null, Turn[]>} */
    this.children = new Map(); // its turns, by the message that they follow
  }

  get isDeleted() {
    return this.sets.get('deleted')?.value !== undefined;
  }

  /** @param {Turn} turn */
  add(turn) {
    const siblings = this.children.get(turn.parent) ?? [];
    siblings.push(turn);
    this.children.set(turn.parent, siblings);
  }
}

/** A session, as its entries say. */
export class Session {
  /**
   * @param {string} id
   * @param {Map<string, Entry>} entries Checked ones.
   */
  constructor(id, entries) {
    this.id = id;
    this.entries = entries;
    this.created = NEVER;
    /** @type {Register<string>} */
    this.given = new Register(); // the name
    /** @type {Register<string>} */
    this.chosen = new Register(); // the chat that is the active one
    /** @type {Map<string, Register<string>>} */
    this.sets = new Map();
    /** @type {Map<string, Chat>} */
    this.chats = new Map();
    /** @type {Map<string, Turn>} */
    this.turns = new Map();
    /** @type {Map<string, Register<string>>} */
    this._forkedFrom = new Map(); // by a chat, the one that cells forked it from
    /** @type {Set<string>} */
    this.accepted = new Set(); // the turns that stand for another request, too: cells were made of them
    /** @type {Map<string, Trail>} */
    this._trails = new Map(); // by the message where it ends
    for (const [eid, entry] of entries) {
      this._take({ n: Number.isInteger(entry.n) ? entry.n : 0, id: eid }, entry);
    }
    this._findTurns();
    const living = [...this.chats.values()].filter(chat => !chat.isDeleted);
    /** Its chats that are not deleted, in the order of their creation. */
    this.living = living.sort((one, other) => order(one.created, other.created) || (one.id < other.id ? -1 : 1));
    /** @type {Map<string, string>} */
    this.names = shownNames(this.living.map(chat => [chat.id, chat.given.value ?? chat.id]));
  }

  get isDeleted() {
    return this.sets.get('deleted')?.value !== undefined;
  }

  get state() {
    return this.sets.get('state')?.value || 'active';
  }

  /** The id of the active chat. */
  get active() {
    const { value } = this.chosen;
    if (value !== undefined && this.names.has(value)) {
      return value;
    }
    const [latest] = [...this.living].sort((one, other) => order(other.last, one.last) || (one.id < other.id ? 1 : -1));
    return latest?.id ?? null;
  }

  /**
   * Return the turns that a chat remembers.
   *
   * @param {string} id The chat's.
   */
  trail(id) {
    const { message, context } = this.chats.get(id)?.head.value ?? {};
    if (!context) {
      return this.trailTo(message);
    }
    const last = message === undefined ? undefined : this.turns.get(message);
    return extended(START, [...this._known(context), ...(last ? [last] : [])]);
  }

  /**
   * Return the turns from the first one to a message: as a chain, as those of many chats may begin with the same ones.
   *
   * @param {string | null | undefined} message
   * @returns {Trail}
   */
  trailTo(message) {
    /** @type {Set<string>} */
    const passed = new Set(); // where a stub stands, a stranger may have made a circle
    let [here, trail] = [message, START];
    while (here && this.entries.has(here) && !passed.has(here)) {
      const known = this._trails.get(here);
      if (known) {
        trail = known;
        break;
      }
      passed.add(here);
      const turn = this.turns.get(here);
      if (turn?.context) {
        trail = extended(START, this._known(turn.context));
        break;
      }
      here = turn ? turn.parent : this.entries.get(here)?.parent;
    }
    for (const id of [...passed].reverse()) {
      const turn = this.turns.get(id);
      trail = turn ? extended(trail, [turn]) : trail;
      this._trails.set(id, trail);
    }
    return trail;
  }

  /**
   * Return the question that a chat begins with; empty if it has none, or what it said was purged.
   *
   * @param {Chat} chat
   */
  firstQuestion({ children, sets }) {
    const begun = (children.get(sets.get('from')?.value ?? null) ?? []).filter(({ answer }) => answer.kind !== 'purged');
    const [first] = begun.sort((one, other) => order(one.stamp, other.stamp));
    return textOf(first?.question.content);
  }

  /**
   * Return the id of the chat that a chat is a fork of; empty if it is none, or of nothing.
   *
   * @param {Chat} chat
   * @returns {string}
   */
  originOf({ id, sets }) {
    const base = this.entries.get(sets.get('from')?.value ?? '');
    return (base ? base.chat : this._forkedFrom.get(id)?.value) ?? '';
  }

  /**
   * Return the last turn of the branch that a turn is part of: of those that follow, always the newest.
   *
   * @param {string} chat
   * @param {string} id The turn's.
   */
  endOf(chat, id) {
    const begun = turnsOf(this.trailTo(this.chats.get(chat)?.sets.get('from')?.value)).filter(turn => turn.chat !== chat);
    const met = new Set();
    for (let here = id; ;) {
      met.add(here);
      const own = this.chats.get(chat)?.children.get(here) ?? [];
      const [next] = [...own, ...begun.filter(({ parent }) => parent === here)].sort((one, other) => order(other.stamp, one.stamp));
      if (!next || met.has(next.id)) {
        return here;
      }
      here = next.id;
    }
  }

  /**
   * Return the turns of a chat that stand in the place of a turn, oldest first.
   *
   * @param {string} chat
   * @param {Turn} turn
   */
  siblings(chat, turn) {
    const found = turn.chat === chat ? this.chats.get(chat)?.children.get(turn.parent) ?? [] : [];
    return found.length > 1 ? [...found].sort((one, other) => order(one.stamp, other.stamp)) : [turn];
  }

  /**
   * Return whom a chat's next ask would go to.
   *
   * @param {Chat} chat
   */
  target({ config, sets }) {
    /** @type {(key: string) => string | null} */
    const since = key => {
      const register = sets.get(key);
      return register && order(register.stamp, config.stamp) > 0 ? register.value ?? '' : null;
    };
    return this._target(config.value, since('provider'), since('model'));
  }

  /**
   * Return the model that a turn was asked with.
   *
   * @param {Turn} turn
   */
  modelOf({ answer, question }) {
    const { provider = null, model = null } = question.options ?? {};
    return answer.model || this._target(answer.config, provider, model).model;
  }

  /**
   * @param {string | undefined} config The id of an entry; of one that was purged, nobody is asked.
   * @param {string | null} provider What is set over it; null if nothing is.
   * @param {string | null} model
   */
  _target(config, provider, model) {
    const { provider: own = '', model: ownModel = '' } = this.entries.get(config ?? '') ?? {};
    const made = { provider: provider ?? own, model: model ?? ownModel };
    const isSet = provider !== null || model !== null;
    return isSet && made.provider === OFFLINE && made.model === OFFLINE ? { ...made, model: '' } : made;
  }

  /** @param {string[]} turns */
  _known(turns) {
    return turns.map(id => this.turns.get(id)).filter(turn => turn !== undefined);
  }

  // -- what entries do

  /**
   * @param {Stamp} stamp
   * @param {Entry} entry
   */
  _take(stamp, entry) {
    switch (entry.kind) {
      case 'session':
        this.created = !this.created.n || order(stamp, this.created) < 0 ? stamp : this.created;
        this.given.put(stamp, entry.name);
        this.chosen.put(stamp, undefined);
        break;
      case 'chat':
        this._begin(this._chat(entry.chat), stamp, entry);
        break;
      case 'active':
        this.chosen.put(stamp, entry.chat);
        break;
      case 'head':
        this._chat(entry.chat).head.put(stamp, { message: entry.message, context: added(entry, 'context') });
        break;
      case 'set':
        this._set(entry.chat ? this._chat(entry.chat) : this, stamp, entry);
        break;
      case 'accept':
        if (isAccept(entry)) {
          this.accepted.add(entry.turn);
        }
        break;
      case 'effects':
        this._fork(stamp, entry);
        break;
      case 'message':
        this._say(this._chat(entry.chat), stamp, entry);
        break;
      case 'purged':
        if (hasPlace(entry)) {
          this._say(this._chat(entry.chat), stamp, entry);
        }
        break;
    }
  }

  /** @param {string} id */
  _chat(id) {
    const known = this.chats.get(id) ?? new Chat(id);
    this.chats.set(id, known);
    return known;
  }

  /**
   * @param {Chat} chat
   * @param {Stamp} stamp
   * @param {Entry} entry
   */
  _begin(chat, stamp, entry) {
    chat.created = !chat.created.n || order(stamp, chat.created) < 0 ? stamp : chat.created;
    chat.last = order(stamp, chat.last) > 0 ? stamp : chat.last;
    chat.given.put(stamp, entry.name);
    chat.config.put(stamp, entry.config);
    this.chosen.put(stamp, chat.id);
    if (entry.from) {
      this._set(chat, stamp, { key: 'from', value: entry.from });
      chat.head.put(stamp, { message: entry.from });
    }
  }

  /**
   * @param {Chat | Session} owner
   * @param {Stamp} stamp
   * @param {Entry} entry
   */
  _set(owner, stamp, { key, value }) {
    const register = owner.sets.get(key) ?? new Register();
    owner.sets.set(key, register);
    register.put(stamp, value);
    if (key === 'name') {
      owner.given.put(stamp, value);
    }
  }

  /**
   * @param {Stamp} stamp
   * @param {Entry} entry
   */
  _fork(stamp, entry) {
    for (const { do: what, chat, from } of opsOf(entry)) {
      if (what === 'fork' && typeof from === 'string' && chat !== undefined) {
        const register = this._forkedFrom.get(chat) ?? new Register();
        this._forkedFrom.set(chat, register);
        register.put(stamp, from);
      }
    }
  }

  /**
   * @param {Chat} chat
   * @param {Stamp} stamp
   * @param {Entry} entry
   */
  _say(chat, stamp, entry) {
    chat.head.put(stamp, { message: stamp.id });
    chat.last = order(stamp, chat.last) > 0 ? stamp : chat.last;
    if (entry.role === 'assistant' && entry.parent && entry.config) {
      chat.config.put(stamp, entry.config);
    }
  }

  // -- turns

  /** An answer that called tools is a step on the way to the one that followed what they returned, and no turn. */
  _findTurns() {
    /** @type {[id: string, question: string][]} */
    const answers = [];
    const steps = new Set();
    for (const [id, entry] of this.entries) {
      const call = isSaid(entry) && entry.role === 'assistant' ? this._call(entry) : null;
      if (call) {
        answers.push([id, call.question]);
        call.steps.forEach(step => steps.add(step));
      }
    }
    for (const [id, user] of answers.filter(([id]) => !steps.has(id))) {
      const answer = /** @type {Entry} */ (this.entries.get(id));
      const question = /** @type {Entry} */ (this.entries.get(user));
      /** @type {Turn} */
      const turn = {
        id, user, answer, question, chat: answer.chat, parent: question.parent ?? null, stamp: { n: answer.n, id },
        context: added(question, 'context') ?? null
      };
      this.turns.set(id, turn);
      this._chat(turn.chat).add(turn);
    }
  }

  /**
   * Return the question of an answer, and the answers on the way that called tools; null if it has no question.
   *
   * @param {Entry} answer
   */
  _call(answer) {
    const steps = [];
    const met = new Set();
    let [id, from] = [answer.parent, 'assistant'];
    while (id && !met.has(id)) {
      met.add(id);
      const entry = this.entries.get(id);
      if (!entry || !(entry.kind === 'message' || entry.kind === 'purged')) {
        return null;
      }
      if (entry.role === 'user') {
        return isSaid(entry) ? { question: id, steps } : null;
      }
      if (entry.role === (from === 'assistant' ? 'tool' : 'assistant') && isSaid(entry)) {
        if (from === 'tool') {
          steps.push(id);
        }
        [id, from] = [entry.parent, entry.role];
      } else {
        return null;
      }
    }
    return null;
  }
}

/** The sessions of a notebook. */
export class Sessions {
  /**
   * @param {unknown} value What stands under `robota_nb` in its metadata.
   * @throws {import('./snapshot.js').SnapshotError} If it cannot be read.
   */
  constructor(value) {
    const all = [...parse(value)].map(([id, entries]) => new Session(id, entries));
    /** Those that are not deleted, in the order of their creation. */
    this.living = all.filter(session => !session.isDeleted)
      .sort((one, other) => order(one.created, other.created) || (one.id < other.id ? -1 : 1));
    /** @type {Map<string, string>} */
    this.names = shownNames(this.living.map(session => [session.id, session.given.value ?? session.id]));
  }

  /** The active one. */
  get active() {
    const [latest] = [...this.living].sort((one, other) => order(other.chosen.stamp, one.chosen.stamp) || (one.id < other.id ? 1 : -1));
    return latest ?? null;
  }
}

/** @param {Entry} entry */
function hasPlace(entry) {
  return entry.n !== undefined && entry.chat !== undefined && entry.role !== undefined;
}

/**
 * Whether an entry is a message, or the stub of one that has kept its place.
 *
 * @param {Entry} entry
 */
function isSaid(entry) {
  return entry.kind === 'message' || (entry.kind === 'purged' && hasPlace(entry));
}
