// What a view shows of the chats that a notebook has, as the kernel would say it (switcher/rows.py): a row for each
// session, chat and turn. All texts in them are data from strangers.

import { order, turnsOf } from './fold.js';
import { added, isName, textOf } from './snapshot.js';

/** @typedef {import('./fold.js').Session} Session */
/** @typedef {import('./fold.js').Sessions} Sessions */
/** @typedef {import('./fold.js').Turn} Turn */
/** @typedef {import('./snapshot.js').Entry} Entry */

const MARKUP = /[#*`_>|~]+/g; // of Markdown, which one line of plain text has no use for
const UNNAMED = /^Chat \p{Nd}+$/u; // what a chat is called that was given no name
const CALL = 2000; // characters of what a tool was called with, and of what it returned
const NAME = 100; // characters that are sent of a model's name,
const WORDS = 120; // and of a chat's first and last words

const HITS = 50; // of a search
const AROUND = 40; // characters before what was found, and twice as many from there

const MAX_SOURCES = 200;
const MAX_TITLE = 200;
const MAX_URL = 2000;
const MAX_PICTURE = 2_000_000; // bytes of one,
const MAX_PICTURES = 2 * MAX_PICTURE; // and of all of an answer

/** The types that a view is given: files of these hold a picture, and no script. */
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
/** @type {[type: string, begin: RegExp][]} */
const SIGNS = [
  ['image/png', /^\x89PNG\r\n\x1a\n/], ['image/jpeg', /^\xff\xd8\xff/], ['image/gif', /^GIF8[79]a/], ['image/webp', /^RIFF[^]{4}WEBP/]
];
const ACTING = /[^\n\t\u200c\u200d\P{C}]|[\p{Zl}\p{Zp}]/gu; // not seen itself, but changes how other text is shown
const BLANK = /[\s\x1c-\x1f\x85]+/gu;

/**
 * @param {Sessions} sessions
 * @returns {ViewMessage.SessionRow[]}
 */
export function sessionRows(sessions) {
  return sessions.living.map(session => ({
    id: session.id, name: sessions.names.get(session.id) ?? session.id, state: session.state, chats: session.living.length
  }));
}

/**
 * @param {Session} session
 * @returns {ViewMessage.ChatRow[]}
 */
export function chatRows(session) {
  return session.living.map(chat => {
    const { size, turn } = session.trail(chat.id);
    const { provider, model } = session.target(chat);
    const name = session.names.get(chat.id) ?? chat.id;
    return {
      id: chat.id,
      name,
      title: UNNAMED.test(name) ? words(session.firstQuestion(chat)) : '',
      model: cut(model || provider, NAME),
      provider: cut(provider, NAME),
      turns: size,
      words: turn ? words(textOf(turn.answer.content) || textOf(turn.question.content)) : '',
      used: chat.last.n,
      at: session.entries.get(chat.last.id)?.at ?? '',
      origin: session.originOf(chat),
      running: false
    };
  });
}

/**
 * The first words of a text, on one line.
 *
 * @param {string} text
 */
function words(text) {
  return cut(cut(text, 2 * WORDS).replace(MARKUP, '').replace(BLANK, ' ').trim(), WORDS);
}

/**
 * Return turns with the place of each among those that stand beside it.
 *
 * @param {Session} session
 * @param {string} chat
 * @param {Turn[]} turns
 */
export function shownTurns(session, chat, turns) {
  return turns.map(turn => {
    const siblings = session.siblings(chat, turn);
    const at = siblings.indexOf(turn);
    return { turn, before: siblings[at - 1]?.id ?? null, after: siblings[at + 1]?.id ?? null, place: [at + 1, siblings.length] };
  });
}

/** @typedef {ReturnType<typeof shownTurns>[number]} ShownTurn */

/**
 * @param {Session} session
 * @param {ShownTurn} shown
 * @returns {ViewMessage.TurnRow}
 */
export function turnRow(session, { turn, before, after, place }) {
  const { answer, question } = turn;
  const isMessage = question.kind === 'message';
  const along = attached(session, question);
  const isOutside = !(isMessage && question.cell) && !(isMessage && added(question, 'by') === 'code');
  const isImported = isMessage && Boolean(added(question, 'imported'));
  /** @type {Record<'foreign' | 'purged' | 'outside', boolean>} */
  const marks = { foreign: isImported, purged: answer.kind === 'purged', outside: isOutside && !session.accepted.has(turn.id) };
  const beside = besides(answer);
  const thoughts = textOf(added(answer, 'reasoning'));
  const steps = /** @type {Entry[]} */ (added(answer, 'steps') ?? []);
  return {
    id: turn.id,
    prompt: textOf(question.content),
    reply: textOf(answer.content),
    model: cut(session.modelOf(turn), NAME),
    reason: answer.finish_reason ?? 'unknown',
    tokens: answer.usage ? [answer.usage.input_tokens ?? 0, answer.usage.output_tokens ?? 0] : null,
    marks: /** @type {('foreign' | 'purged' | 'outside')[]} */ (Object.keys(marks)).filter(mark => marks[mark]),
    cell: Boolean(isMessage && question.cell) || (isOutside && !marks.outside),
    before,
    after,
    place,
    pictures: along.filter(({ entry }) => isPicture(entry)).map(({ id }) => id),
    files: along.filter(({ name }) => name).map(({ name, entry }) => ({ name, size: sizeOf(entry) })),
    ...(beside ? { besides: { ...beside, pictures: beside.pictures.map((_, at) => `${turn.id}.${at}`) } } : {}),
    ...(thoughts ? { thoughts } : {}),
    ...(steps.length ? { steps: steps.map(step) } : {})
  };
}

/**
 * @param {Entry} given
 * @returns {ViewMessage.StepRow}
 */
function step({ content = [], calls = [], problem = [] }) {
  return {
    text: textOf(content),
    calls: /** @type {Entry[]} */ (calls).map(call => ({
      name: cut(call.name, NAME), arguments: cut(textOf(call.arguments), CALL), status: call.status, result: cut(textOf(call.result), CALL)
    })),
    problem: cut(problem.join('; '), CALL)
  };
}

/**
 * Return a picture: of a prompt, by the id of its entry; of an answer, by its id, a dot and its place in it.
 *
 * @param {Session} session
 * @param {string} id
 * @returns {ViewMessage.Picture}
 */
export function picture(session, id) {
  const [eid, place = ''] = id.split('.');
  const entry = session.entries.get(eid);
  const own = place && entry?.kind === 'message' ? besides(entry)?.pictures[Number(place)] : undefined;
  const found = own ?? (!place && entry?.kind === 'image' ? { media_type: entry.media_type, data: entry.data.join('') } : undefined);
  const isShown = found && PICTURES.includes(found.media_type) && isBase64(found.data);
  return { op: 'picture', id, ...(isShown ? found : { media_type: '', data: '' }) };
}

/**
 * Return the turns that hold a text, in chats that are not deleted, the latest first.
 *
 * @param {Sessions} sessions
 * @param {string} wanted
 * @returns {{ hits: ViewMessage.Hit[], more: number }}
 */
export function found(sessions, wanted) {
  const folded = wanted.toLowerCase();
  const hits = [];
  for (const session of sessions.living) {
    const places = new Map(session.living.map(chat => [chat.id, turnsOf(session.trail(chat.id))]));
    for (const turn of session.turns.values()) {
      const text = [turn.question, turn.answer].map(({ content }) => textOf(content)).find(said => said.toLowerCase().includes(folded));
      const name = session.names.get(turn.chat);
      if (text !== undefined && name !== undefined && folded) {
        hits.push({ session, turn, name, text, number: 1 + (places.get(turn.chat)?.indexOf(turn) ?? -1) });
      }
    }
  }
  hits.sort((one, other) => order(other.turn.stamp, one.turn.stamp));
  return {
    hits: hits.slice(0, HITS).map(({ session, turn, name, text, number }) => ({
      notebook: '', session: session.id, chat: turn.chat, turn: turn.id, name, number, at: turn.answer.at ?? '',
      text: around(text, text.toLowerCase().indexOf(folded)), deleted: false, foreign: false
    })),
    more: Math.max(0, hits.length - HITS)
  };
}

/**
 * Return what stands around a place of a text, on one line.
 *
 * @param {string} text
 * @param {number} at
 */
function around(text, at) {
  const from = Math.max(0, at - AROUND);
  const cutout = text.slice(from, at + 2 * AROUND).replace(BLANK, ' ').trim();
  return `${from ? '…' : ''}${cutout}${at + 2 * AROUND < text.length ? '…' : ''}`;
}

/**
 * @param {Session} session
 * @param {Entry} question
 * @returns {{ id: string, name: string, entry: Entry }[]}
 */
function attached({ entries }, { content = [] }) {
  return content.filter((/** @type {any} */ part) => part.image !== undefined).map((/** @type {any} */ { image, name }) => ({
    id: image, name: isName(name) ? name : '', entry: entries.get(image) ?? {}
  }));
}

/** @param {Entry} entry */
function isPicture({ media_type: type = '' }) {
  return /^image\/[a-z0-9.+-]{1,60}$/.test(type);
}

/**
 * The size of a file in bytes; 0 if it was purged.
 *
 * @param {Entry} entry
 */
function sizeOf(entry) {
  const text = (entry.data ?? []).join('');
  const isText = entry.media_type === 'text/plain';
  return added(entry, 'size') || (isText ? new TextEncoder().encode(text).length : bytesIn(text));
}

/** @param {string} base64 */
function padding(base64) {
  return base64.slice(-2).split('=').length - 1;
}

/** @param {string} text */
function isBase64(text) {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** @param {string} base64 */
function bytesIn(base64) {
  return Math.floor((base64.length * 3) / 4) - padding(base64);
}

/**
 * What an answer has beside its text, as far as it may be shown; the rest is counted.
 *
 * @param {Entry} answer
 */
function besides(answer) {
  const given = {
    sources: /** @type {Entry[]} */ (added(answer, 'sources') ?? []),
    pictures: /** @type {Entry[]} */ (added(answer, 'pictures') ?? []).filter(one => isPicture(one) && isBase64(one.data.join('')))
  };
  const { sources: moreSources = 0, pictures: lost = 0 } = added(answer, 'left_out') ?? {};
  let room = MAX_PICTURES;
  const pictures = given.pictures.map(drawable).filter(one => {
    const size = one ? bytesIn(one.data) : Infinity;
    const fits = size <= room;
    room -= fits ? size : 0;
    return fits;
  });
  const found = {
    sources: given.sources.slice(0, MAX_SOURCES).map(source),
    pictures: pictures.filter(one => one !== null),
    refused: added(answer, 'refused') !== undefined,
    more_sources: moreSources + Math.max(0, given.sources.length - MAX_SOURCES),
    lost_pictures: lost + given.pictures.length - pictures.length
  };
  const isTextAlone = Object.values(found).every(what => !what || (Array.isArray(what) && !what.length));
  return isTextAlone ? null : found;
}

/**
 * Return a picture of an answer with the type that its bytes say; null if there is nothing to show.
 *
 * @param {Entry} given
 */
function drawable({ data }) {
  const text = data.join('');
  const begin = bytesIn(text) <= MAX_PICTURE ? atob(text.slice(0, 16)) : '';
  const [type] = SIGNS.find(([, sign]) => sign.test(begin)) ?? [];
  return type ? { media_type: type, data: text } : null;
}

/**
 * @param {Entry} given
 * @returns {ViewMessage.SourceRow}
 */
function source({ title = '', url = '' }) {
  const address = webAddress(url);
  return { title: line(title) || (address ? '' : line(url)), url: address };
}

/**
 * A text on one line, cut, without what only acts on other text.
 *
 * @param {string} text
 */
function line(text) {
  const seen = cut(text, 4 * MAX_TITLE).replace(ACTING, '').replace(BLANK, ' ').trim();
  return [...seen].length <= MAX_TITLE ? seen : `${cut(seen, MAX_TITLE - 1)}…`;
}

/**
 * Return an address as a link may carry it, in ASCII; empty if it is none of the web, or says who logs in.
 *
 * @param {string} given
 */
function webAddress(given) {
  const [, scheme, netloc, rest] = /^(https?):\/\/([^/?#]*)(.*)$/i.exec(given.trim()) ?? [];
  if (!scheme || [...given.trim()].length > MAX_URL || /[\p{C}\p{Z}]/u.test(given.trim())) {
    return '';
  }
  const host = ascii(netloc);
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?(?::[0-9]{1,5})?$/i.test(host)) {
    return '';
  }
  const written = `${scheme.toLowerCase()}://${host}${rest.replace(/[^\w.\-~/:?#@!&*+,;=%]/gu, escaped)}`;
  return written.length <= MAX_URL ? written : '';
}

/** @param {string} netloc */
function ascii(netloc) {
  if (/^[\x21-\x7e]*$/.test(netloc)) {
    return netloc;
  }
  const [, name, port] = /^(.*?)(:[0-9]*)?$/.exec(netloc) ?? [];
  try {
    return /[/?#@:]/.test(name.normalize('NFKC')) ? '' : new URL(`https://${name}`).hostname + (port ?? '');
  } catch {
    return '';
  }
}

/** @param {string} character */
function escaped(character) {
  return Array.from(new TextEncoder().encode(character), byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/**
 * Return the first characters of a text, so many.
 *
 * @param {string} text
 * @param {number} count
 */
function cut(text, count) {
  return text.length <= count ? text : [...text.slice(0, 2 * count)].slice(0, count).join('');
}
