// What stands in a notebook, checked before anything of it is shown: all that docs/format.md says must be so, but for the
// hashes. The kernel checks those as well, and it alone writes.

/** @typedef {Record<string, any>} Entry */
/** @typedef {(value: unknown) => boolean} Check */

const MAX_TEXT = 20_000_000; // characters in all
const MAX_ENTRIES = 20_000; // of a session
const MAX_MESSAGE = 1_000_000; // characters
const MAX_NUMBER = 2 ** 48;
const [MAX_STEPS, MAX_CALLS] = [100, 64]; // of an answer, and in each of them
const MAX_AHEAD = 2 ** 20; // how far numbers may be ahead of
const PER_ENTRY = 1000; // so many for each entry
const LEVELS = 8;

const KEY = /^[a-z][a-z0-9_]*$/;
const NAME = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,100}$/u;

/** @type {Check} */
const isText = value => typeof value === 'string';
/** @type {(pattern: RegExp) => Check} */
const like = pattern => value => typeof value === 'string' && pattern.test(value);
/** @type {(least: number, most?: number) => Check} */
const integer = (least, most = Infinity) => value => typeof value === 'number' && value >= least && value <= most;
/** @type {(of: Check) => Check} */
const list = of => value => Array.isArray(value) && value.every(of);
/** @type {(of: Check) => Check} */
const each = of => value => isObject(value) && Object.values(value).every(of);
/** @type {Check} */
const isCount = integer(0);
/** @type {Check} */
const isLines = list(isText);
/** @type {Check} */
const isEntryId = like(/^e_[0-9a-f]{32}$/);
/** @type {Check} */
const isChatId = like(/^c_[0-9a-f]{32}$/);
/** @type {Check} */
const isSessionId = like(/^s_[0-9a-f]{32}$/);
/** @type {Check} */
const isCell = value => Array.isArray(value) && value.length === 3 && isText(value[0]) && isCount(value[1]) && isText(value[2]);
/** @type {Check} */
const isPart = value => isText(value) || (isObject(value) && (!('image' in value) || isEntryId(value.image)));

/** Whether a value may be the name of a session, a chat or a file. */
export const isName = like(NAME);

/** @type {Check} */
const isCall = value => isObject(value) && [value.id, value.name, value.status].every(isText)
  && isLines(value.arguments) && isLines(value.result);

/** @type {Check} */
const isStep = value => isObject(value) && [value.content ?? [], value.problem ?? []].every(isLines)
  && Array.isArray(value.calls ?? []) && (value.calls ?? []).length <= MAX_CALLS && (value.calls ?? []).every(isCall);

const CLOCK = { n: integer(1, MAX_NUMBER), at: isText };
const PLACE = { n: CLOCK.n, chat: isChatId, role: like(/^(user|assistant|tool)$/), parent: isEntryId };

/**
 * The fields of the kinds that say what the chats are: those that must be there, and those that may.
 *
 * @type {[kind: string, fields: [must: Record<string, Check>, may: Record<string, Check>]][]}
 */
const FIELDS = [
  ['session', [{ ...CLOCK, name: isName }, { config: isEntryId }]],
  ['config', [{}, { provider: isText, model: isText, system: isLines, params: each(isText) }]],
  ['chat', [{ ...CLOCK, chat: isChatId, name: isName, config: isEntryId }, { from: isEntryId }]],
  ['message', [{ ...CLOCK, chat: isChatId, role: PLACE.role, content: list(isPart) }, {
    parent: isEntryId, cell: isCell, set: each(isText), options: each(isText), config: isEntryId, model: isText,
    finish_reason: isText, usage: each(isCount)
  }]],
  ['active', [CLOCK, { chat: isChatId }]],
  ['head', [{ ...CLOCK, chat: isChatId }, { message: isEntryId }]],
  ['set', [{ ...CLOCK, key: like(KEY) }, { chat: isChatId, value: isText }]],
  ['image', [{ media_type: isText, data: isLines }, {}]],
  ['purged', [{}, PLACE]]
];

/**
 * What format 1.1 has added to them. A field that is not what it must be is as if it were not there.
 *
 * @type {Record<string, Record<string, Check> | undefined>}
 */
const ADDED = {
  message: {
    context: list(isEntryId), by: isText, imported: isText, reasoning: isLines,
    sources: list(value => isObject(value) && [value.title ?? '', value.url ?? ''].every(isText)),
    pictures: list(value => isObject(value) && isText(value.media_type) && isLines(value.data)),
    refused: value => value === 1, left_out: each(isCount),
    steps: value => Array.isArray(value) && value.length <= MAX_STEPS && value.every(isStep)
  },
  head: { context: list(isEntryId) },
  image: { size: isCount }
};

/** Of which kind that must be which a field names; or it is purged. @type {Record<string, string>} */
const LINKS = { config: 'config', parent: 'message', from: 'message', message: 'message' };

/** All of that by kind, as lists. */
const KINDS = new Map(FIELDS.map(([kind, [must, may]]) => [kind, {
  must: Object.entries(must),
  may: Object.entries(may),
  links: Object.entries(LINKS).filter(([name]) => name in must || name in may)
}]));

/** What stands in a notebook is none that this version reads. */
export class SnapshotError extends Error {}

/**
 * Return the entries of each session.
 *
 * @param {unknown} value What stands under `robota_nb` in a notebook's metadata; a stranger may have written it.
 * @returns {Map<string, Map<string, Entry>>}
 * @throws {SnapshotError}
 */
export function parse(value) {
  if (value === undefined || value === null) {
    return new Map();
  }
  if (!isObject(value) || !isObject(value.format) || value.format.major !== 1 || !isObject(value.sessions)) {
    throw new SnapshotError('this is no snapshot of format 1');
  }
  const sessions = new Map(Object.entries(value.sessions).map(([id, entries]) => {
    check(isSessionId(id) && isObject(entries), 'a session');
    return [id, new Map(Object.entries(entries))];
  }));
  const room = { left: MAX_TEXT };
  let [greatest, count] = [0, 0];
  for (const entries of sessions.values()) {
    check(entries.size <= MAX_ENTRIES, 'the number of entries');
    count += entries.size;
    for (const [id, entry] of entries) {
      check(isEntryId(id) && isObject(entry) && isText(entry.kind), 'an entry');
      checkValue(entry, room, 1);
      checkEntry(entry, entries);
      greatest = Math.max(greatest, KINDS.has(entry.kind) ? (entry.n ?? 0) : 0);
    }
  }
  check(greatest <= MAX_AHEAD + PER_ENTRY * count, 'a number');
  return sessions;
}

/**
 * Return the value of a field that format 1.1 has added; undefined if there is none that has its form.
 *
 * @param {Entry} entry
 * @param {string} name
 * @returns {any}
 */
export function added(entry, name) {
  const value = entry[name];
  const is = Object.hasOwn(ADDED, entry.kind) ? ADDED[entry.kind]?.[name] : undefined;
  return value !== undefined && is?.(value) ? value : undefined;
}

/**
 * Return what a cell did, as an entry of the kind `effects` says it: such kinds of format 1.1 count if they have its form.
 *
 * @param {Entry} entry
 * @returns {Entry[]}
 */
export function opsOf({ n, at, cell, ops, also }) {
  const isRan = list(isText)(cell) && cell.length === 2 && CLOCK.n(n) && isText(at) && (also === undefined || isLines(also));
  return isRan && list(isOp)(ops) ? ops : [];
}

/**
 * Whether an entry of the kind `accept` has its form.
 *
 * @param {Entry} entry
 */
export function isAccept({ n, at, turn, context, config }) {
  return CLOCK.n(n) && isText(at) && isEntryId(turn) && list(isEntryId)(context) && isEntryId(config);
}

/** @type {Check} */
const isOp = value => isObject(value) && ('session' in value ? isSessionId(value.session) : isChatId(value.chat));

/**
 * Return the text of a list of lines, among which other parts may stand.
 *
 * @param {unknown[]} [lines]
 */
export function textOf(lines = []) {
  return lines.filter(isText).join('');
}

/**
 * @param {Entry} entry
 * @param {Map<string, Entry>} entries Of its session.
 */
function checkEntry(entry, entries) {
  const kind = KINDS.get(entry.kind);
  if (!kind) {
    return; // of a later version, or without a part in what is shown
  }
  check(kind.must.every(([name, is]) => is(entry[name])), entry.kind);
  check(kind.may.every(([name, is]) => entry[name] === undefined || is(entry[name])), entry.kind);
  /** @type {(id: string, kind: string) => void} */
  const link = (id, kind) => {
    const { kind: found } = entries.get(id) ?? {};
    check(found === kind || found === 'purged', `what a ${entry.kind} names`);
  };
  kind.links.forEach(([name, target]) => entry[name] && link(entry[name], target));
  if (entry.kind === 'message') {
    check(textOf(entry.content).length <= MAX_MESSAGE, 'the length of a message');
    entry.content.forEach((/** @type {any} */ part) => part.image && link(part.image, 'image'));
  } else if (entry.kind === 'set' && entry.key === 'name') {
    check(isName(entry.value), 'a name');
  } else if (entry.kind === 'set' && entry.key === 'from' && entry.value !== undefined) {
    link(entry.value, 'message');
  }
}

/**
 * @param {unknown} value
 * @param {{ left: number }} room
 * @param {number} level
 */
function checkValue(value, room, level) {
  if (typeof value === 'string') {
    room.left -= value.length;
    check(room.left >= 0, 'the size');
  } else if (typeof value === 'number') {
    check(Number.isSafeInteger(value), 'a number');
  } else if (typeof value !== 'boolean') {
    check(typeof value === 'object' && value !== null && level <= LEVELS, 'a value');
    if (Array.isArray(value)) {
      value.forEach(item => checkValue(item, room, level + 1));
    } else {
      for (const [key, item] of Object.entries(/** @type {object} */ (value))) {
        check(KEY.test(key), 'a key');
        room.left -= key.length;
        checkValue(item, room, level + 1);
      }
    }
  }
}

/**
 * @param {boolean} isSo
 * @param {string} what
 */
function check(isSo, what) {
  if (!isSo) {
    throw new SnapshotError(`${what} is not what it must be`);
  }
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
